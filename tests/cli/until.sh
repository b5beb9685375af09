#!/usr/bin/env bash
# usage: until.sh [PROGRAM]: daxrace run --until=decided goes on until enough is known, within its time, and says which of the two
# ended it; the preset for comparisons has the repetitions that a decision needs.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

until=(run --workload=load --protocol=none --duration=20ms --warmup=1ms)

decided() {
  run "$daxrace" "${until[@]}" --until=decided:400% --time=20s --out=wide.csv
  expect_status 0 "a bound that any run meets"
  expect_err 'decided after [0-9]+ repetitions: [0-9]+ of [0-9]+ medians? within 400 %' "a bound that any run meets"
  [[ $(episodes_in wide.csv) -le 300 ]] || fail "it went on for $(episodes_in wide.csv) episodes"
  [[ $(episodes_in wide.csv) -ge 5 ]] || fail "it ended after $(episodes_in wide.csv) episodes"
  grep -q '"until": "decided after' wide.run.json || fail "the record of the run does not say how it ended"
}

limited() {
  run "$daxrace" "${until[@]}" --until=decided:0.0001% --time=1s --out=narrow.csv
  expect_status 0 "a bound that no run meets"
  expect_err 'not decided within the limit of time \(--time\): ' "a bound that no run meets"
  [[ $(episodes_in narrow.csv) -ge 5 ]] || fail "the limit left $(episodes_in narrow.csv) episodes"
}

refused_options() {
  refused "another word" '^daxrace: --until=done: wanted decided' --until=done
  refused "no bound" '^daxrace: --until' --until=decided:0
  refused "an unknown path" "^daxrace: --until: unknown until 'nosuch'" --until=decided:5%:nosuch
  run "$daxrace" run --until=decided --repetitions=3
  expect_status 2 "both --until and --repetitions"
  expect_err '^daxrace: --until and --repetitions: give one of them' "both"
}

preset() {
  run "$daxrace" run --preset=compare --dry-run
  expect_out 'x12 ' "the preset for comparisons"
  expect_out '^24 configurations, 288 episodes' "the preset for comparisons"
}

decided
limited
refused_options
preset
finish
