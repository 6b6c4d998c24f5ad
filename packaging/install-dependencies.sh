#!/usr/bin/env bash
# Installs the packages of some groups of packaging/dependencies.txt, and does nothing when all are there.
#   packaging/install-dependencies.sh [build] [test] [develop]      (without arguments: build)
# Runs apt-get as root directly, as another user through sudo. Asks nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -gt 0 ] || set -- build

wanted=()
for group in "$@"; do
  mapfile -t found < <(awk -v group="[$group]" '
    { sub(/#.*/, ""); gsub(/[ \t]/, "") } /^\[/ { inside = ($0 == group); next } inside && $0 != ""' \
    "$here/dependencies.txt")
  if [ ${#found[@]} -eq 0 ]; then
    echo "install-dependencies: dependencies.txt has no group '$group'; there are build, test and develop" >&2
    exit 2
  fi
  wanted+=("${found[@]}")
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "install-dependencies: this needs a Debian 12 with apt-get; elsewhere install what is like: ${wanted[*]}" >&2
  exit 1
fi

# A package that is there (a virtual one counts by what provides it) is left as it is, of whatever version.
find_missing() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | awk '$1 == "installed" { print $2 }')
  for package in "${wanted[@]}"; do
    grep -qxF -- "$package" <<<"$installed" || echo "$package"
  done
}
mapfile -t missing < <(find_missing)
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-dependencies: these packages are missing: ${missing[*]}" >&2
    echo "Install them as root (apt-get install ...), or install sudo and start this again." >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "install-dependencies: installing ${missing[*]}"
if dpkg-query -W -f '${db:Status-Status}\n' libboost1.74-dev 2>/dev/null | grep -qx installed; then
  echo "install-dependencies: libboost-dev (1.74) conflicts with Boost 1.81, apt will replace its headers"
fi
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -y -q \
    -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    "$@" </dev/null
}
apt update || echo "install-dependencies: apt-get update failed; trying with the lists that are there" >&2
apt install --no-install-recommends "${missing[@]}"

mapfile -t missing < <(find_missing)
if [ ${#missing[@]} -gt 0 ]; then
  echo "install-dependencies: apt-get finished, but these are not installed: ${missing[*]}" >&2
  exit 1
fi
