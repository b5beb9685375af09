#pragma once

#include <barrier>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/parallel.hpp"
#include "harness/engine/episode.hpp"
#include "harness/engine/episode_support.hpp"
#include "harness/engine/run_protocol.hpp"
#include "harness/engine/standstill.hpp"
#include "harness/engine/watchdog.hpp"
#include "harness/engine/worker.hpp"

namespace daxrace {

/// One episode on Env E: builds the engine, runs the workers, reads the books at the end.
template <class E>
class Episode {
 public:
  using K = RunKernel<E>;

  Episode(const EpisodeConfig& config, Region& region, Peer* peer, const ProtocolInfo& protocol,
          const ProtocolCalls<K>& calls)
      : config_(config),
        protocol_(protocol),
        calls_(calls),
        region_(region),
        peer_(config.workload->needs_peer() ? peer : nullptr),
        threads_(worker_count(config)),
        rule_(core::RefcountRule::of(config.refcount_regime)),
        sizes_(file_sizes(config)),
        shared_(threads_ + 1),
        oracle_(threads_ + 1, sizes_.pages, config.workload->shifts()),
        store_(region, frames_needed(config), rule_.idle, config.pages_per_entry,
               config.discard == Discard::punch),
        recorders_(threads_),
        workers_(threads_) {
    for (std::uint32_t i = 0; i <= threads_; ++i) {
      tasks_.push_back(std::make_unique<Task>(i));
      oracles_.push_back(std::make_unique<typename E::Oracle>(oracle_, i));
      envs_.push_back(make_env(i));
    }
    for (std::size_t i = 0; i < sizes_.pages.size(); ++i) {
      inodes_.push_back(&store_.add_inode(sizes_.pages[i], i == 0 ? 1 + threads_ : 0));
    }
  }

  EpisodeResult run() {
    prefill();
    if (peer_ != nullptr) stamp_peer(*peer_, config_.file_pages);
    std::vector<std::thread> threads;
    threads.reserve(threads_);
    clock_.running.store(threads_);
    std::barrier start(static_cast<std::ptrdiff_t>(threads_) + 1);
    start_workers(threads, start);
    start.arrive_and_wait();  // every worker has what it needs
    set_clock(config_, clock_);
    start.arrive_and_wait();
    const Ending ending = watch();
    for (std::thread& thread : threads) thread.join();
    if (ending != Ending::hung && failure_.empty()) close_books();
    return collect(ending);
  }

 private:
  /// Where a limit is met, those that run are let go and end at once; the row says why.
  void start_workers(std::vector<std::thread>& threads, std::barrier<>& start) {
    try {
      while (threads.size() < threads_)
        threads.emplace_back(
            [this, id = static_cast<std::uint32_t>(threads.size()), &start] { work(id, start); });
    } catch (const std::system_error& error) {
      fail(cannot_start(fmt::format("worker {} of {}", threads.size() + 1, threads_), error));
      for (std::size_t missing = threads.size(); missing < threads_; ++missing) {
        start.arrive_and_drop();
        clock_.running.fetch_sub(1);
      }
    }
  }

  std::unique_ptr<E> make_env(std::uint32_t task) {
    if constexpr (requires { E(shared_, *tasks_[task], *oracles_[task], NoPerturb{}); }) {
      return std::make_unique<E>(shared_, *tasks_[task], *oracles_[task], NoPerturb{});
    } else {
      return std::make_unique<E>(shared_, *tasks_[task], *oracles_[task],
                                 Perturb(config_.seed * 7919 + task));
    }
  }

  /// The file under test starts with a block on every page.
  void prefill() {
    K k{{*envs_[threads_], store_, rule_, 0}, &calls_};
    for (PageOffset page = 0; page < config_.file_pages; ++page) core::allocate_block(k, *inodes_[0], page);
  }

  void work(std::uint32_t id, std::barrier<>& start) {
    Recorder& recorder = recorders_[id].recorder;
    std::unique_ptr<Worker<E>>& worker = workers_[id];
    try {
      tasks_[id]->tid = gettid();
      bind_worker(config_, id);
      recorders_[id].affinity = thread_affinity();
      const PageRange own = pages_of(config_, id, threads_);
      worker = std::make_unique<Worker<E>>(typename Worker<E>::Setup{
          config_, calls_, store_, peer_, *inodes_[0], *inodes_[1], *inodes_[2 + id], sizes_.pages[2 + id],
          *tasks_[id], *envs_[id], mix_of(config_, id, threads_), own, pages_to_write(config_, own), shift_,
          clock_, recorder});
      worker->prepare(node_of_worker(config_, id));
    } catch (const std::exception& error) {
      fail(error.what());
      worker = nullptr;
    }
    start.arrive_and_wait();
    start.arrive_and_wait();
    if (worker != nullptr) run_worker(id, *worker);
    clock_.running.fetch_sub(1);
  }

  void run_worker(std::uint32_t id, Worker<E>& worker) {
    const std::uint64_t faults_before = thread_page_faults();
    const std::uint64_t cpu_before = thread_cpu_ns();
    const Clock::Ticks start = Clock::now();
    try {
      worker.run();
    } catch (const Aborted&) {
      worker.abandon();
    }
    recorders_[id].run_ns = Clock::to_ns(Clock::now() - start);
    recorders_[id].cpu_ns = thread_cpu_ns() - cpu_before;
    recorders_[id].page_faults = thread_page_faults() - faults_before;
    recorders_[id].translations_installed = worker.translations_installed();
  }

  void fail(const std::string& what) {
    const std::scoped_lock lock(failure_mutex_);
    if (failure_.empty()) failure_ = what;
    clock_.stop_at(Clock::now());
  }

  /// Until the workers are done or were aborted.
  Ending watch() {
    Watchdog watchdog(tasks_, config_.hang_bound_ns, [&](const Task& task) { return describe_wait(task); });
    const auto tasks = [&] { return where_all_stand(watchdog); };
    const Ending ending = watch_episode(config_, clock_, watchdog, tasks, overdue_);
    stood_still_ns_ = watchdog.stood_still_ns();
    return ending;
  }

  std::vector<StuckTask> where_all_stand(const Watchdog& watchdog) {
    std::vector<StuckTask> all;
    for (const auto& task : tasks_) all.push_back(where_it_stands(*task, watchdog.is_overdue(*task)));
    return all;
  }

  StuckTask where_it_stands(const Task& task, bool overdue) {
    const WaitFor what = task.wait_for.load();
    StuckTask stands{.overdue = overdue, .waits_for = what};
    if (is_lock(what)) {
      stands.holder = holder_of(tasks_, task, task.wait_address.load());
      // Who holds a range of a range lock is written nowhere: whoever waits for a page does.
      for (int i = 0; stands.holder == StuckTask::kNobody && i < static_cast<int>(tasks_.size()); ++i)
        if ((what == WaitFor::io_range || what == WaitFor::mapping_range) &&
            tasks_[static_cast<std::size_t>(i)]->wait_for.load() == WaitFor::page_idle)
          stands.holder = i;
    } else if (what == WaitFor::lease) {
      stands.holder = lessee_who_waits(tasks_, task);
    } else if (what == WaitFor::page_idle) {
      const auto& frame = store_.frame(task.wait_detail.load());
      const std::uint32_t references = frame.refcount.load();
      stands.is_true = references == rule_.idle;
      stands.pinned = references - rule_.per_mapping * frame.mapcount.load() != rule_.idle;
    }
    return stands;
  }

  std::string describe_wait(const Task& task) {
    const WaitFor what = task.wait_for.load();
    const void* address = task.wait_address.load();
    for (std::size_t i = 0; i < inodes_.size(); ++i) {
      for (const auto* sem : {&inodes_[i]->i_rwsem, &inodes_[i]->invalidate_lock}) {
        if (address == sem) return describe_lock(tasks_, what, inodes_[i]->ino, sem);
      }
    }
    if (what == WaitFor::page_idle) {
      const FrameNumber frame = task.wait_detail.load();
      return fmt::format("blk {} to become idle: refcount {}, mapcount {}", frame,
                         store_.frame(frame).refcount.load(), store_.frame(frame).mapcount.load());
    }
    return fmt::format("{} of inode {}", name_in(kWaitForNames, what), task.wait_detail.load());
  }

  /// Everything unmapped, then: counts idle, no I/O, no leases, every frame free or in exactly one extent
  /// map.
  void close_books() {
    if constexpr (!E::Oracle::enabled) return;
    K k{{*envs_[threads_], store_, rule_, 0}, &calls_};
    std::uint32_t used = 0;
    for (core::Inode<E>* ip : inodes_) {
      core::unmap_mapping_range(k, *ip, core::kWholeFile);
      store_.extents(*ip).for_each(core::kWholeFile, [&](PageOffset) { ++used; });
      if (ip->i_dio_count.load() != 0) {
        oracle_.report_leak(fmt::format("inode {}: i_dio_count {}", ip->ino, ip->i_dio_count.load()));
      }
      if (core::has_leases(k, *ip))
        oracle_.report_leak(fmt::format("inode {}: a layout lease is left", ip->ino));
    }
    if (used + store_.free_frames() != store_.frame_count()) {
      oracle_.report_leak(
          fmt::format("{} frames used + {} free != {}", used, store_.free_frames(), store_.frame_count()));
    }
    for (FrameNumber frame = 0; frame < store_.frame_count(); ++frame) {
      const std::uint32_t references = store_.frame(frame).refcount.load();
      if (references != rule_.idle)
        oracle_.report_leak(fmt::format("blk {}: refcount {} at the end", frame, references));
    }
  }

  EpisodeResult collect(Ending ending) {
    EpisodeResult result = merge_recorders(config_, clock_, recorders_);
    result.promises = protocol_.promises;
    result.detected = oracle_.detected();
    result.violated = oracle_.violated();
    result.violations = oracle_.take_violations();
    result.seen = oracle_.seen();
    result.hang_report = std::move(overdue_.report);
    conclude(config_, region_.facts(), E::Oracle::enabled, ending, failure_, protocol_, overdue_.signs,
             result);
    if (stood_still_ns_ != 0) add_remark(result, standstill_remark(stood_still_ns_));
    return result;
  }

  const EpisodeConfig& config_;
  const ProtocolInfo& protocol_;
  const ProtocolCalls<K>& calls_;
  Region& region_;
  Peer* peer_;
  std::uint32_t threads_;
  core::RefcountRule rule_;
  FileSizes sizes_;
  RunShared shared_;
  OracleShared oracle_;
  RunStore<E> store_;
  std::vector<WorkerRecord> recorders_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<std::unique_ptr<typename E::Oracle>> oracles_;
  std::vector<std::unique_ptr<E>> envs_;
  std::vector<core::Inode<E>*> inodes_;
  /// Made by their own threads, kept until all have ended: the watchdog may poke any of them.
  std::vector<std::unique_ptr<Worker<E>>> workers_;
  ShiftPair shift_;
  EpisodeClock clock_;
  std::mutex failure_mutex_;
  std::string failure_;
  Overdue overdue_;
  std::uint64_t stood_still_ns_ = 0;
};

template <class E>
EpisodeResult run_episode(const EpisodeConfig& config, Region& region, Peer* peer,
                          const ProtocolInfo& protocol, const ProtocolCalls<RunKernel<E>>& calls) {
  return Episode<E>(config, region, peer, protocol, calls).run();
}

}  // namespace daxrace
