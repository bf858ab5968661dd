//! Lets the server pretend to make the changes that an answer suggests. Nothing is executed.
//!
//! *Invariant:* the answer waits for it for a bounded time, and an interrupt ends the rehearsal alone; what was not tried is
//! told in a note.

use std::time::Duration;

use crate::act;
use crate::agent::Pulse;
use crate::kubectl::{self, Command};
use crate::model::Exploration;
use crate::redact::Redactor;

/// Changes that are tried.
const MOST: usize = 8;
/// The time that all of them have together.
const LIMIT: Duration = Duration::from_mins(1);

/// Tries the suggested changes, one after the other.
pub(super) async fn rehearse(program: &act::Kubectl, pulse: &dyn Pulse, redactor: &Redactor, found: &mut Exploration) {
    within(LIMIT, program, pulse, redactor, found).await;
}

async fn within(
    limit: Duration,
    program: &act::Kubectl,
    pulse: &dyn Pulse,
    redactor: &Redactor,
    found: &mut Exploration,
) {
    // As if one more turn began, so that an interrupt does not end the program; who interrupted twice waits no more.
    let interrupts = pulse.reading(1).interrupts.min(1);
    let late = tokio::time::sleep(limit);
    tokio::pin!(late);
    let (mut tried, mut left, mut over) = (0, 0_usize, None);
    for change in found.answer.iter_mut().flat_map(|answer| &mut answer.changes) {
        let (None, Ok(Command::Change(command))) = (&change.refused, kubectl::parse(&change.line)) else { continue };
        if over.is_none() && tried == MOST {
            over = Some(format!("no more than {MOST} are"));
        }
        if over.is_none() {
            tokio::select! {
                biased;
                () = pulse.interrupted(interrupts) => over = Some("interrupted".to_owned()),
                () = &mut late => over = Some(format!("the {} s for all of them are used up", limit.as_secs_f32())),
                said = act::dry_run(&command, program, redactor) => change.dry_run = Some(said),
            }
        }
        match over {
            Some(_) => left += 1,
            None => tried += 1,
        }
    }
    if let Some(why) = over {
        let changes =
            if left == 1 { "1 suggested change was".to_owned() } else { format!("{left} suggested changes were") };
        found.notes.push(format!("{changes} not tried: {why}"));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::agent::pulse::Live;
    use crate::model::{Answer, SuggestedChange};

    /// An answer with this many changes.
    fn found(changes: usize) -> Exploration {
        let change = |number| SuggestedChange {
            line: format!("kubectl scale deploy/web --replicas={number}"),
            ..SuggestedChange::default()
        };
        let answer = Answer { changes: (0..changes).map(change).collect(), ..Answer::default() };
        Exploration { answer: Some(answer), ..Exploration::default() }
    }

    /// A kubectl that does as the script says, written by another process: one that is open for writing in ours can't be run
    /// while a neighbour forks.
    fn kubectl(folder: &std::path::Path, script: &str) -> act::Kubectl {
        let program = folder.join("kubectl");
        let made = std::process::Command::new("sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#, "sh"])
            .arg(&program)
            .arg(script)
            .status();
        assert!(made.is_ok_and(|status| status.success()));
        act::Kubectl { program, context: "prod".to_owned(), ..act::Kubectl::default() }
    }

    fn tried(found: &Exploration) -> usize {
        found.answer.iter().flat_map(|answer| &answer.changes).filter(|change| change.dry_run.is_some()).count()
    }

    #[tokio::test]
    async fn so_many_changes_are_tried_and_the_rest_is_told() {
        let (folder, redactor) = (tempfile::tempdir().unwrap(), Redactor::new([1; 32]));
        let quick = kubectl(folder.path(), "echo scaled");
        let table = [
            (0, 0, ""),
            (8, 8, ""),
            (9, 8, "1 suggested change was not tried: no more than 8 are"),
            (60, 8, "52 suggested changes were not tried: no more than 8 are"),
        ];
        for (changes, expected, note) in table {
            let mut found = found(changes);
            rehearse(&quick, &Live::default(), &redactor, &mut found).await;
            assert_eq!((tried(&found), found.notes.concat().as_str()), (expected, note), "{changes} changes");
        }
    }

    #[tokio::test]
    async fn a_slow_kubectl_has_so_much_time_for_all() {
        let (folder, redactor) = (tempfile::tempdir().unwrap(), Redactor::new([1; 32]));
        let slow = kubectl(folder.path(), "exec sleep 600");
        let mut found = found(3);
        within(Duration::from_millis(250), &slow, &Live::default(), &redactor, &mut found).await;
        assert_eq!(tried(&found), 0);
        assert_eq!(found.notes, ["3 suggested changes were not tried: the 0.25 s for all of them are used up"]);
    }

    #[tokio::test]
    async fn an_interrupt_ends_the_rehearsal_and_nothing_else() {
        let (folder, redactor) = (tempfile::tempdir().unwrap(), Redactor::new([1; 32]));
        let (slow, pulse) = (kubectl(folder.path(), "exec sleep 600"), Live::default());
        let mut found = found(2);
        let interrupts = async {
            // As it is while the rehearsal goes; before, an interrupt ends the program.
            while !pulse.interrupt() {
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(rehearse(&slow, &pulse, &redactor, &mut found), interrupts);
        assert_eq!(found.notes, ["2 suggested changes were not tried: interrupted"]);
    }
}
