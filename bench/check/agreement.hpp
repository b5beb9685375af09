#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/litmus/table.hpp"
#include "harness/live/staging/cell.hpp"

/// Cells of a live kernel beside those of the engine.
namespace daxrace {

/// A cell that both decide, in a word that both know.
struct Compared {
  kernel::Operation operation;
  kernel::Access access;
  std::string_view kernel;  ///< breaks, hangs, waits, harmless
  std::string_view engine;
  bool agrees() const { return kernel == engine; }
};
/// Which of the two does not decide a cell. `chance`: the kernel may, and did not this time.
enum class Side : std::uint8_t { engine, kernel, chance };
struct NotCompared {
  kernel::Operation operation;
  kernel::Access access;
  Side side;
  std::string_view reason;  ///< empty: none is declared
};

struct Agreement {
  std::vector<Compared> compared;
  std::vector<NotCompared> not_compared;

  std::size_t agree() const;
  std::size_t left_out_by(Side side) const;
  std::size_t missed() const { return left_out_by(Side::chance); }
  bool whole() const { return !compared.empty() && agree() == compared.size(); }
};

/// The engine's cells are those of one protocol under one refcount rule, or of one release.
Agreement agreement_of(const std::vector<kernel::CellResult>& kernel_cells,
                       const std::vector<litmus::Cell>& engine_cells);
/// With the cells of a release, which are decided for it.
Agreement agreement_of(const std::vector<kernel::CellResult>& kernel_cells, const litmus::ReleaseRow& row);

/// `pin against punch: kernel waits, engine hangs` and such, one line for each kind.
std::vector<std::string> differences(const Agreement& agreement);
/// What the kernel decided and was not compared, by reason.
std::vector<std::string> omissions(const Agreement& agreement);

}  // namespace daxrace
