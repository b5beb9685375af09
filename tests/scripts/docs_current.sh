#!/usr/bin/env bash
# usage: docs_current.sh PROGRAM: the tables in the documents are those that scripts/docs.sh writes, and it sees one that is not.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
program=$(realpath "${1:?which program?}")
tree=$work/tree

# A copy with one figure and one letter changed comes out as the documents are.
mkdir -p "$tree/results"
cp -r "$top/scripts" "$top/docs" "$top/protocols" "$top"/*.md "$tree/"
cp -r "$top/results/kernel" "$top/results/reference" "$tree/results/"
sed -i '/^| .ext4. | [0-9]/s/| [0-9.]*us |/| 1.23us |/' "$tree/docs/run.md"
sed -i '/^ext4 *ref1/s/ref1  ./ref1  ?/' "$tree/docs/litmus.md"
run "$tree/scripts/docs.sh" --check --program="$program"
expect_status 1 "docs.sh --check of changed tables"
expect_out '^-.*1\.23us' "a figure that was changed"
expect_out '^-ext4 *ref1  [?]' "a letter that was changed"
run "$tree/scripts/docs.sh" --program="$program"
expect_status 0 "docs.sh of changed tables"
while read -r document; do
  run diff -u "$top/$document" "$tree/$document"
  expect_status 0 "$document is not current: run ./scripts/docs.sh and look at what it changes"
done < <(cd "$top" && grep -l '^<!-- generated: ' ./*.md docs/*.md protocols/*.md)

sed -i '/^<!-- end of screen/d' "$tree/README.md"
run "$tree/scripts/docs.sh" --program="$program"
expect_status 2 "docs.sh of a table without an end"
expect_one_line_err "docs.sh of a table without an end"
sed -i 's/^<!-- generated: kernels/<!-- generated: colonels/' "$tree/README.md"
run "$tree/scripts/docs.sh" --program="$program"
expect_status 2 "docs.sh of a table that nobody makes"

# With what a run ends stands in the README, written as the tables are.
run grep -x '<!-- generated: screen -->' "$top/README.md"
expect_status 0 "the README shows no screen of a run"

finish
