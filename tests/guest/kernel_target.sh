#!/usr/bin/env bash
# usage: kernel_target.sh KERNEL xfs|ext4: the running kernel as the target, on real DAX: litmus and a short run, their
# results checked for whether they are told truthfully, not for whether the kernel is right, and its table for whether the
# release that stands for it predicts every cell.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest
need_program
kernel=${1:?which kernel?} backing=${2:?which file system?}

# What failed is told last of all, where a log that is cut still has it.
fail_last() {
  tail -n 3 "$work/output.log"
  grep -h '^FAILED' "$work/output.log" | tail -n 20 || true
  echo "FAILED: kernel target on $kernel $backing: $1 (console: $(dirname "$results")/console.log)"
  exit 1
}

part "$kernel" "$backing" kernel_target
cat "$work/out" "$work/err" | tee "$work/output.log"
[[ $status -eq 0 ]] || fail_last "its part of the guest ended with status $status"
"$top/build/release/tests/check_kernel_target" "$results" "$kernel" "$backing" >>"$work/output.log" || fail_last "its results"
tail -n 3 "$work/output.log"
