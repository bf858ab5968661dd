//! CronJobs that skip their runs because an earlier one does not end.

use crate::detect::cron::Schedule;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "cron-job-blocked",
    summary: "CronJob skips its runs, because an earlier run does not end",
    group: Group::Workloads,
    reads: &[Kind::CronJob, Kind::Job],
    wants: Some(wants),
    doc: r"## What it detects
A CronJob with `concurrencyPolicy: Forbid` of which a Job is still active when its next run has been due twice, or once
and the controller says that it skipped it (`JobAlreadyActive`).

## Why it matters
One run that hangs (a lock, a connection without a timeout) stops all that come after it, without any error.

## Evidence
The policy, the schedule, the start of the Job that is active, the controller's event, and the last line of its log.

## Look-alikes
A CronJob that is suspended runs nothing either: `cron-job-suspended`. A schedule that never comes is
`cron-job-never-fires`; a Job that ended and failed is `job-failed`. A run that takes a little longer than the interval
skips one turn: that is not reported. Where the Job's pod has a fault of its own, that is the cause, and this a symptom
of it.

## What it does not see
Due times are counted in UTC: with another `spec.timeZone` the report may come some hours early or late. Whether the
run hangs or only has much to do, it can't prove: the last line of the log (of a container that runs) is the only hint.
Jobs that are suspended, or of no CronJob, don't count.

## What to do
`kubectl logs job/NAME --tail=20` shows what it waits for. Then delete the Job that hangs (`kubectl delete job NAME`);
the next run starts at its time. Give the jobs `activeDeadlineSeconds` in `spec.jobTemplate.spec`, so that one ends
before the next is due.",
    run,
};

/// A CronJob and the run that is in its way.
struct Blocked<'a> {
    cron: &'a CronJob,
    job: &'a Job,
    skipped: Option<&'a Event>,
    pod: Option<&'a Pod>,
}

fn blocked<'a>(view: &View<'a>) -> Vec<Blocked<'a>> {
    let strict =
        |cron: &&CronJob| cron.spec.concurrency_policy == "Forbid" && !cron.spec.suspend && !cron.metadata.deleting();
    view.all::<CronJob>().iter().filter(strict).filter_map(|cron| of(view, cron)).collect()
}

fn of<'a>(view: &View<'a>, cron: &'a CronJob) -> Option<Blocked<'a>> {
    let object = cron.object_ref();
    let active = |job: &&Job| {
        let ours =
            job.metadata.controller().is_some_and(|owner| owner.kind == "CronJob" && owner.name == cron.metadata.name);
        ours && job.status.active > 0 && !job.spec.suspend && !job.metadata.deleting()
    };
    let jobs = view.within::<Job>(&cron.metadata.namespace).iter().filter(active);
    let job = jobs.min_by_key(|job| *job.metadata.creation_timestamp)?;
    let began = (*job.metadata.creation_timestamp)?;
    let schedule = Schedule::parse(&cron.spec.schedule)?;
    let first = schedule.next(began)?;
    let second = schedule.next(first)?;
    let skipped =
        view.event(&object, "JobAlreadyActive").filter(|event| event.last().is_some_and(|last| last >= first));
    // The controller's word counts once the run has taken half again as long as it may.
    let half =
        began.as_second().saturating_add(first.as_second().saturating_sub(began.as_second()).saturating_mul(3) / 2);
    let late = view.now() >= second || skipped.is_some() && view.now().as_second() >= half;
    if !late {
        return None;
    }
    let pods = view.within::<Pod>(&cron.metadata.namespace).iter().filter(|pod| {
        pod.metadata.controller().is_some_and(|owner| owner.kind == "Job" && owner.name == job.metadata.name)
    });
    Some(Blocked {
        cron,
        job,
        skipped,
        pod: pods.filter(|pod| !pod.finished()).max_by_key(|pod| *pod.metadata.creation_timestamp),
    })
}

fn wants(view: &View<'_>) -> Vec<Want> {
    let pods = blocked(view).into_iter().filter_map(|blocked| blocked.pod);
    let running = pods.filter_map(|pod| Some((pod, containers(pod).find(|c| c.status.state.running.is_some())?)));
    running
        .map(|(pod, container)| Want::Log {
            pod: pod.object_ref(),
            container: container.spec.name.clone(),
            previous: false,
        })
        .collect()
}

fn run(view: &View<'_>) -> Vec<Finding> {
    blocked(view).iter().map(|blocked| finding(view, blocked)).collect()
}

fn finding(view: &View<'_>, blocked: &Blocked<'_>) -> Finding {
    let (object, job) = (blocked.cron.object_ref(), blocked.job.object_ref());
    let began = blocked.job.status.start_time.or(*blocked.job.metadata.creation_timestamp);
    let limit = match blocked.job.spec.active_deadline_seconds {
        Some(limit) => format!("activeDeadlineSeconds {limit} would end it only then"),
        None => "no activeDeadlineSeconds ends it".to_owned(),
    };
    let minutes = view.age(began).unwrap_or_default() / 60;
    let mut said = String::new();
    let log = blocked.pod.and_then(|pod| {
        let at = pod.object_ref();
        let container = containers(pod).find(|c| c.status.state.running.is_some())?;
        let log = view.snapshot.log(&at, &container.spec.name, false)?;
        Some((log, log.lines.iter().rev().find(|line| !line.trim().is_empty())?))
    });
    if let Some((_, line)) = log {
        said = format!("; its last line: {}", line.trim().chars().take(120).collect::<String>());
    }
    let summary = format!(
        "CronJob {} skips its runs ('{}'): Job {} has been running for {minutes} min, {limit}, and concurrencyPolicy Forbid lets no other start{said}",
        object.name,
        blocked.cron.spec.schedule.trim(),
        job.name
    );
    let mut finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .symptom()
        .since(began)
        .field(&object, "spec.concurrencyPolicy", "Forbid")
        .field(&job, "status.active", blocked.job.status.active.to_string());
    if let Some(event) = blocked.skipped {
        finding = finding.event(event);
    }
    if let Some((log, line)) = log {
        finding = finding.log(log, line);
    }
    let target = format!("job/{}", job.name);
    let finding = finding.look("see what it waits for", &job, &["logs", &target, "--tail=20"]);
    finding.fix("end the run that hangs", &job, &["delete", "job", &job.name])
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const YAML: &str = "
kind: CronJob
apiVersion: batch/v1
metadata: {name: sync, namespace: shop}
spec: {schedule: '*/10 * * * *', concurrencyPolicy: POLICY}
---
kind: Job
apiVersion: batch/v1
metadata: {name: sync-1, namespace: shop, creationTimestamp: '2026-01-01T11:BEGANZ', ownerReferences: [{kind: CronJob, apiVersion: batch/v1, name: sync, controller: true}]}
status: {active: 1}
";

    fn yaml(policy: &str, began: &str) -> String {
        YAML.replace("POLICY", policy).replace("BEGAN", began)
    }

    #[test]
    fn a_run_that_hangs() {
        check(
            &super::DETECTOR,
            &yaml("Forbid", "30:00"),
            "warning CronJob shop/sync: CronJob sync skips its runs ('*/10 * * * *'): Job sync-1 has been running for 30 min, no activeDeadlineSeconds ends it, and concurrencyPolicy Forbid lets no other start",
        );
    }

    #[test]
    fn the_controller_says_so() {
        let event = "---\nkind: Event\nmetadata: {name: e, namespace: shop}\ntype: Normal\nreason: JobAlreadyActive\nlastTimestamp: '2026-01-01T11:55:00Z'\nmessage: Not starting job because prior execution is running and concurrency policy is Forbid\ninvolvedObject: {kind: CronJob, namespace: shop, name: sync}\n";
        check(
            &super::DETECTOR,
            &(yaml("Forbid", "42:00") + event),
            "warning CronJob shop/sync: CronJob sync skips its runs ('*/10 * * * *'): Job sync-1 has been running for 18 min, no activeDeadlineSeconds ends it, and concurrencyPolicy Forbid lets no other start",
        );
    }

    #[test]
    fn a_run_in_its_time_or_beside_others() {
        check(&super::DETECTOR, &yaml("Forbid", "51:00"), "");
        check(&super::DETECTOR, &yaml("Allow", "30:00"), "");
        check(&super::DETECTOR, &yaml("Forbid", "30:00").replace("active: 1", "active: 0"), "");
    }
}
