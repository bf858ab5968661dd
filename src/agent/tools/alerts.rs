//! The tool `list_alerts`: what Alertmanager says is firing.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::metrics::Server;
use super::{Output, Tool, ToolError, text};
use crate::model::chat::ToolSpec;

/// Alerts that are shown.
const ALERTS: usize = 50;
/// Labels that tell where an alert is, in this order.
const PLACE: &[&str] = &["namespace", "pod", "deployment", "service", "node", "instance", "job"];

/// The tool.
pub struct ListAlerts {
    /// Where it asks.
    pub server: Server,
}

impl Tool for ListAlerts {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "list_alerts".to_owned(),
            description: "Lists the alerts that Alertmanager has, with their labels and summaries.".to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "filter": {"type": "string", "description": "matchers such as namespace=\"shop\", severity=~\"critical|warning\"; leave it out for all"},
                },
                "additionalProperties": false,
            }),
        }
    }

    fn told(&self, arguments: &Value) -> String {
        format!("list_alerts {}", text(arguments, "filter").unwrap_or_default()).trim_end().to_owned()
    }

    fn call<'a>(&'a self, arguments: &'a Value) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async move {
            let matchers = text(arguments, "filter").map(matchers).unwrap_or_default();
            let filter: Vec<(&str, &str)> = matchers.iter().map(|matcher| ("filter", *matcher)).collect();
            let answer = self.server.get("api/v2/alerts", &filter).await?;
            told(&answer, !matchers.is_empty())
        })
    }
}

/// How many alerts it has, for whoever asks whether it can be used.
///
/// # Errors
/// When it does not answer as Alertmanager does.
pub async fn alerts(server: &Server) -> Result<usize, ToolError> {
    Ok(list(&server.get("api/v2/alerts", &[]).await?)?.len())
}

/// The matchers of a text as `PromQL` has it, with braces and commas: Alertmanager wants one at a time.
fn matchers(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(|letter| {
        quoted ^= letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        letter == ',' && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn list(answer: &Value) -> Result<&Vec<Value>, ToolError> {
    answer.as_array().ok_or_else(|| {
        ToolError::new("the answer is no list: the configured address may not be that of Alertmanager")
            .hinted("go on without this tool")
    })
}

fn told(answer: &Value, filtered: bool) -> Result<Output, ToolError> {
    let alerts = list(answer)?;
    if alerts.is_empty() {
        let text = if filtered { "no alerts that match" } else { "no alerts" };
        return Ok(Output { text: text.to_owned(), note: None });
    }
    let mut lines: Vec<_> = alerts.iter().map(|alert| (urgency(alert), line(alert))).collect();
    lines.sort();
    let note =
        (lines.len() > ALERTS).then(|| format!("showing {ALERTS} of {} alerts; narrow with `filter`", lines.len()));
    let lines: Vec<String> = lines.into_iter().take(ALERTS).map(|(_, line)| line).collect();
    Ok(Output { text: lines.join("\n"), note })
}

/// What comes first where not all are shown: what nobody silenced, the worst of it.
fn urgency(alert: &Value) -> (bool, u8) {
    let part = |group: &str, name: &str| alert.get(group).and_then(|group| group.get(name)).and_then(Value::as_str);
    let severity = match part("labels", "severity") {
        Some("critical" | "page" | "error") => 0,
        Some("warning") => 1,
        _ => 2,
    };
    (part("status", "state") == Some("suppressed"), severity)
}

fn line(alert: &Value) -> String {
    let part = |group: &str, name: &str| alert.get(group).and_then(|group| group.get(name)).and_then(Value::as_str);
    let label = |name: &str| part("labels", name);
    let place: Vec<String> = PLACE.iter().filter_map(|name| Some(format!("{name}={}", label(name)?))).collect();
    let said = part("annotations", "summary")
        .or_else(|| part("annotations", "description"))
        .or_else(|| part("annotations", "message"));
    format!(
        "{} severity={} state={} since {} {} {}",
        label("alertname").unwrap_or("?"),
        label("severity").unwrap_or("none"),
        part("status", "state").unwrap_or("?"),
        alert.get("startsAt").and_then(Value::as_str).unwrap_or("?"),
        place.join(" "),
        said.unwrap_or_default()
    )
    .trim_end()
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_a_line() {
        let alerts = json!([{
            "labels": {"alertname": "KubePodCrashLooping", "namespace": "shop", "pod": "web-1", "severity": "warning"},
            "annotations": {"summary": "Pod is crash looping."},
            "startsAt": "2026-11-26T10:00:00Z", "status": {"state": "active"},
        }]);
        assert_eq!(
            told(&alerts, false).unwrap().text,
            "KubePodCrashLooping severity=warning state=active since 2026-11-26T10:00:00Z namespace=shop pod=web-1 Pod is \
             crash looping."
        );
        assert_eq!(told(&json!([]), false).unwrap().text, "no alerts");
        assert_eq!(told(&json!([]), true).unwrap().text, "no alerts that match");
        assert!(told(&json!({}), false).is_err());
    }

    #[test]
    fn the_worst_is_not_among_what_is_left_out() {
        let alert = |name: &str, severity: &str, state: &str| json!({"labels": {"alertname": name, "severity": severity}, "status": {"state": state}});
        let mut alerts = vec![alert("A", "none", "active"); 60];
        alerts.extend([
            alert("B", "critical", "suppressed"),
            alert("C", "warning", "active"),
            alert("D", "critical", "active"),
        ]);
        let output = told(&alerts.into(), false).unwrap();
        let names: Vec<char> = output.text.lines().filter_map(|line| line.chars().next()).collect();
        assert_eq!(names.iter().take(3).collect::<String>(), "DCA");
        assert_eq!(names.len(), ALERTS);
        assert!(output.note.unwrap().starts_with("showing 50 of 63 alerts"));
    }

    #[test]
    fn matchers_are_asked_one_by_one() {
        let table: [(&str, &[&str]); 5] = [
            ("namespace=\"shop\"", &["namespace=\"shop\""]),
            ("{namespace=\"shop\", severity!=\"none\",}", &["namespace=\"shop\"", "severity!=\"none\""]),
            ("pod=~\"a,b\",node=n", &["pod=~\"a,b\"", "node=n"]),
            ("pod=\"a\\\",b\",node=n", &["pod=\"a\\\",b\"", "node=n"]),
            ("{}", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(matchers(text), expected, "{text}");
        }
    }
}
