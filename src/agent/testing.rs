//! What tests of the agent share: a start, a model that says what it is told to, tools that return it.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::json;

use super::budget::Limits;
use super::chat::{Heard, Hearing, Identity, Model, ModelError};
use super::tools::kubectl::{Kubectl, Reads};
use super::tools::{Output, ToolError, Toolbox};
use super::{Brief, Journal, Known, Pulse, Reading, Start, World, run};
use crate::kubectl::Read;
use crate::model::chat::{Call, ChatReply, ChatRequest};
use crate::model::{Diagnosis, Exploration, Kind, ObjectRef, Severity, Step, Turn};
use crate::redact::{Redacted, Redactor};

pub(super) const EVIDENCE: &str = "\
context prod, all namespaces, read at 2026-11-26T10:00:00Z: 40 objects, 3 pods, 1 nodes
cause 1 [critical] deployment/web -n shop: exit 1 of `app`: no route to db
  log of pod/web-7d4-x [app]: dial tcp: lookup db: no such host
";

/// A start with one cause.
pub(super) fn start() -> Start {
    Start {
        prompt_version: "1".to_owned(),
        system: "You are the agent.".to_owned(),
        brief: Brief { evidence: EVIDENCE.to_owned(), advice: "cause 1: network/db.md\n".to_owned() },
        question: None,
        context: "prod".to_owned(),
        causes: vec![Known {
            fingerprint: "00c0ffee0000".to_owned(),
            summary: "exit 1 of `app`: no route to db".to_owned(),
            object: ObjectRef::new(Kind::Deployment, "shop", "web"),
            culprit: None,
            severity: Severity::Critical,
        }],
        explain_only: false,
        tools: toolbox(&[]).specs_for_tests(),
        advice: vec!["finish".to_owned()],
        limits: Limits::default(),
        price: None,
        currency: "USD".to_owned(),
        model: "m".to_owned(),
        server: "s".to_owned(),
        window: 16_000,
    }
}

/// A diagnosis with one cause that is proven, and a runbook for it.
pub(super) fn diagnosis() -> Diagnosis {
    let cause = json!({
        "fingerprint": "00c0ffee0000", "detector": "oom-killed", "severity": "critical", "stage": "start",
        "object": {"kind": "Pod", "namespace": "shop", "name": "web-1"}, "summary": "out of memory", "count": 1,
        "evidence": [], "consequences": [], "changes": [], "commands": [],
        "runbooks": [{"library": "builtin", "path": "oom.md", "commit": "1", "blob": "2", "title": "OOM",
            "status": "active", "score": 1.0, "why": "detector oom-killed"}],
    });
    let diagnosis = json!({
        "schemaVersion": "1", "context": "prod", "takenAt": "2026-11-26T10:00:00Z", "verdict": "unhealthy",
        "causes": [cause], "gaps": [], "silenced": 0, "counts": {"objects": 1, "pods": 1, "nodes": 1, "namespaces": 1},
    });
    serde_json::from_value(diagnosis).unwrap()
}

/// Answers lines with these texts.
struct Canned(Vec<(String, String)>);

impl Reads for Canned {
    fn read<'a>(&'a self, line: &'a Read, _: Option<&'a str>) -> BoxFuture<'a, Result<Output, ToolError>> {
        let line = line.to_string();
        let found = self.0.iter().find(|(known, _)| *known == line).map(|(_, text)| text.clone());
        Box::pin(async move {
            match found {
                Some(text) => Ok(Output { text, note: None }),
                None => {
                    Err(ToolError::new("Error from server (NotFound): no such thing").hinted("look at what there is"))
                }
            }
        })
    }
}

pub(super) fn redactor() -> Redactor {
    Redactor::new([7; 32])
}

/// Tools on these answers.
pub(super) fn toolbox(answers: &[(&str, &str)]) -> Toolbox {
    let canned = answers.iter().map(|(line, text)| ((*line).to_owned(), (*text).to_owned())).collect();
    let kubectl = Kubectl::new(Arc::new(Canned(canned)));
    Toolbox::new(vec![Box::new(kubectl)], redactor(), 16_000)
}

impl Toolbox {
    fn specs_for_tests(&self) -> Vec<crate::model::chat::ToolSpec> {
        use super::tools::Hands as _;
        self.specs()
    }
}

/// What a scripted model does in a turn.
pub(super) type Line = Box<dyn Fn(&ChatRequest) -> Result<ChatReply, ModelError> + Send + Sync>;

/// A model that follows a script; at its end it says nothing.
pub(super) struct Scripted {
    identity: Identity,
    script: Mutex<std::collections::VecDeque<Line>>,
    pub(super) asked: Mutex<Vec<ChatRequest>>,
}

impl Scripted {
    pub(super) fn new(script: Vec<Line>) -> Scripted {
        Scripted {
            identity: Identity { model: "m".to_owned(), server: "s".to_owned(), window: 16_000 },
            script: Mutex::new(script.into()),
            asked: Mutex::default(),
        }
    }
}

impl Model for Scripted {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn turn<'a>(
        &'a self,
        request: &'a Redacted<ChatRequest>,
        heard: &'a Hearing<'a>,
    ) -> BoxFuture<'a, Result<ChatReply, ModelError>> {
        self.asked.lock().unwrap().push((**request).clone());
        let line = self.script.lock().unwrap().pop_front();
        let reply = line.map_or_else(|| Ok(ChatReply::default()), |line| line(request));
        if let Ok(reply) = &reply {
            heard(Heard::Said(&reply.text));
        }
        Box::pin(async move { reply })
    }
}

/// Says this.
pub(super) fn says(text: &str) -> Line {
    let text = text.to_owned();
    Box::new(move |_| Ok(ChatReply { text: text.clone(), ..ChatReply::default() }))
}

/// Calls `kubectl`.
pub(super) fn asks(line: &str) -> Line {
    let arguments = json!({ "command": line }).to_string();
    calls("kubectl", &arguments)
}

/// Calls a tool.
pub(super) fn calls(name: &str, arguments: &str) -> Line {
    let call = Call { id: String::new(), name: name.to_owned(), arguments: arguments.to_owned() };
    Box::new(move |_| {
        Ok(ChatReply { text: "Let me see.".to_owned(), calls: vec![call.clone()], ..ChatReply::default() })
    })
}

/// Ends with this answer.
pub(super) fn finishes(answer: serde_json::Value) -> Line {
    calls("finish", &answer.to_string())
}

/// Fails.
pub(super) fn fails(error: ModelError) -> Line {
    Box::new(move |_| Err(error.clone()))
}

/// A clock that a test sets, by turn.
#[derive(Default)]
pub(super) struct Clock(pub(super) Vec<Reading>);

impl Pulse for Clock {
    fn reading(&self, turn: usize) -> Reading {
        turn.checked_sub(1).and_then(|at| self.0.get(at)).or(self.0.last()).copied().unwrap_or_default()
    }

    fn interrupted(&self, _: u8) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn passed(&self, _: u64) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// Keeps what happens.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) turns: Mutex<Vec<Turn>>,
    pub(super) steps: Mutex<Vec<Step>>,
}

impl Journal for Kept {
    fn turn(&self, turn: &Turn) {
        self.turns.lock().unwrap().push(turn.clone());
    }

    fn step(&self, step: &Step) {
        self.steps.lock().unwrap().push(step.clone());
    }
}

fn seen(mut step: Step) -> Step {
    step.observation.withheld = false;
    step
}

/// Runs a script.
pub(super) async fn play(
    start: &Start,
    script: Vec<Line>,
    answers: &[(&str, &str)],
) -> (Exploration, Vec<ChatRequest>) {
    play_by(start, script, answers, &Clock::default()).await
}

/// Runs a script by a clock.
pub(super) async fn play_by(
    start: &Start,
    script: Vec<Line>,
    answers: &[(&str, &str)],
    clock: &Clock,
) -> (Exploration, Vec<ChatRequest>) {
    let (model, hands, redactor) = (Scripted::new(script), toolbox(answers), redactor());
    let journal = Kept::default();
    let world =
        World { model: &model, hands: &hands, pulse: clock, journal: &journal, events: &|_| {}, redactor: &redactor };
    let exploration = run(start, &world).await;
    // What a filter refuses later is kept as it was.
    let made: Vec<Step> = exploration.steps.iter().cloned().map(seen).collect();
    assert_eq!(*journal.steps.lock().unwrap(), made, "each step is kept as it is made");
    let asked = model.asked.lock().unwrap().clone();
    (exploration, asked)
}
