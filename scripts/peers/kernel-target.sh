#!/usr/bin/env bash
# The kernel as the target, measured by daxrace and by the programs that people use for it, on one file system in one
# guest run, in turns: fio (io_uring, mmap and falloc engines) and stress-ng.
#
# usage: scripts/peers/kernel-target.sh [--kernel=V] [--fs=xfs|ext4] [--rounds=N] [--seconds=N] [--name=NAME]
#   --kernel=V    of the guest: 6.1 (default), 6.12, 7.x
#   --fs=FS       file system on emulated pmem (default xfs)
#   --rounds=N    each is measured so often, the order reversed every other time (default 9)
#   --seconds=N   a measurement (default 1)
#   --name=NAME   write results/peers/NAME.md (default: KERNEL-FS)
#
# Installs fio and stress-ng here (the guest sees this machine's files) and builds first. About 4 minutes under TCG.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

kernel=6.1 fs=xfs rounds=9 seconds=1 name="" inside=""
readonly kFilePages=64

parse() {
  local option
  for option in "$@"; do
    case $option in
      --help | -h) print_help; exit 0 ;;
      --kernel=*) kernel=$(option_value "$option") ;;
      --fs=*) fs=$(option_value "$option") ;;
      --rounds=*) rounds=$(option_value "$option") ;;
      --seconds=*) seconds=$(option_value "$option") ;;
      --name=*) name=$(option_value "$option") ;;
      --inside=*) inside=$(option_value "$option") ;;
      *) unknown_option "$option" ;;
    esac
  done
  [[ $fs == xfs || $fs == ext4 ]] || die "--fs: '$fs' is neither xfs nor ext4"
  need_number --rounds "$rounds"
  need_number --seconds "$seconds"
  ((rounds >= 1 && seconds >= 1)) || die "--rounds and --seconds: at least 1"
  name=${name:-$kernel-$fs}
  [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "--name: '$name' is no file name: letters, digits, '.', '_', '-'"
}

# All that follows runs in the guest. Each measurement prints the median time of one operation in ns.

# ours WORKLOAD PATH
ours() {
  rm -f "$work/ours.csv"
  build/release/daxrace run --target=kernel --dir="$dax" --workload="$1" --load=closed --file-pages="$kFilePages" --repetitions=1 \
    --duration="${seconds}s" --warmup=100ms --peer-file="$DAXRACE_NULLB" --destroy-data --out="$work/ours.csv" --quiet >/dev/null
  awk -F, -v path="$2" '{ gsub(/"[^"]*"/, "") } NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["path"] == path { print $column["lat_p50_ns"] }' "$work/ours.csv"
}

# fio_median DIRECTION OPTION...: read, write or trim
fio_median() {
  local direction=$1
  shift
  fio --name=peer --bs=4k --iodepth=1 --output-format=json "$@" |
    awk -v section="\"$direction\" : {" 'index($0, section) { inside = 1 } inside && /"clat_ns"/ { times = 1 }
      times && /"50.000000"/ { gsub(/[^0-9]/, "", $3); print $3; exit }'
}

timed() { echo "--time_based --runtime=$seconds"; }

# shellcheck disable=SC2046  # options, one word each
peer() {
  local file=$dax/peer.$1
  rm -f "$file"
  case $1 in
    read) fio_median read --filename="$file" --size=$((kFilePages * 4096)) --ioengine=io_uring --direct=1 --rw=randread $(timed) ;;
    psync) fio_median read --filename="$file" --size=$((kFilePages * 4096)) --ioengine=psync --direct=1 --rw=randread $(timed) ;;
    gup)
      fallocate -l $((kFilePages * 4096)) "$file"
      fio_median read --filename="$DAXRACE_NULLB" --size=16M --ioengine=io_uring --direct=1 --rw=randread --iomem="mmapshared:$file" $(timed)
      ;;
    punch) fio_median trim --filename="$file" --size=$((kFilePages * 4096)) --ioengine=falloc --rw=trimwrite $(timed) ;;
    fault) fio_median write --filename="$file" --size=64M --ioengine=mmap --rw=randwrite --fallocate=none ;;
    stress_fault)
      mkdir -p "$file"
      stress-ng --temp-path "$file" --fault 1 -t "$seconds" --metrics 2>&1 | awk '/nanosecs per page fault/ { for (i = 1; i <= NF; i++) if ($i == "nanosecs") printf "%d\n", $(i - 1) }'
      ;;
  esac
  rm -rf "$file"
}

# The pairs: a name, daxrace's workload and path, the peer, what the peer does.
pairs() {
  cat <<'LIST'
read|read|read|psync|fio psync, direct random reads of 4 KiB
read|read|read|read|fio io_uring, direct random reads of 4 KiB, depth 1
gup|gup_fast|gup_fast|gup|fio io_uring, direct reads of null_blk (50 us) into a mapping of the file, depth 1
punch|punch|punch|punch|fio falloc, trimwrite: punch of a page that nobody maps, then allocate
fault|fault|fault|fault|fio mmap, first random write to each page of a fresh file, 4 KiB copied
fault|fault|fault|stress_fault|stress-ng --fault
LIST
}

measure_round() {
  local pair workload path peer text a b
  while IFS='|' read -r pair workload path peer text; do
    if (($1 % 2)); then a=$(ours "$workload" "$path") b=$(peer "$peer"); else b=$(peer "$peer") a=$(ours "$workload" "$path"); fi
    if [[ -z $a || -z $b ]]; then note "round $1, $pair against $text: '$a' ns and '$b' ns: left out"; a="" b=""; fi
    printf '%s|%s|%s|%s\n' "$pair" "$text" "$a" "$b" >>"$work/rounds"
  done < <(pairs)
}

table() {
  echo "| operation | against | rounds | daxrace p50 | peer | ratio [least, most] |"
  echo "| --- | --- | ---: | ---: | ---: | ---: |"
  sort -t'|' -k1,2 -s "$work/rounds" | awk -F'|' '
    function sorted(list, n,   i, j, t) { for (i = 2; i <= n; i++) { t = list[i]; for (j = i - 1; j && list[j] > t; j--) list[j + 1] = list[j]; list[j + 1] = t } }
    function middle(list, n) { return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2 }
    function row() { if (!n) { printf "| %s | %s | 0 | not measured | | |\n", pair, text; return }
      sorted(a, n); sorted(b, n); sorted(r, n)
      printf "| %s | %s | %d | %.1f us | %.1f us | %.2f [%.2f, %.2f] |\n", pair, text, n, middle(a, n) / 1000, middle(b, n) / 1000, middle(r, n), r[1], r[n] }
    NR > 1 && ($1 != pair || $2 != text) { row(); n = 0 }
    { pair = $1; text = $2 }
    $3 != "" { n++; a[n] = $3 + 0; b[n] = $4 + 0; r[n] = $3 / $4 }
    END { row() }'
}

measure() {
  dax=$DAXRACE_DAX0
  [[ -n $dax && -n $DAXRACE_NULLB ]] || die "the guest has no DAX directory or no null_blk device"
  work=$(mktemp -d)
  local round
  for ((round = 1; round <= rounds; round++)); do
    note "round $round of $rounds"
    measure_round "$round"
  done
  {
    echo "Kernel $(uname -r), $fs with dax=always on emulated pmem, $DAXRACE_EMULATED; $rounds rounds in turns, $seconds s a measurement."
    echo
    table
  } >"$inside"
}

main() {
  parse "$@"
  cd "$DAXRACE_TOP"
  if [[ -n $inside ]]; then measure; return; fi
  scripts/install-deps.sh --build --guest --peers
  scripts/build.sh release daxrace >&2
  mkdir -p results/peers results/local/peers
  # Slow enough that requests do not complete before the submission returns, even under TCG.
  scripts/guest.sh --kernel="$kernel" --backing="$fs" --peer-latency-ns=50000 --results=results/local/peers -- \
    bash scripts/peers/kernel-target.sh --fs="$fs" --rounds="$rounds" --seconds="$seconds" --inside="results/local/peers/$name.md"
  {
    echo "# The kernel as the target, beside its peers"
    echo
    echo "Made by \`./scripts/peers/kernel-target.sh --kernel=$kernel --fs=$fs --rounds=$rounds --seconds=$seconds --name=$name\` at commit"
    echo "$(git describe --always --dirty --abbrev=12). The median time of one operation; one thread, as fast as it goes. Ratios are formed within a"
    echo "round, daxrace's time over the peer's; times under emulation are not times of pmem."
    echo
    cat "results/local/peers/$name.md"
  } >"results/peers/$name.md.new"
  mv "results/peers/$name.md.new" "results/peers/$name.md"
  note "written: results/peers/$name.md"
}

main "$@"
