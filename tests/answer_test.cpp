#include "harness/results/answer/answer.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/duration_text.hpp"
#include "harness/results/answer/answer_text.hpp"
#include "harness/results/histogram.hpp"
#include "tests/episode_row.hpp"

namespace daxrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TableOptions plain() {
  TableOptions options;
  options.uncontended = [](std::string_view workload) { return workload == "punch" || workload == "fault"; };
  options.protocol_order = {"none", "iolock", "iolock_mmaplock", "ext4"};
  options.workload_order = {"mixed", "fault", "punch"};
  return options;
}

Row path_row(const Row& all, const std::string& path, std::uint64_t p50_ns, std::uint64_t response_ns = 0) {
  Row row = all;
  row.path = path;
  row.promises = row.violated = row.verdict = row.status = "";
  Histogram service;
  for (std::uint64_t i = 0; i < 400; ++i) service.record(p50_ns);
  row.ops = service.count();
  row.lat_p50_ns = p50_ns;
  row.lat_hist = service.encode();
  row.zap_sum_ns = p50_ns * 200;
  row.wait_max_ns = 10 * p50_ns;
  if (response_ns == 0) return row;
  Histogram response;
  for (std::uint64_t i = 0; i < 400; ++i) response.record(response_ns);
  row.resp_hist = response.encode();
  return row;
}

struct Cost {
  std::string protocol;
  std::uint64_t p50_ns;
};

/// `blocks` repetitions of mixed and punch; a block's drift is common to its protocols.
std::vector<Row> run_of(const std::vector<Cost>& costs, std::uint64_t blocks = 9) {
  std::vector<Row> rows;
  for (std::uint64_t block = 1; block <= blocks; ++block) {
    for (const Cost& cost : costs) {
      const std::uint64_t now = cost.p50_ns + 100 * block;
      for (const std::string workload : {"mixed", "punch"}) {
        const Row all = episode_row(workload, cost.protocol, block);
        rows.push_back(all);
        rows.push_back(path_row(all, "punch", now, 3 * now));
        rows.push_back(path_row(all, "fault", 500));
      }
    }
  }
  return rows;
}

Row& episode(std::vector<Row>& rows, const std::string& protocol, const std::string& workload = "mixed") {
  return *std::ranges::find_if(rows, [&](const Row& row) {
    return row.path == kAllPaths && row.protocol == protocol && row.workload == workload;
  });
}

const ProtocolAnswer& of(const Answer& answer, const std::string& protocol) {
  return *std::ranges::find(answer.protocols, protocol, &ProtocolAnswer::protocol);
}

std::string letters(const ProtocolAnswer& answer) {
  std::string out;
  for (const HazardOutcome outcome : answer.outcomes)
    out += kOutcomeLetters[static_cast<std::size_t>(outcome)];
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string screen(const std::vector<Row>& rows) {
  return answer_text(answer_of(rows, plain(), {}), {.files = {"run.csv"}});
}

/// The run has faults beside punches; nobody read, pinned or leased anything.
TEST(Answer, LettersStandOnlyWhereTheRunHadTheAccessBesideALayoutChange) {
  auto rows = run_of({{"iolock_mmaplock", 2000}});
  EXPECT_EQ(letters(of(answer_of(rows, plain(), {}), "iolock_mmaplock")), "k----.-.");
  std::erase_if(rows, [](const Row& row) { return row.path == "punch"; });
  EXPECT_EQ(letters(of(answer_of(rows, plain(), {}), "iolock_mmaplock")), "--------");
  rows = run_of({{"iolock_mmaplock", 2000}});
  std::erase_if(rows, [](const Row& row) { return row.workload == "mixed"; });
  EXPECT_EQ(letters(of(answer_of(rows, plain(), {}), "iolock_mmaplock")), "--------")
      << "pages of its own: nothing meets";
}

TEST(Answer, HarmIsCountedAndShownApartFromBrokenPromises) {
  auto rows = run_of({{"none", 1000}, {"iolock_mmaplock", 2000}});
  Row& harmed = episode(rows, "none");
  harmed.promises = "H1";
  harmed.violated = "H4";
  harmed.verdict = "expected";
  Row& broken = episode(rows, "iolock_mmaplock");
  broken.violated = "H1";
  broken.verdict = "broken";
  const Answer answer = answer_of(rows, plain(), {});
  EXPECT_EQ(letters(of(answer, "none"))[3], 'X');
  EXPECT_EQ(letters(of(answer, "iolock_mmaplock"))[0], '!') << "once is enough";
  EXPECT_EQ(answer.harmed, 1U);
  ASSERT_EQ(answer.problems.size(), 1U);
  EXPECT_EQ(answer.problems[0].hazards, "H1");
}

/// Whoever subtracts what he reads gets what he reads.
TEST(Answer, AddedTimeIsTheDifferenceOfWhatIsPrinted) {
  const Answer answer = answer_of(run_of({{"iolock_mmaplock", 20'049}, {"ext4", 22'851}}), plain(), {});
  const CostCell& reference = of(answer, "iolock_mmaplock").costs[1];
  const CostCell& cell = of(answer, "ext4").costs[1];
  EXPECT_EQ(reference.added, CostCell::Added::reference);
  ASSERT_EQ(cell.added, CostCell::Added::differs);
  EXPECT_EQ(scaled_time(static_cast<double>(*reference.p50_ns)), "20.5us");
  EXPECT_EQ(scaled_time(static_cast<double>(*cell.p50_ns)), "23.4us");
  EXPECT_EQ(signed_time(cell.added_ns), "+2.90us");
}

TEST(Answer, AddedTimeStandsOnlyWhereItsIntervalLeavesOutNothing) {
  auto rows = run_of({{"iolock_mmaplock", 2000}, {"ext4", 2000}});
  for (Row& row : rows)
    if (row.protocol == "ext4" && row.path == "punch") *row.lat_p50_ns += *row.repetition % 2 == 0 ? 90 : -90;
  EXPECT_EQ(of(answer_of(rows, plain(), {}), "ext4").costs[1].added, CostCell::Added::alike);
  std::erase_if(rows, [](const Row& row) { return row.repetition > 4; });
  EXPECT_EQ(of(answer_of(rows, plain(), {}), "ext4").costs[1].added, CostCell::Added::too_few);
}

/// Medians and paired differences may point to different sides; then nothing is claimed.
TEST(Answer, AddedTimeNeverContradictsTheMediansBesideIt) {
  auto rows = run_of({{"iolock_mmaplock", 2000}, {"ext4", 2000}});
  for (Row& row : rows) {
    if (row.path != "punch") continue;
    const std::uint64_t block = *row.repetition;
    // Dearer by 50 in every block but those whose drift decides the median.
    row.lat_p50_ns = row.protocol == "ext4" ? (block == 5 ? 2990 : 1000 * block + 50) : 1000 * block;
    if (block == 5 && row.protocol != "ext4") row.lat_p50_ns = 5000;
    if (row.protocol == "ext4" && (block == 6 || block == 7)) row.lat_p50_ns = 4900;
  }
  const Answer answer = answer_of(rows, plain(), {});
  const CostCell& cell = of(answer, "ext4").costs[1];
  const CostCell& reference = of(answer, "iolock_mmaplock").costs[1];
  EXPECT_TRUE(cell.added != CostCell::Added::differs ||
              (cell.added_ns > 0) == (*cell.p50_ns > *reference.p50_ns));
}

/// Three protocols are three pairs: one in twenty each would be one in seven of the runs.
TEST(Answer, PairsAreToldApartOnlyWhereItHoldsOverAllOfThem) {
  const std::vector<Cost> costs = {{"iolock", 2000}, {"iolock_mmaplock", 2500}, {"ext4", 2500}};
  EXPECT_EQ(answer_of(run_of(costs, 5), plain(), {}).pairs_told, 0U) << "five of five: one in sixteen";
  const Answer answer = answer_of(run_of(costs, 9), plain(), {});
  ASSERT_EQ(answer.told_apart.size(), 1U);
  EXPECT_EQ(answer.told_apart[0].cheaper, "iolock");
  EXPECT_THAT(answer.told_apart[0].dearer, ElementsAre("iolock_mmaplock", "ext4"));
  EXPECT_THAT(screen(run_of(costs, 5)), HasSubstr("5 repetitions"));
}

/// No repetition has a thousand operations.
TEST(Answer, ResponseTimesOfAllRepetitionsTogetherAreShown) {
  const Answer answer = answer_of(run_of({{"iolock_mmaplock", 2000}, {"ext4", 4000}}), plain(), {});
  ASSERT_EQ(answer.responses.size(), 1U) << "faults have no response times here";
  EXPECT_EQ(answer.responses[0].protocols, 2U);
  EXPECT_EQ(answer.responses[0].lowest, "iolock_mmaplock");
  EXPECT_NEAR(answer.responses[0].high_ns, 14'700, 500);
  EXPECT_THAT(screen(run_of({{"iolock_mmaplock", 2000}})), HasSubstr("Response p99"));
}

TEST(Answer, WhatWasNeverRunTogetherWithPunchIsShownByWhatThereIs) {
  auto rows = run_of({{"iolock_mmaplock", 2000}, {"ext4", 4000}});
  std::erase_if(rows, [](const Row& row) { return row.workload == "mixed"; });
  for (Row& row : rows) row.workload = "gup_vs_punch";
  const Answer answer = answer_of(rows, plain(), {});
  ASSERT_EQ(answer.columns.size(), 1U);
  EXPECT_EQ(answer.columns[0].path, "punch");
  EXPECT_THAT(screen(rows), HasSubstr("punch in gup_v"));
}

TEST(AnswerText, BrokenPromisesStandAboveTheTableWithTheCommandThatTellsThem) {
  auto rows = run_of({{"iolock_mmaplock", 2000}, {"ext4", 2500}});
  Row& finding = episode(rows, "ext4");
  finding.violated = "H4";
  finding.verdict = "finding";
  finding.refcount_regime = "ref0";
  Row& broken = episode(rows, "iolock_mmaplock");
  broken.violated = "H1";
  broken.verdict = "broken";
  const auto lines = lines_of(screen(rows));
  const auto at = [&](const std::string& what) {
    return std::ranges::find_if(lines,
                                [&](const std::string& line) { return line.find(what) != line.npos; }) -
           lines.begin();
  };
  const auto table = at("hazards  harm");
  EXPECT_LT(at("BROKEN iolock_mmaplock H1 in mixed, 1 episode"), at("FINDING ext4 H4 in mixed"));
  EXPECT_LT(at("FINDING ext4 H4 in mixed"), table);
  EXPECT_LT(at("daxrace report --explain run.csv"), table);
  EXPECT_LT(at("daxrace litmus --protocol=ext4 --refcount=ref0 --access=gup_fast --explain"), table);
}

TEST(AnswerText, HangIsAProblemOfItsOwn) {
  auto rows = run_of({{"iolock_mmaplock", 2000}});
  Row& hang = episode(rows, "iolock_mmaplock");
  hang.status = "hang";
  hang.verdict = "broken";
  hang.violated = "H6";
  EXPECT_THAT(screen(rows), HasSubstr("HANG iolock_mmaplock"));
  EXPECT_THAT(screen(rows), Not(HasSubstr("PROMISES BROKEN: none")));
}

/// Everything at once: more protocols than there are, all of them broken and slow, every letter.
TEST(AnswerText, NeverLeavesTheScreen) {
  std::vector<Cost> costs;
  for (int i = 0; i < 12; ++i)
    costs.push_back({fmt::format("a_protocol_of_long_name_{:02}", i), 2'000'000'000});
  costs.push_back({"iolock_mmaplock", 20});
  auto rows = run_of(costs);
  for (Row& row : rows) {
    if (row.path != kAllPaths || row.protocol == "iolock_mmaplock") continue;
    row.verdict = row.workload == "mixed" ? "broken" : "finding";
    row.violated = "H1+H2+H3+H4+H5+H6+H7";
    row.stale_access = 123'456'789;
    row.cpu = "A CPU of a very long name that no screen was made for, Model 4711 (R)";
  }
  rows.front().status = "error";
  rows.front().reason = std::string(300, 'x');
  const auto lines = lines_of(screen(rows));
  EXPECT_LE(lines.size(), kScreenLines);
  for (const std::string& line : lines) EXPECT_LE(line.size(), kScreenColumns) << line;
  EXPECT_THAT(screen(rows), HasSubstr("more: daxrace report"));
}

TEST(AnswerText, ColourChangesNothingButTheColour) {
  auto rows = run_of({{"none", 1000}, {"iolock_mmaplock", 2000}});
  episode(rows, "none").violated = "H4";
  episode(rows, "none").promises = "";
  episode(rows, "none").verdict = "expected";
  const Answer answer = answer_of(rows, plain(), {});
  std::string coloured = answer_text(answer, {.paint = Paint(true), .files = {"run.csv"}});
  EXPECT_THAT(coloured, HasSubstr("\x1b[31mX\x1b[0m"));
  for (std::size_t at = 0; (at = coloured.find('\x1b')) != std::string::npos;)
    coloured.erase(at, coloured.find('m', at) + 1 - at);
  EXPECT_EQ(coloured, screen(rows));
}

TEST(AnswerText, StoryIsTheOneThatTheRunTells) {
  auto rows = run_of({{"none", 1000}, {"iolock_mmaplock", 2000}});
  episode(rows, "none").violated = "H4";
  episode(rows, "none").promises = "";
  episode(rows, "none").verdict = "expected";
  const std::vector<RunStory> stories = {{"none", "mixed", "stale_access H4: page 3 hit blk 7"},
                                         {"none", "mixed", "corruption H4: inode 2 page 0 holds data of 1"}};
  EXPECT_THAT(answer_text(answer_of(rows, plain(), stories), {}),
              HasSubstr("One story: none, mixed: corruption H4: inode 2"));
  EXPECT_THAT(screen(rows), HasSubstr("One story: none, mixed: H4")) << "without a report: its counts";
}

/// A run.json comes from another machine: nothing in it acts on the terminal.
TEST(AnswerText, StoryMovesNoCursor) {
  auto rows = run_of({{"none", 1000}, {"iolock_mmaplock", 2000}});
  episode(rows, "none").violated = "H4";
  episode(rows, "none").promises = "";
  episode(rows, "none").verdict = "expected";
  const std::string text =
      answer_text(answer_of(rows, plain(), {{"none", "mixed", "corruption H4: \x1b[2J\rkept"}}), {});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("\\x1b[2J\\rkept"));
}

}  // namespace
}  // namespace daxrace
