#include "harness/results/change_points.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace daxrace {
namespace {

std::vector<double> series(std::mt19937_64& random, const std::vector<double>& levels, std::size_t each,
                           double noise) {
  std::normal_distribution<double> gauss;
  std::vector<double> out;
  for (const double level : levels)
    for (std::size_t i = 0; i < each; ++i) out.push_back(level * (1 + noise * gauss(random)));
  return out;
}

TEST(ChangePoints, FindsWhereALevelChanges) {
  std::mt19937_64 random(1);
  const auto found = change_points(series(random, {100, 120}, 10, 0.02), 0.01, 7);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at, 10U);
  EXPECT_NEAR(found[0].before, 100, 3);
  EXPECT_NEAR(found[0].after, 120, 3);
  EXPECT_LE(found[0].p, 0.01);
}

TEST(ChangePoints, FindsSeveralInOrder) {
  std::mt19937_64 random(2);
  const auto found = change_points(series(random, {100, 130, 90}, 12, 0.02), 0.01, 7);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].at, 12U);
  EXPECT_EQ(found[1].at, 24U);
  EXPECT_NEAR(found[1].before, 130, 4);
  EXPECT_NEAR(found[1].after, 90, 4);
}

TEST(ChangePoints, OutliersAreNoChange) {
  std::mt19937_64 random(3);
  std::vector<double> values = series(random, {100}, 20, 0.02);
  values[11] = 900;
  EXPECT_TRUE(change_points(values, 0.01, 7).empty());
}

TEST(ChangePoints, FalseAlarmsKeepToTheLevel) {
  std::mt19937_64 random(4);
  int alarms = 0;
  constexpr int kTrials = 300;
  for (int i = 0; i < kTrials; ++i)
    if (!change_points(series(random, {100}, 16, 0.05), 0.05, static_cast<std::uint64_t>(i)).empty())
      ++alarms;
  EXPECT_LE(alarms, 28);  // 15 expected, more in one of a thousand
  EXPECT_GE(alarms, 4);
}

TEST(ChangePoints, TooFewValuesShowNothing) {
  EXPECT_TRUE(change_points({}, 0.05, 1).empty());
  EXPECT_TRUE(change_points(std::vector<double>{1, 1, 9, 9}, 0.05, 1).empty());
  EXPECT_TRUE(change_points(std::vector<double>(30, 5.0), 0.05, 1).empty());
  EXPECT_EQ(values_needed_for_change(0.05), 8U);
}

TEST(ChangePoints, TheSameSeedGivesTheSamePoints) {
  std::mt19937_64 random(5);
  const auto values = series(random, {100, 104}, 12, 0.03);
  const auto first = change_points(values, 0.2, 3);
  const auto again = change_points(values, 0.2, 3);
  ASSERT_EQ(first.size(), again.size());
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].p, again[i].p);
}

}  // namespace
}  // namespace daxrace
