#include "harness/explore/liveness.hpp"

#include <algorithm>
#include <deque>
#include <limits>

#include "harness/explore/notes.hpp"
#include "harness/explore/visited.hpp"

namespace daxrace::explore {
namespace {

constexpr std::uint32_t kNoState = ~std::uint32_t{0};
constexpr std::uint64_t kFirstLook = 10'000;  ///< states

std::uint8_t can_run(const Choices& choices) {
  std::uint8_t tasks = 0;
  for (const Choice choice : choices) tasks |= runs_in(choice);
  return tasks;
}

/// Walks through the states, each once, and keeps the steps.
class Walk {
 public:
  Walk(World& world, Result& result) : world_(world), notes_(world, result), result_(result) {
    start_ = world.mark();
    enter(start_, {}, number_of(world.key()), world.choices());
  }
  ~Walk() { world_.back_to(start_); }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  /// Until that many states are known. True: there are no more.
  bool go_on(std::uint64_t states) {
    while (!levels_.empty() && graph_.states.size() < states) {
      Level& level = levels_.back();
      if (level.next == level.choices.count) {
        world_.back_to(level.before);
        levels_.pop_back();
      } else {
        follow(level, level.take_next());
      }
    }
    result_.states = graph_.states.size();
    result_.transitions = graph_.steps.size();
    result_.bytes = visited_.bytes();
    return levels_.empty();
  }

  /// As far as it is known. A fair cycle of a part is one of the whole.
  StateGraph graph() const {
    StateGraph graph{graph_.states, {}};
    graph.steps.resize(graph_.steps.size());
    for (const std::uint32_t from : from_) ++graph.states[from].end;
    std::uint32_t first = 0;
    for (StateGraph::State& state : graph.states) {
      state.first = first;
      first += state.end;
      state.end = state.first;
    }
    for (std::size_t i = 0; i < from_.size(); ++i)
      graph.steps[graph.states[from_[i]].end++] = graph_.steps[i];
    return graph;
  }

 private:
  struct Level {
    World::Mark before;  ///< before the step that led here
    Choice by;
    std::uint32_t state = 0;
    Choices choices;
    std::uint8_t next = 0;
    std::uint8_t first = 0;  ///< choice: whoever ran goes on, which makes for ways with few switches

    std::size_t take_next() { return static_cast<std::size_t>(first + next++) % choices.count; }
  };

  Path path() const {
    Path out;
    for (std::size_t i = 1; i < levels_.size(); ++i) out.push_back(levels_[i].by);
    return out;
  }

  std::uint32_t number_of(const Key& key) {
    const auto [entry, is_new] = visited_.insert(key);
    if (is_new) entry->value = static_cast<double>(visited_.size() - 1);
    return static_cast<std::uint32_t>(entry->value);
  }

  void enter(const World::Mark& before, Choice by, std::uint32_t state, const Choices& choices) {
    graph_.states.push_back({0, 0, can_run(choices), world_.unfinished(choices)});
    levels_.push_back({before, by, state, choices});
    for (std::uint8_t i = 0; i < choices.count; ++i)
      if (choices.list[i] == by) levels_.back().first = i;
    result_.depth = std::max(result_.depth, static_cast<std::uint32_t>(levels_.size() - 1));
    const bool ends = notes_.reached(choices, [this] { return path(); });
    if (ends || world_.detectors() != 0) levels_.back().choices = {};
  }

  void follow(const Level& level, std::size_t i) {
    const StepId step = level.choices.steps[i];
    const Choice by = level.choices.list[i];
    const std::uint32_t to = number_of(world_.key_after(step));
    graph_.steps.push_back({to, by});
    from_.push_back(level.state);
    if (to != graph_.states.size()) return;
    const World::Mark before = world_.mark();
    world_.take_step(step);
    enter(before, by, to, world_.choices_after(level.choices, step));
  }

  World& world_;
  Notes notes_;
  Result& result_;
  World::Mark start_;
  Visited visited_;
  StateGraph graph_;  ///< its steps as they were met
  std::vector<std::uint32_t> from_;
  std::vector<Level> levels_;
};

/// Tarjan's algorithm with the stack of calls kept by hand: the graphs are deeper than a thread's stack.
class Components {
 public:
  explicit Components(const StateGraph& graph)
      : graph_(graph), part_(graph.states.size()), met_(graph.states.size()), low_(graph.states.size()) {}

  /// The strongly connected components of these states and the steps between them, as far as one can go on in
  /// them.
  std::vector<StateSet> of(const StateSet& states) {
    ++now_;
    for (const std::uint32_t state : states) {
      part_[state] = now_;
      met_[state] = 0;
    }
    count_ = 0;
    found_.clear();
    for (const std::uint32_t state : states)
      if (part_[state] == now_ && met_[state] == 0) visit(state);
    return std::move(found_);
  }

 private:
  struct Call {
    std::uint32_t state = 0;
    std::uint32_t next = 0;
  };

  void open(std::uint32_t state) {
    met_[state] = low_[state] = ++count_;
    stack_.push_back(state);
    calls_.push_back({state, graph_.states[state].first});
  }

  void visit(std::uint32_t root) {
    open(root);
    while (!calls_.empty()) {
      Call& call = calls_.back();
      if (call.next == graph_.states[call.state].end) {
        close();
        continue;
      }
      const std::uint32_t from = call.state;
      const std::uint32_t to = graph_.steps[call.next++].to;
      if (part_[to] != now_) continue;
      if (met_[to] == 0) {
        open(to);
      } else {
        low_[from] = std::min(low_[from], met_[to]);
      }
    }
  }

  void close() {
    const std::uint32_t state = calls_.back().state;
    calls_.pop_back();
    if (!calls_.empty()) {
      std::uint32_t& above = low_[calls_.back().state];
      above = std::min(above, low_[state]);
    }
    if (low_[state] == met_[state]) take_component(state);
  }

  void take_component(std::uint32_t root) {
    StateSet component;
    do {
      component.push_back(stack_.back());
      part_[stack_.back()] = 0;
      stack_.pop_back();
    } while (component.back() != root);
    const bool goes_on = component.size() > 1 || std::ranges::any_of(graph_.steps_of(root), [&](auto step) {
                           return step.to == root;
                         });
    if (goes_on) found_.push_back(std::move(component));
  }

  const StateGraph& graph_;
  std::vector<std::uint32_t> part_;  ///< now_ for states that are looked at and in no component yet
  std::vector<std::uint32_t> met_;   ///< in which order; 0: not yet
  std::vector<std::uint32_t> low_;
  std::uint32_t now_ = 0;
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> stack_;
  std::vector<Call> calls_;
  std::vector<StateSet> found_;
};

/// Sets of states, one at a time, that can be asked for members and for who runs in there.
class Members {
 public:
  explicit Members(const StateGraph& graph) : graph_(graph), mark_(graph.states.size()) {}

  void are(const StateSet& set) {
    ++now_;
    for (const std::uint32_t state : set) mark_[state] = now_;
  }
  bool has(std::uint32_t state) const { return mark_[state] == now_; }
  /// By a step that does not leave the set.
  std::uint8_t who_runs(const StateSet& set) const {
    std::uint8_t tasks = 0;
    for (const std::uint32_t state : set)
      for (const StateGraph::Step& step : graph_.steps_of(state))
        if (has(step.to)) tasks |= runs_in(step.by);
    return tasks;
  }
  /// Who can run in the set, and does not.
  std::uint8_t who_is_kept_out(const StateSet& set) const {
    std::uint8_t tasks = 0;
    for (const std::uint32_t state : set) tasks |= graph_.states[state].can_run;
    return tasks & static_cast<std::uint8_t>(~who_runs(set));
  }

 private:
  const StateGraph& graph_;
  std::vector<std::uint32_t> mark_;
  std::uint32_t now_ = 0;
};

/// The shortest walk through states for which `inside` holds, up to a step for which `is_last` holds.
/// Returns where it ends; the steps are appended to the path.
template <class Inside, class IsLast>
std::uint32_t walk(const StateGraph& graph, std::uint32_t from, Inside&& inside, IsLast&& is_last,
                   Path& path) {
  struct Came {
    std::uint32_t from = kNoState;
    Choice by;
  };
  std::vector<Came> came(graph.states.size());
  std::deque<std::uint32_t> queue{from};
  const auto append = [&](std::uint32_t at) {
    const std::size_t old_size = path.size();
    for (; at != from; at = came[at].from) path.push_back(came[at].by);
    std::reverse(path.begin() + static_cast<std::ptrdiff_t>(old_size), path.end());
  };
  for (; !queue.empty(); queue.pop_front()) {
    const std::uint32_t at = queue.front();
    for (const StateGraph::Step& step : graph.steps_of(at)) {
      if (!inside(step.to)) continue;
      if (is_last(step)) {
        append(at);
        path.push_back(step.by);
        return step.to;
      }
      if (step.to == from || came[step.to].from != kNoState) continue;
      came[step.to] = {at, step.by};
      queue.push_back(step.to);
    }
  }
  return kNoState;
}

/// Once around, with a step of everybody who can run in there.
Path fair_cycle(const StateGraph& graph, const StateSet& set, std::uint32_t from) {
  Members members(graph);
  members.are(set);
  const auto inside = [&](std::uint32_t state) { return members.has(state); };
  Path cycle;
  std::uint8_t missing = members.who_runs(set);
  std::uint32_t at = from;
  while (missing != 0) {
    const std::size_t old_size = cycle.size();
    at = walk(
        graph, at, inside, [&](const auto& step) { return (runs_in(step.by) & missing) != 0; }, cycle);
    for (std::size_t i = old_size; i < cycle.size(); ++i)
      missing &= static_cast<std::uint8_t>(~runs_in(cycle[i]));
  }
  if (at != from)
    walk(
        graph, at, inside, [&](const auto& step) { return step.to == from; }, cycle);
  return cycle;
}

}  // namespace

std::uint8_t runs_in(Choice choice) {
  if (choice.what == Choice::What::signalled) return 0;
  return static_cast<std::uint8_t>(1U << choice.task);
}

std::vector<StateSet> starving_sets(const StateGraph& graph) {
  StateSet unfinished;
  for (std::uint32_t state = 0; state < graph.states.size(); ++state)
    if (graph.states[state].unfinished != 0) unfinished.push_back(state);
  Components components(graph);
  Members members(graph);
  std::vector<StateSet> fair;
  std::vector<StateSet> open{std::move(unfinished)};
  while (!open.empty()) {
    const StateSet part = std::move(open.back());
    open.pop_back();
    for (StateSet& set : components.of(part)) {
      members.are(set);
      const std::uint8_t kept_out = members.who_is_kept_out(set);
      if (kept_out == 0) {
        fair.push_back(std::move(set));
        continue;
      }
      // A fair run that stays in here stays out of the states where those could run.
      std::erase_if(set, [&](std::uint32_t state) { return (graph.states[state].can_run & kept_out) != 0; });
      if (!set.empty()) open.push_back(std::move(set));
    }
  }
  return fair;
}

std::optional<Lasso> find_lasso(const StateGraph& graph) {
  const std::vector<StateSet> sets = starving_sets(graph);
  if (sets.empty()) return std::nullopt;
  std::vector<const StateSet*> of(graph.states.size());
  for (const StateSet& set : sets)
    for (const std::uint32_t state : set) of[state] = &set;
  Lasso lasso;
  std::uint32_t from = 0;
  if (of[from] == nullptr) {
    from = walk(
        graph, 0, [](std::uint32_t) { return true; },
        [&](const auto& step) { return of[step.to] != nullptr; }, lasso.stem);
  }
  lasso.cycle = fair_cycle(graph, *of[from], from);
  return lasso;
}

Result explore_endless(World& world, const Limits& limits) {
  Result result;
  {
    Walk walk(world, result);
    for (std::uint64_t known = kFirstLook; known / 3 < limits.states; known *= 3) {
      result.complete = walk.go_on(std::min(known, limits.states));
      result.starvation = find_lasso(walk.graph());
      if (result.complete || result.starvation || result.detectors != 0) break;
    }
  }
  result.interleavings = std::numeric_limits<double>::infinity();
  return result;
}

std::optional<Lasso> find_starvation(World& world) {
  Result result;
  Walk walk(world, result);
  walk.go_on(std::numeric_limits<std::uint64_t>::max());
  return find_lasso(walk.graph());
}

bool starves(World& world, const Path& path, std::size_t cycle) {
  const World::Mark start = world.mark();
  const std::size_t stem = path.size() - cycle;
  for (std::size_t i = 0; i < stem; ++i) world.take(path[i]);
  const Key from = world.key();
  std::uint8_t could = 0;
  std::uint8_t did = 0;
  for (std::size_t i = stem; i < path.size(); ++i) {
    could |= can_run(world.choices());
    did |= runs_in(path[i]);
    world.take(path[i]);
  }
  const bool around = cycle != 0 && world.key() == from && world.unfinished(world.choices()) != 0;
  world.back_to(start);
  return around && (could & ~did) == 0;
}

}  // namespace daxrace::explore
