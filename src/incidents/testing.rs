//! An incident for tests.

use super::Head;
use crate::model::chat::{Call, ChatReply, Spent};
use crate::model::{
    Diagnosis, Exploration, Observation, Scope, Snapshot, Step, Time, Turn, TurnError, TurnOutcome, Usage, Verdict,
    diagnosis,
};
use crate::redact::{Redacted, Redactor};

pub(super) fn redactor() -> Redactor {
    Redactor::new([1; 32])
}

pub(super) fn at(time: &str) -> Head {
    Head {
        time: time.parse().unwrap(),
        context: "prod".to_owned(),
        namespace: Some("shop".to_owned()),
        targets: vec!["deploy/web".to_owned()],
        selector: None,
        question: Some("why is it slow?".to_owned()),
        prompt_version: "p1".to_owned(),
        model: "gpt".to_owned(),
        server: "models.example:443".to_owned(),
        start: serde_json::Value::Null,
    }
}

pub(super) fn head() -> Head {
    at("2026-11-26T10:15:00Z")
}

pub(super) fn turn(number: usize) -> Turn {
    let call = Call { id: "c".to_owned(), name: "kubectl".to_owned(), arguments: r#"{"line":"get pods"}"#.to_owned() };
    let reply = ChatReply { text: format!("thought {number}"), calls: vec![call], ..ChatReply::default() };
    Turn {
        number,
        elapsed: 0,
        interrupts: 0,
        request: "ab".repeat(32),
        spent: Spent::default(),
        outcome: TurnOutcome::Reply(reply),
    }
}

pub(super) fn failure(number: usize) -> Turn {
    let error = TurnError { kind: "overloaded".to_owned(), reason: "later".to_owned(), ..TurnError::default() };
    Turn {
        number,
        elapsed: 0,
        interrupts: 0,
        request: "cd".repeat(32),
        spent: Spent::default(),
        outcome: TurnOutcome::Error(error),
    }
}

pub(super) fn step(number: usize) -> Step {
    Step {
        number,
        tool: "kubectl".to_owned(),
        action: "kubectl get pods -n shop".to_owned(),
        observation: Observation { text: "web-1   0/1   CrashLoopBackOff".to_owned(), ..Observation::default() },
        ..Step::default()
    }
}

pub(super) fn diagnosis() -> Diagnosis {
    let usage = Usage { model: "gpt".to_owned(), cost: Some(0.02), ..Usage::default() };
    let exploration = Exploration { steps: vec![step(1), step(2)], usage, ..Exploration::default() };
    Diagnosis {
        schema_version: diagnosis::SCHEMA_VERSION.to_owned(),
        context: "prod".to_owned(),
        namespace: Some("shop".to_owned()),
        taken_at: taken_at(),
        verdict: Verdict::Unhealthy,
        causes: Vec::new(),
        gaps: Vec::new(),
        silenced: 0,
        counts: diagnosis::Counts::default(),
        libraries: Vec::new(),
        exploration: Some(exploration),
    }
}

fn taken_at() -> Time {
    "2026-11-26T10:14:58Z".parse().unwrap()
}

pub(super) fn snapshot() -> Redacted<Snapshot> {
    redactor().seal(Snapshot::new(taken_at(), "prod", Scope::default()))
}
