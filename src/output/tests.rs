//! How it looks, and that nothing hostile passes.
#![expect(clippy::string_slice, reason = "a test may panic")]

use proptest::prelude::*;

use super::testing::{cascade, explored, healthy, hostile, many, unknown};
use super::*;
use crate::model::{Evidence, Kind, ObjectRef, Source};

fn text(diagnosis: &Diagnosis) -> String {
    render(diagnosis, Format::Text, &Style::default())
}

#[test]
fn a_cause_with_its_consequences() {
    insta::assert_snapshot!(text(&cascade()), @r#"
    1 cause in 14 namespaces (312 pods, 6 nodes)
    context prod-weu, 2026-11-23 08:43 UTC

    CRITICAL  Deployment shop/cart: container `app` can't start: Secret `cart-db`
              has no key `DB_PASSWORD`, it has `password`
      since   12m (2026-11-23 08:31 UTC), ×40 pods
      changed 08:30 UTC, 1m before: Secret shop/cart-db, data (by kubectl-edit)
      because "couldn't find key DB_PASSWORD in Secret shop/cart-db"
                — Pod shop/cart-7d9f8b6c5-x2x4z
                status.containerStatuses[app].state.waiting.message
              "Error: couldn't find key DB_PASSWORD in Secret shop/cart-db"
                — event Failed of Pod shop/cart-7d9f8b6c5-x2x4z, 08:42 UTC
      breaks  Service shop/cart: 0 of 40 endpoints are ready
                → Pod cart-7d9f8b6c5-x2x4z → Secret cart-db
              Ingress shop/shop: path /cart has no backend
                → Service cart → Pod cart-7d9f8b6c5-x2x4z → Secret cart-db
      # see which keys it has
      kubectl --context prod-weu -n shop describe secret cart-db
      # go back to the revision before (changes the cluster)
      kubectl --context prod-weu -n shop rollout undo deployment/cart
      kubectl react explain config-key-missing
    "#);
}

#[test]
fn a_healthy_cluster_is_one_calm_line() {
    insta::assert_snapshot!(text(&healthy()), @r#"
    Healthy: nothing is broken in 14 namespaces (312 pods, 6 nodes)
    context prod-weu, 2026-11-23 08:43 UTC
    "#);
    let partly =
        Diagnosis { namespace: Some("shop".into()), silenced: 1, gaps: unknown().gaps.split_off(2), ..healthy() };
    insta::assert_snapshot!(text(&partly), @r#"
    Healthy: nothing is broken in namespace shop (312 pods, 6 nodes)
    context prod-weu, 2026-11-23 08:43 UTC

    not read: log of shop/web-1 (app): timed out
    1 cause is silenced
    "#);
}

#[test]
fn what_is_unknown_says_what_would_help() {
    insta::assert_snapshot!(text(&unknown()), @r#"
    Unknown: nothing broken was seen in 14 namespaces (312 pods, 6 nodes), but not
    all that matters could be read
    context prod-weu, 2026-11-23 08:43 UTC

    not read: nodes, pods: forbidden
    not read: log of shop/web-1 (app): timed out
    the right to list nodes, pods would tell; `deploy/rbac.yaml` is the least that
    serves
      # see whether you may
      kubectl --context prod-weu auth can-i list nodes
    "#);
}

#[test]
fn many_causes_end_with_a_list_of_all() {
    let text = text(&many(60));
    let (full, list) = text.split_once("\nall 60 causes").unwrap();
    assert_eq!(full.matches("kubectl react explain").count(), 10);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 42, "{list}");
    insta::assert_snapshot!([&lines[..2], &lines[38..]].concat().join("\n"), @r#"
    , the worst first (the first 10 in full above, or --verbose):
    CRITICAL  Deployment shop/worker-00: container `app` can't start: Secr… ×40 pods
    WARNING   Deployment shop/worker-37: container `app` can't start: Secr… ×40 pods
    WARNING   Deployment shop/worker-38: container `app` can't start: Secr… ×40 pods
    WARNING   Deployment shop/worker-39: container `app` can't start: Secr… ×40 pods
              and 20 more causes
    "#);
    let verbose = render(&many(60), Format::Text, &Style { verbose: true, ..Style::default() });
    assert_eq!(verbose.matches("kubectl react explain").count(), 60);
    assert!(!super::tests::text(&many(4)).contains("all 4 causes"));
}

#[test]
fn a_sentence_names_its_object_once() {
    let service = ObjectRef::new(Kind::Service, "shop", "web");
    let table = [
        ("Service web selects nothing", "Service shop/web selects nothing"),
        ("Service web2 is another", "Service shop/web: Service web2 is another"),
        ("no endpoints", "Service shop/web: no endpoints"),
    ];
    for (summary, expected) in table {
        assert_eq!(super::words::sentence(&service, summary), expected);
    }
}

#[test]
fn long_quotes_lose_their_middle_and_commands_stay_whole() {
    let mut diagnosis = cascade();
    let cause = &mut diagnosis.causes[0];
    let source =
        Source::Event { object: ObjectRef::new(Kind::Pod, "shop", "web-1"), reason: "FailedScheduling".into() };
    let quote =
        format!("0/300 nodes are available: {}preemption: none helps.", "1 node had an untolerated taint, ".repeat(20));
    cause.evidence = vec![Evidence { quote, source, time: None }];
    cause.commands[0].line = format!("kubectl --context prod-weu -n shop get pods -l app=web{}", ",a=b".repeat(40));
    let line = cause.commands[0].line.clone();
    let text = text(&diagnosis);
    assert!(text.contains(&format!("\n  {line}\n")), "{text}");
    let quote: Vec<&str> = text.lines().skip_while(|line| !line.contains("because")).take(5).collect();
    insta::assert_snapshot!(quote.join("\n"), @r#"
    because "0/300 nodes are available: 1 node had an untolerated taint, 1 node
            had an untolerated taint, 1 node had an untoler … untolerated taint, 1
            node had an untolerated taint, preemption: none helps."
              — event FailedScheduling of Pod shop/web-1
    breaks  Service shop/cart: 0 of 40 endpoints are ready
    "#);
}

#[test]
fn no_line_but_a_command_is_wider_than_asked() {
    for width in [40, 60, 80, 120] {
        let style = Style { width, ..Style::default() };
        for diagnosis in [cascade(), many(40), unknown(), healthy(), explored()] {
            for line in render(&diagnosis, Format::Text, &style).lines() {
                let free = line.trim_start().starts_with("kubectl");
                assert!(free || textwrap::core::display_width(line) <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn colours_only_when_asked() {
    assert!(!text(&cascade()).contains('\u{1b}'));
    let colored = render(&cascade(), Format::Text, &Style { color: true, ..Style::default() });
    assert!(colored.contains("\u{1b}[1m\u{1b}[31mCRITICAL\u{1b}[0m"), "{colored:?}");
    assert_eq!(crate::printable::printable(&colored), text(&cascade()));
}

#[test]
fn names_as_kubectl_prints_them() {
    let mut diagnosis = many(2);
    diagnosis.causes[1].object = ObjectRef::new(Kind::parse("Certificate.cert-manager.io"), "shop", "web");
    let mut pod = diagnosis.causes[0].clone();
    pod.object = ObjectRef::new(Kind::Pod, "shop", "web-1");
    diagnosis.causes.push(pod.clone());
    diagnosis.causes.push(pod);
    insta::assert_snapshot!(render(&diagnosis, Format::Name, &Style::default()), @r#"
    deployment.apps/worker-00
    certificate.cert-manager.io/web
    pod/web-1
    "#);
}

#[test]
fn a_ticket_in_markdown() {
    insta::assert_snapshot!(render(&cascade(), Format::Markdown, &Style::default()), @r#"
    # Diagnosis: 1 cause

    Read in 14 namespaces (312 pods, 6 nodes), 2026-11-23 08:43 UTC. Context `prod-weu`.

    ## 1. Critical: Deployment shop/cart: container `app` can't start: Secret `cart-db` has no key `DB_PASSWORD`, it has `password`

    Since 12m (2026-11-23 08:31 UTC), ×40 pods

    ### Changed before

    - 2026-11-23 08:30 UTC: Secret shop/cart-db, data (by kubectl-edit)

    ### Evidence

    > ```
    > couldn't find key DB_PASSWORD in Secret shop/cart-db
    > ```
    > — `Pod shop/cart-7d9f8b6c5-x2x4z status.containerStatuses[app].state.waiting.message`

    > ```
    > Error: couldn't find key DB_PASSWORD in Secret shop/cart-db
    > ```
    > — `event Failed of Pod shop/cart-7d9f8b6c5-x2x4z`, 2026-11-23 08:42 UTC

    ### What it takes down

    - Service shop/cart: 0 of 40 endpoints are ready (→ Pod cart-7d9f8b6c5-x2x4z → Secret cart-db)
    - Ingress shop/shop: path /cart has no backend (→ Service cart → Pod cart-7d9f8b6c5-x2x4z → Secret cart-db)

    ### Next

    ```sh
    # see which keys it has
    kubectl --context prod-weu -n shop describe secret cart-db
    # go back to the revision before (changes the cluster)
    kubectl --context prod-weu -n shop rollout undo deployment/cart
    ```

    Detector `config-key-missing`, see `kubectl react explain config-key-missing`.
    "#);
    insta::assert_snapshot!(render(&unknown(), Format::Markdown, &Style::default()), @r#"
    # Diagnosis: Unknown

    Read in 14 namespaces (312 pods, 6 nodes), 2026-11-23 08:43 UTC. Context `prod-weu`.

    ## Not read

    - nodes, pods: forbidden
    - log of shop/web-1 (app): timed out
    "#);
}

#[test]
fn what_the_agent_found_out_begins_in_one_column() {
    insta::assert_snapshot!(exploration(&explored(), &Style::default(), false).trim_start(), @r#"
    AGENT     gpt-4.1 at api.openai.com, 1 step
      asked   why does the cart not start?
              The cart waits for a key, see the docs (https://example.com/docs):
              - it asks for `DB_PASSWORD`
              - the Secret has `password`
                kubectl -n shop get secret
              key       wanted
              password  no
      proven  The Secret has no key DB_PASSWORD (secret/cart-db in shop)
              "password:  12 bytes"
                the only key is password, step 1: kubectl describe secret cart-db
                -n shop
              "couldn't find key DB_PASSWORD"
                the container is not created, the detectors
     unproven Somebody renamed the key at noon
                unsupported: no claim of it holds
                unsupported: it was renamed ("renamed": there is no step 9)
                unsupported: by hand
      against the detectors: the model says that Service cart is well
      open    would decide it: the audit log of the API server
      unread  the Deployment's history
      sure    medium: likely, not proven
      suggested by the model: not executed, not reviewed
      # go back to the revision that asks for another key
      kubectl --context prod-weu -n shop rollout undo deployment/cart
      # mind: all pods are replaced
      # dry run: the server would take it: deployment.apps/cart rolled back
      # look into it
      # not a command that can be pasted (`exec` runs a program): kubectl exec cart
      # -- sh
      note    one request was repeated
      cost: 3 requests, 12400 tokens in (1024 cached) and 800 out, 50.0 kB sent,
      0.0300 by the price table, 8.2 s
      kubectl react incidents show 20261126-101500-7f3a
    "#);
}

#[test]
fn a_ticket_has_what_the_agent_found_out() {
    let text = render(&explored(), Format::Markdown, &Style::default());
    insta::assert_snapshot!(text.split_once("## Agent").unwrap().1.trim_start(), @r"
    gpt-4.1 at api.openai.com, 1 step

    Asked: why does the cart not start?

    > The cart waits for a key, see the docs `(https://example.com/docs):`
    >
    > - it asks for `DB_PASSWORD`
    > - the Secret has `password`
    >
    > ```
    > kubectl -n shop get secret
    > ```
    >
    > ```
    > key       wanted
    > password  no
    > ```

    ### Proven: The Secret has no key DB\_PASSWORD (secret/cart-db in shop)

    > ```
    > password:  12 bytes
    > ```
    > — the only key is password, step 1: `kubectl describe secret cart-db -n shop`

    > ```
    > couldn't find key DB_PASSWORD
    > ```
    > — the container is not created, the detectors

    ### Unproven: Somebody renamed the key at noon

    Unsupported: no claim of it holds

    > ```
    > renamed
    > ```
    > — unsupported: it was renamed (there is no step 9), step 9

    > — unsupported: by hand, step 1: `kubectl describe secret cart-db -n shop`

    ### Against the detectors

    - the model says that Service cart is well

    ### What would decide it

    - the audit log of the API server

    ### Not checked

    - the Deployment's history

    The model's confidence is medium: likely, not proven.

    ### Suggested changes

    suggested by the model: not executed, not reviewed

    ```sh
    # go back to the revision that asks for another key
    kubectl --context prod-weu -n shop rollout undo deployment/cart
    # mind: all pods are replaced
    # dry run: the server would take it: deployment.apps/cart rolled back
    ```

    look into it: not a command that can be pasted (`exec` runs a program): kubectl exec cart -- sh

    ### Notes

    - one request was repeated

    cost: 3 requests, 12400 tokens in (1024 cached) and 800 out, 50.0 kB sent, 0.0300 by the price table, 8.2 s

    See `kubectl react incidents show 20261126-101500-7f3a`.
    ");
    assert!(text.find("## 1. Critical").unwrap() < text.find("## Agent").unwrap());
}

#[test]
fn what_is_cut_is_as_wide_as_told() {
    let table = [
        ("short", 5, "short"),
        ("too long", 5, "too…"),
        ("too long", 6, "too l…"),
        ("漢字漢字", 8, "漢字漢字"),
        ("漢字漢字", 7, "漢字漢…"),
        ("漢字漢字", 6, "漢字…"),
        ("🔥🔥", 3, "🔥…"),
        ("a", 0, ""),
        ("ab", 1, "…"),
    ];
    for (text, columns, expected) in table {
        assert_eq!(cut_end(text, columns), expected, "{text} {columns}");
    }
}

#[test]
fn data_formats_hold_the_same() {
    let diagnosis = many(3);
    let json: Diagnosis = serde_json::from_str(&render(&diagnosis, Format::Json, &Style::default())).unwrap();
    assert_eq!(json, diagnosis);
    let yaml: Diagnosis = serde_saphyr::from_str(&render(&diagnosis, Format::Yaml, &Style::default())).unwrap();
    assert_eq!(yaml, diagnosis);
}

const HOSTILE: &[&str] = &[
    "\u{1b}[2J\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://evil\u{1b}\\click\u{1b}]8;;\u{1b}\\",
    "\u{9b}31m\u{90}x\u{9c}",
    "a\r\nb\rc\u{8}\u{8}d\u{0}\u{7f}",
    "\u{202e}gnp.exe\u{202c}\u{2066}x\u{2069}",
    "z\u{200b}w\u{200d}j\u{feff}\u{2028}y",
    "x' ; rm -rf / #",
];

#[test]
fn no_format_passes_a_control_sequence() {
    for bytes in HOSTILE {
        for format in Format::ALL {
            let text = render(&hostile(bytes), format, &Style { verbose: true, ..Style::default() });
            let bad: Vec<char> = text.chars().filter(|c| *c != '\n' && (c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))).collect();
            assert!(bad.is_empty(), "{format}: {bad:?} of {bytes:?}");
        }
    }
}

#[test]
fn a_command_is_one_line() {
    let mut diagnosis = cascade();
    diagnosis.causes[0].commands[0].line = "kubectl get pods\nrm -rf /".into();
    assert!(text(&diagnosis).contains("\n  kubectl get pods rm -rf /\n"));
}

#[test]
fn markdown_forms_no_markup_of_the_clusters() {
    let attacks = [
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "![x](http://evil/p.png)",
        "@everyone",
        "cc @org/team",
        "see https://evil.example/x",
        "www.evil.example",
        "fixes #1",
        "!12",
        "```\n# Owned\n```",
        "~~~\n# Owned",
        "| a | b |\n|---|---|",
        "# Owned",
        "- [ ] task",
        "`` `code` ``",
        "**bold**",
        "$`x`$",
        "<!-- x",
    ];
    for attack in attacks {
        let text = render(&hostile(attack), Format::Markdown, &Style::default());
        let mut fence: Option<usize> = None;
        for line in text.lines() {
            let bare = line.trim_start_matches("> ").trim_start_matches('>');
            let ticks = bare.len() - bare.trim_start_matches('`').len();
            match fence {
                Some(open) if ticks >= open && bare.trim_end().chars().all(|c| c == '`') => fence = None,
                None if ticks >= 3 => fence = Some(ticks),
                Some(_) => {}
                None => {
                    let plain = without_code(line);
                    for mark in ["<", "](", "@", "://", "www.", "**", "~~", "|", "#1", "!1", "$`"] {
                        let found = plain.match_indices(mark).any(|(at, _)| !plain[..at].ends_with('\\'));
                        assert!(!found, "{attack}: `{mark}` in {line}");
                    }
                    assert!(!line.starts_with("# O"), "{line}");
                }
            }
        }
        assert_eq!(fence, None, "{attack}: an open fence in\n{text}");
    }
}

/// The line without its code spans.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let ticks = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let inner = &rest[start + ticks..];
        if rest[..start].ends_with('\\') {
            rest = inner;
            continue;
        }
        let mut end = None;
        let mut from = 0;
        while let Some(at) = inner[from..].find('`') {
            let run = inner[from + at..].len() - inner[from + at..].trim_start_matches('`').len();
            if run == ticks {
                end = Some(from + at + run);
                break;
            }
            from += at + run;
        }
        rest = end.map_or("", |end| &inner[end..]);
    }
    out + rest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn anything_can_be_rendered(bytes in "(?s).{0,60}", width in 0_usize..200) {
        for format in Format::ALL {
            let text = render(&hostile(&bytes), format, &Style { width, ..Style::default() });
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
