//! Hosts and ports that a log or a variable names, and the Services that they mean.

use std::sync::LazyLock;

use regex::Regex;

use super::Failing;
use super::line::pattern;
use crate::detect::endpoints::stands_for;
use crate::detect::{calls, prelude::*};

/// A host and, where it is said, a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: Option<u16>,
}

/// What a host stands for.
#[derive(Clone, Debug)]
pub enum Standing<'a> {
    /// The pod itself.
    Own,
    /// A Service.
    Service(&'a Service),
    /// A pod's address.
    Pod(&'a Pod),
    /// Looks like a Service's name, and there is none of it in that namespace.
    Missing {
        /// The Service's name.
        name: String,
        /// The namespace asked.
        namespace: String,
    },
    /// Something that the snapshot does not show: another namespace, a name outside.
    Outside,
}

impl Target {
    /// `db:5432`, `db`.
    pub fn text(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }
}

/// Hosts with ports in a text, in the order in which they are likely meant.
pub fn targets(line: &str) -> Vec<Target> {
    static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            r#"\b[a-z][a-z0-9+.-]*://(?:[^@/\s"']*@)?(?<h>[A-Za-z0-9](?:[\w.-]*\w)?)(?::(?<p>\d{1,5}))?"#,
            r"->(?<h>[\w.-]+):(?<p>\d{1,5})",
            r#"(?:server|host)(?: on| at)?:? ["'](?<h>[\w.-]+)["'](?: \([\d.]+\))?.{0,60}?port:? (?<p>\d{1,5})"#,
            r#"host=['"](?<h>[\w.-]+)['"], ?port=['"]?(?<p>\d{1,5})"#,
            r"(?:onnect(?:ing|ion)?|dial(?:ing)?|reach|for|calling|server|broker|to)(?: tcp| to| at| remote host)* [(\x22'`\[]?(?<h>[A-Za-z0-9][\w.-]*)[\x22'`]?(?:/[\d.]+)?(?: \([\d.]+\))?(?::|,? port:? ?|, )(?<p>\d{1,5})\b",
            r"(?<h>[A-Za-z0-9](?:[\w.-]*\w)?)(?:/[\d.]+)?:(?<p>\d{1,5})\b",
            r#"(?:on|to|at|host|server) ["'`(](?<h>[A-Za-z0-9][\w.-]*)["'`)]"#,
            r"remote host \(?(?<h>[\d.]+)\)?",
            r"\b(?<h>\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\b",
            r"(?:onnect to|connecting to|reach|waiting for|wait for|waiting on)(?: the)?(?: service| server| host| database)? [\x22'`]?(?<h>[a-z0-9][a-z0-9.-]*[a-z0-9])",
        ]
        .iter()
        .map(|text| pattern(text))
        .collect()
    });
    let mut found: Vec<Target> = Vec::new();
    for captures in SHAPES.iter().flat_map(|shape| shape.captures_iter(line)) {
        let Some(host) = captures.name("h").map(|host| host.as_str().trim_end_matches('.').to_owned()) else {
            continue;
        };
        let port = captures.name("p").and_then(|port| port.as_str().parse().ok()).filter(|port| *port > 0);
        if is_host(&host) && !found.iter().any(|known| known.host == host && (known.port == port || port.is_none())) {
            found.push(Target { host, port });
        }
    }
    found
}

/// A name of letters, digits, dots and dashes, or an address: not a time, not a file with a line.
fn is_host(host: &str) -> bool {
    const FILES: &[&str] = &[
        "go",
        "py",
        "js",
        "ts",
        "java",
        "rb",
        "rs",
        "c",
        "cc",
        "cpp",
        "php",
        "conf",
        "yaml",
        "yml",
        "json",
        "sh",
        "ini",
        "toml",
        "xml",
        "html",
        "kt",
        "scala",
        "lua",
        "pl",
        "cs",
        "mjs",
        "properties",
        "env",
        "log",
        "sql",
    ];
    const WORDS: &[&str] = &[
        "line",
        "error",
        "code",
        "port",
        "level",
        "http",
        "https",
        "tcp",
        "udp",
        "the",
        "at",
        "to",
        "on",
        "time",
        "pid",
        "errno",
        "status",
        "exit",
        "err",
        "msg",
        "attempt",
        "retry",
        "info",
        "warn",
        "fatal",
        "failed",
        "connection",
    ];
    let address = is_address(host);
    let named = host.chars().any(|c| c.is_ascii_alphabetic()) && !host.ends_with('-');
    let file = host.rsplit_once('.').is_some_and(|(_, end)| FILES.contains(&end.to_ascii_lowercase().as_str()));
    let time = host.contains('T') && host.chars().next().is_some_and(|c| c.is_ascii_digit());
    address || (named && !file && !time && host.len() <= 253 && !WORDS.contains(&host.to_ascii_lowercase().as_str()))
}

/// Whether it is an IPv4 address.
pub fn is_address(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// What a host means to a pod of this namespace.
pub fn resolve<'a>(view: &View<'a>, namespace: &str, host: &str) -> Standing<'a> {
    if host == "localhost" || host == "::1" || host.starts_with("127.") || host == "0.0.0.0" {
        return Standing::Own;
    }
    if is_address(host) {
        let service = view.all::<Service>().iter().find(|service| service.spec.cluster_ip == host);
        let pod = || {
            view.all::<Pod>().iter().find(|pod| pod.status.pod_ip == host && !pod.spec.host_network && !pod.finished())
        };
        return service.map(Standing::Service).or_else(|| pod().map(Standing::Pod)).unwrap_or(Standing::Outside);
    }
    let Some((name, place)) = service_name(view, namespace, host) else { return Standing::Outside };
    if let Some(service) = view.get::<Service>(&place, &name) {
        return Standing::Service(service);
    }
    if view.absent(&ObjectRef::new(Kind::Service, &place, &name)) {
        Standing::Missing { name, namespace: place }
    } else {
        Standing::Outside
    }
}

/// Service and namespace that a host name stands for: `db`, `db.shop`, `db.shop.svc`,
/// `db.shop.svc.cluster.local`, each also behind a pod's name (`db-0.db`).
fn service_name(view: &View<'_>, own: &str, host: &str) -> Option<(String, String)> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let parts: Vec<&str> = host.split('.').collect();
    let exists = |name: &str, place: &str| view.get::<Service>(place, name).is_some();
    let place = |name: &str| view.get::<Namespace>("", name).is_some() || name == own;
    let pair = |name: &str, place: &str| Some((name.to_owned(), place.to_owned()));
    // What stands before `svc` is Service and namespace, and before those perhaps a pod.
    if let Some(at) = parts.iter().position(|part| *part == "svc") {
        let before: Vec<&str> = parts.iter().take(at).copied().collect();
        return match before.as_slice() {
            [.., name, namespace] => pair(name, namespace),
            _ => None,
        };
    }
    match parts.as_slice() {
        [name] => pair(name, own),
        [first, second] if exists(first, second) => pair(first, second),
        [_, second] if exists(second, own) => pair(second, own),
        [first, second] if place(second) => pair(first, second),
        [_, second, third] if place(third) => pair(second, third),
        _ => None,
    }
}

/// `Service db` for one of the own namespace, else `Service data/db`.
pub fn title(service: &Service, own: &str) -> String {
    let meta = &service.metadata;
    if meta.namespace == own {
        format!("Service {}", meta.name)
    } else {
        format!("Service {}/{}", meta.namespace, meta.name)
    }
}

/// How many endpoints of a Service get traffic; nothing where its slices are unknown.
pub fn ready_endpoints(view: &View<'_>, service: &Service) -> Option<usize> {
    if !view.snapshot.knows(Kind::EndpointSlice, &service.metadata.namespace) {
        return None;
    }
    let slices = view.slices_of(service);
    let count = slices
        .iter()
        .flat_map(|slice| &slice.endpoints)
        .filter(|endpoint| endpoint.is_ready())
        .map(|endpoint| endpoint.addresses.len())
        .sum();
    Some(count)
}

/// The ports of a Service: `80`, `80 and 443`.
pub fn ports(service: &Service) -> String {
    let ports: Vec<String> = service.spec.ports.iter().map(|port| port.port.to_string()).collect();
    list(&ports)
}

/// Whether a Service has this port. A headless one has none of its own: its pods' ports count.
pub fn has_port(service: &Service, port: u16) -> bool {
    service.spec.cluster_ip == "None"
        || service.spec.kind == "ExternalName"
        || service.spec.ports.iter().any(|known| known.port == i64::from(port))
}

/// What to say of a Service that is not there: a near name here, the same name elsewhere.
pub fn instead(view: &View<'_>, name: &str, namespace: &str) -> Option<String> {
    let near = meant_service(view, name, namespace);
    let elsewhere: Vec<String> = view
        .all::<Service>()
        .iter()
        .filter(|service| service.metadata.name == name)
        .map(|service| service.metadata.namespace.clone())
        .collect();
    if let Some(first) = elsewhere.first() {
        return Some(format!("Service {name} is in namespace {}: use {name}.{first}", list(&elsewhere)));
    }
    near.map(|near| format!("did you mean Service {near}?"))
}

/// The Service of a namespace that was probably meant by a name.
pub fn meant_service<'a>(view: &View<'a>, name: &str, namespace: &str) -> Option<&'a str> {
    let names = || {
        view.within::<Service>(namespace)
            .iter()
            .map(|service| service.metadata.name.as_str())
            .filter(|name| *name != "kubernetes")
    };
    meant(name, names()).or_else(|| {
        // Words in common: `orders-db` and `orders-postgres-db`.
        let words = |text: &str| {
            text.split(['-', '.', '_']).filter(|word| word.len() > 1).map(str::to_owned).collect::<Vec<_>>()
        };
        let own = words(name);
        let mut all = names().filter(|other| own.len() > 1 && own.iter().all(|word| words(other).contains(word)));
        all.next().filter(|_| all.next().is_none())
    })
}

/// Variables of a container with the values that the spec or a read ConfigMap gives them.
pub fn values(view: &View<'_>, pod: &Pod, container: &Container) -> Vec<(String, String)> {
    let namespace = &pod.metadata.namespace;
    let known = || view.snapshot.config_values.iter().filter(|value| value.namespace == *namespace);
    let mut found = Vec::new();
    for source in &container.env_from {
        if let Some(map) = &source.config_map_ref {
            found.extend(
                known()
                    .filter(|value| value.name == map.name)
                    .map(|value| (format!("{}{}", source.prefix, value.key), value.value.clone())),
            );
        }
    }
    for variable in &container.env {
        if let Some(value) = &variable.value {
            found.push((variable.name.clone(), value.clone()));
        }
        let key = variable.value_from.as_ref().and_then(|from| from.config_map_key_ref.as_ref());
        if let Some(value) = key.and_then(|key| known().find(|value| value.name == key.name && value.key == key.key)) {
            found.push((variable.name.clone(), value.value.clone()));
        }
    }
    found
}

/// The variable that names a host, and what it says.
pub fn variable_of(view: &View<'_>, pod: &Pod, container: &Container, target: &Target) -> Option<(String, String)> {
    let names =
        |value: &str| targets(value).iter().any(|known| known.host == target.host) || value.trim() == target.host;
    values(view, pod, container).into_iter().find(|(_, value)| names(value))
}

/// What a failing container could not reach: the target that its deciding line, the lines around
/// it or its variables name, and what that stands for.
pub fn callee<'a>(view: &View<'a>, failing: &Failing<'a>) -> Option<(Target, Standing<'a>)> {
    let (pod, namespace) = (failing.container.pod, failing.namespace());
    // Who could not ask for a name has not come to the one that bears it.
    if let Some(target) = name_server(&failing.text) {
        return Some((target.clone(), resolve(view, namespace, &target.host)));
    }
    let said = |text: &str| {
        targets(text).into_iter().map(|target| (resolve(view, namespace, &target.host), target)).collect::<Vec<_>>()
    };
    let mut found = said(&failing.text);
    found.extend(said(&failing.around));
    let named: Vec<Target> =
        values(view, pod, failing.container.spec).iter().flat_map(|(_, value)| targets(value)).collect();
    let known = |target: &Target| target.port.is_some() || named.iter().any(|other| other.host == target.host);
    // A word after `connect to` may be a noun: without a port it is a name only if a variable has it.
    found.retain(|(standing, target)| !matches!(standing, Standing::Missing { .. }) || known(target));
    let rank = |standing: &Standing<'_>| match standing {
        Standing::Service(_) => 0,
        Standing::Missing { .. } => 1,
        Standing::Pod(_) | Standing::Own => 2,
        Standing::Outside => 3,
    };
    if let Some((standing, mut target)) = found.into_iter().min_by_key(|(standing, _)| rank(standing)) {
        // The address of a Service without the port: the variable that names the Service has it.
        let same = |other: &&Target| {
            other.host == target.host
                || matches!((&standing, resolve(view, namespace, &other.host)), (Standing::Service(a), Standing::Service(b)) if std::ptr::eq(*a, b))
        };
        target.port = target.port.or_else(|| named.iter().filter(same).find_map(|other| other.port));
        return Some((target, standing));
    }
    // The line names nobody: the only Service that the container's variables name is meant.
    let mut services = named.into_iter().filter_map(|target| match resolve(view, namespace, &target.host) {
        standing @ (Standing::Service(_) | Standing::Missing { .. }) if target.port.is_some() => {
            Some((target, standing))
        }
        _ => None,
    });
    let first = services.next()?;
    services.all(|(target, _)| target.host == first.0.host).then_some(first)
}

/// The server of names that did not answer: `lookup db on 10.96.0.10:53: read udp 10.244.0.9:4000->10.96.0.10:53: i/o timeout`.
fn name_server(line: &str) -> Option<Target> {
    static ASKED: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\blookup \S+ on (?<h>\d[\d.]+):53: (?:read|write|dial) udp"));
    let host = ASKED.captures(line)?.name("h")?.as_str().to_owned();
    Some(Target { host, port: Some(53) })
}

/// Whether what is wrong with a call to this target is told where the configuration is judged
/// (`call-to-…`): the name, the namespace or the port that the spec gives.
pub fn told_by_call(view: &View<'_>, failing: &Failing<'_>, target: Option<&Target>) -> bool {
    let wrong = calls::wrong_calls(view, failing.container.pod);
    let Some(target) = target.filter(|target| !target.host.is_empty()) else { return !wrong.is_empty() };
    let same = |service: &ObjectRef| match resolve(view, failing.namespace(), &target.host) {
        Standing::Service(found) => found.object_ref() == *service,
        Standing::Missing { name, namespace } => *service.name == *name && service.ns() == namespace,
        _ => false,
    };
    wrong.iter().any(|(host, service)| *host == target.host || same(service))
}

/// What a standing comes to where it is an ExternalName Service for one of the cluster.
pub fn followed<'a>(view: &View<'a>, standing: Standing<'a>) -> Standing<'a> {
    match standing {
        Standing::Service(service) => Standing::Service(stands_for(view, service)),
        other => other,
    }
}

/// How a Service stands to those who call it on a port: what to say, and whether it is to blame.
pub fn verdict(view: &View<'_>, service: &Service, own: &str, port: Option<u16>) -> (String, bool) {
    let title = title(service, own);
    if service.spec.kind == "ExternalName" {
        return (format!("{title} stands for {} outside the cluster", service.spec.external_name), true);
    }
    if let Some(port) = port.filter(|port| !has_port(service, *port)) {
        return (format!("{title} has no port {port}, it has {}", ports(service)), false);
    }
    match ready_endpoints(view, service) {
        None => (format!("whether {title} has endpoints is not known"), true),
        Some(0) => (format!("{title} has no ready endpoint"), true),
        Some(count) => {
            (format!("{title} has {}, none of which takes the connection", plural(count, "ready endpoint")), true)
        }
    }
}

/// Whether a Service got its first ready pod only after this moment.
pub fn ready_since(view: &View<'_>, service: &Service, moment: Option<Time>) -> bool {
    let pods = view.pods_behind(service);
    let mut times = pods
        .iter()
        .filter(|pod| pod.ready())
        .map(|pod| condition(&pod.status.conditions, "Ready").and_then(|ready| *ready.last_transition_time))
        .peekable();
    moment.is_some() && times.peek().is_some() && times.all(|time| time > moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::snapshot;

    #[test]
    fn hosts_in_lines() {
        let table = [
            ("dial tcp 10.96.3.4:5432: connect: connection refused", "10.96.3.4:5432"),
            ("read tcp 10.244.0.3:40000->10.96.3.4:5432: i/o timeout", "10.96.3.4:5432"),
            ("ERROR upstream failure calling rates:8080/healthz/: refused", "rates:8080"),
            (r#"connection to server at "db" (10.96.1.1), port 5432 failed: Connection refused"#, "db:5432"),
            ("postgres://app:***@db.data.svc:5432/shop unreachable", "db.data.svc:5432"),
            ("Error 111 connecting to cache:6379. Connection refused.", "cache:6379"),
            ("Failed to connect to search port 9200: Connection refused", "search:9200"),
            ("Can't connect to MySQL server on 'mysql' (111)", "mysql"),
            ("wget: can't connect to remote host (10.96.9.9): Connection refused", "10.96.9.9"),
            ("HTTPConnectionPool(host='api', port=80): Max retries exceeded", "api:80"),
            ("10:00:01 main.go:34 waiting for service ledger-db:5432 ...", "ledger-db:5432"),
            ("[3] waiting for ledger-db", "ledger-db"),
            ("2026-01-01T10:00:00 nothing here", ""),
        ];
        for (line, expected) in table {
            let found = targets(line).first().map(Target::text).unwrap_or_default();
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn a_name_that_could_not_be_asked_for() {
        let line = "dial tcp: lookup quotes on 10.96.0.10:53: read udp 10.244.0.9:41->10.96.0.10:53: i/o timeout";
        assert_eq!(name_server(line).map(|target| target.text()).as_deref(), Some("10.96.0.10:53"));
        assert_eq!(name_server("dial tcp: lookup quotes on 10.96.0.10:53: no such host"), None);
    }

    #[test]
    fn hosts_and_services() {
        let snapshot = snapshot(
            "
kind: Service
metadata: {name: db, namespace: data}
spec: {clusterIP: 10.96.0.7, ports: [{port: 5432}]}
---
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
---
kind: Namespace
metadata: {name: data}
",
        );
        let view = crate::graph::build(&snapshot);
        let standing = |host: &str| match resolve(&view, "shop", host) {
            Standing::Service(service) => service.metadata.name.clone(),
            Standing::Missing { name, namespace } => format!("no {namespace}/{name}"),
            other => format!("{other:?}"),
        };
        let table = [
            ("web", "web"),
            ("web-0.web", "web"),
            ("db.data", "db"),
            ("db.data.svc", "db"),
            ("db.data.svc.cluster.local", "db"),
            ("db-0.db.data.svc.cluster.local", "db"),
            ("10.96.0.7", "db"),
            ("db", "no shop/db"),
            ("cache.data", "no data/cache"),
            ("localhost", "Own"),
            ("api.example.com", "Outside"),
            ("example.com", "Outside"),
        ];
        for (host, expected) in table {
            assert_eq!(standing(host), expected, "{host}");
        }
        assert_eq!(instead(&view, "db", "shop").as_deref(), Some("Service db is in namespace data: use db.data"));
        assert_eq!(instead(&view, "webb", "shop").as_deref(), Some("did you mean Service web?"));
    }
}
