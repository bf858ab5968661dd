#!/usr/bin/env bash
# PID 1 of the cluster: makes its namespaces a node's, and starts the daemons. "up" runs it through
# "clustertool run", with the settings in the environment.
#   init.sh NAME...
#
# Invariant: whatever this changes, it changes in its own namespaces, except for the cgroups
# called $CGROUP, which "down" removes. When this process ends, the kernel ends all the others.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/components.sh"

mounts() {
  mount --make-rprivate /
  mount -t proc proc /proc
  # A fresh /sys shows this namespace's interfaces; the cgroup mounts move over to it.
  mkdir -p "$DATA/cgroup"
  mount --rbind /sys/fs/cgroup "$DATA/cgroup"
  mount -t sysfs sysfs /sys
  mount --move "$DATA/cgroup" /sys/fs/cgroup
  # The node's own state: in $DATA, at the usual paths, so that messages look like a real node's.
  mount -t tmpfs tmpfs /run
  mkdir /run/lock
  mount --bind "$DATA/node/lib" /var/lib
  mount --bind "$DATA/node/log" /var/log
  mount --bind "$DATA/resolv.conf" /etc/resolv.conf
  kernel_settings
  mount --make-rshared / # the kubelet wants it; "mount --move" would not work after it
}

# The kubelet writes these settings of the whole machine: it gets files of its own to write.
kernel_settings() {
  local path value
  while read -r path value; do
    [ -e "/proc/sys/$path" ] || continue
    mkdir -p "/run/sysctl/${path%/*}"
    echo "$value" >"/run/sysctl/$path"
    mount --bind "/run/sysctl/$path" "/proc/sys/$path"
  done <<END
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
END
}

network() {
  ip link set lo up
  ip link add node0 type veth peer name node0p
  ip address add "$NODE_IP/24" dev node0
  ip address add "$SIMULATED_IP/24" dev node0
  ip link set node0 up
  ip link set node0p up
  ip route add "$SERVICE_CIDR" dev node0 # there is no default route, yet the node itself reaches Services
  echo 1 >/proc/sys/net/ipv4/ip_forward
  [ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
}

# The parent cgroup of all pods: one directory with cgroup v2, one per hierarchy with v1.
cgroups() {
  local root=/sys/fs/cgroup hierarchy file
  if [ -f $root/cgroup.controllers ]; then
    sed 's/[^ ]*/+&/g' $root/cgroup.controllers >$root/cgroup.subtree_control || true
    mkdir -p "$root/$CGROUP"
    return
  fi
  for hierarchy in "$root"/*/; do
    if [ ! -f "$hierarchy/cgroup.procs" ] || [ -f "$hierarchy/cgroup.controllers" ]; then continue; fi
    mkdir -p "$hierarchy/$CGROUP"
    for file in cpuset.cpus cpuset.mems; do
      [ ! -f "$hierarchy/$file" ] || cat "$hierarchy/$file" >"$hierarchy/$CGROUP/$file"
    done
  done
}

start_all() { # NAME...
  local name
  for name in etcd kube-apiserver containerd; do # these need no API server
    ! has "$name" "$*" || start "$name"
  done
  "$BIN/clustertool" wait -pki "$PKI" -timeout 60s
  for name; do start "$name"; done
}

main() { # NAME...
  trap 'exit 0' TERM # an end like a power cut: etcd can take it, and it takes no time
  hostname "$NODE"
  mounts
  network
  cgroups
  rm -f "$DATA"/pids/*
  start_all "$@"
  touch "$DATA/started"
  while :; do # as PID 1 the shell reaps orphans; "wait" lets the trap run at once
    sleep infinity &
    wait $! || true
  done
}
main "$@"
