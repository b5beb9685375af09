#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "harness/live/observe/thread_state.hpp"

namespace daxrace::kernel {

/// A thread that makes one system call or a few, and that may never come back from it. Its result is what
/// `body` returns: 0 or more, or -errno.
class Helper {
 public:
  using Body = std::function<long()>;

  /// The same of a thread that waits for a process: looked at is the task whose id `body` stores.
  using ProcessBody = std::function<long(std::atomic<pid_t>& task)>;

  Helper(std::string what, Body body);
  Helper(std::string what, const ProcessBody& body);
  /// Interrupts the thread if it has not ended; if that does not help either it is left behind, with all that
  /// it may still touch (`body` owns what it uses).
  ~Helper();
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  bool ended() const;
  long result() const;  ///< once it has ended
  bool wait(std::uint64_t bound_ns) const;
  /// A signal whose handler does nothing: an interruptible sleep ends with EINTR.
  void interrupt() const;
  ThreadState state(const ThreadState& last = {}) const;
  const std::string& what() const;

 private:
  struct Shared;
  void start();
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

/// What a thread does, decided by what the kernel says of it and never by elapsed time alone. `asleep`: it
/// has not run between samples and its stack shows that it waits for somebody. At the bound: `polls` if it
/// sleeps so and wakes now and then, `busy` if it uses a CPU without end, `unclear` if neither can be said.
enum class Doing : std::uint8_t { ended, asleep, polls, busy, unclear };
struct Watched {
  Doing doing = Doing::unclear;
  ThreadState state;  ///< the last one seen; of one that polls, the last one asleep

  bool waits() const { return doing == Doing::asleep || doing == Doing::polls; }
};
Watched watch(const Helper& helper, std::uint64_t bound_ns);

/// Whether all of them end. No, as soon as every one that is left sleeps, waits for others and has not run
/// for `settled_ns`: whoever was woken would be runnable.
bool all_end(const std::vector<const Helper*>& threads, std::uint64_t bound_ns,
             std::uint64_t settled_ns = 300'000'000);

/// Waits for a thread that is at work on something long. False as soon as it has slept in a wait for others
/// and not run for `still_ns`, or after a minute.
bool comes_back(const Helper& helper, std::uint64_t still_ns);

}  // namespace daxrace::kernel
