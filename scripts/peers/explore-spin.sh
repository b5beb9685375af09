#!/usr/bin/env bash
# How long daxrace explore and SPIN take to the same verdict on the same scenarios at the same steps.
#
# usage: scripts/peers/explore-spin.sh [--daxrace=FILE] [--rounds=N] [--cpu=N]     (build/release/daxrace, 25, 0)
#
# The rule is iolock_mmaplock; tests/promela/iolock_mmaplock.pml is its Promela model, whose steps promela_steps_test holds
# against those of the tasks. pan is compiled with -O2 and gets a hash table of the size that suits it. It reduces by partial
# order, as daxrace explore does with --reduce; the last pair is without, on both sides. The two take turns, each round one
# run of each, whole processes on one CPU. What is printed is Markdown, for results/explore/spin.md. SPIN comes with
# scripts/install-deps.sh --peers.
#
# exit status: 0 measured, 1 the verdicts differ, 2 usage, 77 SPIN is not installed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

seconds_of() {  # COMMAND...: prints wall and CPU milliseconds
  local start=$EPOCHREALTIME out
  out=$({ TIMEFORMAT='%U %S'; time "$@" >"$work/out" 2>&1; } 2>&1)
  local end=$EPOCHREALTIME
  awk -v start="$start" -v end="$end" '{ printf "%.2f %.0f\n", (end - start) * 1000, ($1 + $2) * 1000 }' <<<"$out"
}

# Median, least and most of a column of a file.
spread() {
  cut -d' ' -f"$2" "$1" | sort -n | awk '{ v[NR] = $1 }
    END { printf "%.1f (%.1f to %.1f)", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[1], v[NR] }'
}
median() {
  local all
  all=$(spread "$1" "$2")
  echo "${all%% *}"
}

compile_pan() {  # NAME FAULTS IOS [OPTION]
  mkdir "$work/$1$4"
  cd "$work/$1$4"
  spin -a "-DFAULTS=$2" "-DIOS=$3" "$DAXRACE_TOP/tests/promela/iolock_mmaplock.pml"
  "${CC:-cc}" -O2 -DSAFETY ${4:+"$4"} -w -o pan pan.c
}

on_cpu() { taskset -c "$cpu" "$@"; }
explore() {
  on_cpu "$daxrace" explore --threads=1 --protocol=iolock_mmaplock --refcount=ref1 "--scenario=$1" "${@:2}"
}
pan() { on_cpu "$work/$1/pan" -m10000 -w18; }

measure() {  # NAME FAULTS IOS EXPLORE_OPTION PAN_OPTION
  local name=$1 run=$1$5 round compiled
  compiled=$(seconds_of compile_pan "$1" "$2" "$3" "$5")
  for ((round = 0; round < rounds; round++)); do
    seconds_of explore "$name" ${4:+"$4"} >>"$work/$run.daxrace"
    grep -q ' safe ' "$work/out" || die 1 "$name: daxrace explore does not say safe"
    explored=$(sed -n 's/.* \([0-9]*\) states, \([0-9]*\) steps.*/\1 | \2/p' "$work/out")
    seconds_of pan "$run" >>"$work/$run.pan"
    grep -q 'errors: 0' "$work/out" || die 1 "$name: SPIN does not say that nothing is wrong"
    ! grep -q 'search depth too small' "$work/out" || die 1 "$name: SPIN did not see everything"
    panned=$(awk '/states, stored/ { s = $1 } /transitions/ { print s " | " $1 }' "$work/out")
  done
  printf '| %s | daxrace explore %s | %s | %s | %s | |\n' "$name" "$4" "$(spread "$work/$run.daxrace" 1)" \
    "$(spread "$work/$run.daxrace" 2)" "$explored"
  printf '| %s | pan %s | %s | %s | %s | %.0f |\n' "$name" "$5" "$(spread "$work/$run.pan" 1)" \
    "$(spread "$work/$run.pan" 2)" "$panned" "${compiled%% *}"
  awk -v name="$name ${4:-whole}" -v a="$(median "$work/$run.pan" 1)" -v b="$(median "$work/$run.daxrace" 1)" \
    -v c="$(median "$work/$run.pan" 2)" -v d="$(median "$work/$run.daxrace" 2)" 'BEGIN {
      printf "%s: SPIN takes %.2f times the wall time of daxrace explore, %.2f times its CPU time\n", name, a / b, c / d
    }' >>"$work/ratios"
}

main() {
  daxrace=$DAXRACE_TOP/build/release/daxrace rounds=25 cpu=0
  local option
  for option in "$@"; do
    case $option in
      --daxrace=*) daxrace=$(option_value "$option") ;;
      --rounds=*) rounds=$(option_value "$option"); need_number --rounds "$rounds" ;;
      --cpu=*) cpu=$(option_value "$option"); need_number --cpu "$cpu" ;;
      --help | -h) print_help; exit 0 ;;
      *) unknown_option "$option" ;;
    esac
  done
  command -v spin >/dev/null || { echo "skipped: no spin (scripts/install-deps.sh --peers installs it)"; exit 77; }
  [[ -x $daxrace ]] || die "no program at $daxrace"
  ((rounds > 0)) || die "--rounds: at least 1"
  daxrace=$(realpath "$daxrace")
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  printf '%s, %s, %s rounds in turns, CPU %s; load before: %s\n\n' "$(spin -V)" \
    "$(git -C "$DAXRACE_TOP" rev-parse --short HEAD)" "$rounds" "$cpu" "$(cut -d' ' -f1 /proc/loadavg)"
  echo '| scenario | program | wall ms, median (least to most) | CPU ms | states | steps | compiled in ms |'
  echo '| --- | --- | --- | --- | --- | --- | --- |'
  measure fault_io_punch 1 1 --reduce ""
  measure faults_io_punch 2 2 --reduce ""
  measure faults_io_punch 2 2 "" -DNOREDUCE
  echo
  cat "$work/ratios"
}

main "$@"
