#!/usr/bin/env bash
# Decides the safety table many times over and compares it byte for byte, then has every broken specimen of tests/broken/
# caught: staged by litmus, and by luck under stress. Takes about 20 minutes.
#
# usage: scripts/safety.sh [--times=N] [--seconds=N] [--seed=N] [--name=NAME]
#   --times=N    decisions of the whole table (default 1000)
#   --seconds=N  stress for at most so long per specimen (default 10)
#   --seed=N     of the stress (default 1)
#   --name=NAME  write results/safety/NAME.md (default: this host's name; `reference` is the one that is committed)
#
# Builds first. Exit status: 0 always the same table, no promise broken and every specimen caught, else 1; 2 wrong usage.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

times=1000
seconds=10
seed=1
name=""

parse() {
  local option
  for option in "$@"; do
    case $option in
      --help | -h) print_help; exit 0 ;;
      --times=*) times=$(option_value "$option"); need_number --times "$times" ;;
      --seconds=*) seconds=$(option_value "$option"); need_number --seconds "$seconds" ;;
      --seed=*) seed=$(option_value "$option"); need_number --seed "$seed" ;;
      --name=*) name=$(option_value "$option") ;;
      *) unknown_option "$option" ;;
    esac
  done
  ((times > 0 && seconds > 0)) || die "--times and --seconds must be at least 1"
  name=${name:-$(uname -n)}
  [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "--name: '$name' is no file name: letters, digits, '.', '_', '-'"
}

main() {
  parse "$@"
  cd "$DAXRACE_TOP"
  scripts/install-deps.sh --build
  scripts/build.sh release daxrace specimen_report >&2
  local out=results/safety/$name.md partial status=0 start took
  mkdir -p results/safety
  partial=$(mktemp "$out.XXXXXX")
  # shellcheck disable=SC2064  # the name as it is now
  trap "rm -f '$partial'" EXIT
  {
    # shellcheck disable=SC2016  # the backquotes are Markdown's
    printf '# Safety\n\nWritten by `scripts/safety.sh --times=%s --seconds=%s --seed=%s`.\n\n' "$times" "$seconds" "$seed"
    printf -- '- commit: %s\n' "$(build/release/daxrace --version | sed -n 's/^commit *//p')"
    printf -- '- time: %s, on Linux %s, %s CPUs\n\n' "$(date -u +%FT%TZ)" "$(uname -r)" "$(nproc)"
    printf '## The table, decided %s times\n\n' "$times"
    start=$SECONDS
    build/release/daxrace litmus --format=csv --repeat="$times" >"$partial.csv" || status=1
    took=$((SECONDS - start))
    if ((status == 0)); then
      # shellcheck disable=SC2016
      printf 'Always the same %s cells, no promise broken; %s s. sha256 of the CSV: `%s`\n\n' \
        "$(($(wc -l <"$partial.csv") - 1))" "$took" "$(sha256sum "$partial.csv" | cut -d' ' -f1)"
    else
      printf '**It came out differently, or a promise broke.**\n\n'
    fi
    printf '## Who catches which broken specimen\n\n'
    printf 'litmus: the cells in which the specimen breaks what the right protocol keeps, the first of them, and the time for\n'
    printf 'all. stress: the first preset, with delays between the steps, that shows a broken promise, and when.\n\n'
    build/release/tests/specimen_report --seconds="$seconds" --seed="$seed" || status=1
  } >"$partial"
  rm -f "$partial.csv"
  chmod 644 "$partial"
  mv "$partial" "$out"
  note "written: $out"
  exit "$status"
}

main "$@"
