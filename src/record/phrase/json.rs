//! JSON with placeholders.
//!
//! *Invariant:* what is the same in every incident stays as it is; a value that would end its string is none for a placeholder.

use serde_json::Value;

use super::Part;

/// JSON with placeholders: scalars become values that a person chose, except for what names a container and what is
/// the same in every incident (`true`, `null`, and keys).
pub(in crate::record) fn json(value: &Value, parts: &mut Vec<Part>) {
    write(value, "", parts);
}

/// The same for the value of a field of this name.
pub(in crate::record) fn json_at(value: &Value, key: &str, parts: &mut Vec<Part>) {
    write(value, key, parts);
}

fn write(value: &Value, key: &str, parts: &mut Vec<Part>) {
    let text = |text: &str, parts: &mut Vec<Part>| match parts.last_mut() {
        Some(Part::Text(last)) => last.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    };
    match value {
        Value::Object(fields) => {
            // The name first, as people write it.
            let named = fields.iter().filter(|(name, _)| *name == "name");
            let others = fields.iter().filter(|(name, _)| *name != "name");
            for (index, (name, field)) in named.chain(others).enumerate() {
                let begin = if index == 0 { "{" } else { "," };
                if names_of_people(key) && !name.contains("kubernetes.io/") && fits(name) {
                    text(&format!("{begin}\""), parts);
                    parts.push(Part::Chosen {
                        name: if matches!(key, "data" | "stringData") { "KEY" } else { "LABEL_KEY" },
                        value: name.clone(),
                    });
                    text("\":", parts);
                } else {
                    text(&format!("{begin}{}:", Value::from(name.as_str())), parts);
                }
                // What a list's items are told apart by.
                let inner = if name == "name" { format!("{key}.name") } else { name.clone() };
                write(field, &inner, parts);
            }
            text(if fields.is_empty() { "{}" } else { "}" }, parts);
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                text(if index == 0 { "[" } else { "," }, parts);
                // The first word of a command is the program.
                let key = if key == "command" && index > 0 { "args" } else { key };
                write(item, key, parts);
            }
            text(if items.is_empty() { "[]" } else { "]" }, parts);
        }
        Value::String(word) if open(key, word) => {
            text("\"", parts);
            parts.push(match key {
                "containers.name" | "initContainers.name" => Part::Container(word.clone()),
                _ => Part::Chosen { name: parameter(key), value: word.clone() },
            });
            parts.push(Part::Text("\"".to_owned()));
        }
        Value::Number(number) if open(key, "") => {
            parts.push(Part::Chosen { name: parameter(key), value: number.to_string() });
        }
        other => text(&other.to_string(), parts),
    }
}

/// Whether the keys of a map are names that people gave.
fn names_of_people(key: &str) -> bool {
    matches!(key, "nodeSelector" | "labels" | "annotations" | "matchLabels" | "selector" | "data" | "stringData")
}

/// Whether a placeholder can hold it: it does not end its string.
pub(in crate::record) fn fits(word: &str) -> bool {
    !word.contains(['"', '\'', '`', '\\', '{', '}', '[', ']', '$', '\n']) && word.len() <= 200
}

/// Whether another incident would have another value here.
fn open(key: &str, word: &str) -> bool {
    // A value that a placeholder can't hold stays as it is.
    fits(word)
        && !matches!(
            key,
            "op" | "type" | "protocol" | "scheme" | "path" | "from" | "$patch" | "$retainKeys" | "whenUnsatisfiable"
        )
        && !word.starts_with('-')
        && (key != "value" || !word.is_empty())
}

/// The parameter for a field: `targetPort` is `TARGET_PORT`.
fn parameter(key: &str) -> &'static str {
    match key {
        "image" => "IMAGE",
        "memory" => "MEMORY",
        "cpu" => "CPU",
        "storage" => "SIZE",
        "targetPort" => "TARGET_PORT",
        "containerPort" => "CONTAINER_PORT",
        "port" | "number" => "PORT",
        "replicas" => "REPLICAS",
        "minReplicas" => "MIN_REPLICAS",
        "maxReplicas" => "MAX_REPLICAS",
        "mountPath" => "MOUNT_PATH",
        "subPath" => "SUB_PATH",
        "claimName" => "PVC",
        "serviceAccountName" => "ACCOUNT",
        "storageClassName" => "CLASS",
        "ingressClassName" => "INGRESS_CLASS",
        "priorityClassName" => "PRIORITY_CLASS",
        "runtimeClassName" => "RUNTIME_CLASS",
        "schedule" => "SCHEDULE",
        "volumes.name" | "volumeMounts.name" => "VOLUME",
        "env.name" => "VARIABLE",
        "ports.name" => "PORT_NAME",
        "service.name" => "SERVICE_NAME",
        "configMap.name" | "configMapRef.name" | "configMapKeyRef.name" => "CONFIGMAP_NAME",
        "secretName" | "secretRef.name" | "secretKeyRef.name" => "SECRET_NAME",
        "key" => "KEY",
        "effect" => "EFFECT",
        "host" | "hostname" => "HOST",
        "namespace" => "OTHER_NAMESPACE",
        "initialDelaySeconds"
        | "periodSeconds"
        | "timeoutSeconds"
        | "activeDeadlineSeconds"
        | "progressDeadlineSeconds" => "SECONDS",
        "failureThreshold" => "FAILURES",
        "command" => "PROGRAM",
        "args" => "ARGUMENT",
        key => match key.split_once('.') {
            Some((_, "name")) => "NAME",
            _ => "VALUE",
        },
    }
}
