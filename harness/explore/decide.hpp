#pragma once

#include <functional>
#include <vector>

#include "harness/explore/explorer.hpp"

namespace daxrace::explore {

/// How a scenario came out, in one of a few words, worst first.
enum class Finale : std::uint8_t { violation, deadlock, lost_wakeup, starvation, sampled, safe };
inline constexpr std::array<std::string_view, 6> kFinaleNames = {"violation",  "deadlock", "lost wake-up",
                                                                 "starvation", "sampled",  "safe"};

struct Job {
  const litmus::Script* script;
  RefcountRegime regime;
  const Scenario* scenario;
};

/// One scenario under one protocol and refcount rule.
struct Decision {
  const litmus::Script* script = nullptr;
  RefcountRegime regime = RefcountRegime::ref1;
  const Scenario* scenario = nullptr;
  Result result;
  Verdict verdict = Verdict::none;
  std::optional<Story> story;  ///< where something is wrong: the shortest way there

  const ProtocolInfo& protocol() const { return script->info; }
  /// The declared finding that covers a violated promise, or null.
  const Finding* finding(Hazard hazard) const;
  Verdict verdict_of(Hazard hazard) const;
  /// The hazard whose story is told: of the worst verdict the first.
  std::optional<Hazard> telling_hazard() const;
  Finale finale() const;
  /// Whether some interleaving ends with nobody able to run.
  bool can_get_stuck() const;
};

/// Explores each, on as many threads as asked for; the result is in the order of the jobs whatever their
/// number. Each thread has machines of its own. `done` is called after each, by one thread at a time.
std::vector<Decision> decide(const std::vector<Job>& jobs, const Limits& limits, unsigned threads,
                             const std::function<void(std::size_t)>& done = {});
Decision decide_one(const Job& job, const Limits& limits);

}  // namespace daxrace::explore
