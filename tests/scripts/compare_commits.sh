#!/usr/bin/env bash
# usage: compare_commits.sh PROGRAM: scripts/compare-commits.sh in a repository of its own, whose build is a wrapper around
# PROGRAM: the turns, the control, uncommitted work as B, and what becomes of a regression.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

program=$(realpath "$1")
command -v git >/dev/null || skip "git is not installed"
repository=$work/repository
options=(--pairs=2 -- --workload=load "--protocol=none,iolock_mmaplock" --duration=10ms --warmup=1ms --repetitions=6)

git_here() { git -C "$repository" -c user.name=test -c user.email=test@localhost -c commit.gpgsign=false "$@"; }

# A build that makes a program which says which tree it is of, and runs the real one with what the tree wants.
make_repository() {
  mkdir -p "$repository/scripts" "$repository/results"
  cp "$top/scripts/compare-commits.sh" "$top/scripts/lib.sh" "$repository/scripts/"
  cat >"$repository/scripts/build.sh" <<BUILD
#!/usr/bin/env bash
set -euo pipefail
top=\$(cd "\$(dirname "\$0")/.." && pwd)
[[ -f \$top/extra ]] || exit 1
mkdir -p "\$top/build/release"
{ echo '#!/usr/bin/env bash'; echo 'if [[ \$1 == run ]]; then echo "'"\$(cat "\$top/extra")"'" >>"$work/turns"; fi'; echo 'exec $program "\$@"'; } >"\$top/build/release/daxrace"
chmod +x "\$top/build/release/daxrace"
BUILD
  chmod +x "$repository/scripts/build.sh"
  echo build >"$repository/.gitignore"
  echo one >"$repository/extra"
  git init --quiet "$repository"
  git_here add -A
  git_here commit --quiet -m one
  git_here tag one
  echo two >"$repository/extra"
  git_here commit --quiet -am two
  git_here tag two
}

check_turns() {
  : >"$work/turns"
  run "$repository/scripts/compare-commits.sh" one two --out="$work/result" "${options[@]}"
  [[ $status -le 1 ]] || fail "two commits: exit status $status"
  [[ $(tr '\n' ' ' <"$work/turns") == "one two two one " ]] || fail "not in turns: $(tr '\n' ' ' <"$work/turns")"
  expect_out 'control: half of A' "two commits"
  expect_out 'A against B' "two commits"
  local file
  for file in a-1.csv a-2.csv b-1.csv b-2.csv a-1.run.json report.txt; do
    [[ -s $work/result/$file ]] || fail "two commits: no $file"
  done
  cmp -s "$work/out" "$work/result/report.txt" || fail "the report is not what was printed"
  [[ $(git_here worktree list | wc -l) -eq 1 ]] || fail "worktrees are left behind"
}

# New and changed files belong to it; the index and the tree stay as they are.
check_uncommitted() {
  echo three >"$repository/extra"
  echo new >"$repository/new_file"
  : >"$work/turns"
  run "$repository/scripts/compare-commits.sh" two . --out="$work/dirty" "${options[@]}"
  [[ $status -le 1 ]] || fail "uncommitted work: exit status $status"
  [[ $(tr '\n' ' ' <"$work/turns") == "two three three two " ]] || fail "uncommitted work: $(tr '\n' ' ' <"$work/turns")"
  [[ $(git_here status --porcelain | sort | tr '\n' ' ') == " M extra ?? new_file " ]] || fail "the user's index was touched"
}

check_failures() {
  run "$repository/scripts/compare-commits.sh" one nosuch
  expect_status 2 "an unknown commit"
  expect_err "'nosuch' is no commit" "an unknown commit"
  expect_one_line_err "an unknown commit"
  run "$repository/scripts/compare-commits.sh" one two --pairs=3
  expect_status 2 "an odd number of pairs"
  run "$repository/scripts/compare-commits.sh" one two --out="$work/result"
  expect_status 2 "a directory that exists"
  git_here rm --quiet --force extra
  git_here commit --quiet -am "does not build"
  run "$repository/scripts/compare-commits.sh" one HEAD --out="$work/unbuilt" "${options[@]}"
  expect_status 2 "a commit that does not build"
  expect_err "'HEAD' does not build" "a commit that does not build"
  [[ $(git_here worktree list | wc -l) -eq 1 ]] || fail "a commit that does not build: worktrees are left behind"
}

main() {
  make_repository
  check_turns
  check_uncommitted
  check_failures
  finish
}
main
