// Rwsem with one rule broken each.
#include "harness/core/rwsem.hpp"
#include "harness/explore/lock.hpp"

namespace daxrace::explore {
namespace {

/// The lock under these rules, as a name that LockRoom can take.
template <class Rules>
struct Broken {
  template <class E>
  using Lock = BasicRwsem<E, Rules>;
};

struct WaitersBitLeft : RwsemRules {
  static constexpr bool kLastLeaverClearsWaiters = false;
};
struct HandoffLeft : RwsemRules {
  static constexpr bool kLeaverClearsHandoff = false;
};
struct LeaverWakesNobody : RwsemRules {
  static constexpr bool kLeaverWakesNext = false;
};
struct LeaverKeepsShare : RwsemRules {
  static constexpr bool kLeaverReturnsShare = false;
};
struct ReaderWakesFirst : RwsemRules {
  static constexpr bool kReaderLeavesFirst = false;
};
struct WriterWakesFirst : RwsemRules {
  static constexpr bool kWriterLeavesFirst = false;
};
struct ReaderChecksFirst : RwsemRules {
  static constexpr bool kReaderSleepsFirst = false;
};
struct WriterChecksFirst : RwsemRules {
  static constexpr bool kWriterSleepsFirst = false;
};
struct QueuesBehindNobody : RwsemRules {
  static constexpr bool kQueuedReaderWakesHead = false;
};
struct ShareNotUndone : RwsemRules {
  static constexpr bool kWakerReturnsShare = false;
};
struct HandoffKept : RwsemRules {
  static constexpr bool kHandoffIsCleared = false;
};
struct TakesBesideReaders : RwsemRules {
  static constexpr bool kWriterWaitsForReaders = false;
};

template <class Rules>
litmus::Script broken(std::string_view name, std::string_view summary) {
  return script_of_lock<Broken<Rules>::template Lock>(
      {.name = name, .promises = kLockPromises, .stands_for = "a broken rwsem", .summary = summary});
}

}  // namespace

const std::vector<litmus::Script>& broken_rwsems() {
  static const std::vector<litmus::Script> all = {
      broken<WaitersBitLeft>("rwsem_waiters_bit_left",
                             "The last waiter gives up and leaves the waiters' bit set"),
      broken<HandoffLeft>("rwsem_handoff_left", "A waiter gives up and leaves the hand-off bit set"),
      broken<LeaverWakesNobody>("rwsem_leaver_wakes_nobody",
                                "A writer gives up and does not let in who queues behind it"),
      broken<LeaverKeepsShare>("rwsem_leaver_keeps_share",
                               "A reader gives up just as it is let in, and keeps the lock"),
      broken<ReaderWakesFirst>("rwsem_reader_wakes_first",
                               "up_read wakes before it takes itself out of the count"),
      broken<WriterWakesFirst>("rwsem_writer_wakes_first",
                               "up_write wakes before it takes itself out of the count"),
      broken<ReaderChecksFirst>("rwsem_reader_checks_first",
                                "A reader looks whether it was let in before it says that it sleeps"),
      broken<WriterChecksFirst>("rwsem_writer_checks_first",
                                "A writer tries the lock before it says that it sleeps"),
      broken<QueuesBehindNobody>("rwsem_queues_behind_nobody",
                                 "A reader that queues on a lock that has become free lets nobody in"),
      broken<ShareNotUndone>("rwsem_share_not_undone",
                             "A waker that finds a writer inside does not take the readers' share back"),
      broken<HandoffKept>("rwsem_handoff_kept", "Whom the lock is handed to leaves the hand-off bit set"),
      broken<TakesBesideReaders>("rwsem_takes_beside_readers",
                                 "A queued writer takes the lock although readers hold it"),
  };
  return all;
}

}  // namespace daxrace::explore
