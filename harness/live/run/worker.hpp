#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/stamp.hpp"
#include "harness/engine/episode.hpp"
#include "harness/engine/episode_support.hpp"
#include "harness/engine/perturb.hpp"
#include "harness/live/directory.hpp"
#include "harness/live/run/direct_io.hpp"
#include "harness/live/run/request_queue.hpp"
#include "harness/load/shift.hpp"

namespace daxrace::kernel {

/// What the stamps said. Written by any worker, read at the end.
class Sightings {
 public:
  void add(Detector detector, Hazard hazard, std::string what);
  void move_to(EpisodeResult& result);

 private:
  static constexpr std::size_t kKept = 8;
  std::mutex mutex_;
  std::array<std::uint64_t, kDetectorNames.size()> seen_{};
  Hazards violated_;
  std::vector<Violation> violations_;
};

/// What the workers of an episode share: the file under test, its mapping, the victim that freed blocks go
/// to.
struct Ground {
  Ground(EpisodeConfig config, std::shared_ptr<const Directory> directory, Peer* peer);
  ~Ground();
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  std::byte* at(PageOffset page) const noexcept { return mapping + std::size_t{page} * kIoBytes; }
  void unmap() noexcept;

  static constexpr unsigned kVictimPages = 16;

  EpisodeConfig config;
  std::shared_ptr<const Directory> directory;
  Peer* peer;
  FileDescriptor file;
  FileDescriptor direct;  ///< the same file, O_DIRECT; none on DAX
  FileDescriptor victim;
  std::byte* mapping = nullptr;
  std::array<std::atomic<std::uint8_t>, kVictimPages>
      victim_pages{};  ///< 0 hole, 1 written, 2 somebody is at it
  std::atomic<std::uint32_t> sequence{1};
  ShiftPair shift;
  EpisodeClock clock;
  bool wants_spans = false;
  Sightings sightings;
};

/// Why an operation cannot be made of a real file here; empty: it can.
std::string why_not(Op op, const FsFacts& facts);

/// When an operation ran, on the monotonic clock.
struct Span {
  std::uint64_t start_ns = 0, end_ns = 0;
  Path path = Path::load;
};
struct Spans {
  pid_t tid = 0;
  std::vector<Span> list;
};

/// What a worker is doing, for whoever watches it.
struct Busy {
  std::atomic<std::uint64_t> since_ns{0};  ///< 0: between operations
  std::atomic<std::uint8_t> op{0};
  std::atomic<std::uint64_t> done{0};
};

/// One worker: draws operations, makes the system calls and page accesses, checks what it reads, records.
class Worker {
 public:
  Worker(Ground& ground, std::uint32_t id, std::uint32_t workers, Busy& busy, Recorder& recorder);
  void run();
  /// The measured operations, if the ground wants them.
  Spans take_spans() { return std::move(spans_); }

 private:
  struct Done {
    Path path = Path::load;
    bool effective = false;
  };
  void run_paced();
  void run_closed();
  void perform(Op op, Clock::Ticks intended, bool measured);
  /// Makes it, with start_ and end_ around what is to be timed; nothing: it came to nothing that counts.
  std::optional<Done> make(Op op);

  std::optional<Done> touch(PageOffset page, bool write);
  std::optional<Done> read(PageOffset page);
  std::optional<Done> write(PageOffset page);
  std::optional<Done> aio(PageOffset page, bool write);
  std::optional<Done> gup(PageOffset page, bool into_mapping);
  std::optional<Done> munmap_one(PageOffset page);
  std::optional<Done> evict();
  std::optional<Done> punch(PageOffset page);
  std::optional<Done> zero(PageOffset page);
  std::optional<Done> collapse(PageOffset first);
  std::optional<Done> insert();
  bool has_data(PageOffset page) const;
  /// fallocate, timed; false: it failed, and that is noted.
  bool change_layout(int mode, PageOffset first, std::uint32_t pages);
  void check_zero(PageOffset page, const char* after);
  std::optional<Done> truncate(bool down);
  std::optional<Done> fsync_file();
  void victim();
  void count(Path path, bool effective, std::uint64_t faults, const Timing& timing, Span span);
  void start_request(Op op, Clock::Ticks intended, bool measured);
  RequestQueue::Flight pin_flight(Op op);
  RequestQueue::Flight aio_flight(Op op);
  void reap(bool wait);
  void end_request(const RequestQueue::Flight& flight, long result);
  void check_some_of_peer(std::size_t slot, PageOffset page);

  template <class Call>
  long timed(Call call) {
    // The trace's clock, apart from the one that measures: their rates differ.
    if (ground_.wants_spans) start_ns_ = Clock::monotonic_ns();
    start_ = Clock::now();
    const long result = call();
    end_ = Clock::now();
    if (ground_.wants_spans) end_ns_ = Clock::monotonic_ns();
    return result;
  }
  PageOffset page() { return own_.first + random_.below(own_.end - own_.first); }
  PageOffset page_to_write() { return written_.first + random_.below(written_.end - written_.first); }
  Stamp stamp(PageOffset page, Hazard writer);
  void check(const std::byte* bytes, std::size_t sectors, PageOffset page, Hazard reader);
  void failed(long result);

  Ground& ground_;
  const EpisodeConfig& config_;
  std::uint32_t id_;
  Mix mix_;
  PageRange own_;
  PageRange written_;
  Busy& busy_;
  Recorder& recorder_;
  Random random_;
  NodeBuffer buffer_;
  bool shifts_;
  std::optional<DirectIo> io_;
  std::array<bool, kOpNames.size()> left_out_{};
  NodeBuffer request_buffers_;            ///< one for each request of the file in flight
  std::optional<RequestQueue> requests_;  ///< at a queue depth above 1
  Clock::Ticks start_ = 0;
  Clock::Ticks end_ = 0;
  std::uint64_t start_ns_ = 0;
  std::uint64_t end_ns_ = 0;
  Spans spans_;
};

}  // namespace daxrace::kernel
