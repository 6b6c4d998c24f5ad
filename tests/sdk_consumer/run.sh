#!/usr/bin/env bash
# Installs a build, builds the example plugin against what was installed, runs it in the installed host, and asks both
# what they do. Nothing of the source tree but the example is used after the installation.
#   tests/sdk_consumer/run.sh BUILD_FOLDER PYTHON
set -euo pipefail
build=$1 python=$2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)  # mode 700: the host refuses plugins that others can write
server=
finish() {
  status=$?
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  if [ $status -ne 0 ] && [ -e "$work/server.log" ]; then
    echo "--- the server's log:" && tail -n 100 "$work/server.log"
  fi
  rm -rf "$work"
  exit $status
}
trap finish EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
# Moved, so that anything that still points to where it was installed does not work.
mv "$work/prefix" "$work/moved"
prefix=$work/moved
cp -r "$root/sdk/examples/hello_plugin" "$work/hello"
cmake -S "$work/hello" -B "$work/hello/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix" \
  >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
cmake --build "$work/hello/build"
mkdir -m 755 "$work/plugins"
cp "$work/hello/build/lib/backplane/plugins"/hello_plugin.{so,json} "$work/plugins"

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/backplane.yaml" <<YAML
server_name: example.test
data_dir: data
plugin_dirs: [default, plugins]
operations: {enabled: false}
listeners:
  - {bind: 127.0.0.1, port: $port, serves: [client, media]}
rate_limits:
  write: {per_second: 0, burst: 1000}
  registration: {per_second: 0, burst: 1000}
plugins:
  user_api: {registration: open}
  hello_plugin: {greeting: good day}
YAML
"$prefix/bin/backplane" check-config --config "$work/backplane.yaml"
"$prefix/bin/backplane" run --config "$work/backplane.yaml" >"$work/server.log" 2>&1 </dev/null &
server=$!
"$python" "$root/tests/sdk_consumer/check.py" "http://127.0.0.1:$port" "$server"
# It stops when told to, and without a fault.
kill -TERM "$server"
wait "$server"
server=
echo "the example plugin works in the installed host"
