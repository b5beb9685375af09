#!/usr/bin/env bash
# usage: parts.sh OUTDIR PART...: what tests/guest/shared.sh runs in the guest. Each part gets a directory of its own in OUTDIR, in
# which its output and status are put as well.
set -euo pipefail
out=$1
shift
here=$(dirname "${BASH_SOURCE[0]}")
for part; do
  status=0
  mkdir -p "$out/$part"
  "$here/$part.sh" "$out/$part" >/tmp/out 2>/tmp/err </dev/null || status=$?
  echo "$status" >/tmp/status
  # Written there and copied: some kernels lose appended data of a 9p mount.
  cp /tmp/out /tmp/err /tmp/status "$out/$part/"
done
