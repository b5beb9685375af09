#pragma once

#include <vector>

#include "harness/base/stamp.hpp"
#include "harness/engine/episode_support.hpp"
#include "harness/engine/recorder.hpp"
#include "harness/platform/io_ring.hpp"

namespace daxrace::kernel {

/// Several requests of a worker in flight at once: to the peer, each with a page of a mapping as its buffer,
/// and to the file under test. The kernel faults and pins the buffer in submit() and lets go of it when the
/// device is done, reaped or not.
class RequestQueue {
 public:
  enum class Kind : std::uint8_t { peer_read, peer_write, file_read, file_write };
  struct Flight {
    Kind kind = Kind::peer_read;
    PageOffset page = 0;
    std::size_t slot = 0;         ///< of the peer, where it is the peer's
    std::byte* memory = nullptr;  ///< what is read into, or written
    bool measured = false;
    std::uint64_t faults = 0;                ///< real page faults of the submission
    std::uint64_t start_ns = 0, end_ns = 0;  ///< of the submission, on the monotonic clock
    Timing timing;
  };

  /// `file`: open for direct I/O, where file_read and file_write are asked for. Throws Skipped where the
  /// kernel refuses io_uring.
  RequestQueue(const Peer& peer, int file, unsigned depth)
      : file_(file), ring_(peer, depth), flights_(depth) {
    for (unsigned tag = depth; tag-- > 0;) free_.push_back(tag);
  }

  bool full() const noexcept { return free_.empty(); }
  bool empty() const noexcept { return free_.size() == flights_.size(); }
  /// What the next flight is numbered among those in the air; the queue must not be full.
  unsigned next() const noexcept { return free_.back(); }

  void submit(Flight flight) noexcept {
    const unsigned tag = free_.back();
    free_.pop_back();
    const std::uint64_t faults = thread_page_faults();
    flight.start_ns = Clock::monotonic_ns();
    flight.timing.start = Clock::now();
    start(flight, tag);
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
      done(flight, completion.result);
      free_.push_back(static_cast<unsigned>(completion.tag));
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

  void start(const Flight& flight, unsigned tag) noexcept {
    const std::uint64_t offset = std::uint64_t{flight.page} * kIoBytes;
    switch (flight.kind) {
      case Kind::peer_read:
        return ring_.submit_read(flight.memory, flight.slot, tag);
      case Kind::peer_write:
        return ring_.submit_write(flight.memory, flight.slot, tag);
      case Kind::file_read:
        return ring_.submit_file_read(file_, flight.memory, offset, tag);
      case Kind::file_write:
        return ring_.submit_file_write(file_, flight.memory, offset, tag);
    }
  }

  int file_;
  IoRing ring_;
  std::vector<Flight> flights_;
  std::vector<unsigned> free_;
};

}  // namespace daxrace::kernel
