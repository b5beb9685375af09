#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <random>
#include <string>

#include "harness/base/error.hpp"
#include "harness/base/stamp.hpp"
#include "harness/engine/episode.hpp"
#include "harness/load/workload.hpp"
#include "harness/platform/clock.hpp"
#include "harness/platform/io_ring.hpp"
#include "harness/platform/region.hpp"
#include "tests/sanitized.hpp"

namespace daxrace {

/// DAXRACE_TEST_SEED repeats a failure; otherwise every run draws its own, and prints it when it fails.
inline std::uint64_t test_seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("DAXRACE_TEST_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::uint64_t{std::random_device{}()};
  }();
  return seed;
}

/// Frames on memory and a peer, opened once for all tests of a program.
struct TestMachine {
  std::unique_ptr<Region> region;
  std::unique_ptr<Peer> peer;  ///< null where there is no asynchronous O_DIRECT
  std::string no_peer_reason;

  static TestMachine& get() {
    static TestMachine machine;
    return machine;
  }

 private:
  TestMachine() {
    Clock::calibrate();
    RegionSpec spec;
    spec.bytes = std::size_t{512} * 4096;
    region = Region::open(spec);
    try {
      peer = Peer::open("", kIoBytes, 4096, false);
    } catch (const std::exception& error) {
      no_peer_reason = error.what();
    }
  }
};

inline EpisodeConfig closed_config(const Workload& workload, std::uint64_t seed) {
  EpisodeConfig config;
  config.workload = &workload;
  config.load = Load::closed;
  config.threads = workload.closed_threads();
  config.placement.overcommitted = true;
  config.file_pages = 16;
  config.seed = seed;
  config.warmup_ns = 0;
  config.hang_bound_ns = 4'000'000'000;
  config.measure_ns = 100'000'000;
  return config;
}

inline std::ostream& operator<<(std::ostream& out, const EpisodeResult& result) {
  out << name_in(kStatusNames, result.status) << ' ' << result.reason << " violated "
      << result.violated.text() << '\n';
  for (const Violation& violation : result.violations) {
    out << name_in(kDetectorNames, violation.detector) << ' ' << name_in(kHazardNames, violation.hazard)
        << ": " << violation.what << '\n';
    for (const std::string& line : violation.timeline) out << "    " << line << '\n';
  }
  for (const std::string& line : result.hang_report) out << line << '\n';
  return out;
}

}  // namespace daxrace
