#!/usr/bin/env bash
# Configures and builds one tree of daxrace under build/.
#
# usage: scripts/build.sh release|address|thread [TARGET...]
#   release   what is measured and used
#   address   with AddressSanitizer and UndefinedBehaviorSanitizer
#   thread    with ThreadSanitizer
# Without a target everything is built. Says how far it is: on a terminal all the time, in a log every 20 seconds
# (DAXRACE_PROGRESS_SECONDS).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tree_options() {
  case $1 in
    release) echo "-DCMAKE_BUILD_TYPE=Release -DDAXRACE_SANITIZE=" ;;
    # -O1 and no NDEBUG: the assertions stand, and the build stays short.
    address | thread) echo "-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 -DDAXRACE_SANITIZE=$1" ;;
    *) die "unknown tree '$1': use release, address or thread" ;;
  esac
}

# A tree that was configured elsewhere (a moved or copied checkout) cannot be configured again.
drop_foreign_tree() {
  local cache=$1/CMakeCache.txt
  [[ -f $cache ]] || return 0
  grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$DAXRACE_TOP" "$cache" && return 0
  note "$1 was configured for another directory: starting afresh"
  rm -rf "$1"
}

configure() {
  local directory=$1 options=$2 log
  log=$(mktemp)
  # shellcheck disable=SC2086  # options are words
  if ! cmake -S "$DAXRACE_TOP" -B "$directory" -G Ninja $options >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die 1 "configuring $directory failed (above)"
  fi
  rm -f "$log"
}

build() {
  local directory=$1
  shift
  # Tests are listed by running them, and TSan cannot live with the address space layout of some kernels.
  local runner=()
  [[ $directory != */thread ]] || mapfile -t runner < <(fixed_layout)
  # A build that was interrupted or failed is told by the status of ninja, never by that of the progress.
  NINJA_STATUS="@%f/%t " "${runner[@]}" cmake --build "$directory" ${1:+--target "$@"} | show_build_progress
}

main() {
  case ${1:-} in
    --help | -h) print_help; exit 0 ;;
    "") die "which tree? release, address or thread (see --help)" ;;
  esac
  local tree=$1 options
  shift
  options=$(tree_options "$tree")
  drop_foreign_tree "$DAXRACE_TOP/build/$tree"
  configure "$DAXRACE_TOP/build/$tree" "$options"
  build "$DAXRACE_TOP/build/$tree" "$@"
}

main "$@"
