#!/usr/bin/env bash
# Every script explains itself, and answers a wrong option with one line and status 2, before it does anything.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# The exits of run.sh and test.sh on unknown options are daxrace's and ctest's own.
for script in build build-time compare-commits compare-speed compare-study docs fresh-machine guest install-deps lint overhead safety setup-pmem soak test; do
  run "$top/scripts/$script.sh" --help
  expect_status 0 "$script.sh --help"
  expect_out "^usage: scripts/$script\\.sh" "$script.sh --help"
  [[ ! -s $work/err ]] || fail "$script.sh --help: something on stderr"
done

refused() {
  local what=$1
  shift
  run "$@"
  expect_status 2 "$what"
  expect_one_line_err "$what"
}
for script in build-time compare-commits compare-speed compare-study docs fresh-machine guest install-deps lint overhead safety setup-pmem soak; do
  refused "$script.sh --no-such-option" "$top/scripts/$script.sh" --no-such-option
  expect_err "unknown option '--no-such-option'" "$script.sh --no-such-option"
done
refused "build.sh of an unknown tree" "$top/scripts/build.sh" debug
refused "build.sh of no tree" "$top/scripts/build.sh"
refused "test.sh of an unknown tree" "$top/scripts/test.sh" --tree=debug

guest=$top/scripts/guest.sh
refused "guest.sh without a command" "$guest"
refused "guest.sh with an empty command" "$guest" --
refused "guest.sh with a command but no --" "$guest" true
refused "guest.sh on an unknown backing" "$guest" --backing=btrfs -- true
refused "guest.sh with an unknown accelerator" "$guest" --accel=warp -- true
refused "guest.sh with a kernel that is none" "$guest" --kernel=newest -- true
refused "guest.sh with a directory that holds no kernel" "$guest" --kernel="$work" -- true
refused "guest.sh with an empty value" "$guest" --kernel= -- true
refused "guest.sh with a time limit that is no number" "$guest" --time-limit=soon -- true
refused "guest.sh with a time limit of nothing" "$guest" --time-limit=0 -- true
refused "guest.sh with too little memory" "$guest" --memory=512 -- true
refused "guest.sh with too much pmem" "$guest" --pmem=1536 -- true
refused "guest.sh on an unknown device" "$guest" --device=nvdimm -- true
refused "guest.sh with devdax on virtio-pmem" "$guest" --device=virtio-pmem --backing=devdax-2m -- true
refused "guest.sh with too much reserved" "$guest" --reserved=512 -- true
refused "guest.sh with reserved memory beside memmap" "$guest" --reserved=256 --backing=xfs -- true
refused "guest.sh with results that cannot be written" "$guest" --results=/proc/none -- true

refused "overhead.sh with a path for a name" "$top/scripts/overhead.sh" --name=../x
refused "overhead.sh with a file of its own" "$top/scripts/overhead.sh" --out=/tmp/x.md
refused "safety.sh of nothing" "$top/scripts/safety.sh" --times=0
refused "compare-commits.sh of nothing" "$top/scripts/compare-commits.sh"
refused "compare-study.sh with a path for a name" "$top/scripts/compare-study.sh" --name=../x
refused "soak.sh of nothing" "$top/scripts/soak.sh" --operations=0
refused "soak.sh with a number that is none" "$top/scripts/soak.sh" --operations=many
refused "soak.sh with a path for a name" "$top/scripts/soak.sh" --name=../x
refused "soak.sh for a time that is none" "$top/scripts/soak.sh" --random --seconds=long

run "$top/scripts/install-deps.sh" --list --all
expect_status 0 "install-deps.sh --list"
for package in g++ libpmem2-dev qemu-system-x86 fio shellcheck debootstrap; do
  grep -qE "^${package//+/[+]} +[^ ]" "$work/out" || fail "install-deps.sh --list does not explain $package"
done

finish
