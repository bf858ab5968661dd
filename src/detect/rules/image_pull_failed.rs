//! Pulls that fail for a reason of their own.

use crate::detect::images::{Answer, Pull, pulls};
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "image-pull-failed",
    summary: "The image can't be pulled, for the reason that the runtime gives",
    group: Group::Images,
    reads: &[Kind::Pod],
    wants: None,
    doc: r"## What it detects
A container that waits with `ErrImagePull`, `ImagePullBackOff` or `ImageInspectError` for a reason
that none of the other image detectors knows: a full disk, a broken layer, a signature that is
not accepted, a runtime's own error.

## Why it matters
The container can't start until the pull succeeds, and the kubelet tries less and less often.

## Evidence
`state.waiting.message`, or the event `Failed to pull image`.

## Look-alikes
`image-not-found`, `image-pull-unauthorized`, `image-registry-unreachable` and `image-wrong-platform` take the
pulls whose reason they know. A node whose disk is full shows as `node-pressure` too. Where the event has
expired and the status only says that the kubelet backs off, the reason is not known and the finding says so: it
may be any of these.

## What it does not see
The runtime's and the kubelet's log on the node, where the full chain of errors stands. A pull that is slow but
has not failed is no finding here. The quoted reason is cut after 200 characters.

## What to do
Read the quoted reason. Without one, delete the pod (`kubectl delete pod NAME`): its successor pulls at once,
and `kubectl describe pod` tells the reason again. `no space left on device` is the node's disk, not the image.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    pulls(view, Answer::Other).iter().map(|pull| finding(view, pull)).collect()
}

fn finding(view: &View<'_>, pull: &Pull<'_>) -> Finding {
    let image = &pull.container.spec.image;
    // The runtime wraps its reason in what it was doing; the reason stands last.
    let reason = pull.text.rsplit("\": ").next().unwrap_or_default().trim();
    let silent = reason.is_empty() || pull.text.starts_with("Back-off") && !pull.text.contains("ErrImagePull:");
    let what = format!("image {image} of {} can't be pulled ({})", pull.container.title(), pull.waiting.reason);
    if silent {
        return pull
            .finding(view, what)
            .unknown("the reason stood in an event that is no longer there: the kubelet's next try tells it again");
    }
    let cut: String = reason.chars().take(200).collect();
    pull.finding(view, format!("{what}: {}", cut.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::check;

    const POD: &str = "
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: app, image: 'r.io/web:1'}]}
status:
  phase: Pending
  containerStatuses: [{name: app, state: {waiting: {reason: ImagePullBackOff, message: 'MESSAGE'}}}]
";

    #[test]
    fn the_disk_is_full() {
        let yaml = POD.replace("MESSAGE", r#"Back-off pulling image "r.io/web:1": ErrImagePull: failed to pull and unpack image "r.io/web:1": write /var/lib/x: no space left on device"#);
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: image r.io/web:1 of container app can't be pulled (ImagePullBackOff): write /var/lib/x: no space left on device",
        );
    }

    #[test]
    fn the_event_has_expired() {
        let yaml = POD.replace("MESSAGE", r#"Back-off pulling image "r.io/web:1""#);
        check(
            &super::DETECTOR,
            &yaml,
            "critical Pod shop/web-1: image r.io/web:1 of container app can't be pulled (ImagePullBackOff)",
        );
    }

    #[test]
    fn a_known_reason_is_another_detectors() {
        check(
            &super::DETECTOR,
            &POD.replace("MESSAGE", r#"Back-off pulling image "r.io/web:1": ErrImagePull: manifest unknown"#),
            "",
        );
        check(&super::DETECTOR, &POD.replace("ImagePullBackOff", "ContainerCreating").replace("MESSAGE", ""), "");
    }
}
