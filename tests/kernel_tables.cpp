#include "tests/kernel_tables.hpp"

#include <algorithm>
#include <functional>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "harness/base/error.hpp"

namespace daxrace {
namespace {

template <class Enum, class Words, class Name>
Enum named(const Words& words, Name name, const std::string& word) {
  const auto found = std::ranges::find(words, word, name);
  if (found == words.end()) throw Error("no such word: " + word);
  return static_cast<Enum>(found - words.begin());
}

}  // namespace

void PrintTo(const KernelTable& table, std::ostream* out) { *out << table.name; }

const std::vector<KernelTable>& kernel_tables() {
  static const std::vector<KernelTable> all = {
      {"6.1-xfs", "xfs@6.1.75", 102, 14, 66}, {"6.1-ext4", "ext4@6.1.75", 102, 14, 66},
      {"6.12-xfs", "xfs@6.12", 102, 14, 66},  {"6.12-ext4", "ext4@6.12.117", 102, 14, 66},
      {"7.x-xfs", "xfs@7.x", 104, 12, 66},    {"7.x-ext4", "ext4@7.x", 104, 12, 66}};
  return all;
}

const KernelTable* kernel_table_of(std::string_view kernel, std::string_view fs) {
  const auto found = std::ranges::find(kernel_tables(), fmt::format("{}-{}", kernel, fs), &KernelTable::name);
  return found == kernel_tables().end() ? nullptr : &*found;
}

std::vector<kernel::CellResult> cells_of_json(const nlohmann::json& litmus) {
  std::vector<kernel::CellResult> cells;
  for (const nlohmann::json& one : litmus.at("cells")) {
    kernel::CellResult& cell = cells.emplace_back();
    cell.operation = named<kernel::Operation>(kernel::kOperations, &kernel::OperationInfo::name,
                                              one.at("operation").get<std::string>());
    cell.access = named<kernel::Access>(kernel::kAccesses, &kernel::AccessInfo::name,
                                        one.at("access").get<std::string>());
    cell.outcome =
        named<kernel::Outcome>(kernel::kOutcomeNames, std::identity{}, one.at("outcome").get<std::string>());
    cell.what = one.at("what").get<std::string>();
  }
  return cells;
}

std::vector<std::string> complaints_of(const KernelTable& table, const Agreement& agreement) {
  std::vector<std::string> said;
  for (const std::string& line : differences(agreement))
    said.push_back(fmt::format("{} and {} differ in {}", table.name, table.release, line));
  for (const NotCompared& one : agreement.not_compared)
    if (one.reason.empty())
      said.push_back(fmt::format("{}: {} against {} is not decided, and no reason is declared", table.name,
                                 kernel::info_of(one.operation).name, kernel::info_of(one.access).name));
  if (const std::size_t cells = agreement.compared.size() + agreement.missed(); cells < table.compared)
    said.push_back(fmt::format("{}: {} cells compared, not {}", table.name, cells, table.compared));
  const auto at_most = [&](Side side, std::size_t most) {
    if (const std::size_t cells = agreement.left_out_by(side); cells > most)
      said.push_back(fmt::format("{}: {} cells that the {} does not decide, not at most {}", table.name,
                                 cells, side == Side::engine ? "engine" : "kernel", most));
  };
  at_most(Side::engine, table.engine_cannot);
  at_most(Side::kernel, table.kernel_cannot);
  return said;
}

std::string summary_of(const KernelTable& table, const Agreement& agreement) {
  return fmt::format(
      "{}: {} of {} cells agree with {}; not compared: {} that the engine does not stage, {} that the kernel "
      "does not decide, {} that a race missed",
      table.name, agreement.agree(), agreement.compared.size(), table.release,
      agreement.left_out_by(Side::engine), agreement.left_out_by(Side::kernel), agreement.missed());
}

}  // namespace daxrace
