#!/usr/bin/env bash
# The scripts are clean to shellcheck.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lint.sh" --shell
