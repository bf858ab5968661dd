//! The known word that was meant by one that is not known.
//!
//! *Invariant:* a word that is too long to be one of ours costs nothing, and gets none.

use strsim::osa_distance;

/// No word of ours is longer, in bytes.
const LONGEST: usize = 100;

/// The word of `known` that `word` was most likely meant to be: a third of its letters may be missing, too many, wrong or
/// swapped with their neighbours.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = Some(word).filter(|word| word.len() <= LONGEST)?.to_lowercase();
    let near = known.into_iter().filter_map(|known| {
        let wrong = osa_distance(&word, &known.to_lowercase());
        let letters = word.chars().count().min(known.chars().count());
        (wrong <= letters.div_ceil(3)).then_some((wrong, known))
    });
    near.min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["severity", "title", "tags", "oom-killed", "image-pull", "node-down"];
        for (word, expected) in [
            ("sevrity", Some("severity")),
            ("Severity", Some("severity")),
            ("titel", Some("title")),
            ("oomkilled", Some("oom-killed")),
            ("image-pul", Some("image-pull")),
            ("quota", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"title".repeat(1000), known), None);
    }
}
