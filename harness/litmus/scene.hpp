#pragma once

#include <array>

#include "harness/base/protocol_info.hpp"
#include "harness/core/lease.hpp"
#include "harness/litmus/cells.hpp"
#include "harness/model/machine.hpp"
#include "harness/model/model_store.hpp"

namespace daxrace::litmus {

using model::TaskId;
using ModelKernel = core::Kernel<model::ModelEnv, model::ModelStore>;
using ModelInode = core::Inode<model::ModelEnv>;

inline constexpr TaskId kAccessTask = 0;
inline constexpr TaskId kChangeTask = 1;
inline constexpr TaskId kHelperTask = 2;  ///< the other half of an access that takes two

inline constexpr std::uint32_t kFileIno = 1;    ///< the file whose layout changes
inline constexpr std::uint32_t kOtherIno = 2;   ///< some other mapped file
inline constexpr std::uint32_t kVictimIno = 3;  ///< gets every block that is freed
inline constexpr PageOffset kFilePages = 4;
inline constexpr PageOffset kPage = 1;  ///< the page that access and change meet at

struct Scene;

/// How the file stands before anybody runs.
struct Staging {
  std::uint32_t pages_per_entry = 1;
  bool hole = false;                         ///< at kPage
  std::array<bool, kFilePages> mapped = {};  ///< pages that have a translation
};
Staging staging_of(Operation operation, AccessKind access);

/// A protocol as the director sees it.
struct Script {
  ProtocolInfo info;
  void (*access)(Scene& scene, TaskId task, AccessKind access);
  void (*change)(Scene& scene, Operation operation);
  void (*perform)(Scene& scene, const Op& op);
  void (*furnish)(Scene& scene) = nullptr;  ///< puts into the scene's room what the script keeps there
  void (*check)(Scene& scene) = nullptr;    ///< of that, once all have ended
};

/// Everything that one run of one cell touches.
struct Scene {
  Scene(const Script& of, Operation with, AccessKind in_flight, RefcountRegime regime,
        const KernelRules& rules = {});
  Scene(const Script& of, const Staging& staged, RefcountRegime regime, const KernelRules& rules = {});

  ModelKernel kernel() { return {env, store, rule, 0}; }
  ModelInode& file() { return store.inode(kFileIno); }
  ModelInode& other() { return store.inode(kOtherIno); }
  ModelInode& victim() { return store.inode(kVictimIno); }

  /// As it was before anybody ran.
  void rewind();
  /// Gives every block that was freed to another file.
  void reuse_freed_blocks();
  /// Once all have ended: nothing may be left behind, a change that a signal ended has left the file as it
  /// was at first, and the victim's data must be its own.
  void check_what_is_left();

  const Script& script;
  Operation operation = Operation::punch;
  AccessKind access = AccessKind::fault;
  Staging staging;
  core::RefcountRule rule;
  model::Machine machine;
  model::Record record;
  model::ModelStore store;
  model::ModelEnv env;

  /// What the tasks say of themselves.
  struct Said {
    bool closed = false;  ///< the file is unmapped and closed: it can be evicted
    bool fenced = false;  ///< a lessee was turned away
    bool silent = false;  ///< a lessee keeps its lease
    int change_error = 0;
    std::uint32_t ended = 0;  ///< tasks that have come to their end, where others have none
  };
  Said said;

  /// For what a script keeps beside the files.
  struct alignas(64) Room {
    std::array<std::byte, 512> bytes{};
  };
  Room room;

  /// Calls fn(bytes) for each part of what tasks share that is touched by itself.
  template <class Fn>
  void for_each_part(Fn&& fn) {
    for (TaskId task = 0; task < model::kTasks; ++task) machine.for_each_part(task, fn);
    record.for_each_part(fn);
    store.for_each_part(fn);
    fn(model::bytes_of(machine.shots()));
    fn(model::bytes_of(said));
    if (script.furnish != nullptr) fn(model::bytes_of(room));
  }

 private:
  void prepare();
  /// i_size and extents are those of the beginning. Only where nobody but the change has changed them.
  bool layout_is_as_prepared();
  bool is_anything_locked(ModelInode& ip);
  void fill(ModelInode& ip, PageOffset page);
  void map(ModelInode& ip, PageOffset page);

  model::Record first_record_;
  model::ModelStore first_store_;
  std::uint32_t first_free_frames_ = 0;
};

}  // namespace daxrace::litmus
