//! A table: columns, rows, and how they look as text.
//!
//! *Invariant:* a cell is one line. Rows that look unhealthy come first only where there are many, and the reader is
//! told so.

use serde_json::Value;

use super::value::{NONE, at, entry, namespace, pairs, shown};
use crate::printable::one_line;

/// More rows than this are brought into another order.
pub(super) const MANY: usize = 100;

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// Shown with `-o wide` only.
    pub(super) wide: bool,
}

/// A row, and the object that it shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) object: Value,
}

/// A table of objects of one type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
    /// Rows that were not read; none where all were, zero where nobody says how many.
    pub(super) more: Option<usize>,
}

/// How a table is to look.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    pub(super) wide: bool,
    pub(super) no_headers: bool,
    pub(super) namespaces: bool,
    pub(super) labels: bool,
    pub(super) label_columns: Vec<String>,
    /// Put before each name: `pod`.
    pub(super) prefix: Option<String>,
}

impl Table {
    /// A table as the API server sends it.
    pub(super) fn from_server(mut body: Value, mut mask: impl FnMut(&mut Value)) -> Table {
        let column = |column: &Value| Column {
            name: shown(at(column, "name")),
            wide: at(column, "priority").as_i64().unwrap_or_default() > 0,
        };
        let columns = at(&body, "columnDefinitions").as_array().into_iter().flatten().map(column).collect();
        let rows = match body.get_mut("rows").map(Value::take) {
            Some(Value::Array(rows)) => rows,
            _ => Vec::new(),
        };
        let row = |mut row: Value| {
            let mut object = row.get_mut("object").map(Value::take).unwrap_or_default();
            mask(&mut object);
            let cells = row.get("cells").and_then(Value::as_array);
            Row { cells: cells.into_iter().flatten().map(cell).collect(), object }
        };
        Table { columns, rows: rows.into_iter().map(row).collect(), more: None }
    }

    /// Adds the rows of another page.
    pub(super) fn append(&mut self, mut other: Table) {
        if self.columns.is_empty() {
            self.columns = other.columns;
        }
        self.rows.append(&mut other.rows);
    }

    /// Puts rows that look unhealthy first where there are many; tells how many those are.
    pub(super) fn unhealthy_first(&mut self) -> Option<usize> {
        if self.rows.len() <= MANY {
            return None;
        }
        let columns: Vec<String> = self.columns.iter().map(|column| column.name.to_ascii_uppercase()).collect();
        let well = |row: &Row| looks_well(&columns, &row.cells);
        let unhealthy = self.rows.iter().filter(|row| !well(row)).count();
        if unhealthy == 0 || unhealthy == self.rows.len() {
            return None;
        }
        self.rows.sort_by_key(well);
        Some(unhealthy)
    }

    /// As text, each column as wide as its widest cell.
    pub(super) fn render(&self, style: &Style) -> String {
        let shown: Vec<usize> =
            (0..self.columns.len()).filter(|&at| style.wide || self.columns.get(at).is_some_and(|c| !c.wide)).collect();
        let mut lines: Vec<Vec<String>> = Vec::new();
        if !style.no_headers {
            let mut head: Vec<String> = Vec::new();
            head.extend(style.namespaces.then(|| "NAMESPACE".to_owned()));
            head.extend(shown.iter().filter_map(|&at| self.columns.get(at)).map(|c| c.name.to_ascii_uppercase()));
            let last = |label: &String| label.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
            head.extend(style.label_columns.iter().map(last));
            head.extend(style.labels.then(|| "LABELS".to_owned()));
            lines.push(head);
        }
        let name_column = self.columns.iter().position(|column| column.name.eq_ignore_ascii_case("name"));
        for row in &self.rows {
            let mut line = Vec::new();
            line.extend(style.namespaces.then(|| namespace(&row.object).to_owned()));
            for &at in &shown {
                let cell = row.cells.get(at).map_or("", String::as_str);
                line.push(match &style.prefix {
                    Some(prefix) if Some(at) == name_column => format!("{prefix}/{cell}"),
                    _ => cell.to_owned(),
                });
            }
            let label = |label: &String| entry(&row.object, "metadata.labels", label).to_owned();
            line.extend(style.label_columns.iter().map(label));
            line.extend(style.labels.then(|| pairs(at(&row.object, "metadata.labels"))));
            lines.push(line);
        }
        aligned(&lines)
    }
}

/// A cell as the server sends it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => NONE.to_owned(),
        other => one_line(&shown(other)).into_owned(),
    }
}

/// Cells in columns, three blanks apart.
pub(super) fn aligned(lines: &[Vec<String>]) -> String {
    let width = |cell: &String| cell.chars().count();
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> =
        (0..columns).map(|at| lines.iter().filter_map(|line| line.get(at)).map(width).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for line in lines {
        let mut row = String::new();
        for (cell, width_of) in line.iter().zip(&widths) {
            row.push_str(cell);
            (width(cell)..width_of + 3).for_each(|_| row.push(' '));
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// Words under `STATUS` and the like that say that all is well.
const WELL: &[&str] = &[
    "Running",
    "Completed",
    "Ready",
    "Active",
    "Bound",
    "Available",
    "Succeeded",
    "Complete",
    "Healthy",
    "Synced",
    "True",
    "Normal",
    "Established",
    "Deployed",
    "<none>",
    "",
];

/// Whether a row says nothing that worries.
fn looks_well(columns: &[String], cells: &[String]) -> bool {
    let ended = |cell: &String| matches!(cell.as_str(), "Completed" | "Succeeded" | "Complete");
    let done = cells.iter().any(ended);
    columns.iter().zip(cells).all(|(column, cell)| match column.as_str() {
        "TYPE" => cell != "Warning",
        "STATUS" | "PHASE" | "HEALTH" | "HEALTH STATUS" | "STATE" | "AVAILABLE" | "SYNCED"
            if cell.parse::<i64>().is_err() =>
        {
            WELL.contains(&cell.as_str())
        }
        "READY" | "COMPLETIONS" if !done => match cell.split_once('/') {
            Some((ready, all)) => ready == all,
            None => cell != "False" && cell != "Unknown",
        },
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(rows: usize) -> Table {
        let row = |at: usize| {
            let (ready, status) = if at == 7 { ("0/1", "CrashLoopBackOff") } else { ("1/1", "Running") };
            json!({ "cells": [format!("web-{at}"), ready, status, "10.0.0.1"],
                "object": {"metadata": {"name": format!("web-{at}"), "namespace": "shop", "labels": {"app": "web"}}} })
        };
        let columns = json!([{"name": "Name"}, {"name": "Ready"}, {"name": "Status"}, {"name": "IP", "priority": 1}]);
        let rows: Vec<Value> = (0..rows).map(row).collect();
        Table::from_server(json!({ "columnDefinitions": columns, "rows": rows }), |_| {})
    }

    #[test]
    fn columns_are_as_wide_as_they_must() {
        let text =
            table(1).render(&Style { namespaces: true, label_columns: vec!["x/app".into()], ..Style::default() });
        assert_eq!(text, "NAMESPACE   NAME    READY   STATUS    APP\nshop        web-0   1/1     Running\n");
        let wide = table(1).render(&Style { wide: true, labels: true, no_headers: true, ..Style::default() });
        assert_eq!(wide, "web-0   1/1   Running   10.0.0.1   app=web\n");
    }

    #[test]
    fn in_large_tables_what_is_unhealthy_comes_first() {
        let mut small = table(100);
        assert_eq!(small.unhealthy_first(), None);
        assert_eq!(small, table(100));
        let mut large = table(101);
        assert_eq!(large.unhealthy_first(), Some(1));
        assert_eq!(large.rows[0].cells[0], "web-7");
        assert_eq!(large.rows[1].cells[0], "web-0", "the rest keeps its order");
    }

    #[test]
    fn what_ended_is_well() {
        let columns = ["READY".to_owned(), "STATUS".to_owned()];
        let table = [("0/1", "Completed", true), ("1/1", "Running", true), ("1/2", "Running", false)];
        for (ready, status, well) in table {
            assert_eq!(looks_well(&columns, &[ready.to_owned(), status.to_owned()]), well, "{ready} {status}");
        }
    }
}
