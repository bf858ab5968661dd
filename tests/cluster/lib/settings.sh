# shellcheck shell=bash
# Settings, paths and small helpers of the test cluster; every script here sources this file.
# Two clusters side by side need two ports: all other names are derived from the port.

# shellcheck disable=SC2034  # most of these are used by the scripts that source this file

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PORT=${REACT_CLUSTER_PORT:-16443} # on the host, 127.0.0.1 only
DATA=${REACT_CLUSTER_DATA:-${TMPDIR:-/tmp}/kubectl-react-test-cluster-$PORT}
CACHE=${REACT_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-react-test-cluster}
BIN=$DATA/bin # link to the binaries that this cluster was started with
PKI=$DATA/pki
CGROUP=kubectl-react-test-$PORT

PATH=$PATH:/usr/sbin:/sbin # a plain "su" leaves them out

# Addresses inside the cluster's own network namespace: the same for every cluster.
NODE=node-1
NODE_IP=10.250.0.1
SIMULATED_IP=10.250.0.2 # of the simulated nodes, where kwok answers as their kubelet
POD_CIDR=10.244.0.0/24
SIMULATED_POD_CIDR=10.245.0.0/16
SERVICE_CIDR=10.96.0.0/16
SERVICE_IP=10.96.0.1
DNS_IP=10.96.0.10

CONTROL_PLANE="etcd kube-apiserver kube-controller-manager kube-scheduler"
WORKER="containerd kubelet kube-proxy registry"
OPTIONAL="kwok metrics-server"

. "$HERE/../support/server.sh"

say() { echo "$*" >&2; } # what it says needs no name in front

# has WORD LIST
has() { case " $2 " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# The supervisor holds this lock for as long as it lives.
is_running() { [ -f "$DATA/supervisor.lock" ] && ! flock --nonblock "$DATA/supervisor.lock" true; }
is_stopped() { ! is_running; }

# inside COMMAND...: run it in the namespaces of the running cluster
inside() {
  is_running || die "the cluster is not running ($DATA)" "tests/cluster/up"
  nsenter --target "$(cat "$DATA/init.pid")" --mount --net --pid --uts --ipc --root --wdns="$PWD" -- "$@"
}

# What a cache directory depends on: all Go sources and the build script.
sources_hash() { hash_of "$HERE/go" "$HERE/build"; }
hash_of() { find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum | cut -c1-16; }
