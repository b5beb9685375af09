#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/live/observe/helper.hpp"
#include "harness/live/staging/cells.hpp"
#include "harness/live/staging/means.hpp"
#include "harness/live/staging/patience.hpp"
#include "harness/live/staging/reuse.hpp"
#include "harness/live/staging/scene.hpp"

namespace daxrace::kernel {

class Freeze;

/// What one cell came to.
struct CellResult {
  Operation operation = Operation::punch;
  Access access = Access::mapped;
  Outcome outcome = Outcome::inconclusive;
  std::string what;                 ///< one line
  std::string where;                ///< where in the kernel the change slept
  std::string freed_by;             ///< hang: what had to be removed
  std::vector<std::string> report;  ///< hang: state, system call and stack of every thread
  std::vector<std::string> log;     ///< what the kernel complained of meanwhile
  std::uint64_t began_ns = 0;       ///< of the monotonic clock
  std::uint64_t duration_ns = 0;
};

/// Something that keeps others asleep, and how it is removed.
struct Cause {
  std::string name;
  std::function<void()> remove;
};

/// Looks at threads that do not come back, then removes the causes one after the other, signals last, and
/// says which of them freed all. The report's lines are of the moment before.
/// `settled_ns`: how long threads that sleep are given after each.
CellResult report_hang(std::string what, const std::vector<const Helper*>& threads,
                       const std::vector<Cause>& causes, std::uint64_t settled_ns = 300'000'000);
/// The same of threads that did not settle; SPIN for one that uses a CPU without end.
CellResult does_not_end(const std::string& what, Going going, const Patience& patience,
                        const std::vector<const Helper*>& threads, const std::vector<Cause>& causes);

/// An access that is in flight, as the cell sees it.
struct InFlight {
  std::vector<const Helper*> holders;  ///< threads that end once it is released
  std::function<void()> release;
  std::function<std::string(bool waited)> judge;  ///< what is wrong with what it saw; empty: nothing
  unsigned page = kFirst;                         ///< whose block it uses
  std::vector<Cause> causes{};                    ///< what else may keep the change asleep once it is over
};

/// Lets the access go and judges a change that had not returned while it was in flight, when it was
/// `meanwhile`.
CellResult let_go(const Helper& change, const Watched& meanwhile, const InFlight& access,
                  const std::vector<Cause>& causes, Patience& patience);

/// One layout change against one access, on files of its own.
class Cell {
 public:
  /// Without `victims`, which only one cell at a time may have, a block that was freed while it was in use
  /// decides nothing.
  Cell(const Directory& directory, std::shared_ptr<Victims> victims, Means& means, Operation operation,
       Access access);
  ~Cell();
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  /// Throws Skipped where it cannot be staged here.
  CellResult decide();

 private:
  using File = std::shared_ptr<SceneFile>;

  void prepare_reflink();
  void map(const File& file, unsigned page) const;
  CellResult by_access();
  CellResult mapped();
  CellResult faults();
  CellResult read_stopped(bool direct);
  CellResult write_stopped(bool nested);
  CellResult pinned();
  CellResult pinned_by_device();
  CellResult refault();
  CellResult pin_stream();
  CellResult pin_then_read();
  CellResult crosswise();
  CellResult frozen_while_it_waits();
  struct Behind;
  CellResult end_of_freeze(const Helper& change, const Behind& behind, Freeze& freeze);
  CellResult changed_while_frozen();
  CellResult unmounted_while_it_waits();

  std::unique_ptr<Helper> start_change(const File& file, const File& other,
                                       std::function<void()> then = {}) const;
  CellResult staged(const InFlight& access);
  CellResult outlasted(const Helper& change, const Watched& meanwhile, const InFlight& access);
  struct Reuse;
  Reuse give_away(unsigned page);
  CellResult went_ahead(const Helper& change, const InFlight& access);
  CellResult overlap(const InFlight& access, bool freed, bool reused, const std::string& wrong) const;
  CellResult finished(Outcome good, long changed, std::string what);
  CellResult stopped_too_late(const Helper& change, const std::vector<const Helper*>& others,
                              const std::string& what);
  Patience& patience() const { return means_.patience(); }
  Cause unmapping() const;
  Cause pinning_once_more() const;

  const Directory& directory_;
  std::shared_ptr<Victims> victims_;
  Means& means_;
  Operation operation_;
  Access access_;
  File file_;
  File other_;
};

}  // namespace daxrace::kernel
