# Shared by the tests of the program's command line; to be sourced with the test's own arguments.
# shellcheck shell=bash disable=SC2034
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

daxrace=${1:-$top/build/release/daxrace}
[[ -x $daxrace ]] || { echo "FAILED: no program at $daxrace: build it, or name it as the first argument"; exit 1; }
daxrace=$(realpath "$daxrace")
cd "$work" || exit 1

# A run that is short and has no reason to fail once it is given a workload.
short=(run --protocol=iolock_mmaplock --duration=20ms --warmup=5ms --repetitions=2 --quiet)

# refused WHAT PATTERN OPTION...: exit 2, one line on stderr that matches, nothing on stdout.
refused() {
  local what=$1 pattern=$2
  shift 2
  run "$daxrace" "${short[@]}" --workload=load "$@"
  expect_status 2 "$what"
  expect_err "$pattern" "$what"
  expect_one_line_err "$what"
  expect_no_out . "$what"
}

# How many finished episodes a result file holds; a file that is not there holds none.
episodes_in() {
  [[ -f $1 ]] || { echo 0; return; }
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "path") path = i; next } $path == "all"' "$1" | wc -l
}

# Every line of a result file has as many fields as its header (no field of these runs holds a comma).
expect_whole_rows() {
  awk -F, 'NR == 1 { n = NF } NF != n { bad = 1 } END { exit bad }' "$1" || fail "$2: a row of $1 is not whole"
  [[ -z $(tail -c1 "$1") ]] || fail "$2: $1 does not end with a line end"
}
