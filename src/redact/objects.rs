//! Every free text of the objects.
//!
//! *Invariant:* a field that people or programs fill with text is named here. Names, references and times are no free
//! text; a label is one only where it plainly holds a secret, and then selectors lose it likewise, so that they still match.
//! What objects share they share masked too.

use super::{Mode, Redactor, annotations, is_placeholder};
use crate::model::kinds::{Container, ContainerState, Handler, PodSpec, PodTemplate, Probe};
use crate::model::{Condition, List, Map, Objects};

pub(super) fn walk(redactor: &Redactor, objects: &mut Objects) {
    for secret in &mut objects.secrets {
        secret.metadata.annotations.0.update(annotations::on_secret);
    }
    objects.each_meta_mut(|meta| {
        annotations::all(redactor, &mut meta.annotations.0);
        labels(redactor, &mut meta.labels);
    });
    selectors(redactor, objects);
    pods(redactor, objects);
    templates(redactor, objects);
    messages(redactor, objects);
    statuses(redactor, objects);
}

fn pods(redactor: &Redactor, objects: &mut Objects) {
    let mut specs = Specs::default();
    for pod in &mut objects.pods {
        specs.mask(redactor, &mut pod.spec);
        let status = &mut pod.status;
        redactor.apply(&mut status.message, Mode::Prose);
        conditions(redactor, &mut status.conditions);
        for statuses in [&mut status.init_container_statuses, &mut status.container_statuses] {
            statuses.update(|container| {
                redactor.apply(&mut container.image, Mode::Prose);
                container_state(redactor, &mut container.state);
                container_state(redactor, &mut container.last_state);
            });
        }
    }
}

fn container_state(redactor: &Redactor, state: &mut ContainerState) {
    if let Some(waiting) = &mut state.waiting {
        redactor.apply(&mut waiting.message, Mode::Prose);
    }
    if let Some(terminated) = &mut state.terminated {
        redactor.apply(&mut terminated.message, Mode::Prose);
    }
}

fn templates(redactor: &Redactor, objects: &mut Objects) {
    let mut specs = Specs::default();
    let mut of = |template: &mut PodTemplate| {
        annotations::all(redactor, &mut template.metadata.annotations.0);
        labels(redactor, &mut template.metadata.labels);
        specs.mask(redactor, &mut template.spec);
    };
    objects.deployments.iter_mut().for_each(|it| of(&mut it.spec.template));
    objects.replica_sets.iter_mut().for_each(|it| of(&mut it.spec.template));
    objects.stateful_sets.iter_mut().for_each(|it| of(&mut it.spec.template));
    objects.daemon_sets.iter_mut().for_each(|it| of(&mut it.spec.template));
    objects.jobs.iter_mut().for_each(|it| of(&mut it.spec.template));
    objects.cron_jobs.iter_mut().for_each(|it| of(&mut it.spec.job_template.spec.template));
}

/// Masks specs one after the other. The containers of replicas are one list: it is masked once, and stays one.
#[derive(Default)]
struct Specs {
    init_containers: Masked,
    containers: Masked,
}

/// The list that was last read, and what it became.
#[derive(Default)]
struct Masked {
    read: List<Container>,
    masked: List<Container>,
}

impl Specs {
    fn mask(&mut self, redactor: &Redactor, spec: &mut PodSpec) {
        self.init_containers.mask(redactor, &mut spec.init_containers);
        self.containers.mask(redactor, &mut spec.containers);
    }
}

impl Masked {
    fn mask(&mut self, redactor: &Redactor, list: &mut List<Container>) {
        if !self.read.is(list) {
            self.read = list.clone();
            list.update(|container| self::container(redactor, container));
            self.masked = list.clone();
        }
        *list = self.masked.clone();
    }
}

fn container(redactor: &Redactor, container: &mut Container) {
    // A login has no place in it, and stands there all the same.
    redactor.apply(&mut container.image, Mode::Prose);
    container.env.update(|variable| {
        if let Some(value) = &mut variable.value
            && let std::borrow::Cow::Owned(masked) = redactor.value(&variable.name, value)
        {
            *value = masked;
        }
    });
    arguments(redactor, [&mut container.command, &mut container.args]);
    let probes = [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe];
    probes.into_iter().flatten().for_each(|probe| self::probe(redactor, probe));
    if let Some(lifecycle) = &mut container.lifecycle {
        for handler in [&mut lifecycle.post_start, &mut lifecycle.pre_stop].into_iter().flatten() {
            self::handler(redactor, handler);
        }
    }
}

fn probe(redactor: &Redactor, probe: &mut Probe) {
    if let Some(exec) = &mut probe.exec {
        arguments(redactor, [&mut exec.command]);
    }
    if let Some(get) = &mut probe.http_get {
        redactor.apply(&mut get.path, Mode::Strict);
    }
}

fn handler(redactor: &Redactor, handler: &mut Handler) {
    if let Some(exec) = &mut handler.exec {
        arguments(redactor, [&mut exec.command]);
    }
    if let Some(get) = &mut handler.http_get {
        redactor.apply(&mut get.path, Mode::Strict);
    }
}

/// A command line, item by item: a secret may stand in the item after its flag.
fn arguments<const N: usize>(redactor: &Redactor, parts: [&mut List<String>; N]) {
    let mut arguments = Arguments::default();
    for part in parts {
        part.update(|item| arguments.mask(redactor, item));
    }
}

/// Where in a command line the next item stands.
#[derive(Default)]
pub(super) struct Arguments {
    flag: Option<String>,
    program: String,
}

impl Arguments {
    pub(super) fn mask(&mut self, redactor: &Redactor, item: &mut String) {
        if self.program.is_empty() {
            item.rsplit('/').next().unwrap_or_default().clone_into(&mut self.program);
        }
        match self.flag.take() {
            Some(flag) if !item.starts_with('-') => secret_after(redactor, &self.program, &flag, item),
            _ => {
                glued(redactor, &self.program, item);
                redactor.apply(item, Mode::Strict);
            }
        }
        if item.starts_with('-') && item.len() <= 64 && !item.contains(['=', ' ']) {
            self.flag = Some(item.clone());
        }
    }
}

/// The value of a flag in an item of its own.
fn secret_after(redactor: &Redactor, program: &str, flag: &str, item: &mut String) {
    let short = match program {
        "redis-cli" => flag == "-a",
        "sshpass" | "mongo" | "mongosh" | "mongodump" | "mongorestore" => flag == "-p",
        "sqlcmd" => flag == "-P",
        "ldapsearch" | "ldapadd" | "ldapmodify" => flag == "-w",
        "curl" => matches!(flag, "-u" | "--user" | "--proxy-user"),
        _ => false,
    };
    if short && program == "curl" {
        let masked =
            item.split_once(':').filter(|(_, secret)| !is_placeholder(secret) && !super::values::is_plain(secret));
        let masked = masked.map(|(user, secret)| format!("{user}:{}", redactor.mask(secret)));
        *item = masked.unwrap_or_else(|| item.clone());
    } else if short && !is_placeholder(item) && !super::values::is_plain(item) {
        *item = redactor.mask(item);
    } else if let std::borrow::Cow::Owned(masked) = redactor.value(flag.trim_start_matches('-'), item) {
        *item = masked;
    }
}

/// `-psecret`, as the programs of `mysql` take it.
fn glued(redactor: &Redactor, program: &str, item: &mut String) {
    let mysql = program.starts_with("mysql") || program.starts_with("mariadb");
    if let Some(secret) = item.strip_prefix("-p").filter(|secret| mysql && !secret.is_empty())
        && !is_placeholder(secret)
        && !super::values::is_plain(secret)
    {
        *item = format!("-p{}", redactor.mask(secret));
    }
}

/// Labels are names, and are left alone unless one plainly holds a secret.
fn labels(redactor: &Redactor, labels: &mut Map) {
    if labels.iter().any(|(key, value)| is_secret_label(key, value)) {
        labels.update(|key, value| annotations::one(redactor, key, value));
    }
}

fn is_secret_label(key: &str, value: &str) -> bool {
    use super::names::{Naming, classify};
    // Shorter than any form that is known.
    let known = || value.len() >= 20 && !super::secrets(value).is_empty();
    let name = key.rsplit('/').next().unwrap_or(key);
    let named = classify(name) == Some(Naming::Secret);
    named && super::values::looks_secret(value) && !super::values::is_name(value) || known()
}

fn selectors(redactor: &Redactor, objects: &mut Objects) {
    objects.services.iter_mut().for_each(|it| labels(redactor, &mut it.spec.selector));
    objects.deployments.iter_mut().for_each(|it| labels(redactor, &mut it.spec.selector.match_labels));
    objects.replica_sets.iter_mut().for_each(|it| labels(redactor, &mut it.spec.selector.match_labels));
    objects.stateful_sets.iter_mut().for_each(|it| labels(redactor, &mut it.spec.selector.match_labels));
    objects.daemon_sets.iter_mut().for_each(|it| labels(redactor, &mut it.spec.selector.match_labels));
}

fn messages(redactor: &Redactor, objects: &mut Objects) {
    for event in &mut objects.events {
        redactor.apply(&mut event.message, Mode::Prose);
    }
    for volume in &mut objects.volumes {
        redactor.apply(&mut volume.status.message, Mode::Prose);
    }
    for attachment in &mut objects.volume_attachments {
        let status = &mut attachment.status;
        for error in [&mut status.attach_error, &mut status.detach_error].into_iter().flatten() {
            redactor.apply(&mut error.message, Mode::Prose);
        }
    }
    for policy in &mut objects.admission_policies {
        policy.spec.validations.update(|validation| {
            redactor.apply(&mut validation.message, Mode::Prose);
            redactor.apply(&mut validation.expression, Mode::Prose);
        });
    }
    let mutating = objects.mutating_webhooks.iter_mut().map(|it| &mut it.webhooks);
    let validating = objects.validating_webhooks.iter_mut().map(|it| &mut it.webhooks);
    for webhooks in mutating.chain(validating) {
        webhooks.update(|webhook| redactor.apply(&mut webhook.client_config.url, Mode::Prose));
    }
    for custom in &mut objects.custom {
        redactor.apply(&mut custom.health_message, Mode::Prose);
        conditions(redactor, &mut custom.conditions);
    }
}

fn statuses(redactor: &Redactor, objects: &mut Objects) {
    macro_rules! conditions_of {
        ($($list:ident . $($path:ident).+;)*) => { $(
            for object in &mut objects.$list {
                conditions(redactor, &mut object.$($path).+);
            }
        )* };
    }
    conditions_of! {
        nodes.status.conditions;
        namespaces.status.conditions;
        deployments.status.conditions;
        replica_sets.status.conditions;
        stateful_sets.status.conditions;
        daemon_sets.status.conditions;
        jobs.status.conditions;
        services.status.conditions;
        claims.status.conditions;
        autoscalers.status.conditions;
        disruption_budgets.status.conditions;
        api_services.status.conditions;
        definitions.status.conditions;
        gateways.status.conditions;
    }
    for gateway in &mut objects.gateways {
        gateway.status.listeners.update(|listener| conditions(redactor, &mut listener.conditions));
    }
    for route in &mut objects.http_routes {
        route.status.parents.update(|parent| conditions(redactor, &mut parent.conditions));
    }
}

fn conditions(redactor: &Redactor, conditions: &mut List<Condition>) {
    conditions.update(|condition| redactor.apply(&mut condition.message, Mode::Prose));
}
