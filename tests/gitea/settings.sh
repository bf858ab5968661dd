# shellcheck shell=bash
# Where things are, and what is asked of the server. Sourced by "up" and "down".

# A newer one has a module that the proxy does not give.
readonly VERSION=v1.26.0 # of code.gitea.io/gitea
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
readonly DATA=${REACT_GITEA_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-react-test-gitea}
readonly PROGRAM=$DATA/gitea-$VERSION
readonly WORK=$DATA/work
readonly CONFIG=$WORK/app.ini

. "$HERE/../support/server.sh"

missing() {
  command -v git >/dev/null || echo git
  command -v python3 >/dev/null || echo python3
  # The templates are in the cache of its module.
  command -v go >/dev/null || { echo go; return 0; }
  [ ! -x "$PROGRAM" ] || return 0
  command -v cc >/dev/null || command -v gcc >/dev/null || echo "a C compiler"
}

# api METHOD PATH [JSON]: the answer of its API
api() {
  python3 - "$(cat "$DATA/port")" "$DATA/token" "$@" 2>/dev/null <<'END'
import os, sys, urllib.request
port, token, method, path, *body = sys.argv[1:]
request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/{path}", method=method)
if os.path.exists(token):
    request.add_header("Authorization", "token " + open(token).read().strip())
if body:
    request.data = body[0].encode()
    request.add_header("Content-Type", "application/json")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(request, timeout=20).read().decode())
END
}

answers() { api GET version >/dev/null; }

is_running() { lives && answers; }

settled() { answers || ! lives; }
