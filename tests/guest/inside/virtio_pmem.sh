#!/usr/bin/env bash
# What tests/guest/virtio_pmem.sh runs in the guest, on ext4 with DAX. Each line says what it is about.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 1
program=build/release/daxrace
dir=$DAXRACE_DAX0
device=$(findmnt -n -o SOURCE "$dir")

marked() { sed "s/^/$1: /"; }
litmus() { "$program" litmus --target=kernel --dir="$dir" --operation=punch "$@"; }
# status_and_error NAME COMMAND...: the status and the first line of stderr.
status_and_error() {
  local status=0
  "${@:2}" >/dev/null 2>/tmp/error || status=$?
  echo "$1: $status $(head -n 1 /tmp/error)"
}
mounted_with() {
  umount "$dir" && mount -o "$1" "$device" "$dir"
}

litmus --access=read,pin,pin_munmap,fsync,fsync_sync | marked ext4
status_and_error fsdax "$program" run --backing="fsdax:$dir" --workload=load --repetitions=1 --duration=50ms --no-table --out=/tmp/fsdax.csv
"$program" run --target=kernel --dir="$dir" --workload=fault --placement=none --repetitions=1 --duration=200ms --quiet --no-table --out=/tmp/kernel.csv
echo "run: $? $(grep -o -m 1 ',fsdax,' /tmp/kernel.csv | tr -d ,)"
echo 0 >"/sys/block/${device#/dev/}/dax/write_cache"
litmus --access=read | grep write_cache | marked write_cache
echo 1 >"/sys/block/${device#/dev/}/dax/write_cache"

# Memory that the firmware reserved: a device of no namespace, of which libpmem2 dies.
status_and_error reserved "$program" run --backing="devdax:$DAXRACE_RESERVED" --destroy-data --workload=load,punch --protocol=iolock_mmaplock \
  --repetitions=1 --duration=200ms --quiet --no-table --out=/tmp/reserved.csv
status_and_error region env DAXRACE_DAX1="$DAXRACE_RESERVED" build/release/tests/guest_region_test --gtest_brief=1 --gtest_filter='*GuestRegion*/node1'

mounted_with dax=inode || exit 1
status_and_error inode "$program" litmus --target=kernel --dir="$dir" --operation=punch --access=read
status_and_error required "$program" litmus --target=kernel --dir="$dir" --require=dax
chattr +x "$dir"
status_and_error chattr "$program" litmus --target=kernel --dir="$dir" --operation=punch --access=read --require=dax,decided

umount "$dir"
modprobe xfs
mkfs.xfs -q -f -m reflink=0 "$device" && mount -o dax=always "$device" "$dir" || exit 1
litmus --access=read,pin,pin_munmap,fsync,fsync_sync | marked xfs
exit 0
