#pragma once

#include <string>
#include <vector>

#include "harness/live/observe/trace.hpp"
#include "harness/live/run/worker.hpp"

namespace daxrace::kernel {

/// A wait of a thread in the kernel.
struct KernelWait {
  pid_t tid = 0;
  Phase phase = Phase::lock_wait;
  std::uint64_t start_ns = 0, end_ns = 0;
};
/// The time within probed functions (`break_wait`), and for read-write semaphores (`lock_wait`).
std::vector<KernelWait> waits_of(const std::vector<std::string>& trace);
/// Adds each wait to the operation during which it was, and makes the waits' histograms anew.
void add_waits(EpisodeResult& result, const std::vector<Spans>& workers,
               const std::vector<KernelWait>& waits);

/// What the kernel did during an episode, as its trace tells: how long operations were in the functions that
/// break layouts, which go by different names, and waited for semaphores; and of what size the DAX entries
/// are. Faults are traced during the warm-up only: that costs each of them some time.
class KernelView {
 public:
  /// Throws Skipped where there is no tracefs that we may write.
  KernelView();
  void warm_up_is_over();
  /// What stays empty, and why; empty: nothing.
  const std::string& limits() const { return limits_; }
  /// After the workers have ended.
  void complete(EpisodeResult& result, const std::vector<Spans>& workers);

 private:
  void look_for(Phase phase, const std::vector<std::string>& functions);
  void limit(const std::string& what);

  Trace trace_;
  std::array<bool, kPhaseCount> known_{};
  std::vector<std::string> faults_;
  bool warm_ = false;
  std::string limits_;
};

}  // namespace daxrace::kernel
