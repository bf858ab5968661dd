//! What a line of a log (or a runtime's message) complains of, by general shapes: the class of
//! the error, what is refused, by whom. No list of known programs.

use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};

use super::line::{pattern, short};

/// What is complained of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// The API server refuses an account.
    Forbidden(Denial),
    /// A name has no address.
    UnknownHost(String),
    /// Nobody listens (false), or nobody answers (true).
    Unreachable(bool),
    /// A certificate or a handshake.
    Tls,
    /// A file of its own that is to hold a certificate or a key, and doesn't.
    KeyFile,
    /// A server knows the client and refuses it.
    Auth,
    /// A port is taken.
    PortInUse(Option<u16>),
    /// A port below 1024 without the right to it.
    PortDenied(Option<u16>),
    /// A disk, a volume or a quota of one is full.
    DiskFull(Option<String>),
    /// What is to be written can't be.
    ReadOnly(Option<String>),
    /// A variable has no value.
    MissingEnv(String),
    /// A variable that the kubelet makes for a Service has the name that the program reads.
    ServiceLink(Link),
    /// The program, its heap or a child of it has no memory left; whether the line says so itself.
    Memory(bool),
    /// A command is not there.
    NoCommand(String),
    /// A command may not be executed.
    NotExecutable(String),
    /// A program of another architecture, or a script without `#!`.
    ExecFormat(String),
    /// A file or folder is not there.
    MissingFile(String),
    /// A file or folder may not be read or written.
    FileDenied(Option<String>),
    /// A file that others may read as well, which the program does not bear.
    FileOpen(Option<String>),
    /// A configuration, flag or argument that the program doesn't take.
    Config,
}

/// What an account may not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denial {
    /// `system:serviceaccount:shop:web`.
    pub user: String,
    /// `list`.
    pub verb: String,
    /// `pods`, `pods/log`.
    pub resource: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// Where; empty for the whole cluster.
    pub namespace: String,
}

/// A variable made for a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// `REDIS_PORT`.
    pub variable: String,
    /// `tcp://10.96.0.7:6379`.
    pub value: String,
    /// The Service.
    pub service: String,
}

type Read = fn(&Captures<'_>, &str) -> Option<Class>;

/// Shapes, the more telling first: a line belongs to the first that it matches.
const SHAPES: &[(&str, Read)] = &[
    (
        r#"[Uu]ser "(?<user>[^"]+)" cannot (?<verb>\w+) resource "(?<what>[^"]+)"(?: in API group "(?<group>[^"]*)")?(?: in the namespace "(?<ns>[^"]+)")?"#,
        |c, _| {
            Some(Class::Forbidden(Denial {
                user: text(c, "user"),
                verb: text(c, "verb"),
                resource: text(c, "what"),
                group: text(c, "group"),
                namespace: text(c, "ns"),
            }))
        },
    ),
    // What the runtime itself says when it can't execute the program.
    (
        r#"exec: "(?<x>[^"]*)": executable file not found|executable file [`'"](?<y>[^`'"]*)[`'"] not found|exec: "(?<z>[^"]*)": (?:stat [^:]*: )?no such file or directory|^exec (?<w>[^:\s]+): no such file or directory"#,
        |c, _| Some(Class::NoCommand(any(c))),
    ),
    (
        r#"exec: "(?<x>[^"]*)": (?:stat [^:]*: )?permission denied|^exec (?<y>[^:\s]+): permission denied|open executable: (?i:permission denied)|exec: "(?<z>[^"]*)": is a directory"#,
        |c, _| Some(Class::NotExecutable(any(c))),
    ),
    (
        r#"(?i)(?:exec:? "?(?<x>[^"\s:]+)"?: |(?<y>/[^\s:]+): )?(?:exec format error|cannot execute binary file|cannot execute: required file not found.*format)"#,
        |c, _| Some(Class::ExecFormat(any(c))),
    ),
    // What a shell says of a command; the shell's own name stands before.
    (
        r"^(?:[\w./-]*(?:sh|bash|busybox|\.sh)): (?:(?:line )?\d+: )?(?:exec: )?(?<x>[^\s:]+): (?:command )?not found\s*$|^(?:env|[\w./-]*/env): (?:can't execute )?[‘'`]?(?<y>[^\s:'’]+)['’]?: No such file or directory|(?:bad interpreter|cannot execute: required file not found)",
        |c, _| Some(Class::NoCommand(any(c))),
    ),
    (r"^(?:[\w./-]*(?:sh|bash)): (?:(?:line )?\d+: )?(?:exec: )?(?<x>/?[^\s:]+): [Pp]ermission denied\s*$", |c, _| {
        Some(Class::NotExecutable(any(c)))
    }),
    // Heaps and children; what the kernel does to the container itself stands in its state.
    (
        concat!(
            r"(?i)outofmemoryerror|heap out of memory|gc overhead limit exceeded|out of memory|\boom[- ]?kill(ed|er|ing)?\b|cannot allocate memory|\bmemoryerror\b|\bbad_alloc\b|memory (is )?exhausted|allowed memory size of \d+|failed to allocate memory|memory allocation of \d+ bytes failed|\benomem\b",
            r"|(?P<killed>signal: killed|(worker|child|process|subprocess|job)\b.{0,60}\b(signal 9|sigkill|signal: 9)\b|\bkilled by signal 9\b)"
        ),
        |c, _| Some(Class::Memory(c.name("killed").is_none())),
    ),
    (
        concat!(
            r"(?i)no such host|could not translate host name|name or service not known|temporary failure in name resolution|failure in name resolution|bad address '|\bnxdomain\b|\benotfound\b|\beai_again\b",
            r"|unknownhostexception|unknown (mysql server )?host|host not found|could not resolve (host|proxy)|(can't|cannot|unable to|failed to|couldn't) resolve (host|hostname|name|address|dns)|can't resolve '|name does not resolve|nodename nor servname|server misbehaving|no address associated with hostname",
            r"|name resolution (failed|error)|(failed to|can't|cannot|unable to) (look ?up|resolve) |getaddrinfo (failed|error)|dns (lookup|resolution) (failed|error)|unresolved host|lookup [\w.-]+( on [\d.:]+)?: .*(i/o timeout|no answer)|no such name"
        ),
        |_, line| Some(Class::UnknownHost(host_of(line).unwrap_or_default())),
    ),
    // Who can't read its own file has not come to speak to anybody.
    (
        concat!(
            r"(?i)\bno start line\b|bad (base64 decode|end line)|key values mismatch|private key does not match",
            r"|(?:^|[^\w./-])pem\b.{0,60}\b(invalid|malformed|bad|error|fail\w*|missing|not found|no (data|certificates?|keys?|blocks?))\b|\b(invalid|malformed|bad|no|not( a)?( valid)?|any|find|decode|parse|load|missing)( \w+){0,3} pem\b"
        ),
        |_, line| {
            static GONE: LazyLock<Regex> =
                LazyLock::new(|| pattern(r"(?i)no such file|enoent|permission denied|eacces"));
            (!GONE.is_match(line)).then_some(Class::KeyFile)
        },
    ),
    (
        concat!(
            r"(?i)\bx509: |certificate (signed by unknown authority|has expired|is not valid|is not trusted|verify failed|verification failed|is valid for)|certificate_verify_failed|unable to get (local )?issuer certificate|self[- ]signed certificate|unable to verify the first certificate",
            r"|pkix path|sslhandshakeexception|(tls|ssl).{0,20}handshake (failure|failed|error)|tls: |err_tls_|cert_has_expired|(ssl|tls)[ _]?(error|alert|exception)|wrong version number|gave http response to https client|hostname mismatch|no ssl certificate|certificate expired"
        ),
        |_, _| Some(Class::Tls),
    ),
    (
        r"(?i)permissions? .{0,150}\btoo (open|permissive|broad|loose|wide|lax)\b|bad permissions|unprotected private key|has group or world access|insecure (file )?permissions",
        |_, line| Some(Class::FileOpen(path_of(line))),
    ),
    (
        concat!(
            r#"(?i)password authentication failed|access denied for user|(authentication|auth|login) (failed|failure|error|denied|required)|\bwrongpass\b|\bnoauth\b|\b401\b.{0,20}unauthori[sz]ed|status(?: code)?[:= ]+401\b|unauthori[sz]ed(?: \(?401)?\b|invalid (username|user name|password|credentials?|token|api[ -]?key|access key|client secret)"#,
            r#"|invalidaccesskeyid|signaturedoesnotmatch|expiredtoken|not authorized|no pg_hba\.conf entry|bad credentials|credentials? (is|are|were)? ?(invalid|rejected|expired)|access_refused|sasl.{0,30}(fail|error)|permission denied for (database|table|schema|relation|sequence|user)|(incorrect|wrong) (password|username|credentials)|login incorrect|permission denied \(publickey"#
        ),
        |_, _| Some(Class::Auth),
    ),
    (
        r"(?i)address (is )?already in use|eaddrinuse|address in use|port \d+ (is|was) already|port (is )?already (allocated|in use)|only one usage of each socket address",
        |_, line| Some(Class::PortInUse(port_of(line))),
    ),
    (r"(?i)(bind|listen)\w*.{0,60}(permission denied|eacces)|(permission denied|eacces).{0,30}\bbind", |_, line| {
        Some(Class::PortDenied(port_of(line)))
    }),
    (
        r"(?i)no space left on device|enospc|disk quota exceeded|disk (is )?full|not enough (disk )?space|out of disk space|no free space",
        |_, line| Some(Class::DiskFull(path_of(line))),
    ),
    (r"(?i)read-?only file ?system|\berofs\b", |_, line| Some(Class::ReadOnly(path_of(line)))),
    (
        concat!(
            r"(?i)connection refused|econnrefused|connection was refused|actively refused|connect: no route to host|no route to host|ehostunreach|network is unreachable|enetunreach|connection reset by peer|econnreset",
            r"|(could not|couldn't|cannot|can't|unable to|failed to|error) connect(ing)? to|connect(ion)? (to .{1,80} )?(failed|timed out|timeout)|i/o timeout|etimedout|connecttimeout|dial tcp|no servers available|no (reachable|available) (servers?|brokers?|nodes?)|connection to .{1,80} (refused|failed)|server is not (reachable|available)|upstream (failure|connect error|unavailable)|is the server running|operation timed out|read timed out|request timed out|deadline exceeded|503 service (temporarily )?unavailable|connection closed by"
        ),
        |_, line| {
            static SLOW: LazyLock<Regex> = LazyLock::new(|| {
                pattern(r"(?i)timed? ?out|etimedout|deadline exceeded|no route to host|unreach|ehostunreach")
            });
            static REFUSED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)refused"));
            Some(Class::Unreachable(SLOW.is_match(line) && !REFUSED.is_match(line)))
        },
    ),
    (
        concat!(
            r"(?-i:\b(?<a>[A-Za-z_]\w*)): (?:parameter not set|unbound variable|parameter null or not set)",
            r#"|(?i:env(?:ironment)?[ -]?(?:variables?|vars?)?)[ :]+[`'"$\[{(]*(?-i:(?<b>[A-Z][A-Z0-9_]+))[`'"\])}]* (?i:(?:is |was |are )?(?:not (?:set|found|defined|present|provided|specified|configured)|missing|required|unset|undefined|empty|must be))"#,
            r#"|(?i:missing|required|undefined|unset|no value for|need|needs|set|specify|provide|define|expected|without|lacks?)(?i: (?:the |a |an |required |mandatory |valid |following |non-empty ){0,3}(?:env(?:ironment)?(?: |-)?(?:variables?|vars?)?|variables?|settings?|config(?:uration)?(?: values?| keys?| options?)?|params?(?:eters?)?|keys?)?)?[ :=]+[`'"$\[{(\-]*(?-i:(?<c>[A-Z][A-Z0-9]*_[A-Z0-9_]+))\b"#,
            r#"|(?-i:\b(?<d>[A-Z][A-Z0-9]*_[A-Z0-9_]+))[`'"\])}]*(?i:(?: (?:environment |env )?(?:variable|var|setting|value|key))?(?: (?:is|was|are|has))?:? (?:not (?:been )?(?:set|found|defined|present|provided|specified|configured)|missing|required|mandatory|unset|undefined|empty|blank|must be (?:set|provided|defined|specified|given|configured)|no value|missing value|needs? (?:to be )?(?:set|a value)))"#,
            r#"|KeyError: ['"](?<e>[A-Z][A-Z0-9_]+)['"]|key not found: "(?<f>[A-Z][A-Z0-9_]+)"|required key (?<g>[A-Z][A-Z0-9_]+) missing|[Cc]ould not resolve placeholder '(?<h>[\w.-]+)'|process\.env\.(?<i>\w+)|os\.(?:environ|getenv)[\[(]['"](?<j>\w+)['"]"#
        ),
        |c, _| Some(Class::MissingEnv(any(c))),
    ),
    (
        r"(?i)service ?account token (file )?(does not exist|not found|is missing|was not found)|service token file does not exist",
        |_, line| Some(Class::MissingFile(path_of(line).unwrap_or_else(|| super::mount::TOKEN.to_owned()))),
    ),
    (
        r"(?i)no such file or directory|\benoent\b|filenotfound(error|exception)|nosuchfileexception|(can'?t|cannot|could not|couldn't|unable to|failed to) (open|find|read|load|access|stat|locate)\b|nonexistent directory|(file|directory|folder|path) .{0,120}(not found|does ?n[o']t exist|is missing|missing)|cannot find the (file|path)",
        |_, line| {
            static DENIED: LazyLock<Regex> =
                LazyLock::new(|| pattern(r"(?i)permission denied|eacces|access denied|not permitted"));
            if DENIED.is_match(line) {
                Some(Class::FileDenied(path_of(line)))
            } else {
                path_of(line).map(Class::MissingFile)
            }
        },
    ),
    (r"(?i)(/[\w.@/-]+).{0,40}(not found|does ?n[o']t exist|is missing)", |_, line| {
        path_of(line).map(Class::MissingFile)
    }),
    (
        r"(?i)permission denied|\beacces\b|permissionerror|operation not permitted|\beperm\b|accessdeniedexception|access is denied|is not writ(e)?able|not writable",
        |_, line| Some(Class::FileDenied(path_of(line))),
    ),
    (
        concat!(
            r"(?i)\b(ya?ml|toml|json|ini|xml)\b.{0,60}(error|invalid|unexpected|did not find|cannot|could not|mapping|line \d+)|\b(pars(e|ing|er)|unmarshal\w*|decod(e|ing)|deserializ\w+|syntax|scan)\b.{0,40}\b(error|fail\w*|invalid|unexpected|exception)|(error|fail\w*|cannot|could not|unable to|invalid).{0,40}\b(pars(e|ing)|unmarshal\w*|decod(e|ing)|deserializ\w+|syntax)",
            r"|syntax error|parse error|unexpected (token|character|end|eof)|invalid character|(unknown|unrecognized|unsupported|illegal|invalid|bad|undefined|duplicate|unexpected) (config\w*|field|option|directive|flag|key|property|argument|parameter|command|setting|value|section|subcommand|switch|attribute)|invalid configuration|config(uration)?( file)? (is |was )?(invalid|error|not valid)|flag provided but not defined|unknown (shorthand )?flag|not a valid (value|option|port|url|number|integer|boolean)|invalid literal|jsondecodeerror|numberformatexception|configuration error|strconv\.|bad config"
        ),
        |_, _| Some(Class::Config),
    ),
];

struct Shapes {
    set: RegexSet,
    all: Vec<Regex>,
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles each")]
static COMPILED: LazyLock<Shapes> = LazyLock::new(|| Shapes {
    set: RegexSet::new(SHAPES.iter().map(|(shape, _)| shape)).expect("constant patterns"),
    all: SHAPES.iter().map(|(shape, _)| pattern(shape)).collect(),
});

/// What a text complains of.
pub(super) fn classify(text: &str) -> Option<Class> {
    shape(&head(text)).map(|(class, _)| class)
}

/// Whether a line says that a name could not be resolved, or not be asked for.
pub fn unresolved(line: &str) -> bool {
    static ASKS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)no servers could be reached|\b(lookup|getaddrinfo)\b.*\b(error|fail\w*|refused|time-?d? ?out|not known)",
        )
    });
    matches!(classify(line), Some(Class::UnknownHost(_))) || ASKS.is_match(line)
}

/// A hostile line may be long; what matters is said early.
fn head(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() > 2000 { text.chars().take(1000).collect::<String>().into() } else { text.into() }
}

/// What a text complains of, and where it says so.
fn shape(head: &str) -> Option<(Class, std::ops::Range<usize>)> {
    COMPILED.set.matches(head).iter().find_map(|index| {
        let captures = COMPILED.all.get(index)?.captures(head)?;
        let (_, read) = SHAPES.get(index)?;
        Some((read(&captures, head)?, captures.get(0)?.range()))
    })
}

/// A text in one line, cut to so many characters, of which the words that tell what it complains of are never cut
/// off: rather what stands before them.
pub fn telling(text: &str, most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = (text.chars().count() > most).then(|| shape(&head(&text)).map(|(_, at)| at)).flatten();
    let Some(at) = found else { return short(&text, most) };
    let count = |range: std::ops::Range<usize>| text.get(range).map_or(0, |part| part.chars().count());
    // After the words there is room for what they are about: `for user "app"`.
    let room = most.saturating_sub(2).saturating_sub(most / 4);
    if count(0..at.end) <= room {
        return short(&text, most);
    }
    let before = text.get(..at.start).unwrap_or_default();
    let clauses = before.match_indices(": ").map(|(colon, _)| colon + 2).chain([at.start]);
    let from = clauses.into_iter().find(|from| count(*from..at.end) <= room).unwrap_or(at.start);
    format!("…{}", short(text.get(from..).unwrap_or_default(), most.saturating_sub(1)))
}

fn text(captures: &Captures<'_>, name: &str) -> String {
    captures.name(name).map_or(String::new(), |found| found.as_str().to_owned())
}

/// The first group that took part.
fn any(captures: &Captures<'_>) -> String {
    captures.iter().skip(1).flatten().next().map_or(String::new(), |found| found.as_str().to_owned())
}

/// The path that a line is about: quoted, after `open`, or the first absolute one.
pub fn path_of(line: &str) -> Option<String> {
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"["'`‘“](?<x>(?:[A-Za-z]:)?[./~][^"'`’”\n]{1,200})["'`’”]"#));
    static PLAIN: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?:^|[\s=(\[<:,])(?<x>/[\w.@%+~-][\w.@%+~/-]*|\.{1,2}/[\w.@/-]+)"));
    static VERB: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"(?:\b(?:open|stat|read|load|access|find|mkdir|create|write|chdir|cd to|directory|file)\(?["'`:]* ?["'`]?)(?<x>/[\w.@%+~/-]+)"#,
        )
    });
    static BARE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r#"(?:open|stat|read|load|find|file:?|directory:) ["'`]?(?<x>[\w.-]+(?:/[\w.-]+)*\.[A-Za-z]\w{1,5})\b"#)
    });
    // The program that complains stands first, and is not what it complains of.
    let own: Option<String> = PROGRAM.captures(line).map(|found| any(&found));
    let body = own.as_ref().and_then(|own| line.trim_start().strip_prefix(own.as_str())).unwrap_or(line);
    let first = |pattern: &Regex| pattern.captures(body).and_then(|found| Some(found.name("x")?.as_str().to_owned()));
    let found = first(&VERB).or_else(|| first(&QUOTED)).or_else(|| first(&PLAIN)).or_else(|| first(&BARE))?;
    let found = found.trim_end_matches(['.', ',', ':', ';', '/', ')']).to_owned();
    (!found.is_empty()).then_some(found)
}

/// `/bin/sh: …`, `/usr/bin/app: …` at the beginning of a line.
static PROGRAM: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(/[\w./-]+): .*[/'`]"));

/// The host that a line can't resolve.
fn host_of(line: &str) -> Option<String> {
    static HOST: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            r"\blookup (?:on [\d.:]+: )?(?<x>[\w.-]+?)\.?(?: on [^:\s]+(?::\d+)?)?:",
            r#"host(?:name)?(?: name)?(?: not found)?(?: in upstream)?:? ["'`(](?<x>[\w.-]+)["'`)]"#,
            r"(?:bad address|can't resolve|can't find|resolve host|resolve hostname) ?:? ?['`\x22(](?<x>[\w.-]+)['`\x22)]",
            r"(?:ENOTFOUND|EAI_AGAIN) (?<x>[\w.-]+)",
            r"(?i:unknownhost(?:exception)?): (?<x>[\w.-]+)",
            r#"(?i:resolve|look ?up|unknown host|can't find|host not found):? (?i:(?:host(?:name)?|name|address|peer|member|node|server|broker|upstream|backend|endpoint|service|domain):? )?["'`]?(?<x>[\w-]+(?:\.[\w-]+)*)"#,
            r#"host=['"](?<x>[\w.-]+)['"]"#,
            r"\w+://(?:[^@/\s]*@)?(?<x>[\w.-]+)",
            r"(?:connect(?:ing|ion)?|dial) (?:tcp |to )(?:server )?(?:at )?[\x22'`]?(?<x>[A-Za-z][\w.-]*)",
            r"(?<x>[A-Za-z][\w-]*(?:\.[\w-]+)*):(?:\d{2,5})\b",
            r"^(?:nc|ping|wget|curl|ssh|psql|mysql|redis-cli|telnet): (?:bad address )?['\x22]?(?<x>[A-Za-z][\w.-]*)",
            r"(?:^|\s)(?<x>[A-Za-z][\w-]*(?:\.[\w-]+)*): (?:Name or service|Temporary failure|nodename|No address|Name does not|no such host)",
        ]
        .iter()
        .map(|text| pattern(text))
        .collect()
    });
    const WORDS: &[&str] = &[
        "host", "hostname", "address", "name", "server", "error", "failed", "the", "dns", "in", "to", "for", "on", "of",
    ];
    HOST.iter().flat_map(|host| host.captures_iter(line)).find_map(|found| {
        let host = found.name("x")?.as_str().trim_end_matches('.');
        (!WORDS.contains(&host.to_ascii_lowercase().as_str()) && host.chars().any(char::is_alphabetic))
            .then(|| host.to_owned())
    })
}

/// The port that a line is about.
fn port_of(line: &str) -> Option<u16> {
    static PORT: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i:port[ :=]+)(?<x>\d{1,5})\b|(?:[\d.*\]:\s]|::|localhost):(?<y>\d{1,5})\b|\b(?<z>\d{2,5}) (?:is|was) already",
        )
    });
    PORT.captures(line).and_then(|found| any(&found).parse().ok())
}
