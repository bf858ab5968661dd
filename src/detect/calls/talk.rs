//! What a client's log says of the Services that it calls.
//!
//! *Invariant:* a line counts only where it says that something failed, and names the callee as a word of its own.

use super::{Call, Client};
use crate::detect::logs::soft;
use crate::detect::prelude::*;

/// The last line of the client's logs that names the callee and says that something failed.
pub fn complaint<'a>(view: &View<'a>, client: &Client<'_>, call: &Call<'_>) -> Option<(&'a LogTail, &'a str)> {
    let service = view.get::<Service>(call.service.ns(), &call.service.name);
    let address = service.map(|s| s.spec.cluster_ip.as_str()).filter(|ip| ip.len() > 4);
    let mut names = vec![call.host.as_str(), &*call.service.name];
    names.extend(address);
    let tells = |line: &&str| fails(line) && !soft(line) && names.iter().any(|name| mentions(line, name));
    last_line(view, client, call.container, tells)
}

/// The last line of a container's logs, in any of the client's pods, for which `tells` holds.
pub fn last_line<'a>(
    view: &View<'a>,
    client: &Client<'_>,
    container: &Container,
    tells: impl Fn(&&str) -> bool,
) -> Option<(&'a LogTail, &'a str)> {
    client.pods.iter().find_map(|pod| {
        let logs = [false, true].map(|previous| view.snapshot.log(&pod.object_ref(), &container.name, previous));
        logs.into_iter()
            .flatten()
            .find_map(|log| log.lines.iter().rev().map(String::as_str).find(|line| tells(line)).map(|line| (log, line)))
    })
}

/// Whether a line says that something failed or is waited for.
fn fails(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "error",
        "fail",
        "refused",
        "timeout",
        "timed out",
        "timedout",
        "deadline",
        "no such host",
        "not known",
        "could not",
        "couldn't",
        "cannot",
        "can't",
        "unable",
        "unreachable",
        "unresolv",
        "resolve",
        "nxdomain",
        "enotfound",
        "eai_again",
        "econnrefused",
        "no route",
        "not found",
        "bad address",
        "waiting for",
        "retry",
        "does not exist",
        "unknown host",
    ];
    let line = line.to_ascii_lowercase();
    WORDS.iter().any(|word| line.contains(word))
}

/// Whether a line holds a name as a word of its own.
fn mentions(line: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        let after = line.get(at + name.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(|c| part(c) || c == '.') && !after.is_some_and(part)
    })
}
