//! What a name promises: whether the value beside it is a secret.
//!
//! *Invariant:* looks at names alone. Names come from people, so `DB_PASSWORD`, `dbPassword`,
//! `db.password` and `x-db-password` are the same name here.

/// What is to be expected of the value beside a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// A secret.
    Secret,
    /// A secret, or the way to authenticate: `AUTH=basic`.
    Auth,
    /// Parts of it: `Server=db;Password=…`.
    Connection,
    /// A secret where it looks like one: `ENCRYPTION_KEY`, but also `key: DB_PASSWORD`.
    Weak,
}

/// Words of which one is in every name that matters; a cheap first look.
const HINTS: &[&str] =
    &["pass", "pw", "secret", "token", "key", "cred", "auth", "dsn", "conn", "cookie", "salt", "jwt", "sig", "docker"];

/// A word that holds one of these is enough.
const IN_WORD: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "credential",
    "apikey",
    "accesskey",
    "userkey",
    "authkey",
    "privatekey",
    "secretkey",
    "accountkey",
    "sharedkey",
    "signingkey",
    "masterkey",
    "encryptionkey",
    "dockerconfig",
];

/// A word that ends so is enough, save for the words below.
const WORD_ENDS: &[&str] = &["token", "secret", "secrets", "pwd", "pass", "jwt"];
const OTHER_WORDS: &[&str] = &["bypass", "compass", "trespass", "underpass", "surpass"];

/// Before `key`, these make it a secret.
const BEFORE_KEY: &[&str] = &[
    "api",
    "access",
    "private",
    "secret",
    "account",
    "shared",
    "signing",
    "encryption",
    "master",
    "auth",
    "storage",
    "subscription",
    "license",
    "client",
    "aes",
    "hmac",
    "jwt",
    "session",
    "cookie",
];

/// A name that ends so speaks about the secret, and does not hold it.
const ABOUT: &[&str] = &[
    "name",
    "names",
    "ref",
    "refs",
    "file",
    "files",
    "path",
    "paths",
    "dir",
    "url",
    "uri",
    "urls",
    "endpoint",
    "host",
    "hosts",
    "port",
    "issuer",
    "type",
    "types",
    "ttl",
    "expiry",
    "expiration",
    "expires",
    "expire",
    "seconds",
    "minutes",
    "hours",
    "days",
    "age",
    "length",
    "len",
    "size",
    "policy",
    "version",
    "id",
    "ids",
    "enabled",
    "enable",
    "disabled",
    "required",
    "mode",
    "method",
    "methods",
    "algorithm",
    "alg",
    "audience",
    "audiences",
    "scope",
    "scopes",
    "provider",
    "class",
    "namespace",
    "header",
    "prefix",
    "suffix",
    "username",
    "user",
    "users",
    "interval",
    "timeout",
    "retries",
    "count",
    "min",
    "max",
    "limit",
    "lifetime",
    "duration",
    "rotation",
    "mount",
    "location",
    "format",
    "source",
    "kind",
    "status",
    "state",
    "realm",
    "domain",
    "server",
    "service",
    "region",
    "engine",
    "role",
    "backend",
    "tokens",
];

/// What the value beside `name` is, as far as the name says.
pub(super) fn classify(name: &str) -> Option<Naming> {
    let lower = name.to_ascii_lowercase();
    // A checksum of a secret tells when it changes: `checksum/secret`.
    if !HINTS.iter().any(|hint| lower.contains(hint)) || lower.contains("checksum") {
        return None;
    }
    let mut words = words(name);
    while words.len() > 1 && words.last().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
        words.pop();
    }
    let word = |back: usize| {
        words
            .len()
            .checked_sub(back)
            .and_then(|at| words.get(at))
            .map_or("", |word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
    };
    let (last, before) = (word(1), word(2));
    if last == "id" && before == "secret" {
        return Some(Naming::Secret);
    }
    let about = ABOUT.contains(&last);
    let pairs = |first: &[&str], second: &str| {
        words.windows(2).any(|pair| matches!(pair, [a, b] if first.contains(&a.as_str()) && b.trim_end_matches(|c: char| c.is_ascii_digit()) == second))
    };
    if lower.contains("connectionstring")
        || pairs(&["connection", "conn"], "string")
        || pairs(&["conn"], "str")
        || last == "connstr"
        || last == "dsn"
    {
        return Some(Naming::Connection);
    }
    let secret = words.iter().any(|word| {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        word == "pw"
            || IN_WORD.iter().any(|part| word.contains(part))
            || !OTHER_WORDS.contains(&word) && WORD_ENDS.iter().any(|end| word.ends_with(end))
    }) || pairs(BEFORE_KEY, "key")
        || pairs(&["key"], "data") && before == "key"
        || matches!(last, "salt" | "cookie");
    match (secret, about) {
        (true, false) => Some(Naming::Secret),
        (true, true) => Some(Naming::Weak),
        (false, false) if last == "auth" || last == "authorization" || last.ends_with("auth") && last != "oauth" => {
            Some(Naming::Auth)
        }
        (false, _) if matches!(last, "key" | "keys" | "sig" | "signature" | "sas") => Some(Naming::Weak),
        _ => None,
    }
}

/// Endings of files that hold settings. Those of keys, certificates and plain words are not here.
const FILES: &[&str] = &[
    "json",
    "yaml",
    "yml",
    "conf",
    "cfg",
    "cnf",
    "ini",
    "properties",
    "toml",
    "xml",
    "hcl",
    "tf",
    "tpl",
    "tmpl",
    "env",
    "sh",
    "rules",
    "lua",
    "js",
    "py",
    "rb",
    "php",
    "sql",
    "md",
    "html",
];

/// Whether a name is one of a file that holds settings.
pub(super) fn is_file(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| FILES.iter().any(|file| file.eq_ignore_ascii_case(end)))
}

/// The words of a name, in lower case: at separators, and where the case changes.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let chars: Vec<char> = name.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).and_then(|at| chars.get(at)), chars.get(at + 1));
        let hump = c.is_ascii_uppercase()
            && (before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                || before.is_some_and(char::is_ascii_uppercase) && after.is_some_and(char::is_ascii_lowercase));
        if !c.is_ascii_alphanumeric() || hump {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_ascii_alphanumeric(), words.last_mut()) {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_hold_secrets() {
        use Naming::{Auth, Connection, Secret, Weak};
        let table = [
            (
                Some(Secret),
                "PASSWORD DB_PASSWORD PW DB_PW dbPassword db.password PGPASSWORD MYSQL_PWD DB_PASS userpass requirepass passwd",
            ),
            (
                Some(Secret),
                "SECRET client_secret clientSecret SECRET_KEY_BASE TOKEN GITHUB_TOKEN authToken ACCESSTOKEN x-auth-token",
            ),
            (
                Some(Secret),
                "API_KEY apiKey APIKey X-Api-Key AZURE_ACCESS_KEY AWS_SECRET_ACCESS_KEY PRIVATE_KEY AccountKey SharedAccessKey restuserkey TS_AUTHKEY",
            ),
            (
                Some(Secret),
                "CREDENTIALS GOOGLE_CREDENTIALS PASSWORD_2 password1 SECRET_ID client-key-data .dockerconfigjson JWT SALT ERLANG_COOKIE",
            ),
            (Some(Auth), "AUTH BASIC_AUTH REDIS_AUTH masterauth"),
            (
                Some(Connection),
                "CONNECTION_STRING ConnectionString ConnectionStrings__Default DB_DSN dsn AZURE_STORAGE_CONNECTION_STRING",
            ),
            (
                Some(Weak),
                "ENCRYPTION_KEYS key KEY APP_KEY PASSWORD_FILE TOKEN_URL secretName AWS_ACCESS_KEY_ID token_type signature",
            ),
            (
                None,
                "PATH HOME HOSTNAME monkey2 LOG_LEVEL author AUTHORITY OAUTH PASSED bypass tokenizer KEYCLOAK_URL connections passive checksum-secret pwned",
            ),
        ];
        for (expected, names) in table {
            for name in names.split(' ') {
                assert_eq!(classify(name), expected, "{name}");
            }
        }
    }
}
