//! `kubectl describe`: our own projection of an object, and says so.
//!
//! What an object is, what is asked for and what is, without noise; what it names and whether that is there; what
//! belongs to it; its events. *Invariant:* of a Secret it shows key names and sizes.

mod belongs;
mod pod;
mod secret;

use serde_json::{Map, Value};

use super::error::ServeError;
use super::source::{Type, Which, said};
use super::value::{age, at, items, name, namespace, or_none, pairs, shown, text, time};
use super::{Answer, Server, columns, events, references, yaml};
use crate::kubectl::Line;

/// Objects that are described of one line.
const MOST: usize = 10;
/// Objects that are looked at for names.
const MOST_LISTED: usize = 500;

pub(super) async fn describe(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    let mut parts = Vec::new();
    let mut answer = Answer::default();
    let mut types = Vec::new();
    for target in line.targets() {
        let of = server.source.type_of(&target.kind).await?;
        let objects = if let Some(name) = &target.name {
            named(server, line, &of, name).await?
        } else {
            let mut which = server.which(line);
            which.fields = None;
            let listing = server.source.list(&of, &which, MOST_LISTED).await?;
            if listing.items.len() > MOST {
                let note = format!(
                    "described {MOST} of {} {}; name one: `kubectl describe {}`",
                    listing.items.len(),
                    of.plural,
                    said(&target)
                );
                answer.notes.push(note);
            }
            listing.items
        };
        for object in objects.iter().take(MOST) {
            parts.push(one(server, line, &of, object).await?);
        }
        types.push(of);
    }
    answer.text =
        if parts.is_empty() { Server::nothing(&types, server.namespace_of(line).as_deref()) } else { parts.join("\n") };
    Ok(answer)
}

/// The object of this name, or those whose names begin so, as kubectl takes it.
async fn named(server: &Server, line: &Line, of: &Type, wanted: &str) -> Result<Vec<Value>, ServeError> {
    let own = server.own_namespace(line);
    let error = match server.source.object(of, own, wanted).await {
        Ok(object) => return Ok(vec![object]),
        Err(error @ ServeError::NotFound { .. }) => error,
        Err(error) => return Err(error),
    };
    let Ok(listing) = server.source.list(of, &Which::within(Some(own)), MOST_LISTED).await else { return Err(error) };
    let begins: Vec<Value> = listing.items.into_iter().filter(|object| name(object).starts_with(wanted)).collect();
    if begins.is_empty() { Err(error) } else { Ok(begins) }
}

async fn one(server: &Server, line: &Line, of: &Type, object: &Value) -> Result<String, ServeError> {
    let now = server.source.now();
    let mut out = String::new();
    out.push_str(&format!("# {} as kubectl-react sees it (not kubectl's own describe)\n", titled(of, object)));
    head(object, &columns::age_of(object, now), &mut out);
    match of.plural.as_str() {
        "pods" if of.group.is_empty() => pod::body(object, now, &mut out),
        "secrets" if of.group.is_empty() => secret::body(server, object, &mut out).await,
        _ => body(object, &mut out),
    }
    conditions(object, now, &mut out);
    section("References", &references::said(server, object).await, &mut out);
    section("Belongs to it", &belongs::lines(server, of, object).await, &mut out);
    if line.flag("show-events") != Some("false") {
        match events::beside(server, of, object).await {
            Ok(Some(table)) => {
                out.push_str("Events:\n");
                table.lines().for_each(|line| out.push_str(&format!("  {line}\n")));
            }
            Ok(None) => out.push_str("Events: <none>\n"),
            Err(error) => out.push_str(&format!("Events: unknown ({error})\n")),
        }
    }
    Ok(out)
}

/// `Pod shop/web-1`.
fn titled(of: &Type, object: &Value) -> String {
    match namespace(object) {
        "" => format!("{} {}", of.kind, name(object)),
        place => format!("{} {place}/{}", of.kind, name(object)),
    }
}

fn head(object: &Value, age: &str, out: &mut String) {
    let metadata = at(object, "metadata");
    out.push_str(&format!("Created: {} ({age} ago)\n", or_none(text(metadata, "creationTimestamp"))));
    out.push_str(&format!("Labels: {}\n", pairs(at(metadata, "labels"))));
    if metadata.get("annotations").is_some() {
        out.push_str("Annotations:\n");
        let annotations = at(metadata, "annotations").as_object().into_iter().flatten();
        annotations.for_each(|(key, value)| out.push_str(&format!("  {key}: {}\n", shortened(&shown(value)))));
    }
    let controller =
        items(metadata, "ownerReferences").iter().map(|o| format!("{}/{}", text(o, "kind"), text(o, "name")));
    let owners = controller.collect::<Vec<_>>().join(", ");
    if !owners.is_empty() {
        out.push_str(&format!("Controlled By: {owners}\n"));
    }
    if let Some(deleted) = time(metadata, "deletionTimestamp") {
        let finalizers = items(metadata, "finalizers").iter().map(shown).collect::<Vec<_>>().join(", ");
        out.push_str(&format!("Deletion asked for: {deleted}; finalizers: {}\n", or_none(&finalizers)));
    }
}

/// Text of a length that a line can bear.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 300;
    let line = crate::printable::one_line(text);
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)", line.get(..end).unwrap_or_default(), line.len()),
        None => line.into_owned(),
    }
}

/// Everything but what has a section of its own.
fn body(object: &Value, out: &mut String) {
    const OWN: &[&str] = &["apiVersion", "kind", "metadata"];
    let mut fields: Map<String, Value> = object.as_object().cloned().unwrap_or_default();
    fields.retain(|key, value| !OWN.contains(&key.as_str()) && !value.is_null());
    if let Some(status) = fields.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("conditions");
        if status.is_empty() {
            fields.remove("status");
        }
    }
    let mut rest = Value::Object(fields);
    compact(&mut rest, 0);
    if rest.as_object().is_some_and(|fields| !fields.is_empty()) {
        out.push_str(&yaml::document(&rest));
    }
}

/// Drops what is empty or says nothing, and shortens long text and long lists.
fn compact(value: &mut Value, depth: usize) {
    /// Bytes of a text, and items of a list, that are shown.
    const LONGEST_TEXT: usize = 2_000;
    const LONGEST_LIST: usize = 30;
    /// Fields that are the same for nearly every object.
    const NOISE: &[&str] = &[
        "terminationMessagePath",
        "terminationMessagePolicy",
        "creationTimestamp",
        "schedulerName",
        "uid",
        "resourceVersion",
        "ipFamilies",
        "ipFamilyPolicy",
        "caBundle",
        "openAPIV3Schema",
    ];
    const DEFAULTS: &[(&str, &str)] = &[("dnsPolicy", "ClusterFirst"), ("schedulerName", "default-scheduler")];
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => {
            let kept: String = text.chars().take(LONGEST_TEXT).collect();
            *text = format!("{kept}… ({} bytes in all; -o yaml shows them)", text.len());
        }
        Value::Array(list) => {
            for item in list.iter_mut() {
                compact(item, depth + 1);
            }
            if list.len() > LONGEST_LIST {
                let left = list.len() - LONGEST_LIST;
                list.truncate(LONGEST_LIST);
                list.push(Value::String(format!("… and {left} more; -o yaml shows them")));
            }
        }
        Value::Object(fields) => {
            fields.retain(|key, value| {
                let default = DEFAULTS.iter().any(|(name, text)| name == key && value.as_str() == Some(text));
                !default && !NOISE.contains(&key.as_str())
            });
            fields.values_mut().for_each(|value| compact(value, depth + 1));
            fields.retain(|_, value| !matches!(value, Value::Object(fields) if fields.is_empty() && depth > 2));
        }
        _ => {}
    }
}

fn conditions(object: &Value, now: crate::model::Time, out: &mut String) {
    let conditions = items(object, "status.conditions");
    if conditions.is_empty() {
        return;
    }
    out.push_str("Conditions:\n");
    for condition in conditions {
        let mut line = format!("  {}={}", text(condition, "type"), text(condition, "status"));
        if let Some(since) = time(condition, "lastTransitionTime") {
            line.push_str(&format!(" for {}", age(now, Some(since))));
        }
        for part in ["reason", "message"] {
            let said = text(condition, part);
            if !said.is_empty() {
                line.push_str(if part == "reason" { ": " } else { " — " });
                line.push_str(&shortened(said));
            }
        }
        out.push_str(&line);
        out.push('\n');
    }
}

fn section(title: &str, lines: &[String], out: &mut String) {
    if !lines.is_empty() {
        out.push_str(&format!("{title}:\n"));
        for line in lines {
            out.push_str(&format!("  {line}\n"));
        }
    }
}
