// The rwsem as a scenario of its own: every interleaving of its atomic accesses.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/check/explore.hpp"
#include "harness/explore/lock.hpp"
#include "harness/explore/story.hpp"
#include "tests/explore_fixture.hpp"
#include "tests/sanitized.hpp"

namespace daxrace::explore {

/// Each with one thing wrong.
const std::vector<litmus::Script>& broken_rwsems();

namespace {

using testing::Contains;
using testing::HasSubstr;

using ExploreRwsem = ExploreFixture;

std::vector<Job> jobs_for(const std::vector<litmus::Script>& locks) {
  std::vector<Job> jobs;
  for (const litmus::Script& lock : locks)
    for (const Scenario& each : lock_scenarios()) jobs.push_back({&lock, RefcountRegime::ref1, &each});
  return jobs;
}

/// Exclusion, no lost wake-up, no deadlock, nobody starved, and nothing left behind, whoever gives up.
TEST_F(ExploreRwsem, keeps_its_promises_in_every_interleaving) {
  for (const Decision& one : decide(jobs_for({rwsem_script()}), {}, 2)) {
    EXPECT_EQ(one.finale(), Finale::safe) << one.scenario->name;
    EXPECT_EQ(one.verdict, Verdict::kept) << one.scenario->name;
    EXPECT_GT(one.result.states, 1000U) << one.scenario->name;
  }
}

TEST_F(ExploreRwsem, every_broken_one_is_found) {
  if (kSanitized) GTEST_SKIP() << "too slow here";
  Limits limits;
  limits.states = 200'000;
  limits.samples = 100;
  const auto cost = [](const Decision& of) {
    return std::pair(of.story->preemptions, of.story->path.size());
  };
  const auto decisions = decide(jobs_for(broken_rwsems()), limits, 2);
  for (const litmus::Script& broken : broken_rwsems()) {
    const Decision* best = nullptr;
    for (const Decision& one : decisions) {
      if (one.script != &broken || one.verdict != Verdict::broken) continue;
      if (best == nullptr || cost(one) < cost(*best)) best = &one;
    }
    ASSERT_NE(best, nullptr) << broken.info.name << ": " << broken.info.summary;
    const Told told = tell({best->script, best->regime, best->scenario}, route_of(*best->story));
    EXPECT_TRUE(told.violated.has(*best->telling_hazard())) << broken.info.name;
    fmt::print("{:<28} {} preemptions, {:>2} steps: {} in {}\n", broken.info.name, best->story->preemptions,
               best->story->path.size(), name_in(kFinaleNames, best->finale()), best->scenario->name);
  }
}

/// Waiters stand on the stacks of their tasks, and others write there: a state must know all of it.
TEST_F(ExploreRwsem, no_two_states_share_a_key) {
  Limits limits;
  limits.audit = true;
  for (const Scenario& each : lock_scenarios()) {
    if (each.name != "rwsem_readers" && each.name != "rwsem_last_leaves") continue;
    const Decision one = decide_one({&rwsem_script(), RefcountRegime::ref1, &each}, limits);
    EXPECT_TRUE(one.result.complete);
    EXPECT_EQ(one.result.collisions, 0U) << each.name;
  }
}

TEST_F(ExploreRwsem, a_story_tells_the_atomics) {
  const auto broken = std::ranges::find(broken_rwsems(), "rwsem_writer_wakes_first",
                                        [](const auto& s) { return s.info.name; });
  const Scenario& writers =
      *std::ranges::find(lock_scenarios(), std::string("rwsem_writers"), &Scenario::name);
  const Decision one = decide_one({&*broken, RefcountRegime::ref1, &writers}, {});
  ASSERT_TRUE(one.story);
  const Told told = tell({one.script, one.regime, one.scenario}, route_of(*one.story));
  EXPECT_THAT(told.lines, Contains(HasSubstr("fetch_add count: 0x")));
  EXPECT_THAT(told.lines, Contains(HasSubstr("W:wait_lock")));
}

TEST_F(ExploreRwsem, is_known_by_its_name) {
  ExploreOptions options;
  options.scenarios = {"rwsem_last_leaves"};
  const ExploreReport report = explore_report(options);
  EXPECT_EQ(report.code, Exit::ok);
  EXPECT_THAT(report.text, HasSubstr("rwsem                    -    rwsem_last_leaves      safe"));
  options.protocols = {"ext4"};
  EXPECT_THROW(explore_report(options), Error);
}

}  // namespace
}  // namespace daxrace::explore
