#!/usr/bin/env bash
# What tests/guest/kernel_no_wait.sh judges, on an XFS of its own on each node. The limits are the test's: a litmus that hangs is
# killed, and what it said until then is looked at. Nothing can be asked of these file systems afterwards.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
for node in 0 1; do
  umount "/mnt/pmem$node" 2>/dev/null
  mkfs.xfs -q -f -m reflink=0 "/dev/pmem$node" && mount -t xfs -o dax=always "/dev/pmem$node" "/mnt/pmem$node" || exit
done
litmus() { LD_PRELOAD=build/release/tests/libpunch_in_place.so timeout -k 1 90 build/release/daxrace litmus --target=kernel "$@"; }
PUNCH=nothing litmus --dir="$DAXRACE_DAX0" --operation=punch --access=read,write --format=csv
echo "nothing ended with $?"
PUNCH=freeze litmus --dir="$DAXRACE_DAX1" --operation=punch --access=mapped,read --hang-bound=1s --format=csv
echo "freeze ended with $?"
xfs_freeze -u "$DAXRACE_DAX1"
