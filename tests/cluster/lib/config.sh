# shellcheck shell=bash
# Write the configuration files of the daemons into $DATA. Sourced by "up".

write_config() {
  mkdir -p "$DATA"/{cni,log,pids,node/lib,node/log}
  echo "nameserver $NODE_IP" >"$DATA/resolv.conf" # nothing answers there: the cluster has no outside
  containerd_config >"$DATA/containerd.toml"
  cni_config >"$DATA/cni/10-pods.conflist"
  kubelet_config >"$DATA/kubelet.yaml"
  kube_proxy_config >"$DATA/kube-proxy.yaml"
  kwok_log >"$DATA/kwok.log"
  kwok_config >"$DATA/kwok.yaml"
}

containerd_config() {
  # restrict_oom_score_adj: in a container without CAP_SYS_RESOURCE a negative score is refused,
  # and runc then fails with "can't get final child's PID from pipe: EOF".
  cat <<END
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.8"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$(cni_plugins)"
    conf_dir = "$DATA/cni"
END
}

cni_config() {
  cat <<END
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$POD_CIDR"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
END
}

kubelet_config() {
  cat <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 0.0.0.0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $PKI/kubelet-server.crt
tlsPrivateKeyFile: $PKI/kubelet-server.key
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [$DNS_IP]
clusterDomain: cluster.local
resolvConf: $DATA/resolv.conf
enforceNodeAllocatable: [pods]
evictionHard: {memory.available: 200Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
serializeImagePulls: false
maxPods: 200
END
}

kube_proxy_config() {
  # Conntrack limits belong to the machine, not to a network namespace: 0 leaves them alone.
  cat <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $PKI/kube-proxy.kubeconfig}
mode: iptables
clusterCIDR: $POD_CIDR
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
END
}

# kwok has no defaults for what is not given here. The stages, and one log for all simulated containers, which kwok serves as their kubelet would.
# podPlayStageParallelism: with more, kwok plays most pods twice, and all is slower.
kwok_config() {
  cat "$HERE/kwok/stages.yaml" - <<END
---
apiVersion: config.kwok.x-k8s.io/v1alpha1
kind: KwokConfiguration
options:
  manageNodesWithAnnotationSelector: kwok.x-k8s.io/node=fake
  cidr: $SIMULATED_POD_CIDR
  nodeIP: $SIMULATED_IP
  nodePort: 10247
  serverAddress: $SIMULATED_IP:10247
  tlsCertFile: $PKI/kwok-server.crt
  tlsPrivateKeyFile: $PKI/kwok-server.key
  enableDebuggingHandlers: true # logs
  nodeLeaseDurationSeconds: 40
  nodeLeaseParallelism: 4
  nodePlayStageParallelism: 4
  podPlayStageParallelism: 4
  podsOnNodeSyncParallelism: 1
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata: {name: all}
spec:
  logs: [{logsFile: $DATA/kwok.log, previousLogsFile: $DATA/kwok.log}]
END
}

# In the format of container runtimes: time, stream, full line, text.
kwok_log() {
  local now line
  now=$(date --utc +%FT%T.%N)Z
  while read -r line; do echo "$now stdout F $line"; done <"$HERE/kwok/container.log"
}
