//! `kubectl get`: tables, and objects in the forms that kubectl knows.
//!
//! *Invariant:* what was asked for and could not be read is said, also where other types could.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::error::ServeError;
use super::jsonpath::{self, Template};
use super::source::{Listing, Type, Which, said};
use super::table::{Style, Table, aligned};
use super::value::{NONE, count, name};
use super::{Answer, Server, events, yaml};
use crate::kubectl::{Line, Target};
use crate::model::Quantity;

/// Objects that are read in full.
const MOST_OBJECTS: usize = 500;

/// Bytes of objects that are written out in full; a model sees a small part of it.
const MOST_BYTES: usize = 8 << 20;

/// What `get all` means.
const ALL: &[&str] = &[
    "pods",
    "services",
    "daemonsets",
    "deployments",
    "replicasets",
    "statefulsets",
    "horizontalpodautoscalers",
    "jobs",
    "cronjobs",
];

const NOT_SERVED: &[(&str, &str)] = &[
    ("template", "use `-o jsonpath='{…}'`"),
    ("subresource", "`-o yaml` shows spec and status"),
    ("show-managed-fields", "leave it out: managed fields are not kept"),
];

/// What is asked for of one type.
struct Asked {
    of: Type,
    name: Option<String>,
}

pub(super) async fn get(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    Server::refuse(line, NOT_SERVED)?;
    let output = line.flag("output").unwrap_or_default();
    let (form, argument) = output.split_once('=').unwrap_or((output, ""));
    if matches!(form, "go-template" | "template" | "kyaml" | "jsonpath-as-json") {
        let instead = "use `-o jsonpath='{…}'`, `-o custom-columns=…`, `-o yaml` or `-o json`";
        return Err(ServeError::unsupported(format!("`-o {form}`"), instead));
    }
    let targets = targets(line);
    let several =
        targets.iter().map(|target| target.kind.as_str()).collect::<std::collections::BTreeSet<_>>().len() > 1;
    let mut asked = Vec::new();
    let mut failures = Vec::new();
    for target in &targets {
        match server.source.type_of(&target.kind).await {
            Ok(of) => asked.push(Asked { of, name: target.name.clone() }),
            Err(error) if targets.len() > 1 => failures.push((said(target), error)),
            Err(error) => return Err(error),
        }
    }
    if line.all_namespaces() && asked.iter().any(|asked| asked.name.is_some() && asked.of.namespaced) {
        let reason = "an object of a namespace can't be named across all namespaces: give -n, or leave the name out";
        return Err(ServeError::bad("the line", reason));
    }
    let answer = match form {
        "" | "wide" => tables(server, line, &asked, several, &mut failures).await,
        _ => objects(server, line, &asked, (form, argument), &mut failures).await,
    }?;
    with_failures(answer, failures)
}

fn targets(line: &Line) -> Vec<Target> {
    let targets = line.targets();
    let mut all = Vec::new();
    for target in targets {
        if target.kind == "all" && target.name.is_none() {
            all.extend(ALL.iter().map(|kind| Target { kind: (*kind).to_owned(), name: None }));
        } else {
            all.push(target);
        }
    }
    all
}

/// The answer with what could not be had; the error alone where there is no answer.
fn with_failures(answer: Option<Answer>, failures: Vec<(String, ServeError)>) -> Result<Answer, ServeError> {
    let Some(mut answer) = answer else {
        let first = failures.into_iter().next().map(|(_, error)| error);
        return first.map_or_else(|| Ok(Answer::default()), Err);
    };
    for (_, error) in failures {
        answer.text.push_str(&format!("error: {error}\n"));
        if let Some(hint) = error.hint() {
            answer.text.push_str(&format!("hint: {hint}\n"));
        }
    }
    Ok(answer)
}

type Failures = Vec<(String, ServeError)>;

async fn tables(
    server: &Server,
    line: &Line,
    asked: &[Asked],
    several: bool,
    failures: &mut Failures,
) -> Result<Option<Answer>, ServeError> {
    let which = server.which(line);
    let mut parts: Vec<String> = Vec::new();
    let mut answer = Answer::default();
    let mut any = false;
    let mut merged: Vec<(Type, Table)> = Vec::new();
    for asked in asked {
        match table_of(server, line, asked, &which).await {
            Ok(Some(table)) => match merged.last_mut().filter(|(of, _)| *of == asked.of) {
                Some((_, last)) => last.append(table),
                None => merged.push((asked.of.clone(), table)),
            },
            Ok(None) => any = true,
            Err(error) => failures.push((asked.of.plural.clone(), error)),
        }
    }
    for (of, mut table) in merged {
        any = true;
        if table.rows.is_empty() {
            continue;
        }
        let rows = table.rows.len();
        if line.flag("sort-by").is_none()
            && let Some(unhealthy) = table.unhealthy_first()
        {
            let note = format!("{} of {} {} look unhealthy and come first", count(unhealthy), count(rows), of.plural);
            answer.notes.push(note);
        }
        answer.notes.extend(table.more.map(|left| cut(rows, left, &of)));
        parts.push(table.render(&style(line, &of, several)));
    }
    if parts.is_empty() {
        // Nothing was read well, or nothing is there.
        if !any {
            return Ok(None);
        }
        if !line.has("ignore-not-found") && failures.is_empty() {
            let types: Vec<Type> = asked.iter().map(|asked| asked.of.clone()).collect();
            answer.text = Server::nothing(&types, which.namespace.as_deref());
        }
        return Ok(Some(answer));
    }
    let headed = parts.len() == 1 && !line.has("no-headers");
    answer.text = parts.join("\n");
    Ok(Some(answer.headed(headed)))
}

async fn table_of(server: &Server, line: &Line, asked: &Asked, which: &Which) -> Result<Option<Table>, ServeError> {
    if asked.of.is("", "events") && asked.name.is_none() && line.flag("sort-by").is_none() {
        return events::table(server, which).await.map(Some);
    }
    let sort = line.flag("sort-by").map(jsonpath::path).transpose()?;
    let name = asked.name.as_deref();
    let table = match server.source.table(&asked.of, which, name, sort.is_some()).await {
        Err(ServeError::NotFound { .. }) if line.has("ignore-not-found") => return Ok(None),
        table => table?,
    };
    let mut table = table;
    if let Some(path) = sort {
        table.rows.sort_by_cached_key(|row| SortKey(jsonpath::joined(&path, &row.object)));
    }
    Ok(Some(table))
}

fn style(line: &Line, of: &Type, several: bool) -> Style {
    let labels = line.values("label-columns").flat_map(|labels| labels.split(','));
    let all = line.flag("show-kind") != Some("false") && (several || line.has("show-kind"));
    Style {
        wide: line.flag("output") == Some("wide"),
        no_headers: line.has("no-headers"),
        namespaces: line.all_namespaces() && of.namespaced,
        labels: line.has("show-labels"),
        label_columns: labels.filter(|label| !label.is_empty()).map(str::to_owned).collect(),
        prefix: all.then(|| of.argument()),
    }
}

/// What is said of a list that was not read to its end.
pub(super) fn cut(shown: usize, left: usize, of: &Type) -> String {
    let total = if left == 0 { "more".to_owned() } else { count(shown + left) };
    format!("showing {} of {total} {}; narrow with -n, -l or --field-selector", count(shown), of.plural)
}

/// Keys in the order of `--sort-by`: numbers and quantities by size, all else as text; what has none comes first.
#[derive(PartialEq)]
struct SortKey(Option<String>);

impl Eq for SortKey {}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &SortKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &SortKey) -> Ordering {
        let quantity = |key: &SortKey| key.0.as_deref().and_then(Quantity::parse);
        match (quantity(self), quantity(other)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // One order for all: what is no quantity comes after what is one.
            (Some(_), None) if other.0.is_some() => Ordering::Less,
            (None, Some(_)) if self.0.is_some() => Ordering::Greater,
            _ => self.0.cmp(&other.0),
        }
    }
}

async fn objects(
    server: &Server,
    line: &Line,
    asked: &[Asked],
    (form, argument): (&str, &str),
    failures: &mut Failures,
) -> Result<Option<Answer>, ServeError> {
    let which = server.which(line);
    let mut found: Vec<(Type, Value)> = Vec::new();
    let mut answer = Answer::default();
    let mut any = false;
    for asked in asked {
        let listing = match &asked.name {
            Some(name) => server
                .source
                .object(&asked.of, which.namespace.as_deref().unwrap_or_default(), name)
                .await
                .map(|object| Listing { items: vec![object], more: None }),
            None => server.source.list(&asked.of, &which, MOST_OBJECTS).await,
        };
        match listing {
            Ok(listing) => {
                any = true;
                answer.notes.extend(listing.more.map(|left| cut(listing.items.len(), left, &asked.of)));
                found.extend(listing.items.into_iter().map(|item| (asked.of.clone(), item)));
            }
            Err(ServeError::NotFound { .. }) if line.has("ignore-not-found") => any = true,
            Err(error) => failures.push((asked.of.plural.clone(), error)),
        }
    }
    if !any {
        return Ok(None);
    }
    if let Some(path) = line.flag("sort-by").map(jsonpath::path).transpose()? {
        found.sort_by_cached_key(|(_, object)| SortKey(jsonpath::joined(&path, object)));
    }
    let single = asked.len() == 1 && asked.iter().all(|asked| asked.name.is_some());
    if single && found.is_empty() {
        return Ok(Some(answer));
    }
    if matches!(form, "yaml" | "json") {
        answer.notes.extend(shortened(&mut found));
    }
    answer.text = match form {
        "name" => found.iter().map(|(of, object)| [of.argument().as_str(), "/", name(object), "\n"].concat()).collect(),
        "custom-columns" => {
            answer.head = !line.has("no-headers");
            custom_columns(argument, &found, answer.head)?
        }
        "yaml" if single => yaml::document(&whole(single, found)),
        "yaml" => listed(&found).await,
        "json" => serde_json::to_string_pretty(&whole(single, found)).unwrap_or_default() + "\n",
        "jsonpath" => Template::parse(argument)?.render(&whole(single, found))?,
        other => {
            return Err(ServeError::unsupported(format!("`-o {other}`"), "use yaml, json, name, wide or jsonpath"));
        }
    };
    Ok(Some(answer))
}

/// Leaves out the objects that are too much to write out, the first one aside; says so.
fn shortened(found: &mut Vec<(Type, Value)>) -> Option<String> {
    let (all, mut bytes) = (found.len(), 0);
    let fit = found.iter().take_while(|(_, object)| {
        bytes += size(object);
        bytes <= MOST_BYTES
    });
    let fit = fit.count().max(1);
    found.truncate(fit);
    let note = "narrow with -n, -l or a name, or pick fields with -o jsonpath";
    (fit < all).then(|| format!("showing {} of {} objects, as all are too large; {note}", count(fit), count(all)))
}

/// About the bytes of a value once it is written.
fn size(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + 4 + size(value)).sum(),
        Value::Array(list) => list.iter().map(|value| 4 + size(value)).sum(),
        Value::String(text) => text.len(),
        _ => 4,
    }
}

/// A list as YAML, object by object: in between others get their turn, so that a run can be interrupted.
async fn listed(found: &[(Type, Value)]) -> String {
    let list = yaml::document(&whole(false, Vec::new()));
    let Some((head, foot)) = list.split_once("items: []\n").filter(|_| !found.is_empty()) else { return list };
    let mut text = format!("{head}items:\n");
    for (_, object) in found {
        text.push_str(&yaml::document(&Value::Array(vec![object.clone()])));
        tokio::task::yield_now().await;
    }
    text + foot
}

/// The one object, or the list of all.
fn whole(single: bool, found: Vec<(Type, Value)>) -> Value {
    let mut items: Vec<Value> = found.into_iter().map(|(_, object)| object).collect();
    match items.pop() {
        Some(object) if single => object,
        last => {
            items.extend(last);
            json!({ "apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items })
        }
    }
}

fn custom_columns(argument: &str, found: &[(Type, Value)], head: bool) -> Result<String, ServeError> {
    let mut columns = Vec::new();
    for column in split_columns(argument) {
        let (name, path) = column
            .split_once(':')
            .filter(|(name, path)| !name.is_empty() && !path.is_empty())
            .ok_or_else(|| ServeError::bad(format!("the column `{column}`"), "a column is written `NAME:.path`"))?;
        columns.push((name.to_owned(), jsonpath::path(path)?));
    }
    let mut lines: Vec<Vec<String>> = Vec::new();
    if head {
        lines.push(columns.iter().map(|(name, _)| name.clone()).collect());
    }
    for (_, object) in found {
        let cell = |path| jsonpath::joined(path, object).unwrap_or_else(|| NONE.to_owned());
        lines.push(columns.iter().map(|(_, path)| cell(path)).collect());
    }
    Ok(aligned(&lines))
}

/// Columns apart: commas in brackets are part of a path.
fn split_columns(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let split = text.split(|letter| {
        match letter {
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    });
    split.filter(|column| !column.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(many: usize, bytes: usize) -> Vec<(Type, Value)> {
        let object = |n: usize| json!({"kind": "ConfigMap", "metadata": {"name": n}, "data": {"a": "x".repeat(bytes)}});
        (0..many).map(|n| (Type::default(), object(n))).collect()
    }

    #[tokio::test]
    async fn a_list_is_written_object_by_object_as_it_is_at_once() {
        for many in 0..3 {
            let found = objects(many, 9);
            assert_eq!(listed(&found).await, yaml::document(&whole(false, found)), "{many}");
        }
    }

    #[test]
    fn many_large_objects_are_not_all_written_out() {
        let mut found = objects(120, 1 << 20);
        let note = shortened(&mut found).unwrap();
        assert!(found.len() == 7 && note.starts_with("showing 7 of 120 objects, "), "{note}");
        let mut found = objects(1, MOST_BYTES + 1);
        assert_eq!((shortened(&mut found), found.len()), (None, 1), "one is always shown");
        assert_eq!(shortened(&mut objects(500, 1_000)), None);
    }
}
