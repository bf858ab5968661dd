//! StatefulSets whose pods have no names in DNS.

use crate::detect::config_uses::near;
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
the Service, as a warning while all its pods are ready. An empty `serviceName` is not reported. A StatefulSet that
stands still for another reason is `stateful-set-blocked`; a name in a client's configuration
`call-to-unknown-service`.

## What it does not see
A Service that exists and is not headless, or whose selector takes none of the pods (`service-selects-nothing`), gives
the pods no names either: that is not looked at here. Whether anybody calls the pods by name. StatefulSets that are
scaled to zero, and those made less than ten seconds ago.

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
    let severity = if all_ready { Severity::Warning } else { Severity::Critical };
    let summary = format!(
        "governing Service {name} of StatefulSet {} does not exist, so its pods have no names in DNS ({0}-0.{name}){meant}",
        object.name
    );
    let finding = Finding::new(object.clone(), severity, Stage::Serve, summary)
        .key(name)
        .culprit(service.clone())
        .since(*set.metadata.creation_timestamp)
        .field(&object, "spec.serviceName", name)
        .look("see which Services there are", &object, &["get", "services"]);
    Some(finding)
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
