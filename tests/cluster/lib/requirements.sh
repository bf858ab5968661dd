# shellcheck shell=bash
# What the machine must have to run $COMPONENTS. Sourced by "check" and "up".

# Print what no package can mend, one per line.
missing_for_good() {
  [ "$(uname -s)" = Linux ] || { echo "Linux"; return; }
  [ "$(id -u)" = 0 ] || { echo "root"; return; }
  unshare --mount --net --pid --fork true 2>/dev/null || echo "the right to make namespaces"
  is_built || has_go || echo "Go 1.$(go_needed) or later, to build the cluster"
  has kubelet "$COMPONENTS" || return 0
  [ -d /sys/fs/cgroup/memory ] || grep -qsw memory /sys/fs/cgroup/cgroup.controllers || echo "the memory cgroup"
  [ "$(stat --file-system --format=%T "$(dirname "$DATA")")" != overlayfs ] ||
    echo "a file system for containers: $(dirname "$DATA") is an overlay, set REACT_CLUSTER_DATA"
}

has_go() {
  local minor
  minor=$(cd / && GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go1\.\([0-9]*\).*/\1/')
  [ "${minor:-0}" -ge "$(go_needed)" ]
}

# The minor version of Go 1 that the modules ask for.
go_needed() {
  if has kwok "$COMPONENTS" || has metrics-server "$COMPONENTS"; then echo 26; else echo 25; fi
}

# Print the Debian packages to install, one per line.
missing_packages() {
  needs_package ip iproute2
  is_static_busybox || echo busybox-static
  has kubelet "$COMPONENTS" || return 0
  needs_package containerd containerd
  needs_package runc runc
  needs_package iptables iptables
  [ -n "$(cni_plugins)" ] || echo containernetworking-plugins
}

needs_package() { command -v "$1" >/dev/null || echo "$2"; }

# A dynamically linked busybox would not run in an image of its own.
is_static_busybox() {
  local path
  path=$(command -v busybox) && ! ldd "$path" >/dev/null 2>&1
}

cni_plugins() {
  local dir
  for dir in /usr/lib/cni /opt/cni/bin; do
    [ ! -x "$dir/bridge" ] || { echo "$dir"; return; }
  done
}

# The names of what "build" makes for $COMPONENTS.
programs() {
  local name
  echo clustertool kube coredns
  for name in $OPTIONAL; do
    ! has "$name" "$COMPONENTS" || echo "$name"
  done
}

is_built() {
  local name
  for name in $(programs); do
    [ -x "$CACHE/$(sources_hash)/bin/$name" ] || return 1
  done
}

# Set COMPONENTS, fresh and check from the options of "up" and "check".
# shellcheck disable=SC2034  # they are for the caller
read_options() {
  local with=""
  COMPONENTS="$CONTROL_PLANE $WORKER" fresh=false check=false
  while [ $# -gt 0 ]; do
    case $1 in
    --fresh) fresh=true ;;
    --check) check=true ;;
    --control-plane) COMPONENTS=$CONTROL_PLANE ;;
    --with) with=${2:?--with needs a value} && shift ;;
    --with=*) with=${1#*=} ;;
    *) die "no such option: $1" "$(basename "$0") [--fresh] [--control-plane] [--with ${OPTIONAL// /,}] [--check]" ;;
    esac
    shift
  done
  local name
  for name in ${with//,/ }; do
    has "$name" "$OPTIONAL" || die "--with: no such component: $name" "one or more of: ${OPTIONAL// /,}"
    COMPONENTS="$COMPONENTS $name"
  done
}
