#!/usr/bin/env bash
# What tests/guest/kernel_reflink.sh judges, on XFS with reflink on node 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
umount "$DAXRACE_DAX1"
mkfs.xfs -q -f -m reflink=1 /dev/pmem1
mount -t xfs -o dax=always /dev/pmem1 "$DAXRACE_DAX1"
status=0
build/release/daxrace litmus --target=kernel --dir="$DAXRACE_DAX1" --operation=clone,dedupe,unshare --access=read,pin --require=dax --format=csv || status=$?
echo "litmus $status"
status=0
build/release/tests/reproducers/clone_spin "$DAXRACE_DAX1" || status=$?
echo "clone_spin $status"
