//! The incidents that are kept.

use super::check::Check;
use crate::cli::error::CommandError;
use crate::cli::incidents::store;
use crate::config::Settings;
use crate::incidents::{Listed, State};
use crate::model::Time;
use crate::output;

/// How many there are, and whether each can be read.
pub(super) fn check(settings: &Settings) -> Check {
    let failed = |error: CommandError| match error {
        CommandError::Failed { message, hint } => Check::failed("incidents", message).hint_if(hint),
        _ => Check::skipped("incidents", "it was stopped"),
    };
    let listed = match store(settings).and_then(|store| Ok(store.list()?)) {
        Ok(listed) => listed,
        Err(error) => return failed(error),
    };
    told(&listed, settings.incidents_keep.0, Time::now())
}

fn told(listed: &[Listed], keep: usize, now: Time) -> Check {
    let count = |number: usize| if number == 1 { "1 incident".to_owned() } else { format!("{number} incidents") };
    let newest = listed.first().and_then(|listed| listed.record.time);
    let newest = newest.map(|time| format!(", the newest {} old", output::ago(time, now))).unwrap_or_default();
    let unfinished = listed.iter().filter(|listed| listed.state == State::Unfinished).count();
    let unfinished = if unfinished > 0 { format!(", {unfinished} unfinished") } else { String::new() };
    let said = format!("{}{newest}{unfinished}; {keep} are kept", count(listed.len()));
    let damaged: Vec<&Listed> =
        listed.iter().filter(|listed| listed.state == State::Finished && !listed.damage.is_empty()).collect();
    match damaged.first() {
        None => Check::ok("incidents", said),
        Some(first) => Check::warning("incidents", format!("{said}; {} can't be read whole", damaged.len()))
            .hint(format!("{}: {}", first.id, first.damage.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::check::Standing;
    use crate::incidents::Record;

    #[test]
    fn what_is_kept_is_counted_and_damage_told() {
        let now: Time = "2026-11-26T10:00:00Z".parse().unwrap();
        let listed = |state: State, damage: &[&str]| Listed {
            id: "20261126-095500-7f3a".to_owned(),
            state,
            record: Record { time: Some("2026-11-26T09:55:00Z".parse().unwrap()), ..Record::default() },
            steps: 0,
            damage: damage.iter().map(|damage| (*damage).to_owned()).collect(),
        };
        assert_eq!(told(&[], 200, now).said, "0 incidents; 200 are kept");
        let check = told(&[listed(State::Unfinished, &["cut"]), listed(State::Finished, &[])], 200, now);
        assert_eq!(
            (check.standing, check.said.as_str()),
            (Standing::Ok, "2 incidents, the newest 5m old, 1 unfinished; 200 are kept")
        );
        let check = told(&[listed(State::Finished, &["it is torn"])], 9, now);
        assert_eq!(check.standing, Standing::Warning);
        assert_eq!(check.hints, ["20261126-095500-7f3a: it is torn"]);
    }
}
