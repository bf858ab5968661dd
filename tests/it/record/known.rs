//! A fault that the team has a runbook for already: that one learns, whatever it calls the fault, and no second is written.

use super::team::{SHOWN, Team};
use crate::forge::servers::GITHUB;

const FILE: &str = "runbooks/network/service-selects-nothing.md";

fn team() -> Team {
    let mut team = Team::new(GITHUB);
    team.env.push(("KUBECTL_REACT_FORGE_KIND", "none".to_owned()));
    team
}

/// The runbook that is recorded where the team has none, as if it were of another incident.
fn fresh() -> String {
    let mut team = team();
    team.recorded(&["--yes"]);
    let branch = team.is_once();
    let text = team.git(&["-C", "team.git", "show", &format!("{branch}:{FILE}")]) + "\n";
    text.replace("incidents:", "incidents: [20260101-000000-0000]\n#")
}

/// What differs from `main` on the one branch.
fn proposed(team: &Team) -> (Vec<String>, String) {
    let branch = team.is_once();
    let files = team.git(&["-C", "team.git", "diff", "--name-only", "main", &branch]);
    let patch = team.git(&["-C", "team.git", "diff", "-U0", "main", &branch]);
    (files.lines().map(str::to_owned).collect(), patch)
}

#[test]
fn what_says_nearly_the_same_learns_the_signal() {
    let mut team = team();
    let own = "runbooks/shop/nobody-answers.md";
    let detectors = "  detectors: [service-selects-nothing]";
    let text = fresh().replace("name: service-selects-nothing", "name: nobody-answers");
    let text = text.replace(detectors, "  alerts: [ShopUnreachable]");
    team.has(own, &text);
    let said = team.recorded(&["--yes"]);
    let (files, patch) = proposed(&team);
    assert_eq!(files, [own], "{said}");
    assert!(patch.contains("+  detectors: [service-selects-nothing]"), "{patch}");
    assert!(!patch.contains("+kubectl"), "{patch}");
    // Once it is merged there is nothing to add.
    let branch = team.is_once();
    team.git(&["-C", "team.git", "update-ref", "refs/heads/main", &branch]);
    team.git(&["-C", "team.git", "branch", "-q", "-D", &branch]);
    assert!(team.recorded(&["--yes"]).contains("there is nothing to add"));
}

#[test]
fn one_that_was_shown_and_is_about_something_else_is_told_apart() {
    let other = "\
---
schema: runbook/v1
name: ports-closed
title: Ports are closed
description: Use when a port is closed.
status: active
severity: warning
rootCause: network
match:
  reasons: [PortClosed]
automation:
  level: none
---

# Ports are closed

## Meaning

A port is closed.

## Diagnosis

Look.

## Mitigation

Open it.
";
    let sentence = "`ports-closed` of this library reads alike, and is another fault: Ports are closed.";
    let mut team = team();
    team.has(SHOWN, other);
    team.recorded(&["--yes"]);
    let (files, patch) = proposed(&team);
    assert_eq!(files, [FILE]);
    let flat = |text: &str| text.replace("\n+", " ");
    assert!(flat(&patch).contains(sentence), "{patch}");

    // The team's own runbook, with another way to mend it.
    let mut team = self::team();
    team.has(SHOWN, other);
    team.has(FILE, &fresh().replace("set selector service $SERVICE $SELECTOR", "get endpointslices"));
    let said = team.recorded(&["--dry-run"]);
    assert!(
        said.contains("- adds another way to mend it") && said.contains("- adds a look-alike: `ports-closed`"),
        "{said}"
    );
}
