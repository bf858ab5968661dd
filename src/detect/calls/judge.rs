//! What is wrong with a call.
//!
//! *Invariant:* what only looks like a name (a bare word that no Service has) is a fault only with a failing
//! container or a complaining log line.

use super::{Call, Client, Form, complaint};
use crate::detect::endpoints::{Target, stands_for, target};
use crate::detect::prelude::*;
use crate::model::Resource;
use crate::model::selector::subset;

/// What is wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No Service of this name; the one that was probably meant.
    Unknown {
        /// It.
        meant: Option<ObjectRef>,
    },
    /// The Service is in other namespaces only.
    Elsewhere {
        /// They.
        namespaces: Vec<String>,
    },
    /// The Service doesn't have the port.
    WrongPort,
}

/// What is wrong with a call, as far as objects and logs prove it.
pub fn judge(view: &View<'_>, client: &Client<'_>, call: &Call<'_>) -> Option<Fault> {
    match view.existence(&call.service) {
        Existence::Unknown => None,
        Existence::Present => wrong_port(view, client, call).then_some(Fault::WrongPort),
        Existence::Absent => {
            let certain = matches!(call.form, Form::Full | Form::Namespaced)
                || call.form == Form::Member && call.host.contains(".svc");
            let close = near(view, client, call);
            let elsewhere = if call.form == Form::Bare { elsewhere(view, call) } else { Vec::new() };
            // A bare word that nothing resembles is told by a log line alone; one that resembles a
            // Service, by a container that fails as well.
            let resembles = close.is_some() || !elsewhere.is_empty();
            let told = complaint(view, client, call).is_some();
            let proven = certain || told || resembles && client.ails(call.container);
            if !proven {
                return None;
            }
            if elsewhere.is_empty() || close.is_some() && elsewhere.len() > 1 {
                Some(Fault::Unknown { meant: close })
            } else {
                Some(Fault::Elsewhere { namespaces: elsewhere })
            }
        }
    }
}

/// Whether a call looks wrong, so that a log is worth reading.
pub fn suspicious(view: &View<'_>, client: &Client<'_>, call: &Call<'_>) -> bool {
    match view.existence(&call.service) {
        Existence::Unknown => false,
        Existence::Present => wrong_port(view, client, call),
        Existence::Absent => match call.form {
            Form::Full | Form::Namespaced | Form::Guessed => true,
            // Outside a URL or a pair a bare word without a likeness is rarely a host.
            Form::Bare => {
                near(view, client, call).is_some()
                    || !elsewhere(view, call).is_empty()
                    || call.port.is_some() && client.ails(call.container)
            }
            Form::Member => false,
        },
    }
}

fn wrong_port(view: &View<'_>, client: &Client<'_>, call: &Call<'_>) -> bool {
    let (Some(service), Some(port)) = (view.get::<Service>(call.service.ns(), &call.service.name), call.port) else {
        return false;
    };
    let service = stands_for(view, service);
    let own = service.selects()
        && client.namespace == service.metadata.namespace
        && subset(&service.spec.selector, client.labels);
    let plain = call.form != Form::Member && service.spec.cluster_ip != "None" && service.spec.kind != "ExternalName";
    plain && !own && !service.spec.ports.is_empty() && !service.spec.ports.iter().any(|known| known.port == port)
}

/// The port of the Service that was probably meant: the one that leads to the called number, or the only one.
pub fn right_port<'s>(service: &'s Service, called: i64) -> Option<&'s ServicePort> {
    let leads = |port: &&'s ServicePort| target(port) == Target::Number(called) || port.node_port == Some(called);
    let only = || service.spec.ports.first().filter(|_| service.spec.ports.len() == 1);
    service.spec.ports.iter().find(leads).or_else(only)
}

/// The Service that was probably meant by a name that none has.
fn near(view: &View<'_>, client: &Client<'_>, call: &Call<'_>) -> Option<ObjectRef> {
    let (namespace, name) = (call.service.ns(), &*call.service.name);
    let in_namespace = |namespace: &str| {
        // Its own Service is not what a client means, and a port that is asked for tells two apart.
        let others = view.within::<Service>(namespace).iter().filter(|s| {
            !(s.selects() && s.metadata.namespace == client.namespace && subset(&s.spec.selector, client.labels))
        });
        let (fitting, rest): (Vec<&Service>, Vec<&Service>) =
            others.partition(|s| call.port.is_none_or(|port| s.spec.ports.iter().any(|p| p.port == port)));
        let close = |services: &[&Service]| {
            meant(name, services.iter().map(|s| s.metadata.name.as_str()))
                .map(|name| ObjectRef::new(Kind::Service, namespace, name))
        };
        // `ledger-db` and `ledger-database` share no more than a word: enough for one Service with that port.
        let word = |s: &&&Service| shares_word(name, &s.metadata.name);
        let only = || {
            (call.port.is_some() && fitting.iter().filter(word).count() == 1)
                .then(|| fitting.iter().find(word))
                .flatten()
        };
        close(&fitting).or_else(|| close(&rest)).or_else(|| only().map(|s| s.object_ref()))
    };
    if call.form == Form::Bare
        || view.existence(&ObjectRef::new(Kind::Namespace, "", namespace)) == Existence::Present
        || namespace == client.namespace
    {
        return in_namespace(namespace);
    }
    let namespaces = view.all::<Namespace>().iter().map(|ns| ns.metadata.name.as_str());
    let near = meant(namespace, namespaces).filter(|near| view.get::<Service>(near, name).is_some());
    near.map(|near| ObjectRef::new(Kind::Service, near, name))
        .or_else(|| view.get::<Service>(client.namespace, name).map(Resource::object_ref))
}

/// Whether two names begin with the same word, one that says something.
fn shares_word(a: &str, b: &str) -> bool {
    let first = |name: &str| {
        name.split('-')
            .next()
            .filter(|word| word.len() >= 4 && !matches!(*word, "service" | "server" | "test" | "prod" | "main"))
            .map(str::to_owned)
    };
    first(a).is_some_and(|word| first(b) == Some(word))
}

fn elsewhere(view: &View<'_>, call: &Call<'_>) -> Vec<String> {
    let services = view
        .all::<Service>()
        .iter()
        .filter(|s| s.metadata.name == *call.service.name && s.metadata.namespace != call.service.ns());
    let fitting = services.filter(|s| {
        call.port.is_none_or(|port| s.spec.ports.iter().any(|p| p.port == port) || s.spec.cluster_ip == "None")
    });
    fitting.map(|s| s.metadata.namespace.clone()).collect()
}
