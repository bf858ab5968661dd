# shellcheck shell=bash
# Where things are, and what is asked of the server. Sourced by "up" and "down".

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
readonly DATA=${REACT_METRICS_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-react-test-metrics}
readonly UNPACKED=$DATA/packages/usr/bin
readonly PACKAGES=(prometheus prometheus-alertmanager)
readonly SERVERS=(prometheus alertmanager)

. "$HERE/../support/server.sh"

# program SERVER: its path. Debian calls Alertmanager by another name than those who make it.
program() {
  case $1 in
  prometheus) command -v prometheus "$UNPACKED/prometheus" | head -n 1 ;;
  alertmanager) command -v alertmanager prometheus-alertmanager "$UNPACKED/prometheus-alertmanager" | head -n 1 ;;
  esac
}

# In a mount namespace of its own: Debian's Alertmanager reads a template at a fixed path.
APART=(unshare --mount)
[ "$(id -u)" = 0 ] || APART=(unshare --user --map-root-user --mount)
readonly APART

have_programs() { [ -n "$(program prometheus)" ] && [ -n "$(program alertmanager)" ]; }

missing() {
  command -v python3 >/dev/null || echo python3
  ! have_programs || return 0
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "prometheus and alertmanager, or apt-get"
  elif ! "${APART[@]}" true 2>/dev/null; then
    echo "alertmanager (its package, unpacked, needs a mount namespace)"
  elif [ "$(id -u)" != 0 ] && ! apt-cache show "${PACKAGES[@]}" >/dev/null 2>&1; then
    echo "prometheus and alertmanager (apt-get knows none; root could update its lists)"
  fi
}

port() { cat "$DATA/$1.port"; }

# holds SERVER PATH WORD: whether what it says at that path has the word in it
holds() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$(port "$1")"
    printf 'GET /%s HTTP/1.0\r\n\r\n' "$2" >&3
    timeout 2 grep --quiet --fixed-strings -- "$3" <&3
  ) 2>/dev/null
}

# The alerts came all the way: scraped or computed, fired, sent and taken in.
ready() {
  holds prometheus "api/v1/query?query=react:answer:constant" '"42"' &&
    holds prometheus "api/v1/query?query=up" '"1"' &&
    holds alertmanager "api/v2/alerts" ReactCartDown && holds alertmanager "api/v2/alerts" shard-60
}

ended() { ! lives prometheus || ! lives alertmanager; }

settled() { ready || ended; }

is_running() { ! ended && ready; }
