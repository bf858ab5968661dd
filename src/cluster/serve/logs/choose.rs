//! Whose log is meant: pods, and containers in them.
//!
//! *Invariant:* where a choice was made it is said, with what else there is.

use serde_json::Value;

use crate::cluster::serve::error::ServeError;
use crate::cluster::serve::pod::{is_ready, status};
use crate::cluster::serve::saved::{containers, selects};
use crate::cluster::serve::source::{Source, Which};
use crate::cluster::serve::value::{at, entry, int, items, name, namespace, selector, text, written};
use crate::cluster::serve::{Answer, Server};
use crate::kubectl::Line;

/// Pods of one selector.
const MOST_PODS: usize = 500;

/// One log.
pub(super) struct Stream {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) container: String,
    /// How often the container was restarted.
    pub(super) restarts: i64,
}

/// The logs that a line means.
pub(super) async fn streams(server: &Server, line: &Line, answer: &mut Answer) -> Result<Vec<Stream>, ServeError> {
    let pods = pods(server, line, answer).await?;
    let wanted = line.flag("container").or_else(|| line.positional().get(1).map(String::as_str));
    let single = pods.len() == 1;
    let mut streams = Vec::new();
    for pod in &pods {
        let all = containers(pod);
        let chosen: Vec<&str> = match wanted {
            Some(wanted) if all.contains(&wanted) => vec![wanted],
            Some(wanted) if single => {
                return Err(ServeError::NotFound {
                    what: format!("container \"{wanted}\" of pod {}", name(pod)),
                    place: Some(namespace(pod).to_owned()),
                    near: all.iter().map(|&name| name.to_owned()).collect(),
                });
            }
            Some(_) => continue,
            None if line.has("all-containers") => all,
            None => {
                let default = entry(pod, "metadata.annotations", "kubectl.kubernetes.io/default-container");
                let first = items(pod, "spec.containers").first().map_or("", |container| text(container, "name"));
                let chosen = if all.contains(&default) { default } else { first };
                if all.len() > 1 && single {
                    answer.notes.push(format!("container {chosen} out of {}; -c chooses another one", all.join(", ")));
                }
                vec![chosen]
            }
        };
        streams.extend(chosen.into_iter().map(|container| Stream {
            namespace: namespace(pod).to_owned(),
            pod: name(pod).to_owned(),
            container: container.to_owned(),
            restarts: restarts(pod, container),
        }));
    }
    Ok(streams)
}

fn restarts(pod: &Value, container: &str) -> i64 {
    let of = |path| items(pod, path).iter();
    let mut all = of("status.containerStatuses").chain(of("status.initContainerStatuses"));
    all.find(|status| text(status, "name") == container).map_or(0, |status| int(status, "restartCount"))
}

async fn pods(server: &Server, line: &Line, answer: &mut Answer) -> Result<Vec<Value>, ServeError> {
    let own = server.own_namespace(line).to_owned();
    let of_pods = server.source.type_of("pods").await?;
    if let Some(labels) = line.flag("selector") {
        let which = Which::labelled(Some(&own), labels.to_owned());
        let mut pods = server.source.list(&of_pods, &which, MOST_PODS).await?.items;
        if pods.is_empty() {
            return Ok(Vec::new());
        }
        worst_first(&mut pods);
        let most = line.flag("max-log-requests").and_then(|most| most.parse().ok()).unwrap_or(5_usize).clamp(1, 20);
        if pods.len() > most {
            let left: Vec<&str> = pods.iter().skip(most).take(5).map(name).collect();
            let note = format!("{most} of {} pods, those not ready first; left out: {} …", pods.len(), left.join(", "));
            answer.notes.push(note);
            pods.truncate(most);
        }
        return Ok(pods);
    }
    let targets = line.targets();
    let target = targets.first();
    let Some((kind, name)) = target.and_then(|target| Some((&target.kind, target.name.as_deref()?))) else {
        return Err(ServeError::bad("the line", "it names no pod: `kubectl logs POD` or `kubectl logs deploy/NAME`"));
    };
    let of = server.source.type_of(kind).await?;
    if of.is("", "pods") {
        return Ok(vec![server.source.object(&of, &own, name).await?]);
    }
    let owner = server.source.object(&of, &own, name).await?;
    let selector = match selector(&owner, "spec.selector") {
        Some(selector) => selector,
        None if of.is("batch", "jobs") => job_selector(&owner),
        None => return Err(ServeError::bad(format!("{kind}/{name}"), "it selects no pods; name a pod")),
    };
    let mut pods = match &server.source {
        Source::Live(_) => {
            let which = Which::labelled(Some(&own), written(&selector));
            server.source.list(&of_pods, &which, MOST_PODS).await?.items
        }
        Source::Saved(_) => server.source.list(&of_pods, &Which::within(Some(&own)), MOST_PODS).await?.items,
    };
    pods.retain(|pod| selects(&selector, pod));
    worst_first(&mut pods);
    if line.has("all-pods") {
        return Ok(pods);
    }
    let Some(first) = pods.first() else {
        return Err(ServeError::NotFound {
            what: format!("a pod of {kind}/{name}"),
            place: Some(own),
            near: Vec::new(),
        });
    };
    if pods.len() > 1 {
        let others = pods.iter().skip(1).take(5).map(|pod| format!("{} ({})", self::name(pod), status(pod)));
        let others = others.collect::<Vec<_>>().join(", ");
        let all = pods.len();
        answer.notes.push(format!("pod {} ({}), one of {all}; others: {others}", self::name(first), status(first)));
    } else {
        answer.notes.push(format!("pod {}", self::name(first)));
    }
    pods.truncate(1);
    Ok(pods)
}

/// A snapshot keeps no selector of a Job; its pods carry its name.
fn job_selector(job: &Value) -> crate::model::Selector {
    let mut labels = crate::model::Map::default();
    labels.insert("job-name".to_owned(), name(job).to_owned());
    crate::model::Selector { match_labels: labels, ..crate::model::Selector::default() }
}

/// Pods with something to tell first: those that run and are not ready, then those that are, then those that never ran.
fn worst_first(pods: &mut [Value]) {
    pods.sort_by_key(|pod| {
        let started = items(pod, "status.containerStatuses").iter().any(|status| {
            let state = at(status, "state");
            state.get("waiting").is_none() || int(status, "restartCount") > 0
        });
        match (started, is_ready(pod)) {
            (true, false) if text(pod, "status.phase") != "Succeeded" => 0,
            (true, _) => 1,
            _ => 2,
        }
    });
}
