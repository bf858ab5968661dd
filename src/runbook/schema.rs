//! The JSON Schema of the front matter: published for editors, and what front matter is checked against.
//!
//! *Invariant:* there is one set of limits, on the types of `model::runbook`; the published schema and the check
//! are both made from it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::model::runbook::FrontMatter;

/// The JSON Schema (draft 2020-12) of a runbook's front matter.
pub fn json_schema() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<FrontMatter>();
    let mut schema = schema.to_value();
    without_null(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), "Front matter of a kubectl-react runbook".into());
    }
    schema
}

/// What is optional is left out and never null.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.remove("format");
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    map.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(mut choices)) = map.remove("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
                match choices.pop() {
                    Some(Value::Object(only)) if choices.is_empty() => map.extend(only),
                    Some(last) => {
                        choices.push(last);
                        map.insert("anyOf".to_owned(), Value::Array(choices));
                    }
                    None => {}
                }
            }
            map.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// The kind of value that a schema asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Any,
    Text,
    Integer,
    Boolean,
    List,
    Map,
}

/// A pattern, and how to say it.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    pub(super) words: String,
}

/// A schema made ready to check with.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// The words that it may be; empty for any.
    pub(super) words: Vec<String>,
    pub(super) pattern: Option<Pattern>,
    /// Characters of a text, items of a list, keys of a map.
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    /// Of a number.
    pub(super) minimum: Option<i64>,
    pub(super) maximum: Option<i64>,
    pub(super) unique: bool,
    pub(super) items: Option<Box<Shape>>,
    pub(super) keys: BTreeMap<String, Shape>,
    pub(super) required: Vec<String>,
    /// Of keys that are not in `keys`; nothing where there may be none.
    pub(super) others: Option<Box<Shape>>,
    pub(super) names: Option<Pattern>,
}

/// The shape of front matter.
pub(super) static FRONT: LazyLock<Shape> = LazyLock::new(|| {
    let schema = json_schema();
    let none = Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&none);
    shape(&schema, definitions)
});

/// Our schema does not refer to itself, so this ends.
fn shape(schema: &Value, definitions: &Map<String, Value>) -> Shape {
    let mut made = match reference(schema, definitions) {
        Some(target) => shape(target, definitions),
        None => Shape::default(),
    };
    let size = |name: &str| schema.get(name).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
    let number = |name: &str| schema.get(name).and_then(Value::as_i64);
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => made.kind = Kind::Text,
        Some("integer") => made.kind = Kind::Integer,
        Some("boolean") => made.kind = Kind::Boolean,
        Some("array") => made.kind = Kind::List,
        Some("object") => made.kind = Kind::Map,
        _ => {}
    }
    let words = words(schema);
    if !words.is_empty() {
        made.kind = Kind::Text;
        made.words = words;
    }
    made.pattern = pattern(schema).or(made.pattern);
    made.least = ["minLength", "minItems", "minProperties"].into_iter().find_map(size).or(made.least);
    made.most = ["maxLength", "maxItems"].into_iter().find_map(size).or(made.most);
    made.minimum = number("minimum").or(made.minimum);
    made.maximum = number("maximum").or(made.maximum);
    made.unique |= schema.get("uniqueItems") == Some(&Value::Bool(true));
    if let Some(items) = schema.get("items") {
        made.items = Some(Box::new(shape(items, definitions)));
    }
    for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        made.keys.insert(name.clone(), shape(inner, definitions));
    }
    made.required.extend(texts(schema.get("required")));
    if let Some(others) = schema.get("additionalProperties").filter(|others| others.is_object()) {
        made.others = Some(Box::new(shape(others, definitions)));
    }
    made.names = schema.get("propertyNames").and_then(pattern).or(made.names);
    made
}

fn reference<'a>(schema: &Value, definitions: &'a Map<String, Value>) -> Option<&'a Value> {
    definitions.get(schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?)
}

/// The words that `enum`, `const` or a choice of constants allows.
fn words(schema: &Value) -> Vec<String> {
    let constant = |schema: &Value| schema.get("const").and_then(Value::as_str).map(str::to_owned);
    let mut words: Vec<String> = constant(schema).into_iter().chain(texts(schema.get("enum"))).collect();
    for choice in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        words.extend(constant(choice).into_iter().chain(texts(choice.get("enum"))));
    }
    words
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = String> + '_ {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
}

fn pattern(schema: &Value) -> Option<Pattern> {
    let pattern = schema.get("pattern")?.as_str()?;
    let words = schema.get("patternErrorMessage").and_then(Value::as_str);
    let words = words.map_or_else(|| format!("must match `{pattern}`"), str::to_owned);
    Some(Pattern { regex: Regex::new(pattern).ok()?, words })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every schema in a schema.
    fn walk<'a>(schema: &'a Value, found: &mut Vec<&'a Map<String, Value>>) {
        let Value::Object(map) = schema else { return };
        found.push(map);
        for key in ["properties", "$defs"] {
            map.get(key).and_then(Value::as_object).into_iter().flatten().for_each(|(_, inner)| walk(inner, found));
        }
        for key in ["items", "additionalProperties", "propertyNames"] {
            map.get(key).into_iter().for_each(|inner| walk(inner, found));
        }
        map.get("oneOf").and_then(Value::as_array).into_iter().flatten().for_each(|inner| walk(inner, found));
    }

    /// A keyword that the check does not know would be a limit that only editors tell of.
    #[test]
    fn the_check_knows_every_keyword_of_the_schema() {
        const CHECKED: &[&str] = &[
            "$ref",
            "additionalProperties",
            "const",
            "enum",
            "items",
            "maxItems",
            "maxLength",
            "maximum",
            "minItems",
            "minLength",
            "minProperties",
            "minimum",
            "oneOf",
            "pattern",
            "patternErrorMessage",
            "properties",
            "propertyNames",
            "required",
            "type",
            "uniqueItems",
        ];
        const SAID: &[&str] = &["$defs", "$schema", "default", "description", "title"];
        let schema = json_schema();
        let mut schemas = Vec::new();
        walk(&schema, &mut schemas);
        let keywords: BTreeSet<&str> = schemas.iter().flat_map(|map| map.keys().map(String::as_str)).collect();
        let unknown: Vec<_> = keywords.iter().filter(|key| !CHECKED.contains(key) && !SAID.contains(key)).collect();
        assert_eq!(unknown, Vec::<&&str>::new());
        assert!(schemas.len() > 30, "{}", schemas.len());
        for map in schemas {
            if map.contains_key("properties") {
                assert_eq!(map.get("additionalProperties"), Some(&Value::Bool(false)), "{map:?}");
            }
            assert!(map.get("type").is_none_or(Value::is_string), "{map:?}");
            let target = map.get("$ref").and_then(Value::as_str).map(|to| to.trim_start_matches('#'));
            assert!(target.is_none_or(|target| schema.pointer(target).is_some()), "{target:?}");
        }
    }

    #[test]
    fn the_schema_is_what_the_format_says() {
        let schema = json_schema();
        for (pointer, expected) in [
            ("/$schema", r#""https://json-schema.org/draft/2020-12/schema""#),
            ("/required", r#"["schema","name","title","description","status","severity","match","automation"]"#),
            ("/properties/schema/const", r#""runbook/v1""#),
            ("/properties/name/maxLength", "64"),
            ("/properties/title/minLength", "5"),
            ("/properties/description/maxLength", "1024"),
            ("/properties/references/items/pattern", r#""^https://""#),
            ("/properties/params/additionalProperties/type", r#""string""#),
            ("/$defs/Signature/minProperties", "1"),
            ("/$defs/Signature/properties/logs/maxItems", "10"),
            ("/$defs/Signature/properties/reasons/minItems", "1"),
            ("/$defs/Signature/properties/exitCodes/items/maximum", "255"),
            ("/$defs/Automation/required", r#"["level"]"#),
            ("/$defs/Automation/properties/maxPerDay/minimum", "1"),
            ("/$defs/Provenance/properties/incidents/maxItems", "10"),
        ] {
            let found = schema.pointer(pointer).map(Value::to_string);
            assert_eq!(found.as_deref(), Some(expected), "{pointer}");
        }
    }

    #[test]
    fn a_shape_is_made_of_all_of_it() {
        assert_eq!(FRONT.keys.len(), 18);
        assert_eq!(FRONT.keys["severity"].words, ["info", "warning", "critical"]);
        assert_eq!(FRONT.keys["rootCause"].words.len(), 17);
        assert_eq!(FRONT.keys["automation"].keys["maxPerDay"].minimum, Some(1));
        assert!(FRONT.keys["params"].names.is_some() && FRONT.keys["params"].others.is_some());
        assert!(FRONT.keys.values().all(|shape| shape.kind != Kind::Any));
    }
}
