#include "harness/results/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "harness/base/error.hpp"

namespace daxrace {
namespace {

constexpr double kMaxError = 0.03;

/// Values of every magnitude, as latencies are: from nanoseconds to minutes.
std::vector<std::uint64_t> latencies(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(0, 36);
  std::vector<std::uint64_t> out(count);
  for (auto& value : out) value = static_cast<std::uint64_t>(std::exp2(exponent(random)));
  return out;
}

Histogram histogram_of(const std::vector<std::uint64_t>& values) {
  Histogram out;
  for (const std::uint64_t value : values) out.record(value);
  return out;
}

double relative_error(std::uint64_t got, std::uint64_t want) {
  return std::abs(static_cast<double>(got) - static_cast<double>(want)) /
         std::max(1.0, static_cast<double>(want));
}

std::uint64_t exact_quantile(std::vector<std::uint64_t> values, double q) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size()) - 1e-9));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

class HistogramSeeds : public testing::TestWithParam<std::uint64_t> {
 protected:
  void SetUp() override { RecordProperty("seed", std::to_string(GetParam())); }
};
INSTANTIATE_TEST_SUITE_P(Seeds, HistogramSeeds, testing::Range<std::uint64_t>(1, 21),
                         testing::PrintToStringParamName());

TEST_P(HistogramSeeds, EveryQuantileIsWithinThreePerCentOfTheSortedSample) {
  const auto values = latencies(GetParam(), 997);
  const Histogram histogram = histogram_of(values);
  for (const double q : {0.0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto got = histogram.quantile(q, 0);
    ASSERT_TRUE(got.has_value());
    EXPECT_LE(relative_error(*got, exact_quantile(values, q)), kMaxError)
        << "seed " << GetParam() << " q " << q;
  }
}

TEST_P(HistogramSeeds, MergeIsTheHistogramOfTheConcatenation) {
  auto first = latencies(GetParam(), 300);
  const auto second = latencies(GetParam() + 1000, 700);
  Histogram merged = histogram_of(first);
  merged.merge(histogram_of(second));
  first.insert(first.end(), second.begin(), second.end());
  const Histogram whole = histogram_of(first);
  EXPECT_EQ(merged.encode(), whole.encode());
  EXPECT_EQ(merged.count(), whole.count());
  EXPECT_EQ(merged.sum(), whole.sum());
  EXPECT_EQ(merged.min(), whole.min());
  EXPECT_EQ(merged.max(), whole.max());
}

TEST_P(HistogramSeeds, EncodeAndDecodeKeepEveryBucketAndTheErrorBound) {
  const auto values = latencies(GetParam(), 500);
  const Histogram before = histogram_of(values);
  const Histogram after = Histogram::decode(before.encode());
  EXPECT_EQ(after.encode(), before.encode()) << "seed " << GetParam();
  EXPECT_EQ(after.count(), before.count());
  EXPECT_LE(relative_error(after.min(), before.min()), 1.0 / 32);
  EXPECT_LE(relative_error(after.max(), before.max()), 1.0 / 32);
  EXPECT_LE(relative_error(after.sum(), before.sum()), kMaxError);
  for (const double q : {0.1, 0.5, 0.9, 0.99}) {
    EXPECT_LE(relative_error(*after.quantile(q, 0), exact_quantile(values, q)), kMaxError);
  }
}

TEST_P(HistogramSeeds, DecodeOfDamagedTextThrowsOrGivesWhatEncodesToIt) {
  std::mt19937_64 random(GetParam());
  const std::string good = histogram_of(latencies(GetParam(), 200)).encode();
  for (int i = 0; i < 300; ++i) {
    std::string text = good;
    text[random() % text.size()] = static_cast<char>(random() % 256);
    if (random() % 2 == 0) text.resize(random() % text.size());
    try {
      EXPECT_EQ(Histogram::decode(text).encode(), text);
    } catch (const Error&) {
    }
  }
}

// One value per bucket edge and beside it: where an off-by-one would sit.
TEST(Histogram, SingleValuesAreWithinThreePerCentAtEveryBucketEdge) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (std::uint64_t sub = 32; sub < 64; ++sub) {
      const std::uint64_t edge = bits >= 5 ? sub << (bits - 5) : sub >> (5 - bits);
      for (const std::uint64_t value : {edge - 1, edge, edge + 1}) {
        Histogram histogram;
        histogram.record(value);
        ASSERT_EQ(histogram.quantile(0.5, 0), value);  // clamped to the exact minimum and maximum
        const auto decoded = Histogram::decode(histogram.encode());
        ASSERT_LE(relative_error(*decoded.quantile(0.5, 0), value), kMaxError) << value;
        ASSERT_LE(decoded.min(), value);
        ASSERT_GE(decoded.max(), value);
      }
    }
  }
}

TEST(Histogram, ErrorStaysBelowThreePerCentWhenAllSamplesSitAtOneEdgeOfABucket) {
  for (const std::uint64_t value : {1024U, 1055U, 2048U, 2111U, 1U << 30, (1U << 30) + (1U << 25) - 1}) {
    Histogram histogram;
    histogram.record(1);  // so that neither minimum nor maximum hide the error
    histogram.record(1ULL << 40);
    for (int i = 0; i < 1000; ++i) histogram.record(value);
    for (const double q : {0.002, 0.5, 0.998}) {
      EXPECT_LE(relative_error(*histogram.quantile(q, 0), value), kMaxError) << value << " q " << q;
    }
  }
}

TEST(Histogram, MedianShowsADifferenceFarBelowOneBucket) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::uint64_t> spread(1400, 1800);
  Histogram base;
  Histogram slower;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t value = spread(random);
    base.record(value);
    slower.record(value + 20);
  }
  const auto added = static_cast<double>(*slower.quantile(0.5)) - static_cast<double>(*base.quantile(0.5));
  EXPECT_NEAR(added, 20, 8);  // a bucket is 32 wide here
}

TEST(Histogram, QuantileWithFewerThanTenSamplesBeyondIsNotANumber) {
  Histogram histogram;
  for (int i = 0; i < 19; ++i) histogram.record(100);
  EXPECT_FALSE(histogram.quantile(0.5).has_value());
  histogram.record(100);
  EXPECT_EQ(histogram.quantile(0.5), 100U);
  EXPECT_FALSE(histogram.quantile(0.9).has_value());
  for (int i = 20; i < 1000; ++i) histogram.record(100);
  EXPECT_TRUE(histogram.quantile(0.99).has_value());
  EXPECT_FALSE(histogram.quantile(0.999).has_value());
  EXPECT_FALSE(histogram.quantile(1.5, 0).has_value());
}

TEST(Histogram, EmptyOneHasZerosAndNoText) {
  Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_FALSE(histogram.quantile(0.5, 0).has_value());
  EXPECT_EQ(histogram.encode(), "");
  EXPECT_EQ(Histogram::decode("").count(), 0U);
}

TEST(Histogram, MergeWithAnEmptyOneKeepsTheMinimum) {
  Histogram histogram = histogram_of({50, 60});
  histogram.merge(Histogram());
  EXPECT_EQ(histogram.min(), 50U);
  Histogram empty;
  empty.merge(histogram);
  EXPECT_EQ(empty.min(), 50U);
  EXPECT_EQ(empty.max(), 60U);
}

TEST(Histogram, ClearForgetsEverything) {
  Histogram histogram = histogram_of({5, 6});
  histogram.clear();
  histogram.record(9);
  EXPECT_EQ(histogram.min(), 9U);
  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.encode(), histogram_of({9}).encode());
}

TEST(Histogram, TextOfTheFormatIsFixed) {
  // Bucket 3 twice, bucket 5 once: (3, 2), (1, 1).
  EXPECT_EQ(histogram_of({3, 3, 5}).encode(), "AwIBAQ==");
}

TEST(Histogram, DecodeRefusesGarbage) {
  for (const char* text :
       {"A", "AAA", "====", "Aw==", "A===", "AwIB", "AwIBAR==", "Aw IBAQ==", "AwABAQ==", "AwIBAQ==\n",
        "AwIBAQ==AwIBAQ==", "gACDAg==", "//////////8BAQ==", "not a histogram at all!"}) {
    EXPECT_THROW(Histogram::decode(text), Error) << text;
  }
}

TEST(Histogram, CountsBeyondThirtyTwoBitsSurvive) {
  Histogram histogram = histogram_of({77});
  for (int i = 0; i < 34; ++i) histogram.merge(Histogram(histogram));
  EXPECT_EQ(histogram.count(), 1ULL << 34);
  EXPECT_EQ(Histogram::decode(histogram.encode()).count(), 1ULL << 34);
}

}  // namespace
}  // namespace daxrace
