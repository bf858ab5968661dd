//! An object as YAML, in the form that `kubectl get -o yaml` has.
//!
//! *Invariant:* what is printed is read back as the same value: text that would be read as something else is quoted.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// The document of a value.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => mapping(value, 0, false, &mut text),
        Value::Array(list) if !list.is_empty() => sequence(list, 0, &mut text),
        scalar => {
            text.push_str(&inline(scalar));
            text.push('\n');
        }
    }
    text
}

fn pad(depth: usize, text: &mut String) {
    (0..depth).for_each(|_| text.push_str("  "));
}

/// The fields of an object; the first one continues a line where `begun`.
fn mapping(value: &Value, depth: usize, begun: bool, text: &mut String) {
    for (index, (key, value)) in value.as_object().into_iter().flatten().enumerate() {
        if index > 0 || !begun {
            pad(depth, text);
        }
        text.push_str(&quoted(key));
        text.push(':');
        field(value, depth, text);
    }
}

fn field(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            text.push('\n');
            mapping(value, depth + 1, false, text);
        }
        Value::Array(list) if !list.is_empty() => {
            text.push('\n');
            sequence(list, depth, text);
        }
        Value::String(lines) if is_block(lines) => {
            text.push_str(if lines.ends_with('\n') { " |\n" } else { " |-\n" });
            for line in lines.trim_end_matches('\n').split('\n') {
                if !line.is_empty() {
                    pad(depth + 1, text);
                    text.push_str(line);
                }
                text.push('\n');
            }
        }
        scalar => {
            text.push(' ');
            text.push_str(&inline(scalar));
            text.push('\n');
        }
    }
}

fn sequence(list: &[Value], depth: usize, text: &mut String) {
    for item in list {
        pad(depth, text);
        text.push('-');
        match item {
            Value::Object(fields) if !fields.is_empty() => {
                text.push(' ');
                mapping(item, depth + 1, true, text);
            }
            Value::Array(inner) if !inner.is_empty() => {
                text.push('\n');
                sequence(inner, depth + 1, text);
            }
            other => field(other, depth, text),
        }
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

/// Whether text can stand as lines of its own.
fn is_block(text: &str) -> bool {
    let plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    text.trim_end_matches('\n').contains('\n')
        && text.chars().all(plain)
        && !text.starts_with([' ', '\n', '\t'])
        && !text.ends_with("\n\n")
        && !text.lines().any(|line| line.trim().is_empty() && !line.is_empty())
}

/// Text as a scalar.
fn quoted(text: &str) -> String {
    static PLAIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^[A-Za-z_./<(][A-Za-z0-9_ ./=()<>~@+%^$;-]*(:[A-Za-z0-9_./=<>~@+%-][A-Za-z0-9_ ./=()<>~@+%-]*)*$")
            .ok()
    });
    static OTHER: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)^(y|n|yes|no|on|off|true|false|null|nan|\.inf|\.nan|\.?[0-9].*)$").ok());
    let is = |regex: &LazyLock<Option<Regex>>| regex.as_ref().is_some_and(|regex| regex.is_match(text));
    if is(&PLAIN) && !is(&OTHER) && !text.ends_with(' ') {
        return text.to_owned();
    }
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_looks_as_kubectl_prints_it_and_reads_back() {
        let value = json!({
            "apiVersion": "v1", "data": {"a.yaml": "x: 1\ny:\n  - 2\n", "cut": "a\nb", "empty": ""},
            "list": [{"name": "web", "ports": [{"containerPort": 80}]}, "text", [1, 2], {}],
            "odd": ["yes", "1.0", "a: b", "# no", "", " x", "tab\there", "null", "x #y", "-", "2026-01-01T00:00:00Z", "é"],
            "image": "127.0.0.1:5000/shop/web:1.0", "none": null, "no": {}, "on": true, "n": 1.5
        });
        let text = document(&value);
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, value, "{text}");
        assert!(text.contains("list:\n- name: web\n  ports:\n  - containerPort: 80\n- text\n"), "{text}");
        assert!(text.contains("  a.yaml: |\n    x: 1\n"), "{text}");
    }
}
