#!/usr/bin/env bash
# Installs what building and testing need, builds, and runs every test.
#   packaging/test.sh [--preset ci|dev|asan|tsan] [ARGUMENT OF CTEST...]
# For example `packaging/test.sh --preset asan -L unit`. Ends with why tests failed, in a line or two each, and ctest's
# closing lines, and with its exit status; a test that was skipped counts as failed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/packaging/build.sh"

preset=ci
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=${2:?"--preset takes ci, dev, asan or tsan"}; shift 2 ;;
    --preset=*) preset=${1#*=}; shift ;;
    -h|--help) sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) break ;;
  esac
done
case $preset in
  ci|dev|asan|tsan) ;;
  *) echo "test.sh: there is no test preset '$preset'; use ci, dev, asan or tsan" >&2; exit 2 ;;
esac

step "packages"
bash "$root/packaging/install-dependencies.sh" build test

# What the tests need from Python's package index is in tests/requirements.txt, with versions; it goes to an
# environment of its own, which is made again when that file or Python changes.
python=/usr/bin/python3
requirements=$root/tests/requirements.txt
if [ -f "$requirements" ]; then
  step "python"
  key=$( (cat "$requirements"; "$python" --version) | sha256sum | cut -c1-16)
  environment=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/backplane/python-$key
  if [ ! -e "$environment/complete" ]; then
    rm -rf "$environment"
    "$python" -m venv "$environment"
    "$environment/bin/python3" -m pip install --quiet --no-input --disable-pip-version-check -r "$requirements" </dev/null
    touch "$environment/complete"
  fi
  python=$environment/bin/python3
fi

# The Kafka broker that tests start; fetched once, outside of the tree.
step "kafka"
"$python" "$root/tests/support/kafka/kafka.py" fetch </dev/null

step "configure"
configure "$preset" -DPython3_EXECUTABLE="$python"
step "build"
build "$preset"

# Passes on what ctest prints, and says before its closing lines what the failed tests said of their reasons: theirs is
# somewhere among thousands of lines.
tell_reasons() {
  awk '
    /^ *[0-9]+\/[0-9]+ Test +#/ { test = /\*\*\*/ ? $4 : "" }
    /^ +Start +[0-9]+: / { test = "" }
    test != "" && /^(FAIL|ERROR): |^[A-Za-z_.]+(Error|Exception): |: Failure$|Sanitizer: / && ++lines[test] <= 4 {
      reasons = reasons "  " test ": " substr($0, 1, 400) "\n"
    }
    /^[0-9]+% tests passed/ && reasons != "" { printf "Reasons:\n%s\n", reasons }
    { print; fflush() }'
}

step "test"
log=$root/build/$preset/Testing/output.txt
mkdir -p "$(dirname "$log")"
status=0
(cd "$root" && ctest --preset "$preset" --no-label-summary "$@") </dev/null 2>&1 | tell_reasons | tee "$log" || status=$?
if [ "$status" -eq 0 ] && grep -q '^The following tests did not run:' "$log"; then
  echo "test.sh: the tests listed above did not run; a test that cannot run is a failure" >&2
  status=1
fi
exit "$status"
