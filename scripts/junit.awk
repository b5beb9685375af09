# Reads what `ctest --output-junit` writes; prints a line for each test: status, name and, where it did not run, the reason,
# with tabs between them. Status: run, fail, notrun, disabled, or partly (it ran and passed, but skipped some of itself).

function attribute(line, name) {
  if (!match(line, name "=\"[^\"]*\"")) return ""
  return plain(substr(line, RSTART + length(name) + 2, RLENGTH - length(name) - 3))
}

function plain(text) {
  gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&apos;/, "'", text)
  gsub(/&amp;/, "\\&", text)
  return text
}

function add_reason(text) {
  if (text == "" || text in seen) return
  seen[text] = 1
  reason = reason == "" ? text : reason "; " text
}

/^\t<testcase / {
  name = attribute($0, "name"); status = attribute($0, "status")
  reason = ""; message = ""; next_is_reason = 0
  split("", seen)
}
/^\t\t<skipped / { message = attribute($0, "message") }
{ line = $0; sub(/^\t\t<system-out>/, "", line) }
next_is_reason { add_reason(plain(line)); next_is_reason = 0 }
line ~ /: Skipped$/ { next_is_reason = 1 }  # GoogleTest: the reason stands in the line below
line ~ /^skipped: / { add_reason(plain(substr(line, 10))) }
/^\t<\/testcase>/ {
  if (status == "run" && reason != "") status = "partly"
  if (status == "disabled") reason = "disabled"
  if (status == "notrun" && reason == "") reason = message == "" ? "no reason given" : message
  printf "%s\t%s\t%s\n", status, name, reason
}
