//! Secrets that are known by their own form, whatever stands beside them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::Mode;
use super::values::{is_plain, is_random, looks_secret};

type Test = fn(&Captures<'_>, &str) -> bool;

/// One form; what is secret of it is the group `s`, and `test` may still refuse it.
struct Pattern {
    regex: Regex,
    test: Test,
}

fn always(_: &Captures<'_>, _: &str) -> bool {
    true
}

/// A cheap first look: text without one of these holds nothing that we know.
static HINTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i-u:pass|pwd|secret|token|key|cred|auth|bearer|basic|cookie|salt|jwt|sig|dsn|conn|eyj|://|@tcp|@unix|docker|oracle|-----begin|akia|asia|gh[opsru]_|github_pat|gl[a-z]{2,5}-|xox|xapp|\bsk[-_]|\brk_|aiza|hv[bsr]\.|npm_|dckr_|sg\.|pypi-|dop_v1|ya29|shp[a-z]{2}_|q~|-u|-a|-p|-w)",
    )
    .ok()
});

/// Whether it is worth a closer look.
pub(super) fn may_hold_secret(text: &str) -> bool {
    text.len() >= 4 && HINTS.as_ref().is_none_or(|hints| hints.is_match(text))
}

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let table: &[(&str, Test)] = &[
        // PEM blocks, first for `keys`; one that was cut off is as secret as a whole one.
        (
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?P<s>(?s:.*?))-----END|(?P<t>(?:\\[rn]|\s)*[A-Za-z0-9+/=]{16,}(?:\\[rn]|[A-Za-z0-9+/=\s])*))",
            always,
        ),
        // JSON web tokens, and other JSON in base64.
        (r"\b(?P<s>eyJ[A-Za-z0-9_\-+/]{12,}=*(?:\.[A-Za-z0-9_\-+/]*=*){0,4})", always),
        // Credentials of vendors, known by their first letters.
        (r"\b(?P<s>(?:AKIA|ASIA)[A-Z0-9]{12,})", always),
        (
            r"\b(?P<s>gh[opsru]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|npm_[A-Za-z0-9]{24,}|dckr_[a-z]{2,5}_[A-Za-z0-9_-]{16,}|dop_v1_[a-f0-9]{32,}|shp[a-z]{2}_[a-fA-F0-9]{16,})",
            always,
        ),
        (
            r"\b(?P<s>gl(?:pat|rt|dt|cbt|ptt|ft|agent|soat|imt|ffct)-[A-Za-z0-9_\-.]{16,}|pypi-[A-Za-z0-9_-]{32,})",
            always,
        ),
        (r"\b(?P<s>xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})", always),
        (r"\b(?P<s>(?:sk|rk)[-_][A-Za-z0-9_\-]{16,})", |found, _| {
            found.name("s").is_some_and(|s| is_random(s.as_str()))
        }),
        (r"\b(?P<s>AIza[A-Za-z0-9_\-]{24,}|ya29\.[A-Za-z0-9_\-]{20,})", always),
        (r"\b(?P<s>hv[bsr]\.[A-Za-z0-9_\-]{20,}|SG\.[A-Za-z0-9_\-]{12,}\.[A-Za-z0-9_\-]{12,})", always),
        (r"(?P<s>[A-Za-z0-9_.~\-]{3}[78]Q~[A-Za-z0-9_.~\-]{24,})", always),
        (r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<s>[A-Za-z0-9/_-]{8,})", always),
        (r"(?i)webhook\.office\.com/webhookb2/(?P<s>[A-Za-z0-9@/_-]{16,})", always),
        // Headers.
        (
            r#"(?i)\bauthorization\\*["']?\s*[:=]\s*\\*["']?(?:(?:basic|bearer|token|apikey|negotiate|sharedkey|digest|aws4-hmac-sha256)\s+)?(?P<s>[^\s"'\\]+)"#,
            authorization,
        ),
        (r"(?i)\bbearer[ :=]+(?P<s>[A-Za-z0-9._~+/\-]{6,}=*)", |found, _| {
            found.name("s").is_some_and(|s| looks_secret(s.as_str()))
        }),
        (r"(?i)\bbasic\s+(?P<s>[A-Za-z0-9+/]{6,}={0,2})", |found, _| {
            found.name("s").is_some_and(|s| is_base64(s.as_str()))
        }),
        (r#"(?i)\b(?:set-)?cookie2?\\*["']?\s*[:=]\s*\\*["']?(?P<s>[^\s=;,"'\\]+=[^"'\r\n]+)"#, always),
        // The rest of a digest, and signatures in a query.
        (
            r#"(?i)\b(?:response|signature|sig|x-amz-signature|x-amz-security-token|x-goog-signature)=\\?["']?(?P<s>[A-Za-z0-9%+/_=.\-]{8,})"#,
            |found, _| found.name("s").is_some_and(|s| looks_secret(s.as_str())),
        ),
        (r#"(?i)[?&](?:key|code|k|auth)=(?P<s>[^\s&#"'<>]{8,})"#, |found, _| {
            found.name("s").is_some_and(|s| looks_secret(s.as_str()))
        }),
        // Data source names without a scheme.
        (r#"[A-Za-z0-9_.\-]+:(?P<s>[^\s"'`]+?)@(?:tcp|tcp6|udp|unix)\("#, not_plain),
        (r#"(?i)jdbc:oracle:[a-z]+:[^\s/@"']+/(?P<s>[^\s@"']+)@"#, not_plain),
    ];
    table.iter().filter_map(|(pattern, test)| Some(Pattern { regex: Regex::new(pattern).ok()?, test: *test })).collect()
});

fn not_plain(found: &Captures<'_>, _: &str) -> bool {
    found.name("s").is_some_and(|s| !is_plain(s.as_str()))
}

/// With a scheme it is a header; without, what follows must look like a secret: `authorization: denied`.
fn authorization(found: &Captures<'_>, _: &str) -> bool {
    found.name("s").is_some_and(|s| looks_secret(s.as_str()))
}

/// Whether it may be `user:password` in base64.
fn is_base64(text: &str) -> bool {
    let inner = text.chars().skip(1).any(|c| c.is_ascii_uppercase());
    text.len().is_multiple_of(4) && (inner || text.contains('=') || text.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Adds everything in `text` that has a known form.
pub(super) fn known(text: &str, found: &mut Vec<Range<usize>>) {
    for pattern in PATTERNS.iter() {
        for captures in pattern.regex.captures_iter(text) {
            if let (Some(secret), true) =
                (captures.name("s").or_else(|| captures.name("t")), (pattern.test)(&captures, text))
            {
                found.push(secret.range());
            }
        }
    }
}

/// The bodies of private keys in PEM.
pub(super) fn keys(text: &str) -> Vec<Range<usize>> {
    if !text.contains("PRIVATE KEY") {
        return Vec::new();
    }
    let pem = PATTERNS.first().into_iter().flat_map(|pattern| pattern.regex.captures_iter(text));
    pem.filter_map(|found| Some(found.name("s").or_else(|| found.name("t"))?.range())).collect()
}

/// Adds the passwords in URLs: `scheme://user:password@host`.
pub(super) fn urls(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        let rest = text.get(start..).unwrap_or_default();
        let run = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '`' | '<' | '>'))
            .and_then(|end| rest.get(..end))
            .unwrap_or(rest);
        if let Some(range) = userinfo(run) {
            found.push(start + range.start..start + range.end);
        }
    }
}

/// The secret part of `user:password@host/path`.
fn userinfo(run: &str) -> Option<Range<usize>> {
    let authority = run.find(['/', '?', '#']).and_then(|end| run.get(..end)).unwrap_or(run);
    // A password with an unquoted `/` is a fault of its own; a port is digits.
    let torn = !authority.contains('@')
        && authority.split_once(':').is_some_and(|(_, port)| {
            port.bytes().any(|byte| !byte.is_ascii_digit()) && !port.contains(':') && !port.contains(',')
        });
    let info = if torn { run } else { authority };
    let end = info.rfind('@')?;
    let info = info.get(..end)?;
    let colon = info.find(':');
    let secret = colon.map_or(0, |colon| colon + 1)..end;
    let text = run.get(secret.clone())?;
    let exposed = if colon.is_some() { !is_plain(text) || text.parse::<u64>().is_ok() } else { is_random(text) };
    (exposed && !text.is_empty()).then_some(secret)
}

/// Adds the passwords that programs take behind a short flag: `mysql -psecret`.
pub(super) fn programs(text: &str, mode: Mode, found: &mut Vec<Range<usize>>) {
    static CALLS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let table = [
            r#"\b(?:mysql|mysqldump|mysqladmin|mysqlcheck|mariadb|mariadb-dump|mariadb-admin|xtrabackup)\b[^|;&\n]*?\s["']?-p["']?(?P<s>[^\s"'|;&]+)"#,
            r#"\b(?:redis-cli|sshpass|mongo|mongosh|mongodump|mongorestore|sqlcmd|ldapsearch|ldapadd|ldapmodify|smbclient)\b[^|;&\n]*?\s-[apPw]\s*["']?(?P<s>[^\s"'|;&-][^\s"'|;&]*)"#,
            r#"\bcurl\b[^|;&\n]*?\s(?:-u|--user|--proxy-user)[\s=]*["']?[^\s:"']+:(?P<s>[^\s"'|;&]+)"#,
        ];
        table.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
    });
    if mode != Mode::Strict {
        return;
    }
    for call in CALLS.iter() {
        let secrets = call.captures_iter(text).filter_map(|captures| captures.name("s"));
        found.extend(secrets.filter(|secret| !is_plain(secret.as_str())).map(|secret| secret.range()));
    }
}
