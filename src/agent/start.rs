//! What a run begins with: all that it depends on beside what the model says and the tools return.
//!
//! *Invariant:* it is recorded, so that a replay begins with the same bytes whatever this version would write.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::brief::{self, Brief};
use super::budget::{Limits, Price};
use super::prompt;
use super::tools::{FINISH, Hands};
use crate::model::chat::ToolSpec;
use crate::model::{Cause, Diagnosis, Explain, Gap, ObjectRef, Severity, Verdict};
use crate::redact::Redactor;

/// What a run begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// [`prompt::VERSION`].
    pub prompt_version: String,
    /// What the model is told it is.
    pub system: String,
    /// What it starts from.
    pub brief: Brief,
    /// The question, where one was asked.
    pub question: Option<String>,
    /// The kubeconfig context.
    pub context: String,
    /// The causes that the detectors proved.
    pub causes: Vec<Known>,
    /// Whether it only explains, in one call.
    pub explain_only: bool,
    /// The tools.
    pub tools: Vec<ToolSpec>,
    /// Names of those whose observations prove nothing about a cluster.
    #[serde(default)]
    pub advice: Vec<String>,
    /// What it may use up.
    pub limits: Limits,
    /// What tokens cost.
    pub price: Option<Price>,
    /// The currency of that: `USD`.
    #[serde(default)]
    pub currency: String,
    /// The model.
    pub model: String,
    /// Host and port of its server.
    pub server: String,
    /// Tokens that it can hold.
    pub window: u32,
}

/// A cause that the detectors proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Known {
    /// Its fingerprint.
    pub fingerprint: String,
    /// One sentence.
    pub summary: String,
    /// Where it shows.
    pub object: ObjectRef,
    /// What is to blame.
    pub culprit: Option<ObjectRef>,
    /// How much it hurts.
    pub severity: Severity,
}

/// How much of a model a diagnosis needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// None.
    Nothing,
    /// One call.
    Explanation,
    /// Steps.
    Exploration,
}

/// A healthy cluster without a question needs none, and a cause that is [`clear`] no exploration.
pub fn need(diagnosis: &Diagnosis, question: Option<&str>, explain: Explain) -> Need {
    if question.is_some() {
        return Need::Exploration;
    }
    let mut broken = diagnosis.causes.iter().filter(|cause| cause.severity > Severity::Info).peekable();
    if broken.peek().is_none() {
        let wanted = diagnosis.verdict == Verdict::Unknown && explain != Explain::Never;
        return if wanted { Need::Exploration } else { Need::Nothing };
    }
    match (broken.all(|cause| clear(cause, &diagnosis.gaps)), explain) {
        (false, _) | (true, Explain::Always) => Need::Exploration,
        (true, Explain::Auto) => Need::Explanation,
        (true, Explain::Never) => Need::Nothing,
    }
}

/// Whether a cause is proven, all that could speak against it was read, and a runbook says what to do.
fn clear(cause: &Cause, gaps: &[Gap]) -> bool {
    cause.unknown.is_empty() && !cause.runbooks.is_empty() && !gaps.iter().any(|gap| hides(gap, cause))
}

/// Whether a gap is a list, of a kind that detectors know, of the objects that live beside a cause. Who reads one
/// namespace can seldom read what belongs to the whole cluster, and no detector takes that for absent.
fn hides(gap: &Gap, cause: &Cause) -> bool {
    let beside = gap.kind.and_then(|kind| kind.info()).is_some_and(|info| info.namespaced);
    beside && gap.namespace.as_ref().is_none_or(|namespace| cause.object.ns() == namespace)
}

/// What a person decides about a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    /// The question.
    pub question: Option<String>,
    /// When a clear case is explained.
    pub explain: Explain,
    /// What it may use up.
    pub limits: Limits,
    /// What tokens cost.
    pub price: Option<Price>,
    /// The currency of that.
    pub currency: String,
}

impl Start {
    /// Begins with a diagnosis.
    pub fn new(
        diagnosis: &Diagnosis,
        wishes: &Wishes,
        need: Need,
        identity: &super::chat::Identity,
        hands: &dyn Hands,
    ) -> Start {
        let tools = hands.specs();
        let explain_only = need == Need::Explanation;
        // A third of the window, as bytes.
        let room = (identity.window as usize).clamp(4_000, 64_000);
        let known = |cause: &crate::model::Cause| Known {
            fingerprint: cause.fingerprint.clone(),
            summary: cause.summary.clone(),
            object: cause.object.clone(),
            culprit: cause.culprit.clone(),
            severity: cause.severity,
        };
        Start {
            prompt_version: prompt::VERSION.to_owned(),
            system: prompt::system(explain_only),
            brief: brief::brief(diagnosis, room),
            question: wishes.question.clone(),
            context: diagnosis.context.clone(),
            causes: diagnosis.causes.iter().map(known).collect(),
            explain_only,
            advice: tools.iter().map(|tool| &tool.name).filter(|name| !hands.proves(name)).cloned().collect(),
            tools: tools.into_iter().filter(|tool| !explain_only || tool.name == FINISH).collect(),
            limits: wishes.limits,
            price: wishes.price,
            currency: wishes.currency.clone(),
            model: identity.model.clone(),
            server: identity.server.clone(),
            window: identity.window,
        }
    }

    /// It as it may leave: the question of a person too has been through the redactor, and where addresses are masked the
    /// model is told so, since its quotes are compared with what it was sent.
    ///
    /// # Errors
    /// When it can't be written as JSON and read again.
    pub fn leaving(self, redactor: &Redactor) -> serde_json::Result<Start> {
        let question = self.question.map(|question| redactor.seal_texts(question).into_inner());
        let mut start = redactor.leaving(Start { question, ..self })?;
        if redactor.hides_addresses() {
            start.system.push_str(prompt::ADDRESSES);
        }
        Ok(start)
    }

    /// The time that it may take.
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.limits.seconds)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::agent::testing::diagnosis;

    fn cause() -> Value {
        serde_json::to_value(&diagnosis().causes[0]).unwrap()
    }

    #[test]
    fn only_what_is_proven_read_and_written_down_needs_no_exploration() {
        let with = |field: &str, value: Value| {
            let mut cause = cause();
            cause[field] = value;
            json!([cause])
        };
        let clear = || json!([cause()]);
        let gap = |kind: &str, namespace: Option<&str>| {
            let mut gap = json!({"what": "a list", "reason": "forbidden", "kind": kind});
            if let Some(namespace) = namespace {
                gap["namespace"] = json!(namespace);
            }
            json!([gap])
        };
        let none = || json!([]);
        let table = [
            ("clear", clear(), none(), Need::Explanation),
            ("last words", with("unknown", json!(["why it ends"])), none(), Need::Exploration),
            ("no runbook", with("runbooks", none()), none(), Need::Exploration),
            ("one of two is open", json!([cause(), with("unknown", json!(["why"]))[0]]), none(), Need::Exploration),
            ("only a remark", with("severity", json!("info")), none(), Need::Nothing),
            ("a list is missing", clear(), gap("Secret", None), Need::Exploration),
            ("a list of its namespace is", clear(), gap("Event", Some("shop")), Need::Exploration),
            ("a list of another one is", clear(), gap("Lease", Some("kube-node-lease")), Need::Explanation),
            ("what the whole cluster has is", clear(), gap("Node", None), Need::Explanation),
            ("what no detector knows is", clear(), gap("Widget", None), Need::Explanation),
            ("one log is", clear(), json!([{"what": "log of x", "reason": "gone"}]), Need::Explanation),
            ("nothing was found, as little was read", none(), gap("Secret", None), Need::Exploration),
        ];
        for (what, causes, gaps, expected) in table {
            let mut diagnosis = diagnosis();
            diagnosis.causes = serde_json::from_value(causes).unwrap();
            diagnosis.gaps = serde_json::from_value(gaps).unwrap();
            diagnosis.verdict = if diagnosis.causes.is_empty() { Verdict::Unknown } else { Verdict::Unhealthy };
            assert_eq!(need(&diagnosis, None, Explain::Auto), expected, "{what}");
            assert_eq!(need(&diagnosis, Some("why?"), Explain::Auto), Need::Exploration, "{what}, asked");
            if expected == Need::Explanation {
                assert_eq!(need(&diagnosis, None, Explain::Never), Need::Nothing, "{what}, never");
                assert_eq!(need(&diagnosis, None, Explain::Always), Need::Exploration, "{what}, always");
            }
        }
    }
}
