//! Secrets that are found again: each is told apart by its place.
//!
//! Forms of vendors are put together here, so that no scanner takes this file for a leak.

use std::collections::{BTreeMap, BTreeSet};

use regex::bytes::Regex;

/// All that was planted, by its place.
#[derive(Clone, Default)]
pub(super) struct Plants(BTreeMap<String, String>);

const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

/// What looks like chance, and is the same in every run.
fn random(place: &str, length: usize) -> String {
    let mut state = place
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        LETTERS[usize::try_from(state >> 33).unwrap() % LETTERS.len()]
    };
    (0..length).map(|_| char::from(next())).collect()
}

impl Plants {
    /// A password of a person's making, as long as one, with a digit: known by the name beside it.
    pub(super) fn word(&mut self, place: &str) -> String {
        self.plant(place, format!("kq{}7Rz", random(place, 12)))
    }

    /// A word of letters alone, as people choose them: known by the name beside it.
    pub(super) fn letters(&mut self, place: &str) -> String {
        let letters = random(place, 14).to_lowercase();
        self.plant(place, letters.chars().map(|c| if c.is_ascii_digit() { 'x' } else { c }).collect())
    }

    /// So many characters of chance behind `head`.
    pub(super) fn form(&mut self, place: &str, head: &[&str], length: usize) -> String {
        self.plant(place, format!("{}{}", head.concat(), random(place, length)))
    }

    /// As [`Plants::form`], in capitals.
    pub(super) fn capitals(&mut self, place: &str, head: &[&str], length: usize) -> String {
        self.plant(place, format!("{}{}", head.concat(), random(place, length).to_uppercase()))
    }

    /// A token in three parts, of which each is one.
    pub(super) fn token(&mut self, place: &str) -> String {
        let payload = self.plant(place, random(place, 60));
        let signature = self.plant(&format!("{place}, its signature"), random(&format!("{place}s"), 43));
        format!("{}JhbGciOiJSUzI1NiJ9.{}J{payload}.{signature}", "ey", "ey")
    }

    /// A private key, of which each line is one.
    pub(super) fn key(&mut self, place: &str) -> String {
        let mut line = |number: usize, length: usize| {
            let place = format!("{place}, line {number} of the key");
            let text = random(&place, length);
            self.plant(&place, text)
        };
        let lines = [line(1, 64), line(2, 64), line(3, 28)].join("\n");
        let edge = |word: &str| format!("-----{word} RSA PRIVATE {}-----", "KEY");
        format!("{}\n{lines}\n{}", edge("BEGIN"), edge("END"))
    }

    fn plant(&mut self, place: &str, value: String) -> String {
        assert!(self.0.insert(place.to_owned(), value.clone()).is_none(), "two secrets at {place}");
        value
    }

    /// What finds all of them at once.
    pub(super) fn finder(&self) -> Finder {
        let mut forms = BTreeMap::new();
        for (place, value) in &self.0 {
            let hex = value.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
            let encoded = (0..3).map(|shift| base64_core(value, shift));
            forms.extend(encoded.chain([value.clone(), hex]).map(|form| (form, place.clone())));
        }
        let any: Vec<String> = forms.keys().map(|form| regex::escape(form)).collect();
        Finder { any: Regex::new(&any.join("|")).unwrap(), forms }
    }
}

/// Finds secrets as they are, in base64 and in hex.
pub(super) struct Finder {
    any: Regex,
    forms: BTreeMap<String, String>,
}

impl Finder {
    /// The places whose secret stands in `bytes`.
    pub(super) fn found(&self, bytes: &[u8]) -> BTreeSet<&str> {
        self.any.find_iter(bytes).map(|found| self.forms[str::from_utf8(found.as_bytes()).unwrap()].as_str()).collect()
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let part = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = part(0) << 16 | part(1) << 8 | part(2);
        for at in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap();
            out.push(if at <= chunk.len() { char::from(DIGITS[digit]) } else { '=' });
        }
    }
    out
}

/// What every base64 has in it that holds `value` after `shift` other bytes.
fn base64_core(value: &str, shift: usize) -> String {
    let padded = [&b"xx"[..shift], value.as_bytes()].concat();
    let text = base64(&padded);
    let whole = padded.len() / 3 * 4;
    text.get([0, 2, 3][shift]..whole).unwrap().to_owned()
}

#[test]
fn a_secret_is_found_in_each_of_its_forms() {
    let mut plants = Plants::default();
    let value = plants.word("here");
    plants.word("there");
    assert_eq!(base64(b"ab"), "YWI=");
    let finder = plants.finder();
    let here = BTreeSet::from(["here"]);
    for shift in 0..3 {
        let text = format!("{}{value}tail", "abc".get(..shift).unwrap());
        assert_eq!(finder.found(base64(text.as_bytes()).as_bytes()), here, "{shift}");
    }
    assert_eq!(finder.found(format!("x{value}y").as_bytes()), here);
    assert!(finder.found(b"nothing").is_empty());
}
