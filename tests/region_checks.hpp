#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/platform/region.hpp"

/// What every backing must do, on this machine and in a guest with real DAX.
namespace daxrace::region_checks {

inline std::uint64_t thread_faults() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt + usage.ru_majflt);
}

/// Not instrumented: a sanitizer's shadow memory has page faults of its own.
__attribute__((noinline, no_sanitize("thread", "address"))) inline std::uint64_t touch(std::byte* at) {
  return __atomic_fetch_add(reinterpret_cast<std::uint64_t*>(at), 0, __ATOMIC_SEQ_CST);
}

/// Message of the Error that opening throws, or a note that it did not.
inline std::string open_error(const RegionSpec& spec) {
  try {
    (void)Region::open(spec);
  } catch (const Error& error) {
    return error.what();
  } catch (const Skipped& skipped) {
    return std::string("skipped: ") + skipped.what();
  }
  return "opened";
}

/// KiB under huge translations within the mapping that holds `at`.
inline std::uint64_t huge_kib(const std::byte* at) {
  std::ifstream smaps("/proc/self/smaps");
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  bool inside = false;
  std::uint64_t kib = 0;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t first = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &first, &end) == 2) {
      inside = address >= first && address < end;
    } else if (inside && line.find("PmdMapped:") != std::string::npos) {
      kib += std::stoul(line.substr(line.find(':') + 1));
    }
  }
  return kib;
}

/// Zaps every frame in turn: its neighbours must keep their translations, and it must come back with one
/// fault.
inline void expect_one_fault_per_zapped_frame(Region& region) {
  const std::size_t frames = std::min<std::size_t>(region.facts().frames, 1024);
  ASSERT_GE(frames, 3U);
  for (FrameNumber frame = 0; frame < frames; ++frame) touch(region.user(frame));
  std::size_t exact = 0;
  std::size_t neighbours_lost = 0;
  for (FrameNumber frame = 1; frame + 1 < frames; ++frame) {
    region.zap(frame, 1);
    const std::uint64_t start = thread_faults();
    touch(region.user(frame - 1));
    touch(region.user(frame + 1));
    const std::uint64_t neighbours = thread_faults();
    touch(region.user(frame));
    const std::uint64_t end = thread_faults();
    touch(region.user(frame));
    if (neighbours != start) ++neighbours_lost;
    if (end - neighbours == 1 && thread_faults() == end) ++exact;
  }
#if defined(__SANITIZE_THREAD__)
  const std::size_t stray = frames / 20;  // its trace buffers fault while we count
#else
  const std::size_t stray = 1;  // the thread's own stack and code may fault as well, though hardly ever
#endif
  EXPECT_LE(neighbours_lost, stray);
  EXPECT_GE(exact + stray, frames - 2);
}

inline void expect_a_range_is_zapped_at_once(Region& region) {
  const std::size_t frames = std::min<std::size_t>(region.facts().frames, 64);
  for (FrameNumber frame = 0; frame < frames; ++frame) touch(region.user(frame));
  region.zap(0, frames);
  const std::uint64_t start = thread_faults();
  // Nobody is mapped near them now: a kernel that maps a whole large folio at once would show here.
  for (FrameNumber frame = 0; frame < frames; ++frame) touch(region.user(frame));
  EXPECT_NEAR(static_cast<double>(thread_faults() - start), static_cast<double>(frames), 1.0);
}

/// Copies go through the direct map: they neither need nor restore a user translation.
inline void expect_direct_copies_leave_user_translations_alone(Region& region) {
  std::vector<std::byte> buffer(region.facts().frame_bytes, std::byte{0x3c});
  const auto copy = [&] {
    region.write_frame(1, 0, buffer.data(), buffer.size());
    region.read_frame(1, 0, buffer.data(), buffer.size());
  };
  copy();
  touch(region.user(1));
  region.zap(1, 1);
  const std::uint64_t start = thread_faults();
  copy();
  const std::uint64_t copied = thread_faults();
  touch(region.user(1));
  EXPECT_EQ(copied - start, 0U);
  EXPECT_EQ(thread_faults() - copied, 1U);
}

/// Every frame holds its own number, written through one mapping and seen through the other, first and last
/// word.
inline void expect_both_mappings_show_the_same_frames(Region& region) {
  const std::size_t bytes = region.facts().frame_bytes;
  const FrameNumber frames = static_cast<FrameNumber>(region.facts().frames);
  const auto word = [](std::byte* at) {
    return std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at));
  };
  for (FrameNumber frame = 0; frame < frames; ++frame) {
    const std::uint64_t stamp = 0x1000'0000U + frame;
    region.write_frame(frame, 0, &stamp, sizeof stamp);
    region.write_frame(frame, bytes - sizeof stamp, &stamp, sizeof stamp);
  }
  for (FrameNumber frame = 0; frame < frames; ++frame) {
    ASSERT_EQ(word(region.user(frame)).load(), 0x1000'0000U + frame);
    ASSERT_EQ(word(region.user(frame) + bytes - 8).load(), 0x1000'0000U + frame);
    word(region.user(frame) + 8).store(~std::uint64_t{frame});
  }
  for (FrameNumber frame = 0; frame < frames; ++frame) {
    std::uint64_t seen = 0;
    region.read_frame(frame, 8, &seen, sizeof seen);
    ASSERT_EQ(seen, ~std::uint64_t{frame});
  }
}

inline void expect_zero_frame_zeroes_that_frame_alone(Region& region) {
  const std::size_t bytes = region.facts().frame_bytes;
  const std::vector<std::byte> full(bytes, std::byte{0x5a});
  std::vector<std::byte> seen(bytes);
  for (FrameNumber frame = 0; frame < 3; ++frame) region.write_frame(frame, 0, full.data(), bytes);
  region.zero_frame(1);
  region.flush_frame(1);
  for (FrameNumber frame = 0; frame < 3; ++frame) {
    region.read_frame(frame, 0, seen.data(), bytes);
    const std::vector<std::byte> want(bytes, frame == 1 ? std::byte{0} : std::byte{0x5a});
    EXPECT_EQ(std::memcmp(seen.data(), want.data(), bytes), 0) << "frame " << frame;
  }
}

inline void expect_discard_gives_zeros_back(Region& region) {
  const std::uint64_t stamp = 42;
  for (FrameNumber frame = 0; frame < 3; ++frame) region.write_frame(frame, 0, &stamp, sizeof stamp);
  touch(region.user(1));
  ASSERT_TRUE(region.discard(1));
  EXPECT_EQ(touch(region.user(1)), 0U);
  EXPECT_EQ(touch(region.direct(1)), 0U);
  EXPECT_EQ(touch(region.user(0)), stamp);
  EXPECT_EQ(touch(region.user(2)), stamp);
  // The two mappings must not have parted.
  region.write_frame(1, 0, &stamp, sizeof stamp);
  EXPECT_EQ(touch(region.user(1)), stamp);
}

/// Everything above on one region.
inline void expect_frames_behave(Region& region) {
  expect_one_fault_per_zapped_frame(region);
  expect_a_range_is_zapped_at_once(region);
  expect_direct_copies_leave_user_translations_alone(region);
  expect_both_mappings_show_the_same_frames(region);
  expect_zero_frame_zeroes_that_frame_alone(region);
  if (region.facts().frame_bytes < (std::size_t{2} << 20)) {
    EXPECT_EQ(huge_kib(region.user(0)), 0U);
  }
}

}  // namespace daxrace::region_checks
