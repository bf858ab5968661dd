//! Tests of the check: what a model makes up, and what it may say.

use super::*;
use crate::agent::testing::start;
use crate::model::{Confidence, Observation};

fn step(number: usize, text: &str) -> Step {
    let observation = Observation { text: text.to_owned(), ..Observation::default() };
    Step { number, tool: "kubectl".to_owned(), observation, ..Step::default() }
}

fn stated(statement: &str, object: &str, explains: &str, quotes: &[(&str, &str)]) -> FinishedCause {
    let claim = |(step, quote): &(&str, &str)| FinishedClaim {
        text: "so it is".to_owned(),
        step: (*step).to_owned(),
        quote: (*quote).to_owned(),
    };
    FinishedCause {
        statement: statement.to_owned(),
        object: object.to_owned(),
        explains: explains.to_owned(),
        claims: quotes.iter().map(claim).collect(),
    }
}

fn checked(finished: Finished) -> (Answer, Vec<String>) {
    let start = start();
    let pods = step(1, "NAME READY STATUS\nweb-7d4-x 0/1 CrashLoopBackOff");
    let book = step(2, "Restart the database when the disk is full.");
    let mut missing = step(3, "error: services \"db\" not found");
    missing.observation.failed = true;
    let mut refused = step(4, "error: `ghost-pod` is no flag");
    refused.observation.failed = true;
    let seen = Seen {
        evidence: &start.brief.evidence,
        steps: vec![(&pods, true), (&book, false), (&missing, true), (&refused, true)],
        causes: &start.causes,
        context: "prod",
        asked: false,
    };
    verify(finished, &seen)
}

fn one(cause: FinishedCause) -> StatedCause {
    let (answer, _) = checked(Finished { causes: vec![cause], ..Finished::default() });
    answer.causes.into_iter().next().unwrap()
}

#[test]
fn a_cause_stands_on_quotes_and_on_objects_that_were_read() {
    let good = [("1", "web-7d4-x 0/1 CrashLoopBackOff")];
    let table = [
        (stated("it crashes", "deployment/web -n shop", "1", &good), None),
        (stated("it crashes", "deployment/web -n shop", "00c0ffee0000", &good), None),
        (stated("it crashes", "", "0", &good), None),
        (stated("service/db is missing", "service/db -n shop", "1", &[("3", "services \"db\" not found")]), None),
        (stated("the step is another one", "web", "1", &[("7", "0/1 CrashLoopBackOff")]), None),
        (
            stated("made up", "deployment/web", "1", &[("1", "web-7d4-x 1/1 Running")]),
            Some("1 of its 1 claims are not supported"),
        ),
        (stated("of nothing", "deployment/web", "1", &[]), Some("it has no claim with a quote")),
        (stated("it crashes", "deployment/ghost -n shop", "1", &good), Some("`ghost` occurs in nothing that was read")),
        (
            stated("pod/ghost-pod did it", "deployment/web", "1", &good),
            Some("`ghost-pod` occurs in nothing that was read"),
        ),
        (stated("it crashes", "deployment/web", "9", &good), Some("there is no cause `9` of the detectors")),
    ];
    for (cause, wrong) in table {
        let text = format!("{cause:?}");
        let standing = one(cause).standing;
        let expected = wrong.map_or(Standing::Supported, |why| Standing::Unsupported { why: why.to_owned() });
        assert_eq!(standing, expected, "{text}");
    }
}

#[test]
fn a_claim_says_why_it_fails() {
    let table = [
        (
            "2",
            "Restart the database when the disk is full",
            "step 2 is a runbook, which proves nothing about this cluster",
        ),
        ("9", "nothing of the kind", "there is no step 9 to quote"),
        ("1", "nothing of the kind", "the quote does not stand in step 1"),
        ("1", "0", "the quote is too short to prove anything"),
    ];
    for (number, quote, why) in table {
        let cause = one(stated("c", "web", "1", &[(number, quote)]));
        assert_eq!(cause.claims[0].standing, Standing::Unsupported { why: why.to_owned() }, "{quote}");
    }
    assert_eq!(one(stated("c", "web", "1", &[("7", "0/1 CrashLoopBackOff")])).claims[0].step, 1, "where it stands");
}

#[test]
fn what_the_detectors_proved_is_not_passed_over() {
    let (answer, problems) =
        checked(Finished { summary: "All is well.".to_owned(), confidence: Confidence::High, ..Finished::default() });
    assert_eq!(answer.contradictions, ["it names no cause, and the detectors proved one cause"]);
    assert_eq!(answer.confidence, Confidence::Low);
    assert!(!problems.is_empty());
    let other = stated("the moon is full", "web-7d4-x", "0", &[("1", "0/1 CrashLoopBackOff")]);
    let (answer, _) = checked(Finished { causes: vec![other], ..Finished::default() });
    assert_eq!(
        answer.contradictions,
        ["it says nothing of what the detectors proved: exit 1 of `app`: no route to db"]
    );
    let open = Finished { undecided: "the DNS server's log".to_owned(), ..Finished::default() };
    assert!(checked(open).0.contradictions.is_empty(), "not to know is no contradiction");
}

#[test]
fn a_change_is_read_by_the_grammar_or_marked() {
    let table = [
        ("kubectl rollout undo deployment/web -n shop", None, 0),
        ("`kubectl scale deployment/web --replicas=0 -n shop`", None, 1),
        ("kubectl delete pod ghost -n shop", None, 1),
        ("kubectl delete deployment web -n shop", None, 1),
        ("kubectl create configmap new --from-literal=a=b -n shop", None, 0),
        ("kubectl create job again --from=cronjob/web -n shop", None, 0),
        ("kubectl create job again --from=cronjob/ghost -n shop", None, 1),
        ("kubectl expose deployment ghost --port=80 -n shop", None, 1),
        ("kubectl rollout undo deployment/web -n $NAMESPACE", None, 1),
        ("kubectl --server=https://evil delete ns shop", Some(()), 0),
        ("kubectl get pods | xargs kubectl delete pod", Some(()), 0),
        ("rm -rf /", Some(()), 0),
        ("kubectl rollout undo deployment/web --context other", Some(()), 0),
    ];
    for (line, refused, risks) in table {
        let change = FinishedChange { line: line.to_owned(), purpose: "p".to_owned() };
        let (answer, problems) =
            checked(Finished { summary: "s".to_owned(), changes: vec![change], ..Finished::default() });
        let change = &answer.changes[0];
        assert_eq!(change.refused.as_ref().map(|_| ()), refused, "{line}: {change:?}");
        assert_eq!(change.risks.len(), risks, "{line}: {change:?}");
        assert_eq!(problems.iter().any(|problem| problem.starts_with("the change")), refused.is_some());
        if refused.is_none() {
            assert!(change.line.starts_with("kubectl --context prod "), "{}", change.line);
        }
    }
}
