//! An observation made shorter, so that a conversation fits the model's window.
//!
//! *Invariant:* what is left stands word for word and in order, and what is left out is said.

use crate::model::Observation;

/// Words of lines that are worth more than others.
const TELLING: &[&str] = &[
    "error",
    "fail",
    "fatal",
    "panic",
    "exception",
    "denied",
    "refused",
    "forbidden",
    "unauthorized",
    "not found",
    "no such",
    "cannot",
    "can't",
    "unable",
    "timeout",
    "timed out",
    "exceeded",
    "invalid",
    "missing",
    "unknown",
    "oom",
    "killed",
    "evicted",
    "backoff",
    "back-off",
    "unhealthy",
    "warning",
    "exit",
    "expired",
    "certificate",
    "pending",
    "notready",
    "0/",
];

/// An observation of which the lines are left that say most, word for word and in order.
pub(super) fn shortened(observation: &Observation, most: usize) -> Observation {
    if observation.text.len() <= most {
        return observation.clone();
    }
    let lines: Vec<&str> = observation.text.lines().collect();
    let worth = |line: &str| {
        let line = line.to_lowercase();
        TELLING.iter().filter(|word| line.contains(**word)).count()
    };
    // The first line says what the columns are.
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|at| (*at != 0, std::cmp::Reverse(lines.get(*at).map_or(0, |line| worth(line)))));
    let (mut kept, mut used) = (Vec::new(), 0);
    for at in order {
        let length = lines.get(at).map_or(0, |line| line.len()) + 1;
        if used + length <= most {
            used += length;
            kept.push(at);
        }
    }
    kept.sort_unstable();
    let text: Vec<&str> = kept.iter().filter_map(|at| lines.get(*at).copied()).collect();
    let (shown, of) = (text.len(), lines.len());
    let note = format!("shortened to make room: {shown} of {of} lines; the same call again shows it whole");
    Observation { text: text.join("\n"), note: Some(note), ..observation.clone() }
}
