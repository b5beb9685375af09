#!/usr/bin/env bash
# When a guest that died is booted anew, and what is said of it: decided from recorded consoles, with a stand-in for guest.sh.
set -euo pipefail
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../guest/lib.sh"
consoles=$top/tests/scripts/fixtures/console

# may STATUS WHAT SAYS CONSOLE EARLIER...
may() {
  local expected=$1 what=$2 says=$3 file files=()
  shift 3
  for file; do files+=("$consoles/$file.log"); done
  run may_boot_again "${files[@]}"
  expect_status "$expected" "$what"
  expect_out "$says" "$what"
}

may 0 "a CPU that starved" "died of 'soft lockup', nothing of what is tested" starved
may 0 "an emulated trap" "died of 'Oops: int3'" int3
may 0 "a timer that never came" "died of 'IO-APIC . timer doesn't work'" timer
may 0 "a timer that was lost" "died of 'kthread timer wakeup didn't happen'" rcu_timer
may 1 "a timer that was lost twice" "'kthread timer wakeup didn't happen' again" rcu_timer rcu_timer
may 0 "a trap after a starved CPU" "int3" int3 starved
may 1 "a CPU that starved twice" "'soft lockup' again" starved starved
may 1 "a trap twice" "'Oops: int3' again" int3 int3
may 1 "the program on the stuck CPU" "of what is tested: Comm: daxrace \[daxrace:312\]" program
may 1 "the file system on the stuck CPU" "of what is tested: dax_disassociate_entry xfs_inactive" file_system
may 1 "the program on the stuck CPU after a lost timer" "of what is tested: Comm: daxrace" lost_then_program
may 1 "a panic" "nothing that the emulation is known for" panic

# guests CONSOLE...: a guest.sh that dies with one console after the other, then lives.
guests() {
  printf '%s\n' "$@" >"$work/plan"
  : >"$work/boots"
  guest=$work/guest
  cat >"$guest" <<'STANDIN'
#!/usr/bin/env bash
here=$(dirname "$0")
echo boot >>"$here/boots"
name=$(sed -n "$(wc -l <"$here/boots")p" "$here/plan")
[[ -n $name ]] || exit 0
cp "$CONSOLES/$name.log" "${1#--console=}"
exit 125
STANDIN
  chmod +x "$guest"
}
# boots STATUS TIMES WHAT
boots() {
  status=0 shown=""
  { CONSOLE=$work/console.log boot -- true; } >"$work/out" 2>"$work/err" || status=$?
  cat "$work/told" >>"$work/err"
  expect_status "$1" "$3"
  [[ $(wc -l <"$work/boots") -eq $2 ]] || fail "$3: $(wc -l <"$work/boots") boots, not $2"
}
export CONSOLES=$consoles
exec {told}>"$work/told"

guests starved
boots 0 2 "a guest that starved once"
expect_err "^BOOTED ANEW: .*soft lockup.*$work/console-first-boot.log" "a guest that starved once"
cmp -s "$work/console-first-boot.log" "$consoles/starved.log" || fail "the first console was not kept"
guests starved starved
boots 125 2 "a guest that starved twice"
expect_err "'soft lockup' again" "a guest that starved twice"
guests program
boots 125 1 "a guest that hung in what is tested"
expect_err "of what is tested: .*first-boot.log" "a guest that hung in what is tested"
finish
