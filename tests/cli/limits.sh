#!/usr/bin/env bash
# usage: limits.sh [PROGRAM [DENY]]: machines that give less than asked for. What cannot be had is one clear line or a row with its reason,
# and never a figure that looks like any other.
set -euo pipefail
deny=${2:+$(realpath "$2")}
# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
deny=${deny:-$(dirname "$daxrace")/tests/deny}
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

# Containers refuse some calls by their seccomp profile.
system_calls() {
  [[ -x $deny ]] || { fail "no program at $deny"; return; }
  local -r binding=mbind,get_mempolicy,set_mempolicy,move_pages
  run "$deny" $binding "$daxrace" "${short[@]}" --workload=load --out=unbound.csv
  expect_status 0 "memory that cannot be bound"
  run "$deny" $binding "$daxrace" env
  expect_out '^note +memory binding +refused: Operation not permitted' "memory that cannot be bound"
  expect_out 'cap-add=SYS_NICE' "memory that cannot be bound"
  run "$deny" sched_setaffinity "$daxrace" "${short[@]}" --workload=load --out=denied.csv
  expect_status 77 "threads that cannot be bound"
  grep -q 'cannot bind threads to CPUs: Operation not permitted: --placement=none' denied.csv ||
    fail "threads that cannot be bound: nothing in the file says so"
  run "$deny" sched_setaffinity "$daxrace" "${short[@]}" --workload=load --placement=none --out=anywhere.csv
  expect_status 0 "threads that cannot be bound, left where they are"
  run "$deny" sched_setaffinity "$daxrace" env
  expect_out '^missing +CPU affinity' "threads that cannot be bound"
}

# on_nodes LIST COMMAND...: on a machine of two NUMA nodes, all CPUs on the first, of which those of LIST have memory.
on_nodes() {
  local -r with_memory=$1 sys=/sys/devices/system/node
  local node
  shift
  rm -rf nodes
  mkdir -p nodes/node0 nodes/node1
  echo 0-1 | tee nodes/online nodes/possible nodes/has_normal_memory >/dev/null
  echo "$with_memory" >nodes/has_memory
  echo 0 >nodes/has_cpu
  cat $sys/node0/cpumap >nodes/node0/cpumap
  cat $sys/node0/cpulist >nodes/node0/cpulist
  tr '1-9a-f' 0 <$sys/node0/cpumap >nodes/node1/cpumap
  echo >nodes/node1/cpulist
  for node in 0 1; do
    [[ $node = 0 ]] && echo 10 20 >nodes/node0/distance || echo 20 10 >nodes/node1/distance
    [[ $with_memory = *$node* ]] && echo "Node $node MemTotal: 2097152 kB" || echo "Node $node MemTotal: 0 kB"
  done | tee nodes/meminfo >/dev/null
  for node in 0 1; do grep "Node $node " nodes/meminfo >nodes/node$node/meminfo; done
  rm nodes/meminfo
  HWLOC_ALLOW=all unshare --mount --propagation private bash -c "mount --bind nodes $sys && exec \"\$@\"" bash "$@"
}

# Two nodes, of which the kernel has but one: memory can be bound to the first alone.
nodes() {
  [[ $EUID -eq 0 && -e /sys/devices/system/node/node0/cpumap ]] || { echo "note: not root, or no NUMA; nodes not tried"; return; }
  local -r binding=mbind,get_mempolicy,set_mempolicy,move_pages
  local placement
  run on_nodes 0-1 "$daxrace" "${short[@]}" --workload=load --out=two-nodes.csv
  expect_row two-nodes.csv pmem_node '^0$' "two nodes"
  run on_nodes 1 "$daxrace" "${short[@]}" --workload=load --out=memless.csv
  expect_status 1 "CPUs on a node without memory, and another that this kernel does not have"
  grep -q 'NUMA node 1' memless.csv || fail "CPUs on a node without memory: the other one's was not asked for"
  for placement in local none; do
    run on_nodes 0-1 "$deny" $binding "$daxrace" "${short[@]}" --workload=load --placement=$placement --out=unbound-$placement.csv
    expect_status 0 "two nodes and memory that cannot be bound, --placement=$placement"
    expect_row unbound-$placement.csv pmem_node '^$' "two nodes and memory that cannot be bound, --placement=$placement"
  done
}

# in_group COMMAND...: in control group /job of a version 2 hierarchy, whose files are those below ./group.
in_group() {
  unshare --mount --propagation private bash -c 'mount --bind group.cgroup /proc/$$/cgroup &&
    mount --bind group.mountinfo /proc/$$/mountinfo && exec "$@"' bash "$@"
}

control_groups() {
  [[ $EUID -eq 0 ]] || { echo "note: not root; control groups not tried"; return; }
  local throttler
  mkdir -p group/job
  echo 0::/job >group.cgroup
  grep -v ' - cgroup' /proc/self/mountinfo >group.mountinfo
  echo "999 1 0:999 / $work/group rw - cgroup2 cgroup2 rw" >>group.mountinfo
  echo $((32 << 20)) >group/job/memory.max
  echo 0 >group/job/memory.current
  echo "150000 100000" >group/job/cpu.max
  run in_group "$daxrace" "${short[@]}" --workload=load --file-pages=20000 --out=group.csv
  expect_status 2 "a memory limit of the own group"
  expect_err 'needs [0-9]+ MiB and 32 MiB are available' "a memory limit of the own group"
  run in_group "$daxrace" env
  expect_out '^note +memory +32 MiB available in control group /job' "a memory limit of the own group"
  expect_out '^note +CPU quota +1\.5 CPUs, by control group /job' "a CPU quota"
  rm group/job/memory.max
  echo "nr_throttled 3" >group/job/cpu.stat
  # Once it is measuring, whenever that is on this machine.
  { sleep 1.5; echo "nr_throttled 7" >group/job/cpu.stat; } &
  throttler=$!
  run in_group "$daxrace" run --workload=load --protocol=ext4 --duration=3s --warmup=5ms --repetitions=1 --quiet --out=throttled.csv
  wait $throttler
  expect_status 0 "a run that was throttled"
  expect_row throttled.csv remark 'throttled by a CPU quota 4 times' "a run that was throttled"
}

# A process that was stopped has not hung, and its times are none of the protocol's.
standstill() {
  local pid
  status=0 shown=""
  "$daxrace" run --workload=load --protocol=ext4 --duration=4s --warmup=5ms --repetitions=1 --hang-bound=500ms --quiet --out=stopped.csv \
    >"$work/out" 2>"$work/err" </dev/null &
  pid=$!
  sleep 1.5
  kill -STOP "$pid"
  sleep 1
  kill -CONT "$pid"
  wait "$pid" || status=$?
  expect_status 0 "a run that was stopped"
  expect_row stopped.csv status '^ok$' "a run that was stopped"
  expect_row stopped.csv remark 'stood still for [0-9.]+m?s' "a run that was stopped"
}

# Threads get stacks of the limit's size: one that is too small would be met as a crash.
stacks() {
  local verb
  for verb in "litmus --protocol=ext4" "run --workload=load --quiet" "explore --protocol=none --scenario=pin_punch"; do
    # shellcheck disable=SC2086  # words
    run prlimit --stack=131072 "$daxrace" $verb
    expect_status 2 "a stack of 128 KiB: $verb"
    expect_one_line_err "a stack of 128 KiB: $verb"
    expect_err "a stack of 128 KiB is too small: ulimit -s 8192" "a stack of 128 KiB: $verb"
  done
  run prlimit --stack=262144 "$daxrace" litmus --protocol=ext4 --operation=punch
  expect_status 0 "a stack of 256 KiB"
}

other_machines() {
  local name
  for name in HWLOC_XMLFILE=some.xml "HWLOC_SYNTHETIC=numa:2 core:4 pu:2" HWLOC_FSROOT=/nowhere; do
    run env "$name" "$daxrace" "${short[@]}" --workload=load --out=foreign.csv
    expect_status 2 "$name"
    expect_err "${name%%=*} is set: CPUs and nodes would be those of another machine; unset it" "$name"
    run env "$name" "$daxrace" env
    expect_status 2 "env with $name"
  done
}

isolated_cpus() {
  [[ $(nproc) -ge 2 ]] || { echo "note: one CPU; isolated ones not tried"; return; }
  run taskset -c 0 "$daxrace" "${short[@]}" --workload=load --cpus=1 --out=isolated.csv
  expect_status 2 "a CPU that is not allowed"
  expect_err 'if it is isolated: taskset -c 1 daxrace' "a CPU that is not allowed"
}

threads
system_calls
nodes
control_groups
standstill
stacks
other_machines
isolated_cpus
finish
