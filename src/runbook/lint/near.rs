//! Runbooks that say nearly the same: found by the index, told like any other problem.

use crate::runbook::problem::{Gravity, Problem, Rule};

/// Two runbooks that could be one. Made of pairs by [`near_duplicates`]; nothing here compares texts.
pub(super) const NEAR_DUPLICATE: Rule = Rule {
    id: "near-duplicate",
    severity: Gravity::Warning,
    summary: "two runbooks say nearly the same",
    doc: "Of two that fit, half of the readers get the older one. Put what is new into the runbook that exists, or say in both \
          descriptions what tells them apart; `status: deprecated` with `supersededBy` retires one.",
};

/// Two runbooks, and how near they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The path of one.
    pub path: String,
    /// The path of the other.
    pub other: String,
    /// Cosine of their vectors, -1 to 1.
    pub cosine: f32,
}

/// A problem for each pair, at the file whose path comes later.
pub fn near_duplicates(pairs: &[Pair]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = pairs
        .iter()
        .map(|pair| {
            let (first, last) =
                if pair.path <= pair.other { (&pair.path, &pair.other) } else { (&pair.other, &pair.path) };
            let message = format!("this says nearly the same as `{first}` (similarity {:.2})", pair.cosine);
            Problem::new(&NEAR_DUPLICATE, last, 1, message)
                .hint("make one of the two, or say in both descriptions what tells them apart")
        })
        .collect();
    crate::runbook::problem::sort(&mut problems);
    problems.dedup();
    problems
}
