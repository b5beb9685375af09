#include "harness/platform/clock.hpp"

#include <fstream>
#include <string>

namespace daxrace {
namespace {

bool kernel_trusts_tsc() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  file >> name;
  return name == "tsc";
}

}  // namespace

void Clock::calibrate() {
  static bool done = false;
  if (done) return;
  done = true;
#if defined(__x86_64__)
  if (kernel_trusts_tsc()) {
    constexpr std::uint64_t kIntervalNs = 20'000'000;
    const std::uint64_t start_ns = monotonic_ns();
    const std::uint64_t start_tsc = __rdtsc();
    std::uint64_t end_ns = start_ns;
    while (end_ns - start_ns < kIntervalNs) end_ns = monotonic_ns();
    const std::uint64_t end_tsc = __rdtsc();
    ns_per_tick_ = static_cast<double>(end_ns - start_ns) / static_cast<double>(end_tsc - start_tsc);
    use_tsc_ = true;
  }
#endif
  constexpr int kReads = 20'000;
  Ticks sink = 0;
  const std::uint64_t start_ns = monotonic_ns();
  for (int i = 0; i < kReads; ++i) sink += now();
  const std::uint64_t end_ns = monotonic_ns();
  volatile Ticks keep = sink;
  (void)keep;
  read_cost_ns_ = static_cast<double>(end_ns - start_ns) / kReads;
}

}  // namespace daxrace
