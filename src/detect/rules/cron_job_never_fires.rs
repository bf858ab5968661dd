//! CronJobs whose schedule never comes, or can't be read.

use crate::detect::cron::Schedule;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "cron-job-never-fires",
    summary: "CronJob's schedule names a date that never comes, or can't be read",
    group: Group::Workloads,
    reads: &[Kind::CronJob],
    wants: None,
    doc: r"## What it detects
A schedule such as `0 6 31 2 *` (31 February), which no calendar has; and a schedule or time zone that the controller
says it can't read (`UnparseableSchedule`, `InvalidSchedule`, `UnknownTimeZone`).

## Why it matters
The job never runs, and nothing else says so.

## Evidence
`spec.schedule`, worked out for the eight years to come; the controller's event.

## Look-alikes
A CronJob that is switched off is `cron-job-suspended`; one whose jobs are refused shows as the refusal
(`quota-exceeded` and others), one whose jobs fail as `job-failed`. Rare dates that do come (29 February) are not
reported. A date that never comes may be meant for a CronJob that is only run by hand: suspend it, to say so.

## What it does not see
Runs that were missed or skipped (`startingDeadlineSeconds`, `concurrencyPolicy`, a controller that was down). A
schedule that comes at another time than was meant. The controller's word is an event: after about an hour it may be
gone, and then only dates are judged.

## What to do
Correct `spec.schedule`: minute, hour, day of the month, month, day of the week. The time zone goes into
`spec.timeZone` (`Europe/Berlin`), not into the schedule. To try it: `kubectl create job --from=cronjob/NAME
NAME-by-hand`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let running = view.all::<CronJob>().iter().filter(|cron| !cron.spec.suspend && !cron.metadata.deleting());
    running.filter_map(|cron| finding(view, cron)).collect()
}

fn finding(view: &View<'_>, cron: &CronJob) -> Option<Finding> {
    let object = cron.object_ref();
    let schedule = cron.spec.schedule.trim();
    let refused = ["UnparseableSchedule", "InvalidSchedule", "UnknownTimeZone"]
        .iter()
        .find_map(|reason| view.event(&object, reason));
    // What the API server took and we can't read is left to the controller's word.
    let never = Schedule::parse(without_zone(schedule)).is_some_and(|parsed| parsed.next(view.now()).is_none());
    let summary = match refused {
        _ if never => {
            let day = date(schedule).map(|date| format!(" means {date}, which")).unwrap_or_default();
            format!("CronJob {} never runs: its schedule '{schedule}'{day} never occurs", object.name)
        }
        Some(event) => {
            format!("CronJob {} never runs: its schedule '{schedule}' is refused ({})", object.name, event.reason)
        }
        None => return None,
    };
    let mut finding = Finding::new(object.clone(), Severity::Critical, Stage::Admit, summary)
        .since(*cron.metadata.creation_timestamp)
        .field(&object, "spec.schedule", schedule)
        .fix("correct the schedule", &object, &["edit", "cronjob", &object.name]);
    if let Some(event) = refused {
        finding = finding.event(event);
    }
    Some(finding)
}

/// A schedule may begin with its time zone, in an old notation.
fn without_zone(schedule: &str) -> &str {
    match schedule.split_once(' ') {
        Some((zone, rest)) if zone.starts_with("TZ=") || zone.starts_with("CRON_TZ=") => rest,
        _ => schedule,
    }
}

/// `31 February` of `0 6 31 2 *`.
fn date(schedule: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let fields: Vec<&str> = without_zone(schedule).split_whitespace().collect();
    let [_, _, day, month, _] = fields.as_slice() else { return None };
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    Some(format!("{} {month}", day.parse::<u8>().ok()?))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    fn cron(schedule: &str, more: &str) -> String {
        format!(
            "kind: CronJob\napiVersion: batch/v1\nmetadata: {{name: report, namespace: shop}}\nspec: {{schedule: '{schedule}'{more}}}\n"
        )
    }

    #[test]
    fn a_date_that_never_comes() {
        check(
            &super::DETECTOR,
            &cron("0 4 30 2 *", ""),
            "critical CronJob shop/report: CronJob report never runs: its schedule '0 4 30 2 *' means 30 February, which never occurs",
        );
    }

    #[test]
    fn rare_dates_and_suspended_ones() {
        check(&super::DETECTOR, &cron("0 4 29 2 *", ""), "");
        check(&super::DETECTOR, &cron("*/5 * * * *", ""), "");
        check(&super::DETECTOR, &cron("0 4 30 2 *", ", suspend: true"), "");
    }
}
