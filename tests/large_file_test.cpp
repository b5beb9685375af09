// A punch must cost what it finds, not what the file has.
#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "protocols/iolock_mmaplock.hpp"
#include "tests/engine_rig.hpp"

namespace daxrace {
namespace {

/// Frames of a sparse region that hold nothing: filling a file must not touch them.
template <class E>
class UntouchedStore : public RunStore<E> {
 public:
  using RunStore<E>::RunStore;
  void zero(FrameNumber frame) noexcept {
    if (touches_) RunStore<E>::zero(frame);
  }
  void touch_from_now_on() { touches_ = true; }

 private:
  bool touches_ = false;
};

using Safe = protocol::iolock_mmaplock;

/// p50 of punching one page that was faulted just before, in a file with `extents` extents.
double punch_p50_ns(std::uint32_t extents) {
  using Rig = EngineRig<Oracle, UntouchedStore>;
  RegionSpec spec;
  spec.bytes = std::size_t{extents + 16} * 4096;
  spec.sparse = true;
  const auto region = Region::open(spec);
  typename Rig::Options options;
  options.pages = extents;
  options.mappings = 1;
  options.frames = extents + 16;
  Rig rig(options, *region);
  for (PageOffset page = 0; page < extents; ++page) core::allocate_block(rig.k(), rig.file, page);
  rig.store().touch_from_now_on();
  std::vector<std::uint64_t> times_ns;
  for (int i = 0; i < 2'000; ++i) {
    const PageOffset page = static_cast<PageOffset>(i) * 7 % 64 * (extents / 64);
    core::handle_fault<Safe>(rig.k(), rig.file, 0, page, true);
    auto change = core::Change::punch({page, page + 1});
    const std::uint64_t start = Clock::monotonic_ns();
    Safe::change(rig.k(), rig.file, change);
    times_ns.push_back(Clock::monotonic_ns() - start);
  }
  std::nth_element(times_ns.begin(), times_ns.begin() + 1'000, times_ns.end());
  return static_cast<double>(times_ns[1'000]);
}

double resident_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

TEST(PerfLargeFile, punch_costs_the_same_with_a_million_extents) {
  if (kSanitized) GTEST_SKIP() << "times mean nothing in a sanitizer build";
  double best = 1e9;
  for (int attempt = 0; attempt < 3 && best > 1.5; ++attempt) {
    const double small_ns = punch_p50_ns(1'000);
    const double large_ns = punch_p50_ns(1'000'000);
    best = std::min(best, large_ns / small_ns);
    fmt::print(
        "punch p50: {:.0f} ns at 1 000 extents, {:.0f} ns at 1 000 000 (ratio {:.2f}); peak memory {:.0f} "
        "MB\n",
        small_ns, large_ns, large_ns / small_ns, resident_mb());
  }
  EXPECT_LE(best, 1.5);
}

TEST(LargeFile, a_million_extents_take_little_memory) {
  if (kSanitized) GTEST_SKIP() << "shadow memory counts too";
  EXPECT_GT(punch_p50_ns(1'000'000), 0);
  EXPECT_LT(resident_mb(), 200);
}

}  // namespace
}  // namespace daxrace
