#include "bench/check/explore_summary.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>

#include <fmt/format.h>

#include "bench/cli/units.hpp"
#include "harness/base/text.hpp"
#include "harness/explore/story.hpp"

namespace daxrace {
namespace {

using explore::Decision;
using explore::Job;

constexpr std::size_t kMostStoryLines = 14;
constexpr std::size_t kMostBroken = 4;
constexpr std::string_view kLetters = "!FX.";  ///< of a hazard, worst first
constexpr std::size_t kNothing = 3;

std::size_t letter_at(Verdict verdict) {
  switch (verdict) {
    case Verdict::broken:
      return 0;
    case Verdict::finding:
      return 1;
    case Verdict::expected:
      return 2;
    case Verdict::kept:
    case Verdict::unseen:
    case Verdict::none:
      return kNothing;
  }
  return kNothing;
}

/// One protocol's explorations, of both refcount rules.
struct Line {
  std::string_view protocol;
  std::size_t explored = 0;
  std::array<std::size_t, explore::kFinaleNames.size()> finales{};
  std::array<std::size_t, kHazardNames.size()> letters{};
};

void add(Line& line, const Decision& decision) {
  ++line.explored;
  ++line.finales[static_cast<std::size_t>(decision.finale())];
  for (std::size_t i = 0; i < kHazardNames.size(); ++i)
    line.letters[i] = std::min(line.letters[i], letter_at(decision.verdict_of(static_cast<Hazard>(i))));
}

std::vector<Line> lines_of(const std::vector<Decision>& decisions) {
  std::vector<Line> lines;
  for (const Decision& decision : decisions) {
    const std::string_view name = decision.protocol().name;
    auto found = std::ranges::find(lines, name, &Line::protocol);
    if (found == lines.end()) {
      found = lines.insert(lines.end(), {name, 0, {}, {}});
      found->letters.fill(kNothing);
    }
    add(*found, decision);
  }
  return lines;
}

std::string line_text(const Line& line, const Paint& paint) {
  constexpr std::array<Ink, 4> kInks = {Ink::broken, Ink::finding, Ink::harm, Ink::dim};
  const auto count = [&](explore::Finale finale) { return line.finales[static_cast<std::size_t>(finale)]; };
  std::string out = fmt::format("{:<23}{:>9}{:>6}{:>10}{:>9}{:>6}{:>8} ", line.protocol, line.explored,
                                count(explore::Finale::safe), count(explore::Finale::violation),
                                count(explore::Finale::deadlock), count(explore::Finale::lost_wakeup),
                                count(explore::Finale::starvation));
  for (const std::size_t letter : line.letters) out += paint(kInks[letter], kLetters.substr(letter, 1));
  return out + '\n';
}

std::string table_text(const std::vector<Line>& lines, const Paint& paint) {
  std::string out = fmt::format("{:<23}{:>9}{:>6}{:>10}{:>9}{:>6}{:>8} {}\n", "protocol", "explored", "safe",
                                "violation", "deadlock", "lost", "starved", "12345678");
  std::size_t sampled = 0;
  for (const Line& line : lines) {
    out += line_text(line, paint);
    sampled += line.finales[static_cast<std::size_t>(explore::Finale::sampled)];
  }
  out += "Hazards 1 to 8: ! promise broken; F finding; X not promised, seen; . not seen\n";
  out += "safe: in every interleaving; lost: wake-up; starved: for ever, by the others\n";
  if (sampled != 0) out += fmt::format("{} too large to be explored whole: sampled\n", sampled);
  return out;
}

std::string replay_of(const Decision& decision) {
  const Job job{decision.script, decision.regime, decision.scenario};
  return replay_string(job, route_of(*decision.story));
}

std::string broken_text(const std::vector<Decision>& decisions, const Paint& paint) {
  std::string out;
  std::size_t count = 0;
  for (const Decision& decision : decisions) {
    if (decision.verdict != Verdict::broken || ++count > kMostBroken) continue;
    out += fmt::format("{} {} {} in {}:\n  daxrace explore --replay={}\n", paint(Ink::broken, "BROKEN"),
                       decision.protocol().name, decision.result.violated.text(), decision.scenario->name,
                       decision.story ? replay_of(decision) : "");
  }
  if (count > kMostBroken) out += fmt::format("and {} more: --tables\n", count - kMostBroken);
  return count == 0 ? paint(Ink::good, "PROMISES BROKEN: none.") + '\n' : out;
}

/// The gravest first, then those that need least.
std::vector<const Decision*> by_story(const std::vector<Decision>& decisions) {
  std::vector<const Decision*> out;
  for (const Decision& decision : decisions)
    if (decision.story && decision.story->cycle == 0) out.push_back(&decision);
  std::ranges::stable_sort(out, {}, [](const Decision* one) {
    return std::tuple(letter_at(one->verdict), one->story->preemptions, one->story->path.size());
  });
  return out;
}

bool fits(const std::vector<std::string>& lines) {
  return lines.size() <= kMostStoryLines &&
         std::ranges::all_of(lines, [](const std::string& line) { return line.size() <= kScreenColumns; });
}

/// Where no story fits: what one came to.
std::string outcome_text(const Decision& decision) {
  const Job job{decision.script, decision.regime, decision.scenario};
  const auto told = explore::tell(job, route_of(*decision.story));
  std::string out = fmt::format("{}\n", told.lines.front().substr(0, kScreenColumns));
  for (const std::string& line : told.lines)
    if (line.starts_with("  =>") && line.size() <= kScreenColumns) out += line + '\n';
  return out;
}

std::string shortest_story_text(const std::vector<Decision>& decisions) {
  constexpr std::size_t kMostTold = 100;
  const auto candidates = by_story(decisions);
  for (std::size_t i = 0; i < std::min(candidates.size(), kMostTold); ++i) {
    const Decision& decision = *candidates[i];
    const Job job{decision.script, decision.regime, decision.scenario};
    const auto told = explore::tell(job, route_of(*decision.story));
    if (!fits(told.lines)) continue;
    std::string out = "\nThe shortest story that fits here:\n";
    for (const std::string& line : told.lines) out += line + '\n';
    return out + fmt::format("  again: daxrace explore --replay={}\n", replay_of(decision));
  }
  if (candidates.empty()) return "";
  return fmt::format("\nThe shortest story:\n{}  again: daxrace explore --replay={}\n",
                     outcome_text(*candidates.front()), replay_of(*candidates.front()));
}

}  // namespace

std::string explore_progress(std::size_t done, std::size_t total, double seconds) {
  std::string out = fmt::format("{} of {} explored", done, total);
  // The first few say little of the others.
  if (done >= 10 && done < total) {
    const double left = seconds / static_cast<double>(done) * static_cast<double>(total - done);
    out += fmt::format(", about {} left", duration_text(static_cast<std::uint64_t>(left * 1e9)));
  }
  return out;
}

std::string explore_summary(const std::vector<Decision>& decisions, const Paint& paint) {
  return broken_text(decisions, paint) + '\n' + table_text(lines_of(decisions), paint) +
         shortest_story_text(decisions) +
         "\nEach exploration: daxrace explore --tables    its story: --explain\n";
}

}  // namespace daxrace
