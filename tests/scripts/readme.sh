#!/usr/bin/env bash
# Every script that the README tells a reader to run is there, can be run, and knows the options that are shown with it.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$top"

[[ -f README.md ]] || { echo "FAILED: no README.md"; exit 1; }
mapfile -t scripts < <(grep -oE '(\./)?scripts/[a-z-]+\.sh' README.md | sed 's|^\./||' | sort -u)
for script in scripts/run.sh scripts/test.sh; do
  [[ " ${scripts[*]} " == *" $script "* ]] || fail "the README does not name $script"
done
for script in "${scripts[@]}"; do
  if [[ ! -x $script ]]; then fail "the README names $script, which cannot be run"; continue; fi
  # The options of these two are those of the program that they call.
  [[ $script != scripts/run.sh && $script != scripts/test.sh ]] || continue
  "$script" --help >"$work/help"
  # Options before a `--` belong to the script, those after it to the command.
  while read -r option; do
    grep -qF -- "$option" "$work/help" || fail "the README shows $script $option, which its --help does not name"
  done < <(grep -oE "$script [^\`|;&#]*" README.md | sed 's/ -- .*//' | grep -oE -- '--[a-z-]+' | sort -u)
done

finish
