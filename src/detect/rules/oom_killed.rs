//! Containers killed by the kernel for passing their memory limit, or for want of the node's.

use crate::detect::heap::heap;
use crate::detect::logs::{Failing, Fault, claimed};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "oom-killed",
    summary: "Container was killed for using more memory than it may",
    group: Group::Containers,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container (init containers and sidecars too) whose last run ended as `OOMKilled`, or with exit code 137 while its node
told of running out of memory (`SystemOOM`), and which is down, crash looping or was restarted within the last ten
minutes.

## Why it matters
The kernel ends the process without a chance to save anything. With a limit that its normal work
passes, it will be killed again at every start.

## Evidence
`status.containerStatuses[].lastState.terminated.reason`, the container's memory limit, and the
node's memory pressure where the container has no limit.

## Look-alikes
Exit code 137 alone is not enough: any SIGKILL gives it, that of a failed liveness probe (`liveness-probe-fails`) or of
a stop that took too long. A heap that is full, or a child process that is killed while the main one lives on, is
`memory-exhausted`. A pod that the kubelet put out for the node's memory is `pod-evicted`. `SystemOOM` within thirty
seconds of the end counts as the reason: it may be about another process of that node.

## What it does not see
How much memory the program used, and whether it leaks or only needs more: no metrics are read. A container that was
killed once, long ago, and is ready since is not reported. On a node with cgroup v2 the kernel may end all processes of
the container at once: which of them grew, the state doesn't tell. Without the node's events (they are kept about an
hour) an exit 137 tells nothing.

## What to do
`kubectl top pod NAME --containers` (needs metrics-server). Raise the limit if the work needs it
(`kubectl set resources`), or make the program keep within it (heap bounds, batch sizes, leaks). Without a limit the
node itself ran out: look for what else runs there, and set requests.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    claimed(view, |fault| *fault == Fault::OutOfMemory).iter().map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (container, object) = (&failing.container, failing.pod());
    let (pod, name) = (container.pod, &container.spec.name);
    let limit = container.spec.resources.limits.get("memory");
    let by_node = container.ended().is_none_or(|ended| ended.reason != "OOMKilled");
    let title = container.title();
    // A heap that may take the whole limit leaves nothing for the rest of the program.
    let most = limit.and_then(|limit| Quantity::parse(limit));
    let large = heap(view, pod, container.spec)
        .filter(|heap| most.zip(heap.bytes).is_some_and(|(limit, heap)| i128::from(heap) >= limit.whole()));
    let summary = match limit {
        _ if by_node => format!("{title} is killed (exit 137) because its node ran out of memory (SystemOOM)"),
        Some(limit) => {
            let from = given(view, pod, name, limit).map(|range| format!(", the default of LimitRange {range}"));
            let from = from.unwrap_or_default();
            let may = large.as_ref().map(|heap| format!("; its heap may grow to {} ({})", heap.text, heap.from));
            let may = may.unwrap_or_default();
            format!("{title} is OOMKilled (exit 137): it needs more memory than its limit of {limit}{from}{may}")
        }
        None => {
            format!("{title} is OOMKilled without a memory limit of its own: the node or the pod ran out of memory")
        }
    };
    let mut finding = failing.finding(view, Stage::Start, summary);
    if let Some(limit) = limit {
        finding = finding.field(&object, container.spec_path("resources.limits.memory"), limit);
    }
    if let Some(heap) = &large {
        finding = finding.field(&object, container.spec_path(&heap.field), &heap.text);
    }
    if let Some(node) = view.node_of(pod).filter(|_| by_node || limit.is_none()) {
        let pressure = view
            .get::<Node>("", &node.name)
            .and_then(|node| condition(&node.status.conditions, "MemoryPressure"))
            .filter(|condition| condition.is_true());
        if let Some(pressure) = pressure {
            finding = finding.field(
                &node,
                "status.conditions[MemoryPressure]",
                format!("status: True, reason: {}", pressure.reason),
            );
        }
        if by_node || pressure.is_some() {
            finding = finding.culprit(node);
        }
    }
    finding = finding.look(
        "see how much it uses (needs metrics-server)",
        &object,
        &["top", "pod", &object.name, "--containers"],
    );
    if let (Some(limit), Some((workload, target))) =
        (limit.and_then(|limit| Quantity::parse(limit)).filter(|_| !by_node), failing.target(view))
    {
        // Beside a heap of that size the rest of the program needs about a quarter more.
        let heap = large.as_ref().and_then(|heap| heap.bytes).map(|bytes| i128::from(bytes) * 5 / 4);
        let wanted = heap.unwrap_or_else(|| limit.whole().saturating_mul(2));
        let value = Quantity::of(i64::try_from(wanted).unwrap_or(i64::MAX)).display("memory");
        let value = format!("--limits=memory={value}");
        finding = finding.fix(
            if heap.is_some() {
                "give it room for its heap, if the work really needs that; else bound the heap below the limit"
            } else {
                "give it twice the memory, if the work really needs it"
            },
            &workload,
            &["set", "resources", &target, "-c", name, &value],
        );
    }
    finding
}

/// The LimitRange that gave a container its memory limit: the pod says that it was given one.
fn given<'a>(view: &View<'a>, pod: &Pod, container: &str, limit: &str) -> Option<&'a str> {
    let told = pod.metadata.annotations.get("kubernetes.io/limit-ranger")?;
    // `LimitRanger plugin set: cpu, memory request for container app; memory limit for container app`
    let own = format!(" limit for container {container}");
    told.split(';').find(|part| part.ends_with(&own) && part.contains("memory"))?;
    let gives = |range: &&LimitRange| {
        let mut defaults = range.spec.limits.iter().filter(|item| item.kind == "Container");
        defaults.any(|item| item.default.get("memory").is_some_and(|given| given == limit))
    };
    view.within::<LimitRange>(&pod.metadata.namespace).iter().find(gives).map(|range| range.metadata.name.as_str())
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, resources: {limits: {memory: 32Mi}}}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: STATE, lastState: {terminated: {reason: REASON, exitCode: 137, finishedAt: '2026-01-01T11:59:00Z'}}}
";

    #[test]
    fn a_heap_that_may_grow_beyond_the_limit() {
        let pod = POD.replace("STATE", "{waiting: {reason: CrashLoopBackOff}}").replace("REASON", "OOMKilled");
        let with = |value: &str| {
            pod.replace(
                "{name: app, resources",
                &format!("{{name: app, env: [{{name: JAVA_OPTS, value: {value}}}], resources"),
            )
        };
        let says = "critical Pod shop/web-1: container app is OOMKilled (exit 137): it needs more memory than its limit of 32Mi";
        let large = format!("{says}; its heap may grow to -Xmx2g (env JAVA_OPTS)");
        check(&super::DETECTOR, &with("-Xms1g -Xmx2g"), &large);
        check(&super::DETECTOR, &with("-Xmx16m"), says);
    }

    #[test]
    fn killed_at_its_limit() {
        check(
            &super::DETECTOR,
            &POD.replace("STATE", "{waiting: {reason: CrashLoopBackOff}}").replace("REASON", "OOMKilled"),
            "critical Pod shop/web-1: container app is OOMKilled (exit 137): it needs more memory than its limit of 32Mi",
        );
    }

    #[test]
    fn killed_at_a_limit_that_it_was_given() {
        let told = "annotations: {kubernetes.io/limit-ranger: 'LimitRanger plugin set: memory request for container app; memory limit for container app'}";
        let range = "
---
kind: LimitRange
metadata: {name: small, namespace: shop}
spec: {limits: [{type: Container, default: {memory: 32Mi}}]}
";
        let pod = POD.replace("STATE", "{waiting: {reason: CrashLoopBackOff}}").replace("REASON", "OOMKilled");
        let pod = pod.replace("namespace: shop}", &format!("namespace: shop, {told}}}")) + range;
        let says = "critical Pod shop/web-1: container app is OOMKilled (exit 137): it needs more memory than its limit of 32Mi";
        check(&super::DETECTOR, &pod, &format!("{says}, the default of LimitRange small"));
        check(&super::DETECTOR, &pod.replace("limit for container app", "limit for container other"), says);
    }

    #[test]
    fn killed_for_the_node() {
        let yaml = POD
            .replace("spec: {", "spec: {nodeName: node-1, ")
            .replace("STATE", "{waiting: {reason: CrashLoopBackOff}}")
            .replace("REASON", "Error");
        let event = "
---
kind: Event
metadata: {name: e1, namespace: default}
involvedObject: {kind: Node, name: node-1}
reason: SystemOOM
message: 'System OOM encountered, victim process: java, pid: 7'
lastTimestamp: '2026-01-01T11:58:59Z'
";
        check(
            &super::DETECTOR,
            &format!("{yaml}{event}"),
            "critical Pod shop/web-1: container app is killed (exit 137) because its node ran out of memory (SystemOOM) <- Node node-1",
        );
    }

    #[test]
    fn an_init_container() {
        let yaml = POD
            .replace("containers: [{name: app", "containers: [{name: web}], initContainers: [{name: app")
            .replace("containerStatuses", "initContainerStatuses");
        let yaml = yaml.replace("STATE", "{waiting: {reason: CrashLoopBackOff}}").replace("REASON", "OOMKilled");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: init container app is OOMKilled (exit 137): it needs more memory than its limit of 32Mi",
        );
    }

    #[test]
    fn killed_by_another_hand() {
        check(
            &super::DETECTOR,
            &POD.replace("STATE", "{waiting: {reason: CrashLoopBackOff}}").replace("REASON", "Error"),
            "",
        );
    }

    #[test]
    fn killed_long_ago_and_well_since() {
        let yaml = POD
            .replace("STATE", "{running: {startedAt: '2026-01-01T08:00:01Z'}}, ready: true")
            .replace("REASON", "OOMKilled");
        check(&super::DETECTOR, &yaml.replace("T11:59:00Z", "T08:00:00Z"), "");
    }
}
