//! CronJobs that were switched off, as it seems by accident.

use crate::detect::cron::Schedule;
use crate::detect::intent::{edited, stated};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "cron-job-suspended",
    summary: "CronJob is suspended, and no one states why",
    group: Group::Workloads,
    reads: &[Kind::CronJob],
    wants: None,
    doc: r"## What it detects
A CronJob with `spec.suspend: true` that was made, edited or run within the last week, and that carries no annotation or
label that says why it is suspended.

## Why it matters
A CronJob that was suspended for an afternoon's maintenance and forgotten does nothing, without any error.

## Evidence
`spec.suspend`, the last run, and who set it as far as field managers tell.

## Look-alikes
Intent can't be seen: a CronJob that is meant to stand still looks the same. An annotation such as
`acme.dev/suspended-reason: …` keeps the finding back; so does a suspension of more than a week, which people live
with, and a schedule that never comes, which is made for runs by hand (`cron-job-never-fires` where it is not
suspended).

## What it does not see
Who suspended it, where the field managers don't date the edit: then the last run or the creation stands for it. An
edit of another field by the same client counts as one of `spec.suspend`. Which runs were missed, and whether anyone
missed them. Suspended Jobs.

## What to do
`kubectl patch cronjob NAME -p 'spec: {suspend: false}'`, or annotate the reason. Runs that were missed in the
meantime are started at once if `startingDeadlineSeconds` is not set or not over: at most one.",
    run,
};

/// What has stood still for longer is meant to, or not missed.
const RECENT: i64 = 7 * 24 * 3600;

fn run(view: &View<'_>) -> Vec<Finding> {
    let suspended = view.all::<CronJob>().iter().filter(|cron| cron.spec.suspend && !cron.metadata.deleting());
    suspended.filter_map(|cron| finding(view, cron)).collect()
}

fn finding(view: &View<'_>, cron: &CronJob) -> Option<Finding> {
    let object = cron.object_ref();
    let by = edited(&cron.metadata, "spec.suspend");
    let last = *cron.status.last_schedule_time;
    let newest = [last, by.map(|(_, time)| time), *cron.metadata.creation_timestamp].into_iter().flatten().max();
    let recent = view.age(newest).is_some_and(|age| age < RECENT);
    let by_hand = Schedule::parse(&cron.spec.schedule).is_some_and(|schedule| schedule.next(view.now()).is_none());
    if !recent || by_hand || stated(&cron.metadata).is_some() {
        return None;
    }
    let ran = last.map_or("it has never run".to_owned(), |time| format!("its last run was {time}"));
    let summary = format!(
        "CronJob {} is suspended (spec.suspend: true), so its schedule '{}' starts nothing; {ran}, and no annotation says why",
        object.name, cron.spec.schedule
    );
    let mut finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary)
        .field(&object, "spec.suspend", "true")
        .since(by.map(|(_, time)| time).or(newest));
    if let Some((manager, time)) = by {
        finding = finding.field(&object, format!("metadata.managedFields[{}].time", manager.manager), time.to_string());
    }
    Some(finding.fix(
        "let it run again, if no one meant to stop it",
        &object,
        &["patch", "cronjob", &object.name, "-p", r#"{"spec":{"suspend":false}}"#],
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const CRON: &str = "
kind: CronJob
metadata:
  name: backup
  namespace: shop
  creationTimestamp: 'MADE'
  annotations: {NOTE: x}
spec: {schedule: 'SCHEDULE', suspend: SUSPEND}
status: {lastScheduleTime: '2025-12-31T00:00:00Z'}
";

    fn cron(schedule: &str, suspend: &str) -> String {
        CRON.replace("MADE", "2025-11-01T00:00:00Z").replace("SCHEDULE", schedule).replace("SUSPEND", suspend)
    }

    #[test]
    fn it_ran_the_other_day() {
        let expected = "warning CronJob shop/backup: CronJob backup is suspended (spec.suspend: true), so its schedule '0 0 * * *' starts nothing; its last run was 2025-12-31T00:00:00Z, and no annotation says why";
        check(&super::DETECTOR, &cron("0 0 * * *", "true"), expected);
    }

    #[test]
    fn meant_to_be() {
        check(&super::DETECTOR, &cron("0 0 * * *", "true").replace("NOTE", "acme.dev/suspended-reason"), "");
        check(&super::DETECTOR, &cron("0 0 * * *", "true").replace("2025-12-31", "2025-11-30"), "");
        check(&super::DETECTOR, &cron("0 0 31 2 *", "true"), "");
        check(&super::DETECTOR, &cron("0 0 * * *", "false"), "");
    }
}
