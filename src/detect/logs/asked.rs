//! Services that a command asks (a probe's, or one that waits), and whether they can answer.
//!
//! *Invariant:* objects decide: a Service that is not there, lacks the port or has no ready endpoint.

use super::service::{Standing, Target, followed, has_port, instead, ready_endpoints, resolve, title, verdict};
use crate::detect::calls::named_in;
use crate::detect::prelude::*;
use crate::model::selector::subset;

/// A Service that is asked and can't answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// As it is named.
    pub target: Target,
    /// Why it does not answer.
    pub why: String,
    /// What is to blame; nothing where it is the command.
    pub culprit: Option<ObjectRef>,
}

/// The first Service that a command names and that can't answer pods of this kind.
pub fn asked(view: &View<'_>, namespace: &str, labels: &Map, spec: &PodSpec, command: &[&str]) -> Option<Asked> {
    named_in(command).into_iter().filter(|named| !spec.aliases(&named.host)).find_map(|named| {
        let port = named.port.and_then(|port| u16::try_from(port).ok());
        let target = Target { host: named.host, port: port.filter(|_| !named.implied) };
        let (why, culprit) = match followed(view, resolve(view, namespace, &target.host)) {
            Standing::Service(service) if service.spec.kind != "ExternalName" => {
                let object = service.object_ref();
                if port.is_some_and(|port| !has_port(service, port)) {
                    (verdict(view, service, namespace, port).0, None)
                } else if ready_endpoints(view, service) != Some(0) {
                    return None;
                } else if service.selects() && object.ns() == namespace && subset(&service.spec.selector, labels) {
                    (format!("its own {}, which has no endpoint before it is ready", title(service, namespace)), None)
                } else {
                    (verdict(view, service, namespace, port).0, Some(object))
                }
            }
            Standing::Missing { name, namespace } => {
                let hint = instead(view, &name, &namespace).map(|hint| format!("; {hint}")).unwrap_or_default();
                let why = format!("Service {name} does not exist in namespace {namespace}{hint}");
                (why, Some(ObjectRef::new(Kind::Service, &namespace, &name)))
            }
            _ => return None,
        };
        Some(Asked { target, why, culprit })
    })
}
