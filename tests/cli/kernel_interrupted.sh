#!/usr/bin/env bash
# usage: kernel_interrupted.sh [PROGRAM]: a table of the kernel's litmus that is interrupted, killed or out of time: what was
# done is told, nothing is left behind.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mkdir files
table=(litmus --target=kernel --dir=files --format=csv)

# stopped_by SIGNAL STATUS: once three cells are done.
stopped_by() {
  local pid deadline=$((SECONDS + 30)) decider
  status=0
  "$daxrace" "${table[@]}" --repeat=1000 >out 2>err </dev/null &
  pid=$!
  until grep -q '^\[3/' err; do
    ((SECONDS < deadline)) || { fail "SIG$1: no cell was told within 30 s"; break; }
    sleep 0.02
  done
  read -r decider _ <"/proc/$pid/task/$pid/children" || true
  kill "-$1" "$pid"
  wait "$pid" 2>/dev/null || status=$?
  expect_status "$2" "SIG$1"
  deadline=$((SECONDS + 10))
  while [[ -d /proc/$decider ]] && ((SECONDS < deadline)); do sleep 0.1; done
  [[ ! -d /proc/$decider ]] || fail "SIG$1: the process that decides the cells lives on"
}

stopped_by INT 130
[[ $(wc -l <out) -ge 4 ]] || fail "SIGINT: fewer than three cells in the table"
grep -q '^interrupted: ' err || fail "SIGINT: nothing says so"
[[ ! -e files/daxrace-kernel ]] || fail "SIGINT: files were left behind"
stopped_by KILL 137

run "$daxrace" "${table[@]}" --operation=punch --access=mapped,pin --time-bound=1us
expect_status 77 "a table without time"
expect_out ',punch,pin,H4,skipped,.*time bound: the table had' "a table without time"
[[ ! -e files/daxrace-kernel ]] || fail "files of a killed run were left behind"
finish
