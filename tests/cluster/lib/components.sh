#!/usr/bin/env bash
# Start and stop the daemons. Runs inside the cluster's namespaces: see "ctl" and lib/init.sh.
#   components.sh status | start NAME... | stop NAME [-SIGNAL] | restart NAME
#
# Invariant: $DATA/pids/NAME is there exactly while the daemon is meant to run.
# More arguments for a daemon come from the environment of "up" or "ctl":
# REACT_CLUSTER_ARGS_KUBE_CONTROLLER_MANAGER="--node-monitor-grace-period=16s"
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

# Print the command line of a daemon, one argument per line.
command_of() {
  case $1 in
  etcd)
    args "$BIN/etcd" --name=test --data-dir="$DATA/etcd" --unsafe-no-fsync --log-level=warn \
      --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
      --listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 \
      --initial-cluster=test=http://127.0.0.1:2380 --quota-backend-bytes=8589934592
    ;;
  kube-apiserver)
    args "$BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 \
      --bind-address=0.0.0.0 --secure-port=6443 --advertise-address="$NODE_IP" \
      --service-cluster-ip-range="$SERVICE_CIDR" --allow-privileged=true \
      --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
      --client-ca-file="$PKI/ca.crt" --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
      --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP,Hostname \
      --kubelet-client-certificate="$PKI/apiserver-kubelet-client.crt" \
      --kubelet-client-key="$PKI/apiserver-kubelet-client.key" \
      --service-account-issuer=https://kubernetes.default.svc.cluster.local \
      --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
      --requestheader-client-ca-file="$PKI/ca.crt" --requestheader-allowed-names=front-proxy-client \
      --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
      --requestheader-username-headers=X-Remote-User --enable-aggregator-routing=true \
      --proxy-client-cert-file="$PKI/front-proxy-client.crt" --proxy-client-key-file="$PKI/front-proxy-client.key" \
      --max-requests-inflight=2000 --max-mutating-requests-inflight=1000
    ;;
  kube-controller-manager)
    args "$BIN/$1" --bind-address=127.0.0.1 --leader-elect=false --use-service-account-credentials=true \
      --kubeconfig="$PKI/$1.kubeconfig" --authentication-kubeconfig="$PKI/$1.kubeconfig" \
      --authorization-kubeconfig="$PKI/$1.kubeconfig" --kube-api-qps=500 --kube-api-burst=1000 \
      --root-ca-file="$PKI/ca.crt" --client-ca-file="$PKI/ca.crt" --service-account-private-key-file="$PKI/sa.key" \
      --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
      --service-cluster-ip-range="$SERVICE_CIDR" --allocate-node-cidrs=false
    ;;
  kube-scheduler)
    args "$BIN/$1" --bind-address=127.0.0.1 --leader-elect=false \
      --kubeconfig="$PKI/$1.kubeconfig" --authentication-kubeconfig="$PKI/$1.kubeconfig" \
      --authorization-kubeconfig="$PKI/$1.kubeconfig" --kube-api-qps=500 --kube-api-burst=1000
    ;;
  containerd) args containerd --config "$DATA/containerd.toml" ;;
  kubelet)
    args "$BIN/kubelet" --config="$DATA/kubelet.yaml" --kubeconfig="$PKI/kubelet.kubeconfig" \
      --hostname-override="$NODE" --node-ip="$NODE_IP"
    ;;
  kube-proxy) args "$BIN/kube-proxy" --config="$DATA/kube-proxy.yaml" --hostname-override="$NODE" ;;
  registry) args "$BIN/clustertool" registry -listen 127.0.0.1:5000 ;;
  kwok) args "$BIN/kwok" --kubeconfig="$PKI/kwok.kubeconfig" --config="$DATA/kwok.yaml" ;;
  metrics-server)
    # The resolution must be larger than the time-out.
    args "$BIN/$1" --secure-port=10443 --cert-dir="$DATA/metrics-server" \
      --kubeconfig="$PKI/$1.kubeconfig" --authentication-kubeconfig="$PKI/$1.kubeconfig" \
      --authorization-kubeconfig="$PKI/$1.kubeconfig" --kubelet-certificate-authority="$PKI/ca.crt" \
      --kubelet-preferred-address-types=InternalIP --metric-resolution=10s --kubelet-request-timeout=8s
    ;;
  *) die "no such component: $1" "components: $CONTROL_PLANE $WORKER $OPTIONAL" ;;
  esac
  local more=REACT_CLUSTER_ARGS_${1^^}
  more=${more//-/_}
  # shellcheck disable=SC2086  # meant to be split
  [ -z "${!more:-}" ] || args ${!more}
}

args() { printf '%s\n' "$@"; }

pid_of() { cat "$DATA/pids/$1" 2>/dev/null; }
is_alive() { local pid && pid=$(pid_of "$1") && kill -0 "$pid" 2>/dev/null; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

start() {
  local name=$1 lines argv
  lines=$(command_of "$name")
  ! is_alive "$name" || return 0
  mapfile -t argv <<<"$lines"
  command -v "${argv[0]}" >/dev/null || die "${argv[0]} is missing" "tests/cluster/build $name"
  # GOGC: less time in garbage collection, for more memory.
  GOGC=200 setsid "${argv[@]}" >>"$DATA/log/$name.log" 2>&1 </dev/null &
  echo $! >"$DATA/pids/$name"
  [ "$name" != containerd ] || load_images
}

# There is no registry with images: those of the cluster are put into containerd's store.
load_images() {
  await 20 containerd_answers || die "containerd does not answer" "see $DATA/log/containerd.log"
  ctr --namespace k8s.io images import "$DATA/images.tar" >"$DATA/log/images.log" 2>&1
}

containerd_answers() { ctr version >/dev/null 2>&1; }

stop() {
  local pid
  command_of "$1" >/dev/null
  pid=$(pid_of "$1") || return 0
  rm "$DATA/pids/$1"
  kill "${2:--TERM}" "$pid" 2>/dev/null || return 0
  await 20 is_gone "$pid" || die "$1 ($pid) does not end" "tests/cluster/ctl stop $1 -KILL"
}

status() {
  local name
  for name in $CONTROL_PLANE $WORKER $OPTIONAL; do
    if is_alive "$name"; then
      echo "$name up"
    elif [ -f "$DATA/pids/$name" ]; then
      echo "$name dead, see $DATA/log/$name.log"
    else
      echo "$name stopped"
    fi
  done
}

main() {
  local name
  case ${1:-} in
  status) status ;;
  start) for name in "${@:2}"; do start "$name"; done ;;
  stop) stop "${@:2}" ;;
  restart) stop "$2" && start "$2" ;;
  *) die "usage: ctl status | start NAME... | stop NAME [-SIGNAL] | restart NAME" ;;
  esac
}

[ "${BASH_SOURCE[0]}" != "$0" ] || main "$@"
