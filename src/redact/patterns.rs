//! Secrets that are known by their own form, whatever stands beside them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::names::{Naming, classify};
use super::values::{is_method, is_plain, is_random, looks_secret};
use super::{Mode, encoded, head};

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
        r"(?i-u:pass|pw|secret|token|key|cred|auth|bearer|basic|cookie|salt|jwt|sig|dsn|conn|eyj|://|@tcp|@unix|docker|oracle|-----begin|akia|asia|gh[opsru]_|github_pat|gl[a-z]{2,5}-|xox|xapp|\bsk[-_]|\brk_|aiza|hv[bsr]\.|npm_|dckr_|sg\.|pypi-|do[op]_v1|ya29|shp[a-z]{2}_|q~|-u|-a|-p|-w|identified|webhooks/|:aa|whsec_|\bhf_|dapi|gl(?:sa|c)_|nrak-|gocspx-|lin_api_|atatt|atbb|rubygems_|pmak-|dt0c01|sntrys_|pul-|[a-z0-9+/]{86}==|\b[a-z0-9]{6}\.[a-z0-9]{16}\b)",
    )
    .ok()
});

/// Whether it is worth a closer look.
pub(super) fn may_hold_secret(text: &str) -> bool {
    text.len() >= 4 && (HINTS.as_ref().is_none_or(|hints| hints.is_match(text)) || encoded::may_hold_text(text))
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
        // The key that belongs to it, where it stands beside.
        (
            r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}[^A-Za-z0-9](?s:.{0,64}?[^A-Za-z0-9+/])??(?P<s>[A-Za-z0-9+/]{40})(?:[^A-Za-z0-9+/=]|$)",
            random,
        ),
        // Keys of Azure's storage; the checksums of npm look alike.
        (r"(?:^|[^A-Za-z0-9+/\-])(?P<s>[A-Za-z0-9+/]{86}==)", random),
        (
            r"\b(?P<s>gh[opsru]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|npm_[A-Za-z0-9]{24,}|dckr_[a-z]{2,5}_[A-Za-z0-9_-]{16,}|do[op]_v1_[a-f0-9]{32,}|shp[a-z]{2}_[a-fA-F0-9]{16,})",
            always,
        ),
        (
            r"\b(?P<s>glpat-[A-Za-z0-9_\-.]{16,}|pypi-[A-Za-z0-9_-]{32,}|whsec_[A-Za-z0-9+/=]{16,}|hf_[A-Za-z0-9]{16,}|dapi[a-f0-9]{32}|gl(?:sa|c)_[A-Za-z0-9_+/=]{16,}|NRAK-[A-Z0-9]{16,}|GOCSPX-[A-Za-z0-9_-]{16,}|lin_api_[A-Za-z0-9]{16,}|ATATT[A-Za-z0-9_=.-]{16,}|ATBB[A-Za-z0-9]{16,}|rubygems_[a-f0-9]{16,}|PMAK-[A-Za-z0-9-]{16,}|dt0c01\.[A-Z0-9]{16,}\.[A-Z0-9]{16,}|sntrys_[A-Za-z0-9_=+/-]{16,}|AGE-SECRET-KEY-[A-Z0-9]{16,}|pul-[a-f0-9]{16,})",
            always,
        ),
        // Pods of the agent and the runners have names that begin alike.
        (r"\b(?P<s>gl(?:rt|dt|cbt|ptt|ft|agent|soat|imt|ffct)-(?P<rest>[A-Za-z0-9_\-.]{16,}))", |found, _| {
            let rest = found.name("rest").map_or("", |rest| rest.as_str());
            rest.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_') || is_random(rest)
        }),
        (r"(?:\b|bot)(?P<s>[0-9]{8,10}:AA[A-Za-z0-9_\-]{30,})", always),
        // Of kubeadm, to join a cluster.
        (r#"(?:^|[\s"'=:,(\[])(?P<s>[a-z0-9]{6}\.[a-z0-9]{16})(?:$|[\s"',;)\]])"#, |found, _| {
            let end = found.name("s").and_then(|s| s.as_str().split_once('.')).map_or("", |(_, end)| end);
            end.bytes().any(|byte| byte.is_ascii_digit()) && end.bytes().any(|byte| byte.is_ascii_lowercase())
        }),
        (r"\b(?P<s>xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})", always),
        (r"\b(?P<s>(?:sk|rk)[-_][A-Za-z0-9_\-]{16,})", random),
        (r"\b(?P<s>AIza[A-Za-z0-9_\-]{24,}|ya29\.[A-Za-z0-9_\-]{20,})", always),
        (r"\b(?P<s>hv[bsr]\.[A-Za-z0-9_\-]{20,}|SG\.[A-Za-z0-9_\-]{12,}\.[A-Za-z0-9_\-]{12,})", always),
        (r"(?P<s>[A-Za-z0-9_.~\-]{3}[78]Q~[A-Za-z0-9_.~\-]{24,})", always),
        (r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<s>[A-Za-z0-9/_-]{8,})", always),
        (r"(?i)webhook\.office\.com/webhookb2/(?P<s>[A-Za-z0-9@/_-]{16,})", always),
        (r"discord(?:app)?\.com/api/webhooks/[0-9]+/(?P<s>[A-Za-z0-9_-]{8,})", always),
        // A word and what chance made: `the token 7fH…`.
        (
            r#"(?i)\b(?:token|password|passwd|api[ _-]?key|secret)\s+(?:(?:is|was)\s+)?["'`]?(?P<s>[A-Za-z0-9+=][A-Za-z0-9+/_=.\-]{15,})"#,
            random,
        ),
        // The data of a Secret that is written out.
        (r#"\\*"(?:data|stringData)\\*"\s*:\s*\{(?P<s>[^{}]+)\}"#, |_, text| {
            static SECRET: LazyLock<Option<Regex>> =
                LazyLock::new(|| Regex::new(r#""kind\\*"\s*:\s*\\*"Secret\\*""#).ok());
            SECRET.as_ref().is_some_and(|secret| secret.is_match(text))
        }),
        // Settings of servers and statements of databases.
        (r#"\b(?:insecure-password|requirepass|masterauth|login\s+\S+\s+password)\s+["']?(?P<s>[^\s"';]+)"#, not_plain),
        (
            r#"(?i)\b(?:proxy_set_header|add_header|more_set_headers|set-header|add-header|requestheader\s+set|fastcgi_param|uwsgi_param)\s+(?P<n>[a-z0-9_\-]{1,96})\s+["']?(?P<s>[^\s"';]+)"#,
            named,
        ),
        (
            r#"(?i)\b(?:define|setenv|setproperty)\(\s*["'](?P<n>[a-z0-9_.\-]{1,96})["']\s*,\s*["'](?P<s>[^"'\n]+)"#,
            named,
        ),
        (r"(?i)\b(?:identified\s+(?:with\s+\S+\s+)?by|password)\s+\\*'(?P<s>[^'\\\n]+)", not_plain),
        // Pairs whose quotes and signs are written in another way.
        (
            r"(?im)(?:\\+u0022|&quot;|&#34;|%22)(?P<n>[a-z0-9_.\-]{1,96})(?:\\+u0022|&quot;|&#34;|%22)(?:\s|%20)*(?::|%3A)(?:\s|%20)*(?:\\+u0022|&quot;|&#34;|%22)(?P<s>.+?)(?:\\+u0022|&quot;|&#34;|%22|$)",
            named,
        ),
        (r#"(?i)(?P<n>[a-z0-9_.\-]{1,96})%3D(?P<s>(?:[^\s&"'<>%]|%[013-9a-f][0-9a-f]|%2[0-57-9a-f])+)"#, named),
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

fn random(found: &Captures<'_>, _: &str) -> bool {
    found.name("s").is_some_and(|s| is_random(s.as_str()))
}

/// Whether the group `n` is the name of a secret, and `s` may be one.
fn named(found: &Captures<'_>, _: &str) -> bool {
    let group = |name| found.name(name).map_or("", |group| group.as_str());
    let value = group("s");
    matches!(classify(group("n")), Some(Naming::Secret | Naming::Auth))
        && !(is_plain(value) || is_method(value) || value.starts_with('$'))
}

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
        // No address is longer, and a text of nothing but schemes would be read again for each.
        let rest = head(text.get(start..).unwrap_or_default(), 4096);
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
    static CALLS: LazyLock<Vec<(Regex, bool)>> = LazyLock::new(|| {
        // And whether a sentence may look alike.
        let table = [
            (
                r#"\b(?:mysql|mysqldump|mysqladmin|mysqlcheck|mariadb|mariadb-dump|mariadb-admin|xtrabackup)\b[^|;&\n]*?\s["']?-p["']?(?P<s>[^\s"'|;&]+)"#,
                true,
            ),
            (
                r#"\b(?:mysql|mysqldump|mysqladmin|mysqlcheck|mariadb|mariadb-dump|mariadb-admin|xtrabackup)(?:\s+-[^\s|;&]+(?:\s+[^\s|;&-][^\s|;&]*)?)*?\s+-p["']?(?P<s>[^\s"'|;&]+)"#,
                false,
            ),
            (
                r#"\b(?:redis-cli|sshpass|mongo|mongosh|mongodump|mongorestore|sqlcmd|ldapsearch|ldapadd|ldapmodify|smbclient)\b[^|;&\n]*?\s-[apPw]\s*["']?(?P<s>[^\s"'|;&-][^\s"'|;&]*)"#,
                false,
            ),
            (
                r#"\b(?:docker|podman|nerdctl|buildah|skopeo|oras|helm\s+registry)\s+login\b[^|;&\n]*?\s-p[\s=]*["']?(?P<s>[^\s"'|;&-][^\s"'|;&]*)"#,
                false,
            ),
            (r#"\bcurl\b[^|;&\n]*?\s(?:-u|--user|--proxy-user)[\s=]*["']?[^\s:"']+:(?P<s>[^\s"'|;&]+)"#, false),
        ];
        table.iter().filter_map(|(pattern, alike)| Some((Regex::new(pattern).ok()?, *alike))).collect()
    });
    for (call, _) in CALLS.iter().filter(|(_, alike)| mode == Mode::Strict || !alike) {
        let secrets = call.captures_iter(text).filter_map(|captures| captures.name("s"));
        found.extend(secrets.filter(|secret| !is_plain(secret.as_str())).map(|secret| secret.range()));
    }
}
