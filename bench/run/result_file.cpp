#include "bench/run/result_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/results/exclusion.hpp"
#include "harness/results/result_set.hpp"

namespace daxrace {
namespace {

bool in_project_root() {
  namespace fs = std::filesystem;
  return fs::is_directory("results") && fs::is_directory("protocols") &&
         fs::is_regular_file("CMakeLists.txt");
}

std::string new_file_name(const RunInfo& info) {
  std::string stamp = info.time_utc;
  std::erase_if(stamp, [](char c) { return c == ':' || c == '-'; });
  return fmt::format("{}-{}.csv", stamp, info.host);
}

std::pair<std::string, std::uint64_t> episode_of(const Row& row) {
  return {key_of(row, {"path"}), row.repetition.value_or(0)};
}

void replace_rows(const std::string& path, const std::string& host, const std::vector<Row>& rows) {
  const std::string temporary = path + ".resume";
  try {
    CsvWriter writer(temporary, OpenMode::replace, host);
    for (const Row& row : rows) writer.write(row);
  } catch (const Error&) {
    unlink(temporary.c_str());
    throw;
  }
  if (rows.empty() ? unlink(path.c_str()) != 0 : std::rename(temporary.c_str(), path.c_str()) != 0)
    throw Error(fmt::format("--resume={}: cannot be rewritten: {}", path, std::strerror(errno)));
}

void refuse_rows_that_are_there_twice(const std::string& path) {
  ResultSet rows;
  rows.read(path);
  rows.finish();
}

/// NAME.csv, or the first of NAME-2.csv, NAME-3.csv, ... that is not there: two runs may begin in one second.
std::string unused(const std::string& name) {
  constexpr std::string_view kCsv = ".csv";
  std::string path = name;
  for (unsigned i = 2; std::filesystem::exists(path); ++i)
    path = fmt::format("{}-{}{}", name.substr(0, name.size() - kCsv.size()), i, kCsv);
  return path;
}

}  // namespace

std::string result_path(const RunOptions& options, const RunInfo& info) {
  if (!options.resume.empty()) return options.resume;
  if (!options.out.empty()) return options.out;
  std::string name = new_file_name(info);
  if (!in_project_root()) return unused(name);
  std::error_code failed;
  std::filesystem::create_directories("results/local", failed);
  if (failed)
    throw Error(fmt::format("results/local: cannot be made: {}; name a file with --out", failed.message()));
  return unused("results/local/" + name);
}

Finished::Finished(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    if (row.path == kAllPaths && !end_of(row).skipped()) episodes_.insert(episode_of(row));
}

bool Finished::has(const Row& configuration, unsigned repetition) const {
  return episodes_.contains({key_of(configuration, {"path"}), repetition});
}

bool Finished::covers(const Row& row) const {
  return !end_of(row).skipped() && episodes_.contains(episode_of(row));
}

std::vector<Row> prepare_resume(const std::string& path, const std::string& host, const RecordedRun& run) {
  if (!std::filesystem::exists(path)) throw Error(fmt::format("--resume={}: there is no such file", path));
  { const CsvWriter refuses_what_is_not_ours(path, OpenMode::append, host); }
  refuse_rows_that_are_there_twice(path);
  const std::vector<Row> before = read_csv(path).rows;
  std::vector<Row> own;
  std::ranges::copy_if(before, std::back_inserter(own), [&](const Row& row) { return run.owns(row.run_id); });
  const Finished finished(own);
  std::vector<Row> after;
  std::vector<Row> kept;
  for (const Row& row : before) {
    const bool is_own = run.owns(row.run_id);
    if (is_own && !finished.covers(row)) continue;
    after.push_back(row);
    if (!is_own) continue;
    if (!run.run_id.empty()) {
      after.back().run_id = run.run_id;
      after.back().time_utc = run.time_utc;
    }
    kept.push_back(after.back());
  }
  if (after != before) replace_rows(path, host, after);
  return kept;
}

ResultFile::ResultFile(const std::string& path, OpenMode mode, const RunInfo& info)
    : writer_(path, mode, info.host), report_(path, mode, info) {}

void ResultFile::add(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    writer_.write(row);
    rows_.push_back(row);
  }
}

void ResultFile::keep(const std::vector<Row>& rows) { rows_.insert(rows_.begin(), rows.begin(), rows.end()); }

}  // namespace daxrace
