//! Manifests in the document, and the lines that apply them.

use std::collections::BTreeMap;

use super::{File, Group, MOST, Tree};
use crate::model::runbook::Manifest;
use crate::near::nearest;
use crate::runbook::parse::is_file_name;
use crate::runbook::problem::{Gravity, Problem, Rule};
use crate::runbook::yaml::{self, Node, Value};

pub(super) const GROUP: Group = Group { rules: &[&MANIFEST_INVALID, &MANIFEST_MISSING, &MANIFEST_UNUSED], check };

const MANIFEST_INVALID: Rule = Rule {
    id: "manifest-invalid",
    severity: Gravity::Error,
    summary: "a manifest is no YAML of an object",
    doc: "A manifest is a ```` ```yaml {\"name\":\"FILE.yaml\"} ```` block whose documents have `apiVersion`, `kind` and \
          `metadata.name`. What is given as `--patch-file` may be any mapping or list.",
};

const MANIFEST_MISSING: Rule = Rule {
    id: "manifest-missing",
    severity: Gravity::Error,
    summary: "a command names a manifest that is not in the document",
    doc: "`kubectl apply -f FILE.yaml` takes the block ```` ```yaml {\"name\":\"FILE.yaml\"} ```` of the same document and no \
          file of anybody's disk: a reviewer reads what will be applied.",
};

const MANIFEST_UNUSED: Rule = Rule {
    id: "manifest-unused",
    severity: Gravity::Warning,
    summary: "no command names a manifest",
    doc: "A `yaml` block with a name is there to be applied. One that only shows something needs no name.",
};

fn check(_: &Tree<'_>, file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.runbook.derived {
        return;
    }
    let fences = file.parsed.outline.fences.iter().filter(|fence| fence.is_yaml());
    for (fence, name) in fences.filter_map(|fence| Some((fence, fence.attribute("name")?))) {
        if !is_file_name(name) {
            let message = format!("`{name}` is no name of a manifest");
            problems
                .push(file.problem(&MANIFEST_INVALID, fence.line, message).hint("call it `FILE.yaml`, without a path"));
        }
    }
    let manifests: BTreeMap<&str, &Manifest> =
        file.runbook.manifests.iter().map(|manifest| (manifest.name.as_str(), manifest)).collect();
    // The names that commands give, and whether each is a whole object somewhere.
    let mut named: BTreeMap<&str, bool> = BTreeMap::new();
    let before = problems.len();
    for (line, change) in file.changes() {
        for name in change.manifests() {
            if !manifests.contains_key(name) && problems.len() - before < MOST {
                let hint = nearest(name, manifests.keys().copied()).map_or_else(
                    || format!("write the manifest into the document, as a block `yaml {{\"name\":\"{name}\"}}`"),
                    |near| format!("did you mean `{near}`?"),
                );
                problems.push(
                    file.problem(&MANIFEST_MISSING, line.at.line, format!("there is no manifest `{name}` here"))
                        .hint(hint),
                );
            }
            let whole = change.values("filename").any(|given| given == name);
            *named.entry(name).or_default() |= whole;
        }
    }
    for manifest in &file.runbook.manifests {
        // A line that is refused says nothing of what it would apply.
        let refused = file.commands.iter().any(|line| line.command.is_err() && line.at.text.contains(&manifest.name));
        let whole = named.get(manifest.name.as_str());
        if whole.is_none() && !refused {
            let message = format!("no command names `{}`", manifest.name);
            problems
                .push(file.problem(&MANIFEST_UNUSED, manifest.line, message).hint("apply it, or take its name away"));
        }
        content(file, manifest, whole.copied().unwrap_or(true), problems);
    }
}

fn content(file: &File<'_>, manifest: &Manifest, whole: bool, problems: &mut Vec<Problem>) {
    let mut say = |line: usize, message: String| {
        problems.push(file.problem(&MANIFEST_INVALID, manifest.line + line, format!("`{}` {message}", manifest.name)));
    };
    let documents = match yaml::read_all(&manifest.text) {
        Ok(documents) => documents,
        Err(fault) => return say(fault.line, format!("is no YAML: {}", fault.message)),
    };
    if documents.is_empty() {
        return say(0, "is empty".to_owned());
    }
    for document in documents.iter().filter(|_| whole) {
        let text = |node: Option<&Node>| node.and_then(Node::text).is_some_and(|text| !text.is_empty());
        let metadata = document.get("metadata");
        let named = text(metadata.and_then(|metadata| metadata.get("name")))
            || document.get("kind").and_then(Node::text) == Some("List");
        for (there, key) in [
            (text(document.get("apiVersion")), "apiVersion"),
            (text(document.get("kind")), "kind"),
            (named, "metadata.name"),
        ] {
            if !there {
                say(document.line, format!("has no `{key}`"));
            }
        }
        duplicates(document, &mut say);
    }
}

/// A key that stands twice: a reviewer reads one, the cluster takes the other.
fn duplicates(node: &Node, say: &mut impl FnMut(usize, String)) {
    match &node.value {
        Value::Map(entries) => {
            let mut seen = std::collections::BTreeSet::new();
            for (key, value) in entries {
                if !seen.insert(&key.name) {
                    say(key.line, format!("has `{}` twice", key.name));
                }
                duplicates(value, say);
            }
        }
        Value::List(items) => items.iter().for_each(|item| duplicates(item, say)),
        Value::Scalar { .. } => {}
    }
}
