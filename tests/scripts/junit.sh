#!/usr/bin/env bash
# The summary of test.sh names every test that did not run, with its reason.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

run awk -f "$top/scripts/junit.awk" "$top/tests/scripts/fixtures/junit.xml"
cat >"$work/expected" <<'LINES'
run	A.Ok	
notrun	A.Skip	no second "node" <here>
notrun	guest.one	no <QEMU> & co
run	guest.two	
fail	guest.bad	
notrun	guest.absent	Unable to find executable
disabled	off	disabled
partly	half	one NUMA node; no pmem
LINES
diff "$work/expected" "$work/out" || fail "not what ctest said"

finish
