//! Memory limits that no program fits into, because their unit is wrong.

use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "memory-unit-wrong",
    summary: "Memory limit of less than a MiB: its unit is missing or wrong",
    group: Group::Configuration,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container of a pod that is not ready whose memory limit is under 1 MiB: `256m` is a quarter of a byte, `256` is 256
bytes.

## Why it matters
The pod's sandbox or its token's volume can't be made in so little memory. What the runtime then says (`no space left on
device`, `cannot allocate memory`, a broken pipe) names anything but the limit.

## Evidence
`resources.limits.memory` of the container; what the runtime says is shown as what follows.

## Look-alikes
A limit that is meant and too small for the program is `oom-killed`. Nodes without enough memory are
`insufficient-resources`.

## What it does not see
Limits of a few MiB, which are rarely meant either. A limit that a LimitRange gave looks like the container's own.

## What to do
Write the unit: `256Mi`. In Kubernetes `m` means a thousandth, for cpu; memory is `Mi`, `Gi`.",
    run,
};

const LEAST: i128 = 1 << 20;

fn run(view: &View<'_>) -> Vec<Finding> {
    let ailing = view.live_pods().filter(|pod| !pod.ready());
    ailing
        .flat_map(|pod| pod.spec.all_containers().filter_map(move |container| finding(view, pod, container)))
        .collect()
}

fn finding(view: &View<'_>, pod: &Pod, container: &Container) -> Option<Finding> {
    let limit = container.resources.limits.get("memory")?;
    let bytes = Quantity::parse(limit).filter(|bytes| bytes.milli() > 0 && bytes.whole() < LEAST)?;
    let object = pod.object_ref();
    let number: String = limit.chars().take_while(char::is_ascii_digit).collect();
    let is = if limit.ends_with('m') {
        format!("{} thousandths of a byte", bytes.milli())
    } else {
        format!("{} bytes", bytes.whole())
    };
    let summary = format!(
        "container {} has a memory limit of {limit}, which is {is}: {number}Mi is meant, as it seems",
        container.name
    );
    let path = format!("spec.containers[{}].resources.limits.memory", container.name);
    let finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Schedule, summary)
        .key(&container.name)
        .explains(object.clone())
        .since(pod_since(pod))
        .field(&object, path, limit);
    let workload = view.workload_of(pod);
    if view.workload(&workload).is_none() || workload.kind == Kind::Job {
        return Some(finding);
    }
    let target = format!("{}/{}", workload.kind.argument(), workload.name);
    let value = format!("--limits=memory={number}Mi");
    Some(finding.fix("write the unit", &workload, &["set", "resources", &target, "-c", &container.name, &value]))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, resources: {limits: {memory: 'LIMIT'}}}]}
status: {phase: Pending, conditions: [{type: Ready, status: 'READY'}]}
";

    fn pod(limit: &str, ready: &str) -> String {
        POD.replace("LIMIT", limit).replace("READY", ready)
    }

    #[test]
    fn a_thousandth_or_no_unit() {
        let says = "critical Pod shop/web-1: container app has a memory limit of";
        let meant = "256Mi is meant, as it seems";
        check(
            &super::DETECTOR,
            &pod("256m", "False"),
            &format!("{says} 256m, which is 256 thousandths of a byte: {meant}"),
        );
        check(&super::DETECTOR, &pod("256", "False"), &format!("{says} 256, which is 256 bytes: {meant}"));
    }

    #[test]
    fn enough_or_well() {
        check(&super::DETECTOR, &pod("4Mi", "False"), "");
        check(&super::DETECTOR, &pod("256m", "True"), "");
    }
}
