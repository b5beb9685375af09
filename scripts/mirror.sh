# Where Debian's packages come from. To be sourced after lib.sh.
# shellcheck shell=bash

# The sources of apt that name Debian's archive, in their order, by what their Release files say; none where none has been fetched.
fetched_mirrors() {
  # shellcheck disable=SC2016  # apt's own fields
  apt-get "$@" indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' 2>/dev/null |
    awk '$2 !~ /-security$/ && $1 !~ /debian-security/ && $3 == "main" && $4 == "Debian" && NF == 4 { print $1 }'
}

# The same by the names of their suites.
named_mirrors() {
  apt-get "$@" update --print-uris 2>/dev/null |
    sed -nE "s,^'([^' ]+)/dists/(bookworm|trixie|forky|duke|sid|(old)?stable|testing|unstable)(-updates|-backports)?/main/binary-.*,\1,p" |
    grep -v debian-security
}

# The archive that apt takes this machine's packages from, if that is Debian's. Archives of single suites (security), of vendors
# and of other distributions are none; of a list of mirrors (mirror+file:) it is the first, as debootstrap takes one only.
# apt_mirror [OPTION of apt...]
# shellcheck disable=SC2120  # tests pass some
apt_mirror() {
  local found list
  found=$({ fetched_mirrors "$@"; named_mirrors "$@"; } | awk '$1 !~ /^(cdrom|mirror):/ && !found { print; found = 1 }')
  if [[ $found == mirror+file:* ]]; then
    list=${found#mirror+file:}
    found=$(awk '$1 ~ /^[a-z]+:\// && !found { print $1; found = 1 }' "${list%/}" 2>/dev/null)
  fi
  echo "${found%/}"
}

# The mirror to use: what was asked for, DAXRACE_MIRROR, the machine's own, Debian's.
# debian_mirror [ASKED_FOR]
debian_mirror() {
  local found=${1:-${DAXRACE_MIRROR:-}}
  # shellcheck disable=SC2119
  [[ -n $found ]] || found=$(apt_mirror || true)
  found=${found:-http://deb.debian.org/debian}
  [[ $found =~ ^(https?|file|ftp):/+[^[:space:]]+$ ]] || die "mirror '$found': not the address of an archive"
  echo "${found%/}"
}
