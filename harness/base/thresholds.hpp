#pragma once

#include <optional>

namespace daxrace {

/// A peer below this completes inside the submission: nothing would ever be in flight.
inline constexpr double kLeastAsyncShare = 0.9;
/// A paced episode that served less of its offered load is saturated: its latencies are not compared.
inline constexpr double kLeastServedShare = 0.99;

inline bool is_saturated(std::optional<double> served_share) {
  return served_share && *served_share < kLeastServedShare;
}

}  // namespace daxrace
