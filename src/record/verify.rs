//! Lines that show whether it is mended.
//!
//! *Invariant:* they read, and end by themselves.

use super::phrase::{Names, Part, Phrase};
use crate::causes::path;
use crate::kubectl;
use crate::model::{Cause, Kind, ObjectRef};
use crate::runbook::params;

/// The lines for what a cause kept from working; `deleted` are objects, as `Service web`, that are not there any more.
pub(super) fn lines(cause: &Cause, deleted: &[&str], names: &mut Names) -> Vec<String> {
    let mut phrases = Vec::new();
    let filled = params::of(cause);
    let mut objects: Vec<&ObjectRef> = std::iter::once(&cause.object).chain(&cause.culprit).collect();
    objects.extend(cause.consequences.iter().map(|consequence| &consequence.object));
    if let Some(workload) = filled.get("WORKLOAD")
        && let Some((kind, _)) = workload.split_once('/')
        && matches!(kind, "deployment" | "statefulset" | "daemonset")
        && let Some(object) = path::named(cause).iter().find(|object| super::phrase::target(object) == *workload)
    {
        let line = Phrase::at(object).word("rollout status").part(Part::Target(object.clone())).word("--timeout=5m");
        phrases.push(line);
    }
    let there = |object: &&ObjectRef| !deleted.contains(&format!("{} {}", object.kind.as_str(), object.name).as_str());
    for object in objects.into_iter().filter(there) {
        phrases.extend(of(object));
    }
    let mut lines: Vec<String> = Vec::new();
    for phrase in phrases {
        let line = phrase.general(names);
        if matches!(kubectl::parse(&line), Ok(kubectl::Command::Read(_))) && !lines.contains(&line) && lines.len() < 3 {
            lines.push(line);
        }
    }
    lines
}

/// The line for one object.
fn of(object: &ObjectRef) -> Option<Phrase> {
    let at = Phrase::at(object);
    let name = || Part::Name(object.clone());
    let wait = |condition: &str| {
        Phrase::at(object).word("wait").part(Part::Target(object.clone())).word(condition).word("--timeout=5m")
    };
    Some(match object.kind {
        Kind::Service => {
            at.word("get endpointslices -l").parts(vec![Part::Text("kubernetes.io/service-name=".into()), name()])
        }
        Kind::Pod | Kind::Node => wait("--for=condition=Ready"),
        Kind::Job => wait("--for=condition=Complete"),
        Kind::APIService => wait("--for=condition=Available"),
        Kind::CustomResourceDefinition => wait("--for=condition=Established"),
        Kind::PersistentVolumeClaim => at.word("get persistentvolumeclaim").part(name()),
        Kind::CronJob => at.word("get cronjob").part(name()),
        Kind::Ingress => at.word("get ingress").part(name()),
        Kind::HorizontalPodAutoscaler => at.word("describe horizontalpodautoscaler").part(name()),
        Kind::ResourceQuota => at.word("describe resourcequota").part(name()),
        Kind::ConfigMap => at.word("describe configmap").part(name()),
        Kind::NetworkPolicy => at.word("describe networkpolicy").part(name()),
        _ => return None,
    })
}
