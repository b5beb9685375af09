#pragma once

#include <vector>

#include "harness/episode_support.hpp"
#include "harness/io_ring.hpp"
#include "harness/recorder.hpp"

namespace daxrace::kernel {

/// Several requests to the peer in flight at once, each with a page of a mapping as its buffer. The kernel
/// faults and pins the page in submit() and lets go of it when the device is done, reaped or not.
class PinQueue {
 public:
  struct Flight {
    PageOffset page = 0;
    std::size_t slot = 0;  ///< of the peer
    bool into_mapping = false;
    bool measured = false;
    std::uint64_t faults = 0;                ///< real page faults of the submission
    std::uint64_t start_ns = 0, end_ns = 0;  ///< of the submission, on the monotonic clock
    Timing timing;
  };

  /// Throws Skipped where the kernel refuses io_uring.
  PinQueue(const Peer& peer, unsigned depth) : ring_(peer, depth), flights_(depth) {
    for (unsigned tag = depth; tag-- > 0;) free_.push_back(tag);
  }

  bool full() const noexcept { return free_.empty(); }
  bool empty() const noexcept { return free_.size() == flights_.size(); }
  /// What the next flight is numbered among those in the air; the queue must not be full.
  unsigned next() const noexcept { return free_.back(); }

  void submit(Flight flight, std::byte* memory) noexcept {
    const unsigned tag = free_.back();
    free_.pop_back();
    const std::uint64_t faults = thread_page_faults();
    flight.start_ns = Clock::monotonic_ns();
    flight.timing.start = Clock::now();
    if (flight.into_mapping) {
      ring_.submit_read(memory, flight.slot, tag);
    } else {
      ring_.submit_write(memory, flight.slot, tag);
    }
    flight.end_ns = Clock::monotonic_ns();
    flight.faults = thread_page_faults() - faults;
    flights_[tag] = flight;
  }

  /// Calls done(flight, bytes or -errno) for everything that has completed.
  template <class Done>
  void reap(Done&& done) {
    IoRing::Completion completion{};
    while (ring_.reap(completion)) {
      Flight flight = flights_[completion.tag];
      flight.timing.end = Clock::now();
      free_.push_back(static_cast<unsigned>(completion.tag));
      done(flight, completion.result);
    }
  }
  /// The same, once there is something.
  template <class Done>
  void wait(Done&& done) {
    ring_.wait(kForever);
    reap(done);
  }

 private:
  static constexpr std::uint64_t kForever = ~std::uint64_t{0};

  IoRing ring_;
  std::vector<Flight> flights_;
  std::vector<unsigned> free_;
};

}  // namespace daxrace::kernel
