//! Words that were meant to be others.

/// The word of `known` that `word` was meant to be, where one is near.
pub fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_ascii_lowercase();
    let near = known.map(|known| (distance(&word, &known.to_ascii_lowercase()), known));
    near.filter(|(distance, known)| *distance <= known.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many letters must be added, dropped or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, x) in a.chars().enumerate() {
        let mut next = vec![at + 1];
        for ((y, up_left), up) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            next.push((up_left + usize::from(x != *y)).min(up + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found() {
        let known = ["oom-killed", "image-pull", "node-down"];
        assert_eq!(nearest("oomkilled", known.into_iter()), Some("oom-killed"));
        assert_eq!(nearest("image-pul", known.into_iter()), Some("image-pull"));
        assert_eq!(nearest("quota", known.into_iter()), None);
    }
}
