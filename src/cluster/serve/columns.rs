//! The tables that the API server makes, made of the objects: for a snapshot, and for what has no table.
//!
//! The columns are those of `k8s.io/kubernetes/pkg/printers/internalversion/printers.go`, as far as the slim types
//! hold what they show. *Invariant:* a kind without columns of its own has its name and its age.

use serde_json::Value;

use super::pod;
use super::source::Type;
use super::table::{Column, Row, Table};
use super::value::{NONE, age, at, int, items, name, on, or_none, pairs, shown, text, time};
use crate::model::Time;

type Cell = fn(&Value, Time) -> String;

/// Columns of a kind; the names of those that only `-o wide` shows begin with `+`.
type Columns = &'static [(&'static str, Cell)];

/// The table of objects.
pub(super) fn table(of: &Type, objects: Vec<Value>, now: Time) -> Table {
    let columns = columns(of);
    let column = |(name, _): &(&str, Cell)| Column {
        name: name.trim_start_matches('+').to_owned(),
        wide: name.starts_with('+'),
    };
    let row = |object: Value| Row { cells: columns.iter().map(|(_, cell)| cell(&object, now)).collect(), object };
    Table { columns: columns.iter().map(column).collect(), rows: objects.into_iter().map(row).collect(), more: None }
}

fn name_of(object: &Value, _: Time) -> String {
    name(object).to_owned()
}

pub(super) fn age_of(object: &Value, now: Time) -> String {
    age(now, time(object, "metadata.creationTimestamp"))
}

macro_rules! number {
    ($path:literal) => {
        |object: &Value, _: Time| int(object, $path).to_string()
    };
}

macro_rules! word {
    ($path:literal) => {
        |object: &Value, _: Time| or_none(text(object, $path)).to_owned()
    };
}

const AGE: (&str, Cell) = ("AGE", age_of);
const NAME: (&str, Cell) = ("NAME", name_of);

fn columns(of: &Type) -> Columns {
    match (of.group.as_str(), of.plural.as_str()) {
        ("", "pods") => PODS,
        ("", "nodes") => NODES,
        ("", "namespaces") => &[NAME, ("STATUS", word!("status.phase")), AGE],
        ("", "services") => SERVICES,
        ("", "configmaps") => &[NAME, ("DATA", data), AGE],
        ("", "secrets") => &[NAME, ("TYPE", word!("type")), AGE],
        ("", "persistentvolumeclaims") => CLAIMS,
        ("", "persistentvolumes") => VOLUMES,
        ("", "resourcequotas") => &[NAME, ("REQUEST", quota), AGE],
        ("apps", "deployments") => DEPLOYMENTS,
        ("apps", "replicasets") => REPLICA_SETS,
        ("apps", "statefulsets") => &[NAME, ("READY", ready), AGE, ("+IMAGES", images)],
        ("apps", "daemonsets") => DAEMON_SETS,
        ("batch", "jobs") => JOBS,
        ("batch", "cronjobs") => CRON_JOBS,
        ("networking.k8s.io", "ingresses") => INGRESSES,
        ("discovery.k8s.io", "endpointslices") => ENDPOINTS,
        ("autoscaling", "horizontalpodautoscalers") => AUTOSCALERS,
        ("policy", "poddisruptionbudgets") => BUDGETS,
        ("storage.k8s.io", "storageclasses") => {
            &[NAME, ("PROVISIONER", word!("provisioner")), ("VOLUMEBINDINGMODE", word!("volumeBindingMode")), AGE]
        }
        ("coordination.k8s.io", "leases") => &[NAME, ("HOLDER", word!("spec.holderIdentity")), AGE],
        ("apiregistration.k8s.io", "apiservices") => &[NAME, ("AVAILABLE", available), AGE],
        (group, _) if group.contains('.') && !group.ends_with(".k8s.io") => &[NAME, ("READY", custom_ready), AGE],
        _ => &[NAME, AGE],
    }
}

const PODS: Columns = &[
    NAME,
    ("READY", |object, _| pod::ready(object)),
    ("STATUS", |object, _| pod::status(object)),
    ("RESTARTS", pod::restarts),
    AGE,
    ("+IP", word!("status.podIP")),
    ("+NODE", word!("spec.nodeName")),
    ("+NOMINATED NODE", word!("status.nominatedNodeName")),
];

const NODES: Columns = &[
    NAME,
    ("STATUS", node_status),
    ("ROLES", node_roles),
    AGE,
    ("VERSION", word!("status.nodeInfo.kubeletVersion")),
    ("+INTERNAL-IP", |object, _| {
        let own = items(object, "status.addresses").iter().find(|address| text(address, "type") == "InternalIP");
        own.map_or_else(|| NONE.to_owned(), |address| text(address, "address").to_owned())
    }),
    ("+CONTAINER-RUNTIME", word!("status.nodeInfo.containerRuntimeVersion")),
];

const SERVICES: Columns = &[
    NAME,
    ("TYPE", |object, _| match text(object, "spec.type") {
        "" => "ClusterIP".to_owned(),
        kind => kind.to_owned(),
    }),
    ("CLUSTER-IP", word!("spec.clusterIP")),
    ("EXTERNAL-IP", external_address),
    ("PORT(S)", ports),
    AGE,
    ("+SELECTOR", |object, _| pairs(at(object, "spec.selector"))),
];

const CLAIMS: Columns = &[
    NAME,
    ("STATUS", |object, _| match (at(object, "metadata.deletionTimestamp"), text(object, "status.phase")) {
        (Value::String(_), _) => "Terminating".to_owned(),
        (_, phase) => phase.to_owned(),
    }),
    ("VOLUME", |object, _| text(object, "spec.volumeName").to_owned()),
    ("CAPACITY", |object, _| text(object, "status.capacity.storage").to_owned()),
    ("ACCESS MODES", modes),
    ("STORAGECLASS", |object, _| text(object, "spec.storageClassName").to_owned()),
    AGE,
];

const VOLUMES: Columns = &[
    NAME,
    ("CAPACITY", |object, _| text(object, "spec.capacity.storage").to_owned()),
    ("ACCESS MODES", modes),
    ("RECLAIM POLICY", |object, _| text(object, "spec.persistentVolumeReclaimPolicy").to_owned()),
    ("STATUS", word!("status.phase")),
    ("CLAIM", |object, _| match text(object, "spec.claimRef.name") {
        "" => String::new(),
        name => format!("{}/{name}", text(object, "spec.claimRef.namespace")),
    }),
    ("STORAGECLASS", |object, _| text(object, "spec.storageClassName").to_owned()),
    ("REASON", |object, _| text(object, "status.reason").to_owned()),
    AGE,
];

const DEPLOYMENTS: Columns = &[
    NAME,
    ("READY", ready),
    ("UP-TO-DATE", number!("status.updatedReplicas")),
    ("AVAILABLE", number!("status.availableReplicas")),
    AGE,
    ("+CONTAINERS", containers),
    ("+IMAGES", images),
    ("+SELECTOR", |object, _| pairs(at(object, "spec.selector.matchLabels"))),
];

const REPLICA_SETS: Columns = &[
    NAME,
    ("DESIRED", |object, _| wanted(object).to_string()),
    ("CURRENT", number!("status.replicas")),
    ("READY", number!("status.readyReplicas")),
    AGE,
    ("+IMAGES", images),
];

const DAEMON_SETS: Columns = &[
    NAME,
    ("DESIRED", number!("status.desiredNumberScheduled")),
    ("CURRENT", number!("status.currentNumberScheduled")),
    ("READY", number!("status.numberReady")),
    ("UP-TO-DATE", number!("status.updatedNumberScheduled")),
    ("AVAILABLE", number!("status.numberAvailable")),
    ("NODE SELECTOR", |object, _| pairs(at(object, "spec.template.spec.nodeSelector"))),
    AGE,
    ("+IMAGES", images),
];

const JOBS: Columns = &[
    NAME,
    ("STATUS", |object, _| {
        let holds = |kind: &str| {
            let mut all = items(object, "status.conditions").iter();
            all.any(|condition| text(condition, "type") == kind && text(condition, "status") == "True")
        };
        let words = ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"];
        let ended = words.into_iter().find(|word| holds(word));
        ended.unwrap_or(if on(object, "spec.suspend") { "Suspended" } else { "Running" }).to_owned()
    }),
    ("COMPLETIONS", |object, _| {
        let wanted = at(object, "spec.completions").as_i64().unwrap_or(1);
        format!("{}/{wanted}", int(object, "status.succeeded"))
    }),
    ("DURATION", |object, now| match (time(object, "status.startTime"), time(object, "status.completionTime")) {
        (None, _) => String::new(),
        (start, end) => age(end.unwrap_or(now), start),
    }),
    AGE,
    ("+IMAGES", images),
];

const CRON_JOBS: Columns = &[
    NAME,
    ("SCHEDULE", word!("spec.schedule")),
    ("TIMEZONE", word!("spec.timeZone")),
    ("SUSPEND", |object, _| if on(object, "spec.suspend") { "True" } else { "False" }.to_owned()),
    ("ACTIVE", |object, _| items(object, "status.active").len().to_string()),
    ("LAST SCHEDULE", |object, now| match time(object, "status.lastScheduleTime") {
        None => NONE.to_owned(),
        then => age(now, then),
    }),
    AGE,
];

const INGRESSES: Columns = &[
    NAME,
    ("CLASS", word!("spec.ingressClassName")),
    ("HOSTS", |object, _| {
        let hosts: Vec<&str> =
            items(object, "spec.rules").iter().map(|rule| text(rule, "host")).filter(|host| !host.is_empty()).collect();
        if hosts.is_empty() { "*".to_owned() } else { hosts.join(",") }
    }),
    ("ADDRESS", balancer),
    ("PORTS", |object, _| if items(object, "spec.tls").is_empty() { "80" } else { "80, 443" }.to_owned()),
    AGE,
];

const ENDPOINTS: Columns = &[
    NAME,
    ("ADDRESSTYPE", word!("addressType")),
    ("PORTS", |object, _| {
        let ports: Vec<String> = items(object, "ports").iter().map(|port| shown(at(port, "port"))).collect();
        if ports.is_empty() { "<unset>".to_owned() } else { ports.join(",") }
    }),
    ("ENDPOINTS", |object, _| {
        let all: Vec<String> =
            items(object, "endpoints").iter().flat_map(|end| items(end, "addresses")).map(shown).collect();
        match all.as_slice() {
            [] => "<unset>".to_owned(),
            [a, b, c, rest @ ..] if !rest.is_empty() => format!("{a},{b},{c} + {} more...", rest.len()),
            all => all.join(","),
        }
    }),
    AGE,
];

const AUTOSCALERS: Columns = &[
    NAME,
    ("REFERENCE", |object, _| {
        format!("{}/{}", text(object, "spec.scaleTargetRef.kind"), text(object, "spec.scaleTargetRef.name"))
    }),
    ("MINPODS", |object, _| at(object, "spec.minReplicas").as_i64().unwrap_or(1).to_string()),
    ("MAXPODS", number!("spec.maxReplicas")),
    ("REPLICAS", number!("status.currentReplicas")),
    AGE,
];

const BUDGETS: Columns = &[
    NAME,
    ("MIN AVAILABLE", |object, _| not_available(at(object, "spec.minAvailable"))),
    ("MAX UNAVAILABLE", |object, _| not_available(at(object, "spec.maxUnavailable"))),
    ("ALLOWED DISRUPTIONS", number!("status.disruptionsAllowed")),
    AGE,
];

fn not_available(value: &Value) -> String {
    if value.is_null() { "N/A".to_owned() } else { shown(value) }
}

/// How many replicas are asked for.
pub(super) fn wanted(object: &Value) -> i64 {
    at(object, "spec.replicas").as_i64().unwrap_or(1)
}

fn ready(object: &Value, _: Time) -> String {
    format!("{}/{}", int(object, "status.readyReplicas"), wanted(object))
}

fn templates(object: &Value) -> &[Value] {
    items(object, "spec.template.spec.containers")
}

fn containers(object: &Value, _: Time) -> String {
    templates(object).iter().map(|container| text(container, "name")).collect::<Vec<_>>().join(",")
}

fn images(object: &Value, _: Time) -> String {
    templates(object).iter().map(|container| text(container, "image")).collect::<Vec<_>>().join(",")
}

fn data(object: &Value, _: Time) -> String {
    let keys = |path| at(object, path).as_object().map_or(0, serde_json::Map::len);
    (keys("data") + keys("binaryData")).to_string()
}

fn quota(object: &Value, _: Time) -> String {
    let used = |key: &String| shown(at(object, "status.used").get(key).unwrap_or(&Value::Null));
    let hard = at(object, "status.hard").as_object().into_iter().flatten();
    hard.map(|(key, hard)| format!("{key}: {}/{}", used(key), shown(hard))).collect::<Vec<_>>().join(", ")
}

fn node_status(object: &Value, _: Time) -> String {
    let mut conditions = items(object, "status.conditions").iter();
    let ready = conditions.find(|condition| text(condition, "type") == "Ready");
    let mut status = match ready.map(|ready| text(ready, "status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if on(object, "spec.unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    status
}

fn node_roles(object: &Value, _: Time) -> String {
    let labels = at(object, "metadata.labels").as_object().into_iter().flatten();
    let roles: Vec<&str> =
        labels.filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/")).filter(|r| !r.is_empty()).collect();
    if roles.is_empty() { NONE.to_owned() } else { roles.join(",") }
}

fn balancer(object: &Value, _: Time) -> String {
    let ends = items(object, "status.loadBalancer.ingress").iter();
    let address = |end: &Value| match text(end, "ip") {
        "" => text(end, "hostname").to_owned(),
        ip => ip.to_owned(),
    };
    ends.map(address).collect::<Vec<_>>().join(",")
}

fn external_address(object: &Value, now: Time) -> String {
    match (text(object, "spec.type"), balancer(object, now)) {
        ("LoadBalancer", address) if address.is_empty() => "<pending>".to_owned(),
        ("LoadBalancer", address) => address,
        ("ExternalName", _) => text(object, "spec.externalName").to_owned(),
        _ => NONE.to_owned(),
    }
}

fn ports(object: &Value, _: Time) -> String {
    let port = |port: &Value| {
        let protocol = Some(text(port, "protocol")).filter(|word| !word.is_empty()).unwrap_or("TCP");
        match int(port, "nodePort") {
            0 => format!("{}/{protocol}", int(port, "port")),
            node => format!("{}:{node}/{protocol}", int(port, "port")),
        }
    };
    let ports: Vec<String> = items(object, "spec.ports").iter().map(port).collect();
    if ports.is_empty() { NONE.to_owned() } else { ports.join(",") }
}

fn modes(object: &Value, _: Time) -> String {
    let short = |mode: &Value| match mode.as_str().unwrap_or_default() {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "?",
    };
    items(object, "spec.accessModes").iter().map(short).collect::<Vec<_>>().join(",")
}

/// A condition as a word: its status, with the reason where that is not `True`.
fn said(object: &Value, kind: &str) -> String {
    let mut conditions = items(object, "status.conditions").iter();
    let Some(found) = conditions.find(|condition| text(condition, "type") == kind) else { return String::new() };
    match (text(found, "status"), text(found, "reason")) {
        (status, "") | (status @ "True", _) => status.to_owned(),
        (status, reason) => format!("{status} ({reason})"),
    }
}

fn available(object: &Value, _: Time) -> String {
    said(object, "Available")
}

fn custom_ready(object: &Value, _: Time) -> String {
    let ready = said(object, "Ready");
    if ready.is_empty() { text(object, "status.health.status").to_owned() } else { ready }
}
