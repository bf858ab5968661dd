//! Lines of logs, as they may be kept.
//!
//! *Invariant:* lines are looked at one by one, since a log has no end; what goes over several of them, such as a key, is
//! remembered from one to the next.

use super::{MARK, Redactor, head, is_key_material, is_placeholder};
use crate::printable::one_line;

/// The longest line of a log that is kept.
pub(super) const LONGEST_LINE: usize = 2048;

/// The lines of one log, one after the other.
#[derive(Debug)]
pub struct LogLines<'r> {
    redactor: &'r Redactor,
    /// The first line of a private key was read, and not yet its last: how many words stand before the key in each line,
    /// such as a time.
    key: Option<usize>,
}

impl LogLines<'_> {
    /// The next line as it may be kept.
    pub fn line(&mut self, line: &str) -> String {
        let text = line.trim();
        if let Some((before, after)) = text.split_once("-----BEGIN ").filter(|(_, after)| after.contains("PRIVATE KEY"))
        {
            self.key = (!after.contains("-----END")).then(|| before.split_whitespace().count());
        } else if let Some(words) = self.key {
            let (before, last) = text.rsplit_once(char::is_whitespace).unwrap_or(("", text));
            let inner = before.split_whitespace().count() == words && !last.is_empty() && last.bytes().all(is_base64);
            if !inner && !is_placeholder(last) && !text.is_empty() && !text.contains(": ") {
                self.key = None;
            }
            if inner {
                return self.redactor.log_line(before)
                    + if before.is_empty() { "" } else { " " }
                    + &self.redactor.placeholder(last);
            }
        }
        self.redactor.log_line(line)
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

impl Redactor {
    /// For the lines of one log.
    pub fn log_lines(&self) -> LogLines<'_> {
        LogLines { redactor: self, key: None }
    }

    /// A line of a log as it may be kept: without control sequences and secrets, and not too long.
    pub fn log_line(&self, line: &str) -> String {
        // Far beyond what is kept, so that a secret is whole when it is looked for.
        let line = one_line(head(line, 32 * LONGEST_LINE));
        let line = line.trim_end();
        if is_key_material(line) {
            return self.placeholder(line);
        }
        let line = self.text(line);
        if line.len() <= LONGEST_LINE {
            return line.into_owned();
        }
        let kept = head(&line, LONGEST_LINE);
        let kept = kept
            .rfind(MARK)
            .filter(|at| kept.get(*at..).is_none_or(|end| !end.contains('>')))
            .and_then(|at| kept.get(..at))
            .unwrap_or(kept);
        self.text(&format!("{kept}…")).into_owned()
    }

    /// A line that was kept before. Lines grow by their placeholders; only what never was cut is cut.
    pub(super) fn kept_line(&self, lines: &mut LogLines<'_>, line: &mut String) {
        if line.len() > 2 * LONGEST_LINE || is_key_material(line) || lines.key.is_some() || line.contains("-----BEGIN ")
        {
            *line = lines.line(line);
        } else {
            let clean = one_line(line).into_owned();
            *line = self.text(&clean).into_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_from_its_first_line_to_its_last() {
        let redactor = Redactor::new([7; 32]);
        let edge = |word: &str| format!("-----{word} EC PRIVATE {}-----", "KEY");
        let long = "Mx7/".repeat(16);
        let log = ["begin", &edge("BEGIN"), &long, "AwEAAa9x", &edge("END"), "AwEAAa9x", "done"];
        let mut lines = redactor.log_lines();
        let kept: Vec<String> = log.iter().map(|line| lines.line(line)).collect();
        assert!(kept[2].starts_with(MARK) && kept[3].starts_with(MARK), "{kept:?}");
        assert_eq!((kept[5].as_str(), kept[6].as_str()), ("AwEAAa9x", "done"));
        let (mut again, mut lines) = (kept.clone(), redactor.log_lines());
        for line in &mut again {
            redactor.kept_line(&mut lines, line);
        }
        assert_eq!(again, kept, "masking is idempotent");
    }

    #[test]
    fn a_time_before_each_line_hides_no_key() {
        let redactor = Redactor::new([7; 32]);
        let mut lines = redactor.log_lines();
        let edge = |word: &str| format!("-----{word} RSA PRIVATE {}-----", "KEY");
        let log = [&edge("BEGIN"), "MxaAbB9x", "AwE9", &edge("END"), "AwE9"];
        let kept: Vec<String> = log.iter().map(|line| lines.line(&format!("12:00:01 INFO {line}"))).collect();
        let masked = format!("12:00:01 INFO {MARK}");
        assert!(kept[1].starts_with(&masked) && kept[2].starts_with(&masked), "{kept:?}");
        assert_eq!(kept[4], "12:00:01 INFO AwE9");
    }
}
