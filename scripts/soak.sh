#!/usr/bin/env bash
# Runs the safe protocols for long: every workload, closed load, with and without perturbation, on memory, until each
# protocol has done a number of effective operations (faults that installed a translation, I/O that completed, blocks
# that were freed). Stops at the first broken promise.
#
# usage: scripts/soak.sh [--operations=N] [--protocol=NAME,...] [--duration=TIME] [--seed=N] [--name=NAME]
#   --operations=N   per protocol (default 10000000)
#   --protocol=...   default: iolock_mmaplock,ext4,lease_break
#   --duration=TIME  of one episode (default 1s)
#   --seed=N         of the first round; every further round takes the next (default 1)
#   --name=NAME      write results/soak/NAME.csv, NAME.run.json and NAME.md (default: this host's name); refused if they
#                    are there
#
# A round is every workload once without perturbation and once with it. Exit status: 0 no promise broken, 1 one was
# broken or an operation hung, 2 wrong usage, 77 nothing can run here, 130 interrupted; the rows are kept.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

operations=10000000
protocols=iolock_mmaplock,ext4,lease_break
duration=1s
seed=1
name=""

parse() {
  local option
  for option in "$@"; do
    case $option in
      --help | -h) print_help; exit 0 ;;
      --operations=*) operations=$(option_value "$option"); need_number --operations "$operations" ;;
      --protocol=*) protocols=$(option_value "$option") ;;
      --duration=*) duration=$(option_value "$option") ;;
      --seed=*) seed=$(option_value "$option"); need_number --seed "$seed" ;;
      --name=*) name=$(option_value "$option") ;;
      *) unknown_option "$option" ;;
    esac
  done
  ((operations > 0)) || die "--operations must be at least 1"
  name=${name:-$(uname -n)}
  [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "--name: '$name' is no file name: letters, digits, '.', '_', '-'"
}

# Of one protocol: effective operations (column ops of the rows that stand for a whole episode), episodes, skipped ones,
# verdicts. Commas within quotes are dropped before a line is cut.
tally() {
  [[ -s $csv ]] || { echo "0 0 0"; return; }
  awk -F, -v protocol="$1" '
    { parts = split($0, part, "\""); line = ""
      for (i = 1; i <= parts; i++) { if (i % 2 == 0) gsub(/,/, "", part[i]); line = line part[i] }
      $0 = line }
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["path"] == "all" && $at["protocol"] == protocol {
      if ($at["status"] == "skipped") { skipped++; next }
      operations += $at["ops"]
      episodes++
      verdicts[$at["verdict"]]++
    }
    END {
      for (v in verdicts) text = text sprintf(" %d %s", verdicts[v], v)
      printf "%d %d %d%s\n", operations, episodes, skipped, text
    }' "$csv"
}

# run_all PROTOCOL SEED [--perturb]
run_all() {
  "$DAXRACE_TOP/build/release/daxrace" run --quiet --workload=all --load=closed --backing=memory --repetitions=1 \
    --warmup=0ms --duration="$duration" --out="$csv" --append --protocol="$1" --seed="$2" "${@:3}" >&2
}

# A round per seed until there are enough operations.
soak() {
  local protocol=$1 total=0 before status=0 start=$SECONDS rounds=0
  while ((total < operations && status == 0)); do
    before=$total
    run_all "$protocol" "$((seed + rounds))" || status=$?
    if ((status == 0)); then run_all "$protocol" "$((seed + rounds))" --perturb || status=$?; fi
    read -r total _ < <(tally "$protocol") || status=2
    rounds=$((rounds + 1))
    note "$protocol: $total effective operations, $((SECONDS - start)) s"
    if ((status == 0 && total == before)); then note "$protocol: a whole round did nothing"; status=77; fi
  done
  report "$protocol" "$rounds" "$((SECONDS - start))" "$status"
  return "$status"
}

# report PROTOCOL ROUNDS SECONDS STATUS
report() {
  local total episodes skipped verdicts result=kept
  read -r total episodes skipped verdicts < <(tally "$1")
  (($4 == 0)) || result="stopped with exit status $4"
  printf '| %s | %d | %d | %d | %d | %s | %d s | %s |\n' \
    "$1" "$total" "$2" "$episodes" "$skipped" "$verdicts" "$3" "$result" | tee -a "$summary"
}

start_summary() {
  # shellcheck disable=SC2016  # the backquotes are markdown
  {
    printf '# Soak\n\nWritten by `scripts/soak.sh --operations=%s --protocol=%s --duration=%s --seed=%s`.\n\n' \
      "$operations" "$protocols" "$duration" "$seed"
    printf -- '- %s\n' "$("$DAXRACE_TOP/build/release/daxrace" --version | head -n 2 | tr -s " \n" " ")"
    printf -- '- started: %s, on %s\n- rows: %s\n\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(uname -srm)" "$(basename "$csv")"
    printf '| protocol | effective operations | rounds | episodes | skipped | verdicts | time | result |\n'
    printf '| --- | --- | --- | --- | --- | --- | --- | --- |\n'
  } >"$summary"
}

main() {
  parse "$@"
  csv=$DAXRACE_TOP/results/soak/$name.csv
  summary=${csv%.csv}.md
  [[ ! -e $csv && ! -e $summary ]] || die "results/soak/$name.csv or .md exists: move it away or choose another --name"
  "$DAXRACE_TOP/scripts/install-deps.sh" --build
  "$DAXRACE_TOP/scripts/build.sh" release daxrace >&2
  mkdir -p "$DAXRACE_TOP/results/soak"
  start_summary
  local protocol status=0
  for protocol in ${protocols//,/ }; do
    soak "$protocol" || { status=$?; break; }
  done
  exit "$status"
}

main "$@"
