//! Finds what was meant by a word that no document has.
//!
//! *Invariant:* a word that some document has is never changed.

/// How far `a` is from `b`: letters left out, put in, replaced or swapped; nothing beyond `most`.
fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut last: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j + 1) + 1).min(at(&next, j) + 1).min(at(&row, j) + usize::from(x != y));
            if let (Some(pi), Some(pj)) = (i.checked_sub(1), j.checked_sub(1))
                && a.get(pi) == Some(y)
                && b.get(pj) == Some(x)
            {
                best = best.min(at(&last, pj) + 1);
            }
            next.push(best);
        }
        if next.iter().min().is_none_or(|least| *least > most) {
            return None;
        }
        last = std::mem::replace(&mut row, next);
    }
    row.last().copied().filter(|distance| *distance <= most)
}

/// Words shorter than this are too near to others.
const SHORTEST: usize = 4;
/// At most this many are taken for one word.
const CHOICES: usize = 3;

/// What the words that may stand for `word` begin with, if it is one that can be misspelt.
pub(super) fn prefix(word: &str) -> Option<&str> {
    let fits = word.len() >= SHORTEST && word.bytes().all(|byte| byte.is_ascii_lowercase());
    word.get(..2).filter(|_| fits)
}

/// The nearest of `vocabulary` to `word`, in its order where they are as near.
pub(super) fn nearest(word: &str, vocabulary: &[String]) -> Vec<String> {
    let most = if word.len() < 8 { 1 } else { 2 };
    let letters: Vec<char> = word.chars().collect();
    let mut found: Vec<(usize, &String)> = Vec::new();
    for candidate in vocabulary {
        if candidate.len().abs_diff(word.len()) <= most
            && candidate.bytes().all(|byte| byte.is_ascii_lowercase())
            && let Some(far) = distance(&letters, &candidate.chars().collect::<Vec<_>>(), most)
        {
            found.push((far, candidate));
        }
    }
    found.sort_by_key(|(far, _)| *far);
    let best = found.first().map(|(far, _)| *far);
    found.iter().take_while(|(far, _)| Some(*far) == best).take(CHOICES).map(|(_, word)| (*word).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found() {
        let vocabulary: Vec<String> =
            ["backoff", "backup", "background", "crashloop", "crash"].iter().map(ToString::to_string).collect();
        for (word, expected) in [
            ("backof", vec!["backoff"]),
            ("bakcoff", vec!["backoff"]),
            ("backkup", vec!["backup"]),
            ("crashlop", vec!["crashloop"]),
            ("crashlopo", vec!["crashloop"]),
            ("backpressure", vec![]),
        ] {
            assert_eq!(nearest(word, &vocabulary), expected, "{word}");
        }
    }

    #[test]
    fn short_words_and_numbers_are_what_they_are() {
        assert_eq!(prefix("pul"), None);
        assert_eq!(prefix("13742"), None);
        assert_eq!(prefix("größe"), None);
        assert_eq!(prefix("livenes"), Some("li"));
    }
}
