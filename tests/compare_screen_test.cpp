#include "bench/compare/compare_screen.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bench/compare/compare_text.hpp"
#include "bench/compare/conclusion.hpp"
#include "harness/base/types.hpp"
#include "tests/simulated_rows.hpp"

namespace daxrace {
namespace {

namespace fs = std::filesystem;
using Rows = std::vector<Row>;
using testing::HasSubstr;
using testing::Not;

/// What a comparison says before anybody asks for more.
class CompareScreenText : public testing::Test {
 protected:
  CompareScreenText() : random_(20180726) {
    directory_ = fs::temp_directory_path() / fmt::format("daxrace-screen-{}", getpid());
    fs::create_directories(directory_);
  }
  ~CompareScreenText() override { fs::remove_all(directory_); }

  std::string write(const std::string& name, const Rows& rows) const {
    std::ofstream file(directory_ / name, std::ios::binary | std::ios::trunc);
    file << csv_header() << '\n';
    for (const Row& row : rows) file << csv_line(row) << '\n';
    return directory_ / name;
  }

  void describe(const std::string& name, const nlohmann::json& run) const {
    std::ofstream(directory_ / name) << nlohmann::json{{"schema", 1}, {"runs", {run}}};
  }

  CompareOptions two(const Simulation& base, Simulation changed,
                     const std::function<void(Rows&)>& change = {}) {
    changed.run_id = "run-2";
    Rows rows = simulated_rows(changed, random_);
    if (change) change(rows);
    CompareOptions options;
    options.operands = {write("base.csv", simulated_rows(base, random_)), write("new.csv", rows)};
    return options;
  }

  static std::string screen(const CompareOptions& options) {
    return compare_screen(compare_files(options), options, {"daxrace", "compare"});
  }

  std::mt19937_64 random_;
  fs::path directory_;
};

Simulation few() {
  Simulation s;
  s.repetitions = 3;
  return s;
}

TEST_F(CompareScreenText, SaysThatNothingCouldBeDecidedAndWhichCommandMends) {
  CompareOptions options = two(few(), few());
  describe(
      "new.run.json",
      {{"run_id", "run-2"},
       {"command_line",
        {"daxrace", "run", "--out=new.csv", "--repetitions", "3", "--filter=^punch|^fault", "--force"}}});
  EXPECT_THAT(screen(options), HasSubstr("\nNothing could be decided: 3 repetitions, 5 needed:\n"
                                         "  daxrace run '--filter=^punch|^fault' --repetitions=5\n"));
  EXPECT_THAT(screen(options), Not(HasSubstr("no regression")));
  EXPECT_EQ(compare_exit(compare_files(options), false), Exit::ok);
  options.strict = true;
  EXPECT_THAT(screen(options), HasSubstr("\nNot decided (--strict). Nothing could be decided"));
  EXPECT_EQ(compare_exit(compare_files(options), true), Exit::broken);
}

/// A .run.json may come from anybody's machine: none of its bytes may move the cursor.
TEST_F(CompareScreenText, ShowsARecordedCommandWithoutItsControlCharacters) {
  const CompareOptions options = two(few(), few());
  describe("new.run.json",
           {{"run_id", "run-2"}, {"command_line", {"daxrace", "run", "--filter=a\x1b[2Jb", "--force"}}});
  EXPECT_THAT(screen(options), HasSubstr("\n  daxrace run '--filter=a\\x1b[2Jb' --repetitions=5\n"));
  EXPECT_THAT(screen(options), Not(HasSubstr("\x1b")));
}

TEST_F(CompareScreenText, WithoutARecordedCommandNamesThePresetForComparisons) {
  EXPECT_THAT(screen(two(few(), few())), HasSubstr("\n  daxrace run --preset=compare\n"));
  EXPECT_EQ(repeated_command({}, 14), "daxrace run --preset=compare --repetitions=14");
}

TEST_F(CompareScreenText, OfRowsThatCouldBeDecidedSaysHowMany) {
  const CompareOptions options = two({}, {}, [](Rows& rows) {
    std::erase_if(rows, [](const Row& row) { return row.protocol == "ext4" && *row.repetition > 2; });
  });
  EXPECT_THAT(conclusion_text(compare_files(options), options),
              HasSubstr("no regression in the 4 rows that could be decided; 2 undecided: 2 repetitions, "));
}

/// 180 rows slower, three broken and every environment different: one screen all the same.
TEST_F(CompareScreenText, IsOneScreenHoweverManyRowsChanged) {
  Simulation many;
  many.samples = 60;
  many.workloads.clear();
  for (int i = 0; i < 20; ++i) many.workloads.emplace_back(kPathNames[static_cast<std::size_t>(i)]);
  many.protocols = {"none", "mmaplock", "iolock", "iolock_mmaplock", "ext4", "lease_break", "range_lock"};
  CompareOptions options = two(many, many, [](Rows& rows) {
    std::size_t number = 0;
    for (Row& row : rows) {
      if (row.path == kAllPaths) continue;
      const double factor = 1.5 + static_cast<double>(number++ % 7) * 0.1;
      row.lat_p50_ns = static_cast<std::uint64_t>(static_cast<double>(*row.lat_p50_ns) * factor);
    }
  });
  const std::string text = screen(options);
  EXPECT_LE(std::ranges::count(text, '\n'), 40) << text;
  EXPECT_THAT(text, HasSubstr("\nWorse: 140 rows slower\n"));
  EXPECT_THAT(text, HasSubstr(fmt::format("  p50 {:<24}7      0         0    7   x1.", kPathNames[0])));
  EXPECT_THAT(text, HasSubstr("  and 10 more paths (--tables)\n"));
  std::istringstream lines(text);
  std::size_t changed = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("/daxrace-screen-") == std::string::npos) {
      EXPECT_LE(line.size(), 80U) << line;
    }
    if (line.starts_with("  slower x")) ++changed;
  }
  EXPECT_EQ(changed, 3U) << "those that changed most";
  EXPECT_THAT(text, HasSubstr("Every row, and what can be decided: --tables\n"));
  const std::string tables = compare_text(compare_files(options), options, {});
  EXPECT_GT(std::ranges::count(tables, '\n'), 400) << "the rest";
}

TEST_F(CompareScreenText, FailuresOfCorrectnessComeFirstAndWhole) {
  Simulation slow;
  slow.slower = 1.5;
  const CompareOptions options = two({}, slow, [](Rows& rows) {
    for (Row& row : rows)
      if (row.path == kAllPaths && row.protocol != "ext4") {
        row.status = "hang";
        row.reason = "punch waits for blk 10 of " + row.workload;
      }
  });
  const std::string text = screen(options);
  EXPECT_THAT(text, HasSubstr("\nWorse: 4 failures of correctness\n"));
  for (const char* what : {"blk 10 of punch", "blk 10 of fault"}) EXPECT_THAT(text, HasSubstr(what));
  EXPECT_LT(text.find("  hang "), text.find("  p50 punch"));
  EXPECT_LT(text.find("Worse:"), text.find("Correctness:"));
}

TEST_F(CompareScreenText, WhatDiffersInTheMachineIsOneLineUnlessItMatters) {
  const CompareOptions options = two({}, {});
  const auto run = [](const std::string& id, const std::string& governor, const std::string& spectre) {
    return nlohmann::json{{"run_id", id},
                          {"environment",
                           {{"governor", governor},
                            {"mitigations", {{"spectre_v2", spectre}, {"mds", "Not affected"}}},
                            {"kernel_parameters", "quiet " + spectre}}}};
  };
  describe("base.run.json", run("run-1", "powersave", std::string(300, 'a')));
  describe("new.run.json", run("run-2", "performance", std::string(300, 'b')));
  const std::string text = screen(options);
  EXPECT_THAT(text, HasSubstr("\ndiffer governor: powersave -> performance\n"));
  EXPECT_THAT(text, HasSubstr("\ndiffer kernel_parameters, mitigations (--tables shows how)\n"));
  EXPECT_THAT(text, Not(HasSubstr("aaaa")));
  EXPECT_THAT(compare_text(compare_files(options), options, {}), HasSubstr("aaaa"));
}

TEST_F(CompareScreenText, OfTwoProtocolsSaysWhichIsSlowerAndNotThatAnythingIsWorse) {
  Simulation slow;
  slow.slower = 1.5;
  CompareOptions options;
  options.operands = {write("one.csv", simulated_rows(slow, random_))};
  options.by = "protocol";
  options.by_values = {"lease_break", "ext4"};
  EXPECT_THAT(screen(options), HasSubstr("\next4 against lease_break: 2 of 2 rows slower, 0 faster\n"));
  EXPECT_THAT(screen(options), Not(HasSubstr("orse:")));
  EXPECT_EQ(compare_exit(compare_files(options), false), Exit::ok);
}

}  // namespace
}  // namespace daxrace
