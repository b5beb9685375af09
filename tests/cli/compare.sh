#!/usr/bin/env bash
# usage: compare.sh [PROGRAM]: what daxrace compare makes of files that are damaged, foreign or hostile: one line that names
# file and line, and exit status 2; and what it says of runs that decide nothing, and on how many lines.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

good=$top/results/reference/memory.csv
cp "$good" good.csv
good=good.csv

# hostile WHAT PATTERN: hostile.csv is refused on either side.
hostile() {
  local side
  for side in "hostile.csv $good" "$good hostile.csv"; do
    # shellcheck disable=SC2086  # two words
    run "$daxrace" compare $side
    expect_status 2 "$1"
    expect_err "^daxrace: hostile\\.csv$2" "$1"
    expect_one_line_err "$1"
    expect_no_out . "$1"
  done
}

# with LINE PROGRAM...: hostile.csv is the good file with one line put through a filter.
with() {
  local line=$1
  shift
  { head -n "$((line - 1))" "$good"; sed -n "${line}p" "$good" | "$@"; tail -n "+$((line + 1))" "$good"; } >hostile.csv
}

# set_field N VALUE: a filter that replaces the Nth field.
set_field() { awk -F, -v OFS=, -v n="$1" -v value="$2" '{ $n = value; print }'; }
column() { head -1 "$good" | tr , '\n' | grep -nxF "$1" | cut -d: -f1; }

refused_files() {
  : >hostile.csv; hostile "an empty file" ': no header line'
  head -c 300 "$good" >hostile.csv; hostile "half a header" ': no header line'
  head -c 100000 /dev/urandom | tr '\n\0' 'xy' >hostile.csv; echo >>hostile.csv
  hostile "binary" ':1: (column 1 is|a carriage return)'
  printf 'name,age\nx,1\n' >hostile.csv; hostile "another table" ':1: column 1 is "name"'
  sed '1s/,backing,/,bakcing,/' "$good" >hostile.csv; hostile "a misspelt column" ':1: column 10 is "bakcing"'
  sed '1s/,backing,/,/' "$good" >hostile.csv; hostile "a missing column" ':1: column 10 is "device"'
  head -1 "$good" | tr -d '\n' >hostile.csv; hostile "a header without its line end" ': no header line'
  head -1 "$good" | cut -d, -f1-12 >hostile.csv; sed -n 2p "$good" | cut -d, -f1-12 >>hostile.csv
  hostile "columns that end before the path" ':2: protocol is "", not a name$'
  mkfifo pipe
  { tr '\0' 'x' </dev/zero | head -c 1G >pipe 2>/dev/null || true; } &
  ln -s pipe hostile.csv.pipe
  run "$daxrace" compare "$good" hostile.csv.pipe
  expect_status 2 "a line of a gigabyte"
  expect_err '^daxrace: hostile\.csv\.pipe:1: a line of more than 16 MiB' "a line of a gigabyte"
  wait
}

refused_lines() {
  local p50
  p50=$(column lat_p50_ns)
  with 7 cut -c1-90; hostile "a truncated middle line" ':7: has fewer columns'
  with 7 sed 's/$/,1/'; hostile "a line with a further column" ':7: has more columns'
  with 7 set_field "$p50" nan; hostile "NaN" ':7: lat_p50_ns is "nan", not a whole number'
  with 7 set_field "$p50" -5; hostile "a negative number" ':7: lat_p50_ns is "-5"'
  with 7 set_field "$p50" 18446744073709551616; hostile "2^64" ':7: lat_p50_ns is "18446744073709551616"'
  with 7 set_field "$p50" 1e3; hostile "an exponent" ':7: lat_p50_ns is "1e3"'
  with 7 set_field "$(column offered_per_s)" inf; hostile "an infinite rate" ':7: offered_per_s is "inf"'
  with 7 set_field "$(column reason)" '"one\ntwo"'; hostile "a quoted line end" ':7: a quoted field does not end'
  with 7 set_field 1 2; hostile "a newer schema" ':7: schema "2"'
  with 7 set_field 1 ''; hostile "no schema" ':7: schema ""'
  with 7 set_field "$(column path)" ''; hostile "no path" ':7: a row without path'
  with 7 tr '4' '\0'; hostile "a NUL byte" ':7: a NUL byte'
  with 7 sed 's/page/pa\rge/'; hostile "a carriage return" ':7: a carriage return within'
  with 7 sed 'p'; hostile "a line that is there twice" ':8: the same run, configuration and repetition as hostile.csv:7'
  with 7 sed 's/.*//'; hostile "an empty line" ':7: has fewer columns'
}

# The good file as if it came from another run: what has the run of the other side is refused.
another_run() { sed "2,\$s/^\\([^,]*\\),[^,]*,/\\1,another-run,/" "$good"; }

accepted() {
  { printf '\xEF\xBB\xBF'; another_run | sed 's/$/\r/'; } >odd.csv
  run "$daxrace" compare "$good" odd.csv
  expect_status 0 "CRLF and a byte order mark"
  another_run | head -c -40 >odd.csv
  run "$daxrace" compare "$good" odd.csv
  expect_out 'half a last line, left by a killed run, was dropped' "a truncated last line"
  with 7 set_field "$(column reason)" '"a ""quoted"" reason, with a comma"'
  good=hostile.csv another_run >odd.csv
  run "$daxrace" compare "$good" odd.csv
  expect_status 0 "quotes and commas in a reason"
  # The recorded file may be older than the last columns of today.
  run "$daxrace" "${short[@]}" --workload=load --out=today.csv
  expect_status 0 "a short run"
  good=today.csv another_run | sed 's/$/,whatever/; 1s/whatever/later/' >odd.csv
  run "$daxrace" compare today.csv odd.csv
  expect_status 0 "a newer file with a further column"
  another_run | cut -d, -f1-71 >odd.csv
  run "$daxrace" compare "$good" odd.csv
  expect_status 0 "an older file without its last column"
}

missing() {
  run "$daxrace" compare "$good" nosuch.csv
  expect_status 2 "a missing file"
  expect_err '^daxrace: nosuch\.csv: there is no such file$' "a missing file"
  run "$daxrace" compare "$good"
  expect_status 2 "one file"
  expect_one_line_err "one file"
  mkdir empty
  run "$daxrace" compare "$good" empty
  expect_status 2 "a directory without results"
  expect_err '^daxrace: empty: no \.csv file' "a directory without results"
}

# given_twice WHAT PATTERN ARGUMENT...: exit 2 and one line that names the file, in every verb.
given_twice() {
  run "$daxrace" "${@:3}"
  expect_status 2 "$1"
  expect_err "$2" "$1"
  expect_one_line_err "$1"
  expect_no_out . "$1"
}

twice() {
  head -60 "$good" >part.csv
  cp part.csv copy.csv
  given_twice "a file with itself" '^daxrace: part\.csv: is given on both sides$' compare part.csv part.csv
  given_twice "a copy" '^daxrace: copy\.csv:[0-9]+: the same run.* as part\.csv:[0-9]+' compare part.csv copy.csv
  given_twice "history of a file and itself" '^daxrace: part\.csv: is given twice$' history part.csv part.csv
  given_twice "history of a copy" '^daxrace: copy\.csv:[0-9]+: the same run' history part.csv copy.csv
}

# Three repetitions of a run on one side, and of another on the other.
undecided() {
  awk -F, -v n="$(column repetition)" 'NR == 1 || $n <= 3' "$good" >a.csv
  good=a.csv another_run >b.csv
  echo '{"schema":1,"runs":[{"run_id":"another-run","command_line":["daxrace","run","--repetitions=3","--out=b.csv"]}]}' >b.run.json
  run "$daxrace" compare a.csv b.csv
  expect_status 0 "three repetitions"
  expect_out '^Nothing could be decided: 3 repetitions, [0-9]+ needed:$' "three repetitions"
  expect_out '^  daxrace run --repetitions=[0-9]+$' "the command that mends it"
  expect_no_out 'no regression' "three repetitions"
  [[ $(wc -l <"$work/out") -le 40 ]] || fail "where nothing is decided, it takes $(wc -l <"$work/out") lines"
  run "$daxrace" compare a.csv b.csv --strict
  expect_status 1 "--strict where nothing could be decided"
  run "$daxrace" compare "$good" --by=protocol:none,range_lock
  expect_status 0 "two protocols of one run"
  expect_out '^range_lock against none: [0-9]+ of [0-9]+ rows slower' "two protocols of one run"
  run "$daxrace" history a.csv b.csv
  expect_out '^Nothing could be decided: 2 runs, [0-9]+ needed' "history of two runs"
}

# slowed FACTOR: the good file as another run, its latencies changed.
slowed() {
  local columns="" name
  for name in min p50 p90 p99 p999 max; do columns+="$(column "lat_${name}_ns") "; done
  another_run | awk -F, -v OFS=, -v columns="$columns" -v by="$1" '
    BEGIN { count = split(columns, at, " ") }
    NR > 1 { for (i = 1; i <= count; i++) if ($at[i] != "") $at[i] = int($at[i] * by) }
    { print }'
}

one_screen() {
  slowed 2 >slow.csv
  run "$daxrace" compare "$good" slow.csv
  expect_status 1 "everything takes twice the time"
  expect_out '^Worse: [0-9]+ rows slower$' "everything takes twice the time"
  [[ $(wc -l <"$work/out") -le 40 ]] || fail "a comparison takes $(wc -l <"$work/out") lines"
  [[ $(awk '{ print length }' "$work/out" | sort -n | tail -n 1) -le 80 ]] || fail "a comparison is wider than 80 columns"
  run "$daxrace" compare "$good" slow.csv --tables
  [[ $(wc -l <"$work/out") -gt 200 ]] || fail "--tables has $(wc -l <"$work/out") lines only"
  cp "$work/out" tables
  run "$daxrace" compare "$good" slow.csv --all
  cmp -s "$work/out" tables || fail "--all differs from --tables"
}

# A machine that died while it wrote leaves its file at any byte.
cut_anywhere() {
  local size
  head -40 "$good" >whole.csv
  good=whole.csv another_run >other.csv
  for size in $(seq 900 397 "$(stat -c %s whole.csv)"); do
    head -c "$size" whole.csv >cut.csv
    run "$daxrace" compare other.csv cut.csv
    [[ $status -le 1 ]] || fail "cut at byte $size: exit status $status"
  done
}

main() {
  refused_files
  refused_lines
  accepted
  missing
  twice
  undecided
  one_screen
  cut_anywhere
  finish
}
main
