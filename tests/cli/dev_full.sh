#!/usr/bin/env bash
# usage: dev_full.sh [PROGRAM]: output that could not be written is no success, in any verb and format; a reader that wanted no
# more is no failure, and hides none.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# One line each: whatever prints.
printing() {
  cat <<'LINES'
--help
--version
--man
--completion
run --help
run --dry-run
run --workload=load --protocol=none --duration=5ms --warmup=1ms --repetitions=1 --out=full.csv --force
run --workload=load --protocol=none --duration=5ms --warmup=1ms --repetitions=1 --out=full.csv --force --quiet
list
list --format=json
env
env --format=json
litmus --protocol=ext4 --operation=punch
litmus --protocol=ext4 --operation=punch --format=json
litmus --protocol=ext4 --operation=punch --format=csv
litmus --target=kernel --dir=files --operation=punch --access=read
explore --protocol=none --scenario=pin_punch
explore --protocol=none --scenario=pin_punch --format=json
compare a.csv b.csv
compare a.csv b.csv --format=markdown
compare a.csv b.csv --format=csv
compare a.csv b.csv --format=json
history a.csv b.csv
history a.csv b.csv --format=markdown
history a.csv b.csv --format=csv
history a.csv b.csv --format=json
report a.csv --no-plots --out=full.html
LINES
}

to_a_full_disk() {
  local line words
  while read -r line; do
    read -ra words <<<"$line"
    status=0
    "$daxrace" "${words[@]}" >/dev/full 2>err </dev/null || status=$?
    cp err "$work/err" 2>/dev/null || true
    expect_status 2 "$line > /dev/full"
    expect_err '^daxrace: standard output: No space left on device' "$line > /dev/full"
  done < <(printing)
  [[ $(episodes_in full.csv) -eq 1 ]] || fail "run > /dev/full: its row is lost"
}

# to_nobody COMMAND...: into a pipe whose reader is gone.
to_nobody() {
  local codes
  set +o pipefail
  { sleep 0.1; "$@" 2>"$work/err"; } | true
  codes=("${PIPESTATUS[@]}")
  set -o pipefail
  status=${codes[0]}
}

to_a_reader_that_left() {
  local line words
  while read -r line; do
    read -ra words <<<"$line"
    to_nobody "$daxrace" "${words[@]}"
    expect_status 0 "$line | true"
    if grep -q 'standard output' "$work/err"; then fail "$line | true: told of as a mistake"; fi
  done < <(printing | grep -v -e history -e kernel)
  to_nobody "$daxrace" compare a.csv broken.csv
  expect_status 1 "a broken promise | true"
}

main() {
  mkdir files
  local name
  for name in a b; do
    run "$daxrace" run --workload=load --protocol=ext4 --duration=5ms --warmup=1ms --repetitions=2 --quiet --out=$name.csv
  done
  sed 's/,kept,ok,/,broken,ok,/' b.csv >broken.csv
  to_a_full_disk
  to_a_reader_that_left
  finish
}
main
