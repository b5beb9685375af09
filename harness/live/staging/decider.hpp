#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/live/staging/cell.hpp"

namespace daxrace::kernel {

/// How a table is made, whatever its cells are.
struct Course {
  std::uint64_t table_bound_ns = 600'000'000'000;  ///< no cell is begun later
  const std::atomic<bool>* stop = nullptr;         ///< set: the cells that are done are all there will be
  /// Each cell as soon as it is done.
  std::function<void(const CellResult& cell, std::size_t done, std::size_t of)> on_cell{};
};

/// The cells of a table, by number.
struct Cells {
  using Decide = std::function<CellResult(std::size_t cell)>;
  std::size_t count = 0;
  /// A cell about which nothing is known but which it is.
  std::function<CellResult(std::size_t cell)> blank;
  /// Makes what the cells need. What it returns is called for one cell after the other, and destroyed
  /// afterwards.
  std::function<Decide()> begin;
};

/// Decides the cells in a process of its own, which is watched: where the kernel does not let it go on, in
/// whatever call, its cell is `inconclusive` with the place in which it sleeps, and another process goes on
/// with the next one. What it leaves asleep in the kernel keeps nobody from ending. `patience` learns what it
/// learns. Throws what a cell throws, as an Error.
std::vector<CellResult> decide_apart(const Cells& cells, Patience& patience, const Course& course);

/// How long a cell may take, and its process sleep without running. Nothing that is to come takes so long.
std::uint64_t longest_cell_ns(const Patience& patience);
std::uint64_t longest_sleep_ns(const Patience& patience);

/// Calls `work` in a process of its own. False if it has not ended by the bound, and goes on without us.
bool ends_apart(const std::function<void()>& work, std::uint64_t bound_ns);

}  // namespace daxrace::kernel
