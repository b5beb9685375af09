#!/usr/bin/env bash
# Models of the same lock rules, written apart in Promela and decided by SPIN, must come out as daxrace explore does.
#
# usage: spin_agrees.sh DAXRACE
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
daxrace=$(realpath "$1")
command -v spin >/dev/null || skip "spin is not installed"
cd "$work"

# spin_decides PROTOCOL DEFINE...: safe or violation.
spin_decides() {
  spin -a "${@/#/-D}" "$top/tests/promela/dax.pml" >spin.log || { cat spin.log; return 1; }
  "${CC:-cc}" -O1 -DSAFETY -w -o pan pan.c
  ./pan -m100000 >pan.log
  grep -q 'search depth too small\|Search not completed' pan.log && ! grep -q 'errors: [1-9]' pan.log && fail "$*: not completed"
  if grep -q 'errors: 0' pan.log; then echo safe; else echo violation; fi
}
explore_decides() {
  "$daxrace" explore --protocol="$1" --scenario="$2" --refcount=ref1 --format=json | sed -n 's/.*"came_out": "\(.*\)",/\1/p'
}

compared=0
safe=0
for protocol in none mmaplock iolock iolock_mmaplock_nobreak iolock_mmaplock; do
  while read -r scenario defines; do
    # shellcheck disable=SC2086  # the defines are words
    model=$(spin_decides $protocol $defines)
    source=$(explore_decides "$protocol" "$scenario")
    [[ $model == "$source" ]] || fail "$protocol $scenario: SPIN says $model, explore says $source"
    compared=$((compared + 1))
    [[ $model != safe ]] || safe=$((safe + 1))
  done <<'LIST'
punch/fault FAULTS=1
punch/aio_write IOS=1
punch/gup_fast PINS=1
fault_io_punch FAULTS=1 IOS=1
pin_punch PINS=1
two_pins_punch PINS=2
LIST
done
echo "$compared verdicts agree, $safe of them safe"
((safe > 5 && safe < compared)) || fail "the comparison compares nothing"
finish
