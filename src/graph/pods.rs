//! Pods by what takes them: workloads, selectors, Services; and how much their failing hurts.

use super::View;
use crate::model::kinds::{EndpointSlice, Pod, Service};
use crate::model::selector::subset;
use crate::model::{Kind, Map, ObjectRef, Resource, Selector, Severity};

impl<'a> View<'a> {
    /// The pods that a workload made, directly or not.
    pub fn pods_of(&self, workload: &ObjectRef) -> Vec<&'a Pod> {
        let indices = self.pods_by_workload.get(workload).map_or(&[][..], Vec::as_slice);
        indices.iter().filter_map(|index| self.snapshot.objects.pods.get(*index)).collect()
    }

    /// Pods of a namespace that carry all these labels.
    pub fn pods_with(&self, namespace: &str, labels: &Map) -> Vec<&'a Pod> {
        self.within::<Pod>(namespace).iter().filter(|pod| subset(labels, &pod.metadata.labels)).collect()
    }

    /// Pods of a namespace that a selector takes.
    pub fn pods_selected(&self, namespace: &str, selector: &Selector) -> Vec<&'a Pod> {
        self.within::<Pod>(namespace).iter().filter(|pod| selector.matches(&pod.metadata.labels)).collect()
    }

    /// The pods of a Service; none for one without a selector.
    pub fn pods_behind(&self, service: &Service) -> Vec<&'a Pod> {
        if !service.selects() {
            return Vec::new();
        }
        self.pods_with(&service.metadata.namespace, &service.spec.selector)
    }

    /// The slices of a Service.
    pub fn slices_of(&self, service: &Service) -> Vec<&'a EndpointSlice> {
        let slices = self.within::<EndpointSlice>(&service.metadata.namespace);
        slices.iter().filter(|slice| slice.service() == service.metadata.name).collect()
    }

    /// The Services that a pod is behind.
    pub fn services_of(&self, pod: &Pod) -> Vec<&'a Service> {
        let services = self.within::<Service>(&pod.metadata.namespace);
        services
            .iter()
            .filter(|service| service.selects() && subset(&service.spec.selector, &pod.metadata.labels))
            .collect()
    }

    /// Whether nothing of a workload is ready, so that its users feel it. A pod on its own stands
    /// for all there is, and so does one of a StatefulSet, where no other can take its place.
    pub fn all_down(&self, workload: &ObjectRef) -> bool {
        if workload.kind == Kind::StatefulSet {
            return true;
        }
        !self.pods_of(workload).iter().any(|pod| pod.ready() && !pod.metadata.deleting() && !self.flaps(pod))
    }

    /// Whether a pod that is ready now is so between two ends: a container of it was restarted three times or more, and
    /// its last run was short, ended badly, and did so within the last ten minutes.
    pub fn flaps(&self, pod: &Pod) -> bool {
        const RECENT: i64 = 600;
        pod.status.all_statuses().any(|status| {
            let Some(ended) = &status.last_state.terminated else { return false };
            let lived = ended.started_at.zip(*ended.finished_at);
            let short = lived.is_some_and(|(start, end)| end.as_second().saturating_sub(start.as_second()) < RECENT);
            let recent = self.age(*ended.finished_at).is_some_and(|age| age < RECENT);
            status.restart_count >= 3 && short && recent && ended.exit_code != 0
        })
    }

    /// How much a broken pod hurts: critical where nothing of its workload is ready.
    pub fn pod_severity(&self, pod: &Pod) -> Severity {
        if self.all_down(&self.workload_of(pod)) { Severity::Critical } else { Severity::Warning }
    }

    /// How much a broken workload hurts.
    pub fn workload_severity(&self, workload: &ObjectRef) -> Severity {
        if self.all_down(workload) { Severity::Critical } else { Severity::Warning }
    }

    /// Pods that matter: not finished for good, not on their way out, not replaced by a Job's retry.
    pub fn live_pods(&self) -> impl Iterator<Item = &'a Pod> {
        self.all::<Pod>().iter().filter(|pod| !pod.metadata.deleting() && !pod.finished())
    }

    /// The pod's node, as a reference; none while it has no node.
    pub fn node_of(&self, pod: &Pod) -> Option<ObjectRef> {
        let name = &pod.spec.node_name;
        (!name.is_empty()).then(|| ObjectRef::new(Kind::Node, "", name))
    }

    /// The reference of a namespaced object beside `object`.
    pub fn beside<T: Resource>(&self, object: &T, kind: Kind, name: &str) -> ObjectRef {
        ObjectRef::new(kind, &object.meta().namespace, name)
    }
}
