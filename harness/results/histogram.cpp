#include "harness/results/histogram.hpp"

#include <algorithm>
#include <cmath>

#include "harness/base/error.hpp"

namespace daxrace {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

[[noreturn]] void refuse(std::string_view why) {
  throw Error("not a histogram of daxrace: " + std::string(why));
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t length = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < length ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) text += k <= length ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string from_base64(std::string_view text) {
  if (text.size() % 4 != 0) refuse("its length is not a multiple of 4");
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const std::size_t length = i + 4 == text.size() ? 3 - padding : 3;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t digit = k <= length ? kAlphabet.find(text[i + k]) : 0;
      if (digit == std::string_view::npos) refuse("a character is not base64");
      group = group << 6 | static_cast<std::uint32_t>(digit);
    }
    for (std::size_t k = 0; k < length; ++k) bytes += static_cast<char>(group >> (16 - 8 * k) & 0xff);
  }
  return bytes;
}

void put_varint(std::string& bytes, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  bytes += static_cast<char>(value);
}

std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (bytes.empty()) refuse("it ends too early");
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  refuse("a number is too large");
}

/// use(bucket, samples) for each, in their order; refuses what encode() has not written.
template <class Use>
void for_each_bucket(std::string_view text, std::size_t buckets, Use&& use) {
  const std::string bytes = from_base64(text);
  std::string_view rest = bytes;
  std::string again;
  std::size_t next = 0;
  std::uint64_t count = 0;
  while (!rest.empty()) {
    const std::uint64_t skipped = take_varint(rest);
    if (skipped >= buckets - next) refuse("a bucket is out of range");
    const std::uint64_t samples = take_varint(rest);
    if (samples == 0) refuse("a bucket is empty");
    if (samples > ~std::uint64_t{0} - count) refuse("a count is too large");
    const std::size_t bucket = next + static_cast<std::size_t>(skipped);
    use(bucket, samples);
    put_varint(again, skipped);
    put_varint(again, samples);
    count += samples;
    next = bucket + 1;
  }
  // Catches what decodes but was never written: overlong numbers, bits after the end.
  if (again != bytes || to_base64(again) != text) refuse("it is not in its shortest form");
}

}  // namespace

std::uint64_t Histogram::low_of(std::size_t bucket) noexcept {
  if (bucket < 2 * kSubBuckets) return bucket;
  const std::size_t shift = bucket / kSubBuckets - 1;
  return std::uint64_t{bucket % kSubBuckets + kSubBuckets} << shift;
}

std::uint64_t Histogram::high_of(std::size_t bucket) noexcept {
  return bucket + 1 < kBuckets ? low_of(bucket + 1) - 1 : ~std::uint64_t{0};
}

void Histogram::merge(const Histogram& other) noexcept {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

void Histogram::clear() noexcept { *this = Histogram(); }

// Interpolates, because a step of 3 % would hide a protocol's 50 ns in a path of 2 us. It stays off the
// bucket's edges, so that the error is below 3 % even if all its samples sit at the far one.
std::uint64_t Histogram::value_within(std::size_t bucket, std::uint64_t rank) const noexcept {
  const double width = static_cast<double>(high_of(bucket) - low_of(bucket)) + 1.0;
  const double share = (static_cast<double>(rank) - 0.5) / static_cast<double>(buckets_[bucket]);
  const auto inside = static_cast<std::uint64_t>(width * std::clamp(share, 0.04, 0.96));
  return std::clamp(low_of(bucket) + inside, min_, max_);
}

std::optional<std::uint64_t> Histogram::quantile(double q, std::uint64_t min_beyond) const noexcept {
  if (count_ == 0 || !(q >= 0 && q <= 1)) return std::nullopt;
  constexpr double kRounding = 1e-9;  // 0.9 * 10 must not become rank 10
  const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_) - kRounding));
  const std::uint64_t rank = std::clamp<std::uint64_t>(wanted, 1, count_);
  if (count_ - rank < min_beyond) return std::nullopt;
  std::uint64_t below = 0;
  std::size_t bucket = bucket_of(min_);
  while (below + buckets_[bucket] < rank) below += buckets_[bucket++];
  return value_within(bucket, rank - below);
}

std::string Histogram::encode() const {
  std::string bytes;
  std::size_t next = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (buckets_[i] == 0) continue;
    put_varint(bytes, i - next);
    put_varint(bytes, buckets_[i]);
    next = i + 1;
  }
  return to_base64(bytes);
}

Histogram Histogram::decode(std::string_view text) {
  Histogram out;
  for_each_bucket(text, kBuckets, [&](std::size_t bucket, std::uint64_t samples) {
    const std::uint64_t middle = low_of(bucket) + (high_of(bucket) - low_of(bucket)) / 2;
    out.buckets_[bucket] = samples;
    out.min_ = out.count_ == 0 ? low_of(bucket) : out.min_;
    out.max_ = high_of(bucket);
    out.sum_ += middle * samples;
    out.count_ += samples;
  });
  return out;
}

}  // namespace daxrace
