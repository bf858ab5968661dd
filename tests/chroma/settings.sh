# shellcheck shell=bash
# Where things are, and what is asked of the server. Sourced by "up" and "down".

readonly VERSION=1.5.9
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
readonly DATA=${REACT_CHROMA_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-react-test-chroma}
readonly VENV=$DATA/chromadb-$VERSION

. "$HERE/../support/server.sh"

missing() {
  [ ! -e "$VENV/whole" ] || return 0
  missing_for_venv
}

answers() { gets api/v2/heartbeat; }

is_running() { lives && answers; }
