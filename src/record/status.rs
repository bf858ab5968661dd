//! Whether a rollout is done.
//!
//! *Invariant:* pure; the same numbers that `kubectl rollout status` waits for.

use crate::graph::View;
use crate::model::kinds::{DaemonSet, Deployment, StatefulSet, WorkloadStatus};
use crate::model::{Kind, ObjectRef};

/// Whether the controller has seen the newest spec, and all pods are of it.
pub(super) fn is_current(view: &View<'_>, object: &ObjectRef) -> bool {
    let seen = |generation: i64, observed: i64| generation == 0 || observed >= generation;
    let all = |status: &WorkloadStatus, wanted: Option<i64>| {
        status.updated_replicas >= wanted.unwrap_or(1)
            && status.replicas <= status.updated_replicas.max(wanted.unwrap_or(1))
    };
    match object.kind {
        Kind::Deployment => view.get::<Deployment>(object.ns(), &object.name).is_none_or(|deployment| {
            let status = &deployment.status;
            seen(deployment.metadata.generation, status.observed_generation) && all(status, deployment.spec.replicas)
        }),
        Kind::StatefulSet => view.get::<StatefulSet>(object.ns(), &object.name).is_none_or(|set| {
            let status = &set.status;
            seen(set.metadata.generation, status.observed_generation)
                && status.current_revision == status.update_revision
        }),
        Kind::DaemonSet => view.get::<DaemonSet>(object.ns(), &object.name).is_none_or(|set| {
            let status = &set.status;
            seen(set.metadata.generation, status.observed_generation)
                && status.updated_number_scheduled >= status.desired_number_scheduled
        }),
        _ => true,
    }
}
