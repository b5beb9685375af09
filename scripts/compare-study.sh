#!/usr/bin/env bash
# How often daxrace compare is wrong: by simulation, and on this machine by comparing a program with itself.
#
# usage: scripts/compare-study.sh [--simulated=N] [--real=N] [--runs=N] [--name=NAME]
#   --simulated=N  simulated comparisons a cell (default 200; 0: none)
#   --real=N       real comparisons of this tree with itself (default 20; 0: none); 50 s each
#   --runs=N       runs of each side in one of them, in turns A B B A, each one value (default 10); with 1, one run of 12
#                  repetitions a side, one right after the other
#   --name=NAME    write results/compare/NAME-simulated.md and NAME-real.md (default: this host's name; `reference` is the
#                  one that is committed)
#
# Builds first. Real figures mean something only while nothing else runs; the load average stands in the result.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

simulated=200 real=20 runs=10 name=""
run_options=("--workload=fault,punch,mixed" "--protocol=none,iolock_mmaplock,ext4" --duration=40ms --warmup=10ms)

need_name() { [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "--name: '$1' is no file name: letters, digits, '.', '_', '-'"; }

parse() {
  local option
  for option in "$@"; do
    case $option in
      --help | -h) print_help; exit 0 ;;
      --simulated=*) simulated=$(option_value "$option") ;;
      --real=*) real=$(option_value "$option") ;;
      --runs=*) runs=$(option_value "$option") ;;
      --name=*) name=$(option_value "$option") ;;
      *) unknown_option "$option" ;;
    esac
  done
  need_number --simulated "$simulated"
  need_number --real "$real"
  need_number --runs "$runs"
  ((runs >= 1)) || die "--runs=$runs: at least 1"
  name=${name:-$(uname -n)}
  need_name "$name"
}

heading() {
  echo "Made by \`./scripts/compare-study.sh --simulated=$simulated --real=$real --runs=$runs --name=$name\` at commit $(git describe --always --dirty --abbrev=12)."
}

study_simulated() {
  local out=results/compare/$name-simulated.md
  { heading; echo; build/release/tests/study/compare_study --comparisons="$simulated"; } >"$out.new"
  mv "$out.new" "$out"
  note "written: $out"
}

one_run() {
  local status=0
  build/release/daxrace run "${run_options[@]}" --seed="$2" --out="$1" --quiet >/dev/null 2>&1 </dev/null || status=$?
  ((status <= 1)) || die "a run ended with status $status"
}

# In turns, so that neither side has the better ones.
run_both() {
  local run sides
  for ((run = 1; run <= runs; run++)); do
    sides=(a b)
    if ((run % 2 == 0)); then sides=(b a); fi
    one_run "$directory/${sides[0]}-$run.csv" "$((2 * ($1 * runs + run)))"
    one_run "$directory/${sides[1]}-$run.csv" "$((2 * ($1 * runs + run) + 1))"
  done
}

# flagged OPTION...: rows that are reported, and families that have one, of one comparison.
flagged() {
  build/release/daxrace compare --base="$directory/a-*.csv" --new="$directory/b-*.csv" --unit="$unit" --format=csv "$@" 2>/dev/null |
    awk -F, '$1 == "slower" || $1 == "faster" { rows++; if (!seen[$3]++) families++ } $2 != "" && NR > 1 { if (!path[$3]++) all++; n++ }
      END { printf "%d %d %d %d\n", rows, families, n, all }' || true
}

study_real() {
  local how="$runs runs of each in turns, compared by \`daxrace compare --unit=run\`" unit=run
  if ((runs == 1)); then
    how="two runs right after one another" unit=repetition
    run_options+=(--repetitions=12)
  else
    run_options+=(--repetitions=4)
  fi
  local out=results/compare/$name-real.md number rows families all paths
  local rows_0 families_0 sum_rows=0 sum_families=0 sum_all=0 sum_paths=0 sum_rows_0=0 sum_families_0=0 flagged_any=0 flagged_any_0=0
  directory=$(mktemp -d results/local/compare-study.XXXXXX)
  # shellcheck disable=SC2064  # the name as it is now
  trap "rm -rf '$directory'" EXIT
  {
    heading
    echo
    echo "$real comparisons of one program with itself, each of $how, on $(nproc) CPUs,"
    echo "$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo), kernel $(uname -r): \`daxrace run ${run_options[*]}\`."
    echo "Whatever is reported is a false alarm. Threshold 5 % is the default; with 0 the test stands alone."
    echo
    echo "| # | load average | rows reported | families with one | rows, threshold 0 | families, threshold 0 |"
    echo "| ---: | ---: | ---: | ---: | ---: | ---: |"
    for ((number = 1; number <= real; number++)); do
      rm -f "$directory"/*
      run_both "$number"
      read -r rows families all paths < <(flagged)
      read -r rows_0 families_0 all paths < <(flagged --threshold=0)
      echo "| $number | $(cut -d' ' -f1 /proc/loadavg) | $rows of $all | $families of $paths | $rows_0 | $families_0 |"
      sum_rows=$((sum_rows + rows)) sum_families=$((sum_families + families)) sum_all=$((sum_all + all)) sum_paths=$((sum_paths + paths))
      sum_rows_0=$((sum_rows_0 + rows_0)) sum_families_0=$((sum_families_0 + families_0))
      flagged_any=$((flagged_any + (rows > 0))) flagged_any_0=$((flagged_any_0 + (rows_0 > 0)))
    done
    echo "| all | | $sum_rows of $sum_all | $sum_families of $sum_paths | $sum_rows_0 | $sum_families_0 |"
    echo
    echo "Comparisons that report anything: $flagged_any of $real; with threshold 0: $flagged_any_0 of $real."
  } >"$out.new"
  mv "$out.new" "$out"
  note "written: $out"
}

main() {
  parse "$@"
  "$DAXRACE_TOP/scripts/build.sh" release daxrace compare_study >&2
  cd "$DAXRACE_TOP"
  mkdir -p results/compare results/local
  if ((simulated > 0)); then study_simulated; fi
  if ((real > 0)); then study_real; fi
}

main "$@"
