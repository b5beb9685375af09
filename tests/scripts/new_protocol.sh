#!/usr/bin/env bash
# usage: new_protocol.sh BUILD_TREE: adding a protocol costs one header and one word. Does what a newcomer does: a header from the
# skeleton, a word in the list, a build of what that touches, the one command that writes the tables; then all is green.
# It happens in copies of the tree and of its build, which are mounted in their places, so that nothing is built twice.
set -euo pipefail
if [[ ${1:-} != inside ]]; then
  # shellcheck source=tests/lib.sh
  . "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
  build=$(realpath "${1:?which build tree?}")
  namespace=(unshare -m)
  "${namespace[@]}" true 2>/dev/null || namespace=(unshare -rm)
  "${namespace[@]}" true 2>/dev/null || skip "no mount namespaces here"
  mkdir -p "$work/tree"
  (cd "$top" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp -a --parents -t "$work/tree")
  cp -a "$build" "$work/build"
  [[ $build != "$top"/* ]] || mkdir -p "$work/tree/${build#"$top/"}"
  status=0
  "${namespace[@]}" "$work/tree/tests/scripts/new_protocol.sh" inside "$work" "$top" "$build" || status=$?
  exit "$status"
fi

copies=$2 top=$3 build=$4
mount --make-rprivate /
mount --bind "$copies/tree" "$top"
mount --bind "$copies/build" "$build"
cd "$top"
# shellcheck source=tests/lib.sh
. "$top/tests/lib.sh"
daxrace=$build/daxrace

build() { cmake --build "$build" --target "$@"; }

# The sixth order of three waits that no kernel has: inode_dio_wait after MMAPLOCK, busy pages last.
header() {
  sed 's/@NAME@/example_order/' protocols/skeleton.hpp.in | awk '
    /\.stands_for/ { sub(/".*"/, "\"an order that no kernel has\"") }
    /\.summary/ { sub(/".*"/, "\"IOLOCK excl; MMAPLOCK excl; inode_dio_wait; break busy pages; flush_unmap\"") }
    /inode_dio_wait\(k/ { next }
    /break_busy_pages\(k/ { print "    inode_dio_wait(k, ip);" }
    { print }'
}

sed -i 's/^  range_lock$/&\n  example_order/' protocols/CMakeLists.txt

# A member that is missing is one error, with its name.
header | sed 's/static int change(/static int chance(/' >protocols/example_order.hpp
run build daxrace_protocols
[[ $status -ne 0 ]] || fail "a protocol without change(): built"
errors=$(cat "$work/out" "$work/err" | grep -c 'error: ' || true)
[[ $errors -eq 1 ]] || fail "a protocol without change(): $errors errors, not 1"
grep -q 'P::change(k, ip, change)' "$work/out" "$work/err" || fail "a protocol without change(): the error does not name it"

header >protocols/example_order.hpp
run build daxrace docs_test litmus_test explore_test contract_test
expect_status 0 "the build with one header and one word more"
[[ $failures -eq 0 ]] || finish

# Tests whose tables lack it say how to write them.
run "$build/tests/docs_test" --gtest_brief=1
expect_status 1 "docs_test before the tables are written"
expect_out 'run ./scripts/docs.sh' "docs_test before the tables are written"
run "$build/tests/litmus_test" --gtest_brief=1 --gtest_filter='Litmus.the_page*'
expect_status 1 "litmus_test before the tables are written"
expect_out 'run ./scripts/docs.sh' "litmus_test before the tables are written"
run ./scripts/docs.sh --program="$daxrace"
expect_status 0 "the one command that writes the tables"

green() {
  run "$@"
  expect_status 0 "$*"
}
green "$daxrace" list
expect_out '^  example_order ' list
green "$daxrace" run --protocol=example_order --workload=realloc --load=closed --perturb --duration=300ms --repetitions=1
green "$daxrace" litmus --protocol=example_order
expect_out 'example_order .*ref1' litmus
green "$daxrace" explore --protocol=example_order
expect_out '^example_order +ref0 +pin_punch +safe +kept' explore
green "$build/tests/docs_test" --gtest_brief=1
green "$build/tests/litmus_test" --gtest_brief=1 --gtest_filter='Litmus.*-*twenty_repetitions*'
green "$build/tests/explore_test" --gtest_brief=1 --gtest_filter='Liveness.every_starvation*'
# The contract suite holds it to its promises for 20 s, alone on the machine: here it is enough that it will.
green "$build/tests/contract_test" --gtest_list_tests
expect_out 'keeps_its_promises_under_every_preset/example_order' "the contract suite"
green "$build/tests/contract_test" --gtest_filter='*describes_itself/example_order'
expect_out 'PASSED +. 1 test' "the contract suite"
green ./scripts/docs.sh --check --program="$daxrace"
for document in docs/litmus.md protocols/README.md; do
  grep -q 'example_order' "$document" || fail "$document does not have the protocol"
done

finish
