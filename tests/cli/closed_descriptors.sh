#!/usr/bin/env bash
# usage: closed_descriptors.sh [PROGRAM]: whichever of stdin, stdout and stderr are closed or full, nothing that is printed gets
# into the results, every row is whole and readable, and the exit status is that of what was done.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Without --quiet: it is the text for people that must not get among the rows.
loud=(run --workload=load --protocol=iolock_mmaplock --duration=5ms --warmup=1ms --repetitions=2)

# closed REDIRECTIONS COMMAND...: $status of the command with those descriptors closed.
closed() {
  local redirections=$1
  shift
  status=0 shown=1
  bash -c "exec \"\$@\" $redirections" bash "$@" >out 2>err </dev/null || status=$?
}

appended() {
  local redirections rows=0
  for redirections in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-' '2>/dev/full' '>&- 2>/dev/full'; do
    closed "$redirections" "$daxrace" "${loud[@]}" --append --out=x.csv
    rows=$((rows + 2))
    expect_status 0 "run $redirections"
    expect_whole_rows x.csv "run $redirections"
    [[ $(episodes_in x.csv) -eq $rows ]] || fail "run $redirections: $(episodes_in x.csv) episodes in the file, not $rows"
    if grep -q 'daxrace:' x.csv; then fail "run $redirections: text for people among the rows"; fi
    run "$daxrace" history x.csv --format=json
    [[ $status -eq 0 || $status -eq 77 ]] || fail "run $redirections: the file cannot be read any more: $(cat "$work/err")"
  done
}

with_all_closed() {
  local all='<&- >&- 2>&-'
  closed "$all" "$daxrace" litmus --protocol=ext4 --operation=punch
  expect_status 0 "litmus $all"
  closed "$all" "$daxrace" list
  expect_status 0 "list $all"
  closed "$all" "$daxrace" run --workload=nosuch
  expect_status 2 "a mistake $all"
  closed "$all" "$daxrace" report x.csv --no-plots --out=x.html
  expect_status 0 "report $all"
  [[ $(head -c 9 x.html) == '<!DOCTYPE' ]] || fail "report $all: not a page: $(head -c 40 x.html)"
}

main() {
  appended
  with_all_closed
  finish
}
main
