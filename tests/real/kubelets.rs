//! The kubelet of nodes that have none, played by the test: a healthy status once, then a Lease
//! that stays fresh, so that a condition which a fault sets is not overtaken by "not ready".

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::cluster::Cluster;

/// Well below the time after which the controller manager doubts a node.
const BEAT: Duration = Duration::from_secs(8);

/// Heartbeats, until it is dropped.
pub(crate) struct Kubelets {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Kubelets {
    /// Makes these nodes ready and keeps them so.
    pub(crate) fn start(cluster: &Cluster, nodes: Vec<String>) -> Kubelets {
        for node in &nodes {
            cluster.run(&["patch", "node", node, "--subresource=status", "-p", STATUS]);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let cluster = cluster.clone();
        let beat = move || {
            while !stopped.load(Ordering::Relaxed) {
                if !nodes.is_empty() {
                    cluster.apply("kube-node-lease", &leases(&nodes));
                }
                thread::park_timeout(BEAT);
            }
            if !nodes.is_empty() {
                let mut delete = cluster.kubectl();
                delete.args(["-n", "kube-node-lease", "delete", "lease", "--ignore-not-found"]).args(&nodes);
                let _ = delete.output();
            }
        };
        Kubelets { stop, thread: Some(thread::spawn(beat)) }
    }
}

impl Drop for Kubelets {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn leases(nodes: &[String]) -> String {
    let renewed = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000000Z");
    let lease = |node: &String| {
        format!(
            "---\napiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: {node}}}\n\
             spec: {{holderIdentity: {node}, leaseDurationSeconds: 40, renewTime: '{renewed}'}}\n"
        )
    };
    nodes.iter().map(lease).collect()
}

/// What a kubelet of the cluster's version says at its start.
const STATUS: &str = r#"{"status": {
  "capacity": {"cpu": "8", "memory": "16Gi", "pods": "110", "ephemeral-storage": "100Gi"},
  "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110", "ephemeral-storage": "100Gi"},
  "nodeInfo": {"architecture": "amd64", "bootID": "b", "containerRuntimeVersion": "containerd://1.7.27",
    "kernelVersion": "6.1.0", "kubeProxyVersion": "", "kubeletVersion": "v1.34.4", "machineID": "m",
    "operatingSystem": "linux", "osImage": "Debian GNU/Linux 12", "systemUUID": "u"},
  "conditions": [
    {"type": "MemoryPressure", "status": "False", "reason": "KubeletHasSufficientMemory", "message": "kubelet has sufficient memory available"},
    {"type": "DiskPressure", "status": "False", "reason": "KubeletHasNoDiskPressure", "message": "kubelet has no disk pressure"},
    {"type": "PIDPressure", "status": "False", "reason": "KubeletHasSufficientPID", "message": "kubelet has sufficient PID available"},
    {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}]}}"#;
