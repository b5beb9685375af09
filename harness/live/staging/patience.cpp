#include "harness/live/staging/patience.hpp"

#include <algorithm>
#include <ctime>
#include <map>

#include <fmt/format.h>

#include "harness/platform/clock.hpp"

namespace daxrace::kernel {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
/// How long a sleep in a known wait is looked at: whoever was woken would be runnable.
constexpr std::uint64_t kSettled = 300 * kMs;

/// Empty: it does not show for whom, and nothing can be learned of it.
std::string wait_of(const ThreadState& state) { return waits_for_others(state) ? state.wait() : ""; }

/// One look at all that have not ended; false: there is none.
bool look(const std::vector<const Helper*>& threads, std::map<const Helper*, Samples>& seen) {
  bool any = false;
  for (const Helper* thread : threads) {
    if (thread->ended()) {
      seen.erase(thread);
      continue;
    }
    Samples& one = seen[thread];
    one.add(thread->state(one.last()), Clock::monotonic_ns());
    any = true;
  }
  return any;
}

}  // namespace

Going Patience::settle(const std::vector<const Helper*>& threads) {
  const std::uint64_t start = Clock::monotonic_ns();
  std::map<const Helper*, Samples> seen;
  const auto all = [&](auto&& holds) {
    return std::ranges::all_of(seen, [&](const auto& one) { return holds(one.second); });
  };
  const auto ended = [&] {
    return std::ranges::all_of(threads, [](const Helper* thread) { return thread->ended(); });
  };
  while (look(threads, seen)) {
    const std::set<std::string> waits = known();
    const auto known_sleep = [&](const Samples& one) {
      return one.still_ns() >= std::min(kSettled, bound_ns_) && waits.contains(wait_of(one.last()));
    };
    if (all(known_sleep)) return ended() ? Going::ended : Going::asleep;
    if (Clock::monotonic_ns() - start >= bound_ns_) break;
    const timespec step{0, 5 * kMs};
    nanosleep(&step, nullptr);
  }
  if (ended()) return Going::ended;
  // Who was woken by what was let go, and looked, and went back to sleep, has run at the beginning.
  const auto for_ever = [&](const Samples& one) { return one.still_ns() >= bound_ns_ - bound_ns_ / 10; };
  for (const auto& [thread, one] : seen)
    if (const std::string wait = wait_of(one.last()); for_ever(one) && !wait.empty()) learn(wait);
  if (all(for_ever)) return Going::asleep;
  return all([](const Samples& one) { return one.burns(); }) ? Going::running : Going::restless;
}

std::string Patience::after(const std::string& what, Going going) const {
  const auto bound = fmt::format("{:g} s", static_cast<double>(bound_ns_) / 1e9);
  switch (going) {
    case Going::running:
      return fmt::format("{}; it used a CPU without end, for {}", what, bound);
    case Going::restless:
      return fmt::format("{}; not all slept, and after {} it had not ended", what, bound);
    case Going::asleep:
      return fmt::format("{}; nobody who sleeps there woke within {}", what, bound);
    case Going::ended:
      break;
  }
  return what;
}

std::set<std::string> Patience::known() const {
  const std::scoped_lock lock(mutex_);
  return known_;
}

void Patience::learn(const std::string& wait) {
  const std::scoped_lock lock(mutex_);
  known_.insert(wait);
}

}  // namespace daxrace::kernel
