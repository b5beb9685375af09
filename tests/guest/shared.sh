#!/usr/bin/env bash
# usage: shared.sh KERNEL BACKING PART...: boots a guest once for all tests that such a one fits. Each part (inside/PART.sh) runs
# in it, one after the other, and what it says is kept for the test that judges it (`part` of lib.sh).
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest
need_program
kernel=${1:?which kernel?} backing=${2:?which file system?}
shift 2

results=$(shared_results "$kernel" "$backing")
rm -rf "$results"
mkdir -p "$results"
# The peer is so slow that its requests are still in flight when an emulated CPU that shares its host has submitted them.
status=0
CONSOLE=$results/console.log boot --kernel="$kernel" --backing="$backing" --peer-latency-ns=2000000 --boot-limit=400 \
  --time-limit=$((700 + 120 * ($# - 1))) --results="$results" -- "$top/tests/guest/inside/parts.sh" "$results" "$@" || status=$?
for name; do
  [[ -s $results/$name/status ]] || fail "the guest $kernel $backing did not come to the end of $name: status $status (console: $results/console.log)"
done
[[ $status -eq 0 ]] || fail "the guest $kernel $backing ended with status $status (console: $results/console.log)"
finish
