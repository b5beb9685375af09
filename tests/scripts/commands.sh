#!/usr/bin/env bash
# usage: commands.sh PROGRAM: what the documents tell a reader to type is understood, what decides on its own is run, and
# what they show below a command is what it prints.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
daxrace=${1:?which program?}
cd "$top"
documents=(README.md CONTRIBUTING.md SECURITY.md docs/*.md protocols/README.md results/README.md results/findings/*.md)

# Every daxrace command of some documents, in fenced blocks and between backquotes, up to a comment, a pipe or a redirection.
commands() {
  {
    awk '/^```/ { inside = !inside; next } inside' "$@" | sed -nE 's/^[$] //; /^daxrace [a-z]/p'
    # shellcheck disable=SC2016  # Markdown's backquotes
    grep -ohE '`daxrace [a-z][^`]*`' "$@" | tr -d '`'
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

# Those that need nothing but the program, and always say the same.
decides_on_its_own() {
  case $1 in
    *--target=* | *--repeat=* | *--replay=*) return 1 ;;
    "daxrace litmus"* | "daxrace explore --protocol="[a-z]* | "daxrace explore --scenario=rwsem" | "daxrace report --format=text results/"* | "daxrace list"* | "daxrace env"*) ;;
    *) return 1 ;;
  esac
}

every_command_is_understood() {
  local line words count=0
  while read -r line; do
    eval "words=($line)" # the documents are ours; their quotes are the shell's
    count=$((count + 1))
    knows_its_options "${words[@]:1}"
    decides_on_its_own "$line" || continue
    run "$daxrace" "${words[@]:1}"
    expect_status 0 "$line"
  done < <(commands "${documents[@]}")
  ((count > 20)) || fail "only $count commands were found in the documents"
}

# Blocks that begin with `$ daxrace`: N.command, and N.lines, what stands below it.
find_shown() {
  mkdir "$work/shown"
  awk -v dir="$work/shown" '
    FNR == 1 { inside = 0 }
    /^```/ { inside = !inside; first = inside; shown = 0; next }
    inside && first {
      first = 0
      shown = sub(/^[$] /, "") && /^daxrace /
      if (shown) { ++n; print > (dir "/" n ".command"); printf "" > (dir "/" n ".lines") }
      next
    }
    inside && shown { print > (dir "/" n ".lines") }' "${documents[@]}"
}

# How many states there are differs from compiler to compiler: the last column but one of explore.
without_states() { sed -E 's/ +[0-9]+ +([0-9.e+]+|endless)$/ - \1/' "$1"; }

# in_order SHOWN PRINTED: the lines shown are those printed, one after the other; `...` stands for any that are left out.
in_order() {
  awk '
    NR == FNR { if ($0 == "...") ++parts; else part[parts + 0, ++lines[parts + 0]] = $0; next }
    { printed[++n] = $0 }
    END {
      at = 1
      for (p = 0; p <= parts + 0; ++p) {
        if (!lines[p]) continue
        last = p == 0 ? 1 : n
        for (; at <= last; ++at) {
          for (i = 1; i <= lines[p] && part[p, i] == printed[at + i - 1]; ++i) continue
          if (i > lines[p]) break
        }
        if (at > last) { print "not printed: " part[p, 1]; exit 1 }
        at += lines[p]
      }
      if (lines[parts + 0] && at <= n) { print "printed as well: " printed[at]; exit 1 }
    }' <(without_states "$1") <(without_states "$2")
}

what_is_shown_is_printed() {
  local file line words why count=0
  find_shown
  for file in "$work"/shown/*.command; do
    line=$(<"$file")
    decides_on_its_own "$line" || continue
    count=$((count + 1))
    eval "words=($line)"
    run "$daxrace" "${words[@]:1}"
    expect_status 0 "$line"
    why=$(in_order "${file%.command}.lines" "$work/out") || fail "below '$line' a document shows what it does not print: $why"
  done
  ((count > 1)) || fail "only $count commands were found with their output"
}

# scripts/run.sh with a build and an installation that have nothing to do.
run_script_runs() {
  mkdir -p "$work/tree/scripts" "$work/tree/build/release"
  cp scripts/run.sh scripts/lib.sh "$work/tree/scripts/"
  printf '#!/bin/sh\n' | tee "$work/tree/scripts/install-deps.sh" >"$work/tree/scripts/build.sh"
  chmod +x "$work"/tree/scripts/*.sh
  ln -s "$(realpath "$daxrace")" "$work/tree/build/release/daxrace"
  run "$work/tree/scripts/run.sh" "$@"
  expect_status 0 "scripts/run.sh $*"
  expect_out 'realloc' "scripts/run.sh $*"
}

# What the README shows is run: here, by .ci/run, or in a guest.
every_command_of_the_readme_is_run() {
  local line
  while read -r line; do
    case $line in
      ./scripts/run.sh*) run_script_runs --dry-run ;;
      ./scripts/test.sh) grep -qF ./scripts/test.sh .ci/run || fail ".ci/run does not run $line" ;;
      "daxrace litmus --target=kernel --dir=/mnt/pmem0") grep -rqF -- '--target=kernel --dir=' tests/guest || fail "no guest runs $line" ;;
      *) decides_on_its_own "$line" || [[ $line == "daxrace explore" ]] || fail "the README shows '$line', which no test runs" ;;
    esac
  done < <(commands README.md; awk '/^```/ { inside = !inside; next } inside' README.md | sed -nE 's/^([$] )?(\.\/scripts\/[a-z-]+\.sh).*/\2/p' | sort -u)
}

every_command_is_understood
what_is_shown_is_printed
every_command_of_the_readme_is_run
finish
