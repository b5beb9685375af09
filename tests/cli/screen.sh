#!/usr/bin/env bash
# usage: screen.sh [PROGRAM]: a run ends with one screen, and report prints it again from its file.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# fits WHAT: what was printed is at most 40 lines of at most 80 columns.
fits() {
  local lines widest
  lines=$(wc -l <"$work/out")
  widest=$(awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }' "$work/out")
  ((lines <= 40)) || fail "$1: $lines lines, not 40"
  ((widest <= 80)) || fail "$1: $widest columns, not 80"
}

no_colour() { ! grep -q $'\x1b' "$work/out" || fail "$1: colour in a pipe"; }

a_run_ends_with_a_screen() {
  run "$daxrace" run --workload=punch,fault,mixed --duration=20ms --warmup=2ms --repetitions=2 --out=s.csv
  expect_status 0 "a run"
  fits "a run"
  no_colour "a run"
  expect_out '^PROMISES BROKEN: none' "a run"
  expect_out 'hazards  harm' "a run"
  expect_out '^range_lock +[!FXk.-]{8} [0-9]+/[0-9]+ ' "a run"
  expect_out '^s\.csv$' "a run"
  cp "$work/out" ended
  run "$daxrace" report --format=text s.csv
  expect_status 0 "the screen again"
  cmp -s "$work/out" ended || fail "the screen again: not what the run ended with"
  [[ ! -e report.html ]] || fail "the screen again: a page was written"
}

# The letters stand only where something could have come of it.
nothing_is_claimed_of_what_was_not_run() {
  run "$daxrace" run --workload=load --protocol=none,ext4 --duration=10ms --warmup=2ms --repetitions=1 --out=load.csv
  expect_out '^ext4 +-------- 0/1' "loads alone"
}

all_tables_and_violations() {
  run "$daxrace" report --tables s.csv
  expect_out 'protocol +verdict +violated +promised' "all tables"
  run "$daxrace" run --workload=realloc --load=closed --protocol=none --duration=200ms --warmup=10ms --repetitions=1 --out=harm.csv
  fits "a harmful run"
  expect_out '^none +X' "a harmful run"
  expect_out '^One story: none, realloc: ' "a harmful run"
  run "$daxrace" report --explain harm.csv
  expect_out '^realloc/none/memory' "violations"
  expect_out ' us  task ' "violations"
}

colour_on_demand() {
  run "$daxrace" report --format=text --color=always harm.csv
  grep -q $'\x1b\\[31mX' "$work/out" || fail "--color=always: no colour"
  run env NO_COLOR=1 "$daxrace" report --format=text --color=always harm.csv
  grep -q $'\x1b' "$work/out" || fail "--color=always: NO_COLOR is stronger"
  run "$daxrace" report --format=text --color=sometimes harm.csv
  expect_status 2 "--color=sometimes"
  command -v script >/dev/null || { echo "note: no script(1): terminals not tried"; return; }
  run script -qec "TERM=xterm $daxrace report --format=text harm.csv" /dev/null
  grep -q $'\x1b' "$work/out" || fail "a terminal: no colour"
  run script -qec "NO_COLOR=1 TERM=xterm $daxrace report --format=text harm.csv" /dev/null
  no_colour "NO_COLOR"
}

# Names of files reach the screen as text; and what runs in one second does not want one file.
names_of_files() {
  local name=$'n\e[31m.csv' i
  run "$daxrace" run --workload=load --protocol=none --duration=10ms --warmup=2ms --repetitions=1 --out="$name"
  expect_status 0 "an odd name"
  expect_out '^n\\x1b\[31m\.csv$' "an odd name"
  no_colour "an odd name"
  ! grep -q $'\x1b' "$work/err" || fail "an odd name: colour on stderr"
  run "$daxrace" report --format=text "$name"
  no_colour "an odd name again"
  run "$daxrace" run --dry-run --workload=load --protocol=none --backing=fsdax:$'/\e[31m'
  expect_out 'would be refused: /\\x1b' "an odd place"
  no_colour "an odd place"
  mkdir together
  for i in 1 2 3 4; do
    (cd together && "$daxrace" run --workload=load --protocol=none --duration=10ms --warmup=2ms --repetitions=1 --quiet >"../together.$i" 2>&1) &
  done
  wait
  [[ $(find together -name '*.csv' | wc -l) -eq 4 ]] || fail "four runs at once: $(cat together.?)"
}

other_screens() {
  run "$daxrace" litmus
  expect_status 0 "litmus"
  awk 'length($0) > 80 { bad = 1; print "wide: " $0 } END { exit bad }' "$work/out" || fail "litmus: wider than 80 columns"
  run "$daxrace" litmus --protocol=ext4 --operation=punch --access=load --refcount=ref1
  expect_out '^1 cell, ' "one cell"
  run "$daxrace" explore --replay=none:pin_punch:ref1:
  expect_out 'stopped after 0 steps' "an empty replay"
}

# With what the sanitizers make of it, all of it takes minutes.
explore_sums_up() {
  [[ $(ldd "$daxrace") != *lib?san* ]] || return 0
  run "$daxrace" explore
  expect_status 0 "explore"
  fits "explore"
  expect_out '^PROMISES BROKEN: none' "explore"
  expect_out '^range_lock +[0-9]+ ' "explore"
}

main() {
  a_run_ends_with_a_screen
  nothing_is_claimed_of_what_was_not_run
  all_tables_and_violations
  colour_on_demand
  names_of_files
  other_screens
  explore_sums_up
  finish
}
main
