//! Label selectors, with the API's meaning: all requirements must hold; an empty selector takes all.

use super::lenient::slim;
use super::{List, Map};

slim! {
    /// A label selector.
    pub struct Selector {
        /// Labels that must be there with these values.
        pub match_labels: Map,
        /// Further requirements.
        pub match_expressions: List<Requirement>,
    }

    /// One requirement.
    pub struct Requirement {
        /// The label.
        pub key: String,
        /// `In`, `NotIn`, `Exists`, `DoesNotExist`; for nodes also `Gt`, `Lt`.
        pub operator: String,
        /// The values.
        pub values: List<String>,
    }
}

impl Selector {
    /// Whether these labels are selected.
    pub fn matches(&self, labels: &Map) -> bool {
        subset(&self.match_labels, labels) && self.match_expressions.iter().all(|r| r.matches(labels))
    }

    /// Whether it takes everything.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// Reads a selector as `kubectl -l` takes it: `app=web,tier!=db,env in (a,b),!legacy`.
    ///
    /// # Errors
    /// With the part that can't be read.
    pub fn parse(text: &str) -> Result<Selector, String> {
        let mut expressions = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if !part.is_empty() {
                expressions.push(Requirement::parse(part).ok_or_else(|| part.to_owned())?);
            }
        }
        Ok(Selector { match_expressions: expressions.into(), ..Selector::default() })
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

impl Requirement {
    /// Whether these labels satisfy it.
    pub fn matches(&self, labels: &Map) -> bool {
        let value = labels.get(&self.key);
        match self.operator.as_str() {
            "In" => value.is_some_and(|value| self.values.contains(value)),
            "NotIn" => value.is_none_or(|value| !self.values.contains(value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" | "Lt" => {
                let number = |text: Option<&String>| text.and_then(|text| text.parse::<i64>().ok());
                match (number(value), number(self.values.first())) {
                    (Some(ours), Some(bound)) => {
                        if self.operator == "Gt" {
                            ours > bound
                        } else {
                            ours < bound
                        }
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    fn parse(part: &str) -> Option<Requirement> {
        let new = |key: &str, operator: &str, values: Vec<&str>| {
            let key = key.trim();
            let valid = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
            valid.then(|| Requirement {
                key: key.to_owned(),
                operator: operator.to_owned(),
                values: values.into_iter().map(|value| value.trim().to_owned()).collect(),
            })
        };
        if let Some((key, value)) = part.split_once("!=") {
            return new(key, "NotIn", vec![value]);
        }
        if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            return new(key, "In", vec![value]);
        }
        if let Some(key) = part.strip_prefix('!') {
            return new(key, "DoesNotExist", vec![]);
        }
        for (word, operator) in [(" notin ", "NotIn"), (" in ", "In")] {
            if let Some((key, values)) = part.split_once(word) {
                let values = values.trim().strip_prefix('(')?.strip_suffix(')')?;
                return new(key, operator, values.split(',').collect());
            }
        }
        new(part, "Exists", vec![])
    }
}

/// Prints as `kubectl -l` takes it.
impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let labels = self.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let expressions = self.match_expressions.iter().map(ToString::to_string);
        f.write_str(&labels.chain(expressions).collect::<Vec<_>>().join(","))
    }
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let values = self.values.join(",");
        match (self.operator.as_str(), self.values.len()) {
            ("In", 1) => write!(f, "{}={values}", self.key),
            ("NotIn", 1) => write!(f, "{}!={values}", self.key),
            ("In", _) => write!(f, "{} in ({values})", self.key),
            ("NotIn", _) => write!(f, "{} notin ({values})", self.key),
            ("DoesNotExist", _) => write!(f, "!{}", self.key),
            ("Exists", _) => f.write_str(&self.key),
            (operator, _) => write!(f, "{} {operator} {values}", self.key),
        }
    }
}

/// Whether every wanted label is there with its value.
pub fn subset(wanted: &Map, labels: &Map) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Labels as `kubectl -l` takes them.
pub fn labels(map: &Map) -> String {
    map.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_matches_as_kubectl_does() {
        let labels: Map = [("app", "web"), ("env", "prod"), ("n", "7")].map(|(k, v)| (k.into(), v.into())).into();
        let table = [
            ("app=web", true),
            ("app==web,env!=dev", true),
            ("env in (prod, dev)", true),
            ("env notin (prod)", false),
            ("!legacy", true),
            ("app", true),
            ("legacy", false),
            ("", true),
        ];
        for (text, expected) in table {
            assert_eq!(Selector::parse(text).map(|s| s.matches(&labels)), Ok(expected), "{text}");
        }
        assert_eq!(Selector::parse("a b c"), Err("a b c".to_owned()));
        assert_eq!(Selector::parse("env in (a,b),x=1").map(|s| s.to_string()), Ok("env in (a,b),x=1".into()));
    }
}
