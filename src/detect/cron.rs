//! Cron schedules, as the CronJob controller reads them: when one next comes, if ever.
//!
//! *Invariant:* a search ends after eight years of days: the longest gap of a real schedule is that
//! of a 29 February across a century.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A schedule: what each of the five fields allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minutes: Vec<i8>,
    hours: Vec<i8>,
    days: Vec<i8>,
    months: Vec<i8>,
    weekdays: Vec<i8>,
    any_day: bool,
    any_weekday: bool,
}

/// Days that a search looks at.
const HORIZON: usize = 8 * 366;

impl Schedule {
    /// Reads five fields, or a name such as `@daily`.
    pub fn parse(text: &str) -> Option<Schedule> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else { return None };
        let mut weekdays = field(weekday, 0, 7, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"], 0)?;
        weekdays.iter_mut().filter(|day| **day == 7).for_each(|day| *day = 0);
        let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        Some(Schedule {
            minutes: field(minute, 0, 59, &[], 0)?,
            hours: field(hour, 0, 23, &[], 0)?,
            days: field(day, 1, 31, &[], 0)?,
            months: field(month, 1, 12, &months, 1)?,
            weekdays,
            any_day: day.starts_with(['*', '?']),
            any_weekday: weekday.starts_with(['*', '?']),
        })
    }

    /// Whether it comes on this day. Where both day fields are given, one of them is enough.
    fn on(&self, date: Date) -> bool {
        let day = self.days.contains(&date.day());
        let weekday = self.weekdays.contains(&date.weekday().to_sunday_zero_offset());
        let days = match (self.any_day, self.any_weekday) {
            (true, _) => weekday,
            (false, true) => day,
            (false, false) => day || weekday,
        };
        self.months.contains(&date.month()) && days
    }

    /// The first time after `now`; none where it never comes.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let now = now.to_zoned(TimeZone::UTC).datetime();
        let days = now.date().series(jiff::Span::new().days(1)).take(HORIZON);
        days.filter(|date| self.on(*date)).flat_map(|date| self.times(date)).find(|time| *time > now).and_then(utc)
    }

    /// The last time at or before `now`, within the last 40 days.
    pub fn last(&self, now: Timestamp) -> Option<Timestamp> {
        let now = now.to_zoned(TimeZone::UTC).datetime();
        let days = now.date().series(jiff::Span::new().days(-1)).take(40);
        let earlier = |date: Date| self.times(date).filter(|time| *time <= now).max();
        days.filter(|date| self.on(*date)).find_map(earlier).and_then(utc)
    }

    fn times(&self, date: Date) -> impl Iterator<Item = DateTime> + '_ {
        self.hours.iter().flat_map(move |hour| {
            self.minutes.iter().filter_map(move |minute| {
                DateTime::new(date.year(), date.month(), date.day(), *hour, *minute, 0, 0).ok()
            })
        })
    }
}

fn utc(time: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(time).ok()
}

/// Reads one field: `*`, `*/5`, `1,15`, `9-17/2`, `mon-fri`.
fn field(text: &str, least: i8, most: i8, names: &[&str], first: i8) -> Option<Vec<i8>> {
    let value_of = |text: &str| -> Option<i8> {
        let at_name =
            names.iter().position(|name| text.eq_ignore_ascii_case(name)).and_then(|at| i8::try_from(at).ok());
        let value = at_name.map(|at| at + first).or_else(|| text.parse().ok())?;
        (least..=most).contains(&value).then_some(value)
    };
    let mut allowed = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (value_of(from)?, value_of(to)?),
            None if range == "*" || range == "?" => (least, most),
            None => (value_of(range)?, if part.contains('/') { most } else { value_of(range)? }),
        };
        if from > to {
            return None;
        }
        allowed.extend((from..=to).step_by(step));
    }
    allowed.sort_unstable();
    allowed.dedup();
    Some(allowed)
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn next_and_last() {
        let now = "2026-01-01T12:00:00Z".parse().unwrap(); // a Thursday
        let table = [
            ("*/5 * * * *", Some("2026-01-01T12:05:00Z"), Some("2026-01-01T12:00:00Z")),
            ("30 3 * * mon-fri", Some("2026-01-02T03:30:00Z"), Some("2026-01-01T03:30:00Z")),
            ("0 0 29 2 *", Some("2028-02-29T00:00:00Z"), None),
            ("0 0 31 2 *", None, None),
            ("0 0 31 4,6,9,11 *", None, None),
            ("@daily", Some("2026-01-02T00:00:00Z"), Some("2026-01-01T00:00:00Z")),
            ("0 0 31 2 mon", Some("2026-02-02T00:00:00Z"), None),
            ("0 9-17/4 * * 7", Some("2026-01-04T09:00:00Z"), Some("2025-12-28T17:00:00Z")),
        ];
        for (text, next, last) in table {
            let schedule = Schedule::parse(text).unwrap();
            assert_eq!(schedule.next(now).map(|t| t.to_string()).as_deref(), next, "{text}");
            assert_eq!(schedule.last(now).map(|t| t.to_string()).as_deref(), last, "{text}");
        }
        for bad in ["", "* * * *", "61 * * * *", "a * * * *", "*/0 * * * *", "5-1 * * * *", "* * * * * *"] {
            assert_eq!(Schedule::parse(bad), None, "{bad}");
        }
    }
}
