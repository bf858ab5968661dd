//! Verbs that read, and their flags.
//!
//! *Invariant:* none of them reads a local file, waits without end, or prints what a Secret holds.

use super::{
    ALL_NAMESPACES, FIELD_SELECTOR, Flag, MANY, SELECTOR, Takes, Verb, Words, duration, flag, name, number, on, one_of,
    reads, text,
};
use crate::kubectl::refusal::Reason;

const fn endless(long: &'static str, hint: &'static str) -> Flag {
    flag(long, Takes::Refused(Reason::Endless, "does not end", hint))
}

const fn file(long: &'static str) -> Flag {
    flag(long, Takes::Refused(Reason::LocalFile, "reads a local file", "name the object: `TYPE NAME` or `TYPE/NAME`"))
}

const NO_FILES: &[Flag] = &[file("filename").short('f'), file("recursive").short('R')];

const NO_WATCH: &[Flag] = &[
    endless("watch", "leave it out; `kubectl wait` waits for one thing").short('w'),
    endless("watch-only", "leave it out; `kubectl wait` waits for one thing"),
    endless("output-watch-events", "leave it out; `kubectl events` shows events"),
];

const TEMPLATES: &[&str] = &["jsonpath", "jsonpath-as-json", "go-template", "template"];

const TABLE: &[Flag] = &[
    on("allow-missing-template-keys"),
    number("chunk-size"),
    on("ignore-not-found"),
    text("label-columns").short('L').many(),
    on("no-headers"),
    flag(
        "output",
        Takes::Output(
            &["json", "yaml", "kyaml", "name", "wide"],
            &["jsonpath", "jsonpath-as-json", "go-template", "template", "custom-columns"],
        ),
    )
    .short('o'),
    on("server-print"),
    on("show-kind"),
    on("show-labels"),
    on("show-managed-fields"),
    text("sort-by"),
    one_of("subresource", &["status", "scale", "resize", "ephemeralcontainers"]),
    text("template"),
];

const PRINT: &[Flag] = &[
    on("allow-missing-template-keys"),
    flag("output", Takes::Output(&["json", "yaml", "kyaml", "name"], TEMPLATES)).short('o'),
    on("show-managed-fields"),
    text("template"),
];

const WHICH: &[Flag] = &[ALL_NAMESPACES, FIELD_SELECTOR, SELECTOR];

const DESCRIBE: &[Flag] = &[ALL_NAMESPACES, SELECTOR, number("chunk-size"), on("show-events")];

const EVENTS: &[Flag] = &[
    ALL_NAMESPACES,
    number("chunk-size"),
    flag("for", Takes::Object),
    on("no-headers"),
    text("types").many(),
    endless("watch", "leave it out").short('w'),
];

const LOGS: &[Flag] = &[
    SELECTOR,
    on("all-containers"),
    on("all-pods"),
    name("container").short('c'),
    endless("follow", "leave it out; `--tail=N` or `--since=10m` shows the last lines").short('f'),
    number("limit-bytes"),
    number("max-log-requests"),
    duration("pod-running-timeout"),
    on("prefix"),
    on("previous").short('p'),
    duration("since"),
    text("since-time"),
    flag("tail", Takes::Signed),
    on("timestamps"),
];

const TOP_POD: &[Flag] = &[ALL_NAMESPACES, FIELD_SELECTOR, on("containers"), on("sum")];

const TOP: &[Flag] =
    &[SELECTOR, on("no-headers"), on("show-swap"), one_of("sort-by", &["cpu", "memory"]), on("use-protocol-buffers")];

const ROLLOUT: &[Flag] = &[SELECTOR, number("revision")];

const STATUS: &[Flag] = &[duration("timeout"), on("watch").short('w')];

const CAN_I: &[Flag] = &[ALL_NAMESPACES, on("list"), on("no-headers"), on("quiet").short('q'), text("subresource")];

const API_RESOURCES: &[Flag] = &[
    text("api-group"),
    on("cached"),
    text("categories").many(),
    on("namespaced"),
    on("no-headers"),
    flag("output", Takes::Output(&["name", "wide", "json", "yaml", "kyaml"], &[])).short('o'),
    one_of("sort-by", &["name", "kind"]),
    text("verbs").many(),
];

const EXPLAIN: &[Flag] = &[
    text("api-version"),
    flag("output", Takes::Output(&["plaintext", "plaintext-openapiv2"], &[])).short('o'),
    on("recursive"),
];

const VERSION: &[Flag] = &[on("client"), flag("output", Takes::Output(&["json", "yaml"], &[])).short('o')];

const WAIT: &[Flag] = &[on("all"), flag("for", Takes::Condition), duration("timeout")];

pub(super) const VERBS: &[Verb] = &[
    reads("api-resources", Words::Plain, (0, 0), &[API_RESOURCES]),
    reads("auth can-i", Words::Plain, (2, 3), &[CAN_I]),
    reads("describe", Words::Objects, (1, MANY), &[DESCRIBE, NO_FILES]),
    reads("events", Words::Plain, (0, 0), &[EVENTS, PRINT]),
    reads("explain", Words::Plain, (1, 1), &[EXPLAIN]),
    reads("get", Words::Objects, (1, MANY), &[WHICH, TABLE, NO_FILES, NO_WATCH]),
    reads("logs", Words::NameThenOne("pod"), (1, 2), &[LOGS]),
    reads("rollout history", Words::Objects, (1, MANY), &[ROLLOUT, PRINT, NO_FILES]),
    reads("rollout status", Words::Objects, (1, MANY), &[ROLLOUT, STATUS, NO_FILES]),
    reads("top node", Words::Names("node"), (0, 1), &[TOP, &[on("show-capacity")]]),
    reads("top pod", Words::Names("pod"), (0, 1), &[TOP, TOP_POD]),
    reads("version", Words::Plain, (0, 0), &[VERSION]),
    reads("wait", Words::Objects, (1, MANY), &[WHICH, WAIT, NO_FILES]),
];
