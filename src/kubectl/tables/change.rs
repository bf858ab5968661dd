//! Verbs that change what is there, and their flags.
//!
//! *Invariant:* none of them prints more than names, so that changing a Secret does not show it; none reads a local
//! file but a manifest of the same document.

use super::{
    ALL_NAMESPACES, FIELD_SELECTOR, Flag, MANY, SELECTOR, Takes, Verb, Words, changes, duration, flag, name, number,
    on, one_of, text,
};
use crate::kubectl::refusal::Reason;

pub(super) const DRY_RUN: Flag = flag("dry-run", Takes::Attached(&["none", "server", "client"]));
/// Of `auth reconcile`, which the server does not try.
const LOCAL_DRY_RUN: Flag = flag("dry-run", Takes::Attached(&["none", "client"]));
pub(super) const MANAGER: Flag = text("field-manager");
pub(super) const VALIDATE: Flag = flag("validate", Takes::Attached(&["strict", "warn", "ignore", "true", "false"]));
pub(super) const SAVE: Flag = on("save-config");

/// A change prints the names of what it changed.
pub(super) const NAMES: Flag = flag("output", Takes::Output(&["name"], &[])).short('o');

/// A manifest of the same document.
pub(super) const FILE: Flag = flag("filename", Takes::Manifest).short('f').many();

const NO_FOLDER: Flag = flag(
    "recursive",
    Takes::Refused(Reason::LocalFile, "reads a local folder", "give each manifest by its name: `-f FILE.yaml`"),
)
.short('R');

/// A flag that reads a local file, which is not in the document.
pub(super) const fn local(long: &'static str) -> Flag {
    let hint = "write it out as a manifest, or with `--from-literal`";
    flag(long, Takes::Refused(Reason::LocalFile, "reads a local file", hint)).many()
}

/// A flag that joins the terminal to a container.
const fn channel(long: &'static str) -> Flag {
    let why = "opens a channel into a container";
    flag(long, Takes::Refused(Reason::Interactive, why, "let it run, and read what it printed: `kubectl logs`"))
}

const CASCADE: Flag = flag("cascade", Takes::Attached(&["background", "foreground", "orphan"]));
const GRACE: Flag = flag("grace-period", Takes::Signed);
const TIMEOUT: Flag = duration("timeout");
const ALL: Flag = on("all");
const SUBRESOURCE: Flag = one_of("subresource", &["status", "scale", "resize"]);
const RESOURCE_VERSION: Flag = text("resource-version");

/// What most changes have.
const USUAL: &[Flag] = &[DRY_RUN, FILE, MANAGER, NAMES, NO_FOLDER];

/// What changes of files only have.
const APPLY: &[Flag] = &[
    ALL,
    CASCADE,
    GRACE,
    SELECTOR,
    SUBRESOURCE,
    TIMEOUT,
    VALIDATE,
    on("force"),
    on("force-conflicts"),
    on("overwrite"),
    on("prune"),
    text("prune-allowlist").many(),
    on("server-side"),
    on("wait"),
];

const REPLACE: &[Flag] = &[CASCADE, GRACE, SAVE, SUBRESOURCE, TIMEOUT, VALIDATE, on("force"), on("wait")];

const PATCH: &[Flag] = &[
    flag("patch", Takes::Json).short('p'),
    flag("patch-file", Takes::Manifest),
    SUBRESOURCE,
    one_of("type", &["json", "merge", "strategic"]),
];

const DELETE: &[Flag] = &[
    ALL,
    ALL_NAMESPACES,
    CASCADE,
    DRY_RUN,
    FIELD_SELECTOR,
    FILE,
    GRACE,
    NAMES,
    NO_FOLDER,
    SELECTOR,
    TIMEOUT,
    on("force"),
    on("ignore-not-found"),
    on("interactive").short('i'),
    on("now"),
    on("wait"),
];

const EDIT: &[Flag] = &[FILE, MANAGER, NO_FOLDER, SAVE, SUBRESOURCE, VALIDATE, on("output-patch")];

const SCALE: &[Flag] = &[
    ALL,
    DRY_RUN,
    FILE,
    NAMES,
    NO_FOLDER,
    RESOURCE_VERSION,
    SELECTOR,
    TIMEOUT,
    flag("current-replicas", Takes::Signed),
    number("replicas"),
];

const AUTOSCALE: &[Flag] =
    &[SAVE, text("cpu"), number("cpu-percent"), number("max"), text("memory"), number("min"), name("name")];

const MARK: &[Flag] = &[ALL, ALL_NAMESPACES, FIELD_SELECTOR, RESOURCE_VERSION, SELECTOR, on("list"), on("overwrite")];

const SET: &[Flag] = &[ALL, SELECTOR];

// Without `--resolve`, which prints what Secrets hold.
const SET_ENV: &[Flag] = &[
    text("containers").short('c'),
    text("env").short('e').many(),
    flag("from", Takes::Object),
    text("keys").many(),
    on("list"),
    on("overwrite"),
    text("prefix"),
];

const SET_RESOURCES: &[Flag] = &[text("containers").short('c'), text("limits"), text("requests")];

const SUBJECT: &[Flag] = &[text("group").many(), text("serviceaccount").many()];

const EXPOSE: &[Flag] = &[
    SAVE,
    flag("selector", Takes::Selector),
    text("cluster-ip"),
    text("external-ip"),
    text("labels").short('l'),
    text("load-balancer-ip"),
    name("name"),
    one_of("override-type", &["merge", "json", "strategic"]),
    flag("overrides", Takes::Json),
    text("port"),
    one_of("protocol", &["TCP", "UDP", "SCTP"]),
    one_of("session-affinity", &["None", "ClientIP"]),
    text("target-port"),
    one_of("type", &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
];

const RUN: &[Flag] = &[
    DRY_RUN,
    MANAGER,
    NAMES,
    SAVE,
    text("annotations").many(),
    channel("attach"),
    on("command"),
    text("env").many(),
    on("expose"),
    text("image"),
    one_of("image-pull-policy", &["Always", "IfNotPresent", "Never"]),
    text("labels").short('l'),
    channel("leave-stdin-open"),
    one_of("override-type", &["merge", "json", "strategic"]),
    flag("overrides", Takes::Json),
    text("port"),
    on("privileged"),
    on("quiet").short('q'),
    one_of("restart", &["Always", "OnFailure", "Never"]),
    channel("rm"),
    channel("stdin").short('i'),
    channel("tty").short('t'),
];

const ROLLOUT: &[Flag] = &[FILE, NAMES, NO_FOLDER, SELECTOR];

const TAINT: &[Flag] = &[ALL, DRY_RUN, MANAGER, NAMES, SELECTOR, VALIDATE, on("overwrite")];

const CORDON: &[Flag] = &[DRY_RUN, SELECTOR];

const DRAIN: &[Flag] = &[
    DRY_RUN,
    GRACE,
    SELECTOR,
    TIMEOUT,
    number("chunk-size"),
    on("delete-emptydir-data"),
    on("disable-eviction"),
    on("force"),
    on("ignore-daemonsets"),
    flag("pod-selector", Takes::Selector),
    number("skip-wait-for-delete-timeout"),
];

const CERTIFICATE: &[Flag] = &[FILE, NAMES, NO_FOLDER, on("force")];

const RECONCILE: &[Flag] =
    &[FILE, LOCAL_DRY_RUN, NAMES, NO_FOLDER, on("remove-extra-permissions"), on("remove-extra-subjects")];

const SET_LAST_APPLIED: &[Flag] = &[DRY_RUN, FILE, NAMES, on("create-annotation")];

pub(super) const VERBS: &[Verb] = &[
    changes("annotate", Words::ObjectsThenPairs, (2, MANY), &[USUAL, MARK]),
    changes("apply", Words::Plain, (0, 0), &[USUAL, APPLY]),
    changes("apply edit-last-applied", Words::Objects, (1, MANY), &[EDIT]).interactive(),
    changes("apply set-last-applied", Words::Plain, (0, 0), &[SET_LAST_APPLIED]),
    changes("auth reconcile", Words::Plain, (0, 0), &[RECONCILE]),
    changes("autoscale", Words::Objects, (1, 2), &[USUAL, AUTOSCALE]),
    changes("certificate approve", Words::Names("csr"), (1, MANY), &[CERTIFICATE]),
    changes("certificate deny", Words::Names("csr"), (1, MANY), &[CERTIFICATE]),
    changes("cordon", Words::Names("node"), (1, MANY), &[CORDON]),
    changes("delete", Words::Objects, (1, MANY), &[DELETE]),
    changes("drain", Words::Names("node"), (1, MANY), &[DRAIN]),
    changes("edit", Words::Objects, (1, MANY), &[EDIT]).interactive(),
    changes("expose", Words::Objects, (1, MANY), &[USUAL, EXPOSE]),
    changes("label", Words::ObjectsThenPairs, (2, MANY), &[USUAL, MARK]),
    changes("patch", Words::Objects, (1, MANY), &[USUAL, PATCH]),
    changes("replace", Words::Plain, (0, 0), &[USUAL, REPLACE]),
    changes("rollout pause", Words::Objects, (1, MANY), &[ROLLOUT, &[MANAGER]]),
    changes("rollout restart", Words::Objects, (1, MANY), &[ROLLOUT, &[MANAGER]]),
    changes("rollout resume", Words::Objects, (1, MANY), &[ROLLOUT, &[MANAGER]]),
    changes("rollout undo", Words::Objects, (1, MANY), &[ROLLOUT, &[DRY_RUN, number("to-revision")]]),
    changes("run", Words::Created("pod"), (1, 1), &[RUN]).with_command(),
    changes("scale", Words::Objects, (1, MANY), &[SCALE]),
    changes("set env", Words::ObjectsThenPairs, (1, MANY), &[USUAL, SET, SET_ENV]),
    changes("set image", Words::ObjectsThenPairs, (2, MANY), &[USUAL, SET]),
    changes("set resources", Words::Objects, (1, MANY), &[USUAL, SET, SET_RESOURCES]),
    changes("set selector", Words::ObjectsThenSelector, (2, MANY), &[USUAL, &[ALL, RESOURCE_VERSION]]),
    changes("set serviceaccount", Words::ObjectsThenOne, (2, MANY), &[USUAL, &[ALL]]),
    changes("set subject", Words::Objects, (1, MANY), &[USUAL, SET, SUBJECT]),
    changes("taint", Words::ObjectsThenPairs, (2, MANY), &[TAINT]),
    changes("uncordon", Words::Names("node"), (1, MANY), &[CORDON]),
];
