//! Settings in lines: a name and its value with a blank between them, and what YAML writes below a name.
//!
//! *Invariant:* each line is looked at once; what stands below a name is passed over with it. In prose only what stands
//! below a name in the way of YAML counts, and only where it looks like a secret.

use std::collections::BTreeSet;
use std::ops::Range;

use super::names::{Naming, classify};
use super::pairs::{LONGEST_NAME, is_name_char, is_reference};
use super::values::{is_method, is_name, is_plain, is_url, is_word, looks_secret};
use super::{Mode, holds_settings};

/// Words that begin a sentence as well as a setting.
const WORDS: &[&str] =
    &["password", "passphrase", "secret", "secrets", "token", "pass", "credential", "credentials", "cookie", "auth"];

/// Adds what is secret in the lines of a text.
pub(super) fn lines(text: &str, mode: Mode, found: &mut Vec<Range<usize>>) {
    if mode == Mode::Prose && !text.contains('\n') {
        return;
    }
    let lines: Vec<Line<'_>> = read(text);
    for document in lines.split(|line| line.body == "---") {
        let secrets: BTreeSet<usize> =
            document.iter().filter(|line| line.body == "kind: Secret").map(|line| line.column).collect();
        let mut at = 0;
        while let Some(line) = document.get(at) {
            at += 1;
            let below = document.get(at..).unwrap_or_default();
            if let Some(head) = Head::of(line) {
                let data = !head.block && matches!(head.name, "data" | "stringData");
                at += if data && secrets.contains(&line.column) {
                    head.data(below, found)
                } else {
                    head.values(below, mode, found)
                };
            } else if mode == Mode::Strict {
                found.extend(line.setting(lines.len() > 1));
            }
        }
    }
}

/// A line, without the blanks and the dashes of lists before what it says, and without the blanks after.
struct Line<'t> {
    body: &'t str,
    start: usize,
    /// How many bytes stand before the first that is no blank.
    indent: usize,
    /// How many stand before what it says.
    column: usize,
}

fn read(text: &str) -> Vec<Line<'_>> {
    let (mut at, mut lines) = (0, Vec::new());
    for whole in text.split_inclusive('\n') {
        let shown = whole.trim_end();
        let indent = shown.len() - shown.trim_start().len();
        let mut column = indent;
        while shown.get(column..).is_some_and(|rest| rest.starts_with("- ")) {
            column += 2;
        }
        lines.push(Line { body: shown.get(column..).unwrap_or_default(), start: at + column, indent, column });
        at += whole.len();
    }
    lines
}

impl Line<'_> {
    fn range(&self) -> Range<usize> {
        self.start..self.start + self.body.len()
    }

    /// Whether it has a name and a value, or a name of what stands below.
    fn is_mapping(&self) -> bool {
        !self.body.starts_with(['"', '\'']) && (self.body.contains(": ") || self.body.ends_with(':'))
    }

    /// What `requirepass x` sets. A line of one word, or of several lines, is a setting; any other may be a sentence.
    fn setting(&self, several: bool) -> Option<Range<usize>> {
        let end = self.body.find(|c: char| !is_name_char(c))?;
        let (name, rest) = self.body.split_at_checked(end)?;
        let value = rest.trim_start_matches([' ', '\t']);
        let secret = |name| matches!(classify(name), Some(Naming::Secret | Naming::Auth));
        if value.len() == rest.len() || name.starts_with('-') || name.len() > LONGEST_NAME || !secret(name) {
            return None;
        }
        let value = value.trim_end_matches(';');
        let inner = value.trim_matches(['"', '\'']);
        let first = inner.split_whitespace().next()?;
        if value.starts_with(['=', ':', '{', '(', '[', '|', '&', '<', '>', '-'])
            || is_word(first)
            || is_method(first)
            || is_plain(inner)
            || is_url(inner)
        {
            return None;
        }
        let alone = first.len() == inner.len() || inner.len() < value.len();
        // `shared_key x`, but not `secret-agent run`.
        let holds = name.rsplit(['-', '_', '.']).next().is_some_and(|last| classify(last).is_some());
        let exposed = if WORDS.iter().any(|word| word.eq_ignore_ascii_case(name)) {
            alone && (several || looks_secret(inner))
        } else {
            holds
        };
        let start = self.start + self.body.find(inner)?;
        exposed.then(|| start..start + inner.len())
    }
}

/// A line that names what stands below it: `password:`, `password: |`.
struct Head<'t> {
    name: &'t str,
    column: usize,
    /// What stands below is one text.
    block: bool,
}

impl<'t> Head<'t> {
    fn of(line: &Line<'t>) -> Option<Head<'t>> {
        let (name, rest) = line.body.rsplit_once(':')?;
        let name = name.trim_matches(['"', '\'']);
        let rest = rest.trim();
        let block = rest.starts_with(['|', '>']) && rest.bytes().skip(1).all(|byte| b"+-0123456789".contains(&byte));
        let named = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_name_char);
        (named && (block || rest.is_empty())).then_some(Head { name, column: line.column, block })
    }

    /// The lines below that belong to it.
    fn below<'l>(&self, lines: &'l [Line<'t>]) -> &'l [Line<'t>] {
        let inner = |line: &&Line<'t>| {
            let item = !self.block && line.column > line.indent && line.indent == self.column;
            line.body.is_empty() || line.indent > self.column || item
        };
        let count = lines.iter().take_while(inner).count();
        lines.get(..count).unwrap_or_default()
    }

    /// Adds the values below a name that promises some; tells how many lines that were.
    fn values(&self, lines: &[Line<'t>], mode: Mode, found: &mut Vec<Range<usize>>) -> usize {
        // `max_tokens` are a number, and `tokens:` with a list below are what they are called.
        let tokens = self.name.eq_ignore_ascii_case("tokens");
        if !tokens && !matches!(classify(self.name), Some(Naming::Secret | Naming::Auth)) {
            return 0;
        }
        let filled = |line: &&Line<'t>| !line.body.is_empty();
        let Some(first) = lines.iter().find(filled).filter(|first| self.block || !first.is_mapping()) else {
            return 0;
        };
        let below = self.below(lines);
        let Some(last) = below.iter().rfind(filled) else { return 0 };
        let looks = |value: &str| looks_secret(value) && !value.contains(' ');
        let exposed = |value: &str| {
            let known = is_plain(value) || is_url(value) || is_method(value);
            !(known || is_reference(self.name) && is_name(value)) && (mode == Mode::Strict && !tokens || looks(value))
        };
        if self.block || first.column == first.indent {
            let content: Vec<&str> = below.iter().map(|line| line.body).collect();
            let content = content.join("\n");
            // What ends in a colon had a value, which is masked already.
            if self.block && (holds_settings(self.name, content.trim()) || content.trim().ends_with(':')) {
                return 0;
            }
            if self.block && !is_plain(content.trim()) || exposed(content.trim()) {
                found.push(first.start..last.range().end);
            }
        } else {
            for line in below.iter().filter(|line| !line.is_mapping()) {
                let value = line.body.trim_matches(['"', '\'']);
                let start = line.start + line.body.find(value).unwrap_or_default();
                if exposed(value) {
                    found.push(start..start + value.len());
                }
            }
        }
        below.len()
    }

    /// Adds every value of the data of a Secret.
    fn data(&self, lines: &[Line<'t>], found: &mut Vec<Range<usize>>) -> usize {
        let below = self.below(lines);
        for line in below.iter().filter(|line| Head::of(line).is_none()) {
            let value = line.body.split_once(": ").map_or(line.body, |(_, value)| value).trim();
            if !is_plain(value) {
                found.push(line.range().end - value.len()..line.range().end);
            }
        }
        below.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes of a text, in order.
    fn gone(text: &str, mode: Mode) -> Vec<&str> {
        let mut found = Vec::new();
        lines(text, mode, &mut found);
        found.into_iter().map(|range| text.get(range).unwrap().trim()).collect()
    }

    #[test]
    fn settings_with_a_blank_in_a_text_of_settings() {
        let table: &[(&str, &[&str])] = &[
            ("requirepass hunter", &["hunter"]),
            ("port 6379\nmasterauth \"hunter two\"\n", &["hunter two"]),
            ("<source>\n  user app\n  password hunter\n  shared_key hunter\n</source>", &["hunter", "hunter"]),
            ("token bucket", &[]),
            ("a\npassword is required\npassword_file /etc/x\n# password hunter\n", &[]),
            ("secret-agent run", &[]),
            ("a\npassword = hunter\ncredentials {\n}\ntoken-service --port 80\n", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(gone(text, Mode::Strict), *expected, "{text}");
            assert!(gone(text, Mode::Prose).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_yaml_writes_below_a_name() {
        let table: &[(&str, &[&str])] = &[
            ("db:\n  password: |\n    hunter\n  host: db\n", &["hunter"]),
            ("password: >-\n  correct\n  horse\nhost: db", &["correct\n  horse"]),
            ("password:\n  hunter\nhost: db", &["hunter"]),
            ("tokens:\n- hunter2hunter2\n- \"x7x7x7x7\"\nhost: db", &["hunter2hunter2", "x7x7x7x7"]),
            ("credentials:\n- hunter\n- $(FROM)\nhost: db", &["hunter"]),
            ("secrets:\n- cart-db\npassword:\n  min: 3\npassword:\nhost: db", &[]),
            ("token-policy.json: |\n  {\"ttl\": 3600}\ncredentials: |\n  [default]\n  region = x\n", &[]),
            (
                "kind: Secret\nstringData:\n  a: hunter\n  b: |\n    two\nkind2: x\n---\ndata:\n  c: plain",
                &["hunter", "two"],
            ),
            ("target:\n  kind: Secret\ndata:\n  c: plain", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(gone(text, Mode::Strict), *expected, "{text}");
        }
        assert!(gone("failed to get token:\n  dial tcp 10.0.0.1:80: refused", Mode::Prose).is_empty());
        assert_eq!(gone("token:\n  hunter2hunter2", Mode::Prose), ["hunter2hunter2"]);
    }
}
