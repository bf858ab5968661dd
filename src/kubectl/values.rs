//! What the value of a flag, a type and a name may look like.
//!
//! *Invariant:* a name is one segment of a path of the API: no `/`, `%`, `?`, `#`, and never `.` or `..`.

use super::params;
use super::refusal::{Reason, shown};
use super::tables::Takes;

/// Why a value is refused: the rule, the message, and a hint.
pub(super) type Wrong = (Reason, String, Option<String>);

fn wrong(reason: Reason, message: String, hint: impl Into<String>) -> Wrong {
    (reason, message, Some(hint.into()))
}

/// Checks the value of a flag.
pub(super) fn check(flag: &str, takes: Takes, value: &str) -> Result<(), Wrong> {
    let plain = params::without(value);
    let digits = |text: &str| text.chars().all(|letter| letter.is_ascii_digit());
    let (fine, expected) = match takes {
        Takes::Nothing | Takes::Text | Takes::Selector | Takes::Refused(..) => return Ok(()),
        Takes::Object => return object(value),
        Takes::Json => return json(flag, value),
        Takes::Manifest => return manifest(flag, value),
        Takes::Output(words, templates) => return output(words, templates, value),
        Takes::Condition => return condition(value),
        Takes::Name => (is_name(value), "a name"),
        Takes::Number => (digits(&plain), "a number"),
        Takes::Signed => (digits(plain.strip_prefix('-').unwrap_or(&plain)) && value != "-", "a number"),
        Takes::Duration => (is_duration(&plain), "a time such as `30s`, `5m` or `1h30m`"),
        Takes::Seconds => (digits(&plain) || is_duration(&plain), "a time such as `30s` or `5m`"),
        Takes::OneOf(words) | Takes::Attached(words) => {
            (words.contains(&value), &*format!("one of `{}`", words.join("`, `")))
        }
    };
    if fine {
        return Ok(());
    }
    Err((Reason::BadValue, format!("`--{flag}` must be {expected}, not {}", shown(value)), None))
}

/// A patch is JSON; a placeholder in it stands in a string or for a number.
fn json(flag: &str, value: &str) -> Result<(), Wrong> {
    let example = "write it out: `-p '{\"spec\":{\"replicas\":2}}'`";
    let mut probe = String::new();
    let mut rest = 0;
    for (start, end) in params::spans(value) {
        probe.push_str(value.get(rest..start).unwrap_or_default());
        probe.push('0');
        rest = end;
    }
    probe.push_str(value.get(rest..).unwrap_or_default());
    match serde_json::from_str::<serde_json::Value>(&probe) {
        Ok(json) if json.is_object() || json.is_array() => Ok(()),
        Ok(_) => Err(wrong(Reason::BadValue, format!("`--{flag}` must be a JSON object or list"), example)),
        Err(error) => Err(wrong(Reason::BadValue, format!("`--{flag}` is no JSON: {error}"), example)),
    }
}

/// The manifest stands in the document that the line stands in, under this name.
fn manifest(flag: &str, value: &str) -> Result<(), Wrong> {
    let stem = [".yaml", ".yml", ".json"].iter().find_map(|ending| value.strip_suffix(ending));
    let fine = stem.is_some_and(|stem| {
        stem.starts_with(|first: char| first.is_ascii_alphanumeric())
            && stem.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
            && !value.contains("..")
    });
    if fine {
        return Ok(());
    }
    let message = format!("`--{flag}` must be the plain name of a manifest, not {}", shown(value));
    Err(wrong(
        Reason::LocalFile,
        message,
        "the manifest stands in a `yaml {\"name\":\"FILE.yaml\"}` block of the same document; \
         no path, URL or standard input",
    ))
}

fn output(words: &[&str], templates: &[&str], value: &str) -> Result<(), Wrong> {
    let format = value.split_once('=').map_or(value, |(format, _)| format);
    if words.contains(&value) || templates.contains(&format) {
        return Ok(());
    }
    if format.ends_with("file") {
        let message = format!("`--output` {} reads a local file", shown(format));
        return Err(wrong(Reason::LocalFile, message, "write the template out: `-o jsonpath='{.metadata.name}'`"));
    }
    let known = words.iter().chain(templates).copied().collect::<Vec<_>>().join("`, `");
    let message = format!("`--output` must be one of `{known}`, not {}", shown(format));
    let hint = (words == ["name"]).then(|| "a change prints names; read the object afterwards".to_owned());
    Err((Reason::BadValue, message, hint))
}

fn condition(value: &str) -> Result<(), Wrong> {
    let named = |prefix| value.strip_prefix(prefix).is_some_and(|rest: &str| !rest.is_empty());
    if matches!(value, "delete" | "create") || named("condition=") || named("jsonpath=") {
        return Ok(());
    }
    let message = format!("`--for` must be `delete`, `create`, `condition=…` or `jsonpath=…`, not {}", shown(value));
    Err(wrong(Reason::BadValue, message, "`--for=condition=Ready`"))
}

/// One object: `TYPE/NAME`, or a placeholder for it.
pub(super) fn object(word: &str) -> Result<(), Wrong> {
    let refuse = |what: &str| {
        Err(wrong(Reason::Resource, format!("{} {what}", shown(word)), "an object is written `TYPE/NAME`"))
    };
    match word.split_once('/') {
        None if params::without(word).is_empty() => Ok(()),
        None => refuse("has no `/` between type and name"),
        Some((kind, _)) if !is_kind(kind) => refuse("has no type before the `/`"),
        Some((_, name)) if !is_name(name) => refuse("has no name after the `/`"),
        Some(_) => Ok(()),
    }
}

/// The words that name objects: `TYPE[,TYPE] NAME…`, or `TYPE/NAME…`. Tells which word is wrong.
pub(super) fn objects(words: &[String]) -> Result<(), (usize, Wrong)> {
    if let Some(index) = words.iter().position(|word| word.contains('/')) {
        if let Some(first) = words.first().filter(|first| index > 0 && !params::any(first)) {
            let message =
                format!("{} stands beside the type {}", shown(words.get(index).map_or("", |w| w)), shown(first));
            return Err((index, wrong(Reason::Resource, message, "write `TYPE NAME` or `TYPE/NAME`, not both")));
        }
        return words.iter().enumerate().try_for_each(|(index, word)| object(word).map_err(|wrong| (index, wrong)));
    }
    for (index, word) in words.iter().enumerate() {
        let (fine, what) = match index {
            0 => (word.split(',').all(is_kind), "is no type of objects"),
            _ => (is_name(word), "is no name of an object"),
        };
        if !fine {
            let hint = "write `TYPE NAME` or `TYPE/NAME`, in letters, digits, `-` and `.`";
            return Err((index, wrong(Reason::Resource, format!("{} {what}", shown(word)), hint)));
        }
    }
    Ok(())
}

/// `TYPE[.VERSION][.GROUP]`.
fn is_kind(word: &str) -> bool {
    let plain = params::without(word);
    !word.is_empty()
        && !word.starts_with(['.', '-'])
        && plain.chars().all(|letter| letter.is_ascii_alphanumeric() || "-.".contains(letter))
}

/// A name that is one segment of a path.
pub(super) fn is_name(word: &str) -> bool {
    let plain = params::without(word);
    !word.is_empty()
        && !matches!(word, "." | "..")
        && plain.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.:@+~".contains(letter))
}

/// Words of `auth can-i` and `explain`: a verb, a type with its fields, a path.
pub(super) fn is_path(word: &str) -> bool {
    params::without(word).chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.:/*".contains(letter))
}

/// `0`, `1h30m`, `1.5s`; of a value with a placeholder what stands around that.
fn is_duration(plain: &str) -> bool {
    let mut rest = plain;
    while !rest.is_empty() && rest != "0" {
        let unit = rest.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        let Some(next) = ["ms", "us", "ns", "h", "m", "s"].iter().find_map(|known| unit.strip_prefix(known)) else {
            return false;
        };
        rest = next;
    }
    true
}
