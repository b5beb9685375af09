#!/usr/bin/env bash
# Who may include whom: an include points to a lower floor, protocols see the core only, and third-party headers stay out of what
# protocols are made of. Every room says at its head which floor it is. What X.hpp declares X.cpp defines. Names of tests have
# two styles, not three.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$top"
# What is left of both kinds, until it is cut; nothing may be added.
readonly kUpStill='base/verdict.hpp: .* core|engine/episode_support.cpp: .* litmus|load/(mix|pacer).hpp: .* engine|results/run_json.hpp: .* engine'
readonly kMoving='backing_probe.cpp: probe_backing|explain.cpp: explain|peer.cpp: Peer'

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
only "the core includes itself, Env and words only" 'harness/core/[a-z_]+\.hpp|harness/base/(types|protocol_info|kernel_rules)\.hpp' harness/core/*.hpp
none "the engine never includes protocols or verbs" '#include "(protocols|bench)/' "${engine[@]}"
none "no raw atomics, mutexes, threads or heap in protocols and core" \
  'std::(atomic|mutex|thread|shared_mutex|vector|make_unique)|= new |\bmalloc\(' protocols/*.hpp harness/core/*.hpp
none "third-party headers stay in .cpp files" '#include <(libpmem2|hwloc|liburing|libfccp|CLI|boost|nlohmann|blkid|benchmark)' "${headers[@]}"
mapfile -t build < <(git ls-files '*CMakeLists.txt' '*.cmake')
none "the build cuts no source out of the text of another" 'file\((READ|STRINGS) [^)]*\.[hc]pp' "${build[@]}"


# --- floors -----------------------------------------------------------------------------------------------------------

declare -A floor=([base]=0 [core]=1 [platform]=1 [load]=2 [results]=3 [engine]=4 [model]=5 [litmus]=6 [explore]=7 [live]=7 [bench]=8)

# arrows DIRECTORY: "FROM TO FILE" of every include that leaves a room, in a tree.
arrows() {
  (cd "$1" && grep -rHoE --include='*.[hc]pp' --include='*.in' '^#include "(harness/[a-z]+|bench)/' harness bench) |
    sed -E 's|:#include "(harness/)?|/ |; s|/$||' | awk '{
      split($1, part, "/")
      from = part[1] == "bench" ? "bench" : part[2]
      if (from != $2) print from, $2, $1 }' | sort -u
}

# arrows_up DIRECTORY: those that do not go down.
arrows_up() {
  local from to file
  while read -r from to file; do
    if [[ -z ${floor[$from]:-} || -z ${floor[$to]:-} ]]; then echo "$file: includes $to, a room without a floor"; continue; fi
    ((floor[$to] < floor[$from])) || echo "${file%/}: $from, floor ${floor[$from]}, includes $to, floor ${floor[$to]}"
  done < <(arrows "$1")
}

bad=$(arrows_up . | grep -vE "$kUpStill" || true)
[[ -z $bad ]] || fail "an include points up: $bad"

# heads DIRECTORY: what is wrong with the heads of the rooms of a tree.
heads() {
  local room head name may to
  while read -r room; do
    head=$1/$room/README.md
    if [[ ! -f $head ]]; then echo "$room has no README.md that says what it is"; continue; fi
    name=${room#harness/} name=${name%%/*}
    (($(wc -l <"$head") <= 5)) || echo "$head has more than five lines"
    grep -qE "^Floor ${floor[$name]}\\. " "$head" || echo "$head does not say 'Floor ${floor[$name]}.'"
    grep -q '^Does not belong here: ' "$head" || echo "$head does not say what does not belong there"
    may=$(grep '^May include: ' "$head") || echo "$head does not say what it may include"
    [[ $name != bench ]] || continue
    while read -r to; do
      [[ $may == *"\`$to/\`"* ]] || echo "$room includes $to/, which $head does not name"
    done < <(arrows "$1" | awk -v room="$room/" '{ file = $3; sub(/[^\/]*\/?$/, "", file) } file == room { print $2 }' | sort -u)
  done < <(cd "$1" && find harness bench -name '*.[hc]pp' -o -name '*.c' | sed 's|/[^/]*$||' | sort -u)
}
bad=$(heads .)
[[ -z $bad ]] || fail "heads of rooms: $bad"

# --- what X.hpp declares ----------------------------------------------------------------------------------------------

# declared_elsewhere DIRECTORY
declared_elsewhere() {
  (cd "$1" && find harness bench -name '*.hpp' -o -name '*.cpp' | sort | xargs awk -f "$top/tests/scripts/declared_elsewhere.awk")
}
bad=$(declared_elsewhere . | grep -vE "$kMoving" || true)
[[ -z $bad ]] || fail "what X.hpp declares X.cpp defines: $bad"

# --- names of tests ---------------------------------------------------------------------------------------------------

# odd_names FILE...: suites are CamelCase, tests CamelCase or a sentence_in_small_letters.
odd_names() {
  grep -hoE '^(TYPED_)?TEST(_[FP])?\([A-Za-z0-9_]+, *[A-Za-z0-9_]+' "$@" | sed 's/.*(//' |
    awk -F', *' '$1 !~ /^[A-Z][A-Za-z0-9]*$/ || $2 !~ /^([A-Z][A-Za-z0-9]*|[a-z][a-z0-9_]*)$/'
}
bad=$(odd_names tests/*.cpp)
[[ -z $bad ]] || fail "a third style of names: $bad"

# --- each of these sees what it looks for -----------------------------------------------------------------------------

mkdir -p "$work/tree"
cp -r harness bench "$work/tree/"
planted=$work/tree
echo '#include "harness/engine/task.hpp"' >>"$planted/harness/base/types.hpp"
[[ $(arrows_up "$planted") == *"base/types.hpp: base, floor 0, includes engine, floor 4"* ]] || fail "an arrow that runs up is not seen"
echo '#include "harness/core/env.hpp"' >>"$planted/harness/platform/clock.hpp"
[[ $(arrows_up "$planted") == *"platform/clock.hpp: platform, floor 1, includes core, floor 1"* ]] || fail "an arrow to a neighbour is not seen"
[[ $(heads "$planted") == *"harness/base includes engine/, which"* ]] || fail "an include that a head does not name is not seen"
rm "$planted/harness/model/README.md"
[[ $(heads "$planted") == *"harness/model has no README.md"* ]] || fail "a room without a head is not seen"
sed -i 's/^FrameNumber declared/&/; $a\void planted_here();' "$planted/harness/platform/clock.hpp"
printf '\nvoid planted_here() {}\n' >>"$planted/harness/platform/numa.cpp"
[[ $(declared_elsewhere "$planted") == *"numa.cpp: planted_here is declared in clock"* ]] || fail "a definition elsewhere is not seen"
echo 'TEST(Suite, Third_style) {' >"$work/odd.cpp"
[[ -n $(odd_names "$work/odd.cpp") ]] || fail "a third style of names is not seen"

finish
