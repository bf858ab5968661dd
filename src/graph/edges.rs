//! What refers to what: the edges of the graph, kind by kind.

use std::collections::HashMap;

use super::{Edge, View};
use crate::model::kinds::{Pod, PodSpec, Workload};
use crate::model::selector::subset;
use crate::model::{Kind, ObjectRef, Resource};

/// Adds every edge that the snapshot's objects tell of.
pub(super) fn add(view: &mut View<'_>) {
    let snapshot = view.snapshot;
    owners(view);
    for pod in &snapshot.objects.pods {
        pod_references(view, pod);
    }
    storage(view);
    services(view);
    routes(view);
    others(view);
    customs(view);
}

/// What custom resources refer to among themselves, and the Secrets that they are to make.
fn customs(view: &mut View<'_>) {
    let snapshot = view.snapshot;
    let customs = &snapshot.objects.custom;
    let word = |kind: Kind| kind.as_str().split('.').next().unwrap_or_default().to_owned();
    let by_name: HashMap<(String, &str, &str), ObjectRef> = customs
        .iter()
        .map(|custom| {
            let key = (word(custom.kind), custom.metadata.namespace.as_str(), custom.metadata.name.as_str());
            (key, custom.object_ref())
        })
        .collect();
    for custom in customs {
        let (from, own) = (custom.object_ref(), custom.metadata.namespace.as_str());
        for reference in &custom.references {
            let namespace = if reference.namespace.is_empty() { own } else { &reference.namespace };
            let near = [namespace, ""].map(|namespace| (reference.kind.clone(), namespace, reference.name.as_str()));
            if let Some(to) = near.iter().find_map(|key| by_name.get(key)).filter(|to| **to != from) {
                view.link(&from, Edge::Reference, to.clone());
            }
        }
        // One that is there was made, and what fails beside it has another cause.
        let secret = ObjectRef::new(Kind::Secret, own, &custom.secret);
        if !custom.secret.is_empty() && view.absent(&secret) {
            view.link(&secret, Edge::Maker, from);
        }
    }
}

fn owners(view: &mut View<'_>) {
    let mut pairs = Vec::new();
    view.snapshot.objects.each(|object, meta| {
        if object.kind == Kind::Event {
            return;
        }
        if let Some(owner) = meta.controller().filter(|owner| owner.kind != "Node") {
            pairs.push((owner.object_ref(&meta.namespace), object));
        }
    });
    for (owner, object) in pairs {
        view.link(&owner, Edge::Owner, object);
    }
}

/// The names of ConfigMaps and Secrets that a pod's spec uses, with whether each may be missing.
pub fn configuration(spec: &PodSpec) -> Vec<(Kind, &str, bool)> {
    let mut found = Vec::new();
    for container in spec.all_containers() {
        for source in &container.env_from {
            found.extend(source.config_map_ref.iter().map(|map| (Kind::ConfigMap, map.name.as_str(), map.optional)));
            found.extend(source.secret_ref.iter().map(|map| (Kind::Secret, map.name.as_str(), map.optional)));
        }
        for source in container.env.iter().filter_map(|env| env.value_from.as_deref()) {
            found
                .extend(source.config_map_key_ref.iter().map(|key| (Kind::ConfigMap, key.name.as_str(), key.optional)));
            found.extend(source.secret_key_ref.iter().map(|key| (Kind::Secret, key.name.as_str(), key.optional)));
        }
    }
    for volume in &spec.volumes {
        found.extend(volume.config_map.iter().map(|map| (Kind::ConfigMap, map.name.as_str(), map.optional)));
        found.extend(volume.secret.iter().map(|secret| (Kind::Secret, secret.secret_name.as_str(), secret.optional)));
        for source in volume.projected.iter().flat_map(|projected| &projected.sources) {
            found.extend(source.config_map.iter().map(|map| (Kind::ConfigMap, map.name.as_str(), map.optional)));
            found.extend(source.secret.iter().map(|map| (Kind::Secret, map.name.as_str(), map.optional)));
        }
    }
    found.extend(spec.image_pull_secrets.iter().map(|secret| (Kind::Secret, secret.name.as_str(), true)));
    found.retain(|(_, name, _)| !name.is_empty());
    found.sort_unstable();
    found.dedup();
    found
}

fn pod_references(view: &mut View<'_>, pod: &Pod) {
    let from = pod.object_ref();
    let namespace = from.ns();
    if let Some(node) = view.node_of(pod) {
        view.link(&from, Edge::Node, node);
    }
    for (kind, name, _) in configuration(&pod.spec) {
        view.link(&from, Edge::Config, ObjectRef::new(kind, namespace, name));
    }
    for volume in &pod.spec.volumes {
        if let Some(claim) = &volume.persistent_volume_claim {
            view.link(&from, Edge::Volume, ObjectRef::new(Kind::PersistentVolumeClaim, namespace, &claim.claim_name));
        }
        if volume.ephemeral.is_some() {
            let name = format!("{}-{}", pod.metadata.name, volume.name);
            view.link(&from, Edge::Volume, ObjectRef::new(Kind::PersistentVolumeClaim, namespace, &name));
        }
    }
    if !pod.spec.service_account_name.is_empty() {
        view.link(
            &from,
            Edge::Account,
            ObjectRef::new(Kind::ServiceAccount, namespace, &pod.spec.service_account_name),
        );
    }
}

fn storage(view: &mut View<'_>) {
    let objects = &view.snapshot.objects;
    for claim in &objects.claims {
        let from = claim.object_ref();
        if !claim.spec.volume_name.is_empty() {
            view.link(&from, Edge::Binding, ObjectRef::new(Kind::PersistentVolume, "", &claim.spec.volume_name));
        }
        if let Some(class) = claim.spec.storage_class_name.as_deref().filter(|class| !class.is_empty()) {
            view.link(&from, Edge::Class, ObjectRef::new(Kind::StorageClass, "", class));
        }
    }
    for class in &objects.storage_classes {
        if view.get::<crate::model::kinds::CSIDriver>("", &class.provisioner).is_some() {
            view.link(&class.object_ref(), Edge::Provisioner, ObjectRef::new(Kind::CSIDriver, "", &class.provisioner));
        }
    }
}

fn services(view: &mut View<'_>) {
    let objects = &view.snapshot.objects;
    let mut workloads: HashMap<&str, Vec<Workload<'_>>> = HashMap::new();
    for workload in view.workloads().filter(|workload| workload.object.kind != Kind::Job) {
        workloads.entry(&workload.meta.namespace).or_default().push(workload);
    }
    for service in objects.services.iter().filter(|service| service.selects()) {
        let from = service.object_ref();
        for pod in view.pods_behind(service) {
            view.link(&from, Edge::Selector, pod.object_ref());
        }
        let beside = workloads.get(service.metadata.namespace.as_str()).into_iter().flatten();
        for workload in beside.filter(|workload| subset(&service.spec.selector, workload.labels())) {
            view.link(&from, Edge::Selector, workload.object.clone());
        }
    }
    for budget in &objects.disruption_budgets {
        if let Some(selector) = &budget.spec.selector {
            for pod in view.pods_selected(&budget.metadata.namespace, selector) {
                view.link(&budget.object_ref(), Edge::Selector, pod.object_ref());
            }
        }
    }
}

fn routes(view: &mut View<'_>) {
    let objects = &view.snapshot.objects;
    for ingress in &objects.ingresses {
        let (from, namespace) = (ingress.object_ref(), &ingress.metadata.namespace);
        let paths = ingress.spec.rules.iter().filter_map(|rule| rule.http.as_ref()).flat_map(|http| &http.paths);
        let backends = paths.map(|path| &path.backend).chain(&ingress.spec.default_backend);
        for service in backends.filter_map(|backend| backend.service.as_ref()) {
            view.link(&from, Edge::Backend, ObjectRef::new(Kind::Service, namespace, &service.name));
        }
        for tls in ingress.spec.tls.iter().filter(|tls| !tls.secret_name.is_empty()) {
            view.link(&from, Edge::Config, ObjectRef::new(Kind::Secret, namespace, &tls.secret_name));
        }
        if !ingress.spec.ingress_class_name.is_empty() {
            view.link(&from, Edge::Parent, ObjectRef::new(Kind::IngressClass, "", &ingress.spec.ingress_class_name));
        }
    }
    for route in &objects.http_routes {
        let (from, own) = (route.object_ref(), &route.metadata.namespace);
        let namespace = |given: &str| if given.is_empty() { own.clone() } else { given.to_owned() };
        for backend in route.spec.rules.iter().flat_map(|rule| &rule.backend_refs) {
            if backend.kind.is_empty() || backend.kind == "Service" {
                view.link(
                    &from,
                    Edge::Backend,
                    ObjectRef::new(Kind::Service, &namespace(&backend.namespace), &backend.name),
                );
            }
        }
        for parent in route.spec.parent_refs.iter().filter(|parent| parent.kind.is_empty() || parent.kind == "Gateway")
        {
            view.link(&from, Edge::Parent, ObjectRef::new(Kind::Gateway, &namespace(&parent.namespace), &parent.name));
        }
    }
}

fn others(view: &mut View<'_>) {
    let objects = &view.snapshot.objects;
    for scaler in &objects.autoscalers {
        let from = scaler.object_ref();
        view.link(&from, Edge::Target, scaler.spec.scale_target_ref.object_ref(&scaler.metadata.namespace));
        if scaler.spec.metrics.iter().any(|metric| metric.kind == "Resource") {
            view.link(&from, Edge::Metrics, ObjectRef::new(Kind::APIService, "", "v1beta1.metrics.k8s.io"));
        }
    }
    for set in objects.stateful_sets.iter().filter(|set| !set.spec.service_name.is_empty()) {
        view.link(
            &set.object_ref(),
            Edge::Governing,
            ObjectRef::new(Kind::Service, &set.metadata.namespace, &set.spec.service_name),
        );
    }
    let server = |service: &crate::model::kinds::ServiceReference| {
        ObjectRef::new(Kind::Service, &service.namespace, &service.name)
    };
    for api in &objects.api_services {
        if let Some(service) = &api.spec.service {
            view.link(&api.object_ref(), Edge::Server, server(service));
        }
    }
    let mutating = objects.mutating_webhooks.iter().map(|hook| (hook.object_ref(), &hook.webhooks));
    let validating = objects.validating_webhooks.iter().map(|hook| (hook.object_ref(), &hook.webhooks));
    for (from, hooks) in mutating.chain(validating) {
        for service in hooks.iter().filter_map(|hook| hook.client_config.service.as_ref()) {
            view.link(&from, Edge::Server, server(service));
        }
    }
    for lease in objects.leases.iter().filter(|lease| lease.metadata.namespace != "kube-node-lease") {
        // A holder is usually the pod's name, often with a suffix that the client adds.
        let holder = lease.spec.holder_identity.split('_').next().unwrap_or_default();
        if view.get::<Pod>(&lease.metadata.namespace, holder).is_some() {
            view.link(&lease.object_ref(), Edge::Holder, ObjectRef::new(Kind::Pod, &lease.metadata.namespace, holder));
        }
    }
    let makers: Vec<ObjectRef> = (objects.replica_sets.iter().map(Resource::object_ref))
        .chain(objects.stateful_sets.iter().map(Resource::object_ref))
        .chain(objects.daemon_sets.iter().map(Resource::object_ref))
        .chain(objects.jobs.iter().map(Resource::object_ref))
        .collect();
    for maker in makers {
        for quota in view.within::<crate::model::kinds::ResourceQuota>(maker.ns()) {
            view.link(&maker, Edge::Quota, quota.object_ref());
        }
        for range in view.within::<crate::model::kinds::LimitRange>(maker.ns()) {
            view.link(&maker, Edge::Quota, range.object_ref());
        }
    }
}
