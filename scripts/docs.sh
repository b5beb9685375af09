#!/usr/bin/env bash
# Writes the tables that documents repeat: what stands between the lines `generated: NAME` and `end of NAME` comes from
# daxrace and from the files under results/.
#
# usage: scripts/docs.sh [--check] [--program=PATH]
#   --check          write nothing; show what would change
#   --program=PATH   daxrace (default build/release/daxrace, built if it is not there)
#
# exit status: 0 done, or nothing to do; 1 --check found something; 2 usage, or a table that cannot be made.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly kFour=mmaplock,iolock,iolock_mmaplock,ext4
check="" program=""

parse_options() {
  local option
  for option in "$@"; do
    case $option in
      --check) check=1 ;;
      --program=*) program=$(option_value "$option") ;;
      --help | -h) print_help; exit 0 ;;
      *) unknown_option "$option" ;;
    esac
  done
}

# --- out of the program -----------------------------------------------------------------------------------------------

litmus_table() { "$program" litmus --format=markdown; }

# As a reader would see it, without the findings.
litmus_four() {
  local some=--operation=punch,truncate_down,collapse,zero
  printf '```\n$ daxrace litmus --protocol=%s %s\n' "$kFour" "$some"
  "$program" litmus --protocol="$kFour" "$some" | awk '
    /^$/ { blank = 1; next }
    /^Findings/ { skipping = 1; print "..." }
    !skipping { if (blank) print ""; print; blank = 0 }
    END { print }'
  printf '```\n'
}

protocols() {
  echo
  echo '| protocol | layout change | stands for | promises |'
  echo '| --- | --- | --- | --- |'
  "$program" list | awk '
    /^Protocols/ { inside = 1; next }
    /^[A-Z]/ { inside = 0 }
    inside && /^  [a-z]/ { name = $1; sub(/^ +[^ ]+ +/, ""); summary = $0 }
    inside && sub(/^ +stands for: /, "") { kernel = $0 }
    inside && sub(/^ +promises: /, "") { print "| `" name "` | " summary " | " kernel " | " $0 " |" }'
  echo
}

hazard_texts() {
  cat <<'TEXT'
H1 fault, load, store|through a translation that was looked up before the block was freed
H2 `read`, `write`|a DAX copy, which holds no page reference
H3 aio in flight|direct I/O of the file: only `i_dio_count` protects it
H4 pinned page|the mapping as buffer of somebody's O_DIRECT: only the page reference protects it
H5 leased access|a client with a layout lease and no references
H6 liveness|every operation ends once the others have stopped
H7 persistence|what was stored and then fsynced was flushed, unless a change was giving that page up just then
H8 zeros|nobody reads stale zeros or stale data
TEXT
}

# A letter, or two where the refcount rules differ; bold where the protocol promises that it stops the hazard.
hazards() {
  {
    "$program" litmus --protocol="$kFour" --operation=punch --format=markdown | awk '$2 ~ /^ref[01]$/ { print "letters", $1, $2, $3 }'
    "$program" list | awk '/^  [a-z]/ { name = $1 } $1 == "promises:" { print "promises", name, $2 }'
    hazard_texts | sed 's/^/text /'
  } | awk -v four="$kFour" '
    $1 == "letters" { letters[$2, $3] = $4; next }
    $1 == "promises" { promises[$2] = $3; next }
    { sub(/^text /, ""); text[++hazards] = $0 }
    END {
      n = split(four, names, ",")
      head = "| hazard | the access, under a layout change |"
      rule = "| --- | --- |"
      for (i = 1; i <= n; ++i) { head = head " `" names[i] "` |"; rule = rule " --- |" }
      print head
      print rule
      for (h = 1; h <= hazards; ++h) {
        split(text[h], part, "|")
        row = "| " part[1] " | " part[2] " |"
        for (i = 1; i <= n; ++i) {
          one = substr(letters[names[i], "ref1"], h, 1)
          other = substr(letters[names[i], "ref0"], h, 1)
          cell = one == other ? "`" one "`" : "`" one "` / `" other "`"
          row = row (index(promises[names[i]], "H" h) ? " **" cell "** |" : " " cell " |")
        }
        print row
      }
    }'
}

# --- out of results/kernel --------------------------------------------------------------------------------------------

# description|accesses of the kernel target|operation|accesses of the engine
kernel_rows() {
  cat <<'ROWS'
`read()`, `write()` stopped in mid-copy|read write|punch|read write
page pinned by a pipe|pin|punch|pin
page pinned by a device, whose read ends meanwhile|dio_pin|punch|gup_fast
page pinned, then munmap|pin_munmap|punch|pin_munmap
page pinned, then munmap, unlink, last close|pin_unlink|evict|pin_unlink
pinned page touched again|pin_refault|punch|pin_refault
pin whose holder reads the file first|pin_then_read|punch|pin_then_read
store elsewhere in the file, then fsync|fsync|punch|fsync
store to a hole and `write()` of it, then a load|zero_page_fault|write|zero_page_fault
ROWS
}

# live KERNEL ACCESSES OPERATION: what the tables of both file systems say; nothing where they have no such cell
live() {
  local fs access
  for fs in xfs ext4; do
    for access in $2; do
      awk -v access="$access" -v operation="$3" -v fs="${fs/xfs/XFS}" '
        $1 == "access" { for (i = 1; i <= NF; ++i) if ($i == operation) column = i }
        column && $1 == access && NF >= column { print fs, $column; exit }' "results/kernel/$1-$fs.txt"
    done
  done | in_a_word
}

# engine RELEASE ACCESSES OPERATION
engine() {
  local access
  for access in $2; do
    awk -F, -v release="$1" -v operation="${3/#write/write_hole}" -v access="$access" '
      $1 == release && $3 == operation && $4 == access { print access, $6; exit }' "$work/engine.csv"
  done | in_a_word
}

# "WHO WORD" a line: the word where all agree, else each with who says it; bold where it is bad.
in_a_word() {
  awk '
    { said = $2 ~ /^[A-Z]|^(breaks|hangs)$/ ? "**" $2 "**" : $2; all = all (NR > 1 ? ", " : "") said " (" $1 ")" }
    NR > 1 && said != first { differs = 1 }
    NR == 1 { first = said }
    END { print differs ? all : first }'
}

# The release that the table was held against, and in how many cells they agree.
release_of() { sed -nE 's/^release ([^ ]+) .*/\1/p' "results/kernel/$1-xfs.txt"; }
agreement() { sed -nE 's/^release .*: ([0-9]+ of [0-9]+) cells agree/\1/p' "results/kernel/$1-xfs.txt"; }

kernel_release() { sed -nE '1s/^kernel ([0-9.]+(-[0-9]+)?).*/\1/p' "results/kernel/$1-xfs.txt"; }

kernels() {
  local text access operation there version row="| in flight when the layout changes |" line="| --- |"
  "$program" litmus --release=all --format=csv >"$work/engine.csv" || return
  for version in 6.1 6.12 7.x; do
    row+=" $(kernel_release "$version") | \`$(release_of "$version")\` |"
    line+=" --- | --- |"
  done
  printf '%s\n%s\n' "$row" "$line"
  while IFS='|' read -r text access operation there; do
    row="| $text |"
    for version in 6.1 6.12 7.x; do
      row+=" $(live "$version" "$access" "$operation") | $(engine "$(release_of "$version")" "$there" "$operation") |"
    done
    echo "$row"
  done < <(kernel_rows)
  row="| cells that agree |"
  for version in 6.1 6.12 7.x; do row+=" $(agreement "$version") | - |"; done
  echo "$row"
}

# --- out of results/reference/memory.csv ------------------------------------------------------------------------------

# The page of the reference run, a line for each row of a table, its cells between bars.
make_page() {
  "$program" report results/reference/memory.csv --no-plots --out="$work/short.html" >/dev/null 2>"$work/err" ||
    die "daxrace report: $(head -n 1 "$work/err")"
  # The page leaves out the end tags that HTML lets it.
  sed -E -e 's|<thead>|</caption>\n<thead>|; s|^</table>|</tbody></table>|' "$work/short.html" |
    sed -E '/^<tr>|^<thead>/ { s|<t[dh][ >]|</td>&|g; s|<tr></td>|<tr>|; s|$|</td></tr>| }' >"$work/memory.html"
  sed 's/<[^>]*>/|/g' "$work/memory.html" >"$work/page"
}

# cost SECTION: protocol, n, p50, added, ratio, then the mean and its parts, separated by tabs
cost() {
  awk -v section="$1" '
    /service time, against/ { inside = index($0, "|" section ": service time") > 0; means = 0; next }
    /Mean time per operation/ { means = 1; next }
    means && /^\|\|\|$/ { inside = 0; next }
    !inside || !/^\|\|[a-z]/ { next }
    {
      n = split($0, cell, /\|\|/)
      if (means) {
        for (i = 3; i < n; ++i) mean[cell[2]] = mean[cell[2]] "\t" cell[i]
      } else if (n > 7) {
        order[++rows] = cell[2]
        row[cell[2]] = cell[2] "\t" cell[3] "\t" cell[4] "\t" cell[5] "\t" cell[6]
      }
    }
    END { for (i = 1; i <= rows; ++i) print row[order[i]] mean[order[i]] }' "$work/page"
}

cost_table() {
  cost "$1" | awk -F'\t' '
    BEGIN {
      print "| protocol | n | p50 | added [95 %] | ratio [95 %] | mean | lock wait | break wait | dio wait | lease wait | shootdown | zap | rest |"
      print "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    }
    { printf "| `%s` |", $1; for (i = 2; i <= NF; ++i) printf " %s |", $i == "0ns" ? "-" : $i; print "" }
    NF != 13 { exit 1 }'
}

cost_punch() { cost_table "punch in punch"; }
cost_mixed() { cost_table "punch in mixed"; }

# With what a run ends.
screen() {
  printf '```\n$ daxrace report --format=text results/reference/memory.csv\n'
  "$program" report --format=text results/reference/memory.csv
  printf '```\n'
}

# Verdicts of the workload realloc, a column of the page's table of them, and what the oracle counted.
stress() {
  awk '
    function text(markup) { gsub(/<[^>]*>/, "", markup); return markup }
    NR == FNR {
      if (/<caption>/) judged = /<caption>Verdict of each protocol/
      if (!judged) next
      n = split($0, cell, /<\/t[hd]>/)
      if (/^<thead>/) { for (i = 1; i <= n; ++i) if (cell[i] ~ />realloc<small/) column = i }
      if (!column || !/^<tr><th/) next
      name[++protocols] = text(cell[1])
      promise[protocols] = text(cell[2])
      split(cell[column], part, /<\/span>/)
      verdict[protocols] = text(part[1])
      violated[protocols] = "-"
      if (sub(/^<small>/, "", part[2])) { sub(/<\/small>.*/, "", part[2]); violated[protocols] = part[2] }
      next
    }
    /service time, against/ { exit }
    /^\|\|realloc\|\|/ { split($0, cell, /\|\|/); for (i = 4; i <= 8; ++i) counted[cell[3], i] = cell[i] }
    END {
      print "| protocol | promises | verdict | violated | freed_busy | stale_access | corruption | misplaced | stale_data |"
      print "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
      for (p = 1; p <= protocols; ++p) {
        printf "| `%s` | %s | %s | %s |", name[p], promise[p], verdict[p], violated[p]
        for (i = 4; i <= 8; ++i) printf " %s |", counted[name[p], i] == "" ? "-" : counted[name[p], i]
        print ""
      }
      if (protocols < 2) exit 1
    }' "$work/memory.html" "$work/page"
}

# --- into the documents -----------------------------------------------------------------------------------------------

# known NAME
known() {
  case $1 in
    protocols | litmus_table | litmus_four | hazards | kernels | cost_punch | cost_mixed | screen | stress) ;;
    *) die "a document wants the table '$1', which nobody makes" ;;
  esac
}

make_table() {
  local name=$1
  "$name" >"$work/tables/$name" || die "the table $name cannot be made"
  [[ -s $work/tables/$name ]] || die "the table $name came out empty"
  ! grep -qE '^[|].*[|] *[|]' "$work/tables/$name" || die "the table $name has a cell with nothing in it"
}

# Every table of a document is known and has an end.
check_marks() {
  awk -F'[ :]+' '
    /^<!-- generated: [a-z_]+ -->$/ { if (name != "") exit; name = $3; print name }
    /^<!-- end of [a-z_]+ -->$/ { if ($4 != name) exit; name = "" }
    END { if (name != "") exit 1 }' "$1" >"$work/names" || die "$1: a generated table has no end"
  while read -r name; do known "$name"; done <"$work/names"
  cat "$work/names" >>"$work/wanted"
}

# write FILE: the document with its tables, to standard output
write() {
  awk -v dir="$work/tables" '
    /^<!-- end of [a-z_]+ -->$/ { inside = 0 }
    !inside { print }
    /^<!-- generated: [a-z_]+ -->$/ {
      while ((getline line < (dir "/" $3)) > 0) print line
      inside = 1
    }' "$1"
}

main() {
  parse_options "$@"
  cd "$DAXRACE_TOP"
  program=${program:-$DAXRACE_TOP/build/release/daxrace}
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/tables"
  local documents document name status=0
  mapfile -t documents < <(grep -l '^<!-- generated: ' ./*.md docs/*.md protocols/*.md)
  for document in "${documents[@]}"; do check_marks "$document"; done
  if [[ $program == "$DAXRACE_TOP/build/release/daxrace" && ! -x $program ]]; then ./scripts/build.sh release daxrace >&2; fi
  [[ -x $program ]] || die "--program=$program cannot be run"
  make_page
  while read -r name; do make_table "$name"; done < <(sort -u "$work/wanted")
  for document in "${documents[@]}"; do
    write "$document" >"$work/document"
    if cmp -s "$document" "$work/document"; then continue; fi
    if [[ -n $check ]]; then
      diff -u "$document" "$work/document" || status=1
    else
      cat "$work/document" >"$document"
      note "wrote $document"
    fi
  done
  exit "$status"
}

main "$@"
