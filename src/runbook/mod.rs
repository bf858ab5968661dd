//! Runbooks as files: read, checked, written.
//!
//! *Invariant:* what is read here is text that someone else wrote. Nothing of it is followed, whatever it says; it is
//! bounded in size, depth and time; and what can't be read is named with its line, while the rest is served.

mod derive;
pub mod draft;
mod fence;
pub mod forge;
mod front;
pub mod import;
pub mod lint;
mod markdown;
pub mod params;
mod parse;
mod problem;
pub mod repo;
pub mod report;
mod schema;
mod source;
pub mod template;
mod yaml;

pub use derive::name;
pub use fence::Fence;
pub use markdown::{Heading, Link, Outline};
pub use parse::{Parsed, parse, sealed};
pub use problem::{Gravity, Problem, Rule};
pub use schema::json_schema;
pub use template::template;

/// The placeholders that the tool fills with what it found; any other is for a person to fill.
pub const FILLED: &[&str] = &[
    "APISERVICE",
    "CONFIGMAP",
    "CONTAINER",
    "CRD",
    "CRONJOB",
    "CULPRIT",
    "CULPRIT_NAMESPACE",
    "DAEMONSET",
    "DEPLOYMENT",
    "ENDPOINTSLICE",
    "GATEWAY",
    "HPA",
    "INGRESS",
    "INGRESSCLASS",
    "JOB",
    "LEASE",
    "LIMITRANGE",
    "NAMESPACE",
    "NETWORKPOLICY",
    "NODE",
    "OBJECT",
    "PDB",
    "POD",
    "PRIORITYCLASS",
    "PV",
    "PVC",
    "QUOTA",
    "REPLICASET",
    "ROUTE",
    "RUNTIMECLASS",
    "SECRET",
    "SERVICE",
    "SERVICEACCOUNT",
    "STATEFULSET",
    "STORAGECLASS",
    "WEBHOOK",
    "WORKLOAD",
];
