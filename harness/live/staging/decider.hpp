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

/// Whether anybody else's cells are decided meanwhile.
enum class Company : std::uint8_t { alone, beside_others };

/// The cells of a table, by number.
struct Cells {
  using Decide = std::function<CellResult(std::size_t cell)>;
  std::size_t count = 0;
  /// A cell about which nothing is known but which it is.
  std::function<CellResult(std::size_t cell)> blank;
  /// Makes what the cells need. What it returns is called for one cell after the other, and destroyed
  /// afterwards.
  std::function<Decide(Company)> begin;
  /// Lists that may be decided at once, each in its order. What is in none of them is decided alone, after
  /// them.
  std::vector<std::vector<std::size_t>> lanes{};
  /// Of a cell that was decided beside others: whether they may have had a part in what it came to. Then it
  /// is decided once more, alone, and only that counts.
  std::function<bool(const CellResult& cell)> is_doubtful = [](const CellResult&) { return false; };
};

/// Decides the cells in processes of their own, one for each lane, which are watched: where the kernel does
/// not let one go on, in whatever call, its cell is `inconclusive` with the place in which it sleeps, and
/// another process goes on with the next one. What it leaves asleep in the kernel keeps nobody from ending.
/// `patience` learns what they learn. Throws what a cell throws, as an Error.
std::vector<CellResult> decide_apart(const Cells& cells, Patience& patience, const Course& course);

/// How long a cell may take, and its process sleep without running. Nothing that is to come takes so long.
std::uint64_t longest_cell_ns(const Patience& patience);
std::uint64_t longest_sleep_ns(const Patience& patience);

/// Calls `work` in a process of its own. False if it has not ended by the bound, and goes on without us.
bool ends_apart(const std::function<void()>& work, std::uint64_t bound_ns);

}  // namespace daxrace::kernel
