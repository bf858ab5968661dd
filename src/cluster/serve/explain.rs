//! `kubectl explain`: what the server's own schema says of a type and its fields.
//!
//! *Invariant:* a schema is looked at one level at a time; one that refers to itself ends.

use serde_json::Value;

use super::error::ServeError;
use super::source::{Source, Type};
use super::value::{at, items, near, shown, text};
use super::{Answer, Server};
use crate::cluster::read::JSON;
use crate::kubectl::Line;

pub(super) async fn explain(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    let Source::Live(live) = &server.source else {
        return Err(ServeError::missing("the schema of the API"));
    };
    Server::refuse(line, &[("recursive", "name the field: `kubectl explain pod.spec.containers`")])?;
    let path = line.positional().first().map_or("", String::as_str);
    let (of, fields) = split(server, path).await?;
    let mut of = of;
    if let Some(version) = line.flag("api-version") {
        version.rsplit('/').next().unwrap_or_default().clone_into(&mut of.version);
    }
    let root = if of.group.is_empty() { "api" } else { "apis" };
    let document = live.ask(&format!("/openapi/v3/{root}/{}", of.api_version()), JSON).await;
    let document = document.map_err(|error| ServeError::read(&error, &server.redactor))?;
    let schema = schema_of(&document, &of).ok_or_else(|| ServeError::Server {
        message: format!("the server has no schema of {}", of.plural_argument()),
    })?;
    let mut schema = schema;
    let mut name = "";
    for field in &fields {
        let known = at(inner(&document, schema), "properties");
        let Some(next) = known.get(field) else {
            let names = known.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
            return Err(ServeError::NotFound {
                what: format!("field \"{field}\" of {path}"),
                place: None,
                near: near(field, names),
            });
        };
        name = field;
        schema = resolved(&document, next);
    }
    let mut out = String::new();
    if !of.group.is_empty() {
        out.push_str(&format!("GROUP: {}\n", of.group));
    }
    out.push_str(&format!("KIND: {}\nVERSION: {}\n", of.kind, of.version));
    if !name.is_empty() {
        out.push_str(&format!("FIELD: {name} <{}>\n", kind(&document, schema)));
    }
    out.push_str(&format!("DESCRIPTION: {}\n", text(schema, "description").trim()));
    let values = items(schema, "enum").iter().map(shown).collect::<Vec<_>>().join(", ");
    if !values.is_empty() {
        out.push_str(&format!("ENUM: {values}\n"));
    }
    let inner = inner(&document, schema);
    let required: Vec<&str> = items(inner, "required").iter().filter_map(Value::as_str).collect();
    let properties = at(inner, "properties").as_object();
    if properties.is_some() {
        out.push_str("FIELDS:\n");
    }
    for (name, field) in properties.into_iter().flatten() {
        let must = if required.contains(&name.as_str()) { " -required-" } else { "" };
        let whole = resolved(&document, field);
        let said =
            Some(text(field, "description")).filter(|text| !text.is_empty()).unwrap_or(text(whole, "description"));
        let first = said.split(". ").next().unwrap_or_default().replace('\n', " ");
        out.push_str(&format!("  {name} <{}>{must}: {first}\n", kind(&document, whole)));
    }
    Ok(Answer { prose: true, ..Answer::of(out) })
}

/// The type, and the fields below it: a group has dots too.
async fn split(server: &Server, path: &str) -> Result<(Type, Vec<String>), ServeError> {
    let words: Vec<&str> = path.split('.').collect();
    let first = words.first().copied().unwrap_or_default();
    // `deployments.apps.spec`: the longest beginning that is a type counts; `pod.spec` begins with one word.
    for taken in (2..=words.len()).rev() {
        let word = words.get(..taken).unwrap_or_default().join(".");
        if let Ok(of) = server.source.type_of(&word).await
            && !of.group.is_empty()
            && word.contains(&of.group)
        {
            return Ok((of, words.iter().skip(taken).map(|&word| word.to_owned()).collect()));
        }
    }
    let of = server.source.type_of(first).await?;
    Ok((of, words.iter().skip(1).map(|&word| word.to_owned()).collect()))
}

fn schema_of<'d>(document: &'d Value, of: &Type) -> Option<&'d Value> {
    let schemas = document.pointer("/components/schemas")?.as_object()?;
    schemas.values().find(|schema| {
        items(schema, "x-kubernetes-group-version-kind").iter().any(|gvk| {
            text(gvk, "kind") == of.kind && text(gvk, "group") == of.group && text(gvk, "version") == of.version
        })
    })
}

/// The schema that a reference means; the items of a list.
fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let mut schema = schema;
    for _ in 0..8 {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let reference = reference.or_else(|| items(schema, "allOf").iter().find_map(|part| part.get("$ref")?.as_str()));
        match reference.and_then(|reference| document.pointer(reference.trim_start_matches('#'))) {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

/// The schema whose fields are shown: of a list that of its items.
fn inner<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let below = schema.get("items").or_else(|| schema.get("additionalProperties").filter(|below| below.is_object()));
    below.map_or(schema, |below| resolved(document, below))
}

fn kind(document: &Value, schema: &Value) -> String {
    match text(schema, "type") {
        "array" => format!("[]{}", kind(document, resolved(document, at(schema, "items")))),
        "object" if at(schema, "additionalProperties").is_object() => {
            format!("map[string]{}", kind(document, resolved(document, at(schema, "additionalProperties"))))
        }
        "" | "object" => "Object".to_owned(),
        other => other.to_owned(),
    }
}
