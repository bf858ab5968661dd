//! Variables that the kubelet makes for Services, where a program takes one for its own setting.
//!
//! *Invariant:* a variable counts only where the program itself shows its value: `REDIS_PORT` is
//! `tcp://10.96.0.7:6379` in each container of the namespace, and most programs never read it.

use std::sync::LazyLock;

use regex::Regex;

use super::class::Link;
use super::line::pattern;
use super::service::values;
use crate::detect::prelude::*;

/// The variable of a Service whose value `said` shows, unless the spec gives the value itself.
pub(super) fn clash(view: &View<'_>, container: &Running<'_>, said: &str) -> Option<Link> {
    static VALUE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b(?:tcp|udp|sctp)://(?<ip>\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}\b"));
    let (pod, spec) = (container.pod, container.spec);
    if pod.spec.enable_service_links == Some(false) {
        return None;
    }
    let found = VALUE.captures(said)?;
    let (value, ip) = (found.get(0)?.as_str(), found.name("ip")?.as_str());
    let service =
        view.within::<Service>(&pod.metadata.namespace).iter().find(|service| service.spec.cluster_ip == ip)?;
    let name = &service.metadata.name;
    let variable = format!("{}_PORT", name.to_ascii_uppercase().replace('-', "_"));
    // What the spec sets wins over what the kubelet makes.
    let own = spec.env.iter().any(|env| env.name == variable)
        || values(view, pod, spec).iter().any(|(name, known)| *name == variable || known.contains(value));
    (!own).then(|| Link { variable, value: value.to_owned(), service: name.clone() })
}
