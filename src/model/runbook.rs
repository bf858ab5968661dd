//! Runbooks: what a team wrote down and reviewed, as data.
//!
//! *Invariant:* a runbook always knows which bytes it is ([`Place`]): path, commit and blob. Nothing here
//! says how often it helped; counters would change a file with every run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Severity;

/// What `schema` in the front matter must say.
pub const RUNBOOK_SCHEMA: &str = "runbook/v1";

/// Where a runbook is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Library {
    /// The team's repository.
    Team,
    /// What comes with the plugin.
    Builtin,
}

/// Which bytes a runbook is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Where it is from.
    pub library: Library,
    /// The path in its repository, with `/`: `runbooks/containers/oom-killed.md`.
    pub path: String,
    /// The commit that it was read at, 40 hex digits; of the built-in library the plugin's version: `v0.1.0`.
    /// Empty for a folder that is no git repository.
    pub commit: String,
    /// The git blob id of its bytes.
    pub blob: String,
}

/// How far a runbook has come.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody vouches for it yet.
    #[default]
    Draft,
    /// In use.
    Active,
    /// Kept for what refers to it; `supersededBy` says what took its place.
    Deprecated,
}

/// The kind of thing that was wrong.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the words say it")]
pub enum RootCause {
    Application,
    Configuration,
    Resources,
    Scheduling,
    Image,
    Network,
    Dns,
    Storage,
    Certificates,
    Rbac,
    Quota,
    Node,
    ControlPlane,
    Dependency,
    Rollout,
    CloudProvider,
    #[default]
    Unknown,
}

/// The signature: what a fault shows that this runbook is about. Any one of them matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct Signature {
    /// Ids of detectors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), inner(length(min = 1, max = 100)), extend("uniqueItems" = true))]
    pub detectors: Vec<String>,
    /// Kinds that it is about; narrows what the others match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), inner(length(min = 1, max = 100)), extend("uniqueItems" = true))]
    pub kinds: Vec<String>,
    /// Reasons of container states, conditions or events, verbatim.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), inner(length(min = 1, max = 100)), extend("uniqueItems" = true))]
    pub reasons: Vec<String>,
    /// Exit codes of containers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exit_codes: Vec<u8>,
    /// Values of the label `alertname`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), inner(length(min = 1, max = 100)), extend("uniqueItems" = true))]
    pub alerts: Vec<String>,
    /// Regular expressions (linear time) over lines of logs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(max = 200)))]
    pub logs: Vec<String>,
    /// A label selector; narrows what the others match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
}

/// Where it applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppliesTo {
    /// A range of Kubernetes versions: `>=1.27`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// `any`, `aks`, `eks`, `gke`, `openshift`, `k3s`, `kind`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("items" = {"enum": ["any", "aks", "eks", "gke", "openshift", "k3s", "kind"]}))]
    pub platforms: Vec<String>,
}

/// How much may be done by a program; a ceiling, never a right.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing; a person reads it.
    #[default]
    None,
    /// Its fix is shown.
    Suggest,
    /// Its fix runs when a person says so.
    Approve,
    /// Its fix runs.
    Auto,
}

/// How bad it is when the fix is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Risk {
    Low,
    Medium,
    High,
}

/// What a wrong fix touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum BlastRadius {
    Pod,
    Workload,
    Namespace,
    Node,
    Cluster,
}

/// How much may be done by a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Automation {
    /// The ceiling: the effective level is the least of this, the local policy and RBAC.
    pub level: Level,
    /// How bad it is when the fix is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// What a wrong fix touches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blast_radius: Option<BlastRadius>,
    /// The least time between two runs: `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(s|m|h)$"), extend("patternErrorMessage" = "must be a number and a unit: `30m`"))]
    pub cooldown: Option<String>,
    /// The most runs in a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_per_day: Option<u32>,
}

/// How it came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Provenance {
    /// The program that drafted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_by: Option<String>,
    /// The model that helped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Incidents that it was made from, ten at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub incidents: Vec<String>,
}

/// The YAML at the head of a runbook. `kubectl react runbooks schema` prints its JSON Schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FrontMatter {
    /// Where an editor finds the JSON Schema.
    #[serde(default, rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub json_schema: Option<String>,
    /// [`RUNBOOK_SCHEMA`].
    #[schemars(extend("const" = RUNBOOK_SCHEMA))]
    pub schema: String,
    /// The stem of the file: lower-case words joined by `-`.
    #[schemars(
        regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"),
        length(max = 64),
        extend("patternErrorMessage" = "must be lower-case words joined by `-`")
    )]
    pub name: String,
    /// One line.
    #[schemars(
        regex(pattern = r"^[^\n]*$"),
        length(min = 5, max = 100),
        extend("patternErrorMessage" = "must be one line")
    )]
    pub title: String,
    /// One or two sentences that say when to use it.
    #[schemars(length(min = 20, max = 1024))]
    pub description: String,
    /// How far it has come.
    pub status: Status,
    /// The name of the runbook that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// How much the fault hurts.
    pub severity: Severity,
    /// The kind of thing that was wrong.
    #[serde(default)]
    pub root_cause: RootCause,
    /// What a fault shows that this runbook is about.
    #[serde(rename = "match")]
    pub signature: Signature,
    /// Where it applies.
    #[serde(default)]
    pub applies_to: AppliesTo,
    /// How much may be done by a program.
    pub automation: Automation,
    /// Every `$NAME` that its commands use, and what to put there.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {
        "pattern": "^[A-Z][A-Z0-9_]*$",
        "patternErrorMessage": "must be upper-case letters, digits and `_`"
    }))]
    pub params: BTreeMap<String, String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    /// When a person last read it: `2026-11-20`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        regex(pattern = r"^\d{4}-\d{2}-\d{2}$"),
        extend("patternErrorMessage" = "must be a date: `\"2026-11-20\"`")
    )]
    pub reviewed: Option<String>,
    /// How it came to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend(
        "uniqueItems" = true,
        "items" = {
            "type": "string",
            "pattern": "^https://",
            "patternErrorMessage": "must begin with `https://`"
        }
    ))]
    pub references: Vec<String>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), inner(length(min = 1, max = 100)), extend("uniqueItems" = true))]
    pub tags: Vec<String>,
}

/// What a block of commands is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// To look.
    Diagnose,
    /// To mend it.
    Fix,
    /// To see that it is mended.
    Verify,
    /// To go back.
    Rollback,
}

/// A part of a runbook, from its heading to the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The heading as text; empty for what stands before the first one.
    pub heading: String,
    /// 1 for `#`.
    pub level: u8,
    /// Its markdown, without the heading.
    pub text: String,
    /// The line of the heading in the file, from 1.
    pub line: usize,
}

/// One command of a block, its continued lines joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockLine {
    /// The line: `kubectl -n $NAMESPACE get pod $POD`.
    pub text: String,
    /// Where it begins in the file, from 1.
    pub line: usize,
}

/// A fenced block of commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is for; of a block that doesn't say so, what its section is for, if it is for one.
    pub role: Option<Role>,
    /// The name from its info string.
    pub name: Option<String>,
    /// The heading of the section of level 2 that it stands in.
    pub section: String,
    /// The commands; comments and empty lines are left out.
    pub lines: Vec<BlockLine>,
    /// Where the fence opens, from 1.
    pub line: usize,
}

/// A manifest that a command of the same runbook applies by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The file's name, as in `kubectl apply -f NAME`.
    pub name: String,
    /// The YAML.
    pub text: String,
    /// Where the fence opens, from 1.
    pub line: usize,
}

/// A runbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runbook {
    /// Which bytes it is.
    pub place: Place,
    /// What stands at its head, or was derived where nothing does.
    pub front: FrontMatter,
    /// Whether the front matter was derived: a file of a collection that has none of ours.
    pub derived: bool,
    /// Its sections, in order.
    pub sections: Vec<Section>,
    /// Its blocks of commands, in order.
    pub blocks: Vec<Block>,
    /// Its manifests, in order.
    pub manifests: Vec<Manifest>,
}

impl Runbook {
    /// `path@commit`, the commit shortened: what an answer cites.
    pub fn citation(&self) -> String {
        self.place.citation()
    }
}

impl Place {
    /// `path@commit`, the commit shortened to 12 digits; without a commit, the path.
    pub fn citation(&self) -> String {
        let commit = self.commit.get(..12).unwrap_or(&self.commit);
        if commit.is_empty() { self.path.clone() } else { format!("{}@{commit}", self.path) }
    }
}
