#include "bench/compare/conclusion.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "bench/report/run_records.hpp"

namespace daxrace {
namespace {

/// What undecided rows have at most and need, in what a run is asked for.
struct Lack {
  std::size_t have = 0;
  std::size_t needed = 0;
  bool of_base = false;  ///< the side that has the fewest
};

std::optional<Lack> lack_of(const CompareResult& result) {
  Lack lack;
  for (const ComparedRow& row : result.report.rows) {
    if (row.change != Change::undecided) continue;
    const std::size_t merged = row.merged_repetitions;
    const std::size_t have = std::min(row.base.size(), row.changed.size()) * merged;
    if (have > lack.have) lack.of_base = row.base.size() < row.changed.size();
    lack.have = std::max(lack.have, have);
    lack.needed = std::max(lack.needed, result.report.families[row.family].needed * merged);
  }
  return lack.needed > 0 ? std::optional(lack) : std::nullopt;
}

std::string_view unit_name(const CompareOptions& options) {
  return options.statistics.unit == Unit::run ? "run" : "repetition";
}

/// Options of a run that say where its rows go or how many there are.
bool is_replaced(std::string_view name) {
  constexpr std::array<std::string_view, 9> kReplaced = {"--repetitions", "--time",   "--until",
                                                         "--out",         "--append", "--force",
                                                         "--resume",      "--quiet",  "--no-table"};
  return std::ranges::find(kReplaced, name) != kReplaced.end();
}

bool decides_repetitions(std::string_view name) {
  return name == "--repetitions" || name == "--time" || name == "--until";
}

bool takes_a_value(std::string_view name) {
  return name != "--append" && name != "--force" && name != "--quiet" && name != "--no-table";
}

std::string undecided_text(const CompareResult& result, const CompareOptions& options,
                           const ChangeCounts& counts) {
  const std::string lacking = lacking_text(result, options);
  const std::string command = remedy_command(result, options);
  if (counts.decided() == 0) return fmt::format("Nothing could be decided: {}: {}", lacking, command);
  return fmt::format("no regression in the {} that could be decided; {} undecided: {}: {}",
                     counted(counts.decided(), "row"), counts.undecided, lacking, command);
}

std::string kinds_text(const CompareResult& result, const ChangeCounts& counts) {
  std::string out = fmt::format("{} against {}: {} of {} slower, {} faster", result.changed.name,
                                result.base.name, counts.slower, counted(counts.rows, "row"), counts.faster);
  if (counts.undecided > 0) out += fmt::format(", {} undecided", counts.undecided);
  return out;
}

}  // namespace

ChangeCounts counts_of(const ComparisonReport& report) {
  const auto count = [&](Change change) {
    return static_cast<std::size_t>(std::ranges::count(report.rows, change, &ComparedRow::change));
  };
  return {report.rows.size(),   count(Change::slower), count(Change::faster),
          count(Change::small), count(Change::none),   count(Change::undecided)};
}

bool counts_as_failure(const CompareResult& result, Outcome outcome) {
  return compares_kinds(result) ? outcome <= Outcome::error : fails(outcome);
}

std::size_t failures_of(const CompareResult& result) {
  return static_cast<std::size_t>(std::ranges::count_if(
      result.report.outcomes,
      [&](const OutcomeChange& one) { return counts_as_failure(result, one.outcome); }));
}

std::string lacking_text(const CompareResult& result, const CompareOptions& options) {
  const auto lack = lack_of(result);
  if (!lack) return {};
  return fmt::format("{}, {} needed", counted(lack->have, unit_name(options)), lack->needed);
}

std::string remedy_command(const CompareResult& result, const CompareOptions& options) {
  const auto lack = lack_of(result);
  if (!lack) return {};
  const ResultSet& rows = (lack->of_base ? result.base : result.changed).rows;
  if (options.statistics.unit == Unit::repetition) return repeated_command(command_of(rows), lack->needed);
  return fmt::format("./scripts/compare-commits.sh {} --pairs={} --unit=run",
                     fact_text(result.base.facts, "git_commit"), lack->needed + lack->needed % 2);
}

std::string conclusion_text(const CompareResult& result, const CompareOptions& options) {
  const ChangeCounts counts = counts_of(result.report);
  const std::size_t failures = failures_of(result);
  if (failures > 0) return fmt::format("worse: {} of correctness", counted(failures, "failure"));
  if (counts.rows == 0) return "no failure of correctness; there were no costs to compare";
  if (counts.decided() == 0) return undecided_text(result, options, counts);
  if (compares_kinds(result)) return kinds_text(result, counts);
  if (counts.slower > 0) return fmt::format("worse: {} slower", counted(counts.slower, "row"));
  return counts.undecided > 0 ? undecided_text(result, options, counts) : "no regression found";
}

std::string repeated_command(std::vector<std::string> recorded, std::size_t repetitions) {
  const bool known = recorded.size() >= 2 && recorded[1] == "run";
  if (!known) recorded = {"daxrace", "run", "--preset=compare"};
  std::vector<std::string> words;
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    const std::string name = recorded[i].substr(0, recorded[i].find('='));
    if (!is_replaced(name) || (repetitions == 0 && decides_repetitions(name))) {
      words.push_back(recorded[i]);
    } else if (name == recorded[i] && takes_a_value(name)) {
      ++i;
    }
  }
  constexpr std::size_t kOfThePreset = 12;
  if (repetitions > (known ? 0 : kOfThePreset)) words.push_back(fmt::format("--repetitions={}", repetitions));
  return shell_line(words);
}

}  // namespace daxrace
