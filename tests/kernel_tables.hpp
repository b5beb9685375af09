#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "bench/check/agreement.hpp"

/// Stock kernels whose litmus tables are held against the release that stands for them: the recorded tables
/// by releases_test, a guest's by check_kernel_target.
namespace daxrace {

struct KernelTable {
  std::string_view name;      ///< results/kernel/NAME.txt
  std::string_view release;   ///< that stands for it
  std::size_t compared;       ///< at least so many cells; this number may only rise
  std::size_t engine_cannot;  ///< at most so many that the engine does not stage; these two may only fall
  std::size_t kernel_cannot;  ///< and that the kernel, or the staging on it, does not decide
};
void PrintTo(const KernelTable& table, std::ostream* out);

const std::vector<KernelTable>& kernel_tables();
/// Null: there is none of that kernel (6.1, 6.12, 7.x) on that file system.
const KernelTable* kernel_table_of(std::string_view kernel, std::string_view fs);

/// The cells that `litmus --target=kernel --format=json` wrote. Throws Error for a word that is none.
std::vector<kernel::CellResult> cells_of_json(const nlohmann::json& litmus);

/// What keeps a table from agreeing with its release as much as it must, a line each: cells that differ,
/// too few that are compared, too many that are not, and any of these without a declared reason.
std::vector<std::string> complaints_of(const KernelTable& table, const Agreement& agreement);
/// `7.x-xfs: 104 of 104 cells agree with xfs@7.x; not compared 12 + 66`
std::string summary_of(const KernelTable& table, const Agreement& agreement);

}  // namespace daxrace
