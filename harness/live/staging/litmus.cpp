#include "harness/live/staging/litmus.hpp"

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/live/staging/means.hpp"
#include "harness/live/staging/persistence.hpp"
#include "harness/live/staging/zero_page.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace::kernel {
namespace {

constexpr bool is_persistence(Access access) {
  return access == Access::fsync || access == Access::fsync_sync;
}

CellResult decide_one(const Directory& directory, Operation operation, Access access,
                      const std::shared_ptr<Victims>& victims, Means& means) try {
  if (is_persistence(access)) return decide_persistence(directory, operation, access, means);
  if (access == Access::zero_page_fault) return decide_zero_page(directory, operation, access);
  return Cell(directory, victims, means, operation, access).decide();
} catch (const Skipped& skipped) {
  CellResult cell;
  cell.operation = operation;
  cell.access = access;
  cell.outcome = Outcome::skipped;
  cell.what = skipped.what();
  return cell;
}

/// Who gets a freed block is the allocator's business: a cell that needed that and missed it is staged anew.
/// A cell of many rounds has its own bound, and one that shares the file system gets another chance alone.
CellResult decide_firmly(const Directory& directory, Operation operation, Access access,
                         const std::shared_ptr<Victims>& victims, Means& means) {
  const unsigned tries = access == Access::zero_page_fault || !victims ? 1 : 6;
  const std::uint64_t start = Clock::monotonic_ns();
  CellResult cell;
  for (unsigned i = 0; i < tries; ++i) {
    cell = decide_one(directory, operation, access, victims, means);
    if (cell.outcome != Outcome::inconclusive) break;
  }
  cell.began_ns = start;
  return cell;
}

/// Those that take turns with each other; their lists are decided at once, on files of their own. What each
/// wait is known for is learned once in a list, and what burns a CPU is in one of them. In none are cells
/// that stop the whole file system; that give blocks in use to other files wherever a kernel is known to be
/// wrong; and that are told by what the whole file system writes back, or by a race.
std::vector<std::vector<Access>> at_once() {
  return {{Access::pin_then_read},
          {Access::crosswise},
          {Access::dio_pin},
          {Access::pin_refault, Access::pin, Access::pin_outside},
          {Access::faults, Access::pin_stream},
          {Access::mapped, Access::read, Access::write, Access::nested_fault, Access::dio_read}};
}

std::vector<std::vector<std::size_t>> lanes_of(const std::vector<CellResult>& cells) {
  std::vector<std::vector<std::size_t>> lanes;
  for (const auto& accesses : at_once()) {
    auto& lane = lanes.emplace_back();
    for (const Access access : accesses)
      for (std::size_t i = 0; i < cells.size(); ++i)
        if (cells[i].access == access) lane.push_back(i);
  }
  return lanes;
}

/// On a kernel that is wrong one cell's block may come to another's file; and the log does not say of whom it
/// complains.
bool is_doubtful(const CellResult& cell) {
  return cell.outcome == Outcome::content_changed || cell.outcome == Outcome::unflushed ||
         cell.outcome == Outcome::inconclusive || !cell.log.empty();
}

template <class T>
bool wanted(const std::vector<T>& list, T value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

/// Which cells, in the order of the tables, and nothing else about them.
std::vector<CellResult> wanted_cells(const Selection& selection) {
  std::vector<CellResult> cells;
  for (std::size_t a = 0; a < kAccesses.size(); ++a) {
    for (std::size_t o = 0; o < kOperations.size(); ++o) {
      CellResult cell;
      cell.access = static_cast<Access>(a);
      cell.operation = static_cast<Operation>(o);
      if (can_meet(cell.operation, cell.access) && wanted(selection.accesses, cell.access) &&
          wanted(selection.operations, cell.operation))
        cells.push_back(std::move(cell));
    }
  }
  return cells;
}

}  // namespace

std::vector<CellResult> decide(const Directory& directory, const Selection& selection, KernelLog& log,
                               Patience& patience, const Course& course) {
  const std::vector<CellResult> blanks = wanted_cells(selection);
  const auto begin = [&](Company company) -> Cells::Decide {
    const auto means = std::make_shared<Means>(directory, selection.allowed, patience);
    // Of several that read one open log each would get a part; and what was said of them is not of those
    // alone.
    std::shared_ptr<KernelLog> own;
    if (company == Company::beside_others)
      own = std::make_shared<KernelLog>();
    else
      log.complaints();
    return [&, company, means, own, victims = std::shared_ptr<Victims>()](std::size_t i) mutable {
      // Whoever did not come back keeps those that it had.
      if (company == Company::alone && victims.use_count() != 1)
        victims = std::make_shared<Victims>(directory);
      CellResult cell = decide_firmly(directory, blanks[i].operation, blanks[i].access, victims, *means);
      cell.log = (own ? *own : log).complaints();
      return cell;
    };
  };
  const auto blank = [&](std::size_t i) { return blanks[i]; };
  return decide_apart({blanks.size(), blank, begin, lanes_of(blanks), is_doubtful}, patience, course);
}

std::vector<CellResult> decide(const Directory& directory, const Selection& selection, KernelLog& log) {
  Patience patience;
  return decide(directory, selection, log, patience);
}

}  // namespace daxrace::kernel
