#include "harness/results/rank_test.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace daxrace {
namespace {

using Values = std::vector<double>;

double midrank(const Values& all, double value) {
  const auto below = std::ranges::count_if(all, [&](double other) { return other < value; });
  const auto equal = std::ranges::count(all, value);
  return static_cast<double>(below) + (static_cast<double>(equal) + 1) / 2;
}

/// The definition, by trying every split.
double p_by_enumeration(const Values& base, const Values& changed) {
  Values all = base;
  all.insert(all.end(), changed.begin(), changed.end());
  const double middle = static_cast<double>(base.size() * (all.size() + 1)) / 2;
  double seen = 0;
  for (const double value : base) seen += midrank(all, value);
  std::size_t splits = 0;
  std::size_t as_far = 0;
  for (unsigned chosen = 0; chosen < 1U << all.size(); ++chosen) {
    if (static_cast<std::size_t>(std::popcount(chosen)) != base.size()) continue;
    double sum = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
      if ((chosen >> i & 1) != 0) sum += midrank(all, all[i]);
    ++splits;
    if (std::abs(sum - middle) >= std::abs(seen - middle) - 1e-9) ++as_far;
  }
  return static_cast<double>(as_far) / static_cast<double>(splits);
}

TEST(RankTest, AgreesWithTryingEverySplit) {
  std::mt19937_64 random(20180726);
  RankTest test;
  for (int i = 0; i < 200; ++i) {
    Values base(1 + random() % 6);
    Values changed(1 + random() % 7);
    const std::uint64_t distinct = 2 + random() % 12;  // few: many ties
    for (double& value : base) value = static_cast<double>(random() % distinct);
    for (double& value : changed) value = static_cast<double>(random() % distinct + i % 3);
    EXPECT_NEAR(test.p_value(base, changed), p_by_enumeration(base, changed), 1e-12);
  }
}

TEST(RankTest, DoesNotMindWhichSideIsWhich) {
  const Values base{1, 2, 3, 9};
  const Values changed{4, 5, 6, 7, 8, 10};
  RankTest test;
  EXPECT_EQ(test.p_value(base, changed), test.p_value(changed, base));
}

TEST(RankTest, WhollySeparateSamplesHaveTheLeastP) {
  RankTest test;
  for (const std::size_t n : {2, 5, 10, 12, 20, 25}) {
    Values base(n);
    Values changed(n);
    for (std::size_t i = 0; i < n; ++i) base[i] = static_cast<double>(i), changed[i] = base[i] + 100;
    EXPECT_NEAR(test.p_value(base, changed), RankTest::least_p(n, n), 1e-12) << n;
  }
}

TEST(RankTest, LeastPIsThePublishedOne) {
  EXPECT_NEAR(RankTest::least_p(5, 5), 0.0079, 0.0001);
  EXPECT_NEAR(RankTest::least_p(8, 8), 1.6e-4, 1e-5);
  EXPECT_NEAR(RankTest::least_p(9, 9), 4.1e-5, 1e-6);
  EXPECT_NEAR(RankTest::least_p(10, 10), 1.1e-5, 1e-6);
}

TEST(RankTest, NormalLimitIsCloseToTheExactDistribution) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> noise;
  RankTest test;
  for (int i = 0; i < 50; ++i) {
    Values base(kMostForExact);
    Values changed(kMostForExact);
    for (double& value : base) value = noise(random);
    for (double& value : changed) value = noise(random) + 0.3;
    const double exact = test.p_value(base, changed);
    // One more value in the middle of both is beyond the exact part, and says next to nothing new.
    base.push_back(0.15);
    changed.push_back(0.15);
    EXPECT_NEAR(test.p_value(base, changed), exact, 0.1 * exact + 0.03);
  }
}

TEST(RankTest, EqualValuesSayNothing) {
  RankTest test;
  EXPECT_EQ(test.p_value(Values(8, 3.0), Values(8, 3.0)), 1);
  EXPECT_EQ(test.p_value(Values(30, 3.0), Values(30, 3.0)), 1);
  EXPECT_THROW(test.p_value({}, Values{1}), std::invalid_argument);
}

TEST(RankTest, FalseAlarmsKeepToTheirRate) {
  std::mt19937_64 random(99);
  std::lognormal_distribution<double> latency(0, 0.5);
  RankTest test;
  constexpr int kTrials = 4000;
  int below = 0;
  for (int i = 0; i < kTrials; ++i) {
    Values base(7);
    Values changed(9);
    for (double& value : base) value = latency(random);
    for (double& value : changed) value = latency(random);
    if (test.p_value(base, changed) <= 0.05) ++below;
  }
  EXPECT_LE(below, kTrials * 0.06);
  EXPECT_GE(below, kTrials * 0.03);
}

TEST(RankTest, RepetitionsNeededGrowWithTheBar) {
  EXPECT_EQ(repetitions_needed(0.05), 4U);
  EXPECT_EQ(repetitions_needed(0.01), 5U);
  EXPECT_EQ(repetitions_needed(5e-5), 9U);
  EXPECT_EQ(repetitions_needed(2e-5), 10U);
}

TEST(Correction, BenjaminiHochbergByHand) {
  const Values p{0.01, 0.04, 0.03, 0.005, 0.5};
  const Values adjusted = benjamini_hochberg(p);
  EXPECT_NEAR(adjusted[3], 0.025, 1e-12);
  EXPECT_NEAR(adjusted[0], 0.025, 1e-12);
  EXPECT_NEAR(adjusted[2], 0.05, 1e-12);
  EXPECT_NEAR(adjusted[1], 0.05, 1e-12);
  EXPECT_NEAR(adjusted[4], 0.5, 1e-12);
  EXPECT_TRUE(benjamini_hochberg({}).empty());
}

TEST(Correction, HolmByHand) {
  const Values p{0.01, 0.04, 0.03, 0.005};
  const Values adjusted = holm(p);
  EXPECT_NEAR(adjusted[3], 0.02, 1e-12);
  EXPECT_NEAR(adjusted[0], 0.03, 1e-12);
  EXPECT_NEAR(adjusted[2], 0.06, 1e-12);
  EXPECT_NEAR(adjusted[1], 0.06, 1e-12);
}

}  // namespace
}  // namespace daxrace
