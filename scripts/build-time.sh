#!/usr/bin/env bash
# Measures what a build costs: the CPU time (user and system) of building the whole tree at two commits, in turns, each in
# a checkout of its own and without a compiler cache.
#
# usage: scripts/build-time.sh [--tree=release|address|thread]... [--base=COMMIT] [--commit=COMMIT] [--turns=N] [--name=NAME]
#   --tree=NAME      only this tree; may be given several times (all three)
#   --base=COMMIT    what the other is held against (6e348e9)
#   --commit=COMMIT  what is measured (HEAD)
#   --turns=N        builds of each commit and tree (1)
#   --name=NAME      also writes results/build/NAME.md
# It needs 1 GB in TMPDIR and, for one turn of the three trees, about half an hour of two CPUs.
#
# exit status: 0 measured, 1 a build failed, 2 usage.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

trees=()
base=6e348e9
commit=HEAD
turns=1
name=""

parse_options() {
  local option
  for option in "$@"; do
    case $option in
      --help | -h) print_help; exit 0 ;;
      --tree=release | --tree=address | --tree=thread) trees+=("${option#--tree=}") ;;
      --tree=*) die "$option: use release, address or thread" ;;
      --base=*) base=$(option_value "$option") ;;
      --commit=*) commit=$(option_value "$option") ;;
      --turns=*) turns=$(option_value "$option"); need_number --turns "$turns" ;;
      --name=*) name=$(option_value "$option") ;;
      *) unknown_option "$option" ;;
    esac
  done
  [[ ${#trees[@]} -gt 0 ]] || trees=(release address thread)
  [[ $turns -gt 0 ]] || die "--turns must be at least 1"
  [[ $name =~ ^[A-Za-z0-9._-]*$ ]] || die "--name=$name: letters, digits, dots, dashes and underscores only"
}

hash_of() {
  git -C "$DAXRACE_TOP" rev-parse --short=12 --verify --quiet "$1^{commit}" || die "there is no commit $1 here"
}

# Prints the CPU seconds of one build from nothing.
cpu_seconds() {
  local checkout=$1 tree=$2 TIMEFORMAT='%U %S'
  rm -rf "$checkout/build"
  {
    time env -u CMAKE_CXX_COMPILER_LAUNCHER -u CMAKE_C_COMPILER_LAUNCHER CCACHE_DISABLE=1 \
      "$checkout/scripts/build.sh" "$tree" >"$work/log" 2>&1
  } 2>"$work/time" || { cat "$work/log" >&2; die 1 "building $tree in $checkout failed (above)"; }
  awk '{ printf "%.1f\n", $1 + $2 }' "$work/time"
}

report() {
  echo "# What a build costs"
  echo
  echo "Written by \`scripts/build-time.sh\`: CPU time (user and system) of a whole build from nothing, no compiler cache, in turns."
  echo
  echo "- commit: $commit against $base"
  echo "- command: \`scripts/build-time.sh$arguments\`"
  echo "- time: $(date -u +%Y-%m-%dT%H:%M:%SZ)"
  echo "- machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, kernel $(uname -r); load average at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
  echo "- compiler: $(c++ --version | head -n 1)"
  echo
  echo "| tree | turn | $base | $commit | ratio |"
  echo "| --- | --- | --- | --- | --- |"
  awk '{ printf "| %s | %d | %.0f s | %.0f s | %.2f |\n", $1, $2, $3, $4, $4 / $3 }' "$work/table"
}

main() {
  arguments=${*:+ $*}
  parse_options "$@"
  local turn tree before after
  base=$(hash_of "$base")
  commit=$(hash_of "$commit")
  work=$(mktemp -d)
  trap 'rm -rf "$work"; git -C "$DAXRACE_TOP" worktree prune' EXIT
  git -C "$DAXRACE_TOP" worktree add --quiet --detach "$work/before" "$base"
  git -C "$DAXRACE_TOP" worktree add --quiet --detach "$work/after" "$commit"
  for ((turn = 1; turn <= turns; turn++)); do
    for tree in "${trees[@]}"; do
      before=$(cpu_seconds "$work/before" "$tree")
      after=$(cpu_seconds "$work/after" "$tree")
      echo "$tree $turn $before $after" >>"$work/table"
      note "$tree, turn $turn: $base $before s, $commit $after s of CPU"
    done
  done
  report >"$work/report.md"
  cat "$work/report.md"
  if [[ -n $name ]]; then
    mkdir -p "$DAXRACE_TOP/results/build"
    cp "$work/report.md" "$DAXRACE_TOP/results/build/$name.md"
  fi
}

main "$@"
