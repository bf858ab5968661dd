# shellcheck shell=bash
# What the scripts of all test servers, and of the cluster, share. Sourced by their settings, which say where they are (HERE) and where
# they keep what they need (DATA).

say() { echo "${HERE##*/}: $*" >&2; }

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
    sleep 0.05
  done
}

# lives [SERVER]: whether the process runs whose id was kept
lives() {
  local pid=$DATA/${1:+$1.}pid
  [ -f "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null
}

# gets PATH: whether the server answers it without an error
gets() {
  python3 - "$(cat "$DATA/port")" "$1" 2>/dev/null <<'END'
import sys, urllib.request
port, path = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
opener.open(f"http://127.0.0.1:{port}/{path}", timeout=2).read()
END
}

# What a virtual environment of Python wants and is not here.
missing_for_venv() {
  command -v python3 >/dev/null || { echo python3; return 0; }
  python3 -c 'import venv, ensurepip' 2>/dev/null || echo "the Python modules venv and ensurepip"
}
