# shellcheck shell=bash
# Where things are, and small helpers. Sourced by "up" and "down".

readonly VERSION=1.5.9
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
readonly DATA=${REACT_CHROMA_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-react-test-chroma}
readonly VENV=$DATA/chromadb-$VERSION

say() { echo "chroma: $*" >&2; }

die() { # MESSAGE [HINT]
  echo "error: $1" >&2
  [ -z "${2:-}" ] || echo "hint: $2" >&2
  exit 1
}

# await SECONDS COMMAND...: until it holds
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

missing() {
  [ ! -e "$VENV/whole" ] || return 0
  command -v python3 >/dev/null || { echo python3; return 0; }
  python3 -c 'import venv, ensurepip' 2>/dev/null || echo "the Python modules venv and ensurepip"
}

answers() {
  python3 - "$(cat "$DATA/port")" 2>/dev/null <<'END'
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
opener.open(f"http://127.0.0.1:{sys.argv[1]}/api/v2/heartbeat", timeout=2).read()
END
}

is_running() { [ -f "$DATA/pid" ] && kill -0 "$(cat "$DATA/pid")" 2>/dev/null && answers; }
