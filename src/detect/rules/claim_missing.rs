//! Pods that use a claim that does not exist.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "claim-missing",
    summary: "Pod uses a PersistentVolumeClaim that does not exist",
    group: Group::Storage,
    reads: &[Kind::Pod, Kind::PersistentVolumeClaim],
    wants: None,
    doc: r"## What it detects
A pending pod with a volume whose PersistentVolumeClaim is not in its namespace.

## Why it matters
The scheduler does not place the pod until the claim is there.

## Evidence
The volume in the pod's spec, and the scheduler's message `persistentvolumeclaim … not found`.

## Look-alikes
A claim that is there and has no volume is `claim-unbound`; one that is being deleted `claim-terminating`. Claims that
are made for a pod (`ephemeral`) are given a minute. Where claims can't be read, only the scheduler's own words count.

## What it does not see
Only pods that are Pending: a pod that runs keeps its claim from being deleted. A workload that names a missing claim
and has no pod (scaled to zero, a CronJob between its runs) is silent. Under `-n` a claim of that name in another
namespace is not found.

## What to do
Create the claim, or correct its name: one that is near is named. A claim of another namespace can't be used. `kubectl
get pvc -A` shows all.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let waiting = |pod: &&Pod| pod.status.phase == "Pending" && !pod.metadata.deleting();
    view.all::<Pod>().iter().filter(waiting).flat_map(|pod| missing(view, pod)).collect()
}

fn missing(view: &View<'_>, pod: &Pod) -> Vec<Finding> {
    let young = view.age(*pod.metadata.creation_timestamp).is_some_and(|age| age < SETTLED);
    let message = condition(&pod.status.conditions, "PodScheduled").map_or("", |condition| &condition.message);
    let object = pod.object_ref();
    let mut found = Vec::new();
    for volume in &pod.spec.volumes {
        let name = match (&volume.persistent_volume_claim, volume.ephemeral) {
            (Some(claim), _) => claim.claim_name.clone(),
            (None, Some(_)) if !young => format!("{}-{}", pod.metadata.name, volume.name),
            _ => continue,
        };
        let claim = view.beside(pod, Kind::PersistentVolumeClaim, &name);
        let said = message.contains(&format!("persistentvolumeclaim \"{name}\" not found"));
        if !(view.absent(&claim) || said && view.existence(&claim) == Existence::Unknown) {
            continue;
        }
        let others = view
            .within::<PersistentVolumeClaim>(&pod.metadata.namespace)
            .iter()
            .map(|claim| claim.metadata.name.as_str());
        let near = meant(&name, others).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let elsewhere = view.all::<PersistentVolumeClaim>().iter().find(|claim| claim.metadata.name == name);
        let elsewhere = elsewhere
            .filter(|_| near.is_empty())
            .map(|claim| format!("; there is one in namespace {}", claim.metadata.namespace))
            .unwrap_or_default();
        let mut finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Schedule, format!("PersistentVolumeClaim {name} does not exist (persistentvolumeclaim \"{name}\" not found){near}{elsewhere}"))
            .key(&name)
            .culprit(claim)
            .field(&object, format!("spec.volumes[{}].persistentVolumeClaim.claimName", volume.name), &name)
            .since(pod_since(pod));
        if said {
            finding = finding.field(&object, "status.conditions[PodScheduled].message", message);
        }
        found.push(finding.look("see the claims of the namespace", &object, &["get", "pvc"]));
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: PersistentVolumeClaim
metadata: {name: NAME, namespace: SPACE}
status: {phase: Bound}
---
kind: Pod
metadata: {name: db-0, namespace: shop}
spec: {volumes: [{name: d, persistentVolumeClaim: {claimName: data}}, {name: tmp, emptyDir: {}}]}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '0/1 nodes are available: persistentvolumeclaim \"data\" not found. not found'}]
";

    fn yaml(name: &str, namespace: &str) -> String {
        YAML.replace("NAME", name).replace("SPACE", namespace)
    }

    #[test]
    fn misspelt() {
        check(
            &super::DETECTOR,
            &yaml("data0", "shop"),
            "critical Pod shop/db-0: PersistentVolumeClaim data does not exist (persistentvolumeclaim \"data\" not found); did you mean data0? <- PersistentVolumeClaim shop/data",
        );
    }

    #[test]
    fn in_another_namespace() {
        check(
            &super::DETECTOR,
            &yaml("data", "bank"),
            "critical Pod shop/db-0: PersistentVolumeClaim data does not exist (persistentvolumeclaim \"data\" not found); there is one in namespace bank <- PersistentVolumeClaim shop/data",
        );
    }

    #[test]
    fn it_exists() {
        check(&super::DETECTOR, &yaml("data", "shop"), "");
    }

    #[test]
    fn claims_can_not_be_read() {
        check(
            &super::DETECTOR,
            &(yaml("x", "bank").replace("not found. not found", "is being deleted")
                + "---\nkind: Gap\nof: PersistentVolumeClaim\nwhat: claims\n"),
            "",
        );
    }
}
