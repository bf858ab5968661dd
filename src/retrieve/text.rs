//! Text into terms: words, identifiers whole and in their parts, and pairs of neighbours.
//!
//! *Invariant:* documents and queries go the same way, so `CrashLoopBackOff`, `crash-loop back-off` and
//! `crashloop backoff` meet in some term. Only letters and digits count; nothing here depends on a corpus.

use std::collections::BTreeMap;

/// Weight of two neighbours written as one: `crash loop` is `crashloop` too.
const PAIR: f32 = 0.4;
/// Longer ones are no words: keys, hashes, encoded data.
const LONGEST: usize = 48;

/// Marks a term as the word in the form in which it was written, beside its stem.
pub(super) const AS_WRITTEN: char = '=';

/// Words that say nothing of what a text is about. `not`, `no`, `up`, `down`, `out` and `off` do.
const STOP: &[&str] = &[
    "a", "about", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "being", "both", "but", "by",
    "can", "could", "did", "do", "does", "done", "each", "for", "from", "had", "has", "have", "having", "he", "here",
    "how", "i", "if", "in", "into", "is", "it", "its", "just", "may", "might", "more", "most", "must", "my", "of",
    "on", "once", "or", "other", "our", "own", "per", "same", "she", "should", "so", "some", "such", "than", "that",
    "the", "their", "then", "there", "these", "they", "this", "those", "to", "too", "us", "very", "via", "was", "we",
    "were", "what", "when", "where", "which", "while", "who", "why", "will", "with", "would", "you", "your",
];

/// What a word is in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A word, an identifier or a part of one.
    Word,
    /// Two neighbours as one.
    Pair,
}

/// Calls `emit` with each word of `text` in lower case, its form and its weight.
pub(super) fn words(text: &str, mut emit: impl FnMut(&str, Form, f32)) {
    let mut before: Option<String> = None;
    for run in runs(text) {
        if run.breaks {
            before = None;
        }
        for piece in run.text.split(['.', '/', ':', '@']).filter(|piece| !piece.is_empty()) {
            identifier(piece, &mut before, &mut emit);
        }
    }
}

/// One identifier: whole, in its parts, and in pairs of parts.
fn identifier(text: &str, before: &mut Option<String>, emit: &mut impl FnMut(&str, Form, f32)) {
    let parts = parts(text);
    let whole = (parts.len() > 1).then(|| parts.concat());
    if let Some(whole) = whole.as_deref().filter(|whole| whole.len() <= LONGEST) {
        emit(whole, Form::Word, 1.0);
    }
    let single = parts.len() == 1;
    for part in parts {
        if part.len() > LONGEST || (single && STOP.binary_search(&part.as_str()).is_ok()) {
            continue;
        }
        let mut chars = part.chars();
        if let (Some(only), None) = (chars.next(), chars.next())
            && !only.is_numeric()
        {
            *before = None;
            continue;
        }
        emit(&part, Form::Word, 1.0);
        if let Some(before) = before.as_deref() {
            let pair = format!("{before}{part}");
            if pair.len() <= LONGEST && whole.as_deref() != Some(&pair) {
                emit(&pair, Form::Pair, PAIR);
            }
        }
        *before = Some(part);
    }
}

/// A run of letters, digits and what joins them.
struct Run<'a> {
    text: &'a str,
    /// Whether a sentence or a line ended before it.
    breaks: bool,
}

fn joins(c: char) -> bool {
    matches!(c, '_' | '.' | '-' | '/' | ':' | '@')
}

fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut breaks = false;
    text.split_inclusive(|c: char| !c.is_alphanumeric() && !joins(c)).filter_map(move |piece| {
        let word = piece.trim_matches(|c: char| !c.is_alphanumeric());
        let at = piece.find(|c: char| c.is_alphanumeric());
        let head = at.and_then(|at| piece.get(..at)).unwrap_or(piece);
        let tail = at.and_then(|at| piece.get(at + word.len()..)).unwrap_or_default();
        let ends = |text: &str| text.contains(['.', ';', '!', '?', '\n', '|']);
        let now = breaks;
        breaks = ends(tail) || (word.is_empty() && (breaks || ends(head)));
        (!word.is_empty()).then_some(Run { text: word, breaks: now || ends(head) })
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Upper,
    Lower,
    Digit,
}

fn class(c: char) -> Option<Class> {
    if !c.is_alphanumeric() {
        None
    } else if c.is_numeric() {
        Some(Class::Digit)
    } else if c.is_uppercase() {
        Some(Class::Upper)
    } else {
        Some(Class::Lower)
    }
}

/// The parts of an identifier in lower case: `KubeAPIDown` is `kube`, `api`, `down`.
fn parts(text: &str) -> Vec<String> {
    // Runs of one class first.
    let mut groups: Vec<(Class, String)> = Vec::new();
    let mut open = false;
    for c in text.chars() {
        match (class(c), groups.last_mut()) {
            (Some(class), Some((last, group))) if open && *last == class => group.push(c),
            (Some(class), _) => groups.push((class, c.to_string())),
            (None, _) => {}
        }
        // A separator ends a group; an empty one marks it.
        open = class(c).is_some();
        if !open {
            groups.push((Class::Digit, String::new()));
        }
    }
    let mut parts = Vec::new();
    let mut groups = groups.into_iter().peekable();
    while let Some((class, mut group)) = groups.next() {
        if class == Class::Upper
            && let Some((_, small)) = groups.next_if(|(next, _)| *next == Class::Lower)
        {
            // `Pod` is one word, so is `PVCs`; of `HTTPServer` the last capital belongs to what follows.
            if group.chars().count() > 1 && small.chars().count() > 1 {
                let last = group.pop();
                parts.push(std::mem::take(&mut group));
                group.extend(last);
            }
            group.push_str(&small);
        }
        parts.push(group);
    }
    parts.retain(|part| !part.is_empty());
    parts.into_iter().map(|part| part.to_lowercase()).collect()
}

/// Identifiers of several words as these words: `KubePodNotReady` is `Kube Pod Not Ready`.
pub(super) fn spaced(text: &str) -> String {
    let mut made = String::with_capacity(text.len() + 16);
    for word in text.split_inclusive(char::is_whitespace) {
        let mut before = None;
        for c in word.chars() {
            if c.is_uppercase() && before.is_some_and(char::is_lowercase) {
                made.push(' ');
            }
            made.push(c);
            before = Some(c);
        }
    }
    made
}

/// A light stem: plurals, `-ing`, `-ed` and a last `e` go. It needs no dictionary and rarely joins what differs.
pub(super) fn stem(word: &str) -> String {
    if word.len() <= 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let mut stem = word.to_owned();
    if stem.ends_with("ies") && stem.len() > 4 {
        stem.truncate(stem.len() - 3);
        stem.push('y');
    } else if ["sses", "xes", "ches", "shes", "zes"].iter().any(|end| stem.ends_with(end)) {
        stem.truncate(stem.len() - 2);
    } else if stem.ends_with('s') && !["ss", "us", "is"].iter().any(|end| stem.ends_with(end)) {
        stem.pop();
    }
    for end in ["ing", "ed"] {
        if let Some(rest) = stem.strip_suffix(end)
            && rest.len() >= 3
            && rest.contains(['a', 'e', 'i', 'o', 'u', 'y'])
        {
            stem.truncate(rest.len());
            let mut last = stem.bytes().rev();
            if let (Some(a), Some(b)) = (last.next(), last.next())
                && a == b
                && stem.len() > 3
                && !b"lsz".contains(&a)
            {
                stem.pop();
            }
            break;
        }
    }
    if stem.ends_with('e') && stem.len() > 4 {
        stem.pop();
    }
    stem
}

/// Terms of a text with their weights summed.
#[derive(Debug, Default)]
pub(super) struct Bag(pub(super) BTreeMap<String, f32>);

impl Bag {
    /// Adds the terms of `text`, each as its stem and, where it differs, as it was written.
    pub(super) fn add(&mut self, text: &str, weight: f32) {
        words(text, |word, _, factor| {
            let stem = stem(word);
            let weight = weight * factor;
            if stem != word {
                *self.0.entry(format!("{AS_WRITTEN}{word}")).or_default() += weight;
            }
            *self.0.entry(stem).or_default() += weight;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut shown = Vec::new();
        words(text, |word, form, _| shown.push(if form == Form::Pair { format!("+{word}") } else { word.to_owned() }));
        shown.join(" ")
    }

    #[test]
    fn identifiers_are_whole_and_in_parts() {
        for (text, expected) in [
            ("KubeAPIDown", "kubeapidown kube api +kubeapi down +apidown"),
            ("kube-state_metrics", "kubestatemetrics kube state +kubestate metrics +statemetrics"),
            ("PVCs", "pvcs"),
            ("HTTPServer", "httpserver http server"),
            ("x509:", "x509 509"),
            ("crash loop", "crash loop +crashloop"),
            ("out of memory", "out memory +outmemory"),
            ("done. next", "next"),
            ("first. second", "first second"),
            ("a/b first/second", "first second +firstsecond"),
            ("kubernetes.io/pvc-protection", "kubernetes io +kubernetesio pvcprotection pvc +iopvc protection"),
            ("Größe über", "größe über +größeüber"),
            ("", ""),
            ("...:::", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn stems() {
        for (word, expected) in [
            ("pods", "pod"),
            ("policies", "policy"),
            ("failing", "fail"),
            ("failed", "fail"),
            ("stopped", "stop"),
            ("killed", "kill"),
            ("status", "status"),
            ("caches", "cach"),
            ("cache", "cach"),
            ("etcd", "etcd"),
            ("ring", "ring"),
            ("need", "need"),
            ("413", "413"),
        ] {
            assert_eq!(stem(word), expected, "{word}");
        }
    }

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP.is_sorted());
    }

    #[test]
    fn what_was_written_stands_beside_its_stem() {
        let mut bag = Bag::default();
        bag.add("restarting pod", 2.0);
        let terms: Vec<&str> = bag.0.keys().map(String::as_str).collect();
        assert_eq!(terms, ["=restarting", "pod", "restart", "restartingpod"]);
        assert_eq!(bag.0.get("restart"), Some(&2.0));
    }
}
