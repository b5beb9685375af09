#include "harness/live/staging/litmus.hpp"

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/live/staging/means.hpp"
#include "harness/live/staging/persistence.hpp"
#include "harness/live/staging/zero_page.hpp"

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
/// A cell of many rounds has its own bound.
CellResult decide_firmly(const Directory& directory, Operation operation, Access access,
                         const std::shared_ptr<Victims>& victims, Means& means) {
  const unsigned tries = access == Access::zero_page_fault ? 1 : 6;
  CellResult cell;
  for (unsigned i = 0; i < tries; ++i) {
    cell = decide_one(directory, operation, access, victims, means);
    if (cell.outcome != Outcome::inconclusive) break;
  }
  return cell;
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
  const auto begin = [&]() -> Cells::Decide {
    const auto means = std::make_shared<Means>(directory, selection.allowed, patience);
    return [&, means, victims = std::shared_ptr<Victims>()](std::size_t i) mutable {
      // Whoever did not come back keeps those that it had.
      if (victims.use_count() != 1) victims = std::make_shared<Victims>(directory);
      CellResult cell = decide_firmly(directory, blanks[i].operation, blanks[i].access, victims, *means);
      cell.log = log.complaints();
      return cell;
    };
  };
  return decide_apart({blanks.size(), [&](std::size_t i) { return blanks[i]; }, begin}, patience, course);
}

std::vector<CellResult> decide(const Directory& directory, const Selection& selection, KernelLog& log) {
  Patience patience;
  return decide(directory, selection, log, patience);
}

}  // namespace daxrace::kernel
