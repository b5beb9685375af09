#!/usr/bin/env bash
# Every link of the documents to a file, or to a heading in one, leads somewhere; every document is linked from one.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$top"
documents=(README.md CONTRIBUTING.md SECURITY.md docs/*.md protocols/README.md results/README.md results/*/*.md)

# The headings of a document as GitHub and GitLab name them.
anchors() {
  awk '/^```/ { inside = !inside } !inside && /^#+ / { sub(/^#+ /, ""); print tolower($0) }' "$1" | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# "DOCUMENT TARGET" of each link, without those to other hosts.
links() {
  awk '
    FNR == 1 { inside = 0 }
    /^ *```/ { inside = !inside }
    !inside {
      while (match($0, /\]\([^)]*\)/)) {
        target = substr($0, RSTART + 2, RLENGTH - 3)
        if (target !~ /^[a-z]+:/) print FILENAME, target
        $0 = substr($0, RSTART + RLENGTH)
      }
    }' "${documents[@]}"
}

count=0
while read -r document target; do
  count=$((count + 1))
  file=${target%%#*}
  if [[ -n $file ]]; then file=$(realpath -m --relative-to=. "$(dirname "$document")/$file"); else file=$document; fi
  echo "$file" >>"$work/linked"
  if [[ ! -e $file ]]; then fail "$document: $target leads nowhere"; continue; fi
  if [[ $target == *#* ]]; then anchors "$file" | grep -qxF -- "${target#*#}" || fail "$document: $target: no such heading"; fi
done < <(links)
((count > 50)) || fail "only $count links were found"

for document in SECURITY.md CONTRIBUTING.md docs/*.md; do
  grep -qxF "$document" "$work/linked" || fail "no document leads to $document"
done
finish
