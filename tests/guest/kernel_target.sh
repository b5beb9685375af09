#!/usr/bin/env bash
# usage: kernel_target.sh KERNEL xfs|ext4: the running kernel as the target, on real DAX: litmus and a short run, their
# results checked for whether they are told truthfully, not for whether the kernel is right.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest
need_program
kernel=${1:?which kernel?} backing=${2:?which file system?}

results=$top/results/local/guest-tests/kernel-target-$kernel-$backing
rm -rf "$results"
mkdir -p "$results"
status=0
CONSOLE=$results/console.log boot --kernel="$kernel" --backing="$backing" --peer-latency-ns=100000 --time-limit=420 --results="$results" -- \
  "$top/tests/guest/inside/kernel_target.sh" "$results" || status=$?
if [[ $status -ne 0 ]]; then
  echo "FAILED: kernel target on $kernel $backing ended with status $status (console: $results/console.log)"
  exit 1
fi
"$top/build/release/tests/check_kernel_target" "$results" "${kernel%.x}" "$backing"
