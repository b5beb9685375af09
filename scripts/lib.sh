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

# Reads what ninja prints under NINJA_STATUS="@%f/%t " and says how far it is, with an estimate from the pace so far.
# What is not ninja's progress (a compiler's complaint) is passed on.
show_build_progress() {
  local line text="" start=$SECONDS said=$SECONDS every=${DAXRACE_PROGRESS_SECONDS:-20}
  while IFS= read -r line; do
    if [[ ! $line =~ ^@([0-9]+)/([0-9]+)\  ]]; then
      [[ $line == 'ninja: no work to do.' ]] || printf '%s\n' "$line"
      continue
    fi
    local built=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]} spent=$((SECONDS - start))
    # The last unit is no news: the script is done then, or says why not.
    ((built < all)) || continue
    text="$DAXRACE_NAME: $((100 * built / all)) % built, $spent s"
    ((built == 0)) || text+=", about $(((spent * (all - built) + built - 1) / built)) s left"
    if [[ -t 2 ]]; then
      printf '\r\033[K%s' "$text" >&2
    elif ((SECONDS - said >= every)); then
      printf '%s\n' "$text" >&2
      said=$SECONDS
    fi
  done
  if [[ -t 2 && -n $text ]]; then printf '\r\033[K' >&2; fi
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

# check_stages TABLE BUDGETS: every stage of the table has a budget there ("SECONDS NAME" a line) and took no more than
# that and half as much again; so did all together ("SECONDS total"). Says which did not.
check_stages() {
  awk -F'\t' -v name="$DAXRACE_NAME" '
    FNR == NR { if (split($0, words, / +/) > 1 && words[1] ~ /^[0-9]+$/) budget[substr($0, length(words[1]) + 2)] = words[1]; next }
    { total += $2; check($1, $2) }
    END { check("total", total); exit bad }
    function check(stage, seconds) {
      if (!(stage in budget)) printf "%s: the stage %s has no budget\n", name, stage
      else if (seconds > 1.5 * budget[stage]) printf "%s: %s took %d s, its budget is %d s\n", name, stage, seconds, budget[stage]
      else return
      bad = 1
    }' "$2" "$1" >&2
}

# The words to put before a ThreadSanitizer program: GCC 12's fails at random on kernels that randomise more address bits
# than it knows of. Nothing where that is no problem or cannot be changed.
fixed_layout() {
  local bits
  bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
  if ((bits > 28)) && setarch -R true 2>/dev/null; then printf '%s\n' setarch -R; fi
}
