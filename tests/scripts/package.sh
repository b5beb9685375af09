#!/usr/bin/env bash
# usage: package.sh BUILD_DIRECTORY: the Debian package installs in a clean Debian 12, brings what it needs, works there
# and goes away without a trace.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/lib.sh
. "$top/scripts/lib.sh"
# shellcheck source=scripts/mirror.sh
. "$top/scripts/mirror.sh"
build=$(realpath "$1")
PATH=$PATH:/usr/sbin:/sbin

[[ $(id -u) -eq 0 ]] || skip "a chroot needs root"
for tool in debootstrap dpkg-shlibdeps cpack; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (scripts/install-deps.sh --fresh --package)"
done

chroot=$work/root
# shellcheck disable=SC2119  # nothing is asked for
mirror=$(debian_mirror)
clean_up() {
  umount "$chroot/proc" 2>/dev/null || true
  umount "$chroot/dev" 2>/dev/null || true
  # A /dev that is still mounted there is the host's.
  grep -qF " $chroot/" /proc/mounts || rm -rf --one-file-system "$work"
}
trap clean_up EXIT

inside() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${http_proxy:+http_proxy="$http_proxy"} timeout 120 chroot "$chroot" "$@"
}

make_package() {
  run cpack --config "$build/CPackConfig.cmake" -G DEB -B "$work/package"
  expect_status 0 "cpack"
  deb=$(find "$work/package" -maxdepth 1 -name 'daxrace_*.deb')
  [[ -f $deb ]] || { fail "cpack made no package"; finish; }
  run dpkg-deb --field "$deb"
  for word in 'Package: daxrace' 'Depends: .*libpmem2' 'Depends: .*libhwloc' 'Depends: .*liburing' 'Recommends: gnuplot-nox'; do
    expect_out "$word" "fields of the package"
  done
  run dpkg-deb --contents "$deb"
  for path in usr/bin/daxrace usr/share/man/man1/daxrace.1.gz usr/share/bash-completion/completions/daxrace \
    usr/share/doc/daxrace/README.md usr/share/doc/daxrace/copyright usr/share/doc/daxrace/docs/report.md; do
    expect_out "\./$path\$" "files of the package"
  done
  while read -r path; do
    expect_out "\./usr/share/doc/daxrace/$path\$" "documents that the README leads to"
  done < <(grep -oE "\]\([A-Za-z/.-]+\.md\)" "$top/README.md" | tr -d "]()" | sort -u)
  expect_no_out "results/(local|.*\.csv)" "files of the package"
}

make_chroot() {
  run timeout 420 debootstrap --variant=minbase bookworm "$chroot" "$mirror"
  [[ $status -eq 0 ]] || skip "debootstrap could not make a Debian from $mirror: $(tail -n 1 "$work/out")"
  mount -t proc proc "$chroot/proc"
  mount --bind /dev "$chroot/dev"
  cp /etc/resolv.conf "$chroot/etc/resolv.conf"
  printf '#!/bin/sh\nexit 101\n' >"$chroot/usr/sbin/policy-rc.d"
  chmod +x "$chroot/usr/sbin/policy-rc.d"
}

smoke() {
  cp "$deb" "$chroot/daxrace.deb"
  run inside apt-get -qq -y --no-install-recommends install /daxrace.deb
  expect_status 0 "apt-get install"
  [[ $status -eq 0 ]] || finish
  run inside daxrace --version
  expect_status 0 "daxrace --version"
  run inside daxrace litmus --protocol=ext4 --operation=punch
  expect_status 0 "daxrace litmus"
  run inside daxrace run --workload=punch --protocol=none,iolock_mmaplock --duration=20ms --warmup=5ms --repetitions=2 \
    --quiet --out=/tmp/x.csv
  expect_status 0 "daxrace run"
  grep -q "^1,.*,punch," "$chroot/tmp/x.csv" || fail "daxrace run wrote no rows of punch"
  # Rows whose times may be shown, whatever else this machine was doing a moment ago.
  cp "$top"/results/reference/memory.* "$chroot/tmp/"
  run inside daxrace report /tmp/memory.csv --out=/tmp/x.html
  expect_status 0 "daxrace report without gnuplot"
  expect_err 'plots skipped: gnuplot is not installed' "daxrace report without gnuplot"
  grep -q 'punch' "$chroot/tmp/x.html" || fail "the report does not name the workload punch"
  # shellcheck disable=SC2016  # for the bash inside
  run inside bash -c '. /usr/share/bash-completion/completions/daxrace
    COMP_WORDS=(daxrace run --prot) COMP_CWORD=2; _daxrace; echo "${COMPREPLY[@]}"'
  expect_out '^--protocol=$' "completion"
  zcat "$chroot/usr/share/man/man1/daxrace.1.gz" 2>/dev/null | grep -q '^.TH DAXRACE 1' || echo "note: minbase drops man pages"
  run inside apt-get -qq -y purge daxrace
  expect_status 0 "apt-get purge"
  [[ -z $(find "$chroot/usr" -path '*daxrace*' -not -path "$chroot/usr/sbin/policy-rc.d") ]] ||
    fail "left behind: $(find "$chroot/usr" -path '*daxrace*' | head -n 3)"
}

make_package
make_chroot
smoke
finish
