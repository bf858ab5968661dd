//! What calls which Service: names of Services in a workload's environment, commands and arguments.
//!
//! *Invariant:* pure. A call is what the objects say; whether it is a fault is judged in one place, for
//! all detectors, so that they never contradict each other.
//!
//! - `client`: who calls
//! - `read`: where objects name a Service, and which one
//! - `script`: what a script does, without what it only prints
//! - `judge`: what is wrong with a call
//! - `talk`: what the caller's log says of it

mod client;
mod judge;
mod read;
mod script;
mod talk;

use std::collections::HashMap;

pub use client::{Client, clients};
pub use judge::{Fault, judge, right_port, suspicious};
pub use read::{config_maps, named_host, named_in, wanted_values};
pub use talk::{complaint, last_line};

use super::addresses::Named;
use super::prelude::*;
use read::read_calls;

/// A place that names a Service.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The container.
    pub container: &'a Container,
    /// The object in which it stands.
    pub at: ObjectRef,
    /// The field.
    pub path: String,
    /// What stands there, word for word.
    pub quote: String,
    /// The variable, where it stands in one.
    pub variable: Option<&'a str>,
    /// The variable with the port, where that is another one.
    pub port_variable: Option<&'a str>,
    /// The host as it is written.
    pub host: String,
    /// The port.
    pub port: Option<i64>,
    /// Whether the port is not written but the scheme's.
    pub implied: bool,
    /// How the Service is named.
    pub form: Form,
    /// The Service.
    pub service: ObjectRef,
}

/// How a Service is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `db`: in the pod's own namespace.
    Bare,
    /// `db.shop`, where namespace `shop` exists.
    Namespaced,
    /// `db.shop`, where no such namespace exists, but one with nearly that name.
    Guessed,
    /// `db.shop.svc` or more: nothing else can be meant.
    Full,
    /// `db-0.db`: one pod of a headless Service.
    Member,
}

impl<'a> Call<'a> {
    pub(super) fn new(container: &'a Container, at: &ObjectRef, path: String, quote: &str, target: Named) -> Call<'a> {
        let Named { host, port, implied } = target;
        let service = ObjectRef::new(Kind::Service, "", "");
        Call {
            container,
            at: at.clone(),
            path,
            quote: quote.to_owned(),
            variable: None,
            port_variable: None,
            host,
            port,
            implied,
            form: Form::Bare,
            service,
        }
    }

    /// Who names what, for people: `container app of Deployment web has RATES_URL=http://rates:8080`.
    pub fn sentence(&self, client: &Client<'_>) -> String {
        let kind = if client.is_init(self.container) { "init container" } else { "container" };
        let port = self.port.filter(|_| !self.implied).map(|port| format!(":{port}")).unwrap_or_default();
        let what = match (self.variable, self.port_variable) {
            (Some(name), Some(other)) => {
                format!("has {name}={} and {other}={}", self.host, self.port.unwrap_or_default())
            }
            (Some(name), None) if self.quote.len() <= 80 => format!("has {name}={}", self.quote),
            (Some(name), None) => format!("has {}{port} in {name}", self.host),
            (None, _) if self.at.kind == Kind::ConfigMap => {
                format!("has {}{port} from ConfigMap {}", self.host, self.at.name)
            }
            (None, _) => format!("calls {}{port}", self.host),
        };
        format!("{kind} {} of {} {what}", self.container.name, client.title())
    }

    /// The variable's value with another host or port; none where it stands elsewhere.
    pub fn replaced(&self, from: &str, to: &str) -> Option<String> {
        let variable =
            self.variable.filter(|_| self.at.kind != Kind::ConfigMap && !self.quote.contains("<redacted"))?;
        let value = self.quote.replacen(from, to, 1);
        (value != self.quote).then(|| format!("{variable}={value}"))
    }
}

/// The calls of a client, each Service and port once for each container.
pub fn calls<'a>(view: &View<'a>, client: &Client<'a>) -> Vec<Call<'a>> {
    let known = view.shared(|| {
        let all = clients(view).into_iter().map(|client| {
            let calls = read_calls(view, &client).iter().map(|call| Known::new(&client, call)).collect();
            (client.object, calls)
        });
        KnownCalls(all.filter(|(_, calls): &(_, Vec<Known>)| !calls.is_empty()).collect())
    });
    known.0.get(&client.object).into_iter().flatten().filter_map(|call| call.within(client)).collect()
}

/// The calls of all clients that make any, read once for all detectors.
struct KnownCalls(HashMap<ObjectRef, Vec<Known>>);

/// A call, with numbers in the place of what it borrows from the snapshot.
struct Known {
    container: usize,
    variable: Option<usize>,
    port_variable: Option<usize>,
    at: ObjectRef,
    path: String,
    quote: String,
    host: String,
    port: Option<i64>,
    implied: bool,
    form: Form,
    service: ObjectRef,
}

impl Known {
    fn new(client: &Client<'_>, call: &Call<'_>) -> Known {
        let number = |name: Option<&str>| call.container.env.iter().position(|env| Some(env.name.as_str()) == name);
        let same = |container: &Container| std::ptr::eq(container, call.container);
        Known {
            container: client.spec.all_containers().position(same).unwrap_or_default(),
            variable: number(call.variable),
            port_variable: number(call.port_variable),
            at: call.at.clone(),
            path: call.path.clone(),
            quote: call.quote.clone(),
            host: call.host.clone(),
            port: call.port,
            implied: call.implied,
            form: call.form,
            service: call.service.clone(),
        }
    }

    fn within<'a>(&self, client: &Client<'a>) -> Option<Call<'a>> {
        let container = client.spec.all_containers().nth(self.container)?;
        let name = |number: Option<usize>| number.and_then(|number| Some(container.env.get(number)?.name.as_str()));
        Some(Call {
            container,
            variable: name(self.variable),
            port_variable: name(self.port_variable),
            at: self.at.clone(),
            path: self.path.clone(),
            quote: self.quote.clone(),
            host: self.host.clone(),
            port: self.port,
            implied: self.implied,
            form: self.form,
            service: self.service.clone(),
        })
    }
}

/// Whether a fault of a pod's calls is proven, so that detectors that read its log can stay silent.
pub fn provable(view: &View<'_>, pod: &Pod) -> bool {
    !wrong_calls(view, pod).is_empty()
}

/// The calls of a pod whose fault is proven: the host as it is written, and the Service that it means.
pub fn wrong_calls<'a>(view: &View<'a>, pod: &'a Pod) -> Vec<(String, ObjectRef)> {
    let client = match view.workload(&view.workload_of(pod)) {
        Some(workload) => Client::of_workload(view, workload),
        None => Client::of_pod(pod),
    };
    let wrong = read_calls(view, &client).into_iter().filter(|call| judge(view, &client, call).is_some());
    wrong.map(|call| (call.host, call.service)).collect()
}

/// The first log of each client that has a call which looks wrong.
pub fn wanted_logs(view: &View<'_>) -> Vec<Want> {
    let mut wants = Vec::new();
    for client in clients(view) {
        let calls = calls(view, &client);
        wants.extend(
            calls
                .iter()
                .filter(|call| suspicious(view, &client, call))
                .filter_map(|call| client.log_wants(call.container)),
        );
    }
    wants
}
