#!/usr/bin/env bash
# usage: kernel_reflink.sh KERNEL: clone and dedupe against a pin, on XFS with reflink: they are decided, and the stand-alone
# reproducer says what the litmus cell says.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest
kernel=${1:?which kernel?}

part "$kernel" xfs kernel_reflink
expect_status 0 "the guest"
for operation in clone dedupe unshare; do
  expect_out ",$operation,read,H2,waited," "$operation waits for a read"
  expect_out ",$operation,pin,H4,(waited|spin)," "$operation against a pin is decided"
done
expect_out ",unshare,pin,H4,waited," "unshare, which has one file, sleeps for a pin"
if grep -q ',clone,pin,H4,spin,' "$work/out"; then
  expect_out '^litmus 1$' "a spin is something wrong"
  expect_out '^shown: the clone ran for ' "the reproducer"
  expect_out '^clone_spin 1$' "the reproducer"
else
  expect_out '^not shown: ' "the reproducer"
  expect_out '^clone_spin 0$' "the reproducer"
fi
finish
