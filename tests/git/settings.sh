# shellcheck shell=bash
# Where things are, and what is asked of the server. Sourced by "up" and "down".

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE
readonly DATA=${REACT_GIT_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-react-test-git}
readonly UNPACKED=$DATA/packages/usr/sbin
readonly PACKAGES=(openssh-server libwrap0)
readonly SERVERS=(sshd https)

. "$HERE/../support/server.sh"

# sshd must be called by its whole path.
ssh_server() { PATH=$PATH:/usr/sbin:/sbin command -v sshd "$UNPACKED/sshd" | head -n 1; }

backend() { echo "$(git --exec-path)/git-http-backend"; }

missing() {
  local program
  for program in git python3 openssl ssh ssh-keygen; do
    command -v "$program" >/dev/null || echo "$program"
  done
  ! command -v git >/dev/null || [ -x "$(backend)" ] || echo git-http-backend
  [ -z "$(ssh_server)" ] || return 0
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "sshd, or apt-get"
  elif [ "$(id -u)" != 0 ] && ! apt-cache show "${PACKAGES[@]}" >/dev/null 2>&1; then
    echo "sshd (apt-get knows none; root could update its lists)"
  elif [ "$(id -u)" = 0 ] && ! unshare --mount true 2>/dev/null; then
    echo "sshd (its package, unpacked, needs a mount namespace)"
  fi
}

port() { cat "$DATA/$1.port"; }

# Both let someone in who has the key or the password, and list the branches of the first repository.
ready() {
  local url
  for url in "$DATA/url.ssh" "$DATA/url.https"; do
    GIT_CONFIG_GLOBAL=$DATA/gitconfig GIT_CONFIG_NOSYSTEM=1 GIT_SSL_CAINFO=$DATA/ca.pem GIT_TERMINAL_PROMPT=0 \
      timeout 10 git ls-remote "$(cat "$url")/ready.git" >/dev/null 2>"$DATA/ready.log" || return 1
  done
}

ended() { ! lives sshd || ! lives https; }

settled() { ready || ended; }

is_running() { ! ended && ready; }
