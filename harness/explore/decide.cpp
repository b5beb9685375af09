#include "harness/explore/decide.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "harness/base/parallel.hpp"
#include "harness/explore/liveness.hpp"

namespace daxrace::explore {
namespace {

template <std::size_t N, class Info>
bool any_named(std::string_view declared, const Scenario& scenario, const std::array<Info, N>& infos,
               auto of) {
  if (declared.empty()) return true;
  const auto found = std::ranges::find(infos, declared, &Info::name);
  return found != infos.end() && scenario.has(of(found - infos.begin()));
}

/// Whether a finding may be met in the scenario at all.
auto findings_of(const Decision& decision) {
  return [&decision](const Finding& finding) {
    const Scenario& scenario = *decision.scenario;
    const bool regime =
        finding.refcount.empty() || finding.refcount == name_in(kRefcountRegimeNames, decision.regime);
    return regime &&
           any_named(finding.operation, scenario, litmus::kOperations,
                     [](auto i) { return static_cast<Operation>(i); }) &&
           any_named(finding.access, scenario, litmus::kAccesses,
                     [](auto i) { return static_cast<AccessKind>(i); });
  };
}

/// The hazards that the scenario is there to show.
bool promises_any_shown(const Decision& decision) {
  if (decision.scenario->is_of_a_lock()) return true;
  if (decision.scenario->is_endless()) return decision.protocol().promises.has(Hazard::h6);
  for (const TaskSpec& task : decision.scenario->tasks)
    for (const Op& op : task.ops)
      if (op.kind == Op::Kind::access && decision.protocol().promises.has(litmus::info_of(op.access).hazard))
        return true;
  return false;
}

Verdict verdict_of_all(const Decision& decision) {
  const Verdict kept = decision.result.complete ? Verdict::kept : Verdict::none;
  return judge(decision.protocol(), Seen(decision.result.signs),
               promises_any_shown(decision) ? kept : Verdict::unseen, findings_of(decision));
}

std::uint32_t preemptions_in(World& world, const Path& path) {
  std::uint32_t preemptions = 0;
  TaskId last = model::kNobody;
  const World::Mark start = world.mark();
  for (const Choice choice : path) {
    preemptions += is_preemption(last, choice, world.choices()) ? 1 : 0;
    if (choice.what == Choice::What::runs) last = choice.task;
    world.take(choice);
  }
  world.back_to(start);
  return preemptions;
}

Story story_of_starvation(World& world, const Lasso& lasso) {
  Story story{lasso.stem, 0, false, lasso.cycle.size()};
  story.path.insert(story.path.end(), lasso.cycle.begin(), lasso.cycle.end());
  story.preemptions = preemptions_in(world, story.path);
  return story;
}

/// The shortest, or where that is too far the one that was met first.
Story story_of(World& world, const Decision& decision, Hazard hazard, const Limits& limits) {
  const Result& result = decision.result;
  if (hazard == Hazard::h6 && result.starvation && !decision.can_get_stuck())
    return story_of_starvation(world, *result.starvation);
  if (auto story = shortest_story(world, hazard, limits.preemptions, limits.story_states))
    return *std::move(story);
  Story met{result.breaking[static_cast<std::size_t>(hazard)], 0, false};
  met.preemptions = preemptions_in(world, met.path);
  return met;
}

bool has_end(const Result& result, litmus::End end) {
  return (result.ends >> static_cast<unsigned>(end) & 1) != 0;
}
bool is_stuck_in_any_end(const Result& result) {
  using litmus::End;
  return has_end(result, End::lost_wakeup) || has_end(result, End::deadlock) || has_end(result, End::forever);
}

/// What those wait for who are starved, somewhere on the cycle.
Sign sign_of_starvation(World& world, const Lasso& lasso) {
  const World::Mark start = world.mark();
  for (const Choice choice : lasso.stem) world.take(choice);
  bool page = false;
  for (const Choice choice : lasso.cycle) {
    const std::uint8_t starved = world.unfinished(world.choices());
    const model::Machine& machine = world.scene().machine;
    for (TaskId task = 0; task < model::kTasks; ++task)
      page = page || ((starved >> task & 1) != 0 && machine.blocked(task) == model::Blocked::asleep &&
                      machine.waits_for(task).what == WaitFor::page_idle);
    world.take(choice);
  }
  world.back_to(start);
  return page ? Sign::starved_page : Sign::other;
}

/// Where somebody can get stuck, that says more than a cycle.
void note_starvation(World& world, Result& result) {
  if (!result.starvation) return;
  result.violated.add(Hazard::h6);
  if (!is_stuck_in_any_end(result))
    result.signs[static_cast<std::size_t>(Hazard::h6)].add(sign_of_starvation(world, *result.starvation));
}

Result explore(World& world, const Limits& limits) {
  if (world.scenario().is_endless()) {
    Result result = explore_endless(world, limits);
    note_starvation(world, result);
    return result;
  }
  Limits here = limits;
  if (world.scenario().is_of_a_lock()) here.reduce = false;  // every step there meets every other
  Result result = explore_all(world, here);
  // Where there is no cycle nobody can go on for ever.
  if (!result.complete || !std::isinf(result.interleavings)) return result;
  result.starvation = find_starvation(world);
  note_starvation(world, result);
  return result;
}

}  // namespace

const Finding* Decision::finding(Hazard hazard) const {
  return declared(protocol(), Seen(result.signs), hazard, findings_of(*this));
}

Verdict Decision::verdict_of(Hazard hazard) const {
  return judge(protocol(), Seen(result.signs), hazard, findings_of(*this));
}

std::optional<Hazard> Decision::telling_hazard() const {
  for (const Verdict worst : {Verdict::broken, Verdict::finding, Verdict::expected}) {
    for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
      const auto hazard = static_cast<Hazard>(i);
      if (result.violated.has(hazard) && verdict_of(hazard) == worst) return hazard;
    }
  }
  return std::nullopt;
}

bool Decision::can_get_stuck() const { return is_stuck_in_any_end(result); }

Finale Decision::finale() const {
  if (result.detectors != 0) return Finale::violation;
  if (has_end(result, litmus::End::lost_wakeup)) return Finale::lost_wakeup;
  if (can_get_stuck()) return Finale::deadlock;
  if (result.starvation) return Finale::starvation;
  return result.complete ? Finale::safe : Finale::sampled;
}

Decision decide_one(const Job& job, const Limits& limits) {
  World world(*job.script, *job.scenario, job.regime);
  Decision decision{job.script, job.regime, job.scenario, explore(world, limits), Verdict::none, {}};
  decision.verdict = verdict_of_all(decision);
  if (const auto hazard = decision.telling_hazard())
    decision.story = story_of(world, decision, *hazard, limits);
  return decision;
}

std::vector<Decision> decide(const std::vector<Job>& jobs, const Limits& limits, unsigned threads,
                             const std::function<void(std::size_t)>& done) {
  std::vector<Decision> decisions(jobs.size());
  std::mutex mutex;
  std::size_t finished = 0;
  for_each_index(jobs.size(), threads, [&](std::size_t i) {
    decisions[i] = decide_one(jobs[i], limits);
    const std::scoped_lock lock(mutex);
    if (done) done(++finished);
  });
  return decisions;
}

}  // namespace daxrace::explore
