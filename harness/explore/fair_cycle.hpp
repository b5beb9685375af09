#pragma once

#include <cstdint>
#include <vector>

#include "harness/model/machine.hpp"

namespace daxrace::explore {

/// The states of one scenario and the steps between them.
struct Graph {
  struct State {
    std::uint8_t runnable = 0;    ///< one bit for each task
    std::uint8_t unfinished = 0;  ///< the same
  };
  struct Edge {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    model::TaskId by = 0;
  };
  std::vector<State> states;
  std::vector<Edge> edges;
};

/// A task out of `with_an_end` that is unfinished in a cycle that is weakly fair: every task takes a step in
/// it, or cannot run somewhere in it. kNobody: there is none.
model::TaskId starved_in_fair_cycle(const Graph& graph, std::uint8_t with_an_end);

}  // namespace daxrace::explore
