//! Images that the registry does not give without other credentials.

use crate::detect::config_uses::near;
use crate::detect::images::{Answer, Pull, parts, pulls, refusal};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "image-pull-unauthorized",
    summary: "The registry refuses the pull: missing or wrong credentials",
    group: Group::Images,
    reads: &[Kind::Pod, Kind::Secret],
    wants: None,
    doc: r"## What it detects
A container whose image the registry refuses with 401, 403, `denied` or `no basic auth credentials`.
It says whether the pod names pull secrets, whether they exist, and whether they are of a type
that the kubelet reads.

## Why it matters
The registry answers the same at each try. Nodes that have the image already hide the fault until
a pod moves to another node, or `imagePullPolicy: Always` asks again.

## Evidence
`state.waiting.message` or the event `Failed to pull image`; `spec.imagePullSecrets`; the event
`FailedToRetrieveImagePullSecret`.

## Look-alikes
Some registries answer 403 when an image does not exist: check the name first where the credentials are sure. A
repository of Docker Hub that the pod asks for without any pull secret is `image-not-found`. Credentials that
the node itself brings (ECR, ACR, Artifact Registry) don't show in the pod: when they fail, no pull secret is
named and the sentence says so. A registry that does not answer at all is `image-registry-unreachable`.

## What it does not see
What the pull secret holds is never read: whether its user, password or host is right is not known. Without the
right to list Secrets it can't say whether the secret exists. The kubelet's credential providers on the node,
and the rights in the registry, are not seen. A missing pull secret of an image that could be pulled is no
finding.

## What to do
Create the pull secret in the pod's own namespace (`kubectl create secret docker-registry`) and name
it in `imagePullSecrets` of the pod or of its service account. Where the node's identity pulls, give
that identity the right to read the repository.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    pulls(view, Answer::Unauthorized).iter().map(|pull| finding(view, pull)).collect()
}

fn finding(view: &View<'_>, pull: &Pull<'_>) -> Finding {
    let (pod, image) = (pull.container.pod, &pull.container.spec.image);
    let object = pod.object_ref();
    let named: Vec<String> =
        pod.spec.image_pull_secrets.iter().map(|secret| secret.name.clone()).filter(|name| !name.is_empty()).collect();
    let missing = named.iter().find(|name| view.absent(&view.beside(pod, Kind::Secret, name)));
    let unusable = named
        .iter()
        .filter_map(|name| view.get::<Secret>(&pod.metadata.namespace, name))
        .find(|secret| !secret.kind.is_empty() && !secret.kind.starts_with("kubernetes.io/dockerc"));
    let refused = format!(
        "registry {} refuses image {image} of {} ({})",
        parts(image).0,
        pull.container.title(),
        refusal(pull.text)
    );
    let why = match (missing, unusable) {
        (Some(name), _) => {
            let elsewhere = view
                .all::<Secret>()
                .iter()
                .find(|secret| secret.metadata.name == *name)
                .map(|secret| format!("; there is one in namespace {}", secret.metadata.namespace));
            let here = view.within::<Secret>(object.ns()).iter().map(|secret| secret.metadata.name.as_str());
            let near = near(name, here).map(|near| format!("; did you mean Secret {near}?"));
            format!(
                "its pull secret {name} does not exist in namespace {}{}",
                object.ns(),
                near.or(elsewhere).unwrap_or_default()
            )
        }
        (None, Some(secret)) => format!(
            "its pull secret {} is of type {}, not kubernetes.io/dockerconfigjson",
            secret.metadata.name, secret.kind
        ),
        (None, None) if named.is_empty() => "the pod names no imagePullSecrets".to_owned(),
        (None, None) => {
            format!("its pull secret {} holds wrong or expired credentials, or is for another registry", list(&named))
        }
    };
    let mut finding = pull.finding(view, format!("{refused}: {why}"));
    if !named.is_empty() {
        finding = finding.field(&object, "spec.imagePullSecrets", named.join(", "));
    }
    if let Some(name) = missing.or(unusable.map(|secret| &secret.metadata.name)) {
        finding = finding.culprit(view.beside(pod, Kind::Secret, name));
    }
    let event = view.warnings(pod).find(|event| event.reason == "FailedToRetrieveImagePullSecret" && missing.is_some());
    if let Some(event) = event {
        finding = finding.event(event);
    }
    if !named.is_empty() && missing.is_none() && !view.snapshot.knows(Kind::Secret, object.ns()) {
        finding = finding.unknown("Secrets could not be listed: whether the pull secret exists is not known");
    }
    finding.look(
        "see the pull secrets of the namespace",
        &object,
        &["get", "secrets", "--field-selector", "type=kubernetes.io/dockerconfigjson"],
    )
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {imagePullSecrets: [SECRET], containers: [{name: app, image: 'r.io/shop/web:1'}]}
status:
  phase: Pending
  containerStatuses: [{name: app, state: {waiting: {reason: ErrImagePull, message: 'pulling from host r.io failed with status code [manifests 1]: ANSWER'}}}]
";
    const SECRETS: &str = "
---
kind: Secret
metadata: {name: regcred, namespace: shop}
type: kubernetes.io/dockerconfigjson
---
kind: Secret
metadata: {name: token, namespace: shop}
type: Opaque
";

    fn pod(secret: &str) -> String {
        POD.replace("SECRET", secret).replace("ANSWER", "401 Unauthorized") + SECRETS
    }

    #[test]
    fn what_is_wrong_with_the_credentials() {
        let refused =
            "critical Pod shop/web-1: registry r.io refuses image r.io/shop/web:1 of container app (401 Unauthorized):";
        let table = [
            ("", "the pod names no imagePullSecrets"),
            ("{name: gone}", "its pull secret gone does not exist in namespace shop <- Secret shop/gone"),
            (
                "{name: token}",
                "its pull secret token is of type Opaque, not kubernetes.io/dockerconfigjson <- Secret shop/token",
            ),
            (
                "{name: regcred}",
                "its pull secret regcred holds wrong or expired credentials, or is for another registry",
            ),
        ];
        for (secret, why) in table {
            check(&super::DETECTOR, &pod(secret), &format!("{refused} {why}"));
        }
    }

    #[test]
    fn an_image_that_is_not_there_is_another_matter() {
        check(&super::DETECTOR, &POD.replace("SECRET", "").replace("ANSWER", "404 Not Found"), "");
    }

    #[test]
    fn a_missing_pull_secret_of_an_image_that_could_be_pulled_is_no_fault() {
        check(
            &super::DETECTOR,
            "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {imagePullSecrets: [{name: gone}], containers: [{name: app, image: busybox}]}
status: {phase: Running, containerStatuses: [{name: app, ready: true, state: {running: {}}}]}
",
            "",
        );
    }
}
