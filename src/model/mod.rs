//! The vocabulary: plain data that every other module speaks.
//!
//! *Invariant:* nothing here does IO, reads a clock or imports another module of ours. What is not
//! read by a detector or shown to a person is not kept: the types are slim pictures of Kubernetes
//! objects, in Kubernetes' own field names, so that the API's documentation is theirs too.

mod answer;
pub mod chat;
pub mod diagnosis;
pub mod event;
pub mod finding;
pub mod kinds;
mod lenient;
mod list;
mod map;
pub mod meta;
pub mod quantity;
pub mod reference;
pub mod runbook;
pub mod selector;
pub mod snapshot;
pub mod turn;

pub use answer::{
    Answer, Claim, Confidence, DryRun, Ended, Explain, Exploration, Observation, Standing, StatedCause, Step,
    SuggestedChange, Usage,
};
pub use diagnosis::{Advice, Cause, Change, Consequence, Diagnosis, LibraryState, Verdict};
pub use finding::{Command, Evidence, Finding, Severity, Source, Stage};
pub use list::List;
pub use map::Map;
pub use meta::{Condition, Manager, Meta, OwnerReference};
pub use quantity::Quantity;
pub use reference::{Kind, KindInfo, ObjectRef, Resource};
pub use runbook::{Library, Place, Role, Runbook};
pub use selector::Selector;
pub use snapshot::{Gap, LogTail, Objects, Scope, SecretKeys, Snapshot, Want};
pub use turn::{Turn, TurnError, TurnOutcome};

/// An instant; always UTC, printed as RFC 3339.
pub type Time = jiff::Timestamp;
