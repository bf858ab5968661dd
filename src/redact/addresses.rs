//! E-mail addresses and addresses of machines, for those who must not let them out either.
//!
//! *Invariant:* pure; what says nothing about anybody stays, since it is often the fault itself: loopback, `0.0.0.0`,
//! the metadata address of clouds. Versions, tags, times, digests and MAC addresses are no addresses here.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// Which addresses are masked on top of secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Addresses {
    /// `name@example.com`
    pub emails: bool,
    /// IPv4 and IPv6; port and prefix length stay.
    pub ips: bool,
}

impl Addresses {
    /// Whether any are.
    pub fn any(self) -> bool {
        self.emails || self.ips
    }
}

/// What an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Email,
    Ip,
}

impl What {
    /// What stands in a placeholder in place of a length.
    pub(super) fn word(self) -> &'static str {
        match self {
            What::Email => "email",
            What::Ip => "ip",
        }
    }
}

/// Where addresses stand in `text`: apart, in order.
pub(super) fn find(text: &str, wanted: Addresses) -> Vec<(Range<usize>, What)> {
    let mut found = Vec::new();
    if wanted.emails && text.contains('@') {
        found.extend(emails(text).map(|range| (range, What::Email)));
    }
    if wanted.ips {
        found.extend(v6(text).map(|range| (range, What::Ip)));
        found.extend(v4(text).map(|range| (range, What::Ip)));
        found.extend(dashed(text).map(|range| (range, What::Ip)));
    }
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut end = 0;
    found.retain(|(range, _)| {
        let apart = range.start >= end;
        end = end.max(range.end);
        apart
    });
    found
}

fn before(text: &str, at: usize) -> Option<char> {
    text.get(..at)?.chars().next_back()
}

fn after(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn emails(text: &str) -> impl Iterator<Item = Range<usize>> {
    static SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}",
        )
        .ok()
    });
    /// Units of systemd have an `@` too: `user@1000.service`.
    const UNITS: &[&str] = &["service", "slice", "scope", "socket", "mount", "timer", "target"];
    let all = SHAPE.as_ref().into_iter().flat_map(|shape| shape.find_iter(text));
    all.filter(|found| {
        let (name, host) = found.as_str().split_once('@').unwrap_or_default();
        let last = host.rsplit('.').next().unwrap_or_default();
        let head = text.get(..found.start()).unwrap_or_default();
        // A user of a URL or of git's `git@host:path`, where the host is what diagnosis needs.
        let login = head.ends_with("://") || name == "git";
        !login && !UNITS.contains(&last) && !before(text, found.start()).is_some_and(|c| is_word(c) || c == '@')
    })
    .map(|found| found.range())
}

fn v4(text: &str) -> impl Iterator<Item = Range<usize>> {
    static SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}").ok());
    let all = SHAPE.as_ref().into_iter().flat_map(|shape| shape.find_iter(text));
    all.filter(|found| {
        let Ok(address) = found.as_str().parse::<Ipv4Addr>() else { return false };
        !says_nothing(address) && stands_alone(text, found.range()) && !is_version(text, found.start())
    })
    .map(|found| found.range())
}

/// Addresses in the names of machines and pods: `ip-10-0-0-8.ec2.internal`, `10-0-12-7.shop.pod.cluster.local`.
fn dashed(text: &str) -> impl Iterator<Item = Range<usize>> {
    static SHAPES: LazyLock<Option<(Regex, Regex)>> = LazyLock::new(|| {
        let zone = r"^(?:(?:\.[a-z0-9-]{1,63}){1,2}\.(?:pod|svc)|\.(?:nip|sslip)\.io|\.[a-z0-9.-]{0,63}internal)\b";
        Some((Regex::new(r"[0-9]{1,3}(?:-[0-9]{1,3}){3}").ok()?, Regex::new(zone).ok()?))
    });
    let all =
        SHAPES.as_ref().into_iter().flat_map(|(shape, zone)| shape.find_iter(text).map(move |found| (found, zone)));
    all.filter(|(found, zone)| {
        let Ok(address) = found.as_str().replace('-', ".").parse::<Ipv4Addr>() else { return false };
        let (head, tail) = (text.get(..found.start()).unwrap_or_default(), after(text, found.end()));
        let machine = head.strip_suffix("ip-").filter(|head| !head.ends_with(is_word));
        let alone = !head.ends_with(|c: char| is_word(c) || matches!(c, '-' | '.'));
        let ends = !tail.starts_with(|c: char| is_word(c) || c == '-');
        !says_nothing(address) && ends && (machine.is_some() || alone && zone.is_match(tail))
    })
    .map(|(found, _)| found.range())
}

/// Addresses that all machines have.
fn says_nothing(address: Ipv4Addr) -> bool {
    address.is_unspecified()
        || address.is_loopback()
        || address.is_broadcast()
        || address.octets() == [169, 254, 169, 254]
}

/// Whether no letter, number or dash makes it part of something longer.
fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let head = text.get(..range.start).unwrap_or_default();
    let opens = match head.chars().next_back() {
        // A range of addresses has another one before its dash.
        Some('-') => head.trim_end_matches('-').ends_with(|c: char| c.is_ascii_digit()),
        Some('.') => false,
        Some(c) => !is_word(c),
        None => true,
    };
    let mut tail = after(text, range.end).chars();
    let closes = match (tail.next(), tail.next()) {
        (Some('.'), Some(next)) => !next.is_ascii_digit(),
        (Some('-'), Some(next)) => !next.is_alphabetic(),
        (Some(c), _) => !is_word(c),
        (None, _) => true,
    };
    opens && closes
}

/// Whether what precedes says that four numbers are a version: `version: 1.2.3.4`, `registry/app:1.2.3.4`.
fn is_version(text: &str, at: usize) -> bool {
    let head = text.get(..at).unwrap_or_default();
    let word = head.trim_end_matches([' ', '\t', ':', '=', '"', '\'', '\\']);
    let said = ["ersion", "VERSION", "elease", "tag", "Tag", "TAG"].iter().any(|end| word.ends_with(end));
    let Some(image) = head.strip_suffix(':') else { return said };
    let start = image.rfind(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ',' | '(' | '`'));
    let image = after(image, start.map_or(0, |at| at + 1));
    said || image.contains('/') && !image.contains("://")
}

fn v6(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let start = at + after(text, at).find(is_part)?;
            let rest = after(text, start);
            let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
            at = start + length;
            let run = rest.get(..length).unwrap_or_default();
            // The end of a sentence, or of `dial fd00::1: refused`.
            let run = run.trim_end_matches('.');
            let run = run.strip_suffix(':').filter(|head| !head.ends_with(':')).unwrap_or(run);
            let apart =
                !before(text, start).is_some_and(is_word) && !after(text, start + run.len()).starts_with(is_word);
            if apart && is_v6(run) {
                return Some(start..start + run.len());
            }
        }
        None
    })
}

fn is_v6(run: &str) -> bool {
    if run.matches(':').count() < 2 || !run.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let Ok(address) = run.parse::<Ipv6Addr>() else { return false };
    // Eight pairs of digits are the name of a card or a disk.
    let pairs = !run.contains("::") && run.split(':').all(|group| group.len() <= 2);
    let common =
        address.is_unspecified() || address.is_loopback() || address.to_ipv4_mapped().is_some_and(says_nothing);
    !pairs && !common
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut out = String::new();
        let mut done = 0;
        for (range, what) in find(text, Addresses { emails: true, ips: true }) {
            out.push_str(text.get(done..range.start).unwrap());
            out.push_str(&format!("<{}>", what.word()));
            done = range.end;
        }
        out + text.get(done..).unwrap()
    }

    #[test]
    fn addresses_go_with_what_stands_beside_them_kept() {
        let table = [
            ("dial tcp 10.0.12.7:5432: connection refused", "dial tcp <ip>:5432: connection refused"),
            ("10.0.12.7", "<ip>"),
            ("from 10.0.12.7.", "from <ip>."),
            ("cidr 10.8.0.0/16, pool 10.8.0.10-10.8.0.20", "cidr <ip>/16, pool <ip>-<ip>"),
            ("http://192.168.1.4/x", "http://<ip>/x"),
            ("podIP=\"10.0.12.7\",hostIP:10.0.0.9", "podIP=\"<ip>\",hostIP:<ip>"),
            ("user 'app'@'10.0.12.7'", "user 'app'@'<ip>'"),
            ("10.0.12.7.nip.io", "<ip>.nip.io"),
            ("dial tcp [fd00:10:244::12]:8080: i/o timeout", "dial tcp [<ip>]:8080: i/o timeout"),
            ("fe80::1c2d%eth0", "<ip>%eth0"),
            ("dial fd00::7: refused", "dial <ip>: refused"),
            ("2001:db8:1:2:3:4:5:6 and fd00::/64", "<ip> and <ip>/64"),
            ("::ffff:10.0.12.7", "<ip>"),
            ("mail to jo.doe+ops@corp.example.com, please", "mail to <email>, please"),
            ("<jo@example.org>", "<<email>>"),
            ("node ip-10-0-0-8.ec2.internal, ip-10-0-0-9", "node ip-<ip>.ec2.internal, ip-<ip>"),
            ("dial 10-0-12-7.shop.pod.cluster.local:80", "dial <ip>.shop.pod.cluster.local:80"),
            ("http://10-0-12-7.web.shop.svc:80 10-0-12-7.nip.io", "http://<ip>.web.shop.svc:80 <ip>.nip.io"),
            ("owner=jo@example.org;sa@proj.iam.gserviceaccount.com", "owner=<email>;<email>"),
        ];
        for (text, expected) in table {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn what_looks_like_one_stays() {
        let table = [
            "1.2.3 v1.2.3.4 go1.25.3",
            "nginx:1.25.3 registry.example.com/team/app:1.2.3.4 app:1.2.3.4-alpine",
            "version 1.2.3.4, \"version\": \"1.2.3.4\", imageTag=10.0.12.7",
            "1.2.3.4.5 999.1.1.1 Chrome/120.0.6099.71 app-1.2.3.4.jar 010.1.1.1",
            "at 12:34:56, 2026-01-01T12:00:00Z, 00:00:12.345, 1:2:3",
            "std::fs::read a :: b :: dead::beef",
            "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            "02:42:ac:11:00:02 00:11:22:33:44:55:66:77 7e:3b:9a:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11",
            "127.0.0.1:80 0.0.0.0 255.255.255.255 [::]:8080 ::1 ::ffff:127.0.0.1 169.254.169.254",
            "git@github.com:org/repo.git https://me@git.example.com/x app@sha256:2c26 pkg@1.2.3 user@1000.service",
            "postgres://app:<redacted:1a2b3c4d~8>@db.shop.svc:5432 @team a@b",
            "500m 1.5Gi 0.1.2 3.14",
            "app-1-2-3-4.shop.svc 1-2-3-4 ip-127-0-0-1 trip-10-0-0-8 10-0-12-7-x.shop.pod 2026-01-02-03 300-1-1-1.nip.io",
        ];
        for text in table {
            assert_eq!(masked(text), text);
        }
    }
}
