//! What a person reads: the verdict, the causes and what is not known.

use serde::{Deserialize, Serialize};

use super::runbook::{Library, Place, Status};
use super::{Command, Evidence, Exploration, Gap, ObjectRef, Severity, Stage, Time};

/// Counts breaking changes of the output.
pub const SCHEMA_VERSION: &str = "kubectl-react/diagnosis/v1";

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All that matters was read, and nothing is broken.
    Healthy,
    /// Something is broken.
    Unhealthy,
    /// Nothing broken was seen, but what matters could not be read.
    Unknown,
}

/// What was found out about a cluster, or a part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// The kubeconfig context.
    pub context: String,
    /// The namespace that was asked for; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// When the cluster was read.
    pub taken_at: Time,
    /// The answer in one word.
    pub verdict: Verdict,
    /// The causes, the worst first.
    pub causes: Vec<Cause>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// How many causes were silenced by people.
    pub silenced: usize,
    /// How much was looked at.
    pub counts: Counts,
    /// The libraries in which runbooks were looked for, the team's first.
    #[serde(default)]
    pub libraries: Vec<LibraryState>,
    /// What the agent found out beyond that; only where a model was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploration: Option<Exploration>,
}

/// A library of runbooks as it was when it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LibraryState {
    /// Whose it is.
    pub library: Library,
    /// Path or URL.
    pub source: String,
    /// The commit that was read; of the built-in library the plugin's version.
    pub commit: String,
    /// How many runbooks it has.
    pub runbooks: usize,
    /// When the clone was last brought up to date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced: Option<Time>,
    /// What did not work: the remote is away, a file can't be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A runbook that fits a cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// Which bytes it is: library, path, commit, blob.
    #[serde(flatten)]
    pub place: Place,
    /// Its name; empty in what older versions kept.
    #[serde(default)]
    pub name: String,
    /// Its title.
    pub title: String,
    /// How far it has come.
    pub status: Status,
    /// How sure the match is, 0 to 1.
    pub score: f32,
    /// Why it matches: `detector oom-killed`.
    pub why: String,
    /// What it says to a case like this, in a few lines; it is for a model, and no part of the output.
    #[serde(skip)]
    pub passage: String,
    /// The name of what took its place, where it is deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// Its first commands to look and to fix, complete as far as the cause tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Command>,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Objects of all kinds.
    pub objects: usize,
    /// Pods.
    pub pods: usize,
    /// Nodes.
    pub nodes: usize,
    /// Namespaces with objects.
    pub namespaces: usize,
}

/// A root finding with the findings that follow from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Stable across runs: detector, object, key.
    pub fingerprint: String,
    /// The detector's id; `kubectl react explain ID` tells more.
    pub detector: String,
    /// How much it hurts.
    pub severity: Severity,
    /// What it blocks.
    pub stage: Stage,
    /// The object at which it shows.
    pub object: ObjectRef,
    /// The object that is to blame where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub culprit: Option<ObjectRef>,
    /// One sentence.
    pub summary: String,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// How many single objects (pods) it stands for.
    pub count: usize,
    /// Some of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<ObjectRef>,
    /// What proves it.
    pub evidence: Vec<Evidence>,
    /// What follows from it.
    pub consequences: Vec<Consequence>,
    /// What changed on its path in the hour before.
    pub changes: Vec<Change>,
    /// What to do next.
    pub commands: Vec<Command>,
    /// What could change the verdict and is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// Runbooks that fit, the best first.
    #[serde(default)]
    pub runbooks: Vec<Advice>,
    /// Where none fits, how near the best one was: `no runbook matches (best 0.41)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_runbook: Option<String>,
}

impl Cause {
    /// Whether a runbook was shown for it.
    pub fn was_shown(&self, runbook: &Place) -> bool {
        let same = |shown: &Place| shown.path == runbook.path && shown.library == runbook.library;
        self.runbooks.iter().any(|advice| same(&advice.place))
    }
}

/// A finding that follows from a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Consequence {
    /// The detector's id.
    pub detector: String,
    /// The object at which it shows.
    pub object: ObjectRef,
    /// One sentence.
    pub summary: String,
    /// How much it hurts.
    pub severity: Severity,
    /// The references that link it to the cause, from the consequence to the cause.
    pub path: Vec<ObjectRef>,
}

/// A change on a cause's path before it showed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// When.
    pub time: Time,
    /// What changed.
    pub object: ObjectRef,
    /// How: `image app: web:1 → web:2`.
    pub what: String,
    /// The field manager, where the API tells: `kubectl-set`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
