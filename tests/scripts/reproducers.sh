#!/usr/bin/env bash
# usage: reproducers.sh PROGRAM: what --reproducer writes compiles as its first lines say, is short, says in one line that it
# cannot run where there is no DAX, and its case of fstests turns each verdict into what fstests expects.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
daxrace=$(realpath "${1:?which program?}")
cd "$work"

# What the cases use of fstests: only so much of it that their own lines are run.
stand_in() {
  mkdir -p fstests/common fstests/src
  cat >fstests/common/preamble <<'END'
_begin_fstest() { here=$PWD seq=NNN tmp=$PWD/tmp seqres=$PWD/seqres TEST_DIR=$PWD; echo "QA output created by $seq"; }
_require_test() { :; }
_require_test_program() { [[ -x src/$1 ]] || _notrun "src/$1 not built"; }
_require_test_reflink() { :; }
_require_xfs_io_command() { :; }
_notrun() { echo "notrun: $*"; exit 0; }
END
  : >fstests/common/filter
}

# case_says NAME STATUS VERDICT: what the case prints if its program ends so.
case_says() {
  printf '#!/bin/sh\necho "%s"\nexit %s\n' "$3" "$2" >"fstests/src/$1"
  chmod +x "fstests/src/$1"
  (cd fstests && "../written/tests/generic/$1") || fail "the case $1 ended with $?"
}

check_case() {
  local name=$1 golden=written/tests/generic/$1.out
  case_says "$name" 0 "not shown: all is well" | diff - "$golden" >/dev/null || fail "$name: not shown, and the case fails"
  if case_says "$name" 1 "shown: this" | diff - "$golden" >/dev/null; then fail "$name: shown, and the case passes"; fi
  case_says "$name" 2 "cannot run: no DAX" | grep -qx "notrun: cannot run: no DAX" || fail "$name: cannot run, and the case ran"
  if case_says "$name" 139 "" | diff - "$golden" >/dev/null; then fail "$name: it crashed, and the case passes"; fi
}

main() {
  local source name count=0
  run "$daxrace" litmus --target=kernel --reproducer=all --into=written
  expect_status 0 "--reproducer=all"
  run "$daxrace" litmus --target=kernel --reproducer=all --into=written
  expect_status 2 "nothing is replaced"
  expect_one_line_err "nothing is replaced"
  stand_in
  for source in written/src/*.c; do
    name=$(basename "$source" .c)
    count=$((count + 1))
    (($(wc -l <"$source") <= 100)) || fail "$name has more than 100 lines"
    run gcc -O2 -Wall -Werror -pthread "$source" -o "$name"
    expect_status 0 "$name compiles"
    run "./$name" "$work"
    # /tmp is on no DAX, wherever this runs.
    expect_status 2 "$name without DAX"
    expect_out '^cannot run: ' "$name without DAX"
    check_case "$name"
  done
  ((count >= 7)) || fail "only $count reproducers were written"
  finish
}
main
