#include "harness/results/answer/answer_words.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/duration_text.hpp"

namespace daxrace {
namespace {

std::string times(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// An access of litmus that stands for the hazard.
std::string_view access_of(std::string_view hazard) {
  constexpr std::array<std::string_view, 8> kAccesses = {
      "store", "read", "aio_write", "gup_fast", "lease_slow", "pin_refault", "fsync", "zero_page"};
  const auto found = std::ranges::find(kHazardNames, hazard);
  return found == kHazardNames.end() ? "" : kAccesses[static_cast<std::size_t>(found - kHazardNames.begin())];
}

std::string files_text(const std::vector<std::string>& files) {
  return files.empty() ? "FILE" : fmt::format("{}", fmt::join(files, " "));
}

std::string command_for(const Problem& problem, const std::vector<std::string>& files) {
  if (problem.kind != Problem::Kind::finding)
    return fmt::format("daxrace report --explain {}", files_text(files));
  const std::string first = problem.hazards.substr(0, problem.hazards.find('+'));
  return fmt::format("daxrace litmus --protocol={} --refcount={} --access={} --explain", problem.protocol,
                     problem.refcount, access_of(first));
}

// --- sentences

std::string told_text(const Answer& answer) {
  if (answer.pairs == 0) return "";
  const std::string what = column_name(answer.columns.back());
  if (answer.pairs_told == 0)
    return fmt::format("{} cannot tell their costs apart ({}).", times(answer.repetitions, "repetition"),
                       what);
  std::vector<std::string> words;
  for (const ToldApart& apart : answer.told_apart)
    words.push_back(fmt::format("{} < {}", apart.cheaper, fmt::join(apart.dearer, ", ")));
  constexpr std::size_t kMost = 3;
  const std::size_t all = words.size();
  if (all > kMost) words.resize(kMost);
  return fmt::format("Told apart ({}): {}{}; {} of {}.", what, fmt::join(words, "; "),
                     all > kMost ? "; ..." : "", answer.pairs_told, times(answer.pairs, "pair"));
}

std::string safe_text(const Answer& answer) {
  std::vector<std::string> safe;
  for (const ProtocolAnswer& one : answer.protocols)
    if (one.nothing_seen()) safe.push_back(one.protocol);
  if (safe.empty()) return "Something got through under every protocol.";
  return fmt::format("Nothing got through: {}. {}", fmt::join(safe, ", "), told_text(answer));
}

std::string hazards_seen(const ProtocolAnswer& one) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < one.outcomes.size(); ++i)
    if (one.outcomes[i] <= HazardOutcome::harm) numbers.push_back(i + 1);
  return fmt::format("{}", fmt::join(numbers, " "));
}

/// What is cheaper than the reference of the last column, and lets something through.
std::string leaking_text(const Answer& answer) {
  if (answer.columns.empty()) return "";
  std::vector<std::string> names;
  double least = 0;
  double most = 0;
  for (const ProtocolAnswer& one : answer.protocols) {
    const CostCell& cell = one.costs[answer.columns.size() - 1];
    if (one.nothing_seen() || cell.added != CostCell::Added::differs || cell.added_ns >= 0) continue;
    least = names.empty() ? cell.added_ns : std::max(least, cell.added_ns);
    most = std::min(most, cell.added_ns);
    names.push_back(fmt::format("{} ({})", one.protocol, hazards_seen(one)));
  }
  if (names.empty()) return "";
  const CostColumn& column = answer.columns.back();
  return fmt::format(
      "Cheaper than {} in {}, and it shows: {}: {}.", column.reference, column.workload,
      fmt::join(names, ", "),
      least == most ? signed_time(least) : fmt::format("{} to {}", signed_time(most), signed_time(least)));
}

std::string where_text(const Answer& answer) {
  if (!answer.where) return "";
  const MeanParts& where = *answer.where;
  std::vector<std::pair<double, std::string_view>> parts;
  for (std::size_t i = 0; i < kPhaseCount; ++i) parts.emplace_back(where.phases[i], kPhaseNames[i]);
  parts.emplace_back(where.rest(), "the rest");
  std::ranges::stable_sort(parts, std::greater<>(), [](const auto& part) { return part.first; });
  std::vector<std::string> words;
  for (const auto& [ns, name] : parts)
    if (ns >= where.total / 100) words.push_back(fmt::format("{} {}", name, scaled_time(ns)));
  const CostColumn& column = answer.columns.back();
  std::string text = fmt::format("Where a {} goes under {} (mean {}): {}", column_name(column),
                                 column.reference, scaled_time(where.total), fmt::join(words, ", "));
  const double zap = where.phases[static_cast<std::size_t>(Phase::zap)];
  if (answer.zap_of_none_ns && zap > *answer.zap_of_none_ns)
    text += fmt::format("; zap under none {}", scaled_time(*answer.zap_of_none_ns));
  return text + ".";
}

std::string response_text(const Answer& answer) {
  std::vector<std::string> words;
  for (const ResponseRange& range : answer.responses) {
    std::string text =
        fmt::format("{} {} ({})", column_name(range.of), scaled_time(range.low_ns), range.lowest);
    if (range.protocols > 1) text += fmt::format(" to {} ({})", scaled_time(range.high_ns), range.highest);
    words.push_back(std::move(text));
  }
  if (words.empty()) return "";
  return fmt::format("Response p99, from the intended start: {}.", fmt::join(words, "; "));
}

std::string story_text(const Answer& answer) {
  if (!answer.story) return "";
  std::string what = answer.story->what;
  if (!what.ends_with('.')) what += '.';
  return fmt::format("One story: {}, {}: {}", answer.story->protocol, answer.story->workload, what);
}

}  // namespace

char letter_of(HazardOutcome outcome) { return kOutcomeLetters[static_cast<std::size_t>(outcome)]; }

std::string_view name_of(HazardOutcome outcome) {
  constexpr std::array<std::string_view, 6> kNames = {"broken", "finding", "harm",
                                                      "kept",   "unseen",  "untested"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view meaning_of(HazardOutcome outcome) {
  constexpr std::array<std::string_view, 6> kMeanings = {"promise broken",
                                                         "finding: broken as a faithful model declares",
                                                         "not promised, seen",
                                                         "promised, kept",
                                                         "not promised, not seen this time",
                                                         "not put to the test"};
  return kMeanings[static_cast<std::size_t>(outcome)];
}

bool any_added(const Answer& answer, CostCell::Added added) {
  return std::ranges::any_of(answer.protocols, [&](const ProtocolAnswer& one) {
    return std::ranges::any_of(one.costs, [&](const CostCell& cell) { return cell.added == added; });
  });
}

bool any_outcome(const Answer& answer, HazardOutcome outcome) {
  return std::ranges::any_of(answer.protocols, [&](const ProtocolAnswer& one) {
    return std::ranges::find(one.outcomes, outcome) != one.outcomes.end();
  });
}

std::string column_name(const CostColumn& column) {
  if (column.alone) return column.path + " alone";
  return fmt::format("{} in {}", column.path, column.workload);
}

std::string added_text(const CostCell& cell) {
  switch (cell.added) {
    case CostCell::Added::missing:
      return "-";
    case CostCell::Added::reference:
      return "(ref)";
    case CostCell::Added::differs:
      return signed_time(cell.added_ns);
    case CostCell::Added::alike:
      return "~";
    case CostCell::Added::too_few:
      return "?";
  }
  return "";
}

std::vector<std::string> head_words(const Answer& answer) {
  std::vector<std::string> out = {
      fmt::format("{}: {}, {}, {}; {}", times(answer.episodes, "episode"),
                  times(answer.protocols.size(), "protocol"), times(answer.workloads, "workload"),
                  times(answer.repetitions, "repetition"), answer.settings),
      answer.machine};
  for (const auto& [reason, count] : answer.skipped)
    out.push_back(fmt::format("Skipped: {} ({})", times(count, "configuration"), reason));
  std::vector<std::string> reasons;
  for (const auto& [reason, count] : answer.left_out)
    if (reason != "closed load") reasons.push_back(fmt::format("{} {}", count, reason));
  if (!reasons.empty())
    out.push_back(fmt::format("Episodes that count for no cost: {}", fmt::join(reasons, ", ")));
  return out;
}

bool is_bad(const Problem& problem) { return problem.kind != Problem::Kind::finding; }

ProblemWords problem_words(const Problem& problem, const std::vector<std::string>& files) {
  constexpr std::array<std::string_view, 4> kKinds = {"BROKEN", "HANG", "ERROR", "FINDING"};
  ProblemWords words;
  words.kind = kKinds[static_cast<std::size_t>(problem.kind)];
  words.rest = fmt::format(" {}{}{} in {}, {}", problem.protocol, problem.hazards.empty() ? "" : " ",
                           problem.hazards, problem.workload, times(problem.episodes, "episode"));
  if (problem.kind == Problem::Kind::error || problem.hazards.empty()) words.rest += ": " + problem.reason;
  words.command = command_for(problem, files);
  return words;
}

std::string harm_words(std::size_t harmed, std::size_t episodes) {
  return fmt::format("Harm where nothing was promised: {} of {}.", harmed, times(episodes, "episode"));
}

std::string harmed_text(const Answer& answer) {
  std::vector<std::string> words;
  for (const ProtocolAnswer& one : answer.protocols)
    if (!one.nothing_seen()) words.push_back(fmt::format("{} ({})", one.protocol, hazards_seen(one)));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::vector<Sentence> sentences(const Answer& answer) {
  std::vector<Sentence> out = {{safe_text(answer), 0},
                               {leaking_text(answer), 4},
                               {where_text(answer), 3},
                               {response_text(answer), 2},
                               {story_text(answer), 1}};
  std::erase_if(out, [](const Sentence& one) { return one.text.empty(); });
  return out;
}

}  // namespace daxrace
