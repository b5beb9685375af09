#include "harness/live/run/episode.hpp"

#include <algorithm>
#include <barrier>
#include <memory>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/engine/standstill.hpp"
#include "harness/live/observe/helper.hpp"
#include "harness/live/observe/kernel_log.hpp"
#include "harness/live/run/kernel_view.hpp"
#include "harness/live/run/worker.hpp"
#include "harness/live/staging/pin.hpp"

namespace daxrace::kernel {
namespace {

constexpr ProtocolInfo kInfo = {
    .name = "kernel",
    .promises = Hazards(Hazard::h1, Hazard::h2, Hazard::h3, Hazard::h4, Hazard::h6, Hazard::h7, Hazard::h8),
    .stands_for = "the file system of --dir under the running kernel",
    .summary = "whatever the kernel does",
};

/// What outlives the episode if a thread never comes back.
struct Crew {
  Crew(const EpisodeConfig& config, std::shared_ptr<const Directory> directory, Peer* peer)
      : ground(config, std::move(directory), peer),
        records(worker_count(config)),
        spans(worker_count(config)),
        busy(worker_count(config)) {}
  Ground ground;
  std::vector<WorkerRecord> records;
  std::vector<Spans> spans;
  std::vector<Busy> busy;

  void fail(const std::string& what) {
    const std::scoped_lock lock(mutex);
    if (failure.empty()) failure = what;
    ground.clock.stop_at(Clock::now());
  }
  std::string why_failed() {
    const std::scoped_lock lock(mutex);
    return failure;
  }
  std::mutex mutex;
  std::string failure;
};

/// The operations that cannot be made of real files here, each reason once.
std::set<std::string> left_out(const EpisodeConfig& config, const FsFacts& facts, bool& any_left) {
  std::set<std::string> reasons;
  any_left = false;
  for (const Role& role : config.workload->roles) {
    for (const WeightedOp& weighted : role.ops) {
      const std::string reason = why_not(weighted.op, facts);
      if (reason.empty()) any_left = true;
      if (!reason.empty()) reasons.insert(reason);
    }
  }
  return reasons;
}

class KernelEpisode {
 public:
  KernelEpisode(const EpisodeConfig& config, Region& region, Peer* peer)
      : config_(config),
        region_(region),
        directory_(std::make_shared<Directory>(config.directory)),
        peer_(config.workload->needs_peer() ? peer : nullptr) {
    bool any_left = false;
    left_out_ = left_out(config, directory_->facts(), any_left);
    // A single path is nothing without it.
    if (!any_left || (config.workload->uncontended && !left_out_.empty()))
      throw Skipped(fmt::format("{}", fmt::join(left_out_, "; ")));
    crew_ = std::make_shared<Crew>(config, directory_, peer_);
    try {
      view_ = std::make_unique<KernelView>();
      crew_->ground.wants_spans = true;
    } catch (const Skipped& skipped) {
      not_seen_ = skipped.what();
    }
  }

  EpisodeResult run() {
    if (peer_ != nullptr) stamp_peer(*peer_, config_.file_pages);
    start();
    const bool stuck = watch();
    return collect(stuck);
  }

 private:
  void start() {
    const std::uint32_t workers = worker_count(config_);
    EpisodeClock& clock = crew_->ground.clock;
    auto barrier = std::make_shared<std::barrier<>>(static_cast<std::ptrdiff_t>(workers) + 1);
    try {
      for (std::uint32_t id = 0; id < workers; ++id)
        helpers_.push_back(std::make_unique<Helper>(
            fmt::format("worker {} of {}", id + 1, workers),
            [crew = crew_, id, workers, barrier] { return work(*crew, id, workers, *barrier); }));
    } catch (const Error& error) {  // a limit on threads: those that run are let go and end at once
      crew_->fail(error.what());
      for (std::size_t missing = helpers_.size(); missing < workers; ++missing) barrier->arrive_and_drop();
    }
    barrier->arrive_and_wait();  // every worker has what it needs
    set_clock(config_, clock);
    barrier->arrive_and_wait();
  }

  static long work(Crew& crew, std::uint32_t id, std::uint32_t workers, std::barrier<>& barrier) {
    WorkerRecord& record = crew.records[id];
    std::optional<Worker> worker;
    try {
      bind_worker(crew.ground.config, id);
      record.affinity = thread_affinity();
      worker.emplace(crew.ground, id, workers, crew.busy[id], record.recorder);
    } catch (const std::exception& error) {
      crew.fail(error.what());
    }
    barrier.arrive_and_wait();
    barrier.arrive_and_wait();
    if (!worker) return -1;
    const std::uint64_t faults = thread_page_faults();
    const std::uint64_t cpu = thread_cpu_ns();
    const Clock::Ticks start = Clock::now();
    try {
      worker->run();
    } catch (const std::exception& error) {
      crew.fail(error.what());
    }
    record.run_ns = Clock::to_ns(Clock::now() - start);
    crew.spans[id] = worker->take_spans();
    record.cpu_ns = thread_cpu_ns() - cpu;
    record.page_faults = thread_page_faults() - faults;
    return 0;
  }

  bool all_ended() const {
    return std::ranges::all_of(helpers_, [](const auto& helper) { return helper->ended(); });
  }

  /// Until the workers are done. True: an operation outlived its bound, and the report says what came of it.
  bool watch() {
    EpisodeClock& clock = crew_->ground.clock;
    standstill_ = Standstill(worker_count(config_));
    while (!all_ended()) {
      timespec nap{0, 2'000'000};
      nanosleep(&nap, nullptr);
      standstill_.look();
      const bool asked_to_stop = config_.stop != nullptr && config_.stop->load();
      const Clock::Ticks now = Clock::now();
      if (asked_to_stop || now >= clock.end) clock.stop_at(now);
      if (view_ && now >= clock.measure) view_->warm_up_is_over();
      if (outlived(config_.hang_bound_ns + standstill_.total_ns()).empty()) continue;
      explain();
      return true;
    }
    return false;
  }

  std::vector<std::uint32_t> outlived(std::uint64_t bound_ns) const {
    std::vector<std::uint32_t> ids;
    const std::uint64_t now = Clock::monotonic_ns();
    for (std::uint32_t id = 0; id < helpers_.size(); ++id) {
      const std::uint64_t since = crew_->busy[id].since_ns.load(std::memory_order_acquire);
      if (since != 0 && now > since + bound_ns && !helpers_[id]->ended()) ids.push_back(id);
    }
    return ids;
  }

  std::uint64_t done() const {
    std::uint64_t sum = 0;
    for (const Busy& busy : crew_->busy) sum += busy.done.load();
    return sum;
  }

  void say(std::string line) { report_.push_back(std::move(line)); }

  /// Others that go on while one waits starve it; where nobody goes on, all hang.
  void explain() {
    const std::uint64_t before = done();
    timespec look{0, 200'000'000};
    nanosleep(&look, nullptr);
    starved_ = done() != before;
    for (std::uint32_t id = 0; id < helpers_.size(); ++id) {
      const Busy& busy = crew_->busy[id];
      const std::uint64_t since = busy.since_ns.load();
      say(fmt::format("worker {}: {}", id,
                      since == 0 ? "between operations"
                                 : fmt::format("{} for {} ms", kOpNames[busy.op.load()],
                                               (Clock::monotonic_ns() - since) / 1'000'000)));
      if (since != 0)
        for (const std::string& line : describe(helpers_[id]->state())) say("  " + line);
    }
    say("freed by " + recover());
  }

  /// Whoever waits for a page whose count is idle already is woken when the next pin is let go.
  void pin_once_more() {
    const Helper helper("pins of all pages", [crew = crew_] {
      Pin pin;
      for (PageOffset page = 0; page < crew->ground.config.file_pages; ++page)
        if (pin.take(crew->ground.at(page)) == 0) pin.drain();
      return 0L;
    });
    helper.wait(1'000'000'000);
  }

  /// Causes first, signals last.
  std::string recover() {
    constexpr std::uint64_t kPatience = 2'000'000'000;
    std::vector<const Helper*> threads;
    for (const auto& helper : helpers_) threads.push_back(helper.get());
    crew_->ground.clock.stop_at(Clock::now());
    if (all_end(threads, kPatience)) return "stopping the other workers";
    pin_once_more();
    if (all_end(threads, kPatience)) return "pinning the pages once more: a wake-up had been lost";
    crew_->ground.unmap();
    if (all_end(threads, kPatience)) return "unmapping the file";
    for (const Helper* thread : threads)
      if (!thread->ended()) thread->interrupt();
    return all_end(threads, kPatience) ? "a signal" : "nothing: threads were left behind";
  }

  EpisodeResult collect(bool stuck) {
    const std::string failure = crew_->why_failed();
    EpisodeResult result = merge_recorders(config_, crew_->ground.clock, crew_->records);
    if (!all_ended()) result.served_share.reset();  // whoever was left behind counts no more
    result.phases_known = {};                       // the kernel does not tell by itself
    if (view_ && all_ended()) view_->complete(result, crew_->spans);
    crew_->ground.sightings.move_to(result);
    result.promises = kInfo.promises;
    result.hang_report = report_;
    conclude(config_, region_.facts(), config_.oracle, stuck && !starved_ ? Ending::hung : Ending::done,
             failure, kInfo, Sign::other, result);
    if (stuck && starved_) {
      result.status = Status::starved;
      result.reason = fmt::format("{}", fmt::join(report_, "; "));
    }
    for (const std::string& reason : left_out_) add_remark(result, "left out: " + reason);
    if (view_) not_seen_ = view_->limits();
    if (!not_seen_.empty()) add_remark(result, "not seen: " + not_seen_);
    const auto complaints = log_.complaints();
    if (!complaints.empty())
      add_remark(result, fmt::format("kernel log: {} complaints, the first: {}", complaints.size(),
                                     complaints.front()));
    if (standstill_.total_ns() != 0) add_remark(result, standstill_remark(standstill_.total_ns()));
    return result;
  }

  const EpisodeConfig& config_;
  Region& region_;
  std::shared_ptr<Directory> directory_;
  Peer* peer_;
  KernelLog log_;
  std::unique_ptr<KernelView> view_;
  std::string not_seen_;  ///< of where operations waited, and why
  std::shared_ptr<Crew> crew_;
  std::set<std::string> left_out_;
  std::vector<std::unique_ptr<Helper>> helpers_;
  std::vector<std::string> report_;
  bool starved_ = false;
  Standstill standstill_{1};
};

EpisodeResult run_episode(const EpisodeConfig& config, Region& region, Peer* peer) {
  check_episode(config, region.facts(), peer);
  return KernelEpisode(config, region, peer).run();
}

}  // namespace

const ProtocolEntry& protocol_entry() {
  static const ProtocolEntry entry{kInfo, run_episode};
  return entry;
}

}  // namespace daxrace::kernel
