#include "harness/results/result_set.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include "harness/base/error.hpp"
#include "harness/base/split.hpp"

namespace daxrace {
namespace {

namespace fs = std::filesystem;

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

/// As field_text, into a text that is there already: it is done for every row.
void append_field(std::string& out, const Row& row, const Column& column) {
  switch (column.member.index()) {
    case 0:
      out += row.*std::get<0>(column.member);
      break;
    case 1:
      if (const auto& value = row.*std::get<1>(column.member)) append_number(out, *value);
      break;
    case 2:
      if (const auto& value = row.*std::get<2>(column.member)) append_number(out, *value);
      break;
    default:
      if (const auto& value = row.*std::get<3>(column.member)) out += *value ? '1' : '0';
  }
}

auto episode_key(const auto& row) { return std::tuple(row.config, row.run, row.repetition); }
auto row_key(const EpisodeOutcome& row) { return std::tuple(row.config, 0U, row.run, row.repetition); }
auto row_key(const Measurement& row) { return std::tuple(row.config, row.path, row.run, row.repetition); }

template <class Rows>
void sort_by_key(Rows& rows) {
  std::ranges::sort(rows, {}, [](const auto& row) { return row_key(row); });
}

void add_directory(const std::string& word, std::vector<std::string>& out) {
  std::vector<std::string> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(word, failed)) {
    if (entry.path().extension() == ".csv" && !entry.is_directory()) found.push_back(entry.path());
  }
  if (failed) throw Error(fmt::format("{}: cannot be read: {}", word, failed.message()));
  if (found.empty()) throw Error(fmt::format("{}: no .csv file in this directory", word));
  std::ranges::sort(found);
  out.insert(out.end(), found.begin(), found.end());
}

bool add_matches(const std::string& word, std::vector<std::string>& out) {
  glob_t matches{};
  const bool found = glob(word.c_str(), 0, nullptr, &matches) == 0;
  for (std::size_t i = 0; found && i < matches.gl_pathc; ++i) out.emplace_back(matches.gl_pathv[i]);
  globfree(&matches);
  return found;
}

using FileIdentity = std::pair<dev_t, ino_t>;

/// A file by whatever name. What cannot be asked is told apart by nothing, and reading it says why.
std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileIdentity{info.st_dev, info.st_ino};
}

void refuse_repeated_files(const std::vector<std::string>& files) {
  std::map<FileIdentity, std::string> given;
  for (const std::string& file : files) {
    const auto identity = identity_of(file);
    if (!identity) continue;
    const auto [first, is_new] = given.emplace(*identity, file);
    if (is_new) continue;
    throw Error(first->second == file ? fmt::format("{}: is given twice", file)
                                      : fmt::format("{}: is given twice, also as {}", file, first->second));
  }
}

[[noreturn]] void refuse_row(const std::string& second, const std::string& first) {
  throw Error(
      fmt::format("{}: the same run, configuration and repetition as {}: was a file given or written twice?",
                  second, first));
}

/// What makes two rows one: everything by which rows are told apart, across sets that number it differently.
std::string row_text(const ResultSet& set, const auto& row, std::string_view path) {
  return fmt::format("{}\n{}\n{}\n{}", set.runs()[row.run].run_id, row.repetition, path,
                     set.configs()[row.config]);
}

}  // namespace

std::uint32_t ResultSet::Texts::number_of(std::string_view text) {
  if (last < texts.size() && texts[last] == text) return last;
  if (const auto found = known.find(text); found != known.end()) return last = found->second;
  last = static_cast<std::uint32_t>(texts.size());
  texts.push_back(kept.emplace_back(text));
  known.emplace(texts.back(), last);
  return last;
}

std::string_view ResultSet::Arena::keep(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > kBlock - used_) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(std::max(kBlock, text.size())));
    used_ = 0;
  }
  char* const place = blocks_.back().get() + used_;
  std::memcpy(place, text.data(), text.size());
  used_ = std::min(kBlock, used_ + text.size());
  return {place, text.size()};
}

std::vector<const Column*> config_columns(const std::vector<std::string_view>& without) {
  std::vector<const Column*> out;
  for (const Column& column : kColumns) {
    if (column.is_key && column.name != "path" && std::ranges::find(without, column.name) == without.end())
      out.push_back(&column);
  }
  return out;
}

std::vector<std::string_view> config_fields(std::string_view config) { return split_at('\0', config); }

ResultSet::ResultSet(const std::vector<std::string_view>& without) : key_columns_(config_columns(without)) {
  reasons_.number_of("");
}

void ResultSet::begin_file(const std::string& path) { files_.push_back(path); }

std::size_t ResultSet::read(const std::string& path) {
  begin_file(path);
  return scan_csv(path, [&](const Row& row, std::size_t line) { add(row, line); });
}

void ResultSet::set_key_text(const Row& row) {
  key_text_.clear();
  for (const Column* column : key_columns_) {
    if (!key_text_.empty() || column != key_columns_.front()) key_text_ += '\0';
    append_field(key_text_, row, *column);
  }
}

std::uint32_t ResultSet::run_of(const Row& row) {
  const std::uint32_t number = run_keys_.number_of(row.run_id);
  if (number == runs_.size()) {
    runs_.push_back({row.run_id, row.git_commit, row.time_utc, row.host, row.cpu, row.kernel, row.emulated,
                     row.target, static_cast<std::uint32_t>(files_.size() - 1)});
  }
  return number;
}

void ResultSet::add(const Row& row, std::size_t line) {
  const RowPlace place{static_cast<std::uint32_t>(files_.size() - 1), static_cast<std::uint32_t>(line)};
  if (row.path.empty() || row.protocol.empty() || row.workload.empty())
    throw Error(fmt::format("{}: a row without {}: nothing can be compared with it", place_text(place),
                            row.path.empty()       ? "path"
                            : row.protocol.empty() ? "protocol"
                                                   : "workload"));
  set_key_text(row);
  const std::uint32_t config = configs_.number_of(key_text_);
  const auto repetition = static_cast<std::uint32_t>(row.repetition.value_or(0));
  if (row.path == kAllPaths) {
    EpisodeOutcome episode;
    episode.config = config;
    episode.run = run_of(row);
    episode.repetition = repetition;
    episode.place = place;
    add_episode(row, episode);
    return;
  }
  Measurement measured;
  measured.config = config;
  measured.path = paths_.number_of(row.path);
  measured.run = run_of(row);
  measured.repetition = repetition;
  measured.place = place;
  measured.p50_ns = row.lat_p50_ns.value_or(Measurement::kAbsent);
  measured.p99_ns = row.lat_p99_ns.value_or(Measurement::kAbsent);
  if (row.ops_per_s) measured.ops_per_s = *row.ops_per_s;
  measured.lat_hist = histograms_.keep(row.lat_hist);
  measurements_.push_back(measured);
}

void ResultSet::add_episode(const Row& row, EpisodeOutcome episode) {
  episode.verdict = reasons_.number_of(row.verdict);
  episode.status = reasons_.number_of(row.status);
  episode.reason = reasons_.number_of(row.reason);
  episode.violated = reasons_.number_of(row.violated);
  episode.no_latency = reasons_.number_of(cost_exclusion(row));
  episode.no_throughput = reasons_.number_of(throughput_exclusion(row));
  episodes_.push_back(episode);
}

/// Runs in the order in which they started, whatever the order of the files.
void ResultSet::order_runs() {
  std::vector<std::uint32_t> order(runs_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {},
                           [&](std::uint32_t i) { return std::tie(runs_[i].time_utc, runs_[i].run_id); });
  std::vector<std::uint32_t> place_of(runs_.size());
  std::vector<RunColumns> sorted;
  for (const std::uint32_t i : order) {
    place_of[i] = static_cast<std::uint32_t>(sorted.size());
    sorted.push_back(std::move(runs_[i]));
  }
  runs_ = std::move(sorted);
  for (Measurement& row : measurements_) row.run = place_of[row.run];
  for (EpisodeOutcome& row : episodes_) row.run = place_of[row.run];
}

void ResultSet::finish() {
  order_runs();
  sort_by_key(measurements_);
  sort_by_key(episodes_);
  refuse_duplicates();
  join_episodes();
}

void ResultSet::refuse_duplicates() const {
  const auto refuse = [&](const auto& rows) {
    const auto twice = std::ranges::adjacent_find(
        rows, [](const auto& one, const auto& next) { return row_key(one) == row_key(next); });
    if (twice == rows.end()) return;
    const auto [first, second] =
        std::minmax(*twice, *std::next(twice), [](const auto& one, const auto& other) {
          return std::tie(one.place.file, one.place.line) < std::tie(other.place.file, other.place.line);
        });
    refuse_row(place_text(second.place), place_text(first.place));
  };
  refuse(measurements_);
  refuse(episodes_);
}

void ResultSet::join_episodes() {
  const std::uint32_t unfinished = reasons_.number_of(kUnfinished);
  std::vector<std::uint32_t> first(configs_.texts.size() + 1);
  for (const EpisodeOutcome& episode : episodes_) ++first[episode.config + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  for (Measurement& row : measurements_) {
    const auto begin = episodes_.begin() + first[row.config];
    const auto end = episodes_.begin() + first[row.config + 1];
    const auto found =
        std::lower_bound(begin, end, row, [](const EpisodeOutcome& one, const Measurement& other) {
          return episode_key(one) < episode_key(other);
        });
    const bool known = found != end && episode_key(*found) == episode_key(row);
    row.no_latency = known ? found->no_latency : unfinished;
    row.no_throughput = known ? found->no_throughput : unfinished;
  }
}

std::vector<MeasurementGroup> ResultSet::groups() const {
  std::vector<MeasurementGroup> out;
  for (auto begin = measurements_.begin(); begin != measurements_.end();) {
    const auto end = std::find_if(begin, measurements_.end(), [&](const Measurement& row) {
      return row.config != begin->config || row.path != begin->path;
    });
    out.push_back({begin->config, begin->path, std::span(begin, end)});
    begin = end;
  }
  return out;
}

Histogram ResultSet::merged(std::span<const Measurement> rows) const {
  Histogram out;
  for (const Measurement& row : rows) {
    try {
      out.merge(Histogram::decode(row.lat_hist));
    } catch (const Error& error) {
      throw Error(fmt::format("{}: lat_hist is {}", place_text(row.place), error.what()));
    }
  }
  return out;
}

std::string ResultSet::place_text(RowPlace place) const {
  return fmt::format("{}:{}", files_.at(place.file), place.line);
}

std::vector<std::string> result_files(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const std::string& word : words) {
    std::error_code ignored;
    if (fs::is_directory(word, ignored)) {
      add_directory(word, out);
    } else if (fs::exists(word, ignored)) {
      out.push_back(word);
    } else if (!add_matches(word, out)) {
      throw Error(fmt::format("{}: there is no such file", word));
    }
  }
  refuse_repeated_files(out);
  return out;
}

void refuse_common_files(const std::vector<std::string>& base, const std::vector<std::string>& changed) {
  std::set<FileIdentity> in_base;
  for (const std::string& file : base)
    if (const auto identity = identity_of(file)) in_base.insert(*identity);
  for (const std::string& file : changed)
    if (const auto identity = identity_of(file); identity && in_base.contains(*identity))
      throw Error(fmt::format("{}: is given on both sides", file));
}

void refuse_common_rows(const ResultSet& base, const ResultSet& changed) {
  std::set<std::string_view> in_base;
  for (const RunColumns& run : base.runs()) in_base.insert(run.run_id);
  const auto in_both = [&](const ResultSet& set, const auto& row) {
    return in_base.contains(set.runs()[row.run].run_id);
  };
  if (std::ranges::none_of(changed.runs(), [&](const RunColumns& r) { return in_base.contains(r.run_id); }))
    return;
  std::unordered_map<std::string, RowPlace> places;
  for (const EpisodeOutcome& row : base.episodes()) places.emplace(row_text(base, row, ""), row.place);
  for (const Measurement& row : base.measurements())
    places.emplace(row_text(base, row, base.paths()[row.path]), row.place);
  const auto refuse = [&](const auto& row, std::string_view path) {
    if (!in_both(changed, row)) return;
    if (const auto found = places.find(row_text(changed, row, path)); found != places.end())
      refuse_row(changed.place_text(row.place), base.place_text(found->second));
  };
  for (const EpisodeOutcome& row : changed.episodes()) refuse(row, "");
  for (const Measurement& row : changed.measurements()) refuse(row, changed.paths()[row.path]);
}

}  // namespace daxrace
