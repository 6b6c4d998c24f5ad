#!/usr/bin/env bash
# Installs what building needs, builds, and starts a server in the foreground, with SQLite and every component.
#   packaging/run.sh [--port PORT] [--data FOLDER]
# PORT is 8008 by default. FOLDER holds config, keys and data; it is $BACKPLANE_HOME, or backplane in
# ~/.local/share. Its backplane.yaml is written at the first start and is yours from then on.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/packaging/build.sh"

port=
home=${BACKPLANE_HOME:-${XDG_DATA_HOME:-${HOME:-/var/tmp}/.local/share}/backplane}
while [ $# -gt 0 ]; do
  case $1 in
    --port) port=${2:?"--port takes a number"}; shift 2 ;;
    --port=*) port=${1#*=}; shift ;;
    --data) home=${2:?"--data takes a folder"}; shift 2 ;;
    --data=*) home=${1#*=}; shift ;;
    -h|--help) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "run.sh: unknown argument '$1'; see run.sh --help" >&2; exit 2 ;;
  esac
done
case ${port:-8008} in *[!0-9]*) echo "run.sh: '$port' is no port number" >&2; exit 2 ;; esac

step "packages"
bash "$root/packaging/install-dependencies.sh" build
step "configure"
configure release
step "build"
build release
program=$root/build/release/bin/backplane

config=$home/backplane.yaml
if [ ! -e "$config" ]; then
  step "config and keys in $home"
  (umask 077 && mkdir -p "$home")
  "$program" generate-config --server-name localhost --output "$config"
  # What this script adds to the defaults, in a layer of its own.
  mkdir -p "$home/conf.d"
  cat >"$home/conf.d/10-run.yaml" <<'YAML'
# For trying things out at localhost: anyone who reaches the server may make an account.
plugins:
  user_api: {registration: open}
YAML
  "$program" generate-keys --config "$config"
fi
if [ -n "$port" ]; then
  export BACKPLANE__LISTENERS__0__PORT=$port  # the environment is the last layer of config
else
  port=$(awk '/^listeners:/ { inside = 1 } inside && match($0, /port: *[0-9]+/) {
    print substr($0, RSTART + 5, RLENGTH - 5) + 0; exit }' "$config")
fi

url=http://localhost:${port:-8008}
cat <<TEXT

Backplane starts at $url      (stop it with Ctrl-C)

  Point a client at it: in Element, choose "Edit" beside the homeserver when you sign in,
      and enter $url
  Make an account: "Create account" in Element, or in another terminal
      $program users create alice --config $config
  Config, keys and data are in $home

TEXT
exec "$program" run --config "$config"
