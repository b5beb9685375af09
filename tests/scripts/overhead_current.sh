#!/usr/bin/env bash
# The committed overhead figures belong to the code that they speak of: the commit that they name is in the history, was
# clean, and nothing that is measured was changed since.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$top"

result=results/overhead/reference.md
measured=(harness/core harness/engine/worker.hpp harness/engine/oracle.cpp harness/engine/oracle.hpp harness/core/rwsem.hpp
  harness/engine/recorder.hpp harness/engine/timeline.hpp harness/engine/io_queue.hpp harness/platform/io_ring.cpp)

history() { git -c safe.directory="$top" "$@"; }

command -v git >/dev/null || skip "no git to ask for the history"
[[ $(history rev-parse --show-toplevel 2>/dev/null) == "$(pwd -P)" ]] || skip "not a git checkout: nothing tells how old $result is"
[[ $(history rev-parse --is-shallow-repository) == false ]] || skip "a shallow clone: the history is not there"
[[ -f $result ]] || { echo "FAILED: no $result (scripts/overhead.sh --name=reference writes it)"; exit 1; }
for path in "${measured[@]}"; do
  [[ -e $path ]] || fail "$path is measured, says this test, and does not exist"
done

commit=$(sed -n 's/^- commit: //p' "$result")
[[ $commit =~ ^[0-9a-f]{12}$ ]] || { echo "FAILED: $result names the commit '$commit', not a clean one"; exit 1; }
if ! history merge-base --is-ancestor "$commit" HEAD 2>/dev/null; then
  echo "FAILED: $result names $commit, which is not in this history"
  exit 1
fi
stale=$(history log --format='  %h %s' "$commit..HEAD" -- "${measured[@]}")
if [[ -n $stale ]]; then
  fail "$result is older than what it measures (run scripts/overhead.sh --name=reference). Since $commit:"
  printf '%s\n' "$stale"
fi

finish
