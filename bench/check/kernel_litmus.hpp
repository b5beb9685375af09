#pragma once

#include <string>
#include <vector>

#include "bench/check/litmus.hpp"
#include "harness/live/observe/canaries.hpp"
#include "harness/live/staging/litmus.hpp"

namespace daxrace {

/// `daxrace litmus --target=kernel`: decides the cells on the live kernel and prints them. Throws Error.
Exit print_kernel_litmus(const LitmusOptions& options);

/// The cells in each format; `facts` is what they were decided on, `canaries` what its log could have said.
std::string kernel_litmus_text(const kernel::FsFacts& facts, const std::vector<kernel::CellResult>& cells,
                               const std::vector<kernel::Sighting>& canaries = {});
std::string kernel_litmus_csv(const kernel::FsFacts& facts, const std::vector<kernel::CellResult>& cells);
std::string kernel_litmus_json(const kernel::FsFacts& facts, const std::vector<kernel::CellResult>& cells,
                               const std::vector<kernel::Sighting>& canaries = {});
std::string kernel_litmus_markdown(const kernel::FsFacts& facts,
                                   const std::vector<kernel::CellResult>& cells);

/// 1 where content changed, a page was not flushed or something hung; 77 where nothing could be staged, or
/// where `require_decided` and a cell was skipped or inconclusive.
Exit kernel_litmus_exit(const std::vector<kernel::CellResult>& cells, bool require_decided = false);

}  // namespace daxrace
