//! Whether a cause is gone, and what it kept from working works.
//!
//! *Invariant:* pure. Silence alone proves nothing: a starting pod is quiet too. What was broken must be seen to work, and
//! what can't be seen is not proven.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::View;
use crate::model::kinds::{
    APIService, CronJob, CustomResourceDefinition, HorizontalPodAutoscaler, Job, Namespace, Node, PersistentVolume,
    PersistentVolumeClaim, Pod, Service,
};
use crate::model::meta::condition;
use crate::model::{Cause, Condition, Diagnosis, Kind, ObjectRef, Severity};

use crate::causes::path;

/// What was seen at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What holds, a line each: `deployment/web: 2 of 2 pods are ready`.
    pub holds: Vec<String>,
    /// What does not, or can't be told.
    pub fails: Vec<String>,
    /// How often containers on the path were restarted: it must stand still.
    pub restarts: i64,
}

impl Seen {
    /// Whether the cause itself is found still.
    pub fn is_there(&self) -> bool {
        self.holds.is_empty()
    }

    /// Whether it is as it should be.
    pub fn is_well(&self) -> bool {
        self.fails.is_empty() && !self.holds.is_empty()
    }
}

/// Looks at a cause: `before` is the diagnosis that found it, in `then`, `now` what is found now, in `view`.
pub(super) fn look(cause: &Cause, before: &Diagnosis, then: &View<'_>, now: &Diagnosis, view: &View<'_>) -> Seen {
    let mut seen = Seen::default();
    if let Some(still) = still(cause, now) {
        seen.fails.push(format!("it is still there: {still}"));
        return seen;
    }
    seen.holds.push(format!("`{}` finds it no more", cause.detector));
    let path = path::around(view, cause);
    let affected = affected(view, cause);
    let near = |object: &ObjectRef| path.contains(object) || affected.contains(object);
    let known: BTreeSet<&str> = before.causes.iter().map(|cause| cause.fingerprint.as_str()).collect();
    // What followed from it and is found once more for itself, as a crash is for a while, is not new: that it works by now is
    // seen below.
    let followed = before.causes.iter().flat_map(|cause| &cause.consequences);
    let followed: BTreeSet<(&str, &ObjectRef)> =
        followed.map(|known| (known.detector.as_str(), &known.object)).collect();
    let is_new = |cause: &Cause| {
        !known.contains(cause.fingerprint.as_str()) && !followed.contains(&(cause.detector.as_str(), &cause.object))
    };
    for new in now.causes.iter().filter(|cause| cause.severity > Severity::Info && is_new(cause)) {
        if near(&new.object) || new.culprit.as_ref().is_some_and(&near) {
            seen.fails.push(format!("new on its path: {}", new.summary));
        }
    }
    let mut gone = Vec::new();
    for object in affected.iter().cloned() {
        match health(view, &object) {
            Health::Well(what) => seen.holds.push(format!("{}: {what}", told(&object))),
            Health::Ill(what) => seen.fails.push(format!("{}: {what}", told(&object))),
            Health::Gone => gone.push(object),
            Health::NoMatter => {}
        }
    }
    // What was deleted is well in its way, and it alone proves little: it is said. What never was there is no proof at all.
    for object in gone.into_iter().filter(|object| then.meta(object).is_some()) {
        seen.holds.push(format!("{} is gone", told(&object)));
    }
    let blind =
        now.gaps.iter().filter(|gap| gap.kind.is_some_and(|kind| kind == cause.object.kind || kind == Kind::Pod));
    seen.fails.extend(blind.map(|gap| format!("can't be told: {} ({})", gap.what, gap.reason)));
    seen.restarts = path.iter().map(|object| restarts(view, object)).sum();
    seen
}

/// What is found of a cause now: by its fingerprint, or by the same detector at the same object, as a cause or as a
/// consequence.
fn still<'d>(cause: &Cause, now: &'d Diagnosis) -> Option<&'d str> {
    let same = |other: &&Cause| {
        other.fingerprint == cause.fingerprint || other.detector == cause.detector && other.object == cause.object
    };
    if let Some(other) = now.causes.iter().find(same) {
        return Some(&other.summary);
    }
    let consequences = now.causes.iter().flat_map(|cause| &cause.consequences);
    let mut same = consequences.filter(|other| other.detector == cause.detector && other.object == cause.object);
    same.next().map(|other| other.summary.as_str())
}

/// What must work again: at which it showed, whom it blames, and what followed from it, each by what made it.
fn affected(view: &View<'_>, cause: &Cause) -> BTreeSet<ObjectRef> {
    let named = std::iter::once(&cause.object)
        .chain(&cause.culprit)
        .chain(cause.consequences.iter().map(|consequence| &consequence.object))
        .chain(&cause.members);
    named
        .map(|object| match view.meta(object) {
            Some(meta) if object.kind != Kind::Node => view.top_owner(object.clone(), meta),
            _ => object.clone(),
        })
        // A pod of a workload may be another one by now.
        .filter(|object| object.kind != Kind::Pod || view.meta(object).is_some() || *object == cause.object)
        .collect()
}

fn told(object: &ObjectRef) -> String {
    let name = super::phrase::target(object);
    match &object.namespace {
        Some(namespace) => format!("{name} in {namespace}"),
        None => name,
    }
}

enum Health {
    Well(String),
    Ill(String),
    Gone,
    /// It has no state of its own.
    NoMatter,
}

fn judged(well: bool, what: String) -> Health {
    if well { Health::Well(what) } else { Health::Ill(what) }
}

fn by_condition(conditions: &[Condition], kind: &str) -> Health {
    match condition(conditions, kind) {
        Some(found) => judged(found.is_true(), format!("{kind} is {}", found.status)),
        None => Health::Ill(format!("{kind} is not told yet")),
    }
}

/// The positive condition of an object.
fn health(view: &View<'_>, object: &ObjectRef) -> Health {
    if view.meta(object).is_none() {
        return if view.absent(object) { Health::Gone } else { Health::NoMatter };
    }
    let (namespace, name) = (object.ns(), &*object.name);
    match object.kind {
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet => workload(view, object),
        Kind::Pod => view.get::<Pod>(namespace, name).map_or(Health::Gone, pod),
        Kind::Job => view.get::<Job>(namespace, name).map_or(Health::Gone, |job| {
            let done = condition(&job.status.conditions, "Complete").is_some_and(Condition::is_true);
            let runs = job.status.ready > 0 && job.status.failed == 0;
            let what = if done {
                "complete".to_owned()
            } else {
                format!("{} pods ready, {} succeeded", job.status.ready, job.status.succeeded)
            };
            judged(done || runs, what)
        }),
        Kind::CronJob => view.get::<CronJob>(namespace, name).map_or(Health::Gone, |cron| {
            judged(!cron.spec.suspend, if cron.spec.suspend { "suspended" } else { "not suspended" }.to_owned())
        }),
        Kind::Service => view.get::<Service>(namespace, name).map_or(Health::Gone, |service| serves(view, service)),
        Kind::Ingress => ingress(view, object),
        Kind::PersistentVolumeClaim => view
            .get::<PersistentVolumeClaim>(namespace, name)
            .map_or(Health::Gone, |claim| judged(claim.status.phase == "Bound", claim.status.phase.clone())),
        Kind::PersistentVolume => view.get::<PersistentVolume>(namespace, name).map_or(Health::Gone, |volume| {
            judged(matches!(volume.status.phase.as_str(), "Bound" | "Available"), volume.status.phase.clone())
        }),
        Kind::Node => view.get::<Node>(namespace, name).map_or(Health::Gone, |node| {
            match by_condition(&node.status.conditions, "Ready") {
                Health::Well(_) if node.spec.unschedulable => Health::Well("Ready, and cordoned".to_owned()),
                other => other,
            }
        }),
        Kind::HorizontalPodAutoscaler => {
            view.get::<HorizontalPodAutoscaler>(namespace, name).map_or(Health::Gone, |scaler| {
                match condition(&scaler.status.conditions, "ScalingActive") {
                    Some(_) => by_condition(&scaler.status.conditions, "ScalingActive"),
                    None => by_condition(&scaler.status.conditions, "AbleToScale"),
                }
            })
        }
        Kind::APIService => view
            .get::<APIService>(namespace, name)
            .map_or(Health::Gone, |service| by_condition(&service.status.conditions, "Available")),
        Kind::CustomResourceDefinition => view
            .get::<CustomResourceDefinition>(namespace, name)
            .map_or(Health::Gone, |definition| by_condition(&definition.status.conditions, "Established")),
        Kind::Namespace => view.get::<Namespace>(namespace, name).map_or(Health::Gone, |namespace| {
            judged(namespace.status.phase != "Terminating", namespace.status.phase.clone())
        }),
        _ => Health::NoMatter,
    }
}

fn workload(view: &View<'_>, object: &ObjectRef) -> Health {
    let Some(workload) = view.workload(object) else { return Health::Gone };
    let what = format!("{} of {} pods are ready", workload.ready, workload.desired);
    let current = super::status::is_current(view, object);
    if !current {
        return Health::Ill(format!("{what}, and the rollout goes on"));
    }
    if workload.desired == 0 {
        return Health::Well("scaled to no pods".to_owned());
    }
    judged(workload.ready >= workload.desired, what)
}

fn pod(pod: &Pod) -> Health {
    if pod.metadata.deleting() {
        return Health::Ill("being deleted".to_owned());
    }
    if pod.status.phase == "Succeeded" {
        return Health::Well("succeeded".to_owned());
    }
    judged(pod.ready(), if pod.ready() { "ready".to_owned() } else { format!("{}, not ready", pod.status.phase) })
}

/// Endpoints that get traffic, for a Service that has any business with endpoints.
fn serves(view: &View<'_>, service: &Service) -> Health {
    if service.spec.kind == "ExternalName" {
        return Health::NoMatter;
    }
    let slices = view.slices_of(service);
    let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter());
    let ready = endpoints.filter(|endpoint| endpoint.conditions.ready != Some(false)).count();
    let what = match ready {
        0 => "no endpoint is ready".to_owned(),
        1 => "1 endpoint is ready".to_owned(),
        many => format!("{many} endpoints are ready"),
    };
    judged(ready > 0, what)
}

fn ingress(view: &View<'_>, object: &ObjectRef) -> Health {
    let services = view.depends_on(object).filter(|(_, other)| other.kind == Kind::Service);
    let services: BTreeMap<&ObjectRef, Option<&Service>> =
        services.map(|(_, other)| (other, view.get::<Service>(other.ns(), &other.name))).collect();
    for (reference, service) in &services {
        match service.map(|service| serves(view, service)) {
            None => return Health::Ill(format!("{} is not there", told(reference))),
            Some(Health::Ill(what)) => return Health::Ill(format!("{}: {what}", told(reference))),
            Some(_) => {}
        }
    }
    if services.is_empty() { Health::NoMatter } else { Health::Well("its backends have endpoints".to_owned()) }
}

fn restarts(view: &View<'_>, object: &ObjectRef) -> i64 {
    let of = |pod: &Pod| pod.status.all_statuses().map(|status| status.restart_count).sum::<i64>();
    match object.kind {
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => {
            view.pods_of(object).into_iter().map(of).sum()
        }
        Kind::Pod => view.get::<Pod>(object.ns(), &object.name).map_or(0, |pod| match pod.metadata.controller() {
            // Counted at its workload.
            Some(_) => 0,
            None => of(pod),
        }),
        _ => 0,
    }
}
