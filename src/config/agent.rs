//! Settings of the agent: what it may spend, what that costs, and when it speaks.

use std::str::FromStr;

use serde_json::Value;

use super::layers::Layers;
use super::numbers::{Bounded, Money, MoneyLimit};
use super::{ConfigError, Setting};
use crate::model::Explain;

const MAX_STEPS: &str = "agent.maxSteps";
const MAX_TOKENS: &str = "agent.maxTokens";
const MAX_SECONDS: &str = "agent.maxSeconds";
const MAX_COST: &str = "agent.maxCost";
/// A table rather than a value.
pub(super) const PRICES: &str = "agent.prices";
const CURRENCY: &str = "agent.currency";
const EXPLAIN: &str = "agent.explain";

pub(super) const KEYS: &[(&str, &str)] = &[
    (MAX_STEPS, "KUBECTL_REACT_MAX_STEPS"),
    (MAX_TOKENS, "KUBECTL_REACT_MAX_TOKENS"),
    (MAX_SECONDS, "KUBECTL_REACT_MAX_SECONDS"),
    (MAX_COST, "KUBECTL_REACT_MAX_COST"),
    (PRICES, "KUBECTL_REACT_PRICES"),
    (CURRENCY, "KUBECTL_REACT_CURRENCY"),
    (EXPLAIN, "KUBECTL_REACT_EXPLAIN"),
];

/// What the command line says of the agent.
#[derive(Clone, Debug, Default)]
pub struct AgentFlags {
    /// `--model`
    pub model: Option<String>,
    /// `--max-steps`
    pub max_steps: Option<Bounded<1, 500, 20>>,
    /// `--max-tokens`
    pub max_tokens: Option<Bounded<1000, 100_000_000, 200_000>>,
    /// `--max-seconds`
    pub max_seconds: Option<Bounded<5, 86_400, 180>>,
    /// `--max-cost`
    pub max_cost: Option<MoneyLimit>,
    /// `--explain`
    pub explain: Option<Explain>,
}

/// What the agent may spend, and when it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSettings {
    /// Turns with the model.
    pub max_steps: Setting<Bounded<1, 500, 20>>,
    /// Tokens in all, sent and received.
    pub max_tokens: Setting<Bounded<1000, 100_000_000, 200_000>>,
    /// Seconds in all.
    pub max_seconds: Setting<Bounded<5, 86_400, 180>>,
    /// Money in all; no limit where none is set.
    pub max_cost: Setting<MoneyLimit>,
    /// What tokens cost.
    pub prices: Setting<Prices>,
    /// What the prices are in.
    pub currency: Setting<Currency>,
    /// Whether a proven cause is put into words by the model.
    pub explain: Setting<Explain>,
}

impl AgentSettings {
    pub(super) fn layered(layers: &Layers<'_>, flags: &AgentFlags) -> Result<AgentSettings, ConfigError> {
        Ok(AgentSettings {
            max_steps: layers.setting(MAX_STEPS, flags.max_steps, "--max-steps")?,
            max_tokens: layers.setting(MAX_TOKENS, flags.max_tokens, "--max-tokens")?,
            max_seconds: layers.setting(MAX_SECONDS, flags.max_seconds, "--max-seconds")?,
            max_cost: layers.setting(MAX_COST, flags.max_cost, "--max-cost")?,
            prices: layers.setting(PRICES, None, "")?,
            currency: layers.setting(CURRENCY, None, "")?,
            explain: layers.setting(EXPLAIN, flags.explain, "--explain")?,
        })
    }

    pub(super) fn entries(&self) -> Vec<super::Entry> {
        use super::view::entry;
        vec![
            entry(MAX_STEPS, &self.max_steps, ToString::to_string),
            entry(MAX_TOKENS, &self.max_tokens, ToString::to_string),
            entry(MAX_SECONDS, &self.max_seconds, ToString::to_string),
            entry(MAX_COST, &self.max_cost, |limit| limit.0.map(|money| money.to_string()).unwrap_or_default()),
            entry(PRICES, &self.prices, ToString::to_string),
            entry(CURRENCY, &self.currency, |currency| currency.0.clone()),
            entry(EXPLAIN, &self.explain, |explain| explain.as_str().to_owned()),
        ]
    }
}

/// What prices are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(pub String);

impl Default for Currency {
    fn default() -> Currency {
        Currency("USD".to_owned())
    }
}

impl FromStr for Currency {
    type Err = String;

    fn from_str(text: &str) -> Result<Currency, String> {
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code { Ok(Currency(text.to_owned())) } else { Err(format!("`{text}` is no code such as USD")) }
    }
}

/// What a million tokens of a model cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Sent.
    pub input: Money,
    /// Sent, and cached by the server; as all others where it is not known.
    pub cached_input: Money,
    /// Come back.
    pub output: Money,
}

impl Price {
    /// What so many tokens cost; `cached` are a part of `input`.
    pub fn cost(&self, input: u64, cached: u64, output: u64) -> Money {
        let cached = cached.min(input);
        let part = |tokens: u64, price: Money| u128::from(tokens) * u128::from(price.millionths);
        let sum = part(input - cached, self.input) + part(cached, self.cached_input) + part(output, self.output);
        Money { millionths: u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX) }
    }
}

/// Prices by model. A `*` in a name stands for anything; of several names that fit, the longest counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices(Vec<(String, Price)>);

impl Prices {
    /// The price of a model, where it is known.
    pub fn of(&self, model: &str) -> Option<&Price> {
        let fitting = self.0.iter().filter(|(pattern, _)| fits(pattern, model));
        fitting.max_by_key(|(pattern, _)| pattern.len()).map(|(_, price)| price)
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return name.ends_with(part);
        }
        match name.split_once(part) {
            Some((_, after)) => name = after,
            None => return false,
        }
    }
    true
}

impl FromStr for Prices {
    type Err = String;

    fn from_str(text: &str) -> Result<Prices, String> {
        let Ok(Value::Object(table)) = serde_json::from_str(text) else {
            return Err("it is no table such as {gpt-4o: {input: 2.5, output: 10}}".to_owned());
        };
        let mut prices = Vec::new();
        for (model, price) in table {
            let known = ["input", "cachedInput", "output"];
            let Value::Object(price) = price else {
                return Err(format!("the price of `{model}` is no mapping such as {{input: 2.5, output: 10}}"));
            };
            if let Some(unknown) = price.keys().find(|key| !known.contains(&key.as_str())) {
                return Err(format!("the price of `{model}` has the unknown key `{unknown}`"));
            }
            let amount = |key: &str| match price.get(key) {
                None => Ok(None),
                Some(Value::String(text)) => text.parse().map(Some),
                Some(other) => other.to_string().parse().map(Some),
            };
            let told = |key: &str, reason: String| format!("the price `{key}` of `{model}`: {reason}");
            let input: Option<Money> = amount("input").map_err(|reason| told("input", reason))?;
            let cached: Option<Money> = amount("cachedInput").map_err(|reason| told("cachedInput", reason))?;
            let output: Option<Money> = amount("output").map_err(|reason| told("output", reason))?;
            let (Some(input), Some(output)) = (input, output) else {
                return Err(format!("the price of `{model}` lacks `input` or `output`"));
            };
            prices.push((model, Price { input, cached_input: cached.unwrap_or(input), output }));
        }
        Ok(Prices(prices))
    }
}

impl std::fmt::Display for Prices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let one = |(model, price): &(String, Price)| {
            format!("{model}: {} in, {} cached, {} out", price.input, price.cached_input, price.output)
        };
        f.write_str(&self.0.iter().map(one).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_that_fits_has_the_price() {
        let text = r#"{"*": {"input": 1, "output": 1}, "gpt-4o*": {"input": 2.5, "cachedInput": "1.25", "output": 10}, "gpt-4o-mini": {"input": 0.15, "output": 0.6}, "our-*-eu": {"input": 3, "output": 3}}"#;
        let prices: Prices = text.parse().unwrap();
        let input = |model: &str| prices.of(model).map(|price| price.input.to_string());
        assert_eq!(input("gpt-4o-2024-08-06").as_deref(), Some("2.50"));
        assert_eq!(input("gpt-4o-mini").as_deref(), Some("0.15"));
        assert_eq!(input("our-gpt-eu").as_deref(), Some("3.00"));
        assert_eq!(input("our-gpt-us").as_deref(), Some("1.00"));
        let price = prices.of("gpt-4o").unwrap();
        assert_eq!(price.cost(1_000_000, 400_000, 100_000).to_string(), "3.00");
        assert_eq!(price.cost(1, 0, 0).millionths, 3, "a part of a millionth is one");
        assert_eq!(price.cost(5, 100, 0), price.cost(5, 5, 0));
        assert_eq!(Prices::default().of("gpt-4o"), None);
    }

    #[test]
    fn wrong_prices_say_where() {
        let table = [
            ("[]", "it is no table"),
            (r#"{"m": 3}"#, "the price of `m` is no mapping"),
            (r#"{"m": {"input": 1}}"#, "the price of `m` lacks `input` or `output`"),
            (r#"{"m": {"input": 1, "out": 1}}"#, "the unknown key `out`"),
            (r#"{"m": {"input": -1, "output": 1}}"#, "the price `input` of `m`: `-1` is no amount"),
        ];
        for (text, expected) in table {
            let error = text.parse::<Prices>().unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
