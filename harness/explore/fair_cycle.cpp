#include "harness/explore/fair_cycle.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace daxrace::explore {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// Tarjan's strongly connected components, without recursion.
class Components {
 public:
  explicit Components(const Graph& graph)
      : graph_(graph),
        first_(graph.states.size() + 1),
        component_(graph.states.size(), kNone),
        index_(graph.states.size(), kNone),
        low_(graph.states.size()) {
    for (const Graph::Edge& edge : graph.edges) ++first_[edge.from + 1];
    for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
    to_.resize(graph.edges.size());
    auto at = first_;
    for (const Graph::Edge& edge : graph.edges) to_[at[edge.from]++] = edge.to;
    for (std::uint32_t state = 0; state < graph.states.size(); ++state)
      if (index_[state] == kNone) visit(state);
  }
  std::uint32_t of(std::uint32_t state) const { return component_[state]; }
  std::uint32_t count() const { return count_; }

 private:
  struct Frame {
    std::uint32_t state;
    std::uint32_t next;
  };

  void open(std::uint32_t state) {
    index_[state] = low_[state] = next_index_++;
    path_.push_back(state);
    frames_.push_back({state, first_[state]});
  }
  void visit(std::uint32_t root) {
    open(root);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      if (frame.next == first_[frame.state + 1]) {
        close(frame.state);
        continue;
      }
      const std::uint32_t state = frame.state;
      const std::uint32_t to = to_[frame.next++];
      if (index_[to] == kNone) {
        open(to);
      } else if (component_[to] == kNone) {
        low_[state] = std::min(low_[state], index_[to]);
      }
    }
  }
  void close(std::uint32_t state) {
    frames_.pop_back();
    if (!frames_.empty()) {
      const std::uint32_t parent = frames_.back().state;
      low_[parent] = std::min(low_[parent], low_[state]);
    }
    if (low_[state] != index_[state]) return;
    std::uint32_t member = kNone;
    do {
      member = path_.back();
      path_.pop_back();
      component_[member] = count_;
    } while (member != state);
    ++count_;
  }

  const Graph& graph_;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> to_;
  std::vector<std::uint32_t> component_;
  std::vector<std::uint32_t> index_;
  std::vector<std::uint32_t> low_;
  std::vector<std::uint32_t> path_;
  std::vector<Frame> frames_;
  std::uint32_t next_index_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace

model::TaskId starved_in_fair_cycle(const Graph& graph, std::uint8_t with_an_end) {
  const Components components(graph);
  struct Seen {
    std::uint8_t steps = 0;               ///< tasks that take a step inside
    std::uint8_t always_runnable = 0xff;  ///< tasks that can run everywhere inside
    std::uint8_t unfinished = 0;
  };
  std::vector<Seen> seen(components.count());
  for (const Graph::Edge& edge : graph.edges)
    if (components.of(edge.from) == components.of(edge.to))
      seen[components.of(edge.from)].steps |= static_cast<std::uint8_t>(1U << edge.by);
  for (std::uint32_t state = 0; state < graph.states.size(); ++state) {
    Seen& at = seen[components.of(state)];
    at.always_runnable &= graph.states[state].runnable;
    at.unfinished |= graph.states[state].unfinished;
  }
  for (const Seen& at : seen) {
    const bool fair = at.steps != 0 && (at.always_runnable & ~at.steps) == 0;
    const auto starved = static_cast<std::uint8_t>(at.unfinished & with_an_end);
    if (fair && starved != 0) return static_cast<model::TaskId>(std::countr_zero(starved));
  }
  return model::kNobody;
}

}  // namespace daxrace::explore
