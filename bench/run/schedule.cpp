#include "bench/run/schedule.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bench/cli/units.hpp"
#include "harness/base/error.hpp"

namespace daxrace {
namespace {

/// SplitMix64. The standard library's shuffle and distributions differ from one implementation to the next.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  /// From 0 to bound-1. The bias is below 2^-40 for the sizes of a matrix.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

 private:
  std::uint64_t state_;
};

/// Set-up, drain and final checks of an episode. On two CPUs (load average 3): 1 ms without a peer, 6 to 14
/// ms with one, 6.5 ms on average over the quick matrix; on a machine that was busy with other things up to
/// 46 ms.
constexpr std::uint64_t kOverheadNs = 10'000'000;

}  // namespace

std::uint64_t episode_seed(std::uint64_t seed, unsigned repetition) {
  return Random(seed ^ (std::uint64_t{repetition} << 32)).next();
}

std::vector<PlannedEpisode> interleave(const std::vector<Configuration>& matrix, std::uint64_t seed) {
  unsigned blocks = 0;
  for (const Configuration& config : matrix) blocks = std::max(blocks, config.repetitions);
  Random random(seed);
  std::vector<PlannedEpisode> order;
  for (unsigned block = 1; block <= blocks; ++block) {
    const auto start = static_cast<std::ptrdiff_t>(order.size());
    for (std::size_t i = 0; i < matrix.size(); ++i)
      if (matrix[i].repetitions >= block) order.push_back({i, block});
    const auto first = order.begin() + start;
    for (auto left = static_cast<std::size_t>(order.end() - first); left > 1; --left)
      std::swap(first[static_cast<std::ptrdiff_t>(left - 1)],
                first[static_cast<std::ptrdiff_t>(random.below(left))]);
  }
  return order;
}

std::uint64_t estimated_ns(const Configuration& config) {
  return config.warmup_ns + config.measure_ns + kOverheadNs;
}

std::uint64_t estimated_ns(const std::vector<Configuration>& matrix) {
  std::uint64_t sum = 0;
  for (const Configuration& config : matrix) sum += config.repetitions * estimated_ns(config);
  return sum;
}

void fit_repetitions(std::vector<Configuration>& matrix, std::uint64_t budget_ns) {
  std::uint64_t block_ns = 0;
  for (const Configuration& config : matrix) block_ns += estimated_ns(config);
  const std::uint64_t repetitions = budget_ns / block_ns;
  if (repetitions == 0)
    throw Error(
        fmt::format("--time={}: one repetition of {} configurations takes about {}; choose fewer, or a "
                    "shorter --duration",
                    duration_text(budget_ns), matrix.size(), duration_text(block_ns)));
  constexpr std::uint64_t kMost = 100'000;
  for (Configuration& config : matrix)
    config.repetitions = static_cast<unsigned>(std::min(repetitions, kMost));
}

}  // namespace daxrace
