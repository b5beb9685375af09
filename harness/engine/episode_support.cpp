#include "harness/engine/episode_support.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>
#include <sys/resource.h>

#include "harness/base/error.hpp"
#include "harness/base/stamp.hpp"
#include "harness/base/thresholds.hpp"
#include "harness/base/verdict.hpp"
#include "harness/engine/watchdog.hpp"
#include "harness/litmus/cells.hpp"
#include "harness/load/shift.hpp"
#include "harness/platform/io_ring.hpp"

namespace daxrace {
namespace {

constexpr std::uint32_t kVictimPages = 16;
constexpr std::uint32_t kScratchPages = 4;
constexpr std::uint32_t kSpareFrames = 8;

std::optional<double> share_of(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

void merge_path(PathStats& to, const PathRecord& from) {
  to.ops += from.ops;
  to.retries += from.retries;
  to.faults_real += from.faults_real;
  to.service_ns.merge(from.service_ns);
  to.response_ns.merge(from.response_ns);
  to.wait_ns.merge(from.wait_ns);
  for (std::size_t i = 0; i < kPhaseCount; ++i) to.phase_sum_ns[i] += Clock::to_ns(from.phase_ticks[i]);
}

constexpr auto kWatchTurn = std::chrono::milliseconds(2);

/// Do all workers come to their end within that time?
bool all_end(const EpisodeClock& clock, std::chrono::nanoseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (clock.running.load() != 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(kWatchTurn);
  return clock.running.load() == 0;
}

/// An aborted task that does not even sleep cannot be helped: the engine under it must not go away. Finished
/// rows are on disk by then.
void wait_for_the_aborted(const EpisodeClock& clock, const std::vector<std::string>& report) {
  if (all_end(clock, std::chrono::seconds(10))) return;
  fmt::print(stderr, "daxrace: a hung task cannot be stopped; giving up. {}\n", fmt::join(report, "; "));
  std::_Exit(static_cast<int>(Exit::broken));
}

std::string join(const std::vector<std::string>& lines, std::string_view separator) {
  return fmt::format("{}", fmt::join(lines, separator));
}

}  // namespace

std::uint32_t worker_count(const EpisodeConfig& config) { return std::max(config.threads, 1U); }

FileSizes file_sizes(const EpisodeConfig& config) {
  FileSizes sizes;
  sizes.pages = {config.file_pages, kVictimPages};
  sizes.pages.resize(sizes.pages.size() + worker_count(config), kScratchPages);
  return sizes;
}

std::uint32_t frames_needed(const EpisodeConfig& config) {
  std::uint32_t frames = kSpareFrames;
  for (const std::uint32_t pages : file_sizes(config).pages) frames += pages;
  return frames;
}

std::size_t peer_slots_needed(const EpisodeConfig& config) {
  return std::size_t{2} * config.file_pages + std::size_t{worker_count(config)} * config.queue_depth;
}

void check_episode(const EpisodeConfig& config, const RegionFacts& facts, const Peer* peer) {
  if (config.file_pages == 0) throw Error("--file-pages must be at least 1");
  if (config.workload->shifts() && config.file_pages <= kShiftPages) {
    throw Error(fmt::format("--file-pages must be at least {} where ranges are collapsed", kShiftPages + 1));
  }
  if (frames_needed(config) > facts.frames) {
    throw Error(fmt::format(
        "the region has {} frames of {} bytes, this run needs {}: give a larger backing or a smaller "
        "--file-pages",
        facts.frames, facts.frame_bytes, frames_needed(config)));
  }
  if (config.workload->needs_peer()) {
    if (peer == nullptr) throw Skipped("no peer file for O_DIRECT");
    if (peer->async_share() < kLeastAsyncShare) {
      throw Skipped(
          fmt::format("peer completes inline ({:.0f} % of its reads were done when submit returned)",
                      100 * (1 - peer->async_share())));
    }
    if (peer->slots() < peer_slots_needed(config)) {
      throw Error(
          fmt::format("the peer has {} blocks, this run needs {}", peer->slots(), peer_slots_needed(config)));
    }
  }
#ifdef DAXRACE_SANITIZED
  if (!config.oracle || config.lock != "rwsem")
    throw Skipped("sanitizer builds run --oracle=on --lock=rwsem only");
#endif
  if (config.perturb && (!config.oracle || config.lock != "rwsem")) {
    throw Error("--perturb runs with --oracle=on and --lock=rwsem only");
  }
}

void stamp_peer(Peer& peer, std::uint32_t file_pages) {
  constexpr std::uint8_t kFile = 1;
  const PeerLayout layout{file_pages};
  const NodeBuffer block(kIoBytes, -1);
  for (const Hazard writer : {Hazard::h3, Hazard::h4}) {
    for (PageOffset page = 0; page < file_pages; ++page) {
      stamp_buffer(block.data(), {kFile, writer, page, 0});
      peer.fill(layout.stamped(writer, page), block.data());
    }
  }
}

void bind_worker(const EpisodeConfig& config, std::uint32_t worker) {
  const auto& cpus = config.placement.worker_cpus;
  if (!cpus.empty()) bind_thread_to_cpu(cpus[worker % cpus.size()]);
}

int node_of_worker(const EpisodeConfig& config, std::uint32_t worker) {
  const auto& nodes = config.placement.worker_nodes;
  return nodes.empty() ? -1 : nodes[worker % nodes.size()];
}

Mix mix_of(const EpisodeConfig& config, std::uint32_t worker, std::uint32_t workers) {
  if (config.load == Load::paced) return Mix::of_all_roles(*config.workload, config.rate_scale, workers);
  return Mix::of_role(role_of_thread(*config.workload, worker));
}

PageRange pages_of(const EpisodeConfig& config, std::uint32_t worker, std::uint32_t workers) {
  if (!config.workload->own_pages) return {0, config.file_pages};
  const std::uint32_t share = std::max(config.file_pages / workers, 1U);
  const std::uint32_t first = worker * share % config.file_pages;
  return {first, std::min(first + share, config.file_pages)};
}

PageRange pages_to_write(const EpisodeConfig& config, PageRange own) {
  if (!config.workload->shifts()) return own;
  const PageOffset end = std::min(own.end, config.file_pages - kShiftPages);
  return {std::min(own.first, end - 1), end};
}

void set_clock(const EpisodeConfig& config, EpisodeClock& clock) {
  clock.start = Clock::now();
  clock.measure = clock.start + Clock::from_ns(config.warmup_ns);
  clock.end = clock.measure + Clock::from_ns(config.measure_ns);
}

std::uint64_t thread_page_faults() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt) + static_cast<std::uint64_t>(usage.ru_majflt);
}

std::uint64_t thread_cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(used.tv_nsec);
}

Ending watch_episode(const EpisodeConfig& config, EpisodeClock& clock, Watchdog& watchdog,
                     const std::function<std::vector<StuckTask>()>& tasks, Overdue& overdue) {
  while (clock.running.load() != 0) {
    std::this_thread::sleep_for(kWatchTurn);
    const bool asked_to_stop = config.stop != nullptr && config.stop->load();
    const Clock::Ticks now = Clock::now();
    if (asked_to_stop || now >= clock.end) clock.stop_at(now);
    if (!watchdog.overdue()) continue;
    overdue = {watchdog.report(), signs_of_starvation(tasks())};
    clock.stop_at(Clock::now());
    if (watchdog.others_go_on() && all_end(clock, std::chrono::nanoseconds(config.hang_bound_ns)))
      return Ending::starved;
    // Where nobody moves any more it can be seen why.
    watchdog.overdue();
    overdue.signs = signs_of(tasks());
    watchdog.abort_all();
    wait_for_the_aborted(clock, overdue.report);
    return Ending::hung;
  }
  return Ending::done;
}

int holder_of(const std::vector<std::unique_ptr<Task>>& tasks, const Task& waiter, const void* lock) {
  const auto address = reinterpret_cast<std::uintptr_t>(lock);
  const auto holds = [&](const std::unique_ptr<Task>& task) {
    return task.get() != &waiter && std::ranges::any_of(task->held_locks, [&](const auto& slot) {
             return (slot.load() & ~std::uintptr_t{1}) == address;
           });
  };
  const auto found = std::ranges::find_if(tasks, holds);
  return found == tasks.end() ? StuckTask::kNobody : static_cast<int>(found - tasks.begin());
}

int lessee_who_waits(const std::vector<std::unique_ptr<Task>>& tasks, const Task& waiter) {
  const auto waits = [&](const std::unique_ptr<Task>& task) {
    return task.get() != &waiter && task->op.load() == static_cast<std::uint8_t>(Op::lease) &&
           is_lock(task->wait_for.load());
  };
  const auto found = std::ranges::find_if(tasks, waits);
  return found == tasks.end() ? StuckTask::kNobody : static_cast<int>(found - tasks.begin());
}

std::string describe_lock(const std::vector<std::unique_ptr<Task>>& tasks, WaitFor what, std::uint32_t ino,
                          const void* lock) {
  std::vector<std::string> holders;
  const auto address = reinterpret_cast<std::uintptr_t>(lock);
  for (const auto& task : tasks) {
    for (const auto& slot : task->held_locks) {
      const std::uintptr_t held = slot.load();
      if ((held & ~std::uintptr_t{1}) != address) continue;
      holders.push_back(fmt::format("task {} ({})", task->id, (held & 1) != 0 ? "exclusive" : "shared"));
    }
  }
  return fmt::format("{} of inode {}, held by {}", name_in(kWaitForNames, what), ino,
                     holders.empty() ? "nobody" : join(holders, ", "));
}

EpisodeResult merge_recorders(const EpisodeConfig& config, const EpisodeClock& clock,
                              const std::vector<WorkerRecord>& records) {
  EpisodeResult result;
  result.duration_ns = Clock::to_ns(clock.end - clock.measure);
  std::uint64_t offered = 0;
  std::uint64_t served = 0;
  std::uint64_t io_errors = 0;
  int last_io_error = 0;
  for (const WorkerRecord& record : records) {
    for (std::size_t i = 0; i < kPathCount; ++i) {
      if (record.recorder.paths[i].ops != 0)
        merge_path(result.paths[static_cast<Path>(i)], record.recorder.paths[i]);
    }
    offered += record.recorder.offered;
    served += record.recorder.served;
    result.effective_ops += record.recorder.effective_ops;
    result.faults_real += record.page_faults;
    result.worker_run_ns += record.run_ns;
    result.worker_cpu_ns += record.cpu_ns;
    result.faults_engine += record.translations_installed;
    result.worker_affinity.push_back(record.affinity);
    io_errors += record.recorder.io_errors;
    if (record.recorder.last_io_error != 0) last_io_error = record.recorder.last_io_error;
  }
  if (config.load == Load::paced) {
    for (const Role& role : config.workload->roles)
      result.offered_per_s += role.rate_per_s * config.rate_scale;
    result.served_share = share_of(served, offered);
  }
  if (io_errors != 0) {
    result.status = Status::error;
    result.reason = fmt::format("{} I/O requests failed, the last with errno {}", io_errors, -last_io_error);
  }
  return result;
}

void add_remark(EpisodeResult& result, std::string_view text) {
  if (!result.remark.empty()) result.remark += "; ";
  result.remark += text;
}

namespace {

/// A hazard of which nobody says how it was seen is nothing that could have been declared.
void complete(Seen& seen, const EpisodeResult& result) {
  if (result.detected[static_cast<std::size_t>(Detector::leak)] != 0 && !seen.leaked())
    seen.add(Hazard::h6, Sign::leak);
  for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
    const auto hazard = static_cast<Hazard>(i);
    if (result.violated.has(hazard) && !seen.any(hazard)) seen.add(hazard, Sign::other);
  }
}

/// Nobody is starved by accesses that the workload does not have.
bool has_accesses_of(const Workload& workload, const Finding& finding) {
  const auto access = std::ranges::find(litmus::kAccesses, finding.access, &litmus::AccessInfo::name);
  return access == litmus::kAccesses.end() || hazards_of(workload).has(access->hazard);
}

Verdict verdict_of(const EpisodeConfig& config, const ProtocolInfo& protocol, const EpisodeResult& result) {
  const auto applies = [&](const Finding& finding) {
    if (!finding.in_run || (finding.endless() && !has_accesses_of(*config.workload, finding))) return false;
    return finding.refcount.empty() ||
           finding.refcount == name_in(kRefcountRegimeNames, config.refcount_regime);
  };
  return judge(protocol, result.seen, verdict_of_nothing(protocol.promises, hazards_of(*config.workload)),
               applies, result.effective_ops);
}

}  // namespace

void conclude(const EpisodeConfig& config, const RegionFacts& facts, bool oracle, Ending ending,
              const std::string& failure, const ProtocolInfo& protocol, Signs overdue,
              EpisodeResult& result) {
  if (!failure.empty()) {
    result.status = Status::error;
    result.reason = failure;
    return;
  }
  if (ending != Ending::done) {
    result.status = ending == Ending::hung ? Status::hang : Status::starved;
    result.hangs = ending == Ending::hung ? 1 : 0;
    result.violated.add(Hazard::h6);
    result.seen.add(Hazard::h6, overdue);
    result.reason = join(result.hang_report, "; ");
  }
  if (is_saturated(result.served_share)) {
    // Rounded down: 98.9 % must not read as 99.
    add_remark(result, fmt::format("saturated: {} % of the offered load served",
                                   static_cast<int>(100 * *result.served_share)));
  }
  if (!oracle) {
    add_remark(result, "no verdict: oracle off");
  } else if (config.discard == Discard::punch && facts.backing == Backing::fsdax) {
    add_remark(result, "no verdict: the kernel's own punch protocol works beneath");
  } else {
    complete(result.seen, result);
    result.verdict = verdict_of(config, protocol, result);
  }
}

}  // namespace daxrace
