//! JSONPath as kubectl has it: a template of text and of `{expressions}`.
//!
//! *Invariant:* what is not supported is refused with a hint, and never answered by something else; any depth and any
//! template end.

mod eval;
mod parse;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::error::ServeError;
use super::value::shown;
pub(super) use eval::values;
use parse::Node;
pub(super) use parse::Path;

/// A template.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template(Vec<Node>);

impl Template {
    /// Reads a template: `{range .items[*]}{.metadata.name}{"\n"}{end}`.
    pub(super) fn parse(text: &str) -> Result<Template, ServeError> {
        parse::template(text).map(Template).map_err(|reason| wrong(text, &reason))
    }

    /// The text that it gives of a value.
    pub(super) fn render(&self, root: &Value) -> String {
        let mut out = String::new();
        eval::nodes(&self.0, root, root, &mut out);
        out
    }
}

/// Reads a path as `--sort-by` and `custom-columns` take it: with or without braces and the first dot.
pub(super) fn path(text: &str) -> Result<Path, ServeError> {
    let inner = text.trim();
    let inner = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner);
    parse::whole_path(inner).map_err(|reason| wrong(text, &reason))
}

/// The values of a path as text, joined as `custom-columns` does it.
pub(super) fn joined(path: &Path, root: &Value) -> Option<String> {
    let found = values(path, root, root);
    (!found.is_empty()).then(|| found.iter().map(|value| shown(value)).collect::<Vec<_>>().join(","))
}

fn wrong(text: &str, reason: &str) -> ServeError {
    ServeError::bad(format!("the JSONPath `{text}`"), reason)
}
