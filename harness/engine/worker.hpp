#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include <sys/resource.h>

#include "harness/core/protocol.hpp"
#include "harness/engine/episode.hpp"
#include "harness/engine/episode_support.hpp"
#include "harness/engine/io_queue.hpp"
#include "harness/engine/perturb.hpp"
#include "harness/engine/protocol_calls.hpp"
#include "harness/engine/recorder.hpp"
#include "harness/engine/run_store.hpp"
#include "harness/engine/spinlock.hpp"
#include "harness/engine/task.hpp"
#include "harness/load/mix.hpp"
#include "harness/load/pacer.hpp"
#include "harness/load/shift.hpp"
#include "harness/platform/placement.hpp"

namespace daxrace {

/// One worker: draws operations, runs them through the protocol and the core, moves the data, records.
template <class E>
class Worker {
 public:
  using P = CalledProtocol;
  using Store = RunStore<E>;
  using K = RunKernel<E>;
  using Inode = core::Inode<E>;

  struct Setup {
    const EpisodeConfig& config;
    const ProtocolCalls<K>& calls;
    Store& store;
    Peer* peer;
    Inode& file;
    Inode& victim_file;
    Inode& scratch_file;
    std::uint32_t scratch_pages;
    Task& task;
    E& env;
    Mix mix;
    PageRange own_pages;      ///< the pages that this worker touches
    PageRange written_pages;  ///< and those of them that it writes
    ShiftPair& shift;
    EpisodeClock& clock;
    Recorder& recorder;
  };

  explicit Worker(const Setup& setup)
      : config_(setup.config),
        store_(setup.store),
        peer_(setup.peer),
        file_(setup.file),
        victim_file_(setup.victim_file),
        scratch_file_(setup.scratch_file),
        scratch_pages_(setup.scratch_pages),
        task_(setup.task),
        env_(setup.env),
        k_{{setup.env, setup.store, core::RefcountRule::of(setup.config.refcount_regime), 0}, &setup.calls},
        mix_(setup.mix),
        own_pages_(setup.own_pages),
        written_pages_(setup.written_pages),
        shift_(setup.shift),
        clock_(setup.clock),
        recorder_(setup.recorder),
        random_(setup.config.seed * 1'000'003 + setup.task.id + 1) {}

  /// Takes what the worker needs: buffers on its node, its io_uring. Called on the worker's own thread.
  void prepare(int node) {
    buffer_ = NodeBuffer(kIoBytes, node);
    if (peer_ == nullptr) return;
    queue_ = std::make_unique<IoQueue<Complete>>(*peer_, config_.queue_depth, Complete{this});
    task_.io = queue_.get();
  }

  /// Runs until the clock says so; every I/O of this worker is complete when it returns.
  void run() {
    if (config_.load == Load::paced) {
      run_paced();
    } else {
      run_closed();
    }
    task_.op.store(Task::kDraining, std::memory_order_relaxed);
    drain();
    task_.op.store(Task::kIdle, std::memory_order_relaxed);
  }

  /// After the episode was given up: the device must let go of our memory, for a bounded time.
  void abandon() {
    constexpr int kTurns = 100;
    for (int turn = 0; queue_ && queue_->in_flight() && turn < kTurns; ++turn)
      queue_->wait_and_complete(kAbandonTurnNs);
  }

  std::uint64_t translations_installed() const { return k_.translations_installed; }

 private:
  struct Complete {
    Worker* worker;
    void operator()(const IoRequest& request, std::int32_t result) const {
      worker->complete(request, result);
    }
  };
  static constexpr std::uint32_t kMapping = 0;
  static constexpr std::uint64_t kAbandonTurnNs = 50'000'000;

  // --- load
  // -----------------------------------------------------------------------------------------------------

  void run_paced() {
    const double interval = static_cast<double>(Clock::from_ns(1'000'000'000)) / mix_.rate_per_s;
    Pacer<> pacer({clock_, interval, config_.placement.overcommitted, random_, recorder_});
    pacer.run([this] { poll_io(); },
              [this](Clock::Ticks intended, bool measured) {
                measured_ = measured;
                intended_ = intended;
                perform_watched(mix_.draw(random_));
              });
  }

  void run_closed() {
    measured_ = !config_.record;
    while (!clock_.stop.load(std::memory_order_relaxed)) {
      poll_io();
      perform_watched(mix_.draw(random_));
    }
  }

  void drain() {
    if (!queue_) return;
    task_.wait_for.store(WaitFor::io_slot);
    while (queue_->in_flight()) queue_->wait_and_complete();
    task_.wait_for.store(WaitFor::nothing);
  }

  void poll_io() {
    if (queue_ && queue_->in_flight()) queue_->complete_ready();
  }

  // --- recording
  // ------------------------------------------------------------------------------------------------

  /// An operation starts here: what came before in the same call was preparation and is not timed.
  void begin() {
    const bool paced = config_.load == Load::paced;
    if (paced) faults_before_ = thread_page_faults();
    env_.phases().clear();
    if (!config_.record) return;
    start_ = Clock::now();
    if (!paced) measured_ = start_ >= clock_.measure;
  }

  /// Asking the kernel costs 0.15 us, outside the timed part: a schedule has room for it, a closed loop has
  /// not.
  void note_faults(Path path) {
    if (config_.load != Load::paced || !measured_) return;
    recorder_.paths[static_cast<std::size_t>(path)].faults_real += thread_page_faults() - faults_before_;
  }

  void finish(Path path, bool effective = false) {
    recorder_.effective_ops += effective && measured_;
    if (!measured_) return;
    if (!config_.record || config_.perturb) {
      recorder_.count(path);
      return;
    }
    recorder_.record(path, {intended_, start_, Clock::now()}, env_.phases().sums());
    note_faults(path);
  }

  PageOffset pick() { return own_pages_.first + random_.below(own_pages_.end - own_pages_.first); }
  PageOffset pick_written() {
    return written_pages_.first + random_.below(written_pages_.end - written_pages_.first);
  }

  // --- operations
  // -----------------------------------------------------------------------------------------------

  void perform_watched(Op op) {
    task_.ops_begun.store(++ops_begun_, std::memory_order_relaxed);
    task_.op.store(static_cast<std::uint8_t>(op), std::memory_order_relaxed);
    perform(op);
    task_.op.store(Task::kIdle, std::memory_order_relaxed);
  }

  /// What is prepared first begins when that is done.
  static constexpr bool begins_later(Op op) {
    return op == Op::refault || op == Op::gup_cold || op == Op::munmap || op == Op::evict ||
           op == Op::fsync || op == Op::collapse || op == Op::insert;
  }

  void perform(Op op) {
    if (!begins_later(op)) begin();
    switch (op) {
      case Op::touch_read:
        return touch(pick(), false);
      case Op::touch_write:
        return touch(pick(), true);
      case Op::refault:
        return refault(pick());
      case Op::read:
        return read(pick());
      case Op::write:
        return write(file_, pick_written());
      case Op::aio_read:
        return aio(pick(), false);
      case Op::aio_write:
        return aio(pick(), true);
      case Op::gup_read:
        return gup(pick(), false);
      case Op::gup_write:
        return gup(pick(), true);
      case Op::gup_cold:
        return gup_cold(pick());
      case Op::munmap:
        return munmap(pick());
      case Op::evict:
        return evict();
      case Op::punch:
        return punch(pick());
      case Op::fill_and_punch:
        return fill_and_punch(pick());
      case Op::zero:
        return zero(pick());
      case Op::collapse:
        return collapse(pick_written());
      case Op::insert:
        return insert();
      case Op::truncate_down:
        return truncate_down();
      case Op::truncate_up:
        return truncate_up();
      case Op::fsync:
        return fsync();
      case Op::lease:
        return lease();
      case Op::victim:
        return victim();
    }
  }

  /// A load or store through the mapping, with the fault before it if there is no translation.
  void touch(PageOffset page, bool write) {
    bool faulted = false;
    for (unsigned attempt = 0;; ++attempt) {
      if (access(page, write) != core::Access::missing) {
        finish(faulted ? Path::fault : write ? Path::store : Path::load, faulted);
        if (attempt > 1) recorder_.paths[static_cast<std::size_t>(Path::fault)].retries += attempt - 1;
        return;
      }
      if (task_.aborting.load(std::memory_order_relaxed)) throw Aborted();
      const core::FaultResult result = core::handle_fault<P>(k_, file_, kMapping, page, write);
      if (result == core::FaultResult::sigbus || result == core::FaultResult::no_space ||
          result == core::FaultResult::occupied) {
        return;
      }
      faulted = faulted || result == core::FaultResult::installed;
    }
  }

  /// A store is not judged.
  auto before_access(PageOffset page, bool write) {
    return write ? typename E::Oracle::Before{} : env_.oracle().before_read(file_.ino, page);
  }

  core::Access access(PageOffset page, bool write) {
    const std::size_t sector = random_.below(kStampsPerPage) * kSectorBytes;
    const auto before = before_access(page, write);
    core::Translation used;
    std::uint64_t word = 0;
    const core::Access result =
        core::access_mapping(k_, file_, kMapping, page, write, [&](core::Translation translation) {
          used = translation;
          if (!translation.has_frame()) return;
          std::byte* at = store_.region().user(translation.frame()) + sector;
          if (!write) {
            word = load_word(at);
            return;
          }
          const std::uint32_t sequence = env_.oracle().next_sequence(file_.ino, page);
          store_word(at, Stamp{ino_byte(file_), Hazard::h1, page, sequence}.word());
          env_.oracle().stored(file_.ino, page, sequence);
        });
    if (result == core::Access::done && !write)
      env_.oracle().judge(file_.ino, page, used.has_frame() ? used.block() : core::Block{}, before, word);
    return result;
  }

  void refault(PageOffset page) {
    core::unmap_one_mapping(k_, file_, kMapping, {page, page + 1});
    begin();
    touch(page, true);
  }

  void read(PageOffset page) {
    const auto before = env_.oracle().before_read(file_.ino, page);
    core::Block used;
    core::Access result = core::Access::missing;
    P::read(k_, file_, {page, page + 1}, [&] {
      result = core::dax_iomap_read(k_, file_, page, [&](core::Block block) {
        used = block;
        store_.region().read_frame(block.frame, 0, buffer_.data(), kIoBytes);
      });
    });
    if (result == core::Access::missing) return;
    finish(Path::read, true);
    if (result == core::Access::done) judge_buffer(file_, page, used, before);
  }

  template <class Before>
  void judge_buffer(Inode& ip, PageOffset page, core::Block block, const Before& before) {
    if constexpr (!E::Oracle::enabled) return;
    std::uint64_t judged = 0;
    for (std::size_t i = 0; i < kStampsPerPage; ++i) {
      const std::uint64_t word = load_word(buffer_.data() + i * kSectorBytes);
      // Nearly always all are of one write, and one judgement says it.
      if (i != 0 && word == judged) continue;
      env_.oracle().judge(ip.ino, page, block, before, word);
      judged = word;
    }
  }

  void write(Inode& ip, PageOffset page) {
    std::uint32_t sequence = 0;
    core::Access result = core::Access::missing;
    P::write(k_, ip, {page, page + 1}, [&] {
      result = core::dax_iomap_write(k_, ip, page, [&](core::Block block) {
        sequence = env_.oracle().next_sequence(ip.ino, page);
        stamp_buffer(buffer_.data(), {ino_byte(ip), Hazard::h2, page, sequence});
        store_.region().write_frame(block.frame, 0, buffer_.data(), kIoBytes);
      });
    });
    if (result == core::Access::done) env_.oracle().written(ip.ino, page, sequence);
    if (&ip == &file_ && result != core::Access::missing) finish(Path::write, true);
  }

  void wait_for_io_slot() {
    if (!queue_->full()) return;
    task_.wait_for.store(WaitFor::io_slot, std::memory_order_relaxed);
    while (queue_->full()) queue_->wait_and_complete();
    task_.wait_for.store(WaitFor::nothing, std::memory_order_relaxed);
  }

  IoRequest request_for(Path path, PageOffset page, core::Block block) {
    return {block, page, path, measured_, {intended_, start_, 0}, {}};
  }

  void submit(const IoRequest& request, bool device_writes, Hazard writer) {
    std::byte* memory = store_.region().direct(request.block.frame);
    const PeerLayout layout{config_.file_pages};
    const std::size_t slot = device_writes ? layout.stamped(writer, request.page)
                                           : layout.scratch(task_.id, config_.queue_depth, next_scratch_++);
    IoRequest with_phases = request;
    with_phases.phases = env_.phases().sums();
    queue_->submit(with_phases, !device_writes, memory, slot);
  }

  void aio(PageOffset page, bool write) {
    wait_for_io_slot();
    P::aio(k_, file_, {page, page + 1}, [&] {
      core::submit_aio(k_, file_, page, write, [&](core::Block block) {
        submit(request_for(write ? Path::aio_write : Path::aio_read, page, block), write, Hazard::h3);
      });
    });
    complete_at_depth_one();
  }

  void gup(PageOffset page, bool write) {
    wait_for_io_slot();
    const auto pin = core::get_user_page<P>(k_, file_, kMapping, page, write);
    if (!pin) return;
    env_.oracle().event(Event::gup_submitted, file_.ino, page, pin->block.frame, 0);
    submit(request_for(pin->fast ? Path::gup_fast : Path::gup_slow, page, pin->block), write, Hazard::h4);
    complete_at_depth_one();
    note_faults(pin->fast ? Path::gup_fast : Path::gup_slow);
  }

  void gup_cold(PageOffset page) {
    core::unmap_one_mapping(k_, file_, kMapping, {page, page + 1});
    begin();
    gup(page, false);
  }

  /// At depth 1 an I/O is synchronous, like a plain O_DIRECT call; deeper queues leave it in flight.
  void complete_at_depth_one() {
    if (config_.queue_depth == 1) drain();
  }

  void complete(const IoRequest& request, std::int32_t result) {
    if (result != static_cast<std::int32_t>(kIoBytes)) {
      ++recorder_.io_errors;
      recorder_.last_io_error = result;
    }
    if (request.path == Path::aio_read || request.path == Path::aio_write) {
      core::end_aio(k_, file_, request.page, request.block);
    } else {
      core::unpin_user_page(k_, file_, request.page, request.block);
    }
    if (!request.recorded) return;
    ++recorder_.effective_ops;
    if (!config_.record || config_.perturb) {
      recorder_.count(request.path);
      return;
    }
    Timing timing = request.timing;
    timing.end = Clock::now();
    recorder_.record(request.path, timing, request.phases);
  }

  /// A mapping of this worker's own: faulted and left again.
  void munmap(PageOffset page) {
    const std::uint32_t mapping = 1 + task_.id;
    if (core::handle_fault<P>(k_, file_, mapping, page, true) == core::FaultResult::sigbus) return;
    begin();
    core::unmap_one_mapping(k_, file_, mapping, core::kWholeFile);
    finish(Path::munmap);
  }

  /// A small file of this worker's own: written, then unlinked and closed.
  void evict() {
    for (PageOffset page = 0; page < scratch_pages_; ++page) write(scratch_file_, page);
    begin();
    if (P::evict(k_, scratch_file_) != 0) finish(Path::evict, true);
  }

  void punch(PageOffset page) {
    auto change = core::Change::punch({page, page + 1});
    if (P::change(k_, file_, change) != 0) return;
    finish(change.freed != 0 ? Path::punch : Path::punch_hole, change.freed != 0);
  }

  void fill_and_punch(PageOffset page) {
    touch(page, true);
    begin();
    punch(page);
  }

  void zero(PageOffset page) {
    auto change = core::Change::zero({page, page + 1});
    if (P::change(k_, file_, change) == 0 && change.freed != 0) finish(Path::zero, true);
  }

  void collapse(PageOffset first) {
    if (!shift_.begin_collapse()) return;
    begin();
    auto change = core::Change::collapse({first, first + kShiftPages});
    if (P::change(k_, file_, change) != 0) return shift_.whole();
    finish(Path::collapse, true);
    shift_.collapsed_at(first);
  }

  void insert() {
    const std::optional<PageOffset> first = shift_.begin_insert();
    if (!first) return;
    begin();
    auto change = core::Change::insert({*first, *first + kShiftPages});
    if (P::change(k_, file_, change) != 0) return shift_.collapsed_at(*first);
    finish(Path::insert, true);
    shift_.whole();
  }

  void truncate_down() {
    const PageOffset size = file_.i_size.load();
    auto change = core::Change::truncate(random_.below(std::max(size, 1U)));
    if (P::change(k_, file_, change) == 0 && change.freed != 0) finish(Path::truncate_down, true);
  }

  void truncate_up() {
    if (file_.i_size.load() >= config_.file_pages) return;
    auto change = core::Change::truncate(config_.file_pages);
    if (P::change(k_, file_, change) == 0) finish(Path::truncate_up);
  }

  void fsync() {
    const auto lookup = [&](PageOffset page) { return core::lookup_block(k_, file_, page); };
    env_.oracle().fsync_begin(file_.ino, lookup);
    begin();
    const std::uint32_t flushed = core::write_back(k_, file_, core::kWholeFile);
    if (flushed != 0) finish(Path::fsync);
    env_.oracle().fsync_end(file_.ino, lookup);
  }

  /// A lessee: takes a layout, accesses the frames without references, returns it when it is recalled or
  /// done.
  void lease() {
    core::Lease held;
    if (core::get_layout_lease(k_, file_, held) != 0) return;
    std::array<core::Block, kLeasedPages> blocks;
    const PageOffset first = pick();
    const auto page_at = [&](std::size_t i) {
      return own_pages_.first +
             (first - own_pages_.first + static_cast<PageOffset>(i)) % (own_pages_.end - own_pages_.first);
    };
    P::map_blocks(k_, file_, own_pages_, [&] {
      for (std::size_t i = 0; i < kLeasedPages; ++i) blocks[i] = core::lookup_block(k_, file_, page_at(i));
    });
    k_.step(Step::lease_mapped);
    const Clock::Ticks until = Clock::now() + Clock::from_ns(config_.lease_hold_ns);
    do {
      for (std::size_t i = 0; i < kLeasedPages; ++i) access_leased(held, page_at(i), blocks[i], i % 2 == 0);
      poll_io();
    } while (!core::layout_recalled(k_, file_) && Clock::now() < until);
    core::put_layout_lease(k_, file_, held);
    finish(Path::lease);
  }

  void access_leased(core::Lease held, PageOffset page, core::Block block, bool write) {
    if (!block) return;
    const auto before = before_access(page, write);
    std::byte* at = store_.region().direct(block.frame) + random_.below(kStampsPerPage) * kSectorBytes;
    std::uint64_t word = 0;
    const core::Access result = core::access_leased(k_, file_, held, page, block, [&](core::Block) {
      if (write) {
        const std::uint32_t sequence = env_.oracle().next_sequence(file_.ino, page);
        store_word(at, Stamp{ino_byte(file_), Hazard::h5, page, sequence}.word());
      } else {
        word = load_word(at);
      }
    });
    if (result == core::Access::done && !write) env_.oracle().judge(file_.ino, page, block, before, word);
  }

  /// Takes a frame that was freed just now for another file, and looks later whether the data is still its
  /// own.
  void victim() {
    const PageOffset page = random_.below(victim_file_.i_size.load());
    const auto before = env_.oracle().before_read(victim_file_.ino, page);
    const core::Block block = core::lookup_block(k_, victim_file_, page);
    if (!block) return write(victim_file_, page);
    store_.region().read_frame(block.frame, 0, buffer_.data(), kIoBytes);
    if (core::lookup_block(k_, victim_file_, page) == block) judge_buffer(victim_file_, page, block, before);
    auto change = core::Change::punch({page, page + 1});
    P::change(k_, victim_file_, change);
  }

  static std::uint8_t ino_byte(const Inode& ip) { return static_cast<std::uint8_t>(ip.ino); }

  static constexpr std::size_t kLeasedPages = 4;

  const EpisodeConfig& config_;
  Store& store_;
  Peer* peer_;
  Inode& file_;
  Inode& victim_file_;
  Inode& scratch_file_;
  std::uint32_t scratch_pages_;
  Task& task_;
  E& env_;
  K k_;
  Mix mix_;
  PageRange own_pages_;
  PageRange written_pages_;
  ShiftPair& shift_;
  EpisodeClock& clock_;
  Recorder& recorder_;
  Random random_;
  NodeBuffer buffer_;
  std::unique_ptr<IoQueue<Complete>> queue_;
  bool measured_ = false;
  Clock::Ticks intended_ = 0;
  Clock::Ticks start_ = 0;
  std::uint64_t faults_before_ = 0;
  unsigned next_scratch_ = 0;
  std::uint64_t ops_begun_ = 0;
};

}  // namespace daxrace
