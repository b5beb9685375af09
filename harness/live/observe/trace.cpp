#include "harness/live/observe/trace.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

// A C header without extern "C".
extern "C" {
#include <tracefs.h>
}

#include "harness/base/error.hpp"

namespace daxrace::kernel {

namespace {

std::string instance_of(pid_t process) { return fmt::format("daxrace-{}", process); }

}  // namespace

Trace::Trace() {
  if (tracefs_tracing_dir() == nullptr)
    throw Skipped("no tracefs: mount -t tracefs tracefs /sys/kernel/tracing");
  instance_ = tracefs_instance_create(instance_of(getpid()).c_str());
  if (instance_ == nullptr)
    throw Skipped(fmt::format("tracefs gives no instance ({}): needs root", std::strerror(errno)));
}

Trace::~Trace() {
  tracefs_instance_destroy(instance_);
  tracefs_instance_free(instance_);
  for (tracefs_dynevent* probe : probes_) {
    tracefs_dynevent_destroy(probe, true);
    tracefs_dynevent_free(probe);
  }
}

void Trace::remove_left_by(pid_t process) noexcept {
  if (tracefs_tracing_dir() == nullptr) return;
  rmdir(fmt::format("{}/instances/{}", tracefs_tracing_dir(), instance_of(process)).c_str());
}

void Trace::enable(const char* system, const char* event) {
  if (tracefs_event_enable(instance_, system, event) != 0)
    throw Skipped(fmt::format("this kernel has no trace event {}:{}", system, event));
}

void Trace::disable(const char* system, const char* event) noexcept {
  tracefs_event_disable(instance_, system, event);
}

void Trace::probe(const std::string& function) {
  const std::string group = fmt::format("daxrace_{}", getpid());
  const auto add = [&](const std::string& event, tracefs_dynevent* made) {
    if (made == nullptr || tracefs_dynevent_create(made) != 0) {
      tracefs_dynevent_free(made);
      throw Skipped(fmt::format("no probe of {}: {}", function, std::strerror(errno)));
    }
    probes_.push_back(made);
    enable(group.c_str(), event.c_str());
  };
  const std::string enter = "enter_" + function;
  const std::string leave = "leave_" + function;
  add(enter, tracefs_kprobe_alloc(group.c_str(), enter.c_str(), function.c_str(), nullptr));
  add(leave, tracefs_kretprobe_alloc(group.c_str(), leave.c_str(), function.c_str(), nullptr, 0));
}

void Trace::set(const char* file, const std::string& value) {
  if (tracefs_instance_file_write(instance_, file, value.c_str()) < 0)
    throw Skipped(fmt::format("tracefs: {} does not take {}", file, value));
}

void Trace::clear() { tracefs_instance_file_write(instance_, "trace", ""); }

std::string Trace::text() const {
  int size = 0;
  char* read = tracefs_instance_file_read(instance_, "trace", &size);
  if (read == nullptr) return "";
  std::string text(read, static_cast<std::size_t>(size));
  std::free(read);
  return text;
}

bool Trace::overran() const {
  constexpr std::string_view kCounts = "entries-in-buffer/entries-written: ";
  const std::string all = text();
  const auto at = all.find(kCounts);
  unsigned long kept = 0;
  unsigned long written = 0;
  return at == std::string::npos ||
         std::sscanf(all.c_str() + at + kCounts.size(), "%lu/%lu", &kept, &written) != 2 || kept != written;
}

std::vector<std::string> Trace::lines() const {
  std::istringstream in(text());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.starts_with('#')) lines.push_back(line);
  return lines;
}

std::vector<std::string> traceable(const std::vector<std::string>& functions) {
  int size = 0;
  char* read = tracefs_instance_file_read(nullptr, "available_filter_functions", &size);
  if (read == nullptr) return {};
  std::istringstream in(std::string(read, static_cast<std::size_t>(size)));
  std::free(read);
  std::vector<std::string> found;
  for (std::string line; std::getline(in, line);)
    if (std::ranges::find(functions, line.substr(0, line.find(' '))) != functions.end())
      found.push_back(line.substr(0, line.find(' ')));
  return found;
}

std::optional<TraceEvent> parse_event(const std::string& line) {
  // The task's name may hold anything: its id stands before the CPU in brackets.
  const auto bracket = line.find(" [");
  const auto close = line.find("] ", bracket);
  const auto dash = line.rfind('-', bracket);
  if (bracket == std::string::npos || close == std::string::npos || dash == std::string::npos)
    return std::nullopt;
  TraceEvent event;
  event.tid = std::atoi(line.c_str() + dash + 1);
  std::istringstream words(line.substr(close + 2));
  std::string flags;
  double seconds = 0;
  char colon = 0;
  if (!(words >> flags >> seconds >> colon >> event.name) || colon != ':' || !event.name.ends_with(':'))
    return std::nullopt;
  event.name.pop_back();
  event.ns = static_cast<std::uint64_t>(std::llround(seconds * 1e6)) * 1000;
  std::getline(words >> std::ws, event.fields);
  return event;
}

std::optional<Writeback> parse_writeback(std::string_view line) {
  constexpr std::string_view kName = "dax_writeback_one: ";
  const auto at = line.find(kName);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string fields{line.substr(at + kName.size())};
  Writeback seen;
  if (std::sscanf(fields.c_str(), "dev %*u:%*u ino %lx pgoff %lx pglen %lx", &seen.inode, &seen.page,
                  &seen.pages) != 3)
    return std::nullopt;
  return seen;
}

}  // namespace daxrace::kernel
