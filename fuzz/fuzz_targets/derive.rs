//! Harms a recorded snapshot as the input says, and diagnoses it: no panic, nothing hostile printed.
//!
//! ```sh
//! cargo install cargo-fuzz
//! cargo +nightly fuzz run derive
//! ```

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[path = "../../tests/it/harm.rs"]
mod harm;

use harm::{Harm, apply, instead, recorded, survive};

fuzz_target!(|input: &[u8]| {
    static RECORDED: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| recorded(concat!(env!("CARGO_MANIFEST_DIR"), "/..")));
    let mut value = RECORDED.clone();
    let others = instead();
    // A byte for the harm, one for how deep it goes, and one for each step of the way.
    let mut bytes = input.iter().map(|byte| usize::from(*byte));
    while let (Some(kind), Some(depth)) = (bytes.next(), bytes.next()) {
        let way: Vec<usize> = bytes.by_ref().take(1 + depth % 9).collect();
        let harm = match kind % (3 + others.len()) {
            0 => Harm::Remove,
            1 => Harm::Null,
            2 => Harm::Empty,
            other => Harm::Other(others[other - 3].clone()),
        };
        apply(&mut value["objects"], &way, &harm);
    }
    if let Err(what) = survive(value) {
        panic!("{what}");
    }
});
