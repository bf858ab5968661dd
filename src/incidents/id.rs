//! What incidents are called: `20261126-101500-7f3a`, the time in UTC and four hex digits of the second's part and of chance.
//!
//! *Invariant:* ids sort as their times do, and a folder whose name is not one is not ours.

use crate::model::Time;

/// The end of the name of a folder whose run goes on, or was killed.
pub(super) const PARTIAL: &str = ".partial";
/// The end of the name of a folder that is being deleted.
pub(super) const TRASH: &str = ".trash";

/// An id for this time, by this chance.
pub(super) fn make(time: Time, chance: u16) -> String {
    format!("{}-{chance:04x}", time.strftime("%Y%m%d-%H%M%S"))
}

/// What tells ids of one second apart: they sort as they were made, by thousandths, and then by chance.
pub(super) fn suffix(thousandths: u16, chance: u16) -> u16 {
    const EACH: u16 = 65;
    thousandths.min(999) * EACH + chance % EACH
}

/// Whether it is one.
pub(super) fn is(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 20
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 15 => *byte == b'-',
            16.. => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            _ => byte.is_ascii_digit(),
        })
}

/// The time in it.
pub(super) fn time(id: &str) -> Option<Time> {
    let stamp = id.get(..15)?;
    let civil = jiff::civil::DateTime::strptime("%Y%m%d-%H%M%S", stamp).ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_second_sort_as_they_were_made() {
        assert!(suffix(0, u16::MAX) < suffix(1, 0) && suffix(998, u16::MAX) < suffix(999, 0));
        assert_eq!(suffix(u16::MAX, 64), 64_999);
    }

    #[test]
    fn ids_are_times_and_sort_so() {
        let time: Time = "2026-11-26T10:15:00Z".parse().unwrap();
        let id = make(time, 0x7f3a);
        assert_eq!(id, "20261126-101500-7f3a");
        assert!(is(&id) && super::time(&id) == Some(time));
        assert!(make("2026-11-26T10:15:01Z".parse().unwrap(), 0) > id);
        for other in ["", "20261126-101500-7f3", "20261126-101500-7F3A", "../../../../etc/pass", "20261126_101500-7f3a"]
        {
            assert!(!is(other), "{other}");
        }
        assert_eq!(super::time("20269926-101500-7f3a"), None);
    }
}
