#!/usr/bin/env bash
# A stage of CI that takes more than its budget by half is named; so is one without a budget, and the sum.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/lib.sh
. "$top/scripts/lib.sh"

printf '%s\n' '# a comment' '100 ctest release' '20 build' '90 total' >"$work/budgets"
check() {
  printf '%b' "$1" >"$work/table"
  run check_stages "$work/table" "$work/budgets"
}

check 'ctest release\t120\t0\nbuild\t10\t0\n'
expect_status 0 "a fifth more than the budget"
check 'ctest release\t151\t0\n'
expect_status 1 "more than half of it more"
grep -qF 'ctest release took 151 s, its budget is 100 s' "$work/err" || fail "the stage is not named"
check 'ctest release\t110\t0\nbuild\t30\t0\n'
expect_status 1 "all together"
grep -qF 'total took 140 s, its budget is 90 s' "$work/err" || fail "the sum is not held to its budget"
check 'new\t1\t0\n'
expect_status 1 "a stage without a budget"
grep -qF 'the stage new has no budget' "$work/err" || fail "the new stage is not named"

# Every stage that CI has, has one.
{
  sed -nE 's/^ *stage ("([^"$]*)"|([a-z]+)) .*/\2\3/p' "$top/.ci/run" "$top/scripts/test.sh"
  for tree in release address thread; do printf '%s\n' "build $tree" "ctest $tree"; done
} | while read -r name; do
  grep -qE "^[0-9]+ $name\$" "$top/.ci/budgets" || echo "$name"
done >"$work/without"
[[ ! -s $work/without ]] || fail "stages without a budget: $(paste -sd, "$work/without")"

finish
