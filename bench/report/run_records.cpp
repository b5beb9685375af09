#include "bench/report/run_records.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace daxrace {
namespace {

bool needs_quotes(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=/.,:+@%";
  return word.empty() || word.find_first_not_of(kPlain) != std::string::npos;
}

}  // namespace

void read_run_records(const std::string& csv_path, const std::set<std::string>& run_ids,
                      RunRecords& records) {
  const auto runs = read_run_json(csv_path);
  const std::string name = std::filesystem::path(run_json_path(csv_path)).filename();  // pages are passed on
  if (!runs) {
    records.remarks.push_back(
        fmt::format("{}: not there: no timelines, no command, no environment for its rows", name));
    return;
  }
  std::set<std::string> missing = run_ids;
  for (const RunRecord& run : *runs)
    if (missing.erase(run.run_id) > 0) records.runs.push_back(run);
  for (const std::string& id : missing)
    records.remarks.push_back(fmt::format("{}: does not know run {} of the CSV", name, id));
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    if (!needs_quotes(word)) {
      out += word;
      continue;
    }
    out += '\'';
    for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    out += '\'';
  }
  return out;
}

}  // namespace daxrace
