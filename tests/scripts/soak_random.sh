#!/usr/bin/env bash
# Nothing that is known to be right is accused, whatever the options: a minute of random valid combinations. The seed is
# printed; DAXRACE_TEST_SEED repeats it.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

status=0
said=$("$top/scripts/soak.sh" --random --seconds=60 --seed="${DAXRACE_TEST_SEED:-$RANDOM}" 2>&1) || status=$?
printf '%s\n' "$said"
[[ $status -ne 77 ]] || skip "nothing could run"
[[ $status -eq 0 ]] || fail "a safe protocol was accused"
# A busy machine does fewer than the hundred of a quiet one.
turns=$(sed -n 's/^\([0-9]*\) turns, .*/\1/p' <<<"$said")
((${turns:-0} >= 20)) || fail "only ${turns:-no} turns in a minute"

finish
