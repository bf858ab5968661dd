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
use eval::Budget;
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
    pub(super) fn render(&self, root: &Value) -> Result<String, ServeError> {
        let (mut out, mut budget) = (String::new(), Budget::default());
        eval::nodes(&self.0, root, root, &mut budget, &mut out);
        if budget.spent() {
            return Err(ServeError::bad(
                "the answer to the JSONPath",
                "it is too large: ask for fewer objects or fields",
            ));
        }
        Ok(out)
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
    let found = eval::values(path, root, root, &mut Budget::default());
    (!found.is_empty()).then(|| found.iter().map(|value| shown(value)).collect::<Vec<_>>().join(","))
}

fn wrong(text: &str, reason: &str) -> ServeError {
    ServeError::bad(format!("the JSONPath `{text}`"), reason)
}
