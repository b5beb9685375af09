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

/// A live cell looks for the data of other files where a block was that somebody has pinned. A block that
/// moved, or that the zeroed range got back as XFS may give it, holds none.
bool looks_in_vain(const CellResult& cell, const litmus::Cell& engine) {
  if (cell.outcome != Outcome::overlapped || litmus::happening(engine) != Happening::breaks) return false;
  if (cell.operation == kernel::Operation::insert) return true;
  const bool of_ext4 = engine.release != nullptr && engine.release->release->fs() == "ext4";
  return cell.operation == kernel::Operation::zero && !of_ext4;
}

void compare(Agreement& agreement, const CellResult& cell, const std::vector<litmus::Cell>& engine_cells) {
  const std::string_view here = word_of(cell);
  if (here.empty()) return;
  const auto leave_out = [&](std::string_view reason) {
    agreement.not_compared.push_back({cell.operation, cell.access, reason});
  };
  const Counterpart* counterpart = counterpart_of(cell.access);
  if (counterpart == nullptr) return leave_out("the engine has no such access");
  const litmus::Cell* engine = cell_of(engine_cells, cell.operation, counterpart->engine);
  if (engine == nullptr) return leave_out("the engine has no such operation");
  std::string_view there = word_of(litmus::happening(*engine));
  if (looks_in_vain(cell, *engine))
    return leave_out("a block that moves, or that a zeroed range gets back, comes to no other file");
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
    found[fmt::format("{}: {}", kernel::info_of(one.access).name, one.reason)].emplace_back(
        kernel::info_of(one.operation).name);
  return by_key(found);
}

}  // namespace daxrace
