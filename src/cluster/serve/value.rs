//! Small ways to look at an object as JSON, which is what all printers read.
//!
//! *Invariant:* an absent field, a `null` and a field of another type are the same: nothing.

use serde_json::Value;
use strsim::osa_distance;

use crate::model::{Map, Selector, Time};

static NOTHING: Value = Value::Null;

/// The value at `a.b.c`.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, key| value.get(key).unwrap_or(&NOTHING))
}

/// The text at a path; empty where there is none.
pub(super) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    at(value, path).as_str().unwrap_or_default()
}

/// The number at a path; zero where there is none.
pub(super) fn int(value: &Value, path: &str) -> i64 {
    at(value, path).as_i64().unwrap_or_default()
}

/// Whether the path says `true`.
pub(super) fn on(value: &Value, path: &str) -> bool {
    at(value, path).as_bool().unwrap_or_default()
}

/// The items at a path.
pub(super) fn items<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    at(value, path).as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The name, the namespace.
pub(super) fn name(object: &Value) -> &str {
    text(object, "metadata.name")
}

pub(super) fn namespace(object: &Value) -> &str {
    text(object, "metadata.namespace")
}

/// The value of a key that holds dots.
pub(super) fn entry<'v>(value: &'v Value, path: &str, key: &str) -> &'v str {
    at(value, path).get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The time at a path.
pub(super) fn time(value: &Value, path: &str) -> Option<Time> {
    text(value, path).parse().ok()
}

/// A scalar as people write it; an object or a list as JSON.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `a=b,c=d`, or `<none>`.
pub(super) fn pairs(value: &Value) -> String {
    let pairs: Vec<String> =
        value.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={}", shown(value))).collect();
    if pairs.is_empty() { NONE.to_owned() } else { pairs.join(",") }
}

/// What stands where there is nothing.
pub(super) const NONE: &str = "<none>";

/// The text, or `<none>`.
pub(super) fn or_none(text: &str) -> &str {
    if text.is_empty() { NONE } else { text }
}

/// The labels of an object.
pub(super) fn labels(object: &Value) -> Map {
    serde_json::from_value(at(object, "metadata.labels").clone()).unwrap_or_default()
}

/// The selector at a path, whatever form it has there: one of labels alone, or `matchLabels`.
pub(super) fn selector(object: &Value, path: &str) -> Option<Selector> {
    let value = at(object, path);
    value.as_object().filter(|fields| !fields.is_empty())?;
    if value.get("matchLabels").is_some() || value.get("matchExpressions").is_some() {
        return serde_json::from_value(value.clone()).ok();
    }
    let labels: Map = serde_json::from_value(value.clone()).ok()?;
    Some(Selector { match_labels: labels, ..Selector::default() })
}

/// A selector as a query of the API takes it.
pub(super) fn written(selector: &Selector) -> String {
    let equal = selector.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
    let rest = selector.match_expressions.iter().map(|rule| match rule.operator.as_str() {
        "Exists" => rule.key.clone(),
        "DoesNotExist" => format!("!{}", rule.key),
        operator => format!("{} {} ({})", rule.key, operator.to_ascii_lowercase(), rule.values.join(",")),
    });
    equal.chain(rest).collect::<Vec<_>>().join(",")
}

/// How long ago, as kubectl says it: `5s`, `3m20s`, `47h`, `12d`.
pub(super) fn age(now: Time, then: Option<Time>) -> String {
    let Some(then) = then else { return "<unknown>".to_owned() };
    human(now.as_second() - then.as_second())
}

/// A time span as kubectl says it (`HumanDuration` of `k8s.io/apimachinery/pkg/util/duration`).
pub(super) fn human(seconds: i64) -> String {
    let both = |large: i64, unit: &str, small: i64, other: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{other}") }
    };
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (days, years) = (hours / 24, hours / 24 / 365);
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => both(minutes, "m", seconds % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => both(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 192 => both(days, "d", hours % 24, "h"),
        _ if years < 2 => format!("{days}d"),
        _ if years < 8 => both(years, "y", days % 365, "d"),
        _ => format!("{years}y"),
    }
}

/// Seconds of `1h30m`, `45s`, `0`.
pub(super) fn seconds(duration: &str) -> Option<i64> {
    let (mut total, mut rest) = (0.0, duration);
    if rest == "0" {
        return Some(0);
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, unit) = rest.split_at_checked(end)?;
        let (factor, length) = match unit {
            _ if unit.starts_with("ms") => (0.001, 2),
            _ if unit.starts_with("us") || unit.starts_with("ns") => (0.0, 2),
            _ if unit.starts_with('h') => (3600.0, 1),
            _ if unit.starts_with('m') => (60.0, 1),
            _ if unit.starts_with('s') => (1.0, 1),
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = unit.get(length..)?;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a number beyond is the largest there is")]
    Some(total.ceil() as i64)
}

/// `4,213`
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The words of `known` that `word` may have been meant to be, the nearest first.
pub(super) fn near<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Vec<String> {
    const MOST: usize = 5;
    let word = word.to_ascii_lowercase();
    // `web` of `web-7d4b9c-x2x4z`: what made the name is more than what tells it apart.
    let stem = word.split('-').next().unwrap_or_default();
    let mut scored: Vec<(usize, &str)> = known
        .filter_map(|name| {
            let lower = name.to_ascii_lowercase();
            let distance = osa_distance(&word, &lower);
            if lower.starts_with(&word) || word.starts_with(&lower) {
                Some((0, name))
            } else if distance <= word.len().max(3) / 3 {
                Some((distance, name))
            } else {
                (stem.len() > 2 && lower.contains(stem)).then_some((100 + distance, name))
            }
        })
        .collect();
    scored.sort_unstable();
    scored.dedup();
    scored.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_kubectl_says_them() {
        let table = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (200, "3m20s"),
            (3600, "60m"),
            (3 * 3600 + 60, "3h1m"),
            (47 * 3600, "47h"),
            (50 * 3600, "2d2h"),
            (10 * 86_400, "10d"),
            (800 * 86_400, "2y70d"),
            (-1, "0s"),
            (-2, "<invalid>"),
        ];
        for (seconds, expected) in table {
            assert_eq!(human(seconds), expected);
        }
        for (text, expected) in [("1h30m", 5400), ("45s", 45), ("0", 0), ("1.5m", 90), ("500ms", 1)] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        assert_eq!(count(4_213_000), "4,213,000");
    }

    #[test]
    fn near_names_come_first() {
        let known = ["web-7d4b9c-abcde", "wbe", "cart", "checkout-1"];
        assert_eq!(near("web", known.into_iter()), ["web-7d4b9c-abcde", "wbe"]);
        assert_eq!(near("checkout-2", known.into_iter()), ["checkout-1"]);
        assert!(near("zzzzzz", known.into_iter()).is_empty());
    }
}
