//! What makes a change dangerous, as far as its line tells.
//!
//! *Invariant:* a risk is only named here. What may run with it is decided by the policy of who runs it.

use std::fmt;

use serde_json::Value;

use super::line::{Line, Target};
use super::params;

/// Something that makes a change dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// `--all`.
    All,
    /// `--all-namespaces`.
    AllNamespaces,
    /// A selector says which objects; the line names none.
    BySelector,
    /// `--force-conflicts`.
    Conflicts,
    /// Lets what is outside of the cluster reach it.
    Exposes,
    /// `--force`.
    Force,
    /// Deletes a namespace, and all that is in it.
    Namespace,
    /// `--grace-period=0`, `--now`.
    NoGrace,
    /// `--validate=false` or `ignore`.
    NoValidation,
    /// `--cascade=orphan`.
    Orphans,
    /// A placeholder stands where an object's type is expected: ask again when it is bound.
    Open,
    /// A container with all rights on its node.
    Privileged,
    /// `--prune`.
    Prune,
    /// Gives or takes rights.
    Rights,
    /// Runs an image that the line names.
    RunsImage,
    /// Deletes a volume, or what keeps data: a claim, a definition of a type.
    Storage,
    /// `--disable-eviction`.
    SkipsEviction,
    /// `--delete-emptydir-data`.
    TemporaryData,
    /// Scales to no replicas at all.
    ToZero,
    /// Lets the pods of a namespace have all rights on their nodes.
    Unguarded,
    /// Deletes without saying what.
    Unnamed,
    /// Deletes what a person or a tool wrote: no controller makes it again.
    Written,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Risk::All => "is about all objects of a type (`--all`)",
            Risk::AllNamespaces => "is about all namespaces",
            Risk::BySelector => "is about whatever a selector matches when it runs",
            Risk::Conflicts => "takes fields from whoever manages them (`--force-conflicts`)",
            Risk::Exposes => "opens it to what is outside of the cluster",
            Risk::Force => "does not wait, or deletes what it can't change (`--force`)",
            Risk::Namespace => "deletes a namespace with all that is in it",
            Risk::NoGrace => "kills without a grace period",
            Risk::NoValidation => "sends what the API server may not understand",
            Risk::Orphans => "leaves behind what it owned (`--cascade=orphan`)",
            Risk::Open => "has a placeholder for a type",
            Risk::Privileged => "runs a container with all rights on its node",
            Risk::Prune => "deletes what its manifests no longer name (`--prune`)",
            Risk::Rights => "gives or takes rights",
            Risk::RunsImage => "runs an image",
            Risk::Storage => "deletes what keeps data",
            Risk::SkipsEviction => "does not ask disruption budgets (`--disable-eviction`)",
            Risk::TemporaryData => "deletes the data of `emptyDir` volumes",
            Risk::ToZero => "scales to nothing",
            Risk::Unguarded => "lets the pods of a namespace have all rights on their nodes",
            Risk::Unnamed => "deletes without a name",
            Risk::Written => "deletes what no controller makes again",
        })
    }
}

const NAMESPACES: &[&str] = &["namespace", "namespaces", "ns"];

const STORAGE: &[&str] = &[
    "crd",
    "crds",
    "customresourcedefinition",
    "customresourcedefinitions",
    "persistentvolume",
    "persistentvolumeclaim",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pv",
    "pvc",
    "volumesnapshot",
    "volumesnapshotcontent",
    "volumesnapshotcontents",
    "volumesnapshots",
];

const RIGHTS: &[&str] = &[
    "clusterrole",
    "clusterrolebinding",
    "clusterrolebindings",
    "clusterroles",
    "role",
    "rolebinding",
    "rolebindings",
    "roles",
];

/// What controllers make, and make again.
const MADE: &[&str] = &[
    "controllerrevision",
    "controllerrevisions",
    "endpoints",
    "endpointslice",
    "endpointslices",
    "ep",
    "ev",
    "event",
    "events",
    "lease",
    "leases",
    "po",
    "pod",
    "pods",
    "replicaset",
    "replicasets",
    "rs",
    "volumeattachment",
    "volumeattachments",
];

/// A flag that is a risk.
const FLAGS: &[(&str, Risk)] = &[
    ("all", Risk::All),
    ("all-namespaces", Risk::AllNamespaces),
    ("delete-emptydir-data", Risk::TemporaryData),
    ("disable-eviction", Risk::SkipsEviction),
    ("field-selector", Risk::BySelector),
    ("force", Risk::Force),
    ("force-conflicts", Risk::Conflicts),
    ("now", Risk::NoGrace),
    ("privileged", Risk::Privileged),
    ("prune", Risk::Prune),
    ("remove-extra-permissions", Risk::Rights),
    ("remove-extra-subjects", Risk::Rights),
];

/// Types of a Service that are reached from outside.
const OUTWARD: &[&str] = &["LoadBalancer", "NodePort"];

/// The label that says what the pods of a namespace may do.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// A field of a manifest, with which values it is a risk, and what risk.
type Field = (&'static str, fn(&Value) -> bool, Risk);

const FIELDS: &[Field] = &[
    ("allowPrivilegeEscalation", is_true, Risk::Privileged),
    ("hostIPC", is_true, Risk::Privileged),
    ("hostNetwork", is_true, Risk::Privileged),
    ("hostPID", is_true, Risk::Privileged),
    ("hostPath", Value::is_object, Risk::Privileged),
    ("privileged", is_true, Risk::Privileged),
    (ENFORCE, |value| matches!(value.as_str(), Some("privileged")) || value.is_null(), Risk::Unguarded),
    ("replicas", |value| value.as_f64() == Some(0.0), Risk::ToZero),
    ("type", |value| value.as_str().is_some_and(|kind| OUTWARD.contains(&kind)), Risk::Exposes),
];

fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true)
}

/// The risks of what a patch sets, wherever it stands in it; a step of a JSON patch sets the end of its path.
fn of_fields(value: &Value, risks: &mut Vec<Risk>) {
    let mut set = |name: &str, value: &Value| {
        let rows = FIELDS.iter().filter(|(field, is, _)| *field == name && is(value));
        risks.extend(rows.map(|(_, _, risk)| *risk));
    };
    match value {
        Value::Array(items) => items.iter().for_each(|item| of_fields(item, risks)),
        Value::Object(fields) => {
            if let Some(path) = fields.get("path").and_then(Value::as_str) {
                let field = path.rsplit('/').next().unwrap_or_default().replace("~1", "/");
                set(&field, fields.get("value").unwrap_or(&Value::Null));
            }
            fields.iter().for_each(|(name, value)| set(name, value));
            fields.values().for_each(|value| of_fields(value, risks));
        }
        _ => {}
    }
}

/// The risks of a change, sorted.
pub(super) fn risks(line: &Line) -> Vec<Risk> {
    let mut risks: Vec<Risk> = FLAGS.iter().filter(|(flag, _)| line.has(flag)).map(|(_, risk)| *risk).collect();
    let mut when = |holds: bool, risk: Risk| {
        if holds {
            risks.push(risk);
        }
    };
    let (verb, targets) = (line.verb(), line.targets());
    let deletes = verb == "delete";
    // The selector of `expose` and `create pdb` is a part of what is made.
    let selects = !matches!(verb, "expose" | "create" | "apply") && line.has("selector");
    when(selects, Risk::BySelector);
    when(line.flag("grace-period").is_some_and(|grace| grace.trim_start_matches('0').is_empty()), Risk::NoGrace);
    when(line.flag("cascade") == Some("orphan"), Risk::Orphans);
    when(matches!(line.flag("validate"), Some("false" | "ignore")), Risk::NoValidation);
    when(line.flag("replicas").is_some_and(|count| count.trim_start_matches('0').is_empty()), Risk::ToZero);
    when(deletes && line.targets_any(NAMESPACES), Risk::Namespace);
    when(deletes && line.targets_any(STORAGE), Risk::Storage);
    when(deletes && targets.iter().any(|target| target.name.is_none() && !target.kind.contains('$')), Risk::Unnamed);
    // Namespaces and what keeps data say more.
    let written = |target: &Target| {
        !target.kind.contains('$') && ![MADE, NAMESPACES, STORAGE].iter().any(|kinds| target.is(kinds))
    };
    when(deletes && targets.iter().any(written), Risk::Written);
    when(targets.iter().any(|target| target.kind.contains('$')), Risk::Open);
    let rights = matches!(line.verb.path, "auth reconcile" | "set subject") || verb == "certificate";
    when(rights || line.targets_any(RIGHTS), Risk::Rights);
    let runs =
        verb == "run" || matches!(line.subcommand(), Some("job" | "cronjob" | "deployment")) && !line.has("from");
    when(runs || line.verb.path == "set image", Risk::RunsImage);
    let outward = line.flag("type").is_some_and(|kind| OUTWARD.iter().any(|of| of.eq_ignore_ascii_case(kind)));
    let service = matches!(line.verb.path, "create service loadbalancer" | "create service nodeport");
    when(verb == "expose" && outward || service, Risk::Exposes);
    let unguards = |word: &String| word == &format!("{ENFORCE}=privileged") || word == &format!("{ENFORCE}-");
    when(verb == "label" && line.positional.iter().any(unguards), Risk::Unguarded);
    for patch in line.values("patch").chain(line.values("overrides")) {
        // What a placeholder becomes is asked when it is bound.
        let names = params::names(patch);
        let bound = names.fold(patch.to_owned(), |text, name| text.replace(&format!("${name}"), "1"));
        if let Ok(patch) = serde_json::from_str(&bound) {
            of_fields(&patch, &mut risks);
        }
    }
    risks.sort_unstable();
    risks.dedup();
    risks
}
