#include "bench/compare/compare.hpp"

#include <algorithm>
#include <cstdio>
#include <future>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "bench/compare/compare_formats.hpp"
#include "bench/compare/compare_screen.hpp"
#include "bench/compare/compare_text.hpp"
#include "bench/compare/conclusion.hpp"
#include "harness/base/text.hpp"

namespace daxrace {
namespace {

using Values = std::vector<std::string>;

/// Values that are listed in an error before it becomes too long to read.
constexpr std::size_t kMostNamed = 12;

std::vector<std::string_view> without(const std::string& by) {
  if (by.empty() || !column_named(by).is_key) return {};
  return {column_named(by).name};
}

std::string side_name(const Values& files) {
  return files.size() == 1 ? files.front() : counted(files.size(), "file");
}

std::string dropped_warning(const std::string& file) {
  return file + ": half a last line, left by a killed run, was dropped";
}

// ---- sides of different files ----

struct ReadSide {
  ResultSet rows;
  Values warnings;
  std::set<std::string> values;  ///< of the column in which the sides differ
};

/// Two configurations that differ in a key column only would become one.
void refuse_mixture(const ReadSide& side, const Values& files, const std::string& by) {
  if (by.empty() || !column_named(by).is_key || side.values.size() <= 1) return;
  throw Error(fmt::format("--by={}: {} holds {} values of it: {}; name one for each side: --by={}:BASE,NEW",
                          by, side_name(files), side.values.size(),
                          join(Values(side.values.begin(), side.values.end())), by));
}

ReadSide read_side(const Values& files, const std::string& by) {
  ReadSide side{ResultSet(without(by)), {}, {}};
  const Column* column = by.empty() ? nullptr : &column_named(by);
  for (const std::string& file : files) {
    side.rows.begin_file(file);
    const std::size_t dropped = scan_csv(file, [&](const Row& row, std::size_t line) {
      if (column != nullptr) side.values.insert(field_text(row, *column));
      side.rows.add(row, line);
    });
    if (dropped > 0) side.warnings.push_back(dropped_warning(file));
  }
  refuse_mixture(side, files, by);
  side.rows.finish();
  return side;
}

CompareResult sides_of_files(const Values& base, const Values& changed, const std::string& by) {
  refuse_common_files(base, changed);
  auto reading = std::async(std::launch::async, [&] { return read_side(base, by); });
  ReadSide new_side = read_side(changed, by);
  ReadSide base_side = reading.get();
  // Rows of two values of a key column cannot be the same, though they look alike without it.
  if (base_side.values == new_side.values || by.empty() || !column_named(by).is_key)
    refuse_common_rows(base_side.rows, new_side.rows);
  CompareResult result;
  result.by = by;
  result.warnings = std::move(base_side.warnings);
  result.warnings.insert(result.warnings.end(), new_side.warnings.begin(), new_side.warnings.end());
  result.base = {side_name(base), std::move(base_side.rows), {}};
  result.changed = {side_name(changed), std::move(new_side.rows), {}};
  return result;
}

// ---- sides that a column tells apart ----

/// The values of a column with the earliest run of each, earliest first.
Values values_in_order(const Values& files, const Column& column) {
  std::map<std::string, std::string> first;
  for (const std::string& file : files) {
    scan_csv(file, [&](const Row& row, std::size_t) {
      const auto [at, is_new] = first.emplace(field_text(row, column), row.time_utc);
      if (!is_new && row.time_utc < at->second) at->second = row.time_utc;
    });
  }
  Values values;
  for (const auto& [value, time] : first) values.push_back(value);
  std::ranges::stable_sort(values, {}, [&](const std::string& value) { return first[value]; });
  return values;
}

std::string named_values(Values values) {
  const std::size_t count = values.size();
  if (count > kMostNamed) values.resize(kMostNamed);
  return join(values) + (count > kMostNamed ? ", ..." : "");
}

Values two_values(const CompareOptions& options, const Values& files) {
  if (!options.by_values.empty()) return options.by_values;
  Values found = values_in_order(files, column_named(options.by));
  if (found.size() == 2) return found;
  throw Error(fmt::format("--by={}: the files hold {} of it: {}; name two: --by={}:BASE,NEW", options.by,
                          counted(found.size(), "value"), named_values(found), options.by));
}

/// A commit may be given by its first digits.
bool is_value(const std::string& text, const std::string& wanted, bool is_commit) {
  return text == wanted ||
         (is_commit && wanted.size() >= 7 && text.starts_with(wanted) && !text.ends_with("-dirty"));
}

CompareResult sides_by_column(const CompareOptions& options, const Values& files) {
  const Values values = two_values(options, files);
  const Column& column = column_named(options.by);
  const bool is_commit = options.by == "git_commit";
  CompareResult result;
  result.by = options.by;
  result.base = {values[0], ResultSet(without(options.by)), {}};
  result.changed = {values[1], ResultSet(without(options.by)), {}};
  std::set<std::string> seen;
  for (const std::string& file : files) {
    result.base.rows.begin_file(file);
    result.changed.rows.begin_file(file);
    const std::size_t dropped = scan_csv(file, [&](const Row& row, std::size_t line) {
      const std::string text = field_text(row, column);
      if (is_value(text, values[0], is_commit)) result.base.rows.add(row, line);
      if (is_value(text, values[1], is_commit)) result.changed.rows.add(row, line);
      seen.insert(text);
    });
    if (dropped > 0) result.warnings.push_back(dropped_warning(file));
  }
  for (CompareSide* side : {&result.base, &result.changed}) {
    if (side->rows.row_count() == 0)
      throw Error(fmt::format("--by={}: no row has the value '{}'; there are: {}", options.by, side->name,
                              named_values(Values(seen.begin(), seen.end()))));
    side->rows.finish();
  }
  return result;
}

// ---- which of them may be compared ----

bool needs_pool(const CompareOptions& options) {
  return !options.by_values.empty() ||
         (options.base.empty() && options.operands.size() == 1 && !options.by.empty());
}

CompareResult read_sides(const CompareOptions& options) {
  const bool named = !options.base.empty() || !options.changed.empty();
  if (named && !options.operands.empty())
    throw Error(fmt::format("'{}': with --base and --new every file belongs to one of them",
                            options.operands.front()));
  if (needs_pool(options)) {
    Values words = options.operands;
    words.insert(words.end(), options.base.begin(), options.base.end());
    words.insert(words.end(), options.changed.begin(), options.changed.end());
    if (words.empty()) throw Error("compare: name the files");
    return sides_by_column(options, result_files(words));
  }
  if (named) {
    if (options.base.empty() || options.changed.empty()) throw Error("compare: give both --base and --new");
    return sides_of_files(result_files(options.base), result_files(options.changed), options.by);
  }
  if (options.operands.size() != 2)
    throw Error(
        fmt::format("compare: {} given; it takes a base and a new one, or --base=FILE,... --new=FILE,..., or "
                    "files and --by=COLUMN:BASE,NEW",
                    counted(options.operands.size(), "file")));
  return sides_of_files(result_files({options.operands[0]}), result_files({options.operands[1]}), options.by);
}

/// Patched against unpatched kernel is what a kernel developer compares.
std::string default_by(const RunFacts& base, const RunFacts& changed) {
  const bool kernel_only = fact_text(base, "target") == "kernel" &&
                           fact_text(changed, "target") == "kernel" &&
                           fact_text(base, "git_commit") == fact_text(changed, "git_commit") &&
                           (fact_text(base, "kernel") != fact_text(changed, "kernel") ||
                            fact_text(base, "kernel_version") != fact_text(changed, "kernel_version"));
  return kernel_only ? "kernel" : "git_commit";
}

bool may_differ(const std::string& name, const std::string& by, const Values& allowed) {
  if (name == by || (by == "kernel" && name == "kernel_version")) return true;
  return std::ranges::find(allowed, name) != allowed.end() ||
         (name == "kernel_version" && std::ranges::find(allowed, "kernel") != allowed.end());
}

void refuse_other_machines(const CompareResult& result, const Values& allowed) {
  for (const FactDifference& difference : result.differences) {
    if (!difference.decisive || may_differ(difference.name, result.by, allowed)) continue;
    throw Error(
        fmt::format("{} differs: {} in the base, {} in the new one; figures of the two do not compare by {} "
                    "(--allow-different={} does it all the same)",
                    difference.name, difference.base, difference.changed, result.by, difference.name));
  }
}

void add_warnings(CompareResult& result) {
  const auto& facts = result.base.facts;
  const bool same = result.by == "git_commit" && !fact_text(facts, "git_commit").ends_with("-dirty") &&
                    fact_text(facts, "git_commit") == fact_text(result.changed.facts, "git_commit");
  if (same)
    result.warnings.push_back(
        fmt::format("both sides are commit {}: an A/A comparison", fact_text(facts, "git_commit")));
  const bool by_runs = result.by == "git_commit" || result.by == "kernel";
  if (by_runs && result.base.rows.runs().size() == 1 && result.changed.rows.runs().size() == 1)
    result.warnings.emplace_back(
        "one run each: what differs from run to run on this machine looks like a change, too; "
        "scripts/compare-commits.sh runs both sides in turns");
  if (std::ranges::any_of(result.base.rows.runs(),
                          [&](const RunColumns& run) {
                            return std::ranges::find(result.changed.rows.runs(), run.run_id,
                                                     &RunColumns::run_id) != result.changed.rows.runs().end();
                          }) &&
      by_runs)
    result.warnings.emplace_back("both sides hold rows of the same run");
}

}  // namespace

CompareResult compare_files(const CompareOptions& options) {
  CompareResult result = read_sides(options);
  result.base.facts = facts_of(result.base.rows);
  result.changed.facts = facts_of(result.changed.rows);
  result.differences = differing_facts(result.base.facts, result.changed.facts);
  if (result.by.empty()) result.by = default_by(result.base.facts, result.changed.facts);
  refuse_other_machines(result, options.allow_different);
  add_warnings(result);
  result.report = compare_results(result.base.rows, result.changed.rows, options.statistics);
  if (result.report.configurations == 0 && result.report.outcomes.empty())
    throw Error(fmt::format("{} and {}: nothing to compare", result.base.name, result.changed.name));
  return result;
}

bool compares_kinds(const CompareResult& result) {
  return result.by != "git_commit" && result.by != "kernel";
}

Exit compare_exit(const CompareResult& result, bool strict) {
  const ComparisonReport& report = result.report;
  if (failures_of(result) > 0) return Exit::broken;
  if (report.any(Change::slower) && !compares_kinds(result)) return Exit::broken;
  return strict && (report.any(Change::undecided) || report.rows.empty()) ? Exit::broken : Exit::ok;
}

Exit print_compare(const CompareOptions& options, const std::vector<std::string>& command_line) {
  const CompareResult result = compare_files(options);
  if (options.format != CompareFormat::text)
    for (const std::string& warning : result.warnings)
      fmt::print(stderr, "daxrace: {}\n", shown_text(warning));
  switch (options.format) {
    case CompareFormat::csv:
      fmt::print("{}", compare_csv(result, options));
      break;
    case CompareFormat::json:
      fmt::print("{}", compare_json(result, options));
      break;
    case CompareFormat::markdown:
      fmt::print("{}", compare_markdown(result, options));
      break;
    case CompareFormat::text:
      fmt::print("{}", options.tables ? compare_text(result, options, command_line)
                                      : compare_screen(result, options, command_line));
      break;
  }
  return compare_exit(result, options.strict);
}

}  // namespace daxrace
