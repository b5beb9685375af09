#!/usr/bin/env bash
# usage: bad_targets.sh [PROGRAM]: what cannot or must not be used is refused with one line and exit status 2, and
# nobody's file is touched.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

backings() {
  mkdir dir
  refused "fsdax without DAX" 'dir' --backing=fsdax:dir
  refused "fsdax that is not there" 'nowhere' --backing=fsdax:/nowhere
  refused "devdax that is not there" 'dax9\.9' --backing=devdax:/dev/dax9.9 --destroy-data
  refused "devdax that is no such device" '/dev/null' --backing=devdax:/dev/null --destroy-data
  refused "a file in a directory that is not there" '/nowhere' --backing=file:/nowhere/frames
  refused "frames that do not fit pages" 'frame-bytes=6000' --frame-bytes=6000
  refused "more memory than there is" 'MiB are available' --file-pages=200000000
}

other_peoples_files() {
  echo "precious" >theirs
  refused "somebody's file as backing" 'theirs' --backing=file:theirs
  refused "somebody's file as results" 'theirs' --out=theirs --append
  refused "somebody's file as results" 'theirs' --out=theirs
  refused "somebody's file as peer" 'theirs' --workload=aio_read --peer-file=theirs
  [[ $(cat theirs) == precious ]] || fail "somebody's file was written to"
}

results() {
  refused "results in a directory that is not there" '/nowhere' --out=/nowhere/x.csv
  refused "results in a directory" 'dir' --out=dir
  refused "results in a device" '/dev/null' --out=/dev/null
  run "$daxrace" "${short[@]}" --workload=load --out=here.csv
  expect_status 0 "a first run"
  refused "results that are there" 'here\.csv.*--append.*--force' --out=here.csv
  run "$daxrace" "${short[@]}" --workload=load --out=here.csv --append
  expect_status 0 "--append"
  [[ $(episodes_in here.csv) -eq 4 ]] || fail "--append: not 2 + 2 episodes but $(episodes_in here.csv)"
  run "$daxrace" "${short[@]}" --workload=load --out=here.csv --force
  [[ $(episodes_in here.csv) -eq 2 ]] || fail "--force: not 2 episodes but $(episodes_in here.csv)"
}

no_permission() {
  [[ $EUID -eq 0 ]] || return 0
  command -v setpriv >/dev/null || { echo "note: no setpriv; permissions not tried"; return 0; }
  mkdir -m 700 private
  run setpriv --reuid=65534 --regid=65534 --clear-groups "$daxrace" "${short[@]}" --workload=load --out="$work/private/x.csv"
  expect_status 2 "no permission"
  expect_one_line_err "no permission"
  expect_err 'private' "no permission"
}

main() {
  backings
  other_peoples_files
  results
  no_permission
  finish
}
main
