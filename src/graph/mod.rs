//! A snapshot with its reference graph: what detectors see.
//!
//! *Invariant:* pure; the view borrows the snapshot and adds only what the objects themselves say:
//! an edge stands for a reference in a field, a selector that matches, or an owner. What a gap
//! hides is [`Existence::Unknown`], never absent.

mod edges;
mod lookup;
mod pods;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::model::kinds::Event;
use crate::model::{Kind, Meta, ObjectRef, Resource, Snapshot, Time};

pub use edges::configuration;
pub use lookup::WELL_KNOWN_DNS;

/// How one object refers to another: `from` depends on `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// A workload and what it makes: Deployment → ReplicaSet → Pod.
    Owner,
    /// A Service (or budget) and the pods, or the workloads, that its selector takes.
    Selector,
    /// An Ingress or a route and its Service.
    Backend,
    /// A route and its Gateway, an Ingress and its class.
    Parent,
    /// A pod and its claim.
    Volume,
    /// A claim and its volume.
    Binding,
    /// A claim and its storage class.
    Class,
    /// A storage class and its driver.
    Provisioner,
    /// A pod, and the ConfigMap or Secret it uses; an Ingress and its certificate.
    Config,
    /// A pod and its service account.
    Account,
    /// A pod and its node; a node and its heartbeat.
    Node,
    /// What makes pods, and the quota or range of its namespace.
    Quota,
    /// An autoscaler and what it scales.
    Target,
    /// An autoscaler and the metrics API.
    Metrics,
    /// A StatefulSet and its governing Service.
    Governing,
    /// A webhook or an aggregated API, and its Service.
    Server,
    /// A lease and the pod that holds it.
    Holder,
    /// A Secret that is not there, and the custom resource that is to make it.
    Maker,
    /// A custom resource, and another one that its spec names.
    Reference,
    /// A finding, and the object that it blames; see [`crate::model::Finding::culprit`].
    Blame,
}

/// Whether an object is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// It was read.
    Present,
    /// All of its kind was read, and it was not among them.
    Absent,
    /// It could not be read, or lies outside the scope.
    Unknown,
}

/// An object in the graph, by number.
pub type NodeId = usize;

/// A snapshot with its reference graph.
pub struct View<'a> {
    /// What was read.
    pub snapshot: &'a Snapshot,
    nodes: Vec<ObjectRef>,
    ids: HashMap<ObjectRef, NodeId>,
    outgoing: Vec<Vec<(Edge, NodeId)>>,
    incoming: Vec<Vec<(Edge, NodeId)>>,
    metas: HashMap<ObjectRef, &'a Meta>,
    events: HashMap<ObjectRef, Vec<&'a Event>>,
    pods_by_workload: HashMap<ObjectRef, Vec<usize>>,
    /// Where a namespace begins and ends in the list of a kind.
    namespaces: HashMap<(Kind, &'a str), Range<usize>>,
    shared: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

/// Links a snapshot. Its lists must be in order, as a sealed snapshot's are.
pub fn build(snapshot: &Snapshot) -> View<'_> {
    let mut view = View {
        snapshot,
        nodes: Vec::new(),
        ids: HashMap::new(),
        outgoing: Vec::new(),
        incoming: Vec::new(),
        metas: HashMap::new(),
        events: HashMap::new(),
        pods_by_workload: HashMap::new(),
        namespaces: HashMap::new(),
        shared: Mutex::default(),
    };
    view.metas.reserve(snapshot.objects.len());
    let mut last: Option<(Kind, usize)> = None;
    snapshot.objects.each(|object, meta| {
        let index = last.filter(|(kind, _)| *kind == object.kind).map_or(0, |(_, index)| index + 1);
        last = Some((object.kind, index));
        view.namespaces.entry((object.kind, &meta.namespace)).or_insert(index..index).end = index + 1;
        if object.kind != Kind::Event {
            view.metas.insert(object, meta);
        }
    });
    for event in &snapshot.objects.events {
        view.events.entry(event.object()).or_default().push(event);
    }
    // The newest event first; equal times keep the order of names, so the order is the same each time.
    view.events.values_mut().for_each(|list| list.sort_by_key(|event| std::cmp::Reverse(event.last())));
    for (index, pod) in snapshot.objects.pods.iter().enumerate() {
        let workload = view.top_owner(pod.object_ref(), &pod.metadata);
        view.pods_by_workload.entry(workload).or_default().push(index);
    }
    edges::add(&mut view);
    view
}

impl<'a> View<'a> {
    /// The moment of the snapshot: the only clock there is.
    pub fn now(&self) -> Time {
        self.snapshot.taken_at
    }

    /// Seconds from `time` until the snapshot; nothing where the time is unknown or still to come.
    pub fn age(&self, time: Option<Time>) -> Option<i64> {
        let seconds = self.now().as_second().saturating_sub(time?.as_second());
        (seconds >= 0).then_some(seconds)
    }

    /// What several detectors need and is dear to work out, such as the reading of all logs: made
    /// by the first that asks, kept for the others, one value for each type.
    pub fn shared<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        // A slot for each type, so that who comes while a value is made waits for it, and what is
        // made may share something of its own.
        let slot: Arc<OnceLock<Arc<T>>> = {
            let mut all = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = all.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(OnceLock::<Arc<T>>::new()));
            slot.clone().downcast().unwrap_or_default()
        };
        slot.get_or_init(|| Arc::new(make())).clone()
    }

    /// Everything of a kind, by namespace and name.
    pub fn all<T: Resource>(&self) -> &'a [T] {
        T::list(&self.snapshot.objects)
    }

    /// What the graph links `object` to.
    pub fn depends_on(&self, object: &ObjectRef) -> impl Iterator<Item = (Edge, &ObjectRef)> {
        self.links(&self.outgoing, object)
    }

    /// What the graph links to `object`.
    pub fn dependents(&self, object: &ObjectRef) -> impl Iterator<Item = (Edge, &ObjectRef)> {
        self.links(&self.incoming, object)
    }

    fn links<'s>(
        &'s self,
        side: &'s [Vec<(Edge, NodeId)>],
        object: &ObjectRef,
    ) -> impl Iterator<Item = (Edge, &'s ObjectRef)> {
        let list = self.ids.get(object).and_then(|id| side.get(*id)).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|(edge, id)| Some((*edge, self.nodes.get(*id)?)))
    }

    fn id(&mut self, object: ObjectRef) -> NodeId {
        if let Some(id) = self.ids.get(&object) {
            return *id;
        }
        let id = self.nodes.len();
        self.nodes.push(object.clone());
        self.outgoing.push(Vec::new());
        self.incoming.push(Vec::new());
        self.ids.insert(object, id);
        id
    }

    fn link(&mut self, from: &ObjectRef, edge: Edge, to: ObjectRef) {
        if *from == to {
            return;
        }
        let (from, to) = (self.id(from.clone()), self.id(to));
        let (Some(out), Some(inc)) = (self.outgoing.get_mut(from), self.incoming.get_mut(to)) else { return };
        if !out.contains(&(edge, to)) {
            out.push((edge, to));
            inc.push((edge, from));
        }
    }
}
