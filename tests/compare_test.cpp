#include "bench/compare/compare.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bench/cli/cli.hpp"
#include "bench/compare/compare_formats.hpp"
#include "bench/compare/compare_screen.hpp"
#include "bench/compare/compare_text.hpp"
#include "bench/compare/conclusion.hpp"
#include "bench/compare/history.hpp"
#include "bench/compare/history_formats.hpp"
#include "bench/compare/history_text.hpp"
#include "harness/base/types.hpp"
#include "tests/sanitized.hpp"
#include "tests/simulated_rows.hpp"

namespace daxrace {
namespace {

namespace fs = std::filesystem;
using Rows = std::vector<Row>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::uint64_t test_seed() {
  const char* const given = std::getenv("DAXRACE_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20180726;
}

class Compare : public testing::Test {
 protected:
  Compare() : random_(test_seed()) {
    directory_ = fs::temp_directory_path() / fmt::format("daxrace-compare-{}", getpid());
    fs::create_directories(directory_);
  }
  ~Compare() override { fs::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ / name; }

  std::string write(const std::string& name, const Rows& rows) const {
    std::ofstream file(path(name), std::ios::binary | std::ios::trunc);
    file << csv_header() << '\n';
    for (const Row& row : rows) file << csv_line(row) << '\n';
    return path(name);
  }

  /// Two files of a simulation each, the second after `change`.
  CompareOptions two(const Simulation& base, const Simulation& changed,
                     const std::function<void(Rows&)>& change = {}) {
    Simulation second = changed;
    if (second.run_id == base.run_id) second.run_id = "run-2";
    Rows rows = simulated_rows(second, random_);
    if (change) change(rows);
    CompareOptions options;
    options.operands = {write("base.csv", simulated_rows(base, random_)), write("new.csv", rows)};
    return options;
  }

  CompareResult compared(const Simulation& base, const Simulation& changed,
                         const std::function<void(Rows&)>& change = {}) {
    return compare_files(two(base, changed, change));
  }

  std::mt19937_64 random_;
  fs::path directory_;
};
using PerfCompare = Compare;

template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Exit::usage);
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    return error.what();
  }
  return "no error";
}

std::size_t count(const CompareResult& result, Change change) {
  return static_cast<std::size_t>(std::ranges::count(result.report.rows, change, &ComparedRow::change));
}

std::vector<Outcome> outcomes(const CompareResult& result) {
  std::vector<Outcome> out;
  for (const OutcomeChange& one : result.report.outcomes) out.push_back(one.outcome);
  return out;
}

void for_protocol(Rows& rows, const std::string& protocol, const std::function<void(Row&)>& change) {
  for (Row& row : rows)
    if (row.protocol == protocol) change(row);
}

// ---- it must be right ----

TEST_F(Compare, FindsTheProtocolThatBecameSlowerAndNothingElse) {
  Simulation slow;
  slow.slower = 1.2;
  const CompareResult result = compared({}, slow);
  ASSERT_EQ(count(result, Change::slower), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const ComparedRow& row = result.report.rows[i];
    EXPECT_THAT(std::string(result.base.rows.configs()[row.config]), HasSubstr("ext4"));
    const Interval ratio = ratio_interval(row, 1);
    EXPECT_TRUE(ratio.contains(1.2)) << ratio.low << ' ' << ratio.high;
    EXPECT_FALSE(ratio.contains(1.0));
  }
  EXPECT_EQ(count(result, Change::faster), 0U);
  EXPECT_EQ(compare_exit(result, false), Exit::broken);
}

TEST_F(Compare, FasterIsNoFailure) {
  Simulation fast;
  fast.slower = 0.8;
  const CompareResult result = compared({}, fast);
  EXPECT_EQ(count(result, Change::faster), 2U);
  EXPECT_EQ(compare_exit(result, true), Exit::ok);
}

TEST_F(Compare, ChangesBelowTheThresholdAreNotReported) {
  Simulation slow;
  slow.slower = 1.1;
  CompareOptions options = two({}, slow);
  options.statistics.threshold = 0.25;
  const CompareResult result = compare_files(options);
  EXPECT_EQ(count(result, Change::slower), 0U);
  EXPECT_EQ(count(result, Change::small), 2U);
  EXPECT_EQ(compare_exit(result, true), Exit::ok);
}

/// A family flags something in at most 5 % of comparisons of a thing with itself, without any threshold.
TEST_F(Compare, FalseAlarmsKeepToTheStatedRate) {
  Simulation same;
  same.samples = 100;
  std::size_t alarmed = 0;
  const std::size_t trials = kSanitized ? 10 : 150;
  for (std::size_t i = 0; i < trials; ++i) {
    CompareOptions options = two(same, same);
    options.statistics.threshold = 0;
    const CompareResult result = compare_files(options);
    std::vector<bool> flagged(result.report.families.size());
    for (const ComparedRow& row : result.report.rows) {
      if (row.adjusted <= options.statistics.level) flagged[row.family] = true;
    }
    alarmed += static_cast<std::size_t>(std::ranges::count(flagged, true));
  }
  // 300 families at 5 %: 15 expected, and more than 28 in one of a thousand; of 20, 1 and 5.
  EXPECT_LE(alarmed, kSanitized ? 5U : 28U) << "seed " << test_seed();
}

TEST_F(Compare, TooFewRepetitionsAreUndecidedAndSayHowManyAreNeeded) {
  Simulation slow;
  slow.slower = 1.5;
  slow.repetitions = 3;
  Simulation base;
  base.repetitions = 3;
  const CompareResult result = compared(base, slow);
  EXPECT_EQ(count(result, Change::undecided), 6U);
  ASSERT_EQ(result.report.families.size(), 2U);
  EXPECT_EQ(result.report.families[0].fewest, 3U);
  EXPECT_EQ(result.report.families[0].needed, 5U);  // 5 % over 3 rows: 0.0079 is below it, 0.029 is not
  EXPECT_EQ(compare_exit(result, false), Exit::ok);
  EXPECT_EQ(compare_exit(result, true), Exit::broken);
}

TEST_F(Compare, SparseQuantilesAreMergedFromSeveralRepetitionsOnBothSides) {
  Simulation base;
  base.samples = 400;  // a p99 needs 1000
  Simulation slow = base;
  slow.slower = 3;
  CompareOptions options = two(base, slow);
  options.statistics.metrics = {Metric::p99};
  const CompareResult result = compare_files(options);
  ASSERT_EQ(result.report.rows.size(), 6U);
  EXPECT_EQ(result.report.rows[0].merged_repetitions, 3U);
  EXPECT_EQ(result.report.rows[0].base.size(), 4U);
  EXPECT_EQ(result.report.rows[0].changed.size(), 4U);
  EXPECT_NEAR(result.report.rows[0].ratio, 3, 0.5);
}

TEST_F(Compare, LessThroughputIsWorse) {
  CompareOptions options = two({}, {}, [](Rows& rows) {
    for_protocol(rows, "ext4", [](Row& row) {
      if (row.ops_per_s) row.ops_per_s = *row.ops_per_s * 0.7;
    });
  });
  options.statistics.metrics = {Metric::throughput};
  const CompareResult result = compare_files(options);
  EXPECT_EQ(count(result, Change::slower), 2U);
  EXPECT_NEAR(result.report.rows[0].ratio, 0.7, 0.03);
}

TEST_F(Compare, WithRunsAsUnitsADriftBetweenRunsIsNoChange) {
  Rows base;
  Rows changed;
  for (int i = 0; i < 8; ++i) {
    Simulation s;
    s.samples = 100;
    s.run_noise = 0.15;
    s.repetition_noise = 0.005;
    s.run_id = fmt::format("run-{}", i);
    const Rows rows = simulated_rows(s, random_);
    Rows& side = i % 2 == 0 ? base : changed;
    side.insert(side.end(), rows.begin(), rows.end());
  }
  CompareOptions options;
  options.operands = {write("base.csv", base), write("new.csv", changed)};
  options.statistics.unit = Unit::run;
  const CompareResult result = compare_files(options);
  ASSERT_EQ(result.report.rows.size(), 6U);
  EXPECT_EQ(result.report.rows[0].base.size(), 4U);
  EXPECT_EQ(count(result, Change::slower) + count(result, Change::faster), 0U);
}

// ---- correctness outranks speed ----

TEST_F(Compare, HangThatIsAFindingIsNoFailureAsInARun) {
  const CompareResult result = compared({}, {}, [&](Rows& rows) {
    rows.back().verdict = "finding";
    rows.back().status = "hang";
  });
  EXPECT_FALSE(result.report.any_failure());
  EXPECT_EQ(compare_exit(result, false), Exit::ok);
}

TEST_F(Compare, BrokenHangAndErrorFailAndComeFirst) {
  struct Ending {
    const char* verdict;
    const char* status;
    Outcome outcome;
  };
  for (const Ending& ending :
       {Ending{"broken", "ok", Outcome::broken}, Ending{"kept", "hang", Outcome::hang},
        Ending{"none", "error", Outcome::error}, Ending{"kept", "starved", Outcome::starved}}) {
    const CompareResult result = compared({}, {}, [&](Rows& rows) {
      Row& all = rows.back();
      all.verdict = ending.verdict;
      all.status = ending.status;
      all.reason = "because";
    });
    EXPECT_THAT(outcomes(result), ElementsAre(ending.outcome));
    EXPECT_THAT(result.report.outcomes[0].text, HasSubstr("1 of 12 runs, 0 in the base"));
    EXPECT_EQ(compare_exit(result, false), Exit::broken);
  }
}

TEST_F(Compare, VanishedConfigurationFails) {
  const CompareResult result = compared({}, {}, [](Rows& rows) {
    std::erase_if(rows, [](const Row& row) { return row.protocol == "ext4" && row.workload == "fault"; });
  });
  EXPECT_THAT(outcomes(result), ElementsAre(Outcome::vanished));
  EXPECT_EQ(compare_exit(result, false), Exit::broken);
}

TEST_F(Compare, NewlySkippedConfigurationFailsWithItsReason) {
  const CompareResult result = compared({}, {}, [](Rows& rows) {
    Row skipped = rows.front();
    std::erase_if(rows, [](const Row& row) { return row.protocol == "ext4" && row.workload == "punch"; });
    skipped.path = kAllPaths;
    skipped.repetition = 0;
    skipped.status = "skipped";
    skipped.verdict = "none";
    skipped.reason = "no peer";
    skipped.granularity = "";  // nothing was opened
    rows.push_back(skipped);
  });
  EXPECT_THAT(outcomes(result), ElementsAre(Outcome::skipped));
  EXPECT_THAT(result.report.outcomes[0].text, HasSubstr("no peer"));
  EXPECT_EQ(compare_exit(result, false), Exit::broken);
}

TEST_F(Compare, ExpectedAndUnseenAreInformation) {
  CompareOptions options = two({}, {}, [](Rows& rows) {
    for_protocol(rows, "ext4", [](Row& row) {
      if (row.path == kAllPaths) row.verdict = row.repetition == 3 ? "expected" : "unseen";
    });
  });
  const CompareResult result = compare_files(options);
  EXPECT_THAT(outcomes(result), ElementsAre(Outcome::verdict, Outcome::verdict));
  EXPECT_THAT(result.report.outcomes[0].text, HasSubstr("kept 12 -> expected 1, unseen 11"));
  EXPECT_EQ(compare_exit(result, false), Exit::ok);
}

TEST_F(Compare, NewConfigurationIsInformation) {
  Simulation more;
  more.protocols.emplace_back("range_lock");
  const CompareResult result = compared({}, more);
  EXPECT_THAT(outcomes(result), ElementsAre(Outcome::appeared, Outcome::appeared));
  EXPECT_EQ(compare_exit(result, false), Exit::ok);
}

TEST_F(Compare, EpisodesThatDoNotCountAreLeftOutAsInTheTableOfARun) {
  const auto left_out = [&](const std::function<void(Row&)>& change) {
    CompareOptions options = two({}, {}, [&](Rows& rows) { for_protocol(rows, "ext4", change); });
    options.allow_different = {"emulated"};
    const CompareResult result = compare_files(options);
    EXPECT_EQ(result.report.rows.size(), 4U);
    return result.report.left_out.begin()->first;
  };
  EXPECT_EQ(left_out([](Row& row) { row.served_share = 0.8; }), "saturated");
  EXPECT_EQ(left_out([](Row& row) { row.overcommitted = true; }), "overcommitted");
  EXPECT_EQ(left_out([](Row& row) { row.emulated = "tcg"; }), "emulated CPU (tcg)");
}

TEST_F(Compare, EpisodesWithoutTheirLastRowAreLeftOut) {
  const CompareResult result = compared({}, {}, [](Rows& rows) { rows.pop_back(); });
  EXPECT_EQ(result.report.left_out.at("unfinished"), 1U);
}

// ---- sides ----

TEST_F(Compare, TakesFilesDirectoriesAndPatterns) {
  Simulation s;
  s.samples = 50;
  fs::create_directories(path("base"));
  fs::create_directories(path("new"));
  for (int i = 0; i < 3; ++i) {
    s.run_id = fmt::format("base-{}", i);
    write(fmt::format("base/{}.csv", i), simulated_rows(s, random_));
    s.run_id = fmt::format("new-{}", i);
    write(fmt::format("new/{}.csv", i), simulated_rows(s, random_));
  }
  CompareOptions directories;
  directories.operands = {path("base"), path("new")};
  EXPECT_EQ(compare_files(directories).report.rows[0].base.size(), 36U);
  CompareOptions patterns;
  patterns.base = {path("base/[01].csv")};
  patterns.changed = {path("new/0.csv"), path("new/2.csv")};
  EXPECT_EQ(compare_files(patterns).report.rows[0].base.size(), 24U);
  patterns.changed = {path("none/*.csv")};
  EXPECT_THAT(error_of([&] { compare_files(patterns); }), HasSubstr("no such file"));
  patterns.changed.clear();
  EXPECT_THAT(error_of([&] { compare_files(patterns); }), HasSubstr("both --base and --new"));
}

TEST_F(Compare, ByAColumnWithinOneFile) {
  Simulation slow;
  slow.slower = 1.3;
  CompareOptions options;
  options.operands = {write("one.csv", simulated_rows(slow, random_))};
  options.by = "protocol";
  options.by_values = {"lease_break", "ext4"};
  const CompareResult result = compare_files(options);
  EXPECT_EQ(result.report.rows.size(), 2U);
  EXPECT_EQ(count(result, Change::slower), 2U);
  EXPECT_EQ(compare_exit(result, true), Exit::ok) << "two kinds of things: none of them is a regression";
  EXPECT_EQ(conclusion_text(result, options), "ext4 against lease_break: 2 of 2 rows slower, 0 faster");
  options.by_values = {"lease_break", "nosuch"};
  EXPECT_THAT(error_of([&] { compare_files(options); }),
              HasSubstr("there are: ext4, iolock_mmaplock, lease_break"));
  options.by_values.clear();
  EXPECT_THAT(error_of([&] { compare_files(options); }), HasSubstr("hold 3 values"));
}

TEST_F(Compare, ByAColumnOfWhichTheFileHoldsTwoValues) {
  Simulation two_protocols;
  two_protocols.protocols = {"none", "ext4"};
  CompareOptions options;
  options.operands = {write("one.csv", simulated_rows(two_protocols, random_))};
  options.by = "protocol";
  const CompareResult result = compare_files(options);
  EXPECT_EQ(result.base.name, "ext4");
  EXPECT_EQ(result.changed.name, "none");
}

TEST_F(Compare, MixedProtocolsOnOneSideAreRefused) {
  CompareOptions options = two({}, {});
  options.by = "protocol";
  EXPECT_THAT(error_of([&] { compare_files(options); }), HasSubstr("name one for each side"));
}

TEST_F(Compare, OtherMachineOrKernelIsRefusedUnlessNamed) {
  CompareOptions options = two({}, {}, [](Rows& rows) {
    for (Row& row : rows) row.host = "other", row.kernel = "6.19.0";
  });
  EXPECT_THAT(error_of([&] { compare_files(options); }),
              HasSubstr("kernel differs: 6.18.0 in the base, 6.19.0"));
  options.allow_different = {"kernel"};
  EXPECT_THAT(error_of([&] { compare_files(options); }), HasSubstr("machine differs"));
  options.allow_different = {"kernel", "machine"};
  EXPECT_EQ(compare_files(options).differences.size(), 2U);
}

TEST_F(Compare, PatchedAgainstUnpatchedKernelNeedsNoOption) {
  const auto of_kernel = [](const std::string& kernel) {
    return [kernel](Rows& rows) {
      for (Row& row : rows) row.target = "kernel", row.kernel = kernel;
    };
  };
  CompareOptions options = two({}, {}, of_kernel("6.18.0-patched"));
  Rows base = simulated_rows({}, random_);
  of_kernel("6.18.0")(base);
  options.operands[0] = write("base.csv", base);
  EXPECT_EQ(compare_files(options).by, "kernel");
}

TEST_F(Compare, LockdepAgainstNoneIsRefused) {
  const CompareOptions options = two({}, {});
  const auto report = [&](const std::string& name, const std::string& run, const std::string& debug) {
    const nlohmann::json json = {
        {"schema", 1},
        {"runs",
         {{{"run_id", run}, {"environment", {{"kernel_debug", debug}, {"governor", "performance"}}}}}}};
    std::ofstream(path(name)) << json;
  };
  report("base.run.json", "run-1", "none");
  report("new.run.json", "run-2", "LOCKDEP");
  EXPECT_THAT(error_of([&] { compare_files(options); }),
              HasSubstr("kernel_debug differs: none in the base, LOCKDEP"));
  report("new.run.json", "run-2", "unknown");
  EXPECT_EQ(compare_files(options).differences.size(), 1U);
  std::ofstream(path("new.run.json")) << "{ half a re";
  EXPECT_NO_THROW(compare_files(options));
}

TEST_F(Compare, RowsThatAreThereTwiceAreRefused) {
  CompareOptions options = two({}, {}, [](Rows& rows) { rows.push_back(rows.front()); });
  EXPECT_THAT(
      error_of([&] { compare_files(options); }),
      HasSubstr("new.csv:146: the same run, configuration and repetition as " + path("new.csv") + ":2"));
  options = two({}, {});
  options.base = {options.operands[0], options.operands[0]};
  options.changed = {options.operands[1]};
  options.operands.clear();
  EXPECT_EQ(error_of([&] { compare_files(options); }), path("base.csv") + ": is given twice");
}

/// Nothing that was measured once counts as two samples, whatever the verb and the name.
TEST_F(Compare, AFileOnBothSidesOrACopyOfItIsRefusedByName) {
  CompareOptions options = two({}, {});
  const std::string file = options.operands[0];
  options.operands = {file, file};
  EXPECT_EQ(error_of([&] { compare_files(options); }), file + ": is given on both sides");
  fs::create_symlink(file, path("link.csv"));
  options.operands = {file, path("link.csv")};
  EXPECT_EQ(error_of([&] { compare_files(options); }), path("link.csv") + ": is given on both sides");
  fs::copy_file(file, path("copy.csv"));
  options.operands = {file, path("copy.csv")};
  EXPECT_THAT(error_of([&] { compare_files(options); }),
              HasSubstr("copy.csv:3: the same run, configuration and repetition as " + file + ":3"));
  HistoryOptions history;
  history.operands = {file, path("link.csv")};
  EXPECT_THAT(error_of([&] { history_of(history); }), HasSubstr("is given twice, also as"));
  history.operands = {file, path("copy.csv")};
  EXPECT_THAT(error_of([&] { history_of(history); }),
              HasSubstr("the same run, configuration and repetition"));
}

/// Two protocols of one run have the same run, repetition and, without the protocol, configuration.
TEST_F(Compare, HalvesOfOneRunThatDifferInTheColumnAskedForAreCompared) {
  CompareOptions options;
  for (const char* protocol : {"ext4", "lease_break"}) {
    Simulation one;
    one.protocols = {protocol};
    options.operands.push_back(write(fmt::format("{}.csv", protocol), simulated_rows(one, random_)));
  }
  options.by = "protocol";
  EXPECT_EQ(compare_files(options).report.rows.size(), 2U);
}

TEST_F(Compare, DamagedHistogramNamesItsRow) {
  CompareOptions options = two({}, {}, [](Rows& rows) { rows.front().lat_hist = "!!!!"; });
  options.statistics.unit = Unit::run;
  EXPECT_THAT(error_of([&] { compare_files(options); }), HasSubstr("new.csv:2: lat_hist is not a histogram"));
}

TEST_F(Compare, FilesWithoutTheLaterColumnsAreCompared) {
  const CompareOptions options = two({}, {});
  std::ifstream file(options.operands[0]);
  std::ostringstream older;
  for (std::string line; std::getline(file, line);) older << line.substr(0, line.rfind(',')) << '\n';
  file.close();
  std::ofstream(options.operands[0]) << older.str();
  const CompareResult result = compare_files(options);
  EXPECT_EQ(result.report.rows.size(), 6U);
}

// ---- what is printed ----

/// A file name cannot be broken, and may be longer.
void check_width(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("/daxrace-compare-") == std::string::npos) {
      EXPECT_LE(line.size(), 72U) << line;
    }
    for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
  }
}

TEST_F(Compare, MailFitsInto72Columns) {
  Simulation slow;
  slow.slower = 1.4;
  CompareOptions options = two({}, slow, [](Rows& rows) {
    rows.back().status = "hang";
    rows.back().reason =
        "punch for 4000 ms, waits for blk 10 to become idle: refcount 1, mapcount 1, and so on";
  });
  options.mail = true;
  options.statistics.metrics = {Metric::p50, Metric::p99, Metric::throughput};
  options.statistics.level = 1e-9;  // so that everything is undecided, and says so
  EXPECT_THAT(compare_text(compare_files(options), options, {}), HasSubstr("18         3"));
  check_width(compare_text(compare_files(options), options, {"daxrace", "compare"}));
  options.statistics.level = 0.05;
  const CompareResult result = compare_files(options);
  std::istringstream lines(
      compare_text(result, options, {"daxrace", "compare", "base.csv", "new.csv", "--mail"}));
  std::size_t hang = 0;
  std::size_t slower = 0;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line); ++number) {
    if (line.find("  hang ") == 0) hang = number;
    if (line.find("  slower ") == 0 && slower == 0) slower = number;
  }
  EXPECT_GT(hang, 0U);
  EXPECT_GT(slower, hang);
}

TEST_F(Compare, CsvAndJsonHoldEveryRow) {
  Simulation slow;
  slow.slower = 1.4;
  const CompareOptions options = two({}, slow);
  const CompareResult result = compare_files(options);
  const auto json = nlohmann::json::parse(compare_json(result, options));
  ASSERT_EQ(json["rows"].size(), 6U);
  EXPECT_EQ(json["rows"][0]["change"], "slower");
  EXPECT_EQ(json["rows"][0]["key"]["protocol"], "ext4");
  EXPECT_NEAR(
      json["rows"][0]["new_merged_ns"].get<double>() / json["rows"][0]["base_merged_ns"].get<double>(), 1.4,
      0.1);
  std::istringstream lines(compare_csv(result, options));
  std::string line;
  std::getline(lines, line);
  const auto commas = std::ranges::count(line, ',');
  std::size_t rows = 0;
  for (; std::getline(lines, line); ++rows) EXPECT_EQ(std::ranges::count(line, ','), commas) << line;
  EXPECT_EQ(rows, 6U);
  EXPECT_THAT(compare_markdown(result, options), HasSubstr("| slower | p50 punch | punch/ext4 |"));
}

/// Result files are mailed between people: what somebody else wrote neither marks up nor moves a cursor, in
/// no format.
TEST_F(Compare, WhatAFileHoldsIsTextInMarkdownAndJson) {
  const CompareOptions options = two({}, {}, [](Rows& rows) {
    for (Row& row : rows) row.git_commit = "\x1b[31m<script>|\xc2\x9b";
  });
  const CompareResult result = compare_files(options);
  const std::string markdown = compare_markdown(result, options);
  EXPECT_THAT(markdown, HasSubstr("(commit \\x1b[31m\\<script>\\|\\x9b)"));
  const std::string json = compare_json(result, options);
  EXPECT_THAT(json, HasSubstr("\\\\x1b[31m<script>|\\\\x9b"));
  EXPECT_EQ(json.find_first_of("\x1b\x9b"), std::string::npos);
}

TEST_F(Compare, CommandLineRefusesWhatItDoesNotKnow) {
  const CompareOptions options = two({}, {});
  const auto command = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"compare", options.operands[0], options.operands[1]};
    words.insert(words.end(), more.begin(), more.end());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = command_line(words);
    testing::internal::GetCapturedStdout();
    const std::string errors = testing::internal::GetCapturedStderr();
    EXPECT_LE(std::ranges::count(errors, '\n'), 1) << errors;
    return code;
  };
  EXPECT_EQ(command({}), 0);
  EXPECT_EQ(command({"--threshold=2.5%", "--level=1", "--correction=holm", "--family=metric"}), 0);
  EXPECT_EQ(command({"--treshold=2"}), 2);
  EXPECT_EQ(command({"--by=colour"}), 2);
  EXPECT_EQ(command({"--by=protocol:none"}), 2);
  EXPECT_EQ(command({"--metric=p42"}), 2);
  EXPECT_EQ(command({"--level=0"}), 2);
  EXPECT_EQ(command({"--allow-different=everything"}), 2);
  EXPECT_EQ(command({"third.csv"}), 2);
}

// ---- over time ----

class History : public Compare {
 protected:
  /// One file a run, written in an order that is not theirs; from run `slow_from` on ext4 is slower.
  HistoryOptions runs(unsigned count, unsigned slow_from, const std::string& fs = "") {
    for (unsigned i = 0; i < count; ++i) {
      Simulation s;
      s.samples = 100;
      s.repetitions = 3;
      s.slower = i < slow_from ? 1 : 1.25;
      s.run_id = fmt::format("run-{:02}", i);
      s.commit = fmt::format("{:012x}", i);
      Rows rows = simulated_rows(s, random_);
      for (Row& row : rows) {
        row.time_utc = fmt::format("2026-11-{:02}T00:00:00Z", i + 1);
        if (row.protocol == "ext4") row.fs = fs;
      }
      write(fmt::format("{:02}.csv", (i * 7) % count), rows);
    }
    HistoryOptions options;
    options.operands = {directory_};
    return options;
  }
};

TEST_F(History, MarksTheRunFromWhichOnItIsSlower) {
  const HistoryOptions options = runs(20, 11);
  const HistoryResult result = history_of(options);
  ASSERT_EQ(result.series.size(), 6U);
  for (const HistorySeries& series : result.series) {
    const bool slow = result.rows.configs()[series.config].find("ext4") != std::string_view::npos;
    ASSERT_EQ(series.points.size(), slow ? 1U : 0U);
    if (!slow) continue;
    EXPECT_EQ(series.points[0].at, 11U);
    EXPECT_NEAR(series.points[0].after / series.points[0].before, 1.25, 0.06);
  }
  for (const std::string& text : {history_tables(result, options), history_screen(result, options)}) {
    EXPECT_THAT(text, HasSubstr("2026-11-12T00:00:00Z  slower"));
    EXPECT_THAT(text, HasSubstr("commit 00000000000a -> 00000000000b"));
  }
}

TEST_F(History, WhatAFileHoldsIsTextInMarkdown) {
  const HistoryOptions options = runs(20, 11, "\x1b[31m<script>|");
  EXPECT_THAT(history_markdown(history_of(options), options),
              HasSubstr("fs=\\x1b[31m\\<script>\\| | 2026-11-12"));
}

TEST_F(History, TooFewRunsAreUndecidedAndSayHowManyAreNeeded) {
  const HistoryOptions options = runs(5, 3);
  const HistoryResult result = history_of(options);
  for (const HistorySeries& series : result.series) EXPECT_TRUE(series.undecided());
  for (const std::string& text : {history_tables(result, options), history_screen(result, options)})
    EXPECT_THAT(text, HasSubstr("Nothing could be decided: 5 runs, 10 needed: 5 more of:"));
}

TEST_F(History, OtherMachinesAreRefused) {
  HistoryOptions options = runs(4, 2);
  Simulation s;
  s.run_id = "elsewhere";
  Rows rows = simulated_rows(s, random_);
  for (Row& row : rows) row.host = "other";
  write("other.csv", rows);
  EXPECT_THAT(error_of([&] { history_of(options); }), HasSubstr("different machines"));
  options.allow_other_machines = true;
  EXPECT_NO_THROW(history_of(options));
}

TEST_F(History, BrokenPromiseInTheLatestRunFails) {
  runs(3, 3);
  Simulation s;
  s.run_id = "run-99";
  Rows rows = simulated_rows(s, random_);
  for (Row& row : rows) row.time_utc = "2026-12-01T00:00:00Z";
  rows.back().verdict = "broken";
  write("last.csv", rows);
  for (const char* const format : {"text", "csv", "json", "markdown"}) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(command_line({"history", directory_, std::string("--format=") + format}), 1);
    EXPECT_FALSE(testing::internal::GetCapturedStdout().empty());
  }
  EXPECT_THAT(error_of([&] { history_of({}); }), HasSubstr("name a directory"));
}

/// Linear in the rows, and nothing that is quadratic: a bounded form of scripts/compare-speed.sh.
TEST_F(PerfCompare, ManyRowsTakeLittleTimeEach) {
  Simulation many;
  many.repetitions = 5;
  many.workloads.clear();
  for (int i = 0; i < 2000; ++i) many.workloads.push_back(fmt::format("w{}", i));
  const auto seconds = [&] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  Simulation second = many;
  second.run_id = "run-2";
  std::vector<std::string> files;
  for (const Simulation& s : {many, second}) {
    Rows rows;
    for (unsigned repetition = 1; repetition <= s.repetitions; ++repetition) {
      for (const std::string& workload : s.workloads) {
        for (const std::string& protocol : s.protocols) {
          Row row = simulated_row(s);
          row.workload = workload;
          row.protocol = protocol;
          row.repetition = repetition;
          row.path = "punch";
          row.lat_p50_ns = 2000 + random_() % 200;
          Row all = row;
          all.path = kAllPaths;
          all.lat_p50_ns.reset();
          all.status = "ok";
          all.verdict = "kept";
          rows.push_back(row);
          rows.push_back(all);
        }
      }
    }
    files.push_back(write(s.run_id + ".csv", rows));
  }
  CompareOptions options;
  options.operands = files;
  const double start = seconds();
  const CompareResult result = compare_files(options);
  EXPECT_EQ(result.report.rows.size(), 6000U);
  const double taken = seconds() - start;
  if (!kSanitized) {
    EXPECT_LT(taken, 6) << "CPU seconds for 120 000 rows";
  }
}

}  // namespace
}  // namespace daxrace
