//! What people state about their objects: that something is meant to be as it is.
//!
//! *Invariant:* a statement only keeps a finding back that is about intent (suspended, paused,
//! switched off); nothing that fails is excused by it.

use crate::model::{Manager, Meta, Time};

/// Words in the keys of annotations and labels with which people say why something stands still.
const WORDS: &[&str] = &[
    "reason",
    "suspend",
    "pause",
    "maintenance",
    "disabled",
    "decommission",
    "deprecated",
    "freeze",
    "on-hold",
    "onhold",
];

/// The annotation or label with which someone states why an object stands still.
pub fn stated(meta: &Meta) -> Option<(&str, &str)> {
    let of_people = |key: &str| {
        // Kubernetes' own keys are written by controllers, not by people.
        let prefix = key.split_once('/').map_or("", |(prefix, _)| prefix);
        !prefix.ends_with("kubernetes.io")
            && !prefix.ends_with("k8s.io")
            && !key.starts_with("deprecated.daemonset.template.")
            && !key.starts_with("deprecated.deployment.rollback.")
    };
    let says = |key: &str| WORDS.iter().any(|word| key.to_lowercase().contains(word));
    meta.annotations
        .iter()
        .chain(&meta.labels)
        .find(|(key, value)| !value.trim().is_empty() && *value != "false" && of_people(key) && says(key))
        .map(|(key, value)| (key.as_str(), value.as_str()))
}

/// The newest edit, as far as field managers date it, of a field whose path begins with `path`.
pub fn edited<'a>(meta: &'a Meta, path: &str) -> Option<(&'a Manager, Time)> {
    let touches =
        |manager: &&Manager| {
            manager.fields.0.iter().any(|field| {
                field.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
        };
    meta.managers
        .iter()
        .filter(touches)
        .filter_map(|manager| Some((manager, (*manager.time)?)))
        .max_by_key(|(_, time)| *time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(yaml: &str) -> Meta {
        serde_saphyr::from_str(yaml).unwrap()
    }

    #[test]
    fn what_controllers_write_is_no_statement() {
        let set = meta(
            "annotations: {deprecated.daemonset.template.generation: x1, deprecated.deployment.rollback.revision: x}",
        );
        assert_eq!(stated(&set), None);
    }

    #[test]
    fn a_reason_counts_where_a_person_gives_it() {
        assert_eq!(
            stated(&meta("annotations: {ops.acme.dev/suspended-reason: replaced}")),
            Some(("ops.acme.dev/suspended-reason", "replaced"))
        );
        assert_eq!(stated(&meta("labels: {maintenance: 'true'}")), Some(("maintenance", "true")));
        assert_eq!(
            stated(&meta("annotations: {kubernetes.io/change-reason: x, team: payments, paused: 'false'}")),
            None
        );
        // The API server writes this to every DaemonSet.
        assert_eq!(stated(&meta("annotations: {deprecated.daemonset.template.generation: '1'}")), None);
    }

    #[test]
    fn the_newest_edit_of_a_field() {
        let meta = meta(
            "
managedFields:
- {manager: helm, operation: Update, time: '2026-01-01T10:00:00Z', fieldsV1: {'f:spec': {'f:suspend': {}, 'f:schedule': {}}}}
- {manager: kubectl-patch, operation: Update, time: '2026-01-01T11:00:00Z', fieldsV1: {'f:spec': {'f:suspended': {}}}}
",
        );
        assert_eq!(edited(&meta, "spec.suspend").map(|(manager, _)| manager.manager.as_str()), Some("helm"));
        assert!(edited(&meta, "spec.paused").is_none());
    }
}
