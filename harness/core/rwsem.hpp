#pragma once

#include <cstdint>
#include <exception>

namespace daxrace {

/// What a lock must do that a broken one forgets. Each is looked at where it is kept; with all of them kept
/// nothing of them is left in the code.
struct RwsemRules {
  /// Who gives up: the last one takes the waiters' bit with him, ...
  static constexpr bool kLastLeaverClearsWaiters = true;
  /// ... his own hand-off bit, ...
  static constexpr bool kLeaverClearsHandoff = true;
  /// ... lets in who could not pass him, ...
  static constexpr bool kLeaverWakesNext = true;
  /// ... and lets go of the share that he was given just then.
  static constexpr bool kLeaverReturnsShare = true;
  /// Who releases is out of the count before he looks whom to wake.
  static constexpr bool kReaderLeavesFirst = true;
  static constexpr bool kWriterLeavesFirst = true;
  /// Who waits says that he sleeps before he looks whether he need not.
  static constexpr bool kReaderSleepsFirst = true;
  static constexpr bool kWriterSleepsFirst = true;
  /// A reader that queues on a lock that has become free sees to it that somebody is let in.
  static constexpr bool kQueuedReaderWakesHead = true;
  /// A waker that meets a writer takes the readers' share out of the count again.
  static constexpr bool kWakerReturnsShare = true;
  /// Whom the lock was handed to clears the hand-off bit.
  static constexpr bool kHandoffIsCleared = true;
  /// A queued writer waits for readers, too.
  static constexpr bool kWriterWaitsForReaders = true;
};

/// A sleeping reader-writer lock with the rules of the kernel's rwsem (kernel/locking/rwsem.c, 6.1):
///  - waiters queue first in, first out; when a reader is at the head, every queued reader is let in with it;
///  - while readers hold the lock and somebody queues, new readers queue too: they cannot starve a writer;
///  - a lock that is free may be stolen from the queue, but after kMaxSteals vain attempts the head of the
///  queue sets
///    the hand-off bit and the next release is his: neither side starves;
///  - a writer spins for a while on an owner that is awake before it queues.
///
/// Count: bit 0 writer, bit 1 somebody queues, bit 2 hand-off, readers from bit 8 up. A reader adds itself
/// first and asks afterwards; whoever takes itself out again and leaves the lock free must wake the head of
/// the queue.
///
/// `Rules` are RwsemRules, or a specimen's that breaks one of them.
template <class E, class Rules>
class BasicRwsem {
  template <class T>
  using Atomic = typename E::template Atomic<T>;
  using Task = typename E::TaskType;

 public:
  static constexpr unsigned kMaxSteals = [] {
    if constexpr (requires { E::kMaxSteals; }) return E::kMaxSteals;
    return 4U;
  }();

  bool try_down_read() noexcept { return (count_.fetch_add(kReader) & (kWriter | kWaiters | kHandoff)) == 0; }
  bool try_down_write(E& env) noexcept {
    std::uint64_t idle = 0;
    if (!count_.compare_exchange_strong(idle, kWriter)) return false;
    owner_.store(&env.task());
    return true;
  }

  /// After try_down_read() failed: this reader counts itself already.
  void down_read_slow(E& env);
  void down_write_slow(E& env);
  void up_read() noexcept {
    const std::uint64_t now =
        Rules::kReaderLeavesFirst ? count_.fetch_sub(kReader) - kReader : count_.load() - kReader;
    if ((now & (kLocked | kWaiters)) == kWaiters) wake_head();
    if (!Rules::kReaderLeavesFirst) count_.fetch_sub(kReader);
  }
  void up_write() noexcept {
    owner_.store(nullptr);
    const std::uint64_t now =
        Rules::kWriterLeavesFirst ? count_.fetch_sub(kWriter) - kWriter : count_.load() - kWriter;
    if ((now & kWaiters) != 0) wake_head();
    if (!Rules::kWriterLeavesFirst) count_.fetch_sub(kWriter);
  }

  /// The writer that holds the lock, or null.
  const Task* writer() const noexcept { return owner_.load(); }
  std::uint64_t readers() const noexcept { return count_.load() >> kReaderShift; }
  /// Nobody holds it or waits for it, and nothing is left of those who did.
  bool idle() const noexcept { return count_.load() == 0 && head_ == nullptr && owner_.load() == nullptr; }

 private:
  static constexpr std::uint64_t kWriter = 1;
  static constexpr std::uint64_t kWaiters = 2;
  static constexpr std::uint64_t kHandoff = 4;
  static constexpr unsigned kReaderShift = 8;
  static constexpr std::uint64_t kReader = std::uint64_t{1} << kReaderShift;
  static constexpr std::uint64_t kLocked = ~(kReader - 1) | kWriter;

  struct Waiter {
    Task* task;
    bool writes;
    unsigned failures = 0;
    bool handoff = false;
    Waiter* next = nullptr;
    Atomic<bool> granted{false};
  };
  /// schedule() throws when an episode is given up. An Env whose tasks cannot be unwound says so instead, and
  /// the wait returns without the lock.
  static constexpr bool kReturnsGivenUp = requires(E & env) { env.given_up(); };
  /// Whoever gives up may not stay behind in the queue of a stack that is gone, and nothing that he has set
  /// or been given may stay behind in the count.
  struct Leave {
    BasicRwsem& lock;
    E& env;
    Waiter& waiter;
    ~Leave() {
      if constexpr (kReturnsGivenUp) {
        if (env.given_up()) lock.abandon(env, waiter);
      } else {
        if (std::uncaught_exceptions() != 0) lock.abandon(env, waiter);
      }
    }
  };
  /// Who is to be woken once wait_lock_ is dropped: a chain of granted readers, or one writer that tries
  /// again.
  struct Wake {
    Waiter* readers = nullptr;
    Task* writer = nullptr;
  };

  void enqueue(Waiter& waiter) noexcept;
  void dequeue(Waiter& waiter) noexcept;
  bool is_queued(const Waiter& waiter) const noexcept;
  void abandon(E& env, Waiter& waiter) noexcept;
  Wake grant_head() noexcept;
  bool take_readers_share() noexcept;
  Wake grant_readers() noexcept;
  bool try_write_queued(E& env, Waiter& waiter) noexcept;
  bool spin_for_write(E& env) noexcept;
  void wake_head() noexcept;
  static void wake(Wake chosen) noexcept;

  Atomic<std::uint64_t> count_{0};
  Atomic<Task*> owner_{nullptr};
  typename E::SpinlockType wait_lock_;
  Waiter* head_ = nullptr;
  Waiter* tail_ = nullptr;
};

/// The lock of measured runs.
template <class E>
using Rwsem = BasicRwsem<E, RwsemRules>;

template <class E, class Rules>
void BasicRwsem<E, Rules>::enqueue(Waiter& waiter) noexcept {
  (tail_ == nullptr ? head_ : tail_->next) = &waiter;
  tail_ = &waiter;
}

template <class E, class Rules>
void BasicRwsem<E, Rules>::dequeue(Waiter& waiter) noexcept {
  Waiter* previous = nullptr;
  for (Waiter* at = head_; at != &waiter; at = at->next) previous = at;
  (previous == nullptr ? head_ : previous->next) = waiter.next;
  if (tail_ == &waiter) tail_ = previous;
}

template <class E, class Rules>
bool BasicRwsem<E, Rules>::is_queued(const Waiter& waiter) const noexcept {
  for (const Waiter* at = head_; at != nullptr; at = at->next) {
    if (at == &waiter) return true;
  }
  return false;
}

/// rwsem_del_wake_waiter: the last to leave takes the waiters' bit with him, and a new head may have what the
/// old one could not. A reader who was let in meanwhile lets go again, but not before the waker has let go of
/// him.
template <class E, class Rules>
void BasicRwsem<E, Rules>::abandon(E& env, Waiter& waiter) noexcept {
  wait_lock_.lock();
  if (!is_queued(waiter)) {
    wait_lock_.unlock();
    while (!waiter.granted.load()) env.relax();
    if (Rules::kLeaverReturnsShare) up_read();
    return;
  }
  dequeue(waiter);
  std::uint64_t change = 0;
  if (waiter.handoff && Rules::kLeaverClearsHandoff) change -= kHandoff;
  if (head_ == nullptr && Rules::kLastLeaverClearsWaiters) change -= kWaiters;
  const bool writer_holds = ((count_.fetch_add(change) + change) & kWriter) != 0;
  const Wake chosen = writer_holds || !Rules::kLeaverWakesNext ? Wake{} : grant_head();
  wait_lock_.unlock();
  wake(chosen);
}

template <class E, class Rules>
void BasicRwsem<E, Rules>::wake(Wake chosen) noexcept {
  if (chosen.writer != nullptr) chosen.writer->wake();
  for (Waiter* waiter = chosen.readers; waiter != nullptr;) {
    Waiter* next = waiter->next;
    Task* task = waiter->task;
    waiter->granted.store(true);  // from here on the waiter may be gone
    task->wake();
    waiter = next;
  }
}

/// rwsem_mark_wake, first half: the readers' share of the count is taken before they are let in, to see that
/// no writer stole the lock meanwhile.
template <class E, class Rules>
bool BasicRwsem<E, Rules>::take_readers_share() noexcept {
  for (;;) {
    const std::uint64_t before = count_.fetch_add(kReader);
    if ((before & kWriter) == 0) return true;
    std::uint64_t undo = std::uint64_t{0} - kReader;
    if (++head_->failures >= kMaxSteals && !head_->handoff && (before & kHandoff) == 0) {
      head_->handoff = true;
      undo += kHandoff;
    }
    const std::uint64_t now = Rules::kWakerReturnsShare ? count_.fetch_add(undo) + undo : count_.load();
    if ((now & kWriter) != 0) return false;
  }
}

/// rwsem_mark_wake, second half: every queued reader goes in.
template <class E, class Rules>
typename BasicRwsem<E, Rules>::Wake BasicRwsem<E, Rules>::grant_readers() noexcept {
  Wake chosen;
  Waiter* last_granted = nullptr;
  Waiter* last_kept = nullptr;
  std::uint64_t granted = 0;
  bool handoff = false;
  Waiter* kept = nullptr;
  for (Waiter* waiter = head_; waiter != nullptr;) {
    Waiter* next = waiter->next;
    waiter->next = nullptr;
    if (waiter->writes) {
      (last_kept == nullptr ? kept : last_kept->next) = waiter;
      last_kept = waiter;
    } else {
      (last_granted == nullptr ? chosen.readers : last_granted->next) = waiter;
      last_granted = waiter;
      handoff = handoff || waiter->handoff;
      ++granted;
    }
    waiter = next;
  }
  head_ = kept;
  tail_ = last_kept;
  std::uint64_t change = (granted - 1) * kReader;
  if (head_ == nullptr) change -= kWaiters;
  if (handoff) change -= kHandoff;
  count_.fetch_add(change);
  return chosen;
}

template <class E, class Rules>
typename BasicRwsem<E, Rules>::Wake BasicRwsem<E, Rules>::grant_head() noexcept {
  if (head_ == nullptr) return {};
  if (head_->writes) return {nullptr, head_->task};
  if (!take_readers_share()) return {};
  return grant_readers();
}

template <class E, class Rules>
void BasicRwsem<E, Rules>::wake_head() noexcept {
  wait_lock_.lock();
  const Wake chosen = grant_head();
  wait_lock_.unlock();
  wake(chosen);
}

template <class E, class Rules>
void BasicRwsem<E, Rules>::down_read_slow(E& env) {
  // A free lock may be stolen from the queue; behind other readers this one queues, so that writers get their
  // turn.
  const std::uint64_t now = count_.load();
  if ((now & (kWriter | kHandoff)) == 0 && now >> kReaderShift == 1) return;
  Waiter waiter{&env.task(), false};
  wait_lock_.lock();
  if (head_ == nullptr && (count_.load() & kWriter) == 0) {
    wait_lock_.unlock();
    return;
  }
  std::uint64_t change = std::uint64_t{0} - kReader;
  if (head_ == nullptr) change += kWaiters;
  enqueue(waiter);
  const bool free = ((count_.fetch_add(change) + change) & kLocked) == 0;
  const Wake chosen = free && Rules::kQueuedReaderWakesHead ? grant_head() : Wake{};
  wait_lock_.unlock();
  wake(chosen);
  const Leave leave{*this, env, waiter};
  for (;;) {
    if (Rules::kReaderSleepsFirst) env.task().set_sleeping();
    if (waiter.granted.load()) break;
    if (!Rules::kReaderSleepsFirst) env.task().set_sleeping();
    env.task().schedule();
    if constexpr (kReturnsGivenUp) {
      if (env.given_up()) return;
    }
  }
  env.task().set_running();
}

/// rwsem_try_write_lock, under wait_lock_.
template <class E, class Rules>
bool BasicRwsem<E, Rules>::try_write_queued(E& env, Waiter& waiter) noexcept {
  constexpr std::uint64_t kInTheWay = Rules::kWriterWaitsForReaders ? kLocked : kWriter;
  std::uint64_t seen = count_.load();
  for (;;) {
    if ((seen & kHandoff) != 0 && !waiter.handoff) return false;
    std::uint64_t wanted = seen;
    if ((seen & kInTheWay) != 0) {
      if (waiter.handoff || head_ != &waiter || waiter.failures < kMaxSteals) break;
      wanted |= kHandoff;
    } else {
      wanted |= kWriter;
      if (Rules::kHandoffIsCleared) wanted &= ~kHandoff;
      if (head_ == &waiter && waiter.next == nullptr) wanted &= ~kWaiters;
    }
    if (!count_.compare_exchange_weak(seen, wanted)) continue;
    if ((wanted & kWriter) != 0 && (seen & kInTheWay) == 0) {
      dequeue(waiter);
      owner_.store(&env.task());
      return true;
    }
    waiter.handoff = true;
    break;
  }
  ++waiter.failures;
  return false;
}

template <class E, class Rules>
void BasicRwsem<E, Rules>::down_write_slow(E& env) {
  if (spin_for_write(env)) return;
  Waiter waiter{&env.task(), true};
  wait_lock_.lock();
  if (head_ == nullptr) count_.fetch_add(kWaiters);
  enqueue(waiter);
  bool taken = try_write_queued(env, waiter);
  wait_lock_.unlock();
  const Leave leave{*this, env, waiter};
  while (!taken) {
    if (Rules::kWriterSleepsFirst) env.task().set_sleeping();
    wait_lock_.lock();
    taken = try_write_queued(env, waiter);
    wait_lock_.unlock();
    if (!Rules::kWriterSleepsFirst) env.task().set_sleeping();
    if (!taken) env.task().schedule();
    if constexpr (kReturnsGivenUp) {
      if (env.given_up()) return;
    }
  }
  env.task().set_running();
}

/// rwsem_optimistic_spin: as long as the owner is awake; a short while only if readers own the lock, because
/// nobody knows whether they are.
template <class E, class Rules>
bool BasicRwsem<E, Rules>::spin_for_write(E& env) noexcept {
  for (unsigned turn = 0; turn < E::kSpinTurns; ++turn) {
    std::uint64_t seen = count_.load();
    if ((seen & kHandoff) != 0) return false;
    if ((seen & kLocked) == 0) {
      if (!count_.compare_exchange_weak(seen, seen | kWriter)) continue;
      owner_.store(&env.task());
      return true;
    }
    const Task* owner = owner_.load();
    if (owner != nullptr ? owner->sleeping() : turn > E::kSpinTurns / 8) return false;
    env.relax();
  }
  return false;
}

}  // namespace daxrace
