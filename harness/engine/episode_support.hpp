#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/engine/episode.hpp"
#include "harness/engine/recorder.hpp"
#include "harness/engine/task.hpp"
#include "harness/load/mix.hpp"
#include "harness/platform/clock.hpp"
#include "harness/platform/region.hpp"

/// The parts of an episode that do not depend on protocol or Env, compiled once.
namespace daxrace {

class Watchdog;

/// When the parts of an episode begin and end. Written before the workers start, but for `stop`.
struct EpisodeClock {
  Clock::Ticks start = 0;
  Clock::Ticks measure = 0;
  Clock::Ticks end = 0;
  std::atomic<bool> stop{false};            ///< no new operation from here on; set by stop_at() alone
  std::atomic<Clock::Ticks> stopped_at{0};  ///< when that was said first; 0: not yet
  std::atomic<std::uint32_t> running{0};    ///< workers that are not done yet

  void stop_at(Clock::Ticks now) noexcept {
    Clock::Ticks never = 0;
    stopped_at.compare_exchange_strong(never, now);
    stop.store(true);
  }
  /// Until when load is offered: the end, or the moment of an early stop.
  Clock::Ticks offered_until() const noexcept { return stop.load() ? std::min(end, stopped_at.load()) : end; }
};

/// Where things lie on the peer: a stamped block for every page and kind of device write, and room to write
/// to.
struct PeerLayout {
  std::uint32_t file_pages = 0;
  std::size_t stamped(Hazard writer, PageOffset page) const {
    return (writer == Hazard::h3 ? 0 : file_pages) + page;
  }
  std::size_t scratch(std::uint32_t task, unsigned depth, unsigned in_task) const {
    return std::size_t{2} * file_pages + std::size_t{task} * depth + in_task % depth;
  }
};

/// Pages of each file: the one under test, the victim, then one scratch file per worker.
struct FileSizes {
  std::vector<std::uint32_t> pages;
};
FileSizes file_sizes(const EpisodeConfig& config);
std::uint32_t worker_count(const EpisodeConfig& config);

/// A worker's record and what the kernel says of its thread.
struct WorkerRecord {
  Recorder recorder;
  std::string affinity;
  std::uint64_t page_faults = 0;
  std::uint64_t run_ns = 0;
  std::uint64_t cpu_ns = 0;
  std::uint64_t translations_installed = 0;
};

/// Throws Error if the configuration cannot run on this region and peer, Skipped if this build lacks a part.
void check_episode(const EpisodeConfig& config, const RegionFacts& facts, const Peer* peer);
/// Every page's stamped blocks, so that device writes carry stamps too.
void stamp_peer(Peer& peer, std::uint32_t file_pages);
void bind_worker(const EpisodeConfig& config, std::uint32_t worker);
int node_of_worker(const EpisodeConfig& config, std::uint32_t worker);
Mix mix_of(const EpisodeConfig& config, std::uint32_t worker, std::uint32_t workers);
/// A worker's own share of the pages, or the whole file, as the preset says.
PageRange pages_of(const EpisodeConfig& config, std::uint32_t worker, std::uint32_t workers);
/// Those of them that may be written as file I/O: where collapses make the file smaller, a write at its end
/// would extend it.
PageRange pages_to_write(const EpisodeConfig& config, PageRange own);
void set_clock(const EpisodeConfig& config, EpisodeClock& clock);
/// Minor and major faults of the calling thread so far.
std::uint64_t thread_page_faults();
/// User and system time of the calling thread so far.
std::uint64_t thread_cpu_ns();
/// How an episode came to its end.
enum class Ending : std::uint8_t {
  done,
  starved,  ///< an operation outlived its bound while others went on, and ended once they had stopped
  hung      ///< it did not end even then: everything was aborted
};
/// What outlived its bound, in words and as the verdict sees it.
struct Overdue {
  std::vector<std::string> report;
  Signs signs;
};
/// Sleeps until the episode's end; fills `overdue` unless it is done. `tasks` says where everybody stands.
Ending watch_episode(const EpisodeConfig& config, EpisodeClock& clock, Watchdog& watchdog,
                     const std::function<std::vector<StuckTask>()>& tasks, Overdue& overdue);
/// The place in `tasks` of somebody else who holds the lock, or StuckTask::kNobody.
int holder_of(const std::vector<std::unique_ptr<Task>>& tasks, const Task& waiter, const void* lock);
/// The place in `tasks` of a lessee who waits for a lock and cannot return his lease meanwhile, or
/// StuckTask::kNobody.
int lessee_who_waits(const std::vector<std::unique_ptr<Task>>& tasks, const Task& waiter);
/// Who holds the lock, as far as anybody knows.
std::string describe_lock(const std::vector<std::unique_ptr<Task>>& tasks, WaitFor what, std::uint32_t ino,
                          const void* lock);
EpisodeResult merge_recorders(const EpisodeConfig& config, const EpisodeClock& clock,
                              const std::vector<WorkerRecord>& records);
/// One more thing that is worth knowing of an episode.
void add_remark(EpisodeResult& result, std::string_view text);
/// Status, verdict and remark, once everything else is known. `overdue`: how it ended unless it is done.
void conclude(const EpisodeConfig& config, const RegionFacts& facts, bool oracle, Ending ending,
              const std::string& failure, const ProtocolInfo& protocol, Signs overdue, EpisodeResult& result);

}  // namespace daxrace
