// Extents, DAX entries and translations: what a scan must not miss, and what it may cost.
#include "harness/engine/sparse_array.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "harness/engine/perturb.hpp"
#include "harness/engine/run_env.hpp"
#include "tests/test_episode.hpp"

namespace daxrace {
namespace {

using E = RunEnv<Rwsem, NullOracle, NoPerturb>;
using Array = SparseArray<E>;

std::vector<PageOffset> scan(const Array& array, PageRange range) {
  std::vector<PageOffset> found;
  array.for_each(range, [&](PageOffset i) { found.push_back(i); });
  return found;
}

void put(Array& array, PageOffset i, std::uint64_t word) {
  array.update(i, [&](std::uint64_t) { return word; });
}

TEST(SparseArray, behaves_like_a_map) {
  constexpr PageOffset kSize = 5000;
  Array array(kSize);
  std::map<PageOffset, std::uint64_t> model;
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(fmt::format("DAXRACE_TEST_SEED={}", seed));
  Random random(seed);
  for (int step = 0; step < 20'000; ++step) {
    const PageOffset i = random.below(kSize);
    const std::uint64_t word = random.below(3) == 0 ? 0 : random.next() | 1;
    const std::uint64_t old = array.update(i, [&](std::uint64_t) { return word; });
    ASSERT_EQ(old, model.contains(i) ? model[i] : 0);
    if (word == 0) {
      model.erase(i);
    } else {
      model[i] = word;
    }
    if (step % 100 != 0) continue;
    const PageOffset first = random.below(kSize);
    const PageRange range{first, first + random.below(kSize)};
    std::vector<PageOffset> wanted;
    for (const auto& [key, value] : model) {
      if (range.contains(key)) wanted.push_back(key);
    }
    ASSERT_EQ(scan(array, range), wanted);
  }
}

TEST(SparseArray, beyond_its_end_there_is_nothing) {
  Array array(100);
  put(array, 99, 7);
  EXPECT_EQ(array.load(100), 0U);
  EXPECT_EQ(scan(array, {0, 1'000'000}), std::vector<PageOffset>{99});
  EXPECT_TRUE(scan(array, {100, 200}).empty());
  EXPECT_TRUE(scan(array, {50, 50}).empty());
}

/// A word that stands throughout is never missed, however its neighbours come and go.
TEST(SparseArray, a_scan_misses_nothing_that_stands) {
  Array array(256);
  constexpr PageOffset kStands = 65;
  put(array, kStands, 1);
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (PageOffset own : {64U, 66U, 0U}) {
    writers.emplace_back([&, own] {
      while (!stop.load()) {
        put(array, own, 1);
        put(array, own, 0);
      }
    });
  }
  for (int i = 0; i < 20'000; ++i) {
    const auto found = scan(array, {0, 256});
    ASSERT_TRUE(std::ranges::find(found, kStands) != found.end());
  }
  stop.store(true);
  for (std::thread& writer : writers) writer.join();
}

/// Best of several passes over random pages, in nanoseconds per lookup + remove + insert.
double ns_per_replace(std::uint32_t extents) {
  Array array(extents);
  for (PageOffset i = 0; i < extents; ++i) put(array, i, i + 1);
  constexpr int kOps = 20'000;
  double best = 1e9;
  for (int pass = 0; pass < 7; ++pass) {
    Random random(static_cast<std::uint64_t>(pass));
    const std::uint64_t start = Clock::monotonic_ns();
    for (int op = 0; op < kOps; ++op) {
      const PageOffset i = random.below(extents);
      const std::uint64_t word = array.load(i);
      array.update(i, [](std::uint64_t) { return std::uint64_t{0}; });
      array.update(i, [&](std::uint64_t) { return word; });
    }
    best = std::min(best, static_cast<double>(Clock::monotonic_ns() - start) / kOps);
  }
  return best;
}

TEST(PerfSparseArray, a_million_extents_cost_little_more_than_a_thousand) {
  if (kSanitized) GTEST_SKIP() << "times mean nothing in a sanitizer build";
  const double small_ns = ns_per_replace(1'000);
  const double large_ns = ns_per_replace(1'000'000);
  fmt::print("lookup + remove + insert: {:.0f} ns at 1 000 extents, {:.0f} ns at 1 000 000\n", small_ns,
             large_ns);
  EXPECT_LE(large_ns, 1000);
  EXPECT_LE(large_ns, 4 * small_ns);
}

}  // namespace
}  // namespace daxrace
