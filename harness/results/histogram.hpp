#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace daxrace {

/// Log-linear histogram of nanoseconds: 32 buckets per octave, at most 3 % error, no allocation after
/// construction.
class Histogram {
 public:
  void record(std::uint64_t ns) noexcept {
    ++buckets_[bucket_of(ns)];
    min_ = count_ == 0 || ns < min_ ? ns : min_;
    max_ = ns > max_ ? ns : max_;
    sum_ += ns;
    ++count_;
  }
  void merge(const Histogram& other) noexcept;
  void clear() noexcept;
  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t sum() const noexcept { return sum_; }  ///< exact
  std::uint64_t min() const noexcept { return min_; }  ///< exact; 0 when empty
  std::uint64_t max() const noexcept { return max_; }  ///< exact; 0 when empty
  /// The smallest value above which at most 1-q of the samples lie, or nothing if fewer than `min_beyond`
  /// samples lie beyond it: a quantile that rests on a handful of samples is not a number.
  std::optional<std::uint64_t> quantile(double q, std::uint64_t min_beyond = 10) const noexcept;

  /// base64 of delta and varint coded (bucket, count) pairs; what the CSV column `lat_hist` holds. Empty when
  /// empty.
  std::string encode() const;
  /// Throws Error if `text` is not what encode() writes. Minimum, maximum and sum come back to bucket
  /// precision.
  static Histogram decode(std::string_view text);

 private:
  static constexpr unsigned kSubBits = 5;
  static constexpr std::size_t kSubBuckets = std::size_t{1} << kSubBits;
  static constexpr std::size_t kBuckets = (64 - kSubBits) * kSubBuckets + kSubBuckets;
  static std::size_t bucket_of(std::uint64_t ns) noexcept {
    const unsigned shift = static_cast<unsigned>(std::bit_width(ns | kSubBuckets)) - (kSubBits + 1);
    return shift * kSubBuckets + static_cast<std::size_t>(ns >> shift);
  }
  static std::uint64_t low_of(std::size_t bucket) noexcept;
  static std::uint64_t high_of(std::size_t bucket) noexcept;  ///< the last value that belongs to it
  std::uint64_t value_within(std::size_t bucket, std::uint64_t rank) const noexcept;

  // 64 bits wide: a closed loop of loads fills one bucket with 2^32 samples in a few minutes.
  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t min_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace daxrace
