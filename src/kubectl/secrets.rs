//! Secrets are listed, never read: no line prints what one holds.
//!
//! *Invariant:* the type is looked at as kubectl does, in any case, singular or plural, with or without version and
//! group; a type of another group that is called so is refused too.

use super::line::Line;
use super::refusal::{Reason, Refusal};

const SECRETS: &[&str] = &["secret", "secrets"];

/// Refuses a read that would show what a Secret holds, or let it be guessed.
pub(super) fn check(line: &Line, at: usize) -> Result<(), Refusal> {
    if !matches!(line.verb(), "get" | "wait") || !line.targets_any(SECRETS) {
        return Ok(());
    }
    let prints = line.flag("output").is_some_and(|format| !matches!(format, "name" | "wide"));
    let sorts = |path: &str| !path.trim_start_matches(['{', '.']).starts_with("metadata.");
    let what = if prints || line.has("template") {
        "prints what a Secret holds"
    } else if line.flag("for").is_some_and(|condition| condition.starts_with("jsonpath=")) {
        "compares what a Secret holds"
    } else if line.flag("sort-by").is_some_and(sorts) {
        "sorts by what a Secret holds"
    } else {
        return Ok(());
    };
    Err(Refusal::new(Reason::SecretData, at, format!("`kubectl {}` {what}", line.verb()))
        .hinted("`kubectl get secret` lists them; `kubectl describe secret NAME` shows the keys and their sizes"))
}
