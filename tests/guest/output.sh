#!/usr/bin/env bash
# What a command in the guest says, writes and returns arrives on the host unmixed; nothing else of it does.
# shellcheck disable=SC2016  # dollars must arrive as they are
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest

mkdir "$work/results"
cd "$work"
run boot --time-limit=60 --peer-latency-ns=25000 --results="$work/results" -- \
  bash "$top/tests/guest/inside/output.sh" "two words" "a'quote" '$HOME *' ""

expect_status 77 "the command's exit status"
expect_out '^to stdout: 6\.1\.' "stdout, and the kernel asked for"
expect_err '^to stderr$' "stderr"
expect_err '^reopened$' "a reopened stderr"
expect_no_out 'stderr|reopened|Linux version|\[ +[0-9]+\.[0-9]+\]' "stdout and nothing else"
expect_out '^two words$' "arguments with blanks"
expect_out "^a'quote\$" "arguments with quotes"
expect_out '^\$HOME \*$' "arguments that a shell would expand"
expect_out '^$' "an empty argument"
expect_out '^DAXRACE_EMULATED=(tcg|kvm)$' "how the CPUs are made"
expect_out '^DAXRACE_NULLB=/dev/nullb0$' "the null_blk device"
expect_out '^DAXRACE_SCRATCH=/dev/vda$' "the scratch disk"
expect_out '^DAXRACE_DAX0=$' "no backing asked for"
expect_out '^clocksource tsc$' "a cheap clock"
expect_out '^node 0 cpus 0-1 pmem 0$' "node 0"
expect_out '^node 1 cpus 2-3 pmem 1$' "node 1"
expect_out '^null_blk 25000$' "the peer's latency"
expect_out '^scratch takes O_DIRECT$' "the scratch disk"
expect_out '^null_blk takes O_DIRECT$' "the null_blk device"
[[ $(cat "$work/results/deep/rows.csv" 2>/dev/null) == $'one row\nanother' ]] || fail "rows did not come back"
[[ $(sha256sum <"$work/results/large") == "$(cat "$work/results/large.sha256")" ]] || fail "a large file did not come back whole"
[[ ! -e /usr/left-behind && ! -e $work/left-behind ]] || fail "the guest wrote outside its results"

finish
