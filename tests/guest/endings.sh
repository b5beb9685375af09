#!/usr/bin/env bash
# A command that fails, one that never ends, a guest that dies and one that never comes up are told apart.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_guest

boots() { run timeout 120 "$guest" --results="$work/results" "$@"; }
expect_no_leftovers() {
  ! compgen -G "$work/daxrace-guest-*" >/dev/null || fail "$1: left files in the temporary directory"
}
export TMPDIR=$work

boots -- sh -c 'echo partial; exit 3'
expect_status 3 "a command that fails"
expect_out '^partial$' "a command that fails"

# It holds on to its output and leaves a child behind, as a stuck benchmark would.
boots --time-limit=3 -- sh -c 'trap "" TERM; echo begun; sleep 1000 & wait; sleep 1000'
expect_status 124 "a command that never ends"
expect_out '^begun$' "what it said before"
expect_err 'time limit of 3 s' "a command that never ends"
expect_err '\| .*sleep 1000' "the processes that were running"

boots -- sh -c 'echo begun; sleep 1; echo c >/proc/sysrq-trigger; sleep 60'
expect_status 125 "a kernel panic"
expect_out '^begun$' "what it said before the panic"
expect_err 'sysrq triggered crash' "the console of a kernel panic"
expect_err 'died while the command ran: kernel panic' "a kernel panic"

boots --boot-limit=1 -- true
expect_status 125 "a guest that never comes up"
expect_err 'never came up \(stopped after 1 s\)' "a guest that never comes up"

boots -- no-such-command
expect_status 127 "a command that does not exist"
expect_no_leftovers "all endings"

finish
