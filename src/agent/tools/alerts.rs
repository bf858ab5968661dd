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
                    "filter": {"type": "string", "description": "a matcher such as namespace=\"shop\"; leave it out for all"},
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
            let filter: Vec<(&str, &str)> =
                text(arguments, "filter").map(|filter| ("filter", filter)).into_iter().collect();
            let answer = self.server.get("api/v2/alerts", &filter).await?;
            told(&answer)
        })
    }
}

fn told(answer: &Value) -> Result<Output, ToolError> {
    let alerts = answer.as_array().ok_or_else(|| ToolError::new("the answer is no list: is this Alertmanager?"))?;
    if alerts.is_empty() {
        return Ok(Output { text: "no alerts".to_owned(), note: None });
    }
    let mut lines: Vec<String> = alerts.iter().map(line).collect();
    lines.sort();
    let note =
        (lines.len() > ALERTS).then(|| format!("showing {ALERTS} of {} alerts; narrow with `filter`", lines.len()));
    lines.truncate(ALERTS);
    Ok(Output { text: lines.join("\n"), note })
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
            told(&alerts).unwrap().text,
            "KubePodCrashLooping severity=warning state=active since 2026-11-26T10:00:00Z namespace=shop pod=web-1 Pod is \
             crash looping."
        );
        assert_eq!(told(&json!([])).unwrap().text, "no alerts");
        assert!(told(&json!({})).is_err());
    }
}
