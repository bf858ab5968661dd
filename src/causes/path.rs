//! The objects on a cause's path: what it names, what made those, and what they refer to.
//!
//! *Invariant:* pure, and bounded by the graph: an object is on the path by a reference, never by its name.

use std::collections::BTreeSet;

use crate::graph::View;
use crate::model::{Cause, Kind, ObjectRef, Source, Want};

/// How far references are followed from what a cause names.
const HOPS: usize = 2;
/// ConfigMaps and Secrets of which more is read.
const VALUES: usize = 40;

/// What a cause names: at which it shows, whom it blames, what its evidence quotes, what follows from it.
pub fn named(cause: &Cause) -> BTreeSet<ObjectRef> {
    let evidence = cause.evidence.iter().map(|evidence| match &evidence.source {
        Source::Field { object, .. } | Source::Event { object, .. } | Source::Log { object, .. } => object,
    });
    let consequences =
        cause.consequences.iter().flat_map(|consequence| std::iter::once(&consequence.object).chain(&consequence.path));
    let all =
        std::iter::once(&cause.object).chain(&cause.culprit).chain(&cause.members).chain(evidence).chain(consequences);
    all.cloned().collect()
}

/// The objects on a cause's path, in one view.
pub fn around(view: &View<'_>, cause: &Cause) -> BTreeSet<ObjectRef> {
    let mut path = BTreeSet::new();
    let mut edge: Vec<ObjectRef> = named(cause).into_iter().collect();
    for hop in 0..=HOPS {
        let mut next = Vec::new();
        for object in edge {
            if !path.insert(object.clone()) || hop == HOPS {
                continue;
            }
            if let Some(meta) = view.meta(&object) {
                next.push(view.top_owner(object.clone(), meta));
            }
            // Whoever stands on the same node has nothing to do with it.
            next.extend(view.depends_on(&object).map(|(_, other)| other.clone()));
            if hop == 0 && object.kind != Kind::Node && object.kind != Kind::Namespace {
                next.extend(view.dependents(&object).map(|(_, other)| other.clone()));
            }
        }
        edge = next;
    }
    path
}

/// What tells later whether a value on the path has changed: values of ConfigMaps, and the key names of Secrets.
pub fn wants(view: &View<'_>, causes: &[Cause]) -> Vec<Want> {
    let path: BTreeSet<ObjectRef> = causes.iter().flat_map(|cause| around(view, cause)).collect();
    let read = path.iter().filter(|object| view.meta(object).is_some());
    let wants = read.filter_map(|object| {
        let (namespace, name) = (object.ns().to_owned(), object.name.to_string());
        match object.kind {
            // Every namespace has it, and nobody edits it.
            Kind::ConfigMap if name == "kube-root-ca.crt" => None,
            Kind::ConfigMap => Some(Want::ConfigValues { namespace, name }),
            Kind::Secret => Some(Want::SecretKeys { namespace, name }),
            _ => None,
        }
    });
    wants.take(VALUES).collect()
}
