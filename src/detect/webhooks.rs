//! Admission webhooks, and which of them is meant by a name.
//!
//! *Invariant:* pure; a name is unique only within its configuration, so it is looked up with the namespace
//! in which it was asked.

use super::prelude::*;

/// The configuration that holds the webhook of this name, with the webhook. Names are unique only
/// within a configuration: of several the one that is asked in `namespace`, and fails closed, is meant.
pub fn webhook<'a>(view: &View<'a>, name: &str, namespace: &str) -> Option<(ObjectRef, &'a Webhook)> {
    let labels = crate::detect::policies::namespace_labels(view, namespace);
    let named = webhooks(view).into_iter().filter(|(_, hook)| hook.name == name);
    named.min_by_key(|(_, hook)| {
        let asked = labels.as_ref().is_none_or(|labels| hook.namespace_selector.matches(labels));
        (!asked, hook.failure_policy == "Ignore")
    })
}

/// All webhooks, each with its configuration.
pub fn webhooks<'a>(view: &View<'a>) -> Vec<(ObjectRef, &'a Webhook)> {
    let objects = &view.snapshot.objects;
    let mutating =
        objects.mutating_webhooks.iter().flat_map(|hooks| hooks.webhooks.iter().map(|hook| (hooks.object_ref(), hook)));
    let validating = objects
        .validating_webhooks
        .iter()
        .flat_map(|hooks| hooks.webhooks.iter().map(|hook| (hooks.object_ref(), hook)));
    mutating.chain(validating).collect()
}

/// Why nobody answers at the Service that the API server is to call; none where somebody may, or where it is not known.
pub fn unanswered(view: &View<'_>, server: &ServiceReference) -> Option<String> {
    let service = ObjectRef::new(Kind::Service, &server.namespace, &server.name);
    if view.absent(&service) {
        return Some(format!("its Service {}/{} does not exist", service.ns(), service.name));
    }
    let found = view.get::<Service>(service.ns(), &service.name)?;
    no_port(found, server.port.unwrap_or(443)).or_else(|| no_endpoints(view, found))
}

/// That a Service does not have the port at which the webhook is asked.
fn no_port(service: &Service, port: i64) -> Option<String> {
    let ports: Vec<String> = service.spec.ports.iter().map(|port| port.port.to_string()).collect();
    let has = service.spec.ports.iter().any(|has| has.port == port);
    (!has && !ports.is_empty() && service.spec.kind != "ExternalName").then(|| {
        format!(
            "its Service {}/{} has no port {port}, only {}",
            service.metadata.namespace,
            service.metadata.name,
            list(&ports)
        )
    })
}

/// Why a Service has no one who answers; none where it has, or where it is not known.
fn no_endpoints(view: &View<'_>, service: &Service) -> Option<String> {
    let (namespace, name) = (&service.metadata.namespace, &service.metadata.name);
    let outside = !view.snapshot.scope.holds(namespace);
    if outside || !service.selects() || !view.snapshot.knows(Kind::EndpointSlice, namespace) {
        return None;
    }
    let ready =
        view.slices_of(service).iter().flat_map(|slice| &slice.endpoints).any(crate::model::kinds::Endpoint::is_ready);
    let pods = view.pods_behind(service);
    let starting = pods.iter().any(|pod| view.age(*pod.metadata.creation_timestamp).is_some_and(|age| age < SETTLED));
    let young = view.age(*service.metadata.creation_timestamp).is_some_and(|age| age < 10);
    (!ready && !starting && !young).then(|| format!("its Service {namespace}/{name} has no ready endpoints"))
}
