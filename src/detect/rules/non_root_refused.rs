//! Containers that must not run as root and would.

use crate::detect::images::patch_container;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "non-root-refused",
    summary: "runAsNonRoot is set, but the container would run as root",
    group: Group::Configuration,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that the kubelet does not start (`CreateContainerConfigError`) because `runAsNonRoot` is
true while the image's user is root, is a name whose number is unknown, or `runAsUser` is 0.

## Why it matters
The check is made before the start, so there is no log: the program has not run at all.

## Evidence
`state.waiting.message`, and the security context of container and pod.

## Look-alikes
Other `CreateContainerConfigError`s are about a missing object or key: `config-map-missing`, `secret-missing`,
`config-key-missing`. Pods that the namespace forbids for running as root are never made: `pod-security-violated`. A
program that starts as another user and may not read its files is `file-permission-denied`. The kubelet itself refuses
the container, so nothing else is taken for this.

## What it does not see
The image's `USER`: it is known only by what the kubelet says. Whether the program works as another user, and whether
its files and volumes are readable for it (`fsGroup`), shows only at the next start. The `runAsUser` 1000 of the
suggested command is a guess. A container that runs as root without `runAsNonRoot` is not reported.

## What to do
Set `runAsUser` to a number other than 0 for which the image's files are readable, or build the
image with a numeric `USER`. Only where root is really needed, give up `runAsNonRoot`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let refused = waiting(view, &["CreateContainerConfigError"]);
    refused.iter().filter_map(|(container, waiting)| finding(view, container, waiting)).collect()
}

fn finding(view: &View<'_>, container: &Running<'_>, waiting: &Waiting) -> Option<Finding> {
    let (pod, spec) = (container.pod, container.spec);
    let (object, text, title) = (pod.object_ref(), waiting.message.as_str(), container.title());
    let summary = if text.contains("breaks non-root policy") {
        format!("{title} sets runAsUser 0 (root), which its runAsNonRoot forbids (CreateContainerConfigError)")
    } else if text.contains("non-numeric user") {
        let user = text
            .split(['(', ')'])
            .nth(1)
            .filter(|user| !user.is_empty() && user.len() <= 40)
            .map(|user| format!(" `{user}`"))
            .unwrap_or_default();
        format!(
            "{title}: runAsNonRoot is set, but the user{user} of image {} is a name, not a number, and no runAsUser is set (CreateContainerConfigError)",
            spec.image
        )
    } else if text.contains("runAsNonRoot") {
        format!(
            "{title}: runAsNonRoot is set, but image {} runs as root and no runAsUser is set (CreateContainerConfigError)",
            spec.image
        )
    } else {
        return None;
    };
    let own = spec.security_context.run_as_non_root.is_some();
    let path = if own {
        container.spec_path("securityContext.runAsNonRoot")
    } else {
        "spec.securityContext.runAsNonRoot".to_owned()
    };
    let finding = Finding::new(object.clone(), view.pod_severity(pod), Stage::Start, summary)
        .key(&spec.name)
        .field(&object, container.path("state.waiting.message"), text)
        .field(&object, path, "true")
        .since(pod_since(pod));
    let fields = serde_json::json!({ "securityContext": { "runAsUser": 1000 } });
    Some(patch_container(
        view,
        finding,
        container,
        "run it as another user than root, if the image's files allow it",
        fields,
    ))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {securityContext: {runAsNonRoot: true}, containers: [{name: app, image: nginx}]}
status:
  phase: Pending
  containerStatuses: [{name: app, state: {waiting: {reason: CreateContainerConfigError, message: 'MESSAGE'}}}]
";

    #[test]
    fn the_image_runs_as_root() {
        let yaml = POD.replace(
            "MESSAGE",
            "container has runAsNonRoot and image will run as root (pod: \"web-1_shop(1)\", container: app)",
        );
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: container app: runAsNonRoot is set, but image nginx runs as root and no runAsUser is set (CreateContainerConfigError)",
        );
    }

    #[test]
    fn the_images_user_is_a_name() {
        let yaml = POD.replace("MESSAGE", "container has runAsNonRoot and image has non-numeric user (www), cannot verify user is non-root (pod: \"web-1\", container: app)");
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: container app: runAsNonRoot is set, but the user `www` of image nginx is a name, not a number, and no runAsUser is set (CreateContainerConfigError)",
        );
    }

    #[test]
    fn another_configuration_error() {
        check(&super::DETECTOR, &POD.replace("MESSAGE", "secret \"x\" not found"), "");
    }
}
