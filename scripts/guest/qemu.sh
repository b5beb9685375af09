# QEMU: the machine, the choice of the accelerator, and the watch over a running guest.
# To be sourced after kernel.sh.
# shellcheck shell=bash

# Two NUMA nodes of two CPUs. A q35 machine of this size has 2 GiB of RAM below the PCI hole and the rest from 4 GiB on,
# so node 0 starts at 0 and the end of RAM belongs to node 1. memmap= must lie in RAM: an address in the hole
# boots as well, and loses what is stored there.
# A virtio-pmem device lies above all RAM instead, in a file of WORK.
# Reserved memory is RAM whose type (1) the kernel is told to take for what a firmware gives such (0xefffffff).
# machine_arguments NODE_MIB PMEM_MIB memmap|virtio-pmem WORK RESERVED_MIB
machine_arguments() {
  local node_mib=$1 pmem_mib=$2 device=$3 work=$4 reserved_mib=$5 memory="$((2 * $1))M"
  if [[ $device == virtio-pmem ]]; then memory+=",slots=1,maxmem=$((4 * node_mib))M"; fi
  local end_mib=$((4096 + 2 * node_mib - 2048))
  GUEST_MEMMAP="memmap=${pmem_mib}M!512M memmap=${pmem_mib}M!$((end_mib - pmem_mib))M"
  GUEST_MACHINE=(-machine q35 -smp "4,sockets=2,cores=2" -m "$memory"
    -object "memory-backend-ram,id=m0,size=${node_mib}M" -object "memory-backend-ram,id=m1,size=${node_mib}M"
    -numa "node,nodeid=0,cpus=0-1,memdev=m0" -numa "node,nodeid=1,cpus=2-3,memdev=m1"
    -nic none -display none -no-reboot -no-user-config -nodefaults)
  if [[ $device == virtio-pmem ]]; then
    GUEST_MEMMAP=""
    GUEST_MACHINE+=(-object "memory-backend-file,id=pmem,share=on,mem-path=$work/pmem.img,size=${pmem_mib}M"
      -device "virtio-pmem-pci,memdev=pmem")
  fi
  if ((reserved_mib > 0)); then GUEST_MEMMAP+=" memmap=${reserved_mib}M%1536M-1+0xefffffff"; fi
}

accel_arguments() {
  case $1 in
    kvm) echo "-accel kvm -cpu host" ;;
    tcg) echo "-accel tcg,thread=multi -cpu max" ;;
  esac
}

# A hpet read costs 1 us under TCG, a TSC read a tenth of that.
kernel_arguments() { echo "console=ttyS0 panic=-1 tsc=reliable clocksource=tsc $GUEST_MEMMAP"; }

# True if a guest boots under KVM here. /dev/kvm proves nothing: on some nested hosts the guest hangs in its first
# instructions, using a whole CPU.
probe_kvm() {
  local image=$1 initramfs=$2 work=$3
  [[ -r /dev/kvm && -w /dev/kvm ]] || return 1
  # shellcheck disable=SC2046  # the words are meant to be split
  timeout -s KILL 20 qemu-system-x86_64 $(accel_arguments kvm) "${GUEST_MACHINE[@]}" \
    -kernel "$image" -initrd "$initramfs" -append "$(kernel_arguments) quiet daxrace.probe" \
    -serial "file:$work/probe.log" </dev/null >/dev/null 2>&1 || true
  grep -q 'daxrace-guest: probe ok' "$work/probe.log" 2>/dev/null
}

# `kvm` or `tcg`. The probe's answer is kept for an hour, for this boot of the host, this kernel and this QEMU.
choose_accel() {
  local image=$1 initramfs=$2 work=$3 answers=$DAXRACE_CACHE/kvm key file
  key=$({ cat /proc/sys/kernel/random/boot_id; qemu-system-x86_64 --version; id -u; echo "$image"; } | sha256sum | cut -c 1-16)
  file=$answers/$key
  if [[ -n $(find "$file" -mmin -60 2>/dev/null) ]]; then cat "$file"; return; fi
  local answer=tcg
  if probe_kvm "$image" "$initramfs" "$work"; then answer=kvm; fi
  if [[ $answer == tcg && -e /dev/kvm ]]; then
    note "/dev/kvm is there but does not run this kernel (or may not be used): emulating with TCG"
  fi
  mkdir -p "$answers"
  find "$answers" -type f -mmin +60 -delete
  echo "$answer" >"$file"
  echo "$answer"
}

# start_qemu WORK RESULTS IMAGE ACCEL: leaves the process id in GUEST_PID. The guest dies with this shell.
start_qemu() {
  local work=$1 results=$2 image=$3 accel=$4
  # shellcheck disable=SC2046  # the words are meant to be split
  setpriv --pdeathsig KILL qemu-system-x86_64 $(accel_arguments "$accel") "${GUEST_MACHINE[@]}" \
    -kernel "$image" -initrd "$work/initramfs" -append "$(kernel_arguments)" \
    -serial "file:$work/console.log" -device virtio-serial-pci \
    -chardev "file,id=out,path=$work/out" -device "virtserialport,chardev=out,name=daxrace.out" \
    -chardev "file,id=err,path=$work/err" -device "virtserialport,chardev=err,name=daxrace.err" \
    -fsdev "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap" \
    -device "virtio-9p-pci,fsdev=host,mount_tag=host" \
    -fsdev "local,id=guest,path=$work/share,security_model=none" -device "virtio-9p-pci,fsdev=guest,mount_tag=guest" \
    -fsdev "local,id=results,path=$results,security_model=none,multidevs=remap" \
    -device "virtio-9p-pci,fsdev=results,mount_tag=results" \
    -drive "file=$work/scratch.img,if=none,id=scratch,format=raw,cache=none,aio=threads" \
    -device "virtio-blk-pci,drive=scratch" </dev/null >"$work/qemu.log" 2>&1 &
  GUEST_PID=$!
}

alive() { kill -0 "$1" 2>/dev/null; }

# QEMU ends orderly when asked to, unless it hangs itself.
stop_qemu() {
  local tries
  kill -TERM "$GUEST_PID" 2>/dev/null || return 0
  for ((tries = 0; tries < 30; tries++)); do
    alive "$GUEST_PID" || return 0
    sleep 0.1
  done
  kill -KILL "$GUEST_PID" 2>/dev/null || true
}

# seconds_since_change FILE SINCE: of one that is not there (yet), since then.
seconds_since_change() {
  local when
  when=$(stat -c %Y "$1" 2>/dev/null) || when=$2
  echo $(($(date +%s) - when))
}

# Waits for the guest's end. Leaves in GUEST_END how it came:
#   off        it switched itself off (or died; the share tells)
#   boot       it was not up within the bound and was stopped
#   silent     it was up, then stopped answering, and was stopped
#   time       it outlived its own time limit and was stopped
watch_qemu() {
  local share=$1 boot_limit=$2 time_limit=$3 silence_limit=$4 start=$SECONDS up="" up_at=""
  GUEST_END=off
  while alive "$GUEST_PID"; do
    if [[ -z $up ]]; then
      if [[ -e $share/up ]]; then up=$SECONDS up_at=$(date +%s); elif ((SECONDS - start > boot_limit)); then GUEST_END=boot; fi
    # The guest ends the command itself at the time limit; it gets some seconds more for that.
    elif ((SECONDS - up > time_limit + 30)); then GUEST_END="time"
    elif (($(seconds_since_change "$share/alive" "$up_at") > silence_limit)); then GUEST_END=silent
    fi
    if [[ $GUEST_END != off ]]; then stop_qemu; fi
    sleep 0.1
  done
  wait "$GUEST_PID" 2>/dev/null || true
  GUEST_PID=""
}
