//! Front matter as YAML: keys in their fixed order, short lists on one line, long text folded at 80 columns.

use std::fmt::{Display, Write as _};

use serde::Serialize;

use crate::model::runbook::{AppliesTo, Automation, FrontMatter, Provenance, RootCause, Signature};

/// Where lines are folded.
const WIDTH: usize = 80;

/// Front matter without its fences.
pub fn front_matter(front: &FrontMatter) -> String {
    let mut out = Writer::default();
    out.some("$schema", front.json_schema.as_deref());
    out.key("schema", &scalar(&front.schema));
    out.key("name", &scalar(&front.name));
    out.key("title", &scalar(&front.title));
    out.prose("description", &front.description);
    out.key("status", &word(&front.status));
    out.some("supersededBy", front.superseded_by.as_deref());
    out.key("severity", &word(&front.severity));
    if front.root_cause != RootCause::Unknown {
        out.key("rootCause", &word(&front.root_cause));
    }
    signature(&mut out, &front.signature);
    applies_to(&mut out, &front.applies_to);
    automation(&mut out, &front.automation);
    out.open("params", !front.params.is_empty());
    for (name, what) in &front.params {
        out.key(&scalar(name), &scalar(what));
    }
    out.close();
    out.list("owners", &front.owners);
    if let Some(reviewed) = &front.reviewed {
        out.key("reviewed", &quoted(reviewed));
    }
    if let Some(provenance) = &front.provenance {
        self::provenance(&mut out, provenance);
    }
    out.lines("references", &front.references);
    out.list("tags", &front.tags);
    out.text
}

fn signature(out: &mut Writer, signature: &Signature) {
    let Signature { detectors, kinds, reasons, exit_codes, alerts, logs, labels } = signature;
    if *signature == Signature::default() {
        out.key("match", "{}");
        return;
    }
    out.open("match", true);
    out.list("detectors", detectors);
    out.list("kinds", kinds);
    out.list("reasons", reasons);
    if !exit_codes.is_empty() {
        let codes: Vec<String> = exit_codes.iter().map(u8::to_string).collect();
        out.key("exitCodes", &format!("[{}]", codes.join(", ")));
    }
    out.list("alerts", alerts);
    out.lines("logs", logs);
    out.some("labels", labels.as_deref());
    out.close();
}

fn applies_to(out: &mut Writer, applies: &AppliesTo) {
    out.open("appliesTo", *applies != AppliesTo::default());
    out.some("kubernetes", applies.kubernetes.as_deref());
    out.list("platforms", &applies.platforms);
    out.close();
}

fn automation(out: &mut Writer, automation: &Automation) {
    let Automation { level, risk, blast_radius, cooldown, max_per_day } = automation;
    out.open("automation", true);
    out.key("level", &word(level));
    for (key, value) in [("risk", risk.as_ref().map(word)), ("blastRadius", blast_radius.as_ref().map(word))] {
        if let Some(value) = value {
            out.key(key, &value);
        }
    }
    out.some("cooldown", cooldown.as_deref());
    if let Some(most) = max_per_day {
        out.key("maxPerDay", &most);
    }
    out.close();
}

fn provenance(out: &mut Writer, provenance: &Provenance) {
    if *provenance == Provenance::default() {
        out.key("provenance", "{}");
        return;
    }
    out.open("provenance", true);
    out.some("generatedBy", provenance.generated_by.as_deref());
    out.some("model", provenance.model.as_deref());
    out.list("incidents", &provenance.incidents);
    out.close();
}

#[derive(Default)]
struct Writer {
    text: String,
    /// Whether keys stand below another one; more levels there are not.
    indented: Vec<bool>,
}

impl Writer {
    fn indent(&self) -> &'static str {
        if self.indented.contains(&true) { "  " } else { "" }
    }

    fn key(&mut self, key: &str, value: &(impl Display + ?Sized)) {
        let _ = writeln!(self.text, "{}{key}: {value}", self.indent());
    }

    fn some(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.key(key, &scalar(value));
        }
    }

    /// Begins a mapping, where there is anything in it.
    fn open(&mut self, key: &str, any: bool) {
        if any {
            let _ = writeln!(self.text, "{key}:");
        }
        self.indented.push(any);
    }

    fn close(&mut self) {
        self.indented.pop();
    }

    /// A list on one line where it fits, else with an item a line.
    fn list(&mut self, key: &str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        let line = format!("[{}]", items.iter().map(|item| flow(item)).collect::<Vec<_>>().join(", "));
        if self.indent().len() + key.len() + 2 + line.chars().count() <= WIDTH {
            self.key(key, &line);
        } else {
            self.lines(key, items);
        }
    }

    fn lines(&mut self, key: &str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        let indent = self.indent();
        let _ = writeln!(self.text, "{indent}{key}:");
        for item in items {
            let _ = writeln!(self.text, "{indent}  - {}", scalar(item));
        }
    }

    /// Text, folded where it is long.
    fn prose(&mut self, key: &str, text: &str) {
        let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let foldable = plain == text && !text.chars().any(char::is_control);
        if !foldable || key.len() + 2 + text.chars().count() <= WIDTH {
            self.key(key, &scalar(text));
            return;
        }
        let _ = write!(self.text, "{key}: >-");
        let mut room = 0;
        for word in text.split(' ') {
            let length = word.chars().count();
            if room < length + 1 {
                self.text.push_str("\n  ");
                room = WIDTH - 2;
            } else {
                self.text.push(' ');
                room -= 1;
            }
            self.text.push_str(word);
            room = room.saturating_sub(length);
        }
        self.text.push('\n');
    }
}

/// The word that an enum's value has in JSON.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A scalar, in quotes where it would mean something else without.
fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// A scalar in a list on one line.
fn flow(text: &str) -> String {
    if is_plain(text) && !text.contains([',', '[', ']', '{', '}']) { text.to_owned() } else { quoted(text) }
}

/// Whether YAML of any version takes it for the text that it is.
fn is_plain(text: &str) -> bool {
    const WORDS: &[&str] = &["true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"];
    let first = |c: char| c.is_alphabetic() || matches!(c, '/' | '$' | '_' | '(' | '.');
    // `30m`: a number with a unit, and the only thing that begins with a digit and is surely none.
    let span =
        text.strip_suffix(['s', 'm', 'h']).is_some_and(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()));
    span || text.starts_with(first)
        && !text.starts_with("...")
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(needs_escape)
        && !WORDS.contains(&text.to_lowercase().as_str())
        && !text.trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit())
        && !matches!(text.to_lowercase().as_str(), ".inf" | ".nan")
}

/// What YAML does not take as it is, or takes for the end of a line.
fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// In the quotes that need the fewest escapes.
fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.chars().any(needs_escape) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if needs_escape(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
