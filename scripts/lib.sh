# Shared by the scripts of this directory; to be sourced, never run.
# shellcheck shell=bash disable=SC2034

DAXRACE_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DAXRACE_NAME=$(basename "$0")
DAXRACE_CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/daxrace

note() { printf '%s: %s\n' "$DAXRACE_NAME" "$*" >&2; }

# die [STATUS] LINE: one clear line, then out. The status is 2 (usage or input) unless given.
die() {
  local status=2
  if [[ $1 =~ ^[0-9]+$ ]]; then status=$1; shift; fi
  note "$*"
  exit "$status"
}

# The comment block at the top of the calling script is its help.
print_help() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

unknown_option() { die "unknown option '$1' (see --help)"; }

# The value of --name=VALUE; an empty one is an error.
option_value() {
  local value=${1#*=}
  [[ -n $value ]] || die "${1%%=*} needs a value"
  printf '%s' "$value"
}

need_number() { [[ $2 =~ ^[0-9]{1,12}$ ]] || die "$1 must be a whole number, not '$2'"; }

as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; return; fi
  command -v sudo >/dev/null || die "'$1' needs root: run this as root or install sudo"
  sudo -- "$@"
}

# Stages: what took how long. `stage NAME COMMAND...` runs a command and remembers its seconds; nested scripts write to
# the same table through DAXRACE_STAGE_FILE.
stage() {
  local name=$1 start=$SECONDS status=0
  shift
  "$@" || status=$?
  if [[ -n ${DAXRACE_STAGE_FILE:-} ]]; then
    printf '%s\t%d\t%d\n' "$name" "$((SECONDS - start))" "$status" >>"$DAXRACE_STAGE_FILE"
  fi
  return "$status"
}

print_stages() {
  awk -F'\t' 'BEGIN { printf "%-24s %8s  %s\n", "stage", "seconds", "result" }
    { printf "%-24s %8d  %s\n", $1, $2, ($3 == 0 ? "ok" : "status " $3); total += $2 }
    END { printf "%-24s %8d\n", "total", total }' "$1"
}

# The words to put before a ThreadSanitizer program: GCC 12's fails at random on kernels that randomise more address bits
# than it knows of. Nothing where that is no problem or cannot be changed.
fixed_layout() {
  local bits
  bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
  if ((bits > 28)) && setarch -R true 2>/dev/null; then printf '%s\n' setarch -R; fi
}
