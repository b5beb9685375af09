#include <atomic>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <sys/mman.h>

#include "bench/overhead/comparisons.hpp"
#include "harness/base/error.hpp"
#include "harness/engine/episode_support.hpp"
#include "harness/engine/perturb.hpp"
#include "harness/load/workload.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace::overhead {
namespace {

void touch(std::byte* at) {
  std::atomic_ref(*reinterpret_cast<std::uint64_t*>(at)).fetch_add(0, std::memory_order_relaxed);
}

struct BareLoop {
  std::uint64_t pairs = 0;
  std::uint64_t cpu_ns = 0;
  Clock::Ticks touches = 0;
};

/// What every zap and fault costs at the least: the system call and the touch, with the two clock reads
/// without which it could not be measured.
BareLoop bare_loop(const Region& region, std::uint64_t seed, const std::atomic<bool>& stop) {
  const std::size_t bytes = region.facts().frame_bytes;
  for (FrameNumber frame = 0; frame < Rig::kFilePages; ++frame) touch(region.user(frame));
  Random random(seed);
  BareLoop loop;
  const std::uint64_t cpu_before = thread_cpu_ns();
  while (!stop.load(std::memory_order_relaxed)) {
    std::byte* const page = region.user(random.below(Rig::kFilePages));
    madvise(page, bytes, MADV_DONTNEED);
    const Clock::Ticks start = Clock::now();
    touch(page);
    loop.touches += Clock::now() - start;
    ++loop.pairs;
  }
  loop.cpu_ns = thread_cpu_ns() - cpu_before;
  return loop;
}

/// In a thread of its own, with another one that sleeps and looks, as in an episode.
std::vector<double> bare_pair_time(const Rig& rig, std::uint64_t seed) {
  std::atomic<bool> stop{false};
  std::atomic<bool> failed{false};
  BareLoop loop;
  std::thread worker([&] {
    try {
      bind_thread_to_cpu(rig.cpu());
      loop = bare_loop(rig.region(), seed, stop);
    } catch (const Error&) {
      failed = true;
    }
  });
  const std::uint64_t end = Clock::monotonic_ns() + rig.options().episode_ns;
  while (Clock::monotonic_ns() < end) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  stop = true;
  worker.join();
  if (failed || loop.pairs == 0 || loop.touches == 0) throw Error("the bare loop did not run");
  return {static_cast<double>(loop.cpu_ns) / static_cast<double>(loop.pairs)};
}

std::vector<double> engine_pair_time(const Rig& rig, std::string_view protocol, std::uint64_t seed) {
  const EpisodeResult result = rig.run(protocol, rig.config(workload_named("fault"), seed));
  const auto faults = result.paths.find(Path::fault);
  if (faults == result.paths.end()) throw Error("the fault preset installed nothing");
  return {static_cast<double>(result.worker_cpu_ns) / static_cast<double>(faults->second.ops)};
}

}  // namespace

std::vector<Comparison> zap_comparisons(const Rig& rig) {
  constexpr Bar kBar{Bar::Kind::at_most, 120, 0, 0};
  std::vector<Comparison> all;
  for (const std::string_view protocol : {"none", "iolock_mmaplock"}) {
    all.push_back({"zap + fault",
                   std::string(protocol),
                   {{"time per pair", "ns", Effect::difference, kBar}},
                   [&rig](std::uint64_t seed) { return bare_pair_time(rig, seed); },
                   [&rig, protocol](std::uint64_t seed) { return engine_pair_time(rig, protocol, seed); }});
  }
  return all;
}

}  // namespace daxrace::overhead
