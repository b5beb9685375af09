#!/usr/bin/env bash
# usage: commands.sh PROGRAM: what the documents tell a reader to type is understood, and what decides on its own is run.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
daxrace=${1:?which program?}
cd "$top"

# Every daxrace command of the documents, in fenced blocks and between backquotes, up to a comment, a pipe or a redirection.
commands() {
  local documents=(README.md CONTRIBUTING.md docs/*.md protocols/README.md results/README.md results/findings/*.md)
  {
    awk '/^```/ { inside = !inside; next } inside' "${documents[@]}" | sed -nE 's/^[$] //; /^daxrace [a-z]/p'
    # shellcheck disable=SC2016  # Markdown's backquotes
    grep -ohE '`daxrace [a-z][^`]*`' "${documents[@]}" | tr -d '`'
  } | sed -E 's/ +#.*//; s/ [|>].*//; s/ *$//' | sort -u
}

knows_its_options() {
  local verb=$1 option
  "$daxrace" "$verb" --help >"$work/help" || { fail "the documents name the verb '$verb'"; return; }
  for option in "${@:2}"; do
    [[ $option == --[a-z]* ]] || continue
    grep -qE -- "^ +${option%%=*}([=[ ]|\$)" "$work/help" || fail "the documents show daxrace $verb ${option%%=*}"
  done
}

main() {
  local line words count=0
  while read -r line; do
    eval "words=($line)" # the documents are ours; their quotes are the shell's
    count=$((count + 1))
    knows_its_options "${words[@]:1}"
    case $line in
      *--target=* | *--repeat=* | *--replay=*) ;;
      "daxrace litmus"* | "daxrace explore --protocol"* | "daxrace list"* | "daxrace env"*)
        run "$daxrace" "${words[@]:1}"
        expect_status 0 "$line"
        ;;
    esac
  done < <(commands)
  ((count > 20)) || fail "only $count commands were found in the documents"
  finish
}
main
