#include "harness/results/exclusion.hpp"

#include "harness/base/disturbance.hpp"
#include "harness/base/thresholds.hpp"
#include "harness/base/types.hpp"

namespace daxrace {
namespace {

bool is_emulated_cpu(const Row& episode) { return episode.emulated.starts_with("tcg"); }

/// `of_latency`: closed and saturated loads count against it.
std::string exclusion(const Row& episode, bool of_latency) {
  if (episode.status != name_in(kStatusNames, Status::ok)) return "status " + episode.status;
  if (episode.perturb.value_or(false)) return "perturbed";
  if (of_latency && episode.load == name_in(kLoadNames, Load::closed)) return "closed load";
  if (episode.overcommitted.value_or(false)) return "overcommitted";
  if (of_latency && is_saturated(episode.served_share)) return "saturated";
  if (episode.discard == "punch" && episode.backing == name_in(kBackingNames, Backing::fsdax))
    return "the kernel's own protocol beneath (discard=punch on fsdax)";
  if (const std::string_view what = disturbance_in(episode.remark); !what.empty()) return std::string(what);
  if (is_emulated_cpu(episode)) return "emulated CPU (tcg)";
  return {};
}

}  // namespace

bool EpisodeEnd::skipped() const { return status == name_in(kStatusNames, Status::skipped); }

bool EpisodeEnd::broken() const { return verdict == name_in(kVerdictNames, Verdict::broken); }

bool EpisodeEnd::hung() const {
  return status == name_in(kStatusNames, Status::hang) && verdict != name_in(kVerdictNames, Verdict::finding);
}

bool EpisodeEnd::failed() const { return status == name_in(kStatusNames, Status::error); }

EpisodeEnd end_of(const Row& episode) { return {episode.verdict, episode.status}; }

std::string cost_exclusion(const Row& episode) { return exclusion(episode, true); }

std::string throughput_exclusion(const Row& episode) { return exclusion(episode, false); }

bool times_mean_something(const Row& episode) {
  return !episode.perturb.value_or(false) && !is_emulated_cpu(episode);
}

}  // namespace daxrace
