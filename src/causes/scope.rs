//! Which causes a person asked for: a namespace, named objects, labels.

use std::collections::HashSet;

use super::group::Group;
use crate::graph::{Edge, View, WELL_KNOWN_DNS};
use crate::model::kinds::PersistentVolume;
use crate::model::{Cause, Kind, ObjectRef, Selector};

/// What the person looks at.
#[derive(Clone, Debug, Default)]
pub struct Focus {
    namespace: Option<String>,
    objects: Option<HashSet<ObjectRef>>,
}

impl Focus {
    /// Everything, or one namespace with what it refers to.
    pub fn new(namespace: Option<&str>) -> Focus {
        Focus { namespace: namespace.map(str::to_owned), objects: None }
    }

    /// Only these objects, what they depend on and what depends on them.
    pub fn narrow(&mut self, view: &View<'_>, targets: impl IntoIterator<Item = ObjectRef>) {
        let mut all = self.objects.take().unwrap_or_default();
        for target in targets {
            reach(view, &target, false, &mut all);
            reach(view, &target, true, &mut all);
        }
        self.objects = Some(all);
    }

    /// The objects that carry these labels.
    pub fn labelled(view: &View<'_>, selector: &Selector, namespace: Option<&str>) -> Vec<ObjectRef> {
        let mut found = Vec::new();
        view.snapshot.objects.each(|object, meta| {
            let inside = namespace.is_none_or(|namespace| object.ns() == namespace);
            if inside && object.kind != Kind::Event && selector.matches(&meta.labels) {
                found.push(object);
            }
        });
        found
    }

    /// Whether a cause is at the namespace that was asked for, or hurts something in it.
    pub(super) fn inside(&self, cause: &Cause) -> bool {
        let Some(namespace) = self.namespace.as_deref() else { return true };
        let own = |object: &ObjectRef| {
            object.ns() == namespace || object.kind == Kind::Namespace && &*object.name == namespace
        };
        own(&cause.object) || cause.consequences.iter().any(|consequence| own(&consequence.object))
    }

    /// Whether a cause concerns what the person looks at.
    pub(super) fn takes(&self, view: &View<'_>, group: &Group) -> bool {
        let root = &group.root;
        let mut objects = [Some(&root.object), root.culprit.as_ref()]
            .into_iter()
            .flatten()
            .chain(&root.members)
            .chain(group.consequences.iter().flat_map(|consequence| &consequence.path));
        if let Some(focus) = &self.objects {
            return objects.any(|object| focus.contains(object));
        }
        let Some(namespace) = self.namespace.as_deref() else { return true };
        // A node that is down is always shown, and names must be found everywhere.
        if root.object.kind == Kind::Node || root.object.ns() == WELL_KNOWN_DNS.0 {
            return true;
        }
        objects.any(|object| object.ns() == namespace || (object.kind == Kind::Namespace && &*object.name == namespace))
            || (root.object.namespace.is_none() && referred_from(view, &root.object, namespace))
            || kept_for(view, &root.object, namespace)
    }
}

/// Whether something in `namespace` depends on an object of the whole cluster.
fn referred_from(view: &View<'_>, object: &ObjectRef, namespace: &str) -> bool {
    let mut all = HashSet::new();
    reach(view, object, true, &mut all);
    all.iter().any(|object| object.ns() == namespace)
}

/// Whether a volume belongs to a claim of `namespace`, though that may be gone.
fn kept_for(view: &View<'_>, object: &ObjectRef, namespace: &str) -> bool {
    let volume = view.get::<PersistentVolume>("", &object.name).filter(|_| object.kind == Kind::PersistentVolume);
    volume.and_then(|volume| volume.spec.claim_ref.as_ref()).is_some_and(|claim| claim.namespace == namespace)
}

/// Adds all that `object` depends on, or all that depends on it.
fn reach(view: &View<'_>, object: &ObjectRef, up: bool, all: &mut HashSet<ObjectRef>) {
    let mut seen = HashSet::from([object.clone()]);
    let mut queue = vec![object.clone()];
    while let Some(object) = queue.pop() {
        let next: Vec<ObjectRef> = if up {
            view.dependents(&object).map(|(_, object)| object.clone()).collect()
        } else {
            // A quota is shared by its whole namespace: it leads nowhere further.
            view.depends_on(&object)
                .filter(|(edge, _)| *edge != Edge::Quota || !up)
                .map(|(_, object)| object.clone())
                .collect()
        };
        queue.extend(next.into_iter().filter(|object| seen.insert(object.clone())));
    }
    all.extend(seen);
}
