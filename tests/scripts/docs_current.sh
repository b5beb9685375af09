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
sed -i '/^| .ext4. | [0-9]/s/| [0-9.]*us |/| 1.23us |/' "$tree/README.md"
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

sed -i '/^<!-- end of hazards/d' "$tree/README.md"
run "$tree/scripts/docs.sh" --program="$program"
expect_status 2 "docs.sh of a table without an end"
expect_one_line_err "docs.sh of a table without an end"
sed -i 's/^<!-- generated: kernels/<!-- generated: colonels/' "$tree/README.md"
run "$tree/scripts/docs.sh" --program="$program"
expect_status 2 "docs.sh of a table that nobody makes"

# What a run prints stands in the README; its verdicts are those of the recorded file, from which the table in docs/run.md is.
shown=$(awk '/^realloc  load=closed/ { inside = 1; next } /^```/ { inside = 0 } inside && NF == 6 && $1 ~ /^[a-z]/ && $1 != "protocol" { print $1, $2, $3 }' "$top/README.md")
[[ $(wc -l <<<"$shown") -ge 3 ]] || fail "the README shows no verdicts of a run"
while read -r protocol verdict violated; do
  run grep -E "^\| \`$protocol\` \|.* \| $verdict \| ${violated//+/[+]} \|" "$top/docs/run.md"
  expect_status 0 "the README shows $protocol $verdict $violated, docs/run.md does not"
done <<<"$shown"

finish
