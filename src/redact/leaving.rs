//! What is about to leave the process: to a model, into a file, to another program.
//!
//! *Invariant:* secrets are gone before, where text is read; addresses go here only, since detectors reckon with them.
//! What was masked here can be put back for a person's eyes by the redactor that masked it, and by no other.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::addresses::{self, Addresses};
use super::clean::clean;
use super::texts::strings;
use super::{MARK, Redacted, Redactor, Texts, between_placeholders, is_key_material, patterns, placeholder_length};
use crate::model::Snapshot;

/// Addresses that were masked, by their placeholders.
pub(super) type Seen = Arc<Mutex<BTreeMap<String, String>>>;

impl Redactor {
    /// It, masking these addresses too in what leaves.
    #[must_use]
    pub fn hiding(self, addresses: Addresses) -> Redactor {
        Redactor { addresses, ..self }
    }

    /// Which addresses it masks.
    pub fn hidden(&self) -> Addresses {
        self.addresses
    }

    /// Whether addresses are masked.
    pub fn hides_addresses(&self) -> bool {
        self.addresses.any()
    }

    /// Masks each text of it, line by line, and seals it: the one way to whatever leaves the process.
    pub fn seal_texts<T: Texts>(&self, mut texts: T) -> Redacted<T> {
        texts.each_text(&mut |text| self.seal_one(text));
        Redacted(texts)
    }

    pub(super) fn seal_one(&self, text: &mut String) {
        // A key is one from its first line to its last; alone, its last line looks like nothing.
        if let Some(masked) = self.without_keys(text) {
            *text = masked;
        }
        if patterns::may_hold_secret(&clean(text)) || text.lines().any(is_key_material) {
            let masked: Vec<String> = text.split('\n').map(|line| self.line(line)).collect();
            *text = masked.join("\n");
        }
        self.hide(text);
    }

    /// Masks addresses where that is asked for.
    pub(super) fn hide(&self, text: &mut String) {
        if !self.addresses.any() {
            return;
        }
        let (mut masked, mut done) = (String::with_capacity(text.len()), 0);
        for part in between_placeholders(text) {
            let inner = text.get(part.clone()).unwrap_or_default();
            for (range, what) in addresses::find(inner, self.addresses) {
                let address = inner.get(range.clone()).unwrap_or_default();
                let placeholder = self.placeholder_of(address, what.word());
                masked.push_str(text.get(done..part.start + range.start).unwrap_or_default());
                masked.push_str(&placeholder);
                done = part.start + range.end;
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.insert(placeholder, address.to_owned());
            }
        }
        if done > 0 {
            masked.push_str(text.get(done..).unwrap_or_default());
            *text = masked;
        }
    }

    /// Data as it may leave: without addresses, where they are to be masked, in any of its strings.
    ///
    /// # Errors
    /// When it can't be written as JSON and read again.
    pub fn leaving<T: Serialize + DeserializeOwned>(&self, data: T) -> serde_json::Result<T> {
        if !self.addresses.any() {
            return Ok(data);
        }
        through_json(&data, &mut |text| self.hide(text))
    }

    /// A sealed snapshot as it may leave.
    ///
    /// # Errors
    /// When it can't be written as JSON and read again.
    pub fn leaving_snapshot<'s>(
        &self,
        sealed: &'s Redacted<Snapshot>,
    ) -> serde_json::Result<Cow<'s, Redacted<Snapshot>>> {
        if !self.addresses.any() {
            return Ok(Cow::Borrowed(sealed));
        }
        through_json(&**sealed, &mut |text| self.hide(text)).map(|snapshot| Cow::Owned(Redacted(snapshot)))
    }

    /// Data for a person at a terminal: with the addresses that this process read itself.
    ///
    /// # Errors
    /// When it can't be written as JSON and read again.
    pub fn restored<T: Serialize + DeserializeOwned>(&self, data: T) -> serde_json::Result<T> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if seen.is_empty() {
            return Ok(data);
        }
        through_json(&data, &mut |text| {
            if text.contains(MARK) {
                *text = put_back(text, &seen);
            }
        })
    }
}

fn through_json<T: Serialize + DeserializeOwned>(
    data: &T,
    change: &mut dyn FnMut(&mut String),
) -> serde_json::Result<T> {
    let mut value: Value = serde_json::to_value(data)?;
    strings(&mut value, change);
    serde_json::from_value(value)
}

fn put_back(text: &str, seen: &BTreeMap<String, String>) -> String {
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for (at, _) in text.match_indices(MARK) {
        let length = text.get(at..).and_then(placeholder_length).unwrap_or_default();
        if let Some(address) = text.get(at..at + length).and_then(|placeholder| seen.get(placeholder)) {
            out.push_str(text.get(done..at).unwrap_or_default());
            out.push_str(address);
            done = at + length;
        }
    }
    out + text.get(done..).unwrap_or_default()
}

/// Text without secrets, and without addresses where that is asked for, for who has no use for placeholders: `<redacted>`
/// stands for each. It needs no key, so it is the same for everybody.
pub fn blank(text: &str, addresses: Addresses) -> String {
    let mut masked = text.to_owned();
    Redactor::new([0; 32]).hiding(addresses).seal_one(&mut masked);
    let parts: Vec<&str> = between_placeholders(&masked).into_iter().filter_map(|part| masked.get(part)).collect();
    parts.join("<redacted>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::chat::{ChatRequest, Message};
    use crate::model::{LogTail, ObjectRef, Scope, Time};

    const BOTH: Addresses = Addresses { emails: true, ips: true };

    fn redactor() -> Redactor {
        Redactor::new([7; 32]).hiding(BOTH)
    }

    fn sealed(redactor: &Redactor, text: &str) -> String {
        redactor.seal_texts(text.to_owned()).into_inner()
    }

    #[test]
    fn addresses_go_on_request_and_come_back_for_eyes_only() {
        let text = "jo@example.com from 10.0.12.7:80 to 10.0.12.7 with password=hunter";
        let (with, without) = (redactor(), Redactor::new([7; 32]));
        assert!(sealed(&without, text).starts_with("jo@example.com from 10.0.12.7:80 to 10.0.12.7 with password=<"));
        let masked = sealed(&with, text);
        let ip = with.placeholder_of("10.0.12.7", "ip");
        assert!(ip.ends_with("~ip>") && masked.matches(&ip).count() == 2, "{masked}");
        assert_eq!(sealed(&with, &masked), masked, "masking is idempotent");
        assert_eq!(sealed(&redactor(), &masked), masked, "in another process too");
        let back = with.restored(masked.clone()).unwrap();
        assert!(back.starts_with("jo@example.com from 10.0.12.7:80 to 10.0.12.7 with password=<redacted:"), "{back}");
        assert_eq!(redactor().restored(masked.clone()).unwrap(), masked, "another process did not read them");
    }

    #[test]
    fn each_kind_by_itself() {
        let text = "jo@example.com 10.0.12.7";
        for (addresses, mail, ip) in [
            (Addresses::default(), true, true),
            (Addresses { emails: true, ips: false }, false, true),
            (Addresses { emails: false, ips: true }, true, false),
            (BOTH, false, false),
        ] {
            let masked = sealed(&Redactor::new([7; 32]).hiding(addresses), text);
            assert_eq!((masked.contains("jo@"), masked.contains("10.0")), (mail, ip), "{masked}");
        }
    }

    #[test]
    fn a_snapshot_and_a_request_leave_without_any() {
        let mut snapshot = Snapshot::new(Time::UNIX_EPOCH, "test", Scope::default());
        let pod = serde_json::json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "shop",
            "annotations": {"owner": "jo@example.com"}}, "spec": {"nodeName": "10.0.0.9"},
            "status": {"podIP": "10.0.12.7", "message": "from fd00:10::7"}});
        snapshot.objects.add_json(pod).unwrap();
        let pod = ObjectRef::new(crate::model::Kind::Pod, "shop", "p");
        let lines = vec!["lookup by jo@example.com at 10.0.12.7".to_owned()];
        snapshot.logs.push(LogTail { pod, container: "c".into(), previous: false, lines });
        let redactor = redactor();
        let kept = redactor.seal(snapshot);
        assert!(serde_json::to_string(&*kept).unwrap().contains("10.0.12.7"), "detectors reckon with it");
        let left = serde_json::to_string(&**redactor.leaving_snapshot(&kept).unwrap()).unwrap();
        for address in ["10.0.12.7", "10.0.0.9", "fd00:10::7", "jo@example.com"] {
            assert!(!left.contains(address), "{address}: {left}");
        }
        let message = Message::User { text: "why does 10.0.12.7 fail?".to_owned() };
        let request = redactor.seal_texts(ChatRequest { messages: vec![message], ..ChatRequest::default() });
        assert!(!serde_json::to_string(&*request).unwrap().contains("10.0.12.7"));
    }

    #[test]
    fn the_last_line_of_a_key_goes_with_the_first() {
        let key =
            format!("-----BEGIN EC PRIVATE KEY-----\n{}\nAwEAAa9x\n-----END EC PRIVATE KEY-----", "Mx7/".repeat(16));
        let masked = sealed(&Redactor::new([7; 32]), &format!("why?\n{key}\nafter"));
        assert!(
            !masked.contains("AwEAAa9x") && masked.starts_with("why?\n-----BEGIN") && masked.ends_with("after"),
            "{masked}"
        );
        assert_eq!(sealed(&Redactor::new([7; 32]), &masked), masked);
    }

    #[test]
    fn blanked_text_is_the_same_for_everybody() {
        let text = "psql postgres://app:hunter2@db/x\npassword: hunter2\nask jo@example.com";
        assert_eq!(blank(text, BOTH), "psql postgres://app:<redacted>@db/x\npassword: <redacted>\nask <redacted>");
        assert_eq!(blank(&blank(text, BOTH), BOTH), blank(text, BOTH));
        assert_eq!(blank("plain", Addresses::default()), "plain");
    }
}
