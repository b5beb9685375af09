#include "harness/engine/standstill.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include "harness/base/disturbance.hpp"
#include "harness/base/duration_text.hpp"
#include "harness/base/parallel.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace {
namespace {

constexpr std::uint64_t kTurnNs = 2'000'000;

std::uint64_t read_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

// CLOCK_BOOTTIME goes on while the machine is suspended.
Standstill::Standstill(std::size_t threads)
    : unseen_cpu_ns_(kTurnNs * std::min<std::size_t>(threads, thread_per_cpu())),
      turn_ns_(Clock::monotonic_ns()),
      wall_ns_(read_ns(CLOCK_BOOTTIME)),
      cpu_ns_(read_ns(CLOCK_PROCESS_CPUTIME_ID)) {}

std::uint64_t Standstill::look() {
  constexpr std::uint64_t kLongNs = 250'000'000;
  const std::uint64_t wall_before_ns = std::exchange(wall_ns_, read_ns(CLOCK_BOOTTIME));
  const std::uint64_t cpu_before_ns = std::exchange(cpu_ns_, read_ns(CLOCK_PROCESS_CPUTIME_ID));
  const std::uint64_t gap_ns = wall_ns_ - wall_before_ns;
  // A watch that is late while the workers run is only late.
  if (gap_ns >= kLongNs && cpu_ns_ - cpu_before_ns < gap_ns / 20 + unseen_cpu_ns_) total_ns_ += gap_ns;
  const std::uint64_t before_ns = std::exchange(turn_ns_, Clock::monotonic_ns());
  return turn_ns_ - before_ns;
}

std::string standstill_remark(std::uint64_t ns) {
  return std::string(kStandstill) + " " + scaled_time(static_cast<double>(ns));
}

}  // namespace daxrace
