#!/usr/bin/env bash
# usage: kernel_no_wait.sh KERNEL [DAXRACE]: a punch that waits for nobody, put in place of the kernel's, and one that nobody comes
# back from: litmus decides or gives up, and ends.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest
need_program
kernel=${1:?which kernel?} program=${2:-$top/build/release/daxrace}

# The limit is the test's own: a litmus that hangs is killed, and what it said until then is looked at.
# shellcheck disable=SC2016  # expanded in the guest
run boot --kernel="$kernel" --backing=xfs --time-limit=240 --results="$work/results" -- /usr/bin/env PROGRAM="$program" TOP="$top" sh -c '
  export LD_PRELOAD=$TOP/build/release/tests/libpunch_in_place.so
  PUNCH=nothing timeout -k 1 90 $PROGRAM litmus --target=kernel --dir=$DAXRACE_DAX0 --operation=punch --access=read,write --format=csv
  echo "nothing ended with $?"
  PUNCH=freeze timeout -k 1 90 $PROGRAM litmus --target=kernel --dir=$DAXRACE_DAX1 --operation=punch --access=mapped,read --hang-bound=1s --format=csv
  echo "freeze ended with $?"
  unset LD_PRELOAD
  xfs_freeze -u $DAXRACE_DAX1'
expect_status 0 "the guest"
expect_err '\[1/2\] punch against read: ' "a cell is told as soon as it is done"
expect_out ',punch,read,H2,(overlapped|content_changed),' "a punch that waits for no read"
expect_out ',punch,write,H2,overlapped,.*did not free the block' "a punch that waits for no write"
expect_out '^nothing ended with [01]$' "a table with a write that holds IOLOCK"
expect_out ',punch,mapped,H1,(hang|inconclusive),' "a change that nobody comes back from"
expect_out ',punch,read,H2,inconclusive,[^,]*,.*did not come back' "a file system that stands still"
expect_out '^freeze ended with [01]$' "a table of a file system that stands still"
finish
