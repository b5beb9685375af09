#!/usr/bin/env bash
# usage: damaged_results.sh [PROGRAM]: what in a result file no daxrace has written is refused with file, line and column by
# whoever reads the file, so that a flipped bit never reads as "all is well".
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cp "$top/results/reference/memory.csv" reference.csv
head -40 reference.csv >good.csv
# The first row of an episode, and the first of a path.
column() { head -1 good.csv | tr , '\n' | grep -nxF "$1" | cut -d: -f1; }
line_of() { awk -F, -v path="$(column path)" -v whole="$1" 'NR > 1 && ($path == "all") == whole { print NR; exit }' good.csv; }
episode=$(line_of 1)
path_row=$(line_of 0)

# damaged LINE COLUMN VALUE PATTERN: every reader refuses good.csv with that field.
damaged() {
  local line=$1 name=$2 value=$3 pattern=$4 words
  awk -F, -v OFS=, -v line="$line" -v n="$(column "$name")" -v value="$value" 'NR == line { $n = value } 1' good.csv >bad.csv
  for words in "report bad.csv --no-plots --out=bad.html" "history bad.csv" "compare good.csv bad.csv" "compare bad.csv good.csv"; do
    # shellcheck disable=SC2086  # words
    run "$daxrace" $words
    expect_status 2 "$name is '$value': $words"
    expect_one_line_err "$name is '$value': $words"
    expect_err "^daxrace: bad\\.csv:$line: $pattern" "$name is '$value': $words"
  done
}

words_outside_their_sets() {
  damaged "$episode" verdict brokem 'verdict is "brokem", not one of kept, broken'
  damaged "$episode" verdict '' 'verdict is "", not one of'
  damaged "$episode" status hung 'status is "hung", not one of ok, hang'
  damaged "$episode" status '' 'status is ""'
  damaged "$path_row" load qaced 'load is "qaced", not one of paced, closed'
  damaged "$path_row" refcount_regime ref2 'refcount_regime is "ref2"'
  damaged "$path_row" target angine 'target is "angine"'
  damaged "$path_row" backing nemory 'backing is "nemory"'
  damaged "$path_row" placement locam 'placement is "locam"'
  damaged "$path_row" discard zaq 'discard is "zaq"'
  damaged "$path_row" path pumch 'path is "pumch"'
  damaged "$episode" promises H99 'promises is "H99", not hazards'
  damaged "$episode" violated H4+H1 'violated is "H4\+H1", not hazards'
  damaged "$path_row" protocol 'ext4<b>' 'protocol is "ext4<b>", not a name'
  damaged "$path_row" protocol '' 'protocol is "", not a name'
  damaged "$path_row" workload 'punch|' 'workload is "punch\|", not a name'
}

numbers_out_of_range() {
  damaged "$path_row" time_utc yesterday 'time_utc is "yesterday", not a time'
  damaged "$path_row" time_utc 2026-13-01T00:00:00Z 'time_utc is'
  damaged "$path_row" threads 0 'threads is "0", not from 1 to'
  damaged "$path_row" ops_per_s -5 'ops_per_s is "-5", not from 0 to'
  damaged "$path_row" offered_per_s 1e300 'offered_per_s is "1e\+300"'
  damaged "$path_row" duration_ns 18446744073709551615 'duration_ns is'
  damaged "$path_row" lat_max_ns 1 'lat_min_ns to lat_max_ns do not rise'
}

damaged_histograms() {
  local histogram name
  histogram=$(sed -n "${path_row}p" good.csv | cut -d, -f"$(column lat_hist)")
  for name in lat_hist resp_hist; do
    damaged "$path_row" "$name" "${histogram%?}" "$name is not a histogram of daxrace"
    damaged "$path_row" "$name" "${histogram%????}" "$name is not a histogram of daxrace"
    damaged "$path_row" "$name" "!${histogram:1}" "$name is not a histogram of daxrace"
  done
}

# damaged_today SED PATTERN: nobody reads today.csv, nor adds to it.
damaged_today() {
  local words
  cp sound.csv today.csv
  sed -i "$1" today.csv
  for words in "run ${short[*]:1} --workload=load --out=today.csv --append" "run --resume=today.csv --quiet" \
    "report today.csv --no-plots --out=bad.html" "history today.csv" "compare today.csv good.csv" "compare good.csv today.csv"; do
    # shellcheck disable=SC2086  # words
    run "$daxrace" $words
    expect_status 2 "a damaged file: $words"
    expect_one_line_err "a damaged file: $words"
    expect_err "^daxrace: today\.csv:2: $2" "a damaged file: $words"
  done
}

# A run says beside its file which protocols it had; runs of old say which they were asked for.
results_of_today() {
  run "$daxrace" "${short[@]}" --workload=load --out=sound.csv
  expect_status 0 "a run"
  cp sound.run.json today.run.json
  [[ $(grep -A1 '"protocols"' sound.run.json | tr -d ' \n') == '"protocols":["iolock_mmaplock"' ]] || fail "no list of protocols in the .run.json"
  damaged_today '2s/,paced,/,qaced,/' 'load is "qaced"'
  local unlisted='protocol is "iolock_mmaplocj", not one of iolock_mmaplock \(today\.run\.json\)'
  damaged_today '2s/,iolock_mmaplock,/,iolock_mmaplocj,/' "$unlisted"
  sed '/"protocols": \[/,/\],/d' sound.run.json >today.run.json
  damaged_today '2s/,iolock_mmaplock,/,iolock_mmaplocj,/' "$unlisted"
}

# What this daxrace has written itself is sound to it, be it as old as its first results.
recorded_files() {
  local file
  while read -r file; do
    run "$daxrace" report "$file" --no-plots --out=sound.html
    expect_status 0 "${file#"$top"/}"
    rm -f sound.html
  done < <(find "$top/results" -name '*.csv' -not -path '*/local/*')
}

main() {
  words_outside_their_sets
  numbers_out_of_range
  damaged_histograms
  results_of_today
  recorded_files
  finish
}
main
