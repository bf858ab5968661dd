//! What is refused by name: flags that no line may have, and verbs that are neither a read nor a change of ours.
//!
//! *Invariant:* a flag that says where a request goes, who sends it, or which local file it reads is here.

/// Where it stands in a line does not matter, nor whether its words are joined by `-` or `_`.
struct Forbidden {
    long: &'static str,
    short: Option<char>,
    why: &'static str,
}

const fn no(long: &'static str, why: &'static str) -> Forbidden {
    Forbidden { long, short: None, why }
}

const fn no_short(long: &'static str, short: char, why: &'static str) -> Forbidden {
    Forbidden { long, short: Some(short), why }
}

const ELSEWHERE: &str = "sends the request, and the credentials with it, elsewhere";
const SOMEBODY: &str = "acts as somebody else";
const CREDENTIAL: &str = "changes the credentials";
const TRUST: &str = "changes which server is trusted";
const LOCAL: &str = "writes files on this machine";
const LOUD: &str = "logs requests, headers and bodies";
const CLIENT: &str = "changes how the client itself works";

const FLAGS: &[Forbidden] = &[
    no("as", SOMEBODY),
    no("cache-dir", LOCAL),
    no("cluster", ELSEWHERE),
    no("disable-compression", CLIENT),
    no_short("help", 'h', "prints a help text, and does nothing"),
    no("kubeconfig", ELSEWHERE),
    no("kuberc", "reads other preferences, which can add flags"),
    no_short("kustomize", 'k', "builds from a folder or a URL"),
    no("match-server-version", CLIENT),
    no("password", CREDENTIAL),
    no("proxy-url", ELSEWHERE),
    no("raw", "asks for any path of the API, secrets too"),
    no_short("server", 's', ELSEWHERE),
    no("token", CREDENTIAL),
    no("user", "takes other credentials (as a subject of a role it belongs in a manifest)"),
    no("username", CREDENTIAL),
    no_short("v", 'v', LOUD),
    no("version", CLIENT),
    no("vmodule", LOUD),
];

/// The beginnings of flags, where all that begin so are refused.
const BEGINNINGS: &[(&str, &str)] = &[
    ("as-", SOMEBODY),
    ("auth-", CREDENTIAL),
    ("certificate-", TRUST),
    ("client-", CREDENTIAL),
    ("insecure-", TRUST),
    ("log-", CLIENT),
    ("logtostderr", CLIENT),
    ("profile", LOCAL),
    ("tls-", TRUST),
    ("warnings-", CLIENT),
];

/// Why no line may have this flag, if none may.
pub(in crate::kubectl) fn forbidden(long: &str) -> Option<&'static str> {
    let exact = FLAGS.iter().find(|flag| flag.long == long).map(|flag| flag.why);
    exact.or_else(|| BEGINNINGS.iter().find(|(beginning, _)| long.starts_with(beginning)).map(|(_, why)| *why))
}

/// The flag of this letter that no line may have, and why.
pub(in crate::kubectl) fn forbidden_short(letter: char) -> Option<(&'static str, &'static str)> {
    FLAGS.iter().find(|flag| flag.short == Some(letter)).map(|flag| (flag.long, flag.why))
}

const CONTAINER: &str = "opens a channel into a container";
const GET: &str = "look with `kubectl get`, `describe` or `logs`";
const CONFIG: &str = "the context is chosen outside of the line, by `--context` of the program that runs it";

/// Verbs, with a subcommand where only that is meant; why they are refused, and what to do instead.
const VERBS: &[(&str, &str, &str)] = &[
    ("alpha", "has commands that may change or go", GET),
    ("api-versions", "is no verb of ours", "`kubectl api-resources` shows groups and versions too"),
    ("apply view-last-applied", "prints an annotation that may hold a secret", "`kubectl get TYPE NAME -o yaml`"),
    ("attach", CONTAINER, "read what it printed: `kubectl logs`"),
    ("auth whoami", "is about the user, not the cluster", "`kubectl auth can-i --list` shows what is allowed"),
    ("cluster-info", "prints addresses, and with `dump` every object and log", "`kubectl get` what you look for"),
    ("completion", "prints a script for a shell", "run it by hand"),
    ("config", "changes or prints the kubeconfig", CONFIG),
    ("convert", "works on local files", GET),
    ("cp", "copies files to or from a container", "read what it printed: `kubectl logs`"),
    ("create token", "prints a credential", "let the program that needs it ask for its own"),
    ("ctx", "changes the kubeconfig", CONFIG),
    ("debug", "runs a container of its own beside others", GET),
    ("diff", "needs the right to write", "`kubectl get TYPE NAME -o yaml` shows what there is"),
    ("exec", "runs a program inside a container", "read what it printed: `kubectl logs`"),
    ("help", "prints a help text, and does nothing", "`kubectl explain TYPE` tells about fields"),
    ("krew", "installs plugins", "run it by hand"),
    ("kuberc", "changes the preferences of kubectl", "run it by hand"),
    ("kustomize", "builds from a folder or a URL", "write out what it prints as a manifest"),
    ("ns", "changes the kubeconfig", "name the namespace: `-n NAMESPACE`"),
    ("options", "prints a help text, and does nothing", "`kubectl explain TYPE` tells about fields"),
    ("plugin", "runs or lists plugins", GET),
    ("port-forward", "opens a channel into the cluster", GET),
    ("proxy", "opens the API to everybody on this machine", GET),
    ("react", "is this program itself", GET),
    ("rolling-update", "is long gone", "`kubectl set image`, then `kubectl rollout status`"),
];

/// Why a verb is refused, and what to do instead.
pub(in crate::kubectl) fn refused_verb(path: &str) -> Option<(&'static str, &'static str)> {
    VERBS.iter().find(|(name, _, _)| *name == path).map(|(_, why, hint)| (*why, *hint))
}
