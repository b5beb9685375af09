#!/usr/bin/env bash
# usage: kernel_no_wait.sh KERNEL: a punch that waits for nobody, put in place of the kernel's, and one that nobody comes
# back from: litmus decides or gives up, and ends.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest
kernel=${1:?which kernel?}

part "$kernel" xfs kernel_no_wait
expect_status 0 "the guest"
expect_err '\[1/2\] punch against read: ' "a cell is told as soon as it is done"
expect_out ',punch,read,H2,(overlapped|content_changed),' "a punch that waits for no read"
expect_out ',punch,write,H2,overlapped,.*did not free the block' "a punch that waits for no write"
expect_out '^nothing ended with [01]$' "a table with a write that holds IOLOCK"
expect_out ',punch,mapped,H1,(hang|inconclusive),' "a change that nobody comes back from"
expect_out ',punch,read,H2,inconclusive,[^,]*,.*did not come back' "a file system that stands still"
expect_out '^freeze ended with [01]$' "a table of a file system that stands still"
finish
