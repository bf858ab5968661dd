//! Pods that can't start because a Secret is not there.

use crate::detect::config_uses;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "secret-missing",
    summary: "A Secret that the pod needs does not exist",
    group: Group::Configuration,
    reads: &[Kind::Pod, Kind::Secret],
    wants: None,
    doc: r#"## What it detects
A pod that has a node and can't start because a Secret that it reads as environment, volume or
projected volume is not in its namespace, and the reference is not optional.

## Why it matters
The kubelet does not start the container (`CreateContainerConfigError`), or none of the pod where a
volume needs it (`ContainerCreating`, `FailedMount`). It tries again for ever.

## Evidence
The reference in the pod's spec; the kubelet's `secret "…" not found` in the container's status or in a
`FailedMount` event; the list of Secrets, which is read without what they hold.

## Look-alikes
A Secret that exists and lacks a key: `config-key-missing`. A ConfigMap: `config-map-missing`. A missing
imagePullSecret does not hold the container up, the pull fails: `image-pull-unauthorized`. A Secret of an
Ingress: `ingress-tls-missing`.

A Secret that an operator (cert-manager, external-secrets) makes a moment later is found at the kubelet's next
try, so a pod that is younger than ten seconds is silent until the kubelet complains. Where Secrets can't be
listed only the kubelet's word counts.

## What it does not see
Containers that have run before: a Secret that was deleted since is not noticed at them, neither while they run
nor when they fail to start again. References that are optional, and those outside env, envFrom, secret and
projected volumes (CSI drivers, vaults' agents). Without the right to list Secrets nothing is known of nearly
the same name or of one in another namespace. Values are never read.

## What to do
See `kubectl get secrets -n NAMESPACE`. Create it in the pod's namespace, or correct the name; Secrets don't
cross namespaces. If an operator should make it, look at the Certificate, ExternalSecret or SealedSecret of that
name: `kubectl describe externalsecret NAME`. The kubelet tries again by itself; the pod need not be deleted."#,
    run: |view| config_uses::missing(view, Kind::Secret),
};

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: cart-1, namespace: shop, creationTimestamp: '2026-01-01T11:50:00Z'}
spec:
  nodeName: node-1
  containers: [{name: app, env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: cart-db, key: password}}}]}]
status:
  phase: Pending
  containerStatuses: [{name: app, state: {waiting: {reason: CreateContainerConfigError, message: 'MESSAGE'}}}]
";

    #[test]
    fn needed_by_an_environment_variable() {
        let expected = "critical Pod shop/cart-1: Secret cart-db does not exist in namespace shop, and env PASSWORD of container app needs it (CreateContainerConfigError) <- Secret shop/cart-db";
        check(&super::DETECTOR, &POD.replace("MESSAGE", "secret \"cart-db\" not found"), expected);
    }

    #[test]
    fn a_config_map_has_the_name() {
        let map = "
---
kind: ConfigMap
metadata: {name: cart-db, namespace: shop}
";
        let expected = "critical Pod shop/cart-1: Secret cart-db does not exist in namespace shop, and env PASSWORD of container app needs it (CreateContainerConfigError); there is a ConfigMap of that name, and the reference asks for a Secret <- Secret shop/cart-db";
        check(&super::DETECTOR, &(POD.replace("MESSAGE", "secret \"cart-db\" not found") + map), expected);
    }

    #[test]
    fn only_the_kubelet_may_see_secrets() {
        let gap = "
---
kind: Gap
what: secrets
reason: forbidden
of: Secret
";
        let expected = "critical Pod shop/cart-1: Secret cart-db does not exist in namespace shop, and env PASSWORD of container app needs it (CreateContainerConfigError) <- Secret shop/cart-db";
        check(&super::DETECTOR, &(POD.replace("MESSAGE", "secret \"cart-db\" not found") + gap), expected);
        check(&super::DETECTOR, &(POD.replace("MESSAGE", "secret \"other\" not found") + gap), "");
    }

    #[test]
    fn a_key_that_is_missing_is_another_matter() {
        let secret = "
---
kind: Secret
metadata: {name: cart-db, namespace: shop}
";
        check(
            &super::DETECTOR,
            &(POD.replace("MESSAGE", "couldn''t find key password in Secret shop/cart-db") + secret),
            "",
        );
    }
}
