#!/usr/bin/env bash
# Installs the Debian packages that daxrace needs and that are missing.
#
# usage: scripts/install-deps.sh [--build] [--guest] [--peers] [--lint] [--fuzz] [--fresh] [--report] [--package]
#                                [--all] [--list] [--missing]
#   --build    to build it and to run its unit tests (the default)
#   --guest    to run it in a guest with real DAX (scripts/guest.sh)
#   --peers    the programs that it is measured against
#   --lint     what the style checks run
#   --fuzz     what the fuzz targets are built with
#   --fresh    what scripts/fresh-machine.sh needs
#   --report   plots for daxrace report, and the browser that its test looks at them with
#   --package  what makes and checks the Debian package
#   --all      all of these
#   --list     print the packages with the reason for each, install nothing
#   --missing  print the packages that are missing, install nothing; exit status 1 if there are any
#
# Works as root, or as a user with sudo. Asks the archive only if something is missing. Another apt that is at work is
# waited for (DAXRACE_APT_WAIT, seconds; 600).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# set, package, reason
packages() {
  cat <<'LIST'
build g++ the compiler
build cmake configures the build
build ninja-build runs the build
build pkg-config finds the libraries below
build libbenchmark-dev registers, filters and times the episodes
build libpmem2-dev maps memory, files, fsdax and devdax alike
build libhwloc-dev NUMA nodes, cores and binding
build liburing-dev asynchronous O_DIRECT
build libfccp-dev reads CSV files
build libcli11-dev the command line
build libfmt-dev text output
build libboost-context-dev fibers for the deterministic machine
build libboost-math-dev confidence intervals
build nlohmann-json3-dev writes RUN.json
build zlib1g-dev reads the kernel configuration out of /proc/config.gz
build libblkid-dev recognises data that must not be overwritten
build libtracefs-dev asks the kernel what it did (--target=kernel)
build libtraceevent-dev libtracefs needs it
build libgtest-dev the tests
build libgmock-dev the tests
build git the commit that stands in every result
build ca-certificates archives and repositories over https
guest qemu-system-x86 runs the guest
guest busybox-static the guest's first program
guest cpio packs the guest's initramfs
guest kmod dependencies of the guest kernel's modules
guest xz-utils unpacks them
guest zstd unpacks them on newer kernels
guest ndctl makes fsdax and devdax namespaces
guest daxctl looks at devdax devices
guest xfsprogs makes XFS and asks it whether DAX is in effect
guest e2fsprogs makes ext4
guest util-linux setpriv, flock and mount
peers fio the loop that ours is compared with
peers stress-ng page faults as others count them
peers spin decides models of the same lock rules
lint clang-format the layout of the C++ code
lint clang-tidy finds mistakes in it
lint shellcheck finds mistakes in these scripts
fuzz clang builds the fuzz target of the result reader
fuzz libclang-rt-14-dev libFuzzer and the sanitizers of clang
fresh debootstrap makes the clean Debian
report gnuplot-nox plots of daxrace report
report chromium the test of its pages in a real browser
report fonts-dejavu-core letters for them
report poppler-utils reads what they look like on paper
package dpkg-dev the libraries that the Debian package depends on
package gzip packs the manual page
package mandoc checks it
LIST
}

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

wanted() {
  local set
  for set in "$@"; do packages | awk -v set="$set" '$1 == set { print $2 }'; done
}

missing() {
  local package
  for package in $(wanted "$@"); do
    installed "$package" || echo "$package"
  done
}

is_locked() { grep -qE "Could not get lock|Unable to (lock|acquire)|is another process using it" "$1"; }

# apt_get LOG ARGUMENT...: as root, once no other apt holds its locks. Of them apt itself waits for dpkg's only.
apt_get() {
  local log=$1 start=$SECONDS told=""
  shift
  until as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=30 "$@" >"$log" 2>&1 </dev/null; do
    if ! is_locked "$log" || ((SECONDS - start >= ${DAXRACE_APT_WAIT:-600})); then
      cat "$log" >&2
      die 1 "apt-get $1 failed (its output is above)"
    fi
    [[ -n $told ]] || note "another apt is at work: waiting for it (at most ${DAXRACE_APT_WAIT:-600} s)"
    told=1
    sleep 1
  done
}

install_packages() {
  note "installing: $*"
  local log
  log=$(mktemp)
  # shellcheck disable=SC2064  # the name as it is now
  trap "rm -f '$log'" EXIT
  apt_get "$log" update
  apt_get "$log" -y --no-install-recommends install "$@"
}

main() {
  local sets=() action=install option
  for option in "$@"; do
    case $option in
      --build | --guest | --peers | --lint | --fuzz | --fresh | --report | --package) sets+=("${option#--}") ;;
      --all) sets=(build guest peers lint fuzz fresh report package) ;;
      --list) action=list ;;
      --missing) action=missing ;;
      --help | -h) print_help; exit 0 ;;
      *) unknown_option "$option" ;;
    esac
  done
  [[ ${#sets[@]} -gt 0 ]] || sets=(build)
  command -v dpkg-query >/dev/null || die "this is not a Debian system: install by hand what --list names"

  if [[ $action == list ]]; then
    packages | awk -v sets=" ${sets[*]} " 'index(sets, " " $1 " ") { name = $2; sub(/^[^ ]+ [^ ]+ /, ""); printf "%-20s %s\n", name, $0 }'
    exit 0
  fi
  local absent
  mapfile -t absent < <(missing "${sets[@]}")
  if [[ $action == missing ]]; then
    [[ ${#absent[@]} -eq 0 ]] && exit 0
    printf '%s\n' "${absent[@]}"
    exit 1
  fi
  [[ ${#absent[@]} -eq 0 ]] || install_packages "${absent[@]}"
}

main "$@"
