#include "harness/explore/story.hpp"

#include <algorithm>
#include <ctime>
#include <map>

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/explore/liveness.hpp"
#include "harness/litmus/teller.hpp"

namespace daxrace::explore {
namespace {

using litmus::End;
using model::TraceLine;

constexpr std::size_t kWideColumn = 38;
constexpr std::size_t kNarrowColumn = 32;
constexpr std::size_t kMostSteps = 100'000;
constexpr char kCycleMark = '@';  ///< what stands behind it repeats for ever

char letter_of(TaskId task) { return static_cast<char>('a' + task); }

std::vector<std::string> names_of_tasks(const Scenario& scenario) {
  std::vector<std::string> names;
  for (const TaskSpec& task : scenario.tasks)
    names.push_back(fmt::format("{}: {}", letter_of(static_cast<TaskId>(names.size())), task.name));
  return names;
}

/// Follows one path and turns it into lines.
class Telling {
 public:
  Telling(const Job& job, const Route& route)
      : job_(job),
        world_(*job.script, *job.scenario, job.regime),
        route_(route),
        teller_(world_.scene(), names_of_tasks(*job.scenario),
                job.scenario->tasks.size() > 3 ? kNarrowColumn : kWideColumn) {
    world_.keep_what_is_seen();
    world_.scene().machine.trace(true);
    told_.lines.push_back(fmt::format("{} under {} {}: {}", job.scenario->name, job.script->info.name,
                                      name_in(kRefcountRegimeNames, job.regime), job.scenario->summary));
  }

  Told run() {
    told_.lines.push_back(teller_.heads());
    for (const Choice choice : route_.path) {
      if (route_.cycle != 0 && steps_ == route_.path.size() - route_.cycle)
        told_.lines.emplace_back("   -- from here on again and again --");
      follow(choice);
    }
    told_.lines.emplace_back();
    conclude();
    told_.violated = world_.violated();
    if (hung_ || told_.starves) told_.violated.add(Hazard::h6);
    return std::move(told_);
  }

 private:
  void follow(Choice choice) {
    const Choices choices = world_.choices();
    if (std::ranges::find(choices, choice) == choices.end())
      throw Error(
          fmt::format("--replay: step {}: {} cannot do that there", ++steps_, letter_of(choice.task)));
    ++steps_;
    const bool preempts = is_preemption(last_, choice, choices);
    told_.preemptions += preempts ? 1 : 0;
    const std::size_t from = world_.scene().machine.trace_size();
    world_.take(choice);
    if (preempts || (last_ != choice.task && last_ != model::kNobody)) mark_ = preempts ? '*' : '>';
    tell_lines(from);
    if (choice.what == Choice::What::runs) last_ = choice.task;
  }

  void tell_lines(std::size_t from) {
    const model::Machine& machine = world_.scene().machine;
    for (std::size_t i = from; i < machine.trace_size(); ++i) {
      const TraceLine& line = machine.trace_line(i);
      const bool is_last = i + 1 == machine.trace_size();
      const std::string text = teller_.line(line, mark_, is_last ? references() : "");
      if (text.empty()) continue;
      mark_ = ' ';
      remember(line);
      told_.lines.push_back(text);
    }
  }

  /// Pages with references that are not idle.
  std::string references() {
    std::string text;
    for (FrameNumber frame = 0; frame < model::kFrames; ++frame) {
      const std::uint32_t count = world_.scene().store.frame(frame).refcount.load();
      if (count != world_.scene().rule.idle)
        text += fmt::format("{}blk {} ref={}", text.empty() ? "" : ", ", frame, count);
    }
    return text;
  }

  void remember(const TraceLine& line) {
    if (line.what != TraceLine::What::event) return;
    if (line.event == Event::freed) freed_at_[line.frame] = teller_.lines_told();
    if (line.event == Event::pinned) pinned_at_[line.frame] = teller_.lines_told();
  }

  void conclude() {
    End end = End::finished;
    if (world_.all_done()) {
      world_.judge_the_end();
    } else if (is_stuck(world_.choices())) {
      hung_ = true;
      end = world_.how_stuck().end;
    }
    for (const std::string& line : teller_.what_went_wrong(hung_ ? end : End::finished))
      told_.lines.push_back(line);
    if (hung_) tell_holders();
    if (route_.cycle != 0) tell_cycle();
    tell_history();
    if (!world_.violated().empty() || hung_ || told_.starves) return;
    told_.lines.push_back(world_.all_done()
                              ? "  => nothing went wrong"
                              : fmt::format("  => stopped after {} step{}: it goes on from here", steps_,
                                            steps_ == 1 ? "" : "s"));
  }

  /// Whoever tells keeps what it sees: where the cycle closes shows in a world that nobody tells of.
  void tell_cycle() {
    World unseen(*job_.script, *job_.scenario, job_.regime);
    told_.starves = starves(unseen, route_.path, route_.cycle);
    if (!told_.starves) {
      told_.lines.emplace_back("  => not a cycle that can go on for ever and is fair");
      return;
    }
    const std::uint8_t unfinished = world_.unfinished(world_.choices());
    for (TaskId task = 0; task < world_.scenario().tasks.size(); ++task)
      if ((unfinished >> task & 1) != 0)
        told_.lines.push_back(
            fmt::format("  => starvation: {} never ends, and whoever can run does: all is as it was where "
                        "the cycle began",
                        teller_.name_of(task)));
  }

  void tell_holders() {
    const model::Machine& machine = world_.scene().machine;
    for (TaskId task = 0; task < world_.scenario().tasks.size(); ++task) {
      if (!machine.unfinished(task)) continue;
      const WaitKey key = machine.waits_for(task);
      for (TaskId holder = 0; holder < world_.scenario().tasks.size(); ++holder)
        if (machine.holds(holder, key.address))
          told_.lines.push_back(
              fmt::format("  => {} is held by {}", teller_.wait_text(key), teller_.name_of(holder)));
    }
  }

  void tell_history() {
    const model::Record& record = world_.scene().record;
    std::vector<FrameNumber> told;
    for (std::size_t i = 0; i < record.seen_count; ++i) {
      const FrameNumber frame = record.seen[i].frame;
      if (!freed_at_.contains(frame) || std::ranges::find(told, frame) != told.end()) continue;
      told.push_back(frame);
      std::string text = fmt::format("  => blk {} was freed at line {}", frame, freed_at_[frame]);
      if (pinned_at_.contains(frame)) text += fmt::format(", pinned at line {}", pinned_at_[frame]);
      told_.lines.push_back(text);
    }
  }

  const Job& job_;
  World world_;
  const Route& route_;
  litmus::Teller teller_;
  Told told_;
  TaskId last_ = model::kNobody;
  char mark_ = ' ';  ///< of the next line: * after a preemption, > after another switch
  bool hung_ = false;
  std::size_t steps_ = 0;
  std::map<FrameNumber, int> freed_at_;
  std::map<FrameNumber, int> pinned_at_;
};

}  // namespace

std::string replay_string(const Job& job, const Route& route) {
  const Path& path = route.path;
  const std::size_t stem = path.size() - route.cycle;
  std::string out = fmt::format("{}:{}:{}:", job.script->info.name, job.scenario->name,
                                name_in(kRefcountRegimeNames, job.regime));
  for (std::size_t i = 0; i < path.size();) {
    if (route.cycle != 0 && i == stem) out += kCycleMark;
    std::size_t same = i + 1;
    if (path[i].what == Choice::What::runs)
      while (same < path.size() && same != stem && path[same] == path[i]) ++same;
    if (path[i].what == Choice::What::signalled) out += '!';
    if (path[i].what == Choice::What::grace_over) out += '~';
    out += letter_of(path[i].task);
    if (same - i > 1) out += fmt::format("{}", same - i);
    i = same;
  }
  return out;
}

namespace {

Path parse_path(std::string_view text, std::size_t tasks) {
  Path path;
  std::size_t at = 0;
  while (at < text.size()) {
    Choice choice;
    if (text[at] == '!') choice.what = Choice::What::signalled;
    if (text[at] == '~') choice.what = Choice::What::grace_over;
    if (choice.what != Choice::What::runs) ++at;
    if (at == text.size() || text[at] < 'a' || static_cast<std::size_t>(text[at] - 'a') >= tasks)
      throw Error(fmt::format("--replay: '{}': a task from a to {} is expected at character {}", text,
                              letter_of(static_cast<TaskId>(tasks - 1)), at + 1));
    choice.task = static_cast<TaskId>(text[at++] - 'a');
    std::size_t times = 0;
    const bool counts = choice.what == Choice::What::runs;
    for (; counts && at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
      times = std::min(times * 10 + static_cast<std::size_t>(text[at] - '0'), kMostSteps);
    path.insert(path.end(), std::max<std::size_t>(times, 1), choice);
    if (path.size() > kMostSteps) throw Error("--replay: too many steps");
  }
  return path;
}

}  // namespace

Route parse_route(std::string_view text, std::size_t tasks) {
  const std::size_t at = text.find(kCycleMark);
  Route route{parse_path(text.substr(0, at), tasks)};
  if (at == std::string_view::npos) return route;
  const Path cycle = parse_path(text.substr(at + 1), tasks);
  route.path.insert(route.path.end(), cycle.begin(), cycle.end());
  route.cycle = cycle.size();
  return route;
}

Told tell(const Job& job, const Route& route) { return Telling(job, route).run(); }

double time_replays(const Job& job, const Path& path, std::uint64_t executions) {
  tell(job, {path});
  World world(*job.script, *job.scenario, job.regime);
  const World::Mark start = world.mark();
  const std::clock_t began = std::clock();
  for (std::uint64_t i = 0; i < executions; ++i) {
    for (const Choice choice : path) world.take(choice);
    world.back_to(start);
  }
  return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
}

}  // namespace daxrace::explore
