#!/usr/bin/env bash
# usage: resume.sh [PROGRAM]: --resume repeats what the run was asked for, refuses what contradicts it, and makes of all its pieces
# one run; what a killed run has left half done is mended.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

plan=(--workload="load,fault" --protocol="iolock_mmaplock,ext4" --duration=60ms --warmup=5ms --repetitions=6 --seed=7)
episodes=24

# field FILE NAME: of the rows of episodes, each value once
field() {
  awk -F, -v name="$2" '{ gsub(/"[^"]*"/, "") } NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["path"] == "all" { print $at[name] }' "$1" | sort -u
}

# in_json FILE EXPRESSION: of the parsed report, as `report`
in_json() { python3 -c 'import json, sys; report = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

# stop SIGNAL STATUS COMMAND...: once x.csv has three more episodes.
stop() {
  local signal=$1 wanted=$2 pid before deadline=$((SECONDS + 30))
  shift 2
  before=$(episodes_in x.csv)
  status=0
  "$@" >"$work/out" 2>"$work/err" </dev/null &
  pid=$!
  until [[ $(episodes_in x.csv) -ge $((before + 3)) ]]; do
    ((SECONDS < deadline)) || { fail "SIG$signal: no rows after 30 s"; break; }
    sleep 0.05
  done
  kill "-$signal" "$pid"
  wait "$pid" 2>/dev/null || status=$?
  expect_status "$wanted" "SIG$signal"
}

contradicts() {
  run "$daxrace" run --resume=x.csv --no-table "$1"
  expect_status 2 "--resume with $1"
  expect_one_line_err "--resume with $1"
  expect_err "$2" "--resume with $1"
}

contradictions() {
  cp x.csv before.csv
  contradicts --duration=100ms '--duration=100ms contradicts the run, which has --duration=60ms'
  contradicts --seed=8 '--seed=8 contradicts the run, which has --seed=7'
  contradicts --warmup=1ms '--warmup=1ms contradicts .* --warmup=5ms'
  contradicts --workload=read '--workload=read contradicts .* --workload=load,fault'
  contradicts --queue-depth=2 '--queue-depth=2 contradicts .* no --queue-depth'
  contradicts --perturb '--perturb contradicts .* no --perturb'
  sed -i -E 's/("git_commit": )"[^"]*"/\1"0123456789ab"/' x.run.json
  contradicts --duration=60ms 'the commit of the run is "0123456789ab", here it is'
  cmp -s x.csv before.csv || fail "a refused --resume has changed the file"
}

one_run() {
  local line
  stop INT 130 "$daxrace" run "${plan[@]}" --out=x.csv --no-table
  line=$(sed -n 's/^go on with: daxrace //p' "$work/out")
  [[ $line == 'run --resume=x.csv' ]] || fail "SIGINT: no line to go on with: $(cat "$work/out")"
  cp x.run.json first.run.json
  contradictions
  cp first.run.json x.run.json
  stop HUP 130 "$daxrace" run --resume=x.csv --no-table
  stop KILL 137 "$daxrace" run --resume=x.csv --no-table --duration=0.06s
  : >x.run.json.123456.tmp
  [[ $(in_json x.run.json 'report["runs"][-1]["outcome"]') == running ]] || fail "a killed run is not in its report"
  run "$daxrace" run --resume=x.csv --no-table
  expect_status 0 "--resume"
  expect_out "^$episodes episodes" "--resume"
  [[ $(episodes_in x.csv) -eq $episodes ]] || fail "$(episodes_in x.csv) episodes, not $episodes"
  expect_whole_rows x.csv "--resume"
  [[ $(field x.csv run_id | wc -l) -eq 1 && $(field x.csv time_utc | wc -l) -eq 1 ]] ||
    fail "the pieces are several runs: $(field x.csv run_id | tr '\n' ' ')"
  [[ $(in_json x.run.json 'len(report["runs"])') -eq 1 ]] || fail "the report has an entry for each piece"
  [[ $(in_json x.run.json 'len(report["runs"][0]["resumed"])') -eq 3 ]] || fail "the report does not tell that it was resumed"
  [[ $(in_json x.run.json 'report["runs"][0]["outcome"]') == ok ]] || fail "its outcome is not told"
  [[ ! -e x.run.json.123456.tmp ]] || fail "what a killed run has left stays"
  run "$daxrace" history x.csv --format=json
  [[ $status -eq 0 || $status -eq 77 ]] || fail "history: $(cat "$work/err")"
}

# A run that was killed says so, once somebody else has the file.
killed_for_ever() {
  rm -f x.csv x.run.json
  stop KILL 137 "$daxrace" run "${plan[@]}" --out=x.csv --no-table
  run "$daxrace" "${short[@]}" --workload=load --out=x.csv --append
  expect_status 0 "--append"
  [[ $(in_json x.run.json '[run["outcome"] for run in report["runs"]]') == "['killed', 'ok']" ]] ||
    fail "killed: $(in_json x.run.json '[run["outcome"] for run in report["runs"]]')"
}

# What is gone on with is the last run; the others' rows stay as they are.
beside_others() {
  rm -f x.csv x.run.json
  run "$daxrace" "${short[@]}" --workload=load --out=x.csv
  stop TERM 130 "$daxrace" run "${plan[@]}" --out=x.csv --append --no-table
  run "$daxrace" run --resume=x.csv --no-table
  expect_status 0 "--resume beside another run"
  [[ $(episodes_in x.csv) -eq $((episodes + 2)) ]] || fail "beside another run: $(episodes_in x.csv) episodes"
  [[ $(field x.csv run_id | wc -l) -eq 2 ]] || fail "beside another run: not two runs"
}

without_a_record() {
  rm -f x.run.json
  run "$daxrace" run --resume=x.csv --no-table
  expect_status 2 "--resume without a report"
  expect_err 'nothing beside it says what the run was asked for' "--resume without a report"
  run "$daxrace" run --resume=x.csv.nosuch --no-table
  expect_status 2 "--resume of nothing"
  expect_err 'there is no such file' "--resume of nothing"
  head -1 x.csv | tr -d '\n' >half.csv
  run "$daxrace" run --resume=half.csv "${plan[@]}" --no-table
  expect_status 2 "half a header"
  expect_err 'half\.csv: its header line is not whole: nothing in it was finished; start anew with --force' "half a header"
}

# Stopped before the first episode: neither results nor a report.
without_a_row() {
  rm -f y.csv y.run.json
  status=0
  "$daxrace" run --workload=load --protocol=none --duration=20s --warmup=5ms --repetitions=1 --out=y.csv --quiet \
    >"$work/out" 2>"$work/err" </dev/null &
  local pid=$! deadline=$((SECONDS + 30))
  until [[ -e y.run.json ]] || ((SECONDS > deadline)); do sleep 0.05; done
  kill -TERM "$pid"
  wait "$pid" || status=$?
  expect_status 130 "no episode"
  [[ ! -e y.csv && ! -e y.run.json ]] || fail "no episode: files are left: $(ls)"
}

main() {
  one_run
  killed_for_ever
  beside_others
  without_a_record
  without_a_row
  finish
}
main
