# A name declared in X.hpp and defined in a source that is not X.cpp: "FILE: NAME is declared in X". X_part.cpp may hold a part of
# X.hpp, and a header without a source of its own is a list of what others define. Anonymous namespaces are left out.
function stem(path) { sub(/.*\//, "", path); sub(/\.[a-z]+$/, "", path); return path }
function name_of(line,   n, part) { sub(/\(.*/, "", line); n = split(line, part, /[ *&]/); return part[n] }

FNR == 1 {
  header = FILENAME ~ /\.hpp$/
  file = stem(FILENAME)
  anonymous = 0
  if (!header) sources[file] = 1
}
/^namespace \{/ { anonymous = 1 }
/^\}  \/\/ namespace$/ { anonymous = 0 }
anonymous || !/^[A-Za-z_:\[]/ || /^(template|using|static_assert|namespace|static|inline|constexpr|enum|friend|extern)/ { next }
header && /^(class|struct) [A-Za-z_]+( final)?( :.*)? ?\{/ { declared[$2] = declared[$2] " " file; next }
header && /\(/ { declared[name_of($0)] = declared[name_of($0)] " " file; next }
!header && /\(/ && !/;$/ && !/^(class|struct)/ {
  name = name_of($0)
  sub(/::.*/, "", name)
  if (name != "" && !((name, FILENAME) in seen)) { seen[name, FILENAME] = ++defined; named[defined] = name; where[defined] = FILENAME }
}
END {
  for (i = 1; i <= defined; ++i) {
    own = 0
    elsewhere = ""
    n = split(declared[named[i]], part, " ")
    file = stem(where[i])
    for (j = 1; j <= n; ++j) {
      if (part[j] == file || index(file, part[j] "_") == 1) own = 1
      else if (part[j] in sources) elsewhere = elsewhere " " part[j]
    }
    if (!own && elsewhere != "") print where[i] ": " named[i] " is declared in" elsewhere
  }
}
