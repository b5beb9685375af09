#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness/results/csv.hpp"
#include "harness/results/exclusion.hpp"
#include "harness/results/histogram.hpp"

namespace daxrace {

/// Where a row stands, for messages.
struct RowPlace {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
};

/// One path of one episode: what of its row a comparison needs.
struct Measurement {
  std::uint32_t config = 0;      ///< index into ResultSet::configs
  std::uint32_t path = 0;        ///< index into ResultSet::paths
  std::uint32_t run = 0;         ///< index into ResultSet::runs
  std::uint32_t repetition = 0;  ///< block of that run
  RowPlace place;
  std::uint64_t p50_ns = kAbsent;
  std::uint64_t p99_ns = kAbsent;
  double ops_per_s = std::numeric_limits<double>::quiet_NaN();
  std::string_view lat_hist;
  /// Why the latencies and the throughput do not count; indices into ResultSet::reasons, 0: they do.
  std::uint32_t no_latency = 0;
  std::uint32_t no_throughput = 0;

  static constexpr std::uint64_t kAbsent = ~std::uint64_t{0};
};

/// How one episode ended.
struct EpisodeOutcome {
  std::uint32_t config = 0;
  std::uint32_t run = 0;
  std::uint32_t repetition = 0;
  RowPlace place;
  std::uint32_t verdict = 0;  ///< index into ResultSet::reasons, like the following
  std::uint32_t status = 0;
  std::uint32_t reason = 0;
  std::uint32_t violated = 0;
  std::uint32_t no_latency = 0;
  std::uint32_t no_throughput = 0;
};

/// One invocation of `daxrace run`, from the columns that describe it.
struct RunColumns {
  std::string run_id, git_commit, time_utc, host, cpu, kernel, emulated, target;
  std::uint32_t file = 0;
};

/// The measurements of one configuration and path.
struct MeasurementGroup {
  std::uint32_t config = 0;
  std::uint32_t path = 0;
  std::span<const Measurement> rows;  ///< by run (as they started), then by repetition
};

/// The rows of any number of result files, packed: a few hundred bytes a row, most of them histogram.
/// Configurations are told apart by the key columns of the CSV, except those named in `without`.
class ResultSet {
 public:
  explicit ResultSet(const std::vector<std::string_view>& without = {});
  ResultSet(ResultSet&&) = default;
  ResultSet& operator=(ResultSet&&) = default;

  /// A file whose rows follow.
  void begin_file(const std::string& path);
  /// Throws Error for a row that belongs to no path.
  void add(const Row& row, std::size_t line);
  /// After the last row: sorts, and tells every measurement how its episode ended. Throws Error if a row is
  /// there twice.
  void finish();
  /// Adds all rows of a file; returns the number of dropped lines.
  std::size_t read(const std::string& path);

  /// The columns whose texts make a configuration.
  const std::vector<const Column*>& key_columns() const { return key_columns_; }
  const std::vector<std::string>& files() const { return files_; }
  /// The key columns' texts of each configuration, joined by NUL.
  const std::vector<std::string_view>& configs() const { return configs_.texts; }
  const std::vector<std::string_view>& paths() const { return paths_.texts; }
  const std::vector<std::string_view>& reasons() const { return reasons_.texts; }
  const std::vector<RunColumns>& runs() const { return runs_; }
  const std::vector<Measurement>& measurements() const { return measurements_; }
  const std::vector<EpisodeOutcome>& episodes() const { return episodes_; }  ///< by configuration
  EpisodeEnd end_of(const EpisodeOutcome& episode) const {
    return {reasons_.texts[episode.verdict], reasons_.texts[episode.status]};
  }
  std::vector<MeasurementGroup> groups() const;
  /// The histograms of some measurements, merged. Throws Error naming the row whose lat_hist is damaged.
  Histogram merged(std::span<const Measurement> rows) const;
  std::string place_text(RowPlace place) const;
  std::size_t row_count() const { return measurements_.size() + episodes_.size(); }

 private:
  struct Texts {
    std::deque<std::string> kept;  ///< never move: they are the keys of `known`
    std::vector<std::string_view> texts;
    std::unordered_map<std::string_view, std::uint32_t> known;
    std::uint32_t last = 0;
    std::uint32_t number_of(std::string_view text);
  };
  /// Many short texts in few allocations.
  class Arena {
   public:
    std::string_view keep(std::string_view text);

   private:
    static constexpr std::size_t kBlock = std::size_t{1} << 20;
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t used_ = kBlock;
  };

  void set_key_text(const Row& row);
  std::uint32_t run_of(const Row& row);
  void add_episode(const Row& row, EpisodeOutcome episode);
  void refuse_duplicates() const;
  void join_episodes();
  void order_runs();

  std::vector<std::string> files_;
  std::vector<const Column*> key_columns_;
  Texts configs_, paths_, reasons_, run_keys_;
  std::vector<RunColumns> runs_;
  std::vector<Measurement> measurements_;
  std::vector<EpisodeOutcome> episodes_;
  Arena histograms_;
  std::string key_text_;
};

/// The key columns that tell configurations apart when those of `without` and the path do not.
std::vector<const Column*> config_columns(const std::vector<std::string_view>& without);
/// The texts of a configuration, in the order of config_columns.
std::vector<std::string_view> config_fields(std::string_view config);

/// Files, directories (their *.csv) and patterns such as results/*.csv, as files in order of name. Throws
/// Error for a word that stands for nothing, and for a file that is given twice, be it by another name.
std::vector<std::string> result_files(const std::vector<std::string>& words);
/// Throws Error for a file that stands on both sides of a comparison.
void refuse_common_files(const std::vector<std::string>& base, const std::vector<std::string>& changed);
/// Throws Error if two sets hold one row: the same run, configuration, path and repetition. A copy of a file
/// is that file.
void refuse_common_rows(const ResultSet& base, const ResultSet& changed);

}  // namespace daxrace
