//! Pods that wait for a claim to get its volume.

use crate::detect::prelude::*;
use crate::detect::scheduling::{self, Reason};

pub(super) const DETECTOR: Detector = Detector {
    id: "claim-unbound",
    summary: "Pod waits for a claim that has no volume",
    group: Group::Storage,
    reads: &[Kind::Pod, Kind::PersistentVolumeClaim],
    wants: None,
    doc: r"## What it detects
A pod without a node because a claim of its own has no volume, or is being deleted. It is a symptom:
what keeps the claim from its volume is the cause, and is looked for at the claim.

## Why it matters
The scheduler places a pod only where all its volumes can be.

## Evidence
The scheduler's message, and the claim's phase.

## Look-alikes
A claim that does not exist at all is `claim-missing`. A volume that is bound and can't be reached is
`volume-node-conflict`. A claim that another pod holds for itself is `claim-in-use`. A message that is out of date (the
claim is bound by now) is left out.

## What it does not see
Why the claim has no volume: the detectors of claims say that (`claim-class-missing`, `claim-no-class`,
`claim-no-volume`, `claim-not-provisioned`, `claim-lost`), and this finding is folded under theirs. Where none of them
speaks, the cause is not known. Of several claims the first without a volume is named.

## What to do
See what the claim waits for: `kubectl describe pvc NAME`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let (pods, _) = scheduling::unplaced(view, Reason::Claim);
    pods.iter().filter_map(|unplaced| finding(view, unplaced)).collect()
}

fn finding(view: &View<'_>, unplaced: &scheduling::Unplaced<'_>) -> Option<Finding> {
    let pod = unplaced.pod;
    let claims = scheduling::claims(view, pod);
    let asked = pod
        .spec
        .volumes
        .iter()
        .filter(|volume| volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some())
        .count();
    if crate::detect::storage::held(view, pod).is_some() {
        return None;
    }
    let Some(claim) = claims.iter().find(|claim| claim.status.phase != "Bound" || claim.metadata.deleting()) else {
        // With every claim bound the message is stale, or about the volumes' own state.
        let settled = view
            .age(unplaced.condition.and_then(|condition| *condition.last_transition_time))
            .is_none_or(|age| age >= SETTLED);
        let volume = claims.first().map(|claim| ObjectRef::new(Kind::PersistentVolume, "", &claim.spec.volume_name));
        if claims.len() < asked || !settled {
            return None;
        }
        let said = unplaced.message().split("preemption:").next().unwrap_or_default().trim_end_matches([' ', '.']);
        let finding = unplaced.finding(view, format!("its volumes keep it from every node: {said}"));
        return Some(volume.into_iter().fold(finding, Finding::culprit));
    };
    let object = claim.object_ref();
    let state = if claim.metadata.deleting() { "being deleted".to_owned() } else { claim.status.phase.clone() };
    let finding = unplaced.finding(view, format!("waits for PersistentVolumeClaim {}, which is {state}", object.name));
    let finding = if claim.metadata.deleting() {
        finding.field(
            &object,
            "metadata.deletionTimestamp",
            claim.metadata.deletion_timestamp.map(|time| time.to_string()).unwrap_or_default(),
        )
    } else {
        finding.field(&object, "status.phase", &claim.status.phase)
    };
    let lazy =
        unplaced.condition.is_none() && view.age(*pod.metadata.creation_timestamp).is_some_and(|age| age < SETTLED);
    let finding = finding.key(&*object.name).culprit(object.clone()).symptom();
    // A volume that is being made for it right now is no fault yet.
    (!lazy || crate::detect::storage::wait(view, claim).is_some()).then(|| describe(finding, &object))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop, creationTimestamp: '2026-01-01T11:59:00Z'}
spec: {storageClassName: fast}
status: {phase: PHASE}
---
kind: Pod
metadata: {name: db-0, namespace: shop}
spec: {volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, lastTransitionTime: '2026-01-01T11:59:50Z', message: '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found'}]
";

    #[test]
    fn claim_without_a_volume() {
        check(
            &super::DETECTOR,
            &YAML.replace("PHASE", "Pending"),
            "critical Pod shop/db-0: waits for PersistentVolumeClaim data, which is Pending <- PersistentVolumeClaim shop/data",
        );
    }

    #[test]
    fn bound_by_now() {
        check(&super::DETECTOR, &YAML.replace("PHASE", "Bound"), "");
    }

    #[test]
    fn claim_that_is_missing() {
        check(
            &super::DETECTOR,
            &YAML.replace("PHASE", "Pending").replace("name: data, namespace", "name: other, namespace"),
            "",
        );
    }
}
