#include "harness/results/statistics.hpp"

#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace daxrace {
namespace {

TEST(Statistics, MedianOfOddAndEvenSamples) {
  EXPECT_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(median(std::vector<double>{4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median(std::vector<double>{7}), 7);
  EXPECT_THROW(median({}), std::invalid_argument);
}

TEST(Statistics, MedianLeavesTheSampleAlone) {
  const std::vector<double> values{3, 1, 2};
  median(values);
  EXPECT_EQ(values, (std::vector<double>{3, 1, 2}));
}

TEST(Statistics, QuantileInterpolatesBetweenOrderStatistics) {
  const std::vector<double> values{40, 10, 30, 20};
  EXPECT_EQ(quantile(values, 0), 10);
  EXPECT_EQ(quantile(values, 1), 40);
  EXPECT_EQ(quantile(values, 0.5), 25);
  EXPECT_DOUBLE_EQ(quantile(values, 0.9), 37);
  EXPECT_THROW(quantile(values, 1.1), std::invalid_argument);
  EXPECT_THROW(quantile(values, std::nan("")), std::invalid_argument);
  EXPECT_THROW(quantile({}, 0.5), std::invalid_argument);
}

TEST(Statistics, BootstrapIsTheSameForTheSameSeed) {
  const std::vector<double> values{5, 9, 1, 7, 3, 8, 2, 6};
  const Interval first = bootstrap_median(values, 42);
  const Interval again = bootstrap_median(values, 42);
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
  EXPECT_EQ(first.mid, 5.5);
  EXPECT_LE(first.low, first.mid);
  EXPECT_GE(first.high, first.mid);
}

TEST(Statistics, TooFewValuesHaveNoBounds) {
  const Interval interval = bootstrap_median(std::vector<double>{1, 2, 3, 4}, 1);
  EXPECT_EQ(interval.mid, 2.5);
  EXPECT_FALSE(interval.bounded());
  EXPECT_TRUE(interval.contains(1e300));
  EXPECT_TRUE(bootstrap_median(std::vector<double>{1, 2, 3, 4, 5}, 1).bounded());
}

/// How often the interval holds the true median of a skewed distribution (log-normal: median 1).
double coverage(std::size_t values_each, std::uint64_t seed) {
  constexpr int kSamples = 800;
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> latency(0, 0.5);
  std::vector<double> values(values_each);
  int hits = 0;
  for (int i = 0; i < kSamples; ++i) {
    for (double& value : values) value = latency(random);
    if (bootstrap_median(values, random(), 200).contains(1.0)) ++hits;
  }
  return static_cast<double>(hits) / kSamples;
}

// 800 samples: a standard deviation of 0.8 %. Far too narrow and far too wide intervals both fail.
TEST(Statistics, BootstrapIntervalHoldsTheTrueMedianAsOftenAsItClaims) {
  constexpr std::uint64_t kSeed = 20180726;
  for (const std::size_t count : {5U, 12U, 30U}) {
    const double share = coverage(count, kSeed);
    EXPECT_GE(share, 0.91) << count << " values, seed " << kSeed;
    EXPECT_LE(share, 0.98) << count << " values, seed " << kSeed;
  }
}

TEST(Statistics, PairedDifferenceSeesWhatDriftHidesInUnpairedSamples) {
  std::mt19937_64 random(11);
  std::normal_distribution<double> drift(1500, 200);
  std::normal_distribution<double> noise(0, 5);
  std::vector<double> reference;
  std::vector<double> changed;
  for (int block = 0; block < 20; ++block) {
    const double common = drift(random);
    reference.push_back(common + noise(random));
    changed.push_back(common + 50 + noise(random));
  }
  const Interval added = bootstrap_difference(changed, reference, 1);
  EXPECT_NEAR(added.mid, 50, 5);
  EXPECT_GT(added.low, 40);
  EXPECT_LT(added.high, 60);
  const Interval ratio = bootstrap_ratio(changed, reference, 1);
  EXPECT_GT(ratio.low, 1.0);
  EXPECT_NEAR(ratio.mid, 1.033, 0.01);
}

TEST(Statistics, PairsMustMatchAndRatiosNeedAReference) {
  const std::vector<double> two{1, 2};
  const std::vector<double> three{1, 2, 3};
  EXPECT_THROW(bootstrap_difference(two, three, 1), std::invalid_argument);
  EXPECT_THROW(bootstrap_ratio(two, std::vector<double>{1, 0}, 1), std::invalid_argument);
  EXPECT_THROW(bootstrap_difference({}, {}, 1), std::invalid_argument);
}

}  // namespace
}  // namespace daxrace
