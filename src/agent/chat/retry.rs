//! When a server is asked again.
//!
//! *Invariant:* never beyond the deadline of the turn: a server that wants to be left alone for longer is not waited for.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// How often one request is tried.
pub(super) const TRIES: usize = 5;
/// The first pause; each next one is twice as long.
const FIRST: Duration = Duration::from_millis(500);
/// The longest pause that is not the server's wish.
const LONGEST: Duration = Duration::from_secs(20);

/// What the server wants: `retry-after-ms`, or `Retry-After` in seconds or as a date.
pub(super) fn wish(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(milliseconds) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    let wish = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = wish.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(wish).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// The pause after so many tries: doubled each time, and a quarter more or less, so that not all come at once.
pub(super) fn pause(tries: usize, chance: u8) -> Duration {
    let doubled = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST);
    doubled.mul_f64(0.75 + f64::from(chance) / 510.0)
}

/// A number from 0 to 255; which one does not matter.
pub(super) fn chance() -> u8 {
    let mut byte = [128];
    let _ = getrandom::fill(&mut byte);
    byte.first().copied().unwrap_or(128)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Headers, and milliseconds.
    type Row<'a> = (&'a [(&'static str, &'a str)], Option<u64>);

    #[test]
    fn the_servers_wish() {
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let table: &[Row<'_>] = &[
            (&[("retry-after", "3")], Some(3000)),
            (&[("retry-after", "0.5")], Some(500)),
            (&[("retry-after", "Thu, 26 Nov 2026 10:00:07 GMT")], Some(7000)),
            (&[("retry-after", "Thu, 26 Nov 2026 09:00:00 GMT")], Some(0)),
            (&[("retry-after", "9"), ("retry-after-ms", "250")], Some(250)),
            (&[("retry-after", "86400")], Some(86_400_000)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "1e300")], None),
            (&[], None),
        ];
        for (headers, expected) in table {
            let mut map = HeaderMap::new();
            for (name, value) in *headers {
                map.insert(*name, value.parse().unwrap());
            }
            assert_eq!(wish(&map, now), expected.map(Duration::from_millis), "{headers:?}");
        }
    }

    #[test]
    fn pauses_grow_and_differ() {
        assert_eq!(pause(1, 0), Duration::from_millis(375));
        assert_eq!(pause(1, 255), Duration::from_millis(625));
        assert!(pause(3, 0) > pause(1, 255));
        assert!(pause(usize::MAX, 255) <= LONGEST.mul_f64(1.25));
    }
}
