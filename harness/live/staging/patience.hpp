#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "harness/live/observe/helper.hpp"

namespace daxrace::kernel {

inline constexpr std::uint64_t kHangBoundNs = 5'000'000'000;

/// What threads do that were given all that they may have waited for: all ended; those that have not all
/// sleep and do not wake; all use a CPU without end; or anything else, such as waking now and then.
enum class Going : std::uint8_t { ended, asleep, running, restless };

/// How long a thread that should end is waited for before it is said to hang. A look of a moment cannot tell
/// a thread that sleeps for ever from one that looks again each second: a wait counts as one for ever only
/// once somebody has slept in it for the whole bound without waking. It is remembered, and who sleeps there
/// later needs no second proof.
class Patience {
 public:
  explicit Patience(std::uint64_t bound_ns = kHangBoundNs) : bound_ns_(bound_ns) {}

  std::uint64_t bound_ns() const { return bound_ns_; }
  /// Waits for the threads to end, at most for the bound.
  Going settle(const std::vector<const Helper*>& threads);
  /// How that was found out, to stand behind `what`.
  std::string after(const std::string& what, Going going) const;

  /// The waits in which somebody slept for the bound.
  std::set<std::string> known() const;
  void learn(const std::string& wait);

 private:
  std::uint64_t bound_ns_;
  mutable std::mutex mutex_;
  std::set<std::string> known_;
};

}  // namespace daxrace::kernel
