#include "harness/explore/explorer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <unordered_map>

#include "harness/explore/futures.hpp"
#include "harness/explore/notes.hpp"
#include "harness/explore/visited.hpp"

namespace daxrace::explore {
namespace {

constexpr double kOnStack = -1;
constexpr double kEndlessPaths = std::numeric_limits<double>::infinity();

constexpr int kWalks = 100;
constexpr int kMostWalked = 1000;

class Search {
 public:
  Search(World& world, const Limits& limits, Result& result)
      : world_(world), limits_(limits), result_(result), notes_(world, result) {}

  void run() { search(); }

  /// Of several orders of steps that do not meet, one.
  void run_reduced() {
    walk_at_random();
    do {
      forget();
      futures_.work_out(world_.steps());
      reduces_ = true;
      void_ = false;
      search();
    } while (void_);
    result_.reduced = true;
    if (!std::isinf(result_.interleavings)) return;
    // There is a cycle, on which a step could be put off for ever.
    forget();
    reduces_ = false;
    search();
  }

 private:
  struct Level {
    World::Mark before;  ///< before the choice that led here
    Choice by;
    Key key;
    Choices choices;
    std::uint8_t next = 0;
    double paths = 0;
  };

  void forget() {
    result_ = {};
    visited_.clear();
    levels_.clear();
  }

  void search() {
    world_.audit(limits_.audit);
    const World::Mark start = world_.mark();
    enter(visited_.insert(world_.key()).first, start, {}, world_.choices());
    while (!levels_.empty() && visited_.size() <= (void_ ? std::min<std::uint64_t>(void_from_, limits_.states)
                                                         : limits_.states)) {
      Level& level = levels_.back();
      if (level.next == level.choices.count) {
        leave();
      } else {
        follow(level, level.next++);
      }
    }
    world_.audit(false);
    result_.complete = levels_.empty();
    world_.back_to(start);
    result_.states = visited_.size();
    result_.bytes = visited_.bytes();
  }

  /// So that most steps are known.
  void walk_at_random() {
    const World::Mark start = world_.mark();
    std::mt19937_64 random(limits_.seed);
    for (int walk = 0; walk < kWalks; ++walk) {
      StepId taken = 0;
      Choices choices = world_.choices();
      for (int steps = 0; steps < kMostWalked && choices.count != 0; ++steps) {
        taken = choices.steps[random() % choices.count];
        world_.take_step(taken);
        choices = world_.choices_after(choices, taken);
      }
      world_.back_to(start);
    }
  }

  /// A single choice, where one can go first.
  void reduce(Choices& choices) {
    if (!futures_.still_hold(world_.steps())) {
      futures_.work_out(world_.steps());
      // What else is not known had better turn up now than in the next search.
      if (!void_) void_from_ = 2 * visited_.size() + kWalks;
      void_ = true;
    }
    for (std::size_t i = 0; i < choices.count; ++i) {
      if (!goes_first(choices, i)) continue;
      choices.list[0] = choices.list[i];
      choices.steps[0] = choices.steps[i];
      choices.count = 1;
      return;
    }
  }
  /// It may come before the task's own step or after it.
  static bool signal_may_come(const Choices& choices, TaskId to) {
    return std::ranges::any_of(choices, [to](const Choice& choice) {
      return choice.what == Choice::What::signalled && choice.task == to;
    });
  }
  bool goes_first(const Choices& choices, std::size_t i) const {
    const Step& step = world_.steps().at(choices.steps[i]);
    if (signal_may_come(choices, step.choice.task)) return false;
    for (TaskId task = 0; task < world_.scenario().tasks.size(); ++task) {
      if (task == step.choice.task || (choices.unfinished >> task & 1) == 0) continue;
      if (futures_.meets(step, task, world_.state()[task])) return false;
    }
    return true;
  }

  Path path() const {
    Path out;
    for (std::size_t i = 1; i < levels_.size(); ++i) out.push_back(levels_[i].by);
    return out;
  }

  void enter(Visited::Entry* entry, const World::Mark& before, Choice by, const Choices& choices) {
    Level& level = levels_.emplace_back(Level{before, by, entry->key, choices});
    entry->value = kOnStack;
    for (std::size_t i = 0; i < choices.count; ++i) visited_.prefetch(world_.key_after(choices.steps[i]));
    if (notes_.reached(choices, [this] { return path(); })) {
      level.paths = 1;
      ++result_.endings;
    }
    if (reduces_) reduce(level.choices);
    result_.depth = std::max(result_.depth, static_cast<std::uint32_t>(levels_.size() - 1));
  }

  void follow(Level& level, std::size_t i) {
    const StepId step = level.choices.steps[i];
    ++result_.transitions;
    const auto [entry, is_new] = visited_.insert(world_.key_after(step));
    if (limits_.audit) look_at_all(step, entry->key, is_new);
    if (!is_new) {
      level.paths += entry->value == kOnStack ? kEndlessPaths : entry->value;
      return;
    }
    const World::Mark before = world_.mark();
    world_.take_step(step);
    enter(entry, before, level.choices.list[i], world_.choices_after(level.choices, step));
  }

  void leave() {
    const World::Mark before = levels_.back().before;
    const double paths = levels_.back().paths;
    visited_.at(levels_.back().key).value = paths;
    levels_.pop_back();
    if (levels_.empty()) {
      result_.interleavings = paths;
      return;
    }
    levels_.back().paths += paths;
    world_.back_to(before);
  }

  /// Whole states beside their keys.
  void look_at_all(StepId step, const Key& key, bool is_new) {
    const World::Mark before = world_.mark();
    world_.take_step(step);
    auto& kept = kept_[key.low];
    if (is_new) {
      kept = world_.state();
    } else if (kept != world_.state()) {
      ++result_.collisions;
    }
    world_.back_to(before);
  }

  World& world_;
  const Limits& limits_;
  Result& result_;
  Notes notes_;
  Visited visited_;
  std::vector<Level> levels_;
  Futures futures_;
  bool reduces_ = false;
  bool void_ = false;          ///< somebody did what he was not thought to do; the search ends at
  std::size_t void_from_ = 0;  ///< so many states
  std::unordered_map<std::uint64_t, std::vector<Number>> kept_;
};

/// One node of the search for the shortest story: how it was reached.
struct Node {
  std::uint32_t parent = 0;
  Choice by;
  TaskId last = model::kNobody;
};

class StorySearch {
 public:
  StorySearch(World& world, Hazard hazard, std::uint32_t most_preemptions, std::uint64_t most_states)
      : world_(world), hazard_(hazard), most_preemptions_(most_preemptions), most_states_(most_states) {}

  /// Costs are pairs, preemptions first: bucket after bucket of equal preemptions, in each by steps.
  std::optional<Story> run() {
    const World::Mark start = world_.mark();
    nodes_.push_back({});
    std::vector<std::vector<std::uint32_t>> now(1, {0});
    for (std::uint32_t preemptions = 0; preemptions <= most_preemptions_ && !now.empty(); ++preemptions) {
      std::vector<std::vector<std::uint32_t>> next;
      for (std::size_t steps = 0; steps < now.size(); ++steps) {
        for (std::size_t i = 0; i < now[steps].size(); ++i) {
          const std::uint32_t node = now[steps][i];
          const bool found = expand(start, node, steps, now, next);
          world_.back_to(start);
          if (found) return Story{path_to(node), preemptions};
          if (nodes_.size() > most_states_) return std::nullopt;
        }
      }
      now = std::move(next);
    }
    return std::nullopt;
  }

 private:
  using Buckets = std::vector<std::vector<std::uint32_t>>;

  Path path_to(std::uint32_t node) const {
    Path path;
    for (; node != 0; node = nodes_[node].parent) path.push_back(nodes_[node].by);
    std::ranges::reverse(path);
    return path;
  }

  bool is_goal(const Choices& choices) {
    if (world_.violated().has(hazard_)) return true;
    if (choices.all_done()) return world_.recorded_in_the_end().violated.has(hazard_);
    return hazard_ == Hazard::h6 && is_stuck(choices);
  }

  bool expand(const World::Mark& start, std::uint32_t node, std::size_t steps, Buckets& now, Buckets& next) {
    const TaskId last = nodes_[node].last;
    world_.back_to(start);
    for (const Choice choice : path_to(node)) world_.take(choice);
    if (!settle(last)) return false;
    const Choices choices = world_.choices();
    if (is_goal(choices)) return true;
    for (const Choice choice : choices) {
      Buckets& into = is_preemption(last, choice, choices) ? next : now;
      if (into.size() <= steps + 1) into.resize(steps + 2);
      into[steps + 1].push_back(static_cast<std::uint32_t>(nodes_.size()));
      nodes_.push_back({node, choice, choice.what == Choice::What::runs ? choice.task : last});
    }
    return false;
  }

  /// False: this state was reached as cheaply before.
  bool settle(TaskId last) {
    Key key = world_.key();
    key.low += (last + 1) * 0x9e37'79b9'7f4a'7c15U;
    return settled_.insert(key).second;
  }

  World& world_;
  Hazard hazard_;
  std::uint32_t most_preemptions_;
  std::uint64_t most_states_;
  std::vector<Node> nodes_;
  Visited settled_;
};

constexpr std::uint32_t kPriorityChanges = 3;
constexpr std::uint32_t kMostSteps = 5000;

/// One execution: the runnable task of the highest priority runs; at a few steps its priority drops.
class Execution {
 public:
  Execution(World& world, Result& result, std::mt19937_64& random)
      : world_(world), notes_(world, result), random_(random) {
    for (std::uint32_t& priority : priorities_)
      priority = kPriorityChanges + static_cast<std::uint32_t>(random() % 1000);
    const std::uint32_t length = std::max<std::uint32_t>(result.depth, 20);
    for (std::uint32_t& step : changes_) step = static_cast<std::uint32_t>(random() % length);
  }

  std::uint64_t run() {
    for (std::uint32_t step = 0; step < kMostSteps; ++step) {
      const Choices choices = world_.choices();
      if (notes_.reached(choices, [this] { return path_; }) || choices.count == 0) break;
      const Choice choice = pick(choices, step);
      world_.take(choice);
      path_.push_back(choice);
    }
    return path_.size();
  }

 private:
  Choice pick(const Choices& choices, std::uint32_t step) {
    const auto best = [&] {
      return *std::max_element(choices.begin(), choices.end(), [this](const Choice& a, const Choice& b) {
        return priorities_[a.task] < priorities_[b.task];
      });
    };
    for (std::uint32_t i = 0; i < changes_.size(); ++i)
      if (changes_[i] == step) priorities_[best().task] = i;
    Choice choice = best();
    // A signal comes when it comes.
    if (choice.what == Choice::What::signalled && random_() % 4 != 0 && choices.count > 1)
      choice = choices.list[0];
    return choice;
  }

  World& world_;
  Notes notes_;
  std::mt19937_64& random_;
  std::array<std::uint32_t, model::kTasks> priorities_{};
  std::array<std::uint32_t, kPriorityChanges> changes_{};
  Path path_;
};

}  // namespace

bool is_stuck(const Choices& choices) {
  if (choices.signal_comes && choices.count != 0) return false;
  // Else the signal may never come.
  return !choices.all_done() && std::ranges::all_of(choices, [](const Choice& choice) {
    return choice.what == Choice::What::signalled;
  });
}

bool is_preemption(TaskId last, Choice next, const Choices& at) {
  return next.what == Choice::What::runs && last != model::kNobody && next.task != last &&
         (at.runnable >> last & 1) != 0;
}

Result explore_all(World& world, const Limits& limits) {
  Result result;
  Search search(world, limits, result);
  limits.reduce ? search.run_reduced() : search.run();
  if (!result.complete) sample(world, limits, result);
  return result;
}

void sample(World& world, const Limits& limits, Result& result) {
  std::mt19937_64 random(limits.seed);
  const World::Mark start = world.mark();
  for (std::uint32_t i = 0; i < limits.samples; ++i) {
    result.transitions += Execution(world, result, random).run();
    world.back_to(start);
  }
  result.interleavings = limits.samples;
}

std::optional<Story> shortest_story(World& world, Hazard hazard, std::uint32_t most_preemptions,
                                    std::uint64_t most_states) {
  return StorySearch(world, hazard, most_preemptions, most_states).run();
}

}  // namespace daxrace::explore
