#include "harness/results/answer/answer_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/duration_text.hpp"
#include "harness/base/text.hpp"
#include "harness/results/answer/answer_words.hpp"

namespace daxrace {
namespace {

using Lines = std::vector<std::string>;

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

// --- what was run, and what went wrong

Lines head(const Answer& answer, std::size_t columns) {
  Lines lines;
  for (const std::string& words : head_words(answer)) append(lines, wrapped(words, columns));
  return lines;
}

Lines problem_lines(const Problem& problem, const AnswerTextOptions& options) {
  const ProblemWords words = problem_words(problem, options.files);
  Lines lines = wrapped(fmt::format("{}{}", words.kind, words.rest), options.columns, 4);
  if (lines.size() > 2) lines.resize(2);
  const Ink ink = is_bad(problem) ? Ink::broken : Ink::finding;
  lines.front().replace(0, words.kind.size(), options.paint(ink, words.kind));
  lines.push_back("    " + shown_text(words.command));
  return lines;
}

Lines promise_lines(const Answer& answer, const AnswerTextOptions& options, std::size_t room) {
  const bool bad = std::ranges::any_of(answer.problems, is_bad);
  const std::string harm = harm_words(answer.harmed, answer.episodes);
  Lines lines;
  if (!bad) lines.push_back(options.paint(Ink::good, kNoPromiseBroken) + "  " + harm);
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
  if (bad) lines.push_back(harm);
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
  std::vector<std::string> words;
  for (std::size_t i = 0; i < kOutcomeLetters.size(); ++i) {
    const auto outcome = static_cast<HazardOutcome>(i);
    if (any_outcome(answer, outcome))
      words.push_back(fmt::format("{} {}", letter_of(outcome), meaning_of(outcome)));
  }
  if (any_added(answer, CostCell::Added::alike)) words.emplace_back("~ cannot be told from (ref), 95 %");
  if (any_added(answer, CostCell::Added::too_few))
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

Lines next(const AnswerTextOptions& options) {
  Lines lines = {fmt::format("{}  daxrace litmus", kNotSeenIsNotSafe)};
  for (const std::string& file : options.files) lines.push_back(shown_text(file));
  if (options.files.size() > 4) lines = {lines.front(), fmt::format("{} files", options.files.size())};
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
  for (const Sentence& sentence : sentences(answer))
    parts.push_back({wrapped(sentence.text, options.columns), sentence.rank});
  parts.push_back({{""}});
  parts.push_back({last});
  drop_until(parts, kScreenLines);
  return joined(parts);
}

}  // namespace daxrace
