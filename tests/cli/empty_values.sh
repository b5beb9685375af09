#!/usr/bin/env bash
# usage: empty_values.sh [PROGRAM]: an option without its value, as a script with an unset variable gives it, is refused by every
# verb, names itself, and never takes the next option for its value.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# options_of VERB: `name takes` for each, as its help lists them; takes is value, optional or nothing.
options_of() {
  "$daxrace" "$1" --help | sed -n -E \
    -e 's/^  --([a-z-]+)\[=.*/\1 optional/p;t' -e 's/^  --([a-z-]+)=.*/\1 value/p;t' -e 's/^  --([a-z-]+)( .*)?$/\1 nothing/p'
}

# refuses VERB OPTION WORD...
refuses() {
  local verb=$1 option=$2
  shift 2
  run timeout 10 "$daxrace" "$verb" "$@"
  expect_status 2 "$verb $*"
  expect_one_line_err "$verb $*"
  expect_err "^daxrace: --$option(:| takes)" "$verb $*"
  expect_no_out . "$verb $*"
}

every_option_of() {
  local verb=$1 option takes count=0
  while read -r option takes; do
    count=$((count + 1))
    refuses "$verb" "$option" "--$option=" --format=text
    if [[ $takes == value ]]; then refuses "$verb" "$option" "--$option" --format=text; fi
  done < <(options_of "$verb")
  [[ $count -ge 1 ]] || fail "$verb: no option was found in its help"
}

main() {
  local verb
  refuses run out --quiet --out
  refuses run out --out ''
  for verb in run litmus explore compare history report list env; do every_option_of "$verb"; done
  [[ $(find . -type f -name '-*' | wc -l) -eq 0 ]] || fail "a file was named after an option: $(ls)"
  finish
}
main
