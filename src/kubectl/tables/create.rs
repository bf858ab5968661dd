//! `create` and its subcommands, and their flags.
//!
//! *Invariant:* what is created is written out in the line or in a manifest of the same document, never in another
//! local file.

use super::change::{DRY_RUN, FILE, MANAGER, NAMES, SAVE, VALIDATE, local};
use super::{Flag, SELECTOR, Takes, Verb, Words, changes, flag, name, number, on, one_of, text};
use crate::kubectl::refusal::Reason;

/// What all of them have.
const USUAL: &[Flag] = &[DRY_RUN, MANAGER, NAMES, SAVE, VALIDATE];

const FROM_FILE: &[Flag] = &[
    FILE,
    SELECTOR,
    on("edit"),
    flag(
        "recursive",
        Takes::Refused(Reason::LocalFile, "reads a local folder", "give each manifest by its name: `-f FILE.yaml`"),
    )
    .short('R'),
];

const RULES: &[Flag] = &[text("resource").many(), text("resource-name").many(), text("verb").many()];

const CLUSTER_RULES: &[Flag] = &[text("aggregation-rule"), text("non-resource-url").many()];

// Without `--user`: it is a flag of the client too.
const BINDING: &[Flag] = &[name("clusterrole"), text("group").many(), text("serviceaccount").many()];

const DATA: &[Flag] = &[on("append-hash"), local("from-env-file"), local("from-file"), text("from-literal").many()];

const TLS: &[Flag] = &[on("append-hash"), local("cert"), local("key")];

const REGISTRY: &[Flag] = &[
    on("append-hash"),
    text("docker-email"),
    text("docker-password"),
    text("docker-server"),
    text("docker-username"),
    local("from-file"),
];

const CRON_JOB: &[Flag] = &[text("image"), one_of("restart", &["OnFailure", "Never"]), text("schedule")];

const DEPLOYMENT: &[Flag] = &[text("image").many(), number("port"), number("replicas").short('r')];

const INGRESS: &[Flag] = &[text("annotation").many(), text("class"), text("default-backend"), text("rule").many()];

const JOB: &[Flag] = &[flag("from", Takes::Object), text("image")];

const BUDGET: &[Flag] = &[text("max-unavailable"), text("min-available"), flag("selector", Takes::Selector)];

const PRIORITY: &[Flag] = &[
    text("description"),
    on("global-default"),
    one_of("preemption-policy", &["PreemptLowerPriority", "Never"]),
    flag("value", Takes::Signed),
];

const QUOTA: &[Flag] = &[text("hard"), text("scopes")];

const TCP: Flag = text("tcp").many();

const fn create(path: &'static str, kind: &'static str, flags: &'static [&'static [Flag]]) -> Verb {
    changes(path, Words::Created(kind), (1, 1), flags)
}

pub(super) const VERBS: &[Verb] = &[
    changes("create", Words::Plain, (0, 0), &[USUAL, FROM_FILE]),
    create("create clusterrole", "clusterrole", &[USUAL, RULES, CLUSTER_RULES]),
    create("create clusterrolebinding", "clusterrolebinding", &[USUAL, BINDING]),
    create("create configmap", "configmap", &[USUAL, DATA]),
    create("create cronjob", "cronjob", &[USUAL, CRON_JOB]).with_command(),
    create("create deployment", "deployment", &[USUAL, DEPLOYMENT]).with_command(),
    create("create ingress", "ingress", &[USUAL, INGRESS]),
    create("create job", "job", &[USUAL, JOB]).with_command(),
    create("create namespace", "namespace", &[USUAL]),
    create("create poddisruptionbudget", "poddisruptionbudget", &[USUAL, BUDGET]),
    create("create priorityclass", "priorityclass", &[USUAL, PRIORITY]),
    create("create quota", "resourcequota", &[USUAL, QUOTA]),
    create("create role", "role", &[USUAL, RULES]),
    create("create rolebinding", "rolebinding", &[USUAL, BINDING, &[name("role")]]),
    create("create secret docker-registry", "secret", &[USUAL, REGISTRY]),
    create("create secret generic", "secret", &[USUAL, DATA, &[text("type")]]),
    create("create secret tls", "secret", &[USUAL, TLS]),
    create("create service clusterip", "service", &[USUAL, &[TCP, text("clusterip")]]),
    create("create service externalname", "service", &[USUAL, &[TCP, text("external-name")]]),
    create("create service loadbalancer", "service", &[USUAL, &[TCP]]),
    create("create service nodeport", "service", &[USUAL, &[TCP, number("node-port")]]),
    create("create serviceaccount", "serviceaccount", &[USUAL]),
];
