#!/usr/bin/env bash
# Helps to get pmem to run daxrace on: says what is there, advises kernel parameters that make pmem of RAM, and turns a
# namespace into fsdax or devdax. Changes nothing unless told to with --yes and a named namespace, and never touches a
# boot loader.
#
# usage: scripts/setup-pmem.sh --list
#        scripts/setup-pmem.sh --advise-memmap [--size=MIB]
#        scripts/setup-pmem.sh --create --namespace=NAME --mode=fsdax|devdax [--align=4k|2m|1g] [--map=mem|dev]
#                              [--destroy-data] [--yes]
#   --list            namespaces and DAX devices, and what daxrace could use them for
#   --advise-memmap   for each NUMA node one memmap= parameter that lies wholly in its System RAM (needs root: the kernel
#                     hides addresses from others). It becomes /dev/pmemN at the next boot; what is stored there is lost
#                     with power.
#   --size=MIB        how much of each node (default an eighth of its RAM, at most 8 GiB)
#   --create          reconfigures a namespace with ndctl. Without --yes it says what it would do and does nothing.
#   --destroy-data    needed as well where the namespace has been set up before or carries a known signature
#   --align=A         of devdax (default 2m)
#   --map=mem|dev     where the kernel keeps its page structures: RAM (default) or the pmem itself
#
# exit status: 0 done; 1 ndctl failed; 2 refused, or usage
# DAXRACE_ROOT=DIR reads /proc, /sys and /dev below DIR; nothing is ever created then.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

root=${DAXRACE_ROOT:-}
root=${root%/}
action="" size_mib="" namespace="" mode="" align=2m map=mem yes="" destroy_data=""

readonly kMiB=$((1 << 20))
readonly kGiB=$((1 << 30))
# The kernel's unit of RAM bookkeeping on x86-64 (a section): a namespace that shares one with RAM may be refused.
readonly kSection=$((128 * kMiB))

parse_options() {
  local option
  for option in "$@"; do
    case $option in
      --list | --advise-memmap | --create)
        [[ -z $action ]] || die "$action and $option: one at a time"
        action=$option
        ;;
      --size=*) size_mib=$(option_value "$option"); need_number --size "$size_mib" ;;
      --namespace=*) namespace=$(option_value "$option") ;;
      --mode=*) mode=$(option_value "$option") ;;
      --align=*) align=$(option_value "$option") ;;
      --map=*) map=$(option_value "$option") ;;
      --destroy-data) destroy_data=1 ;;
      --yes) yes=1 ;;
      --help | -h) print_help; exit 0 ;;
      *) unknown_option "$option" ;;
    esac
  done
  [[ -n $action ]] || die "what? --list, --advise-memmap or --create (see --help)"
}

attribute() { cat "$1/$2" 2>/dev/null || true; }

human() {
  local bytes=$1
  if ((bytes >= kGiB)); then awk -v b="$bytes" 'BEGIN { printf "%.1f GiB", b / 2^30 }'; else echo "$((bytes / kMiB)) MiB"; fi
}

# --- advice -----------------------------------------------------------------------------------------------------------

# "START END" of System RAM that nothing else lies in (end exclusive), lowest first: children of System RAM, such as the
# kernel's image or a crash kernel, are cut out.
free_ram() {
  local line indent start end name ram_start=0 ram_end=0 seen=""
  local pattern='^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$'
  [[ -r $root/proc/iomem ]] || die "cannot read $root/proc/iomem"
  while IFS= read -r line; do
    [[ $line =~ $pattern ]] || continue
    indent=${#BASH_REMATCH[1]} start=$((16#${BASH_REMATCH[2]})) end=$((16#${BASH_REMATCH[3]} + 1)) name=${BASH_REMATCH[4]}
    if ((indent == 0)); then
      if ((ram_end > ram_start)); then echo "$ram_start $ram_end"; fi
      ram_start=0 ram_end=0
      [[ $name == "System RAM" ]] || continue
      if ((end > 1)); then seen=1; fi
      ram_start=$start ram_end=$end
    elif ((ram_end > ram_start)); then
      if ((start > ram_start)); then echo "$ram_start $start"; fi
      # A grandchild lies in what its parent has already cut out.
      if ((end > ram_start)); then ram_start=$end; fi
    fi
  done <"$root/proc/iomem"
  if ((ram_end > ram_start)); then echo "$ram_start $ram_end"; fi
  [[ -n $seen ]] || die "$root/proc/iomem shows no addresses: run this as root"
}

# "NODE START END" from the memory blocks that sysfs gives each node, neighbours joined.
node_ranges() {
  local sys=$root/sys/devices/system block_bytes node numbers number start last
  if [[ ! -d $sys/node || ! -r $sys/memory/block_size_bytes ]]; then
    if compgen -G "$sys/node/node[1-9]*" >/dev/null; then die "sysfs does not tell which RAM is whose ($sys/memory is missing)"; fi
    echo "0 0 $((1 << 62))"
    return
  fi
  block_bytes=$((16#$(cat "$sys/memory/block_size_bytes")))
  for node in $(find "$sys/node/" -maxdepth 1 -name 'node[0-9]*' -printf '%f\n' | sort -V); do
    start="" last=""
    numbers=$(find "$sys/node/$node/" -maxdepth 1 -name 'memory[0-9]*' -printf '%f\n' | sed 's/^memory//' | sort -n)
    for number in $numbers end; do
      if [[ -n $start && $number != "$((last + 1))" ]]; then
        echo "${node#node} $((start * block_bytes)) $(((last + 1) * block_bytes))"
        start=""
      fi
      [[ -n $start ]] || start=$number
      last=$number
    done
  done
}

# "NODE START END" of free RAM by node, not aligned.
free_ram_by_node() {
  local node node_start node_end start end ram
  ram=$(free_ram) || exit
  while read -r node node_start node_end; do
    while read -r start end; do
      ((start >= node_start)) || start=$node_start
      ((end <= node_end)) || end=$node_end
      if ((end > start)); then echo "$node $start $end"; fi
    done <<<"$ram"
  done < <(node_ranges)
}

# As the kernel's memparse takes it.
memmap_number() {
  local bytes=$1
  if ((bytes % kGiB == 0)); then echo "$((bytes / kGiB))G"; else echo "$((bytes / kMiB))M"; fi
}

# The bytes to take of a node that has `total` of RAM.
wanted_bytes() {
  local node=$1 total=$2 bytes
  if [[ -n $size_mib ]]; then
    bytes=$((size_mib * kMiB))
    ((bytes > 0 && bytes % kSection == 0)) || die "--size=$size_mib: must be a multiple of $((kSection / kMiB)) MiB"
    ((bytes <= total / 2)) || die "--size=$size_mib: more than half of node $node's $(human "$total")"
  else
    bytes=$((total / 8 / kSection * kSection))
    ((bytes <= 8 * kGiB)) || bytes=$((8 * kGiB))
    ((bytes > 0)) || bytes=$kSection
  fi
  echo "$bytes"
}

# Proposes the highest place that fits: far from what boot loaders and devices need low, and from the kernel.
advise_node() {
  local node=$1 ranges=$2 total=0 bytes start end low high best="" largest=0
  while read -r start end; do total=$((total + end - start)); done <<<"$ranges"
  bytes=$(wanted_bytes "$node" "$total") || exit
  while read -r start end; do
    low=$(((start + kSection - 1) / kSection * kSection)) high=$((end / kSection * kSection))
    ((high - low <= largest)) || largest=$((high - low))
    if ((high - low >= bytes)); then best="$((high - bytes)) $start $end"; fi
  done <<<"$ranges"
  if [[ -z $best || $bytes -gt $((total / 2)) ]]; then
    echo "node $node: no room for $(human "$bytes") in its $(human "$total") of RAM (largest aligned free range: $(human "$largest"))"
    return
  fi
  read -r low start end <<<"$best"
  printf 'node %d: %s of its %s of RAM, at %#x-%#x, in free System RAM %#x-%#x\n' \
    "$node" "$(human "$bytes")" "$(human "$total")" "$low" "$((low + bytes - 1))" "$start" "$((end - 1))"
  if ((low < 4 * kGiB)); then echo "node $node: this lies below 4 GiB, where boot loaders put the initrd: should the machine not boot, leave it out"; fi
  parameters+=("memmap=$(memmap_number "$bytes")!$(memmap_number "$low")")
}

advise_memmap() {
  local ranges nodes node existing parameters=()
  ranges=$(free_ram_by_node) || exit
  mapfile -t nodes < <(cut -d ' ' -f 1 <<<"$ranges" | sort -nu)
  for node in "${nodes[@]}"; do
    advise_node "$node" "$(awk -v n="$node" '$1 == n { print $2, $3 }' <<<"$ranges")"
  done
  existing=$(tr ' ' '\n' <"$root/proc/cmdline" 2>/dev/null | grep -c '^memmap=' || true)
  if ((existing > 0)); then echo "this boot already has $existing memmap= parameter(s); keep them"; fi
  if ((existing + ${#parameters[@]} > 4)); then echo "with more than 4 of them the kernel gives up KASLR"; fi
  [[ ${#parameters[@]} -gt 0 ]] || die "no node has room"
  echo "add to the kernel's command line (GRUB: GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub) and reboot; nothing was changed:"
  echo "${parameters[*]}"
}

# --- list -------------------------------------------------------------------------------------------------------------

nd() { echo "$root/sys/bus/nd/devices/$1"; }

namespaces() {
  local found
  for found in "$root"/sys/bus/nd/devices/namespace*; do
    if [[ -d $found && $(attribute "$found" size) -gt 0 ]]; then basename "$found"; fi
  done
}

# fsdax, devdax, sector or raw, in ndctl's words.
namespace_mode() {
  case $(attribute "$(nd "$1")" mode) in
    memory) echo fsdax ;;
    dax) echo devdax ;;
    safe) echo sector ;;
    *) echo raw ;;
  esac
}

# The names in /dev that stand for a namespace: pmem0, or dax0.0.
namespace_devices() {
  local holder found
  holder=$(attribute "$(nd "$1")" holder)
  for found in "$(nd "$1")"/block/* ${holder:+"$(nd "$holder")"/block/* "$(nd "$holder")"/dax[0-9]*}; do
    if [[ -d $found ]]; then basename "$found"; fi
  done | sort -u
}

# "DIRECTORY FSTYPE OPTIONS" of each mount of a device or of a partition of it.
mounts_of() { awk -v device="/dev/$1" '$1 == device || index($1, device "p") == 1 { print $2, $3, $4 }' "$root/proc/mounts" 2>/dev/null || true; }

use_of_block() {
  local device=$1 directory fstype options
  read -r directory fstype options < <(mounts_of "$device"; echo)
  if [[ -z $directory ]]; then
    echo "not mounted: mkfs.xfs -m reflink=0 or mkfs.ext4 -b 4096, mount -o dax=always, then --backing=fsdax:DIRECTORY"
  elif [[ ,$options, == *,dax,* || ,$options, == *,dax=always,* ]]; then
    echo "--backing=fsdax:$directory ($fstype)"
  else
    echo "mounted on $directory ($fstype) without dax: remount with -o dax=always"
  fi
}

# Only device_dax gives a device that a program can map.
use_of_dax() {
  local device=$1 link=$root/sys/bus/dax/devices/$1/driver driver="" target
  if [[ -e $link ]]; then driver=$(basename "$(readlink "$link")"); fi
  target=$(cat "$root/sys/bus/dax/devices/$device/target_node" 2>/dev/null || echo -1)
  if [[ $target -ge 0 && $target != $(attribute "$root/sys/bus/dax/devices/$device" numa_node) ]]; then
    target=" (memory of node $target)"
  else
    target=""
  fi
  case $driver in
    device_dax) echo "--backing=devdax:/dev/$device --destroy-data$target" ;;
    kmem) echo "serves as RAM (kmem): daxctl reconfigure-device --mode=devdax $device, then --backing=devdax:/dev/$device$target" ;;
    "") echo "no driver, nothing can map it: daxctl enable-device $device, then --backing=devdax:/dev/$device$target" ;;
    *) echo "not to be mapped ($driver): daxctl reconfigure-device --mode=devdax $device, then --backing=devdax:/dev/$device$target" ;;
  esac
}

use_of_namespace() {
  local name=$1 mode=$2 device=$3
  case $mode in
    fsdax) if [[ -n $device ]]; then use_of_block "$device"; else echo "disabled: ndctl enable-namespace $name"; fi ;;
    devdax) if [[ -n $device ]]; then use_of_dax "$device"; else echo "disabled: ndctl enable-namespace $name"; fi ;;
    *) echo "not as it is: scripts/setup-pmem.sh --create --namespace=$name --mode=fsdax (or devdax)" ;;
  esac
}

print_row() { printf '%-14s %-7s %9s  %4s  %-12s %s\n' "$@"; }

list() {
  local name mode device found shown="" rows=0
  print_row namespace mode size node device "daxrace could use it as"
  for name in $(namespaces); do
    mode=$(namespace_mode "$name")
    device=$(namespace_devices "$name" | sed -n 1p)
    shown+=" $device "
    rows=$((rows + 1))
    print_row "$name" "$mode" "$(human "$(attribute "$(nd "$name")" size)")" "$(attribute "$(nd "$name")" numa_node)" \
      "${device:+/dev/$device}" "$(use_of_namespace "$name" "$mode" "$device")"
  done
  # DAX devices that no namespace stands behind: CXL and other memory set apart by firmware.
  for found in "$root"/sys/bus/dax/devices/dax*; do
    device=$(basename "$found")
    [[ -d $found && $shown != *" $device "* ]] || continue
    rows=$((rows + 1))
    print_row - devdax "$(human "$(attribute "$found" size)")" "$(attribute "$found" numa_node)" "/dev/$device" "$(use_of_dax "$device")"
  done
  [[ $rows -gt 0 ]] || echo "(none: --advise-memmap proposes how to make some of RAM; scripts/guest.sh needs none)"
}

# --- create -----------------------------------------------------------------------------------------------------------

refuse_if_in_use() {
  local device=$1 holder
  [[ -z $(mounts_of "$device") ]] || die "/dev/$device is mounted: nothing was changed"
  if grep -q "^/dev/$device\(p[0-9]*\)\? " "$root/proc/swaps" 2>/dev/null; then die "/dev/$device is swap space: nothing was changed"; fi
  for holder in "$root/sys/class/block/$device"/holders/* "$root/sys/class/block/$device/$device"p*/holders/*; do
    if [[ -e $holder ]]; then die "/dev/$device is held by $(basename "$holder"): nothing was changed"; fi
  done
  # Open or mapped: what a DAX device's user has, since nothing is mounted there.
  if grep -qs " /dev/$device\$" "$root"/proc/[0-9]*/maps ||
    [[ -n $(find "$root"/proc/[0-9]*/fd -maxdepth 1 -lname "/dev/$device" -print -quit 2>/dev/null) ]]; then
    die "/dev/$device is in use by a process: nothing was changed"
  fi
}

# What speaks for data of value, in words; nothing only where the whole start of the device was read and means nothing.
known_content() {
  local name=$1 device found result=0
  # memmap= pmem is fsdax from its birth; what someone has set up has a holder.
  if [[ -n $(attribute "$(nd "$name")" holder) ]]; then echo "$name has been set up before ($(namespace_mode "$name"))"; return; fi
  device=$(namespace_devices "$name" | sed -n 1p)
  if [[ ! -r $root/dev/${device:-none} ]]; then echo "$name has no device that could be looked into"; return; fi
  found=$(blkid -p -o value -s TYPE -s PTTYPE "$root/dev/$device" 2>/dev/null) || result=$?
  case $result in
    0) echo "/dev/$device carries $(head -n 1 <<<"$found")" ;;
    2) ;;
    *) echo "/dev/$device carries something that blkid cannot tell (status $result)" ;;
  esac
}

check_create_options() {
  [[ -n $namespace ]] || die "--create needs --namespace=NAME (scripts/setup-pmem.sh --list shows them)"
  [[ $namespace =~ ^namespace[0-9]+\.[0-9]+$ ]] || die "--namespace=$namespace: must look like namespace0.0"
  case $mode in
    fsdax | devdax) ;;
    "") die "--create needs --mode=fsdax or --mode=devdax" ;;
    *) die "--mode=$mode: use fsdax or devdax" ;;
  esac
  case $map in mem | dev) ;; *) die "--map=$map: use mem or dev" ;; esac
  case $align in 4k | 2m | 1g) ;; *) die "--align=$align: use 4k, 2m or 1g" ;; esac
  [[ -d $(nd "$namespace") ]] || die "there is no $namespace here (scripts/setup-pmem.sh --list shows them)"
}

create() {
  check_create_options
  [[ $(id -u) -eq 0 || -n $root ]] || die "--create needs root: run it as root or with sudo"
  local device content plan
  for device in $(namespace_devices "$namespace"); do refuse_if_in_use "$device"; done
  content=$(known_content "$namespace")
  plan=(ndctl create-namespace --force --reconfig="$namespace" --mode="$mode" --map="$map")
  if [[ $mode == devdax ]]; then plan+=(--align="${align^^}"); fi
  if [[ -n $content && -z $destroy_data ]]; then
    die "$content: this would destroy it; add --destroy-data if that is what you want. Nothing was changed"
  fi
  [[ -n $yes ]] || die "would run: ${plan[*]} (all data of $namespace would be lost). Nothing was changed; add --yes"
  [[ -z $root ]] || die "DAXRACE_ROOT is set: would run: ${plan[*]}. Nothing was changed"
  command -v ndctl >/dev/null || die "no ndctl (scripts/install-deps.sh --guest installs it)"
  "${plan[@]}" || die 1 "ndctl failed (above)"
}

parse_options "$@"
case $action in
  --list) list ;;
  --advise-memmap) advise_memmap ;;
  --create) create ;;
esac
