# Shared by run.sh and test.sh; sourced, not run. Expects $root, the source tree.
step() { printf '==> %s (%s s)\n' "$1" "$SECONDS"; }

# The compiler cache lies outside the tree, so that a fresh clone builds quickly too.
export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/ccache}
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}

# configure PRESET [-Dname=value...]: prints CMake's output only when it fails.
configure() {
  local preset=$1 log
  shift
  log=$(mktemp)
  if ! (cd "$root" && cmake --preset "$preset" "$@") >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

build() { (cd "$root" && cmake --build --preset "$1" --parallel "${BACKPLANE_JOBS:-$(nproc)}") </dev/null; }
