#!/usr/bin/env bash
# install-deps.sh waits while another apt holds a lock, and fails at once of anything else: with stand-ins for apt and dpkg.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

mkdir "$work/bin"
# Nothing is installed; apt-get fails as often as `failures` says, with what `says` says.
cat >"$work/bin/dpkg-query" <<'E2'
#!/bin/sh
exit 1
E2
cat >"$work/bin/apt-get" <<'E2'
#!/bin/bash
here=$(dirname "$0")/..
echo "$*" >>"$here/calls"
left=$(<"$here/failures")
((left > 0)) || exit 0
echo $((left - 1)) >"$here/failures"
cat "$here/says" >&2
exit 100
E2
# shellcheck disable=SC2016  # of the stand-in
printf '#!/bin/sh\n[ "$1" = -- ] && shift\nexec "$@"\n' >"$work/bin/sudo"
chmod +x "$work"/bin/*

# installs FAILURES SAYS
installs() {
  echo "$1" >"$work/failures"
  echo "$2" >"$work/says"
  : >"$work/calls"
  run env PATH="$work/bin:$PATH" "$top/scripts/install-deps.sh" --package
}

while IFS='|' read -r what says; do
  installs 2 "$says"
  expect_status 0 "$what"
  expect_err 'another apt is at work: waiting for it' "$what"
  [[ $(grep -c 'another apt' "$work/err") -eq 1 ]] || fail "$what: said more than once"
  [[ $(wc -l <"$work/calls") -eq 4 ]] || fail "$what: $(wc -l <"$work/calls") calls of apt-get, not 4"
done <<'LOCKS'
the lists' lock|E: Could not get lock /var/lib/apt/lists/lock. It is held by process 99 (apt-get)
a directory's lock|E: Unable to lock directory /var/lib/apt/lists/
dpkg's lock|E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?
LOCKS

installs 1 "E: Unable to locate package no-such-package"
expect_status 1 "a package that is none"
expect_err '^E: Unable to locate' "apt-get's own line"
[[ $(wc -l <"$work/calls") -eq 1 ]] || fail "a package that is none: asked for again"
export DAXRACE_APT_WAIT=2
installs 1000 "E: Could not get lock /var/lib/dpkg/lock-frontend"
expect_status 1 "a lock that is held for ever"
expect_err 'apt-get update failed' "a lock that is held for ever"
finish
