#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace daxrace::kernel {

/// What the kernel tells of a thread.
struct ThreadState {
  char run = '?';                  ///< R, S, D, ...
  std::string wchan;               ///< function that it sleeps in; empty: none, or not told
  std::string syscall;             ///< number and arguments, or `running`
  std::vector<std::string> stack;  ///< innermost first; empty where that needs more privilege
  std::uint64_t switches = 0;      ///< context switches: unchanged means that it has not run

  bool asleep() const { return run == 'S' || run == 'D'; }
  /// The innermost function of the stack that says what is waited for, else wchan.
  std::string where() const;
};
ThreadState thread_state(pid_t tid);

/// True if the stack can be read and shows no wait that ends by itself: for a log, a journal, a device or a
/// worker.
bool waits_for_others(const ThreadState& state);

/// Lines for a report: state, system call, wchan, stack.
std::vector<std::string> describe(const ThreadState& state);

}  // namespace daxrace::kernel
