#include "bench/run/resume.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "bench/report/run_records.hpp"
#include "bench/run/result_file.hpp"
#include "harness/base/error.hpp"
#include "harness/results/recorded_run.hpp"

namespace daxrace {
namespace {

using Given = std::pair<std::string, std::string>;

/// What says where results go and how much is told, and leave to overwrite a device, which is given each
/// time.
constexpr std::array<std::string_view, 11> kNotOfThePlan = {"resume",  "out",    "append",      "force",
                                                            "dry-run", "tables", "color",       "no-table",
                                                            "quiet",   "config", "destroy-data"};
constexpr std::string_view kBenchmarkFilter = "benchmark_filter";

bool is_of_the_plan(const Given& option) {
  return std::ranges::find(kNotOfThePlan, option.first) == kNotOfThePlan.end();
}

const std::string* value_of(const std::vector<Given>& options, std::string_view name) {
  const auto found = std::ranges::find(options, name, &Given::first);
  return found == options.end() ? nullptr : &found->second;
}

/// 1s and 1000ms are one value.
RunOptions with_only(const std::string& name, const std::string& value) {
  RunOptions options;
  const OptionTable table = run_option_table(options);
  apply_recorded_option(*find_option(table, name), value);
  return options;
}

[[noreturn]] void refuse_contradiction(const RunOptions& options, const std::string& name,
                                       const std::string& here, const std::string& there) {
  const auto text = [&](const std::string& value) {
    return value == "true" ? fmt::format("--{}", name) : fmt::format("--{}={}", name, value);
  };
  throw Error(
      fmt::format("--resume={}: {} contradicts the run, which has {}: leave it out, or begin another run",
                  options.resume, text(here), there.empty() ? fmt::format("no --{}", name) : text(there)));
}

void refuse_what_the_run_lacks(const RunOptions& options, const RecordedRun& run) {
  for (const Given& given : options.given)
    if (is_of_the_plan(given) && value_of(run.options, given.first) == nullptr &&
        !(with_only(given.first, given.second) == RunOptions{}))
      refuse_contradiction(options, given.first, given.second, "");
}

void repeat_benchmark_filter(RunOptions& options, const RecordedRun& run) {
  const std::string* const recorded = value_of(run.options, kBenchmarkFilter);
  const std::string there = recorded == nullptr ? "" : *recorded;
  const std::string here = benchmark_filter_of(options);
  if (here == there) return;
  if (!here.empty()) refuse_contradiction(options, std::string{kBenchmarkFilter}, here, there);
  options.benchmark_flags.push_back(fmt::format("--{}={}", kBenchmarkFilter, there));
}

void refuse_other(const std::string& path, std::string_view what, const std::string& there,
                  const std::string& here) {
  if (there == here || there.empty()) return;
  throw Error(fmt::format(
      "--resume={}: {} of the run is \"{}\", here it is \"{}\": one run is of one, choose another --out",
      path, what, there, here));
}

void refuse_another_machine(const std::string& path, const RecordedRun& run, const RunInfo& info) {
  refuse_other(path, "the commit", run.git_commit, info.git_commit);
  refuse_other(path, "the host", run.host, info.host);
  refuse_other(path, "the CPU", run.cpu, info.cpu);
  refuse_other(path, "the kernel", run.kernel, info.kernel);
  refuse_other(path, "the emulation", run.emulated, info.emulated);
}

/// What is known of the run where its report is lost.
RecordedRun run_of_the_last_row(const std::string& path, const std::string& host) {
  RecordedRun run;
  if (!std::filesystem::exists(path)) return run;
  { const CsvWriter refuses_what_is_not_ours(path, OpenMode::append, host); }
  scan_csv(path, [&](const Row& row, std::size_t) {
    run.run_id = row.run_id;
    run.time_utc = row.time_utc;
    run.git_commit = row.git_commit;
    run.cpu = row.cpu;
    run.kernel = row.kernel;
    run.emulated = row.emulated;
  });
  return run;
}

}  // namespace

std::string benchmark_filter_of(const RunOptions& options) {
  const std::string start = fmt::format("--{}=", kBenchmarkFilter);
  for (const std::string& flag : options.benchmark_flags)
    if (flag.starts_with(start)) return flag.substr(start.size());
  return "";
}

void repeat_recorded_plan(RunOptions& options, const OptionTable& table) {
  if (!std::filesystem::exists(options.resume))
    throw Error(fmt::format("--resume={}: there is no such file", options.resume));
  const auto run = last_recorded_run(options.resume);
  if (!run) {
    if (std::ranges::none_of(options.given, is_of_the_plan))
      throw Error(fmt::format(
          "--resume={}: nothing beside it says what the run was asked for: give its options again",
          options.resume));
    return;
  }
  const std::vector<Given> given = options.given;
  refuse_what_the_run_lacks(options, *run);
  for (const Given& recorded : run->options) {
    const auto& [name, value] = recorded;
    if (!is_of_the_plan(recorded) || name == kBenchmarkFilter) continue;
    const OptionSpec* const spec = find_option(table, name);
    if (spec == nullptr)
      throw Error(fmt::format("--resume={}: the run has an option that this daxrace does not know, --{}",
                              options.resume, name));
    const std::string* const here = value_of(given, name);
    if (here == nullptr)
      apply_recorded_option(*spec, value);
    else if (*here != value && !(with_only(name, *here) == with_only(name, value)))
      refuse_contradiction(options, name, *here, value);
  }
  repeat_benchmark_filter(options, *run);
}

std::vector<Row> go_on_with(const std::string& path, RunInfo& info) {
  const auto recorded = last_recorded_run(path);
  const RecordedRun run = recorded ? *recorded : run_of_the_last_row(path, info.host);
  refuse_another_machine(path, run, info);
  std::vector<Row> kept = prepare_resume(path, info.host, run);
  if (run.run_id.empty()) return kept;
  info.resumed_utc = info.time_utc;
  info.run_id = run.run_id;
  info.time_utc = run.time_utc;
  return kept;
}

std::string resume_command(const RunOptions& options, const std::string& path) {
  std::vector<std::string> words = {"daxrace", "run", "--resume=" + path};
  if (options.destroy_data) words.emplace_back("--destroy-data");
  return shell_line(words);
}

}  // namespace daxrace
