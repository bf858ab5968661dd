//! The tool `query_prometheus`: what a metric is, or how it went.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::metrics::Server;
use super::{Output, Tool, ToolError, number, text};
use crate::model::Time;
use crate::model::chat::ToolSpec;

/// Series that are shown.
const SERIES: usize = 40;
/// Points of a range; each series is then told in a line.
const POINTS: u64 = 240;
/// The longest range, in minutes: a week.
const LONGEST: usize = 7 * 24 * 60;

/// The tool.
pub struct QueryPrometheus {
    /// Where it asks.
    pub server: Server,
    /// The end of every range: when the cluster was read.
    pub now: Time,
}

impl Tool for QueryPrometheus {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "query_prometheus".to_owned(),
            description: "Asks Prometheus. Without `minutes`, the value at the time of the snapshot; with it, how each series \
                          went over that many minutes before: first, lowest, highest, last. Aggregate (sum by, topk, rate) \
                          rather than list."
                .to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "PromQL"},
                    "minutes": {"type": "integer", "description": "how far back; leave it out for one moment"},
                },
                "required": ["query"],
                "additionalProperties": false,
            }),
        }
    }

    fn told(&self, arguments: &Value) -> String {
        let over = number(arguments, "minutes").map(|minutes| format!(" over {minutes} minutes")).unwrap_or_default();
        format!("query_prometheus {}{over}", text(arguments, "query").unwrap_or_default())
    }

    fn call<'a>(&'a self, arguments: &'a Value) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async move {
            let query =
                text(arguments, "query").ok_or_else(|| ToolError::new("no `query`").hinted("such as `up == 0`"))?;
            let end = self.now.as_second();
            let minutes =
                number(arguments, "minutes").filter(|minutes| *minutes > 0).map(|minutes| minutes.min(LONGEST));
            let (answer, when) = match minutes {
                None => {
                    let moment = [("query", query), ("time", &end.to_string())];
                    (self.server.get("api/v1/query", &moment).await?, format!("at {}", self.now))
                }
                Some(minutes) => {
                    let seconds = minutes as u64 * 60;
                    let start = end.saturating_sub_unsigned(seconds).to_string();
                    let step = (seconds / POINTS).max(15).to_string();
                    let range = [("query", query), ("start", &start), ("end", &end.to_string()), ("step", &step)];
                    let answer = self.server.get("api/v1/query_range", &range).await?;
                    (answer, format!("in the {minutes} minutes before {}", self.now))
                }
            };
            told(&answer, &when)
        })
    }
}

/// How many targets it measures, for whoever asks whether it can be used.
///
/// # Errors
/// When it does not answer as Prometheus does.
pub async fn targets(server: &Server) -> Result<u64, ToolError> {
    let answer = server.get("api/v1/query", &[("query", "count(up)")]).await?;
    let series = result(&answer)?;
    Ok(series.first().and_then(|one| one.get("value")?.get(1)?.as_str()?.parse().ok()).unwrap_or_default())
}

/// The series of an answer.
fn result(answer: &Value) -> Result<Vec<Value>, ToolError> {
    let data = answer.get("data").ok_or_else(|| {
        ToolError::new("the answer has no data: the configured address may not be that of Prometheus")
            .hinted("go on without this tool")
    })?;
    let result = data.get("result").cloned().unwrap_or_default();
    Ok(match data.get("resultType").and_then(Value::as_str) {
        Some("scalar" | "string") => vec![json!({"metric": {}, "value": result})],
        _ => result.as_array().cloned().unwrap_or_default(),
    })
}

/// A line for each series.
fn told(answer: &Value, when: &str) -> Result<Output, ToolError> {
    let series = result(answer)?;
    if series.is_empty() {
        let note = "there may be no such metric, none with these labels, or nothing kept of that time";
        return Ok(Output { text: format!("no series {when}"), note: Some(note.to_owned()) });
    }
    let lines: Vec<String> = series.iter().take(SERIES).map(line).collect();
    let note = (series.len() > SERIES)
        .then(|| format!("showing {SERIES} of {} series; aggregate, or narrow the labels", series.len()));
    Ok(Output { text: lines.join("\n"), note })
}

fn line(series: &Value) -> String {
    let labels = series.get("metric").and_then(Value::as_object).cloned().unwrap_or_default();
    let name = labels.get("__name__").and_then(Value::as_str).unwrap_or_default();
    let labels: Vec<String> = labels
        .iter()
        .filter(|(label, _)| *label != "__name__")
        .map(|(label, value)| format!("{label}=\"{}\"", value.as_str().unwrap_or_default()))
        .collect();
    let name = format!("{name}{{{}}}", labels.join(", "));
    if let Some(value) = series.get("value") {
        return format!("{name} {}", value.get(1).and_then(Value::as_str).unwrap_or("?"));
    }
    let points: Vec<(f64, f64)> =
        series.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(point).collect();
    // What is no number is neither low nor high.
    let numbers = || points.iter().copied().filter(|(_, value)| !value.is_nan());
    let least = numbers().map(|(_, value)| value).fold(f64::INFINITY, f64::min);
    let most = numbers().max_by(|a, b| a.1.total_cmp(&b.1));
    match (points.first(), most, points.last()) {
        (Some((from, first)), Some((at, most)), Some((to, last))) => format!(
            "{name} first {first} at {}, lowest {least}, highest {most} at {}, last {last} at {}, {} points",
            clock(*from),
            clock(at),
            clock(*to),
            points.len()
        ),
        (Some((from, _)), None, Some((to, _))) => {
            format!("{name} NaN from {} to {}, {} points", clock(*from), clock(*to), points.len())
        }
        _ => format!("{name} no points"),
    }
}

fn point(pair: &Value) -> Option<(f64, f64)> {
    Some((pair.get(0)?.as_f64()?, pair.get(1)?.as_str()?.parse().ok()?))
}

fn clock(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
    let time = Time::from_second(seconds as i64);
    time.map_or_else(|_| "?".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_a_line() {
        let moment = json!({"data": {"resultType": "vector", "result": [
            {"metric": {"__name__": "up", "job": "node"}, "value": [1_700_000_000, "0"]}]}});
        assert_eq!(told(&moment, "").unwrap().text, "up{job=\"node\"} 0");
        let range = json!({"data": {"resultType": "matrix", "result": [
            {"metric": {"pod": "web"}, "values": [[1_700_000_000, "1"], [1_700_000_060, "9"], [1_700_000_120, "4"]]}]}});
        assert_eq!(
            told(&range, "").unwrap().text,
            "{pod=\"web\"} first 1 at 2023-11-14T22:13:20Z, lowest 1, highest 9 at 2023-11-14T22:14:20Z, last 4 at \
             2023-11-14T22:15:20Z, 3 points"
        );
        let scalar = json!({"data": {"resultType": "scalar", "result": [1_700_000_000, "42"]}});
        assert_eq!(told(&scalar, "").unwrap().text, "{} 42");
        let none = json!({"data": {"resultType": "vector", "result": []}});
        assert_eq!(told(&none, "at noon").unwrap().text, "no series at noon");
        assert!(told(&json!({"hello": 1}), "").is_err());
    }

    #[test]
    fn what_is_no_number_is_not_the_highest() {
        let range = |values: Value| {
            let answer = json!({"data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}});
            told(&answer, "").unwrap().text
        };
        let some = range(json!([[1_700_000_000, "NaN"], [1_700_000_060, "2"], [1_700_000_120, "+Inf"]]));
        assert!(some.starts_with("{} first NaN at ") && some.contains("lowest 2, highest inf at "), "{some}");
        let none = range(json!([[1_700_000_000, "NaN"], [1_700_000_060, "NaN"]]));
        assert_eq!(none, "{} NaN from 2023-11-14T22:13:20Z to 2023-11-14T22:14:20Z, 2 points");
    }

    #[test]
    fn many_series_are_cut_with_a_note() {
        let one = json!({"metric": {"pod": "web"}, "value": [1, "1"]});
        let many = json!({"data": {"resultType": "vector", "result": vec![one; 99]}});
        let output = told(&many, "").unwrap();
        assert_eq!((output.text.lines().count(), output.note.is_some()), (SERIES, true));
    }
}
