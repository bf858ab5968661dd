//! The parameters that a cause can fill: what is called `$POD` in a runbook is the pod that was found.
//!
//! *Invariant:* pure. A name is given only for an object that the cause itself names, and one that lives in the
//! namespace that `$NAMESPACE` says, so that a command means one place.

use std::collections::BTreeMap;

use crate::kubectl;
use crate::model::{Cause, Kind, ObjectRef, Source};

/// Values by the name of the parameter.
pub type Values = BTreeMap<String, String>;

/// The parameter for the bare name of an object of a kind.
const NAMES: &[(Kind, &str)] = &[
    (Kind::APIService, "APISERVICE"),
    (Kind::ClusterRole, "CLUSTERROLE"),
    (Kind::ConfigMap, "CONFIGMAP"),
    (Kind::CronJob, "CRONJOB"),
    (Kind::CSIDriver, "CSIDRIVER"),
    (Kind::CustomResourceDefinition, "CRD"),
    (Kind::DaemonSet, "DAEMONSET"),
    (Kind::Deployment, "DEPLOYMENT"),
    (Kind::EndpointSlice, "ENDPOINTSLICE"),
    (Kind::Gateway, "GATEWAY"),
    (Kind::HorizontalPodAutoscaler, "HPA"),
    (Kind::HTTPRoute, "ROUTE"),
    (Kind::Ingress, "INGRESS"),
    (Kind::IngressClass, "INGRESSCLASS"),
    (Kind::Job, "JOB"),
    (Kind::Lease, "LEASE"),
    (Kind::LimitRange, "LIMITRANGE"),
    (Kind::MutatingWebhookConfiguration, "WEBHOOK"),
    (Kind::NetworkPolicy, "NETWORKPOLICY"),
    (Kind::Node, "NODE"),
    (Kind::PersistentVolume, "PV"),
    (Kind::PersistentVolumeClaim, "PVC"),
    (Kind::Pod, "POD"),
    (Kind::PodDisruptionBudget, "PDB"),
    (Kind::PriorityClass, "PRIORITYCLASS"),
    (Kind::ReplicaSet, "REPLICASET"),
    (Kind::ResourceQuota, "QUOTA"),
    (Kind::Role, "ROLE"),
    (Kind::RoleBinding, "ROLEBINDING"),
    (Kind::RuntimeClass, "RUNTIMECLASS"),
    (Kind::Secret, "SECRET"),
    (Kind::Service, "SERVICE"),
    (Kind::ServiceAccount, "SERVICEACCOUNT"),
    (Kind::StatefulSet, "STATEFULSET"),
    (Kind::StorageClass, "STORAGECLASS"),
    (Kind::ValidatingAdmissionPolicy, "POLICY"),
    (Kind::ValidatingWebhookConfiguration, "WEBHOOK"),
    (Kind::VolumeAttachment, "VOLUMEATTACHMENT"),
];

/// The parameter for the bare name of an object of a kind, where there is one.
pub fn name(kind: Kind) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name)
}

const WORKLOADS: [Kind; 6] =
    [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::CronJob, Kind::Job, Kind::ReplicaSet];

/// What a cause says of the standard parameters; `params` of the runbook guide says what each means.
pub fn of(cause: &Cause) -> Values {
    let mut values = Values::new();
    let objects = objects(cause);
    let namespace = namespace(cause, &objects);
    let mut give = |name: &str, value: String| {
        values.entry(name.to_owned()).or_insert(value);
    };
    give("OBJECT", target(&cause.object));
    let culprit = cause.culprit.as_ref().unwrap_or(&cause.object);
    give("CULPRIT", target(culprit));
    if let Some(namespace) = &culprit.namespace {
        give("CULPRIT_NAMESPACE", namespace.to_string());
    }
    let here = |object: &&&ObjectRef| object.namespace.is_none() || object.namespace.as_deref() == namespace.as_deref();
    for object in objects.iter().filter(here) {
        if let Some((_, name)) = NAMES.iter().find(|(kind, _)| *kind == object.kind) {
            give(name, object.name.to_string());
        }
    }
    let workload = objects.iter().filter(here).find(|object| WORKLOADS.contains(&object.kind));
    if let Some(object) = workload.or_else(|| objects.iter().filter(here).find(|object| object.kind == Kind::Pod)) {
        give("WORKLOAD", target(object));
    }
    if let Some(container) = container(cause) {
        give("CONTAINER", container);
    }
    if let Some(namespace) = namespace {
        give("NAMESPACE", namespace);
    }
    values
}

/// What a cause's own commands say of the parameters of a line that has some left: where both are one command, word by
/// word, a parameter is what stands in its place there.
pub fn learned(open: &kubectl::Command, cause: &Cause) -> Values {
    let words = |command: &kubectl::Command| {
        let mut words = command.argv().into_iter().peekable();
        let mut kept = Vec::new();
        while let Some(word) = words.next() {
            // Where it is run is the same, or the line is another one's business.
            if matches!(word.as_str(), "--context" | "-n" | "--namespace") {
                words.next();
            } else if !word.starts_with("--context=") && !word.starts_with("--namespace=") {
                kept.push(word);
            }
        }
        kept
    };
    let pattern = words(open);
    let learn = |line: &str| {
        let told = words(&kubectl::parse(line).ok()?);
        if told.len() != pattern.len() {
            return None;
        }
        let mut values = Values::new();
        pattern.iter().zip(&told).all(|(pattern, word)| fits(pattern, word, &mut values)).then_some(values)
    };
    cause.commands.iter().find_map(|command| learn(&command.line)).unwrap_or_default()
}

/// Whether a word is one that a pattern stands for; what its parameters are then.
fn fits(pattern: &str, word: &str, values: &mut Values) -> bool {
    let Some((literal, rest)) = pattern.split_once('$') else { return pattern == word };
    let Some(word) = word.strip_prefix(literal) else { return false };
    let in_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let end = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    // The value ends where the text begins that follows the parameter.
    let next = rest.split('$').next().unwrap_or_default();
    let length = match next {
        "" if rest.is_empty() => word.len(),
        "" => return false,
        next => match word.find(next) {
            Some(at) => at,
            None => return false,
        },
    };
    let (value, word) = word.split_at(length);
    let same = values.get(name).is_none_or(|known| known == value);
    if name.is_empty() || value.is_empty() || !same {
        return false;
    }
    values.insert(name.to_owned(), value.to_owned());
    fits(rest, word, values)
}

/// `deployment/api`.
fn target(object: &ObjectRef) -> String {
    format!("{}/{}", object.kind.argument(), object.name)
}

/// All objects that a cause names, the nearest first.
fn objects(cause: &Cause) -> Vec<&ObjectRef> {
    let evidence = cause.evidence.iter().map(|evidence| match &evidence.source {
        Source::Field { object, .. } | Source::Event { object, .. } | Source::Log { object, .. } => object,
    });
    let consequences =
        cause.consequences.iter().flat_map(|consequence| std::iter::once(&consequence.object).chain(&consequence.path));
    std::iter::once(&cause.object)
        .chain(&cause.culprit)
        .chain(&cause.members)
        .chain(evidence)
        .chain(consequences)
        .collect()
}

fn namespace(cause: &Cause, objects: &[&ObjectRef]) -> Option<String> {
    if cause.object.kind == Kind::Namespace {
        return Some(cause.object.name.to_string());
    }
    objects.iter().find_map(|object| object.namespace.as_ref()).map(ToString::to_string)
}

/// The container that the evidence is about: that of a log, or the one that a field's path names.
fn container(cause: &Cause) -> Option<String> {
    cause.evidence.iter().find_map(|evidence| match &evidence.source {
        Source::Log { container, .. } => Some(container.clone()),
        Source::Field { path, .. } => {
            let at = path.to_ascii_lowercase().find("container")?;
            let (list, rest) = path.get(at..)?.split_once('[')?;
            let (name, _) = rest.split_once(']')?;
            (!list.contains('.') && !name.is_empty()).then(|| name.to_owned())
        }
        Source::Event { .. } => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(yaml: &str) -> Cause {
        serde_saphyr::from_str(&format!(
            "{{fingerprint: f, detector: d, severity: critical, stage: start, summary: s, count: 1, changes: [], commands: [], {yaml}}}"
        ))
        .unwrap()
    }

    fn told(yaml: &str) -> String {
        let values = of(&cause(yaml));
        values.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_command_of_the_cause_fills_what_is_left() {
        let table = [
            ("set selector service web $SELECTOR", "set selector service web app=web", "SELECTOR=app=web"),
            ("set image deployment/web app=$IMAGE", "set image deployment/web app=r/x:2", "IMAGE=r/x:2"),
            (
                "set image deployment/web $CONTAINER=$IMAGE",
                "set image deployment/web app=r/x:2",
                "CONTAINER=app IMAGE=r/x:2",
            ),
            ("set image deployment/web $CONTAINER=$IMAGE", "set image deployment/api app=r/x:2", ""),
            ("scale deployment/web --replicas=$REPLICAS", "rollout undo deployment/web", ""),
            (
                r#"patch service web -p '{"spec":{"ports":[{"port":$PORT,"targetPort":$TARGET_PORT}]}}'"#,
                r#"patch service web -p '{"spec":{"ports":[{"port":80,"targetPort":8080}]}}'"#,
                "PORT=80 TARGET_PORT=8080",
            ),
        ];
        for (open, told, expected) in table {
            let mut cause =
                cause("object: {kind: Service, namespace: shop, name: web}, evidence: [], consequences: []");
            let line = format!("kubectl --context prod -n shop {told}");
            cause.commands.push(crate::model::Command { changes: true, purpose: String::new(), line });
            let open = kubectl::parse(&format!("kubectl -n shop {open}")).unwrap();
            let values = learned(&open, &cause);
            let told = values.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn what_a_cause_names_fills_the_parameters() {
        let table = [
            (
                "object: {kind: Deployment, namespace: shop, name: cart}, culprit: {kind: Secret, namespace: shop, name: db}, \
                 members: [{kind: Pod, namespace: shop, name: cart-1}], evidence: [{quote: x, source: {type: field, \
                 object: {kind: Pod, namespace: shop, name: cart-1}, path: 'status.containerStatuses[app].state'}}], consequences: []",
                "CONTAINER=app CULPRIT=secret/db CULPRIT_NAMESPACE=shop DEPLOYMENT=cart NAMESPACE=shop \
                 OBJECT=deployment/cart POD=cart-1 SECRET=db WORKLOAD=deployment/cart",
            ),
            (
                "object: {kind: Node, name: n1}, evidence: [], consequences: [{detector: d, severity: info, summary: s, path: [], \
                 object: {kind: StatefulSet, namespace: shop, name: db}}]",
                "CULPRIT=node/n1 NAMESPACE=shop NODE=n1 OBJECT=node/n1 STATEFULSET=db WORKLOAD=statefulset/db",
            ),
            (
                // A Service of another namespace is not `$SERVICE`: `-n $NAMESPACE` would not find it.
                "object: {kind: Pod, namespace: shop, name: p}, culprit: {kind: Service, namespace: pay, name: api}, \
                 evidence: [{quote: x, source: {type: log, object: {kind: Pod, namespace: shop, name: p}, container: web}}], consequences: []",
                "CONTAINER=web CULPRIT=service/api CULPRIT_NAMESPACE=pay NAMESPACE=shop OBJECT=pod/p POD=p WORKLOAD=pod/p",
            ),
            (
                "object: {kind: Namespace, name: old}, evidence: [], consequences: []",
                "CULPRIT=namespace/old NAMESPACE=old OBJECT=namespace/old",
            ),
        ];
        for (yaml, expected) in table {
            assert_eq!(told(yaml), expected);
        }
    }
}
