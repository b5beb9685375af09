#include "harness/platform/zap_cost.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include "harness/platform/clock.hpp"

namespace daxrace {
namespace {

std::uint64_t median_ns(std::vector<Clock::Ticks>& ticks) {
  const auto middle = ticks.begin() + static_cast<std::ptrdiff_t>(ticks.size() / 2);
  std::nth_element(ticks.begin(), middle, ticks.end());
  return Clock::to_ns(*middle);
}

}  // namespace

ZapCost measure_zap_cost(Region& region) {
  constexpr int kRounds = 301;
  std::vector<Clock::Ticks> zaps;
  std::vector<Clock::Ticks> touches;
  auto& word = *reinterpret_cast<std::uint64_t*>(region.user(0));
  for (int i = 0; i < kRounds; ++i) {
    const Clock::Ticks start = Clock::now();
    std::atomic_ref(word).fetch_add(0, std::memory_order_relaxed);
    const Clock::Ticks touched = Clock::now();
    region.zap(0, 1);
    const Clock::Ticks zapped = Clock::now();
    touches.push_back(touched - start);
    zaps.push_back(zapped - touched);
  }
  return {median_ns(zaps), median_ns(touches)};
}

}  // namespace daxrace
