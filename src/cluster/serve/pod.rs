//! What `kubectl get pods` says of a pod in a word.
//!
//! *Invariant:* the words are those of `printPod` in `k8s.io/kubernetes/pkg/printers/internalversion/printers.go`.

use serde_json::Value;

use super::value::{age, at, int, items, on, text, time};
use crate::model::Time;

/// The statuses of the containers that count: sidecars and containers.
fn counted(pod: &Value) -> impl Iterator<Item = &Value> {
    let sidecar = |status: &&Value| {
        let name = text(status, "name");
        items(pod, "spec.initContainers")
            .iter()
            .any(|c| text(c, "name") == name && text(c, "restartPolicy") == "Always")
    };
    items(pod, "status.initContainerStatuses").iter().filter(sidecar).chain(items(pod, "status.containerStatuses"))
}

/// `1/2`
pub(super) fn ready(pod: &Value) -> String {
    let sidecars = items(pod, "spec.initContainers").iter().filter(|c| text(c, "restartPolicy") == "Always").count();
    let all = items(pod, "spec.containers").len() + sidecars;
    let ready = counted(pod).filter(|status| on(status, "ready") && !at(status, "state.running").is_null()).count();
    format!("{ready}/{all}")
}

/// `3 (10s ago)`
pub(super) fn restarts(pod: &Value, now: Time) -> String {
    let initializing = init_reason(pod).is_some();
    let of: Vec<&Value> =
        if initializing { items(pod, "status.initContainerStatuses").iter().collect() } else { counted(pod).collect() };
    let total: i64 = of.iter().map(|status| int(status, "restartCount")).sum();
    let last = of.iter().filter_map(|status| time(status, "lastState.terminated.finishedAt")).max();
    match last.filter(|_| total > 0) {
        Some(last) => format!("{total} ({} ago)", age(now, Some(last))),
        None => total.to_string(),
    }
}

/// `Running`, `CrashLoopBackOff`, `Init:0/1`, …
pub(super) fn status(pod: &Value) -> String {
    let phase = text(pod, "status.phase");
    let mut reason = match text(pod, "status.reason") {
        "" => phase,
        reason => reason,
    }
    .to_owned();
    let gated = items(pod, "status.conditions")
        .iter()
        .any(|condition| text(condition, "type") == "PodScheduled" && text(condition, "reason") == "SchedulingGated");
    if gated {
        "SchedulingGated".clone_into(&mut reason);
    }
    if let Some(init) = init_reason(pod) {
        reason = init;
    } else {
        let mut running = false;
        for container in items(pod, "status.containerStatuses").iter().rev() {
            let waiting = text(container, "state.waiting.reason");
            let terminated = at(container, "state.terminated");
            if !waiting.is_empty() {
                waiting.clone_into(&mut reason);
            } else if !terminated.is_null() {
                reason = ended(terminated, "");
            } else if on(container, "ready") && !at(container, "state.running").is_null() {
                running = true;
            }
        }
        if reason == "Completed" && running {
            let word = if is_ready(pod) { "Running" } else { "NotReady" };
            word.clone_into(&mut reason);
        }
    }
    if !at(pod, "metadata.deletionTimestamp").is_null() {
        reason = match text(pod, "status.reason") {
            "NodeLost" => "Unknown".to_owned(),
            _ if matches!(phase, "Failed" | "Succeeded") => reason,
            _ => "Terminating".to_owned(),
        };
    }
    if reason.is_empty() { "Unknown".to_owned() } else { reason }
}

/// Whether the condition `Ready` holds.
pub(super) fn is_ready(pod: &Value) -> bool {
    let mut conditions = items(pod, "status.conditions").iter();
    conditions.any(|condition| text(condition, "type") == "Ready" && text(condition, "status") == "True")
}

fn ended(terminated: &Value, prefix: &str) -> String {
    match (text(terminated, "reason"), int(terminated, "signal")) {
        ("", 0) => format!("{prefix}ExitCode:{}", int(terminated, "exitCode")),
        ("", signal) => format!("{prefix}Signal:{signal}"),
        (reason, _) => format!("{prefix}{reason}"),
    }
}

/// What is said while init containers run.
fn init_reason(pod: &Value) -> Option<String> {
    let all = items(pod, "spec.initContainers");
    let spec = |name: &str| all.iter().find(|container| text(container, "name") == name);
    for (index, status) in items(pod, "status.initContainerStatuses").iter().enumerate() {
        let sidecar = spec(text(status, "name")).is_some_and(|c| text(c, "restartPolicy") == "Always");
        let terminated = at(status, "state.terminated");
        if !terminated.is_null() && int(terminated, "exitCode") == 0 || sidecar && on(status, "started") {
            continue;
        }
        let waiting = text(status, "state.waiting.reason");
        return Some(if !terminated.is_null() {
            ended(terminated, "Init:")
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{index}/{}", all.len())
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_words_are_kubectls() {
        let container = |state: Value, ready: bool| {
            json!({"spec": {"containers": [{"name": "a"}]}, "status": {"phase": "Running", "containerStatuses": [
                {"name": "a", "ready": ready, "restartCount": 2, "state": state}]}})
        };
        let mut deleted = container(json!({"running": {}}), true);
        deleted["metadata"] = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        let init = |state: Value| {
            json!({"spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}, {"name": "j"}]},
                "status": {"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": state}]}})
        };
        let table = [
            (container(json!({"running": {}}), true), "1/1", "Running"),
            (container(json!({"waiting": {"reason": "CrashLoopBackOff"}}), false), "0/1", "CrashLoopBackOff"),
            (container(json!({"terminated": {"exitCode": 3}}), false), "0/1", "ExitCode:3"),
            (deleted, "1/1", "Terminating"),
            (init(json!({"running": {}})), "0/1", "Init:0/2"),
            (init(json!({"waiting": {"reason": "ImagePullBackOff"}})), "0/1", "Init:ImagePullBackOff"),
            (init(json!({"terminated": {"exitCode": 1, "reason": "Error"}})), "0/1", "Init:Error"),
            (json!({"spec": {"containers": [{}]}, "status": {"phase": "Pending"}}), "0/1", "Pending"),
            (
                json!({"spec": {"containers": [{}]}, "status": {"phase": "Failed", "reason": "Evicted"}}),
                "0/1",
                "Evicted",
            ),
        ];
        for (pod, ready, status) in table {
            assert_eq!((super::ready(&pod).as_str(), super::status(&pod).as_str()), (ready, status), "{pod}");
        }
    }
}
