#!/usr/bin/env bash
# Runs two commits in turns on this machine and says what the second changed, and how sure that is.
#
# usage: scripts/compare-commits.sh A [B] [OPTION...] [-- OPTION of daxrace run...]
#   A, B             commits, branches or tags; without B, or with '.', the tree as it is now, uncommitted work included
#   --pairs=N        runs of each, in turns A B B A A B B A ... (default 6, an even number)
#   --cpus=LIST      CPUs to run on (default: all that this process may use)
#   --out=DIR        where results go (default results/local/compare-TIME)
#   --metric=LIST, --threshold=PERCENT, --level=PERCENT, --unit=repetition|run, --strict, --mail
#                    of daxrace compare (default --unit=run from 10 pairs on)
# Without options behind -- every run is: --preset=compare --repetitions=2, that is about 40 s.
#
# Both commits are built in git worktrees of their own under DIR. Leaves a-N.csv and b-N.csv with their .run.json, the
# control (half of A's runs against the other half: what the machine alone pretends) and the report, report.txt.
# Exit status: 0 no regression · 1 a regression or a broken promise · 2 usage, or a commit that does not build · 130 interrupted
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

pairs=6 cpus="" out=""
commits=() run_options=() compare_options=()

parse() {
  local option
  while [[ $# -gt 0 ]]; do
    option=$1
    shift
    case $option in
      --help | -h) print_help; exit 0 ;;
      --pairs=*) pairs=$(option_value "$option") ;;
      --cpus=*) cpus=$(option_value "$option") ;;
      --out=*) out=$(option_value "$option") ;;
      --metric=* | --threshold=* | --level=* | --unit=* | --strict | --mail) compare_options+=("$option") ;;
      --) run_options=("$@"); break ;;
      -*) unknown_option "$option" ;;
      *) commits+=("$option") ;;
    esac
  done
  [[ ${#commits[@]} -ge 1 ]] || die "name a commit to compare with (see --help)"
  [[ ${#commits[@]} -le 2 ]] || die "'${commits[2]}': two commits are compared, no more"
  need_number --pairs "$pairs"
  ((pairs >= 2 && pairs % 2 == 0 && pairs <= 1000)) || die "--pairs=$pairs: an even number from 2 on, so that neither side has the better turns"
  [[ ${#commits[@]} -eq 2 ]] || commits+=(.)
  [[ ${#run_options[@]} -gt 0 ]] || run_options=(--preset=compare --repetitions=2)
  cpus=${cpus:-$(awk '/^Cpus_allowed_list:/ { print $2 }' /proc/self/status)}
}

resolve() {
  if [[ $1 == . ]]; then echo .; return; fi
  git -C "$DAXRACE_TOP" rev-parse --verify --quiet --end-of-options "$1^{commit}" || die "'$1' is no commit of this repository"
}

# The tree as it is now, as a git tree: tracked and new files, without touching the index that the user works with.
tree_of_work() {
  local index
  index=$(mktemp -u "$out/index.XXXXXX")
  cp "$(git -C "$DAXRACE_TOP" rev-parse --path-format=absolute --git-path index)" "$index"
  GIT_INDEX_FILE=$index git -C "$DAXRACE_TOP" add -A -- . ":(exclude,top)results/local"
  GIT_INDEX_FILE=$index git -C "$DAXRACE_TOP" write-tree
  rm -f "$index"
}

# checkout NAME COMMIT: $out/NAME is that commit, or HEAD with the uncommitted work on it.
checkout() {
  local tree=$out/$1 commit=$2 work
  git -C "$DAXRACE_TOP" worktree add --quiet --detach "$tree" "${commit/#./HEAD}"
  [[ $commit == . ]] || return 0
  work=$(tree_of_work)
  git -C "$tree" read-tree --reset -u "$work"
  git -C "$tree" reset --quiet --mixed HEAD
}

build() {
  note "building $1 ($2)"
  if ! "$out/$1/scripts/build.sh" release daxrace >"$out/$1.build.log" 2>&1; then
    tail -n 30 "$out/$1.build.log" >&2
    die "'$2' does not build (the whole log: $out/$1.build.log)"
  fi
}

# run_once SIDE N
run_once() {
  local side=$1 number=$2 status=0
  note "run $number of $pairs: $side"
  (cd "$out" && exec taskset -c "$cpus" "$out/tree-$side/build/release/daxrace" run "${run_options[@]}" --cpus="$cpus" \
    --out="$out/$side-$number.csv" --seed="$number" --quiet) >>"$out/runs.log" 2>&1 </dev/null || status=$?
  # A broken promise is a result; it is compared like any other.
  case $status in
    0 | 1) ;;
    130) die 130 "interrupted; the finished runs are in $out" ;;
    *) tail -n 3 "$out/runs.log" >&2; die "run $number of $side ended with status $status ($out/runs.log)" ;;
  esac
}

run_all() {
  local number
  for ((number = 1; number <= pairs; number++)); do
    if ((number % 2)); then run_once a "$number"; run_once b "$number"; else run_once b "$number"; run_once a "$number"; fi
  done
}

# files SIDE REMAINDER: the result files of every second run of a side.
files() {
  local number list=()
  for ((number = $2; number <= pairs; number += 2)); do list+=("$out/$1-$number.csv"); done
  (IFS=,; echo "${list[*]}")
}

compare() { "$DAXRACE_TOP/build/release/daxrace" compare "${compare_options[@]}" "$@" || return $?; }

report() {
  local status=0 control=0
  echo "A is $1, B is $2; $pairs runs of each in turns on CPUs $cpus"
  echo
  echo "=== control: half of A's runs against the other half ==="
  compare --base="$(files a 1)" --new="$(files a 2)" || control=$?
  ((control <= 1)) || return "$control"
  echo
  echo "=== A against B ==="
  compare --base="$out/a-[0-9]*.csv" --new="$out/b-[0-9]*.csv" || status=$?
  if ((control == 1 && status == 1)); then
    echo
    echo "The control reports changes, too: this machine is not quiet enough to believe the ones above."
  fi
  return "$status"
}

remove_worktrees() {
  local side
  for side in a b; do
    git -C "$DAXRACE_TOP" worktree remove --force "$out/tree-$side" 2>/dev/null || true
  done
  git -C "$DAXRACE_TOP" worktree prune
}

main() {
  parse "$@"
  command -v git >/dev/null || die "git is needed"
  command -v taskset >/dev/null || die "taskset is needed (package util-linux)"
  local a b status=0
  a=$(resolve "${commits[0]}")
  b=$(resolve "${commits[1]}")
  out=$(realpath -m "${out:-$DAXRACE_TOP/results/local/compare-$(date -u +%Y%m%dT%H%M%SZ)}")
  [[ ! -e $out ]] || die "$out exists: choose another --out"
  mkdir -p "$out"
  if ((pairs >= 10)) && [[ " ${compare_options[*]}" != *" --unit="* ]]; then compare_options+=(--unit=run); fi
  trap remove_worktrees EXIT
  checkout tree-a "$a"
  checkout tree-b "$b"
  build tree-a "${commits[0]}"
  build tree-b "${commits[1]/#./the tree as it is now}"
  # The comparison is this tree's own: the commits may be older than it.
  "$DAXRACE_TOP/scripts/build.sh" release daxrace >&2
  run_all
  report "${commits[0]}" "${commits[1]/#./the tree as it is now}" >"$out/report.txt" || status=$?
  cat "$out/report.txt"
  note "results and report: $out"
  exit "$status"
}

main "$@"
