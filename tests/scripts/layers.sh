#!/usr/bin/env bash
# Who may include whom: protocols see the core, the core sees Env, the engine sees neither protocols nor verbs, and
# third-party headers stay out of what protocols are made of.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$top"

# only WHAT PATTERN FILE...: every #include "..." in the files must match.
only() {
  local what=$1 pattern=$2 bad
  shift 2
  bad=$(grep -HnE '^#include "' "$@" | grep -vE "#include \"($pattern)\"" || true)
  [[ -z $bad ]] || fail "$what: $bad"
}
# none WHAT PATTERN FILE...: no line may match.
none() {
  local what=$1 pattern=$2 bad
  shift 2
  bad=$(grep -HnE "$pattern" "$@" || true)
  [[ -z $bad ]] || fail "$what: $bad"
}

mapfile -t engine < <(git ls-files 'harness/*.hpp' 'harness/*.cpp')
mapfile -t headers < <(git ls-files 'harness/*.hpp' 'bench/*.hpp')
only "protocols include the core only" 'harness/core/protocol\.hpp' protocols/*.hpp
only "the core includes itself, Env and words only" 'harness/core/[a-z_]+\.hpp|harness/base/(types|protocol_info)\.hpp' harness/core/*.hpp
none "the engine never includes protocols or verbs" '#include "(protocols|bench)/' "${engine[@]}"
none "no raw atomics, mutexes, threads or heap in protocols and core" \
  'std::(atomic|mutex|thread|shared_mutex|vector|make_unique)|= new |\bmalloc\(' protocols/*.hpp harness/core/*.hpp
none "third-party headers stay in .cpp files" '#include <(libpmem2|hwloc|liburing|libfccp|CLI|boost|nlohmann|blkid|benchmark)' "${headers[@]}"
mapfile -t build < <(git ls-files '*CMakeLists.txt' '*.cmake')
none "the build cuts no source out of the text of another" 'file\((READ|STRINGS) [^)]*\.[hc]pp' "${build[@]}"

finish
