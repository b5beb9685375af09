#pragma once

#include <array>
#include <cstdint>

#include "harness/base/types.hpp"
#include "harness/platform/clock.hpp"
#include "harness/results/histogram.hpp"

namespace daxrace {

/// What one worker recorded of one path.
struct PathRecord {
  std::uint64_t ops = 0;
  std::uint64_t retries = 0;
  std::uint64_t faults_real = 0;
  Histogram service_ns;
  Histogram response_ns;
  Histogram wait_ns;
  std::array<Clock::Ticks, kPhaseCount> phase_ticks{};
};

/// One operation's times, in clock ticks.
struct Timing {
  Clock::Ticks intended = 0;  ///< 0: no schedule
  Clock::Ticks start = 0;
  Clock::Ticks end = 0;
};

/// One worker's results: written by that worker alone, merged after it has ended.
struct alignas(64) Recorder {
  std::array<PathRecord, kPathCount> paths;
  std::uint64_t effective_ops = 0;
  std::uint64_t offered = 0;  ///< intended starts in the measured part
  std::uint64_t served = 0;   ///< of those, started before it ended
  std::uint64_t io_errors = 0;
  int last_io_error = 0;

  void record(Path path, Timing timing, const std::array<Clock::Ticks, kPhaseCount>& phases) noexcept {
    PathRecord& to = paths[static_cast<std::size_t>(path)];
    ++to.ops;
    to.service_ns.record(Clock::to_ns(timing.end - timing.start));
    if (timing.intended != 0) to.response_ns.record(Clock::to_ns(timing.end - timing.intended));
    for (std::size_t i = 0; i < kPhaseCount; ++i) to.phase_ticks[i] += phases[i];
    constexpr auto kWaits = static_cast<std::size_t>(Phase::lease_wait) + 1;
    Clock::Ticks waited = 0;
    for (std::size_t i = 0; i < kWaits; ++i) waited += phases[i];
    to.wait_ns.record(Clock::to_ns(waited));
  }
  void count(Path path) noexcept { ++paths[static_cast<std::size_t>(path)].ops; }
};

}  // namespace daxrace
