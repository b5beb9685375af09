#include "harness/explore/steps.hpp"

#include <algorithm>

namespace daxrace::explore {

std::size_t Steps::bytes() const {
  return steps_.size() * sizeof(Step) + writes_.size() * sizeof(Step::Write) +
         reads_.size() * sizeof(Number) + table_.size() * sizeof(StepId) +
         hashes_.size() * sizeof(hashes_[0]);
}

std::uint32_t Steps::rank_of(Part part) {
  if (part >= ranks_.size()) ranks_.resize(part + std::size_t{1}, kNone);
  if (ranks_[part] == kNone) ranks_[part] = last_rank_++;
  return ranks_[part];
}

std::uint32_t Steps::pattern_for(Kind kind, TaskId task, Number own, std::span<const Part> touched) {
  auto& sites = sites_[static_cast<std::size_t>(kind)][task];
  if (own >= sites.size()) sites.resize(own + std::size_t{1}, kNone);
  for (std::uint32_t i = sites[own]; i != kNone; i = patterns_[i].next)
    if (std::ranges::equal(parts_of(patterns_[i]), touched)) return i;
  const auto number = static_cast<std::uint32_t>(patterns_.size());
  patterns_.push_back(
      {static_cast<std::uint32_t>(parts_.size()), static_cast<std::uint32_t>(touched.size()), sites[own]});
  parts_.insert(parts_.end(), touched.begin(), touched.end());
  sites[own] = number;
  return number;
}

StepId Steps::add(Kind kind, TaskId task, const std::vector<Number>& state, std::span<const Part> touched,
                  std::span<const Step::Write> writes, Step step) {
  if ((steps_.size() + 1) * 2 > table_.size()) grow();
  step.pattern = pattern_for(kind, task, state[task], touched);
  step.first_read = static_cast<std::uint32_t>(reads_.size());
  for (const Part part : touched) {
    reads_.push_back(state[part]);
    step.reads_from.add(rank_of(part));
  }
  step.first_write = static_cast<std::uint32_t>(writes_.size());
  step.writes = static_cast<std::uint32_t>(writes.size());
  for (const Step::Write& write : writes) {
    writes_.push_back(write);
    step.writes_to.add(rank_of(write.part));
    step.change -= Key::of(write.part, state[write.part]);
    step.change += Key::of(write.part, write.content);
  }
  const auto id = static_cast<StepId>(steps_.size());
  steps_.push_back(step);
  hashes_.push_back(hash_of(step.pattern, state));
  place(id);
  return id;
}

void Steps::place(StepId id) {
  std::size_t i = hashes_[id] & (table_.size() - 1);
  while (table_[i] != kUnknown) i = (i + 1) & (table_.size() - 1);
  table_[i] = id;
}

void Steps::grow() {
  table_.assign(table_.size() * 2, kUnknown);
  for (StepId id = 0; id < steps_.size(); ++id) place(id);
}

}  // namespace daxrace::explore
