//! Runs by script: what a model may do wrong, and that each of it ends in an answer.

use serde_json::{Value, json};

use crate::agent::budget::{Limits, Price};
use crate::agent::chat::ModelError;
use crate::agent::pulse::Live;
use crate::agent::replay::Recording;
use crate::agent::testing::{
    Clock, Kept, Line, Scripted, asks, calls, fails, finishes, play, play_by, redactor, says, start, toolbox,
};
use crate::agent::{Reading, Start, World};
use crate::model::chat::{Call, ChatReply, ChatRequest, Finish, Message};
use crate::model::{Confidence, Ended, Exploration, Observation, Standing};

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
        (Limits { tokens: 6_000, ..Limits::default() }, Ended::Tokens),
        (Limits { cost: Some(0.006), ..Limits::default() }, Ended::Cost),
        (Limits { seconds: 5, ..Limits::default() }, Ended::Time),
    ];
    let clock = Clock(vec![Reading::default(), Reading { elapsed: 6_000, interrupts: 0 }]);
    for (limits, ended) in limits {
        let price = Some(Price { input: 1.0, cached: 1.0, output: 1.0 });
        let start = Start { limits, price, ..start() };
        let script = vec![asks("get pods -n shop"), finishes(answer()), finishes(answer())];
        let clock = if ended == Ended::Time { &clock } else { &Clock::default() };
        let (run, asked) = play_by(&start, script, &[PODS], clock).await;
        assert_eq!(run.ended, ended);
        assert!(run.answer.is_some(), "{ended:?}");
        let last = asked.last().unwrap();
        assert_eq!(last.must_call.as_deref(), Some("finish"));
        assert_eq!(last.tools.len(), 1, "the tools are gone");
        assert!(run.notes.iter().any(|note| note.contains("used up")), "{:?}", run.notes);
        let (tokens, cost) = (run.usage.input_tokens + run.usage.output_tokens, run.usage.cost.unwrap());
        assert!(tokens <= limits.tokens && limits.cost.is_none_or(|limit| cost <= limit), "{ended:?}: {:?}", run.usage);
    }
}

#[tokio::test]
async fn where_one_question_costs_more_than_there_is_nothing_is_asked() {
    let start = Start { limits: Limits { tokens: 1_000, ..Limits::default() }, ..start() };
    let (run, asked) = play(&start, vec![finishes(answer())], &[]).await;
    assert_eq!((run.ended, asked.len(), run.usage.requests), (Ended::Tokens, 0, 0));
    assert!(run.notes.iter().any(|note| note.contains("too little for one more question")), "{:?}", run.notes);
}

/// The time is over while a tool works.
#[tokio::test]
async fn a_tool_is_cut_off_when_the_time_is_over_and_plays_again_so() {
    struct Slow(crate::agent::tools::Toolbox);
    impl crate::agent::tools::Hands for Slow {
        fn specs(&self) -> Vec<crate::model::chat::ToolSpec> {
            self.0.specs()
        }
        fn told(&self, call: &Call) -> String {
            self.0.told(call)
        }
        fn proves(&self, tool: &str) -> bool {
            self.0.proves(tool)
        }
        fn act<'a>(&'a self, _: usize, _: &'a Call) -> futures::future::BoxFuture<'a, (Observation, u64)> {
            Box::pin(std::future::pending())
        }
    }
    let start = Start { limits: Limits { seconds: 1, ..Limits::default() }, ..start() };
    let many = |_: &ChatRequest| {
        let call = |n: usize| Call {
            id: format!("c{n}"),
            name: "kubectl".to_owned(),
            arguments: format!("{{\"command\":\"get pods -n n{n}\"}}"),
        };
        Ok(ChatReply { calls: (0..3).map(call).collect(), ..ChatReply::default() })
    };
    let script: Vec<Line> = vec![Box::new(many), finishes(answer()), finishes(answer())];
    let (model, hands, redactor, pulse) = (Scripted::new(script), Slow(toolbox(&[])), redactor(), Live::default());
    let journal = Kept::default();
    let world =
        World { model: &model, hands: &hands, pulse: &pulse, journal: &journal, events: &|_| {}, redactor: &redactor };
    let live = crate::agent::run(&start, &world).await;
    assert_eq!((live.ended, live.steps.len(), live.answer.is_some()), (Ended::Time, 1, true), "{live:?}");
    assert_eq!(live.steps[0].observation.text, "error: the time is over");
    let (turns, steps) = (journal.turns.lock().unwrap().clone(), journal.steps.lock().unwrap().clone());
    let again = Recording { start, turns, steps, millis: live.usage.millis }.replay(&redactor, &|_| {}).await;
    assert_eq!(again, live);
}

#[tokio::test]
async fn one_answer_is_taken_from_a_turn_and_none_is_lost() {
    let mut lie = answer();
    lie["causes"][0]["claims"][1]["quote"] = json!("web-7d4-x 1/1 Running");
    let twice = {
        let arguments = lie.to_string();
        move |_: &ChatRequest| {
            let call = |n: usize| Call { id: format!("c{n}"), name: "finish".to_owned(), arguments: arguments.clone() };
            Ok(ChatReply { calls: vec![call(1), call(2)], ..ChatReply::default() })
        }
    };
    let script: Vec<Line> = vec![asks("get pods -n shop"), Box::new(twice), finishes(answer())];
    let (run, asked) = play(&start(), script, &[PODS]).await;
    assert_eq!((asked.len(), run.answer.unwrap().causes[0].standing.clone()), (3, Standing::Supported));
    assert!(texts(&asked[2]).contains("your answer was sent back"));
    // It is sent back, and then the model only talks.
    let talk = (0..9).map(|_| says("I think that is what it is."));
    let script = [asks("get pods -n shop"), finishes(lie)].into_iter().chain(talk).collect();
    let (run, _) = play(&start(), script, &[PODS]).await;
    let found = run.answer.unwrap();
    assert_eq!((found.causes.len(), found.changes.len()), (1, 1), "{found:?}");
}

#[tokio::test]
async fn an_explanation_in_prose_is_taken_after_one_reminder() {
    let start = Start { explain_only: true, ..start() };
    let (run, asked) = play(&start, vec![says("It can't resolve db."), says("It can't resolve db.")], &[]).await;
    assert_eq!((run.ended, asked.len()), (Ended::Answered, 2));
    assert_eq!(run.answer.unwrap().summary, "It can't resolve db.");
}

#[tokio::test]
async fn what_was_shortened_is_shown_again_when_it_is_asked_for() {
    let long = |mark: &str| format!("{}\n{mark}: the host of the database\n", "a quiet line\n".repeat(700));
    let (one, two, three, four) = (long("one"), long("two"), long("three"), long("four"));
    let answers = [
        ("kubectl logs a -n shop", one.as_str()),
        ("kubectl logs b -n shop", two.as_str()),
        ("kubectl logs c -n shop", three.as_str()),
        ("kubectl logs d -n shop", four.as_str()),
    ];
    let mut script: Vec<Line> = ["a", "b", "c", "d", "a"].map(|pod| asks(&format!("logs {pod} -n shop"))).into();
    script.extend([finishes(answer()), finishes(answer())]);
    let start = Start { window: 9_000, ..start() };
    let (run, asked) = play(&start, script, &answers).await;
    assert!(!texts(&asked[4]).contains("one: the host"), "{}", texts(&asked[4]));
    assert!(texts(&asked[4]).contains("the same call again shows it whole"));
    assert!(texts(&asked[5]).contains("one: the host"));
    assert_eq!((run.ended, run.steps.len()), (Ended::Answered, 4), "no step of its own");
}

#[tokio::test]
async fn a_window_that_is_too_small_is_told_plainly() {
    let too_long = || fails(ModelError::TooLong { reason: "too long (status 400)".to_owned(), window: None });
    let (run, asked) = play(&start(), (0..9).map(|_| too_long()).collect(), &[]).await;
    assert_eq!(run.ended, Ended::ModelFailed);
    assert!(asked.len() <= 3, "the same is not asked again: {}", asked.len());
    assert!(run.notes.iter().all(|note| !note.contains("status 400")), "{:?}", run.notes);
    assert!(run.notes.iter().any(|note| note.contains("the window of this model")), "{:?}", run.notes);
    let question = format!("why? {}", "a line of a log ".repeat(4_000));
    let start = Start { question: Some(question), ..start() };
    let (run, asked) = play(&start, vec![finishes(answer()), finishes(answer())], &[]).await;
    assert!(serde_json::to_vec(&asked[0]).unwrap().len() < 16_000 * 3);
    assert!(run.notes.iter().any(|note| note.contains("the question is too long")), "{:?}", run.notes);
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
        let call =
            Call { id: "x".to_owned(), name: "finish".to_owned(), arguments: "{\"summary\": \"it is bro".to_owned() };
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
    let (run, asked) = play(&start(), vec![filtered(), filtered(), finishes(answer())], &[]).await;
    assert!(texts(&asked[0]).contains("no such host") && !texts(&asked[1]).contains("no such host"));
    assert!(texts(&asked[1]).contains("network/db.md") && !texts(&asked[2]).contains("network/db.md"));
    assert!(run.answer.is_some(), "the causes alone can be talked about");
    let (run, _) = play(&start(), (0..3).map(|_| filtered()).collect(), &[]).await;
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
        let call = |n: usize| Call {
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
