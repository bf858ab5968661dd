//! Gives vectors to the documents that lack them.
//!
//! *Invariant:* the file is not held while a model works; of two processes that embed the same text, the first one's
//! vectors stay. Another model's vectors stay beside them until [`Embedded::prune`].

use std::collections::{BTreeMap, BTreeSet};

use flate2::Crc;
use rusqlite::{Connection, OptionalExtension, params};

use super::packed::pack;
use super::shelf::chunks_of;
use super::sync::{Phase, Progress, Report};
use super::{Embedded, IndexError, integer, schema};
use crate::model::Place;
use crate::retrieve::{Chunk, EmbedError, Embedder, ModelId};

/// Chunks that are embedded before they are written: enough to sort by length, and not much to lose.
const BATCH: usize = 256;

/// What tells the texts of a document's chunks from others.
pub(super) type Texts = Vec<u8>;

impl Embedded {
    /// Embeds what has no vectors of this model among `wanted`.
    pub(super) fn embed(
        &self,
        wanted: &[&Place],
        embedder: &dyn Embedder,
        progress: &mut dyn FnMut(Progress),
        report: &mut Report,
    ) -> Result<(), IndexError> {
        let model = self.model(embedder.id())?;
        let documents = self.documents_by_texts(wanted)?;
        let lacking: Vec<(&Texts, i64)> = {
            let there = self.vectors_there(model)?;
            documents.iter().filter(|(texts, _)| !there.contains(*texts)).map(|(texts, id)| (texts, *id)).collect()
        };
        if lacking.is_empty() {
            return Ok(());
        }
        let (mut done, total) = (0, lacking.len());
        let mut rest = lacking.as_slice();
        while !rest.is_empty() && report.failure.is_none() {
            progress(Progress { phase: Phase::Embed, done, total });
            let (batch, taken) = self.next_batch(model, rest)?;
            done += taken;
            rest = rest.get(taken..).unwrap_or_default();
            match vectors(embedder, batch.iter().map(|(_, chunks)| chunks.as_slice())) {
                Ok(vectors) => {
                    report.embedded += batch.len();
                    let rows = batch.iter().map(|(texts, _)| *texts).zip(&vectors);
                    self.keep_vectors(model, rows)?;
                }
                Err(error) => report.failure = Some(error.to_string()),
            }
        }
        let there = self.vectors_there(model)?;
        report.without_vectors = documents.keys().filter(|texts| !there.contains(*texts)).count();
        progress(Progress { phase: Phase::Embed, done, total });
        Ok(())
    }

    /// The next documents to embed with their chunks, and how many were looked at: what another process has
    /// embedded meanwhile is passed over.
    #[expect(clippy::type_complexity, reason = "pairs, and a number")]
    fn next_batch<'a>(
        &self,
        model: i64,
        rest: &[(&'a Texts, i64)],
    ) -> Result<(Vec<(&'a Texts, Vec<Chunk>)>, usize), IndexError> {
        let db = self.lock();
        let mut there = db.prepare_cached("SELECT 1 FROM vector WHERE model = ?1 AND texts = ?2")?;
        let (mut batch, mut chunks, mut taken) = (Vec::new(), 0, 0);
        for (texts, document) in rest {
            if chunks >= BATCH {
                break;
            }
            taken += 1;
            if there.query_row(params![model, texts], |_| Ok(())).optional()?.is_none() {
                let own = chunks_of(&db, *document)?;
                chunks += own.len();
                batch.push((*texts, own));
            }
        }
        Ok((batch, taken))
    }

    /// Those of `texts` that have no vectors of this model.
    pub(super) fn lacking<'a>(
        &self,
        model: i64,
        texts: impl Iterator<Item = &'a Texts>,
    ) -> Result<BTreeSet<&'a Texts>, IndexError> {
        let db = self.lock();
        let mut there = db.prepare_cached("SELECT 1 FROM vector WHERE model = ?1 AND texts = ?2")?;
        let mut lacking = BTreeSet::new();
        for texts in texts {
            if there.query_row(params![model, texts], |_| Ok(())).optional()?.is_none() {
                lacking.insert(texts);
            }
        }
        Ok(lacking)
    }

    /// The vectors of a document's chunks, packed.
    pub(super) fn vector(&self, model: i64, texts: &Texts, dimensions: usize) -> Result<Vec<u8>, IndexError> {
        let db = self.lock();
        let mut one = db.prepare_cached("SELECT sum, data FROM vector WHERE model = ?1 AND texts = ?2")?;
        let row = one.query_row(params![model, texts], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?)));
        let whole = row
            .optional()?
            .filter(|(expected, data)| sum(data) == *expected && data.len().is_multiple_of(dimensions.max(1)));
        whole.map(|(_, data)| data).ok_or_else(|| IndexError::Damaged("a vector is not what was written".to_owned()))
    }

    /// The chunks of a document.
    pub(super) fn chunks(&self, row: i64) -> Result<Vec<Chunk>, IndexError> {
        chunks_of(&self.lock(), row)
    }

    /// The number of a model in this file.
    pub(super) fn model(&self, id: &ModelId) -> Result<i64, IndexError> {
        let db = self.lock();
        if let Some(number) = model_number(&db, id)? {
            return Ok(number);
        }
        db.execute(
            "INSERT OR IGNORE INTO model (digest, name, dimensions) VALUES (?1, ?2, ?3)",
            params![id.digest, id.name, integer(id.dimensions)],
        )?;
        model_number(&db, id)?.ok_or_else(|| IndexError::Damaged("a model is not kept".to_owned()))
    }

    /// A document for each text that `wanted` has.
    fn documents_by_texts(&self, wanted: &[&Place]) -> Result<BTreeMap<Texts, i64>, IndexError> {
        let wanted: BTreeSet<(&str, &str)> = wanted.iter().map(|place| (&*place.blob, &*place.path)).collect();
        let db = self.lock();
        let mut all = db.prepare("SELECT id, blob, path, texts FROM document WHERE derivation = ?1")?;
        let mut rows = all.query([self.deriver().version])?;
        let mut documents = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (blob, path) = (row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?);
            if wanted.contains(&(blob, path)) {
                documents.insert(row.get(3)?, row.get(0)?);
            }
        }
        Ok(documents)
    }

    fn vectors_there(&self, model: i64) -> Result<BTreeSet<Texts>, IndexError> {
        let db = self.lock();
        let mut all = db.prepare("SELECT texts FROM vector WHERE model = ?1")?;
        let rows = all.query_map([model], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps vectors; those that are there stay.
    pub(super) fn keep_vectors<'a>(
        &self,
        model: i64,
        rows: impl Iterator<Item = (&'a Texts, &'a Vec<u8>)>,
    ) -> Result<(), IndexError> {
        let mut db = self.lock();
        let work = schema::writing(&mut db)?;
        {
            let mut insert =
                work.prepare_cached("INSERT OR IGNORE INTO vector (model, texts, sum, data) VALUES (?1, ?2, ?3, ?4)")?;
            for (texts, data) in rows {
                insert.execute(params![model, texts, sum(data), data])?;
            }
        }
        Ok(work.commit()?)
    }
}

/// The vectors of the chunks of some documents, packed, those of a document in one piece.
pub(super) fn vectors<'a>(
    embedder: &dyn Embedder,
    documents: impl Iterator<Item = &'a [Chunk]> + Clone,
) -> Result<Vec<Vec<u8>>, EmbedError> {
    let texts: Vec<&str> = documents.clone().flatten().map(|chunk| chunk.text.as_str()).collect();
    let vectors = embedder.embed(&texts)?;
    if vectors.len() != texts.len() || vectors.iter().any(|vector| vector.len() != embedder.id().dimensions) {
        return Err(EmbedError(format!("{} gives vectors of another number or length", embedder.id().name)));
    }
    let mut packed = vectors.iter().map(|vector| pack(vector));
    Ok(documents.map(|chunks| packed.by_ref().take(chunks.len()).flatten().collect()).collect())
}

pub(super) fn model_number(db: &Connection, id: &ModelId) -> Result<Option<i64>, rusqlite::Error> {
    db.query_row("SELECT id FROM model WHERE digest = ?1", [&id.digest], |row| row.get(0)).optional()
}

/// A check sum: SQLite does not see a changed byte within a value.
pub(super) fn sum(data: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(data);
    crc.sum()
}
