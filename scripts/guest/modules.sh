# Modules inside the guest. To be sourced by main, which knows fail().
# shellcheck shell=bash

# place_modules MODULES PLACE: the guest kernel's modules are found at PLACE, whatever lies there of the host: a directory of
# headers or of the same kernel, a link that leads nowhere.
place_modules() {
  local modules=$1 place=$2
  [[ ! -L $place ]] || rm -f "$place"
  mkdir -p "$place"
  [[ $(realpath "$modules") == $(realpath "$place") ]] || mount --bind "$modules" "$place"
}

# need_modules WHAT MODULE...: all of them, or the guest is given up with what modprobe itself said.
need_modules() {
  local what=$1 said
  shift
  said=$(modprobe -a "$@" 2>&1) || fail "$what: $(tail -n 1 <<<"$said")"
}

# want_modules WHAT MODULE...: WHAT is said, with modprobe's line, of what can be done without.
want_modules() {
  local what=$1 said
  shift
  said=$(modprobe -a "$@" 2>&1) || echo "$what: $(tail -n 1 <<<"$said")"
}
