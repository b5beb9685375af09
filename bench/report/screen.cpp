#include "bench/report/screen.hpp"

#include <set>

#include <fmt/format.h>

#include "bench/cli/terminal.hpp"
#include "bench/cli/units.hpp"
#include "bench/report/origins.hpp"
#include "harness/base/text.hpp"

namespace daxrace {
namespace {

std::string violation_text(const RunRecord& run, const ViolationRecord& violation) {
  std::string out =
      fmt::format("{}\n  {}\n",
                  shown_text(fmt::format("{}, repetition {}, seed {}, run {}", violation.configuration,
                                         violation.repetition, violation.seed, run.run_id)),
                  shown_text(violation.heading));
  for (const std::string& line : violation.timeline) out += fmt::format("    {}\n", shown_text(line));
  return out + '\n';
}

}  // namespace

std::string screen_of(const std::vector<Row>& rows, const RunRecords& records,
                      const std::vector<std::string>& files, const TableOptions& table, const Paint& paint) {
  std::string out;
  for (const OriginRows& origin : origins_of(rows, records, table)) {
    if (!out.empty()) out += '\n';
    out += answer_text(origin.answer, {.columns = text_columns(), .paint = paint, .files = files});
  }
  return out;
}

std::string screen_of_file(const std::string& path, const std::vector<Row>& rows, const TableOptions& table,
                           const Paint& paint) {
  std::set<std::string> run_ids;
  for (const Row& row : rows) run_ids.insert(row.run_id);
  RunRecords records;
  read_run_records(path, run_ids, records);
  return screen_of(rows, records, {path}, table, paint);
}

std::string violations_text(const RunRecords& records) {
  std::string out;
  std::size_t count = 0;
  std::uint64_t not_shown = 0;
  for (const RunRecord& run : records.runs) {
    for (const std::vector<ViolationRecord>* list : {&run.hangs, &run.violations})
      for (const ViolationRecord& violation : *list) out += violation_text(run, violation);
    count += run.hangs.size() + run.violations.size();
    not_shown += run.violations_not_shown;
  }
  out += counted(count, "violation");
  if (not_shown > 0) out += fmt::format(", and {} more that no timeline was kept of", not_shown);
  for (const std::string& remark : records.remarks) out += fmt::format("\n{}", shown_text(remark));
  return out + '\n';
}

}  // namespace daxrace
