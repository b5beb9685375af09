#!/usr/bin/env bash
# Which archive Debian's packages are taken from: what was asked for, else what apt takes this machine's from, else Debian's; and
# a kernel that is cached is had without any.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/lib.sh
. "$top/scripts/lib.sh"
# shellcheck source=scripts/mirror.sh
. "$top/scripts/mirror.sh"
command -v apt-get >/dev/null || skip "no apt here"
unset DAXRACE_MIRROR

mkdir -p "$work/lists/partial"
echo http://list.example/debian >"$work/mirrors"
# mirror_of SOURCES...: what debian_mirror says on a machine whose sources.list has these lines.
mirror_of() {
  printf '%s\n' "$@" >"$work/sources.list"
  apt_mirror -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$work/lists"
}
while IFS='|' read -r what expected lines; do
  mapfile -t sources < <(tr ';' '\n' <<<"$lines")
  found=$(mirror_of "${sources[@]//WORK/$work}")
  [[ $found == "$expected" ]] || fail "$what: '$found', not '$expected'"
done <<'MACHINES'
a mirror near by|http://near.example/debian|deb http://near.example/debian bookworm main
another release|http://near.example/debian|deb [arch=amd64] http://near.example/debian trixie-updates main contrib
security first|http://near.example/debian|deb http://security.debian.org/debian-security bookworm-security main;deb http://near.example/debian bookworm main
a vendor first|http://near.example/debian|deb http://vendor.example/apt nodistro main;deb http://near.example/debian sid main
another distribution||deb http://archive.ubuntu.example/ubuntu noble main
a list of mirrors|http://list.example/debian|deb mirror+file:WORK/mirrors bookworm main
a disc||deb cdrom:[Debian]/ bookworm main
nothing||
MACHINES

[[ $(debian_mirror http://asked.example/debian/) == http://asked.example/debian ]] || fail "what was asked for"
[[ $(DAXRACE_MIRROR=http://set.example/d debian_mirror) == http://set.example/d ]] || fail "DAXRACE_MIRROR"
[[ $(DAXRACE_MIRROR=http://set.example/d debian_mirror http://asked.example/d) == http://asked.example/d ]] || fail "what was asked for goes first"
apt_mirror() { return 1; }
[[ $(debian_mirror) == http://deb.debian.org/debian ]] || fail "a machine without apt's sources"
for script in guest fresh-machine; do
  words=()
  [[ $script != guest ]] || words=(-- true)
  run "$top/scripts/$script.sh" --mirror=nowhere "${words[@]}"
  expect_status 2 "$script.sh --mirror=nowhere"
  expect_err "mirror 'nowhere': not the address of an archive" "$script.sh --mirror=nowhere"
done
! grep -rn 'deb\.debian\.org' "$top/scripts" "$top/tests/scripts/package.sh" --include='*.sh' | grep -v '/mirror\.sh:' ||
  fail "an archive is written down elsewhere too"

# Offline: from the cache, and where that lacks it one line says what is there.
kernels=$work/cache/daxrace/kernels
mkdir -p "$kernels/6.1.0-9-amd64/boot" "$kernels/6.1.0-9-amd64/lib/modules/6.1.0-9-amd64/kernel"
touch "$kernels/6.1.0-9-amd64/boot/vmlinuz-6.1.0-9-amd64"
kernel() {
  # shellcheck disable=SC2016  # for that bash
  run env XDG_CACHE_HOME="$work/cache" DAXRACE_MIRROR="file:$work/no-archive" bash -c '
    . "$0/scripts/lib.sh"; . "$0/scripts/mirror.sh"; . "$0/scripts/guest/kernel.sh"; find_kernel "$1"' "$top" "$1"
}
kernel 6.1
expect_status 0 "a cached kernel without an archive"
expect_out "^$kernels/6\.1\.0-9-amd64$" "a cached kernel without an archive"
kernel 6.12
expect_status 2 "a kernel that is not to be had"
expect_err "no kernel 6\.12 to be had from file:$work/no-archive \(.*cached: 6\.1\.0-9-amd64\)" "a kernel that is not to be had"
finish
