//! Images that their registry does not have.

use crate::detect::images::{Answer, Pull, close, parts, pulls};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "image-not-found",
    summary: "The registry does not have the image: wrong name or tag",
    group: Group::Images,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that waits with `ErrImagePull` or `ImagePullBackOff` because the registry answered that
there is no such repository, tag or digest (`not found`, `manifest unknown`, `name unknown`).

## Why it matters
The kubelet tries again for ever, and each time gets the same answer. A rollout stands still; pods
that lose their node can't come back even where older ones still run.

## Evidence
`status.containerStatuses[].state.waiting.message`; the event `Failed to pull image` where the
status only says that the kubelet backs off.

## Look-alikes
A refusal for lack of credentials is `image-pull-unauthorized`. Docker Hub gives one answer for a repository
that does not exist and for a private one: without any pull secret in the pod it is reported here and the
sentence names both, with one it is reported there. An image without a variant for the node is
`image-wrong-platform`. A tag that was pushed a moment ago is found at the next try.

## What it does not see
The registry is never asked: the words of the runtime decide. Other tags and names are proposed only from images
that pods of the cluster run (with `-n`, of that namespace). A tag that was deleted while nodes still hold the
image hurts only when a pod must pull it anew.

## What to do
Correct the name or the tag, or push the image. If it was deleted from the registry, roll back
to a tag that exists: `kubectl rollout undo`.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    pulls(view, Answer::NotFound).iter().map(|pull| finding(view, pull)).collect()
}

fn finding(view: &View<'_>, pull: &Pull<'_>) -> Finding {
    let image = &pull.container.spec.image;
    let (registry, repository, tag) = parts(image);
    let lower = pull.text.to_lowercase();
    let what = if lower.contains("does not exist or") {
        format!(
            "image {image} of {} can't be pulled: its repository does not exist or needs a login, and the pod has no imagePullSecrets (pull access denied)",
            pull.container.title()
        )
    } else {
        format!("image {image} of {} is not found in registry {registry} (ErrImagePull)", pull.container.title())
    };
    let other = close(view, image);
    let hint = match &other {
        Some(other) if parts(other).1 == repository => format!("; other pods run tag {} of it", parts(other).2),
        Some(other) => format!("; did you mean {other}, which other pods run?"),
        None if tag.is_empty() => "; without a tag it asks for :latest".to_owned(),
        None => String::new(),
    };
    let finding = pull.finding(view, what + &hint);
    match other {
        Some(other) => pull.set_image(view, finding, &other),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, image: 'r.io/shop/web:1.4.7'}]}
status:
  phase: Pending
  containerStatuses: [{name: app, state: {waiting: {reason: REASON, message: 'MESSAGE'}}}]
";

    #[test]
    fn the_tag_is_not_there() {
        let yaml = POD
            .replace("REASON", "ErrImagePull")
            .replace("MESSAGE", r#"failed to resolve reference "r.io/shop/web:1.4.7": r.io/shop/web:1.4.7: not found"#);
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: image r.io/shop/web:1.4.7 of container app is not found in registry r.io (ErrImagePull)",
        );
    }

    #[test]
    fn the_reason_is_in_the_event_and_another_tag_runs() {
        let yaml = POD
            .replace("REASON", "ImagePullBackOff")
            .replace("MESSAGE", r#"Back-off pulling image "r.io/shop/web:1.4.7""#);
        let more = "
---
kind: Event
metadata: {name: e, namespace: shop}
type: Warning
reason: Failed
message: 'Failed to pull image \"r.io/shop/web:1.4.7\": manifest unknown'
involvedObject: {kind: Pod, namespace: shop, name: web-1, fieldPath: 'spec.containers{app}'}
---
kind: Pod
metadata: {name: web-0, namespace: shop}
spec: {containers: [{name: app, image: 'r.io/shop/web:1.4.6'}]}
status: {phase: Running, containerStatuses: [{name: app, state: {running: {}}}]}
";
        let expected = "critical Pod shop/web-1: image r.io/shop/web:1.4.7 of container app is not found in registry r.io (ErrImagePull); other pods run tag 1.4.6 of it";
        check(&super::DETECTOR, &(yaml + more), expected);
    }

    #[test]
    fn refused_or_still_pulling_is_another_matter() {
        check(&super::DETECTOR, &POD.replace("REASON", "ErrImagePull").replace("MESSAGE", "401 Unauthorized"), "");
        check(&super::DETECTOR, &POD.replace("REASON", "ContainerCreating").replace("MESSAGE", ""), "");
    }
}
