// Data that collapses and inserts have moved: where it may lie, and that the oracle accuses nothing else
// less.
#include "harness/load/shift.hpp"

#include <optional>
#include <random>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/engine/oracle.hpp"
#include "tests/test_episode.hpp"

namespace daxrace {
namespace {

TEST(ShiftPair, HasOneCollapseOutAndInsertsWhereItWas) {
  ShiftPair pair;
  EXPECT_FALSE(pair.begin_insert()) << "nothing was collapsed";
  ASSERT_TRUE(pair.begin_collapse());
  EXPECT_FALSE(pair.begin_collapse()) << "somebody is at it";
  EXPECT_FALSE(pair.begin_insert()) << "somebody is at it";
  pair.collapsed_at(7);
  EXPECT_FALSE(pair.begin_collapse()) << "one is out";
  EXPECT_EQ(pair.begin_insert(), PageOffset{7});
  EXPECT_FALSE(pair.begin_insert()) << "somebody is at it";
  pair.collapsed_at(7);  // it failed
  EXPECT_EQ(pair.begin_insert(), PageOffset{7});
  pair.whole();
  EXPECT_TRUE(pair.begin_collapse());
}

/// A file without concurrency: a stamp on each page, or none.
struct PlainFile {
  std::vector<std::optional<PageOffset>> pages;
  void collapse(PageOffset first) { pages.erase(pages.begin() + first, pages.begin() + first + kShiftPages); }
  void insert(PageOffset first) { pages.insert(pages.begin() + first, kShiftPages, std::nullopt); }
  void write(PageOffset page) { pages[page] = page; }
};

/// The argument beside is_one_shift_away, tried: and every distance it allows is met, in both directions.
TEST(Shift, TakesNoPageFurtherThanOneShift) {
  constexpr PageOffset kPages = 24;
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(fmt::format("DAXRACE_TEST_SEED={}", seed));
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t bound) { return static_cast<PageOffset>(random() % bound); };
  PlainFile file{std::vector<std::optional<PageOffset>>(kPages)};
  ShiftPair pair;
  int up = 0, down = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (below(4) != 0) {
      file.write(below(file.pages.size()));
    } else if (const auto first = pair.begin_insert()) {
      file.insert(*first);
      pair.whole();
    } else if (pair.begin_collapse()) {
      const PageOffset at = below(kPages - kShiftPages);
      file.collapse(at);
      pair.collapsed_at(at);
    }
    for (PageOffset at = 0; at < file.pages.size(); ++at) {
      if (!file.pages[at] || *file.pages[at] == at) continue;
      ASSERT_TRUE(is_one_shift_away(*file.pages[at], at)) << "page " << *file.pages[at] << " lies at " << at;
      *file.pages[at] < at ? ++up : ++down;
    }
  }
  EXPECT_GT(up, 100);
  EXPECT_GT(down, 100);
}

class MovedData : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kFile = 1, kVictim = 2;
  static constexpr PageOffset kPage = 8;
  static std::uint64_t accused(OracleShared& shared, std::uint32_t ino, PageOffset at, std::uint64_t word) {
    Oracle oracle(shared, 0);
    std::uint64_t sum = 0;
    oracle.judge(ino, at, core::Block{3, 0}, oracle.before_read(ino, at), word);
    for (const std::uint64_t count : shared.detected()) sum += count;
    return sum;
  }
  static std::uint64_t data_of(std::uint32_t ino, PageOffset page) {
    return Stamp{static_cast<std::uint8_t>(ino), Hazard::h2, page, 1}.word();
  }
};

TEST_F(MovedData, IsExcusedAtOneShiftAndNowhereElse) {
  for (int distance = -5; distance <= 5; ++distance) {
    const auto at = static_cast<PageOffset>(int{kPage} + distance);
    const bool one_shift = distance == int{kShiftPages} || distance == -int{kShiftPages};
    for (const bool shifts : {false, true}) {
      OracleShared shared(1, {16, 16}, shifts);
      EXPECT_EQ(accused(shared, kFile, at, data_of(kFile, kPage)),
                distance == 0 || (shifts && one_shift) ? 0U : 1U)
          << distance << (shifts ? " with shifts" : "");
    }
  }
}

TEST_F(MovedData, ExcusesNoOtherFileAndNoZeros) {
  OracleShared victim(1, {16, 16}, true);
  EXPECT_EQ(accused(victim, kVictim, kPage + kShiftPages, data_of(kVictim, kPage)), 1U)
      << "only the file under test is shifted";
  OracleShared foreign(1, {16, 16}, true);
  EXPECT_EQ(accused(foreign, kFile, kPage, data_of(kVictim, kPage)), 1U);
  OracleShared zeros(1, {16, 16}, true);
  Oracle writer(zeros, 0);
  writer.written(kFile, kPage, writer.next_sequence(kFile, kPage));
  EXPECT_EQ(accused(zeros, kFile, kPage, 0), 1U) << "zero after a finished write";
}

/// Without moves an old number says that somebody wrote through a stale access; with them it says nothing.
TEST_F(MovedData, HasNoOrderOfNumbers) {
  for (const bool shifts : {false, true}) {
    OracleShared shared(1, {16, 16}, shifts);
    Oracle oracle(shared, 0);
    oracle.next_sequence(kFile, kPage);
    oracle.page_moved(kFile, kPage, kPage - kShiftPages, 3);
    oracle.page_moved(kFile, kPage - kShiftPages, kPage, 3);
    EXPECT_EQ(accused(shared, kFile, kPage, data_of(kFile, kPage)), shifts ? 0U : 1U);
  }
}

}  // namespace
}  // namespace daxrace
