#!/usr/bin/env bash
# Measures what daxrace compare takes, in time and memory, for many rows against as many.
#
# usage: scripts/compare-speed.sh [--rows=N,...] [--name=NAME]
#   --rows=N,...  rows a side (default 10000,100000,1000000: memory must grow no faster than they do)
#   --name=NAME   write results/compare/NAME.md (default: this host's name; `speed` is the one that is committed)
#
# Builds first; needs 1 GB of disk in results/local for a while.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_name() { [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "--name: '$1' is no file name: letters, digits, '.', '_', '-'"; }

main() {
  local rows=10000,100000,1000000 name="" option
  for option in "$@"; do
    case $option in
      --help | -h) print_help; exit 0 ;;
      --rows=*) rows=$(option_value "$option") ;;
      --name=*) name=$(option_value "$option") ;;
      *) unknown_option "$option" ;;
    esac
  done
  name=${name:-$(uname -n)}
  need_name "$name"
  [[ $rows =~ ^[0-9]{2,9}(,[0-9]{2,9})*$ ]] || die "--rows=$rows: numbers with commas between"
  "$DAXRACE_TOP/scripts/build.sh" release daxrace compare_speed >&2
  cd "$DAXRACE_TOP"
  mkdir -p results/compare results/local
  local out=results/compare/$name.md
  {
    echo "Time and memory of \`daxrace compare\`, the best of three; load average before: $(cut -d' ' -f1-3 /proc/loadavg)."
    echo "Made by \`./scripts/compare-speed.sh --rows=$rows --name=$name\` at commit $(git describe --always --dirty --abbrev=12) on"
    echo "$(nproc) CPUs, $(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo). Both files are read at the same time, one thread each."
    echo
    # shellcheck disable=SC2086  # words
    build/release/tests/study/compare_speed build/release/daxrace results/local ${rows//,/ }
  } >"$out.new"
  mv "$out.new" "$out"
  cat "$out"
}

main "$@"
