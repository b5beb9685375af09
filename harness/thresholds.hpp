#pragma once

namespace daxrace {

/// A peer below this completes inside the submission: nothing would ever be in flight.
inline constexpr double kLeastAsyncShare = 0.9;
/// A paced episode that served less of its offered load is saturated: its latencies are not compared.
inline constexpr double kLeastServedShare = 0.99;

}  // namespace daxrace
