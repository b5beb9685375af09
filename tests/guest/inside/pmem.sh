#!/usr/bin/env bash
# What tests/guest/setup_pmem.sh runs in the guest, on namespaces that nobody has set up.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit
setup=scripts/setup-pmem.sh
$setup --list
# What is proposed lies in RAM, and not in what is pmem already.
$setup --advise-memmap --size=128 || exit
$setup --create --namespace=namespace0.0 --mode=fsdax && echo "WRONG: created without --yes"
ndctl list -N
$setup --create --namespace=namespace0.0 --mode=fsdax --yes || exit
$setup --create --namespace=namespace1.0 --mode=devdax --align=4k --yes || exit
mkfs.ext4 -q -F -b 4096 /dev/pmem0 && mount -o dax=always /dev/pmem0 /mnt/pmem0
$setup --create --namespace=namespace0.0 --mode=devdax --yes --destroy-data && echo "WRONG: took a mounted namespace"
umount /mnt/pmem0
$setup --create --namespace=namespace0.0 --mode=devdax --yes && echo "WRONG: took a file system"
mount -o dax=always /dev/pmem0 /mnt/pmem0
echo "after:"
$setup --list
