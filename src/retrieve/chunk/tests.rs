//! What an index keeps of a runbook.

use super::*;
use crate::retrieve::testing::runbook;

fn texts(markdown: &str) -> Vec<String> {
    derive(&runbook("a.md", markdown)).chunks.into_iter().map(|chunk| chunk.text).collect()
}

#[test]
fn versions_agree() {
    assert_eq!(VERSION, format!("terms-{TERMS} chunks-{CHUNKER}"));
}

#[test]
fn a_short_runbook_is_one_chunk() {
    let text = texts("# KubePodDown\n\n## Meaning\n\nIt is **down**.\n\n```sh\nkubectl get pods\n```\n");
    assert_eq!(text, ["KubePodDown Kube Pod Down\nMeaning\nIt is down."]);
}

#[test]
fn long_sections_have_chunks_that_know_heading_and_line() {
    let line = "The cache grows without any bound until the limit is reached and the kernel ends it.\n";
    let markdown = format!(
        "# A title\n\n## First\n\n{}\n## Second\n\nShort, but long enough to say something.\n",
        line.repeat(20)
    );
    let chunks = derive(&runbook("a.md", &markdown)).chunks;
    let shown: Vec<(&str, usize)> = chunks.iter().map(|chunk| (chunk.heading.as_str(), chunk.line)).collect();
    assert_eq!(shown.first(), Some(&("", 1)));
    assert_eq!(shown.get(1), Some(&("First", 3)));
    assert_eq!(shown.last(), Some(&("Second", 26)));
    for chunk in &chunks {
        assert!(chunk.text.starts_with("A title\n"), "{}", chunk.text);
        assert!(chunk.text.len() <= WHOLE, "{}", chunk.text.len());
    }
    for chunk in chunks.iter().skip(1) {
        assert!(chunk.text.len() < CHUNK + 100, "{}", chunk.text.len());
    }
}

#[test]
fn hostile_runbooks_end() {
    let one_line = format!("# T\n\n## A\n\n{}", "x".repeat(2 * MOST_TEXT));
    let headings =
        format!("# T\n{}", "## h\n\nsome text that is long enough to be a chunk of its own.\n\n".repeat(10_000));
    let wide = format!("# T\n\n## A\n\n{}", "ß".repeat(10_000));
    for markdown in ["", "#", "# \n", one_line.as_str(), headings.as_str(), wide.as_str()] {
        let derived = derive(&runbook("a.md", markdown));
        assert!(!derived.chunks.is_empty());
        assert!(derived.chunks.len() <= MOST_CHUNKS);
    }
}

#[test]
fn what_matters_weighs_more() {
    let derived = derive(&runbook(
        "disk-full.md",
        "# Disk is full\n\n## Meaning\n\nWords words `nospace` here.\n\n```sh\nkubectl top\n```\n",
    ));
    let count = |term: &str| derived.terms.counts.get(term).copied().unwrap_or_default();
    assert!(count("disk") > count("nospac"));
    assert!(count("nospac") > count("her").max(count("top")));
    assert!(count("kubectl") < 1.0);
    let sum: f32 = derived.terms.counts.values().sum();
    assert!((sum - derived.terms.length).abs() < 1e-3);
}

#[test]
fn signatures_are_words_too() {
    let mut runbook = runbook("a.md", "# T\n\n## Meaning\n\nText.\n");
    runbook.front.signature = Signature {
        detectors: vec!["oom-killed".into()],
        exit_codes: vec![137],
        logs: vec![r"too many open\s+files \[\d+\]".into()],
        ..Signature::default()
    };
    let counts = derive(&runbook).terms.counts;
    for term in ["oomkill", "137", "open", "file"] {
        assert!(counts.contains_key(term), "{term}: {counts:?}");
    }
}
