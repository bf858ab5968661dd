//! `kubectl rollout status` and `history`.
//!
//! *Invariant:* it looks once: a rollout that goes on is said to go on, and nothing waits for it.

use serde_json::Value;

use super::error::ServeError;
use super::source::{Source, Type, Which};
use super::table::aligned;
use super::value::{NONE, at, entry, int, items, name, text};
use super::{Answer, Server, columns, yaml};
use crate::kubectl::Line;

const MOST: usize = 1_000;
const REVISION: &str = "deployment.kubernetes.io/revision";
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// The workloads that a line names.
async fn workloads(server: &Server, line: &Line) -> Result<Vec<(Type, Value)>, ServeError> {
    let namespace = server.own_namespace(line);
    let mut found = Vec::new();
    for target in line.targets() {
        let of = server.source.type_of(&target.kind).await?;
        if let Some(name) = &target.name {
            found.push((of.clone(), server.source.object(&of, namespace, name).await?));
            continue;
        }
        let mut which = Which::within(Some(namespace));
        which.labels = line.flag("selector").map(str::to_owned);
        let listing = server.source.list(&of, &which, MOST).await?;
        found.extend(listing.items.into_iter().map(|object| (of.clone(), object)));
    }
    Ok(found)
}

pub(super) async fn status(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    let mut answer = Answer { prose: true, ..Answer::default() };
    let workloads = workloads(server, line).await?;
    if workloads.is_empty() {
        answer.text.push_str("No resources found\n");
    }
    for (of, object) in &workloads {
        let said = match of.plural.as_str() {
            "deployments" => deployment(object),
            "daemonsets" => daemon_set(object),
            "statefulsets" => stateful_set(object),
            _ => return Err(not_a_rollout(of)),
        };
        answer.text.push_str(&said);
        answer.text.push('\n');
    }
    Ok(answer)
}

fn not_a_rollout(of: &Type) -> ServeError {
    ServeError::unsupported(
        format!("`kubectl rollout` of {}", of.plural),
        "it is for deployments, daemonsets and statefulsets",
    )
}

fn behind(object: &Value) -> bool {
    let seen = int(object, "status.observedGeneration");
    int(object, "metadata.generation") > seen && seen > 0
}

/// As `k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go` says it.
fn deployment(object: &Value) -> String {
    let name = name(object);
    if behind(object) {
        return "Waiting for deployment spec update to be observed...".to_owned();
    }
    let progressing = items(object, "status.conditions").iter().find(|c| text(c, "type") == "Progressing");
    if progressing.is_some_and(|condition| text(condition, "reason") == "ProgressDeadlineExceeded") {
        let why = progressing.map_or("", |condition| text(condition, "message"));
        return format!("error: deployment \"{name}\" exceeded its progress deadline: {why}");
    }
    let number = |path| int(object, path);
    let (wanted, updated) = (columns::wanted(object), number("status.updatedReplicas"));
    let (all, available) = (number("status.replicas"), number("status.availableReplicas"));
    let waiting = format!("Waiting for deployment \"{name}\" rollout to finish: ");
    let paused = if super::value::on(object, "spec.paused") { " (the rollout is paused)" } else { "" };
    if updated < wanted {
        return format!("{waiting}{updated} out of {wanted} new replicas have been updated...{paused}");
    }
    if all > updated {
        return format!("{waiting}{} old replicas are pending termination...{paused}", all - updated);
    }
    if available < updated {
        return format!("{waiting}{available} of {updated} updated replicas are available...{paused}");
    }
    format!("deployment \"{name}\" successfully rolled out")
}

fn daemon_set(object: &Value) -> String {
    let name = name(object);
    let number = |path| int(object, path);
    let (wanted, updated) = (number("status.desiredNumberScheduled"), number("status.updatedNumberScheduled"));
    if text(object, "spec.updateStrategy.type") == "OnDelete" {
        return format!(
            "error: rollout status is only available for RollingUpdate strategy type: daemon set \"{name}\""
        );
    }
    if behind(object) {
        return "Waiting for daemon set spec update to be observed...".to_owned();
    }
    let waiting = format!("Waiting for daemon set \"{name}\" rollout to finish: ");
    if updated < wanted {
        return format!("{waiting}{updated} out of {wanted} new pods have been updated...");
    }
    let available = number("status.numberAvailable");
    if available < wanted {
        return format!("{waiting}{available} of {wanted} updated pods are available...");
    }
    format!("daemon set \"{name}\" successfully rolled out")
}

fn stateful_set(object: &Value) -> String {
    let number = |path| int(object, path);
    if text(object, "spec.updateStrategy.type") == "OnDelete" {
        return format!(
            "error: rollout status is only available for RollingUpdate strategy type: statefulset \"{}\"",
            name(object)
        );
    }
    if behind(object) {
        return "Waiting for statefulset spec update to be observed...".to_owned();
    }
    let (wanted, ready, updated) =
        (columns::wanted(object), number("status.readyReplicas"), number("status.updatedReplicas"));
    if ready < wanted {
        return format!("Waiting for {} pods to be ready...", wanted - ready);
    }
    let partition = number("spec.updateStrategy.rollingUpdate.partition");
    if partition > 0 {
        if updated < wanted - partition {
            return format!(
                "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...",
                wanted - partition
            );
        }
        return format!("partitioned roll out complete: {updated} new pods have been updated...");
    }
    let (new, current) = (text(object, "status.updateRevision"), text(object, "status.currentRevision"));
    if new != current {
        return format!("waiting for statefulset rolling update to complete {updated} pods at revision {new}...");
    }
    format!("statefulset rolling update complete {} pods at revision {current}...", number("status.currentReplicas"))
}

/// A revision of a workload.
struct Revision {
    number: i64,
    cause: String,
    template: Value,
}

pub(super) async fn history(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    if let Some(form) = line.flag("output") {
        return Err(ServeError::unsupported(
            format!("`-o {form}`"),
            "leave it out, or `kubectl get replicasets -o yaml`",
        ));
    }
    let mut answer = Answer::default();
    let workloads = workloads(server, line).await?;
    if workloads.is_empty() {
        answer.text.push_str("No resources found\n");
    }
    for (of, object) in &workloads {
        let mut revisions = revisions(server, of, object).await?;
        revisions.sort_by_key(|revision| revision.number);
        answer.text.push_str(&format!("{}/{}", of.argument(), name(object)));
        if let Some(wanted) = line.flag("revision").and_then(|number| number.parse::<i64>().ok()).filter(|n| *n > 0) {
            let found = revisions.iter().find(|revision| revision.number == wanted).ok_or_else(|| {
                let known: Vec<String> = revisions.iter().map(|revision| revision.number.to_string()).collect();
                ServeError::NotFound {
                    what: format!("revision {wanted} of {}", name(object)),
                    place: None,
                    near: known,
                }
            })?;
            answer
                .text
                .push_str(&format!(" with revision #{wanted}\nPod Template:\n{}", yaml::document(&found.template)));
            continue;
        }
        answer.text.push('\n');
        let mut lines = vec![["REVISION", "CHANGE-CAUSE", "IMAGES"].map(str::to_owned).to_vec()];
        for revision in &revisions {
            let images = items(&revision.template, "spec.containers").iter().map(|c| text(c, "image"));
            let images = images.collect::<Vec<_>>().join(",");
            lines.push(vec![revision.number.to_string(), revision.cause.clone(), images]);
        }
        answer.text.push_str(&aligned(&lines));
    }
    Ok(answer)
}

async fn revisions(server: &Server, of: &Type, object: &Value) -> Result<Vec<Revision>, ServeError> {
    let (plural, path) = match of.plural.as_str() {
        "deployments" => ("replicasets", "spec.template"),
        "daemonsets" | "statefulsets" => ("controllerrevisions.apps", "data.spec.template"),
        _ => return Err(not_a_rollout(of)),
    };
    if plural != "replicasets" && matches!(server.source, Source::Saved(_)) {
        return Err(ServeError::missing(format!("revisions of {}/{}", of.argument(), name(object))));
    }
    let kept = server.source.type_of(plural).await?;
    let which = Which::within(Some(super::value::namespace(object)));
    let listing = server.source.list(&kept, &which, MOST).await?;
    let own = |kept: &&Value| {
        let uid = text(object, "metadata.uid");
        let mut owners = items(kept, "metadata.ownerReferences").iter();
        owners.any(|owner| text(owner, "uid") == uid && text(owner, "name") == name(object))
    };
    let revision = |kept: &Value| {
        let number = match at(kept, "revision").as_i64() {
            Some(number) => number,
            None => entry(kept, "metadata.annotations", REVISION).parse().unwrap_or_default(),
        };
        let cause = entry(kept, "metadata.annotations", CHANGE_CAUSE);
        let cause = if cause.is_empty() { NONE } else { cause }.to_owned();
        Revision { number, cause, template: at(kept, path).clone() }
    };
    Ok(listing.items.iter().filter(own).map(revision).collect())
}
