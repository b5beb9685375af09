#!/usr/bin/env bash
# The README is short and says what it must, and every script that the documents tell a reader to run is there, can be run, and
# knows the options that are shown with it.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$top"

[[ -f README.md ]] || { echo "FAILED: no README.md"; exit 1; }
documents=(README.md CONTRIBUTING.md SECURITY.md docs/*.md protocols/README.md results/README.md results/*/README.md results/findings/*.md)
lines=$(wc -l <README.md)
((lines <= 150)) || fail "the README has $lines lines, more than 150: what is too much for it goes to docs/"
mapfile -t named < <(grep -oE '(\./)?scripts/[a-z-]+\.sh' README.md | sed 's|^\./||' | sort -u)
for script in scripts/run.sh scripts/test.sh; do
  [[ " ${named[*]} " == *" $script "* ]] || fail "the README does not name $script"
done

mapfile -t scripts < <(grep -ohE '(^|[^a-z/])(\./)?scripts/[a-z-]+\.sh' "${documents[@]}" | grep -oE 'scripts/.*' | sort -u)
((${#scripts[@]} > 8)) || fail "the documents name only ${#scripts[@]} scripts"
for script in "${scripts[@]}"; do
  if [[ ! -x $script ]]; then fail "a document names $script, which cannot be run"; continue; fi
  # The options of these two are those of the program that they call.
  [[ $script != scripts/run.sh && $script != scripts/test.sh ]] || continue
  "$script" --help >"$work/help"
  # Options before a `--` belong to the script, those after it to the command.
  while read -r option; do
    grep -qF -- "$option" "$work/help" || fail "a document shows $script $option, which its --help does not name"
  done < <(grep -ohE "$script [^\`|;&#]*" "${documents[@]}" | sed 's/ -- .*//' | grep -oE -- '--[a-z-]+' | sort -u)
done

finish
