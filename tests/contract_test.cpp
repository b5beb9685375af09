// What every protocol is held to, whatever it is called: a new word in protocols/CMakeLists.txt is tested
// here without another line.
#include <chrono>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/test_episode.hpp"

namespace daxrace {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

constexpr Hazards kAccessHazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h5);

bool promises_every_access_but_leases(const ProtocolInfo& info) {
  constexpr Hazards kWanted(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4);
  return (info.promises & kWanted) == kWanted;
}

std::string name_of(const ::testing::TestParamInfo<std::size_t>& info) {
  return std::string(protocols()[info.param].info.name);
}

class Contract : public ::testing::TestWithParam<std::size_t> {
 protected:
  static const ProtocolEntry& protocol() { return protocols()[GetParam()]; }
  static TestMachine& machine() { return TestMachine::get(); }

  static EpisodeResult run(const EpisodeConfig& config) {
    EpisodeResult result = protocol().run(config, *machine().region, machine().peer.get());
    if (result.status == Status::error) ADD_FAILURE() << result.reason;
    return result;
  }

  /// Skips a workload whose I/O this machine cannot do; the reason is printed once.
  static bool can_run(const Workload& workload) {
    return !workload.needs_peer() || machine().peer != nullptr;
  }
};

/// No promise may ever break, under any preset, with and without delays, under both refcount rules.
TEST_P(Contract, keeps_its_promises_under_every_preset) {
  const bool safe = promises_every_access_but_leases(protocol().info);
  const double budget_s = kSanitized ? 6 : safe ? 20 : 4;
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(fmt::format("DAXRACE_TEST_SEED={}", seed));
  std::uint64_t effective = 0;
  std::uint64_t round = 0;
  const auto start = SteadyClock::now();
  while (seconds_since(start) < budget_s) {
    for (const Workload& workload : workloads()) {
      if (!can_run(workload)) continue;
      EpisodeConfig config = closed_config(workload, seed + round);
      config.measure_ns = 60'000'000;
      config.perturb = round % 2 == 1;
      config.refcount_regime = round % 4 < 2 ? RefcountRegime::ref1 : RefcountRegime::ref0;
      config.pages_per_entry = round % 8 < 6 ? 1 : 4;
      config.queue_depth = round % 3 == 2 ? 4 : 1;
      config.hang_bound_ns = config.refcount_regime == RefcountRegime::ref0 ? 3'000'000'000 : 8'000'000'000;
      const EpisodeResult result = run(config);
      const bool declared_hang = result.status == Status::hang && result.verdict == Verdict::finding;
      ASSERT_TRUE(result.status == Status::ok || declared_hang) << workload.name << '\n' << result;
      ASSERT_NE(result.verdict, Verdict::broken) << workload.name << '\n' << result;
      effective += result.effective_ops;
    }
    ++round;
  }
  fmt::print("{}: {} rounds, {} effective operations, seed {}\n", protocol().info.name, round, effective,
             seed);
  if (safe && !kSanitized) {
    EXPECT_GT(effective, 100'000U);
  }
}

/// An unsafe protocol must be seen to fail: within 2 s, 20 times out of 20, and never in what it promises.
TEST_P(Contract, an_unsafe_protocol_is_caught_within_two_seconds_each_time) {
  if (promises_every_access_but_leases(protocol().info))
    GTEST_SKIP() << "promises every access but leased ones";
  if (machine().peer == nullptr) GTEST_SKIP() << machine().no_peer_reason;
  const int times = kSanitized ? 3 : 20;
  const std::uint64_t seed = test_seed();
  const Workload& realloc_preset = *find_workload("realloc");
  for (int i = 0; i < times; ++i) {
    bool caught = false;
    std::uint64_t round = 0;
    for (const auto start = SteadyClock::now(); !caught && seconds_since(start) < (kSanitized ? 20 : 2);
         ++round) {
      EpisodeConfig config =
          closed_config(realloc_preset, seed + static_cast<std::uint64_t>(i) * 100 + round);
      config.measure_ns = 150'000'000;
      config.perturb = round % 2 == 1;
      const EpisodeResult result = run(config);
      ASSERT_NE(result.verdict, Verdict::broken) << result;
      caught = !result.violated.empty();
      if (caught) {
        EXPECT_FALSE(result.violations.front().timeline.empty()) << "a violation must tell its story";
      }
    }
    EXPECT_TRUE(caught) << "run " << i << ", DAXRACE_TEST_SEED=" << seed;
  }
}

/// Every single access hazard that is not promised is shown under perturbation.
TEST_P(Contract, every_unpromised_access_hazard_is_shown) {
  if (machine().peer == nullptr) GTEST_SKIP() << machine().no_peer_reason;
  const Hazards unpromised = Hazards::from_bits(static_cast<std::uint8_t>(
      kAccessHazards.bits() & static_cast<std::uint8_t>(~protocol().info.promises.bits())));
  if (unpromised.empty()) GTEST_SKIP() << "promises them all";
  const std::uint64_t seed = test_seed();
  Hazards shown;
  const std::vector<std::string_view> presets = {"realloc",      "fault_vs_truncate", "gup_vs_punch",
                                                 "aio_vs_punch", "lease_vs_punch",    "mixed"};
  std::uint64_t round = 0;
  for (const auto start = SteadyClock::now();
       !((shown & unpromised) == unpromised) && seconds_since(start) < (kSanitized ? 60 : 20); ++round) {
    EpisodeConfig config = closed_config(*find_workload(presets[round % presets.size()]), seed + round);
    config.measure_ns = 200'000'000;
    config.perturb = round % 2 == 0;
    const EpisodeResult result = run(config);
    ASSERT_NE(result.verdict, Verdict::broken) << result;
    shown = Hazards::from_bits(static_cast<std::uint8_t>(shown.bits() | result.violated.bits()));
  }
  EXPECT_EQ((shown & unpromised).text(), unpromised.text()) << "DAXRACE_TEST_SEED=" << seed;
}

/// Pages that are moved under an access show an unsafe protocol too.
TEST_P(Contract, an_unsafe_protocol_is_caught_by_collapses_and_inserts) {
  if (promises_every_access_but_leases(protocol().info))
    GTEST_SKIP() << "promises every access but leased ones";
  if (machine().peer == nullptr) GTEST_SKIP() << machine().no_peer_reason;
  const std::uint64_t seed = test_seed();
  bool caught = false;
  std::uint64_t round = 0;
  for (const auto start = SteadyClock::now(); !caught && seconds_since(start) < 20; ++round) {
    EpisodeConfig config = closed_config(*find_workload("reshape"), seed + round);
    config.measure_ns = 150'000'000;
    config.perturb = round % 2 == 1;
    const EpisodeResult result = run(config);
    ASSERT_NE(result.verdict, Verdict::broken) << result;
    for (const Path path : {Path::zero, Path::collapse, Path::insert})
      EXPECT_TRUE(result.paths.contains(path)) << name_in(kPathNames, path) << " did not happen";
    caught = !result.violated.empty();
  }
  EXPECT_TRUE(caught) << "DAXRACE_TEST_SEED=" << seed;
}

/// What a protocol says of itself must be usable in a table and in a command line.
TEST_P(Contract, describes_itself) {
  const ProtocolInfo& info = protocol().info;
  EXPECT_FALSE(info.name.empty());
  EXPECT_EQ(info.name.find_first_of(" ,/:"), std::string_view::npos);
  EXPECT_FALSE(info.stands_for.empty());
  EXPECT_FALSE(info.summary.empty());
}

/// Paced runs serve the load that is offered and record latencies of what they did.
TEST_P(Contract, paced_episodes_record_latencies) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer build is too slow for a schedule";
  EpisodeConfig config = closed_config(*find_workload("punch"), test_seed());
  config.load = Load::paced;
  config.threads = 1;
  config.placement.overcommitted = false;
  config.measure_ns = 200'000'000;
  const EpisodeResult result = run(config);
  ASSERT_EQ(result.status, Status::ok) << result;
  const PathStats& punch = result.paths.at(Path::punch);
  EXPECT_GT(punch.ops, 100U);
  EXPECT_EQ(punch.service_ns.count(), punch.ops);
  EXPECT_EQ(punch.response_ns.count(), punch.ops);
  EXPECT_GT(punch.phase_sum_ns[static_cast<std::size_t>(Phase::zap)], 0U);
}

INSTANTIATE_TEST_SUITE_P(Protocols, Contract, ::testing::Range<std::size_t>(0, protocols().size()), name_of);

}  // namespace
}  // namespace daxrace
