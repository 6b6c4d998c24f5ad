#!/usr/bin/env bash
# Starts one server in the foreground, for suites and load generators from outside:
#   tests/conformance/start.sh NAME CLIENT_PORT FED_PORT DATADIR [CA_CERT CA_KEY]
# Environment: HS_BIND (127.0.0.1 without it), HS_TLS_CERT and HS_TLS_KEY (no TLS listener without them),
# HS_APPSERVICES, BACKPLANE_BIN (the program to start).
# Everything the server keeps is in DATADIR, and nothing in there names DATADIR: a stopped one can be copied elsewhere.
#
# Open registration without limits, room version 11 by default, both ports serve both APIs. What needs components that
# are not there yet waits for them: federation, application services, /_synapse/admin/v1/register.
set -euo pipefail
if [ $# -lt 4 ]; then
  sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
name=$1 client_port=$2 federation_port=$3 data=$4
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${BACKPLANE_BIN:-}
for candidate in "$root/build/release/bin/backplane" "$root/build/ci/bin/backplane" "$root/build/dev/bin/backplane"; do
  if [ -z "$program" ] && [ -x "$candidate" ]; then program=$candidate; fi
done
if [ -z "$program" ]; then
  echo "start.sh: there is no backplane to start: build preset release, or set BACKPLANE_BIN" >&2
  exit 1
fi
bind=${HS_BIND:-127.0.0.1}

mkdir -p "$data"
cd "$data"
{
  echo "# Written by start.sh at every start."
  echo "server_name: $name"
  echo "public_base_url: http://$name:$client_port"
  echo "data_dir: data"
  echo "operations: {enabled: false}"
  echo "listeners:"
  echo "  - {bind: $bind, port: $client_port, serves: [client, media, federation]}"
  if [ -n "${HS_TLS_CERT:-}" ] && [ -n "${HS_TLS_KEY:-}" ]; then
    # Copies, so that what stays behind names no path outside.
    cp -- "$HS_TLS_CERT" certificate.pem
    (umask 077 && cat -- "$HS_TLS_KEY" >key.pem)
    echo "  - bind: $bind"
    echo "    port: $federation_port"
    echo "    serves: [client, media, federation]"
    echo "    tls: {certificate: certificate.pem, key: key.pem}"
  fi
  echo "rate_limits:"
  for class in read write login registration; do echo "  $class: {per_second: 0, burst: 1000000}"; done
  # Hashing passwords is made cheap: suites and load generators make thousands of accounts.
  cat <<'YAML'
plugins:
  user_api:
    registration: open
    guests: true
    minimum_password_length: 1
    failed_logins: 0
    password_hash_memory: 64KiB
    password_hash_passes: 1
  room_server:
    default_room_version: "11"
YAML
} >backplane.yaml
exec "$program" run --config backplane.yaml
