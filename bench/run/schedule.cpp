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

/// Set-up, drain and final checks of an episode, as measured on two CPUs of a VM (their CPU time, since other
/// work may take its turns in between): a million pages of 4 KiB 5 to 18 s, 2048 workers 4 to 11 s, 100 000
/// pages and a peer to write 8 to 18 s.
constexpr std::uint64_t kBaseNs = 4'000'000;
constexpr std::uint64_t kPageNs = 7'000;        ///< its frame, stamp and last check
constexpr double kByteNs = 0.35;                ///< of frames, to be zeroed and read
constexpr std::uint64_t kPeerPageNs = 80'000;   ///< two blocks of the peer, each written by itself
constexpr std::uint64_t kWorkerNs = 3'000'000;  ///< its histograms, made and merged
constexpr std::uint64_t kFreeWorkers = 4;       ///< within kBaseNs

std::uint64_t workers_of(const Configuration& config) {
  return config.load == Load::closed ? config.workload->closed_threads() : config.threads;
}

std::uint64_t set_up_ns(const Configuration& config) {
  std::uint64_t page_ns =
      kPageNs + static_cast<std::uint64_t>(kByteNs * static_cast<double>(config.frame_bytes));
  if (config.workload->needs_peer()) page_ns += kPeerPageNs;
  const std::uint64_t workers = workers_of(config);
  const std::uint64_t extra = workers > kFreeWorkers ? workers - kFreeWorkers : 0;
  return kBaseNs + config.file_pages * page_ns + extra * kWorkerNs;
}

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
  return config.warmup_ns + config.measure_ns + set_up_ns(config);
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
