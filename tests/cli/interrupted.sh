#!/usr/bin/env bash
# usage: interrupted.sh [PROGRAM]: a run that is interrupted or killed keeps its finished rows, and --resume ends it
# without running anything twice.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

long=(run --workload=load --workload=fault --protocol=iolock_mmaplock --protocol=ext4 --duration=100ms --warmup=10ms --repetitions=8)
episodes=32

wait_for_rows() {
  local deadline=$((SECONDS + 20))
  while [[ $(episodes_in "$1") -lt 3 ]]; do
    [[ $SECONDS -lt $deadline ]] || { fail "no rows in $1 after 20 s"; return 1; }
    sleep 0.1
  done
}

# stopped_by SIGNAL STATUS FILE
stopped_by() {
  status=0
  "$daxrace" "${long[@]}" --out="$3" --no-table >out 2>err </dev/null &
  local pid=$!
  wait_for_rows "$3" || true
  kill "-$1" "$pid"
  wait "$pid" 2>/dev/null || status=$?
  expect_status "$2" "SIG$1"
  expect_whole_rows "$3" "SIG$1"
  local kept
  kept=$(episodes_in "$3")
  [[ $kept -ge 3 && $kept -lt $episodes ]] || fail "SIG$1: $kept of $episodes episodes in the file"
}

resumed() {
  local before after
  before=$(grep -v '^schema,' "$1" | sed -n 1,4p)
  run "$daxrace" "${long[@]}" --resume="$1" --no-table
  expect_status 0 "--resume"
  [[ $(episodes_in "$1") -eq $episodes ]] || fail "--resume: $(episodes_in "$1") episodes, not $episodes"
  expect_whole_rows "$1" "--resume"
  after=$(grep -v '^schema,' "$1" | sed -n 1,4p)
  [[ $before == "$after" ]] || fail "--resume: rows that were finished have changed"
  duplicates=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { print $at["workload"], $at["protocol"], $at["repetition"], $at["path"] }' "$1" | sort | uniq -d | wc -l)
  [[ $duplicates -eq 0 ]] || fail "--resume: $duplicates episodes were run twice"
}

main() {
  stopped_by INT 130 interrupted.csv
  grep -q '^interrupted: ' out || fail "SIGINT: the summary does not say so"
  resumed interrupted.csv
  stopped_by TERM 130 terminated.csv
  stopped_by KILL 137 killed.csv
  # What a machine leaves that dies while it writes.
  printf '1,half a' >>killed.csv
  resumed killed.csv
  run "$daxrace" "${long[@]}" --resume=killed.csv --no-table
  expect_status 0 "nothing left to do"
  expect_out "$episodes episodes" "nothing left to do"
  finish
}
main
