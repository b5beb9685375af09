#!/usr/bin/env bash
# The engine that is measured must hold nothing of the deterministic machine: no symbol, no name of a step. The litmus
# objects of the same protocols are the control.
#
# usage: run_has_no_stops.sh MEASURED_OBJECTS ENGINE_OBJECTS LITMUS_OBJECTS   (each a list separated by semicolons)
set -euo pipefail

traces='daxrace::(model|litmus|explore)::|ModelEnv|try_grab_folio|unmap_mapping_range\(\) done|gup_fast:'

count_traces() {
  local objects=()
  IFS=';' read -ra objects <<<"$1"
  { nm -C "${objects[@]}"; strings "${objects[@]}"; } | grep -Ec "$traces" || true
}

measured=$(count_traces "$1;$2")
litmus=$(count_traces "$3")
if ((litmus == 0)); then
  echo "the control shows nothing: the search is wrong" >&2
  exit 1
fi
if ((measured != 0)); then
  echo "the measured engine holds $measured traces of the deterministic machine" >&2
  exit 1
fi
echo "measured: no trace; litmus: $litmus"
