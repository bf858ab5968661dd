//! What a reviewer is shown, whatever a branch says.

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;
use crate::model::{Library, Place};
use crate::runbook;

const PATH: &str = "runbooks/a/oom.md";

fn file(path: &str, text: &str) -> File {
    let place =
        Place { library: Library::Team, path: path.to_owned(), commit: "c".repeat(40), blob: text.len().to_string() };
    let parsed = runbook::sealed(place, text.as_bytes());
    assert!(parsed.runbook.is_some(), "{:?}", parsed.problems);
    File { path: path.to_owned(), runbook: parsed.runbook }
}

/// A runbook with this front matter beside what each needs, and this body.
fn page(path: &str, front: &str, body: &str) -> File {
    let name = path.rsplit('/').next().unwrap().trim_end_matches(".md");
    let head = format!(
        "schema: runbook/v1\nname: {name}\ntitle: Killed for memory\ndescription: Use when a container is killed for its memory.\n\
         severity: critical\n{front}"
    );
    file(path, &format!("---\n{head}---\n\n# Killed for memory\n\n{body}"))
}

const PLAIN: &str = "status: active\nmatch:\n  detectors: [oom-killed]\nautomation:\n  level: suggest\n";

fn proposed<'a>(what: &'static str, head: &'a [File], before: &'a [File]) -> Proposed<'a> {
    let differences = head.iter().map(|file| Difference {
        what,
        path: file.path.clone(),
        from: before.iter().any(|old| old.path == file.path).then(|| file.path.clone()),
    });
    Proposed {
        title: "branch `fix/oom`".to_owned(),
        source: "runbooks.git".to_owned(),
        trusted: "main".to_owned(),
        base: "a".repeat(40),
        commit: "b".repeat(40),
        differences: differences.collect(),
        head,
        before,
        builtin: &[],
        problems: &[],
        known: &[],
        cases: None,
        notes: Vec::new(),
    }
}

#[test]
fn each_command_is_classed_and_its_danger_told() {
    let table = [
        ("kubectl -n $NAMESPACE get pods", Class::Reads, ""),
        ("kubectl -n $NAMESPACE rollout restart $WORKLOAD", Class::Changes, ""),
        ("kubectl -n $NAMESPACE delete pod $POD", Class::MadeAgain, ""),
        ("kubectl -n $NAMESPACE delete pvc $PVC", Class::NoWayBack, "deletes what keeps data"),
        ("kubectl delete namespace $NAMESPACE", Class::NoWayBack, "deletes a namespace with all that is in it"),
        ("kubectl -n $NAMESPACE delete configmap x", Class::NoWayBack, "deletes what no controller makes again"),
        ("kubectl -n $NAMESPACE delete $OBJECT", Class::NoWayBack, "has a placeholder for a type"),
        ("kubectl -n $NAMESPACE scale $WORKLOAD --replicas=0", Class::Changes, "scales to nothing"),
        (
            "kubectl create clusterrolebinding x --clusterrole=cluster-admin --serviceaccount=shop:web",
            Class::Changes,
            "gives or takes rights",
        ),
        ("kubectl get pods | sh", Class::Refused, ""),
        ("curl http://x", Class::Refused, ""),
    ];
    let lines = table.map(|(line, ..)| line).join("\n") + "\n";
    let after = [page(PATH, PLAIN, &format!("## Mitigation\n\n```sh\n{lines}```\n"))];
    let before = [page(PATH, PLAIN, "## Mitigation\n\n```sh\nkubectl -n $NAMESPACE get pods\n```\n")];
    let review = Review::of(proposed("changed", &after, &before));
    let steps = &review.runbooks[0].about.as_ref().unwrap().steps;
    assert_eq!(steps.len(), table.len());
    for (step, (line, class, risk)) in steps.iter().zip(table) {
        assert_eq!((step.line.as_str(), step.class), (line, class));
        assert!(step.risks.join("; ").contains(risk), "{step:?}");
        assert_eq!(step.risks.is_empty(), risk.is_empty() && class != Class::Refused, "{step:?}");
        assert_eq!(step.new, line != "kubectl -n $NAMESPACE get pods", "{step:?}");
    }
}

#[test]
fn what_is_another_and_what_it_matches_is_told_in_words() {
    let after = "status: active\nmatch:\n  detectors: [oom-killed, memory-exhausted]\n  reasons: [OOMKilled]\n  exitCodes: [137]\n  \
                 kinds: [Deployment]\nautomation:\n  level: approve\n  risk: low\nparams:\n  POD: the pod\n  TICKET: where it is told\n";
    let body = "## Mitigation\n\n```sh\nkubectl -n $NAMESPACE annotate pod $POD ticket=$TICKET\n```\n";
    let (after, before) = ([page(PATH, after, body)], [page(PATH, PLAIN, "## Meaning\n\nText.\n")]);
    let review = Review::of(proposed("changed", &after, &before));
    let reviewed = &review.runbooks[0];
    let about = reviewed.about.as_ref().unwrap();
    assert_eq!(
        about.matches,
        [
            "what the detectors find: `oom-killed`, `memory-exhausted`",
            "the reasons `OOMKilled` with the exit codes `137`",
            "only for the kinds `Deployment`",
        ]
    );
    let told = reviewed.changes.join("\n");
    for expected in [
        "automation level: `suggest` → `approve`",
        "risk: `not said` → `low`",
        "detectors: now with `memory-exhausted`",
        "params: now with `POD`, `TICKET`",
        "commands: now with `kubectl -n $NAMESPACE annotate pod $POD ticket=$TICKET`",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert_eq!(about.open, [Open { name: "TICKET".to_owned(), says: "where it is told".to_owned() }]);
    for form in [Form::Text, Form::Markdown] {
        let shown = review.render(form);
        assert!(shown.contains("TICKET") && shown.contains("1 changed; no error, no warning"), "{shown}");
    }
}

/// What could move a cursor, end a fence, be HTML, a link, a mention, or a command of a workflow.
const HOSTILE: &[&str] = &[
    "</details><img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "https://evil.example/ www.evil.example @everyone",
    "| a | b |",
    "``` ~~~ ```` `",
    "::error file=x::gone",
    "##vso[task.setvariable variable=x]y ##[error]x",
    "# Approved by security",
    "&lt;img&gt; &#60;b&#62;",
    "$(id) $x$ \\",
    "<!-- hidden",
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{202e}gnp.exe",
    "[^1] [[wiki]] {#id .class} :::",
];

#[test]
fn nothing_that_a_branch_says_forms_markup_or_moves_a_cursor() {
    for hostile in HOSTILE {
        let quoted = serde_json::to_string(hostile).unwrap();
        let front = format!(
            "status: active\nmatch:\n  detectors: [{quoted}]\n  reasons: [{quoted}]\n  logs: [{quoted}]\nautomation:\n  level: suggest\n\
             params:\n  NAMESPACE: {quoted}\n  X: {quoted}\nowners: [{quoted}]\n"
        );
        let body = format!(
            "## {hostile}\n\n{hostile}\n\n## Mitigation\n\n````sh\nkubectl annotate pod x note='{hostile}' y=$X\n{hostile}\n````\n"
        );
        let path = format!("runbooks/{}/x.md", hostile.replace('/', "-"));
        let place = Place { library: Library::Team, path: path.clone(), commit: String::new(), blob: String::new() };
        let name = format!(
            "---\nschema: runbook/v1\nname: x\ntitle: {quoted}\ndescription: {quoted}\nseverity: info\n{front}---\n\n# {hostile}\n\n{body}"
        );
        let parsed = runbook::sealed(place, name.as_bytes());
        let head = [File { path: path.clone(), runbook: parsed.runbook }];
        let problem = Problem {
            rule: "front-matter",
            severity: Gravity::Error,
            path: path.clone(),
            line: 1,
            column: None,
            message: (*hostile).to_owned(),
            hint: Some((*hostile).to_owned()),
        };
        let elsewhere = Problem { path: format!("{hostile}.md"), ..problem.clone() };
        let problems = [problem, elsewhere];
        let notes = vec![(*hostile).to_owned()];
        let input = Proposed {
            title: format!("branch `{hostile}`"),
            trusted: (*hostile).to_owned(),
            problems: &problems,
            notes,
            ..proposed("added", &head, &[])
        };
        let review = Review::of(input);
        assert_eq!(review.errors, 2, "{hostile}");
        let markdown = review.render(Form::Markdown);
        for event in Parser::new_ext(&markdown, Options::all()) {
            let bad = matches!(
                event,
                Event::Html(_)
                    | Event::InlineHtml(_)
                    | Event::FootnoteReference(_)
                    | Event::InlineMath(_)
                    | Event::DisplayMath(_)
                    | Event::Rule
                    | Event::Start(
                        Tag::Link { .. }
                            | Tag::Image { .. }
                            | Tag::HtmlBlock
                            | Tag::Table(_)
                            | Tag::FootnoteDefinition(_)
                    )
            );
            assert!(!bad, "{hostile}: {event:?}\n{markdown}");
        }
        let headings = Parser::new_ext(&markdown, Options::all())
            .filter(|event| matches!(event, Event::Start(Tag::Heading { .. })))
            .count();
        assert_eq!(headings, 3, "{hostile}: {markdown}");
        let text = review.render(Form::Text);
        for shown in [&text, &markdown, &serde_json::to_string(&review).unwrap()] {
            assert!(shown.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{hostile}: {shown:?}");
            assert!(!shown.contains("##vso[") && !shown.contains("##["), "{shown}");
        }
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    }
}

#[test]
fn a_review_of_much_fits_into_a_summary() {
    let long = format!(
        "## Mitigation\n\n```sh\n{}```\n",
        format!("kubectl -n $NAMESPACE get pods -l app={}\n", "x".repeat(60)).repeat(90)
    );
    let head: Vec<File> = (0..100).map(|number| page(&format!("runbooks/n{number}.md"), PLAIN, &long)).collect();
    let shown = Review::of(proposed("added", &head, &[])).render(Form::Markdown);
    assert!(shown.len() < 300_000 && shown.contains("more would not fit here"), "{}", shown.len());
    assert!(shown.contains("100 added"));
}

fn cause(detector: &str, reason: &str) -> Cause {
    serde_saphyr::from_str(&format!(
        "{{fingerprint: f-{detector}, detector: {detector}, severity: critical, stage: start, summary: is killed, count: 1, changes: [], \
         commands: [], consequences: [], object: {{kind: Deployment, namespace: shop, name: cart}}, evidence: [{{quote: {reason}, \
         source: {{type: field, object: {{kind: Pod, namespace: shop, name: cart-1}}, path: 'status.reason'}}}}]}}"
    ))
    .unwrap()
}

#[test]
fn what_it_was_not_written_for_and_what_it_displaces_is_told() {
    let front = |detectors: &str, reasons: &str| {
        format!(
            "status: active\nmatch:\n  detectors: {detectors}\n  reasons: {reasons}\nautomation:\n  level: suggest\n"
        )
    };
    let body = "## Mitigation\n\n```sh\nkubectl -n $NAMESPACE rollout restart $WORKLOAD\nkubectl -n $NAMESPACE get pvc $PVC\n```\n";
    let helped = page("runbooks/a/helped.md", &front("[pod-evicted]", "[Evicted]"), body);
    // The narrower of two stands first.
    let narrow = front("[oom-killed, pod-evicted]", "[BackOff]\n  kinds: [Deployment]");
    let greedy = page("runbooks/a/greedy.md", &narrow, body);
    let cases = [
        Case {
            name: "incident 1".to_owned(),
            causes: vec![
                cause("oom-killed", "OOMKilled"),
                cause("container-exits", "BackOff"),
                cause("disk-full", "Full"),
            ],
            helped: Vec::new(),
        },
        Case {
            name: "incident 2".to_owned(),
            causes: vec![cause("pod-evicted", "Evicted")],
            helped: vec![Helped {
                path: "runbooks/a/helped.md".to_owned(),
                fingerprint: Some("f-pod-evicted".to_owned()),
            }],
        },
    ];
    let (head, before) = ([greedy, helped.clone()], [helped]);
    let mut input = Proposed { cases: Some(&cases), ..proposed("added", &head, &before) };
    input.differences.retain(|difference| difference.path.ends_with("greedy.md"));
    let review = Review::of(input);
    let fits = review.runbooks[0].fits.as_ref().unwrap();
    assert_eq!((fits.matched, fits.stray, fits.causes, fits.cases), (3, 1, 4, 2), "{fits:?}");
    assert_eq!(fits.told(), "matches 3 of 4 causes of 2 incidents or snapshots; 1 of them it was not written for");
    let of = |detector: &str| fits.fits.iter().find(|fit| fit.detector == detector).unwrap();
    assert_eq!((of("oom-killed").by, of("oom-killed").rank), (By::Detector, Some(1)));
    assert!(!of("oom-killed").is_wrong() && of("oom-killed").open == ["PVC"]);
    assert_eq!(of("container-exits").by, By::Stray);
    let evicted = of("pod-evicted");
    assert_eq!(evicted.displaces.as_deref(), Some("runbooks/a/helped.md"));
    assert_eq!(evicted.outranks_what_helped.as_deref(), Some("runbooks/a/helped.md"));
    assert!(fits.fits[0].is_wrong() && fits.fits[1].is_wrong(), "what is wrong stands first");
    let text = review.render(Form::Text);
    assert!(text.contains("look: incident 2") && text.contains("which helped there"), "{text}");
    // The same runbook as before is nothing new to anyone.
    let same = Review::of(Proposed { cases: Some(&cases), ..proposed("changed", &before, &before) });
    let fit = &same.runbooks[0].fits.as_ref().unwrap().fits[0];
    assert!(!fit.is_wrong() && fit.displaces.is_none(), "{fit:?}");
}
