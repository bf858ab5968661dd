//! Whether the cluster answers, who we are there, and what we may read.

use std::time::Instant;

use super::check::Check;
use super::rights;
use crate::cluster::{self, ConnectOptions, Connection, JSON};
use crate::model::Time;

/// A certificate that ends so soon is worth a word, in days.
const SOON: i64 = 14;
/// Slower answers make a diagnosis slow, in milliseconds.
const SLOW: u128 = 500;

/// The checks, and the server's version where it answers.
pub(super) async fn checks(options: &ConnectOptions, namespace: Option<&str>) -> (Vec<Check>, Option<String>) {
    let connection = match cluster::connect(options).await {
        Ok(connection) => connection,
        Err(error) => {
            let failed = Check::failed("cluster", error.to_string()).hint_if(error.hint());
            return (vec![failed, Check::skipped("rights", "there is no cluster to ask")], None);
        }
    };
    let client = &connection.client;
    let began = Instant::now();
    let answered = client.get("/version", JSON).await.is_ok();
    let millis = began.elapsed().as_millis();
    let version = client.version().await.ok().map(str::to_owned);
    let mut checks = vec![reached(&connection, version.as_deref(), answered.then_some(millis))];
    checks.push(who(&connection, Time::now()));
    checks.push(rights::check(client, namespace, &connection.namespace).await);
    (checks, version)
}

fn reached(connection: &Connection, version: Option<&str>, millis: Option<u128>) -> Check {
    let version = version.unwrap_or("a version that we may not see");
    let context = if connection.context.is_empty() { "no context" } else { connection.context.as_str() };
    let took = millis.map(|millis| format!(", {millis} ms")).unwrap_or_default();
    let said = format!("{version} at {}, context {context}{took}", connection.server);
    if millis.is_some_and(|millis| millis > SLOW) {
        return Check::warning("cluster", said).hint("the server answers slowly: a diagnosis asks it some fifty times");
    }
    Check::ok("cluster", said)
}

/// How we log in.
fn who(connection: &Connection, now: Time) -> Check {
    let client = &connection.client;
    let by = match client.plugin() {
        Some(plugin) => format!("credential plugin `{plugin}`"),
        None if client.certificate_ends().is_some() => "client certificate".to_owned(),
        None => "token, or what the kubeconfig says".to_owned(),
    };
    let Some(ends) = client.certificate_ends() else { return Check::ok("login", by) };
    let days = (ends.as_second() - now.as_second()) / 86_400;
    let said = format!("{by}; the certificate ends {}", crate::output::stamp(ends));
    if days < SOON {
        return Check::warning("login", format!("{said}, in {days} days")).hint("renew it before it ends");
    }
    Check::ok("login", said)
}
