//! Numbers in settings: within bounds, times, tokens and money.
//!
//! *Invariant:* what is out of bounds is refused with the bounds; money is whole millionths, so that sums are exact.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A whole number within bounds, and what it is where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounded<const LEAST: u64, const MOST: u64, const USUAL: u64>(pub u64);

impl<const LEAST: u64, const MOST: u64, const USUAL: u64> Default for Bounded<LEAST, MOST, USUAL> {
    fn default() -> Self {
        Bounded(USUAL)
    }
}

impl<const LEAST: u64, const MOST: u64, const USUAL: u64> FromStr for Bounded<LEAST, MOST, USUAL> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = thousands(text).filter(|number| (LEAST..=MOST).contains(number));
        number.map(Bounded).ok_or_else(|| format!("`{text}` is no number from {LEAST} to {MOST}"))
    }
}

impl<const LEAST: u64, const MOST: u64, const USUAL: u64> fmt::Display for Bounded<LEAST, MOST, USUAL> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number of tokens, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCount(pub Option<u32>);

impl FromStr for TokenCount {
    type Err = String;

    fn from_str(text: &str) -> Result<TokenCount, String> {
        let number = thousands(text).and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| (16..=100_000_000).contains(number));
        number
            .map(|number| TokenCount(Some(number)))
            .ok_or_else(|| format!("`{text}` is no number of tokens, such as 32768 or 128k"))
    }
}

/// `128k` is 128,000, `1M` a million.
fn thousands(text: &str) -> Option<u64> {
    let (digits, factor) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1000),
        None => text.strip_suffix('M').map_or((text, 1), |digits| (digits, 1_000_000)),
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A time: seconds, or `90s`, `2m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl Default for Seconds {
    fn default() -> Seconds {
        Seconds(Duration::from_mins(2))
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seconds, String> {
        let (digits, factor) = match text.strip_suffix('m') {
            Some(digits) => (digits, 60),
            None => (text.strip_suffix('s').unwrap_or(text), 1),
        };
        let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        let seconds = seconds.filter(|seconds| (1..=3600).contains(seconds));
        seconds
            .map(|seconds| Seconds(Duration::from_secs(seconds)))
            .ok_or_else(|| format!("`{text}` is no time from 1s to 60m"))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0.as_secs())
    }
}

/// An amount, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    /// Millionths of the currency.
    pub millionths: u64,
}

impl FromStr for Money {
    type Err = String;

    fn from_str(text: &str) -> Result<Money, String> {
        let amount = || {
            let (whole, part) = text.split_once('.').unwrap_or((text, ""));
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if whole.is_empty() || part.len() > 6 || !digits(whole) || !digits(part) {
                return None;
            }
            let part: u64 = format!("{part:0<6}").parse().ok()?;
            whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(part)
        };
        amount().map(|millionths| Money { millionths }).ok_or_else(|| format!("`{text}` is no amount such as 0.50"))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.millionths / 1_000_000, self.millionths % 1_000_000);
        let part = format!("{part:06}");
        let part = part.trim_end_matches('0');
        write!(f, "{whole}.{part:0<2}")
    }
}

/// The most that may be spent, or no such limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoneyLimit(pub Option<Money>);

impl FromStr for MoneyLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<MoneyLimit, String> {
        text.parse().map(|money| MoneyLimit(Some(money)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        type Steps = Bounded<1, 500, 20>;
        let steps = |text: &str| text.parse::<Steps>().map(|steps| steps.0);
        assert_eq!((steps("7"), Steps::default().0), (Ok(7), 20));
        assert_eq!(steps("0").unwrap_err(), "`0` is no number from 1 to 500");
        assert_eq!(("1k".parse::<Bounded<1, 9999, 1>>().unwrap().0, steps("-1").is_err()), (1000, true));
        let tokens = |text: &str| text.parse::<TokenCount>().ok().and_then(|tokens| tokens.0);
        assert_eq!((tokens("128k"), tokens("1M"), tokens("32768")), (Some(128_000), Some(1_000_000), Some(32_768)));
        assert_eq!((tokens("9"), tokens("x"), tokens("99999999999999999999k")), (None, None, None));
        let time = |text: &str| text.parse::<Seconds>().ok().map(|time| time.0.as_secs());
        assert_eq!(
            (time("90"), time("90s"), time("2m"), time("0"), time("2h")),
            (Some(90), Some(90), Some(120), None, None)
        );
    }

    #[test]
    fn money_is_exact() {
        let table = [
            ("0.5", Some((500_000, "0.50"))),
            ("10", Some((10_000_000, "10.00"))),
            ("0.000001", Some((1, "0.000001"))),
            ("1.25", Some((1_250_000, "1.25"))),
            ("0.0000001", None),
            ("-1", None),
            (".5", None),
            ("1e3", None),
            ("", None),
            ("99999999999999999999", None),
        ];
        for (text, expected) in table {
            let money = text.parse::<Money>().ok();
            assert_eq!(
                money.map(|money| (money.millionths, money.to_string())),
                expected.map(|(n, shown)| (n, shown.to_owned())),
                "{text}"
            );
        }
    }
}
