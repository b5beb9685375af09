#include "bench/run/until.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/cli/options.hpp"
#include "harness/base/error.hpp"
#include "tests/episode_row.hpp"

namespace daxrace {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr double kBound = 0.05;

/// An episode of `mixed` as it is written: its paths, then its row `all`.
class Until : public testing::Test {
 protected:
  void episode(Decision& decision, unsigned repetition, std::uint64_t punch_ns, std::uint64_t load_ns,
               double served_share = 1) {
    Row all = episode_row("mixed", "ext4", repetition);
    all.served_share = served_share;
    for (const auto& [path, ns] : {std::pair("punch", punch_ns), std::pair("load", load_ns)}) {
      Row row = all;
      row.path = path;
      if (ns > 0) row.lat_p50_ns = ns;
      decision.add(row);
    }
    decision.add(all);
  }
};

TEST_F(Until, GoesOnWhileAnIntervalIsWide) {
  Decision decision(kBound, 5, {}, 1);
  for (unsigned block = 1; block <= 6; ++block)
    episode(decision, block, block % 2 == 0 ? 1000 : 1500, 200 + block % 2);
  EXPECT_FALSE(decision.is_reached(6));
  EXPECT_THAT(decision.text(), StartsWith("1 of 2 medians within 5 %; the widest: mixed/ext4 punch, "));
}

TEST_F(Until, EndsWhenEveryIntervalIsNarrow) {
  Decision decision(kBound, 5, {}, 1);
  for (unsigned block = 1; block <= 6; ++block) episode(decision, block, 1000 + block % 3, 200);
  EXPECT_TRUE(decision.is_reached(6));
  EXPECT_THAT(decision.text(), StartsWith("2 of 2 medians within 5 %"));
}

TEST_F(Until, LooksOnlyAtThePathsAskedFor) {
  Decision decision(kBound, 5, {"load"}, 1);
  for (unsigned block = 1; block <= 6; ++block) episode(decision, block, block % 2 == 0 ? 1000 : 1500, 200);
  EXPECT_TRUE(decision.is_reached(6));
}

/// Alike by chance is not known well: not before an interval exists, and a comparison could decide.
TEST_F(Until, NeverEndsBeforeAComparisonCouldDecide) {
  Decision decision(kBound, 7, {}, 1);
  for (unsigned block = 1; block <= 6; ++block) episode(decision, block, 1000, 200);
  EXPECT_FALSE(decision.is_reached(4));
  EXPECT_FALSE(decision.is_reached(6));
  episode(decision, 7, 1000, 200);
  EXPECT_TRUE(decision.is_reached(7));
}

TEST_F(Until, SaturatedEpisodesDecideNothing) {
  Decision decision(kBound, 5, {}, 1);
  for (unsigned block = 1; block <= 9; ++block) episode(decision, block, 1000, 200, 0.5);
  EXPECT_FALSE(decision.is_reached(9));
  EXPECT_EQ(decision.text(), "no episode had a median that counts");
}

TEST_F(Until, APathTooRareForAMedianHoldsNothingUp) {
  Decision decision(kBound, 5, {}, 1);
  for (unsigned block = 1; block <= 6; ++block) episode(decision, block, 0, 200);
  EXPECT_TRUE(decision.is_reached(6));
  EXPECT_THAT(decision.text(), HasSubstr("1 path too rare for a median"));
}

TEST_F(Until, MoreRowsNeedMoreRepetitions) {
  EXPECT_EQ(repetitions_for_decision(std::vector<Configuration>(3)), 5U);
  EXPECT_EQ(repetitions_for_decision(std::vector<Configuration>(24)), 7U);
  EXPECT_GT(repetitions_for_decision(std::vector<Configuration>(100'000)), 12U) << "more than the preset has";
}

RunOptions given(const std::string& value) {
  RunOptions options;
  const OptionTable table = run_option_table(options);
  apply_option(*find_option(table, "until"), {value});
  return options;
}

TEST(UntilOption, TakesABoundAndPaths) {
  EXPECT_DOUBLE_EQ(*given("decided").until_width, 0.05);
  EXPECT_DOUBLE_EQ(*given("decided:2.5%").until_width, 0.025);
  EXPECT_THAT(given("decided:2%:punch,fault").until_paths, testing::ElementsAre("punch", "fault"));
  for (const char* bad : {"done", "decided:", "decided:0", "decided:2%:nosuch", "decided:1:punch:2"})
    EXPECT_THROW(given(bad), Error) << bad;
  RunOptions both = given("decided");
  both.repetitions = 3;
  EXPECT_THROW(check_run_options(both), Error);
}

}  // namespace
}  // namespace daxrace
