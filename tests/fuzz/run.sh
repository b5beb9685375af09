#!/usr/bin/env bash
# usage: run.sh PROGRAM CORPUS DICTIONARY [SECONDS]: runs a libFuzzer target for a bounded time, over the committed corpus first.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

program=$1 corpus=$2 dictionary=$3 seconds=${4:-15}
[[ -n $(find "$corpus" -type f -print -quit) ]] || { echo "FAILED: no corpus in $corpus"; exit 1; }

# Findings go to the first directory, which is not kept: the committed corpus changes by hand only.
mkdir "$work/found"
run "$program" "$work/found" "$corpus" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -dict="$dictionary" \
  -artifact_prefix="$work/" -print_final_stats=1
expect_status 0 "fuzzing for $seconds s"
for artifact in "$work"/crash-* "$work"/timeout-* "$work"/oom-*; do
  [[ -f $artifact ]] || continue
  fail "input that breaks it, in base64: $(base64 -w0 "$artifact" | head -c 4000)"
done
inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/err")
# A few dozen in a second at most: each read of a file sets up 48 MiB.
[[ ${inputs:-0} -ge 100 ]] || fail "only ${inputs:-no} inputs were tried"
echo "$inputs inputs"
finish
