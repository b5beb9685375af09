#include <algorithm>

#include <fmt/format.h>

#include "bench/cli/config_names.hpp"
#include "bench/cli/output_format.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "bench/compare/compare.hpp"

namespace daxrace {

const std::vector<std::string>& by_columns() {
  static const std::vector<std::string> names = {"git_commit", "kernel", "protocol",       "placement",
                                                 "lock",       "fs",     "refcount_regime"};
  return names;
}

namespace {

using Values = std::vector<std::string>;

/// `protocol` or `protocol:BASE,NEW`.
void parse_by(CompareOptions& o, const std::string& text) {
  const std::size_t colon = text.find(':');
  o.by = text.substr(0, colon);
  position_of("by", o.by, by_columns(), "column");
  o.by_values.clear();
  if (colon == std::string::npos) return;
  const std::string values = text.substr(colon + 1);
  const std::size_t comma = values.find(',');
  if (comma == std::string::npos || comma == 0 || comma + 1 == values.size())
    throw Error(fmt::format("--by={}: name two values: --by={}:BASE,NEW", text, o.by));
  o.by_values = {values.substr(0, comma), values.substr(comma + 1)};
}

void parse_metrics(std::vector<Metric>& out, const Values& words) {
  out.clear();
  for (const std::string& word : words) {
    const auto metric = word_to<Metric>("metric", kMetricNames, word);
    if (std::ranges::find(out, metric) == out.end()) out.push_back(metric);
  }
}

OptionTable side_options(CompareOptions& o) {
  constexpr std::string_view kSides = "What to compare";
  return {
      {kSides, "base", Takes::list, "FILE,...", "", "files, directories or quoted patterns of the base",
       [&o](const Values& v) { o.base = v; }},
      {kSides, "new", Takes::list, "FILE,...", "", "the same of what is compared with it",
       [&o](const Values& v) { o.changed = v; }},
      {kSides, "by", Takes::value, "COLUMN[:BASE,NEW]", "git_commit, or kernel if that alone differs",
       "what may differ: git_commit, kernel, protocol, placement, lock, fs or refcount_regime. With two "
       "values the "
       "rows of all files are told apart by them, be it within one file",
       [&o](const Values& v) { parse_by(o, v.front()); }},
      {kSides, "allow-different", Takes::list, "NAME,...", "",
       "compare although this differs: machine, kernel, kernel_version, kernel_debug, emulated, git_commit, "
       "build_type",
       [&o](const Values& v) {
         for (const std::string& name : v) position_of("allow-different", name, decisive_facts());
         o.allow_different = v;
       }},
  };
}

OptionTable statistics_options(CompareOptions& o) {
  constexpr std::string_view kHow = "How to decide";
  ComparisonOptions& s = o.statistics;
  return {
      {kHow, "metric", Takes::list, "p50,p99,throughput", "p50",
       "of the service times, or operations per second",
       [&s](const Values& v) { parse_metrics(s.metrics, v); }},
      {kHow, "threshold", Takes::value, "PERCENT", "5", "changes that are smaller are not reported",
       [&s](const Values& v) { s.threshold = parse_percent("threshold", v.front()); }},
      {kHow, "level", Takes::value, "PERCENT", "5",
       "false discovery rate of a family; with --correction=holm the probability of any false alarm in it",
       [&s](const Values& v) {
         s.level = parse_percent("level", v.front());
         if (s.level <= 0 || s.level >= 1) throw Error("--level: between 0 and 100 percent");
       }},
      {kHow, "correction", Takes::value, "bh|holm", "bh", "Benjamini and Hochberg, or Holm",
       [&s](const Values& v) {
         s.correction = word_to<Correction>("correction", kCorrectionNames, v.front());
       }},
      {kHow, "family", Takes::value, "path|metric", "path",
       "which comparisons are corrected together: of one path, or of all paths",
       [&s](const Values& v) { s.family = word_to<FamilyScope>("family", kFamilyNames, v.front()); }},
      {kHow, "unit", Takes::value, "repetition|run", "repetition",
       "what one value is; run: all repetitions of a run merged, which also counts what differs from run to "
       "run",
       [&s](const Values& v) { s.unit = word_to<Unit>("unit", kUnitNames, v.front()); }},
      {kHow, "seed", Takes::value, "N", "1", "of the bootstrap",
       [&s](const Values& v) { s.seed = parse_count("seed", v.front(), 0, UINT64_MAX); }},
      {kHow, "strict", Takes::nothing, "", "", "fail if anything is undecided, or nothing could be compared",
       [&o](const Values&) { o.strict = true; }},
  };
}

OptionTable output_options(CompareOptions& o) {
  constexpr std::string_view kShow = "How to show it";
  return {
      {kShow, "format", Takes::value, "text|csv|json|markdown", "text",
       "csv and json have every compared row",
       [&o](const Values& v) { o.format = parse_format(v.front(), kTableFormats); }},
      {kShow, "tables", Takes::nothing, "", "",
       "beyond one screen: what can be decided of each path, and every row, changed or not",
       [&o](const Values&) { o.tables = true; }},
      {kShow, "all", Takes::nothing, "", "", "the same as --tables",
       [&o](const Values&) { o.tables = true; }},
      {kShow, "mail", Takes::nothing, "", "", "72 columns, with the command on top",
       [&o](const Values&) { o.mail = true; }},
  };
}

}  // namespace

OptionTable compare_option_table(CompareOptions& options) {
  OptionTable table = side_options(options);
  for (OptionTable rows : {statistics_options(options), output_options(options)})
    table.insert(table.end(), rows.begin(), rows.end());
  return table;
}

}  // namespace daxrace
