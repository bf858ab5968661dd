//! Reads words as kubectl does: verb, flags in all their spellings, objects; and holds them against the tables.
//!
//! *Invariant:* it takes a word for a flag, a value or an argument exactly where kubectl's own parser does, so that
//! what was checked is what runs.

use super::arguments;
use super::line::{Given, Line, objects, setting_of, written};
use super::params::{self, Setting, Slot};
use super::refusal::{Reason, Refusal, shown};
use super::tables::{self, Flag, GLOBAL, Takes, Verb, Words};
use super::values::{self, Wrong};
use super::words::{LONGEST_LINE, Word};
use crate::near::nearest;

/// The most words of a line.
const MOST_WORDS: usize = 256;

/// Makes a line of the words after `kubectl`.
pub(super) fn resolve(words: &[Word]) -> Result<Line, Refusal> {
    if let Some(word) = words.get(MOST_WORDS) {
        return Err(Refusal::new(Reason::TooLong, word.at, format!("more than {MOST_WORDS} words")));
    }
    if let Some(word) = words.iter().find(|word| word.text.is_empty()) {
        return Err(Refusal::new(Reason::EmptyWord, word.at, "an empty word").hinted("leave it out, or write it out"));
    }
    let slots = words.iter().map(|word| Slot { setting: setting_of(Takes::Text, &word.text), from: 0 }).collect();
    let mut reader = Reader { words, next: 0, slots, given: Vec::new() };
    let verb = reader.verb()?;
    let (positional, command) = reader.arguments(verb)?;
    let arguments: Vec<&Word> = positional.iter().filter_map(|index| words.get(*index)).collect();
    reader.check_count(verb, &arguments)?;
    let texts: Vec<String> = arguments.iter().map(|word| word.text.clone()).collect();
    let named = objects(verb, &texts);
    arguments::check(verb, &arguments, &texts, named)?;
    for index in positional.iter().take(named) {
        if let Some(slot) = reader.slots.get_mut(*index) {
            slot.setting = Setting::Object;
        }
    }
    let line = Line {
        verb,
        argv: words.iter().map(|word| word.text.clone()).collect(),
        slots: reader.slots,
        given: reader.given,
        positional: texts,
        command: command.iter().map(|word| word.text.clone()).collect(),
    };
    // Quoting makes a line longer; what is accepted must be read back.
    let length: usize = line.argv.iter().map(|word| written(word).len() + 1).sum();
    if length + "kubectl".len() > LONGEST_LINE {
        return Err(Refusal::new(Reason::TooLong, 0, format!("quoted, the line has more than {LONGEST_LINE} bytes")));
    }
    Ok(line)
}

struct Reader<'w> {
    words: &'w [Word],
    next: usize,
    slots: Vec<Slot>,
    given: Vec<Given>,
}

/// A flag's value as it stands in a word.
struct Value<'w> {
    text: &'w str,
    index: usize,
    from: usize,
    attached: bool,
}

impl<'w> Reader<'w> {
    fn peek(&self) -> Option<&'w Word> {
        self.words.get(self.next)
    }

    /// Where an error about what is missing is shown: at the last word.
    fn end(&self) -> usize {
        self.words.last().map_or(0, |word| word.at)
    }

    /// The verb with its subcommand; only flags that every verb has may stand before it.
    fn verb(&mut self) -> Result<&'static Verb, Refusal> {
        let mut path = String::new();
        while tables::subcommands(&path).next().is_some()
            && let Some(word) = self.peek()
        {
            if word.text.starts_with('-') {
                if tables::find(&path).is_some() && !is_global(&word.text) {
                    break;
                }
                self.flag(None)?;
                continue;
            }
            path = step(&path, word)?;
            self.next += 1;
        }
        tables::find(&path).ok_or_else(|| {
            let known = tables::subcommands(&path).collect::<Vec<_>>();
            let what = if path.is_empty() { "the verb".to_owned() } else { format!("what to `{path}`") };
            let refusal = Refusal::new(Reason::NoVerb, self.end(), format!("{what} is missing"));
            if path.is_empty() {
                return refusal.hinted("`kubectl get pods`");
            }
            let mut known = known;
            known.sort_unstable();
            known.dedup();
            refusal.hinted(format!("one of `{}`", known.join("`, `")))
        })
    }

    /// Everything after the verb: which words are no flags, and those after `--`.
    fn arguments(&mut self, verb: &'static Verb) -> Result<(Vec<usize>, &'w [Word]), Refusal> {
        let mut positional = Vec::new();
        while let Some(word) = self.peek() {
            if word.text == "--" {
                return self.command(verb).map(|command| (positional, command));
            }
            if word.text.starts_with('-') {
                self.flag(Some(verb))?;
            } else {
                positional.push(self.next);
                self.next += 1;
            }
        }
        Ok((positional, &[]))
    }

    /// What stands after `--`.
    fn command(&mut self, verb: &'static Verb) -> Result<&'w [Word], Refusal> {
        let rest = self.words.get(self.next + 1..).unwrap_or_default();
        let at = self.peek().map_or(0, |word| word.at);
        if let Some(word) = rest.iter().find(|word| word.text.starts_with('-')) {
            return Err(leading_dash(word.at, &word.text));
        }
        if !verb.command {
            return Err(Refusal::new(Reason::DoubleDash, at, format!("`--` has no meaning for `{}`", verb.path))
                .hinted("leave it out"));
        }
        if rest.is_empty() {
            return Err(Refusal::new(Reason::MissingValue, at, "no command follows `--`"));
        }
        Ok(rest)
    }

    /// One word with a flag, or several short ones; before the verb only flags that every verb has.
    fn flag(&mut self, verb: Option<&'static Verb>) -> Result<(), Refusal> {
        let Some(word) = self.peek() else { return Ok(()) };
        let index = self.next;
        self.next += 1;
        match word.text.strip_prefix("--") {
            Some("") => Err(Refusal::new(Reason::DoubleDash, word.at, "`--` has no meaning before the verb")),
            Some(body) => self.long(verb, word, index, body),
            None if word.text == "-" => Err(leading_dash(word.at, "-")),
            None => self.shorts(verb, word, index),
        }
    }

    fn long(
        &mut self,
        verb: Option<&'static Verb>,
        word: &'w Word,
        index: usize,
        body: &'w str,
    ) -> Result<(), Refusal> {
        let (name, value) = body.split_once('=').map_or((body, None), |(name, value)| (name, Some(value)));
        // Kubectl takes `_` for `-` in the name of a flag.
        let spelled = name.replace('_', "-");
        let lower = spelled.to_ascii_lowercase();
        if let Some(why) = tables::forbidden(&lower) {
            return Err(forbidden(word.at, &format!("--{lower}"), why));
        }
        let known = |name: &str| match verb {
            Some(verb) => verb.flag(name),
            None => GLOBAL.iter().find(|flag| flag.long == name),
        };
        let Some(flag) = known(name) else {
            let meant = known(&spelled).map(|flag| flag.long);
            return Err(unknown_flag(verb, word.at, &format!("--{name}"), &spelled, meant));
        };
        let from = "--".len() + name.len() + 1;
        let value = value.map(|text| Value { text, index, from, attached: true });
        self.take(flag, value, word.at)
    }

    /// `-w`, `-nNAME`, `-n=NAME`, `-n NAME`, and several in one word.
    fn shorts(&mut self, verb: Option<&'static Verb>, word: &'w Word, index: usize) -> Result<(), Refusal> {
        let mut rest = word.text.get(1..).unwrap_or_default();
        while let Some(letter) = rest.chars().next() {
            let tail = rest.get(letter.len_utf8()..).unwrap_or_default();
            let spelled = format!("-{letter}");
            if let Some((long, why)) = tables::forbidden_short(letter) {
                return Err(forbidden(word.at, &format!("-{letter}/--{long}"), why));
            }
            let known = match verb {
                Some(verb) => verb.short(letter),
                None => GLOBAL.iter().find(|flag| flag.short == Some(letter)),
            };
            let Some(flag) = known else { return Err(unknown_flag(verb, word.at, &spelled, "", None)) };
            let value = |text: &'w str| Value { text, index, from: word.text.len() - text.len(), attached: true };
            match (flag.takes, tail.strip_prefix('=')) {
                (Takes::Nothing, None) => {
                    self.take(flag, None, word.at)?;
                    rest = tail;
                }
                (_, Some(text)) => return self.take(flag, Some(value(text)), word.at),
                _ if tail.is_empty() => return self.take(flag, None, word.at),
                _ => return self.take(flag, Some(value(tail)), word.at),
            }
        }
        Ok(())
    }

    /// Takes a flag with its value, which may be the next word.
    fn take(&mut self, flag: &'static Flag, value: Option<Value<'w>>, at: usize) -> Result<(), Refusal> {
        let long = flag.long;
        if let Takes::Refused(reason, why, hint) = flag.takes {
            return Err(Refusal::new(reason, at, format!("`--{long}` {why}")).hinted(hint));
        }
        if !flag.many && self.given.iter().any(|given| given.long == long) {
            return Err(Refusal::new(Reason::RepeatedFlag, at, format!("`--{long}` is given twice")));
        }
        let value = match (flag.takes, value) {
            (Takes::Nothing, value) => return self.take_switch(long, value, at),
            (_, Some(value)) => value,
            (Takes::Attached(words), None) => {
                let example = words.get(1).copied().unwrap_or_default();
                return Err(Refusal::new(Reason::MissingValue, at, format!("`--{long}` has no value"))
                    .hinted(format!("write it with `=`: `--{long}={example}`")));
            }
            (_, None) => self.following(long, at)?,
        };
        if value.text.is_empty() || value.text == "=" {
            return Err(Refusal::new(Reason::EmptyWord, at, format!("the value of `--{long}` is empty")));
        }
        if value.text.starts_with('-') && !(flag.takes == Takes::Signed && value.attached) {
            let refusal = leading_dash(at, value.text);
            let signed = flag.takes == Takes::Signed;
            return Err(refusal.maybe_hinted(signed.then(|| format!("write it with `=`: `--{long}={}`", value.text))));
        }
        values::check(long, flag.takes, value.text).map_err(|wrong| refuse(at, wrong))?;
        if let Some(slot) = self.slots.get_mut(value.index) {
            *slot = Slot { setting: setting_of(flag.takes, value.text), from: value.from };
        }
        self.given.push(Given { long, value: value.text.to_owned() });
        Ok(())
    }

    /// The next word, as a value.
    fn following(&mut self, long: &str, at: usize) -> Result<Value<'w>, Refusal> {
        let Some(word) = self.peek() else {
            return Err(Refusal::new(Reason::MissingValue, at, format!("`--{long}` has no value")));
        };
        let index = self.next;
        self.next += 1;
        Ok(Value { text: &word.text, index, from: 0, attached: false })
    }

    /// A flag that is on or off.
    fn take_switch(&mut self, long: &'static str, value: Option<Value<'w>>, at: usize) -> Result<(), Refusal> {
        let next = self.peek().map(|word| word.text.as_str());
        let value = match value.map(|value| value.text) {
            None if matches!(next, Some("true" | "false")) => {
                let message = format!("`--{long}` does not take the next word as its value");
                return Err(Refusal::new(Reason::BadValue, at, message).hinted(format!("`--{long}=false`")));
            }
            None => "true",
            Some(value @ ("true" | "false")) => value,
            Some(other) => {
                let message = format!("`--{long}` is `true` or `false`, not {}", shown(other));
                return Err(Refusal::new(Reason::BadValue, at, message));
            }
        };
        self.given.push(Given { long, value: value.to_owned() });
        Ok(())
    }

    /// As many words after the verb as it takes.
    fn check_count(&self, verb: &'static Verb, words: &[&Word]) -> Result<(), Refusal> {
        let given = |long| self.given.iter().any(|given| given.long == long);
        let (least, most) = verb.count;
        let by_name = matches!(verb.words, Words::Names(_) | Words::NameThenOne(_));
        let of_files = verb.words == Words::Plain && verb.flag("filename").is_some();
        let pairs = usize::from(matches!(
            verb.words,
            Words::ObjectsThenPairs | Words::ObjectsThenOne | Words::ObjectsThenSelector
        ));
        if let Some(word) = words.first().filter(|_| by_name && given("selector")) {
            let message = format!("{} and a selector: only one of them says which", shown(&word.text));
            return Err(Refusal::new(Reason::Arguments, word.at, message));
        }
        let least = match verb.words {
            _ if given("list") || (by_name && given("selector")) => 0,
            _ if given("filename") => least.min(pairs),
            _ => least,
        };
        if words.len() < least {
            let message = format!("`{}` needs {}", verb.path, arguments::needs(verb.words));
            return Err(Refusal::new(Reason::Arguments, self.end(), message));
        }
        if let Some(word) = words.get(most) {
            let message = format!("{} is one word too many for `{}`", shown(&word.text), verb.path);
            return Err(Refusal::new(Reason::Arguments, word.at, message));
        }
        if of_files && !given("filename") {
            return Err(Refusal::new(Reason::MissingValue, self.end(), "`-f FILE.yaml` is missing"));
        }
        Ok(())
    }
}

/// The path with one more word.
fn step(path: &str, word: &Word) -> Result<String, Refusal> {
    let text = word.text.as_str();
    let name = Some(tables::canonical(path, text)).filter(|name| !name.is_empty()).unwrap_or(text);
    let full = if path.is_empty() { name.to_owned() } else { format!("{path} {name}") };
    if tables::subcommands(path).any(|known| known == name) {
        return Ok(full);
    }
    if let Some((why, hint)) = tables::refused_verb(&full) {
        let message = format!("`kubectl {full}` {why}");
        return Err(Refusal::new(Reason::RefusedVerb, word.at, message).hinted(hint));
    }
    if params::any(text) {
        return Err(Refusal::new(Reason::Placeholder, word.at, "a verb can't be a placeholder"));
    }
    let message = format!("{} is no verb of {}", shown(text), shown(format!("kubectl {path}").trim_end()));
    let refusal = Refusal::new(Reason::UnknownVerb, word.at, message).hinted("plugins are not run");
    let meant = nearest(text, tables::subcommands(path)).map(|meant| format!("did you mean `{meant}`?"));
    Err(refusal.maybe_hinted(meant))
}

fn is_global(word: &str) -> bool {
    let name = word.trim_start_matches('-').split('=').next().unwrap_or_default();
    GLOBAL.iter().any(|flag| {
        if word.starts_with("--") { flag.long == name } else { flag.short.is_some_and(|short| name.starts_with(short)) }
    })
}

fn refuse(at: usize, (reason, message, hint): Wrong) -> Refusal {
    Refusal::new(reason, at, message).maybe_hinted(hint)
}

fn leading_dash(at: usize, text: &str) -> Refusal {
    Refusal::new(Reason::LeadingDash, at, format!("{} begins with `-` where a value is expected", shown(text)))
        .hinted("a name or value can't begin with `-`: it would be read as a flag")
}

fn forbidden(at: usize, flag: &str, why: &str) -> Refusal {
    Refusal::new(Reason::ForbiddenFlag, at, format!("{} {why}", shown(flag)))
        .hinted("leave it out: cluster and credentials are chosen by who runs the line")
}

fn unknown_flag(
    verb: Option<&'static Verb>,
    at: usize,
    flag: &str,
    name: &str,
    meant: Option<&'static str>,
) -> Refusal {
    let Some(verb) = verb else {
        return Refusal::new(Reason::FlagBeforeVerb, at, format!("{} stands before the verb", shown(flag)))
            .hinted("only `--namespace`, `--context` and `--request-timeout` may stand there");
    };
    let meant = meant.or_else(|| nearest(name, verb.all().map(|flag| flag.long)));
    Refusal::new(Reason::UnknownFlag, at, format!("`kubectl {}` takes no {} here", verb.path, shown(flag)))
        .maybe_hinted(meant.map(|meant| format!("did you mean `--{meant}`?")))
}
