#pragma once

#include <string>

#include "harness/explore/decide.hpp"

/// Interleavings as text: to be read, and to be run again.
namespace daxrace::explore {

/// A way, and how many steps at its end repeat for ever.
struct Route {
  Path path;
  std::size_t cycle = 0;
};
inline Route route_of(const Story& story) { return {story.path, story.cycle}; }

/// `ext4:pin_punch:ref0:a4c12b`: a letter for each task with the number of its steps, `!c` for a signal to
/// it, `~c` for the end of its grace time; what stands behind an `@` repeats for ever.
std::string replay_string(const Job& job, const Route& route);

/// The part behind the last colon. Throws Error.
Route parse_route(std::string_view text, std::size_t tasks);

struct Told {
  std::vector<std::string> lines;
  Hazards violated;
  std::uint32_t preemptions = 0;
  bool starves = false;  ///< its cycle is a fair one, and somebody never ends
};
/// How many seconds so many executions of the path take, each from the start to its end. Throws Error for a
/// path that cannot be taken.
double time_replays(const Job& job, const Path& path, std::uint64_t executions);

/// Runs the path and tells it line by line; the last lines say what came of it. Throws Error for a path that
/// cannot be taken.
Told tell(const Job& job, const Route& route);

}  // namespace daxrace::explore
