//! What a path finds in a value. A field that is not there is nothing, as `kubectl get` takes it.

use std::cmp::Ordering;

use serde_json::Value;

use super::parse::{Node, Operand, Operator, Path, Step};
use crate::cluster::serve::value::shown;

/// Values that are looked at for one template; `..` after `..` after `..` would be without end.
const MOST: usize = 200_000;
/// Bytes that one template gives.
const LARGEST: usize = 16 << 20;

/// What a template may still cost.
pub(super) struct Budget {
    values: usize,
    bytes: usize,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { values: MOST, bytes: LARGEST }
    }
}

impl Budget {
    /// Whether there was more than was looked at.
    pub(super) fn spent(&self) -> bool {
        self.values == 0 || self.bytes == 0
    }

    fn value(&mut self) -> bool {
        self.values = self.values.saturating_sub(1);
        self.values > 0
    }

    fn print(&mut self, text: &str, out: &mut String) {
        self.bytes = self.bytes.saturating_sub(text.len());
        if self.bytes > 0 {
            out.push_str(text);
        }
    }
}

/// Adds what the nodes give, from `here`.
pub(super) fn nodes(nodes: &[Node], root: &Value, here: &Value, budget: &mut Budget, out: &mut String) {
    for node in nodes {
        if budget.spent() {
            return;
        }
        match node {
            Node::Text(text) => budget.print(text, out),
            Node::Print(path) => {
                for (index, value) in values(path, root, here, budget).into_iter().enumerate() {
                    if index > 0 {
                        budget.print(" ", out);
                    }
                    if budget.spent() {
                        return;
                    }
                    budget.print(&shown(value), out);
                }
            }
            Node::Range(path, within) => {
                for value in values(path, root, here, budget) {
                    // A range over a list is one over its items.
                    match value {
                        Value::Array(items) => {
                            for item in items {
                                self::nodes(within, root, item, budget, out);
                            }
                        }
                        value => self::nodes(within, root, value, budget, out),
                    }
                }
            }
        }
    }
}

/// What a path finds.
pub(super) fn values<'v>(path: &Path, root: &'v Value, here: &'v Value, budget: &mut Budget) -> Vec<&'v Value> {
    let mut found = vec![if path.root { root } else { here }];
    for step in &path.steps {
        let mut next = Vec::new();
        for value in found {
            if !budget.value() {
                return Vec::new();
            }
            take(step, root, value, budget, &mut next);
        }
        found = next;
    }
    found.retain(|value| !value.is_null());
    found
}

fn take<'v>(step: &Step, root: &'v Value, value: &'v Value, budget: &mut Budget, found: &mut Vec<&'v Value>) {
    match (step, value) {
        (Step::Fields(names), Value::Object(fields)) => found.extend(names.iter().filter_map(|name| fields.get(name))),
        (Step::All, Value::Object(fields)) => found.extend(fields.values()),
        (Step::All, Value::Array(items)) => found.extend(items),
        (Step::Below, value) => below(value, budget, found),
        (Step::Indexes(indexes), Value::Array(items)) => {
            found.extend(indexes.iter().filter_map(|index| items.get(place(*index, items.len())?)));
        }
        (Step::Slice(from, to, step), Value::Array(items)) => {
            let end = |index: Option<i64>, otherwise: usize| index.map_or(otherwise, |index| clamp(index, items.len()));
            let (from, to) = (end(*from, 0), end(*to, items.len()));
            let step = usize::try_from(*step).unwrap_or(1);
            found.extend(items.get(from..to).unwrap_or_default().iter().step_by(step));
        }
        (Step::Filter(left, comparison), Value::Array(items)) => {
            found.extend(items.iter().filter(|item| holds(left, comparison.as_ref(), root, item, budget)));
        }
        _ => {}
    }
}

fn below<'v>(value: &'v Value, budget: &mut Budget, found: &mut Vec<&'v Value>) {
    if !budget.value() {
        return;
    }
    found.push(value);
    match value {
        Value::Object(fields) => fields.values().for_each(|value| below(value, budget, found)),
        Value::Array(items) => items.iter().for_each(|value| below(value, budget, found)),
        _ => {}
    }
}

fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

fn clamp(index: i64, length: usize) -> usize {
    place(index, length).unwrap_or(0).min(length)
}

fn holds(
    left: &Operand,
    comparison: Option<&(Operator, Operand)>,
    root: &Value,
    here: &Value,
    budget: &mut Budget,
) -> bool {
    let Some((operator, right)) = comparison else {
        return match left {
            Operand::Path(path) => !values(path, root, here, budget).is_empty(),
            Operand::Literal(_) => true,
        };
    };
    let mut one = |operand: &Operand| match operand {
        Operand::Literal(value) => Some(value.clone()),
        Operand::Path(path) => values(path, root, here, budget).first().map(|value| (*value).clone()),
    };
    let (Some(left), Some(right)) = (one(left), one(right)) else { return false };
    let order = compare(&left, &right);
    match operator {
        Operator::Equal => order == Some(Ordering::Equal),
        Operator::NotEqual => order != Some(Ordering::Equal),
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// Numbers as numbers, text as text; others are not compared.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
