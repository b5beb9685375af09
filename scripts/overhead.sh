#!/usr/bin/env bash
# Measures what the harness itself costs: the oracle, the recorder, the O_DIRECT loop against fio's, zap and fault
# against a bare loop. In pairs A B B A with an A/A control beside each; takes about 10 minutes.
#
# usage: scripts/overhead.sh [--name=NAME] [OPTION of daxrace_overhead...]
#   --name=NAME  write results/overhead/NAME.md (default: this host's name; `reference` is the one that is committed)
#   --pairs=N    pairs per comparison (default 20)
#   --only=GROUP,...  oracle, recorder, io, zap, inlined (default: all)
#
# Installs what is missing (fio among it) and builds first. For figures that mean something nothing else should run.
# A missed bar is reported in the table and is no error; exit status 0 unless something failed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_name() { [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "--name: '$1' is no file name: letters, digits, '.', '_', '-'"; }

main() {
  local name="" option options=()
  for option in "$@"; do
    case $option in
      --help | -h) print_help; exit 0 ;;
      --name=*) name=$(option_value "$option") ;;
      --out=* | --peer-file=*) die "${option%%=*} is decided here; use --name=NAME" ;;
      --pairs=* | --only=* | --episode=* | --io-run=* | --cpu=* | --seed=*) options+=("$option") ;;
      *) unknown_option "$option" ;;
    esac
  done
  name=${name:-$(uname -n)}
  need_name "$name"
  local out=results/overhead/$name.md

  "$DAXRACE_TOP/scripts/install-deps.sh" --build --peers
  "$DAXRACE_TOP/scripts/build.sh" release daxrace_overhead >&2
  # Relative paths: the command stands in the result.
  cd "$DAXRACE_TOP"
  mkdir -p results/overhead results/local
  build/release/daxrace_overhead "${options[@]}" --peer-file=results/local/overhead.peer --out="$out"
  note "written: $out"
}

main "$@"
