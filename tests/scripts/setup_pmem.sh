#!/usr/bin/env bash
# setup-pmem.sh tells what is there, and creates nothing without --yes, a named namespace and a free, empty device.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

root=$work/root
nd=$root/sys/bus/nd/devices

# namespace NAME NODE MODE [HOLDER]
namespace() {
  mkdir -p "$nd/$1"
  echo 17179869184 >"$nd/$1/size"
  echo "$2" >"$nd/$1/numa_node"
  echo "$3" >"$nd/$1/mode"
  echo "${4:-}" >"$nd/$1/holder"
}

# dax_device NAME NODE DRIVER
dax_device() {
  local device=$root/sys/bus/dax/devices/$1
  mkdir -p "$device"
  echo 1073741824 >"$device/size"
  echo "$2" >"$device/numa_node"
  echo "$2" >"$device/target_node"
  [[ -n $3 ]] || return 0
  mkdir -p "$root/drivers/$3"
  ln -s "$root/drivers/$3" "$device/driver"
}

fill_machine() {
  rm -rf "$root"
  mkdir -p "$root"/{proc/self,dev,sys/bus/dax/devices,sys/class/block} "$nd"
  namespace namespace0.0 0 memory
  mkdir -p "$nd/namespace0.0/block/pmem0"
  namespace namespace1.0 1 dax dax1.0
  mkdir -p "$nd/dax1.0/dax1.0"
  dax_device dax1.0 1 device_dax
  namespace namespace2.0 0 raw
  mkdir -p "$nd/namespace2.0/block/pmem2"
  truncate -s 16M "$root/dev/pmem2"
  namespace namespace3.0 1 memory pfn3.0
  mkdir -p "$nd/pfn3.0/block/pmem3"
  namespace namespace9.0 1 raw
  echo 0 >"$nd/namespace9.0/size" # a seed, not a namespace
  dax_device dax7.0 1 kmem
  dax_device dax8.0 0 ""
  dax_device dax8.1 0 fsdev_dax
  dax_device dax8.2 0 device_dax
  echo 2 >"$root/sys/bus/dax/devices/dax8.2/target_node"
  echo "/dev/pmem0 /mnt/pmem0 xfs rw,relatime,dax=always 0 0" >"$root/proc/mounts"
  echo "Filename Type Size Used Priority" >"$root/proc/swaps"
}

# An ndctl that only leaves a mark: were it ever called, $work/called would exist.
mkdir "$work/bin"
printf '#!/bin/sh\necho "$@" >>"%s/called"\n' "$work" >"$work/bin/ndctl"
chmod +x "$work/bin/ndctl"

setup() { run env PATH="$work/bin:$PATH" DAXRACE_ROOT="$root" "$top/scripts/setup-pmem.sh" "$@"; }

fill_machine
setup --list
expect_status 0 "list"
expect_out '^namespace0\.0 +fsdax +16\.0 GiB +0 +/dev/pmem0 +--backing=fsdax:/mnt/pmem0 \(xfs\)' "a mounted fsdax namespace"
expect_out '^namespace1\.0 +devdax +16\.0 GiB +1 +/dev/dax1\.0 +--backing=devdax:/dev/dax1\.0 --destroy-data' "a devdax namespace"
expect_out '^namespace2\.0 +raw .*--create --namespace=namespace2\.0' "a raw namespace"
expect_out '^namespace3\.0 +fsdax .*/dev/pmem3 +not mounted' "an fsdax namespace behind a pfn device"
expect_out '^- +devdax +1\.0 GiB +1 +/dev/dax7\.0 +serves as RAM' "a DAX device that is used as RAM"
expect_out '/dev/dax8\.0 +no driver, nothing can map it: daxctl enable-device dax8\.0' "a DAX device without a driver"
expect_out '/dev/dax8\.1 +not to be mapped \(fsdev_dax\): daxctl reconfigure-device' "a DAX device of a driver for file systems"
expect_out '/dev/dax8\.2 +--backing=devdax:/dev/dax8\.2 --destroy-data \(memory of node 2\)' "a DAX device whose memory is another node"
expect_no_out 'namespace9\.0' "a seed"

echo "/dev/pmem0 /mnt/pmem0 ext4 rw,relatime 0 0" >"$root/proc/mounts"
setup --list
expect_out 'namespace0\.0 .*without dax' "a mount without DAX"

rm -rf "$root/sys/bus"
setup --list
expect_status 0 "no pmem"
expect_out '\(none' "no pmem"

# Creation: each refusal names its reason in one line.
refused() {
  local what=$1 reason=$2
  shift 2
  setup "$@"
  expect_status 2 "$what"
  expect_err "$reason" "$what"
  expect_one_line_err "$what"
}

fill_machine
refused "no namespace named" 'needs --namespace' --create --mode=fsdax --yes
refused "no mode" 'needs --mode' --create --namespace=namespace2.0 --yes
refused "an unknown mode" 'use fsdax or devdax' --create --namespace=namespace2.0 --mode=sector --yes
refused "an unknown namespace" 'there is no namespace8.0' --create --namespace=namespace8.0 --mode=fsdax --yes
refused "a path for a namespace" 'must look like' --create --namespace=../pmem0 --mode=fsdax --yes
refused "no --yes" 'add --yes' --create --namespace=namespace2.0 --mode=fsdax
refused "a mounted namespace" 'is mounted' --create --namespace=namespace0.0 --mode=devdax --yes --destroy-data
refused "a namespace in use before" 'set up before' --create --namespace=namespace3.0 --mode=devdax --yes
refused "a fixture" 'DAXRACE_ROOT is set: would run: ndctl create-namespace --force --reconfig=namespace2.0 --mode=devdax --map=mem --align=4K' \
  --create --namespace=namespace2.0 --mode=devdax --align=4k --yes
refused "two actions" 'one at a time' --create --list
refused "no action" 'what\?'
refused "an unknown option" "unknown option '--force'" --force

echo "/dev/pmem2p1 /data ext4 rw 0 0" >>"$root/proc/mounts"
refused "a mounted partition" 'is mounted' --create --namespace=namespace2.0 --mode=devdax --yes
fill_machine
echo "/dev/pmem2 partition 1048576 0 -2" >>"$root/proc/swaps"
refused "swap space" 'swap' --create --namespace=namespace2.0 --mode=devdax --yes
fill_machine
mkdir -p "$root/sys/class/block/pmem2/holders/dm-0"
refused "a device that is held" 'held by dm-0' --create --namespace=namespace2.0 --mode=devdax --yes
fill_machine
mkdir -p "$root/proc/77"
echo "7f0000000000-7f0000200000 rw-s 00000000 00:06 12  /dev/dax1.0" >"$root/proc/77/maps"
refused "a device that is mapped" 'in use by a process' --create --namespace=namespace1.0 --mode=fsdax --yes --destroy-data
fill_machine
rm "$root/dev/pmem2"
refused "a device that cannot be read" "no device that could be looked into" --create --namespace=namespace2.0 --mode=devdax --yes
if command -v mkfs.ext4 >/dev/null || [[ -x /sbin/mkfs.ext4 ]]; then
  fill_machine
  PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q -F "$root/dev/pmem2"
  refused "a file system" 'carries ext4' --create --namespace=namespace2.0 --mode=devdax --yes
  mv "$root/dev/pmem2" "$root/dev/pmem0"
  : >"$root/proc/mounts"
  refused "a file system on memmap= pmem" "carries ext4" --create --namespace=namespace0.0 --mode=devdax --yes
fi
[[ ! -e $work/called ]] || fail "ndctl was called: $(cat "$work/called")"

finish
