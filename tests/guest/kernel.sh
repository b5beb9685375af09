#!/usr/bin/env bash
# usage: kernel.sh 6.12|7.x: another of Debian's kernels boots, with DAX in effect on both nodes.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest
version=${1:?which kernel?}

part "$version" xfs kernel
expect_status 0 "kernel $version"
expect_out "^${version%.x}\\.[0-9]" "its version"
expect_out '^/dev/pmem0 /mnt/pmem0 xfs .*dax=always' "XFS on node 0"
expect_out '^/dev/pmem1 /mnt/pmem1 xfs .*dax=always' "XFS on node 1"
expect_out '^DAXRACE_NULLB=/dev/nullb0$' "the null_blk device"

finish
