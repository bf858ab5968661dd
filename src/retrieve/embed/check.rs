//! Whether a model does what it says.
//!
//! The runtime believes what an ONNX file says of its inputs; a file that is wrong there gave, without an error, vectors
//! that had nothing to do with the text. So two sentences are embedded at every start, alone and together.
//!
//! *Invariant:* `sentences.json` and `reference.f32` are what `sentence-transformers` makes of the published weights of
//! all-MiniLM-L6-v2, in 32 bits, little-endian, one row a sentence.

use super::vector::cosine;

/// What the published weights give, row by row.
static REFERENCE: &[u8] = include_bytes!("testdata/reference.f32");
/// The first two of the sentences.
pub(super) const SENTENCES: [&str; 2] = [
    "The container was killed because it used more memory than its limit allows.",
    "Apple pie: slice the apples, add sugar and cinnamon, bake for forty minutes.",
];
/// The length of its vectors.
const DIMENSIONS: usize = 384;
/// A text among others may differ so much from the same text alone: where weights and activations are quantised, the
/// others of a batch have a say in the steps.
const ALONE: f32 = 0.95;
/// Two sentences about nothing in common are never so near.
const SAME: f32 = 0.995;

/// What the sentences gave.
pub(super) struct Trial {
    /// Each alone.
    pub(super) alone: [Vec<f32>; 2],
    /// Both at once.
    pub(super) together: [Vec<f32>; 2],
}

impl Trial {
    /// What is wrong with any model that gives this.
    pub(super) fn fault(&self) -> Option<String> {
        let [first, second] = &self.alone;
        for (alone, together) in self.alone.iter().zip(&self.together) {
            let same = cosine(alone, together);
            if !same.is_finite() || same < ALONE {
                return Some(format!(
                    "a sentence alone and the same one beside another give different vectors (cosine {same:.3})"
                ));
            }
        }
        let near = cosine(first, second);
        (near > SAME).then(|| format!("two sentences about different things give the same vector (cosine {near:.3})"))
    }

    /// How near it is to all-MiniLM-L6-v2: the least of the cosines, none where the vectors have another length.
    pub(super) fn likeness(&self) -> Option<f32> {
        let all = self.alone.iter().zip(0..).chain(self.together.iter().zip(0..));
        let cosines = all.map(|(vector, row)| (vector.len() == DIMENSIONS).then(|| cosine(vector, &reference(row))));
        cosines.collect::<Option<Vec<f32>>>()?.into_iter().reduce(f32::min)
    }
}

/// What the published weights give for a sentence of the list.
pub(super) fn reference(row: usize) -> Vec<f32> {
    let rows = REFERENCE.chunks_exact(4).skip(row * DIMENSIONS).take(DIMENSIONS);
    rows.filter_map(|bytes| bytes.try_into().ok()).map(f32::from_le_bytes).collect()
}
