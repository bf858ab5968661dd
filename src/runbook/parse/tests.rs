//! Files and what is read of them.

#![expect(clippy::disallowed_methods, reason = "a test may look how long something took")]

use std::fmt::Write as _;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::model::runbook::{Library, Role, Status};

const SAMPLE: &str = "---
schema: runbook/v1
name: oom-killed
title: Container killed for exceeding its memory limit
description: >-
  Use when a container's last state is OOMKilled.
status: active
severity: critical
rootCause: resources
match:
  detectors: [oom-killed]
  exitCodes: [137]
automation:
  level: approve
params:
  POD: name of the pod
reviewed: 2026-11-20
---

# Container killed for exceeding its memory limit

Lead.

## Meaning

Text with `code` and a [link](#impact).

## Diagnosis

1. Look at it:

   ```sh {\"name\":\"look\",\"react\":\"diagnose\",\"interactive\":\"false\"}
   # a comment
   kubectl get pod $POD \\
     -o wide

   kubectl describe pod $POD
   ```

### Deeper

```bash
kubectl top pod $POD
```

```console
$ crictl ps
```

## Mitigation

```yaml {\"name\":\"limit.yaml\"}
apiVersion: v1
```

```sh {\"react\":\"fix\"}
kubectl apply -f limit.yaml
```

## Escalation

```sh
kubectl get pods
```
";

fn place(path: &str) -> Place {
    Place { library: Library::Team, path: path.to_owned(), commit: String::new(), blob: String::new() }
}

fn read(text: &str) -> Parsed {
    parse(place("runbooks/containers/oom-killed.md"), text.as_bytes())
}

/// `line:column message (hint)` of each problem.
fn said(parsed: &Parsed) -> Vec<String> {
    let line = |problem: &Problem| {
        let column = problem.column.map(|column| format!(":{column}")).unwrap_or_default();
        let hint = problem.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}{column} {}{hint}", problem.line, problem.message)
    };
    parsed.problems.iter().map(line).collect()
}

#[test]
fn a_runbook_is_read_with_its_lines() {
    let parsed = read(SAMPLE);
    assert_eq!(said(&parsed), Vec::<String>::new());
    let runbook = parsed.runbook.unwrap();
    assert!(!runbook.derived);
    assert_eq!((runbook.front.name.as_str(), runbook.front.automation.level), ("oom-killed", Level::Approve));
    assert_eq!(runbook.front.reviewed.as_deref(), Some("2026-11-20"));
    let sections: Vec<_> = runbook.sections.iter().map(|s| (s.heading.as_str(), s.level, s.line)).collect();
    assert_eq!(
        sections,
        [
            ("Container killed for exceeding its memory limit", 1, 20),
            ("Meaning", 2, 24),
            ("Diagnosis", 2, 28),
            ("Deeper", 3, 40),
            ("Mitigation", 2, 50),
            ("Escalation", 2, 60),
        ]
    );
    assert_eq!(runbook.sections[1].text, "Text with `code` and a [link](#impact).");
    let blocks: Vec<_> = runbook
        .blocks
        .iter()
        .map(|b| {
            let lines: Vec<_> = b.lines.iter().map(|l| (l.line, l.text.as_str())).collect();
            (b.line, b.role, b.name.as_deref(), b.section.as_str(), lines)
        })
        .collect();
    assert_eq!(
        blocks,
        [
            (
                32,
                Some(Role::Diagnose),
                Some("look"),
                "Diagnosis",
                vec![(34, "kubectl get pod $POD -o wide"), (37, "kubectl describe pod $POD")]
            ),
            (42, Some(Role::Diagnose), None, "Diagnosis", vec![(43, "kubectl top pod $POD")]),
            (56, Some(Role::Fix), None, "Mitigation", vec![(57, "kubectl apply -f limit.yaml")]),
            (62, None, None, "Escalation", vec![(63, "kubectl get pods")]),
        ]
    );
    assert_eq!(runbook.manifests[0].name, "limit.yaml");
    assert_eq!((runbook.manifests[0].text.as_str(), runbook.manifests[0].line), ("apiVersion: v1\n", 52));
    let parsed = read(SAMPLE);
    assert_eq!((parsed.line_of("match.exitCodes"), parsed.line_of("nothing")), (12, 1));
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let plain = read(SAMPLE).runbook.unwrap();
    let crlf = read(&format!("\u{feff}{}", SAMPLE.replace('\n', "\r\n"))).runbook.unwrap();
    assert_eq!(plain, crlf);
}

#[test]
fn lines_are_joined_as_a_shell_joins_them() {
    for (block, expected) in [
        ("a \\\n  b", vec!["a b"]),
        ("a\\\nb", vec!["ab"]),
        ("a\\\n  b", vec!["a b"]),
        ("a '\\\n b'", vec!["a '\\", "b'"]),
        ("a \"x\\\n  y\"", vec!["a \"x  y\""]),
        ("a \\\\\nb", vec!["a \\\\", "b"]),
        ("a \\", vec!["a \\"]),
        ("# a \\\nb", vec!["b"]),
        ("a '#' # c\n\n  b  ", vec!["a '#' # c", "b"]),
    ] {
        let text = SAMPLE.replace("kubectl get pods\n", &format!("{block}\n"));
        let runbook = read(&text).runbook.unwrap();
        let lines: Vec<_> = runbook.blocks.last().unwrap().lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(lines, expected, "{block}");
    }
}

#[test]
fn every_fault_of_front_matter_is_told_at_once() {
    let bad = "---
schema: runbook/v1
name: Oom_Killed
titel: x
description: short
severity: sever
match:
  detectors: []
  exitCodes: [300, x]
automation: {level: yes, cooldown: soon}
params:
  pod: 8080
reviewed: soon
references: [\"http://example.com\"]
tags: [a, a]
owners:
---
# T
";
    let parsed = read(bad);
    assert_eq!(
        said(&parsed),
        [
            "3:7 `name` must be lower-case words joined by `-`, and is `Oom_Killed`",
            "4:1 there is no key `titel` (did you mean `title`?)",
            "5:14 `description` has 5 characters; it needs 20",
            "6:11 `severity` is `sever`; it must be `info`, `warning` or `critical`",
            "8:14 `match.detectors` has 0 items; it needs 1",
            "9:15 an item of `match.exitCodes` must be 0 to 255, and is 300",
            "9:20 an item of `match.exitCodes` must be a whole number, and is `x`",
            "10:21 `automation.level` is `yes`; it must be `none`, `suggest`, `approve` or `auto`",
            "10:36 `automation.cooldown` must be a number and a unit: `30m`, and is `soon`",
            "12:3 the key `params.pod` must be upper-case letters, digits and `_`",
            "12:8 `params.pod` must be text, and `8080` is none (put it in quotes: \"8080\")",
            "13:11 `reviewed` must be a date: `\"2026-11-20\"`, and is `soon`",
            "14:14 an item of `references` must begin with `https://`, and is `http://example.com`",
            "15:11 `tags` has `a` twice",
            "16:7 `owners` is empty (give it a value, or leave the key out)",
            "1:1 the keys `title` and `status` are missing",
        ]
    );
    assert!(parsed.runbook.is_none());
}

#[test]
fn faulty_front_matter_is_shown_but_never_run() {
    let parsed = read(&SAMPLE.replace("severity: critical", "severity: critical\ncolour: red"));
    assert_eq!(
        said(&parsed),
        [
            "9:1 there is no key `colour` (the keys are `$schema`, `appliesTo`, `automation`, `description`, `match`, `name`, `owners`, `params`, `provenance`, `references`, `reviewed`, `rootCause`, `schema`, `severity`, `status`, `supersededBy`, `tags` or `title`)"
        ]
    );
    assert_eq!((parsed.level, parsed.runbook.unwrap().front.automation.level), (Level::Approve, Level::Suggest));
}

#[test]
fn files_of_collections_load_unchanged() {
    let front = |path: &str, text: &str| {
        let parsed = parse(place(path), text.as_bytes());
        assert_eq!(said(&parsed), Vec::<String>::new(), "{path}");
        let runbook = parsed.runbook.unwrap();
        assert!(runbook.derived);
        assert_eq!((runbook.front.status, runbook.front.automation.level), (Status::Draft, Level::None));
        let f = runbook.front;
        format!("{} | {} | {} | {}", f.name, f.title, f.description, f.signature.alerts.join(","))
    };
    for (path, text, expected) in [
        (
            "content/runbooks/kubernetes/KubePodCrashLooping.md",
            "---\ntitle: Kube Pod Crash Looping\nweight: 20\n---\n\n# KubePodCrashLooping\n\n## Meaning\n\nA pod\nrestarts.\n",
            "kube-pod-crash-looping | Kube Pod Crash Looping | A pod restarts. | KubePodCrashLooping",
        ),
        (
            "alerts/etcd/etcdMembersDown.md",
            "# etcdMembersDown [Deprecated]\n\nLead.\n\n## Meaning\n\nMembers are down.\n\n```console\n$ oc get pods\n```\n",
            "etcd-members-down | etcdMembersDown [Deprecated] | Members are down. | etcdMembersDown",
        ),
        (
            "skills/node-repair/SKILL.md",
            "---\nname: node-repair\ndescription: Use when a node is down\n---\nDo it.\n",
            "node-repair | node-repair | Use when a node is down | ",
        ),
        ("x/plain notes.md", "just words\n", "plain-notes | plain notes | just words | "),
        ("x/EMPTY.md", "", "empty | EMPTY | EMPTY | "),
        ("x/toml.md", "+++\ntitle = \"T\"\n+++\n# Head\n", "toml | Head | Head | "),
        ("x/rule.md", "---\n\nA rule, and no front matter.\n", "rule | rule | A rule, and no front matter. | "),
        ("x/broken.md", "---\ntitle: [\n---\n# Broken yaml\n\nText.\n", "broken | Broken yaml | Text. | "),
        ("x/attrs.md", "# T\n\n```bash {linenos=true}\nfor i in *; do echo; done | sort\n```\n", "attrs | T | T | "),
        ("CPUHigh2.md", "# CPU is high", "cpu-high2 | CPU is high | CPU is high | CPUHigh2"),
    ] {
        assert_eq!(front(path, text), expected);
    }
}

#[test]
fn ours_is_ours_however_its_yaml_is_written() {
    let flow = "---\n{\"schema\": \"runbook/v1\", name: a}\n---\n# A\n";
    assert!(said(&read(flow))[0].starts_with("1:1 the keys `title`"), "{:?}", said(&read(flow)));
    let other = "---\nschema: https://example.com/v1\ntitle: T\n---\n# A\n";
    assert!(read(other).runbook.unwrap().derived);
}

#[test]
fn front_matter_that_stands_wrong_is_told() {
    let body = SAMPLE;
    for (text, expected) in [
        (
            format!("\n{body}"),
            "2 the front matter does not begin on the first line (make `---` the first line of the file)",
        ),
        (format!("<!-- x -->\n{body}"), ""),
        (
            body.replacen("---", "----", 1),
            "1 the front matter does not begin with a line `---` (make `---` the first line of the file)",
        ),
        (
            body.replacen("---", "—", 1),
            "1 the front matter does not begin with a line `---` (make `---` the first line of the file)",
        ),
        (
            body.replacen("---\n", "", 1),
            "1 the front matter does not begin with a line `---` (make `---` the first line of the file)",
        ),
        (body.replacen("\n---\n", "\n", 1), "1 the front matter never ends (put a line `---` after its last key)"),
        (body.replacen("---\n", "---  \n", 2), ""),
        (body.replacen("\n---\n", "\n...\n", 1), ""),
    ] {
        assert_eq!(said(&read(&text)).join("\n"), expected, "{}", text.lines().next().unwrap());
    }
}

/// Files that were made to do harm: a clear message, and quickly.
#[test]
fn hostile_files_are_refused_with_a_clear_message() {
    let front = |yaml: &str| format!("---\nschema: runbook/v1\n{yaml}\n---\n# T\n").into_bytes();
    let mut laughs = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for pair in "abcdefghi".as_bytes().windows(2) {
        let (from, to) = (pair[0] as char, pair[1] as char);
        writeln!(laughs, "{to}: &{to} [{}]", vec![format!("*{from}"); 9].join(", ")).unwrap();
    }
    let deep: String = (0..40).map(|depth| "  ".repeat(depth) + "- a:\n").collect();
    let steps: String = (0..240).map(|depth| " ".repeat(depth) + "a:\n").collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("too large", vec![b'a'; (1 << 20) + 1], "the file has 1024 KiB; at most 1024 KiB are read"),
        ("binary", b"\x7fELF\0\x01\n".to_vec(), "the file is binary: byte 5 is NUL"),
        ("latin-1", b"# T\n\nCaf\xe9\n".to_vec(), "the file is not UTF-8: byte 9 begins no character"),
        ("utf-16", b"\xff\xfe#\0".to_vec(), "the file is UTF-16"),
        ("laughs", front(&laughs), "an alias (`*name`) is not allowed here"),
        ("flow", front(&format!("a: {}", "[".repeat(30_000))), "the front matter is no YAML that is read here"),
        ("flow maps", front(&format!("a: {}", "{a: ".repeat(10_000))), "the front matter is no YAML that is read here"),
        ("deep", front(&deep), "the front matter is no YAML that is read here"),
        ("steps", front(&steps), "the front matter is no YAML that is read here"),
        ("long", front(&"a: b\n".repeat(20_000)), "the front matter has 97 KiB; at most 64 KiB are read"),
        ("nodes", front(&format!("a: [{}]", "1,".repeat(30_000))), "there is no key `a`"),
        ("tag", front("a: !include x"), "a tag (`!name`) is not allowed here"),
        ("headings", "# x\n".repeat(10_000).into_bytes(), "the file has more than 1000 headings"),
        ("fences", "```sh\n```\n".repeat(10_000).into_bytes(), "the file has more than 1000 fenced blocks"),
        ("quotes", ">".repeat(100_000).into_bytes(), "lists or quotes are nested deeper than 50"),
        ("lists", format!("{}x", "- ".repeat(100_000)).into_bytes(), "lists or quotes are nested deeper than 50"),
        ("numbers", format!("{}x", "1. ".repeat(100_000)).into_bytes(), "lists or quotes are nested deeper than 50"),
        (
            "stairs",
            (0..600).map(|d| "  ".repeat(d) + "- x\n").collect::<String>().into_bytes(),
            "nested deeper than 50",
        ),
    ];
    for (name, bytes, expected) in cases {
        let start = Instant::now();
        let parsed = parse(place("x.md"), &bytes);
        let took = start.elapsed();
        assert!(said(&parsed).join("\n").contains(expected), "{name}: {:?}", said(&parsed).first());
        assert!(said(&parsed).iter().all(|line| line.len() < 1000 && !line.contains('\n')), "{name}");
        assert!(took.as_secs() < 5, "{name} took {took:?}");
    }
}

/// Files that are large or strange and yet no more than text.
#[test]
fn strange_markdown_is_read_quickly() {
    let size = 1 << 18;
    let fill = |unit: &str| unit.repeat(size / unit.len() - 1);
    for (name, text) in [
        ("brackets", fill("[")),
        ("links", fill("[a](")),
        ("images", fill("![")),
        ("stars", fill("*a _b ")),
        ("ticks", (1..700).map(|n| "`".repeat(n) + " ").collect()),
        ("html", fill("<a ")),
        ("comments", fill("<!-- a")),
        ("entities", fill("&#")),
        ("references", fill("[a]: b\n")),
        ("uses", fill("[a]: b\n\n[a][a]\n")),
        ("quotes", fill("> a\nb\n")),
        ("blank", format!("{}a\n{}", "- ".repeat(49), "\n".repeat(size - 200))),
        ("lazy", format!("{}a\n{}", ">".repeat(49), fill("a\n").split_off(1000))),
        ("fence", format!("```sh\n{}", fill("a \\\n").split_off(1000))),
        ("tabs", fill("\t")),
        ("words", fill("word ")),
        ("table", format!("{}\n{}\n{}", "|a".repeat(20_000), "|-".repeat(20_000), "|\n".repeat(60_000))),
    ] {
        let start = Instant::now();
        let parsed = parse(place("x.md"), text.as_bytes());
        let took = start.elapsed();
        assert!(parsed.runbook.is_some(), "{name}: {:?}", said(&parsed));
        assert!(took.as_secs() < 10, "{name} took {took:?}");
    }
}

#[test]
fn info_strings_are_json() {
    let fence = |info: &str| {
        let text = SAMPLE.replace("```sh\nkubectl get pods", &format!("```{info}\nkubectl get pods"));
        read(&text).outline.fences.last().unwrap().clone()
    };
    for (info, language, fault) in [
        ("sh", "sh", None),
        ("sh{\"name\":\"a\"}", "sh", None),
        ("sh {\"name\":\"a&quot;b\",\"cwd\":1}", "sh", None),
        ("sh {name: a}", "sh", Some("key must be a string")),
        ("sh {\"react\":\"fix\",\"react\":\"diagnose\"}", "sh", Some("`react` stands twice")),
        ("sh {\"a\":1} x", "sh", Some("trailing characters")),
        ("sh title=x", "sh", None),
        ("", "", None),
    ] {
        let fence = fence(info);
        assert_eq!((fence.language.as_str(), fence.fault.as_deref()), (language, fault), "{info}");
        assert_eq!(fence.role(), None);
    }
    assert_eq!(fence("sh {\"name\":\"a&quot;b\"}").attribute("name"), Some("a&quot;b"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = parse(place("a.md"), &bytes);
    }

    #[test]
    fn a_harmed_runbook_is_read_without_panic(
        cuts in proptest::collection::vec((any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), ".{0,3}"), 1..8)
    ) {
        let mut chars: Vec<char> = SAMPLE.chars().collect();
        for (from, to, put) in cuts {
            let (from, to) = (from.index(chars.len() + 1), to.index(chars.len() + 1));
            let end = from + to.saturating_sub(from).min(12);
            chars.splice(from..end, put.chars());
        }
        let text: String = chars.into_iter().collect();
        let parsed = read(&text);
        let lines = text.lines().count().max(1);
        for problem in &parsed.problems {
            prop_assert!(problem.line >= 1 && problem.line <= lines + 1, "{problem:?}");
        }
        for block in parsed.runbook.iter().flat_map(|runbook| &runbook.blocks) {
            prop_assert!(block.lines.iter().all(|line| !line.text.contains('\n')));
        }
    }
}
