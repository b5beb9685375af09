#include "bench/report/report.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <unistd.h>

#include "bench/cli/signals.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/table_options.hpp"
#include "bench/report/data.hpp"
#include "bench/report/page.hpp"
#include "bench/report/run_records.hpp"
#include "bench/report/screen.hpp"
#include "bench/report/sections.hpp"
#include "harness/results/csv.hpp"

namespace daxrace {
namespace {

std::vector<Row> read_files(const std::vector<std::string>& files, RunRecords& records) {
  std::vector<Row> rows;
  for (const std::string& path : files) {
    const CsvFile file = read_csv(path);
    if (file.rows.empty()) throw Error(fmt::format("{}: holds no rows", path));
    if (file.dropped_lines > 0)
      records.remarks.push_back(
          fmt::format("{}: its last line is cut off and left out (the run was killed)", path));
    std::set<std::string> run_ids;
    for (const Row& row : file.rows) run_ids.insert(row.run_id);
    read_run_records(path, run_ids, records);
    rows.insert(rows.end(), file.rows.begin(), file.rows.end());
  }
  return rows;
}

/// A slip of the pen in --out must not cost a file that is no report.
void refuse_foreign_file(const std::string& path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status)) return;
  if (!std::filesystem::is_regular_file(status)) throw Error(fmt::format("{}: is not a regular file", path));
  std::ifstream file(path, std::ios::binary);
  std::string start(512, '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(file.gcount()));
  if (!start.empty() && start.find(kGeneratorMark) == std::string::npos)
    throw Error(
        fmt::format("{}: is not a report of daxrace and will not be replaced: choose another --out", path));
}

/// Beside it and renamed: a reader never sees half a page.
void write_file(const std::string& path, const std::string& text) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  std::FILE* const file = std::fopen(temporary.c_str(), "wxe");
  if (file == nullptr) throw Error(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = std::fclose(file) == 0;
  if (written && closed && std::rename(temporary.c_str(), path.c_str()) == 0) return;
  const int error = errno;
  std::remove(temporary.c_str());
  throw Error(fmt::format("{}: cannot be written: {}", path, std::strerror(error)));
}

}  // namespace

namespace {

bool parse_report_format(const std::string& word) {
  if (word != "html" && word != "text")
    throw Error("--format: " + unknown_word("format", word, {"html", "text"}));
  return word == "text";
}

std::string report_text(const ReportOptions& options) {
  RunRecords records;
  const std::vector<Row> rows = read_files(options.files, records);
  if (options.explain) return violations_text(records);
  TableOptions table = usual_table_options();
  const Paint paint = paint_for(options.color);
  table.color = paint.on();
  return options.tables ? format_results(rows, table) : screen_of(rows, records, options.files, table, paint);
}

}  // namespace

OptionTable report_option_table(ReportOptions& options) {
  using Values = std::vector<std::string>;
  return {
      {"Output", "out", Takes::value, "FILE", "report.html",
       "the page; a file that is no report is not replaced",
       [&options](const Values& values) {
         if (values.front() == "-") throw Error("--out=-: a file is needed, not standard output");
         options.out = values.front();
       }},
      {"Output", "title", Takes::value, "TEXT", "daxrace: FILE", "what stands at its top",
       [&options](const Values& values) { options.title = values.front(); }},
      {"Output", "format", Takes::value, "html|text", "html",
       "text: the screen with which a run ends, on stdout; nothing is written",
       [&options](const Values& values) { options.text = parse_report_format(values.front()); }},
      {"Output", "tables", Takes::nothing, "", "", "text: every table in place of the screen",
       [&options](const Values&) { options.text = options.tables = true; }},
      {"Output", "explain", Takes::nothing, "", "",
       "text: every violation and hang with the events that led to it",
       [&options](const Values&) { options.text = options.explain = true; }},
      color_option("Output", options.color),
      {"Output", "no-plots", Takes::nothing, "", "", "tables only; gnuplot is not run",
       [&options](const Values&) { options.plots = false; }},
  };
}

std::string report_page(const ReportOptions& options, const std::string& gnuplot, std::string& why_no_plots) {
  RunRecords records;
  const std::vector<Row> rows = read_files(options.files, records);
  const ReportData data = sort_rows(rows, usual_table_options());
  Page page;
  add_safety(page, data);
  add_cost(page, data);
  add_distributions(page, data);
  add_scaling(page, data);
  add_placement(page, data);
  add_starvation(page, data);
  add_violations(page, records);
  add_environment(page, records);
  const std::string name = std::filesystem::path(options.files.front()).filename().string();
  const std::string title = !options.title.empty() ? options.title
                            : options.files.size() == 1
                                ? "daxrace: " + name
                                : fmt::format("daxrace: {} and {} more", name, options.files.size() - 1);
  return page.finish(title, lead(data, records, options.files), gnuplot, why_no_plots);
}

Exit write_report(const ReportOptions& options) {
  if (options.files.empty()) throw Error("report: give at least one result file: daxrace report FILE.csv");
  if (options.text) {
    fmt::print("{}", report_text(options));
    return Exit::ok;
  }
  refuse_foreign_file(options.out);
  install_stop_handlers();
  std::string why_no_plots;
  const std::string page = report_page(options, options.plots ? "gnuplot" : "", why_no_plots);
  if (stop_requested().load()) throw Error("report: interrupted", Exit::interrupted);
  write_file(options.out, page);
  if (options.plots && !why_no_plots.empty())
    fmt::print(stderr, "daxrace: plots skipped: {}\n", why_no_plots);
  fmt::print("{}\n", options.out);
  return Exit::ok;
}

}  // namespace daxrace
