//! Lines that say the same, counted: a log repeats itself, and a model pays for each line.
//!
//! *Invariant:* the order is that of first appearance; nothing is left out without being counted, and however long a
//! log is, what is kept of it is bounded.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use crate::cluster::serve::filter::Grep;
use crate::cluster::serve::source::Line;
use crate::model::Time;

/// Fewer lines than this are shown as they are.
const FEW: usize = 20;
/// As many equal lines are one.
const FREQUENT: usize = 3;
/// Lines of a log that are kept as they are at the most, the newest; those before them are counted by what they say.
const MOST_LINES: usize = 2_000;
/// Lines found that are kept as they are.
const MOST_FOUND: usize = 50;
/// Kinds of lines found that are told apart.
const MOST_GROUPS: usize = 1_000;

/// What two lines have in common: without numbers, hexadecimal ids and blanks.
pub(in crate::cluster::serve) fn pattern(line: &str) -> String {
    let mut pattern = String::with_capacity(line.len());
    let mut word = String::new();
    let end = |word: &mut String, pattern: &mut String| {
        let digits = word.bytes().any(|byte| byte.is_ascii_digit());
        let hex = word.len() >= 6 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digits && (hex || word.bytes().all(|byte| byte.is_ascii_digit())) {
            pattern.push('#');
        } else if digits {
            // `10ms`, `v2`, `web-7d4b9`: the digits go, the letters stay.
            for letter in word.chars() {
                match letter {
                    '0'..='9' if pattern.ends_with('#') => {}
                    '0'..='9' => pattern.push('#'),
                    other => pattern.push(other),
                }
            }
        } else {
            pattern.push_str(word);
        }
        word.clear();
    };
    for letter in line.chars() {
        if letter.is_alphanumeric() {
            word.push(letter);
        } else {
            end(&mut word, &mut pattern);
            if !(letter.is_whitespace() && pattern.ends_with(' ')) {
                pattern.push(if letter.is_whitespace() { ' ' } else { letter });
            }
        }
    }
    end(&mut word, &mut pattern);
    pattern
}

/// Lines that say the same.
struct Group {
    times: usize,
    last: Option<Time>,
    /// The lines and where they stood while they are few; once they are frequent, the first one.
    lines: Vec<(usize, Line)>,
}

/// Takes the lines of one log as they come.
pub(super) struct Collector<'g> {
    grep: Option<&'g Grep>,
    /// As many lines count, the last ones; none where all do.
    tail: Option<usize>,
    /// Lines that came, and lines that were found among them.
    pub(super) total: usize,
    pub(super) found: usize,
    /// The time of the first line and of the last one that count.
    pub(super) range: Option<(Time, Time)>,
    lines: VecDeque<Line>,
    groups: Vec<Group>,
    known: HashMap<String, usize>,
    /// Lines that stand before the next one found, and how many to take after the last one.
    before: VecDeque<Line>,
    after: usize,
    /// Lines of groups beyond the bound.
    pub(super) ungrouped: usize,
}

impl<'g> Collector<'g> {
    /// Keeps the last lines, as many as `tail`, or those that are looked for.
    pub(super) fn new(grep: Option<&'g Grep>, tail: Option<u64>) -> Collector<'g> {
        Collector {
            grep,
            // The server gives no more than it is asked for: of a long tail all lines count.
            tail: tail.and_then(|tail| usize::try_from(tail).ok()).filter(|tail| *tail <= MOST_LINES),
            total: 0,
            found: 0,
            range: None,
            lines: VecDeque::new(),
            groups: Vec::new(),
            known: HashMap::new(),
            before: VecDeque::new(),
            after: 0,
            ungrouped: 0,
        }
    }

    pub(super) fn push(&mut self, time: Option<Time>, line: String) {
        self.total += 1;
        let Some(grep) = self.grep else {
            self.lines.push_back((time, line));
            if self.lines.len() > self.tail.unwrap_or(MOST_LINES)
                && let Some((time, line)) = self.lines.pop_front()
                && self.tail.is_none()
            {
                self.widen(time);
                let place = self.total - self.lines.len();
                self.ungrouped += usize::from(!self.count(place, time, &line));
            }
            return;
        };
        let found = grep.finds(&line);
        let parts = match grep.around(&line) {
            Cow::Owned(parts) => Some(parts),
            Cow::Borrowed(_) => None,
        };
        let line = parts.unwrap_or(line);
        if !found {
            if self.after > 0 {
                self.after -= 1;
                self.keep((time, line));
            } else if grep.context > 0 {
                self.before.push_back((time, line));
                if self.before.len() > grep.context {
                    self.before.pop_front();
                }
            }
            return;
        }
        self.found += 1;
        self.widen(time);
        if grep.context > 0 {
            for line in std::mem::take(&mut self.before) {
                self.keep(line);
            }
            self.after = grep.context;
            self.keep((time, line));
            return;
        }
        self.ungrouped += usize::from(!self.count(self.total, time, &line));
        if self.lines.len() <= MOST_FOUND {
            self.lines.push_back((time, line));
        }
    }

    fn keep(&mut self, line: Line) {
        if self.lines.len() < MOST_LINES {
            self.lines.push_back(line);
        } else {
            self.ungrouped += 1;
        }
    }

    fn widen(&mut self, time: Option<Time>) {
        if let Some(time) = time {
            let (from, to) = self.range.unwrap_or((time, time));
            self.range = Some((from.min(time), to.max(time)));
        }
    }

    /// Counts the line at a place among those that say the same; whether there was room.
    fn count(&mut self, place: usize, time: Option<Time>, line: &str) -> bool {
        let pattern = pattern(line);
        if let Some(group) = self.known.get(&pattern).and_then(|&at| self.groups.get_mut(at)) {
            group.times += 1;
            group.last = time.or(group.last);
            if group.times < FREQUENT {
                group.lines.push((place, (time, line.to_owned())));
            } else {
                group.lines.truncate(1);
            }
        } else if self.groups.len() < MOST_GROUPS {
            self.known.insert(pattern, self.groups.len());
            self.groups.push(Group { times: 1, last: time, lines: vec![(place, (time, line.to_owned()))] });
        } else {
            return false;
        }
        true
    }

    /// The lines as they are shown.
    pub(super) fn finish(&mut self, stamps: bool) -> Vec<String> {
        let Some(grep) = self.grep else {
            let times: Vec<Option<Time>> = self.lines.iter().map(|(time, _)| *time).collect();
            for time in times {
                self.widen(time);
            }
            if self.groups.is_empty() && self.lines.len() <= FEW {
                return self.lines.iter().map(|line| written(line, stamps)).collect();
            }
            return self.grouped(stamps);
        };
        if grep.context > 0 || self.found <= MOST_FOUND {
            return self.lines.iter().map(|line| written(line, stamps)).collect();
        }
        self.groups.iter().filter_map(|group| shown(group, stamps)).map(|(_, text)| text).collect()
    }

    /// The lines in the order in which they stood, those that are frequent as one each.
    fn grouped(&mut self, stamps: bool) -> Vec<String> {
        let lines = std::mem::take(&mut self.lines);
        let before = self.total - lines.len();
        let mut out = Vec::new();
        for ((time, line), place) in lines.into_iter().zip(before + 1..) {
            // The newest lines are shown whether there is room to count them or not.
            if !self.count(place, time, &line) {
                out.push((place, written(&(time, line), stamps)));
            }
        }
        for group in &self.groups {
            if group.times < FREQUENT {
                out.extend(group.lines.iter().map(|(place, line)| (*place, written(line, stamps))));
            } else {
                out.extend(shown(group, stamps));
            }
        }
        out.sort_by_key(|(place, _)| *place);
        out.into_iter().map(|(_, text)| text).collect()
    }
}

fn written((time, line): &Line, stamps: bool) -> String {
    match time {
        Some(time) if stamps => format!("{time} {line}"),
        _ => line.clone(),
    }
}

/// A group as one line, at the place of its first.
fn shown(group: &Group, stamps: bool) -> Option<(usize, String)> {
    let (place, line) = group.lines.first()?;
    let text = match (group.times, line.0, group.last) {
        (1, ..) => written(line, stamps),
        (times, Some(first), Some(last)) => format!("× {times}, {}: {}", span(first, last), line.1),
        (times, ..) => format!("× {times}: {}", line.1),
    };
    Some((*place, text))
}

/// `10:02:11–10:40:09`; with dates where they differ.
pub(super) fn span(first: Time, last: Time) -> String {
    let (from, to) = (first.strftime("%Y-%m-%d").to_string(), last.strftime("%Y-%m-%d").to_string());
    let clock = |time: Time| time.strftime("%H:%M:%S").to_string();
    if from == to {
        format!("{}–{}", clock(first), clock(last))
    } else {
        format!("{from} {}–{to} {}", clock(first), clock(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::serve::Options;

    fn at(second: i64) -> Option<Time> {
        Time::from_second(1_700_000_000 + second).ok()
    }

    #[test]
    fn patterns_leave_numbers_and_ids_out() {
        let same = [
            ("GET /a/12 200 3ms", "GET /a/7 404 18ms"),
            ("id 4f9a0c21b7", "id 00ffee12aa"),
            ("took  1.5s", "took 20.25s"),
            ("pod web-7d4b9", "pod web-8d1b2"),
        ];
        for (a, b) in same {
            assert_eq!(pattern(a), pattern(b));
        }
        for (a, b) in [("connected", "refused"), ("facade", "decade"), ("GET /a", "GET /b")] {
            assert_ne!(pattern(a), pattern(b));
        }
    }

    #[test]
    fn frequent_lines_are_counted_where_they_first_stood() {
        let mut lines = Collector::new(None, Some(200));
        lines.push(at(0), "start".to_owned());
        for second in 1..40 {
            lines.push(at(second), format!("retry {second} in 5s"));
            if second == 20 {
                lines.push(at(second), "panic: needle".to_owned());
            }
        }
        assert_eq!(lines.finish(false), ["start", "× 39, 22:13:21–22:13:59: retry 1 in 5s", "panic: needle"]);
        assert_eq!(lines.total, 41);

        let mut few = Collector::new(None, Some(200));
        (0..5).for_each(|second| few.push(at(second), "same".to_owned()));
        assert_eq!(few.finish(false).len(), 5, "few lines are shown as they are");

        let mut tail = Collector::new(None, Some(2));
        (0..5).for_each(|second| tail.push(at(second), format!("line {second}")));
        assert_eq!(tail.finish(true), ["2023-11-14T22:13:23Z line 3", "2023-11-14T22:13:24Z line 4"]);
    }

    #[test]
    fn all_lines_of_a_long_log_are_counted_and_a_rare_one_stays() {
        for tail in [None, Some(100_000)] {
            let mut lines = Collector::new(None, tail);
            for second in 0..100_000 {
                let rare = second == 7;
                lines
                    .push(at(second), if rare { "ERROR: needle".to_owned() } else { format!("INFO settled {second}") });
            }
            let settled = "× 99999, 2023-11-14 22:13:20–2023-11-16 01:59:59: INFO settled 0";
            assert_eq!(lines.finish(false), [settled, "ERROR: needle"], "{tail:?}");
            assert_eq!((lines.total, lines.ungrouped), (100_000, 0));
            assert_eq!(lines.range, at(0).zip(at(99_999)));
        }
        // More kinds of lines than are told apart: the newest are shown, and the others are said to be left out.
        let letters = |n: usize| n.to_string().bytes().map(|digit| char::from(digit + 49)).collect::<String>();
        let mut lines = Collector::new(None, None);
        (0..5_000).for_each(|n| lines.push(None, format!("kind {}", letters(n))));
        assert_eq!((lines.finish(false).len(), lines.ungrouped), (MOST_GROUPS + MOST_LINES, 2_000));
    }

    #[test]
    fn a_needle_is_found_among_many_lines() {
        let grep = |context_lines| Grep::new(&Options { grep: Some("needle".into()), context_lines }).unwrap().unwrap();
        let search = |grep: &Grep| {
            let mut lines = Collector::new(Some(grep), None);
            for number in 0..100_000 {
                let text = if number == 70_000 { "the needle".to_owned() } else { format!("hay {number}") };
                lines.push(at(number), text);
            }
            assert_eq!((lines.total, lines.found), (100_000, 1));
            lines.finish(false)
        };
        assert_eq!(search(&grep(0)), ["the needle"]);
        assert_eq!(search(&grep(1)), ["hay 69999", "the needle", "hay 70001"]);

        let grep = grep(0);
        let mut many = Collector::new(Some(&grep), None);
        (0..90_000).for_each(|number| many.push(at(number), format!("needle {number}")));
        assert_eq!(many.finish(false).len(), 1, "many lines found are counted");
    }
}
