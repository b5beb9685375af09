#!/usr/bin/env bash
# usage: limits.sh [PROGRAM]: machines that give less than asked for. What cannot be had is one clear line or a row with its reason,
# and never a figure that looks like any other.
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# A user of nobody else's: the limit counts all threads of one.
few=(setpriv --reuid=64321 --regid=64321 --clear-groups)

# of FILE COLUMN: of the rows of episodes
of() {
  python3 -c 'import csv, sys
print("\n".join({row[sys.argv[2]] for row in csv.DictReader(open(sys.argv[1])) if row["path"] == "all"}))' "$1" "$2"
}

# expect_row FILE COLUMN PATTERN WHAT
expect_row() {
  local value
  value=$(of "$1" "$2") || { fail "$4: no rows in $1"; return; }
  [[ $value =~ $3 ]] || fail "$4: $2 is '$value', not '$3'"
}

# Whoever runs at all ends at once; nobody is left waiting for those who were never started.
threads() {
  [[ $EUID -eq 0 ]] || { echo "note: not root; limits on threads not tried"; return; }
  local most out
  cp "$daxrace" ./daxrace
  mkdir files
  chmod 777 . files
  for most in 1 2 3; do
    out=nproc-$most.csv
    run timeout 30 prlimit --nproc="$most" "${few[@]}" ./daxrace run --workload=load --protocol=ext4 --threads=3 \
      --duration=20ms --warmup=5ms --repetitions=1 --quiet --out="$out"
    expect_status 1 "$most threads allowed"
    expect_row "$out" status '^error$' "$most threads allowed"
    expect_row "$out" reason "^cannot start worker $most of 3: .*ulimit -u.*pids\\.max" "$most threads allowed"
  done
  run timeout 30 prlimit --nproc=1 "${few[@]}" ./daxrace explore --protocol=none --scenario=pin_punch --threads=2
  expect_status 0 "explore with one thread allowed"
  run timeout 30 prlimit --nproc=2 "${few[@]}" ./daxrace run --target=kernel --dir=files --workload=read --threads=3 \
    --duration=20ms --warmup=5ms --repetitions=1 --quiet --out=kernel-nproc.csv
  expect_status 1 "the kernel target with two threads allowed"
  expect_row kernel-nproc.csv reason '^cannot start worker 2 of 3' "the kernel target with two threads allowed"
}

threads
finish
