//! Services whose selector takes no pod, and which no workload's template fits either.

use crate::detect::endpoints::{behind, leads, nearest, waits};
use crate::detect::prelude::*;
use crate::model::selector::labels;

pub(super) const DETECTOR: Detector = Detector {
    id: "service-selects-nothing",
    summary: "Service's selector matches no pod and no workload",
    group: Group::Network,
    reads: &[Kind::Service, Kind::Pod, Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet],
    wants: None,
    doc: r"## What it detects
A Service with a selector that no pod of its namespace carries, and no workload's template either. If
the labels of one workload are close to it (one label differs, or the value is a letter away), the
sentence says which label is wrong and what the pods carry.

## Why it matters
The Service has no endpoints, and gets none by itself: every connection to it fails, though the pods
are well.

## Evidence
`spec.selector` of the Service, and the labels of the workload that it was probably meant for. It is
critical where an Ingress, a route, a webhook or an aggregated API leads to the Service, or where no
other Service takes those pods; otherwise a warning.

## Look-alikes
- The selector fits and no pod is ready: `service-no-endpoints`.
- The selector fits a workload with 0 replicas: `service-scaled-to-zero`.
- The pods are taken and the port is wrong: `target-port-wrong`.
- The cluster's DNS Service has a detector of its own: `dns-down`.
- A Service that is left over from something uninstalled looks the same. Nobody misses it: delete it.
- A workload of another kind (a custom resource, an Argo Rollout) counts only by its pods. Scaled to
  zero, it looks as if nothing fitted.

## What it does not see
Services without a selector or of type ExternalName. Selectors on labels that controllers give to single
pods, on the role of a spare (`replica`, `standby`, `canary`), or on the pods of a Job or CronJob: having
no pod is normal there. An operator's Service that nothing leads to. A Service younger than a minute that
no workload resembles. Without the right to list pods and workloads in the namespace it is silent.

## What to do
See what there is: `kubectl get pods --show-labels -n NAMESPACE`. Then make the selector and the labels
equal: `kubectl set selector service NAME KEY=VALUE,...` (it replaces the whole selector). The selector
of a Deployment can't be changed after it was made, so change the Service's.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<Service>()
        .iter()
        .filter(|service| service.selects() && !service.metadata.deleting())
        .filter_map(|service| finding(view, service))
        .collect()
}

fn finding(view: &View<'_>, service: &Service) -> Option<Finding> {
    let object = service.object_ref();
    let found = behind(view, service);
    let readable = [Kind::Pod, Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet]
        .iter()
        .all(|kind| view.snapshot.knows(*kind, object.ns()));
    // The cluster's DNS has a detector of its own.
    let dns = view.dns().is_some_and(|dns| std::ptr::eq(dns, service));
    if !found.pods.is_empty()
        || !found.workloads.is_empty()
        || !readable
        || dns
        || waits(view, service)
        || !view.pods_behind(service).is_empty()
    {
        return None;
    }
    let used = leads(view, &object);
    let near = nearest(view, service);
    let young = view.age(*service.metadata.creation_timestamp).is_some_and(|age| age < SETTLED);
    if near.is_none() && young || used.is_none() && service.metadata.controller().is_some() {
        return None;
    }
    let selector = labels(&service.spec.selector);
    // Pods that another Service takes are reached by that one: this one may be a leftover.
    let hurts = used.is_some() || near.as_ref().is_some_and(|near| near.alone);
    let severity = if hurts { Severity::Critical } else { Severity::Warning };
    let summary = match &near {
        Some(near) => format!(
            "Service {} selects {}, which no pod carries; the pods of {} carry {}",
            object.name, near.wrong, near.title, near.right
        ),
        None => format!(
            "Service {} selects {selector}, which no pod and no workload of namespace {} carries",
            object.name,
            object.ns()
        ),
    };
    let mut finding = Finding::new(object.clone(), severity, Stage::Serve, summary)
        .field(&object, "spec.selector", &selector)
        .since(*service.metadata.creation_timestamp)
        .look("see what labels the pods carry", &object, &["get", "pods", "--show-labels"]);
    if let Some(near) = near {
        let path = if near.title.starts_with("Pod ") { "metadata.labels" } else { "spec.template.metadata.labels" };
        let kind = Kind::parse(near.title.split(' ').next().unwrap_or_default());
        let target = ObjectRef::new(kind, object.ns(), near.title.rsplit(' ').next().unwrap_or_default());
        finding = finding.field(&target, path, &near.right);
        finding = finding.fix(
            "select the pods by the labels they carry",
            &object,
            &["set", "selector", "service", &object.name, &labels(&near.selector)],
        );
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const WEB: &str = "
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: SELECTOR, ports: [{port: 80}], clusterIP: 10.96.0.7}
---
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: REPLICAS, template: {metadata: {labels: {app: web, tier: front}}}}
---
kind: Pod
metadata: {name: other-1, namespace: shop, labels: {app: other}}
status: {phase: Running}
";

    #[track_caller]
    fn web(selector: &str, replicas: &str, expected: &str) {
        check(&super::DETECTOR, &WEB.replace("SELECTOR", selector).replace("REPLICAS", replicas), expected);
    }

    #[test]
    fn a_letter_off() {
        web(
            "{app: web2}",
            "2",
            "critical Service shop/web: Service web selects app=web2, which no pod carries; the pods of Deployment web carry app=web",
        );
    }

    #[test]
    fn one_label_of_two() {
        web(
            "{app: web, tier: frontend}",
            "2",
            "critical Service shop/web: Service web selects tier=frontend, which no pod carries; the pods of Deployment web carry tier=front",
        );
    }

    #[test]
    fn another_key() {
        web(
            "{name: web}",
            "2",
            "critical Service shop/web: Service web selects name=web, which no pod carries; the pods of Deployment web carry app=web",
        );
    }

    #[test]
    fn the_only_one_that_listens() {
        let yaml = WEB
            .replace("SELECTOR", "{app: shop-front}")
            .replace("REPLICAS", "1")
            .replace("tier: front}}", "tier: front}}, spec: {containers: [{ports: [{containerPort: 80}]}]}");
        check(
            &super::DETECTOR,
            &yaml.replacen("name: web", "name: entry", 1),
            "critical Service shop/entry: Service entry selects app=shop-front, which no pod carries; the pods of Deployment web carry app=web",
        );
    }

    #[test]
    fn nothing_close() {
        let yaml = WEB
            .replace("name: web, namespace", "name: pay, namespace")
            .replace("SELECTOR", "{part: pay}")
            .replace("REPLICAS", "1")
            .replacen("name: pay", "name: billing", 1);
        check(
            &super::DETECTOR,
            &yaml,
            "warning Service shop/billing: Service billing selects part=pay, which no pod and no workload of namespace shop carries",
        );
    }

    #[test]
    fn fits_a_workload_without_pods() {
        web("{app: web}", "2", "");
        web("{app: web}", "0", "");
    }

    #[test]
    fn silent_by_design() {
        web("{}", "2", "");
        web("{app: web, role: replica}", "2", "");
        web("{app: web, statefulset.kubernetes.io/pod-name: web-7}", "2", "");
        let cron = "---\nkind: CronJob\nmetadata: {name: night, namespace: shop}\nspec: {jobTemplate: {spec: {template: {metadata: {labels: {app: night}}}}}}";
        check(&super::DETECTOR, &(WEB.replace("SELECTOR", "{app: night}").replace("REPLICAS", "1") + cron), "");
        let gap = "---\nkind: Gap\nwhat: deployments\nreason: forbidden\nof: Deployment";
        check(&super::DETECTOR, &(WEB.replace("SELECTOR", "{app: web2}").replace("REPLICAS", "1") + gap), "");
    }
}
