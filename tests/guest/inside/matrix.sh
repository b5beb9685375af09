#!/usr/bin/env bash
# usage: matrix.sh BACKING FILE: what tests/guest/matrix.sh runs in the guest: the pmem of both nodes keeps what is stored,
# the region tests that need real DAX, and the quick matrix, written to FILE.
set -euo pipefail
backing=$1 file=$2
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
build=build/release

# Written through one mapping, read through another: memory that is none (a hole in the address space) shows here.
stores_survive() {
  local node=$1 target=$2 pattern=0xa$1
  if [[ -d $target ]]; then
    target=$target/store-check
    xfs_io -f -c "truncate 4m" "$target"
  fi
  xfs_io -c "mmap -rw 0 4m" -c "mwrite -S $pattern 0 4096" -c "mwrite -S $pattern 2m 4096" "$target"
  if [[ $(xfs_io -c "mmap -r 0 4m" -c "mread -v 0 16" -c "mread -v 2m 16" "$target" | grep -c "a$node a$node a$node a$node") -ne 2 ]]; then
    echo "FAILED: the pmem of node $node does not keep what is stored in it"
    exit 1
  fi
  if [[ -f $target ]]; then rm "$target"; fi
}

region=devdax:$DAXRACE_DAX0
[[ $backing == devdax-* ]] || region=fsdax:$DAXRACE_DAX0

run_matrix() {
  "$build/daxrace" run --repetitions=2 --backing="$region" --placement=local,remote --peer-file="$DAXRACE_NULLB" --destroy-data --out="$file"
}

# A minute of closed load on the protocols that promise all file accesses, half of it with delays between the steps.
run_stress() {
  local out=${file%.csv}-stress.csv options
  options=(run --backing="$region" --peer-file="$DAXRACE_NULLB" --destroy-data --load=closed --repetitions=1
    "--protocol=iolock_mmaplock,ext4,lease_break"
    "--workload=mixed,gup_vs_punch,aio_vs_punch,fault_vs_truncate,lease_vs_punch,collision,realloc"
    --file-pages=16 --duration=1300ms --warmup=0ms --no-table --out="$out")
  "$build/daxrace" "${options[@]}"
  "$build/daxrace" "${options[@]}" --append --perturb
}

stores_survive 0 "$DAXRACE_DAX0"
stores_survive 1 "$DAXRACE_DAX1"
"$build/tests/guest_region_test" --gtest_brief=1
run_matrix
run_stress
