//! Looking things up in a view: by name, by owner, by event.

use std::collections::HashMap;
use std::ops::Range;

use super::{Existence, View};
use crate::model::kinds::{DaemonSet, Deployment, Event, Job, Pod, ReplicaSet, Service, StatefulSet, Workload};
use crate::model::{Kind, Meta, ObjectRef, Resource};

/// Where clusters keep their DNS: namespace and Service, as kubeadm and all large clouds name it.
pub const WELL_KNOWN_DNS: (&str, &str) = ("kube-system", "kube-dns");

impl<'a> View<'a> {
    /// The object of this name.
    pub fn get<T: Resource>(&self, namespace: &str, name: &str) -> Option<&'a T> {
        let list = self.within::<T>(namespace);
        let index = list.binary_search_by(|object| object.meta().name.as_str().cmp(name)).ok()?;
        list.get(index)
    }

    /// Everything of a kind in a namespace; with an empty one, all of a kind without namespaces.
    pub fn within<T: Resource>(&self, namespace: &str) -> &'a [T] {
        let ranges: &HashMap<(Kind, &str), Range<usize>> = &self.namespaces;
        let range = ranges.get(&(T::KIND, namespace));
        range.and_then(|range| T::list(&self.snapshot.objects).get(range.clone())).unwrap_or_default()
    }

    /// The metadata of an object that was read.
    pub fn meta(&self, object: &ObjectRef) -> Option<&'a Meta> {
        self.metas.get(object).copied()
    }

    /// Whether an object is there.
    pub fn existence(&self, object: &ObjectRef) -> Existence {
        if self.metas.contains_key(object) {
            return Existence::Present;
        }
        let namespaced = object.kind.info().is_none_or(|info| info.namespaced);
        let outside = namespaced && !self.snapshot.scope.holds(object.ns());
        let unread = matches!(object.kind, Kind::Custom(_)) || !self.snapshot.knows(object.kind, object.ns());
        if outside && self.no_namespace(object.ns()) {
            return Existence::Absent;
        }
        if outside || unread { Existence::Unknown } else { Existence::Absent }
    }

    /// Whether it is certain that there is no namespace of this name. With a right to one namespace only, that
    /// one is all that is read; a whole list has those that every cluster has.
    pub fn no_namespace(&self, name: &str) -> bool {
        let namespace = |name: &str| ObjectRef::new(Kind::Namespace, "", name);
        let whole = ["default", "kube-system"].iter().all(|name| self.metas.contains_key(&namespace(name)));
        whole && self.snapshot.knows(Kind::Namespace, "") && !self.metas.contains_key(&namespace(name))
    }

    /// Whether it is certain that an object is not there.
    pub fn absent(&self, object: &ObjectRef) -> bool {
        self.existence(object) == Existence::Absent
    }

    /// Events about an object, the newest first.
    pub fn events(&self, object: &ObjectRef) -> &[&'a Event] {
        self.events.get(object).map_or(&[], Vec::as_slice)
    }

    /// The newest event of this reason about an object.
    pub fn event(&self, object: &ObjectRef, reason: &str) -> Option<&'a Event> {
        self.events(object).iter().copied().find(|event| event.reason == reason)
    }

    /// Warnings about a pod's present life: events of an earlier pod of the same name don't count.
    pub fn warnings(&self, pod: &Pod) -> impl Iterator<Item = &'a Event> {
        let uid = pod.metadata.uid.clone();
        let list: Vec<&'a Event> = self.events(&pod.object_ref()).to_vec();
        list.into_iter().filter(move |event| {
            let theirs = &event.involved_object.uid;
            event.is_warning() && (theirs.is_empty() || uid.is_empty() || *theirs == uid)
        })
    }

    /// What made an object in the end: the Deployment of a pod, the CronJob of a job's pod, a
    /// custom controller's object; the object itself where nothing did.
    pub fn top_owner(&self, object: ObjectRef, meta: &Meta) -> ObjectRef {
        let mut top = object;
        let mut meta = meta;
        // Owners don't form a cycle in a real cluster; in a hostile file they may.
        for _ in 0..8 {
            let Some(owner) = meta.controller() else { break };
            // A mirror pod is "owned" by its node: it stands for itself.
            if owner.kind == "Node" {
                break;
            }
            top = owner.object_ref(&meta.namespace);
            let Some(next) = self.metas.get(&top) else {
                // The ReplicaSet could not be read: its name still tells the Deployment's.
                let hash = meta.labels.get("pod-template-hash");
                let name = hash.and_then(|hash| top.name.strip_suffix(&format!("-{hash}")));
                if let (Kind::ReplicaSet, Some(name)) = (top.kind, name) {
                    let deployment = ObjectRef::new(Kind::Deployment, top.ns(), name);
                    if self.metas.contains_key(&deployment) || !self.snapshot.knows(Kind::ReplicaSet, top.ns()) {
                        top = deployment;
                    }
                }
                break;
            };
            meta = next;
        }
        top
    }

    /// What made a pod in the end.
    pub fn workload_of(&self, pod: &Pod) -> ObjectRef {
        self.top_owner(pod.object_ref(), &pod.metadata)
    }

    /// The workload of this name, whatever its kind.
    pub fn workload(&self, object: &ObjectRef) -> Option<Workload<'a>> {
        let (namespace, name) = (object.ns(), &*object.name);
        match object.kind {
            Kind::Deployment => self.get::<Deployment>(namespace, name).map(deployment),
            Kind::StatefulSet => self.get::<StatefulSet>(namespace, name).map(stateful_set),
            Kind::DaemonSet => self.get::<DaemonSet>(namespace, name).map(daemon_set),
            Kind::ReplicaSet => self.get::<ReplicaSet>(namespace, name).map(replica_set),
            Kind::Job => self.get::<Job>(namespace, name).map(job),
            _ => None,
        }
    }

    /// All workloads that nothing else made: Deployments, StatefulSets, DaemonSets, lone
    /// ReplicaSets and Jobs.
    pub fn workloads(&self) -> impl Iterator<Item = Workload<'a>> {
        let objects = &self.snapshot.objects;
        let lone = |meta: &Meta| meta.controller().is_none();
        (objects.deployments.iter().map(deployment))
            .chain(objects.stateful_sets.iter().map(stateful_set))
            .chain(objects.daemon_sets.iter().map(daemon_set))
            .chain(objects.replica_sets.iter().filter(move |set| lone(&set.metadata)).map(replica_set))
            .chain(objects.jobs.iter().map(job))
    }

    /// The cluster's DNS Service.
    pub fn dns(&self) -> Option<&'a Service> {
        self.get(WELL_KNOWN_DNS.0, WELL_KNOWN_DNS.1)
    }
}

fn deployment(d: &Deployment) -> Workload<'_> {
    Workload {
        object: d.object_ref(),
        meta: &d.metadata,
        template: &d.spec.template,
        desired: d.spec.replicas.unwrap_or(1),
        ready: d.status.ready_replicas,
        conditions: &d.status.conditions,
        selector: Some(&d.spec.selector),
    }
}

fn replica_set(set: &ReplicaSet) -> Workload<'_> {
    Workload {
        object: set.object_ref(),
        meta: &set.metadata,
        template: &set.spec.template,
        desired: set.spec.replicas.unwrap_or(1),
        ready: set.status.ready_replicas,
        conditions: &set.status.conditions,
        selector: Some(&set.spec.selector),
    }
}

fn stateful_set(set: &StatefulSet) -> Workload<'_> {
    Workload {
        object: set.object_ref(),
        meta: &set.metadata,
        template: &set.spec.template,
        desired: set.spec.replicas.unwrap_or(1),
        ready: set.status.ready_replicas,
        conditions: &set.status.conditions,
        selector: Some(&set.spec.selector),
    }
}

fn daemon_set(set: &DaemonSet) -> Workload<'_> {
    Workload {
        object: set.object_ref(),
        meta: &set.metadata,
        template: &set.spec.template,
        desired: set.status.desired_number_scheduled,
        ready: set.status.number_ready,
        conditions: &set.status.conditions,
        selector: Some(&set.spec.selector),
    }
}

fn job(job: &Job) -> Workload<'_> {
    Workload {
        object: job.object_ref(),
        meta: &job.metadata,
        template: &job.spec.template,
        desired: job.spec.parallelism.unwrap_or(1),
        ready: job.status.ready,
        conditions: &job.status.conditions,
        selector: None,
    }
}
