#!/usr/bin/env bash
# What tests/guest/output.sh runs in the guest: says on stdout what it finds, leaves files, exits 77.
set -uo pipefail
echo "to stdout: $(uname -r)"
echo "to stderr" >&2
echo "reopened" >/dev/stderr
printf '%s\n' "$@"
env | grep ^DAXRACE_ | sort
echo "clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
for node in 0 1; do
  echo "node $node cpus $(cat /sys/devices/system/node/node$node/cpulist) pmem $(cat /sys/bus/nd/devices/region$node/numa_node)"
done
echo "null_blk $(cat /sys/kernel/config/nullb/nullb0/completion_nsec)"
dd if=/dev/zero of="$DAXRACE_SCRATCH" bs=4k count=1 oflag=direct status=none && echo "scratch takes O_DIRECT"
dd if=/dev/zero of="$DAXRACE_NULLB" bs=4k count=1 oflag=direct status=none && echo "null_blk takes O_DIRECT"
mkdir results/deep && echo "one row" >>results/deep/rows.csv && echo "another" >>results/deep/rows.csv
head -c 3000000 /dev/urandom >results/large
sha256sum <results/large >results/large.sha256
touch /usr/left-behind "$PWD/left-behind"
exit 77
