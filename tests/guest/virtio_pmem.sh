#!/usr/bin/env bash
# usage: virtio_pmem.sh KERNEL: DAX on a device that flushes asynchronously, ext4 and XFS: judged as on any other, without the
# cell that needs MAP_SYNC; what is said where the device has DAX and the file has not; and a devdax device of no namespace.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest
need_program
kernel=${1:?which kernel?}

run boot --kernel="$kernel" --device=virtio-pmem --backing=ext4 --reserved=256 --time-limit=240 --results="$work/results" -- \
  "$top/tests/guest/inside/virtio_pmem.sh"
expect_status 0 "the guest"
for fs in ext4 xfs; do
  expect_out "^$fs: kernel .*, $fs with DAX without MAP_SYNC on /dev/pmem[0-9]" "$fs: the head"
  expect_out "^$fs: read +waited" "$fs: a read is waited for"
  expect_out "^$fs: pin +waited" "$fs: a pin is waited for"
  # As on memmap: up to 6.14 nobody waits for a pin that outlives its mapping.
  case $kernel in
    6.1 | 6.12) expect_out "^$fs: pin_munmap +CHANGED" "$fs: a pin that outlives its mapping" ;;
    *) expect_out "^$fs: pin_munmap +waited" "$fs: a pin that outlives its mapping" ;;
  esac
  expect_out "^$fs: fsync +(flushed|UNFLUSHED)" "$fs: fsync is judged"
  expect_out "^$fs: +MAP_SYNC is refused: the device flushes asynchronously" "$fs: the one cell that needs it"
  expect_out "^$fs: 5 cells in .*, 1 not decided \(1 skipped\)" "$fs: the last line"
done
expect_out '^fsdax: 2 daxrace: /mnt/pmem0 is on DAX, but its device flushes asynchronously' "the backing"
expect_out '^run: 0 fsdax' "a run on the kernel needs no MAP_SYNC"
expect_out '^reserved: 0 ' "a devdax device of no namespace"
expect_out '^region: 0 ' "the tests of the region on it"
expect_out '^write_cache: write_cache of /dev/pmem[0-9] is off' "a device that writes no cache back"
expect_out '^inode: 0 daxrace: litmus: /dev/pmem[0-9] has DAX, .*: chattr \+x /mnt/pmem0, or mount it with dax=always$' "a file without DAX"
expect_out '^required: 77 daxrace: --require=dax: /dev/pmem[0-9] has DAX' "the same where DAX is required"
expect_out '^chattr: 0 \[1/1\] punch against read: waited$' "after chattr +x"
finish
