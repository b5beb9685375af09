#!/usr/bin/env bash
# build-time.sh holds the CPU time of one commit's build against another's, and leaves nothing behind.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# A project whose build counts to a number of its own.
repo=$work/repo
mkdir -p "$repo/scripts"
cp "$top/scripts/build-time.sh" "$top/scripts/lib.sh" "$repo/scripts"
in_repo() { git -C "$repo" -c user.name=test -c user.email=test@example.invalid "$@"; }
commit_that_counts_to() {
  # shellcheck disable=SC2016  # the script expands it
  printf '#!/bin/bash\n[[ -z ${CMAKE_CXX_COMPILER_LAUNCHER:-} && $CCACHE_DISABLE == 1 ]] || exit 1\nfor ((i = 0; i < %d; i++)); do :; done\n' "$1" >"$repo/scripts/build.sh"
  chmod +x "$repo/scripts/build.sh"
  in_repo add -A
  in_repo commit -q -m "count to $1"
}
in_repo init -q
commit_that_counts_to 1000000
commit_that_counts_to 100000

run env CMAKE_CXX_COMPILER_LAUNCHER=ccache "$repo/scripts/build-time.sh" --base=HEAD~1 --tree=address --turns=2 --name=here
expect_status 0 "two commits"
awk -F'|' '$2 == " address " { rows++; if ($6 + 0 > 0 && $6 + 0 < 0.6) good++ } END { exit !(rows == 2 && good == 2) }' \
  "$repo/results/build/here.md" || fail "not two rows that say that the second commit builds in a tenth of the time"
cmp -s "$work/out" "$repo/results/build/here.md" || fail "the file is not what was said"
[[ $(in_repo worktree list | wc -l) -eq 1 ]] || fail "a checkout is left"

printf '#!/bin/sh\necho no compiler\nexit 7\n' >"$repo/scripts/build.sh"
in_repo commit -qam "fail"
run "$repo/scripts/build-time.sh" --base=HEAD~1 --tree=release
expect_status 1 "a build that fails"
grep -q '^no compiler$' "$work/err" || fail "what the build said is lost"

finish
