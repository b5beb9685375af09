#include "bench/check/agreement.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "bench/cli/suggest.hpp"

namespace daxrace {
namespace {

using kernel::Access;
using kernel::CellResult;
using kernel::Outcome;
using litmus::AccessKind;
using litmus::Happening;

/// The engine's cell of the same meeting, and how much of it both decide.
struct Counterpart {
  Access access;
  AccessKind engine;
  bool waits_count = true;  ///< else that somebody waited a moment is not told apart from that nobody did
};
constexpr std::array kCounterparts = {
    Counterpart{Access::mapped, AccessKind::load, false},   // no access is in flight there
    Counterpart{Access::faults, AccessKind::fault, false},  // only whether the change ends
    Counterpart{Access::read, AccessKind::read},
    Counterpart{Access::write, AccessKind::write},
    Counterpart{Access::nested_fault, AccessKind::nested_same},
    Counterpart{Access::pin, AccessKind::pin},
    Counterpart{Access::dio_pin, AccessKind::gup_fast},
    Counterpart{Access::pin_munmap, AccessKind::pin_munmap},
    Counterpart{Access::dio_pin_munmap, AccessKind::pin_munmap},
    Counterpart{Access::pin_unlink, AccessKind::pin_unlink},
    Counterpart{Access::pin_outside, AccessKind::pin_outside},
    Counterpart{Access::pin_refault, AccessKind::pin_refault},
    Counterpart{Access::pin_stream, AccessKind::gup_again},
    Counterpart{Access::pin_then_read, AccessKind::pin_then_read},
    Counterpart{Access::pin_freeze, AccessKind::pin},  // what the change does meanwhile
    Counterpart{Access::pin_umount, AccessKind::pin},
    Counterpart{Access::fsync, AccessKind::fsync, false},  // fsync follows the change there
    Counterpart{Access::fsync_sync, AccessKind::fsync, false},
    Counterpart{Access::zero_page_fault, AccessKind::zero_page_fault},
};

const Counterpart* counterpart_of(Access access) {
  const auto found = std::ranges::find(kCounterparts, access, &Counterpart::access);
  return found == kCounterparts.end() ? nullptr : &*found;
}

/// Nothing where the kernel's cell decides nothing that the engine's could.
std::string_view word_of(const CellResult& cell) {
  switch (cell.outcome) {
    case Outcome::content_changed:
    case Outcome::unflushed:
      return "breaks";
    case Outcome::hang:
      return "hangs";
    case Outcome::waited:
      return "waits";
    case Outcome::starved:  // it waited, and ended once the others had stopped
      return cell.access == Access::pin_stream ? "waits" : "";
    case Outcome::overlapped:
    case Outcome::flushed:
      return "harmless";
    case Outcome::spin:
    case Outcome::inconclusive:
    case Outcome::skipped:
      break;
  }
  return "";
}

std::string_view word_of(Happening happening) {
  switch (happening) {
    case Happening::breaks:
      return "breaks";
    case Happening::hangs:
      return "hangs";
    case Happening::waits:
      return "waits";
    case Happening::fails:
    case Happening::fences:
      return "fails";
    case Happening::harmless:
    case Happening::nothing:
      break;
  }
  return "harmless";
}

const litmus::Cell* cell_of(const std::vector<litmus::Cell>& cells, kernel::Operation operation,
                            AccessKind access) {
  const auto found = std::ranges::find_if(cells, [&](const litmus::Cell& cell) {
    return cell.access == access && litmus::info_of(cell.operation).name == kernel::info_of(operation).name;
  });
  return found == cells.end() ? nullptr : &*found;
}

/// What one of the two does not decide by nature, and why: a cell that is not compared and does not stand
/// here has no good reason. Without an operation: every one that has no row of its own; without an access the
/// same.
struct Undecided {
  std::optional<Access> access;
  std::optional<kernel::Operation> operation;
  Side side;
  std::string_view reason;
};
constexpr std::string_view kReflink = "the file system is made without reflink";
constexpr std::string_view kMoves =
    "a block that moves, or that a zeroed range gets back, comes to no other file";
constexpr std::array kUndecided = {
    Undecided{{}, kernel::Operation::clone, Side::kernel, kReflink},
    Undecided{{}, kernel::Operation::dedupe, Side::kernel, kReflink},
    Undecided{{}, kernel::Operation::unshare, Side::kernel, kReflink},
    Undecided{Access::dio_read, {}, Side::kernel, "direct I/O of a DAX file is a synchronous copy"},
    Undecided{Access::crosswise, {}, Side::engine, "the engine changes one file at a time"},
    Undecided{Access::frozen_store, {}, Side::engine, "the engine has no freeze"},
    // A live cell looks for another file's data where a block was that somebody has pinned.
    Undecided{Access::pin_munmap, kernel::Operation::insert, Side::engine, kMoves},
    Undecided{Access::dio_pin_munmap, kernel::Operation::insert, Side::engine, kMoves},
    // XFS gives a zeroed range new blocks or the same again, as its allocator likes.
    Undecided{Access::pin_munmap, kernel::Operation::zero, Side::chance, kMoves},
    Undecided{Access::dio_pin_munmap, kernel::Operation::zero, Side::chance, kMoves},
    Undecided{Access::zero_page_fault, kernel::Operation::write_hole, Side::chance,
              "a race of many rounds, all of which may miss"},
};

const Undecided* declared(const CellResult& cell) {
  const auto found = std::ranges::find_if(kUndecided, [&](const Undecided& one) {
    return one.access.value_or(cell.access) == cell.access &&
           one.operation.value_or(cell.operation) == cell.operation;
  });
  return found == kUndecided.end() ? nullptr : &*found;
}

bool looks_in_vain(const CellResult& cell, const litmus::Cell& engine) {
  if (cell.outcome != Outcome::overlapped || litmus::happening(engine) != Happening::breaks) return false;
  if (cell.operation == kernel::Operation::insert) return true;
  const bool of_ext4 = engine.release != nullptr && engine.release->release->fs() == "ext4";
  return cell.operation == kernel::Operation::zero && !of_ext4;
}

void compare(Agreement& agreement, const CellResult& cell, const std::vector<litmus::Cell>& engine_cells) {
  const auto leave_out = [&](Side side) {
    const Undecided* reason = declared(cell);
    if (reason != nullptr && reason->side != side && reason->side != Side::chance) reason = nullptr;
    agreement.not_compared.push_back({cell.operation, cell.access, reason == nullptr ? side : reason->side,
                                      reason == nullptr ? "" : reason->reason});
  };
  const std::string_view here = word_of(cell);
  if (here.empty()) return leave_out(Side::kernel);
  const Counterpart* counterpart = counterpart_of(cell.access);
  if (counterpart == nullptr) return leave_out(Side::engine);
  const litmus::Cell* engine = cell_of(engine_cells, cell.operation, counterpart->engine);
  if (engine == nullptr || looks_in_vain(cell, *engine)) return leave_out(Side::engine);
  std::string_view there = word_of(litmus::happening(*engine));
  if (!counterpart->waits_count && there == "waits") there = "harmless";
  agreement.compared.push_back({cell.operation, cell.access, here, there});
}

/// `KEY (punch, zero)` for each key, in their order.
std::vector<std::string> by_key(const std::map<std::string, std::vector<std::string>>& operations) {
  std::vector<std::string> lines;
  for (const auto& [key, names] : operations) lines.push_back(fmt::format("{} ({})", key, join(names)));
  return lines;
}

}  // namespace

std::size_t Agreement::agree() const {
  return static_cast<std::size_t>(std::ranges::count_if(compared, &Compared::agrees));
}

std::size_t Agreement::left_out_by(Side side) const {
  return static_cast<std::size_t>(std::ranges::count(not_compared, side, &NotCompared::side));
}

Agreement agreement_of(const std::vector<CellResult>& kernel_cells,
                       const std::vector<litmus::Cell>& engine_cells) {
  Agreement agreement;
  for (const CellResult& cell : kernel_cells) compare(agreement, cell, engine_cells);
  return agreement;
}

Agreement agreement_of(const std::vector<CellResult>& kernel_cells, const litmus::ReleaseRow& row) {
  litmus::Selection only;
  only.protocols = false;
  only.releases = {&row};
  return agreement_of(kernel_cells, litmus::decide(litmus::scripts(), only));
}

std::vector<std::string> differences(const Agreement& agreement) {
  std::map<std::string, std::vector<std::string>> found;
  for (const Compared& one : agreement.compared)
    if (!one.agrees())
      found[fmt::format("{}: kernel {}, engine {}", kernel::info_of(one.access).name, one.kernel, one.engine)]
          .emplace_back(kernel::info_of(one.operation).name);
  return by_key(found);
}

std::vector<std::string> omissions(const Agreement& agreement) {
  std::map<std::string, std::vector<std::string>> found;
  for (const NotCompared& one : agreement.not_compared)
    if (one.side != Side::kernel)
      found[fmt::format("{}: {}", kernel::info_of(one.access).name,
                        one.reason.empty() ? "the engine has no such cell" : one.reason)]
          .emplace_back(kernel::info_of(one.operation).name);
  return by_key(found);
}

}  // namespace daxrace
