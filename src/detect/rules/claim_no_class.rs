//! Claims without a class, in a cluster without a default one.

use crate::detect::prelude::*;
use crate::detect::storage::{self, Wait};

pub(super) const DETECTOR: Detector = Detector {
    id: "claim-no-class",
    summary: "Claim names no StorageClass, and the cluster has no default",
    group: Group::Storage,
    reads: &[Kind::PersistentVolumeClaim, Kind::StorageClass, Kind::PersistentVolume],
    wants: None,
    doc: r"## What it detects
A pending PersistentVolumeClaim without `storageClassName`, where no StorageClass is marked as the
default and no volume without a class is free.

## Why it matters
Nobody makes a volume for it, and every pod that uses it waits.

## Evidence
The claim's spec, and the event `no persistent volumes available for this claim and no storage class
is set`.

## Look-alikes
`storageClassName: ''` is not the same as none: it asks for a volume that was made by hand (`claim-no-volume`). A
class that is named and missing is `claim-class-missing`. If a volume without a class is free but does not fit, that
is `claim-no-volume` too.

## What it does not see
Without the right to list StorageClasses it is silent: there may be a default. In the first ten seconds a claim
without an event is silent. Which class was meant can't be known; a command is offered only where there is one.

## What to do
Mark a class as the default; claims that wait get it too: `kubectl annotate storageclass NAME
storageclass.kubernetes.io/is-default-class=true`. Or make the claim again with `storageClassName`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    view.all::<PersistentVolumeClaim>().iter().filter_map(|claim| finding(view, claim)).collect()
}

fn finding(view: &View<'_>, claim: &PersistentVolumeClaim) -> Option<Finding> {
    let Some(Wait::NoClass) = storage::wait(view, claim) else { return None };
    let object = claim.object_ref();
    let names: Vec<String> = view.all::<StorageClass>().iter().map(|class| class.metadata.name.clone()).collect();
    let known = if names.is_empty() {
        "the cluster has no StorageClass at all".to_owned()
    } else {
        format!("of {} none is the default", list(&names))
    };
    let mut finding = storage::finding(
        view,
        claim,
        format!("no storage class is set, and there is no default StorageClass: {known}"),
    );
    finding = match storage::event(view, claim, "FailedBinding") {
        Some(event) => finding.event(event),
        None => finding.field(&object, "status.phase", &claim.status.phase),
    };
    if let [only] = names.as_slice() {
        let class = ObjectRef::new(Kind::StorageClass, "", only);
        let annotation = "storageclass.kubernetes.io/is-default-class=true";
        finding = finding.fix("make it the default", &class, &["annotate", "storageclass", only, annotation]);
    }
    Some(finding.look(
        "see the classes that there are",
        &ObjectRef::new(Kind::StorageClass, "", ""),
        &["get", "storageclass"],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: 'DEFAULT'}}
provisioner: ebs.csi.aws.com
---
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop, creationTimestamp: '2026-01-01T11:50:00Z'}
spec: {}
status: {phase: PHASE}
---
kind: Pod
metadata: {name: db-0, namespace: shop}
spec: {volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}
status: {phase: Pending}
";

    #[test]
    fn no_default() {
        check(
            &super::DETECTOR,
            &YAML.replace("DEFAULT", "false").replace("PHASE", "Pending"),
            "critical PersistentVolumeClaim shop/data: no storage class is set, and there is no default StorageClass: of standard none is the default",
        );
    }

    #[test]
    fn the_default_will_be_used() {
        check(&super::DETECTOR, &YAML.replace("DEFAULT", "true").replace("PHASE", "Pending"), "");
    }

    #[test]
    fn bound_by_hand() {
        check(&super::DETECTOR, &YAML.replace("DEFAULT", "false").replace("PHASE", "Bound"), "");
    }
}
