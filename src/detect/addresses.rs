//! Addresses in texts: what in a variable, an argument or a script line is the name of a host.
//!
//! *Invariant:* pure and without knowledge of the cluster. What holds a variable that is not known
//! (`$HOST:80`) is no address.

/// Whether a variable may hold the address of something that is called: not one's own address, not
/// an origin or issuer that is only compared.
pub(super) fn speaks_of_others(name: &str) -> bool {
    const OWN: &[&str] = &[
        "ORIGIN",
        "CORS",
        "ISSUER",
        "AUDIENCE",
        "LISTEN",
        "BIND",
        "ADVERTISE",
        "PUBLIC_",
        "EXTERNAL_URL",
        "VIRTUAL_HOST",
        "COOKIE",
        "ALLOWED",
        "NO_PROXY",
        "NODE_NAME",
        "SELF_",
        "CALLBACK",
        "REDIRECT",
    ];
    let name = name.to_ascii_uppercase();
    !OWN.iter().any(|word| name.contains(word))
        && !name.starts_with("POD_")
        && !name.ends_with("IMAGE")
        && !matches!(
            name.as_str(),
            "HOST" | "HOSTNAME" | "ADDR" | "ADDRESS" | "SERVER" | "SERVER_NAME" | "BASE_URL" | "APP_URL" | "ROOT_URL"
        )
}

/// The part before `HOST` of a variable that by its name holds a host: `DB_` of `DB_HOST`.
pub(super) fn host_stem(name: &str) -> Option<&str> {
    const ENDS: &[&str] = &["HOSTNAME", "HOST", "ADDRESS", "ADDR", "SERVER", "URL", "URI", "ENDPOINT", "UPSTREAM"];
    ENDS.iter().find_map(|end| {
        let (stem, tail) = name.split_at_checked(name.len().checked_sub(end.len())?)?;
        (tail.eq_ignore_ascii_case(end) && !stem.is_empty()).then_some(stem)
    })
}

/// Whether a variable holds the port beside the host of this stem: `DB_PORT`.
pub(super) fn same_stem(name: &str, stem: &str) -> bool {
    name.split_at_checked(stem.len()).is_some_and(|(head, tail)| head == stem && tail.eq_ignore_ascii_case("PORT"))
}

/// A host and a port as they stand in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The host.
    pub host: String,
    /// The port.
    pub port: Option<i64>,
    /// Whether the port is not written but the scheme's.
    pub implied: bool,
}

/// The ports that clients take where a URL has none.
const SCHEMES: &[(&str, i64)] = &[
    ("http", 80),
    ("ws", 80),
    ("https", 443),
    ("wss", 443),
    ("redis", 6379),
    ("rediss", 6379),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("mysql", 3306),
    ("amqp", 5672),
    ("mongodb", 27017),
    ("nats", 4222),
];

/// The addresses in a text: URLs, `host:port`, and full names of Services.
pub(super) fn in_text(text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '`' | '(' | ')' | '|');
    for token in text.split(between) {
        let Some((before, rest)) = token.split_once("://") else {
            found.extend(token.rsplit('=').next().and_then(address));
            continue;
        };
        let scheme =
            before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host_port = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = host_port.split_once(':').map_or((host_port, None), |(host, port)| (host, Some(port)));
        let written = port.and_then(number);
        let default = SCHEMES.iter().find(|(name, _)| *name == scheme).map(|(_, port)| *port);
        // A port that can't be read (`http://db:$PORT`) is not the scheme's.
        if is_host(host) && (port.is_none() || written.is_some()) {
            found.push(Named {
                host: host.trim_end_matches('.').to_owned(),
                port: written.or(default),
                implied: written.is_none(),
            });
        }
    }
    found
}

/// `db:5432`, `@db:1521/x`, `db.shop.svc`, with anything after the port that is not a name.
fn address(token: &str) -> Option<Named> {
    let token = token
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .trim_start_matches("//")
        .trim_matches(['[', ']', '{', '}', '<', '>']);
    let token = token.split('/').next().unwrap_or_default();
    let Some((host, rest)) = token.split_once(':') else {
        let host = token.trim_end_matches('.');
        let full = host.split('.').nth(2) == Some("svc") || host.split('.').nth(3) == Some("svc");
        return (full && is_host(host)).then(|| Named { host: host.to_owned(), port: None, implied: false });
    };
    let port = number(rest.split(':').next().unwrap_or_default())?;
    // `pid:7`, `page:12`: nobody serves there, and much else is written so.
    if port < 20 && !host.contains('.') {
        return None;
    }
    is_host(host).then(|| Named { host: host.trim_end_matches('.').to_owned(), port: Some(port), implied: false })
}

/// Addresses in a line of a command: those of a text, and those given to programs that connect.
pub(super) fn in_command(line: &str) -> Vec<Named> {
    let mut found = if line.split_whitespace().any(|word| word == "chown") { Vec::new() } else { in_text(line) };
    let words: Vec<&str> = line
        .split(|c: char| c.is_whitespace() || matches!(c, ';' | '|' | '&' | '(' | ')' | '"' | '\'' | '`'))
        .filter(|word| !word.is_empty())
        .collect();
    found.extend(in_words(&words));
    found
}

/// `nc -z db 5432`, `nslookup db`, `pg_isready -h db -p 5432`.
pub(super) fn in_words(words: &[&str]) -> Vec<Named> {
    const CONNECT: &[&str] = &["nc", "ncat", "netcat", "telnet", "nslookup", "ping", "dig"];
    const HOST: &[&str] = &["--host", "--hostname", "--server"];
    // `-h` asks most programs for help, and gives a folder to others.
    const SHORT: &[&str] =
        &["pg_isready", "psql", "pg_dump", "mysql", "mysqladmin", "mysqldump", "mariadb", "mariadb-admin", "redis-cli"];
    const PORT: &[&str] = &["-p", "-P", "--port"];
    let short = words.iter().any(|word| SHORT.contains(&word.rsplit('/').next().unwrap_or_default()));
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let rest = words.get(index + 1..).unwrap_or_default();
        let program = word.rsplit('/').next().unwrap_or_default();
        if CONNECT.contains(&program) || program == "hosts" && index > 0 && words.get(index - 1) == Some(&"getent") {
            // Flags and their numbers (`-w 2`) come before the host.
            let mut plain = rest.iter().take(6).skip_while(|word| word.starts_with('-') || number(word).is_some());
            if let Some(host) = plain.next().filter(|host| is_host(host)) {
                let port =
                    plain.next().and_then(|word| number(word)).filter(|_| program != "ping" && program != "nslookup");
                found.push(Named { host: (*host).trim_end_matches('.').to_owned(), port, implied: false });
            }
        }
        if (HOST.contains(word) || short && *word == "-h")
            && let Some(host) = rest.first().filter(|host| is_host(host))
        {
            let port = rest
                .iter()
                .take(8)
                .zip(rest.iter().skip(1))
                .find(|(flag, _)| PORT.contains(flag))
                .and_then(|(_, port)| number(port));
            found.push(Named { host: (*host).to_owned(), port, implied: false });
        }
    }
    found
}

fn number(text: &str) -> Option<i64> {
    (text.len() <= 5 && text.chars().all(|c| c.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
        .filter(|port| (1..=65535).contains(port))
}

/// Whether a word can be the name of a host, and isn't an address or the pod's own.
pub(super) fn is_host(word: &str) -> bool {
    let word = word.strip_suffix('.').unwrap_or(word);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    word != "localhost"
        && word.len() <= 253
        && word.split('.').all(label)
        && word.split('.').next_back().is_some_and(|last| last.chars().any(|c| c.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_number_is_no_port() {
        for line in ["awk 'BEGIN{print \"Worker (pid:7)\"}'", "find /tmp -name 'page:12'"] {
            assert!(in_command(line).is_empty(), "{line}");
        }
    }

    fn lines(found: Vec<Named>) -> Vec<String> {
        found
            .into_iter()
            .map(|n| {
                n.host + &n.port.map(|port| format!(":{port}")).unwrap_or_default() + if n.implied { "?" } else { "" }
            })
            .collect()
    }

    #[test]
    fn addresses_in_values() {
        let table: &[(&str, &[&str])] = &[
            ("http://rates:8080/x?y=z:1", &["rates:8080"]),
            ("https://rates", &["rates:443?"]),
            ("postgres://user:<redacted:1a2b3c4d~16>@db:5432/app", &["db:5432"]),
            ("jdbc:postgresql://db.shop.svc.cluster.local:5432/app?user=x", &["db.shop.svc.cluster.local:5432"]),
            ("jdbc:oracle:thin:@db:1521:sid", &["db:1521"]),
            ("user:secret@tcp(db:3306)/app", &["db:3306"]),
            ("mongodb://a:27017,b:27018/x", &["a:27017", "b:27018"]),
            ("kafka-0:9092, kafka-1:9092", &["kafka-0:9092", "kafka-1:9092"]),
            ("host=db.shop.svc port=5432", &["db.shop.svc"]),
            (r#"{"url":"http://rates:8080"}"#, &["rates:8080"]),
            (
                "http://$HOST:$PORT/ http://db:$PORT ${A}rates:80 :8080 12:30 sha256:123456 Error:500 10.0.0.1:80 localhost:80",
                &[],
            ),
            ("rates shop.example.com", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(lines(in_text(text)), *expected, "{text}");
        }
    }

    #[test]
    fn addresses_in_commands() {
        let table: &[(&str, &[&str])] = &[
            ("until nc -z -w 2 db 5432; do sleep 1; done", &["db:5432"]),
            ("nslookup mydb.shop.svc.cluster.local", &["mydb.shop.svc.cluster.local", "mydb.shop.svc.cluster.local"]),
            ("pg_isready -h db -p 5432", &["db:5432"]),
            ("wget -qO- http://api.shop/healthz", &["api.shop:80?"]),
            ("exec httpd -f -p 8080 -h www", &[]),
            ("chown app:1000 /data", &[]),
            ("nc -l -p 80", &[]),
            (r#"nslookup "$1.$NS.svc.cluster.local""#, &[]),
        ];
        for (text, expected) in table {
            assert_eq!(lines(in_command(text)), *expected, "{text}");
        }
    }
}
