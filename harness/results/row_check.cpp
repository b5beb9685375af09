#include "harness/results/row_check.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/error.hpp"
#include "harness/base/types.hpp"
#include "harness/results/histogram.hpp"

namespace daxrace {
namespace {

using Complaint = std::optional<std::string>;
using WordSet = std::span<const std::string_view>;

constexpr std::array<std::string_view, 2> kTargetWords = {"engine", "kernel"};
constexpr std::array<std::string_view, 3> kGranularityWords = {"byte", "cache_line", "page"};
constexpr std::array<std::string_view, 2> kDiscardWords = {"zap", "punch"};

struct ClosedSet {
  std::string_view column;
  Row::Text Row::*member;
  WordSet words;
};
constexpr auto kClosedSets = std::to_array<ClosedSet>({
    {"target", &Row::target, kTargetWords},
    {"backing", &Row::backing, kBackingNames},
    {"granularity", &Row::granularity, kGranularityWords},
    {"placement", &Row::placement, kPlacementNames},
    {"refcount_regime", &Row::refcount_regime, kRefcountRegimeNames},
    {"load", &Row::load, kLoadNames},
    {"discard", &Row::discard, kDiscardWords},
    {"verdict", &Row::verdict, kVerdictNames},
    {"status", &Row::status, kStatusNames},
});

struct NameColumn {
  std::string_view column;
  Row::Text Row::*member;
};
constexpr auto kNameColumns = std::to_array<NameColumn>(
    {{"protocol", &Row::protocol}, {"workload", &Row::workload}, {"lock", &Row::lock}});

constexpr std::uint64_t kMostOfAnything = std::uint64_t{1} << 62;
constexpr std::uint64_t kLongestNs = std::uint64_t{366} * 24 * 3600 * 1'000'000'000;

struct CountRange {
  std::string_view column;
  Row::Count Row::*member;
  std::uint64_t low;
  std::uint64_t high;
};
constexpr auto kCountRanges = std::to_array<CountRange>({
    {"frame_bytes", &Row::frame_bytes, 1, std::uint64_t{1} << 40},
    {"entry_bytes", &Row::entry_bytes, 1, std::uint64_t{1} << 40},
    {"pmem_node", &Row::pmem_node, 0, 1U << 20},
    {"threads", &Row::threads, 1, 1U << 20},
    {"file_pages", &Row::file_pages, 1, std::uint64_t{1} << 40},
    {"queue_depth", &Row::queue_depth, 1, 1U << 20},
    {"repetition", &Row::repetition, 0, 1U << 30},
    {"ops", &Row::ops, 0, kMostOfAnything},
    {"duration_ns", &Row::duration_ns, 0, kLongestNs},
    {"lat_min_ns", &Row::lat_min_ns, 0, kLongestNs},
    {"lat_p50_ns", &Row::lat_p50_ns, 0, kLongestNs},
    {"lat_p90_ns", &Row::lat_p90_ns, 0, kLongestNs},
    {"lat_p99_ns", &Row::lat_p99_ns, 0, kLongestNs},
    {"lat_p999_ns", &Row::lat_p999_ns, 0, kLongestNs},
    {"lat_max_ns", &Row::lat_max_ns, 0, kLongestNs},
    {"resp_p50_ns", &Row::resp_p50_ns, 0, kLongestNs},
    {"resp_p99_ns", &Row::resp_p99_ns, 0, kLongestNs},
    {"resp_max_ns", &Row::resp_max_ns, 0, kLongestNs},
    {"wait_p99_ns", &Row::wait_p99_ns, 0, kLongestNs},
    {"wait_max_ns", &Row::wait_max_ns, 0, kLongestNs},
    {"lock_wait_sum_ns", &Row::lock_wait_sum_ns, 0, kMostOfAnything},
    {"break_wait_sum_ns", &Row::break_wait_sum_ns, 0, kMostOfAnything},
    {"dio_wait_sum_ns", &Row::dio_wait_sum_ns, 0, kMostOfAnything},
    {"lease_wait_sum_ns", &Row::lease_wait_sum_ns, 0, kMostOfAnything},
    {"shootdown_sum_ns", &Row::shootdown_sum_ns, 0, kMostOfAnything},
    {"zap_sum_ns", &Row::zap_sum_ns, 0, kMostOfAnything},
    {"faults_real", &Row::faults_real, 0, kMostOfAnything},
    {"retries", &Row::retries, 0, kMostOfAnything},
    {"freed_busy", &Row::freed_busy, 0, kMostOfAnything},
    {"stale_access", &Row::stale_access, 0, kMostOfAnything},
    {"corruption", &Row::corruption, 0, kMostOfAnything},
    {"misplaced", &Row::misplaced, 0, kMostOfAnything},
    {"stale_data", &Row::stale_data, 0, kMostOfAnything},
    {"unflushed", &Row::unflushed, 0, kMostOfAnything},
    {"leak", &Row::leak, 0, kMostOfAnything},
    {"hang", &Row::hang, 0, kMostOfAnything},
});

std::string in_quotes(std::string_view value) { return fmt::format("\"{}\"", value.substr(0, 40)); }

bool is_in(WordSet words, std::string_view word) { return std::ranges::find(words, word) != words.end(); }

Complaint not_one_of(std::string_view column, std::string_view value, WordSet words) {
  return fmt::format("{} is {}, not one of {}", column, in_quotes(value), fmt::join(words, ", "));
}

Complaint word_outside_its_set(const Row& row) {
  for (const ClosedSet& set : kClosedSets)
    if (const std::string& value = row.*set.member; !value.empty() && !is_in(set.words, value))
      return not_one_of(set.column, value, set.words);
  if (row.path.empty() || row.path == kAllPaths || is_in(kPathNames, row.path)) return std::nullopt;
  return fmt::format("path is {}, neither \"{}\" nor a path of daxrace", in_quotes(row.path), kAllPaths);
}

/// A row of a whole episode says how it ended; nothing may stand for "all is well".
Complaint no_ending(const Row& row) {
  if (row.path != kAllPaths) return std::nullopt;
  if (row.verdict.empty()) return not_one_of("verdict", row.verdict, kVerdictNames);
  if (row.status.empty()) return not_one_of("status", row.status, kStatusNames);
  return std::nullopt;
}

/// H1+H4: each once, in their order.
bool are_hazards(std::string_view text) {
  std::size_t next = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t plus = std::min(text.find('+', at), text.size());
    const auto* const found = std::find(kHazardNames.begin() + static_cast<std::ptrdiff_t>(next),
                                        kHazardNames.end(), text.substr(at, plus - at));
    if (found == kHazardNames.end()) return false;
    next = static_cast<std::size_t>(found - kHazardNames.begin()) + 1;
    at = plus + 1;
  }
  return true;
}

Complaint unknown_hazards(const Row& row) {
  for (const auto& [column, value] :
       {std::pair{"promises", &row.promises}, std::pair{"violated", &row.violated}})
    if (!value->empty() && !are_hazards(*value))
      return fmt::format("{} is {}, not hazards such as H1+H4", column, in_quotes(*value));
  return std::nullopt;
}

bool is_name(std::string_view text) {
  constexpr std::string_view kOfNames =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+.@:-";
  return text.size() <= 64 && text.find_first_not_of(kOfNames) == std::string_view::npos;
}

Complaint ill_formed_name(const Row& row) {
  for (const NameColumn& name : kNameColumns)
    if (const std::string& value = row.*name.member;
        !is_name(value) || (value.empty() && name.member == &Row::protocol))
      return fmt::format("{} is {}, not a name", name.column, in_quotes(value));
  return std::nullopt;
}

/// 2018-07-26T22:09:01Z
bool is_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  const auto fits = [](char form, char c) { return form == '0' ? c >= '0' && c <= '9' : c == form; };
  if (!std::ranges::equal(kForm, text, fits)) return false;
  const auto number = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const int month = number(5);
  const int day = number(8);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && number(11) < 24 && number(14) < 60 &&
         number(17) <= 60;
}

Complaint bad_time(const Row& row) {
  if (row.time_utc.empty() || is_time(row.time_utc)) return std::nullopt;
  return fmt::format("time_utc is {}, not a time such as 2018-07-26T22:09:01Z", in_quotes(row.time_utc));
}

Complaint out_of_range(const Row& row) {
  for (const CountRange& range : kCountRanges)
    if (const Row::Count& value = row.*range.member; value && (*value < range.low || *value > range.high))
      return fmt::format("{} is \"{}\", not from {} to {}", range.column, *value, range.low, range.high);
  constexpr double kFastest = 1e15;
  for (const auto& [column, value, high] : {std::tuple{"offered_per_s", &row.offered_per_s, kFastest},
                                            std::tuple{"ops_per_s", &row.ops_per_s, kFastest},
                                            std::tuple{"served_share", &row.served_share, 1.0}})
    if (*value && !(**value >= 0 && **value <= high))
      return fmt::format("{} is \"{}\", not from 0 to {}", column, **value, high);
  return std::nullopt;
}

/// Quantiles of the same samples, in their order.
Complaint out_of_order(const Row& row) {
  const std::array service = {row.lat_min_ns, row.lat_p50_ns,  row.lat_p90_ns,
                              row.lat_p99_ns, row.lat_p999_ns, row.lat_max_ns};
  const std::array response = {row.resp_p50_ns, row.resp_p99_ns, row.resp_max_ns};
  const auto falls = [](std::span<const Row::Count> values) {
    std::uint64_t before = 0;
    for (const Row::Count& value : values) {
      if (value && *value < before) return true;
      before = value.value_or(before);
    }
    return false;
  };
  if (falls(service)) return "lat_min_ns to lat_max_ns do not rise";
  if (falls(response)) return "resp_p50_ns to resp_max_ns do not rise";
  return std::nullopt;
}

Complaint damaged_histogram(const Row& row) {
  for (const auto& [column, value] :
       {std::pair{"lat_hist", &row.lat_hist}, std::pair{"resp_hist", &row.resp_hist}}) {
    if (value->empty()) continue;
    try {
      (void)Histogram::decode(*value);
    } catch (const Error& error) {
      return fmt::format("{} is {}", column, error.what());
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unsound(const Row& row) {
  for (const auto& look : {word_outside_its_set, no_ending, unknown_hazards, ill_formed_name, bad_time,
                           out_of_range, out_of_order, damaged_histogram})
    if (Complaint complaint = look(row)) return complaint;
  return std::nullopt;
}

}  // namespace daxrace
