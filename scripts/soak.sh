#!/usr/bin/env bash
# Runs the safe protocols for long: every workload, closed load, with and without perturbation, on memory, until each
# protocol has done a number of effective operations (faults that installed a translation, I/O that completed, blocks
# that were freed). Stops at the first broken promise.
#
# With --random: every turn is one safe protocol under a random valid combination of the other axes, for a time.
#
# usage: scripts/soak.sh [--operations=N] [--protocol=NAME,...] [--duration=TIME] [--seed=N] [--name=NAME]
#        scripts/soak.sh --random [--seconds=N] [--protocol=NAME,...] [--seed=N] [--name=NAME]
#   --operations=N   per protocol (default 10000000)
#   --protocol=...   default: iolock_mmaplock,ext4,lease_break
#   --duration=TIME  of one episode (default 1s)
#   --seed=N         of the first round; every further round takes the next (default 1)
#   --name=NAME      write results/soak/NAME.csv, NAME.run.json and NAME.md (default: this host's name); refused if they
#                    are there; with --random the summary alone, and nothing is written without --name
#   --random         draw the combinations; the seed is printed, and what accuses as a command that repeats it
#   --seconds=N      how long (default 60)
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
random=no
seconds=60
safe_protocols=iolock_mmaplock,ext4,lease_break,lease_revoke,lease_fail,range_lock

parse() {
  local option
  for option in "$@"; do
    case $option in
      --help | -h) print_help; exit 0 ;;
      --operations=*) operations=$(option_value "$option"); need_number --operations "$operations" ;;
      --protocol=*) protocols=$(option_value "$option"); safe_protocols=$protocols ;;
      --duration=*) duration=$(option_value "$option") ;;
      --seed=*) seed=$(option_value "$option"); need_number --seed "$seed" ;;
      --random) random=yes ;;
      --seconds=*) seconds=$(option_value "$option"); need_number --seconds "$seconds" ;;
      --name=*) name=$(option_value "$option") ;;
      *) unknown_option "$option" ;;
    esac
  done
  ((operations > 0)) || die "--operations must be at least 1"
  [[ $random == yes ]] || name=${name:-$(uname -n)}
  [[ -z $name || $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "--name: '$name' is no file name: letters, digits, '.', '_', '-'"
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

# one_of WORD...: sets `drawn`; no subshell, which would not advance RANDOM.
one_of() {
  shift $((RANDOM % $#))
  drawn=$1
}

# A valid combination, into `turn`. Words that stand twice come up twice as often: an accusation needs accesses that meet.
draw_turn() {
  local entry=1 pages safe
  IFS=, read -ra safe <<<"$safe_protocols"
  one_of "${safe[@]}"
  turn=(--protocol="$drawn" --backing=memory --placement=none --warmup=0ms --repetitions=2)
  one_of 200ms 400ms 800ms; turn+=(--duration="$drawn")
  one_of mixed mixed collision collision reshape realloc gup_vs_punch fault_vs_truncate lease_vs_punch disjoint aio_vs_punch \
    starve_gup starve_fault fsync evict truncate_down collapse; turn+=(--workload="$drawn")
  one_of closed closed closed paced
  turn+=(--load="$drawn")
  if [[ $drawn == paced ]]; then one_of 1 2 3; turn+=(--threads="$drawn"); one_of 0.5 1 2; turn+=(--rate="$drawn"); fi
  one_of 1 2 4 8 32 32 32 64; entry=$drawn
  ((entry == 1)) || turn+=(--entry-bytes="$((4 * entry))K")
  one_of 1 2 4; pages=$((entry * drawn < 8 ? 8 : entry * drawn)); turn+=(--file-pages="$pages")
  one_of ref1 ref1 ref0
  turn+=(--refcount="$drawn")
  # A declared hang of ref0 costs its bound.
  if [[ $drawn == ref0 ]]; then turn+=(--hang-bound=3s); else turn+=(--hang-bound=8s); fi
  one_of 1 1 2 4; turn+=(--queue-depth="$drawn")
  one_of perturb perturb rwsem pthread_rwlock punch
  case $drawn in
    perturb) turn+=(--perturb="$((RANDOM + 1))") ;;
    punch) turn+=(--discard=punch) ;;
    *) turn+=(--lock="$drawn") ;;
  esac
  turn+=(--seed="$((RANDOM + 1))")
}

# Rows of one turn: "episodes operations skipped accused". A declared finding accuses nobody.
judge_turn() {
  awk -F, '
    { parts = split($0, part, "\""); line = ""
      for (i = 1; i <= parts; i++) { if (i % 2 == 0) gsub(/,/, "", part[i]); line = line part[i] }
      $0 = line }
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["path"] != "all" { next }
    $at["status"] == "skipped" { skipped++; next }
    { episodes++; operations += $at["ops"] }
    $at["verdict"] == "finding" { next }
    $at["verdict"] == "broken" || $at["status"] != "ok" { accused = accused " " $at["verdict"] "/" $at["status"] "/" $at["violated"] }
    END { printf "%d %d %d%s\n", episodes, operations, skipped, accused }' "$1"
}

random_soak() {
  local turns=0 episodes=0 operations=0 skipped=0 rows status=0 start=$SECONDS result=kept accused more done_ops passed_over
  rows=$(mktemp --suffix=.csv)
  # shellcheck disable=SC2064  # the name as it is now
  trap "rm -f '$rows' '${rows%.csv}.run.json'" EXIT
  note "random soak of $seconds s, --seed=$seed"
  RANDOM=$seed
  while ((SECONDS - start < seconds)); do
    draw_turn
    status=0
    "$DAXRACE_TOP/build/release/daxrace" run --quiet --out="$rows" --force "${turn[@]}" >"$rows.log" 2>&1 || status=$?
    if ((status == 2)); then cat "$rows.log" >&2; rm -f "$rows.log"; die "not a valid combination: ${turn[*]}"; fi
    read -r more done_ops passed_over accused < <(judge_turn "$rows")
    turns=$((turns + 1)) episodes=$((episodes + more)) operations=$((operations + done_ops)) skipped=$((skipped + passed_over))
    if [[ -n $accused ]]; then
      result="accused: $accused"
      note "$result, after $((SECONDS - start)) s, by: daxrace run ${turn[*]}"
      break
    fi
  done
  rm -f "$rows.log"
  printf '%d turns, %d episodes (%d skipped), %d effective operations, %d s, seed %d: %s\n' \
    "$turns" "$episodes" "$skipped" "$operations" "$((SECONDS - start))" "$seed" "$result"
  [[ -z $name ]] || random_summary "$turns" "$episodes" "$skipped" "$operations" "$((SECONDS - start))" "$result"
  ((episodes > 0)) || exit 77
  [[ $result == kept ]]
}

# random_summary TURNS EPISODES SKIPPED OPERATIONS SECONDS RESULT
random_summary() {
  # shellcheck disable=SC2016  # the backquotes are markdown
  {
    printf '# Random soak\n\nWritten by `scripts/soak.sh --random --seconds=%s --protocol=%s --seed=%s`.\n\n' \
      "$seconds" "$safe_protocols" "$seed"
    printf -- '- %s\n' "$("$DAXRACE_TOP/build/release/daxrace" --version | head -n 2 | tr -s " \n" " ")"
    printf -- '- ended: %s, on %s\n\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(uname -srm)"
    printf '| turns | episodes | skipped | effective operations | time | result |\n| --- | --- | --- | --- | --- | --- |\n'
    printf '| %d | %d | %d | %d | %d s | %s |\n' "$@"
  } >"$summary"
}

main() {
  parse "$@"
  csv=$DAXRACE_TOP/results/soak/$name.csv
  summary=${csv%.csv}.md
  [[ -z $name || (! -e $csv && ! -e $summary) ]] ||
    die "results/soak/$name.csv or .md exists: move it away or choose another --name"
  "$DAXRACE_TOP/scripts/install-deps.sh" --build
  "$DAXRACE_TOP/scripts/build.sh" release daxrace >&2
  mkdir -p "$DAXRACE_TOP/results/soak"
  if [[ $random == yes ]]; then random_soak; exit; fi
  start_summary
  local protocol status=0
  for protocol in ${protocols//,/ }; do
    soak "$protocol" || { status=$?; break; }
  done
  exit "$status"
}

main "$@"
