//! A runbook without a fault, and what lint says when something in it is changed.

use jiff::civil::date;

use super::{Options, lint};
use crate::model::{Library, Place};
use crate::runbook::parse::{Parsed, parse};
use crate::runbook::problem::Problem;

/// A runbook that no rule has anything against.
pub(super) const GOOD: &str = r#"---
schema: runbook/v1
name: oom-killed
title: Container killed for `memory`
description: Use when a container is killed because it used more than its limit.
status: active
severity: critical
match:
  detectors: [oom-killed]
  reasons: [OOMKilled]
  logs: ['OutOfMemory(Error)?']
  labels: app in (a,b),!legacy
automation:
  level: approve
  risk: medium
params:
  DEPLOYMENT: name of the deployment
  NAMESPACE: namespace of the pod
  POD: name of the pod
reviewed: "2026-11-20"
references: [https://kubernetes.io/docs/]
---

# Container killed for `memory`

## Meaning

The kernel killed it. See [Escalation](#escalation) and [exits](../containers/exits.md#more-of-it).

## Impact

Requests fail.

## Diagnosis

```sh {"name":"state","react":"diagnose","expect":"OOMKilled"}
kubectl -n $NAMESPACE describe pod $POD
```

## Mitigation

```yaml {"name":"quota.yaml"}
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
```

```sh {"name":"raise","react":"fix"}
kubectl -n $NAMESPACE apply -f quota.yaml
```

## Verification

```sh {"name":"see"}
kubectl -n $NAMESPACE rollout status deployment/$DEPLOYMENT
```

## Rollback

```sh
kubectl -n $NAMESPACE rollout undo deployment/$DEPLOYMENT
```

## Escalation

Page somebody.

```console
$ crictl ps | grep x
```
"#;

/// A neighbour that it links to.
pub(super) const OTHER: &str = "---
schema: runbook/v1
name: exits
title: A container exits
description: Use when a container exits and nothing says why.
status: active
severity: warning
match:
  exitCodes: [1]
automation:
  level: none
reviewed: \"2026-11-20\"
---
# A container exits
## Meaning
a
## Impact
b
## Diagnosis
c
### More *of* it
d
## Mitigation
e
";

/// Where [`GOOD`] stands.
pub(super) const PATH: &str = "runbooks/containers/oom-killed.md";

pub(super) fn read(path: &str, text: &str) -> Parsed {
    let place = Place { library: Library::Team, path: path.to_owned(), commit: String::new(), blob: String::new() };
    parse(place, text.as_bytes())
}

/// What lint says of these files.
pub(super) fn problems(files: &[(&str, &str)]) -> Vec<Problem> {
    let files: Vec<Parsed> = files.iter().map(|(path, text)| read(path, text)).collect();
    let options = Options {
        detectors: &["exec-format-error", "oom-killed"],
        others: &["built-in-one"],
        exists: &|path| path == "docs/there.md",
        today: date(2026, 11, 26),
        max_age_days: 180,
    };
    lint(&files, &options)
}

/// The same as lines: `path line severity[rule] message (hint)`, the path only where it is another.
pub(super) fn said(files: &[(&str, &str)]) -> Vec<String> {
    let line = |problem: Problem| {
        let Problem { rule, severity, path, line, column, message, hint } = problem;
        let path = if path == PATH { String::new() } else { format!("{path} ") };
        let column = column.map(|column| format!(":{column}")).unwrap_or_default();
        let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{path}{line}{column} {}[{rule}] {message}{hint}", severity.word())
    };
    problems(files).into_iter().map(line).collect()
}
