// The deterministic safety table: it accuses no right protocol, misses no broken one, and never changes.
#include "bench/check/litmus.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/check/litmus_text.hpp"
#include "harness/litmus/table.hpp"
#include "tests/sanitized.hpp"
#include "tests/specimens.hpp"

namespace daxrace::litmus {
namespace {

using testing::Contains;
using testing::HasSubstr;

#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif

/// The threads share nothing but the next cell's number, and every fiber costs the thread sanitizer a tenth
/// of a millisecond.
class Litmus : public testing::Test {
 protected:
  void SetUp() override {
    if (kThreadSanitizer) GTEST_SKIP() << "half a million fibers for every table";
  }
};
using PerfLitmus = Litmus;
using Specimens = Litmus;

const std::vector<Cell>& whole_table() {
  static const std::vector<Cell> cells = decide(scripts(), {});
  return cells;
}

Cell cell(std::string_view protocol, Operation operation, AccessKind access,
          RefcountRegime regime = RefcountRegime::ref1) {
  const auto found = std::ranges::find_if(whole_table(), [&](const Cell& one) {
    return one.protocol().name == protocol && one.operation == operation && one.access == access &&
           one.regime == regime;
  });
  EXPECT_NE(found, whole_table().end());
  return *found;
}

std::string name_of(const Cell& cell) {
  return fmt::format("{} {} {} {}", cell.protocol().name, name_in(kRefcountRegimeNames, cell.regime),
                     info_of(cell.operation).name, info_of(cell.access).name);
}

TEST_F(Litmus, accuses_no_right_protocol) {
  for (const Cell& one : whole_table())
    EXPECT_NE(one.verdict, Verdict::broken) << name_of(one) << ": " << describe(one);
}

TEST_F(Litmus, every_declared_finding_is_seen_so_that_none_goes_stale) {
  for (const Script& one : scripts()) {
    for (const Finding& declared : one.info.findings) {
      if (declared.endless()) continue;  // a staged schedule ends: explore sees those
      const bool seen = std::ranges::any_of(whole_table(), [&](const Cell& at) {
        if (at.script != &one) return false;
        return at.result.violated.has(declared.hazard) && at.finding(declared.hazard) == &declared;
      });
      EXPECT_TRUE(seen) << one.info.name << ": " << declared.mechanism;
    }
  }
}

TEST_F(Litmus, stages_every_access_at_every_step_in_every_cell) {
  for (const Cell& one : whole_table()) {
    EXPECT_GT(one.result.stops, 0U) << name_of(one);
    EXPECT_GT(one.result.schedules, one.result.stops) << name_of(one);
  }
}

/// A page repeats the table, so that a reader need not build to see it.
TEST_F(Litmus, the_page_has_the_table_as_it_is) {
  std::ifstream file(DAXRACE_SOURCE_DIR "/docs/litmus.md");
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_THAT(page.str(), HasSubstr(litmus_markdown(whole_table())))
      << "run ./scripts/docs.sh, which writes it to docs/litmus.md";
}

TEST_F(Litmus, twenty_repetitions_give_the_same_bytes) {
  const std::string csv = litmus_csv(whole_table());
  const std::string text = litmus_markdown(whole_table());
  const int times = kSanitized ? 2 : 20;
  for (int i = 1; i < times; ++i) {
    const auto again = decide(scripts(), {});
    ASSERT_EQ(litmus_csv(again), csv) << "repetition " << i;
    ASSERT_EQ(litmus_markdown(again), text) << "repetition " << i;
  }
}

TEST_F(PerfLitmus, the_whole_table_takes_less_than_two_seconds) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer build is slower";
  std::chrono::duration<double> least = std::chrono::hours(1);
  for (int i = 0; i < 5; ++i) {  // the least of a few: others may want the CPUs, too
    const auto start = std::chrono::steady_clock::now();
    decide(scripts(), {});
    least = std::min<std::chrono::duration<double>>(least, std::chrono::steady_clock::now() - start);
  }
  std::printf("the whole table: %.2f s\n", least.count());
  EXPECT_LT(least.count(), 2);
}

/// The answers that the 2018 thread argued about.
TEST_F(Litmus, mmaplock_alone_stops_faults_and_pins_but_not_direct_io) {
  for (const auto regime : {RefcountRegime::ref1, RefcountRegime::ref0}) {
    EXPECT_EQ(cell("mmaplock", Operation::punch, AccessKind::fault, regime).verdict, Verdict::kept);
    EXPECT_EQ(cell("mmaplock", Operation::punch, AccessKind::gup_fast, regime).verdict, Verdict::kept);
    for (const auto access :
         {AccessKind::read, AccessKind::write, AccessKind::aio_read, AccessKind::aio_write}) {
      const Cell io = cell("mmaplock", Operation::punch, access, regime);
      EXPECT_EQ(io.verdict, Verdict::expected) << name_of(io);
      EXPECT_TRUE(io.result.overlapped);
      EXPECT_THAT(describe(io), HasSubstr("corruption")) << "a block was touched after it was reused";
    }
  }
}

TEST_F(Litmus, both_locks_with_break_layouts_wait_for_what_is_in_flight) {
  const auto waits_for = [](AccessKind access) {
    return describe(cell("iolock_mmaplock", Operation::punch, access));
  };
  EXPECT_THAT(waits_for(AccessKind::read), HasSubstr("iolock"));
  EXPECT_THAT(waits_for(AccessKind::fault), HasSubstr("mmaplock"));
  EXPECT_THAT(waits_for(AccessKind::aio_write), HasSubstr("i_dio_count"));
  EXPECT_THAT(waits_for(AccessKind::gup_fast), HasSubstr("page idle"));
}

TEST_F(Litmus, xfs_before_4_18_frees_pinned_blocks) {
  const Cell pinned = cell("iolock_mmaplock_nobreak", Operation::punch, AccessKind::gup_fast);
  EXPECT_TRUE(pinned.result.violated.has(Hazard::h4));
  EXPECT_TRUE(pinned.result.overlapped);
}

TEST_F(Litmus, blocks_that_move_are_hit_at_the_wrong_offset) {
  const Cell moved = cell("none", Operation::insert, AccessKind::aio_write);
  EXPECT_THAT(describe(moved), HasSubstr("misplaced"));
}

TEST_F(Litmus, eviction_waits_for_pins_from_6_15_on_only) {
  EXPECT_EQ(cell("ext4", Operation::evict, AccessKind::pin_unlink, RefcountRegime::ref1).verdict,
            Verdict::finding);
  EXPECT_EQ(cell("ext4", Operation::evict, AccessKind::pin_unlink, RefcountRegime::ref0).verdict,
            Verdict::kept);
}

TEST_F(Litmus, a_pin_elsewhere_holds_up_whole_file_scope_and_not_a_range) {
  EXPECT_EQ(happening(cell("iolock_mmaplock", Operation::punch, AccessKind::pin_outside)), Happening::waits);
  EXPECT_EQ(happening(cell("range_lock", Operation::punch, AccessKind::pin_outside)), Happening::harmless);
}

TEST_F(Litmus, leases_are_waited_for_fenced_or_refused) {
  EXPECT_EQ(describe(cell("lease_break", Operation::punch, AccessKind::lease_slow)),
            "waits for lease release");
  EXPECT_EQ(happening(cell("lease_break", Operation::punch, AccessKind::lease_silent)), Happening::hangs);
  EXPECT_EQ(happening(cell("lease_revoke", Operation::punch, AccessKind::lease_silent)), Happening::fences);
  EXPECT_EQ(describe(cell("lease_fail", Operation::punch, AccessKind::lease_slow)), "fails with ETXTBSY");
}

TEST_F(Litmus, explains_the_interleaving_with_locks_and_what_came_of_it) {
  const auto story = explain(cell("mmaplock", Operation::punch, AccessKind::aio_write));
  EXPECT_THAT(story, Contains(HasSubstr("block freed")));
  EXPECT_THAT(story, Contains(HasSubstr("W:mmaplock i1")));
  EXPECT_THAT(story, Contains(HasSubstr("=> corruption (H3 aio in flight)")));
  const auto deadlock = explain(cell("ext4", Operation::punch, AccessKind::pin_then_read));
  EXPECT_THAT(deadlock, Contains(HasSubstr("=> deadlock: layout change sleeps: blk")));
}

/// The lines in which the layout change goes to sleep; its column is the second.
std::vector<std::string> sleeps_in(const std::vector<std::string>& story) {
  std::vector<std::string> sleeps;
  const std::size_t column = story.at(2).find("layout change");
  for (const std::string& line : story)
    if (line.size() > column && line.compare(column, 8, "SLEEPS: ") == 0)
      sleeps.push_back(line.substr(column + 8));
  return sleeps;
}

/// Of every protocol, under both rules.
TEST_F(Litmus, explains_a_cell_that_waits_with_every_wait_that_the_table_names) {
  const std::size_t each = kSanitized ? 10 : 1;
  std::size_t told = 0;
  for (const Cell& one : whole_table()) {
    if (happening(one) != Happening::waits || told++ % each != 0) continue;
    const auto story = explain(one);
    for (std::size_t i = 0; i < kWaitForNames.size(); ++i) {
      if ((one.result.waited_on >> i & 1) == 0) continue;
      EXPECT_THAT(sleeps_in(story), Contains(testing::StartsWith(std::string(kWaitForNames[i]))))
          << name_of(one) << ": " << describe(one);
    }
    if (one.access == AccessKind::pin_interrupted) {
      EXPECT_THAT(story, Contains(HasSubstr("-- signal --"))) << name_of(one);
    }
  }
  EXPECT_GT(told, 2000U);
}

TEST_F(Litmus, the_verb_refuses_unknown_words_and_too_long_stories) {
  LitmusOptions options;
  options.accesses = {"gup_fats"};
  EXPECT_THROW(litmus_report(options, false), Error);
  options.accesses = {};
  options.explain = true;
  EXPECT_THROW(litmus_report(options, false), Error);
}

TEST_F(Specimens, every_one_is_caught) {
  ASSERT_GE(specimens().size(), 15U);
  const auto right = cells_of(scripts(), "lease_break");
  for (const Script& specimen : specimens()) {
    const auto cells = cells_of(specimens(), specimen.info.name);
    const auto caught = caught_in(cells, right);
    EXPECT_FALSE(caught.empty()) << specimen.info.name << ": " << specimen.info.summary;
    if (caught.empty()) continue;
    const Cell& first = *caught.front();
    fmt::print("{:<30} {:>3} cells, first {}: {} ({})\n", specimen.info.name, caught.size(), name_of(first),
               describe(first), first.result.violated.text());
  }
}

TEST_F(Specimens, the_warning_of_2018_needs_two_pinned_pages) {
  const auto cells = cells_of(specimens(), "retry_only_if_slept");
  for (const Cell* one : caught_in(cells, cells_of(scripts(), "lease_break")))
    EXPECT_EQ(one->access, AccessKind::gup_two) << name_of(*one);
}

TEST(Machine, a_lock_lets_readers_in_together_and_keeps_newcomers_behind_a_queued_writer) {
  model::RwSem sem(WaitFor::iolock);
  sem.take(0, false);
  EXPECT_TRUE(sem.admits_newcomer(false));
  EXPECT_FALSE(sem.admits_newcomer(true));
  sem.enqueue(1, true);
  EXPECT_FALSE(sem.admits_newcomer(false)) << "a writer queues";
  sem.enqueue(2, false);
  EXPECT_FALSE(sem.admits_queued(2)) << "the writer is at the head";
  sem.release(0, false);
  EXPECT_TRUE(sem.admits_queued(1));
  EXPECT_TRUE(sem.admits_newcomer(true)) << "a free lock may be stolen";
  sem.dequeue(1);
  sem.take(1, true);
  EXPECT_FALSE(sem.admits_queued(2));
  sem.release(1, true);
  sem.enqueue(3, false);
  EXPECT_TRUE(sem.admits_queued(2) && sem.admits_queued(3)) << "readers go in together";
}

TEST(Machine, forgets_tasks_wherever_they_stand) {
  model::Machine machine;
  struct Context {
    model::Machine& machine;
    int steps = 0;
  } context{machine};
  const auto body = [](void* scene, model::TaskId) {
    auto& c = *static_cast<Context*>(scene);
    for (;;) {
      ++c.steps;
      c.machine.stop();
    }
  };
  for (int round = 0; round < 1000; ++round) {
    machine.reset();
    machine.start(0, body, &context);
    machine.advance(0);
    machine.advance(0);
  }
  EXPECT_EQ(context.steps, 2000);
}

}  // namespace
}  // namespace daxrace::litmus
