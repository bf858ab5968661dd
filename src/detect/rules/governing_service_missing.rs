//! StatefulSets whose pods have no names in DNS.

use crate::detect::config_uses::near;
use crate::detect::logs::{Class, Failing, complaining};
use crate::detect::prelude::*;
use crate::model::selector::subset;

pub(super) const DETECTOR: Detector = Detector {
    id: "governing-service-missing",
    summary: "The Service that names a StatefulSet's pods in DNS does not exist",
    group: Group::Workloads,
    reads: &[Kind::StatefulSet, Kind::Service],
    wants: None,
    doc: r"## What it detects
A StatefulSet whose `spec.serviceName` names a Service that is not there.

## Why it matters
The Service gives each pod its stable name (`db-0.db.shop.svc`). Without it the pods run, but can't find each other by
name: clusters of databases and queues don't form, clients of a single replica fail.

## Evidence
`spec.serviceName`, and the list of Services.

## Look-alikes
A StatefulSet whose pods nobody calls by name works without. It is reported all the same, since its manifest asks for
the Service, as a warning while all its pods are ready and no log says that such a name does not resolve. An empty
`serviceName` is not reported. A StatefulSet that stands still for another reason is `stateful-set-blocked`; a name in
a client's configuration `call-to-unknown-service`.

## What it does not see
A Service that exists and is not headless, or whose selector takes none of the pods (`service-selects-nothing`), gives
the pods no names either: that is not looked at here. Whether anybody calls the pods by name, where no log was read
that says so. StatefulSets that are scaled to zero, and those made less than ten seconds ago.

## What to do
Create a headless Service (`clusterIP: None`) of that name whose selector takes the pods. `spec.serviceName` itself
can't be changed: to correct it, `kubectl delete statefulset NAME --cascade=orphan`, and make it again. A pod has its
name once it is ready; clusters that must find each other before need `publishNotReadyAddresses: true`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let sets = view.all::<StatefulSet>().iter().filter(|set| !set.spec.service_name.is_empty());
    sets.filter(|set| set.spec.replicas != Some(0) && !set.metadata.deleting())
        .filter_map(|set| finding(view, set))
        .collect()
}

fn finding(view: &View<'_>, set: &StatefulSet) -> Option<Finding> {
    let (object, name) = (set.object_ref(), &set.spec.service_name);
    let service = view.beside(set, Kind::Service, name);
    let young = view.age(*set.metadata.creation_timestamp).is_some_and(|age| age < 10);
    if !view.absent(&service) || young {
        return None;
    }
    let services = view.within::<Service>(object.ns());
    let labels = &set.spec.template.metadata.labels;
    // A headless Service that takes its pods was meant, however it is called.
    let headless = services.iter().find(|service| {
        service.spec.cluster_ip == "None" && service.selects() && subset(&service.spec.selector, labels)
    });
    let known = services.iter().map(|service| service.metadata.name.as_str());
    let meant = match headless {
        Some(service) => format!("; the headless Service that selects its pods is {}", service.metadata.name),
        None => near(name, known).map(|name| format!("; did you mean Service {name}?")).unwrap_or_default(),
    };
    let all_ready = set.status.ready_replicas >= set.spec.replicas.unwrap_or(1);
    let clients = clients(view, set);
    let severity = if all_ready && clients.is_empty() { Severity::Warning } else { Severity::Critical };
    let felt = clients.first().map(|client| format!("; {} for it (pod {})", client.happens(), client.pod().name));
    let felt = felt.unwrap_or_default();
    let summary = format!(
        "governing Service {name} of StatefulSet {} does not exist, so its pods have no names in DNS ({0}-0.{name}){meant}{felt}",
        object.name
    );
    let mut finding = Finding::new(object.clone(), severity, Stage::Serve, summary)
        .key(name)
        .culprit(service.clone())
        .since(*set.metadata.creation_timestamp)
        .field(&object, "spec.serviceName", name)
        .look("see which Services there are", &object, &["get", "services"]);
    for client in clients {
        let shown = last_log(view, &client.container).zip(client.line());
        let shown = shown.filter(|(log, line)| log.lines.iter().any(|known| known == line));
        if let Some((log, line)) = shown.filter(|_| finding.evidence.len() < 4) {
            finding = finding.log(log, line);
        }
        finding = finding.explains(client.pod());
    }
    Some(finding)
}

/// The containers that fail or complain since one of the set's pods has no name.
fn clients<'a>(view: &View<'a>, set: &StatefulSet) -> Vec<Failing<'a>> {
    let member = |host: &str| {
        let mut labels = host.split('.');
        let number = labels.next().and_then(|pod| pod.strip_prefix(set.metadata.name.as_str())?.strip_prefix('-'));
        let service = labels.next() == Some(&set.spec.service_name);
        let ordinal =
            number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
        // `db-0.db` is of the caller's own namespace.
        ordinal && service && labels.next().is_none_or(|namespace| namespace == set.metadata.namespace)
    };
    let calls = |class: &Class| matches!(class, Class::UnknownHost(host) if member(host));
    let full =
        |client: &Failing<'_>| matches!(client.class(), Some(Class::UnknownHost(host)) if host.split('.').count() > 2);
    let mut found = complaining(view, calls);
    found.retain(|client| client.namespace() == set.metadata.namespace || full(client));
    found
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const DB: &str = "
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {replicas: 2, serviceName: db-headles}
status: {readyReplicas: 2}
---
kind: Service
metadata: {name: SERVICE, namespace: shop}
";

    #[test]
    fn a_name_one_letter_away() {
        let yaml = DB.replace("SERVICE", "db-headless");
        let expected = "StatefulSet shop/db: governing Service db-headles of StatefulSet db does not exist, so its pods have no names in DNS (db-0.db-headles); did you mean Service db-headless? <- Service shop/db-headles";
        check(&super::DETECTOR, &yaml, &format!("warning {expected}"));
        let waiting = yaml.replace("readyReplicas: 2", "readyReplicas: 0");
        check(&super::DETECTOR, &waiting, &format!("critical {expected}"));
    }

    #[test]
    fn a_client_fails_for_it() {
        let client = "
---
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 1, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['FATAL dial tcp: lookup HOST: no such host']
";
        let yaml = |host: &str| DB.replace("SERVICE", "web") + &client.replace("HOST", host);
        let says = "StatefulSet shop/db: governing Service db-headles of StatefulSet db does not exist, so its pods have no names in DNS (db-0.db-headles)";
        let felt = "; container app exits 1 for it (pod web-1)";
        let blamed = "<- Service shop/db-headles";
        check(&super::DETECTOR, &yaml("db-0.db-headles"), &format!("critical {says}{felt} {blamed}"));
        check(&super::DETECTOR, &yaml("db-0.db-headles.shop.svc"), &format!("critical {says}{felt} {blamed}"));
        check(&super::DETECTOR, &yaml("db-0.db-headles.bank"), &format!("warning {says} {blamed}"));
        check(&super::DETECTOR, &yaml("cache"), &format!("warning {says} {blamed}"));
    }

    #[test]
    fn a_headless_service_that_selects_its_pods() {
        let yaml = DB.replace("SERVICE", "peers").replace(
            "serviceName: db-headles",
            "serviceName: db-headles, template: {metadata: {labels: {app: db, tier: data}}}",
        );
        check(
            &super::DETECTOR,
            &(yaml + "spec: {clusterIP: None, selector: {app: db}}\n"),
            "warning StatefulSet shop/db: governing Service db-headles of StatefulSet db does not exist, so its pods have no names in DNS (db-0.db-headles); the headless Service that selects its pods is peers <- Service shop/db-headles",
        );
    }

    #[test]
    fn it_is_there_or_not_asked_for() {
        check(&super::DETECTOR, &DB.replace("SERVICE", "db-headles"), "");
        check(&super::DETECTOR, &DB.replace("SERVICE", "x").replace(", serviceName: db-headles", ""), "");
        check(&super::DETECTOR, &DB.replace("SERVICE", "x").replace("replicas: 2", "replicas: 0"), "");
    }
}
