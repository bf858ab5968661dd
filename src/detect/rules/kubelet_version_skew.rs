//! Kubelets that are too new or too old for the API server.

use crate::detect::nodes::minor;
use crate::detect::prelude::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "kubelet-version-skew",
    summary: "Kubelet is newer than the API server, or more than three minor versions older",
    group: Group::Nodes,
    reads: &[Kind::Node],
    wants: None,
    doc: r"## What it detects
A node whose kubelet has a higher minor version than the API server, or one that is more than three
below it.

## Why it matters
Kubernetes supports neither: fields are misunderstood, and pods fail on such nodes alone.

## Evidence
`status.nodeInfo.kubeletVersion` and the API server's version.

## Look-alikes
During an upgrade nodes lag behind the control plane: up to three minor versions (1.28 and later) are supported
and silent. A newer kubelet is not supported even for one version. With several API servers of different
versions, as in the middle of an upgrade, the one that answered decides.

## What it does not see
Patch versions, kube-proxy, the scheduler and the controller manager, and the container runtime. Versions that
can't be read (of simulated nodes) and other major versions are left out. Without the API server's version
nothing is said. Kubelets older than 1.25 were bound to two versions, which is not checked.

## What to do
`kubectl get nodes -o wide` shows the versions. Upgrade the node pool, or the control plane first where it is
behind. Drain a node before its kubelet changes the minor version.",
    run,
};

fn run(view: &View<'_>) -> Vec<Finding> {
    let server = &view.snapshot.server_version;
    let Some((major, ours)) = minor(server) else { return Vec::new() };
    let finding = |node: &Node| {
        let version = &node.status.node_info.kubelet_version;
        let (theirs_major, theirs) = minor(version)?;
        let older = ours.saturating_sub(theirs);
        let what = if major != theirs_major {
            return None;
        } else if theirs > ours {
            format!("is newer than the API server's {server}")
        } else if older > 3 {
            format!("is {older} minor versions older than the API server's {server} (at most 3 are supported)")
        } else {
            return None;
        };
        let object = node.object_ref();
        let summary = format!("kubelet version skew: the node's {version} {what}");
        let finding = Finding::new(object.clone(), Severity::Warning, Stage::Ready, summary);
        let finding = finding.field(&object, "status.nodeInfo.kubeletVersion", version);
        Some(finding.look("see the versions of all nodes", &object, &["get", "nodes", "-o", "wide"]))
    };
    view.all::<Node>().iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::snapshot;

    #[test]
    fn skews() {
        let table = [
            ("v1.34.4", "v1.35.0", "kubelet version skew: the node's v1.35.0 is newer than the API server's v1.34.4"),
            (
                "v1.34.4-eks-1",
                "v1.30.9",
                "kubelet version skew: the node's v1.30.9 is 4 minor versions older than the API server's v1.34.4-eks-1 (at most 3 are supported)",
            ),
            ("v1.34.4", "v1.31.0-gke.1", ""),
            ("v1.34.4", "v1.34.9", ""),
            ("v1.34.4", "kwok-v0.8.0", ""),
            ("", "v1.20.0", ""),
        ];
        for (server, kubelet, expected) in table {
            let mut snapshot = snapshot(&format!(
                "kind: Node\nmetadata: {{name: node-1}}\nstatus: {{nodeInfo: {{kubeletVersion: {kubelet}}}}}\n"
            ));
            server.clone_into(&mut snapshot.server_version);
            let findings = (super::DETECTOR.run)(&crate::graph::build(&snapshot));
            assert_eq!(findings.first().map_or("", |finding| &finding.summary), expected, "{server} {kubelet}");
        }
    }
}
