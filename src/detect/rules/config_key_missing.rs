//! Keys that a ConfigMap or Secret does not hold.

use crate::detect::config_uses::{Said, Use, Way, blocks, near, said, starting, uses};
use crate::detect::logs::mount::absent_key;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "config-key-missing",
    summary: "A ConfigMap or Secret lacks the key that the pod asks for",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::ConfigMap],
    wants: Some(wants),
    doc: r"## What it detects
A ConfigMap or Secret that exists, but without the key that the pod reads as an environment variable
or as an item of a volume; and a `subPath` mount of a key that the ConfigMap does not hold, in a
container that is not well.

## Why it matters
For environment and items the kubelet does not start the container. For a `subPath` it silently
makes an empty folder where the program expects a file.

## Evidence
The kubelet's `couldn't find key …` or `references non-existent … key`; the reference in the
spec; the names of the keys there are. Of a Secret only the names of its keys are read.

## Look-alikes
A ConfigMap or Secret that does not exist at all is `config-map-missing` or `secret-missing`. A variable that is
missing because `envFrom` does not bring it is `env-missing`; a file that a whole volume does not hold is
`file-missing`. Optional references are left out, and a container that has started had the keys of its environment. A
key that was added since is not reported: the kubelet finds it at its next try.

## What it does not see
A `subPath` into a Secret. A key of a Secret is judged only where the kubelet complains of it or its keys were read
already; without the right to get the Secret the keys that there are stay unnamed. A pod without a node has not been
tried yet, and is silent. Whether the value is right is not looked at.

## What to do
`kubectl describe configmap NAME` or `kubectl describe secret NAME` shows the keys. Add the key, or correct its name:
names are compared letter by letter, case and punctuation count. After a `subPath` start the pod again.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pod in starting(view) {
        for used in uses(&pod.spec).iter().filter(|used| !used.optional && blocks(pod, used)) {
            findings.extend(used.key.and_then(|key| missing(view, pod, used, key)));
        }
    }
    findings.extend(view.live_pods().flat_map(containers).flat_map(|container| sub_paths(view, &container)));
    findings
}

/// Secrets whose key names decide: those of which the kubelet complains.
fn wants(view: &View<'_>) -> Vec<Want> {
    let mut wants = Vec::new();
    for pod in starting(view) {
        for used in uses(&pod.spec).iter().filter(|used| used.kind == Kind::Secret && blocks(pod, used)) {
            if used.key.is_some_and(|key| complaint(view, pod, used, key).is_some()) {
                wants.push(Want::SecretKeys { namespace: pod.metadata.namespace.clone(), name: used.name.to_owned() });
            }
        }
    }
    wants
}

fn complaint<'a>(view: &View<'a>, pod: &'a Pod, used: &Use<'_>, key: &str) -> Option<Said<'a>> {
    let from =
        format!("couldn't find key {key} in {} {}/{}", used.kind, pod.metadata.namespace, used.name).to_lowercase();
    let ends = format!("key: {key}").to_lowercase();
    said(view, pod, |text| {
        let text = text.to_lowercase();
        match used.way {
            Way::Env => text.contains(&from),
            Way::Volume => {
                text.contains(&format!("\"{}\"", used.by.trim_start_matches("volume ")))
                    && text.contains("non-existent")
                    && text.contains(&ends)
            }
        }
    })
}

fn missing(view: &View<'_>, pod: &Pod, used: &Use<'_>, key: &str) -> Option<Finding> {
    let (object, holder) = (pod.object_ref(), view.beside(pod, used.kind, used.name));
    let said = complaint(view, pod, used, key);
    let keys = keys(view, &holder);
    match &keys {
        // The key was added since: the kubelet will see it.
        Some(keys) if keys.contains(&key) => return None,
        Some(_) => {}
        None => drop(said.as_ref()?),
    }
    let reason = if used.way == Way::Volume { "FailedMount" } else { "CreateContainerConfigError" };
    let summary = format!(
        "{} {} has no key `{key}`, which {} needs ({reason}){}",
        used.kind,
        used.name,
        used.by,
        there_are(key, keys.as_deref())
    );
    let stage = if used.way == Way::Volume { Stage::Mount } else { Stage::Start };
    let mut finding = Finding::new(object.clone(), view.pod_severity(pod), stage, summary)
        .key(format!("{} {key}", used.name))
        .culprit(holder.clone())
        .since(pod_since(pod))
        .field(&object, used.path.as_str(), format!("name: {}, key: {key}", used.name));
    if let Some(said) = said {
        finding = said.quote(finding, &object);
    }
    Some(finding.look("see the keys", &holder, &["describe", &holder.kind.argument(), &holder.name]))
}

/// The keys of a ConfigMap or Secret, where they are known.
fn keys<'a>(view: &View<'a>, holder: &ObjectRef) -> Option<Vec<&'a str>> {
    if holder.kind == Kind::Secret {
        let keys = view.snapshot.keys_of(holder.ns(), &holder.name)?;
        return Some(keys.keys.iter().map(|key| key.name.as_str()).collect());
    }
    Some(view.get::<ConfigMap>(holder.ns(), &holder.name)?.keys().collect())
}

fn there_are(key: &str, keys: Option<&[&str]>) -> String {
    match keys {
        None => String::new(),
        Some([]) => "; it is empty".to_owned(),
        Some(keys) => {
            let meant = near(key, keys.iter().copied()).map(|key| format!(": did you mean {key}?")).unwrap_or_default();
            format!("; it has {}{meant}", list(&keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()))
        }
    }
}

/// Mounts of one file of a ConfigMap that does not hold it, in a container that is not well.
fn sub_paths(view: &View<'_>, container: &Running<'_>) -> Vec<Finding> {
    let (pod, status) = (container.pod, container.status);
    if status.ready || !failing(view, container) && status.state.running.is_none() {
        return Vec::new();
    }
    let mounts = container.spec.volume_mounts.iter();
    let broken = mounts.filter_map(|mount| {
        let (map, files) = absent_key(view, pod, mount)?;
        let (holder, files) = (view.beside(pod, Kind::ConfigMap, &map.name), files.iter().map(String::as_str).collect::<Vec<_>>());
        let file = mount.sub_path.split('/').next().unwrap_or_default();
        let summary = format!("ConfigMap {} has no key `{}` for the subPath mount of {} at {}, so an empty folder is there instead of a file{}", map.name, mount.sub_path, container.title(), mount.mount_path, there_are(file, Some(&files)));
        let object = pod.object_ref();
        let finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Mount, summary).key(format!("{} {}", map.name, mount.sub_path)).culprit(holder).since(pod_since(pod));
        Some(finding.field(&object, container.spec_path("volumeMounts"), format!("mountPath: {}, subPath: {}", mount.mount_path, mount.sub_path)))
    });
    broken.collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{check, check_wants};

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop, creationTimestamp: '2026-01-01T11:50:00Z'}
spec:
  nodeName: node-1
  containers: [{name: app, env: [{name: LEVEL, valueFrom: {REF: {name: settings, key: LOGLEVEL}}}]}]
status: {phase: Pending, containerStatuses: [{name: app, state: {waiting: {reason: CreateContainerConfigError, message: \"couldn't find key LOGLEVEL in KIND shop/settings\"}}}]}
---
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {LOG_LEVEL: info, REGION: eu}
---
kind: Secret
metadata: {name: settings, namespace: shop}
";

    #[test]
    fn a_config_map_without_the_key() {
        let yaml = POD.replace("REF", "configMapKeyRef").replace("KIND", "ConfigMap");
        let expected = "critical Pod shop/web-1: ConfigMap settings has no key `LOGLEVEL`, which env LEVEL of container app needs (CreateContainerConfigError); it has LOG_LEVEL and REGION: did you mean LOG_LEVEL? <- ConfigMap shop/settings";
        check(&super::DETECTOR, &yaml, expected);
        check(&super::DETECTOR, &yaml.replace("LOG_LEVEL: info", "LOGLEVEL: info"), "");
    }

    #[test]
    fn a_secret_without_the_key() {
        let yaml = POD.replace("REF", "secretKeyRef").replace("KIND", "Secret");
        check_wants(&super::DETECTOR, &yaml, "keys of Secret shop/settings");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: Secret settings has no key `LOGLEVEL`, which env LEVEL of container app needs (CreateContainerConfigError) <- Secret shop/settings",
        );
        let keys = "
---
kind: SecretKeys
namespace: shop
name: settings
keys: [{name: token, size: 4}]
";
        check(
            &super::DETECTOR,
            &(yaml + keys),
            "critical Pod shop/web-1: Secret settings has no key `LOGLEVEL`, which env LEVEL of container app needs (CreateContainerConfigError); it has token <- Secret shop/settings",
        );
    }

    const MOUNT: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop, creationTimestamp: '2026-01-01T11:50:00Z'}
spec:
  nodeName: node-1
  volumes: [{name: v, configMap: {name: settings}}]
  containers: [{name: app, volumeMounts: [{name: v, mountPath: /etc/app.yaml, subPath: app.yaml}]}]
status: {phase: Running, containerStatuses: [{name: app, ready: READY, restartCount: 3, state: {running: {}}}]}
---
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {app.yml: x}
";

    #[test]
    fn a_sub_path_that_is_not_there() {
        let expected = "critical Pod shop/web-1: ConfigMap settings has no key `app.yaml` for the subPath mount of container app at /etc/app.yaml, so an empty folder is there instead of a file; it has app.yml: did you mean app.yml? <- ConfigMap shop/settings";
        check(&super::DETECTOR, &MOUNT.replace("READY", "false"), expected);
        check(&super::DETECTOR, &MOUNT.replace("READY", "true"), "");
        check(&super::DETECTOR, &MOUNT.replace("READY", "false").replace("app.yml", "app.yaml"), "");
    }
}
