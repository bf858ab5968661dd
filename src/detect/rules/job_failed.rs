//! Jobs that gave up.

use crate::detect::logs::{Asked, asked};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "job-failed",
    summary: "Job failed for good: its retries or its time ran out",
    group: Group::Workloads,
    reads: &[Kind::Job],
    wants: Some(wants),
    doc: r"## What it detects
A Job whose condition `Failed` is true, with the reason (`BackoffLimitExceeded`, `DeadlineExceeded`, a pod failure
policy), how its last pod ended and the last lines it wrote. Of a Job that ran out of time the command of its template
is read as well: a Service that it asks for and that is not there or has no ready endpoint is what it waited for.

## Why it matters
The work is not done, and nothing will try again.

## Evidence
The condition, the exit code of its last pod, and the line of its log that decides.

## Look-alikes
A Job that still retries is told at its pods (`container-exits`, `image-not-found` and so on); pods that can't
be made are `quota-exceeded` and its like. A run of a CronJob is not reported once a later run succeeded, nor is
a Job whose work a later one of the same name but for its number did. A Job
that failed on purpose (a test) looks the same: delete it, or set `ttlSecondsAfterFinished`.

## What it does not see
Pods that were deleted with the Job's clean-up: then only the condition is left, without exit code and log. Only
the newest pod is read, and of its log the last line. Which index of an indexed Job failed is not told beyond
the condition's message.

## What to do
Mend what the log names (`kubectl logs job/NAME`), then run it again. A Job can't be restarted: use
`kubectl create job NAME --from=cronjob/CRONJOB`, or delete it and apply it anew.",
    run,
};

/// Jobs that failed for good, each with the condition that says so.
fn failed<'a>(view: &View<'a>) -> Vec<(&'a Job, &'a Condition)> {
    let jobs = view.all::<Job>().iter().filter(|job| !job.metadata.deleting() && !made_up_for(view, job));
    jobs.filter_map(|job| Some((job, condition(&job.status.conditions, "Failed").filter(|c| c.is_true())?))).collect()
}

/// Whether a later run of the same CronJob, or of the same work by hand, succeeded.
fn made_up_for(view: &View<'_>, job: &Job) -> bool {
    if view.within::<Job>(&job.metadata.namespace).iter().any(|other| replaces(other, job)) {
        return true;
    }
    let Some(owner) = job.metadata.controller().filter(|owner| owner.kind == "CronJob") else { return false };
    let Some(cron) = view.get::<CronJob>(&job.metadata.namespace, &owner.name) else { return false };
    cron.status.last_successful_time.is_some_and(|time| Some(time) > *job.metadata.creation_timestamp)
}

/// Whether a Job that was made later did the work of one that failed: the same containers, a name that differs in its
/// number alone.
fn replaces(later: &Job, job: &Job) -> bool {
    let done = condition(&later.status.conditions, "Complete").is_some_and(Condition::is_true);
    let stem = |job: &Job| {
        let numbered = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | 'v');
        job.metadata.name.trim_end_matches(numbered).to_owned()
    };
    let containers = |job: &Job| {
        let all = job.spec.template.spec.containers.iter();
        all.map(|container| (container.name.clone(), container.image.split(':').next().map(str::to_owned)))
            .collect::<Vec<_>>()
    };
    done && *later.metadata.creation_timestamp > *job.metadata.creation_timestamp
        && stem(later) == stem(job)
        && containers(later) == containers(job)
}

/// The pod of its last attempt.
fn last_pod<'a>(view: &View<'a>, job: &Job) -> Option<&'a Pod> {
    let pods = view.within::<Pod>(&job.metadata.namespace).iter();
    let ours = pods.filter(|pod| {
        pod.metadata.controller().is_some_and(|owner| owner.kind == "Job" && owner.name == job.metadata.name)
    });
    // Of an indexed Job the newest pod may be one that did its part.
    ours.max_by_key(|pod| (bad_end(pod).is_some(), *pod.metadata.creation_timestamp))
}

fn bad_end(pod: &Pod) -> Option<Running<'_>> {
    containers(pod).find(|container| container.ended().is_some_and(|ended| ended.exit_code != 0))
}

fn wants(view: &View<'_>) -> Vec<Want> {
    let pods = failed(view).into_iter().filter_map(|(job, _)| last_pod(view, job));
    pods.filter_map(|pod| Some((pod, bad_end(pod)?)))
        .map(|(pod, container)| Want::Log {
            pod: pod.object_ref(),
            container: container.spec.name.clone(),
            previous: container.restarted(),
        })
        .collect()
}

fn run(view: &View<'_>) -> Vec<Finding> {
    failed(view).into_iter().map(|(job, condition)| finding(view, job, condition)).collect()
}

fn finding(view: &View<'_>, job: &Job, condition: &Condition) -> Finding {
    let object = job.object_ref();
    let how = match condition.reason.as_str() {
        "DeadlineExceeded" => {
            let limit = job
                .spec
                .active_deadline_seconds
                .map(|s| format!(" of {s} s (activeDeadlineSeconds)"))
                .unwrap_or_default();
            format!("it ran longer than its deadline{limit}")
        }
        "BackoffLimitExceeded" => {
            format!("its pods failed more than backoffLimit {} times", job.spec.backoff_limit.unwrap_or(6))
        }
        "FailedIndexes" | "MaxFailedIndexesExceeded" => {
            let count = job.spec.completions.map(|count| format!(" of {count}")).unwrap_or_default();
            format!("index {}{count} failed for good", job.status.failed_indexes)
        }
        _ => condition.message.clone(),
    };
    let mut summary = format!("Job {} failed ({}): {how}", object.name, condition.reason);
    let mut finding = Finding::new(object.clone(), Severity::Critical, Stage::Ready, "")
        .key(&condition.reason)
        .since(*condition.last_transition_time)
        .field(&object, "status.conditions[Failed].message", &condition.message);
    let mut told = false;
    let last = last_pod(view, job).and_then(|pod| Some((pod, bad_end(pod)?)));
    if let Some((pod, container)) = last {
        let code = container.ended().map(|ended| ended.exit_code).unwrap_or_default();
        summary = format!("{summary}; {} exits {code}", container.title());
        let pod_ref = pod.object_ref();
        finding = finding.field(&pod_ref, container.path("state.terminated.exitCode"), code.to_string());
        let log = last_log(view, &container);
        if let Some((log, line)) =
            log.and_then(|log| Some((log, log.lines.iter().rev().find(|line| !line.trim().is_empty())?)))
        {
            summary = format!("{summary}: {line}");
            finding = finding.log(log, line);
            told = true;
        }
        finding = finding.look("read its log", &pod_ref, &["logs", &pod_ref.name, "-c", &container.spec.name]);
    }
    if condition.reason == "DeadlineExceeded"
        && let Some((container, init, asked)) = waits(view, job)
    {
        let (word, field) = if init { ("init container", "initContainers") } else { ("container", "containers") };
        let name = &container.name;
        summary = format!("{summary}; {word} {name} asks {}: {}", asked.target.text(), asked.why);
        let path = format!("spec.template.spec.{field}[{name}].command");
        finding = finding.field(&object, path, words(container).join(" "));
        if let Some(culprit) = asked.culprit {
            finding = finding.culprit(culprit);
        }
        told = true;
    }
    if !told {
        finding = finding.unknown("why its pods do not succeed: no line of their logs was read");
    }
    summary.trim_end_matches('.').clone_into(&mut finding.summary);
    describe(finding, &object)
}

/// What a container of the Job's template asks, by its command, and what can't answer: what it waited for.
fn waits<'a>(view: &View<'_>, job: &'a Job) -> Option<(&'a Container, bool, Asked)> {
    let template = &job.spec.template;
    let (spec, labels) = (&template.spec, &template.metadata.labels);
    let init = spec.init_containers.iter().map(|container| (container, true));
    init.chain(spec.containers.iter().map(|container| (container, false))).find_map(|(container, init)| {
        let found = asked(view, &job.metadata.namespace, labels, spec, &words(container))?;
        Some((container, init, found))
    })
}

fn words(container: &Container) -> Vec<&str> {
    container.command.iter().chain(container.args.iter()).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_unknown, check_wants};

    const JOB: &str = "
kind: Job
apiVersion: batch/v1
metadata: {name: migrate, namespace: shop, creationTimestamp: '2026-01-01T10:00:00Z'OWNER}
spec: {backoffLimit: 1}
status: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded, message: Job has reached the specified backoff limit}]}
---
kind: Pod
metadata: {name: migrate-a, namespace: shop, ownerReferences: [{kind: Job, apiVersion: batch/v1, name: migrate, controller: true}]}
spec: {containers: [{name: app}]}
status: {phase: Failed, containerStatuses: [{name: app, state: {terminated: {exitCode: 3, reason: Error}}}]}
---
kind: Log
namespace: shop
pod: migrate-a
container: app
lines: [starting, 'ERROR: no such table', '']
";

    #[test]
    fn gave_up_with_its_last_words() {
        check(
            &super::DETECTOR,
            &JOB.replace("OWNER", ""),
            "critical Job shop/migrate: Job migrate failed (BackoffLimitExceeded): its pods failed more than backoffLimit 1 times; container app exits 3: ERROR: no such table",
        );
        check_wants(&super::DETECTOR, &JOB.replace("OWNER", ""), "log shop/migrate-a app");
        check_unknown(&super::DETECTOR, &JOB.replace("OWNER", ""), "");
        let silent = JOB.replace("OWNER", "").replace("[starting, 'ERROR: no such table', '']", "[]");
        check_unknown(&super::DETECTOR, &silent, "why its pods do not succeed: no line of their logs was read");
    }

    #[test]
    fn out_of_time_for_what_it_waits_for() {
        let job = "
kind: Job
apiVersion: batch/v1
metadata: {name: load, namespace: shop}
spec: {activeDeadlineSeconds: 60, template: {spec: {initContainers: [{name: wait, command: [sh, -c, 'until nc -z db 5432; do sleep 1; done']}], containers: [{name: app}]}}}
status: {conditions: [{type: Failed, status: 'True', reason: DeadlineExceeded, message: Job was active longer than specified deadline}]}
";
        let service = "
---
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {app: db}, ports: [{port: 5432}]}
---
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
endpoints: []
";
        let says = "critical Job shop/load: Job load failed (DeadlineExceeded): it ran longer than its deadline of 60 s (activeDeadlineSeconds)";
        let waits = |why: &str| format!("{says}; init container wait asks db:5432: {why} <- Service shop/db");
        let both = format!("{job}{service}");
        check(&super::DETECTOR, &both, &waits("Service db has no ready endpoint"));
        check(&super::DETECTOR, job, &waits("Service db does not exist in namespace shop"));
        check(&super::DETECTOR, &both.replace("endpoints: []", "endpoints: [{addresses: [10.0.0.1]}]"), says);
        let retries = both.replace("DeadlineExceeded", "BackoffLimitExceeded");
        check(
            &super::DETECTOR,
            &retries,
            "critical Job shop/load: Job load failed (BackoffLimitExceeded): its pods failed more than backoffLimit 6 times",
        );
    }

    #[test]
    fn an_index_of_several() {
        let newer = "
---
kind: Pod
apiVersion: v1
metadata: {name: migrate-b, namespace: shop, creationTimestamp: '2026-01-01T11:00:00Z', ownerReferences: [{kind: Job, apiVersion: batch/v1, name: migrate, controller: true}]}
spec: {containers: [{name: app}]}
status: {phase: Succeeded, containerStatuses: [{name: app, state: {terminated: {exitCode: 0, reason: Completed}}}]}
";
        let yaml = JOB
            .replace("OWNER", "")
            .replace("{backoffLimit: 1}", "{completions: 3}")
            .replace("status: {conditions", "status: {failedIndexes: '1', conditions")
            .replace("BackoffLimitExceeded", "FailedIndexes");
        check(
            &super::DETECTOR,
            &(yaml + newer),
            "critical Job shop/migrate: Job migrate failed (FailedIndexes): index 1 of 3 failed for good; container app exits 3: ERROR: no such table",
        );
    }

    #[test]
    fn a_later_run_made_up_for_it() {
        let owner = ", ownerReferences: [{kind: CronJob, apiVersion: batch/v1, name: nightly, controller: true}]";
        let cron = "
---
kind: CronJob
apiVersion: batch/v1
metadata: {name: nightly, namespace: shop}
status: {lastSuccessfulTime: '2026-01-01T11:00:00Z'}
";
        check(&super::DETECTOR, &(JOB.replace("OWNER", owner) + cron), "");
    }

    #[test]
    fn done_again_by_hand() {
        let later = "
---
kind: Job
apiVersion: batch/v1
metadata: {name: migrate-2, namespace: shop, creationTimestamp: '2026-01-01T10:30:00Z'}
status: {conditions: [{type: Complete, status: 'True'}]}
";
        let job = JOB.replace("OWNER", "").replace("name: migrate,", "name: migrate-1,");
        check(&super::DETECTOR, &(job.clone() + later), "");
        let others = [later.replace("migrate-2", "cleanup-2"), later.replace("Complete", "Suspended")];
        for other in others {
            let expected = "critical Job shop/migrate-1: Job migrate-1 failed (BackoffLimitExceeded): its pods failed more than backoffLimit 1 times; container app exits 3: ERROR: no such table";
            check(&super::DETECTOR, &(job.clone() + &other), expected);
        }
    }

    #[test]
    fn done() {
        check(&super::DETECTOR, &JOB.replace("OWNER", "").replace("type: Failed", "type: Complete"), "");
    }
}
