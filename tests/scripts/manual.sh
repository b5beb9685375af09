#!/usr/bin/env bash
# usage: manual.sh PROGRAM: the man page and the completion know every verb and option that --help knows.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
daxrace=$(realpath "$1")
cd "$work"

# completes WHAT WORD...: the words up to the cursor; what is offered is in $work/out.
completes() {
  bash -c '. ./completion; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _daxrace; printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

"$daxrace" --man >daxrace.1
"$daxrace" --completion >completion
bash -n completion || fail "the completion is no bash"
sed 's/\\-/-/g' daxrace.1 >plain
mapfile -t verbs < <("$daxrace" --help | awk '/^Verbs/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')
[[ ${#verbs[@]} -ge 5 ]] || fail "--help names only these verbs: ${verbs[*]}"
for verb in "${verbs[@]}"; do
  grep -qE "^\.SS daxrace $verb " plain || fail "the man page has no section on $verb"
  run completes daxrace "$verb" --
  mapfile -t options < <("$daxrace" "$verb" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p')
  [[ ${#options[@]} -ge 1 ]] || fail "$verb --help names no option"
  # Of the sections of the verb only.
  awk -v verb="$verb" '/^\.S[SH]/ { on = $2 == "daxrace" && $3 == verb } on' plain >section
  for option in "${options[@]}"; do
    grep -qF -- "\\fB--$option\\fR" section || fail "the man page does not know $verb --$option"
    expect_out "^--$option=?\$" "completion of $verb --$option"
  done
done

run completes daxrace re
expect_out '^report$' "completion of a verb"
run completes daxrace help lit
expect_out '^litmus$' "completion of a verb behind help"
run completes daxrace run --protocol=iolock_mmaplock_n
expect_out '^iolock_mmaplock_nobreak$' "completion of a protocol"
run completes daxrace run --protocol=none,ext
expect_out '^none,ext4$' "completion within a list"
run completes daxrace list --format=j
expect_out '^json$' "completion of a word"
run completes daxrace litmus --operation=trunc
expect_out '^truncate_down$' "completion of an operation"
run completes daxrace litmus --access=pin_m
expect_out '^pin_munmap$' "completion of an access"
run completes daxrace explore --scenario=pin_p
expect_out '^pin_punch$' "completion of a scenario"
run completes daxrace compare --by=git
expect_out '^git_commit$' "completion of a column"
run completes daxrace compare --metric=thr
expect_out '^throughput$' "completion of a metric"
# As bash splits it where bash-completion is not loaded.
run completes daxrace run --protocol = iolock_mmaplock_n
expect_out '^iolock_mmaplock_nobreak$' "completion of a protocol in split words"
run completes daxrace run --quiet --protocol = none,ext
expect_out '^none,ext4$' "completion within a list in split words"
run completes daxrace run --protocol =
expect_out '^range_lock$' "completion behind the ="
grep -qF 'daxrace compare\fR [\fIoptions\fR] BASE NEW' plain || fail "the man page has no options before the operands"
touch result.csv
run completes daxrace report res
expect_out '^result.csv$' "completion of a file"

if command -v mandoc >/dev/null; then
  run mandoc -T lint -W error daxrace.1
  expect_status 0 "mandoc"
fi
! grep -nE '^\.[^A-Z\]' daxrace.1 | grep -vE ':\.(nf|fi)$' || fail "a line of text reads as a request (above)"
finish
