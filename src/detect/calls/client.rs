//! Who calls: a workload, or a pod that no workload stands for.
//!
//! *Invariant:* a client has live pods; each live pod belongs to one client.

use crate::detect::prelude::*;

/// A workload, or a pod on its own, that has live pods.
#[derive(Clone)]
pub struct Client<'a> {
    /// What it is called.
    pub object: ObjectRef,
    /// Its namespace.
    pub namespace: &'a str,
    /// What its pods look like.
    pub spec: &'a PodSpec,
    /// Their labels.
    pub labels: &'a Map,
    /// Those that live.
    pub pods: Vec<&'a Pod>,
    /// The path of the pods' spec in the object.
    prefix: &'static str,
}

impl<'a> Client<'a> {
    /// A workload with its live pods, if there are any.
    pub(super) fn of_workload(view: &View<'a>, workload: Workload<'a>) -> Client<'a> {
        let live = |pod: &&Pod| !pod.metadata.deleting() && !pod.finished();
        Client {
            pods: view.pods_of(&workload.object).into_iter().filter(live).collect(),
            namespace: &workload.meta.namespace,
            spec: &workload.template.spec,
            labels: &workload.template.metadata.labels,
            object: workload.object,
            prefix: "spec.template.spec",
        }
    }

    /// A pod for itself.
    pub(super) fn of_pod(pod: &'a Pod) -> Client<'a> {
        Client {
            object: pod.object_ref(),
            namespace: &pod.metadata.namespace,
            spec: &pod.spec,
            labels: &pod.metadata.labels,
            pods: vec![pod],
            prefix: "spec",
        }
    }
}

impl Client<'_> {
    /// The path of a field of its pods' spec.
    pub(super) fn path(&self, container: &Container, field: &str) -> String {
        let list = if self.is_init(container) { "initContainers" } else { "containers" };
        format!("{}.{list}[{}].{field}", self.prefix, container.name)
    }

    /// Where a field of its pods' spec stands.
    pub fn place(&self, field: &str) -> (ObjectRef, String) {
        (self.object.clone(), format!("{}.{field}", self.prefix))
    }

    /// Whether a container runs before the others.
    pub fn is_init(&self, container: &Container) -> bool {
        self.spec.init_containers.iter().any(|init| std::ptr::eq(init, container))
    }

    /// Whether a container of it was started and yet is not well, in one of the pods.
    pub fn ails(&self, container: &Container) -> bool {
        self.pods.iter().filter(|pod| !pod.ready()).any(|pod| {
            pod.status.all_statuses().filter(|status| status.name == container.name).any(|status| {
                let failed = |ended: &Option<Terminated>| ended.as_ref().is_some_and(|ended| ended.exit_code != 0);
                status.state.running.is_some() && !status.ready
                    || failed(&status.state.terminated)
                    || failed(&status.last_state.terminated)
            })
        })
    }

    /// What a call that can't succeed blocks: the start, where the container fails and its log says so.
    pub fn blocks(&self, container: &Container, told: bool) -> Stage {
        if self.is_init(container) || told && self.ails(container) { Stage::Start } else { Stage::Serve }
    }

    /// Whether it has no ready pod.
    pub fn down(&self) -> bool {
        !self.pods.iter().any(|pod| pod.ready())
    }

    /// `Deployment web`.
    pub fn title(&self) -> String {
        format!("{} {}", self.object.kind, self.object.name)
    }

    /// When its oldest live pod began.
    pub fn since(&self) -> Option<Time> {
        self.pods.iter().filter_map(|pod| pod_since(pod)).min()
    }

    /// The log that tells most: of a pod that is not ready, else of the first.
    pub fn log_wants(&self, container: &Container) -> Option<Want> {
        let pod = self.pods.iter().find(|pod| !pod.ready()).or(self.pods.first())?;
        Some(Want::Log { pod: pod.object_ref(), container: container.name.clone(), previous: false })
    }
}

/// All that has live pods, by name.
pub fn clients<'a>(view: &View<'a>) -> Vec<Client<'a>> {
    let of_workloads = view.workloads().map(|workload| Client::of_workload(view, workload));
    let mut found: Vec<Client<'a>> = of_workloads.filter(|client| !client.pods.is_empty()).collect();
    let alone = view.shared(|| Alone(alone(view)));
    found.extend(alone.0.iter().filter_map(|index| view.all::<Pod>().get(*index)).map(Client::of_pod));
    found
}

/// Pods that no workload stands for, by number.
struct Alone(Vec<usize>);

/// Pods of their own, of CronJobs' jobs and of custom controllers: one stands for its siblings.
fn alone(view: &View<'_>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (index, pod) in view.all::<Pod>().iter().enumerate() {
        if pod.metadata.deleting() || pod.finished() {
            continue;
        }
        let owner = pod.metadata.controller();
        let covered = match owner.map(|owner| owner.kind.as_str()) {
            Some("StatefulSet" | "DaemonSet") => true,
            Some("ReplicaSet") => {
                let set = owner.and_then(|owner| view.get::<ReplicaSet>(&pod.metadata.namespace, &owner.name));
                set.is_some_and(|set| set.metadata.controller().is_none_or(|owner| owner.kind == "Deployment"))
            }
            Some("Job") => owner.is_some_and(|owner| {
                !view.pods_of(&ObjectRef::new(Kind::Job, &pod.metadata.namespace, &owner.name)).is_empty()
            }),
            _ => false,
        };
        let first = owner.is_none_or(|owner| seen.insert((pod.metadata.namespace.as_str(), owner.name.as_str())));
        if !covered && first {
            found.push(index);
        }
    }
    found
}
