//! `kubectl events`, and the events that belong to an object.
//!
//! *Invariant:* the newest stands last; equal events of an object are one line that says how often they came.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::ServeError;
use super::source::{Type, Which, built_in, find};
use super::table::{Column, Row, Style, Table};
use super::value::{age, at, int, name, namespace, text, time};
use super::{Answer, Server, get, yaml};
use crate::kubectl::Line;
use crate::model::Time;
use crate::printable::one_line;

/// Events that are read.
const MOST: usize = 5_000;

/// What a snapshot leaves out.
const LEFT_OUT: &str =
    "a snapshot leaves out the events that say that all is well (Pulled, Created, Started, Scheduled, …)";

pub(super) fn of_events() -> Type {
    find("events", built_in()).unwrap_or_default()
}

pub(super) async fn events(server: &Server, line: &Line) -> Result<Answer, ServeError> {
    let mut which = server.which(line);
    if let Some((kind, name)) = line.flag("for").and_then(|object| object.split_once('/')) {
        let of = server.source.type_of(kind).await?;
        which.fields = Some(about(&of, name));
        if !of.namespaced {
            // Events of cluster-scoped objects are kept in `default`.
            which.namespace = None;
        }
    }
    let types: Vec<String> =
        line.values("types").flat_map(|types| types.split(',')).map(str::to_ascii_lowercase).collect();
    let of = of_events();
    let mut listing = server.source.list(&of, &which, MOST).await?;
    listing.items.retain(|event| types.is_empty() || types.contains(&text(event, "type").to_ascii_lowercase()));
    let mut answer = match line.flag("output") {
        Some(form @ ("json" | "yaml")) => {
            listing.items.sort_by_key(last);
            let list = json!({ "apiVersion": "v1", "kind": "List", "items": listing.items });
            match form {
                "json" => Answer::of(serde_json::to_string_pretty(&list).unwrap_or_default() + "\n"),
                _ => Answer::of(yaml::document(&list)),
            }
        }
        Some("name") => {
            Answer::of(listing.items.iter().map(|event| ["event/", name(event), "\n"].concat()).collect::<String>())
        }
        Some(other) => return Err(ServeError::unsupported(format!("`-o {other}`"), "use json, yaml or name")),
        None if listing.items.is_empty() => Answer::of(match &which.namespace {
            Some(namespace) => format!("No events found in {namespace} namespace.\n"),
            None => "No events found.\n".to_owned(),
        }),
        None => {
            let table = tabled(&listing.items, server.source.now());
            let style =
                Style { namespaces: line.all_namespaces(), no_headers: line.has("no-headers"), ..Style::default() };
            Answer::of(table.render(&style)).headed(!line.has("no-headers"))
        }
    };
    answer.prose = true;
    answer.notes.extend(listing.more.map(|left| get::cut(listing.items.len(), left, &of)));
    if matches!(server.source, super::Source::Saved(_)) {
        answer.notes.push(LEFT_OUT.to_owned());
    }
    Ok(answer)
}

/// The table that `kubectl get events` shows too.
pub(super) async fn table(server: &Server, which: &Which) -> Result<Table, ServeError> {
    let listing = server.source.list(&of_events(), which, MOST).await?;
    let mut table = tabled(&listing.items, server.source.now());
    table.more = listing.more;
    Ok(table)
}

/// The selector of an object's events.
pub(super) fn about(of: &Type, name: &str) -> String {
    format!("involvedObject.kind={},involvedObject.name={name}", of.kind)
}

/// The events of an object as a table, indented; nothing where there are none.
pub(super) async fn beside(server: &Server, of: &Type, object: &Value) -> Result<Option<String>, ServeError> {
    let mut which = Which::within(Some(namespace(object)).filter(|namespace| !namespace.is_empty()));
    which.fields = Some(about(of, name(object)));
    let listing = server.source.list(&of_events(), &which, MOST).await?;
    // A pod of the same name may have been there before.
    let uid = text(object, "metadata.uid");
    let own = |event: &&Value| {
        let about = text(event, "involvedObject.uid");
        uid.is_empty() || about.is_empty() || about == uid || of.is("", "nodes")
    };
    let own: Vec<Value> = listing.items.iter().filter(own).cloned().collect();
    if own.is_empty() {
        return Ok(None);
    }
    let mut table = tabled(&own, server.source.now());
    // Of itself it need not say which object it is.
    table.columns.remove(OBJECT);
    table.rows.iter_mut().for_each(|row| drop(row.cells.remove(OBJECT)));
    Ok(Some(table.render(&Style::default())))
}

/// Where the column OBJECT stands.
const OBJECT: usize = 3;

/// When an event last came.
fn last(event: &Value) -> Option<Time> {
    let times =
        ["series.lastObservedTime", "lastTimestamp", "eventTime", "firstTimestamp", "metadata.creationTimestamp"];
    times.iter().find_map(|path| time(event, path))
}

fn first(event: &Value) -> Option<Time> {
    ["firstTimestamp", "eventTime"].iter().find_map(|path| time(event, path)).or_else(|| last(event))
}

fn times(event: &Value) -> i64 {
    let series = int(event, "series.count");
    (if series > 0 { series } else { int(event, "count") }).max(1)
}

/// Equal events of an object.
struct Group<'e> {
    newest: &'e Value,
    first: Option<Time>,
    last: Option<Time>,
    times: i64,
}

fn tabled(events: &[Value], now: Time) -> Table {
    let mut groups: BTreeMap<(&str, &str, &str, &str, &str, String), Group<'_>> = BTreeMap::new();
    for event in events {
        let about = at(event, "involvedObject");
        let key = (
            text(about, "namespace"),
            text(about, "kind"),
            text(about, "name"),
            text(event, "type"),
            text(event, "reason"),
            super::logs::pattern(text(event, "message")),
        );
        let (first, last) = (first(event), last(event));
        let group = groups.entry(key).or_insert(Group { newest: event, first, last, times: 0 });
        group.times += times(event);
        group.first = group.first.min(first).or(first);
        if last >= group.last {
            (group.newest, group.last) = (event, last);
        }
    }
    let mut groups: Vec<Group<'_>> = groups.into_values().collect();
    groups.sort_by_key(|group| group.last);
    let column = |name: &str| Column { name: name.to_owned(), wide: false };
    Table {
        columns: ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"].map(column).to_vec(),
        rows: groups.iter().map(|group| row(group, now)).collect(),
        more: None,
    }
}

fn row(group: &Group<'_>, now: Time) -> Row {
    let event = group.newest;
    let seen = age(now, group.last);
    let seen = if group.times > 1 { format!("{seen} (x{} over {})", group.times, age(now, group.first)) } else { seen };
    let object = format!("{}/{}", text(event, "involvedObject.kind"), text(event, "involvedObject.name"));
    let message = one_line(text(event, "message").trim()).into_owned();
    let cells = vec![seen, text(event, "type").to_owned(), text(event, "reason").to_owned(), object, message];
    Row { cells, object: event.clone() }
}
