# Stock Debian kernels for the guest: fetched from the archive, unpacked into the cache, never installed.
# To be sourced after lib.sh and mirror.sh. GUEST_MIRROR: the archive, where the machine's own is not wanted.
# shellcheck shell=bash

GUEST_KERNELS=$DAXRACE_CACHE/kernels

# The suites that may hold a kernel of a given version, likeliest first.
kernel_suites() {
  case $1 in
    6.1) echo bookworm ;;
    6.12) echo trixie ;;
    *) echo trixie-backports sid trixie bookworm ;;
  esac
}

# True if a package's kernel version is what was asked for: 6.1 means 6.1.*, 7.x means 7.*.
kernel_matches() {
  local wanted=$1 version=$2
  [[ $version == "${wanted%.x}".* ]]
}

# apt on one suite only, with its state in a directory of its own: the host's lists and packages play no part.
suite_apt() {
  local state=$1 tool=$2
  shift 2
  "$tool" -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
    -o Acquire::Languages=none -o Acquire::Retries=2 -o APT::Sandbox::User="$(id -un)" \
    -o APT::Architecture=amd64 -o APT::Architectures=amd64 "$@"
}

suite_update() {
  local state=$1 suite=$2 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$state"/{lists/partial,cache/archives/partial}
  : >"$state/status"
  [[ -r $keyring ]] || die "no $keyring: install debian-archive-keyring"
  echo "deb [signed-by=$keyring] $GUEST_MIRROR $suite main" >"$state/sources.list"
  suite_apt "$state" apt-get -qq -o APT::Update::Error-Mode=any update >"$state/log" 2>&1
}

# The kernel package that the suite's linux-image-amd64 stands for.
suite_kernel() {
  suite_apt "$1" apt-cache depends linux-image-amd64 2>/dev/null |
    awk '!found && $1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ { print $2; found = 1 }'
}

# The package and the parts that it is split into from 7.x on.
kernel_packages() {
  echo "$2"
  suite_apt "$1" apt-cache depends "$2" 2>/dev/null |
    awk '$1 == "Depends:" && $2 ~ /^linux-(base|binary|modules)-[0-9]/ { print $2 }'
}

unpack_kernel() {
  local state=$1 package=$2 to=$3 deb
  mkdir -p "$to" "$state/debs"
  (
    cd "$state/debs"
    mapfile -t parts < <(kernel_packages "$state" "$package")
    suite_apt "$state" apt-get -qq download "${parts[@]}" >"$state/log" 2>&1
  ) || return 1
  for deb in "$state"/debs/*.deb; do dpkg-deb -x "$deb" "$to" || return 1; done
  # From here on modules.dep is what tells which files a module needs.
  depmod -b "$(kernel_base "$to")" "$(basename "$(kernel_modules "$to")")"
}

# DIR/lib/modules/VERSION or DIR/usr/lib/modules/VERSION
kernel_modules() {
  local found
  for found in "$1"/lib/modules/* "$1"/usr/lib/modules/*; do
    if [[ -d $found/kernel ]]; then echo "$found"; return; fi
  done
  return 1
}

kernel_base() {
  local modules
  modules=$(kernel_modules "$1")
  echo "${modules%/lib/modules/*}"
}

kernel_image() {
  local modules image
  modules=$(kernel_modules "$1") || return 1
  for image in "$1/boot/vmlinuz-$(basename "$modules")" "$modules/vmlinuz"; do
    if [[ -f $image ]]; then echo "$image"; return; fi
  done
  return 1
}

cached_kernels() { find "$GUEST_KERNELS" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' -printf '%f\n' 2>/dev/null | sort -rV; }

cached_names() {
  local names
  names=$(cached_kernels | paste -sd ' ')
  echo "${names:-none}"
}

# A kernel that is in the cache and answers to what was asked for, newest first.
cached_kernel() {
  local found
  while read -r found; do
    if kernel_matches "$1" "$found" && kernel_image "$GUEST_KERNELS/$found" >/dev/null; then
      echo "$GUEST_KERNELS/$found"
      return
    fi
  done < <(cached_kernels)
  return 1
}

fetch_from_suite() {
  local wanted=$1 suite=$2 state=$3 package version
  suite_update "$state" "$suite" || { note "suite $suite: $(tail -n 1 "$state/log")"; return 1; }
  package=$(suite_kernel "$state")
  version=${package#linux-image-}
  [[ -n $package ]] || { note "suite $suite has no linux-image-amd64"; return 1; }
  kernel_matches "$wanted" "$version" || return 1
  note "fetching Debian's kernel $version from $suite (once; it is kept in $GUEST_KERNELS)"
  unpack_kernel "$state" "$package" "$state/unpacked" || { note "$package: $(tail -n 1 "$state/log")"; return 1; }
  rm -rf "${GUEST_KERNELS:?}/$version"
  mv "$state/unpacked" "$GUEST_KERNELS/$version"
  echo "$GUEST_KERNELS/$version"
}

fetch_kernel() (
  set -euo pipefail
  mkdir -p "$GUEST_KERNELS"
  exec {lock}>"$GUEST_KERNELS/lock"
  flock "$lock"
  rm -rf "$GUEST_KERNELS"/.fetch-* # of a fetch that was killed
  GUEST_MIRROR=$(debian_mirror "${GUEST_MIRROR:-}")
  cached_kernel "$1" && exit 0 # another guest may have fetched it while we waited
  # Beside the kernels, so that the move at the end is one rename.
  state=$(mktemp -d "$GUEST_KERNELS/.fetch-XXXXXX")
  trap 'rm -rf "$state"' EXIT
  for suite in $(kernel_suites "$1"); do
    fetch_from_suite "$1" "$suite" "$state/$suite" && exit 0
  done
  die "no kernel $1 to be had from $GUEST_MIRROR (suites tried: $(kernel_suites "$1"); --mirror=URL names another; cached: $(cached_names))"
)

# What --kernel names, as the directory of an unpacked kernel package.
find_kernel() {
  local wanted=$1
  if [[ -d $wanted ]]; then
    kernel_image "$wanted" >/dev/null || die "$wanted holds no unpacked kernel package (boot/vmlinuz-V and lib/modules/V)"
    realpath "$wanted"
    return
  fi
  [[ $wanted =~ ^[0-9]+\.([0-9]+|x)$ ]] || die "--kernel=$wanted: neither a directory nor a version such as 6.1, 6.12 or 7.x"
  cached_kernel "$wanted" || fetch_kernel "$wanted"
}
