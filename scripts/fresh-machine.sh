#!/usr/bin/env bash
# Does what a new user does: a clean Debian 12, a fresh clone of this repository's HEAD, the README's two commands.
#
# usage: scripts/fresh-machine.sh [--quick] [--keep] [--mirror=URL]
#   --quick       only the benchmark and the unit tests: `scripts/run.sh`, `scripts/test.sh -L unit`
#   --keep        keep the chroot and say where it is
#   --mirror=URL  Debian's archive (default: DAXRACE_MIRROR, else the one that apt takes this machine's packages from)
# Needs root (or sudo), debootstrap and about 4 GiB in TMPDIR. What is not committed is not tried.
#
# exit status: 0 both commands succeeded, otherwise that of the first that failed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/mirror.sh
. "$DAXRACE_TOP/scripts/mirror.sh"

quick="" keep="" mirror="" chroot="" mounted=()

parse_options() {
  local option
  for option in "$@"; do
    case $option in
      --quick) quick=1 ;;
      --keep) keep=1 ;;
      --mirror=*) mirror=$(option_value "$option") ;;
      --help | -h) print_help; exit 0 ;;
      *) unknown_option "$option" ;;
    esac
  done
}

unmount_all() {
  local i
  for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do umount "${mounted[i]}" || umount -l "${mounted[i]}"; done
  mounted=()
}

clean_up() {
  unmount_all
  rm -f "${DAXRACE_STAGE_FILE:-}"
  if [[ -n $keep ]]; then note "kept: $chroot"; return; fi
  # A mount that is still there would be emptied with the chroot: /dev is the host's.
  if [[ -n $chroot ]] && ! grep -qF " $chroot/" /proc/mounts; then rm -rf --one-file-system "$chroot"; fi
}

mount_into() {
  local type=$1 directory=$chroot/$2
  case $type in
    bind) mount --bind "/$2" "$directory" ;;
    *) mount -t "$type" "$type" "$directory" ;;
  esac
  mounted+=("$directory")
}

make_chroot() {
  debootstrap --variant=minbase bookworm "$chroot" "$mirror" >"$chroot.log" 2>&1 ||
    { tail -n 5 "$chroot.log" >&2; return 1; }
  rm -f "$chroot.log"
}

prepare_chroot() {
  mount_into proc proc
  mount_into sysfs sys
  mount_into bind dev
  # As on a real machine, and unlike in a chroot.
  if mountpoint -q /dev/shm; then mount_into bind dev/shm; fi
  cp /etc/resolv.conf "$chroot/etc/resolv.conf"
  printf '#!/bin/sh\nexit 101\n' >"$chroot/usr/sbin/policy-rc.d" # packages must not start services
  chmod +x "$chroot/usr/sbin/policy-rc.d"
}

clone_head() { git clone -q --no-hardlinks "$DAXRACE_TOP" "$chroot/root/daxrace"; }

in_chroot() {
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    ${http_proxy:+http_proxy="$http_proxy"} chroot "$chroot" sh -c "cd /root/daxrace && $1" </dev/null
}

main() {
  parse_options "$@"
  if [[ $(id -u) -ne 0 ]]; then as_root "$0" "$@"; exit; fi
  PATH=$PATH:/usr/sbin:/sbin
  mirror=$(debian_mirror "$mirror")
  command -v debootstrap >/dev/null || "$DAXRACE_TOP/scripts/install-deps.sh" --fresh
  chroot=$(mktemp -d "${TMPDIR:-/tmp}/daxrace-fresh-XXXXXX")
  DAXRACE_STAGE_FILE=$(mktemp)
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  local status=0 tests="./scripts/test.sh"
  [[ -z $quick ]] || tests+=" -L unit"
  stage debootstrap make_chroot || die 1 "debootstrap failed (above)"
  prepare_chroot
  stage clone clone_head
  stage "./scripts/run.sh" in_chroot ./scripts/run.sh || status=$?
  if [[ $status -eq 0 ]]; then stage "$tests" in_chroot "$tests" || status=$?; fi
  echo
  print_stages "$DAXRACE_STAGE_FILE"
  exit "$status"
}

main "$@"
