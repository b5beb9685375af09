// The meaning of every path of the core, one rule a test, under both refcount rules.
#include <thread>

#include <gtest/gtest.h>

#include "harness/core/layout.hpp"
#include "protocols/iolock_mmaplock.hpp"
#include "protocols/lease_break.hpp"
#include "protocols/lease_revoke.hpp"
#include "tests/engine_rig.hpp"

namespace daxrace {
namespace {

using Rig = EngineRig<>;
using core::Access;
using core::Change;
using core::FaultResult;
using Safe = protocol::iolock_mmaplock;

class Core : public ::testing::TestWithParam<RefcountRegime> {
 protected:
  static Rig make(std::uint32_t pages_per_entry = 1) {
    typename Rig::Options options;
    options.regime = GetParam();
    options.pages_per_entry = pages_per_entry;
    return {options, *TestMachine::get().region};
  }
  static FaultResult fault(Rig& rig, PageOffset page, bool write, std::uint32_t mapping = 0) {
    return core::handle_fault<Safe>(rig.k(), rig.file, mapping, page, write);
  }
  static void fill(Rig& rig, PageRange pages) {
    for (PageOffset page = pages.first; page < pages.end; ++page)
      core::allocate_block(rig.k(), rig.file, page);
  }
  static Access touch(Rig& rig, PageOffset page, bool write) {
    return core::access_mapping(rig.k(), rig.file, 0, page, write, [](core::Translation) {});
  }
  static int punch(Rig& rig, PageRange range, std::uint32_t* freed = nullptr, std::uint32_t task = 0) {
    auto change = Change::punch(range);
    const int error = Safe::change(rig.k(task), rig.file, change);
    if (freed != nullptr) *freed = change.freed;
    return error;
  }
};

TEST_P(Core, a_write_fault_allocates_and_a_read_fault_of_a_hole_does_not) {
  Rig rig = make();
  EXPECT_EQ(fault(rig, 3, false), FaultResult::zero_page);
  EXPECT_FALSE(core::lookup_block(rig.k(), rig.file, 3));
  EXPECT_EQ(touch(rig, 3, false), Access::done);
  EXPECT_EQ(touch(rig, 3, true), Access::missing) << "the zero page is not writable";
  EXPECT_EQ(fault(rig, 3, true), FaultResult::installed);
  EXPECT_TRUE(core::lookup_block(rig.k(), rig.file, 3));
  EXPECT_EQ(touch(rig, 3, true), Access::done);
}

TEST_P(Core, a_fault_beyond_i_size_is_sigbus) {
  Rig rig = make();
  auto change = Change::truncate(4);
  ASSERT_EQ(Safe::change(rig.k(), rig.file, change), 0);
  EXPECT_EQ(fault(rig, 4, true), FaultResult::sigbus);
  EXPECT_EQ(fault(rig, 3, true), FaultResult::installed);
}

TEST_P(Core, a_mapping_holds_a_reference_only_under_ref0) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 0, true), FaultResult::installed);
  ASSERT_EQ(fault(rig, 0, true, 1), FaultResult::installed);
  const FrameNumber frame = core::lookup_block(rig.k(), rig.file, 0).frame;
  EXPECT_EQ(rig.refcount(frame), GetParam() == RefcountRegime::ref1 ? 1U : 2U);
  EXPECT_FALSE(core::page_is_busy(rig.k(), frame)) << "mapped is not busy";
  core::unmap_mapping_range(rig.k(), rig.file, core::kWholeFile);
  EXPECT_EQ(rig.refcount(frame), rig.rule().idle);
  EXPECT_TRUE(core::page_is_idle(rig.k(), frame));
}

TEST_P(Core, a_pin_makes_a_page_busy_until_it_is_put) {
  Rig rig = make();
  const auto pin = core::get_user_page<Safe>(rig.k(), rig.file, 0, 5, true);
  ASSERT_TRUE(pin);
  EXPECT_FALSE(pin->fast);
  EXPECT_TRUE(core::page_is_busy(rig.k(), pin->block.frame));
  EXPECT_EQ(core::dax_layout_busy_page(rig.k(), rig.file, core::kWholeFile), pin->block.frame);
  core::unpin_user_page(rig.k(), rig.file, 5, pin->block);
  EXPECT_EQ(core::dax_layout_busy_page(rig.k(), rig.file, core::kWholeFile), core::kNoFrame);
}

TEST_P(Core, the_second_pin_of_a_mapped_page_is_fast) {
  Rig rig = make();
  const auto slow = core::get_user_page<Safe>(rig.k(), rig.file, 0, 5, true);
  const auto fast = core::get_user_page<Safe>(rig.k(), rig.file, 0, 5, true);
  ASSERT_TRUE(slow && fast);
  EXPECT_TRUE(fast->fast);
  core::unpin_user_page(rig.k(), rig.file, 5, slow->block);
  core::unpin_user_page(rig.k(), rig.file, 5, fast->block);
}

TEST_P(Core, nobody_takes_a_reference_from_zero) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 0, true), FaultResult::installed);
  const FrameNumber frame = core::lookup_block(rig.k(), rig.file, 0).frame;
  core::unmap_mapping_range(rig.k(), rig.file, core::kWholeFile);
  EXPECT_EQ(core::try_get_page(rig.k(), frame), GetParam() == RefcountRegime::ref1);
}

TEST_P(Core, freed_blocks_are_handed_out_again_at_once) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 0, true), FaultResult::installed);
  const core::Block block = core::lookup_block(rig.k(), rig.file, 0);
  std::uint32_t freed = 0;
  ASSERT_EQ(punch(rig, {0, 1}, &freed), 0);
  EXPECT_EQ(freed, 1U);
  ASSERT_EQ(fault(rig, 9, true), FaultResult::installed);
  const core::Block again = core::lookup_block(rig.k(), rig.file, 9);
  EXPECT_EQ(again.frame, block.frame);
  EXPECT_NE(again.generation, block.generation);
}

TEST_P(Core, punch_frees_its_range_and_nothing_else) {
  Rig rig = make();
  for (PageOffset page = 0; page < 6; ++page) ASSERT_EQ(fault(rig, page, true), FaultResult::installed);
  std::uint32_t freed = 0;
  ASSERT_EQ(punch(rig, {2, 4}, &freed), 0);
  EXPECT_EQ(freed, 2U);
  for (PageOffset page = 0; page < 6; ++page) {
    EXPECT_EQ(static_cast<bool>(core::lookup_block(rig.k(), rig.file, page)), page < 2 || page >= 4) << page;
  }
  EXPECT_EQ(touch(rig, 2, false), Access::missing);
}

TEST_P(Core, punch_waits_for_a_pin_anywhere_in_the_file_and_drops_mmaplock_meanwhile) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 0, true), FaultResult::installed);
  const auto pin = core::get_user_page<Safe>(rig.k(), rig.file, 0, 12, true);
  ASSERT_TRUE(pin);
  std::atomic<bool> done{false};
  std::thread puncher([&] {
    EXPECT_EQ(punch(rig, {0, 1}, nullptr, 1), 0);
    done.store(true);
  });
  while (rig.task(1).wait_for.load() != WaitFor::page_idle || !rig.task(1).sleeping()) sched_yield();
  EXPECT_EQ(fault(rig, 3, true), FaultResult::installed) << "a fault must get MMAPLOCK while the punch waits";
  EXPECT_TRUE(core::lookup_block(rig.k(), rig.file, 0)) << "nothing is freed yet";
  EXPECT_FALSE(done.load());
  core::unpin_user_page(rig.k(), rig.file, 12, pin->block);
  puncher.join();
  EXPECT_FALSE(core::lookup_block(rig.k(), rig.file, 0));
}

TEST_P(Core, an_interrupted_punch_changes_nothing_and_holds_nothing) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 0, true), FaultResult::installed);
  const auto pin = core::get_user_page<Safe>(rig.k(), rig.file, 0, 0, true);
  ASSERT_TRUE(pin);
  int error = 0;
  std::thread puncher([&] { error = punch(rig, {0, 1}, nullptr, 1); });
  while (!rig.task(1).sleeping()) sched_yield();
  rig.task(1).signal_pending.store(true);
  rig.task(1).wake();
  puncher.join();
  EXPECT_EQ(error, -EINTR);
  EXPECT_TRUE(core::lookup_block(rig.k(), rig.file, 0));
  EXPECT_EQ(rig.file.i_rwsem.writer(), nullptr);
  EXPECT_EQ(rig.file.invalidate_lock.writer(), nullptr);
  core::unpin_user_page(rig.k(), rig.file, 0, pin->block);
}

TEST_P(Core, truncate_waits_for_direct_io_in_flight) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 1, true), FaultResult::installed);
  core::Block in_flight;
  Safe::aio(rig.k(), rig.file, {1, 2}, [&] {
    ASSERT_TRUE(core::submit_aio(rig.k(), rig.file, 1, false, [&](core::Block block) { in_flight = block; }));
  });
  EXPECT_EQ(rig.file.i_dio_count.load(), 1U);
  EXPECT_EQ(rig.refcount(in_flight.frame), 1U) << "it took no page reference";
  std::thread truncater([&] {
    auto change = Change::truncate(0);
    EXPECT_EQ(Safe::change(rig.k(1), rig.file, change), 0);
    EXPECT_EQ(change.freed, 1U);
  });
  while (rig.task(1).wait_for.load() != WaitFor::dio || !rig.task(1).sleeping()) sched_yield();
  EXPECT_TRUE(core::lookup_block(rig.k(), rig.file, 1));
  core::end_aio(rig.k(), rig.file, 1, in_flight);
  truncater.join();
  EXPECT_EQ(rig.file.i_size.load(), 0U);
}

TEST_P(Core, a_write_into_a_hole_unmaps_the_zero_page) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 7, false), FaultResult::zero_page);
  Safe::write(rig.k(), rig.file, {7, 8}, [&] {
    EXPECT_EQ(core::dax_iomap_write(rig.k(), rig.file, 7, [](core::Block) {}), Access::done);
  });
  EXPECT_EQ(touch(rig, 7, false), Access::missing) << "the next load must fault the new block in";
}

TEST_P(Core, a_write_beyond_i_size_extends_the_file) {
  Rig rig = make();
  auto change = Change::truncate(2);
  ASSERT_EQ(Safe::change(rig.k(), rig.file, change), 0);
  core::dax_iomap_write(rig.k(), rig.file, 5, [](core::Block) {});
  EXPECT_EQ(rig.file.i_size.load(), 6U);
}

TEST_P(Core, fsync_flushes_what_was_stored_and_makes_the_next_store_fault) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 2, true), FaultResult::installed);
  ASSERT_EQ(touch(rig, 2, true), Access::done);
  EXPECT_EQ(core::write_back(rig.k(), rig.file, core::kWholeFile), 1U);
  EXPECT_EQ(core::write_back(rig.k(), rig.file, core::kWholeFile), 0U) << "clean now";
  EXPECT_EQ(touch(rig, 2, false), Access::done);
  EXPECT_EQ(touch(rig, 2, true), Access::missing);
  EXPECT_EQ(fault(rig, 2, true), FaultResult::upgraded);
  EXPECT_EQ(core::write_back(rig.k(), rig.file, core::kWholeFile), 1U);
}

TEST_P(Core, a_dirty_tag_survives_a_layout_change_elsewhere) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 2, true), FaultResult::installed);
  ASSERT_EQ(fault(rig, 9, true), FaultResult::installed);
  ASSERT_EQ(punch(rig, {9, 10}), 0);
  EXPECT_GE(core::write_back(rig.k(), rig.file, {2, 3}), 1U);
}

TEST_P(Core, a_large_entry_is_busy_unmapped_and_removed_as_a_whole) {
  Rig rig = make(4);
  fill(rig, {0, 4});
  ASSERT_EQ(fault(rig, 1, true), FaultResult::installed);
  EXPECT_EQ(touch(rig, 3, true), Access::done) << "one fault maps all four";
  const auto pin = core::get_user_page<Safe>(rig.k(), rig.file, 0, 3, true);
  ASSERT_TRUE(pin);
  EXPECT_EQ(core::dax_layout_busy_page(rig.k(), rig.file, {0, 1}), pin->block.frame)
      << "a pin on the last page holds up the first";
  EXPECT_EQ(touch(rig, 2, false), Access::missing) << "the whole entry was unmapped";
  core::unpin_user_page(rig.k(), rig.file, 3, pin->block);
  std::uint32_t freed = 0;
  ASSERT_EQ(punch(rig, {0, 1}, &freed), 0);
  EXPECT_EQ(freed, 1U) << "only the page that was asked for loses its block";
  EXPECT_EQ(rig.store().entries(rig.file).load(0), 0U);
}

TEST_P(Core, where_a_page_has_no_block_each_has_an_entry_of_its_own) {
  Rig rig = make(4);
  fill(rig, {0, 3});
  ASSERT_EQ(fault(rig, 0, true), FaultResult::installed);
  EXPECT_EQ(touch(rig, 1, false), Access::missing) << "its neighbour is not mapped with it";
  const auto pin = core::get_user_page<Safe>(rig.k(), rig.file, 0, 0, true);
  ASSERT_TRUE(pin);
  ASSERT_EQ(fault(rig, 3, false), FaultResult::zero_page);
  EXPECT_EQ(core::dax_layout_busy_page(rig.k(), rig.file, core::kWholeFile), pin->block.frame)
      << "a zero page beside it takes no page out of the scan";
  core::unpin_user_page(rig.k(), rig.file, 0, pin->block);
}

TEST_P(Core, a_page_with_an_entry_of_its_own_keeps_a_large_one_away) {
  Rig rig = make(4);
  fill(rig, {0, 3});
  ASSERT_EQ(fault(rig, 0, true), FaultResult::installed);
  fill(rig, {3, 4});
  ASSERT_EQ(fault(rig, 2, true), FaultResult::installed);
  EXPECT_EQ(touch(rig, 1, false), Access::missing);
  ASSERT_EQ(punch(rig, {0, 1}), 0);
  ASSERT_EQ(punch(rig, {2, 3}), 0);
  fill(rig, {0, 3});
  ASSERT_EQ(fault(rig, 2, true), FaultResult::installed);
  EXPECT_EQ(touch(rig, 1, false), Access::done) << "all entries were removed";
}

TEST_P(Core, of_a_large_entry_only_what_was_flushed_is_told_to_the_oracle) {
  Rig rig = make(4);
  fill(rig, {0, 4});
  ASSERT_EQ(fault(rig, 0, true), FaultResult::installed);
  ASSERT_EQ(touch(rig, 0, true), Access::done);
  // An unsafe protocol took the block of page 2 away under the entry.
  core::free_blocks(rig.k(), rig.file, {2, 3});
  EXPECT_EQ(core::write_back(rig.k(), rig.file, core::kWholeFile), 1U);
  EXPECT_EQ(rig.oracle().history(1, 1).flushed.load(), 1U);
  EXPECT_EQ(rig.oracle().history(1, 2).flushed.load(), 0U);
}

/// A store through a translation and a sync while its fault still holds the entry.
TEST_P(Core, a_dirty_tag_stands_while_its_entry_is_still_locked) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 2, true), FaultResult::installed);
  ASSERT_EQ(core::write_back(rig.k(), rig.file, core::kWholeFile), 1U);
  std::thread syncer;
  {
    core::EntryLock<Rig::K> held(rig.k(), rig.file, 2);
    held.insert(held.entry.with_dirty(true));
    syncer = std::thread([&] { EXPECT_EQ(core::write_back(rig.k(1), rig.file, core::kWholeFile), 1U); });
    while (rig.task(1).wait_for.load() != WaitFor::entry_lock || !rig.task(1).sleeping()) sched_yield();
  }
  syncer.join();
}

TEST_P(Core, a_lease_is_recalled_waited_for_and_refused_meanwhile) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 0, true), FaultResult::installed);
  core::Lease lease;
  core::Lease other;
  ASSERT_EQ(core::get_layout_lease(rig.k(), rig.file, lease), 0);
  std::thread puncher([&] {
    auto change = Change::punch({0, 1});
    EXPECT_EQ(protocol::lease_break::change(rig.k(1), rig.file, change), 0);
  });
  while (rig.task(1).wait_for.load() != WaitFor::lease || !rig.task(1).sleeping()) sched_yield();
  EXPECT_TRUE(core::layout_recalled(rig.k(), rig.file));
  EXPECT_EQ(core::get_layout_lease(rig.k(), rig.file, other), -EAGAIN);
  EXPECT_TRUE(core::lookup_block(rig.k(), rig.file, 0));
  EXPECT_EQ(fault(rig, 4, true), FaultResult::installed)
      << "both locks are dropped while leases are waited for";
  core::put_layout_lease(rig.k(), rig.file, lease);
  puncher.join();
  EXPECT_FALSE(core::lookup_block(rig.k(), rig.file, 0));
  EXPECT_EQ(core::get_layout_lease(rig.k(), rig.file, other), 0);
  core::put_layout_lease(rig.k(), rig.file, other);
}

TEST_P(Core, a_silent_lessee_is_fenced_and_touches_nothing_more) {
  Rig rig = make();
  ASSERT_EQ(fault(rig, 0, true), FaultResult::installed);
  core::Lease lease;
  ASSERT_EQ(core::get_layout_lease(rig.k(), rig.file, lease), 0);
  const core::Block block = core::lookup_block(rig.k(), rig.file, 0);
  int touched = 0;
  const auto touch_leased = [&] {
    return core::access_leased(rig.k(), rig.file, lease, 0, block, [&](core::Block) { ++touched; });
  };
  EXPECT_EQ(touch_leased(), Access::done);
  auto change = Change::punch({0, 1});
  EXPECT_EQ(protocol::lease_revoke::change(rig.k(1), rig.file, change), 0) << "after the grace time";
  EXPECT_EQ(touch_leased(), Access::missing);
  EXPECT_EQ(touched, 1);
  core::put_layout_lease(rig.k(), rig.file, lease);
  EXPECT_FALSE(core::has_leases(rig.k(), rig.file)) << "a revoked lease is not returned a second time";
}

/// A second change that finds no lease would free blocks under an access that is still inside.
TEST_P(Core, leases_count_as_held_until_fenced_accesses_have_ended) {
  typename Rig::Options options;
  options.regime = GetParam();
  options.tasks = 3;
  Rig rig(options, *TestMachine::get().region);
  fill(rig, {0, 1});
  core::Lease lease;
  ASSERT_EQ(core::get_layout_lease(rig.k(), rig.file, lease), 0);
  std::atomic<bool> inside{false};
  std::atomic<bool> leave{false};
  std::thread lessee([&] {
    core::access_leased(rig.k(), rig.file, lease, 0, core::lookup_block(rig.k(), rig.file, 0),
                        [&](core::Block) {
                          inside.store(true);
                          while (!leave.load()) sched_yield();
                        });
  });
  while (!inside.load()) sched_yield();
  std::thread revoker([&] { core::revoke_layouts(rig.k(1), rig.file); });
  while (rig.file.layout_leases.load() / core::kOneRevocation == lease.revocations) sched_yield();
  EXPECT_EQ(core::recall_layouts(rig.k(2), rig.file), -EWOULDBLOCK);
  core::Lease late;
  EXPECT_EQ(core::get_layout_lease(rig.k(2), rig.file, late), -EAGAIN);
  leave.store(true);
  revoker.join();
  lessee.join();
  EXPECT_FALSE(core::has_leases(rig.k(2), rig.file));
  EXPECT_EQ(core::get_layout_lease(rig.k(2), rig.file, late), 0) << "and the next lessee is let in";
  core::put_layout_lease(rig.k(2), rig.file, late);
}

TEST_P(Core, disjoint_ranges_go_on_while_one_is_held_and_overlapping_ones_wait) {
  Rig rig = make();
  auto& lock = rig.file.io_range;
  using Held = core::HeldRange<Rig::K>;
  const Held mine(rig.k(), rig.file, lock, {0, 4}, core::LockMode::exclusive);
  { const Held disjoint(rig.k(), rig.file, lock, {4, 8}, core::LockMode::exclusive); }
  std::atomic<bool> got{false};
  {
    Held beside(rig.k(), rig.file, lock, {8, 12}, core::LockMode::exclusive);
    std::thread other([&] {
      const Held overlapping(rig.k(1), rig.file, lock, {10, 16}, core::LockMode::shared);
      got.store(true);
    });
    while (rig.task(1).wait_for.load() != WaitFor::io_range || !rig.task(1).sleeping()) sched_yield();
    EXPECT_FALSE(got.load());
    beside.drop();
    other.join();
    EXPECT_TRUE(got.load());
    beside.retake();
  }
}

TEST_P(Core, a_range_lock_excludes_under_contention) {
  typename Rig::Options options;
  options.regime = GetParam();
  options.tasks = 4;
  Rig rig(options, *TestMachine::get().region);
  std::array<int, 8> cells{};
  std::vector<std::thread> threads;
  constexpr int kTurns = 20'000;
  for (std::uint32_t task = 0; task < options.tasks; ++task) {
    threads.emplace_back([&, task] {
      for (int turn = 0; turn < kTurns; ++turn) {
        const PageOffset first = (task + static_cast<std::uint32_t>(turn)) % 7;
        const core::HeldRange<Rig::K> held(rig.k(task), rig.file, rig.file.io_range, {first, first + 2},
                                           core::LockMode::exclusive);
        ++cells[first];
        ++cells[first + 1];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int sum = 0;
  for (const int cell : cells) sum += cell;
  EXPECT_EQ(sum, 2 * kTurns * 4);
}

TEST_P(Core, collapse_and_insert_move_blocks_and_count_them_as_new) {
  Rig rig = make();
  for (PageOffset page = 0; page < 4; ++page) ASSERT_EQ(fault(rig, page, true), FaultResult::installed);
  const core::Block second = core::lookup_block(rig.k(), rig.file, 2);
  auto collapse = Change::collapse({0, 1});
  ASSERT_EQ(Safe::change(rig.k(), rig.file, collapse), 0);
  EXPECT_EQ(collapse.freed, 1U);
  EXPECT_EQ(rig.file.i_size.load(), 15U);
  EXPECT_EQ(core::lookup_block(rig.k(), rig.file, 1).frame, second.frame);
  EXPECT_NE(core::lookup_block(rig.k(), rig.file, 1).generation, second.generation);
  auto insert = Change::insert({0, 1});
  ASSERT_EQ(Safe::change(rig.k(), rig.file, insert), 0);
  EXPECT_EQ(rig.file.i_size.load(), 16U);
  EXPECT_FALSE(core::lookup_block(rig.k(), rig.file, 0));
  EXPECT_EQ(core::lookup_block(rig.k(), rig.file, 2).frame, second.frame);
  EXPECT_EQ(touch(rig, 2, false), Access::missing) << "what moved was unmapped";
}

TEST_P(Core, eviction_frees_every_block) {
  Rig rig = make();
  for (PageOffset page = 0; page < 3; ++page)
    core::dax_iomap_write(rig.k(), rig.other, page, [](core::Block) {});
  const std::uint32_t free_before = rig.store().free_frames();
  EXPECT_EQ(core::evict_inode(rig.k(), rig.other), 3U);
  EXPECT_EQ(rig.store().free_frames(), free_before + 3);
}

TEST_P(Core, the_oracle_sees_a_block_freed_while_pinned) {
  Rig rig = make();
  const auto pin = core::get_user_page<Safe>(rig.k(), rig.file, 0, 5, true);
  ASSERT_TRUE(pin);
  core::evict_inode(rig.k(), rig.file);
  EXPECT_EQ(rig.oracle().detected()[static_cast<std::size_t>(Detector::freed_busy)], 1U);
  core::unpin_user_page(rig.k(), rig.file, 5, pin->block);
  EXPECT_EQ(rig.oracle().detected()[static_cast<std::size_t>(Detector::stale_access)], 1U);
  EXPECT_EQ(rig.oracle().violated(), Hazards(Hazard::h4));
}

INSTANTIATE_TEST_SUITE_P(Regimes, Core, ::testing::Values(RefcountRegime::ref1, RefcountRegime::ref0),
                         [](const auto& regime) {
                           return std::string(name_in(kRefcountRegimeNames, regime.param));
                         });

/// The data judgements, fed by hand.
TEST(Oracle, tells_foreign_misplaced_old_and_missing_data_apart) {
  OracleShared shared(1, {8, 8});
  Oracle oracle(shared, 0);
  const auto count = [&](Detector detector) { return shared.detected()[static_cast<std::size_t>(detector)]; };
  const core::Block block{3, 0};
  oracle.judge(1, 2, block, oracle.before_read(1, 2), Stamp{1, Hazard::h2, 2, 1}.word());
  EXPECT_TRUE(shared.violated().empty());
  oracle.judge(1, 2, block, oracle.before_read(1, 2), Stamp{2, Hazard::h3, 2, 1}.word());
  EXPECT_EQ(count(Detector::corruption), 1U);
  EXPECT_TRUE(shared.violated().has(Hazard::h3)) << "the writer's hazard, not the reader's";
  oracle.judge(1, 2, block, oracle.before_read(1, 2), Stamp{1, Hazard::h2, 6, 1}.word());
  EXPECT_EQ(count(Detector::misplaced), 1U);
  const std::uint32_t sequence = oracle.next_sequence(1, 2);
  oracle.written(1, 2, sequence);
  oracle.judge(1, 2, block, oracle.before_read(1, 2), 0);
  EXPECT_EQ(count(Detector::stale_data), 1U) << "zero after a finished write";
  oracle.page_removing(1, 2);
  oracle.page_removed(1, 2);
  oracle.judge(1, 2, block, oracle.before_read(1, 2), 0);
  EXPECT_EQ(count(Detector::stale_data), 1U) << "zero after a punch is right";
  oracle.judge(1, 2, block, oracle.before_read(1, 2), Stamp{1, Hazard::h2, 2, sequence}.word());
  EXPECT_EQ(count(Detector::stale_data), 2U) << "data from before the punch";
}

/// Copies are not atomic: bytes of two stamps in one word are nobody's data.
TEST(Oracle, says_nothing_of_a_torn_word) {
  OracleShared shared(1, {8});
  Oracle oracle(shared, 0);
  oracle.page_removing(1, 2);
  oracle.page_removed(1, 2);
  const std::uint64_t older = Stamp{1, Hazard::h2, 2, 0x3a7}.word();
  const std::uint64_t newer = Stamp{1, Hazard::h4, 2, 0}.word();
  int whole = 0;
  for (unsigned bits = 8; bits < 64; bits += 8) {
    const std::uint64_t low = (1ULL << bits) - 1;
    const std::uint64_t torn = (older & ~low) | (newer & low);
    if (torn != older && torn != newer) whole += Stamp::is_whole(torn);
    if (!Stamp::is_whole(torn)) oracle.judge(1, 2, core::Block{3, 0}, oracle.before_read(1, 2), torn);
  }
  EXPECT_EQ(whole, 0);
  EXPECT_TRUE(shared.violated().empty());
}

TEST(Oracle, sees_a_store_that_fsync_missed) {
  OracleShared shared(1, {4});
  Oracle oracle(shared, 0);
  const auto lookup = [](PageOffset page) { return page == 1 ? core::Block{7, 0} : core::Block{}; };
  oracle.stored(1, 1, oracle.next_sequence(1, 1));
  oracle.fsync_begin(1, lookup);
  oracle.flush_begin(1, 1);
  oracle.flush_end(1, 1);
  oracle.fsync_end(1, lookup);
  EXPECT_TRUE(shared.violated().empty());
  oracle.stored(1, 1, oracle.next_sequence(1, 1));
  oracle.fsync_begin(1, lookup);
  oracle.fsync_end(1, lookup);
  EXPECT_TRUE(shared.violated().has(Hazard::h7));
}

}  // namespace
}  // namespace daxrace
