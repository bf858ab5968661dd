//! Reads any bytes as a runbook: no panic, and what is written of it reads back.
//!
//! ```sh
//! cargo +nightly fuzz run runbook
//! ```

#![no_main]

use kubectl_react::model::{Library, Place};
use kubectl_react::runbook::{draft, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let place = || Place { library: Library::Team, path: "a/b.md".into(), commit: String::new(), blob: String::new() };
    let parsed = parse(place(), input);
    assert!(parsed.runbook.is_some() || !parsed.problems.is_empty());
    let Some(runbook) = parsed.runbook else { return };
    let written = draft::to_markdown(&runbook.front, "# Body");
    let back = parse(place(), written.as_bytes()).runbook.map(|back| back.front);
    assert_eq!(back, Some(runbook.front), "{written}");
});
