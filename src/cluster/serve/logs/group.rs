//! Lines that say the same, counted: a log repeats itself, and a model pays for each line.
//!
//! *Invariant:* the order is that of first appearance; nothing is left out without being counted.

use std::collections::{HashMap, VecDeque};

use crate::cluster::serve::filter::Grep;
use crate::cluster::serve::source::Line;
use crate::model::Time;

/// Fewer lines than this are shown as they are.
const FEW: usize = 20;
/// As many equal lines are one.
const FREQUENT: usize = 3;
/// Lines of a log that are kept at the most, the newest.
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
    first: Option<Time>,
    last: Option<Time>,
    example: String,
}

/// Takes the lines of one log as they come.
pub(super) struct Collector<'g> {
    grep: Option<&'g Grep>,
    tail: usize,
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
        let tail = tail.and_then(|tail| usize::try_from(tail).ok()).unwrap_or(MOST_LINES);
        Collector {
            grep,
            tail: tail.min(MOST_LINES),
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
            if self.lines.len() > self.tail {
                self.lines.pop_front();
            }
            return;
        };
        if !grep.finds(&line) {
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
        self.count(time, &line);
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

    fn count(&mut self, time: Option<Time>, line: &str) {
        let pattern = pattern(line);
        if let Some(group) = self.known.get(&pattern).and_then(|&at| self.groups.get_mut(at)) {
            group.times += 1;
            group.last = time.or(group.last);
        } else if self.groups.len() < MOST_GROUPS {
            self.known.insert(pattern, self.groups.len());
            self.groups.push(Group { times: 1, first: time, last: time, example: line.to_owned() });
        } else {
            self.ungrouped += 1;
        }
    }

    /// The lines as they are shown.
    pub(super) fn finish(&mut self, stamps: bool) -> Vec<String> {
        let written = |(time, line): &Line| match time {
            Some(time) if stamps => format!("{time} {line}"),
            _ => line.clone(),
        };
        let Some(grep) = self.grep else {
            let times: Vec<Time> = self.lines.iter().filter_map(|(time, _)| *time).collect();
            for time in times {
                self.widen(Some(time));
            }
            return self.grouped(stamps);
        };
        if grep.context > 0 || self.found <= MOST_FOUND {
            return self.lines.iter().map(written).collect();
        }
        self.groups.iter().map(|group| shown(group, stamps)).collect()
    }

    /// The last lines, those that are frequent as one each.
    fn grouped(&mut self, stamps: bool) -> Vec<String> {
        let lines = std::mem::take(&mut self.lines);
        for (time, line) in &lines {
            self.count(*time, line);
        }
        let single = |(time, line): &Line| Group { times: 1, first: *time, last: *time, example: line.clone() };
        if lines.len() <= FEW {
            return lines.iter().map(|line| shown(&single(line), stamps)).collect();
        }
        let mut out = Vec::new();
        let mut said = vec![false; self.groups.len()];
        for line in &lines {
            let group = self.known.get(&pattern(&line.1)).copied();
            match group.and_then(|at| Some((at, self.groups.get(at)?))) {
                Some((at, group)) if group.times >= FREQUENT => {
                    if let Some(said) = said.get_mut(at).filter(|said| !**said) {
                        *said = true;
                        out.push(shown(group, stamps));
                    }
                }
                _ => out.push(shown(&single(line), stamps)),
            }
        }
        self.ungrouped = 0;
        out
    }
}

fn shown(group: &Group, stamps: bool) -> String {
    match (group.times, group.first, group.last) {
        (1, Some(time), _) if stamps => format!("{time} {}", group.example),
        (1, ..) => group.example.clone(),
        (times, Some(first), Some(last)) => format!("× {times}, {}: {}", span(first, last), group.example),
        (times, ..) => format!("× {times}: {}", group.example),
    }
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
