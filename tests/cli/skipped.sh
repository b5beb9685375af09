#!/usr/bin/env bash
# usage: skipped.sh [PROGRAM]: what this machine cannot run becomes a row with its reason; exit status 77 only if
# nothing could run.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# column FILE NAME: of the rows that stand for episodes
column() {
  awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["path"] == "all" { print $at[name] }' "$1"
}

# A library that refuses io_uring as a container's seccomp profile does.
refusing_library() {
  command -v cc >/dev/null || skip "no C compiler"
  cat >refuse.c <<'C'
#include <errno.h>
int io_uring_queue_init(unsigned entries, void *ring, unsigned flags) { (void)entries, (void)ring, (void)flags; return -EPERM; }
int io_uring_queue_init_params(unsigned entries, void *ring, void *p) { (void)entries, (void)ring, (void)p; return -EPERM; }
C
  cc -shared -fPIC -o refuse.so refuse.c
}

without_io_uring() {
  refusing_library
  run env LD_PRELOAD="$work/refuse.so" "$daxrace" "${short[@]}" --workload=aio_read --out=none.csv
  expect_status 77 "aio without io_uring"
  expect_out 'skipped: 1 \(.*io_uring' "aio without io_uring"
  [[ $(column none.csv status) == skipped ]] || fail "aio without io_uring: no row says skipped"
  [[ $(column none.csv repetition) == 0 ]] || fail "aio without io_uring: the row's repetition is not 0"
  [[ $(column none.csv reason) == *io_uring* ]] || fail "aio without io_uring: the row has no reason"

  run env LD_PRELOAD="$work/refuse.so" "$daxrace" "${short[@]}" --workload=aio_read,load --out=some.csv
  expect_status 0 "some without io_uring"
  [[ $(column some.csv status | sort | uniq -c | tr -s ' \n' ' ') == " 2 ok 1 skipped " ]] ||
    fail "some without io_uring: $(column some.csv status | tr '\n' ' ')"
}

remote_on_one_node() {
  [[ $(find /sys/devices/system/node -maxdepth 1 -name 'node[0-9]*' 2>/dev/null | wc -l) -le 1 ]] || return 0
  run "$daxrace" "${short[@]}" --workload=load --placement=remote,local --out=remote.csv
  expect_status 0 "remote on one node"
  [[ $(column remote.csv status | sort | uniq -c | tr -s ' \n' ' ') == " 2 ok 1 skipped " ]] ||
    fail "remote on one node: $(column remote.csv status | tr '\n' ' ')"
  run "$daxrace" "${short[@]}" --workload=load --placement=remote --out=only.csv
  expect_status 77 "nothing but remote on one node"
}

no_range_to_zero() {
  local place
  if [[ $(stat -f -c %T /dev/shm 2>/dev/null) != tmpfs || ! -w /dev/shm ]]; then
    echo "note: no tmpfs at /dev/shm; a file system without zero range not tried"
    return
  fi
  place=$(mktemp -d -p /dev/shm)
  run "$daxrace" run --target=kernel --dir="$place" --workload=zero,collapse,insert,write --duration=20ms --warmup=5ms \
    --repetitions=1 --quiet --out=ranges.csv
  rmdir "$place"
  expect_status 0 "a file system without zero range"
  # Mount options and reasons have commas of their own.
  [[ $(grep -c ',skipped,.*tmpfs' ranges.csv) -eq 3 ]] || fail "a file system without zero range: $(cat ranges.csv)"
  grep -q ',write,' ranges.csv || fail "a file system without zero range: no row of what it has"
}

main() {
  remote_on_one_node
  no_range_to_zero
  if [[ $(ldd "$daxrace") == *libasan* ]]; then
    echo "note: LD_PRELOAD and ASan do not go together; io_uring not tried"
  else
    without_io_uring
  fi
  finish
}
main
