#pragma once

#include <string>
#include <string_view>

#include "harness/results/csv.hpp"

namespace daxrace {

/// How an episode ended, as its row `all` says it. Every verb asks here what is bad, and what is none.
struct EpisodeEnd {
  std::string_view verdict;
  std::string_view status;

  bool skipped() const;  ///< it never ran
  bool broken() const;   ///< a promise was
  /// A hang that is declared beside the promise, as a finding, is none.
  bool hung() const;
  bool failed() const;
  bool bad() const { return broken() || hung() || failed(); }
};
EpisodeEnd end_of(const Row& episode);

/// Why the paths of an episode without its row `all` do not count.
inline constexpr std::string_view kUnfinished = "unfinished";

/// Why an episode's latencies are kept out of cost tables, in a word or two, from its row `all`; empty if
/// they are not.
std::string cost_exclusion(const Row& episode);
/// The same for its throughput, which a closed or saturated load is there to find.
std::string throughput_exclusion(const Row& episode);

/// Whether waits and throughput of an episode say anything: not those of an emulated CPU, or between
/// artificial delays.
bool times_mean_something(const Row& episode);

}  // namespace daxrace
