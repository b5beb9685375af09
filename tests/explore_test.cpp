// Every interleaving: accuses no right protocol, misses no broken one, agrees with the staged table, and
// counts as many interleavings as somebody who runs each of them from the start.
#include "bench/check/explore.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/explore/story.hpp"
#include "harness/litmus/table.hpp"
#include "tests/explore_fixture.hpp"
#include "tests/sanitized.hpp"
#include "tests/specimens.hpp"

namespace daxrace::explore {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr unsigned kThreads = 2;
constexpr std::array kRegimes{RefcountRegime::ref1, RefcountRegime::ref0};

using Explore = ExploreFixture;
using ExploreSpecimens = Explore;
using ExploreItself = Explore;

const litmus::Script& script(std::string_view name) {
  const auto found =
      std::ranges::find(litmus::scripts(), name, [](const litmus::Script& one) { return one.info.name; });
  EXPECT_NE(found, litmus::scripts().end()) << name;
  return *found;
}
const Scenario& scenario(std::string_view name) {
  const auto found = std::ranges::find(scenarios(), name, &Scenario::name);
  EXPECT_NE(found, scenarios().end()) << name;
  return *found;
}

std::string name_of(const Decision& decision) {
  return fmt::format("{} {} {}", decision.protocol().name, name_in(kRefcountRegimeNames, decision.regime),
                     decision.scenario->name);
}

std::vector<Job> jobs_for(const std::vector<litmus::Script>& scripts, const std::vector<Scenario>& of) {
  std::vector<Job> jobs;
  for (const litmus::Script& one : scripts)
    for (const RefcountRegime regime : kRegimes)
      for (const Scenario& each : of) jobs.push_back({&one, regime, &each});
  return jobs;
}

/// Five tasks are the business of the committed matrix, not of a test that runs with every build; endless
/// ones have tests of their own.
std::vector<Scenario> small_scenarios(std::size_t most_tasks) {
  std::vector<Scenario> some = scenarios();
  std::erase_if(some, [&](const Scenario& one) { return one.tasks.size() > most_tasks || one.is_endless(); });
  return some;
}

TEST_F(Explore, accuses_no_right_protocol) {
  const std::vector<Scenario> some = small_scenarios(kSanitized ? 2 : 3);
  for (const Decision& one : decide(jobs_for(litmus::scripts(), some), {}, kThreads)) {
    EXPECT_NE(one.verdict, Verdict::broken)
        << name_of(one) << ": "
        << replay_string({one.script, one.regime, one.scenario}, route_of(*one.story));
    EXPECT_TRUE(one.result.complete) << name_of(one) << ": " << one.result.states;
  }
}

TEST_F(Explore, every_declared_finding_of_two_or_three_tasks_is_met) {
  const Decision again =
      decide_one({&script("lease_break"), RefcountRegime::ref0, &scenario("pin_refault_punch")}, {});
  EXPECT_EQ(again.verdict, Verdict::finding);
  EXPECT_EQ(again.finale(), Finale::deadlock);
  const Decision evicted =
      decide_one({&script("ext4"), RefcountRegime::ref1, &scenario("unlink_pin_evict")}, {});
  EXPECT_EQ(evicted.verdict, Verdict::finding);
  EXPECT_EQ(evicted.finale(), Finale::violation);
}

/// The staged table forces one schedule after another; each of them is among all.
TEST_F(Explore, sees_all_that_the_staged_table_sees_and_decides_as_it_does) {
  const auto staged = litmus::decide(litmus::scripts(), {});
  std::map<std::tuple<const litmus::Script*, RefcountRegime, std::string>, const litmus::Cell*> cells;
  for (const litmus::Cell& cell : staged)
    cells[{cell.script, cell.regime, cell_scenario(cell.operation, cell.access).name}] = &cell;
  const std::vector<Job> jobs = jobs_for(litmus::scripts(), cell_scenarios());
  ASSERT_EQ(jobs.size(), staged.size());
  std::vector<Job> some;
  for (std::size_t i = 0; i < jobs.size(); i += kSanitized ? 10 : 1) some.push_back(jobs[i]);
  for (const Decision& one : decide(some, {}, kThreads)) {
    const litmus::Cell& cell = *cells.at({one.script, one.regime, one.scenario->name});
    EXPECT_TRUE(one.result.complete) << name_of(one);
    EXPECT_EQ(one.result.violated & cell.result.violated, cell.result.violated)
        << name_of(one) << ": the staged table saw " << cell.result.violated.text() << ", not all of it in "
        << one.result.violated.text();
    // What nobody promised may be seen by the one and not by the other; promises are judged alike.
    const auto judged = [](Verdict verdict) {
      return verdict == Verdict::expected || verdict == Verdict::unseen ? Verdict::unseen : verdict;
    };
    EXPECT_EQ(judged(one.verdict), judged(cell.verdict))
        << name_of(one) << ": " << name_in(kVerdictNames, one.verdict) << ", staged "
        << name_in(kVerdictNames, cell.verdict);
  }
}

/// What the right protocol breaks in the same scenario as well says nothing about a specimen.
using Controls = std::map<std::pair<RefcountRegime, const Scenario*>, Hazards>;
Controls control_of(const std::vector<Scenario>& all, const Limits& limits) {
  Controls controls;
  std::vector<Job> jobs;
  for (const RefcountRegime regime : kRegimes)
    for (const Scenario& each : all) jobs.push_back({&script("lease_break"), regime, &each});
  for (const Decision& one : decide(jobs, limits, kThreads))
    controls[{one.regime, one.scenario}] = one.result.violated;
  return controls;
}

TEST_F(ExploreSpecimens, every_one_is_found_with_its_shortest_story) {
  std::vector<Scenario> all = small_scenarios(kSanitized ? 2 : 3);
  for (const Scenario& cell : cell_scenarios())
    if (cell.tasks.size() == 2 || !kSanitized) all.push_back(cell);
  Limits limits;
  limits.states = 20'000;
  limits.samples = 100;
  const Controls controls = control_of(all, limits);
  const auto cost = [](const Decision& of) {
    return std::pair(of.story->preemptions, of.story->path.size());
  };
  std::map<std::string_view, const Decision*> shortest;
  const auto decisions = decide(jobs_for(litmus::specimens(), all), limits, kThreads);
  for (const Decision& one : decisions) {
    if (one.verdict != Verdict::broken) continue;
    const auto hazard = *one.telling_hazard();
    if (controls.at({one.regime, one.scenario}).has(hazard)) continue;
    ASSERT_TRUE(one.story);
    const Decision*& best = shortest[one.protocol().name];
    if (best == nullptr || cost(one) < cost(*best)) best = &one;
  }
  EXPECT_GE(shortest.size(), kSanitized ? litmus::specimens().size() - 5 : litmus::specimens().size());
  for (const litmus::Script& specimen : litmus::specimens()) {
    const auto found = shortest.find(specimen.info.name);
    if (found == shortest.end() && kSanitized) continue;  // it takes the three tasks that are too slow here
    ASSERT_NE(found, shortest.end()) << specimen.info.name << ": " << specimen.info.summary;
    const Decision& best = *found->second;
    EXPECT_TRUE(best.story->shortest) << name_of(best);
    EXPECT_LE(best.story->preemptions, 3U) << name_of(best);
    const Told told = tell({best.script, best.regime, best.scenario}, route_of(*best.story));
    EXPECT_TRUE(told.violated.has(*best.telling_hazard())) << name_of(best) << ": its story does not show it";
    EXPECT_EQ(told.preemptions, best.story->preemptions) << name_of(best);
    fmt::print("{:<30} {} preemptions, {:>2} steps: {} in {}\n", specimen.info.name, best.story->preemptions,
               best.story->path.size(), best.result.violated.text(), best.scenario->name);
  }
}

TEST_F(ExploreSpecimens, what_a_signal_leaves_behind_in_a_truncate_is_seen) {
  for (const char* name : {"size_left_by_eintr", "block_freed_by_eintr", "lock_left_by_eintr"}) {
    const auto specimen = std::ranges::find(litmus::specimens(), std::string_view(name),
                                            [](const litmus::Script& one) { return one.info.name; });
    ASSERT_NE(specimen, litmus::specimens().end()) << name;
    const Decision one = decide_one({&*specimen, RefcountRegime::ref1, &scenario("pin_signal_truncate")}, {});
    EXPECT_EQ(one.verdict, Verdict::broken) << name;
    EXPECT_EQ(one.result.violated.text(), "H6") << name;
    EXPECT_EQ(one.finale(), Finale::violation) << name;
  }
}

/// Runs every interleaving from the start, one after the other: no state is kept, put back or recognised.
struct Counted {
  double interleavings = 0;
  Hazards violated;
};
void count_from(const Job& job, Path& path, Counted& counted) {
  World world(*job.script, *job.scenario, job.regime);
  for (const Choice choice : path) world.take(choice);
  const Choices choices = world.choices();
  for (std::size_t i = 0; i < kHazardNames.size(); ++i)
    if (world.violated().has(static_cast<Hazard>(i))) counted.violated.add(static_cast<Hazard>(i));
  if (choices.count == 0) {
    ++counted.interleavings;
    if (!world.all_done()) counted.violated.add(Hazard::h6);
    return;
  }
  for (const Choice choice : choices) {
    path.push_back(choice);
    count_from(job, path, counted);
    path.pop_back();
  }
}

TEST_F(ExploreItself, counts_as_many_interleavings_as_a_machine_without_memory) {
  int compared = 0;
  for (const char* protocol : {"none", "mmaplock", "iolock_mmaplock", "range_lock"}) {
    for (const Scenario& each : cell_scenarios()) {
      const Job job{&script(protocol), RefcountRegime::ref1, &each};
      const Decision all = decide_one(job, {});
      if (all.result.interleavings > (kSanitized ? 60 : 400)) continue;
      Path path;
      Counted counted;
      count_from(job, path, counted);
      EXPECT_EQ(counted.interleavings, all.result.interleavings) << name_of(all);
      ++compared;
    }
  }
  EXPECT_GE(compared, kSanitized ? 5 : 20);
}

/// Tasks that share nothing but steps: a formula knows how many interleavings there are.
TEST_F(ExploreItself, counts_what_combinatorics_says) {
  // none: each read takes two steps to its end beyond the first.
  const Scenario reads{.name = "reads",
                       .summary = "two reads of different pages",
                       .staging = {},
                       .tasks = {{"a", {{.access = AccessKind::read, .page = 1}}},
                                 {"b", {{.access = AccessKind::read, .page = 2}}}}};
  const Decision all = decide_one({&script("none"), RefcountRegime::ref1, &reads}, {});
  const Scenario one{.name = "read", .summary = "", .staging = {}, .tasks = {reads.tasks[0]}};
  const auto steps = decide_one({&script("none"), RefcountRegime::ref1, &one}, {}).result.depth;
  double expected = 1;
  for (std::uint32_t i = 1; i <= steps; ++i) expected = expected * (steps + i) / i;
  EXPECT_EQ(all.result.interleavings, expected);
  EXPECT_EQ(all.result.states, (steps + 1) * (steps + 1));
}

TEST_F(ExploreItself, no_two_states_share_a_key) {
  Limits limits;
  limits.audit = true;
  for (const char* name : {"fault_io_punch", "pin_refault_punch", "lease_punch", "two_pins_punch"}) {
    const Decision one = decide_one({&script("lease_break"), RefcountRegime::ref0, &scenario(name)}, limits);
    EXPECT_TRUE(one.result.complete);
    EXPECT_GT(one.result.states, 1000U);
    EXPECT_EQ(one.result.collisions, 0U) << name;
  }
}

/// All scenarios, also those of five tasks: what is left out must not change what comes out.
TEST_F(ExploreItself, comes_out_the_same_where_it_looks_at_one_order_only) {
  std::vector<litmus::Script> some;
  for (const char* name : {"none", "mmaplock", "iolock", "iolock_mmaplock", "ext4", "lease_revoke"})
    some.push_back(script(name));
  const std::vector<Scenario> scenarios = small_scenarios(kSanitized ? 2 : model::kTasks);
  const std::vector<Job> jobs = jobs_for(some, scenarios);
  Limits limits;
  const auto whole = decide(jobs, limits, kThreads);
  limits.reduce = true;
  const auto reduced = decide(jobs, limits, kThreads);
  std::uint64_t states = 0;
  std::uint64_t states_left = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_TRUE(reduced[i].result.complete) << name_of(whole[i]);
    EXPECT_EQ(reduced[i].result.violated, whole[i].result.violated) << name_of(whole[i]);
    EXPECT_EQ(reduced[i].result.detectors, whole[i].result.detectors) << name_of(whole[i]);
    EXPECT_EQ(reduced[i].result.endings, whole[i].result.endings) << name_of(whole[i]);
    EXPECT_EQ(reduced[i].result.ends, whole[i].result.ends) << name_of(whole[i]);
    EXPECT_EQ(reduced[i].verdict, whole[i].verdict) << name_of(whole[i]);
    states += whole[i].result.states;
    states_left += reduced[i].result.states;
  }
  EXPECT_LT(states_left, states) << "nothing was left out";
}

/// Every step that is looked up is run as well, and every part of the memory compared.
TEST_F(ExploreItself, a_step_that_is_looked_up_does_what_the_task_does) {
  Limits limits;
  limits.audit = true;
  const std::vector<Scenario> small = small_scenarios(kSanitized ? 2 : 3);
  for (const char* name : {"none", "lease_fail", "lease_revoke", "range_lock"}) {
    for (const Scenario& each : small) {
      limits.states = kSanitized ? 500 : 3000;
      limits.samples = 1;
      EXPECT_NO_THROW(decide_one({&script(name), RefcountRegime::ref0, &each}, limits)) << name << each.name;
    }
  }
}

TEST_F(ExploreItself, comes_out_the_same_on_any_number_of_threads) {
  std::vector<Job> jobs;
  for (const char* name : {"pin_punch", "read_write_punch", "truncate_pin_read", "unlink_pin_evict"})
    for (const litmus::Script& one : litmus::scripts())
      jobs.push_back({&one, RefcountRegime::ref0, &scenario(name)});
  const auto one = decide(jobs, {}, 1);
  const auto three = decide(jobs, {}, 3);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(one[i].result.states, three[i].result.states) << name_of(one[i]);
    EXPECT_EQ(one[i].result.interleavings, three[i].result.interleavings) << name_of(one[i]);
    EXPECT_EQ(one[i].result.violated, three[i].result.violated) << name_of(one[i]);
  }
}

TEST_F(ExploreItself, a_sample_says_that_it_is_one_and_still_sees_what_is_common) {
  Limits limits;
  limits.states = 50;
  limits.samples = 2000;
  const Decision right =
      decide_one({&script("lease_break"), RefcountRegime::ref1, &scenario("pin_punch")}, limits);
  EXPECT_EQ(right.finale(), Finale::sampled);
  EXPECT_EQ(right.verdict, Verdict::none) << "a sample keeps no promise";
  const Decision wrong = decide_one({&script("none"), RefcountRegime::ref1, &scenario("pin_punch")}, limits);
  EXPECT_EQ(wrong.finale(), Finale::violation);
}

TEST_F(ExploreItself, a_replay_string_gives_the_same_lines) {
  const Decision one =
      decide_one({&script("ext4"), RefcountRegime::ref0, &scenario("pin_refault_punch")}, {});
  ASSERT_TRUE(one.story);
  EXPECT_EQ(one.story->preemptions, 1U);
  const Job job{one.script, one.regime, one.scenario};
  const Told first = tell(job, route_of(*one.story));
  EXPECT_THAT(first.lines, Contains(HasSubstr("waits for ever: c: punch sleeps: blk")));
  EXPECT_THAT(first.lines, Contains(HasSubstr("down_write(mmaplock i1)")));
  expect_replay_tells(job, route_of(*one.story), first);
}

TEST_F(ExploreItself, a_path_survives_its_text) {
  const Scenario& three = scenario("pin_signal_punch");
  const Job job{&script("ext4"), RefcountRegime::ref1, &three};
  const std::string text = replay_string(job, parse_route("a3b!c~b~bc12", 3));
  EXPECT_THAT(text, testing::EndsWith(":a3b!c~b~bc12"));
}

TEST(ExploreVerb, refuses_what_names_nothing) {
  const auto refused = [](auto change) {
    ExploreOptions options;
    change(options);
    try {
      options.replay.empty() ? explore_report(options) : replay_report(options);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  EXPECT_THAT(refused([](auto& o) { o.protocols = {"ext5"}; }), HasSubstr("did you mean 'ext4'"));
  EXPECT_THAT(refused([](auto& o) { o.scenarios = {"pin_puch"}; }), HasSubstr("did you mean 'pin_punch'"));
  EXPECT_THAT(refused([](auto& o) { o.refcounts = {"ref2"}; }), HasSubstr("--refcount"));
  EXPECT_THAT(refused([](auto& o) { o.replay = "ext4:pin_punch:a3"; }), HasSubstr("is expected"));
  EXPECT_THAT(refused([](auto& o) { o.replay = "ext4:pin_punch:ref1:a3z"; }), HasSubstr("from a to b"));
  EXPECT_THAT(refused([](auto& o) { o.replay = "ext4:pin_punch:ref1:a99"; }), HasSubstr("cannot do that"));
}

}  // namespace
}  // namespace daxrace::explore
