//! Pods that can't start because a ConfigMap is not there.

use crate::detect::config_uses;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "config-map-missing",
    summary: "A ConfigMap that the pod needs does not exist",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::ConfigMap],
    wants: None,
    doc: r#"## What it detects
A pod that has a node and can't start because a ConfigMap that it reads as environment, volume or
projected volume is not in its namespace, and the reference is not optional.

## Why it matters
The kubelet does not start the container (`CreateContainerConfigError`), or none of the pod where a
volume needs it (`ContainerCreating`, `FailedMount`). It tries again for ever.

## Evidence
The reference in the pod's spec; the kubelet's `configmap "…" not found` in the container's status or
in a `FailedMount` event; the list of ConfigMaps, and of Secrets, where one may have the name.

## Look-alikes
One that exists and lacks the key is `config-key-missing`; a missing Secret is `secret-missing`. A ConfigMap that is
made a moment after the pod is found at the kubelet's next try: once it is there, nothing is reported. Where
ConfigMaps can't be listed only the kubelet's word counts.

## What it does not see
Pods without a node: the kubelet has not looked yet. References that are optional, whatever the program thinks of it.
Containers that have started once: if the ConfigMap was deleted since, only a new pod shows it. Under `-n` one of that
name in another namespace is not found.

## What to do
Create it in the pod's namespace, or correct the name (`kubectl get configmaps`). If the pod can do without, say
`optional: true`. The pod starts by itself within two minutes."#,
    run: |view| config_uses::missing(view, Kind::ConfigMap),
};

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop, creationTimestamp: '2026-01-01T11:50:00Z'}
spec:
  nodeName: node-1
  containers: [{name: app, envFrom: [{configMapRef: {name: web-settings}}]}]
status:
  phase: Pending
  containerStatuses: [{name: app, state: STATE}]
";
    const WAITS: &str =
        "{waiting: {reason: CreateContainerConfigError, message: 'configmap \"web-settings\" not found'}}";

    #[test]
    fn needed_as_environment() {
        let other = "
---
kind: ConfigMap
metadata: {name: web-setting, namespace: shop}
";
        let expected = "critical Pod shop/web-1: ConfigMap web-settings does not exist in namespace shop, and envFrom of container app needs it (CreateContainerConfigError); did you mean ConfigMap web-setting? <- ConfigMap shop/web-settings";
        check(&super::DETECTOR, &(POD.replace("STATE", WAITS) + other), expected);
    }

    #[test]
    fn needed_as_projected_volume_by_a_pod_that_is_only_created() {
        let yaml = "
kind: Pod
metadata: {name: web-1, namespace: shop, creationTimestamp: '2026-01-01T11:50:00Z'}
spec:
  nodeName: node-1
  containers: [{name: app}]
  volumes: [{name: all, projected: {sources: [{configMap: {name: web-settings}}]}}]
status: {phase: Pending, containerStatuses: [{name: app, state: {waiting: {reason: ContainerCreating}}}]}
---
kind: ConfigMap
metadata: {name: web-settings, namespace: other}
";
        let expected = "critical Pod shop/web-1: ConfigMap web-settings does not exist in namespace shop, and volume all needs it (FailedMount); there is one in namespace other <- ConfigMap shop/web-settings";
        check(&super::DETECTOR, yaml, expected);
    }

    #[test]
    fn a_secret_has_the_name() {
        let other = "
---
kind: Secret
metadata: {name: web-settings, namespace: PLACE}
";
        let says = "critical Pod shop/web-1: ConfigMap web-settings does not exist in namespace shop, and envFrom of container app needs it (CreateContainerConfigError)";
        let blamed = "<- ConfigMap shop/web-settings";
        check(
            &super::DETECTOR,
            &(POD.replace("STATE", WAITS) + &other.replace("PLACE", "shop")),
            &format!("{says}; there is a Secret of that name, and the reference asks for a ConfigMap {blamed}"),
        );
        check(
            &super::DETECTOR,
            &(POD.replace("STATE", WAITS) + &other.replace("PLACE", "other")),
            &format!("{says} {blamed}"),
        );
    }

    #[test]
    fn made_meanwhile_optional_or_running() {
        let made = "
---
kind: ConfigMap
metadata: {name: web-settings, namespace: shop}
";
        check(&super::DETECTOR, &(POD.replace("STATE", WAITS) + made), "");
        check(
            &super::DETECTOR,
            &POD.replace("{name: web-settings}", "{name: web-settings, optional: true}")
                .replace("STATE", "{waiting: {reason: ContainerCreating}}"),
            "",
        );
        check(&super::DETECTOR, &POD.replace("STATE", "{running: {startedAt: '2026-01-01T11:50:02Z'}}"), "");
    }

    #[test]
    fn what_could_not_be_listed_is_not_missing() {
        let gap = "
---
kind: Gap
what: configmaps
reason: forbidden
of: ConfigMap
";
        check(&super::DETECTOR, &(POD.replace("STATE", "{waiting: {reason: ContainerCreating}}") + gap), "");
    }
}
