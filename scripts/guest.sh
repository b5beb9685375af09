#!/usr/bin/env bash
# Boots a stock Debian kernel under QEMU with two NUMA nodes and real DAX on each, runs one command in it with this
# machine's files (read-only below, thrown away above), brings back its output, its exit status and its result files.
#
# usage: scripts/guest.sh [options] -- COMMAND [ARGUMENT...]
#        scripts/guest.sh [options] -- run|list|env|litmus|explore|compare|report|history [ARGUMENT...]
#   --kernel=V            6.1 (default), 6.12, 7.x: fetched from Debian's archive once and cached; or the directory of an
#                         unpacked kernel package
#   --mirror=URL          the archive that it is fetched from (default: DAXRACE_MIRROR, else the one that apt takes this
#                         machine's packages from); what is cached is never asked for
#   --accel=A             auto (default: kvm if a guest really boots with it here, else tcg), kvm, tcg
#   --backing=B           none (default), xfs, xfs-reflink, ext4, devdax-4k, devdax-2m: made on the pmem of both nodes
#   --device=D            memmap (default): pmem of both nodes cut out of their RAM; virtio-pmem: one device of the
#                         hypervisor, which flushes asynchronously, so that DAX comes without MAP_SYNC; xfs, xfs-reflink,
#                         ext4 or none on it, as DAXRACE_DAX0
#   --memory=MIB          RAM of each of the two nodes (default 1536, at least 1536)
#   --pmem=MIB            how much of it is pmem (default 512)
#   --reserved=MIB        how much of it looks as if the firmware had reserved it: a devdax device of no NVDIMM namespace, as CXL
#                         memory has (default 0, at most 256)
#   --peer-latency-ns=N   how long a request to the guest's null_blk device takes (default 10000)
#   --time-limit=SECONDS  for the command (default 1200)
#   --boot-limit=SECONDS  until the command starts (default 180)
#   --results=DIR         what the command writes in DIR comes back to this machine (default results/local of this tree)
#   --console=FILE        keep the kernel console in FILE
#
# The command runs in the current directory, as root, and finds in its environment
#   DAXRACE_DAX0, DAXRACE_DAX1   the DAX directory (/mnt/pmem0, ...) or device (/dev/dax0.0, ...) of each node, or nothing
#   DAXRACE_RESERVED             the device of --reserved (/dev/dax0.0, ...), or nothing
#   DAXRACE_NULLB                a null_blk device (/dev/nullb0), or nothing where the kernel has no such module
#   DAXRACE_SCRATCH              an empty disk of 256 MiB (/dev/vda)
#   DAXRACE_EMULATED             kvm or tcg: what the CPUs are; times under tcg are not times of pmem
#
# A verb of daxrace as the first word runs build/release/daxrace (`env NAME=VALUE COMMAND` is env(1)). `run` gets, each only
# where it was not given: --backing=fsdax:$DAXRACE_DAX0 or devdax:$DAXRACE_DAX0 (after --backing), --peer-file=$DAXRACE_NULLB,
# and --destroy-data for these. The whole command line is printed.
#
# What it needs and this machine lacks is installed first, as by scripts/run.sh.
#
# exit status: the command's; 124 it was stopped at the time limit; 125 the guest never came up, or died or hung while the
# command ran (the end of the console is printed); 2 usage.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/mirror.sh
. "$DAXRACE_TOP/scripts/mirror.sh"
# shellcheck source=scripts/guest/host.sh
. "$DAXRACE_TOP/scripts/guest/host.sh"
# shellcheck source=scripts/guest/kernel.sh
. "$DAXRACE_TOP/scripts/guest/kernel.sh"
# shellcheck source=scripts/guest/initramfs.sh
. "$DAXRACE_TOP/scripts/guest/initramfs.sh"
# shellcheck source=scripts/guest/qemu.sh
. "$DAXRACE_TOP/scripts/guest/qemu.sh"

kernel=6.1 accel=auto backing=none device=memmap node_mib=1536 pmem_mib=512 reserved_mib=0 peer_latency_ns=10000 time_limit=1200 boot_limit=180
results=$DAXRACE_TOP/results/local console="" verb="" remark="" GUEST_MIRROR=""
command=()

parse_options() {
  while [[ $# -gt 0 && $1 != -- ]]; do
    case $1 in
      --kernel=*) kernel=$(option_value "$1") ;;
      --mirror=*) GUEST_MIRROR=$(option_value "$1") ;;
      --accel=*) accel=$(option_value "$1") ;;
      --backing=*) backing=$(option_value "$1") ;;
      --device=*) device=$(option_value "$1") ;;
      --memory=*) node_mib=$(option_value "$1") ;;
      --pmem=*) pmem_mib=$(option_value "$1") ;;
      --reserved=*) reserved_mib=$(option_value "$1") ;;
      --peer-latency-ns=*) peer_latency_ns=$(option_value "$1") ;;
      --time-limit=*) time_limit=$(option_value "$1") ;;
      --boot-limit=*) boot_limit=$(option_value "$1") ;;
      --results=*) results=$(option_value "$1") ;;
      --console=*) console=$(option_value "$1") ;;
      --help | -h) print_help; exit 0 ;;
      -*) unknown_option "$1" ;;
      *) die "put -- before the command ('$1')" ;;
    esac
    shift
  done
  [[ $# -gt 1 ]] || die "no command: scripts/guest.sh [options] -- COMMAND (see --help)"
  command=("${@:2}")
}

check_options() {
  local name
  for name in node_mib pmem_mib reserved_mib peer_latency_ns time_limit boot_limit; do need_number "$name" "${!name}"; done
  case $accel in auto | kvm | tcg) ;; *) die "--accel=$accel: use auto, kvm or tcg" ;; esac
  case $backing in
    none | xfs | xfs-reflink | ext4 | devdax-4k | devdax-2m) ;;
    *) die "--backing=$backing: use xfs, xfs-reflink, ext4, devdax-4k, devdax-2m or none" ;;
  esac
  case $device:$backing in
    memmap:*) ;;
    virtio-pmem:devdax-*) die "--backing=$backing: needs --device=memmap, a virtio-pmem device gives no devdax" ;;
    virtio-pmem:*) ;;
    *) die "--device=$device: use memmap or virtio-pmem" ;;
  esac
  ((node_mib >= 1536 && node_mib % 128 == 0)) || die "--memory=$node_mib: a multiple of 128 MiB from 1536 on"
  ((pmem_mib >= 128 && pmem_mib <= node_mib / 2 && pmem_mib <= 1024 && pmem_mib % 128 == 0)) ||
    die "--pmem=$pmem_mib: a multiple of 128 MiB, at most 1024 and at most half of --memory"
  ((reserved_mib <= 256 && reserved_mib % 2 == 0)) || die "--reserved=$reserved_mib: a multiple of 2 MiB, at most 256"
  # Its region would take the numbers that theirs have.
  if ((reserved_mib > 0)) && [[ $device == memmap && $backing != none ]]; then
    die "--reserved=$reserved_mib: needs --device=virtio-pmem or --backing=none"
  fi
  [[ -z $GUEST_MIRROR ]] || GUEST_MIRROR=$(debian_mirror "$GUEST_MIRROR")
  ((time_limit >= 1 && boot_limit >= 1)) || die "a limit must be at least 1 second"
  if ! mkdir -p "$results" 2>/dev/null || [[ ! -w $results ]]; then die "--results=$results cannot be written to"; fi
  results=$(realpath "$results")
  [[ $results != *,* ]] || die "--results=$results: QEMU takes no comma in a path"
}

# Where an ordinary user does not look.
PATH=$PATH:/usr/sbin:/sbin

resolve_verb() {
  verb=$(verb_of "${command[@]}")
  [[ -n $verb ]] || return 0
  local program=$DAXRACE_TOP/build/release/daxrace
  [[ -x $program ]] || "$DAXRACE_TOP/scripts/build.sh" release daxrace >&2
  command=("$program" "${command[@]}")
}

write_settings() {
  local modules
  modules=$(kernel_modules "$kernel")
  mkdir "$work/share"
  printf '%q ' "${command[@]}" >"$work/share/command"
  {
    printf 'DEVICE=%q\nRESERVED_MIB=%q\n' "$device" "$reserved_mib"
    printf 'BACKING=%q\nPEER_LATENCY_NS=%q\nTIME_LIMIT=%q\nRESULTS=%q\n' "$backing" "$peer_latency_ns" "$time_limit" "$results"
    printf 'DIRECTORY=%q\nACCEL=%q\nMODULES=%q\nVERB=%q\nNOTE=%q\n' "$PWD" "$accel" "$modules" "$verb" "$remark"
  } >"$work/share/settings"
  truncate -s 256M "$work/scratch.img"
}

# The guest's output comes through two pipes, so that it is not mixed with the console and not kept in files.
open_pipes() {
  mkfifo "$work/out" "$work/err"
  cat "$work/out" &
  readers=$!
  cat "$work/err" >&2 &
  readers+=" $!"
  # A writer of our own until QEMU has ended: without one the readers would wait for ever should QEMU fail to start.
  exec {hold_out}<>"$work/out" {hold_err}<>"$work/err"
}

close_pipes() {
  exec {hold_out}>&- {hold_err}>&-
  # shellcheck disable=SC2086  # two numbers
  wait $readers 2>/dev/null || true
}

clean_up() {
  if [[ -n ${GUEST_PID:-} ]]; then stop_qemu; fi
  # shellcheck disable=SC2086
  if [[ -n ${readers:-} ]]; then kill $readers 2>/dev/null || true; fi
  rm -rf "$work"
}

lost() {
  show_console "$work/console.log"
  die 125 "$@"
}

# What happened to the guest, as an exit status.
judge() {
  local share=$work/share
  if [[ -s $share/status ]]; then
    if [[ -e $share/time-limit ]]; then
      show_console "$work/console.log"
      die 124 "the command was stopped at its time limit of $time_limit s"
    fi
    exit "$(<"$share/status")"
  fi
  if [[ -e $share/failed ]]; then lost "the guest could not be set up: $(<"$share/failed")"; fi
  if [[ ! -e $share/up ]]; then
    if [[ $GUEST_END == boot ]]; then lost "the guest never came up (stopped after $boot_limit s)"; fi
    if [[ -s $work/qemu.log ]]; then sed 's/^/  | /' "$work/qemu.log" >&2; fi
    lost "the guest never came up: it ended before the command started"
  fi
  case $GUEST_END in
    silent) lost "the guest hung while the command ran" ;;
    time) show_console "$work/console.log"; die 124 "the guest did not end the command at its time limit of $time_limit s and was stopped" ;;
  esac
  if grep -q 'Kernel panic' "$work/console.log"; then lost "the guest died while the command ran: kernel panic"; fi
  lost "the guest died while the command ran"
}

main() {
  parse_options "$@"
  check_options
  need_tools
  resolve_verb
  kernel=$(find_kernel "$kernel")
  local image
  image=$(kernel_image "$kernel")
  work=$(mktemp -d "${TMPDIR:-/tmp}/daxrace-guest-XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  make_initramfs "$(kernel_modules "$kernel")" "$work" "$DAXRACE_TOP/scripts/guest/main"
  machine_arguments "$node_mib" "$pmem_mib" "$device" "$work" "$reserved_mib"
  if [[ $accel == auto ]]; then accel=$(choose_accel "$image" "$work/initramfs" "$work"); fi
  write_settings
  open_pipes
  start_qemu "$work" "$results" "$image" "$accel"
  watch_qemu "$work/share" "$boot_limit" "$time_limit" 90
  close_pipes
  if [[ -n $console ]]; then cp "$work/console.log" "$console"; fi
  judge
}

main "$@"
