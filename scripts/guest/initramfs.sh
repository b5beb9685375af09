# The guest's initramfs: busybox, scripts/guest/init and the few modules that it takes to reach the host's tree.
# To be sourced after kernel.sh.
# shellcheck shell=bash

GUEST_MODULES="virtio_pci virtio_console 9pnet_virtio 9p overlay"

# The files of a module and of all that it needs, in the order of loading, from the guest kernel's own modules.dep.
# (modprobe --show-depends leaves out what happens to be built into the *host's* kernel.)
module_files() {
  local modules=$1 name=$2 line
  line=$(grep -m 1 -E "(^|/)${name//_/[-_]}\.ko(\.xz|\.zst)?:" "$modules/modules.dep") || return 0 # built in
  tr ' ' '\n' <<<"${line#*:}" | tac
  echo "${line%%:*}"
}

unpack_module() {
  case $1 in
    *.xz) xz -dc "$1" >"${2%.xz}" ;;
    *.zst) zstd -qdc "$1" >"${2%.zst}" ;;
    *) cp "$1" "$2" ;;
  esac
}

# make_initramfs MODULES_DIR WORK_DIR MAIN: writes WORK_DIR/initramfs
make_initramfs() {
  local modules=$1 work=$2 main=$3 root=$2/initramfs.d name file number=100
  mkdir -p "$root"/{bin,proc,sys,dev,modules}
  cp "$(command -v busybox)" "$root/bin/busybox"
  install -m 755 "$DAXRACE_TOP/scripts/guest/init" "$root/init"
  echo "$main" >"$root/main"
  while read -r file; do
    number=$((number + 1))
    unpack_module "$modules/$file" "$root/modules/$number-$(basename "$file")"
  done < <(for name in $GUEST_MODULES; do module_files "$modules" "$name"; done | awk 'NF && !seen[$0]++')
  # Not compressed: QEMU copies faster than an emulated CPU unpacks.
  (cd "$root" && find . | cpio -o -H newc --quiet) >"$work/initramfs"
  rm -rf "$root"
}
