#!/usr/bin/env bash
# usage: guest_host.sh DAXRACE: what guest.sh does on the host around a guest: which commands are verbs, what is installed, a guest
# that has given no sign of life yet, and the line that matters of a failed boot.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
program=$1
# shellcheck source=scripts/lib.sh
. "$top/scripts/lib.sh"
# shellcheck source=scripts/guest/host.sh
. "$top/scripts/guest/host.sh"
# shellcheck source=scripts/guest/qemu.sh
. "$top/scripts/guest/qemu.sh"

while IFS='|' read -r expected words; do
  command=()
  eval "command=($words)"
  found=$(verb_of "${command[@]}")
  [[ $found == "$expected" ]] || fail "'$words' is taken for '$found', not '$expected'"
done <<'COMMANDS'
run|run --protocol=ext4
env|env
env|env --format=json
env|env -h
|env X=1 sh -c true
|env -i sh -c true
|env -u HOME sh
|env - true
|env --ignore-environment true
|env --unset=HOME true
|/usr/bin/env X=1 true
|sh -c 'run'
|true
COMMANDS
# Every verb that the program has.
while read -r verb; do
  [[ $(verb_of "$verb") == "$verb" ]] || fail "guest.sh does not know the verb $verb"
  grep -qE "^#.* -- [a-z|]*\b$verb\b" "$top/scripts/guest.sh" || fail "the help of guest.sh does not name $verb"
done < <("$program" --help | sed -nE '/^[Vv]erbs|^commands/,/^$/s/^  ([a-z]+) .*/\1/p' | grep -v '^help$')
[[ $("$program" --help | grep -cE '^  history ') -eq 1 ]] || fail "the verbs of $program cannot be told from its help"

: >"$work/alive"
touch -d '5 seconds ago' "$work/alive"
now=$(date +%s)
run seconds_since_change "$work/alive" "$now"
expect_out '^[5-9]$' "a sign of life"
run seconds_since_change "$work/nothing" "$((now - 40))"
expect_status 0 "a guest that has given no sign of life yet"
expect_out '^4[0-9]$' "a guest that has given no sign of life yet"
[[ ! -s $work/err ]] || fail "a guest that has given no sign of life yet: $(<"$work/err")"

{
  for i in {1..60}; do echo "[    1.$((i + 100))] line $i"; done
  printf '[    2.000000] x: daxrace-guest: no root file system from the host\r\n'
  for i in {61..64}; do echo "[    3.$((i + 100))] line $i"; done
} >"$work/console"
run show_console "$work/console"
[[ $(head -n 1 "$work/err") == *": daxrace-guest: no root file system from the host" ]] || fail "what matters is not said first"
expect_err '^  \| .*line 64$' "the end of the console"
sed -i '/daxrace-guest/d' "$work/console"
run show_console "$work/console"
[[ $(head -n 1 "$work/err") == *"the end of the guest's console:" ]] || fail "a console without such a line"

# Programs that are missing are installed; what cannot be had is told.
DAXRACE_TOP=$work/tree
mkdir -p "$DAXRACE_TOP/scripts" "$work/bin"
printf '#!/bin/sh\necho "$*" >>"%s/asked"\nprintf "#!/bin/sh\\n" >"%s/bin/daxrace-missing-tool"\nchmod +x "%s/bin/daxrace-missing-tool"\n' \
  "$work" "$work" "$work" >"$DAXRACE_TOP/scripts/install-deps.sh"
chmod +x "$DAXRACE_TOP/scripts/install-deps.sh"
PATH=$PATH:$work/bin
needs() (
  GUEST_TOOLS=$1
  need_tools
)
run needs "sh daxrace-missing-tool"
expect_status 0 "a program that is missing"
expect_err 'missing: daxrace-missing-tool; installing' "a program that is missing"
[[ $(<"$work/asked") == --guest ]] || fail "install-deps.sh was asked for '$(<"$work/asked")'"
run needs "sh daxrace-missing-tool"
[[ ! -s $work/err && $(wc -l <"$work/asked") -eq 1 ]] || fail "nothing is missing, and yet: $(<"$work/err")"
run needs "daxrace-no-such-tool"
expect_status 125 "a program that cannot be had"
expect_err 'missing: daxrace-no-such-tool \(scripts/install-deps.sh --guest' "a program that cannot be had"
finish
