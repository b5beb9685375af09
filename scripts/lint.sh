#!/usr/bin/env bash
# Checks the style of what is under version control: clang-format for C++, shellcheck for scripts.
#
# usage: scripts/lint.sh [--cpp] [--shell]     (both unless one is named)
#        scripts/lint.sh --tidy                clang-tidy on every source; takes about 20 minutes on 2 CPUs
# --tidy reads the flags of the address tree, which compiles each source by itself (scripts/build.sh address). It leaves
# out the one source that includes tracefs.h, which is no C++ to clang.
#
# exit status: 0 clean, 1 complaints, 77 the checker is not installed (scripts/install-deps.sh --lint).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_checker() {
  command -v "$1" >/dev/null && return
  echo "skipped: no $1 (scripts/install-deps.sh --lint installs it)"
  exit 77
}

lint_cpp() {
  local files
  mapfile -t files < <(git ls-files '*.cpp' '*.hpp' '*.c' '*.h')
  [[ ${#files[@]} -eq 0 ]] || clang-format --dry-run -Werror "${files[@]}"
}

# Scripts by their name or by their first line.
shell_files() {
  git ls-files -z | while IFS= read -r -d '' file; do
    [[ -f $file ]] || continue
    case $file in
      *.sh) echo "$file" ;;
      *.*) ;;
      *) if head -c 64 "$file" | head -n 1 | grep -aqE '^#!.*(bash|busybox sh|/sh)'; then echo "$file"; fi ;;
    esac
  done
}

lint_shell() {
  local file status=0 dialect
  while read -r file; do
    dialect=()
    # Busybox is not a dialect of its own there.
    if head -n 1 "$file" | grep -q 'busybox sh'; then dialect=(-s sh); fi
    shellcheck "${dialect[@]}" "$file" || status=1
  done < <(shell_files)
  return "$status"
}

lint_tidy() {
  [[ -f build/address/compile_commands.json ]] || die 77 "no build/address/compile_commands.json (scripts/build.sh address writes it)"
  git ls-files -z 'bench/*.cpp' 'harness/*.cpp' 'tests/*.cpp' ':!harness/live/observe/trace.cpp' |
    xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/address --quiet --extra-arg=-Wno-unknown-warning-option 2> >(grep -v 'warnings\? generated' >&2)
}

main() {
  local cpp="" shell="" tidy="" status=0 option
  for option in "$@"; do
    case $option in
      --cpp) cpp=1 ;;
      --shell) shell=1 ;;
      --tidy) tidy=1 ;;
      --help | -h) print_help; exit 0 ;;
      *) unknown_option "$option" ;;
    esac
  done
  [[ -n $cpp$shell$tidy ]] || cpp=1 shell=1
  cd "$DAXRACE_TOP"
  if [[ -n $cpp ]]; then need_checker clang-format; lint_cpp || status=1; fi
  if [[ -n $shell ]]; then need_checker shellcheck; lint_shell || status=1; fi
  if [[ -n $tidy ]]; then need_checker clang-tidy; lint_tidy || status=1; fi
  exit "$status"
}

main "$@"
