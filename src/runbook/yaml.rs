//! YAML as a tree that knows its lines.
//!
//! *Invariant:* no alias is followed, and neither depth nor number of nodes passes a limit, so reading takes time in
//! the order of the text's length.

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, Tag};

/// More than any front matter or manifest needs.
const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 50_000;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// From 1, in the YAML text.
    pub(super) line: usize,
    /// From 1.
    pub(super) column: usize,
    /// The value.
    pub(super) value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A scalar as it is written.
    Scalar {
        /// Its text, without quotes.
        text: String,
        /// Whether it is written without quotes, so that its form decides its type.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the text.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    /// From 1.
    pub(super) line: usize,
    /// From 1.
    pub(super) column: usize,
    /// Its text.
    pub(super) name: String,
}

/// The type of a scalar by YAML's core schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Float,
    Text,
}

/// Why YAML could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// From 1, in the YAML text.
    pub(super) line: usize,
    /// From 1.
    pub(super) column: usize,
    /// One line.
    pub(super) message: String,
}

impl Node {
    /// The value of a key, where this is a mapping that has it.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a sequence.
    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The same as JSON, by YAML's core schema.
    pub(super) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Scalar { text, plain } => match scalar(text, *plain) {
                Scalar::Null => Json::Null,
                Scalar::Bool(value) => Json::Bool(value),
                Scalar::Int(value) => Json::from(value),
                Scalar::Float => text.parse::<f64>().map_or_else(|_| Json::from(text.as_str()), Json::from),
                Scalar::Text => Json::from(text.as_str()),
            },
            Value::List(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(entries) => {
                Json::Object(entries.iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect())
            }
        }
    }
}

/// The type that the form of a scalar gives it.
pub(super) fn scalar(text: &str, plain: bool) -> Scalar {
    if !plain {
        return Scalar::Text;
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        ".inf" | "-.inf" | ".nan" | ".NaN" => Scalar::Float,
        _ if text.strip_prefix("0x").is_some_and(|digits| i64::from_str_radix(digits, 16).is_ok()) => {
            Scalar::Int(text.get(2..).and_then(|digits| i64::from_str_radix(digits, 16).ok()).unwrap_or_default())
        }
        _ => match text.parse() {
            Ok(value) => Scalar::Int(value),
            Err(_) if text.contains(|c: char| c.is_ascii_digit()) && is_float(text) => Scalar::Float,
            Err(_) => Scalar::Text,
        },
    }
}

fn is_float(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
        && text.parse::<f64>().is_ok()
}

/// A collection that is not complete yet.
enum Open {
    List(Node, Vec<Node>),
    Map(Node, Vec<(Key, Node)>, Option<Key>),
}

/// Reads one document.
///
/// # Errors
/// With the first thing that can't be read.
pub(super) fn read(text: &str) -> Result<Node, Fault> {
    let mut documents = read_all(text)?.into_iter();
    match (documents.next(), documents.next()) {
        (Some(node), None) => Ok(node),
        (None, _) => Err(Fault { line: 1, column: 1, message: "it is empty".to_owned() }),
        (_, Some(second)) => {
            Err(Fault { line: second.line, column: second.column, message: "it is more than one document".to_owned() })
        }
    }
}

/// Reads all documents of a stream.
///
/// # Errors
/// With the first thing that can't be read.
pub(super) fn read_all(text: &str) -> Result<Vec<Node>, Fault> {
    let mut options = Options::default();
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut tree = Tree::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| scan_fault(&error))?;
        tree.take(event, span)?;
    }
    Ok(tree.documents)
}

fn scan_fault(error: &ScanError) -> Fault {
    let info = error.info();
    let message = info.lines().next().unwrap_or_default().chars().take(200).collect();
    Fault { line: error.marker().line().max(1), column: error.marker().col() + 1, message }
}

#[derive(Default)]
struct Tree {
    documents: Vec<Node>,
    open: Vec<Open>,
    nodes: usize,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let (line, column) = (span.start.line().max(1), span.start.col() + 1);
        let fault = |message: &str| Err(Fault { line, column, message: message.to_owned() });
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return fault("it has too many values");
        }
        match event {
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                return fault("an alias (`*name`) is not allowed here: write the value out");
            }
            Event::Scalar(text, style, _, tag) => {
                if is_odd(tag.as_deref()) {
                    return fault("a tag (`!name`) is not allowed here");
                }
                let plain = style == ScalarStyle::Plain && tag.is_none_or(|tag| tag.core_suffix() != Some("str"));
                return self.put(Node { line, column, value: Value::Scalar { text: text.into_owned(), plain } });
            }
            Event::SequenceStart(_, _, tag) | Event::MappingStart(_, _, tag) if is_odd(tag.as_deref()) => {
                return fault("a tag (`!name`) is not allowed here");
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if self.open.len() >= MAX_DEPTH => {
                return fault("it is nested too deep");
            }
            Event::SequenceStart(..) => {
                self.open.push(Open::List(Node { line, column, value: Value::List(Vec::new()) }, Vec::new()));
            }
            Event::MappingStart(..) => {
                self.open.push(Open::Map(Node { line, column, value: Value::Map(Vec::new()) }, Vec::new(), None));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.open.pop() {
                    Some(Open::List(node, items)) => Node { value: Value::List(items), ..node },
                    Some(Open::Map(node, entries, _)) => Node { value: Value::Map(entries), ..node },
                    None => return Ok(()),
                };
                return self.put(node);
            }
            _ => {}
        }
        Ok(())
    }

    /// Puts a complete node where it belongs.
    fn put(&mut self, node: Node) -> Result<(), Fault> {
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, entries, key)) => {
                if let Some(key) = key.take() {
                    entries.push((key, node));
                    return Ok(());
                }
                let Node { line, column, value } = node;
                let Value::Scalar { text: name, .. } = value else {
                    return Err(Fault { line, column, message: "a key must be a word".to_owned() });
                };
                *key = Some(Key { line, column, name });
            }
        }
        Ok(())
    }
}

/// Whether a tag is none of YAML's own.
fn is_odd(tag: Option<&Tag>) -> bool {
    tag.is_some_and(|tag| tag.core_suffix().is_none())
}
