#!/usr/bin/env bash
# The guest finds its own kernel's modules whatever this machine has in their place, and says what modprobe says where one is
# missing. With stand-ins, in a mount namespace of its own.
set -euo pipefail
if [[ -z ${DAXRACE_APART:-} ]]; then
  unshare -rm true 2>/dev/null || { echo "skipped: no mount namespace of one's own"; exit 77; }
  DAXRACE_APART=1 exec unshare -rm "$0" "$@"
fi
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/guest/modules.sh
. "$top/scripts/guest/modules.sh"

mkdir -p "$work/modules/kernel"
echo ours >"$work/modules/modules.dep"
version=6.1.0-9-amd64
while IFS='|' read -r what make; do
  place=$work/$what/lib/modules/$version
  mkdir -p "$(dirname "$place")"
  (cd "$(dirname "$place")" && eval "$make")
  run place_modules "$work/modules" "$place"
  expect_status 0 "$what"
  [[ $(cat "$place/modules.dep" 2>/dev/null) == ours && -d $place/kernel ]] || fail "$what: the guest's modules are not there: $(ls -A "$place")"
  ! mountpoint -q "$place" || umount "$place"
done <<'HOSTS'
nothing|:
headers of the same version|mkdir $version && ln -s /usr/src/linux-headers $version/build
the same kernel|mkdir -p $version/kernel && echo theirs >$version/modules.dep
a link that leads nowhere|ln -s /nowhere $version
a link to another place|mkdir $work/other && ln -s $work/other $version
HOSTS
[[ -z $(ls -A "$work/other") ]] || fail "something was put where a link led"
run place_modules "$work/modules" "$work/modules"
expect_status 0 "modules that lie in their place"

fail_guest() { echo "given up: $*"; exit 9; }
modprobe() {
  [[ " $* " != *" missing "* ]] || { echo "modprobe: FATAL: Module missing not found in directory /lib/modules/$version" >&2; return 1; }
}
said='modprobe: FATAL: Module missing not found in directory /lib/modules/6\.1\.0-9-amd64$'
needs() (
  fail() { fail_guest "$@"; }
  need_modules "$@"
)
run needs "no pmem" present missing
expect_status 9 "a module that is needed"
expect_out "^given up: no pmem: $said" "a module that is needed"
run needs "no pmem" present
expect_status 0 "modules that are there"
run want_modules "cells are skipped" missing
expect_status 0 "a module that can be done without"
expect_out "^cells are skipped: $said" "a module that can be done without"
finish
