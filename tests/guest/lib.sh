# Shared by the tests that boot a guest; to be sourced.
# shellcheck shell=bash disable=SC2034
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

guest=$top/scripts/guest.sh

# A guest that cannot be had is no failure of what is tested, but it must be seen.
need_guest() {
  local absent
  [[ $(uname -m) == x86_64 ]] || skip "the guest is x86-64 only, this machine is $(uname -m)"
  absent=$("$top/scripts/install-deps.sh" --guest --missing | tr '\n' ' ') ||
    skip "missing packages: $absent(scripts/install-deps.sh --guest installs them)"
}

need_program() { [[ -x $top/build/release/daxrace ]] || { echo "FAILED: no build/release/daxrace"; exit 1; }; }
