// How often daxrace compare is wrong, by simulation: results with known noise, of a thing with itself and
// with changes injected. Prints markdown; scripts/compare-study.sh keeps it.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "harness/results/comparison.hpp"
#include "harness/results/result_set.hpp"
#include "tests/simulated_rows.hpp"

namespace daxrace {
namespace {

/// False alarms are rare: more trials.
constexpr unsigned kAlarmTrials = 5;

struct Study {
  unsigned comparisons = 200;
  std::uint64_t seed = 1;
};

ResultSet packed(const Simulation& simulation, std::mt19937_64& random) {
  ResultSet set;
  set.begin_file("simulated");
  std::size_t line = 1;
  for (const Row& row : simulated_rows(simulation, random)) set.add(row, ++line);
  set.finish();
  return set;
}

Simulation matrix_of(unsigned repetitions, double noise) {
  Simulation s;
  s.workloads = {"fault", "punch", "read", "gup_fast", "mixed", "gup_vs_punch"};
  s.protocols = {"none", "iolock_mmaplock", "ext4", "lease_break"};
  s.repetitions = repetitions;
  s.repetition_noise = noise;
  s.samples = 400;
  return s;
}

bool is_flagged(const ComparedRow& row) {
  return row.change == Change::slower || row.change == Change::faster;
}

/// What came of the same comparison, made again and again.
struct Tally {
  std::size_t comparisons = 0, comparisons_flagged = 0;
  std::size_t families = 0, families_flagged = 0;
  std::size_t injected = 0, found = 0;  ///< rows of the slow protocol, and those reported as slower
  double false_shares = 0;  ///< of what each family reported; none: 0. Its mean is the false discovery rate

  void add(const ResultSet& base, const ComparisonReport& report, bool injecting) {
    std::vector<std::size_t> reported(report.families.size());
    std::vector<std::size_t> falsely(report.families.size());
    for (const ComparedRow& row : report.rows) {
      const bool slow = injecting && base.configs()[row.config].find("ext4") != std::string_view::npos;
      if (slow) ++injected;
      if (slow && row.change == Change::slower) ++found;
      if (!is_flagged(row)) continue;
      ++reported[row.family];
      if (!slow) ++falsely[row.family];
    }
    std::size_t flagged = 0;
    for (std::size_t i = 0; i < reported.size(); ++i) {
      if (reported[i] == 0) continue;
      ++flagged;
      false_shares += static_cast<double>(falsely[i]) / static_cast<double>(reported[i]);
    }
    ++comparisons;
    comparisons_flagged += flagged > 0 ? 1 : 0;
    families += reported.size();
    families_flagged += flagged;
  }
};

std::string share(std::size_t part, std::size_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

void study_false_alarms(const Study& study) {
  struct Rule {
    const char* name;
    ComparisonOptions options;
  };
  std::vector<Rule> rules(4);
  rules[0].name = "default (threshold 5 %)";
  rules[1] = {"--threshold=0", {}};
  rules[1].options.threshold = 0;
  rules[2] = {"--threshold=0 --family=metric", rules[1].options};
  rules[2].options.family = FamilyScope::metric;
  rules[3] = {"--threshold=0 --correction=holm", rules[1].options};
  rules[3].options.correction = Correction::holm;
  fmt::print(
      "## A thing compared with itself\n\n{} comparisons a line; 24 rows in 6 families, 12 repetitions a "
      "side. "
      "Stated rate: 5 % of the families.\n\n| noise between repetitions | rule | families with a false alarm "
      "| "
      "comparisons with a false alarm |\n| --- | --- | ---: | ---: |\n",
      kAlarmTrials * study.comparisons);
  for (const double noise : {0.01, 0.03, 0.06}) {
    std::mt19937_64 random(study.seed);
    std::vector<Tally> tallies(rules.size());
    for (unsigned i = 0; i < kAlarmTrials * study.comparisons; ++i) {
      const ResultSet base = packed(matrix_of(12, noise), random);
      const ResultSet changed = packed(matrix_of(12, noise), random);
      for (std::size_t r = 0; r < rules.size(); ++r)
        tallies[r].add(base, compare_results(base, changed, rules[r].options), false);
    }
    for (std::size_t r = 0; r < rules.size(); ++r)
      fmt::print("| {:g} % | {} | {} of {}, {} | {} of {}, {} |\n", noise * 100, rules[r].name,
                 tallies[r].families_flagged, tallies[r].families,
                 share(tallies[r].families_flagged, tallies[r].families), tallies[r].comparisons_flagged,
                 tallies[r].comparisons, share(tallies[r].comparisons_flagged, tallies[r].comparisons));
  }
}

Tally injected(const Study& study, const Simulation& base, const Simulation& changed,
               const ComparisonOptions& options) {
  std::mt19937_64 random(study.seed + 1);
  Tally tally;
  for (unsigned i = 0; i < study.comparisons; ++i) {
    const ResultSet before = packed(base, random);
    const ResultSet after = packed(changed, random);
    tally.add(before, compare_results(before, after, options), true);
  }
  return tally;
}

void study_medians(const Study& study) {
  fmt::print(
      "\n## Slow-downs injected into the median\n\n{} comparisons a cell; every operation of one protocol of "
      "four "
      "(6 of 24 rows) takes longer. Share of those rows that are reported as slower (in brackets the false "
      "discovery "
      "rate, which is to stay below 5 %). A change of exactly the threshold is beyond it half of the "
      "time.\n\n| noise | repetitions | "
      "threshold | +5 % | +10 % | +20 % |\n| --- | ---: | ---: | ---: | ---: | ---: |\n",
      study.comparisons);
  for (const double noise : {0.01, 0.03, 0.06}) {
    for (const unsigned repetitions : {5U, 8U, 12U, 20U}) {
      for (const double threshold : {0.02, 0.05}) {
        fmt::print("| {:g} % | {} | {:g} % |", noise * 100, repetitions, threshold * 100);
        for (const double factor : {1.05, 1.10, 1.20}) {
          const Simulation base = matrix_of(repetitions, noise);
          Simulation slow = base;
          slow.slower = factor;
          ComparisonOptions options;
          options.threshold = threshold;
          const Tally tally = injected(study, base, slow, options);
          fmt::print(" {} ({}) |", share(tally.found, tally.injected),
                     fmt::format("{:.1f} %", 100 * tally.false_shares / static_cast<double>(tally.families)));
          std::fflush(stdout);
        }
        fmt::print("\n");
      }
    }
  }
}

void study_tails(const Study& study) {
  fmt::print(
      "\n## Slow-downs injected into the tail\n\n{} comparisons a cell, --metric=p99, threshold 5 %, noise 3 "
      "%; the "
      "slowest 2 % of one protocol's operations take longer. p99 of a repetition needs 1000 operations; "
      "where "
      "there are fewer, repetitions are merged, and fewer values are left.\n\n| operations a repetition | "
      "repetitions | noise | x1.1 | x1.25 | x1.5 | x2 |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: "
      "|\n",
      study.comparisons);
  for (const unsigned samples : {400U, 1200U}) {
    for (const unsigned repetitions : {12U, 24U}) {
      for (const double noise : {0.03, 0.1, 0.3}) {
        fmt::print("| {} | {} | {:g} % |", samples, repetitions, noise * 100);
        for (const double factor : {1.1, 1.25, 1.5, 2.0}) {
          Simulation base = matrix_of(repetitions, noise);
          base.samples = samples;
          Simulation slow = base;
          slow.slower_tail = factor;
          ComparisonOptions options;
          options.metrics = {Metric::p99};
          const Tally tally = injected(study, base, slow, options);
          fmt::print(" {} |", share(tally.found, tally.injected));
          std::fflush(stdout);
        }
        fmt::print("\n");
      }
    }
  }
}

/// `--name=N`; false if it is another word.
bool number_after(const char* word, const char* name, std::uint64_t& value) {
  const std::size_t length = std::strlen(name);
  if (std::strncmp(word, name, length) != 0) return false;
  const char* const end = word + std::strlen(word);
  const auto [stop, error] = std::from_chars(word + length, end, value);
  return error == std::errc() && stop == end && value > 0;
}

int study_all(int argc, char** argv) {
  std::uint64_t comparisons = 200;
  std::uint64_t seed = 1;
  for (int i = 1; i < argc; ++i) {
    if (number_after(argv[i], "--comparisons=", comparisons) && comparisons <= 1'000'000) continue;
    if (number_after(argv[i], "--seed=", seed)) continue;
    fmt::print(stderr, "compare_study: '{}': takes --comparisons=N and --seed=N\n", argv[i]);
    return 2;
  }
  const Study study{static_cast<unsigned>(comparisons), seed};
  study_false_alarms(study);
  study_medians(study);
  study_tails(study);
  return 0;
}

}  // namespace
}  // namespace daxrace

int main(int argc, char** argv) { return daxrace::study_all(argc, argv); }
