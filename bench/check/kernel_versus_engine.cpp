#include "bench/check/kernel_versus_engine.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "bench/cli/suggest.hpp"
#include "harness/litmus/table.hpp"

namespace daxrace {
namespace {

using kernel::CellResult;
using kernel::Outcome;
using litmus::Happening;

/// The engine's name of the same cell. Streams and two files at once are no cells of the engine's.
std::optional<std::string_view> engine_access(kernel::Access access) {
  switch (access) {
    case kernel::Access::read:
      return "read";
    case kernel::Access::write:
      return "write";
    case kernel::Access::nested_fault:
      return "nested_same";
    case kernel::Access::dio_read:
      return "aio_read";
    case kernel::Access::pin:
    case kernel::Access::dio_pin:
      return "gup_fast";
    case kernel::Access::pin_munmap:
    case kernel::Access::dio_pin_munmap:
      return "pin_munmap";
    case kernel::Access::pin_unlink:
    case kernel::Access::pin_outside:
    case kernel::Access::pin_refault:
    case kernel::Access::pin_then_read:
    case kernel::Access::fsync:
    case kernel::Access::zero_page_fault:
      return kernel::info_of(access).name;
    case kernel::Access::mapped:  // no access is in flight
    case kernel::Access::faults:
    case kernel::Access::pin_stream:
    case kernel::Access::crosswise:
    case kernel::Access::pin_freeze:
    case kernel::Access::frozen_store:
    case kernel::Access::pin_umount:
    case kernel::Access::fsync_sync:
      break;
  }
  return std::nullopt;
}

/// A cell in one of four words that both sides know; nothing where the kernel's decides nothing.
std::string_view word_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::content_changed:
    case Outcome::unflushed:
      return "breaks";
    case Outcome::hang:
      return "hangs";
    case Outcome::waited:
      return "waits";
    case Outcome::overlapped:
    case Outcome::flushed:
      return "harmless";
    case Outcome::spin:
    case Outcome::starved:
    case Outcome::inconclusive:
    case Outcome::skipped:
      break;
  }
  return "";
}

std::string_view word_of(Happening happening) {
  switch (happening) {
    case Happening::breaks:
      return "breaks";
    case Happening::hangs:
      return "hangs";
    case Happening::waits:
      return "waits";
    case Happening::fails:
    case Happening::fences:
      return "fails";
    case Happening::harmless:
    case Happening::nothing:
      break;
  }
  return "harmless";
}

struct Score {
  std::string_view protocol;
  RefcountRegime regime = RefcountRegime::ref1;
  unsigned agree = 0;
  unsigned both = 0;
  std::map<std::string, std::vector<std::string>> differences;  ///< what differs: operations
};

void compare(Score& score, const litmus::Cell& engine, const CellResult& kernel_cell) {
  const std::string_view here = word_of(kernel_cell.outcome);
  if (here.empty()) return;
  const std::string_view there = word_of(litmus::happening(engine));
  ++score.both;
  if (here == there) {
    ++score.agree;
    return;
  }
  score
      .differences[fmt::format("{}: kernel {}, engine {}", kernel::info_of(kernel_cell.access).name, here,
                               there)]
      .emplace_back(kernel::info_of(kernel_cell.operation).name);
}

std::vector<Score> scores_of(const std::vector<CellResult>& cells) {
  std::vector<Score> scores;
  for (const litmus::Cell& engine : litmus::decide(litmus::scripts(), {})) {
    if (scores.empty() || scores.back().protocol != engine.protocol().name ||
        scores.back().regime != engine.regime)
      scores.push_back({engine.protocol().name, engine.regime, 0, 0, {}});
    for (const CellResult& cell : cells)
      if (engine_access(cell.access) == litmus::info_of(engine.access).name &&
          kernel::info_of(cell.operation).name == litmus::info_of(engine.operation).name)
        compare(scores.back(), engine, cell);
  }
  std::ranges::stable_sort(scores, std::ranges::greater{}, &Score::agree);
  return scores;
}

}  // namespace

std::string kernel_versus_engine(const std::vector<CellResult>& cells) {
  constexpr std::size_t kToldInFull = 2;
  const std::vector<Score> scores = scores_of(cells);
  std::string out = "\nengine protocol          refcount   cells that agree\n";
  for (const Score& score : scores)
    out += fmt::format("{:<24} {:<9} {:>3} of {}\n", score.protocol,
                       name_in(kRefcountRegimeNames, score.regime), score.agree, score.both);
  for (std::size_t i = 0; i < std::min(kToldInFull, scores.size()); ++i) {
    out += fmt::format("\n{} {} differs in\n", scores[i].protocol,
                       name_in(kRefcountRegimeNames, scores[i].regime));
    for (const auto& [what, operations] : scores[i].differences)
      out += fmt::format("  {} ({})\n", what, join(operations));
  }
  return out;
}

}  // namespace daxrace
