// Starvation: the search for fair cycles against one that tries every set of states, planted cases, and what
// is declared against what is seen.
#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/check/explore.hpp"
#include "harness/explore/liveness.hpp"
#include "harness/explore/story.hpp"
#include "harness/litmus/actor.hpp"
#include "harness/litmus/table.hpp"
#include "tests/explore_fixture.hpp"
#include "tests/sanitized.hpp"

namespace daxrace::explore {
namespace {

using testing::Contains;
using testing::HasSubstr;

using Liveness = ExploreFixture;

const litmus::Script& protocol(std::string_view name) {
  return *std::ranges::find(litmus::scripts(), name, [](const litmus::Script& one) { return one.info.name; });
}
const Scenario& scenario(std::string_view name) {
  return *std::ranges::find(scenarios(), name, &Scenario::name);
}

// --- The search in the graph

struct Arrow {
  std::uint32_t from;
  TaskId task;
  std::uint32_t to;
};
/// Whoever has an arrow at a state can run there.
StateGraph graph_from(std::uint32_t states, std::vector<Arrow> arrows, std::uint8_t unfinished = 1) {
  StateGraph graph;
  graph.states.resize(states);
  std::ranges::stable_sort(arrows, {}, &Arrow::from);
  for (std::uint32_t state = 0; state < states; ++state) {
    StateGraph::State& at = graph.states[state];
    at.unfinished = unfinished;
    at.first = static_cast<std::uint32_t>(graph.steps.size());
    for (const Arrow& arrow : arrows) {
      if (arrow.from != state) continue;
      const Choice by{Choice::What::runs, arrow.task};
      graph.steps.push_back({arrow.to, by});
      at.can_run |= runs_in(by);
    }
    at.end = static_cast<std::uint32_t>(graph.steps.size());
  }
  return graph;
}

TEST(FairCycles, a_task_that_could_run_again_and_again_is_not_kept_from_it) {
  // Task 1 goes round; in one of its two states task 0 could run and be done.
  StateGraph graph = graph_from(3, {{0, 1, 1}, {1, 1, 0}, {1, 0, 2}});
  graph.states[2].unfinished = 0;
  EXPECT_TRUE(starving_sets(graph).empty());
}

TEST(FairCycles, a_task_that_can_never_run_starves) {
  const StateGraph graph = graph_from(2, {{0, 1, 1}, {1, 1, 0}});
  EXPECT_EQ(starving_sets(graph).size(), 1U);
}

TEST(FairCycles, a_task_that_runs_and_comes_back_to_where_it_was_starves) {
  StateGraph graph = graph_from(3, {{0, 1, 1}, {1, 1, 0}, {1, 0, 0}, {0, 0, 2}});
  graph.states[2].unfinished = 0;
  const auto lasso = find_lasso(graph);
  ASSERT_TRUE(lasso);
  EXPECT_TRUE(std::ranges::any_of(lasso->cycle, [](Choice by) { return by.task == 0; }));
  EXPECT_TRUE(std::ranges::any_of(lasso->cycle, [](Choice by) { return by.task == 1; }));
}

/// The whole is not fair; a part of it is, where whoever is kept out could not run anyway.
TEST(FairCycles, a_fair_part_of_an_unfair_set_is_found) {
  StateGraph graph = graph_from(4, {{0, 1, 1}, {1, 1, 0}, {1, 1, 2}, {2, 1, 0}, {2, 0, 3}});
  graph.states[3].unfinished = 0;
  const auto sets = starving_sets(graph);
  ASSERT_EQ(sets.size(), 1U);
  EXPECT_THAT(sets.front(), testing::UnorderedElementsAre(0, 1));
}

/// Tries every set of states.
bool starves_somewhere(const StateGraph& graph) {
  const auto states = static_cast<std::uint32_t>(graph.states.size());
  for (std::uint32_t set = 1; set < 1U << states; ++set) {
    const auto in = [set](std::uint32_t state) { return (set >> state & 1) != 0; };
    std::vector<std::uint32_t> reach(states);
    std::uint8_t could = 0;
    std::uint8_t did = 0;
    bool unfinished = true;
    for (std::uint32_t state = 0; state < states; ++state) {
      if (!in(state)) continue;
      could |= graph.states[state].can_run;
      unfinished = unfinished && graph.states[state].unfinished != 0;
      for (const auto& step : graph.steps_of(state)) {
        if (!in(step.to)) continue;
        did |= runs_in(step.by);
        reach[state] |= 1U << step.to;
      }
    }
    for (std::uint32_t round = 0; round < states; ++round)
      for (std::uint32_t a = 0; a < states; ++a)
        for (std::uint32_t b = 0; b < states; ++b)
          if ((reach[a] >> b & 1) != 0) reach[a] |= reach[b];
    bool connected = true;
    for (std::uint32_t state = 0; state < states; ++state)
      connected = connected && (!in(state) || (reach[state] & set) == set);
    if (connected && unfinished && (could & ~did) == 0) return true;
  }
  return false;
}

/// Follows the lasso; the cycle must close and be fair by itself.
void check_lasso(const StateGraph& graph, const Lasso& lasso) {
  std::vector<std::uint32_t> at{0};  // a task may have several arrows: all states that it may mean
  const auto follow = [&](Choice by) {
    std::vector<std::uint32_t> next;
    for (const std::uint32_t state : at)
      for (const auto& step : graph.steps_of(state))
        if (step.by == by) next.push_back(step.to);
    at = std::move(next);
  };
  for (const Choice by : lasso.stem) follow(by);
  const std::vector<std::uint32_t> from = at;
  for (const Choice by : lasso.cycle) follow(by);
  EXPECT_TRUE(std::ranges::any_of(at, [&](auto state) { return std::ranges::count(from, state) != 0; }));
  EXPECT_FALSE(lasso.cycle.empty());
}

TEST(FairCycles, are_found_where_a_search_through_every_set_of_states_finds_one) {
  std::mt19937 random(1);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  int starving = 0;
  constexpr int kGraphs = 20'000;
  for (int i = 0; i < kGraphs; ++i) {
    const std::uint32_t states = 1 + below(6);
    std::vector<Arrow> arrows;
    for (std::uint32_t state = 1; state < states; ++state) arrows.push_back({below(state), below(3), state});
    for (std::uint32_t more = below(2 * states); more != 0; --more)
      arrows.push_back({below(states), below(3), below(states)});
    StateGraph graph = graph_from(states, arrows);
    for (StateGraph::State& state : graph.states) {
      if (below(5) == 0) state.unfinished = 0;
      if (below(5) == 0) state.can_run |= static_cast<std::uint8_t>(1U << below(3));
    }
    const bool wanted = starves_somewhere(graph);
    ASSERT_EQ(!starving_sets(graph).empty(), wanted) << "graph " << i;
    const auto lasso = find_lasso(graph);
    ASSERT_EQ(lasso.has_value(), wanted) << "graph " << i;
    if (lasso) check_lasso(graph, *lasso);
    starving += wanted ? 1 : 0;
  }
  EXPECT_GT(starving, kGraphs / 20);
  EXPECT_LT(starving, kGraphs / 2);
}

// --- Planted cases

using namespace core;

constexpr Hazards kAllButLeases(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7,
                                Hazard::h8);

/// kTries 0: waits for direct I/O with IOLOCK dropped, again and again. Else drops IOLOCK so often and then
/// waits with it held.
template <int kTries>
struct DioWaitedForUnlocked : MmaplockedFaults, IolockedIo, WaitedEviction, BusyPages {
  static constexpr ProtocolInfo info{.name = kTries == 0 ? "dio_waited_for_unlocked" : "dio_tried_unlocked",
                                     .promises = kAllButLeases,
                                     .stands_for = "a planted case",
                                     .summary = "Waits for direct I/O with IOLOCK dropped"};
  template <class K>
  static int change(K& k, InodeOf<K>& ip, Change& how) {
    Exclusive iolock(k, ip.i_rwsem);
    for (int tries = 0; ip.i_dio_count.load() != 0; tries += kTries == 0 ? 0 : 1) {
      const bool drops = kTries == 0 || tries < kTries;
      if (drops) k.up_write(ip.i_rwsem);
      if (!drops || kTries == 0) inode_dio_wait(k, ip);
      if (drops) k.down_write(ip.i_rwsem);
    }
    Exclusive mmaplock(k, ip.invalidate_lock);
    if (const int error = break_busy_pages(k, ip)) return error;
    apply_change(k, ip, how);
    return 0;
  }
};

TEST_F(Liveness, a_change_that_tries_for_ever_is_accused_and_only_here) {
  const litmus::Script planted = litmus::script_of<DioWaitedForUnlocked<0>>();
  for (const char* harmless : {"fault_io_punch", "pin_slow_punch", "lease_punch"}) {
    const Decision one = decide_one({&planted, RefcountRegime::ref1, &scenario(harmless)}, {});
    EXPECT_EQ(one.finale(), harmless == std::string_view("lease_punch") ? Finale::violation : Finale::safe)
        << harmless;
    EXPECT_FALSE(one.result.violated.has(Hazard::h6)) << harmless;
  }
  const Decision starved = decide_one({&planted, RefcountRegime::ref1, &scenario("starve_aio")}, {});
  EXPECT_EQ(starved.finale(), Finale::starvation);
  EXPECT_EQ(starved.verdict, Verdict::broken);
}

TEST_F(Liveness, a_change_that_tries_a_few_times_and_then_insists_is_not_accused) {
  const litmus::Script planted = litmus::script_of<DioWaitedForUnlocked<2>>();
  const Decision fair = decide_one({&planted, RefcountRegime::ref1, &scenario("starve_aio")}, {});
  EXPECT_EQ(fair.finale(), Finale::safe);
  EXPECT_EQ(fair.verdict, Verdict::kept);
}

/// Readers that overlap all the time: first in, first out lets the change in.
TEST_F(Liveness, a_stream_of_readers_does_not_keep_a_queued_change_out) {
  const Op reads{.access = AccessKind::read};
  const Scenario readers{.name = "readers",
                         .summary = "a hole punch against two tasks that read again and again",
                         .staging = {},
                         .tasks = {{.name = "read 1", .ops = {reads}, .endless = true},
                                   {.name = "read 2", .ops = {reads}, .endless = true},
                                   {.name = "punch", .ops = {{.kind = Op::Kind::change}}}}};
  const Decision fair = decide_one({&protocol("iolock_mmaplock"), RefcountRegime::ref1, &readers}, {});
  EXPECT_EQ(fair.finale(), Finale::safe);
  EXPECT_GT(fair.result.states, 500U);
}

// --- The protocols

std::vector<Decision> all_endless() {
  std::vector<Job> jobs;
  for (const litmus::Script& one : litmus::scripts())
    for (const RefcountRegime regime : {RefcountRegime::ref1, RefcountRegime::ref0})
      for (const Scenario& each : scenarios())
        if (each.is_endless()) jobs.push_back({&one, regime, &each});
  return decide(jobs, {}, 2);
}

TEST_F(Liveness, every_starvation_is_declared_and_every_declared_one_is_seen) {
  if (kSanitized) GTEST_SKIP() << "too slow here";
  const auto decisions = all_endless();
  for (const Decision& one : decisions) {
    EXPECT_NE(one.verdict, Verdict::broken)
        << replay_string({one.script, one.regime, one.scenario}, route_of(*one.story));
    EXPECT_NE(one.finale(), Finale::sampled) << one.protocol().name << ' ' << one.scenario->name;
  }
  for (const litmus::Script& script : litmus::scripts()) {
    for (const Finding& declared : script.info.findings) {
      if (!declared.endless()) continue;
      EXPECT_TRUE(std::ranges::any_of(decisions,
                                      [&](const Decision& one) {
                                        return one.script == &script && one.finale() == Finale::starvation &&
                                               one.finding(declared.hazard) == &declared;
                                      }))
          << script.info.name << ": " << declared.mechanism;
    }
  }
}

TEST_F(Liveness, the_story_is_a_way_to_a_cycle_and_replays) {
  const Decision one = decide_one({&protocol("ext4"), RefcountRegime::ref1, &scenario("starve_gup")}, {});
  ASSERT_EQ(one.finale(), Finale::starvation);
  const Job job{one.script, one.regime, one.scenario};
  const Told told = tell(job, route_of(*one.story));
  EXPECT_TRUE(told.starves);
  EXPECT_THAT(told.lines, Contains(HasSubstr("from here on again and again")));
  EXPECT_THAT(told.lines, Contains(HasSubstr("starvation: c: punch never ends")));
  expect_replay_tells(job, route_of(*one.story), told);
}

TEST_F(Liveness, a_cycle_that_does_not_close_or_leaves_somebody_out_is_none) {
  const Decision one = decide_one({&protocol("ext4"), RefcountRegime::ref1, &scenario("starve_gup")}, {});
  const Job job{one.script, one.regime, one.scenario};
  const Route right = route_of(*one.story);
  Route open = right;
  --open.cycle;
  EXPECT_FALSE(tell(job, open).starves);
  // One task alone goes round; the others could run.
  EXPECT_FALSE(tell(job, parse_route("a30@a3", 3)).starves);
  EXPECT_THAT(tell(job, parse_route("a30@a3", 3)).lines, Contains(HasSubstr("=> not a cycle")));
}

}  // namespace
}  // namespace daxrace::explore
