#pragma once

#include <array>

#include "harness/core/protocol.hpp"
#include "harness/litmus/scene.hpp"

namespace daxrace::litmus {

/// One task of a scene under protocol P: the accesses and the layout changes, written as the worker of a
/// measured run writes them, with one stamp for the contents of a page.
template <class P>
class Actor {
  using K = ModelKernel;
  using Inode = ModelInode;
  using Block = core::Block;
  static_assert(core::Protocol<P, K>);

 public:
  explicit Actor(Scene& scene)
      : scene_(scene), env_(scene.env), k_(scene.kernel()), file_(scene.file()), other_(scene.other()) {}

  explicit Actor(Scene& scene, PageOffset page) : Actor(scene) { page_ = page; }

  void perform(AccessKind access, bool helper) {
    switch (access) {
      case AccessKind::fault:
      case AccessKind::store:
        return touch(file_, page_, true);
      case AccessKind::load:
        return touch(file_, page_, false);
      case AccessKind::fault_2m:
        touch(file_, kFilePages - 1, true);
        return touch(file_, page_, true);
      case AccessKind::read:
        return read(file_, page_, [] {});
      case AccessKind::write:
        return write(file_, page_, [] {});
      case AccessKind::nested_same:
        return write(file_, page_, [this] { touch(file_, page_ + 1, false); });
      case AccessKind::nested_other:
        return read(file_, page_, [this] { touch(other_, page_, true); });
      case AccessKind::nested_cross:
        return helper ? write(other_, page_, [this] { touch(file_, page_ + 1, false); })
                      : write(file_, page_, [this] { touch(other_, page_ + 1, false); });
      case AccessKind::aio_read:
      case AccessKind::aio_write:
        return aio(page_, access == AccessKind::aio_write);
      case AccessKind::gup_fast:
      case AccessKind::gup_slow:
        return gup(page_, [] {});
      case AccessKind::gup_two:
        return gup_two();
      case AccessKind::gup_again:
        pipe(page_, [] {});
        return pipe(page_, [] {});
      case AccessKind::pin:
        return pipe(page_, [] {});
      case AccessKind::pin_fsync:
        return pipe(page_, [this] { fsync(); });
      case AccessKind::pin_and_aio:
        return helper ? gup(page_, [] {}) : aio(page_, true);
      case AccessKind::lease_then_pin:
        return lease_then_pin();
      case AccessKind::pin_munmap:
        return pipe(page_, [this] { munmap(); });
      case AccessKind::pin_unlink:
        return pipe(page_, [this] {
          munmap();
          said().closed = true;
        });
      case AccessKind::pin_outside:
        return pipe(0, [] {});
      case AccessKind::pin_refault:
        return pipe(page_, [this] { touch(file_, page_, true); });
      case AccessKind::pin_interrupted:
        return pipe(page_, [] {});
      case AccessKind::pin_2m:
        return pipe(kFilePages - 1, [] {});
      case AccessKind::pin_then_read:
        return pipe(page_, [this] { read(file_, page_ + 1, [] {}); });
      case AccessKind::lease_prompt:
        return lease(true, false);
      case AccessKind::lease_slow:
        return lease(false, false);
      case AccessKind::lease_silent:
      case AccessKind::lease_interrupted:
        return lease(false, true);
      case AccessKind::lease_again:
        for (int turn = 0; turn < kLeaseTurns; ++turn) lease(true, false);
        return;
      case AccessKind::fsync:
      case AccessKind::fsync_2m:
        touch(file_, 0, true);
        env_.step(Step::io_in_flight);
        return fsync();
      case AccessKind::zero_page:
        touch(file_, page_, false);
        env_.step(Step::io_in_flight);
        return touch(file_, page_, false);
      case AccessKind::zero_page_fault:
        return touch(file_, page_, helper);
    }
  }

  void change(Operation operation) { said().change_error = change_layout(operation); }

  void perform(const Op& op) {
    switch (op.kind) {
      case Op::Kind::change:
        return change(op.operation);
      case Op::Kind::refault:
        return refault(page_);
      case Op::Kind::access:
        return op.read_only ? gup_read(page_) : perform(op.access, op.helper);
      case Op::Kind::lock_shared:
      case Op::Kind::lock_exclusive:
        return;
    }
  }

 private:
  static constexpr int kLeaseTurns = 3;
  static constexpr int kLeasedAccesses = 3;
  static constexpr int kAttempts = 4;

  int change_layout(Operation operation) {
    using core::Change;
    const PageRange one_page{page_, page_ + 1};
    switch (operation) {
      case Operation::punch:
        return apply(Change::punch(one_page));
      case Operation::zero:
        return apply(Change::zero(one_page));
      case Operation::collapse:
        return apply(Change::collapse(is_elsewhere(scene_.access) ? one_page : PageRange{0, 1}));
      case Operation::insert:
        return apply(Change::insert(one_page));
      case Operation::truncate_down:
        return apply(Change::truncate(1));
      case Operation::truncate_up:
        return apply(Change::truncate(kFilePages + 2));
      case Operation::evict:
        P::evict(k_, file_);
        return 0;
      case Operation::write_hole:
        write(file_, page_, [] {});
        return 0;
    }
    return 0;
  }
  int apply(core::Change change) { return P::change(k_, file_, change); }

  Scene::Said& said() {
    model::note_touch(&scene_.said);
    return scene_.said;
  }
  std::uint64_t& contents(FrameNumber frame) { return scene_.store.contents[frame]; }

  /// Stamps a frame as this kind of access; returns the number of the stamp.
  std::uint32_t stamp(Inode& ip, PageOffset page, FrameNumber frame, Hazard writer) {
    const std::uint32_t sequence = env_.oracle().next_sequence(ip.ino, page);
    contents(frame) = Stamp{static_cast<std::uint8_t>(ip.ino), writer, page, sequence}.word();
    return sequence;
  }

  /// What was read. From a block that was freed meanwhile, somebody else's data is the reader's own fault.
  void judge(Hazard reader, core::Access how, Inode& ip, PageOffset page, Block block,
             const PageBefore& before, std::uint64_t word) {
    if (how == core::Access::done) return env_.oracle().judge(ip.ino, page, block, before, word);
    if (word != 0 && Stamp::from(word).ino != ip.ino)
      env_.oracle().report(Detector::corruption, reader, ip.ino, page, block.frame, 0);
  }

  /// What a read has to be judged by; a write keeps nothing of it, so that it does not tell states apart.
  PageBefore before_access(Inode& ip, PageOffset page, bool write) {
    return write ? PageBefore{} : env_.oracle().before_read(ip.ino, page);
  }

  /// A load or store, with the faults that it needs.
  void touch(Inode& ip, PageOffset page, bool write) {
    for (;;) {
      if (access(ip, page, write) != core::Access::missing) return;
      const core::FaultResult fault = core::handle_fault<P>(k_, ip, ip.first_mapping, page, write);
      k_.translations_installed = 0;  // only a measured run counts them
      if (fault == core::FaultResult::sigbus || fault == core::FaultResult::no_space ||
          fault == core::FaultResult::occupied)
        return;
    }
  }

  core::Access access(Inode& ip, PageOffset page, bool write) {
    const auto before = before_access(ip, page, write);
    Block used;  // none: it went through the zero page
    std::uint64_t word = 0;
    std::uint32_t sequence = 0;
    const core::Access result =
        core::access_mapping(k_, ip, ip.first_mapping, page, write, [&](core::Translation translation) {
          if (!translation.has_frame()) return;
          if (write) {
            sequence = stamp(ip, page, translation.frame(), Hazard::h1);
          } else {
            used = translation.block();
            word = contents(translation.frame());
          }
        });
    if (result == core::Access::missing) return result;
    if (write && result == core::Access::done) env_.oracle().stored(ip.ino, page, sequence);
    if (!write) judge(Hazard::h1, result, ip, page, used, before, word);
    return result;
  }

  template <class UserBuffer>
  void read(Inode& ip, PageOffset page, UserBuffer&& user_buffer) {
    const auto before = env_.oracle().before_read(ip.ino, page);
    Block used;
    std::uint64_t word = 0;
    core::Access result = core::Access::missing;
    P::read(k_, ip, {page, page + 1}, [&] {
      result = core::dax_iomap_read(k_, ip, page, [&](Block block) {
        user_buffer();
        used = block;
        word = contents(block.frame);
      });
    });
    if (result != core::Access::missing) judge(Hazard::h2, result, ip, page, used, before, word);
  }

  template <class UserBuffer>
  void write(Inode& ip, PageOffset page, UserBuffer&& user_buffer) {
    std::uint32_t sequence = 0;
    core::Access result = core::Access::missing;
    P::write(k_, ip, {page, page + 1}, [&] {
      result = core::dax_iomap_write(k_, ip, page, [&](Block block) {
        user_buffer();
        sequence = stamp(ip, page, block.frame, Hazard::h2);
      });
    });
    if (result == core::Access::done) env_.oracle().written(ip.ino, page, sequence);
  }

  Block submit(PageOffset page, bool write) {
    Block in_flight;
    P::aio(k_, file_, {page, page + 1},
           [&] { core::submit_aio(k_, file_, page, write, [&](Block block) { in_flight = block; }); });
    return in_flight;
  }
  void complete(PageOffset page, bool write, Block in_flight, const PageBefore& before) {
    if (!in_flight) return;
    env_.step(Step::io_in_flight);
    if (write) {
      stamp(file_, page, in_flight.frame, Hazard::h3);
    } else {
      const bool fresh = k_.store.frame(in_flight.frame).generation.load() == in_flight.generation;
      judge(Hazard::h3, fresh ? core::Access::done : core::Access::stale, file_, page, in_flight, before,
            contents(in_flight.frame));
    }
    core::end_aio(k_, file_, page, in_flight);
  }
  void aio(PageOffset page, bool write) {
    const auto before = before_access(file_, page, write);
    complete(page, write, submit(page, write), before);
  }

  std::optional<core::Pin> pin(PageOffset page, bool write = true) {
    const auto pinned = core::get_user_page<P>(k_, file_, file_.first_mapping, page, write);
    k_.translations_installed = 0;
    return pinned;
  }
  /// A device writes into the pinned page and the pin is let go.
  void device_writes(PageOffset page, const std::optional<core::Pin>& pinned,
                     core::PinOf holder = core::PinOf::bio) {
    if (!pinned) return;
    env_.oracle().event(Event::gup_submitted, file_.ino, page, pinned->block.frame, 0);
    env_.step(Step::io_in_flight);
    stamp(file_, page, pinned->block.frame, Hazard::h4);
    env_.oracle().event(Event::gup_completed, file_.ino, page, pinned->block.frame, 0);
    core::unpin_user_page(k_, file_, page, pinned->block, holder);
  }
  /// A pin, and what its holder does meanwhile.
  template <class Meanwhile>
  void gup(PageOffset page, Meanwhile&& meanwhile, core::PinOf holder = core::PinOf::bio) {
    const auto pinned = pin(page);
    if (pinned) meanwhile();
    device_writes(page, pinned, holder);
  }
  /// The same with a pipe, whose put always looks for who waits; what is written goes in before it.
  template <class Meanwhile>
  void pipe(PageOffset page, Meanwhile&& meanwhile) {
    gup(page, meanwhile, core::PinOf::pipe);
  }
  /// A device reads out of a pinned page.
  void gup_read(PageOffset page) {
    const auto before = env_.oracle().before_read(file_.ino, page);
    const auto pinned = pin(page, false);
    if (!pinned) return;
    const Block block = pinned->block;
    env_.oracle().event(Event::gup_submitted, file_.ino, page, block.frame, 0);
    env_.step(Step::io_in_flight);
    const bool fresh = k_.store.frame(block.frame).generation.load() == block.generation;
    judge(Hazard::h4, fresh ? core::Access::done : core::Access::stale, file_, page, block, before,
          contents(block.frame));
    env_.oracle().event(Event::gup_completed, file_.ino, page, block.frame, 0);
    core::unpin_user_page(k_, file_, page, block);
  }
  void gup_two() {
    const auto first = pin(page_);
    const auto second = pin(page_ + 1);
    device_writes(page_, first);
    device_writes(page_ + 1, second);
  }
  void lease_then_pin() {
    core::Lease held;
    if (core::get_layout_lease(k_, file_, held) != 0) return;
    env_.step(Step::lease_mapped);
    const auto pinned = pin(page_);
    core::put_layout_lease(k_, file_, held);
    device_writes(page_, pinned);
  }

  void unmap(PageRange range) { core::unmap_one_mapping(k_, file_, file_.first_mapping, range); }
  void munmap() {
    unmap(core::kWholeFile);
    k_.store.mapping_is_gone(file_);
  }
  /// A load that has to fault, because the translation was dropped before.
  void refault(PageOffset page) {
    unmap({page, page + 1});
    touch(file_, page, false);
  }

  void lease(bool prompt, bool silent) {
    core::Lease held;
    for (int attempt = 0; core::get_layout_lease(k_, file_, held) != 0; ++attempt) {
      if (attempt == kAttempts) return;
      env_.step(Step::lease_mapped);
    }
    Block block;
    P::map_blocks(k_, file_, {page_, page_ + 1}, [&] { block = core::lookup_block(k_, file_, page_); });
    env_.step(Step::lease_mapped);
    said().silent = silent;
    for (int i = 0; block && i < kLeasedAccesses; ++i) {
      if (prompt && core::layout_recalled(k_, file_)) break;
      const auto result = core::access_leased(k_, file_, held, page_, block,
                                              [&](Block at) { stamp(file_, page_, at.frame, Hazard::h5); });
      if (result == core::Access::missing) {
        said().fenced = true;
        return;
      }
      env_.step(Step::lease_mapped);
    }
    if (!silent) core::put_layout_lease(k_, file_, held);
  }

  /// What had been stored before it began must have been flushed when it ends.
  void fsync() {
    struct Then {
      Block block;
      std::uint32_t stored = 0;
    };
    std::array<Then, model::kPages> then{};
    for (PageOffset page = 0; page < model::kPages; ++page)
      then[page] = {core::lookup_block(k_, file_, page), scene_.record.page(file_.ino, page).stored};
    core::write_back(k_, file_, core::kWholeFile);
    for (PageOffset page = 0; page < model::kPages; ++page) {
      const auto& history = scene_.record.page(file_.ino, page);
      if (!then[page].block || core::lookup_block(k_, file_, page) != then[page].block) continue;
      if (then[page].stored > history.removed && then[page].stored > history.flushed &&
          !env_.oracle().is_being_removed(file_.ino, page))
        env_.oracle().report(Detector::unflushed, Hazard::h7, file_.ino, page, then[page].block.frame, 0);
    }
  }

  Scene& scene_;
  model::ModelEnv& env_;
  K k_;
  Inode& file_;
  Inode& other_;
  PageOffset page_ = kPage;  ///< where access and change meet
};

/// Protocol P for the director.
template <class P>
Script script_of() {
  return {core::info_of<P>(),
          [](Scene& scene, TaskId task, AccessKind access) {
            Actor<P>(scene).perform(access, task == kHelperTask);
          },
          [](Scene& scene, Operation operation) { Actor<P>(scene).change(operation); },
          [](Scene& scene, const Op& op) { Actor<P>(scene, op.page).perform(op); }};
}

}  // namespace daxrace::litmus
