#pragma once

#include <new>

#include "harness/explore/scenario.hpp"
#include "harness/model/stepped_env.hpp"

/// A sleeping lock as a scenario of its own: its atomics, its queue, its hand-off.
namespace daxrace::explore {

/// The lock, and who is inside.
template <template <class> class LockT>
struct LockRoom {
  using Env = model::SteppedEnv;

  static LockRoom& of(litmus::Scene& scene) {
    return *std::launder(reinterpret_cast<LockRoom*>(scene.room.bytes.data()));
  }
  static void furnish(litmus::Scene& scene) {
    static_assert(sizeof(LockRoom) <= sizeof(scene.room.bytes));
    auto* room = new (scene.room.bytes.data()) LockRoom;
    for (TaskId task = 0; task < room->tasks.size(); ++task) room->tasks[task].id = task;
  }
  static void perform(litmus::Scene& scene, const Op& op) {
    LockRoom& room = of(scene);
    Env env(room.tasks[scene.machine.current()]);
    if (!env.given_up()) room.pass(scene, env, op.kind == Op::Kind::lock_exclusive);
  }
  /// Once all have gone.
  static void check(litmus::Scene& scene) {
    if (!of(scene).lock.idle())
      scene.env.oracle().report(Detector::leak, Hazard::h6, 0, 0, core::kNoFrame, 0);
  }

  LockT<Env> lock;
  std::array<Env::TaskType, model::kTasks> tasks;
  std::uint32_t readers = 0;
  std::uint32_t writers = 0;

 private:
  void pass(litmus::Scene& scene, Env& env, bool exclusive) {
    if (exclusive) {
      if (!lock.try_down_write(env)) lock.down_write_slow(env);
    } else {
      if (!lock.try_down_read()) lock.down_read_slow(env);
    }
    if (env.given_up()) return;
    if (writers != 0 || (exclusive && readers != 0))
      scene.env.oracle().report(Detector::corruption, Hazard::h2, 0, 0, core::kNoFrame, 0);
    ++(exclusive ? writers : readers);
    scene.machine.stop();
    --(exclusive ? writers : readers);
    model::touched = true;
    exclusive ? lock.up_write() : lock.up_read();
  }
};

template <template <class> class LockT>
litmus::Script script_of_lock(const ProtocolInfo& info) {
  using Room = LockRoom<LockT>;
  return {info, nullptr, nullptr, &Room::perform, &Room::furnish, &Room::check};
}

/// What every lock promises: H2 stands for whoever the lock keeps apart, H6 for coming to an end and leaving
/// the lock as it was.
inline constexpr Hazards kLockPromises{Hazard::h2, Hazard::h6};

/// Rwsem, which stands behind every lock of a measured run.
const litmus::Script& rwsem_script();
const std::vector<Scenario>& lock_scenarios();

}  // namespace daxrace::explore
