# What guest.sh does on the host before and after a guest: the programs it takes, what its command means, what is said of a
# guest that ended. To be sourced after lib.sh.
# shellcheck shell=bash

GUEST_TOOLS="qemu-system-x86_64 busybox cpio depmod ndctl mkfs.xfs mkfs.ext4 xfs_io setpriv flock"

absent_tools() {
  local tool absent=""
  # shellcheck disable=SC2086  # words
  for tool in $GUEST_TOOLS; do command -v "$tool" >/dev/null || absent+=" $tool"; done
  echo "$absent"
}

# What is missing is installed, as by run.sh and test.sh.
need_tools() {
  local absent
  absent=$(absent_tools)
  [[ -n $absent ]] || return 0
  note "missing:$absent; installing what the guest needs"
  "$DAXRACE_TOP/scripts/install-deps.sh" --guest || true
  hash -r
  absent=$(absent_tools)
  [[ -z $absent ]] || die 125 "missing:$absent (scripts/install-deps.sh --guest installs them)"
}

# The verb of daxrace that a command begins with, or nothing. `env NAME=VALUE COMMAND` and `env -i COMMAND` are env(1), of
# which the verb has no such words.
verb_of() {
  case $1 in
    env)
      case ${2:-} in
        -h) ;;
        [A-Za-z_]*=* | -[!-]* | - | --ignore-environment | --unset* | --chdir* | --split-string*) return 0 ;;
      esac
      ;;
    run | list | litmus | explore | compare | report | history) ;;
    *) return 0 ;;
  esac
  echo "$1"
}

# What our own part of the guest said before it gave up, without the console's time.
# Nothing said is no failure.
last_words() { { grep -ao 'daxrace-guest: .*' "$1" 2>/dev/null || true; } | tr -d '\r' | tail -n 1; }

# From the panic on, however much of it there is; else the last lines. What the guest's own part said stands first.
show_console() {
  local console=$1 said
  said=$(last_words "$console")
  [[ -z $said ]] || note "$said"
  note "the end of the guest's console:"
  awk '{ line[NR] = $0 } !panic && /Kernel panic/ { panic = NR }
    END { first = NR - 39; if (panic && panic < first) first = panic; if (first < 1) first = 1
      for (i = first; i <= NR; i++) print line[i] }' "$console" 2>/dev/null | tr -d '\r' | sed 's/^/  | /' >&2 || true
}
