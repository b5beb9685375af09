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

# Boots a guest. An emulated CPU may run into the byte that a kernel puts into its own code for the moment in which it changes
# it (Oops: int3, seen under TCG on 6.12 and 7.x), or starve where this machine is busy until the kernel's own watchdog bites
# (soft lockup); nothing that is tested does either every time, so that the guest is booted anew, and it is said.
# CONSOLE: where its console is kept.
boot() {
  local console=${CONSOLE:-$work/console.log} status=0 attempt
  for attempt in 1 2 3; do
    status=0
    "$guest" --console="$console" "$@" </dev/null || status=$?
    if [[ $status -ne 125 ]] || ! grep -Eo -m1 'Oops: int3|soft lockup' "$console"; then break; fi
    echo "boot $attempt died of the above, which is the emulation's"
  done
  return "$status"
}
