//! Reads what decides a finding and was not in the snapshot: log tails, key names, a value.
//!
//! *Invariant:* bounded in number, bytes and time; what was asked for first is read first, and
//! what is left out is a gap.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde::Deserialize;

use super::error::ReadError;
use super::list::encode;
use super::read::{JSON, Patience, ReadClient};
use super::{Progress, gaps};
use crate::model::kinds::Pod;
use crate::model::snapshot::ConfigValue;
use crate::model::{LogTail, Map, ObjectRef, SecretKeys, Snapshot, Want};
use crate::redact::Redactor;

/// How much is read at the most.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Things to read.
    pub requests: usize,
    /// Bytes of all of them.
    pub bytes: usize,
    /// Lines of one log.
    pub log_lines: u32,
    /// Bytes of one log.
    pub log_bytes: usize,
    /// Time for all of them: the logs of a dead node's pods never come.
    pub time: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { requests: 200, bytes: 8 << 20, log_lines: 500, log_bytes: 64 << 10, time: Duration::from_secs(15) }
    }
}

/// Requests under way at once.
const IN_FLIGHT: usize = 10;
/// The most that one thing may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Keys of a ConfigMap whose values are read.
const CONFIG_KEYS: usize = 50;
/// Bytes of a value that are kept.
const CONFIG_BYTES: usize = 4 << 10;
/// Bytes of a value that are looked at: redaction must see more than is kept, lest the cut hide
/// from it what it looks for.
const CONFIG_BYTES_READ: usize = 64 << 10;

/// Reads what is wanted, the most important first, into the snapshot.
pub async fn fetch(
    client: &ReadClient,
    wants: &[Want],
    bounds: &Bounds,
    redactor: &Redactor,
    snapshot: &mut Snapshot,
    progress: &(dyn Fn(Progress) + Sync),
) {
    let mut asked: Vec<&Want> = Vec::new();
    for want in wants {
        if !is_known(snapshot, want) && !asked.contains(&want) {
            asked.push(want);
        }
    }
    let total = asked.len().min(bounds.requests);
    let redactor = Arc::new(redactor.clone());
    let reading = |want: &Want| {
        let (client, redactor, bounds, want) = (client.clone(), redactor.clone(), bounds.clone(), want.clone());
        async move { read(&client, &want, &bounds, redactor).await }
    };
    let mut answers = futures::stream::iter(asked.iter().take(total).map(|want| reading(want))).buffered(IN_FLIGHT);
    let end = tokio::time::Instant::now() + bounds.time;
    let (mut done, mut bytes, mut failures, mut why) =
        (0, 0, Vec::new(), format!("more than {} things to read", bounds.requests));
    while done < total {
        let Ok(answer) = tokio::time::timeout_at(end, answers.next()).await else {
            why = format!("not read within {}", super::error::seconds(bounds.time));
            break;
        };
        let Some(answer) = answer else { break };
        match answer {
            Ok((read, size)) => {
                bytes += size;
                if bytes > bounds.bytes {
                    why = format!("more than {} MiB to read", bounds.bytes >> 20);
                    break;
                }
                keep(snapshot, read);
            }
            Err(reason) => failures.extend(reason.map(|reason| (asked[done], redactor.text(&reason).into_owned()))),
        }
        done += 1;
        progress(Progress::Fetched { done, total });
    }
    failures.extend(asked.iter().skip(done).map(|want| (*want, why.clone())));
    note(snapshot, failures);
    snapshot.logs.sort_by(|a, b| (&a.pod, &a.container, a.previous).cmp(&(&b.pod, &b.container, b.previous)));
    snapshot.secret_keys.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    snapshot.config_values.sort_by(|a, b| (&a.namespace, &a.name, &a.key).cmp(&(&b.namespace, &b.name, &b.key)));
}

/// What one thing came to.
enum Read {
    Log(LogTail),
    Keys(SecretKeys),
    Values(Vec<ConfigValue>),
    /// There is nothing: the container has not started, or has no run before this one.
    Nothing,
}

/// Whether a snapshot has what is wanted already.
pub fn is_known(snapshot: &Snapshot, want: &Want) -> bool {
    match want {
        Want::Log { pod, container, previous } => snapshot.log(pod, container, *previous).is_some(),
        Want::SecretKeys { namespace, name } => snapshot.keys_of(namespace, name).is_some(),
        Want::ConfigValues { namespace, name } => {
            snapshot.config_values.iter().any(|value| value.namespace == *namespace && value.name == *name)
        }
    }
}

fn keep(snapshot: &mut Snapshot, read: Read) {
    match read {
        Read::Log(log) => snapshot.logs.push(log),
        Read::Keys(keys) => snapshot.secret_keys.push(keys),
        Read::Values(mut values) => snapshot.config_values.append(&mut values),
        Read::Nothing => {}
    }
}

fn note(snapshot: &mut Snapshot, mut failures: Vec<(&Want, String)>) {
    // The log of a pod that is well is read for good measure.
    let well = |pod: &ObjectRef| {
        let own = |other: &&Pod| other.metadata.name == *pod.name && other.metadata.namespace == pod.ns();
        snapshot.objects.pods.iter().find(own).is_some_and(Pod::ready)
    };
    failures.retain(|(want, _)| !matches!(want, Want::Log { pod, .. } if well(pod)));
    let (logs, others): (Vec<_>, Vec<_>) = failures.into_iter().partition(|(want, _)| matches!(want, Want::Log { .. }));
    let named =
        |failures: Vec<(&Want, String)>| failures.into_iter().map(|(want, reason)| (name(want), reason)).collect();
    let mut gaps = std::mem::take(&mut snapshot.gaps);
    gaps.extend(gaps::fold("logs", named(logs)));
    gaps.extend(gaps::fold("Secrets and ConfigMaps", named(others)));
    snapshot.gaps = gaps::tidy(gaps);
}

/// What a gap calls it.
fn name(want: &Want) -> String {
    match want {
        Want::Log { pod, container, previous } => {
            let run = if *previous { "previous log" } else { "log" };
            format!("{run} of {}/{} ({container})", pod.ns(), pod.name)
        }
        Want::SecretKeys { namespace, name } => format!("keys of Secret {namespace}/{name}"),
        Want::ConfigValues { namespace, name } => format!("values of ConfigMap {namespace}/{name}"),
    }
}

/// Reads one thing. The error is the reason for a gap, or nothing where there is none.
async fn read(
    client: &ReadClient,
    want: &Want,
    bounds: &Bounds,
    redactor: Arc<Redactor>,
) -> Result<(Read, usize), Option<String>> {
    match want {
        Want::Log { pod, container, previous } => {
            let body = match log(client, pod.ns(), &pod.name, container, *previous, bounds).await {
                Ok(body) => body,
                Err(ReadError::Status { code: 400 | 404, .. }) => return Ok((Read::Nothing, 0)),
                Err(error) => return Err(Some(error.to_string())),
            };
            let size = body.len();
            let lines = move || {
                let text = String::from_utf8_lossy(&body);
                let mut lines = redactor.log_lines();
                text.lines().map(|line| lines.line(line)).collect::<Vec<_>>()
            };
            // Redaction is work, and the other answers must not wait for it.
            let lines = tokio::task::spawn_blocking(lines).await.map_err(|error| Some(error.to_string()))?;
            let tail = LogTail { pod: pod.clone(), container: container.clone(), previous: *previous, lines };
            Ok((Read::Log(tail), size))
        }
        Want::SecretKeys { namespace, name } => {
            let keys = client.secret_keys(namespace, name).await.map_err(|error| Some(error.to_string()))?;
            let size = keys.keys.iter().map(|key| key.name.len()).sum();
            Ok((Read::Keys(keys), size))
        }
        Want::ConfigValues { namespace, name } => {
            let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
            let body =
                client.ask(&path, JSON, Patience::Once(PATIENCE)).await.map_err(|error| Some(error.to_string()))?;
            let values = move || values(&body, &redactor);
            let values = tokio::task::spawn_blocking(values).await.map_err(|error| Some(error.to_string()))?;
            let values = values.map_err(|error| Some(format!("the answer could not be understood: {error}")))?;
            let size = values.iter().map(|value| value.value.len()).sum();
            Ok((Read::Values(values), size))
        }
    }
}

/// The end of a log.
async fn log(
    client: &ReadClient,
    namespace: &str,
    pod: &str,
    container: &str,
    previous: bool,
    bounds: &Bounds,
) -> Result<Vec<u8>, ReadError> {
    let previous = if previous { "&previous=true" } else { "" };
    let container = encode(container);
    let limit = bounds.log_bytes;
    let mut lines = bounds.log_lines;
    loop {
        let path = format!(
            "/api/v1/namespaces/{namespace}/pods/{pod}/log?container={container}&tailLines={lines}&limitBytes={limit}{previous}"
        );
        let body = client.ask(&path, JSON, Patience::Once(PATIENCE)).await?;
        // `limitBytes` cuts the end off, and the end is what we are here for: so fewer lines.
        if body.len() < limit || lines <= 1 {
            return Ok(body);
        }
        lines /= 4;
        lines = lines.max(1);
    }
}

/// The values of a ConfigMap, redacted.
fn values(json: &[u8], redactor: &Redactor) -> serde_json::Result<Vec<ConfigValue>> {
    #[derive(Deserialize)]
    struct Body {
        metadata: Name,
        #[serde(default)]
        data: Option<Map>,
    }
    #[derive(Deserialize)]
    struct Name {
        name: String,
        namespace: String,
    }
    let Body { metadata: Name { name, namespace }, data } = serde_json::from_slice(json)?;
    let value = |(key, value): (&String, &String)| {
        let redacted = redactor.text(cut(value, CONFIG_BYTES_READ));
        let value = cut(&redacted, CONFIG_BYTES).to_owned();
        ConfigValue { namespace: namespace.clone(), name: name.clone(), key: key.clone(), value }
    };
    Ok(data.unwrap_or_default().iter().take(CONFIG_KEYS).map(value).collect())
}

/// The first bytes of a text, whole characters.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}
