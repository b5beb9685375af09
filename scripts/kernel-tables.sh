#!/usr/bin/env bash
# Records the litmus tables of stock kernels, each held against the release that stands for it, in results/kernel/.
#
# usage: scripts/kernel-tables.sh [--kernel=6.1,6.12,7.x] [--backing=xfs,ext4]
#
# exit status: 0 every cell that both decide agrees; 1 one differs, or a guest failed; 2 usage.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kernels=6.1,6.12,7.x backings=xfs,ext4
for option in "$@"; do
  case $option in
    --kernel=*) kernels=$(option_value "$option") ;;
    --backing=*) backings=$(option_value "$option") ;;
    --help | -h) print_help; exit 0 ;;
    *) unknown_option "$option" ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for kernel in ${kernels//,/ }; do
  for backing in ${backings//,/ }; do
    status=0
    ./scripts/guest.sh --kernel="$kernel" --backing="$backing" -- \
      litmus --target=kernel --dir=/mnt/pmem0 --allow=freeze,umount --versus-engine >"$work/table" || status=$?
    if ! grep -E '^release .* cells agree$' "$work/table"; then
      echo "kernel-tables.sh: no table of $kernel on $backing (status $status)" >&2
      failed=1
      continue
    fi
    tr -d '\r' <"$work/table" >"results/kernel/$kernel-$backing.txt"
    [[ $status -eq 0 ]] || failed=1
  done
done
exit "$failed"
