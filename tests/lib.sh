# Shared by the shell tests; to be sourced. Exit status of a test: 0 passed, 1 failed, 77 skipped.
# shellcheck shell=bash disable=SC2034,SC2154

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
shown=""

skip() {
  echo "skipped: $*"
  exit 77
}

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
  if [[ -n $shown ]]; then return; fi
  shown=1
  sed "s/^/  out | /" "$work/out" 2>/dev/null || true
  sed "s/^/  err | /" "$work/err" 2>/dev/null || true
}

# run COMMAND...: keeps its output in $work/out and $work/err, its exit status in $status.
run() {
  status=0 shown=""
  "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

expect_status() { [[ $status -eq $1 ]] || fail "$2: exit status $status, not $1"; }
expect_out() { grep -qE -- "$1" "$work/out" || fail "$2: no '$1' on stdout"; }
expect_err() { grep -qE -- "$1" "$work/err" || fail "$2: no '$1' on stderr"; }
expect_no_out() { ! grep -qE -- "$1" "$work/out" || fail "$2: '$1' on stdout"; }
expect_one_line_err() { [[ $(wc -l <"$work/err") -eq 1 ]] || fail "$1: not one line on stderr"; }

finish() {
  [[ $failures -eq 0 ]] || { echo "$failures check(s) failed"; exit 1; }
  echo "passed"
}
