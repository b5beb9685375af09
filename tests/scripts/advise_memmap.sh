#!/usr/bin/env bash
# setup-pmem.sh --advise-memmap proposes only what lies wholly in free System RAM of each node, and changes nothing.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

mib=$((1 << 20))
fixtures=$top/tests/scripts/fixtures

# machine NAME: a fixture root with that iomem and no nodes
machine() {
  root=$work/root
  rm -rf "$root"
  mkdir -p "$root"/{proc,sys/devices/system/memory,sys/devices/system/node}
  cp "$fixtures/$1.iomem" "$root/proc/iomem"
  iomem=$root/proc/iomem
  echo 8000000 >"$root/sys/devices/system/memory/block_size_bytes"
  : >"$root/proc/cmdline"
}

# node N FIRST LAST: gives a node the 128 MiB blocks that hold the addresses from FIRST to LAST (hexadecimal)
node() {
  # One call: a machine has thousands of blocks.
  (cd "$root/sys/devices/system/node" && mkdir -p "node$1" && cd "node$1" && seq -f "memory%.0f" $((16#$2 / (128 * mib))) $((16#$3 / (128 * mib))) | xargs mkdir -p)
}

advise() { run env DAXRACE_ROOT="$root" "$top/scripts/setup-pmem.sh" --advise-memmap "$@"; }

# Independent of the script: the proposal against the raw lines of iomem.
in_free_ram() {
  local low=$1 high=$2 range name first last inside=""
  while read -r range _ name; do
    first=$((16#${range%-*})) last=$((16#${range#*-}))
    case $name in
      "System RAM") if ((low >= first && high <= last)); then inside=1; fi ;;
      *) if ((low <= last && high >= first)); then return 1; fi ;;
    esac
  done <"$iomem"
  [[ -n $inside ]]
}

# Every proposal of the last advice: aligned, in free RAM, and on the node whose turn it is.
check_proposals() {
  local what=$1 word size at low
  shift
  local words
  read -r -a words < <(grep '^memmap=' "$work/out" || echo)
  for word in "${words[@]}"; do
    size=${word#memmap=} at=${word#*!}
    size=$(numfmt --from=iec "${size%!*}") at=$(numfmt --from=iec "$at")
    ((size % (128 * mib) == 0 && at % (128 * mib) == 0)) || fail "$what: $word is not aligned to 128 MiB"
    in_free_ram "$at" "$((at + size - 1))" || fail "$what: $word does not lie in free System RAM"
    for low in "$at" "$((at + size - 1))"; do
      [[ -d $root/sys/devices/system/node/node$1/memory$((low / (128 * mib))) ]] || fail "$what: $word is not on node $1"
    done
    shift
  done
  [[ $# -eq 0 ]] || fail "$what: $# node(s) without a proposal"
}

two_nodes() {
  machine two_nodes
  node 0 0 6effffff
  node 0 100000000 107fffffff
  node 1 1880000000 287effffff
}

two_nodes
before=$(find "$root" | sort | sha256sum)
advise
expect_status 0 "two nodes"
check_proposals "two nodes" 0 1
expect_out 'nothing was changed' "two nodes"
[[ $(find "$root" | sort | sha256sum) == "$before" ]] || fail "two nodes: something was written"

advise --size=1024
expect_status 0 "1 GiB each"
check_proposals "1 GiB each" 0 1
expect_out '^memmap=1G![0-9]+[GM] memmap=1G![0-9]+[GM]$' "1 GiB each"

advise --size=100
expect_status 2 "a size that is not aligned"
expect_one_line_err "a size that is not aligned"
advise --size=1048576
expect_status 2 "more than half of the RAM"
expect_err 'more than half' "more than half of the RAM"
advise --size=many
expect_status 2 "a size that is no number"

# The kernel sits where the proposal would be: it must go below.
machine kernel_on_top
node 0 0 7fffffff
node 0 100000000 17fffffff
advise --size=1024
expect_status 0 "kernel at the top"
check_proposals "kernel at the top" 0

machine kernel_on_top
node 0 0 7fffffff
node 1 100000000 17fffffff
advise
check_proposals "a node below 4 GiB" 0 1
expect_out 'below 4 GiB' "a node below 4 GiB"

# Without sysfs nodes there is one node, and all RAM is its own.
machine kernel_on_top
rm -rf "$root/sys/devices/system"
advise --size=512
expect_status 0 "no nodes in sysfs"
expect_out '^memmap=512M!' "no nodes in sysfs"

two_nodes
rm -rf "$root/sys/devices/system/memory"
advise
expect_status 2 "two nodes of unknown extent"
expect_no_out '^memmap=' "two nodes of unknown extent"

machine hidden
node 0 0 7fffffff
advise
expect_status 2 "addresses hidden from users"
expect_err 'root' "addresses hidden from users"
expect_one_line_err "addresses hidden from users"

machine small
node 0 0 7ffffff
advise
expect_status 2 "a machine too small"
expect_out 'no room' "a machine too small"
expect_no_out '^memmap=' "a machine too small"

two_nodes
echo "root=/dev/sda1 memmap=1G!4G memmap=1G!8G memmap=1G!12G" >"$root/proc/cmdline"
advise
expect_out '3 memmap= parameter' "parameters that are there already"
expect_out 'KASLR' "parameters that are there already"

finish
