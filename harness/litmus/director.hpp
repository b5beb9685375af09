#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "harness/base/verdict.hpp"
#include "harness/litmus/scene.hpp"

namespace daxrace::litmus {

/// Who runs how far: the access up to a stop point, then the change, then the access again; after that each
/// to the end, the access first. A change whose stop is kToTheEnd runs until it sleeps or ends.
struct Schedule {
  static constexpr std::uint32_t kToTheEnd = ~std::uint32_t{0};

  std::uint32_t access_stops = 0;
  std::uint32_t change_stops = kToTheEnd;
  std::uint32_t access_more = kToTheEnd;
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

enum class End : std::uint8_t {
  finished,
  deadlock,     ///< nobody can run, and at least two are not done
  forever,      ///< one task waits for what nobody will make true
  lost_wakeup,  ///< a task sleeps although what it waits for is true
  livelock      ///< too many steps
};
inline constexpr std::array<std::string_view, 5> kEndNames = {"finished", "deadlock", "waits for ever",
                                                              "lost wake-up", "livelock"};

/// Why nobody can run, which must be so: a sleeper that gets on after a wake-up without reason slept although
/// its condition was true. Leaves the machine somewhere else.
End why_stuck(model::Machine& machine);

/// The same, and on what.
struct Stuck {
  End end = End::finished;
  Signs signs;
};
Stuck how_stuck(Scene& scene);

/// What one run of one schedule came to.
struct Outcome {
  bool possible = false;        ///< the access has that many stops, and the file could be evicted there
  bool change_stops = false;    ///< the change has that many stops
  bool access_more = false;     ///< the access has that many more stops
  bool waited = false;          ///< the change slept while the access was in flight
  std::uint32_t waited_on = 0;  ///< one bit for each WaitFor
  std::uint32_t slept_on = 0;   ///< the same of every later sleep of the change, too
  bool overlapped = false;      ///< blocks were freed or moved while the access was in flight
  bool changed = false;         ///< blocks were freed or moved at all
  bool fenced = false;
  bool signalled = false;  ///< the change got a signal while it slept
  int error = 0;           ///< of the change
  End end = End::finished;
  Hazards violated;
  SignSets signs{};             ///< of each violated hazard
  std::uint32_t detectors = 0;  ///< one bit for each Detector
};

Outcome run(Scene& scene, const Schedule& schedule);

/// What all schedules of one cell came to.
struct CellResult {
  Hazards violated;
  SignSets signs{};  ///< of each violated hazard
  std::uint32_t detectors = 0;
  std::uint32_t waited_on = 0;
  std::uint32_t ends = 0;  ///< one bit for each End
  bool overlapped = false;
  bool changed = false;
  bool fenced = false;
  int error = 0;
  std::uint32_t schedules = 0;
  std::uint32_t stops = 0;  ///< stop points at which the access was staged
  /// As few as show the change asleep on each of `waited_on` while the access was in flight, in the first of
  /// them on most, and with the signal if one is sent; the last staged one if it never waited.
  std::vector<Schedule> waiting;
  std::array<Schedule, kHazardNames.size()> breaking;  ///< for each violated hazard the shortest
};

/// Stages the access at every one of its stop points and the change at every one of its own.
CellResult sweep(Scene& scene);

}  // namespace daxrace::litmus
