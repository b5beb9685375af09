#include "bench/run/run.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <fmt/format.h>

#include "bench/cli/progress.hpp"
#include "bench/cli/signals.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/table_options.hpp"
#include "bench/cli/units.hpp"
#include "bench/report/screen.hpp"
#include "bench/run/description.hpp"
#include "bench/run/episode_runner.hpp"
#include "bench/run/foresee.hpp"
#include "bench/run/google_benchmark.hpp"
#include "bench/run/machine.hpp"
#include "bench/run/matrix.hpp"
#include "bench/run/pmem_scan.hpp"
#include "bench/run/result_file.hpp"
#include "bench/run/resume.hpp"
#include "bench/run/schedule.hpp"
#include "bench/run/summary.hpp"
#include "bench/run/until.hpp"
#include "harness/base/text.hpp"
#include "harness/platform/clock.hpp"
#include "harness/results/result_table.hpp"

namespace daxrace {
namespace {

/// How long --until goes on where --time does not say it.
constexpr std::uint64_t kUntilLimitNs = 600'000'000'000;

std::vector<Configuration> wanted_matrix(const RunOptions& options, std::size_t cpus) {
  auto matrix = filter_matrix(build_matrix(options, cpus), options.filter);
  if (options.until_width) {
    fit_repetitions(matrix, options.time_budget_ns.value_or(kUntilLimitNs));
  } else if (options.time_budget_ns) {
    fit_repetitions(matrix, *options.time_budget_ns);
  } else if (options.preset == Preset::compare && !options.repetitions) {
    for (Configuration& config : matrix)
      config.repetitions = std::max(config.repetitions, repetitions_for_decision(matrix));
  }
  return matrix;
}

std::string episode_name(const Configuration& config, unsigned repetition) {
  return fmt::format("{}/repetition:{}", canonical_name(config), repetition);
}

/// The episodes that --benchmark_filter leaves. Throws Error if there are none.
std::vector<PlannedEpisode> selected_episodes(const BenchmarkSuite& suite,
                                              const std::vector<Configuration>& matrix,
                                              const std::vector<PlannedEpisode>& order) {
  std::set<std::string> names;
  for (const std::string& name : suite.selected()) names.insert(given_name(name));
  std::vector<PlannedEpisode> chosen;
  std::ranges::copy_if(order, std::back_inserter(chosen), [&](const PlannedEpisode& episode) {
    return names.contains(episode_name(matrix[episode.config], episode.repetition));
  });
  if (chosen.empty()) throw Error(no_match("benchmark_filter", suite.filter()));
  return chosen;
}

std::uint64_t estimate(const std::vector<Configuration>& matrix,
                       const std::vector<PlannedEpisode>& episodes) {
  std::uint64_t sum = 0;
  for (const PlannedEpisode& episode : episodes) sum += estimated_ns(matrix[episode.config]);
  return sum;
}

std::size_t configurations_of(const std::vector<PlannedEpisode>& episodes) {
  std::set<std::size_t> distinct;
  for (const PlannedEpisode& episode : episodes) distinct.insert(episode.config);
  return distinct.size();
}

std::string plan_line(const std::vector<Configuration>& matrix, const std::vector<PlannedEpisode>& episodes,
                      const RunOptions& options) {
  const std::string_view most = options.until_width ? "at most " : "";
  return fmt::format("{}, {}{}, {}about {}, seed {}", counted(configurations_of(episodes), "configuration"),
                     most, counted(episodes.size(), "episode"), most,
                     duration_text(estimate(matrix, episodes)), options.seed);
}

void print_plan(const std::vector<Configuration>& matrix, const std::vector<PlannedEpisode>& episodes,
                const RunOptions& options, const Foresight& foresight) {
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    const auto repetitions = std::ranges::count(episodes, i, &PlannedEpisode::config);
    if (repetitions == 0) continue;
    const std::string obstacle = foresight.obstacle_to(matrix[i]);
    fmt::print("{}  x{}  {} each{}{}\n", shown_text(canonical_name(matrix[i])), repetitions,
               duration_text(estimated_ns(matrix[i])), obstacle.empty() ? "" : "  would be ",
               shown_text(obstacle));
  }
  fmt::print("{}\n", plan_line(matrix, episodes, options));
}

void say(const RunOptions& options, const std::string& line) {
  if (!options.quiet) fmt::print(stderr, "daxrace: {}\n", shown_text(line));
}

/// What will be written over is said before it is. Of what is no devdax device, opening it says so.
void announce_overwritten(const std::vector<Configuration>& matrix) {
  std::map<std::string, std::size_t> bytes;
  for (const Configuration& config : matrix) {
    std::size_t& most = bytes[config.source.choice.path];
    most = std::max(most, bytes_needed(config));
  }
  for (const DaxDevice& device : scan_dax_devices())
    if (const auto found = bytes.find("/dev/" + device.name); found != bytes.end())
      fmt::print(stderr, "daxrace: --destroy-data: the first {} MiB of {} will be overwritten\n",
                 (found->second + (1U << 20) - 1) >> 20, found->first);
}

OpenMode open_mode(const RunOptions& options) {
  if (options.force) return OpenMode::replace;
  return options.append || !options.resume.empty() ? OpenMode::append : OpenMode::create_new;
}

/// All tables of the rows, or the answer on one screen.
std::string shown(const ResultFile& results, const RunOptions& options,
                  const std::vector<std::string>& remarks) {
  TableOptions table = usual_table_options();
  table.seed = options.seed;
  const Paint paint = paint_for(options.color);
  if (!options.tables) return screen_of_file(results.path(), results.rows(), table, paint);
  table.color = paint.on();
  std::string out = format_results(results.rows(), table) + '\n';
  for (const std::string& remark : remarks) out += remark + "\n\n";
  return out;
}

std::string_view outcome_of(Exit code) {
  switch (code) {
    case Exit::ok:
      return "ok";
    case Exit::broken:
      return "broken";
    case Exit::usage:
      return "failed";
    case Exit::skipped:
      return "skipped";
    case Exit::interrupted:
      return "interrupted";
  }
  return "failed";
}

Exit finish(ResultFile& results, const RunOptions& options, const std::vector<std::string>& remarks) {
  const Summary summary = summarize(results.rows());
  const Exit code = stop_requested().load() ? Exit::interrupted : exit_code(summary);
  const bool any_rows = !results.rows().empty();
  if (any_rows) {
    results.report().set_outcome(std::string{outcome_of(code)});
    results.report().write();
  } else {
    results.withdraw_report();
  }
  const bool show = any_rows && options.table && !options.quiet;
  if (show) fmt::print("{}", shown(results, options, remarks));
  // The screen says all that the line does.
  if (!show || options.tables || code == Exit::interrupted)
    fmt::print("{}{}; {}\n", code == Exit::interrupted ? "interrupted: " : "", summary_line(summary),
               any_rows ? shown_text(results.path()) : "no rows");
  if (code == Exit::interrupted && any_rows)
    fmt::print("go on with: {}\n", shown_text(resume_command(options, results.path())));
  if (summary.skipped > 0 && code != Exit::skipped)
    say(options, fmt::format("skipped {}", counted(summary.skipped, "configuration")));
  return code;
}

/// What failed is told anyway; where the disk is full the report says no more than it did.
void note_failure(RunReport& report) {
  report.set_outcome("failed");
  try {
    report.write();
  } catch (const Error&) {
  }
}

/// One run from its parts. Registered bodies refer to it, so it is made before them and filled in as things
/// open.
class Run {
 public:
  Run(const RunOptions& options, const Topology& topology)
      : options_(options),
        topology_(topology),
        matrix_(wanted_matrix(options, usable_cpus(topology, options.cpus))),
        suite_(options.benchmark_flags) {
    order_ = interleave(matrix_, options.seed);
    for (const PlannedEpisode& episode : order_)
      suite_.add(episode_name(matrix_[episode.config], episode.repetition),
                 [this, episode] { return body(episode); });
    episodes_ = selected_episodes(suite_, matrix_, order_);
  }

  Exit list() const {
    for (const std::string& name : suite_.selected()) fmt::print("{}\n", name);
    return Exit::ok;
  }
  bool only_list() const { return suite_.only_list(); }
  void print() const {
    print_plan(matrix_, episodes_, options_, Foresight(chosen_matrix(), topology_, options_));
  }
  Exit execute(const std::vector<std::string>& command_line);

 private:
  MeasuredSeconds body(const PlannedEpisode& episode) {
    if (decision_ && !decided_ && episode.repetition != block_) begin_block(episode.repetition);
    if (decided_) return std::nullopt;
    if (finished_ && runner_->is_finished(episode, *finished_)) return std::nullopt;
    return runner_->run(episode, *results_, *progress_);
  }
  /// The configurations that are left after filters: only what they need is opened.
  std::vector<Configuration> chosen_matrix() const {
    std::vector<Configuration> chosen;
    for (std::size_t i = 0; i < matrix_.size(); ++i)
      if (std::ranges::find(episodes_, i, &PlannedEpisode::config) != episodes_.end())
        chosen.push_back(matrix_[i]);
    return chosen;
  }
  void open_results(std::string& path, const RunInfo& info);
  void drop_finished();
  void begin_block(unsigned block);
  void say_whether_decided();

  const RunOptions& options_;
  const Topology& topology_;
  std::vector<Configuration> matrix_;
  BenchmarkSuite suite_;
  std::vector<PlannedEpisode> order_;
  std::vector<PlannedEpisode> episodes_;
  std::optional<Finished> finished_;
  std::optional<EpisodeRunner> runner_;
  std::optional<ResultFile> results_;
  std::optional<Progress> progress_;
  std::optional<Decision> decision_;
  std::size_t rows_decided_on_ = 0;  ///< rows of the results that it has seen
  unsigned block_ = 0;
  bool decided_ = false;
};

/// What came of the blocks before decides whether there is another.
void Run::begin_block(unsigned block) {
  const std::vector<Row>& rows = results_->rows();
  for (; rows_decided_on_ < rows.size(); ++rows_decided_on_) decision_->add(rows[rows_decided_on_]);
  decided_ = decision_->is_reached(block - 1);
  if (!decided_) block_ = block;
}

void Run::say_whether_decided() {
  if (!decision_) return;
  const bool stopped = stop_requested().load();
  if (!decided_ && !stopped) begin_block(block_ + 1);
  const std::string how = decided_  ? fmt::format("decided after {}", counted(block_, "repetition"))
                          : stopped ? "interrupted before it was decided"
                                    : "not decided within the limit of time (--time)";
  const std::string text = fmt::format("{}: {}", how, decision_->text());
  results_->report().set_environment("until", text);
  say(options_, text);
}

/// Runs that begin in one second may choose the same name; whoever comes second chooses again.
void Run::open_results(std::string& path, const RunInfo& info) {
  while (!results_) {
    try {
      results_.emplace(path, open_mode(options_), info);
    } catch (const Error&) {
      const std::string another = result_path(options_, info);
      if (another == path) throw;
      path = another;
    }
  }
}

void Run::drop_finished() {
  std::erase_if(episodes_,
                [&](const PlannedEpisode& episode) { return runner_->is_finished(episode, *finished_); });
  say(options_, fmt::format("{}: kept {} that ran to their end", options_.resume,
                            counted(finished_->size(), "episode")));
}

Exit Run::execute(const std::vector<std::string>& command_line) {
  RunInfo info = gather_run_info();
  std::string path = result_path(options_, info);
  std::vector<Row> kept;
  if (!options_.resume.empty()) kept = go_on_with(path, info);
  const auto chosen = chosen_matrix();
  if (options_.destroy_data) announce_overwritten(chosen);
  const Machine machine(topology_, chosen, options_);
  runner_.emplace(matrix_, machine, options_, info);
  finished_.emplace(kept);
  if (!options_.resume.empty()) drop_finished();
  open_results(path, info);
  results_->keep(kept);
  if (results_->cut_partial_line())
    say(options_, path + ": half a last line, left by a killed run, was cut off");
  describe_run(results_->report(), options_, command_line, machine, chosen);
  const std::vector<std::string> remarks = measure_zaps(results_->report(), machine, chosen);
  say(options_, plan_line(matrix_, episodes_, options_) + "; results in " + path);
  if (options_.until_width)
    decision_.emplace(*options_.until_width, repetitions_for_decision(matrix_), options_.until_paths,
                      options_.seed);
  progress_.emplace(episodes_.size(), estimate(matrix_, episodes_), !options_.quiet, stderr);
  results_->report().write();  // before the first row, which would stand without its run if we were killed
  suite_.run();
  progress_->clear();
  try {
    runner_->rethrow_failure();
  } catch (...) {
    note_failure(results_->report());
    throw;
  }
  say_whether_decided();
  return finish(*results_, options_, remarks);
}

}  // namespace

Exit run(const RunOptions& options, const std::vector<std::string>& command_line) {
  check_run_options(options);
  Clock::calibrate();
  refuse_foreign_topology();
  const Topology topology;
  Run matrix_run(options, topology);
  if (matrix_run.only_list()) return matrix_run.list();
  if (options.dry_run) {
    matrix_run.print();
    return Exit::ok;
  }
  install_stop_handlers();
  return matrix_run.execute(command_line);
}

}  // namespace daxrace
