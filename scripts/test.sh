#!/usr/bin/env bash
# Installs what is missing, builds daxrace three times (release, ASan with UBSan, TSan) and runs every test of each tree.
# The release tree also has the tests of the scripts (label `scripts`) and of the guest with real DAX (label `guest`).
#
# usage: scripts/test.sh [--tree=release|address|thread]... [OPTION of ctest...]
#   --tree=NAME   only this tree; may be given several times
# Everything else goes to each ctest: `scripts/test.sh -L unit`, `scripts/test.sh -R histogram -j4`.
# At the end: what was skipped and why, and what took how long.
#
# exit status: 0 all tests that ran passed; otherwise that of the first ctest or build that failed; 2 no test matches.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

trees=()
options=()

parse_options() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      --help | -h) print_help; exit 0 ;;
      --tree=release | --tree=address | --tree=thread) trees+=("${1#--tree=}") ;;
      --tree=*) die "$1: use release, address or thread" ;;
      *) options+=("$1") ;;
    esac
    shift
  done
  [[ ${#trees[@]} -gt 0 ]] || trees=(release address thread)
}

# ctest's options for one tree. Scripts and guest run the release program only, so the other trees leave them out;
# ctest excludes only what *every* -LE matches, hence one -LE for all.
tree_test_options() {
  local tree=$1 excluded="" i
  for ((i = 0; i < ${#options[@]}; i++)); do
    case ${options[i]} in
      -LE | --label-exclude) i=$((i + 1)); excluded+="|${options[i]:-}" ;;
      *) printf '%s\0' "${options[i]}" ;;
    esac
  done
  [[ $tree == release ]] || excluded+='|^(guest|scripts|package)$'
  [[ -z $excluded ]] || printf '%s\0' -LE "${excluded#|}"
}

junit_of() { echo "$DAXRACE_TOP/build/$1/junit.xml"; }

run_ctest() {
  local tree=$1 words runner=()
  mapfile -d '' -t words < <(tree_test_options "$tree")
  [[ $tree != thread ]] || mapfile -t runner < <(fixed_layout)
  rm -f "$(junit_of "$tree")"
  # Two at a time, because a guest keeps little more than one CPU busy; tests that measure run by themselves.
  "${runner[@]}" ctest --test-dir "$DAXRACE_TOP/build/$tree" -j2 --output-on-failure --output-junit "$(junit_of "$tree")" "${words[@]}"
}

install_what_is_missing() {
  "$DAXRACE_TOP/scripts/install-deps.sh" --build || return
  # Without these the guest's tests are skipped, each with its reason.
  "$DAXRACE_TOP/scripts/install-deps.sh" --guest || note "the guest's packages could not be installed; its tests will be skipped"
}

# tree, status, test, reason: a line for each test of all trees
list_tests() {
  local tree file
  for tree in "${trees[@]}"; do
    file=$(junit_of "$tree")
    if [[ -f $file ]]; then awk -f "$DAXRACE_TOP/scripts/junit.awk" "$file" | sed "s/^/$tree\t/"; fi
  done
}

print_skipped() {
  list_tests | awk -F"\t" '$2 == "notrun" || $2 == "disabled" { lines = lines "  " $1 ": " $3 ": " $4 "\n" }
    $2 == "partly" { lines = lines "  " $1 ": " $3 " (in part): " $4 "\n" }
    END { printf "%s", lines == "" ? "skipped tests: none\n" : "skipped tests:\n" lines }'
}

main() {
  parse_options "$@"
  local tree status=0 result own_table=""
  if [[ -z ${DAXRACE_STAGE_FILE:-} ]]; then
    own_table=$(mktemp)
    export DAXRACE_STAGE_FILE=$own_table
    # shellcheck disable=SC2064  # the name as it is now
    trap "rm -f '$own_table'" EXIT
  fi
  stage install install_what_is_missing || exit
  for tree in "${trees[@]}"; do
    stage "build $tree" "$DAXRACE_TOP/scripts/build.sh" "$tree" || exit
  done
  for tree in "${trees[@]}"; do
    result=0
    stage "ctest $tree" run_ctest "$tree" || result=$?
    if [[ $status -eq 0 ]]; then status=$result; fi
  done
  echo
  print_skipped
  [[ -z $own_table ]] || print_stages "$own_table"
  if [[ $status -eq 0 && -z $(list_tests) ]]; then die "no test matches: ${options[*]}"; fi
  exit "$status"
}

main "$@"
