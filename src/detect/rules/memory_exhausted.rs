//! Programs whose heap, or a process of theirs, has no memory left while the container lives on.

use crate::detect::heap::heap;
use crate::detect::logs::{Class, Failing, Fault, said, short};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "memory-exhausted",
    summary: "Program's heap, or a process in the container, runs out of memory",
    group: Group::Containers,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that ends or does not get ready, while its log says that memory ran out: a heap at its own bound (Java's
`-Xmx`, Node.js' `--max-old-space-size`, PHP's `memory_limit`), an allocation that fails, or a worker process that was
killed by SIGKILL, while the main process lives on and the container's state shows nothing.

## Why it matters
`OOMKilled` is reported of a container's main process. A heap that is full, and a child that is killed while its parent
lives on, look like any other failure.

## Evidence
The line of the log, the option that bounds the heap, the container's memory limit.

## Look-alikes
A container that is `OOMKilled` itself, or killed as its node ran out of memory, is `oom-killed`. A pod that the
kubelet put out for the node's memory is `pod-evicted`. A worker that is killed by SIGKILL may have been ended by its
own manager for being slow; the line is quoted, and the summary says that memory is only likely then.

## What it does not see
A program that swallows the error, or whose log does not tell of it, and one that stays ready with workers that come
and go. Only bounds that stand in the pod's environment (ConfigMaps that were read included), command or arguments are
named: not those in the image, in a file, or the runtime's own default. Real use is not read, nor the node's log.

## What to do
`kubectl top pod NAME --containers` shows the use (needs metrics-server). Raise the bound that was met: the heap's
option first, and the container's limit above it (a heap needs about a quarter more than its size). Fewer workers or
smaller batches need less. Use that grows without end is a leak: a higher limit only buys time.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    said(view, |class| matches!(class, Class::Memory(_))).iter().map(|failing| finding(view, failing)).collect()
}

fn finding(view: &View<'_>, failing: &Failing<'_>) -> Finding {
    let (spec, object) = (failing.container.spec, failing.pod());
    let sure = failing.fault == Fault::Said(Class::Memory(true));
    let limit = spec.resources.limits.get("memory");
    let heap = heap(view, failing.container.pod, spec);
    let what =
        if sure { "it runs out of memory" } else { "a process of it is killed (SIGKILL), probably for its memory" };
    let limited = limit.map_or_else(
        || "the container has no memory limit".to_owned(),
        |limit| format!("the container's memory limit is {limit}"),
    );
    let bound = match &heap {
        Some(heap) => format!("its heap is bounded by {} ({}), {limited}", heap.text, heap.from),
        None => limited,
    };
    let stage = if failing.present() && !failing.container.init { Stage::Ready } else { Stage::Start };
    let summary = format!("{}: {what}; {bound}: {}", failing.happens(), short(&failing.text, 120));
    let mut finding = failing.finding(view, stage, summary);
    if let Some(heap) = &heap {
        finding = finding.field(&object, failing.container.spec_path(&heap.field), &heap.text);
    }
    if let Some(limit) = limit {
        finding = finding.field(&object, failing.container.spec_path("resources.limits.memory"), limit);
    }
    failing.edit(view, failing.read_log(finding), "raise what bounds its memory")
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, env: [{name: JAVA_OPTS, value: '-Xms64m -Xmx128m'}], resources: {limits: {memory: 1Gi}}}]}
status:
  phase: Running
  containerStatuses:
  - {name: app, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {reason: Error, exitCode: 3, finishedAt: '2026-01-01T11:59:00Z'}}}
---
kind: Log
namespace: shop
pod: web-1
container: app
lines: ['LINE']
";

    #[test]
    fn a_heap_at_its_bound() {
        check(
            &super::DETECTOR,
            &POD.replace("LINE", r#"Exception in thread "main" java.lang.OutOfMemoryError: Java heap space"#),
            r#"critical Pod shop/web-1: container app exits 3: it runs out of memory; its heap is bounded by -Xmx128m (env JAVA_OPTS), the container's memory limit is 1Gi: Exception in thread "main" java.lang.OutOfMemoryError: Java heap space"#,
        );
    }

    #[test]
    fn a_worker_that_was_killed() {
        let yaml = POD
            .replace("-Xms64m -Xmx128m", "-v")
            .replace("LINE", "2026/01/01 10:00:00 [alert] 1#1: worker process 29 exited on signal 9");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: container app exits 3: a process of it is killed (SIGKILL), probably for its memory; the container's memory limit is 1Gi: 1#1: worker process 29 exited on signal 9",
        );
    }

    #[test]
    fn what_is_not_about_memory() {
        check(&super::DETECTOR, &POD.replace("LINE", "ERROR worker 7 exited with code 1"), "");
        check(&super::DETECTOR, &POD.replace("LINE", "INFO heap memory is 128m of 1Gi"), "");
    }
}
