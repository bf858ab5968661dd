//! What belongs to an object: the pods that it selects or runs on, and what it made.

use serde_json::Value;

use crate::cluster::serve::Server;
use crate::cluster::serve::pod::{is_ready, ready, restarts, status};
use crate::cluster::serve::saved::selects;
use crate::cluster::serve::source::{Type, Which};
use crate::cluster::serve::value::{at, int, items, name, namespace, selector, shown, text, written};

/// Pods that are shown.
const MOST: usize = 15;
/// Pods that are read.
const MOST_READ: usize = 1_000;

/// Lines that say so; nothing for kinds to which nothing belongs.
pub(super) async fn lines(server: &Server, of: &Type, object: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let own = namespace(object);
    let which = match (of.group.as_str(), of.plural.as_str()) {
        ("", "nodes") => {
            let mut which = Which::within(None);
            which.fields = Some(format!("spec.nodeName={}", name(object)));
            which
        }
        ("", "services") | ("apps" | "policy", _) | ("batch", "jobs") | ("networking.k8s.io", "networkpolicies") => {
            let path = if of.plural == "networkpolicies" { "spec.podSelector" } else { "spec.selector" };
            let Some(selector) = selector(object, path) else { return lines };
            // A snapshot keeps labels, and so can be asked the same way.
            Which::labelled(Some(own), written(&selector))
        }
        _ => return lines,
    };
    pods(server, &which, &mut lines).await;
    if of.is("", "services") {
        endpoints(server, object, &mut lines).await;
    }
    if of.is("apps", "deployments") {
        replica_sets(server, object, &mut lines).await;
    }
    lines
}

async fn pods(server: &Server, which: &Which, lines: &mut Vec<String>) {
    let Ok(of_pods) = server.source.type_of("pods").await else { return };
    let listing = match server.source.list(&of_pods, which, MOST_READ).await {
        Ok(listing) => listing,
        Err(error) => {
            lines.push(format!("pods: unknown ({error})"));
            return;
        }
    };
    let mut pods = listing.items;
    let well = pods.iter().filter(|pod| is_ready(pod)).count();
    let what = which.labels.as_deref().map(|labels| format!(" that match {labels}")).unwrap_or_default();
    lines.push(format!("{} pods{what}, {well} ready", pods.len()));
    pods.sort_by_key(is_ready);
    for pod in pods.iter().take(MOST) {
        let now = server.source.now();
        let (ready, status, restarts) = (ready(pod), status(pod), restarts(pod, now));
        lines.push(format!(
            "  pod/{} {ready} {status}, restarts {restarts}, on {}",
            name(pod),
            text(pod, "spec.nodeName")
        ));
    }
    if pods.len() > MOST {
        lines.push(format!("  … and {} more", pods.len() - MOST));
    }
}

async fn endpoints(server: &Server, service: &Value, lines: &mut Vec<String>) {
    let Ok(of) = server.source.type_of("endpointslices").await else { return };
    let labels = format!("kubernetes.io/service-name={}", name(service));
    let Ok(listing) = server.source.list(&of, &Which::labelled(Some(namespace(service)), labels), MOST_READ).await
    else {
        lines.push("endpoints: unknown".to_owned());
        return;
    };
    let all = || listing.items.iter().flat_map(|slice| items(slice, "endpoints"));
    let ready = all().filter(|endpoint| at(endpoint, "conditions.ready").as_bool() != Some(false)).count();
    let ports = listing.items.iter().flat_map(|slice| items(slice, "ports"));
    let mut ports: Vec<String> = ports.map(|port| shown(at(port, "port"))).collect();
    ports.sort();
    ports.dedup();
    lines.push(format!("{} endpoints, {ready} ready, on ports {}", all().count(), ports.join(", ")));
}

async fn replica_sets(server: &Server, deployment: &Value, lines: &mut Vec<String>) {
    let Ok(of) = server.source.type_of("replicasets").await else { return };
    let Some(selector) = selector(deployment, "spec.selector") else { return };
    let which = Which::labelled(Some(namespace(deployment)), written(&selector));
    let Ok(listing) = server.source.list(&of, &which, MOST_READ).await else { return };
    let mut sets: Vec<&Value> = listing.items.iter().filter(|set| selects(&selector, set)).collect();
    sets.sort_by(|a, b| text(b, "metadata.creationTimestamp").cmp(text(a, "metadata.creationTimestamp")));
    for set in sets.iter().take(3) {
        let images = items(set, "spec.template.spec.containers").iter().map(|c| text(c, "image"));
        lines.push(format!(
            "replicaset/{} {}/{} ready, created {}, images {}",
            name(set),
            int(set, "status.readyReplicas"),
            int(set, "spec.replicas"),
            text(set, "metadata.creationTimestamp"),
            images.collect::<Vec<_>>().join(",")
        ));
    }
}
