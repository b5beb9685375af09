# Shared by the tests that boot a guest; to be sourced.
# shellcheck shell=bash disable=SC2034
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# shellcheck source=tests/guest/retry.sh
. "$(dirname "${BASH_SOURCE[0]}")/retry.sh"

guest=$top/scripts/guest.sh
# What must be seen of a test, whatever it does with the output of a command.
exec {told}>&2

# A guest that cannot be had is no failure of what is tested, but it must be seen.
need_guest() {
  local absent
  [[ $(uname -m) == x86_64 ]] || skip "the guest is x86-64 only, this machine is $(uname -m)"
  absent=$("$top/scripts/install-deps.sh" --guest --missing | tr '\n' ' ') ||
    skip "missing packages: $absent(scripts/install-deps.sh --guest installs them)"
}

need_program() { [[ -x $top/build/release/daxrace ]] || { echo "FAILED: no build/release/daxrace"; exit 1; }; }

# Where a guest that several tests share leaves what its parts said.
shared_results() { echo "$top/results/local/guest-tests/$1-$2"; }

# part KERNEL BACKING NAME: what that part of a shared guest said and ended with, as after `run`. Leaves its directory in $results.
part() {
  results=$(shared_results "$1" "$2")/$3
  if [[ ! -s $results/status ]]; then
    echo "FAILED: the guest $1 $2 left nothing of $3 (the test guest_boot_$1_$2 boots it)"
    exit 1
  fi
  cp "$results/out" "$results/err" "$work/"
  status=$(<"$results/status") shown=""
}

# Boots a guest, and once more if it died of the emulation and of nothing that is tested (retry.sh): it is said, and the
# console of the first boot is kept. CONSOLE: where the console of the last one is kept.
boot() {
  local console=${CONSOLE:-$work/console.log} status=0 why
  local first=$top/results/local/guest-tests/${0##*/}-$$-first-boot.log
  if [[ -n ${CONSOLE:-} ]]; then first=${CONSOLE%.log}-first-boot.log; fi
  boot_once "$console" "$@" || status=$?
  [[ $status -eq 125 && -f $console ]] || return "$status"
  mkdir -p "$(dirname "$first")"
  cp "$console" "$first"
  if ! why=$(may_boot_again "$first"); then
    echo "$why (console: $first)" >&"$told"
    return "$status"
  fi
  echo "BOOTED ANEW: $why (console of the first boot: $first)" >&"$told"
  status=0
  boot_once "$console" "$@" || status=$?
  if [[ $status -eq 125 ]]; then may_boot_again "$console" "$first" >&"$told" || true; fi
  return "$status"
}

boot_once() {
  local console=$1
  shift
  "$guest" --console="$console" "$@" </dev/null
}
