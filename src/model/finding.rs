//! Findings: a fault on one object, and what proves it.

use serde::{Deserialize, Serialize};

use super::{ObjectRef, Time};

/// How much it hurts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; users feel nothing.
    Info,
    /// Will hurt, or hurts a little: fewer replicas than asked for, a rollout that stands still.
    Warning,
    /// Users feel it: nothing serves, work is not done, a node is down.
    Critical,
}

/// How far an object got on its way to serve; a fault blocks one stage and all that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The API server takes the object.
    Admit,
    /// A pod gets its node, a claim its volume.
    Schedule,
    /// Volumes are there.
    Mount,
    /// Images are there.
    Pull,
    /// Containers start and stay.
    Start,
    /// Pods and workloads are ready.
    Ready,
    /// A Service has endpoints that answer.
    Serve,
    /// Traffic from outside arrives.
    Route,
}

/// Where a quote was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum Source {
    /// A field of an object.
    Field {
        /// The object.
        object: ObjectRef,
        /// The field: `status.containerStatuses[app].state.waiting.reason`.
        path: String,
    },
    /// An event.
    Event {
        /// What it is about.
        object: ObjectRef,
        /// Its reason.
        reason: String,
    },
    /// A line of a log.
    Log {
        /// The pod.
        object: ObjectRef,
        /// The container.
        container: String,
        /// Whether of the run before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        previous: bool,
    },
}

/// An exact quote, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The quote, word for word as it was read (redacted).
    pub quote: String,
    /// Where it was read.
    pub source: Source,
    /// When it was true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
}

/// A command that a person can paste: complete with context and namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// Whether it changes the cluster.
    pub changes: bool,
    /// What it is for.
    pub purpose: String,
    /// The line; in a finding without `kubectl` and context, in a cause complete.
    pub line: String,
}

/// A fault on one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The detector's id.
    pub detector: String,
    /// The object at which it shows. Findings at pods are lifted to their workload when they are grouped.
    pub object: ObjectRef,
    /// The object that is to blame where it is another one: the missing Secret, the full quota.
    pub culprit: Option<ObjectRef>,
    /// How much it hurts.
    pub severity: Severity,
    /// What it blocks.
    pub stage: Stage,
    /// One sentence that names the deepest cause that the objects prove; no full stop.
    pub summary: String,
    /// What tells it from other findings of this detector at this object: no counters, no hashes.
    pub key: String,
    /// What proves it.
    pub evidence: Vec<Evidence>,
    /// Since when.
    pub since: Option<Time>,
    /// What to do next; see [`Command::line`].
    pub commands: Vec<Command>,
    /// What could change the verdict and is not known.
    pub unknown: Vec<String>,
    /// Whether it is proven whatever the state of the culprit, so that it never follows from what is wrong with that.
    pub proven: bool,
    /// Whether it only says that something is not well, and waits for a cause to explain it.
    pub symptom: bool,
    /// Pods: whatever is wrong with them follows from this.
    pub explains: Vec<ObjectRef>,
    /// Whether it is about what keeps an object from being deleted, and so matters while its namespace goes.
    pub of_deletion: bool,
    /// The pods (or other single objects) it stands for; filled when findings are grouped.
    pub members: Vec<ObjectRef>,
}

impl Finding {
    /// A finding of a detector; the rest is added by the methods below.
    pub fn new(object: ObjectRef, severity: Severity, stage: Stage, summary: impl Into<String>) -> Finding {
        Finding {
            detector: String::new(),
            object,
            culprit: None,
            severity,
            stage,
            summary: summary.into(),
            key: String::new(),
            evidence: Vec::new(),
            since: None,
            commands: Vec::new(),
            unknown: Vec::new(),
            proven: false,
            symptom: false,
            explains: Vec::new(),
            of_deletion: false,
            members: Vec::new(),
        }
    }

    /// Tells it from other findings of the detector at the object.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Finding {
        self.key = key.into();
        self
    }

    /// Names the object to blame.
    #[must_use]
    pub fn culprit(mut self, object: ObjectRef) -> Finding {
        self.culprit = Some(object);
        self
    }

    /// The fault is there whatever the state of the culprit: a port that it does not have.
    #[must_use]
    pub fn proven(mut self) -> Finding {
        self.proven = true;
        self
    }

    /// What is wrong with this pod follows.
    #[must_use]
    pub fn explains(mut self, pod: ObjectRef) -> Finding {
        self.explains.push(pod);
        self
    }

    /// It keeps an object from being deleted: what goes with its namespace is not broken, but this holds it up.
    #[must_use]
    pub fn of_deletion(mut self) -> Finding {
        self.of_deletion = true;
        self
    }

    /// Adds a quote of a field.
    #[must_use]
    pub fn field(mut self, object: &ObjectRef, path: impl Into<String>, quote: impl Into<String>) -> Finding {
        let source = Source::Field { object: object.clone(), path: path.into() };
        self.evidence.push(Evidence { quote: quote.into(), source, time: None });
        self
    }

    /// Adds a quote of an event.
    #[must_use]
    pub fn event(mut self, event: &super::kinds::Event) -> Finding {
        let source = Source::Event { object: event.object(), reason: event.reason.clone() };
        self.evidence.push(Evidence { quote: event.message.clone(), source, time: event.last() });
        self
    }

    /// Adds a line of a log.
    #[must_use]
    pub fn log(mut self, log: &super::LogTail, line: &str) -> Finding {
        let source = Source::Log { object: log.pod.clone(), container: log.container.clone(), previous: log.previous };
        self.evidence.push(Evidence { quote: line.to_owned(), source, time: None });
        self
    }

    /// Since when; an earlier time that is there already stays.
    #[must_use]
    pub fn since(mut self, time: Option<Time>) -> Finding {
        self.since = match (self.since, time) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self
    }

    /// Adds a command that looks, run where `at` lives: `&["describe", "pod", name]`.
    #[must_use]
    pub fn look(self, purpose: &str, at: &ObjectRef, argv: &[&str]) -> Finding {
        self.command(false, purpose, at, argv)
    }

    /// Adds a command that fixes, run where `at` lives.
    #[must_use]
    pub fn fix(self, purpose: &str, at: &ObjectRef, argv: &[&str]) -> Finding {
        self.command(true, purpose, at, argv)
    }

    fn command(mut self, changes: bool, purpose: &str, at: &ObjectRef, argv: &[&str]) -> Finding {
        let place = at.namespace.as_deref().map(|namespace| format!("-n {} ", quote(namespace)));
        let words: Vec<String> = argv.iter().map(|word| quote(word)).collect();
        let line = place.unwrap_or_default() + &words.join(" ");
        self.commands.push(Command { changes, purpose: purpose.to_owned(), line });
        self
    }

    /// Says what could change the verdict.
    #[must_use]
    pub fn unknown(mut self, what: impl Into<String>) -> Finding {
        self.unknown.push(what.into());
        self
    }

    /// Marks it as a symptom: it gives way to any finding that explains it.
    #[must_use]
    pub fn symptom(mut self) -> Finding {
        self.symptom = true;
        self
    }
}

/// A word as a POSIX shell reads it back: names from a cluster can't end a command and begin another.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_survive_a_shell() {
        for (word, quoted) in
            [("web-1", "web-1"), ("", "''"), ("a b", "'a b'"), ("x;rm -rf /", "'x;rm -rf /'"), ("it's", r"'it'\''s'")]
        {
            assert_eq!(quote(word), quoted);
        }
    }
}
