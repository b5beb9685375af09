#include "harness/results/run_json.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/results/run_record.hpp"

namespace daxrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kReportSchema = 1;
constexpr std::size_t kTimelinesKept =
    3;  ///< per configuration and detector: a soak must not grow a report for ever

Json machine_of(const RunInfo& info) {
  return {{"host", info.host},
          {"cpu", info.cpu},
          {"emulated", info.emulated},
          {"kernel", info.kernel},
          {"kernel_version", info.kernel_version},
          {"kernel_parameters", info.kernel_parameters},
          {"kernel_debug", info.kernel_debug},
          {"governor", info.governor},
          {"turbo", info.turbo},
          {"smt", info.smt},
          {"mitigations", info.mitigations},
          {"transparent_hugepage", info.thp},
          {"transparent_hugepage_defrag", info.thp_defrag},
          {"numa_balancing", info.numa_balancing},
          {"aslr", info.aslr},
          {"userfaultfd", info.userfaultfd},
          {"tracefs", info.tracefs},
          {"scaling_driver", info.scaling_driver},
          {"idle_driver", info.idle_driver},
          {"clocksource", info.clocksource},
          {"clock", info.clock},
          {"clock_read_cost_ns", info.clock_read_cost_ns},
          {"loadavg", info.loadavg},
          {"io_uring_disabled", info.io_uring_disabled}};
}

Json build_of() {
  const BuildInfo build = build_info();
  return {{"version", build.version},
          {"git_commit", build.git_commit},
          {"compiler", build.compiler},
          {"flags", build.flags},
          {"build_type", build.build_type}};
}

Json new_run(const RunInfo& info) {
  return {{"run_id", info.run_id},         {"time_utc", info.time_utc},       {"outcome", "running"},
          {"command_line", Json::array()}, {"options", Json::object()},       {"protocols", Json::array()},
          {"build", build_of()},           {"environment", machine_of(info)}, {"violations", Json::array()},
          {"hangs", Json::array()}};
}

/// The report that is there already; none, or an empty file, is an empty report.
Json existing_report(const std::string& path) {
  Json empty = {{"schema", kReportSchema}, {"runs", Json::array()}};
  std::ifstream file(path, std::ios::binary);
  if (!file && errno == ENOENT) return empty;
  if (!file) throw Error(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  if (file.peek() == std::ifstream::traits_type::eof()) return empty;
  Json report = Json::parse(file, nullptr, false);
  const bool ours = report.is_object() && report.contains("schema") && report["schema"] == kReportSchema &&
                    report.contains("runs") && report["runs"].is_array();
  if (!ours)
    throw Error(
        fmt::format("{}: is not a run report of this daxrace: move it away, or choose another --out", path));
  return report;
}

void write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      throw Error(
          fmt::format("{}: {}", path,
                      errno == ENOSPC ? "disk full, the report could not be written" : std::strerror(errno)));
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_and_sync(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) throw Error(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  try {
    write_all(fd, text, path);
  } catch (...) {
    close(fd);
    unlink(path.c_str());
    throw;
  }
  // Without it a power cut after the rename may leave an empty report.
  fdatasync(fd);
  close(fd);
}

void replace_report(const std::string& path, const Json& whole) {
  // Command lines may hold bytes that are not UTF-8.
  const std::string text = whole.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  write_and_sync(temporary, text);
  if (std::rename(temporary.c_str(), path.c_str()) == 0) return;
  const int error = errno;
  unlink(temporary.c_str());
  throw Error(fmt::format("{}: cannot be replaced: {}", path, std::strerror(error)));
}

/// PATH.PID.tmp of writers that were killed.
void remove_half_written(const std::string& path) {
  namespace fs = std::filesystem;
  const std::string start = fs::path(path).filename().string() + ".";
  const fs::path directory = fs::path(path).parent_path();
  std::error_code failed;
  std::vector<fs::path> stale;
  for (const auto& entry : fs::directory_iterator(directory.empty() ? "." : directory, failed)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with(start) || !name.ends_with(".tmp") || name.size() < start.size() + 5) continue;
    name = name.substr(start.size(), name.size() - start.size() - 4);
    if (name.find_first_not_of("0123456789") == std::string::npos) stale.push_back(entry.path());
  }
  for (const fs::path& one : stale) fs::remove(one, failed);
}

void mark_killed(Json& runs) {
  for (Json& run : runs)
    if (run.is_object() && run.value("outcome", "") == "running") run["outcome"] = "killed";
}

/// The entry of the same run, which is taken out; null: there is none.
Json take_entry(Json& runs, const RunInfo& info) {
  for (auto run = runs.begin(); run != runs.end(); ++run) {
    if (!run->is_object() || run->value("run_id", "") != info.run_id) continue;
    Json found = *run;
    runs.erase(run);
    return found;
  }
  return nullptr;
}

/// How many timelines of each kind an entry holds already.
void count_seen(const Json& run, std::map<std::pair<std::string, std::string>, std::size_t>& seen) {
  for (const Json& violation : run.value("violations", Json::array()))
    ++seen[{violation.value("configuration", ""), violation.value("detector", "")}];
}

}  // namespace

struct RunReport::Impl {
  Json report;
  Json run;
  Json before;                                                      ///< resumed: its entry as it was
  bool written = false;                                             ///< by us
  std::map<std::pair<std::string, std::string>, std::size_t> seen;  ///< by configuration and detector
};

RunReport::RunReport(const std::string& csv_path, OpenMode mode, const RunInfo& info)
    : path_(run_json_path(csv_path)), impl_(std::make_unique<Impl>()) {
  impl_->report = existing_report(path_);
  if (mode == OpenMode::replace) impl_->report["runs"] = Json::array();
  mark_killed(impl_->report["runs"]);
  impl_->before = take_entry(impl_->report["runs"], info);
  impl_->run = impl_->before.is_null() ? new_run(info) : impl_->before;
  if (info.resumed_utc.empty()) return;
  impl_->run["outcome"] = "running";
  impl_->run["resumed"].push_back({{"time_utc", info.resumed_utc}, {"loadavg", info.loadavg}});
  count_seen(impl_->run, impl_->seen);
}

RunReport::~RunReport() = default;

void RunReport::set_command_line(const std::vector<std::string>& arguments) {
  if (impl_->before.is_null())
    impl_->run["command_line"] = arguments;
  else
    impl_->run["resumed"].back()["command_line"] = arguments;
}

void RunReport::set_option(const std::string& name, const std::string& value) {
  if (impl_->before.is_null()) impl_->run["options"][name] = value;
}

void RunReport::set_protocols(const std::vector<std::string>& names) {
  if (impl_->before.is_null()) impl_->run["protocols"] = names;
}

void RunReport::set_environment(const std::string& name, const std::string& value) {
  impl_->run["environment"][name] = value;
}

void RunReport::set_topology(const std::string& summary) { set_environment("topology", summary); }

void RunReport::set_outcome(const std::string& outcome) { impl_->run["outcome"] = outcome; }

void RunReport::add_violations(const std::string& configuration, std::uint64_t repetition, std::uint64_t seed,
                               const std::vector<Violation>& violations) {
  for (const Violation& violation : violations) {
    const std::string detector(name_in(kDetectorNames, violation.detector));
    std::size_t& seen = impl_->seen[{configuration, detector}];
    if (++seen > kTimelinesKept) {
      impl_->run["violations_not_shown"][configuration][detector] = seen - kTimelinesKept;
      continue;
    }
    impl_->run["violations"].push_back({{"configuration", configuration},
                                        {"repetition", repetition},
                                        {"seed", seed},
                                        {"detector", detector},
                                        {"hazard", name_in(kHazardNames, violation.hazard)},
                                        {"what", violation.what},
                                        {"timeline", violation.timeline}});
  }
}

void RunReport::add_hang(const std::string& configuration, std::uint64_t repetition, std::uint64_t seed,
                         const std::vector<std::string>& report) {
  impl_->run["hangs"].push_back(
      {{"configuration", configuration}, {"repetition", repetition}, {"seed", seed}, {"report", report}});
}

void RunReport::write() {
  if (!impl_->written) remove_half_written(path_);
  impl_->written = true;
  Json whole = impl_->report;
  whole["runs"].push_back(impl_->run);
  replace_report(path_, whole);
}

void RunReport::withdraw() {
  if (!impl_->written) return;
  Json whole = impl_->report;
  if (!impl_->before.is_null()) whole["runs"].push_back(impl_->before);
  if (whole["runs"].empty())
    unlink(path_.c_str());
  else
    replace_report(path_, whole);
}

}  // namespace daxrace
