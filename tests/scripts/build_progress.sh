#!/usr/bin/env bash
# A build says how far it is: a line now and then in a log, one line on a terminal; what a compiler complains about is
# passed on, and a build that fails is not told as one that ended well.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# build.sh as it is, with a ninja of ours that builds nothing.
tree=$work/tree
mkdir -p "$tree/bin" "$tree/scripts"
cp "$top/scripts/build.sh" "$top/scripts/lib.sh" "$tree/scripts"
cat >"$tree/bin/cmake" <<'CMAKE'
#!/bin/sh
[ "$1" = --build ] || exit 0
[ "$NINJA_STATUS" = "@%f/%t " ] || { echo "an unknown status: $NINJA_STATUS"; exit 9; }
echo "@1/8 Building CXX object a.o"
sleep 2
echo "@4/8 Building CXX object b.o"
echo "b.cpp:1: warning: something"
echo "@8/8 Linking CXX executable c"
exit "${NINJA_ENDS_WITH:-0}"
CMAKE
chmod +x "$tree/bin/cmake"
export PATH=$tree/bin:$PATH

run env DAXRACE_PROGRESS_SECONDS=0 "$tree/scripts/build.sh" release
expect_status 0 "a build that ends well"
grep -qxE 'build\.sh: 50 % built, [23] s, about [23] s left' "$work/err" || fail "no line with percent, time and estimate"
grep -qxF 'b.cpp:1: warning: something' "$work/out" || fail "a warning is lost"
grep -q '@' "$work/out" "$work/err" && fail "ninja's own status is shown"

run env DAXRACE_PROGRESS_SECONDS=60 "$tree/scripts/build.sh" release
grep -q 'built' "$work/err" && fail "a log has a line more often than it is asked for"

run env NINJA_ENDS_WITH=3 "$tree/scripts/build.sh" release
expect_status 3 "a build that fails"

run env DAXRACE_PROGRESS_SECONDS=60 script -qec "$tree/scripts/build.sh release" /dev/null
grep -q $'\r\033\\[Kbuild.sh: 50 % built' "$work/out" || fail "a terminal sees no progress"

finish
