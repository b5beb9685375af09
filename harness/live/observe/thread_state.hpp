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
  std::uint64_t cpu_ns = 0;        ///< how long it has had a CPU
  std::uint64_t queued_ns = 0;     ///< how long it was ready to run and had none

  bool asleep() const { return run == 'S' || run == 'D'; }
  /// The innermost function of the stack that says what is waited for, else wchan.
  std::string where() const;
  /// The wait as a place in the kernel's code: where(), and who takes the lock if that is all it says.
  std::string wait() const;
};
/// `last`: what it told before. Of one that has slept since then nothing else is asked anew.
ThreadState thread_state(pid_t tid, const ThreadState& last = {});

/// The share of the time between two looks in which a thread had a CPU, without the time in which it wanted
/// one and got none: near 1 for one that never sleeps, however busy the machine is.
double cpu_share(const ThreadState& before, const ThreadState& after, std::uint64_t elapsed_ns);

/// True if the stack can be read and shows no wait that ends by itself: for a log, a journal, a device or a
/// worker.
bool waits_for_others(const ThreadState& state);

/// What was seen of one thread, look by look.
class Samples {
 public:
  void add(const ThreadState& state, std::uint64_t now_ns);
  const ThreadState& last() const { return last_; }
  const ThreadState& last_asleep() const { return asleep_ != 0 ? last_asleep_ : last_; }
  /// Looks in a row, and their time, in which it slept and had not run.
  unsigned still() const { return still_; }
  std::uint64_t still_ns() const { return still_ != 0 ? now_ns_ - still_since_ns_ : 0; }
  double share_of_cpu() const { return cpu_share(first_, last_, now_ns_ - start_ns_); }
  /// It never slept, or hardly ever.
  bool burns() const;
  /// It slept, nearly always in a wait for others, and woke now and then.
  bool polls() const;

 private:
  ThreadState first_, last_, last_asleep_;
  std::uint64_t start_ns_ = 0, now_ns_ = 0, still_since_ns_ = 0;
  unsigned looks_ = 0, asleep_ = 0, waiting_ = 0, still_ = 0;
};

/// Lines for a report: state, system call, wchan, stack.
std::vector<std::string> describe(const ThreadState& state);

}  // namespace daxrace::kernel
