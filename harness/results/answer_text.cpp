#include "harness/results/answer_text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/duration_text.hpp"
#include "harness/base/text.hpp"

namespace daxrace {
namespace {

using Lines = std::vector<std::string>;

std::string times(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// Words in lines of at most `columns`; all but the first begin with `indent` blanks.
Lines laid_out(std::string_view text, std::size_t columns, std::size_t indent) {
  Lines out;
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    const bool fresh = line.find_first_not_of(' ') == std::string::npos;
    if (!fresh && columns_of(line) + 1 + columns_of(word) > columns) {
      out.push_back(line);
      line = std::string(indent, ' ');
    } else if (!fresh) {
      line += ' ';
    }
    line += word;
  }
  if (!line.empty()) out.push_back(line);
  return out;
}

Lines wrapped(std::string_view text, std::size_t columns, std::size_t indent = 2) {
  return laid_out(shown_text(text), columns, indent);
}

void append(Lines& lines, Lines more) {
  for (std::string& line : more) lines.push_back(std::move(line));
}

Ink ink_of(HazardOutcome outcome) {
  switch (outcome) {
    case HazardOutcome::broken:
      return Ink::broken;
    case HazardOutcome::finding:
      return Ink::finding;
    case HazardOutcome::harm:
      return Ink::harm;
    case HazardOutcome::kept:
      return Ink::good;
    case HazardOutcome::unseen:
    case HazardOutcome::untested:
      return Ink::dim;
  }
  return Ink::plain;
}

char letter_of(HazardOutcome outcome) { return kOutcomeLetters[static_cast<std::size_t>(outcome)]; }

std::string column_name(const CostColumn& column) {
  if (column.alone) return column.path + " alone";
  return fmt::format("{} in {}", column.path, column.workload);
}

// --- what was run, and what went wrong

Lines head(const Answer& answer, std::size_t columns) {
  Lines lines =
      wrapped(fmt::format("{}: {}, {}, {}; {}", times(answer.episodes, "episode"),
                          times(answer.protocols.size(), "protocol"), times(answer.workloads, "workload"),
                          times(answer.repetitions, "repetition"), answer.settings),
              columns);
  append(lines, wrapped(answer.machine, columns));
  for (const auto& [reason, count] : answer.skipped)
    append(lines, wrapped(fmt::format("Skipped: {} ({})", times(count, "configuration"), reason), columns));
  std::vector<std::string> reasons;
  for (const auto& [reason, count] : answer.left_out)
    if (reason != "closed load") reasons.push_back(fmt::format("{} {}", count, reason));
  if (!reasons.empty())
    append(lines,
           wrapped(fmt::format("Episodes that count for no cost: {}", fmt::join(reasons, ", ")), columns));
  return lines;
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

std::string told_by(const Problem& problem, const std::vector<std::string>& files) {
  if (problem.kind != Problem::Kind::finding)
    return fmt::format("daxrace report --explain {}", files_text(files));
  const std::string first = problem.hazards.substr(0, problem.hazards.find('+'));
  return fmt::format("daxrace litmus --protocol={} --refcount={} --access={} --explain", problem.protocol,
                     problem.refcount, access_of(first));
}

Lines problem_lines(const Problem& problem, const AnswerTextOptions& options) {
  constexpr std::array<std::string_view, 4> kWords = {"BROKEN", "HANG", "ERROR", "FINDING"};
  const std::string_view word = kWords[static_cast<std::size_t>(problem.kind)];
  std::string text =
      fmt::format("{} {}{}{} in {}, {}", word, problem.protocol, problem.hazards.empty() ? "" : " ",
                  problem.hazards, problem.workload, times(problem.episodes, "episode"));
  if (problem.kind == Problem::Kind::error || problem.hazards.empty()) text += ": " + problem.reason;
  Lines lines = wrapped(text, options.columns, 4);
  if (lines.size() > 2) lines.resize(2);
  const Ink ink = problem.kind == Problem::Kind::finding ? Ink::finding : Ink::broken;
  lines.front().replace(0, word.size(), options.paint(ink, word));
  lines.push_back("    " + shown_text(told_by(problem, options.files)));
  return lines;
}

Lines promise_lines(const Answer& answer, const AnswerTextOptions& options, std::size_t room) {
  const auto bad = std::ranges::count_if(
      answer.problems, [](const Problem& one) { return one.kind != Problem::Kind::finding; });
  const std::string harm = fmt::format("Harm where nothing was promised: {} of {}.", answer.harmed,
                                       times(answer.episodes, "episode"));
  const std::string none = "PROMISES BROKEN: none.";
  Lines lines;
  if (bad == 0) lines.push_back(options.paint(Ink::good, none) + "  " + harm);
  std::size_t shown = 0;
  for (const Problem& problem : answer.problems) {
    Lines more = problem_lines(problem, options);
    if (shown > 0 && lines.size() + more.size() + 2 > room) break;
    append(lines, std::move(more));
    ++shown;
  }
  if (shown < answer.problems.size())
    lines.push_back(
        fmt::format("  and {} more: daxrace report --format=text --tables", answer.problems.size() - shown));
  if (bad != 0) lines.push_back(harm);
  return lines;
}

// --- a row a protocol

struct Widths {
  std::size_t protocol = 8;
  std::size_t harm = 4;
};

Widths widths_of(const Answer& answer) {
  Widths widths;
  for (const ProtocolAnswer& one : answer.protocols) {
    widths.protocol = std::max(widths.protocol, one.protocol.size());
    widths.harm = std::max(widths.harm, fmt::format("{}/{}", one.harmed, one.episodes).size());
  }
  return widths;
}

std::string trimmed(std::string line) {
  line.resize(line.find_last_not_of(' ') + 1);
  return line;
}

Lines table_head(const Answer& answer, const Widths& widths) {
  std::string above = fmt::format("{:<{}} hazards  {:<{}}", "", widths.protocol, "harm", widths.harm);
  std::string below = fmt::format("{:<{}} 12345678 {:<{}}", "protocol", widths.protocol, "seen", widths.harm);
  for (const CostColumn& column : answer.columns) {
    above += fmt::format(" {:<15.15}", column_name(column));
    below += fmt::format(" {:<6} {:<8}", "p50", "added");
  }
  return {trimmed(above + " worst"), trimmed(below + " wait")};
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

std::string protocol_line(const ProtocolAnswer& one, std::size_t columns, const Widths& widths,
                          const Paint& paint) {
  std::string line = fmt::format("{:<{}} ", one.protocol, widths.protocol);
  for (const HazardOutcome outcome : one.outcomes)
    line += paint(ink_of(outcome), std::string(1, letter_of(outcome)));
  const std::string harm = fmt::format("{}/{}", one.harmed, one.episodes);
  line +=
      fmt::format(" {}{:{}}", one.harmed == 0 ? harm : paint(Ink::harm, harm), "", widths.harm - harm.size());
  for (std::size_t i = 0; i < columns; ++i) {
    const CostCell& cell = one.costs[i];
    line += fmt::format(" {:<6} {:<8}", cell.p50_ns ? scaled_time(static_cast<double>(*cell.p50_ns)) : "-",
                        added_text(cell));
  }
  line += ' ' + (one.worst_wait_ns ? scaled_time(static_cast<double>(*one.worst_wait_ns)) : "-");
  return line;
}

bool any_cell(const Answer& answer, CostCell::Added kind) {
  return std::ranges::any_of(answer.protocols, [&](const ProtocolAnswer& one) {
    return std::ranges::any_of(one.costs, [&](const CostCell& cell) { return cell.added == kind; });
  });
}

bool any_outcome(const Answer& answer, HazardOutcome outcome) {
  return std::ranges::any_of(answer.protocols, [&](const ProtocolAnswer& one) {
    return std::ranges::find(one.outcomes, outcome) != one.outcomes.end();
  });
}

/// Items in lines of at most `columns`, none of them broken.
Lines listed(std::string_view first, const std::vector<std::string>& items, std::size_t columns) {
  constexpr char kKeep = '\x01';
  std::string text(first);
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::string item = items[i] + (i + 1 < items.size() ? ";" : "");
    std::ranges::replace(item, ' ', kKeep);
    text += (text.empty() ? "" : " ") + item;
  }
  Lines lines = laid_out(text, columns, 2);
  for (std::string& line : lines) std::ranges::replace(line, kKeep, ' ');
  return lines;
}

/// Only what is in the table.
Lines legend(const Answer& answer, std::size_t columns) {
  constexpr std::array<std::string_view, 6> kMeanings = {"promise broken",
                                                         "finding: broken as a faithful model declares",
                                                         "not promised, seen",
                                                         "promised, kept",
                                                         "not promised, not seen this time",
                                                         "not put to the test"};
  std::vector<std::string> words;
  for (std::size_t i = 0; i < kMeanings.size(); ++i)
    if (any_outcome(answer, static_cast<HazardOutcome>(i)))
      words.push_back(fmt::format("{} {}", kOutcomeLetters[i], kMeanings[i]));
  if (any_cell(answer, CostCell::Added::alike)) words.emplace_back("~ cannot be told from (ref), 95 %");
  if (any_cell(answer, CostCell::Added::too_few))
    words.push_back(fmt::format("? below {} repetitions", kMinForInterval));
  return listed("Letters:", words, columns);
}

Lines hazard_legend(std::size_t columns) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < kHazardNames.size(); ++i)
    words.push_back(fmt::format("{} {}", i + 1, kHazardMeanings[i]));
  return listed("Hazards:", words, columns);
}

Lines table(const Answer& answer, const AnswerTextOptions& options) {
  const Widths widths = widths_of(answer);
  Lines lines = table_head(answer, widths);
  for (const ProtocolAnswer& one : answer.protocols)
    lines.push_back(protocol_line(one, answer.columns.size(), widths, options.paint));
  append(lines, legend(answer, options.columns));
  return lines;
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

std::string hazards_harmed(const ProtocolAnswer& one) {
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
    names.push_back(fmt::format("{} ({})", one.protocol, hazards_harmed(one)));
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

Lines next(const AnswerTextOptions& options) {
  const std::string files = files_text(options.files);
  Lines lines = {"Not seen is not safe. All hazards, decided, in a second:  daxrace litmus"};
  for (const std::string& file : options.files) lines.push_back(file);
  if (options.files.size() > 4) lines = {lines.front(), times(options.files.size(), "file")};
  lines.emplace_back("A page with plots: daxrace report FILE    every violation: --explain");
  lines.emplace_back("All tables: daxrace report --format=text --tables FILE");
  return lines;
}

/// Lines that stand together, and which of them go first where there is no room: the highest.
struct Part {
  Lines lines;
  unsigned rank = 0;
};

std::size_t size_of(const std::vector<Part>& parts) {
  std::size_t size = 0;
  for (const Part& part : parts) size += part.lines.size();
  return size;
}

void drop_until(std::vector<Part>& parts, std::size_t room) {
  while (size_of(parts) > room) {
    const auto least = std::ranges::max_element(parts, {}, &Part::rank);
    if (least == parts.end() || least->rank == 0) return;
    parts.erase(least);
  }
}

std::string joined(const std::vector<Part>& parts) {
  std::string out;
  for (const Part& part : parts)
    for (const std::string& line : part.lines) out += line + '\n';
  return out;
}

std::vector<Part> sentences(const Answer& answer, std::size_t columns) {
  std::vector<Part> parts;
  const std::vector<std::pair<std::string, unsigned>> texts = {{safe_text(answer), 0},
                                                               {leaking_text(answer), 4},
                                                               {where_text(answer), 3},
                                                               {response_text(answer), 2},
                                                               {story_text(answer), 1}};
  for (const auto& [text, rank] : texts)
    if (!text.empty()) parts.push_back({wrapped(text, columns), rank});
  return parts;
}

}  // namespace

std::string answer_text(const Answer& answer, const AnswerTextOptions& options) {
  std::vector<Part> parts;
  parts.push_back({head(answer, options.columns)});
  parts.push_back({{""}});
  Lines rows = table(answer, options);
  const Lines last = next(options);
  const std::size_t fixed = parts.front().lines.size() + rows.size() + last.size() + 4 + 2;
  const std::size_t room = kScreenLines > fixed + 4 ? kScreenLines - fixed : 4;
  parts.push_back({promise_lines(answer, options, room)});
  parts.push_back({{""}});
  parts.push_back({std::move(rows)});
  parts.push_back({hazard_legend(options.columns), 5});
  if (!answer.shown_settings.empty())
    parts.push_back(
        {wrapped(fmt::format("  Costs are of {}; all: --tables", fmt::join(answer.shown_settings, " ")),
                 options.columns)});
  parts.push_back({{""}});
  for (Part& part : sentences(answer, options.columns)) parts.push_back(std::move(part));
  parts.push_back({{""}});
  parts.push_back({last});
  drop_until(parts, kScreenLines);
  return joined(parts);
}

}  // namespace daxrace
