#!/usr/bin/env bash
# Installs what is missing, builds daxrace and runs its benchmark matrix.
#
# usage: scripts/run.sh [OPTION of daxrace run...]
# The options and the exit status are those of `daxrace run` (scripts/run.sh --help shows them).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$DAXRACE_TOP/scripts/install-deps.sh" --build
"$DAXRACE_TOP/scripts/build.sh" release daxrace >&2
exec "$DAXRACE_TOP/build/release/daxrace" run "$@"
