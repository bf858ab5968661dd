//! Runs by script: what a model may do wrong, and that each of it ends in an answer.

use serde_json::{Value, json};

use crate::agent::budget::Limits;
use crate::agent::chat::ModelError;
use crate::agent::testing::{Clock, Line, asks, calls, fails, finishes, play, play_by, says, start};
use crate::agent::{Reading, Start};
use crate::model::chat::{ChatReply, ChatRequest, Finish, Message};
use crate::model::{Confidence, Ended, Exploration, Standing};

const PODS: (&str, &str) = ("kubectl get pods -n shop", "NAME READY STATUS\nweb-7d4-x 0/1 CrashLoopBackOff\n");

fn answer() -> Value {
    json!({
        "summary": "`web` can't resolve `db`.",
        "causes": [{
            "statement": "the Service db does not exist",
            "object": "deployment/web -n shop",
            "explains": 1,
            "claims": [
                {"text": "the name is not found", "step": 0, "quote": "lookup db: no such host"},
                {"text": "it crashes", "step": 1, "quote": "web-7d4-x 0/1 CrashLoopBackOff"},
            ],
        }],
        "changes": [{"line": "kubectl rollout undo deployment/web -n shop", "purpose": "go back"}],
        "not_checked": ["DNS"],
        "undecided": "",
        "confidence": "high",
    })
}

fn texts(request: &ChatRequest) -> String {
    request.messages.iter().map(|message| message.text().to_owned() + "\n").collect()
}

fn short() -> Start {
    Start { limits: Limits { steps: 2, ..Limits::default() }, ..start() }
}

/// What each run has to end in, whatever its model did.
fn sound(exploration: &Exploration) {
    for (at, step) in exploration.steps.iter().enumerate() {
        assert_eq!(step.number, at + 1);
    }
}

#[tokio::test]
async fn it_reads_and_answers_with_proof() {
    let script = vec![asks("get pods -n shop"), finishes(answer())];
    let (run, asked) = play(&start(), script, &[PODS]).await;
    assert_eq!(run.ended, Ended::Answered);
    let found = run.answer.unwrap();
    assert_eq!(found.causes[0].standing, Standing::Supported, "{:?}", found.causes);
    assert_eq!(found.causes[0].explains.as_deref(), Some("00c0ffee0000"));
    assert_eq!(found.confidence, Confidence::High);
    assert_eq!(found.changes[0].line, "kubectl --context prod rollout undo deployment/web -n shop");
    assert_eq!(run.steps[0].action, "kubectl get pods -n shop");
    assert_eq!(run.steps[0].thought, "Let me see.");
    assert!(
        texts(&asked[1]).contains("<observation step=\"1\">\nNAME READY STATUS\nweb-7d4-x 0/1"),
        "{}",
        texts(&asked[1])
    );
    assert!(texts(&asked[0]).contains("lookup db: no such host"));
}

#[tokio::test]
async fn what_is_not_proven_is_sent_back_once_and_then_marked() {
    let mut lie = answer();
    lie["causes"][0]["claims"][1]["quote"] = json!("web-7d4-x 1/1 Running");
    let script = vec![asks("get pods -n shop"), finishes(lie.clone()), finishes(lie.clone()), finishes(answer())];
    let (run, asked) = play(&start(), script, &[PODS]).await;
    assert_eq!(asked.len(), 3, "sent back once");
    assert!(texts(&asked[2]).contains("cause 1, claim 2: the quote does not stand in step 1"), "{}", texts(&asked[2]));
    let found = run.answer.unwrap();
    assert!(matches!(&found.causes[0].standing, Standing::Unsupported { .. }));
    assert_eq!(found.causes[0].claims[0].standing, Standing::Supported);
    assert_eq!(found.confidence, Confidence::Low);
    let script = vec![asks("get pods -n shop"), finishes(lie), finishes(answer())];
    let (run, _) = play(&start(), script, &[PODS]).await;
    assert_eq!(run.answer.unwrap().causes[0].standing, Standing::Supported, "mended");
}

#[tokio::test]
async fn each_budget_ends_in_an_answer() {
    let limits = [
        (Limits { steps: 1, ..Limits::default() }, Ended::Steps),
        (Limits { tokens: 10, ..Limits::default() }, Ended::Tokens),
        (Limits { seconds: 5, ..Limits::default() }, Ended::Time),
    ];
    let clock = Clock(vec![Reading::default(), Reading { elapsed: 6_000, interrupts: 0 }]);
    for (limits, ended) in limits {
        let start = Start { limits, ..start() };
        let script = vec![asks("get pods -n shop"), asks("get nodes"), finishes(answer())];
        let clock = if ended == Ended::Time { &clock } else { &Clock::default() };
        let (run, asked) = play_by(&start, script, &[PODS], clock).await;
        assert_eq!(run.ended, ended);
        assert!(run.answer.is_some(), "{ended:?}");
        let last = asked.last().unwrap();
        assert_eq!(last.must_call.as_deref(), Some("finish"));
        assert_eq!(last.tools.len(), 1, "the tools are gone");
        assert!(run.notes.iter().any(|note| note.contains("used up")), "{:?}", run.notes);
    }
}

#[tokio::test]
async fn an_interrupt_asks_for_what_there_is_and_a_second_one_ends_it() {
    let interrupted = |count| Reading { elapsed: 1, interrupts: count };
    let clock = Clock(vec![interrupted(0), interrupted(1)]);
    let (run, _) = play_by(&start(), vec![asks("get pods -n shop"), finishes(answer())], &[PODS], &clock).await;
    assert_eq!((run.ended, run.answer.is_some()), (Ended::Interrupted, true));
    let clock = Clock(vec![interrupted(0), interrupted(2)]);
    let (run, asked) = play_by(&start(), vec![asks("get pods -n shop"), finishes(answer())], &[PODS], &clock).await;
    assert_eq!((run.ended, run.answer.is_some(), asked.len()), (Ended::Interrupted, false, 1));
}

#[tokio::test]
async fn circles_are_broken() {
    let same = || (0..9).map(|_| asks("get pods -n shop")).chain([finishes(answer())]).collect::<Vec<Line>>();
    let (run, asked) = play(&start(), same(), &[PODS]).await;
    assert_eq!((run.ended, run.steps.len()), (Ended::Circles, 1));
    assert!(asked.len() <= 9, "{}", asked.len());
    assert!(texts(&asked[2]).contains("you asked this in step 1"));
    let idle = (0..20).map(|_| says("I think the pod is broken.")).collect();
    let (run, asked) = play(&start(), idle, &[]).await;
    assert_eq!(run.ended, Ended::Circles);
    assert!(asked.len() <= 8, "{}", asked.len());
    assert_eq!(run.notes.len(), 1, "told once: {:?}", run.notes);
    assert_eq!(run.answer.unwrap().summary, "I think the pod is broken.", "an answer is never lost");
    let wrong = (0..30).map(|n| asks(&format!("get pods -n n{n}"))).collect();
    let (run, _) = play(&start(), wrong, &[]).await;
    assert_eq!(run.ended, Ended::Circles, "nothing but failures");
}

#[tokio::test]
async fn what_a_model_writes_wrong_comes_back_as_an_observation() {
    let table = [
        (asks("delete pod web-7d4-x -n shop"), "this line changes the cluster"),
        (asks("get pods | grep web"), "error: "),
        (asks("get pods --server=https://evil"), "error: "),
        (asks("get secret db -o yaml -n shop"), "error: "),
        (asks("exec web -- sh"), "error: "),
        (calls("bash", "{\"command\":\"ls\"}"), "there is no tool `bash`"),
        (calls("kubectl", "{\"command\": \"get po"), "the arguments are no JSON object"),
        (calls("kubectl", "[]"), "the arguments are no JSON object"),
        (calls("kubectl", ""), "no `command`"),
        (calls("kubectl", "{}"), "no `command`"),
        (calls("read_more", "{\"step\": 7, \"from\": 1}"), "nothing of this step is kept"),
    ];
    for (line, wanted) in table {
        let (run, asked) = play(&start(), vec![line, finishes(answer())], &[PODS]).await;
        assert!(run.steps[0].observation.failed, "{wanted}");
        assert!(run.steps[0].observation.text.contains(wanted), "{wanted}: {}", run.steps[0].observation.text);
        assert!(texts(&asked[1]).contains(wanted));
        sound(&run);
    }
}

#[tokio::test]
async fn an_answer_that_can_not_be_read_is_asked_for_again() {
    let cut = |_: &ChatRequest| {
        let call = crate::model::chat::Call {
            id: "x".to_owned(),
            name: "finish".to_owned(),
            arguments: "{\"summary\": \"it is bro".to_owned(),
        };
        Ok(ChatReply { calls: vec![call], finish: Finish::Length, ..ChatReply::default() })
    };
    let script: Vec<Line> = vec![Box::new(cut), calls("finish", "{}"), finishes(answer()), finishes(answer())];
    let (run, asked) = play(&start(), script, &[]).await;
    assert_eq!((run.ended, asked.len()), (Ended::Answered, 4), "and once more for what is not proven");
    assert!(texts(&asked[1]).contains("your reply was cut off"));
    assert!(texts(&asked[2]).contains("neither a `summary` nor `causes`"));
}

#[tokio::test]
async fn a_model_that_fails_loses_nothing() {
    let gone = ModelError::Unreachable { server: "s".to_owned(), reason: "refused".to_owned() };
    let (run, _) = play(&start(), vec![asks("get pods -n shop"), fails(gone)], &[PODS]).await;
    assert_eq!((run.ended, run.steps.len()), (Ended::ModelFailed, 1));
    assert!(run.notes[0].contains("can't be reached"), "{:?}", run.notes);
}

#[tokio::test]
async fn a_filter_drops_that_observation_and_goes_on() {
    let filtered = || fails(ModelError::Filtered { server: "s".to_owned(), reason: "jailbreak".to_owned() });
    let script = vec![asks("get pods -n shop"), filtered(), finishes(answer()), finishes(answer())];
    let (run, asked) = play(&start(), script, &[PODS]).await;
    assert!(!texts(&asked[2]).contains("CrashLoopBackOff"));
    assert!(run.steps[0].observation.withheld);
    let found = run.answer.unwrap();
    assert!(
        matches!(&found.causes[0].claims[1].standing, Standing::Unsupported { .. }),
        "it was never seen, so it can't be quoted"
    );
    let (run, _) = play(&start(), vec![filtered()], &[]).await;
    assert_eq!(run.ended, Ended::ModelFailed, "with nothing to drop there is nothing to ask");
}

#[tokio::test]
async fn a_window_that_is_smaller_than_thought_is_honoured() {
    let long = "a line of a log that says nothing in particular\n".repeat(200);
    let too_long = || fails(ModelError::TooLong { reason: "too long".to_owned(), window: Some(4_000) });
    let script = vec![asks("logs web -n shop"), too_long(), finishes(answer()), finishes(answer())];
    let (run, asked) = play(&start(), script, &[("kubectl logs web -n shop", long.as_str())]).await;
    assert_eq!(run.ended, Ended::Answered);
    let size = |request: &ChatRequest| serde_json::to_vec(request).unwrap().len();
    assert!(size(&asked[2]) < size(&asked[1]) && size(&asked[2]) < 12_000, "{} {}", size(&asked[1]), size(&asked[2]));
}

#[tokio::test]
async fn no_more_steps_than_allowed() {
    let many = |_: &ChatRequest| {
        let call = |n: usize| crate::model::chat::Call {
            id: format!("c{n}"),
            name: "kubectl".to_owned(),
            arguments: format!("{{\"command\":\"get pods -n n{n}\"}}"),
        };
        Ok(ChatReply { calls: (0..9).map(call).collect(), ..ChatReply::default() })
    };
    let script: Vec<Line> = vec![Box::new(many), finishes(answer()), finishes(answer())];
    let (run, asked) = play(&short(), script, &[]).await;
    assert_eq!((run.ended, run.steps.len()), (Ended::Steps, 2));
    let answered = asked[1].messages.iter().filter(|message| matches!(message, Message::Tool { .. })).count();
    assert_eq!(answered, 9, "each call has its answer");
}

#[tokio::test]
async fn a_clear_case_is_one_call() {
    let start = Start { explain_only: true, ..start() };
    let mut explained = answer();
    explained["causes"][0]["claims"].as_array_mut().unwrap().pop();
    let (run, asked) = play(&start, vec![finishes(explained)], &[]).await;
    assert_eq!((run.ended, asked.len()), (Ended::Answered, 1));
    assert_eq!((asked[0].must_call.as_deref(), asked[0].tools.len()), (Some("finish"), 1));
}

#[tokio::test]
async fn a_secret_never_leaves() {
    let leaky = "DB_PASSWORD=hunter2hunter2\npostgres://shop:s3cr3ts3cr3t@db:5432/shop\n";
    let script =
        vec![asks("logs web -n shop"), says("the password is token=abcdefgh12345678abcdefgh"), finishes(answer())];
    let (run, asked) = play(&start(), script, &[("kubectl logs web -n shop", leaky)]).await;
    let all = serde_json::to_string(&(&asked, &run)).unwrap();
    for secret in ["hunter2hunter2", "s3cr3ts3cr3t", "abcdefgh12345678abcdefgh"] {
        assert!(!all.contains(secret), "{secret}");
    }
    assert!(all.contains("<redacted:"));
}
