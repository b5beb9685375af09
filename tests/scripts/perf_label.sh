#!/usr/bin/env bash
# usage: perf_label.sh [DIRECTORY]: a test that reads a clock and holds what it read under a bound fails on a busy machine.
# Its suite is named Perf*, so that it has the label perf and runs by itself, apart from the unit tests.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# FILE:LINE of every bounded assertion beside a reading of a clock, in a test of another suite
misplaced() {
  awk '
    FNR == 1 { suite = "" }
    /^TEST/ { suite = $0; sub(/^TEST[A-Z_]*\(/, "", suite); sub(/,.*/, "", suite); clock = 0; bounds = "" }
    suite == "" || suite ~ /^Perf/ { next }
    /steady_clock::now|SteadyClock::now|monotonic_ns|clock_gettime|milliseconds_since|seconds_since|Clock::now/ { clock = 1 }
    /(EXPECT|ASSERT)_L[TE]\(/ { bounds = bounds FILENAME ":" FNR ": " suite "\n" }
    /^}/ { if (clock) printf "%s", bounds; suite = "" }
  ' "$@"
}

cat >"$work/control_test.cpp" <<'END'
TEST(Control, is_quick) {
  const auto start = steady_clock::now();
  EXPECT_LT(seconds_since(start), 2);
}
TEST(PerfControl, is_quick) {
  const auto start = steady_clock::now();
  EXPECT_LT(seconds_since(start), 2);
}
TEST(Control, counts) {
  EXPECT_LT(count, 2);
}
END
[[ $(misplaced "$work/control_test.cpp") == "$work/control_test.cpp:3: Control" ]] || fail "the check does not see its control"

found=$(misplaced "${1:-$top/tests}"/*.cpp)
[[ -z $found ]] || fail "held to a bound on time, but not in a suite named Perf*:"$'\n'"$found"

# A suite that nobody runs apart, or a test with the label and without a suite, would not be noticed.
marked=$(sed -nE 's/^daxrace_test\(([a-z_]+) .*\bPERF\b.*/\1/p' "$top/tests/CMakeLists.txt" | sort)
suited=$(cd "$top/tests" && grep -lE '^TEST[A-Z_]*\(Perf' ./*_test.cpp | sed -E 's|^\./(.*)\.cpp|\1|' | sort)
[[ $marked == "$suited" ]] || fail "marked PERF in tests/CMakeLists.txt: ${marked//$'\n'/ }; with suites named Perf*: ${suited//$'\n'/ }"

finish
