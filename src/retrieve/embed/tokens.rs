//! From texts to rows of token numbers, in batches of texts that are about as long.
//!
//! *Invariant:* what the tokenizer's file says of padding and truncation is not followed: the one of all-MiniLM-L6-v2 pads
//! every text to 128 tokens, and cuts there.

use tokenizers::{Tokenizer, TruncationParams};

/// The longest that a text becomes; the rest of it is not seen.
pub(super) const LONGEST: usize = 256;
/// So many tokens, padding counted, are worked on at once: more is no faster, and takes memory in proportion.
const BATCH: usize = 4096;
/// What is cut off before a text is looked at: no word piece of a word is this long.
const BYTES_PER_TOKEN: usize = 64;

/// Cuts text into tokens.
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    padding: i32,
    longest: usize,
}

/// Texts of about one length as rows of token numbers.
pub(super) struct Batch {
    /// Which of the texts they are.
    pub(super) texts: Vec<usize>,
    /// The length of each row.
    pub(super) width: usize,
    /// The rows, one after the other, padded.
    pub(super) ids: Vec<i32>,
    /// 1 where a token is no padding.
    pub(super) mask: Vec<i32>,
}

impl Tokens {
    /// From the bytes of `tokenizer.json`.
    pub(super) fn read(bytes: &[u8], longest: usize) -> Result<Tokens, String> {
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| error.to_string())?;
        let padding = tokenizer.get_padding().map(|padding| padding.pad_id);
        let padding = padding.or_else(|| ["[PAD]", "<pad>"].iter().find_map(|name| tokenizer.token_to_id(name)));
        let padding = i32::try_from(padding.unwrap_or(0)).map_err(|_| "its padding has no number".to_owned())?;
        tokenizer.with_padding(None);
        let cut = TruncationParams { max_length: longest, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(cut)).map_err(|error| error.to_string())?;
        Ok(Tokens { tokenizer, padding, longest })
    }

    /// The texts in batches, the shortest first.
    pub(super) fn batches(&self, texts: &[&str]) -> Result<Vec<Batch>, String> {
        let cut = texts.iter().map(|text| start(text, self.longest * BYTES_PER_TOKEN)).collect();
        let encodings = self.tokenizer.encode_batch_fast::<&str>(cut, true).map_err(|error| error.to_string())?;
        let mut rows: Vec<(usize, &[u32])> = encodings.iter().map(tokenizers::Encoding::get_ids).enumerate().collect();
        rows.sort_by_key(|(text, ids)| (ids.len(), *text));
        let mut batches = Vec::new();
        let mut rest = rows.as_slice();
        while !rest.is_empty() {
            let fits = (1..=rest.len()).take_while(|n| rest.get(n - 1).is_some_and(|row| row.1.len() * n <= BATCH));
            let (now, later) = rest.split_at(fits.last().unwrap_or(1));
            batches.push(self.batch(now)?);
            rest = later;
        }
        Ok(batches)
    }

    fn batch(&self, rows: &[(usize, &[u32])]) -> Result<Batch, String> {
        // A model can't run on rows of no tokens.
        let width = rows.iter().map(|(_, ids)| ids.len()).max().unwrap_or(0).max(1);
        let mut batch = Batch {
            texts: rows.iter().map(|(text, _)| *text).collect(),
            width,
            ids: Vec::with_capacity(rows.len() * width),
            mask: Vec::with_capacity(rows.len() * width),
        };
        for (_, ids) in rows {
            for id in *ids {
                batch.ids.push(i32::try_from(*id).map_err(|_| format!("token {id} has too large a number"))?);
                batch.mask.push(1);
            }
            let full = batch.ids.len() + width - ids.len();
            batch.ids.resize(full, self.padding);
            batch.mask.resize(full, 0);
        }
        Ok(batch)
    }
}

/// The first `bytes` of a text, to a whole character.
fn start(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}
