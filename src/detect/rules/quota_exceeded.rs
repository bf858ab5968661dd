//! Pods that a quota does not allow.

use crate::detect::admission::{Bound, Reason, Refusal, refused};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "quota-exceeded",
    summary: "A ResourceQuota leaves no room for the workload's pods",
    group: Group::Admission,
    reads: &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::Event, Kind::ResourceQuota],
    wants: None,
    doc: r"## What it detects
A workload that lacks pods because the API server refuses them (or a claim that they need): with one more, the
namespace would pass a ResourceQuota.

## Why it matters
There is no pod at which anything could be seen: `kubectl get pods` shows nothing wrong, the workload just stays
too small. The controller tries again more and more rarely, a ReplicaSet at last every quarter of an hour.

## Evidence
The `FailedCreate` event or the `ReplicaFailure` condition, with what is requested, used and allowed at that
moment; the quota's status as it is now. Where a container does not set the amount itself, the LimitRange that does.

## Look-alikes
A quota that counts what the containers don't set: `quota-needs-requests`. A single container over a bound of
the namespace: `limit-range-violated`. A pod that exists and finds no room on the nodes:
`insufficient-resources`.

The workload may be complete but for a rollout: the extra pod of `maxSurge` does not fit either. A refusal that
was followed by a successful creation, or that left no pod missing, is not reported.

## What it does not see
Only the quota that the answer names: when it is raised another one may refuse. What uses the quota up is not
added up. Claims and other objects made without a controller. Events go after an hour, then only a ReplicaSet's
condition tells. The suggested patch makes room for the pods that are missing now, not for the next rollout's
surge.

## What to do
Raise the quota, lower the workload's requests or limits, or remove what else uses the quota up:
`kubectl describe resourcequota -n NAMESPACE` shows the sum, `kubectl get pods -n NAMESPACE` who asks for it
(pods that have ended count no more). For a rollout `maxSurge: 0` with `maxUnavailable: 1` needs no extra room.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let choose = |reason: &Reason| match reason {
        Reason::Quota { quota, bounds } => Some((quota.clone(), bounds.clone())),
        _ => None,
    };
    refused(view, choose).iter().map(|(refusal, (quota, bounds))| finding(view, refusal, quota, bounds)).collect()
}

fn finding(view: &View<'_>, refusal: &Refusal<'_>, name: &str, bounds: &[Bound]) -> Finding {
    let quota = ObjectRef::new(Kind::ResourceQuota, refusal.maker.ns(), name);
    let sums: Vec<String> = bounds
        .iter()
        .map(|b| format!("{} {} used + {} requested > {} allowed", b.resource, b.used, b.requested, b.limited))
        .collect();
    let sums = if sums.is_empty() { String::new() } else { format!(": {}", list(&sums)) };
    let defaults = defaults(view, refusal, bounds);
    let ranges: Vec<String> = defaults.iter().map(|default| default.sentence.clone()).collect();
    let whence = if ranges.is_empty() { String::new() } else { format!("; {}", list(&ranges)) };
    let mut finding = refusal
        .finding(view, format!("{} refused, exceeded quota {name}{sums}{whence}", refusal.subject()))
        .key(name)
        .culprit(quota.clone());
    if let Some(object) = view.get::<ResourceQuota>(quota.ns(), name) {
        for bound in bounds {
            if let (Some(used), Some(hard)) =
                (object.status.used.get(&bound.resource), object.status.hard.get(&bound.resource))
            {
                finding = finding.field(&quota, format!("status.used[{}]", bound.resource), used).field(
                    &quota,
                    format!("status.hard[{}]", bound.resource),
                    hard,
                );
            }
        }
    }
    for default in defaults {
        finding = finding.field(&default.range, default.path, default.amount);
    }
    finding = finding.look("see what the quota allows", &quota, &["describe", "resourcequota", name]);
    match room(refusal, bounds) {
        Some(patch) => finding.fix(
            "make the quota large enough for all its pods",
            &quota,
            &["patch", "resourcequota", name, "--type=merge", "-p", &patch],
        ),
        None => finding,
    }
}

/// An amount that no container asks for: a LimitRange of the namespace put it in.
struct Default {
    range: ObjectRef,
    path: String,
    amount: String,
    sentence: String,
}

/// What of the amounts comes from a LimitRange.
fn defaults(view: &View<'_>, refusal: &Refusal<'_>, bounds: &[Bound]) -> Vec<Default> {
    let Some(workload) = view.workload(&refusal.maker) else { return Vec::new() };
    bounds
        .iter()
        .filter_map(|bound| default_of(view, &refusal.maker, &workload.template.spec, &bound.resource))
        .collect()
}

fn default_of(view: &View<'_>, maker: &ObjectRef, spec: &PodSpec, counted: &str) -> Option<Default> {
    let (limits, resource) = match counted.split_once('.') {
        Some(("limits", resource)) => (true, resource),
        Some(("requests", resource)) => (false, resource),
        _ => (false, counted),
    };
    // A request that is not set is the limit, where that is.
    let sets = |container: &&Container| {
        let own = &container.resources;
        own.limits.contains_key(resource) || !limits && own.requests.contains_key(resource)
    };
    let without: Vec<String> =
        spec.containers.iter().filter(|container| !sets(container)).map(|container| container.name.clone()).collect();
    if without.is_empty() {
        return None;
    }
    let field = if limits { "default" } else { "defaultRequest" };
    view.within::<LimitRange>(maker.ns()).iter().find_map(|range| {
        let mut items = range.spec.limits.iter().filter(|item| item.kind == "Container");
        let amount = items.find_map(|item| if limits { &item.default } else { &item.default_request }.get(resource))?;
        let word = if without.len() == 1 { "container" } else { "containers" };
        let set = if without.len() == 1 { "sets" } else { "set" };
        let what = if limits { "limit" } else { "request" };
        Some(Default {
            range: range.object_ref(),
            path: format!("spec.limits[Container].{field}[{resource}]"),
            amount: amount.clone(),
            sentence: format!(
                "{word} {} {set} no {resource} {what}, so LimitRange {} gives {amount}",
                list(&without),
                range.metadata.name
            ),
        })
    })
}

/// The quota that would suffice: what is used and what each missing pod asks for.
fn room(refusal: &Refusal<'_>, bounds: &[Bound]) -> Option<String> {
    let mut hard = serde_json::Map::new();
    for bound in bounds {
        let (used, requested) = (Quantity::parse(&bound.used)?, Quantity::parse(&bound.requested)?);
        let count = i128::from(refusal.missing.clamp(1, 1000));
        let needed = used.milli().checked_add(requested.milli().checked_mul(count)?)?;
        hard.insert(bound.resource.clone(), exact(needed).into());
    }
    (!hard.is_empty()).then(|| serde_json::json!({ "spec": { "hard": hard } }).to_string())
}

/// Thousandths in the largest unit that loses nothing.
fn exact(milli: i128) -> String {
    if milli % 1000 != 0 {
        return format!("{milli}m");
    }
    let whole = milli / 1000;
    let unit = [(1_i128 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")]
        .into_iter()
        .find(|(size, _)| whole >= *size && whole % size == 0);
    unit.map_or_else(|| whole.to_string(), |(size, unit)| format!("{}{unit}", whole / size))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const SET: &str = "
kind: ReplicaSet
metadata: {name: web-5f, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, controller: true}]}
spec: {replicas: 2}
status: {replicas: HAS}
---
kind: Deployment
metadata: {name: web, namespace: shop}
---
kind: Event
metadata: {name: e1, namespace: shop}
type: Warning
reason: FailedCreate
lastTimestamp: '2026-01-01T11:58:00Z'
message: 'Error creating: pods \"web-5f-x\" is forbidden: exceeded quota: team, requested: limits.memory=200Mi, used: limits.memory=200Mi, limited: limits.memory=256Mi'
involvedObject: {kind: ReplicaSet, namespace: shop, name: web-5f}
";

    #[test]
    fn no_room_for_the_second_pod() {
        let expected = "critical Deployment shop/web: 1 pod is refused, exceeded quota team: limits.memory 200Mi used + 200Mi requested > 256Mi allowed <- ResourceQuota shop/team";
        check(&super::DETECTOR, &SET.replace("HAS", "1"), expected);
    }

    #[test]
    fn a_limit_range_gives_the_amount() {
        let range = "
---
kind: LimitRange
metadata: {name: usual, namespace: shop}
spec: {limits: [{type: Container, default: {memory: 200Mi}, defaultRequest: {memory: 64Mi}}]}
";
        let says = "critical Deployment shop/web: 1 pod is refused, exceeded quota team: limits.memory 200Mi used + 200Mi requested > 256Mi allowed";
        let yaml = |own: &str| {
            let template = format!("spec: {{replicas: 2, template: {{spec: {{containers: [{{name: app{own}}}]}}}}}}");
            SET.replace("HAS", "1").replace("spec: {replicas: 2}", &template) + range
        };
        check(
            &super::DETECTOR,
            &yaml(", resources: {requests: {memory: 64Mi}}"),
            &format!(
                "{says}; container app sets no memory limit, so LimitRange usual gives 200Mi <- ResourceQuota shop/team"
            ),
        );
        let own = ", resources: {limits: {memory: 200Mi}}";
        check(&super::DETECTOR, &yaml(own), &format!("{says} <- ResourceQuota shop/team"));
    }

    #[test]
    fn all_pods_are_there_now() {
        check(&super::DETECTOR, &SET.replace("HAS", "2"), "");
    }

    #[test]
    fn a_creation_succeeded_since() {
        let made = "
---
kind: Event
metadata: {name: e2, namespace: shop}
type: Normal
reason: SuccessfulCreate
lastTimestamp: '2026-01-01T11:59:00Z'
involvedObject: {kind: ReplicaSet, namespace: shop, name: web-5f}
";
        check(&super::DETECTOR, &(SET.replace("HAS", "1") + made), "");
    }

    #[test]
    fn amounts_are_exact() {
        let table =
            [(400 * 1024 * 1024 * 1000, "400Mi"), (1500, "1500m"), (3000, "3"), (1_073_741_825_000, "1073741825")];
        for (milli, text) in table {
            assert_eq!(super::exact(milli), text);
        }
    }
}
