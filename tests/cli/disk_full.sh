#!/usr/bin/env bash
# usage: disk_full.sh [PROGRAM]: a disk that fills up while results are written ends the run with one line and exit
# status 2, and the result file ends with a whole row.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

in_namespace() { unshare --mount --map-root-user "$@"; }

in_namespace true 2>/dev/null || skip "no mount namespace can be made here"
mkdir small

fill() {
  mount -t tmpfs -o size=96k none small
  local code=0
  "$daxrace" run --workload=load,store --protocol=iolock_mmaplock --duration=2ms --warmup=1ms --repetitions=300 \
    --no-table --out=small/x.csv >out 2>err || code=$?
  cp small/x.csv kept.csv
  return "$code"
}

main() {
  status=0
  export -f fill
  export daxrace
  in_namespace bash -c fill || status=$?
  cp out err "$work" 2>/dev/null || true
  expect_status 2 "disk full"
  # The first line announces the run.
  sed -i 1d err
  expect_one_line_err "disk full"
  expect_err 'small/x\.(csv|run\.json).*(space|full)' "disk full"
  expect_whole_rows kept.csv "disk full"
  [[ $(episodes_in kept.csv) -ge 3 ]] || fail "disk full: only $(episodes_in kept.csv) episodes were kept"
  finish
}
main
