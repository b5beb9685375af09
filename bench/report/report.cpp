#include "bench/report/report.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <unordered_map>

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
#include "harness/base/text.hpp"
#include "harness/results/csv.hpp"
#include "harness/results/result_set.hpp"

namespace daxrace {
namespace {

std::string name_of(const std::string& path) { return std::filesystem::path(path).filename().string(); }

/// Rows as they are read, each of them once: what was measured once must not count as two samples.
class RowReader {
 public:
  void read(const std::string& path, RunRecords& records) {
    const std::size_t before = rows_.size();
    std::set<std::string> run_ids;
    const std::size_t dropped = scan_csv(path, [&](const Row& row, std::size_t line) {
      refuse_second(row, fmt::format("{}:{}", path, line));
      run_ids.insert(row.run_id);
      rows_.push_back(row);
    });
    if (rows_.size() == before) throw Error(fmt::format("{}: holds no rows", path));
    if (dropped > 0)
      records.remarks.push_back(
          fmt::format("{}: its last line is cut off and left out (the run was killed)", name_of(path)));
    read_run_records(path, run_ids, records);
  }
  const std::vector<Row>& rows() const { return rows_; }

 private:
  void refuse_second(const Row& row, const std::string& place) {
    const auto [first, is_new] = places_.emplace(
        fmt::format("{}\n{}\n{}", row.run_id, row.repetition.value_or(0), key_of(row, {})), place);
    if (!is_new)
      throw Error(fmt::format(
          "{}: the same run, configuration and repetition as {}: was a file given or written twice?", place,
          first->second));
  }

  std::vector<Row> rows_;
  std::unordered_map<std::string, std::string> places_;
};

std::vector<Row> read_files(const std::vector<std::string>& files, RunRecords& records) {
  RowReader reader;
  for (const std::string& path : files) reader.read(path, records);
  return reader.rows();
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
  const std::vector<std::string> files = result_files(options.files);
  const std::vector<Row> rows = read_files(files, records);
  if (options.explain) return violations_text(records);
  TableOptions table = usual_table_options();
  const Paint paint = paint_for(options.color);
  table.color = paint.on();
  return options.tables ? format_results(rows, table) : screen_of(rows, records, files, table, paint);
}

}  // namespace

OptionTable report_option_table(ReportOptions& options) {
  using Values = std::vector<std::string>;
  return {
      {"Output", "out", Takes::value, "FILE", "report.html",
       "the page; - writes it to standard output; a file that is no report is not replaced",
       [&options](const Values& values) { options.out = values.front(); }},
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
  const std::vector<std::string> files = result_files(options.files);
  const std::vector<Row> rows = read_files(files, records);
  const ReportData data = sort_rows(rows, records, usual_table_options());
  Page page;
  add_answer(page, data);
  add_safety(page, data);
  add_cost(page, data);
  add_distributions(page, data);
  add_scaling(page, data);
  add_placement(page, data);
  add_starvation(page, data);
  add_violations(page, records);
  add_environment(page, records);
  std::string title = options.title;
  if (title.empty()) title = "daxrace: " + name_of(files.front());
  if (options.title.empty() && files.size() > 1) title += fmt::format(" and {} more", files.size() - 1);
  return page.finish(title, lead(data, records, files), gnuplot, why_no_plots);
}

Exit write_report(const ReportOptions& options) {
  if (options.files.empty())
    throw Error("report: give at least one result file, or a directory of them: daxrace report FILE.csv");
  if (options.text) {
    fmt::print("{}", report_text(options));
    return Exit::ok;
  }
  const bool to_stdout = options.out == "-";
  if (!to_stdout) refuse_foreign_file(options.out);
  install_stop_handlers();
  std::string why_no_plots;
  const std::string page = report_page(options, options.plots ? "gnuplot" : "", why_no_plots);
  if (stop_requested().load()) throw Error("report: interrupted", Exit::interrupted);
  if (!to_stdout) write_file(options.out, page);
  if (options.plots && !why_no_plots.empty())
    fmt::print(stderr, "daxrace: plots skipped: {}\n", shown_text(why_no_plots));
  fmt::print("{}\n", to_stdout ? page : shown_text(options.out));
  return Exit::ok;
}

}  // namespace daxrace
