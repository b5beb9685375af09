#!/usr/bin/env bash
# usage: report_page.sh PROGRAM: the page of `daxrace report` in a real browser, wide and narrow, light and dark, and on paper:
# nothing reaches beyond the edge, every protocol can be read, nothing is fetched, no complaint on the console, the picture
# shows something, and every plot has its text.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

daxrace=$(realpath "$1")
for tool in chromium gnuplot pdftotext; do command -v "$tool" >/dev/null || skip "$tool is not installed (scripts/install-deps.sh --report)"; done

# browse NAME WIDTH PAGE OPTION...: a browser of its own, bounded in time.
browse() {
  local name=$1 width=$2 page=$3
  shift 3
  mkdir -p "$work/profile"
  timeout -k 5 90 chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --disable-extensions --disable-dev-shm-usage --hide-scrollbars \
    --enable-logging=stderr --user-data-dir="$work/profile" --window-size="$width",1600 "$@" "file://$page" >"$work/$name.out" \
    2>"$work/$name.log" </dev/null || fail "$name: chromium ended with status $?: $(tail -n 1 "$work/$name.log")"
  rm -rf "$work/profile"
}

# A copy that measures itself when it is loaded. The page has no scripts of its own, and its policy forbids them.
measuring_copy() {
  sed 's/<meta http-equiv="Content-Security-Policy"[^>]*>//' "$1"
  cat <<'SCRIPT'
<script>
addEventListener("load", () => {
  const root = document.documentElement, values = {}, set = (name, value) => values[name] = value;
  const seen = one => one.getBoundingClientRect();
  const shown = one => one.checkVisibility() && seen(one).right <= root.clientWidth + 1 && seen(one).left >= 0;
  // As the reader finds it: the matrix, before anything is unfolded.
  set("names", [...document.querySelectorAll("#answer tbody th")].filter(shown).map(one => one.textContent).join(" "));
  set("folded", document.querySelectorAll("details.part:not([open])").length);
  document.querySelectorAll("details").forEach(one => one.open = true);
  set("hidden", [...document.querySelectorAll(".scroll")].filter(one => one.scrollWidth > one.clientWidth + 1).length);
  const wide = document.querySelector("#safety .scroll");
  wide.scrollLeft = 10000;
  set("first", [...wide.querySelectorAll("tbody th")].filter(one => !shown(one)).length);
  const plots = [...document.querySelectorAll("svg.plot")];
  set("width", root.clientWidth);
  set("content", root.scrollWidth);
  set("plots", plots.length);
  set("small", plots.filter(one => seen(one).width < 200 || seen(one).height < 60).length);
  set("mute", plots.filter(one => one.querySelectorAll("text").length < 2 || !one.querySelector("title").textContent).length);
  set("tableless", [...document.querySelectorAll("figure")].filter(one => one.querySelectorAll("td").length < 1).length);
  const plotted = [...document.querySelectorAll("svg.plot text")];
  set("outside", plotted.filter(one => { const box = seen(one), frame = seen(one.ownerSVGElement);
    return box.left < frame.left - 2 || box.right > frame.right + 2; }).length);
  const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
  set("twice", ids.length - new Set(ids).size);
  set("fetched", performance.getEntriesByType("resource").length);
  set("ground", getComputedStyle(document.body).backgroundColor.replaceAll(" ", ""));
  parent.postMessage(values, "*");
});
</script>
SCRIPT
}

# The window of a browser cannot be made as narrow as a telephone; a frame in it can.
frame_of() {
  cat <<PAGE
<!DOCTYPE html>
<script>
addEventListener("message", message => {
  for (const [name, value] of Object.entries(message.data)) document.documentElement.setAttribute("data-" + name, value);
});
</script>
<iframe src="measured.html" style="border:0;width:$1px;height:1600px"></iframe>
PAGE
}

value() { sed -n "s/.*<html[^>]* data-$2=\"\([^\"]*\)\".*/\1/p" "$work/$1.out" | head -n 1; }

expect_value() {
  local got
  got=$(value "$1" "$2")
  [[ $got == "$3" ]] || fail "$1: $2 is '$got', not '$3'"
}


# check_layout NAME WIDTH TABLES: TABLES: how many may be wider than the page, and scroll.
check_layout() {
  local name=$1 width=$2 most=$3 plots protocol
  shift 3
  frame_of "$width" >"$work/frame.html"
  browse "$name" 1700 "$work/frame.html" --virtual-time-budget=10000 --dump-dom "$@"
  plots=$(value "$name" plots)
  [[ ${plots:-0} -ge 10 ]] || fail "$name: only '$plots' plots"
  [[ $(value "$name" width) -eq $width ]] || fail "$name: the window is $(value "$name" width) wide"
  [[ $(value "$name" content) -le $(value "$name" width) ]] ||
    fail "$name: the page is $(value "$name" content) wide in a window of $(value "$name" width)"
  for what in small mute outside twice fetched first; do expect_value "$name" "$what" 0; done
  [[ $(value "$name" hidden) -le $most ]] || fail "$name: $(value "$name" hidden) tables are wider than the page"
  [[ $(value "$name" folded) -ge 3 ]] || fail "$name: the details are not folded"
  for protocol in "${protocols[@]}"; do
    [[ " $(value "$name" names) " == *" $protocol "* ]] || fail "$name: '$protocol' cannot be seen on top"
  done
}

# The picture of an empty page compresses to almost nothing.
check_picture() {
  local name=$1 width=$2
  shift 2
  browse "$name" "$width" "$work/page.html" --screenshot="$work/$name.png" "$@"
  [[ -f $work/$name.png ]] || { fail "$name: no picture"; return; }
  [[ $(stat -c %s "$work/$name.png") -gt 30000 ]] || fail "$name: the picture is blank ($(stat -c %s "$work/$name.png") bytes)"
  ! grep -E 'CONSOLE|Refused to' "$work/$name.log" || fail "$name: the browser complains (above)"
  [[ -z ${DAXRACE_PICTURES:-} ]] || cp "$work/$name.png" "$DAXRACE_PICTURES/"
}

protocols=()

# The page as it is printed: every word of it on the paper, every protocol there, details open.
check_paper() {
  local protocol beyond
  browse paper 1200 "$work/page.html" --no-pdf-header-footer --print-to-pdf="$work/page.pdf"
  pdftotext -bbox "$work/page.pdf" "$work/page.bbox" || { fail "paper: no PDF"; return; }
  beyond=$(awk -F'"' '/<page / { width = $2; next } /<word / && ($6 > width + 1 || $2 < -1) { print $0 }' "$work/page.bbox" | head -n 3)
  [[ -z $beyond ]] || fail "paper: beyond the edge: $beyond"
  pdftotext -layout "$work/page.pdf" "$work/page.txt"
  for protocol in "${protocols[@]}"; do
    # On top, in the table of verdicts, and in every plot.
    [[ $(grep -cwF "$protocol" "$work/page.txt") -ge 5 ]] || fail "paper: '$protocol' is cut off"
  done
  grep -q 'where the time goes' "$work/page.txt" || fail "paper: the details are not open"
}

main() {
  run "$daxrace" report "$top/results/reference/memory.csv" --out="$work/page.html"
  expect_status 0 "daxrace report"
  expect_no_out 'plots skipped' "daxrace report"
  [[ ! -s $work/err ]] || fail "daxrace report: $(cat "$work/err")"
  mapfile -t protocols < <("$daxrace" list --format=json | sed -n '/"protocols"/,/\]/s/^ *"name": "\([a-z0-9_]*\)".*/\1/p')
  [[ ${#protocols[@]} -ge 10 ]] || fail "the protocols are not known"
  [[ $(stat -c %s "$work/page.html") -lt 600000 ]] || fail "the page has $(stat -c %s "$work/page.html") bytes"
  ! grep -qF "$top" "$work/page.html" || fail "the page holds a path of this machine"
  measuring_copy "$work/page.html" >"$work/measured.html"
  local dark=(--blink-settings=preferredColorScheme=0)
  check_layout wide 1280 0
  expect_value wide ground 'rgb(255,255,255)'
  check_layout wider 1600 0
  check_layout narrow 400 1000
  check_layout dark 400 1000 "${dark[@]}"
  check_paper
  expect_value dark ground 'rgb(17,20,23)'
  check_picture light-1200 1200
  check_picture light-400 400
  check_picture dark-1200 1200 "${dark[@]}"
  check_picture dark-400 400 "${dark[@]}"
  ! cmp -s "$work/light-400.png" "$work/dark-400.png" || fail "light and dark look the same"
  finish
}

main
