#!/usr/bin/env bash
# usage: kernel_queue.sh [PROGRAM]: pins of real files at a queue depth: told to be fast or slow by their own page faults.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# value FILE DEPTH PATH COLUMN
value() {
  awk -F, -v depth="$2" -v path="$3" -v name="$4" '{ gsub(/"[^"]*"/, "") }
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["queue_depth"] == depth && $at["path"] == path { print $at[name] }' "$1"
}

pins() {
  local depth attempt
  # A loaded machine may find the peer's requests done before their submission returns; later it does not.
  for attempt in {1..10}; do
    run "$daxrace" run --target=kernel --dir="$work/files" --workload="$1" --queue-depth=1,4 --load=closed --repetitions=1 \
      --duration=200ms --warmup=20ms --no-table --force --out="$1.csv"
    if [[ $status -ne 77 ]]; then break; fi
    if ((attempt == 10)); then skip "$(cat "$work/out")"; fi
    sleep 1
  done
  expect_status 0 "$1"
  for depth in 1 4; do
    (($(value "$1.csv" "$depth" "$1" ops) > 50)) || fail "$1 at depth $depth: $(value "$1.csv" "$depth" "$1" ops) operations"
  done
}

mkdir "$work/files"
pins gup_fast
pins gup_slow
run "$daxrace" run --target=kernel --dir="$work/files" --workload=aio_read --queue-depth=4 --repetitions=1 --duration=20ms --no-table --out=aio.csv
expect_status 77 "aio at a queue depth"
expect_out "one request at a time" "aio at a queue depth"
finish
