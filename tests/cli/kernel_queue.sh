#!/usr/bin/env bash
# usage: kernel_queue.sh [PROGRAM]: direct I/O of real files at a queue depth: pins are told to be fast or slow by their own page
# faults, and so many requests are in flight as were asked for.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# value FILE DEPTH PATH COLUMN
value() {
  awk -F, -v depth="$2" -v path="$3" -v name="$4" '{ gsub(/"[^"]*"/, "") }
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["queue_depth"] == depth && $at["path"] == path { found = $at[name] } END { print found + 0 }' "$1"
}

# in_flight FILE DEPTH PATH: hundredths of requests in flight at a time: what each took, in the time that all took.
in_flight() {
  echo $(($(value "$1" "$2" "$3" ops) * $(value "$1" "$2" "$3" lat_p50_ns) * 100 / $(value "$1" "$2" "$3" duration_ns)))
}

# enough PATH LEAST: enough operations at either depth, and at depth 4 more than LEAST hundredths of one in flight. One at a time is
# never more than 100.
enough() {
  local depth
  for depth in 1 4; do
    (($(value "$1.csv" "$depth" "$1" ops) > 50)) || return 1
  done
  (($(in_flight "$1.csv" 4 "$1") > $2))
}

# requests PATH LEAST. A loaded machine may find the peer's requests done before their submission returns, or make few of them, or make
# the median fall far below the mean; later, or in more time, it does not.
requests() {
  local attempt
  for attempt in {1..10}; do
    run "$daxrace" run --target=kernel --dir="$work/files" --workload="$1" --queue-depth=1,4 --load=closed --repetitions=1 \
      --duration=$((200 * attempt))ms --warmup=20ms --no-table --force --out="$1.csv"
    if [[ $status -ne 77 ]]; then
      expect_status 0 "$1"
      if enough "$1" "$2"; then return; fi
    elif ((attempt == 10)); then
      skip "$(cat "$work/out")"
    fi
    sleep 1
  done
  fail "$1: $(value "$1.csv" 1 "$1" ops) and $(value "$1.csv" 4 "$1" ops) operations at depth 1 and 4, of $(value "$1.csv" 4 "$1" lat_p50_ns) ns each at depth 4"
}

mkdir "$work/files"
requests gup_fast 0
requests gup_slow 0
requests aio_read 120
requests aio_write 120
finish
