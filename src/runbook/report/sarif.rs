//! SARIF 2.1.0, as GitHub's code scanning and others read it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Report;
use crate::runbook::lint;
use crate::runbook::problem::{Problem, Rule};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn render(report: &Report) -> Value {
    let broken: BTreeSet<&str> = report.problems.iter().map(|problem| problem.rule).collect();
    let rules: Vec<&Rule> = lint::rules().into_iter().filter(|rule| broken.contains(rule.id)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "kubectl-react",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "informationUri": env!("CARGO_PKG_REPOSITORY"),
                    "rules": rules.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
                }
            },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                "SRCROOT": { "description": { "text": "The root of the repository." } }
            },
            "results": report.problems.iter().map(|problem| result(problem, &rules)).collect::<Vec<_>>(),
        }]
    })
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": format!("{}.", rule.summary) },
        "fullDescription": { "text": rule.doc },
        "help": { "text": rule.doc, "markdown": rule.doc },
        "defaultConfiguration": { "level": rule.severity.word() },
    })
}

fn result(problem: &Problem, rules: &[&Rule]) -> Value {
    let text = match &problem.hint {
        Some(hint) => format!("{}; {hint}", problem.message),
        None => problem.message.clone(),
    };
    let mut region = json!({ "startLine": problem.line });
    if let (Some(column), Some(region)) = (problem.column, region.as_object_mut()) {
        region.insert("startColumn".to_owned(), column.into());
    }
    json!({
        "ruleId": problem.rule,
        "ruleIndex": rules.iter().position(|rule| rule.id == problem.rule),
        "level": problem.severity.word(),
        "message": { "text": text },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&problem.path), "uriBaseId": "SRCROOT" },
                "region": region,
            }
        }],
    })
}

/// A path as a relative reference.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}
