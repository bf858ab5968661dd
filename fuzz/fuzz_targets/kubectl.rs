//! Reads lines of kubectl, and puts values in their placeholders: no panic, and nothing forbidden is let through.
//!
//! The first line of the input is the command, the others are values.
//!
//! ```sh
//! cargo install cargo-fuzz
//! cargo +nightly fuzz run kubectl
//! ```

#![no_main]

use kubectl_react::kubectl::{Command, parse};
use libfuzzer_sys::fuzz_target;

#[path = "../../src/kubectl/laws.rs"]
mod laws;

fuzz_target!(|input: &str| {
    let (line, values) = input.split_once('\n').unwrap_or((input, "web"));
    let values: Vec<String> = values.split('\n').map(str::to_owned).collect();
    // The whole input is a line too, with line breaks in it.
    let held = laws::hold(line).and_then(|()| laws::hold(input)).and_then(|()| laws::hold_bound(line, &values));
    if let Err(what) = held {
        panic!("{what}");
    }
});
