//! Text of one incident without what is that incident's alone: names become words for what they name, addresses, hashes and
//! times go.
//!
//! *Invariant:* pure. What the cause, its path or its pods are called stands in no text that this has been through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::page::Done;
use super::phrase::{self, Phrase};
use crate::causes::path;
use crate::graph::View;
use crate::model::kinds::{
    ConfigMap, CronJob, DaemonSet, Deployment, Ingress, Job, PersistentVolumeClaim, Secret, Service, ServiceAccount,
    StatefulSet,
};
use crate::model::reference::Resource;
use crate::model::{Cause, Kind, ObjectRef};
use crate::runbook::params;

/// Values that are words of Kubernetes, and no one's own.
const PLAIN: &[&str] = &[
    "true",
    "false",
    "http",
    "https",
    "TCP",
    "UDP",
    "SCTP",
    "Always",
    "Never",
    "IfNotPresent",
    "OnFailure",
    "default",
    "Recreate",
    "RollingUpdate",
    "Exists",
    "Equal",
    "NoSchedule",
    "NoExecute",
    "In",
];

/// Replaces names.
#[derive(Clone, Debug)]
pub(super) struct General {
    /// The word for each name, the longest name first.
    words: Vec<(String, String)>,
    /// The same for names with their kind, `deployment/web`: a container may be called the same.
    pairs: Vec<(String, String)>,
    /// What a person chose, which comes before all else.
    chosen: Vec<(String, String)>,
}

fn longest_first(words: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut words: Vec<(String, String)> = words.collect();
    words.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    words
}

static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let patterns = [
        (r"<redacted:[^>]*>", "SECRET"),
        (r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?", "TIME"),
        (r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", "UID"),
        (r"sha256:[0-9a-f]{12,64}", "DIGEST"),
        (r"\b(?:\d{1,3}\.){3}\d{1,3}\b", "ADDRESS"),
        (r"\[?\b(?:[0-9a-fA-F]{1,4}:){3,7}(?::?[0-9a-fA-F]{1,4}){1,4}\b\]?", "ADDRESS"),
        (r"\b[0-9a-f]{16,64}\b", "HASH"),
        (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}", "MAIL"),
    ];
    // A pattern that does not compile would be a fault of this table, which its test shows.
    patterns.into_iter().filter_map(|(pattern, word)| Some((Regex::new(pattern).ok()?, word))).collect()
});

impl General {
    /// For a cause, as it is in one or more views.
    pub(super) fn of(cause: &Cause, views: &[&View<'_>]) -> General {
        let mut objects: BTreeSet<ObjectRef> = path::named(cause);
        for view in views {
            objects.extend(path::around(view, cause));
            for object in path::around(view, cause) {
                if matches!(
                    object.kind,
                    Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::CronJob
                ) {
                    objects.extend(
                        view.pods_of(&object)
                            .iter()
                            .map(|pod| ObjectRef::new(Kind::Pod, object.ns(), &pod.metadata.name)),
                    );
                }
            }
        }
        let (mut words, mut pairs) = (BTreeMap::new(), Vec::new());
        let mut name = |text: &str, word: &str| {
            if text.len() > 1 {
                words.entry(text.to_owned()).or_insert_with(|| word.to_owned());
            }
        };
        let filled = params::of(cause);
        if let Some(container) = filled.get("CONTAINER") {
            name(container, "CONTAINER");
        }
        let around = neighbours(&objects, views);
        for object in std::iter::once(&cause.object).chain(&objects).chain(&around) {
            let word = params::name(object.kind).map_or_else(|| object.kind.as_str().to_uppercase(), str::to_owned);
            pairs.push((phrase::target(object), format!("{}/{word}", object.kind.argument())));
            name(&object.name, &word);
            if let Some(namespace) = &object.namespace {
                name(namespace, "NAMESPACE");
            }
        }
        let (words, pairs) = (longest_first(words.into_iter()), longest_first(pairs.into_iter()));
        General { words, pairs, chosen: Vec::new() }
    }

    /// The same for what was done: what a person chose is called as the parameter that stands for it. Numbers stay, since how
    /// much was enough is worth knowing.
    #[must_use]
    pub(super) fn with(&self, done: &[Done]) -> General {
        let mut words = BTreeMap::new();
        let mut name = |line: &Option<Phrase>, back: bool| {
            for (name, value) in line.iter().flat_map(Phrase::chosen) {
                let old = back && !name.starts_with("OLD_") && !phrase::is_key(name);
                if value.len() > 2 && !phrase::is_quantity(value) && !PLAIN.contains(&value) {
                    words.insert(value.to_owned(), if old { format!("OLD_{name}") } else { name.to_owned() });
                }
            }
        };
        for done in done {
            name(&done.back, true);
            name(&done.line, false);
        }
        General { chosen: longest_first(words.into_iter()), ..self.clone() }
    }

    /// The text without what is the incident's own.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, word) in &self.chosen {
            text = replaced(&text, name, word);
        }
        for (pattern, word) in PATTERNS.iter() {
            text = pattern.replace_all(&text, *word).into_owned();
        }
        for (name, word) in self.pairs.iter().chain(&self.words) {
            text = replaced(&text, name, word);
        }
        text
    }
}

/// What lives beside the objects of a cause, and may be named by what proves it.
fn neighbours(objects: &BTreeSet<ObjectRef>, views: &[&View<'_>]) -> BTreeSet<ObjectRef> {
    fn of<T: Resource>(view: &View<'_>) -> Vec<ObjectRef> {
        view.all::<T>().iter().map(Resource::object_ref).collect()
    }
    let of_each = [
        of::<Service>,
        of::<Deployment>,
        of::<StatefulSet>,
        of::<DaemonSet>,
        of::<CronJob>,
        of::<Job>,
        of::<Ingress>,
        of::<PersistentVolumeClaim>,
        of::<ConfigMap>,
        of::<Secret>,
        of::<ServiceAccount>,
    ];
    let namespaces: BTreeSet<&str> = objects.iter().filter_map(|object| object.namespace.as_deref()).collect();
    let all = views.iter().flat_map(|view| of_each.iter().flat_map(|of| of(view)));
    let beside = all.filter(|object| object.namespace.as_deref().is_some_and(|own| namespaces.contains(own)));
    // Each namespace has these.
    beside.filter(|object| !matches!(&*object.name, "default" | "kube-root-ca.crt")).collect()
}

/// Replaces a name where it stands as a word; a pod's name may go on in a hash.
fn replaced(text: &str, name: &str, word: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, from) = rest.split_at(at);
        let after = from.get(name.len()..).unwrap_or_default();
        let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let begins = if before.is_empty() { !out.ends_with(part) } else { !before.ends_with(part) };
        let tail = hashes(after);
        let ends = !after.get(tail..).unwrap_or_default().starts_with(part);
        out.push_str(before);
        if begins && ends {
            out.push_str(word);
            rest = after.get(tail..).unwrap_or_default();
        } else {
            out.push_str(name);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// How long the hashes are that follow a workload's name in that of its pods: `-7d9f8b6c5d-x2k4q`, `-x2k4q`, `-0`;
/// `-7d9f8b6c5d`, and with a hyphen at its end where no pod was made yet.
fn hashes(text: &str) -> usize {
    static HASHES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(?:(?:-[a-f0-9]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}|-[bcdfghjklmnpqrstvwxz2456789]{5}|-\d{1,8}-[bcdfghjklmnpqrstvwxz2456789]{5}|-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}|-\d+)\b|-[bcdfghjklmnpqrstvwxz2456789]{8,10}-?)").ok()
    });
    HASHES.as_ref().and_then(|hashes| hashes.find(text)).map_or(0, |found| found.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_hashes_go() {
        assert_eq!(PATTERNS.len(), 8);
        let words =
            [("payments", "NAMESPACE"), ("checkout-api", "DEPLOYMENT"), ("api", "CONTAINER"), ("node-7", "NODE")]
                .map(|(name, word)| (name.to_owned(), word.to_owned()));
        let pairs = vec![("deployment/api".to_owned(), "deployment/DEPLOYMENT".to_owned())];
        let general = General { words: words.into(), pairs, chosen: Vec::new() };
        let table = [
            ("pod checkout-api-7d9f8b6c5d-x2k4q of payments", "pod DEPLOYMENT of NAMESPACE"),
            (
                "Back-off restarting failed container api in pod checkout-api-0",
                "Back-off restarting failed container CONTAINER in pod DEPLOYMENT",
            ),
            ("dial tcp 10.0.12.7:5432: connection refused", "dial tcp ADDRESS:5432: connection refused"),
            ("at 2026-01-01T12:00:00.123Z uid 0b8f7f0e-91aa-4d2c-9f4e-2f6a4a1b2c3d", "at TIME uid UID"),
            ("rapid apis my-api api-server", "rapid apis my-api api-server"),
            ("http://checkout-api.payments.svc:80", "http://DEPLOYMENT.NAMESPACE.svc:80"),
            ("on node-7 and node-77", "on NODE and node-77"),
            ("password=<redacted:ab12> ok", "password=SECRET ok"),
            ("api", "CONTAINER"),
            ("deployment/api: 2 pods, api is well", "deployment/DEPLOYMENT: 2 pods, CONTAINER is well"),
            ("pods \"checkout-api-8d96655d9-\" is forbidden", "pods \"DEPLOYMENT\" is forbidden"),
            ("checkout-api-8d96655d9: no pods", "DEPLOYMENT: no pods"),
        ];
        for (text, expected) in table {
            assert_eq!(general.text(text), expected);
        }
    }
}
