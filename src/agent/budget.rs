//! What a run may use up, and what it has.
//!
//! *Invariant:* pure. A budget that is used up ends the tools, never the answer.

use serde::{Deserialize, Serialize};

use crate::model::chat::{ChatReply, Spent, Tokens};
use crate::model::{Ended, Usage};

/// What a run may use up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Calls of tools.
    pub steps: usize,
    /// Tokens, sent and received.
    pub tokens: u64,
    /// Seconds.
    pub seconds: u64,
    /// Money, in the currency of the price table.
    pub cost: Option<f64>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { steps: 20, tokens: 200_000, seconds: 180, cost: None }
    }
}

/// What a million tokens cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// Sent.
    pub input: f64,
    /// Sent, and cached by the server.
    pub cached: f64,
    /// Received.
    pub output: f64,
}

impl Price {
    /// What these cost.
    pub fn of(&self, input: u64, cached: u64, output: u64) -> f64 {
        let fresh = input.saturating_sub(cached) as f64;
        (fresh * self.input + cached as f64 * self.cached + output as f64 * self.output) / 1e6
    }
}

/// Bytes of a token, at least: of English it is four, of YAML and hashes less.
const BYTES: u64 = 3;

/// How many tokens a text of this many bytes is, at most.
pub fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(BYTES)
}

/// Adds what a turn cost; guesses where the server does not say.
pub fn add(usage: &mut Usage, sent: usize, reply: &ChatReply, price: Option<&Price>) {
    let said = reply.text.len() + reply.calls.iter().map(|call| call.arguments.len()).sum::<usize>();
    let tokens = reply.tokens.unwrap_or_else(|| {
        usage.estimated = true;
        Tokens { input: tokens(sent), cached: 0, output: tokens(said) }
    });
    usage.requests += reply.tries.max(1);
    usage.input_tokens += tokens.input;
    usage.cached_tokens += tokens.cached;
    usage.output_tokens += tokens.output;
    usage.bytes_sent += reply.bytes_sent;
    usage.cost = price.map(|price| price.of(usage.input_tokens, usage.cached_tokens, usage.output_tokens));
}

/// Adds what a turn without a reply cost: its requests, and by a guess the tokens of the one that may be billed.
pub fn add_unanswered(usage: &mut Usage, spent: Spent, billed: usize, price: Option<&Price>) {
    usage.requests += spent.requests;
    usage.bytes_sent += spent.bytes_sent;
    if spent.requests > 0 && billed > 0 {
        usage.estimated = true;
        usage.input_tokens += tokens(billed);
    }
    usage.cost = price.map(|price| price.of(usage.input_tokens, usage.cached_tokens, usage.output_tokens));
}

/// What is used up, if anything is.
pub fn spent(limits: &Limits, steps: usize, usage: &Usage, elapsed_millis: u64) -> Option<Ended> {
    if steps >= limits.steps {
        Some(Ended::Steps)
    } else if usage.input_tokens + usage.output_tokens >= limits.tokens {
        Some(Ended::Tokens)
    } else if elapsed_millis >= limits.seconds.saturating_mul(1000) {
        Some(Ended::Time)
    } else if limits.cost.zip(usage.cost).is_some_and(|(limit, cost)| cost >= limit) {
        Some(Ended::Cost)
    } else {
        None
    }
}

/// How many tokens may still be sent where an answer of `answer` tokens has to follow, that answer included, and which
/// limit says so.
pub fn left(limits: &Limits, usage: &Usage, price: Option<&Price>, answer: u64) -> (u64, Ended) {
    let tokens = limits.tokens.saturating_sub(usage.input_tokens.saturating_add(usage.output_tokens));
    let paid = limits.cost.zip(price).filter(|(_, price)| price.input > 0.0).map(|(limit, price)| {
        let money = limit - usage.cost.unwrap_or_default() - price.of(0, 0, answer);
        affordable(money, price.input).saturating_add(answer)
    });
    match paid {
        Some(paid) if paid < tokens => (paid, Ended::Cost),
        _ => (tokens, Ended::Tokens),
    }
}

/// How many tokens at this price for a million the money pays for.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "below zero there are none, and more than can be counted is no limit"
)]
fn affordable(money: f64, price: f64) -> u64 {
    (money * 1e6 / price) as u64
}

/// What it means for a person and for the model.
pub fn told(ended: Ended, limits: &Limits, currency: &str) -> String {
    match ended {
        Ended::Answered => "it answered".to_owned(),
        Ended::Steps => format!("its {} steps are used up", limits.steps),
        Ended::Tokens => format!("its {} tokens are used up", limits.tokens),
        Ended::Time => format!("its {} seconds are used up", limits.seconds),
        Ended::Cost => format!("its budget of {} {currency} is used up", limits.cost.unwrap_or_default()),
        Ended::Circles => "it went in circles".to_owned(),
        Ended::Interrupted => "it was interrupted".to_owned(),
        Ended::ModelFailed => "the model failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_ends_it() {
        let limits = Limits { steps: 2, tokens: 100, seconds: 10, cost: Some(0.5) };
        let usage = |input, cost| Usage { input_tokens: input, cost, ..Usage::default() };
        let table = [
            (1, usage(0, None), 0, None),
            (2, usage(0, None), 0, Some(Ended::Steps)),
            (1, usage(100, None), 0, Some(Ended::Tokens)),
            (1, usage(99, Some(0.4)), 9_999, None),
            (0, usage(0, None), 10_000, Some(Ended::Time)),
            (0, usage(0, Some(0.5)), 0, Some(Ended::Cost)),
        ];
        for (steps, usage, elapsed, ended) in table {
            assert_eq!(spent(&limits, steps, &usage, elapsed), ended, "{steps} {usage:?} {elapsed}");
        }
    }

    #[test]
    fn a_server_that_does_not_say_is_guessed_for() {
        let mut usage = Usage::default();
        let price = Price { input: 2.0, cached: 1.0, output: 10.0 };
        add(&mut usage, 3_000, &ChatReply { text: "abc".to_owned(), ..ChatReply::default() }, Some(&price));
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.estimated), (1_000, 1, true));
        let told = Tokens { input: 1_000_000, cached: 500_000, output: 100_000 };
        let mut usage = Usage::default();
        add(&mut usage, 1, &ChatReply { tokens: Some(told), tries: 3, ..ChatReply::default() }, Some(&price));
        assert_eq!((usage.cost, usage.requests, usage.estimated), (Some(2.5), 3, false));
        add_unanswered(&mut usage, Spent { requests: 2, bytes_sent: 6_000 }, 3_000_000, Some(&price));
        assert_eq!((usage.cost, usage.requests, usage.bytes_sent), (Some(4.5), 5, 6_000));
        assert!(usage.estimated);
    }
}
