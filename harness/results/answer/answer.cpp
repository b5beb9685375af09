#include "harness/results/answer/answer.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/results/answer/answer_costs.hpp"
#include "harness/results/exclusion.hpp"

namespace daxrace {
namespace {

bool is(const Row& row, Verdict verdict) { return row.verdict == name_in(kVerdictNames, verdict); }

/// The hazards of `H1+H4`.
Hazards parse_hazards(const std::string& text) {
  Hazards set;
  for (std::size_t i = 0; i < kHazardNames.size(); ++i)
    if (("+" + text + "+").find(fmt::format("+{}+", kHazardNames[i])) != std::string::npos)
      set.add(static_cast<Hazard>(i));
  return set;
}

Hazards both(Hazards one, Hazards other) {
  return Hazards::from_bits(static_cast<std::uint8_t>(one.bits() | other.bits()));
}

std::optional<Path> path_of(const std::string& name) {
  const auto found = std::ranges::find(kPathNames, name);
  if (found == kPathNames.end()) return std::nullopt;
  return static_cast<Path>(found - kPathNames.begin());
}

bool changes_layout(Path path) {
  switch (path) {
    case Path::evict:
    case Path::punch:
    case Path::zero:
    case Path::collapse:
    case Path::insert:
    case Path::truncate_down:
      return true;
    default:
      return false;
  }
}

/// What an access of that path puts to the test when the layout changes under it.
Hazards tested_by(Path path) {
  switch (path) {
    case Path::fault:
    case Path::load:
      return Hazards(Hazard::h1, Hazard::h8);
    case Path::store:
      return Hazards(Hazard::h1);
    case Path::read:
      return Hazards(Hazard::h2, Hazard::h8);
    case Path::write:
      return Hazards(Hazard::h2);
    case Path::aio_read:
    case Path::aio_write:
      return Hazards(Hazard::h3);
    case Path::gup_fast:
    case Path::gup_slow:
      return Hazards(Hazard::h4);
    case Path::lease:
      return Hazards(Hazard::h5);
    case Path::fsync:
      return Hazards(Hazard::h7);
    default:
      return {};
  }
}

/// An episode: its row `all`, and what its other rows say.
struct EpisodeRows {
  const Row* all = nullptr;
  Hazards accesses;
  bool layout_changes = false;
  std::uint64_t worst_wait_ns = 0;
};

std::string episode_key(const Row& row) {
  return fmt::format("{}|{}|{}", key_of(row, {"path"}), row.run_id, row.repetition.value_or(0));
}

std::vector<EpisodeRows> episodes_of(const std::vector<Row>& rows) {
  std::map<std::string, EpisodeRows> found;
  for (const Row& row : rows) {
    if (end_of(row).skipped()) continue;
    EpisodeRows& episode = found[episode_key(row)];
    if (row.path == kAllPaths) episode.all = &row;
    const auto path = path_of(row.path);
    if (!path || row.ops.value_or(0) == 0) continue;
    episode.accesses = both(episode.accesses, tested_by(*path));
    if (!changes_layout(*path)) continue;
    episode.layout_changes = true;
    episode.worst_wait_ns = std::max(episode.worst_wait_ns, row.wait_max_ns.value_or(0));
  }
  std::vector<EpisodeRows> out;
  for (const auto& [key, episode] : found)
    if (episode.all != nullptr) out.push_back(episode);
  return out;
}

/// Where each worker keeps to pages of its own, nothing meets.
Hazards tested_in(const EpisodeRows& episode, const TableOptions& options) {
  if (!episode.layout_changes || options.uncontended(episode.all->workload)) return {};
  Hazards tested = episode.accesses;
  if (!tested.empty()) tested.add(Hazard::h6);
  return tested;
}

// --- a row a protocol

void note_outcomes(ProtocolAnswer& answer, const EpisodeRows& episode, const TableOptions& options) {
  const Row& row = *episode.all;
  const Hazards promised = parse_hazards(row.promises);
  const Hazards violated = parse_hazards(row.violated);
  const Hazards tested = tested_in(episode, options);
  for (std::size_t i = 0; i < kHazardNames.size(); ++i) {
    const auto hazard = static_cast<Hazard>(i);
    HazardOutcome outcome = HazardOutcome::untested;
    if (violated.has(hazard)) {
      outcome = !promised.has(hazard)       ? HazardOutcome::harm
                : is(row, Verdict::finding) ? HazardOutcome::finding
                                            : HazardOutcome::broken;
    } else if (tested.has(hazard) && row.verdict != name_in(kVerdictNames, Verdict::none)) {
      outcome = promised.has(hazard) ? HazardOutcome::kept : HazardOutcome::unseen;
    } else if (tested.has(hazard) && promised.empty()) {
      outcome = HazardOutcome::unseen;
    }
    answer.outcomes[i] = std::min(answer.outcomes[i], outcome);
  }
}

bool did_harm(const Row& row) { return !row.violated.empty() || is(row, Verdict::broken); }

ProtocolAnswer protocol_answer(const std::string& protocol, const std::vector<EpisodeRows>& episodes,
                               const TableOptions& options) {
  ProtocolAnswer answer;
  answer.protocol = protocol;
  answer.outcomes.fill(HazardOutcome::untested);
  for (const EpisodeRows& episode : episodes) {
    if (episode.all->protocol != protocol) continue;
    ++answer.episodes;
    if (did_harm(*episode.all)) ++answer.harmed;
    note_outcomes(answer, episode, options);
    // A closed load waits for its own queue.
    if (episode.worst_wait_ns != 0 && cost_exclusion(*episode.all).empty())
      answer.worst_wait_ns = std::max(answer.worst_wait_ns.value_or(0), episode.worst_wait_ns);
  }
  return answer;
}

std::vector<std::string> protocols_of(const std::vector<Row>& rows, const TableOptions& options) {
  std::set<std::string> names;
  for (const Row& row : rows) names.insert(row.protocol);
  std::vector<std::string> out(names.begin(), names.end());
  std::ranges::stable_sort(out, {}, [&](const std::string& name) {
    return std::ranges::find(options.protocol_order, name) - options.protocol_order.begin();
  });
  return out;
}

// --- problems

std::optional<Problem::Kind> problem_kind(const Row& row) {
  const EpisodeEnd end = end_of(row);
  if (end.broken() && !end.hung()) return Problem::Kind::broken;
  if (is(row, Verdict::finding)) return Problem::Kind::finding;
  if (end.hung()) return Problem::Kind::hang;
  if (end.failed()) return Problem::Kind::error;
  return std::nullopt;
}

std::vector<Problem> problems_of(const std::vector<EpisodeRows>& episodes) {
  std::map<std::tuple<Problem::Kind, std::string, std::string, std::string, std::string>, Problem> found;
  for (const EpisodeRows& episode : episodes) {
    const Row& row = *episode.all;
    const auto kind = problem_kind(row);
    if (!kind) continue;
    std::string hazards = (parse_hazards(row.promises) & parse_hazards(row.violated)).text();
    if (hazards.empty() && row.leak.value_or(0) != 0) hazards = "leak";
    Problem& problem = found[{*kind, row.protocol, row.workload, row.refcount_regime, hazards}];
    ++problem.episodes;
    problem.kind = *kind;
    problem.protocol = row.protocol;
    problem.workload = row.workload;
    problem.refcount = row.refcount_regime;
    problem.hazards = hazards;
    if (problem.reason.empty()) problem.reason = row.reason;
  }
  std::vector<Problem> out;
  for (auto& [key, problem] : found) out.push_back(std::move(problem));
  return out;
}

// --- one story

int gravity(const Row& row) {
  if (is(row, Verdict::broken)) return 0;
  return is(row, Verdict::finding) ? 1 : 2;
}

std::string seen_in(const Row& row) {
  const std::array<Row::Count, kDetectorNames.size()> seen = {
      row.freed_busy, row.stale_access, row.corruption, row.misplaced,
      row.stale_data, row.unflushed,    row.leak};
  std::vector<std::string> words;
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i].value_or(0) != 0) words.push_back(fmt::format("{} {}", *seen[i], kDetectorNames[i]));
  return fmt::format("{} ({})", row.violated, fmt::join(words, ", "));
}

/// Of the gravest episode; another file's data in its own is what everybody understands.
std::optional<RunStory> story_of(const std::vector<EpisodeRows>& episodes,
                                 const std::vector<RunStory>& stories) {
  const Row* gravest = nullptr;
  for (const EpisodeRows& episode : episodes)
    if (did_harm(*episode.all) && (gravest == nullptr || gravity(*episode.all) < gravity(*gravest)))
      gravest = episode.all;
  if (gravest == nullptr) return std::nullopt;
  const RunStory* best = nullptr;
  for (const RunStory& story : stories) {
    const bool same = story.protocol == gravest->protocol && story.workload == gravest->workload;
    if (gravity(*gravest) < 2 && !same) continue;
    const bool corrupts = story.what.starts_with(name_in(kDetectorNames, Detector::corruption));
    if (best == nullptr ||
        (corrupts && !best->what.starts_with(name_in(kDetectorNames, Detector::corruption))))
      best = &story;
  }
  if (best != nullptr) return *best;
  return RunStory{gravest->protocol, gravest->workload, seen_in(*gravest)};
}

// --- the whole

/// `memory, frames of 4096 bytes, ref1`: of each column all values.
std::string settings_of(const std::vector<EpisodeRows>& episodes) {
  std::set<std::string> backings, frames, regimes;
  for (const EpisodeRows& episode : episodes) {
    const Row& row = *episode.all;
    backings.insert(row.fs.empty() || row.backing == name_in(kBackingNames, Backing::memory)
                        ? row.backing
                        : row.backing + " on " + row.fs);
    if (row.frame_bytes)
      frames.insert(*row.frame_bytes % 1024 == 0 ? fmt::format("{}K", *row.frame_bytes / 1024)
                                                 : fmt::format("{}", *row.frame_bytes));
    if (!row.refcount_regime.empty()) regimes.insert(row.refcount_regime);
  }
  std::string out = fmt::format("{} {}", fmt::join(backings, "+"), fmt::join(frames, "+"));
  if (!regimes.empty()) out += fmt::format(", {}", fmt::join(regimes, "+"));
  return out;
}

void count(Answer& answer, const std::vector<EpisodeRows>& episodes) {
  std::set<std::string> workloads;
  std::map<std::string, std::size_t> repetitions;
  for (const EpisodeRows& episode : episodes) {
    const Row& row = *episode.all;
    workloads.insert(row.workload);
    answer.repetitions = std::max(answer.repetitions, ++repetitions[key_of(row, {"path"})]);
    if (did_harm(row) && gravity(row) == 2) ++answer.harmed;
  }
  answer.episodes = episodes.size();
  answer.workloads = workloads.size();
}

}  // namespace

std::string machine_of(const Row& row) {
  const auto or_unknown = [](const std::string& text) { return text.empty() ? "unknown" : text; };
  return fmt::format("{}, {}{}, kernel {}, daxrace {}", or_unknown(row.host), or_unknown(row.cpu),
                     row.emulated.empty() ? "" : fmt::format(" ({})", row.emulated), or_unknown(row.kernel),
                     or_unknown(row.git_commit));
}

Answer answer_of(const std::vector<Row>& rows, const TableOptions& options,
                 const std::vector<RunStory>& stories) {
  return answer_of(rows, summarize_results(rows, options), options, stories);
}

Answer answer_of(const std::vector<Row>& rows, const ResultSummary& summary, const TableOptions& options,
                 const std::vector<RunStory>& stories) {
  Answer answer;
  const std::vector<EpisodeRows> episodes = episodes_of(rows);
  if (!rows.empty()) answer.machine = machine_of(rows.front());
  answer.settings = settings_of(episodes);
  count(answer, episodes);
  answer.problems = problems_of(episodes);
  for (const std::string& protocol : protocols_of(rows, options)) {
    ProtocolAnswer one = protocol_answer(protocol, episodes, options);
    if (one.episodes > 0) answer.protocols.push_back(std::move(one));
  }
  add_costs(answer, summary, options);
  answer.story = story_of(episodes, stories);
  answer.left_out = summary.left_out;
  answer.skipped = summary.skipped;
  return answer;
}

}  // namespace daxrace
