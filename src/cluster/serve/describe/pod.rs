//! What a pod is asked for and what became of it, container by container.

use serde_json::Value;

use super::shortened;
use crate::cluster::serve::pod::status;
use crate::cluster::serve::value::{age, at, entry, int, items, on, or_none, pairs, shown, text, time};
use crate::model::Time;

pub(super) fn body(pod: &Value, now: Time, out: &mut String) {
    let mut say = |what: &str, value: String| {
        if !value.is_empty() && value != "<none>" {
            out.push_str(&format!("{what}: {value}\n"));
        }
    };
    say("Status", status(pod));
    for (what, path) in [("Reason", "status.reason"), ("Message", "status.message"), ("Node", "spec.nodeName")] {
        say(what, shortened(text(pod, path)));
    }
    let start = time(pod, "status.startTime");
    say("Start Time", start.map(|start| format!("{start} ({} ago)", age(now, Some(start)))).unwrap_or_default());
    let settings = [
        ("IP", "status.podIP"),
        ("QoS Class", "status.qosClass"),
        ("Service Account", "spec.serviceAccountName"),
        ("Restart Policy", "spec.restartPolicy"),
        ("Priority Class", "spec.priorityClassName"),
        ("Runtime Class", "spec.runtimeClassName"),
        ("Nominated Node", "status.nominatedNodeName"),
    ];
    for (what, path) in settings {
        say(what, text(pod, path).to_owned());
    }
    say("Node Selector", pairs(at(pod, "spec.nodeSelector")));
    if on(pod, "spec.hostNetwork") {
        say("Host Network", "true".to_owned());
    }
    let tolerations = items(pod, "spec.tolerations").iter().map(toleration).filter(|text| !text.is_empty());
    say("Tolerations", tolerations.collect::<Vec<_>>().join(", "));
    if let Some(affinity) = at(pod, "spec").get("affinity").filter(|it| it.as_object().is_some_and(|it| !it.is_empty()))
    {
        say("Affinity", shortened(&affinity.to_string()));
    }
    for (title, spec, state) in [
        ("Init Containers", "spec.initContainers", "status.initContainerStatuses"),
        ("Containers", "spec.containers", "status.containerStatuses"),
        ("Ephemeral Containers", "spec.ephemeralContainers", "status.ephemeralContainerStatuses"),
    ] {
        let containers = items(pod, spec);
        if !containers.is_empty() {
            out.push_str(&format!("{title}:\n"));
        }
        for container in containers {
            let mut states = items(pod, state).iter();
            let state = states.find(|status| text(status, "name") == text(container, "name"));
            self::container(container, state, now, out);
        }
    }
    volumes(pod, out);
}

/// A toleration that the API server did not add to each pod by itself.
fn toleration(toleration: &Value) -> String {
    let key = text(toleration, "key");
    if matches!(key, "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable") {
        return String::new();
    }
    let value = text(toleration, "value");
    let value = if value.is_empty() { String::new() } else { format!("={value}") };
    format!("{key}{value}:{}", text(toleration, "effect"))
}

fn container(container: &Value, state: Option<&Value>, now: Time, out: &mut String) {
    out.push_str(&format!("  {}:\n", text(container, "name")));
    let mut say = |what: &str, value: &str| {
        if !value.is_empty() && value != "<none>" {
            out.push_str(&format!("    {what}: {value}\n"));
        }
    };
    say("Image", text(container, "image"));
    if let Some(state) = state {
        let running = text(state, "image");
        if !running.is_empty() && running != text(container, "image") {
            say("Image that runs", running);
        }
        say("State", &self::state(at(state, "state"), now));
        say("Last State", &self::state(at(state, "lastState"), now));
        say("Ready", if on(state, "ready") { "true" } else { "false" });
        say("Restart Count", &int(state, "restartCount").to_string());
    }
    let list = |path| items(container, path).iter().map(shown).collect::<Vec<_>>().join(" ");
    say("Command", &shortened(&list("command")));
    say("Args", &shortened(&list("args")));
    say("Working Dir", text(container, "workingDir"));
    let port = |port: &Value| {
        let protocol = Some(text(port, "protocol")).filter(|word| !word.is_empty()).unwrap_or("TCP");
        let name = text(port, "name");
        let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
        format!("{}/{protocol}{name}", int(port, "containerPort"))
    };
    say("Ports", &items(container, "ports").iter().map(port).collect::<Vec<_>>().join(", "));
    say("Requests", &pairs(at(container, "resources.requests")));
    say("Limits", &pairs(at(container, "resources.limits")));
    for (what, path) in [("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")] {
        say(what, &probe(at(container, path)));
    }
    for (what, path) in [("Post Start", "lifecycle.postStart"), ("Pre Stop", "lifecycle.preStop")] {
        say(what, &action(at(container, path)));
    }
    let security = at(container, "securityContext");
    if security.as_object().is_some_and(|fields| !fields.is_empty()) {
        say("Security Context", &shortened(&security.to_string()));
    }
    let sources = items(container, "envFrom");
    if !sources.is_empty() {
        out.push_str("    Environment From:\n");
    }
    for source in sources {
        let (kind, from) = match source.get("secretRef") {
            Some(secret) => ("secret", secret),
            None => ("configmap", at(source, "configMapRef")),
        };
        let prefix = text(source, "prefix");
        let prefix = if prefix.is_empty() { String::new() } else { format!(" with the prefix {prefix}") };
        out.push_str(&format!("      {kind}/{}{prefix}{}\n", text(from, "name"), optional(from)));
    }
    let variables = items(container, "env");
    if !variables.is_empty() {
        out.push_str("    Environment:\n");
    }
    for variable in variables {
        out.push_str(&format!("      {}\n", self::variable(variable)));
    }
    let mounts = items(container, "volumeMounts");
    if !mounts.is_empty() {
        out.push_str("    Mounts:\n");
    }
    for mount in mounts {
        let part = match text(mount, "subPath") {
            "" => String::new(),
            part => format!(" (path {part})"),
        };
        let mode = if on(mount, "readOnly") { " read-only" } else { "" };
        out.push_str(&format!("      {} from {}{part}{mode}\n", text(mount, "mountPath"), text(mount, "name")));
    }
}

/// `terminated OOMKilled, exit code 137, from … to …`
fn state(state: &Value, now: Time) -> String {
    if let Some(waiting) = state.get("waiting") {
        return joined(&["waiting", text(waiting, "reason")], text(waiting, "message"));
    }
    if let Some(running) = state.get("running") {
        let since = time(running, "startedAt");
        return format!("running since {} ({})", or_none(text(running, "startedAt")), age(now, since));
    }
    let Some(ended) = state.get("terminated") else { return String::new() };
    let mut what = vec!["terminated".to_owned(), text(ended, "reason").to_owned()];
    what.push(format!("exit code {}", int(ended, "exitCode")));
    if int(ended, "signal") != 0 {
        what.push(format!("signal {}", int(ended, "signal")));
    }
    if let (Some(start), Some(end)) = (time(ended, "startedAt"), time(ended, "finishedAt")) {
        what.push(format!("from {start} to {end} ({} ago)", age(now, Some(end))));
    }
    let what: Vec<&str> = what.iter().map(String::as_str).collect();
    joined(&what, text(ended, "message"))
}

fn joined(words: &[&str], message: &str) -> String {
    let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
    let message = if message.is_empty() { String::new() } else { format!(" — {}", shortened(message.trim())) };
    words.join(", ") + &message
}

fn action(action: &Value) -> String {
    if let Some(get) = action.get("httpGet") {
        let scheme = Some(text(get, "scheme")).filter(|word| !word.is_empty()).unwrap_or("HTTP").to_ascii_lowercase();
        return format!("http-get {scheme}://{}:{}{}", text(get, "host"), shown(at(get, "port")), text(get, "path"));
    }
    if let Some(exec) = action.get("exec") {
        return format!("exec {}", shortened(&items(exec, "command").iter().map(shown).collect::<Vec<_>>().join(" ")));
    }
    if let Some(socket) = action.get("tcpSocket") {
        return format!("tcp-socket {}:{}", text(socket, "host"), shown(at(socket, "port")));
    }
    if let Some(grpc) = action.get("grpc") {
        return format!("grpc :{} {}", int(grpc, "port"), text(grpc, "service")).trim_end().to_owned();
    }
    action.get("sleep").map(|sleep| format!("sleep {}s", int(sleep, "seconds"))).unwrap_or_default()
}

fn probe(probe: &Value) -> String {
    let what = action(probe);
    if what.is_empty() {
        return what;
    }
    let number = |path: &str, otherwise: i64| at(probe, path).as_i64().unwrap_or(otherwise);
    format!(
        "{what} delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds", 0),
        number("timeoutSeconds", 1),
        number("periodSeconds", 10),
        number("successThreshold", 1),
        number("failureThreshold", 3),
    )
}

fn optional(reference: &Value) -> &'static str {
    if on(reference, "optional") { " (optional)" } else { "" }
}

fn variable(variable: &Value) -> String {
    let name = text(variable, "name");
    let from = at(variable, "valueFrom");
    for (kind, path) in [("secret", "secretKeyRef"), ("configmap", "configMapKeyRef")] {
        if let Some(reference) = from.get(path) {
            let key = text(reference, "key");
            return format!("{name} from key {key} of {kind}/{}{}", text(reference, "name"), optional(reference));
        }
    }
    if let Some(field) = from.get("fieldRef") {
        return format!("{name} from field {}", text(field, "fieldPath"));
    }
    if let Some(resource) = from.get("resourceFieldRef") {
        return format!("{name} from resource {}", text(resource, "resource"));
    }
    format!("{name}={}", shortened(text(variable, "value")))
}

fn volumes(pod: &Value, out: &mut String) {
    let volumes = items(pod, "spec.volumes");
    if !volumes.is_empty() {
        out.push_str("Volumes:\n");
    }
    for volume in volumes {
        let source = volume.as_object().into_iter().flatten().find(|(key, _)| *key != "name");
        let what = match source {
            Some((kind, source)) if kind == "configMap" => {
                format!("configmap/{}{}", text(source, "name"), optional(source))
            }
            Some((kind, source)) if kind == "secret" => {
                format!("secret/{}{}", text(source, "secretName"), optional(source))
            }
            Some((kind, source)) if kind == "persistentVolumeClaim" => {
                format!("persistentvolumeclaim/{}", text(source, "claimName"))
            }
            Some((kind, source)) => format!("{kind} {}", shortened(&source.to_string())),
            None => "emptyDir".to_owned(),
        };
        out.push_str(&format!("  {} = {what}\n", text(volume, "name")));
    }
    let gates = items(pod, "spec.readinessGates").iter().map(|gate| text(gate, "conditionType")).collect::<Vec<_>>();
    if !gates.is_empty() {
        out.push_str(&format!("Readiness Gates: {}\n", gates.join(", ")));
    }
    let default = entry(pod, "metadata.annotations", "kubectl.kubernetes.io/default-container");
    if !default.is_empty() {
        out.push_str(&format!("Default Container: {default}\n"));
    }
}
