//! Tests of the check: what a model makes up, and what it may say.

use super::*;
use crate::agent::testing::start;
use crate::agent::tools::FinishedChange;
use crate::model::{Confidence, Observation};

fn step(number: usize, action: &str, text: &str) -> Step {
    let observation = Observation { text: text.to_owned(), ..Observation::default() };
    let tool = action.split(' ').next().unwrap_or_default().to_owned();
    Step { number, tool, action: action.to_owned(), observation, ..Step::default() }
}

fn failed(number: usize, action: &str, text: &str) -> Step {
    let mut step = step(number, action, text);
    step.observation.failed = true;
    step
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
    checked_with(finished, false)
}

fn checked_with(finished: Finished, asked: bool) -> (Answer, Vec<String>) {
    let start = start();
    let steps = [
        step(1, "kubectl get pods -n shop", "NAME READY STATUS\nweb-7d4-x 0/1 CrashLoopBackOff\napi-5d-y 1/1 Running"),
        step(2, "read_runbook db", "Restart the database when the disk is full."),
        failed(3, "kubectl get services db -n shop", "error: services \"db\" not found"),
        failed(4, "kubectl get pods ghost-pod --gone", "error: `ghost-pod` is no flag"),
        failed(5, "kubectl get pod ghost-pod-77 -n shop", "error: pods \"ghost-pod-77\" not found in namespace shop"),
        failed(6, "kubectl logs web -n shop --since=the-network-is-dead", "error: `the-network-is-dead` can't be read"),
        step(
            7,
            "kubectl get pods -o jsonpath='{\"api-5d-y OOMKilled exit code 137\"}'",
            "api-5d-y OOMKilled exit code 137",
        ),
        step(8, "kubectl get pods -n the-disk-is-full", "No resources found in the-disk-is-full namespace."),
        failed(9, "kubectl get pod 'database disk is full'", "error: pods \"database disk is full\" not found"),
        step(10, "kubectl get deploy ledger -n payments", "NAME READY\nledger 1/1"),
    ];
    let seen = Seen {
        evidence: &start.brief.evidence,
        steps: steps.iter().map(|step| (step, step.tool != "read_runbook")).collect(),
        causes: &start.causes,
        context: "prod",
        asked,
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
        (stated("pod/ghost-pod-77 is gone", "web", "1", &[("5", "pods \"ghost-pod-77\" not found")]), None),
        (
            stated("pod/ghost-pod-77 was OOMKilled", "pod/ghost-pod-77", "0", &good),
            Some("`ghost-pod-77` was asked for and not found, and no claim quotes that"),
        ),
        (
            stated("Pod cart-ghost-42 was OOMKilled on node node-99", "", "0", &good),
            Some("`cart-ghost-42` occurs in nothing that was read"),
        ),
        (
            stated("Pod payments/ledger-ghost-42 died", "", "0", &good),
            Some("`ledger-ghost-42` occurs in nothing that was read"),
        ),
        (
            stated("it lacks memory", "deployment/ledger -n shop", "0", &good),
            Some("`ledger` was read in namespace payments, not in shop"),
        ),
        (stated("it lacks memory", "deployment/ledger -n payments", "0", &good), None),
        (stated("it is full", "node/ledger", "0", &good), Some("`ledger` was read as Deployment, not as Node")),
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
        ("19", "nothing of the kind", "there is no step 19 to quote"),
        ("1", "nothing of the kind", "the quote does not stand in step 1"),
        ("1", "0", "the quote is too short to prove anything"),
        ("1", "web", "the quote is too short to prove anything"),
        ("1", "STATUS", "the quote is too short to prove anything"),
        ("3", "not found", "the quote is too short to prove anything"),
        ("1", "web-7d4-x 0/1 … api-5d-y 1/1", "the quote does not stand in step 1"),
        ("5", "ghost-pod-77", "step 5 has these words from the call itself, which proves nothing"),
        ("6", "the-network-is-dead", "step 6 has these words from the call itself, which proves nothing"),
        ("7", "OOMKilled exit code 137", "step 7 has these words from the call itself, which proves nothing"),
        ("8", "the-disk-is-full namespace", "step 8 has these words from the call itself, which proves nothing"),
        ("9", "database disk is full", "step 9 has these words from the call itself, which proves nothing"),
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
fn what_is_broken_is_not_called_well() {
    let block = [("0", "lookup db: no such host")];
    let good = |statement: &str| stated(statement, "deployment/web -n shop", "1", &block);
    let strange = stated("the deployment/web fails", "web", "1", &[("10", "ledger 1/1")]);
    let table = [
        ("It can't resolve its database.", good("the name is unknown"), None),
        ("web fails. All else is healthy.", good("the name is unknown"), None),
        ("`ledger` works, deployment/web does not.", good("the name is unknown"), None),
        ("All pods in payments are fine.", good("the name is unknown"), None),
        (
            "Everything is healthy; nothing is broken.",
            good("the name is unknown"),
            Some("it says \"Everything is healthy\""),
        ),
        (
            "It fails.",
            good("The Deployment web exists and is fine"),
            Some("it says \"The Deployment web exists and is fine\""),
        ),
        ("It fails.", strange, Some("what it says of cause 1 differs: no claim quotes what was read of it")),
    ];
    for (summary, cause, wrong) in table {
        for (asked, undecided) in [(false, ""), (true, ""), (false, "who knows")] {
            let undecided = undecided.to_owned();
            let finished =
                Finished { summary: summary.to_owned(), causes: vec![cause.clone()], undecided, ..Finished::default() };
            let (answer, _) = checked_with(Finished { confidence: Confidence::High, ..finished }, asked);
            let found = answer.contradictions.first();
            assert_eq!(found.is_some(), wrong.is_some(), "{summary}: {found:?}");
            assert!(found.zip(wrong).is_none_or(|(found, wrong)| found.starts_with(wrong)), "{found:?}");
            assert_eq!(answer.confidence == Confidence::Low, wrong.is_some(), "{summary}: {answer:?}");
        }
    }
    let healthy = Finished { summary: "The cluster is healthy.".to_owned(), ..Finished::default() };
    assert!(!checked_with(healthy, true).0.contradictions.is_empty(), "a question excuses nothing");
}

#[test]
fn each_cause_of_the_detectors_is_looked_for() {
    let mut start = start();
    let first = start.causes[0].clone();
    for number in 0..6 {
        let object = crate::model::ObjectRef::new(crate::model::Kind::Deployment, "shop", &format!("app-{number}"));
        let (summary, fingerprint) = (format!("app-{number} fails"), format!("fingerprint{number}"));
        start.causes.push(Known { fingerprint, summary, object, ..first.clone() });
    }
    let seen = Seen {
        evidence: &start.brief.evidence,
        steps: Vec::new(),
        causes: &start.causes,
        context: "prod",
        asked: false,
    };
    let one = stated("it can't resolve", "web", "1", &[("0", "lookup db: no such host")]);
    let (answer, _) = verify(Finished { causes: vec![one], ..Finished::default() }, &seen);
    assert_eq!(answer.contradictions.last().map(String::as_str), Some("nor of 3 more"), "{:?}", answer.contradictions);
}

#[test]
fn the_summary_names_what_was_read() {
    let missing = [("5", "pods \"ghost-pod-77\" not found")];
    let table = [
        ("web-7d4-x can't resolve `db`.", None),
        ("There is no Pod cart-ghost-42.", None),
        ("Pod ghost-pod-77 is what web waits for.", None),
        ("Pod cart-ghost-42 was OOMKilled.", Some("`cart-ghost-42` occurs in nothing that was read")),
        ("See node/ledger.", Some("`ledger` was read as Deployment, not as Node")),
    ];
    for (summary, wrong) in table {
        let causes = vec![stated("it waits", "deployment/web", "1", &[("0", "lookup db: no such host"), missing[0]])];
        let finished =
            Finished { summary: summary.to_owned(), causes, confidence: Confidence::High, ..Finished::default() };
        let (answer, problems) = checked(finished);
        let expected = wrong.map_or(Standing::Unchecked, |why| Standing::Unsupported { why: why.to_owned() });
        assert_eq!(answer.summary_standing, expected, "{summary}");
        assert_eq!(
            problems.iter().any(|problem| problem.starts_with("the summary: ")),
            wrong.is_some(),
            "{problems:?}"
        );
        assert_eq!(answer.confidence == Confidence::Low, wrong.is_some(), "{summary}: {answer:?}");
        let written = serde_json::to_string(&answer).unwrap();
        assert_eq!(written.contains("summaryStanding"), wrong.is_some(), "{written}");
        assert_eq!(serde_json::from_str::<Answer>(&written).unwrap(), answer);
    }
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
        ("kubectl rollout restart deployment/web -n ghost-ns", None, 1),
        ("kubectl create secret generic db --from-literal=a=b -n nowhere", None, 1),
        ("kubectl rollout restart pod/ghost-pod-77 -n shop", None, 1),
        ("kubectl patch deployment web -n shop -p '{\"spec\":{\"replicas\":0}}'", None, 1),
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
