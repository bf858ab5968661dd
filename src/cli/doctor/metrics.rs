//! Whether Prometheus and Alertmanager answer, where the agent has them to ask.
//!
//! *Invariant:* they are asked as the agent's tools ask them, and what is not configured is not spoken of.

use std::time::Instant;

use super::check::Check;
use crate::agent::tools::{ToolError, alerts, targets};
use crate::cli::metrics::server;
use crate::config::Settings;

/// The checks.
pub(super) async fn checks(settings: &Settings) -> Vec<Check> {
    let metrics = async {
        let server = match server("prometheus", &settings.prometheus) {
            Ok(server) => server?,
            Err(why) => return Some(unusable("metrics", why)),
        };
        let (who, began) = (format!("Prometheus at {}", server.place()), Instant::now());
        Some(match targets(&server).await {
            Ok(0) => Check::warning("metrics", format!("{who}: it measures nothing"))
                .hint("look at its targets: the agent will find no series"),
            Ok(targets) => Check::ok("metrics", format!("{who}: {}, {targets} targets", took(began))),
            Err(error) => failed("metrics", "prometheus", &who, &error),
        })
    };
    let alerted = async {
        let server = match server("alertmanager", &settings.alertmanager) {
            Ok(server) => server?,
            Err(why) => return Some(unusable("alerts", why)),
        };
        let (who, began) = (format!("Alertmanager at {}", server.place()), Instant::now());
        Some(match alerts(&server).await {
            Ok(alerts) => Check::ok("alerts", format!("{who}: {}, {alerts} alerts", took(began))),
            Err(error) => failed("alerts", "alertmanager", &who, &error),
        })
    };
    let (metrics, alerted) = tokio::join!(metrics, alerted);
    metrics.into_iter().chain(alerted).collect()
}

fn took(began: Instant) -> String {
    format!("{} ms", began.elapsed().as_millis())
}

fn unusable(area: &'static str, why: String) -> Check {
    Check::failed(area, why).hint("`kubectl react config` says where the setting comes from")
}

fn failed(area: &'static str, keys: &str, who: &str, error: &ToolError) -> Check {
    Check::failed(area, format!("{who}: {}", error.message))
        .hint(format!("look at `{keys}.url` and `{keys}.token`, and whether it runs"))
}
