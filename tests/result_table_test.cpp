#include "harness/results/result_table.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.hpp"
#include "harness/results/exclusion.hpp"
#include "harness/results/histogram.hpp"
#include "harness/results/result_summary.hpp"
#include "tests/episode_row.hpp"

namespace daxrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kBlocks = 9;
constexpr int kOpsPerBlock = 400;

TableOptions plain() {
  TableOptions options;
  options.uncontended = [](std::string_view workload) { return workload != "mixed"; };
  options.protocol_order = {"none", "mmaplock", "iolock_mmaplock"};
  options.workload_order = {"mixed", "punch"};
  return options;
}

/// A path whose latencies spread by 20 % around `centre_ns`; `lock_ns` of each were spent waiting for a lock.
Row path_row(Row row, const std::string& path, double centre_ns, double lock_ns, std::mt19937_64& random) {
  std::uniform_real_distribution<double> spread(0.9, 1.1);
  Histogram latencies;
  for (int i = 0; i < kOpsPerBlock; ++i)
    latencies.record(static_cast<std::uint64_t>(centre_ns * spread(random)));
  row.path = path;
  row.promises = row.verdict = row.status = row.reason = "";
  row.ops = latencies.count();
  row.lat_p50_ns = latencies.quantile(0.5);
  row.lat_hist = latencies.encode();
  row.resp_p99_ns = 22'000;
  row.resp_hist.clear();
  row.lock_wait_sum_ns = static_cast<std::uint64_t>(lock_ns * kOpsPerBlock);
  return row;
}

/// Nine blocks of `workload` in which every protocol sees the same drift, far above what the protocols add.
std::vector<Row> drifting_run(const std::string& workload,
                              const std::vector<std::pair<std::string, double>>& added) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> drift(2000, 4000);
  std::vector<Row> rows;
  for (std::uint64_t block = 1; block <= kBlocks; ++block) {
    const double centre = drift(random);
    for (const auto& [protocol, added_ns] : added) {
      const Row all = episode_row(workload, protocol, block);
      rows.push_back(path_row(all, "punch", centre + added_ns, added_ns, random));
      rows.push_back(all);
    }
  }
  return rows;
}

std::vector<Row> usual_run() { return drifting_run("mixed", {{"none", 0}, {"iolock_mmaplock", 500}}); }

void set_all(std::vector<Row>& rows, const std::string& protocol, const auto& change) {
  for (Row& row : rows) {
    if (row.protocol == protocol) change(row);
  }
}

const CostLine& line_of(const ResultSummary& summary, const std::string& protocol) {
  const auto& lines = summary.scenarios.at(0).paths.at(0).lines;
  return *std::ranges::find(lines, protocol, &CostLine::protocol);
}

TEST(ResultSummary, AddedTimeIsPairedByBlockSoThatDriftDoesNotHideIt) {
  const auto rows = drifting_run("punch", {{"none", 0}, {"mmaplock", 60}, {"iolock_mmaplock", 500}});
  const ResultSummary summary = summarize_results(rows, plain());
  const CostLine& small = line_of(summary, "mmaplock");
  ASSERT_TRUE(small.added_ns && small.added_ns->bounded());
  EXPECT_EQ(small.blocks, kBlocks);
  EXPECT_TRUE(small.added_ns->contains(60)) << small.added_ns->low << " " << small.added_ns->high;
  EXPECT_GT(small.added_ns->low, 0);
  EXPECT_LT(small.added_ns->high, 150);
  EXPECT_NEAR(line_of(summary, "iolock_mmaplock").added_ns->mid, 500, 60);
  EXPECT_NEAR(line_of(summary, "iolock_mmaplock").ratio->mid, 1.16, 0.06);
}

TEST(ResultSummary, OrderOfTheRowsDoesNotMatter) {
  auto rows = usual_run();
  const std::string before = format_results(rows, plain());
  std::mt19937_64 random(3);
  std::shuffle(rows.begin(), rows.end(), random);
  EXPECT_EQ(format_results(rows, plain()), before);
}

TEST(ResultSummary, BlocksOfDifferentRunsAreNotPaired) {
  auto rows = usual_run();
  set_all(rows, "none", [](Row& row) { row.run_id = "another"; });
  EXPECT_FALSE(line_of(summarize_results(rows, plain()), "none").added_ns.has_value());
}

TEST(ResultSummary, ReferenceIsNoneOnlyWhereEveryProtocolDoesTheSameWork) {
  EXPECT_EQ(summarize_results(usual_run(), plain()).scenarios[0].reference, "iolock_mmaplock");
  const auto rows = drifting_run("punch", {{"none", 0}, {"iolock_mmaplock", 500}});
  EXPECT_EQ(summarize_results(rows, plain()).scenarios[0].reference, "none");
}

TEST(ResultSummary, WithoutTheReferenceNothingIsAdded) {
  const auto summary = summarize_results(drifting_run("mixed", {{"none", 0}, {"mmaplock", 9}}), plain());
  EXPECT_FALSE(summary.scenarios[0].has_reference);
  EXPECT_FALSE(line_of(summary, "none").added_ns.has_value());
  EXPECT_TRUE(line_of(summary, "none").p50_ns.has_value());
}

TEST(ResultSummary, PartsOfTheMeanAddUp) {
  const ResultSummary summary = summarize_results(usual_run(), plain());
  const MeanParts& where = *line_of(summary, "none").where;
  EXPECT_NEAR(where.phases[0], -500, 1);  // lock wait
  EXPECT_NEAR(where.total, -500, 40);
  EXPECT_DOUBLE_EQ(where.rest(), where.total - where.phases[0]);
  const MeanParts& reference = *line_of(summary, "iolock_mmaplock").where;
  EXPECT_NEAR(reference.phases[0], 500, 1);
  EXPECT_GT(reference.total, 2000);
}

/// What is added is taken block by block; a median of all operations merged may say the opposite beside it.
TEST(ResultSummary, MedianIsOfTheBlocksThatTheDifferenceIsTakenOver) {
  auto rows = usual_run();
  std::vector<double> medians;
  for (const Row& row : rows)
    if (row.protocol == "none" && row.path == "punch")
      medians.push_back(static_cast<double>(*row.lat_p50_ns));
  const ResultSummary summary = summarize_results(rows, plain());
  EXPECT_EQ(line_of(summary, "none").p50_ns, static_cast<std::uint64_t>(median(medians)));
  EXPECT_EQ(line_of(summary, "none").ops, kBlocks * kOpsPerBlock);
}

/// Ten of a thousand lie beyond p99: no repetition of 400 has it, all together do.
TEST(ResultSummary, ResponseTimesOfTheRepetitionsAreMerged) {
  auto rows = usual_run();
  Histogram merged;
  set_all(rows, "none", [&](Row& row) {
    if (row.path != "punch") return;
    row.resp_p99_ns.reset();
    row.resp_hist = row.lat_hist;
    merged.merge(Histogram::decode(row.lat_hist));
  });
  ResultSummary summary = summarize_results(rows, plain());
  EXPECT_EQ(line_of(summary, "none").response_p99_ns, static_cast<double>(*merged.quantile(0.99)));
  EXPECT_EQ(line_of(summary, "iolock_mmaplock").response_p99_ns, 22'000) << "an older file: their median";
  set_all(rows, "none", [](Row& row) {
    if (row.repetition > 2) row.resp_hist.clear();
  });
  EXPECT_FALSE(line_of(summarize_results(rows, plain()), "none").response_p99_ns) << "800 operations";
}

TEST(ResultSummary, FewerThanFiveBlocksGiveNoInterval) {
  auto rows = usual_run();
  std::erase_if(rows, [](const Row& row) { return row.repetition > 4; });
  EXPECT_FALSE(line_of(summarize_results(rows, plain()), "none").added_ns->bounded());
  EXPECT_THAT(format_results(rows, plain()), HasSubstr("(4 of 5 blocks)"));
}

struct Exclusion {
  std::string name;
  void (*change)(Row&);
  std::string why;
};

class LeftOut : public testing::TestWithParam<Exclusion> {};

TEST_P(LeftOut, OfTheCostTableAndCounted) {
  auto rows = usual_run();
  set_all(rows, "none", [](Row& row) {
    if (row.path == kAllPaths) GetParam().change(row);
  });
  ResultSummary summary = summarize_results(rows, plain());
  EXPECT_EQ(summary.left_out, (std::map<std::string, std::size_t>{{GetParam().why, kBlocks}}));
  for (const Scenario& scenario : summary.scenarios) {
    for (const PathCost& cost : scenario.paths) {
      for (const CostLine& line : cost.lines) EXPECT_EQ(line.protocol, "iolock_mmaplock");
    }
  }
  EXPECT_THAT(format_results(rows, plain()), HasSubstr("left out of the cost tables: 9 " + GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    Reasons, LeftOut,
    testing::Values(Exclusion{"Saturated", [](Row& r) { r.served_share = 0.989; }, "saturated"},
                    Exclusion{"Overcommitted", [](Row& r) { r.overcommitted = true; }, "overcommitted"},
                    Exclusion{"Hang", [](Row& r) { r.status = "hang"; }, "status hang"},
                    Exclusion{"Starved", [](Row& r) { r.status = "starved"; }, "status starved"},
                    Exclusion{"Throttled", [](Row& r) { r.remark = "a; throttled by a CPU quota 4 times"; },
                              "throttled by a CPU quota"},
                    Exclusion{"StoodStill", [](Row& r) { r.remark = "stood still for 1.5s"; },
                              "stood still for"},
                    Exclusion{"Emulated", [](Row& r) { r.emulated = "tcg+memmap"; }, "emulated CPU (tcg)"}),
    [](const auto& one) { return one.param.name; });

TEST(CostExclusion, FollowsTheKeyColumnsToo) {
  Row row = episode_row("mixed", "none", 1);
  EXPECT_EQ(cost_exclusion(row), "");
  row.emulated = "kvm+memmap";
  EXPECT_EQ(cost_exclusion(row), "");
  row.perturb = true;
  EXPECT_EQ(cost_exclusion(row), "perturbed");
  row.perturb = false;
  row.load = "closed";
  EXPECT_EQ(cost_exclusion(row), "closed load");
  row.load = "paced";
  row.discard = "punch";
  EXPECT_EQ(cost_exclusion(row), "");
  row.backing = "fsdax";
  EXPECT_THAT(cost_exclusion(row), HasSubstr("discard=punch on fsdax"));
}

TEST(ResultSummary, EpisodeWithoutItsRowAllIsUnfinished) {
  auto rows = usual_run();
  std::erase_if(rows, [](const Row& row) { return row.path == kAllPaths && row.repetition == 2; });
  const ResultSummary summary = summarize_results(rows, plain());
  EXPECT_EQ(summary.left_out.at("unfinished"), 2U);
  EXPECT_EQ(line_of(summary, "none").blocks, kBlocks - 1);
}

TEST(ResultSummary, GravestVerdictOfTheRepetitionsIsShownWithAllHazards) {
  auto rows = usual_run();
  for (Row& row : rows) {
    if (row.protocol != "none" || row.path != kAllPaths) continue;
    row.verdict = "unseen";
    if (row.repetition == 3) row.verdict = "expected", row.violated = "H3";
    if (row.repetition == 5) row.verdict = "expected", row.violated = "H1+H2";
    if (row.repetition == 7) row.status = "hang", row.reason = "worker 0 waits for IOLOCK";
  }
  const auto verdicts = summarize_results(rows, plain()).scenarios[0].verdicts;
  ASSERT_EQ(verdicts.size(), 2U);
  EXPECT_EQ(verdicts[0].protocol, "none");
  EXPECT_EQ(verdicts[0].verdict, "expected");
  EXPECT_EQ(verdicts[0].with_verdict, 2U);
  EXPECT_EQ(verdicts[0].runs, kBlocks);
  EXPECT_EQ(verdicts[0].violated, "H1+H2+H3");
  EXPECT_EQ(verdicts[0].effective_ops, kBlocks * kOpsPerBlock);
  EXPECT_THAT(verdicts[0].notes, ElementsAre(testing::Pair("hang: worker 0 waits for IOLOCK", 1U)));
}

/// What a saturated load says of itself is no matter of safety, whatever else the same row says.
TEST(ResultSummary, NotesOfSaturatedRepetitionsAreKnownByTheirShareAndNotByTheirWords) {
  auto rows = usual_run();
  for (Row& row : rows) {
    if (row.protocol != "none" || row.path != kAllPaths) continue;
    if (row.repetition == 3) row.served_share = 0.5, row.remark = "left out: x; overloaded";
    if (row.repetition == 5) row.served_share = 1, row.remark = "not saturated at all";
    if (row.repetition == 7) {
      row.served_share = 0.2;
      row.status = "hang";
      row.reason = "worker 0 waits";
      row.remark = "left out: x";
    }
  }
  const VerdictLine line = summarize_results(rows, plain()).scenarios[0].verdicts.at(0);
  EXPECT_THAT(line.notes, ElementsAre(testing::Pair("hang: worker 0 waits; left out: x", 1U),
                                      testing::Pair("left out: x; overloaded", 1U),
                                      testing::Pair("not saturated at all", 1U)));
  EXPECT_THAT(line.of_saturated, ElementsAre("left out: x; overloaded"));
}

TEST(ResultSummary, OneBrokenPromiseAmongManyRunsIsNeverHidden) {
  auto rows = usual_run();
  Row& last = *std::ranges::find_if(
      rows, [](const Row& r) { return r.path == kAllPaths && r.repetition == kBlocks; });
  last.verdict = "broken";
  last.violated = "H4";
  EXPECT_THAT(format_results(rows, plain()), HasSubstr("broken 1/9     H4"));
}

TEST(ResultTable, TextOfOneScenario) {
  const std::string text = format_results(usual_run(), plain());
  std::istringstream lines(text);
  std::vector<std::string> head(12);
  for (std::string& line : head) std::getline(lines, line);
  EXPECT_THAT(
      head,
      ElementsAre(
          "Xeon, kernel 6.1.0, daxrace 0123456789ab",
          "target=engine backing=memory load=paced offered_per_s=4000 threads=2 perturb=0 discard=zap", "",
          "mixed",
          "  protocol                verdict        violated                promised                 runs    "
          "  ops",
          "  none                    kept           -                       H1+H2+H3+H4                 9    "
          " 3600",
          "  iolock_mmaplock         kept           -                       H1+H2+H3+H4                 9    "
          " 3600",
          "  cost, reference iolock_mmaplock",
          "    path, protocol                n       p50  added [95 %]                ratio [95 %]         "
          "resp p99",
          "  punch",
          testing::MatchesRegex("    iolock_mmaplock            3600    ....us  reference  +1  +22.0us"),
          testing::MatchesRegex("        where: mean ....us = lock_wait 500ns, rest ....us")));
  EXPECT_THAT(
      text,
      testing::ContainsRegex(
          "    none +3600 +....us  -[45]..ns \\[-[0-9]+ns, -[0-9]+ns\\] +0.8. \\[0.8., 0.8.\\] +22.0us"));
  EXPECT_THAT(text, HasSubstr("lock_wait -500ns"));
  EXPECT_THAT(text, HasSubstr("median over the blocks of p50(protocol) - p50(reference)"));
}

TEST(ResultTable, NoLineIsWiderThan110Columns) {
  auto rows = usual_run();
  for (const Row& row :
       drifting_run("punch", {{"none", 0}, {"iolock_mmaplock_nobreak", 3e9}, {"lease_break", 1e5}})) {
    rows.push_back(row);
    Row& last = rows.back();
    last.fs = "xfs";
    last.promises = last.violated = last.path == kAllPaths ? "H1+H2+H3+H4+H5+H6+H7+H8" : "";
    last.break_wait_sum_ns = last.dio_wait_sum_ns = last.lease_wait_sum_ns = last.shootdown_sum_ns =
        last.zap_sum_ns = last.repetition.value() * 12'345'678;
    if (last.path == kAllPaths && last.repetition == 4) {
      last.verdict = "broken";
      last.status = "hang";
      for (int i = 0; i < 60; ++i) last.reason += "worker waits ";
    }
  }
  std::istringstream lines(format_results(rows, plain()));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 110U) << line;
}

TEST(ResultTable, AxesThatDifferAreNamedWithEachScenario) {
  auto rows = usual_run();
  for (Row row : usual_run()) {
    row.placement = "local";
    rows.push_back(row);
  }
  const std::string text = format_results(rows, plain());
  EXPECT_THAT(text, HasSubstr("\nmixed  placement=local\n"));
  EXPECT_THAT(text, HasSubstr("\nmixed\n"));
}

TEST(ResultTable, SkippedConfigurationsAreCountedWithTheirReason) {
  auto rows = usual_run();
  for (int i = 0; i < 3; ++i) {
    Row row = episode_row("mixed", "none", 0);
    row.placement = "remote";
    row.status = "skipped";
    row.verdict = "none";
    row.reason = "this machine has one NUMA node";
    rows.push_back(row);
  }
  const std::string text = format_results(rows, plain());
  EXPECT_THAT(text, HasSubstr("Configurations skipped: 3 this machine has one NUMA node"));
  EXPECT_THAT(text, Not(HasSubstr("remote")));
}

TEST(ResultTable, EmulatedMachineIsNamed) {
  auto rows = usual_run();
  for (Row& row : rows) row.emulated = "tcg+memmap";
  const std::string text = format_results(rows, plain());
  EXPECT_THAT(text, HasSubstr("emulated: tcg+memmap"));
  EXPECT_THAT(text, Not(HasSubstr("cost, reference")));
  EXPECT_THAT(text, Not(testing::ContainsRegex("[0-9](ns|us|ms)")));
}

TEST(ResultTable, ColorIsThereOnlyWhenAskedForAndChangesNothingElse) {
  TableOptions colored = plain();
  colored.color = true;
  const std::string text = format_results(usual_run(), plain());
  std::string with_color = format_results(usual_run(), colored);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(with_color.find("\x1b[32mkept\x1b[0m"), std::string::npos);
  for (std::size_t at = 0; (at = with_color.find('\x1b')) != std::string::npos;)
    with_color.erase(at, with_color.find('m', at) - at + 1);
  EXPECT_EQ(with_color, text);
}

TEST(ResultTable, VerdictsAloneWhenCostsAreNotWanted) {
  TableOptions options = plain();
  options.cost = false;
  const std::string text = format_results(usual_run(), options);
  EXPECT_THAT(text, HasSubstr("kept"));
  EXPECT_THAT(text, Not(HasSubstr("reference")));
}

TEST(ResultTable, OfNoRowsIsEmpty) { EXPECT_EQ(format_results({}, plain()), ""); }

TEST(ResultTable, DamagedHistogramIsOneClearError) {
  auto rows = usual_run();
  for (Row& row : rows) {
    if (row.path == "punch") row.lat_hist = "garbage!";
  }
  EXPECT_THROW(format_results(rows, plain()), Error);
}

}  // namespace
}  // namespace daxrace
