#!/usr/bin/env bash
# setup-pmem.sh on a real kernel: the fixtures of its other tests are right, and ndctl does what it is told.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest

run boot --time-limit=180 --results="$work/results" -- bash "$top/tests/guest/inside/pmem.sh"
expect_status 0 "setup-pmem.sh in the guest"
expect_no_out WRONG "a refusal that did not happen"
expect_out '^node 0: 128 MiB of its' "advice for node 0"
expect_out '^node 1: 128 MiB of its' "advice for node 1"
expect_out '^memmap=128M![0-9]+[MG] memmap=128M![0-9]+[MG]$' "advice"
expect_out '^namespace0\.0 +fsdax +512 MiB +0 +/dev/pmem0 +not mounted' "a namespace as it comes"
expect_err 'add --yes' "creation without --yes"
expect_err '/dev/pmem0 is mounted' "creation on a mounted namespace"
expect_err '/dev/pmem0 carries ext4' "creation on a file system"
sed -n '/^after:/,$p' "$work/out" >"$work/after"
mv "$work/after" "$work/out"
expect_out '^namespace0\.0 +fsdax .*/dev/pmem0 +--backing=fsdax:/mnt/pmem0 \(ext4\)' "the fsdax namespace"
expect_out '^namespace1\.0 +devdax .*/dev/dax1\.0 +--backing=devdax:/dev/dax1\.0 --destroy-data' "the devdax namespace"

finish
