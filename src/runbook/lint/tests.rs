//! Every rule: what breaks it, and what nearly does.

#![expect(clippy::disallowed_methods, reason = "a test may look how long something took")]

use std::collections::BTreeSet;
use std::time::Instant;

use proptest::prelude::*;

use super::testing::{GOOD, OTHER, PATH, problems, read, said};
use super::*;
use crate::runbook::problem::Gravity;

/// A change to [`GOOD`], and what is said then; nothing where it is a near miss.
const CHANGES: &[(&str, &str, &[&str])] = &[
    (
        "name: oom-killed\n",
        "name: oom-kill\n",
        &["3 error[name-not-stem] `name` is `oom-kill`, and the file is `oom-killed.md`"],
    ),
    (
        "name: oom-killed\n",
        "name: exits\n",
        &[
            "3 error[name-not-stem] `name` is `exits`, and the file is `oom-killed.md`",
            "3 error[name-taken] the name `exits` is that of `runbooks/containers/exits.md` too",
        ],
    ),
    (
        "# Container killed for `memory`",
        "# Container killed",
        &[
            "24 error[title-not-heading] the heading is `Container killed`, and `title` is `Container killed for `memory`` (write `# Container killed for `memory``)",
        ],
    ),
    ("# Container killed for `memory`", "# Container *killed* for memory", &[]),
    (
        "\n# Container killed for `memory`",
        "\nNo heading",
        &["4 error[title-not-heading] there is no heading of level 1 (write `# Container killed for `memory``)"],
    ),
    (
        "schema: runbook/v1\n",
        "",
        &[
            "7 error[schema-missing] there is `match` and no `schema` (begin the front matter with `schema: runbook/v1`)",
        ],
    ),
    (
        "schema: runbook/v1",
        "schema: runbook/v2",
        &["2:9 error[front-matter] `schema` is `runbook/v2`; it must be `runbook/v1` (did you mean `runbook/v1`?)"],
    ),
    ("schema: runbook/v1", "\nschema: runbook/v1", &[]),
    (
        "---\nschema",
        "\n---\nschema",
        &[
            "2 error[front-matter-place] the front matter does not begin on the first line (make `---` the first line of the file)",
        ],
    ),
    (
        "status: active",
        "status: deprecated",
        &[
            "6 error[successor-missing] it is deprecated, and nothing says what took its place (name it in `supersededBy`)",
        ],
    ),
    ("status: active", "status: deprecated\nsupersededBy: exits", &[]),
    ("status: active", "status: deprecated\nsupersededBy: built-in-one", &[]),
    (
        "status: active",
        "status: deprecated\nsupersededBy: exit",
        &["7 error[successor-missing] there is no runbook `exit` (did you mean `exits`?)"],
    ),
    (
        "status: active",
        "status: deprecated\nsupersededBy: oom-killed",
        &["7 error[successor-missing] the way to what took its place leads in a circle"],
    ),
    (
        "status: active",
        "status: active\nsupersededBy: exits",
        &["7 error[successor-missing] something took its place, and it is not deprecated (set `status: deprecated`)"],
    ),
    (
        "## Impact",
        "## Impacts",
        &["30 error[heading-missing] the section `Impact` is missing (make `## Impacts` a `## Impact`)"],
    ),
    (
        "## Impact\n\nRequests fail.\n",
        "",
        &["24 error[heading-missing] the section `Impact` is missing (write `## Impact`)"],
    ),
    ("## Impact", "## Impact\n\nx\n\n## Impact", &["34 warning[heading-order] `Impact` stands twice"]),
    (
        "## Escalation\n",
        "## Escalation\n\nx\n\n## Impact\n",
        &[
            "69 warning[heading-order] `Impact` comes after `Escalation` (the order is Meaning, Impact, Diagnosis, Mitigation, Verification, Rollback, Escalation)",
        ],
    ),
    ("Requests fail.", "", &["30 warning[section-empty] `Impact` says nothing"]),
    ("Requests fail.", "### Whom\n\nAll.", &[]),
    (
        "describe pod $POD",
        "describe pod $POD | grep x",
        &[
            "37:41 error[command-refused] `|` pipes into another program (use a selector, `--tail` or `-o jsonpath='…'` to see less)",
        ],
    ),
    (
        "describe pod $POD",
        "delete pod $POD",
        &[
            "37 error[command-changes] `kubectl delete` changes the cluster, and the block is there to diagnose (give it a block of its own with the role `fix` or `rollback`)",
        ],
    ),
    (
        "rollout status deployment/$DEPLOYMENT",
        "scale deployment/$DEPLOYMENT --replicas=2",
        &[
            "56 error[command-changes] `kubectl scale` changes the cluster, and the block is there to verify (give it a block of its own with the role `fix` or `rollback`)",
        ],
    ),
    (
        "describe pod $POD",
        "describe pod $PDO",
        &[
            "19 warning[param-unused] no command uses `$POD` (take it out of `params`)",
            "37 error[param-undeclared] `$PDO` is not declared in `params` (did you mean `$POD`?)",
        ],
    ),
    (
        "  name: a\n",
        "  name: $APP\n",
        &[
            "46 error[param-undeclared] `$APP` is not declared in `params` (say in `params` what `APP` is and where to read it)",
        ],
    ),
    ("\"name\":\"state\"", "\"name\":\"raise\"", &["49 error[block-name] a block on line 36 has the name `raise` too"]),
    (
        "\"name\":\"state\"",
        "\"name\":\"The State\"",
        &["36 error[block-name] the block's name is \"The State\" (a name is lower-case words joined by `-`)"],
    ),
    (
        "\"react\":\"diagnose\"",
        "\"react\":\"diagnosis\"",
        &["36 error[info-string] there is no role \"diagnosis\" (did you mean `diagnose`?)"],
    ),
    (
        "{\"name\":\"see\"}",
        "{name: see}",
        &[
            "14 error[automation-bare] `level: approve` needs a `verify` block (write it, or set `level: suggest`)",
            "55 error[info-string] the attributes of the block are no JSON object: key must be a string (write them as `sh {\"name\":\"last-state\",\"react\":\"diagnose\"}`)",
        ],
    ),
    (
        "{\"name\":\"quota.yaml\"}",
        "{\"name\":\"quota.yaml\",\"react\":\"fix\"}",
        &[
            "42 error[info-string] a `yaml` block has no role (a change is a kubectl line in an `sh` block; a manifest is `yaml {\"name\":\"FILE.yaml\"}` and is applied by such a line)",
        ],
    ),
    (
        "apply -f quota.yaml",
        "apply -f quotas.yaml",
        &[
            "42 warning[manifest-unused] no command names `quota.yaml` (apply it, or take its name away)",
            "50 error[manifest-missing] there is no manifest `quotas.yaml` here (did you mean `quota.yaml`?)",
        ],
    ),
    (
        "{\"name\":\"quota.yaml\"}",
        "{\"name\":\"../quota.yaml\"}",
        &[
            "42 error[manifest-invalid] `../quota.yaml` is no name of a manifest (call it `FILE.yaml`, without a path)",
            "50 error[manifest-missing] there is no manifest `quota.yaml` here (write the manifest into the document, as a block `yaml {\"name\":\"quota.yaml\"}`)",
        ],
    ),
    ("kind: ConfigMap\n", "", &["43 error[manifest-invalid] `quota.yaml` has no `kind`"]),
    (
        "kind: ConfigMap\n",
        "kind: ConfigMap\nkind: Secret\n",
        &["45 error[manifest-invalid] `quota.yaml` has `kind` twice"],
    ),
    (
        "kind: ConfigMap\n",
        "kind: [\n",
        &[
            "46 error[manifest-invalid] `quota.yaml` is no YAML: while parsing a flow mapping, did not find expected ',' or '}'",
        ],
    ),
    (
        "  risk: medium\n",
        "",
        &["14 error[automation-bare] `level: approve` needs `automation.risk` (write it, or set `level: suggest`)"],
    ),
    ("  level: approve\n", "  level: suggest\n", &[]),
    (
        "  level: approve\n",
        "  level: none\n",
        &[
            "50 note[fix-not-shown] `automation.level` is `none`, so this fix is not shown (set `level: suggest` to have it shown)",
        ],
    ),
    (
        "  level: approve\n",
        "  level: auto\n",
        &["14 error[automation-unattended] `level: auto` without `cooldown` (set `cooldown: 30m`)"],
    ),
    (
        "  level: approve\n  risk: medium\n",
        "  level: auto\n  risk: high\n  cooldown: 30m\n",
        &["15 error[automation-unattended] `level: auto` with `risk: high` (set `level: approve`)"],
    ),
    (
        "kubectl -n $NAMESPACE apply -f quota.yaml",
        "kubectl -n $NAMESPACE apply -f quota.yaml\nkubectl delete namespace $NAMESPACE",
        &[
            "51 error[risk-understated] this deletes a namespace with all that is in it, and `automation.risk` is not `high` (set `risk: high`)",
        ],
    ),
    (
        "kubectl -n $NAMESPACE apply -f quota.yaml",
        "kubectl -n $NAMESPACE apply -f quota.yaml\nkubectl -n $NAMESPACE scale deployment/$DEPLOYMENT --replicas=0",
        &[],
    ),
    ("reviewed: \"2026-11-20\"", "reviewed: \"2026-02-30\"", &["20 error[review-date] there is no day `2026-02-30`"]),
    ("reviewed: \"2026-11-20\"", "reviewed: \"2026-11-27\"", &["20 error[review-date] `2026-11-27` is in the future"]),
    ("reviewed: \"2026-11-20\"", "reviewed: 2026-11-26", &[]),
    (
        "reviewed: \"2026-11-20\"",
        "reviewed: \"2025-11-20\"",
        &[
            "20 warning[review-stale] the last review was 371 days ago, on 2025-11-20 (read it, mend it, and set `reviewed` to today)",
        ],
    ),
    (
        "reviewed: \"2026-11-20\"\n",
        "",
        &[
            "6 warning[review-stale] it is active, and nothing says when a person last read it (add `reviewed: \"2026-11-26\"`)",
        ],
    ),
    (
        "detectors: [oom-killed]",
        "detectors: [oom-killed, oom-kiled]",
        &["9 error[detector-unknown] there is no detector `oom-kiled` (did you mean `oom-killed`?)"],
    ),
    (
        "'OutOfMemory(Error)?'",
        "'OutOf(Memory'",
        &["11 error[pattern-invalid] the pattern does not compile: unclosed group"],
    ),
    (
        "'OutOfMemory(Error)?'",
        "'x*'",
        &["11 error[pattern-invalid] the pattern matches the empty text, and so every line"],
    ),
    (
        "'OutOfMemory(Error)?'",
        "'(((a{100}){100}){100}){100}'",
        &["11 error[pattern-invalid] the pattern is too large when compiled"],
    ),
    (
        "'OutOfMemory(Error)?'",
        "'(?<=x)y'",
        &[
            "11 error[pattern-invalid] the pattern does not compile: look-around, including look-ahead and look-behind, is not supported",
        ],
    ),
    (
        "app in (a,b),!legacy",
        "app in a",
        &["12 error[selector-invalid] `app in a` is no requirement of a label selector"],
    ),
    (
        "match:\n  detectors: [oom-killed]\n  reasons: [OOMKilled]\n  logs: ['OutOfMemory(Error)?']\n  labels: app in (a,b),!legacy\n",
        "match: {}\n",
        &[
            "8 warning[match-nothing] `match` has none of `detectors`, `reasons`, `exitCodes`, `alerts` and `logs`",
            "8:8 error[front-matter] `match` says nothing",
        ],
    ),
    (
        "  detectors: [oom-killed]\n  reasons: [OOMKilled]\n  logs: ['OutOfMemory(Error)?']\n",
        "",
        &["8 warning[match-nothing] `match` has none of `detectors`, `reasons`, `exitCodes`, `alerts` and `logs`"],
    ),
    (
        "#escalation",
        "#escalate",
        &["28:27 error[link-dead] there is no heading `#escalate` here (did you mean `#escalation`?)"],
    ),
    (
        "exits.md#more-of-it",
        "exits.md#more",
        &["28:57 error[link-dead] there is no heading `#more` in `runbooks/containers/exits.md`"],
    ),
    (
        "../containers/exits.md#more-of-it",
        "../pods/exits.md",
        &["28:57 error[link-dead] there is no file `runbooks/pods/exits.md` (there is `exits.md`)"],
    ),
    (
        "../containers/exits.md#more-of-it",
        "../../../secret.md",
        &["28:57 error[link-dead] `../../../secret.md` leads out of the repository"],
    ),
    ("../containers/exits.md#more-of-it", "../../docs/there.md", &[]),
    ("../containers/exits.md#more-of-it", "https://example.com/nowhere#at-all", &[]),
    (
        "Requests fail.",
        "Requests\u{200b} fail.",
        &["32:9 error[hidden-character] the character U+200B is not seen (take it out)"],
    ),
    ("Requests fail.", "Requests fail \u{26a0}\u{fe0f} – außer…", &[]),
    (
        "kubectl -n $NAMESPACE describe",
        "kubectl -n $NAMESPACE \u{202e}describe",
        &[
            "37:23 error[command-refused] an invisible character or odd space (U+202E) (type the line anew; copied text often carries these)",
            "37:23 error[hidden-character] the character U+202E is not seen (take it out)",
        ],
    ),
    (
        "Requests fail.",
        "The password=Tr0ub4dor&3 is known.",
        &[
            "32 error[secret-in-text] this line seems to hold a password (write a placeholder instead; if it was ever pushed, change the secret where it is used)",
        ],
    ),
    ("Requests fail.", "TODO: say it.\n\n`TODO`", &["32 error[todo-left] 2 places are still TODO"]),
    ("Requests fail.", "TODOs are for others.", &[]),
    (
        "Requests fail.",
        "-----BEGIN RSA PRIVATE KEY-----",
        &[
            "32 error[secret-in-text] this line seems to hold a private key (write a placeholder instead; if it was ever pushed, change the secret where it is used)",
        ],
    ),
    ("Requests fail.", "`failed to fetch token: not found`, password=$PASSWORD, password: <yours>", &[]),
];

#[test]
fn every_rule_speaks_and_no_other() {
    assert_eq!(said(&[(PATH, GOOD), ("runbooks/containers/exits.md", OTHER)]), Vec::<String>::new());
    let mut wrong = Vec::new();
    let mut spoke: BTreeSet<&str> = BTreeSet::new();
    for (from, to, expected) in CHANGES {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let files = [(PATH, text.as_str()), ("runbooks/containers/exits.md", OTHER)];
        let said = said(&files);
        if said.iter().map(String::as_str).ne(expected.iter().copied()) {
            wrong.push(format!("{from:?} -> {to:?}\n{}", said.join("\n")));
        }
        spoke.extend(problems(&files).iter().map(|problem| problem.rule));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    // Whole files of their own, below.
    spoke.extend(["file-unreadable", "near-duplicate", "not-ours"]);
    let silent: Vec<&str> = rules().iter().map(|rule| rule.id).filter(|id| !spoke.contains(id)).collect();
    assert_eq!(silent, Vec::<&str>::new());
}

#[test]
fn what_runs_unattended_needs_nobody() {
    let auto = GOOD
        .replace("level: approve", "level: auto\n  cooldown: 30m")
        .replace("params:\n", "params:\n  IMAGE: the image\n");
    let with = |line: &str| {
        let text = auto.replace("apply -f quota.yaml\n", &format!("apply -f quota.yaml\n{line}\n"));
        let said = said(&[(PATH, &text), ("runbooks/containers/exits.md", OTHER)]);
        said.into_iter().filter(|line| line.contains("automation")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(with("kubectl -n $NAMESPACE rollout restart deployment/$DEPLOYMENT"), "");
    assert_eq!(
        with("kubectl -n $NAMESPACE set image deployment/$DEPLOYMENT app=$IMAGE"),
        "53 error[automation-unattended] `IMAGE` is known to a person only (set `level: approve`)"
    );
    assert_eq!(
        with("kubectl -n $NAMESPACE edit deployment/$DEPLOYMENT"),
        "53 error[automation-unattended] this waits for a person (write it as `kubectl patch`)"
    );
}

#[test]
fn files_of_collections_are_held_to_what_harms() {
    let text = "# KubePodCrashLooping\n\n```bash\nfor i in *; do kubectl delete pod $i | sh; done\n```\n\n[a](gone.md) \u{202e}\npassword=Tr0ub4dor&3\n";
    assert_eq!(
        said(&[("a/KubePodCrashLooping.md", text), ("b/KubePodCrashLooping.md", "# KubePodCrashLooping")]),
        [
            "a/KubePodCrashLooping.md 1 note[not-ours] there is no front matter of ours: this is a draft (`kubectl react runbooks import` writes one)",
            "a/KubePodCrashLooping.md 7:1 warning[link-dead] there is no file `a/gone.md`",
            "a/KubePodCrashLooping.md 7:14 warning[hidden-character] the character U+202E is not seen (take it out)",
            "a/KubePodCrashLooping.md 8 error[secret-in-text] this line seems to hold a password (write a placeholder instead; if it was ever pushed, change the secret where it is used)",
            "b/KubePodCrashLooping.md 1 warning[name-taken] the name `kube-pod-crash-looping` is that of `a/KubePodCrashLooping.md` too",
            "b/KubePodCrashLooping.md 1 note[not-ours] there is no front matter of ours: this is a draft (`kubectl react runbooks import` writes one)",
        ]
    );
}

#[test]
fn a_file_that_can_not_be_read_does_not_keep_others_from_being_checked() {
    let said = said(&[("a.md", "x\0"), ("b/oom-killed.md", &GOOD.replace("Requests fail.", ""))]);
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(said[0], "a.md 1 error[file-unreadable] the file is binary: byte 2 is NUL (a runbook is text)");
}

#[test]
fn a_pair_is_told_at_the_later_file() {
    let pair = |path: &str, other: &str| Pair { path: path.to_owned(), other: other.to_owned(), cosine: 0.934 };
    let problems = near_duplicates(&[pair("b.md", "a.md"), pair("a.md", "b.md")]);
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].path.as_str(), problems[0].severity), ("b.md", Gravity::Warning));
    assert_eq!(problems[0].message, "this says nearly the same as `a.md` (similarity 0.93)");
}

/// Files that are made to keep lint busy: in the order of their length, and with no flood of words.
#[test]
fn hostile_files_take_no_long() {
    let size = 1 << 15;
    let fill = |unit: &str| unit.repeat(size / unit.len());
    let numbered = |count: usize, make: &dyn Fn(usize) -> String| (0..count).map(make).collect::<String>();
    let fence = |lines: String| GOOD.replace("kubectl -n $NAMESPACE describe pod $POD\n", &lines);
    let patterns = numbered(500, &|n| format!("'(((a{{100}}){{100}}){{9}}){n}',"));
    for (name, text) in [
        ("refused", fence(fill("x | y\n"))),
        ("params", fence(numbered(4_000, &|n| format!("kubectl get pod $P{n}\n")))),
        ("links", GOOD.replace("Requests fail.", &numbered(4_000, &|n| format!("[a](x{n}.md) [b](#y{n})\n")))),
        ("one line", GOOD.replace("Requests fail.", &fill("password=Tr0ub4dor&3 "))),
        ("colons", GOOD.replace("Requests fail.", &fill("key: \"a"))),
        ("addresses", GOOD.replace("Requests fail.", &fill("a://b:c"))),
        ("letters", GOOD.replace("Requests fail.", &fill("secretkey"))),
        ("detectors", GOOD.replace("[oom-killed]", &format!("[{}]", numbered(6_000, &|n| format!("oom-k{n},"))))),
        ("patterns", GOOD.replace("['OutOfMemory(Error)?']", &format!("[{patterns}]"))),
        (
            "manifests",
            GOOD.replace(
                "## Verification",
                &numbered(900, &|n| format!("```yaml {{\"name\":\"a{n}.yaml\"}}\na: [\n```\n")),
            ),
        ),
    ] {
        let start = Instant::now();
        let found = problems(&[(PATH, &text)]);
        let took = start.elapsed();
        assert!(!found.is_empty() && found.len() < 2_000, "{name}: {}", found.len());
        assert!(took.as_secs() < 10, "{name} took {took:?}");
    }
}

#[test]
fn rules_are_well_made() {
    let rules = rules();
    let ids: Vec<&str> = rules.iter().map(|rule| rule.id).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    for rule in rules {
        assert!(
            rule.id.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())),
            "{}",
            rule.id
        );
        assert!(rule.summary.len() < 100 && !rule.summary.ends_with('.'), "{}", rule.id);
        assert!(rule.doc.len() > 60 && rule.doc.ends_with('.'), "{}", rule.id);
    }
    assert!(read(PATH, GOOD).problems.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn a_harmed_runbook_is_checked_without_panic(
        cuts in proptest::collection::vec((any::<proptest::sample::Index>(), 0_usize..12, "[ -~\n\u{200b}ä]{0,4}"), 1..12)
    ) {
        let mut chars: Vec<char> = GOOD.chars().collect();
        for (from, length, put) in cuts {
            let from = from.index(chars.len() + 1);
            let end = (from + length).min(chars.len());
            chars.splice(from..end, put.chars());
        }
        let text: String = chars.into_iter().collect();
        let last = text.lines().count() + 1;
        for problem in problems(&[(PATH, &text), ("runbooks/containers/exits.md", OTHER)]) {
            prop_assert!(!problem.message.is_empty() && !problem.message.contains('\n'), "{problem:?}");
            prop_assert!(problem.path != PATH || problem.line <= last, "{problem:?}");
        }
    }
}
