//! What people silenced: an annotation that names the detector, an expiry and a reason.
//!
//! `kubectl-react.dev/silence: "oom-killed until 2026-12-31: known leak, OPS-12"`; `*` stands for
//! every detector. *Invariant:* without a reason, or past its day, it silences nothing.

use jiff::civil::Date;

use super::group::Group;
use crate::graph::View;
use crate::model::Time;

/// The annotation's key.
const ANNOTATION: &str = "kubectl-react.dev/silence";

/// Whether a person silenced this cause, at its object or at any of its members.
pub(super) fn silenced(view: &View<'_>, group: &Group) -> bool {
    let root = &group.root;
    std::iter::once(&root.object).chain(&root.members).any(|object| {
        let annotation = view.meta(object).and_then(|meta| meta.annotations.get(ANNOTATION));
        annotation.is_some_and(|text| applies(text, &root.detector, view.now()))
    })
}

fn applies(text: &str, detector: &str, now: Time) -> bool {
    let Some((head, reason)) = text.split_once(':') else { return false };
    let Some((ids, until)) = head.split_once(" until ") else { return false };
    let Ok(until) = until.trim().parse::<Date>() else { return false };
    let named = ids.split(',').map(str::trim).any(|id| id == "*" || id == detector);
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    named && !reason.trim().is_empty() && today <= until
}

#[cfg(test)]
mod tests {
    use super::applies;

    #[test]
    fn a_silence_needs_a_reason_and_a_day() {
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("oom-killed until 2026-01-01: known leak", true),
            ("a-b, oom-killed until 2026-06-01: known leak", true),
            ("* until 2026-06-01: being taken down", true),
            ("oom-killed until 2025-12-31: known leak", false),
            ("oom-killed until 2026-06-01:  ", false),
            ("oom-killed until 2026-06-01", false),
            ("oom-killed: forever", false),
            ("other until 2026-06-01: x", false),
            ("", false),
        ] {
            assert_eq!(applies(text, "oom-killed", now), expected, "{text}");
        }
    }
}
