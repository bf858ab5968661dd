//! What a value looks like: a secret, or plainly none.
//!
//! *Invariant:* looks at values alone, and errs towards secret: what is kept as plain is of a shape that
//! says what it is (a path, a number, a reference, a word of the trade).

use std::sync::LazyLock;

use regex::Regex;

/// Words that stand where a secret would, and are none.
const WORDS: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "null",
    "nil",
    "none",
    "undefined",
    "empty",
    "unset",
    "enabled",
    "disabled",
    "expired",
    "invalid",
    "missing",
    "required",
    "forbidden",
    "unauthorized",
    "unauthenticated",
    "denied",
    "rejected",
    "incorrect",
    "wrong",
    "failed",
    "failure",
    "error",
    "eof",
    "timeout",
    "unknown",
    "unexpected",
    "redacted",
    "masked",
    "hidden",
    "sensitive",
    "is",
    "was",
    "not",
    "must",
    "has",
    "and",
    "or",
    "for",
    "from",
    "bearer",
    "<nil>",
    "<none>",
    "<set",
    "<empty>",
    "<unset>",
    "<redacted>",
    "(none)",
    "[redacted]",
    "[masked]",
    "changeit?",
];

/// Ways to authenticate.
const METHODS: &[&str] = &[
    "basic",
    "bearer",
    "digest",
    "negotiate",
    "ntlm",
    "kerberos",
    "gssapi",
    "ldap",
    "ldaps",
    "oidc",
    "oauth",
    "oauth2",
    "saml",
    "mtls",
    "tls",
    "x509",
    "cert",
    "certificate",
    "jwt",
    "iam",
    "irsa",
    "kubernetes",
    "trust",
    "md5",
    "password",
    "scram",
    "scram-sha-256",
    "scram-sha-512",
    "sasl",
    "plain",
    "login",
    "token",
    "apikey",
    "webhook",
    "rbac",
    "node",
    "static",
    "local",
    "internal",
    "external",
    "anonymous",
    "optional",
    "always",
    "never",
    "default",
    "managed",
    "user",
];

struct Shapes {
    path: Regex,
    number: Regex,
    address: Regex,
    reference: Regex,
    mask: Regex,
    url: Regex,
    name: Regex,
    tag: Regex,
}

static SHAPES: LazyLock<Option<Shapes>> = LazyLock::new(|| {
    let regex = |pattern| Regex::new(pattern).ok();
    Some(Shapes {
        path: regex(r"^(?:\.{0,2}|~|[A-Za-z]:)[/\\][A-Za-z0-9._@-]*(?:[/\\][A-Za-z0-9._@-]*)*$")?,
        number: regex(r"^[+-]?[0-9]{1,5}(?:\.[0-9]{1,3})?(?:ns|us|ms|s|m|h|d|%|Ki|Mi|Gi|k|M|G)?$")?,
        address: regex(r"^(?:localhost|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[a-z0-9-]+(?:\.[a-z0-9-]+)+):[0-9]{1,5}$")?,
        reference: regex(
            r"^(?:\$\([A-Za-z_][A-Za-z0-9_.-]*\)|\$\{[A-Za-z_][A-Za-z0-9_.]*(?::[-?+]?)?\}|\$[A-Z_][A-Z0-9_]*|\$\(cat [A-Za-z0-9._/-]+\)|\{\{[^{}]{0,80}\}\}|%[a-z]|\$[0-9])$",
        )?,
        mask: regex(r"^(?:\*+|x{3,}|X{3,}|\.{3,}|…|-+|<[a-zA-Z][a-zA-Z _-]{0,30}>)$")?,
        url: regex(r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s]+$")?,
        name: regex(r"^[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?:/[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?)?$")?,
        tag: regex(r"^(?:v?[0-9]+(?:[.-][0-9A-Za-z]+)*|latest|stable|main|master|edge)(?:@sha256.*)?$")?,
    })
});

fn is(value: &str, shape: fn(&Shapes) -> &Regex) -> bool {
    SHAPES.as_ref().is_some_and(|shapes| shape(shapes).is_match(value))
}

/// Whether `value` plainly holds no secret, whatever stands beside it.
pub(super) fn is_plain(value: &str) -> bool {
    value.is_empty()
        || is(value, |s| &s.number)
        || is_word(value)
        || is(value, |s| &s.reference)
        || is(value, |s| &s.mask)
        || is(value, |s| &s.address)
        || is(value, |s| &s.path) && !value.split(['/', '\\']).any(is_random)
}

/// Whether it is a word that says how something stands.
pub(super) fn is_word(value: &str) -> bool {
    let word = value.trim_end_matches(['.', ',', ';', ':', ')', '!']);
    WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether it names a way to authenticate.
pub(super) fn is_method(value: &str) -> bool {
    METHODS.iter().any(|known| known.eq_ignore_ascii_case(value))
}

/// Whether it is an address with a scheme, and nothing else.
pub(super) fn is_url(value: &str) -> bool {
    is(value, |s| &s.url)
}

/// Whether it may be the name of a Kubernetes object, with or without its namespace.
pub(super) fn is_name(value: &str) -> bool {
    is(value, |s| &s.name) && !is_random(value)
}

/// Whether it may be an image's tag or a port.
pub(super) fn is_tag(value: &str) -> bool {
    is(value, |s| &s.tag)
}

/// Whether chance made it rather than a person: long, and of mixed characters.
pub(super) fn is_random(value: &str) -> bool {
    let seen = Seen::new(value);
    let hex = seen.count >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mixed = seen.count >= 16 && seen.digit && seen.upper && seen.lower;
    let base64 = seen.count >= 20 && seen.digit && !seen.separator
        || seen.count >= 20 && value.contains(['+', '=']) && !value.contains(' ');
    hex || mixed && !value.contains(' ') || base64 && !value.contains(' ')
}

/// Whether it may be a secret where it stands in a sentence, among words.
pub(super) fn looks_secret(value: &str) -> bool {
    let seen = Seen::new(value);
    if value.ends_with(':')
        || is_plain(value)
        || is_url(value)
        || value.contains("://")
        || !value.contains(|c: char| c.is_ascii_alphanumeric())
    {
        return false;
    }
    let letters = value.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '_' | '-' | '\'' | '/'));
    (seen.count >= 6 && !letters && (seen.digit || value.contains(['!', '@', '#', '$', '%', '^', '&', '*', '+', '='])))
        || (seen.count >= 24 && !seen.separator)
}

/// Whether a text is made of settings: half of its lines or more have a name and a value, or open a part.
pub(super) fn is_structured(text: &str) -> bool {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    // What ends in `=` alone is base64.
    let sets = |line: &&str| {
        line.trim_end_matches('=').contains(['=', '{'])
            || line.contains(": ")
            || line.ends_with(':')
            || line.starts_with('[')
    };
    let count = lines().filter(sets).count();
    count > 0 && 2 * count >= lines().count()
}

struct Seen {
    count: usize,
    digit: bool,
    upper: bool,
    lower: bool,
    separator: bool,
}

impl Seen {
    fn new(value: &str) -> Seen {
        let any = |test: fn(&u8) -> bool| value.bytes().any(|byte| test(&byte));
        Seen {
            count: value.len(),
            digit: any(u8::is_ascii_digit),
            upper: any(u8::is_ascii_uppercase),
            lower: any(u8::is_ascii_lowercase),
            separator: any(|byte| matches!(byte, b'-' | b'.' | b'/' | b':' | b'_')),
        }
    }
}
