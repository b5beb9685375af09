#!/usr/bin/env bash
# usage: kernel_target.sh OUTDIR: what tests/guest/kernel_target.sh runs in the guest: the kernel's litmus table, a few cells
# three times, a short run, and the file system checked offline afterwards.
set -eEuo pipefail
trap 'echo "FAILED: status $? of line $LINENO: $BASH_COMMAND"' ERR
out=$1
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
program=build/release/daxrace
fs=$(stat -f -c %T "$DAXRACE_DAX0")

# What is waited for below comes at once or never: the bounds leave time to a guest that shares its CPUs with others.

# Something wrong in a stock kernel is a result (status 1); anything else but 0 is not.
found_or_fine() {
  local status=0
  "$@" || status=$?
  if [[ $status -gt 1 ]]; then
    echo "FAILED: status $status: $*"
    exit 1
  fi
}

# What each stand-alone program says of this kernel, behind its exit status.
reproducers() {
  local reproducer status said device
  for reproducer in build/release/tests/reproducers/*; do
    status=0
    device=""
    [[ $reproducer != */punch_under_dio ]] || device=$DAXRACE_SCRATCH
    said=$(timeout 180 "$reproducer" "$DAXRACE_DAX0" ${device:+"$device"}) || status=$?
    echo "$(basename "$reproducer") $status $said"
  done
}

# killed_in ACCESS CONDITION: daxrace is killed in such a cell, once the condition holds of its process that decides ($decider).
# What that had stopped would keep it from ending.
killed_in() {
  local victim decider="" start bound=60
  "$program" litmus --target=kernel --dir="$DAXRACE_DAX0" --access="$1" --repeat=1000 --allow=freeze >/dev/null 2>&1 &
  victim=$!
  # Each table has a process of its own. The file ends without a newline, which read calls a failure.
  until {
    read -r decider _ <"/proc/$victim/task/$victim/children" || true
    [[ -n $decider ]] && "$2" "$decider"
  } 2>/dev/null || ! kill -0 "$victim"; do :; done
  start=$SECONDS
  kill -KILL "$victim"
  wait "$victim" || [[ $? -eq 137 ]] || { echo "FAILED: daxrace had ended before it was killed"; exit 1; }
  while [[ -d /proc/$decider ]] && ((SECONDS - start < bound)); do sleep 0.1; done
  ((SECONDS - start < bound)) || { echo "FAILED: a daxrace killed in $1 ended after $((SECONDS - start)) s only"; exit 1; }
}

# Without a process of its own for each look: it would come too late.
its_device_is_stopped() {
  local file stopped=""
  for file in /sys/block/dm-*/dm/suspended; do read -r stopped <"$file"; done 2>/dev/null
  [[ $stopped == 1 ]]
}
it_waits_for_a_thaw() {
  local file where=""
  for file in /proc/"$1"/task/*/wchan; do
    read -r where <"$file"
    [[ $where != percpu_rwsem* ]] || return 0
  done 2>/dev/null
  return 1
}

leaves_no_device() {
  for _ in {1..300}; do
    compgen -G "/sys/block/dm-*" >/dev/null || return 0
    sleep 0.1
  done
  echo "FAILED: a killed daxrace left its device behind"
  exit 1
}

# Written here and copied: some kernels lose appended data of a 9p mount.
found_or_fine "$program" litmus --target=kernel --dir="$DAXRACE_DAX0" --allow=freeze,umount --format=json >/tmp/litmus.json
"$program" litmus --target=kernel --dir="$DAXRACE_DAX0" --operation=punch,truncate_down,evict --access=read,write,pin,pin_outside,pin_freeze \
  --repeat=3 --allow=freeze >/dev/null
found_or_fine "$program" litmus --target=kernel --dir="$DAXRACE_DAX0" --operation=punch,truncate_down,evict \
  --access=pin_munmap,dio_pin,pin_unlink,pin_refault,fsync --repeat=3 >/dev/null 2>/tmp/repeated
grep -q '3 repetitions, all the same' /tmp/repeated || { echo "FAILED: cells differ: $(grep -v '^\[' /tmp/repeated | paste -sd " ")"; exit 1; }
found_or_fine "$program" run --target=kernel --dir="$DAXRACE_DAX0" --workload=realloc,gup_vs_punch,reshape,zero,collapse,insert,fault,aio_read --repetitions=1 \
  --rate=0.1 --duration=3s --hang-bound=4s --peer-file="$DAXRACE_NULLB" --destroy-data --no-table --out=/tmp/run.csv
reproducers >/tmp/reproducers.txt
build/release/tests/kernel_target_test --gtest_brief=1 --gtest_filter='StoppedDevice.*:Guard*'
{ uname -r; uname -v; } >/tmp/uname.txt
cp /tmp/litmus.json /tmp/uname.txt /tmp/run.csv /tmp/run.run.json /tmp/reproducers.txt "$out/"

killed_in dio_pin its_device_is_stopped
leaves_no_device
killed_in frozen_store it_waits_for_a_thaw
"$program" litmus --target=kernel --dir="$DAXRACE_DAX0" --operation=punch --access=read >/dev/null # takes over what was left

left=$(find "$DAXRACE_DAX0" -mindepth 1 -not -name lost+found)
if [[ -n $left ]]; then
  echo "FAILED: files were left behind: $left"
  exit 1
fi
# The guard of the killed one looks for a late freeze for 5 s, and keeps the file system busy.
for _ in {1..400}; do
  ! umount "$DAXRACE_DAX0" 2>/dev/null || break
  sleep 0.1
done
if mountpoint -q "$DAXRACE_DAX0"; then echo "FAILED: $DAXRACE_DAX0 stays busy"; exit 1; fi
case $fs in
  xfs) xfs_repair -n /dev/pmem0 >/tmp/check 2>&1 || { cat /tmp/check; echo "FAILED: xfs_repair -n"; exit 1; } ;;
  *) e2fsck -fn /dev/pmem0 >/tmp/check 2>&1 || { cat /tmp/check; echo "FAILED: e2fsck -fn"; exit 1; } ;;
esac
echo "offline check of $fs: clean"
