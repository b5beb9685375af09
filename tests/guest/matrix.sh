#!/usr/bin/env bash
# usage: matrix.sh xfs|ext4|devdax-4k|devdax-2m: the quick matrix on real DAX, local and remote, and its CSV checked.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest
need_program
backing=${1:?which backing?}

# Kept for a look afterwards; results/local is not under version control.
results=$top/results/local/guest-tests/$backing
rm -rf "$results"
mkdir -p "$results"

status=0
CONSOLE=$results/console.log boot --backing="$backing" --peer-latency-ns=100000 --time-limit=900 --results="$results" -- \
  "$top/tests/guest/inside/matrix.sh" "$backing" "$results/run.csv" || status=$?
if [[ $status -ne 0 ]]; then
  echo "FAILED: the matrix on $backing ended with status $status (console: $results/console.log)"
  exit 1
fi
if grep -E 'BUG:|Oops|WARNING:|general protection' "$results/console.log"; then
  echo "FAILED: the guest's kernel complained (console: $results/console.log)"
  exit 1
fi
"$top/build/release/tests/check_guest_csv" "$results/run.csv" "$backing"
"$top/build/release/tests/check_guest_csv" "$results/run-stress.csv" stress
