#include "harness/live/observe/thread_state.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "harness/platform/thread_cpu.hpp"

namespace daxrace::kernel {
namespace {

std::string proc_path(pid_t tid, std::string_view file) { return fmt::format("/proc/{}/{}", tid, file); }

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The name in parentheses may hold anything: the state stands behind the last one.
char run_state(const std::string& line) {
  const auto close = line.rfind(") ");
  return close == std::string::npos || close + 2 >= line.size() ? '?' : line[close + 2];
}

/// On a CPU, and ready to run without one. The first alone, in steps of a tick, where the kernel does not
/// keep both.
void read_cpu_times(pid_t tid, const std::string& stat, ThreadState& state) {
  const ThreadCpu cpu = ThreadCpu::of(tid);
  state.cpu_ns = cpu.ran_ns;
  state.queued_ns = cpu.queued_ns;
  if (state.cpu_ns != 0) return;
  const auto close = stat.rfind(") ");
  if (close == std::string::npos) return;
  std::istringstream fields(stat.substr(close + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;  // the state and what stands before utime
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  if (fields >> user >> system)
    state.cpu_ns = (user + system) * 1'000'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
}

/// The run state and the context switches, which stand in one file.
ThreadState briefly(pid_t tid) {
  constexpr std::string_view kState = "State:\t";
  ThreadState state;
  std::ifstream file(proc_path(tid, "status"));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kState) && line.size() > kState.size()) state.run = line[kState.size()];
    if (const auto at = line.find("_ctxt_switches:"); at != std::string::npos)
      state.switches += std::stoull(line.substr(at + sizeof "_ctxt_switches:" - 1));
  }
  return state;
}

/// `[<0>] xfs_break_dax_layouts+0x12/0x80 [xfs]` without address and offsets.
std::string function_of(const std::string& line) {
  std::istringstream words(line);
  std::string address, name;
  words >> address >> name;
  return name.substr(0, name.find('+'));
}

std::vector<std::string> stack_of(pid_t tid) {
  std::ifstream file(proc_path(tid, "stack"));
  std::vector<std::string> functions;
  for (std::string line; std::getline(file, line);)
    if (auto name = function_of(line); !name.empty()) functions.push_back(std::move(name));
  return functions;
}

constexpr auto kConflicts = std::to_array<std::string_view>(
    {"break_dax_layouts", "break_layout", "dax_layout", "dio_wait", "wait_page_idle", "page_idle"});
/// Waits that end by themselves: a log, a journal, a device, a worker.
constexpr auto kTransient =
    std::to_array<std::string_view>({"xlog_", "xfs_log_", "xfs_buf", "jbd2_", "io_schedule", "wait_on_buffer",
                                     "submit_bio", "writeback", "flush_work", "synchronize_", "bit_wait_io"});

template <class Words>
bool names_any(const Words& words, std::string_view function) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return function.find(word) != std::string_view::npos; });
}

}  // namespace

std::string ThreadState::where() const {
  const auto found =
      std::ranges::find_if(stack, [](const std::string& name) { return names_any(kConflicts, name); });
  if (found != stack.end()) return *found;
  return stack.empty() ? wchan : stack.front();
}

std::string ThreadState::wait() const {
  const std::string place = where();
  return names_any(kConflicts, place) || stack.size() < 2 ? place : place + " < " + stack[1];
}

ThreadState thread_state(pid_t tid, const ThreadState& last) {
  ThreadState state = briefly(tid);
  if (state.asleep() && state.run == last.run && state.switches == last.switches) return last;
  const std::string stat = first_line(proc_path(tid, "stat"));
  state.run = run_state(stat);
  read_cpu_times(tid, stat, state);
  state.wchan = first_line(proc_path(tid, "wchan"));
  if (state.wchan == "0") state.wchan.clear();
  state.syscall = first_line(proc_path(tid, "syscall"));
  state.stack = stack_of(tid);
  return state;
}

double cpu_share(const ThreadState& before, const ThreadState& after, std::uint64_t elapsed_ns) {
  const auto grown = [](std::uint64_t from, std::uint64_t to) { return to > from ? to - from : 0; };
  const std::uint64_t queued = std::min(grown(before.queued_ns, after.queued_ns), elapsed_ns);
  const double could = static_cast<double>(std::max<std::uint64_t>(elapsed_ns - queued, 1));
  return std::min(1.0, static_cast<double>(grown(before.cpu_ns, after.cpu_ns)) / could);
}

bool waits_for_others(const ThreadState& state) {
  // The functions of locks themselves are never in a stack: the innermost one is who takes the lock.
  return state.asleep() && !state.stack.empty() &&
         std::ranges::none_of(state.stack,
                              [](const std::string& name) { return names_any(kTransient, name); });
}

void Samples::add(const ThreadState& state, std::uint64_t now_ns) {
  if (looks_++ == 0) {
    first_ = state;
    start_ns_ = now_ns;
  }
  if (state.asleep() && looks_ > 1 && state.switches == last_.switches) {
    ++still_;
  } else {
    still_ = 0;
    still_since_ns_ = now_ns;
  }
  if (state.asleep()) {
    ++asleep_;
    last_asleep_ = state;
    if (waits_for_others(state)) ++waiting_;
  }
  last_ = state;
  now_ns_ = now_ns;
}

bool Samples::burns() const {
  constexpr double kNearlyAll = 0.9;
  return asleep_ == 0 || share_of_cpu() >= kNearlyAll;
}

bool Samples::polls() const { return !burns() && waiting_ * 10 >= asleep_ * 9; }

std::vector<std::string> describe(const ThreadState& state) {
  std::vector<std::string> lines = {fmt::format("state {}, wchan {}, syscall {}", state.run,
                                                state.wchan.empty() ? "-" : state.wchan,
                                                state.syscall.empty() ? "-" : state.syscall)};
  if (state.stack.empty()) lines.emplace_back("stack not readable: needs CAP_SYS_ADMIN");
  for (const std::string& name : state.stack) lines.push_back("  " + name);
  return lines;
}

}  // namespace daxrace::kernel
