//! Where the pods behind a Service listen, when it is not where the Service leads.
//!
//! *Invariant:* a Service is doubted only where a caller was refused; then its servers' own word decides: what they log
//! when they start, the port that they are told, the ports that they declare.

use super::probe::listens_elsewhere;
use crate::detect::calls::{calls, clients};
use crate::detect::endpoints::{port_text, resolve};
use crate::detect::prelude::*;

/// A port of a Service that leads where nothing listens.
pub struct Elsewhere<'a> {
    /// What to say, after the Service's name: `sends port 80 to port 8080 of its pods; the program listens on port 3000`.
    pub text: String,
    /// The index of the Service's port.
    pub index: usize,
    /// The port that would be right, where it is known.
    pub right: Option<u16>,
    /// The line of a server's log that says so.
    pub line: Option<(&'a LogTail, String)>,
}

/// Whether the ready pods behind this port of a Service are known to listen elsewhere.
pub fn elsewhere<'a>(view: &View<'a>, service: &Service, port: u16) -> Option<Elsewhere<'a>> {
    let mut ports = service.spec.ports.iter().enumerate();
    let (index, known) = ports.find(|(_, known)| known.port == i64::from(port))?;
    let pods = view.pods_behind(service);
    pods.into_iter().filter(|pod| pod.ready()).find_map(|pod| {
        let asked = u16::try_from(resolve(known, &pod.spec)?).ok()?;
        let servers: Vec<Running<'_>> = containers(pod).filter(|container| !container.init).collect();
        // Of several containers the one that declares the port, if any, is asked; else the only one.
        let declares = |container: &&Running<'_>| {
            container.spec.ports.iter().any(|declared| declared.container_port == i64::from(asked))
        };
        let server = servers.iter().find(declares).or(servers.first().filter(|_| servers.len() == 1))?;
        let told = listens_elsewhere(view, server, asked)?;
        let log = view.snapshot.log(&pod.object_ref(), &server.spec.name, false);
        Some(Elsewhere {
            text: format!("sends {} to port {asked} of its pods; {}", port_text(known), told.text),
            index,
            right: told.right_port,
            line: log.zip(told.line),
        })
    })
}

/// The logs of those who are called by workloads that are not well: one ready pod of each Service.
pub(super) fn wanted(view: &View<'_>) -> Vec<Want> {
    let mut wants = Vec::new();
    for client in clients(view).iter().filter(|client| client.down()) {
        for call in calls(view, client) {
            let service = view.get::<Service>(call.service.ns(), &call.service.name);
            let pods = service.map(|service| view.pods_behind(service)).unwrap_or_default();
            let Some(pod) = pods.into_iter().find(|pod| pod.ready()) else { continue };
            wants.extend(containers(pod).filter(|container| !container.init).map(|container| Want::Log {
                pod: pod.object_ref(),
                container: container.spec.name.clone(),
                previous: false,
            }));
        }
    }
    wants
}
