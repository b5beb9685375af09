#pragma once

#include <utility>
#include <vector>

#include "harness/core/words.hpp"
#include "harness/engine/recorder.hpp"
#include "harness/engine/task.hpp"
#include "harness/platform/io_ring.hpp"

namespace daxrace {

/// One I/O of ours that a device works on.
struct IoRequest {
  core::Block block;
  PageOffset page = 0;
  Path path = Path::aio_read;
  bool recorded = false;
  Timing timing;
  std::array<Clock::Ticks, kPhaseCount> phases{};
};

/// A worker's I/O in flight: a fixed table of requests over an IoRing. `Complete` is called with every
/// request that is done, from reap points of the worker itself and from its sleeps; it must not sleep.
template <class Complete>
class IoQueue final : public IoCompleter {
 public:
  IoQueue(const Peer& peer, unsigned depth, Complete complete)
      : ring_(peer, depth), requests_(depth), free_(depth), complete_(std::move(complete)) {
    for (unsigned i = 0; i < depth; ++i) free_[i] = depth - 1 - i;
    free_count_ = depth;
  }

  bool in_flight() const noexcept override { return ring_.in_flight() != 0; }
  bool full() const noexcept { return free_count_ == 0; }
  void poke() noexcept override { ring_.poke(); }
  void complete_ready() override {
    IoRing::Completion done{};
    while (ring_.reap(done)) {
      IoRequest& request = requests_[done.tag];
      complete_(request, done.result);
      free_[free_count_++] = static_cast<unsigned>(done.tag);
    }
  }
  void wait_and_complete() override { wait_and_complete(kForever); }
  void wait_and_complete(std::uint64_t timeout_ns) override {
    ring_.wait(timeout_ns);
    complete_ready();
  }

  /// Starts a request; the queue must not be full. Reading is into `memory`, writing is out of it.
  void submit(const IoRequest& request, bool device_reads, std::byte* memory, std::size_t slot) {
    const unsigned tag = free_[--free_count_];
    requests_[tag] = request;
    if (device_reads) {
      ring_.submit_write(memory, slot, tag);
    } else {
      ring_.submit_read(memory, slot, tag);
    }
  }

 private:
  static constexpr std::uint64_t kForever = ~std::uint64_t{0};

  IoRing ring_;
  std::vector<IoRequest> requests_;
  std::vector<unsigned> free_;
  unsigned free_count_ = 0;
  Complete complete_;
};

}  // namespace daxrace
