#include "bench/run/matrix.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "bench/cli/progress.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/cli/units.hpp"
#include "bench/run/foresee.hpp"
#include "bench/run/google_benchmark.hpp"
#include "bench/run/machine.hpp"
#include "bench/run/memory_limit.hpp"
#include "bench/run/pmem_scan.hpp"
#include "bench/run/result_file.hpp"
#include "bench/run/rows.hpp"
#include "bench/run/schedule.hpp"
#include "bench/run/summary.hpp"
#include "harness/base/error.hpp"
#include "harness/results/exclusion.hpp"
#include "harness/results/result_table.hpp"

namespace daxrace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAreArray;

constexpr std::size_t kTwoCpus = 2;

std::vector<std::string> names_of(const std::vector<Configuration>& matrix) {
  std::vector<std::string> names;
  for (const Configuration& config : matrix) names.push_back(canonical_name(config));
  return names;
}

/// The one line of the Error that `action` throws.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

RunOptions asked(std::vector<std::string> workloads, std::vector<std::string> protocol_list) {
  RunOptions options;
  options.workloads = std::move(workloads);
  options.protocols = std::move(protocol_list);
  return options;
}

Configuration one_configuration(const RunOptions& options) {
  const auto matrix = build_matrix(options, kTwoCpus);
  EXPECT_THAT(matrix, SizeIs(1));
  return matrix.front();
}

RunInfo test_info() {
  RunInfo info;
  info.run_id = "run";
  info.host = "host";
  info.git_commit = "abc";
  return info;
}

// Names

TEST(CanonicalName, HasOnlyTheFiveSegmentsWhereEverythingIsDefault) {
  EXPECT_EQ(canonical_name(one_configuration(asked({"mixed"}, {"ext4"}))),
            "mixed/ext4/memory/local/threads:2");
}

TEST(CanonicalName, ShowsWhatDiffersFromItsDefaultInTheOrderOfTheKey) {
  RunOptions options = asked({"mixed"}, {"iolock_mmaplock"});
  options.threads = {4};
  options.frame_bytes = {2U << 20};
  options.refcounts = {RefcountRegime::ref0};
  options.locks = {"pthread_rwlock"};
  options.rates = {0.5};
  options.oracle = false;
  options.perturb = true;
  options.discard = Discard::punch;
  options.file_pages = {32};
  options.queue_depths = {8};
  const Configuration config = one_configuration(options);
  const std::string name = canonical_name(config);
  EXPECT_EQ(
      name,
      "mixed/iolock_mmaplock/memory/local/threads:4/frame_bytes:2097152/refcount:ref0/lock:pthread_rwlock/"
      "offered_per_s:4000/oracle:off/perturb:on/discard:punch/file_pages:32/queue_depth:8");
  // The same order as in the key, which is declared elsewhere.
  std::size_t last = 0;
  for (const Column& column : kColumns) {
    std::string segment =
        "/" + std::string{column.name == "refcount_regime" ? "refcount" : column.name} + ":";
    if (column.name == "threads") continue;
    const std::size_t at = name.find(segment);
    if (at == std::string::npos) continue;
    EXPECT_GT(at, last) << column.name;
    last = at;
  }
  EXPECT_GT(last, 0U);
}

TEST(CanonicalName, TellsFileSystemsApart) {
  Configuration config = one_configuration(asked({"mixed"}, {"ext4"}));
  config.source.choice = {Backing::fsdax, "/mnt"};
  config.source.fs = "xfs";
  EXPECT_EQ(canonical_name(config), "mixed/ext4/fsdax/local/threads:2/fs:xfs");
}

TEST(CanonicalName, IsNeverGivenToTwoConfigurationsOfOneRun) {
  RunOptions options = asked({"all"}, {"none"});
  options.workloads = workload_names();
  options.loads = {Load::paced, Load::closed};
  options.rates = {1, 2};
  options.threads = {1, 2};
  options.frame_bytes = {4096, 2U << 20};
  const auto names = names_of(build_matrix(options, kTwoCpus));
  EXPECT_THAT(std::set<std::string>(names.begin(), names.end()), SizeIs(names.size()));

  options.backings = {{Backing::devdax, "/dev/dax0.0"}, {Backing::devdax, "/dev/dax1.0"}};
  EXPECT_THAT(error_of([&] { build_matrix(options, kTwoCpus); }), HasSubstr("both called"));
}

// The matrix

TEST(Matrix, IsTheWholeCrossProduct) {
  RunOptions options = asked({"mixed", "fault"}, {"none", "ext4"});
  options.placements = {Placement::local, Placement::interleave};
  options.refcounts = {RefcountRegime::ref1, RefcountRegime::ref0};
  options.threads = {1, 2};
  EXPECT_THAT(build_matrix(options, kTwoCpus), SizeIs(2 * 2 * 2 * 2 * 2));
}

TEST(Matrix, GivesSinglePathPresetsOneWorkerAndMixesAtMostOnePerCpu) {
  EXPECT_EQ(one_configuration(asked({"fault"}, {"none"})).threads, 1U);
  EXPECT_EQ(one_configuration(asked({"mixed"}, {"none"})).threads, 2U);
  EXPECT_EQ(build_matrix(asked({"mixed"}, {"none"}), 1).front().threads, 1U);
}

TEST(Matrix, LetsTheRolesDecideTheThreadsUnderClosedLoad) {
  RunOptions options = asked({"realloc"}, {"none"});
  options.loads = {Load::closed};
  const Configuration config = one_configuration(options);
  EXPECT_EQ(config.threads, find_workload("realloc")->closed_threads());
  EXPECT_EQ(config.offered_per_s(), 0);
  options.threads = {2};
  EXPECT_THAT(error_of([&] { build_matrix(options, kTwoCpus); }), StartsWith("--threads:"));
  options.threads.clear();
  options.rates = {2};
  EXPECT_THAT(error_of([&] { build_matrix(options, kTwoCpus); }), StartsWith("--rate"));
}

TEST(Matrix, RefusesSizesThatDoNotFitEachOther) {
  RunOptions options = asked({"fault"}, {"none"});
  options.frame_bytes = {6000};
  EXPECT_THAT(error_of([&] { build_matrix(options, kTwoCpus); }), StartsWith("--frame-bytes=6000:"));
  options.frame_bytes = {4096};
  options.entry_bytes = 5000;
  EXPECT_THAT(error_of([&] { build_matrix(options, kTwoCpus); }), StartsWith("--entry-bytes=5000:"));
  options.entry_bytes = 2U << 20;
  options.file_pages = {64};
  EXPECT_THAT(error_of([&] { build_matrix(options, kTwoCpus); }), StartsWith("--file-pages=64:"));
  options.file_pages.clear();
  EXPECT_EQ(one_configuration(options).file_pages % 512, 0U);
  options = asked({"reshape"}, {"none"});
  options.file_pages = {2};
  EXPECT_THAT(error_of([&] { build_matrix(options, kTwoCpus); }), StartsWith("--file-pages=2: reshape"));
  options.file_pages = {3};
  EXPECT_EQ(one_configuration(options).file_pages, 3U);
}

TEST(QuickMatrix, FitsIntoAMinuteAndMayHaveIntervals) {
  const auto matrix = build_matrix(RunOptions{}, kTwoCpus);
  EXPECT_LT(estimated_ns(matrix), 60'000'000'000U);
  std::map<std::string_view, std::set<std::string_view>> protocols_of;
  for (const Configuration& config : matrix) {
    protocols_of[config.workload->name].insert(config.protocol->info.name);
    if (config.load == Load::paced) {
      EXPECT_GE(config.repetitions, 5U) << canonical_name(config);
    }
    EXPECT_LE(config.load == Load::paced ? config.threads : 1, kTwoCpus) << canonical_name(config);
  }
  for (const auto& [workload, names] : protocols_of)
    EXPECT_THAT(names, SizeIs(protocols().size())) << workload;
  EXPECT_TRUE(protocols_of.contains("mixed"));
  EXPECT_TRUE(protocols_of.contains("realloc"));
}

/// Ten of a thousand lie beyond p99. Two of five repetitions may be saturated, and do not count then.
TEST(QuickMatrix, RepetitionsTogetherHaveP99OfPunchAndFault) {
  for (const Configuration& config : build_matrix(RunOptions{}, kTwoCpus)) {
    const std::string name(config.workload->name);
    if (name != "punch" && name != "fault") continue;
    const double ops = config.offered_per_s() * static_cast<double>(config.measure_ns) / 1e9;
    EXPECT_GE(ops * (config.repetitions - 2), 1000) << canonical_name(config);
  }
}

TEST(ComparePreset, HasTwelveRepetitionsOf24RowsInLessThanFiveMinutes) {
  RunOptions options;
  options.preset = Preset::compare;
  const auto matrix = build_matrix(options, 2);
  EXPECT_EQ(matrix.size(), 24U);
  EXPECT_TRUE(std::ranges::all_of(matrix, [](const Configuration& c) { return c.repetitions == 12; }));
  EXPECT_TRUE(std::ranges::all_of(matrix, [](const Configuration& c) { return c.load == Load::paced; }));
  EXPECT_LE(estimated_ns(matrix), 285'000'000'000U);
  options.protocols = {"none"};
  EXPECT_EQ(build_matrix(options, 2).size(), 6U);
  options.workloads = {"fault"};
  EXPECT_THROW(check_run_options(options), Error);
}

TEST(Filter, KeepsWhatMatchesAnywhereInTheName) {
  const auto all = build_matrix(asked({"mixed", "fault"}, {"iolock", "ext4"}), kTwoCpus);
  EXPECT_THAT(names_of(filter_matrix(all, "^fault/.*/threads:1$")),
              ElementsAre("fault/iolock/memory/local/threads:1", "fault/ext4/memory/local/threads:1"));
  EXPECT_THAT(filter_matrix(all, ""), SizeIs(4));
}

TEST(Filter, SaysWhereTheNamesStandIfNothingMatches) {
  const auto all = build_matrix(asked({"mixed", "fault"}, {"iolock", "ext4"}), kTwoCpus);
  EXPECT_THAT(error_of([&] { filter_matrix(all, "mixd/ext4"); }),
              HasSubstr("no configuration matches; --dry-run"));
  EXPECT_THAT(error_of([&] { filter_matrix(all, "("); }), HasSubstr("not a regular expression"));
}

// Suggestions

TEST(Suggestion, MeasuresEdits) {
  EXPECT_EQ(edit_distance("iolok", "iolock"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Suggestion, OffersTheNearestOrAllIfNoneIsNear) {
  const std::vector<std::string> known = {"none", "ext4", "lease_break"};
  EXPECT_EQ(unknown_word("protocol", "lease_brake", known),
            "unknown protocol 'lease_brake'; did you mean 'lease_break'?");
  EXPECT_EQ(unknown_word("protocol", "completely", known),
            "unknown protocol 'completely'; there are: none, ext4, lease_break");
}

// Order

std::vector<Configuration> sized_matrix(std::size_t count, unsigned repetitions) {
  RunOptions options = asked(workload_names(), protocol_names());
  options.repetitions = repetitions;
  auto matrix = build_matrix(options, kTwoCpus);
  matrix.resize(count);
  return matrix;
}

TEST(Interleaving, RunsEveryConfigurationOnceInEachBlock) {
  const auto order = interleave(sized_matrix(50, 4), 7);
  ASSERT_THAT(order, SizeIs(200));
  for (unsigned block = 1; block <= 4; ++block) {
    std::set<std::size_t> seen;
    for (std::size_t i = (block - 1) * 50; i < block * 50; ++i) {
      EXPECT_EQ(order[i].repetition, block);
      seen.insert(order[i].config);
    }
    EXPECT_THAT(seen, SizeIs(50));
  }
}

TEST(Interleaving, DependsOnTheSeedAndOnNothingElse) {
  const auto matrix = sized_matrix(30, 3);
  EXPECT_EQ(interleave(matrix, 7), interleave(matrix, 7));
  EXPECT_NE(interleave(matrix, 7), interleave(matrix, 8));
  // Written down, so that a rebuilt program, another library or another machine cannot change it unseen.
  std::vector<std::size_t> first;
  for (const PlannedEpisode& episode : interleave(sized_matrix(8, 1), 1)) first.push_back(episode.config);
  EXPECT_THAT(first, ElementsAre(4, 3, 2, 7, 5, 6, 0, 1));
}

TEST(Interleaving, ShufflesEachBlockAnew) {
  const auto order = interleave(sized_matrix(20, 2), 3);
  std::vector<std::size_t> first;
  std::vector<std::size_t> second;
  for (const PlannedEpisode& episode : order)
    (episode.repetition == 1 ? first : second).push_back(episode.config);
  EXPECT_NE(first, second);
  EXPECT_THAT(first, UnorderedElementsAreArray(second));
}

TEST(Interleaving, LetsThoseWithFewerRepetitionsEndEarlier) {
  auto matrix = sized_matrix(2, 3);
  matrix[0].repetitions = 1;
  const auto order = interleave(matrix, 1);
  ASSERT_THAT(order, SizeIs(4));
  EXPECT_EQ(order[2], (PlannedEpisode{1, 2}));
  EXPECT_EQ(order[3], (PlannedEpisode{1, 3}));
}

TEST(Seed, IsSharedByABlockAndDiffersFromBlockToBlock) {
  std::set<std::uint64_t> seeds;
  for (unsigned repetition = 1; repetition <= 100; ++repetition) {
    seeds.insert(episode_seed(1, repetition));
    seeds.insert(episode_seed(2, repetition));
  }
  EXPECT_THAT(seeds, SizeIs(200));
}

// Time

TEST(Estimate, CountsWarmUpAndSetUp) {
  auto matrix = sized_matrix(1, 10);
  matrix[0].warmup_ns = 100'000'000;
  matrix[0].measure_ns = 900'000'000;
  EXPECT_GT(estimated_ns(matrix), 10'000'000'000U);
  EXPECT_LT(estimated_ns(matrix), 11'000'000'000U);
}

/// What was measured (schedule.cpp), within a factor of two.
TEST(Estimate, CountsWhatIsSetUp) {
  RunOptions options = asked({"load"}, {"none"});
  options.file_pages = {1'000'000};
  const std::uint64_t pages_ns = estimated_ns(one_configuration(options));
  EXPECT_GT(pages_ns, 5'000'000'000U);
  EXPECT_LT(pages_ns, 18'000'000'000U);
  options.file_pages.clear();
  options.threads = {2048};
  const std::uint64_t workers_ns = estimated_ns(one_configuration(options));
  EXPECT_GT(workers_ns, 4'000'000'000U);
  EXPECT_LT(workers_ns, 11'000'000'000U);
  options = asked({"mixed"}, {"none"});
  options.file_pages = {100'000};
  EXPECT_GT(estimated_ns(one_configuration(options)), 8'000'000'000U) << "with a peer to write";
}

TEST(TimeBudget, IsFilledAndNotExceeded) {
  auto matrix = sized_matrix(20, 1);
  constexpr std::uint64_t kBudget = 120'000'000'000;
  fit_repetitions(matrix, kBudget);
  EXPECT_LE(estimated_ns(matrix), kBudget);
  for (Configuration& config : matrix) ++config.repetitions;
  EXPECT_GT(estimated_ns(matrix), kBudget);
}

TEST(TimeBudget, IsRefusedIfNotEvenOneRepetitionFits) {
  auto matrix = sized_matrix(20, 1);
  EXPECT_THAT(error_of([&] { fit_repetitions(matrix, 1'000'000'000); }), HasSubstr("one repetition of 20"));
}

TEST(Units, AreReadAndMissingOnesRefused) {
  EXPECT_EQ(parse_duration_ns("duration", "250ms"), 250'000'000U);
  EXPECT_EQ(parse_duration_ns("time", "10m"), 600'000'000'000U);
  EXPECT_EQ(parse_duration_ns("time", "1.5h"), 5'400'000'000'000U);
  for (const char* bad : {"5", "", "ms", "-1s", "1e99s", "nan", "infs", "3 s", "5x"})
    EXPECT_THROW(parse_duration_ns("duration", bad), Error) << bad;
  EXPECT_EQ(parse_bytes("frame-bytes", "4K"), 4096U);
  EXPECT_EQ(parse_bytes("frame-bytes", "2MiB"), 2097152U);
  for (const char* bad : {"0", "", "4X", "-4K", "0.3", "1e30"})
    EXPECT_THROW(parse_bytes("frame-bytes", bad), Error) << bad;
  for (const char* bad : {"0", "-1", "", "1x", "5000", "99999999999999999999"})
    EXPECT_THROW(parse_count("threads", bad, 1, 4096), Error) << bad;
  EXPECT_EQ(duration_text(200'000'000'000), "3 min 20 s");
}

TEST(ProgressLine, TellsCountTimeLeftAndName) {
  Progress progress(10, 50'000'000'000, false, stderr);
  progress.started("mixed/ext4/memory/local/threads:2", 5'000'000'000);
  EXPECT_EQ(progress.line(80), "[1/10] 50 s left  mixed/ext4/memory/local/threads:2");
  EXPECT_THAT(progress.line(20), SizeIs(20));
  progress.finished();
  progress.started("fault", 5'000'000'000);
  EXPECT_THAT(progress.line(80), StartsWith("[2/10] "));
}

// Google Benchmark

/// The names of what ran under `flags`, in order, out of three.
std::vector<std::string> ran_under(const std::vector<std::string>& flags) {
  std::vector<std::string> ran;
  BenchmarkSuite suite(flags);
  for (const char* name :
       {"mixed/ext4/memory/local/threads:2/repetition:1", "fault/ext4/memory/local/threads:1/repetition:1",
        "mixed/ext4/memory/local/threads:2/repetition:2"})
    suite.add(name, [&ran, name] {
      ran.emplace_back(name);
      return MeasuredSeconds{0.001};
    });
  std::vector<std::string> selected;
  for (const std::string& name : suite.selected()) selected.push_back(given_name(name));
  EXPECT_THAT(ran, IsEmpty());
  suite.run();
  EXPECT_EQ(selected, ran);
  return ran;
}

TEST(GoogleBenchmark, RunsEachOnceInTheOrderGiven) {
  EXPECT_THAT(ran_under({}), ElementsAre("mixed/ext4/memory/local/threads:2/repetition:1",
                                         "fault/ext4/memory/local/threads:1/repetition:1",
                                         "mixed/ext4/memory/local/threads:2/repetition:2"));
}

TEST(GoogleBenchmark, FiltersByTheCanonicalNameAsAPrefix) {
  EXPECT_THAT(ran_under({"--benchmark_filter=^mixed/ext4/memory/local/threads:2"}), SizeIs(2));
  EXPECT_THAT(ran_under({"--benchmark_filter=^fault"}), SizeIs(1));
  EXPECT_THAT(ran_under({"--benchmark_filter=-^fault"}), SizeIs(2));
  EXPECT_THAT(ran_under({"--benchmark_filter=threads:1$"}), IsEmpty());
}

TEST(GoogleBenchmark, GoesOnAfterOneThatDidNotRun) {
  BenchmarkSuite suite({});
  int calls = 0;
  for (const char* name : {"a", "b", "c"})
    suite.add(name, [&calls]() -> MeasuredSeconds {
      ++calls;
      return std::nullopt;
    });
  suite.run();
  EXPECT_EQ(calls, 3);
}

TEST(GoogleBenchmark, RefusesFlagsThatWouldUndoTheMatrix) {
  const auto refusal = [](const std::string& flag) {
    return error_of([&] { const BenchmarkSuite suite({flag}); });
  };
  EXPECT_THAT(refusal("--benchmark_enable_random_interleaving=true"), HasSubstr("interleaving is ours"));
  EXPECT_THAT(refusal("--benchmark_repetitions=3"), HasSubstr("--repetitions"));
  EXPECT_THAT(refusal("--benchmark_min_time=1"), HasSubstr("--duration"));
  EXPECT_THAT(refusal("--benchmark_filtr=x"), HasSubstr("did you mean 'benchmark_filter'"));
  EXPECT_THAT(refusal("--benchmark_out_format=xml"), HasSubstr("json"));
  EXPECT_THAT(refusal("--benchmark_out=/nowhere/x"), HasSubstr("written"));
}

// Rows

RegionFacts test_facts() {
  RegionFacts facts;
  facts.backing = Backing::fsdax;
  facts.device = "/dev/pmem0";
  facts.fs = "xfs";
  facts.mount_options = "rw,dax=always";
  facts.granularity = "cache_line";
  facts.frame_bytes = 4096;
  facts.pmem_node = 1;
  return facts;
}

EpisodeResult test_result() {
  EpisodeResult result;
  result.verdict = Verdict::expected;
  result.promises = Hazards(Hazard::h1);
  result.violated = Hazards(Hazard::h3, Hazard::h4);
  for (std::size_t i = 0; i < result.detected.size(); ++i) result.detected[i] = 10 + i;
  result.hangs = 2;
  result.duration_ns = 500'000'000;
  result.effective_ops = 1000;
  result.faults_real = 77;
  result.worker_affinity = {"1", "0", "1"};
  PathStats& fault = result.paths[Path::fault];
  fault.ops = 2000;
  fault.retries = 3;
  for (std::uint64_t ns = 1; ns <= 2000; ++ns) {
    fault.service_ns.record(ns);
    fault.response_ns.record(ns + 5000);
    fault.wait_ns.record(ns / 2);
  }
  fault.phase_sum_ns = {1, 2, 3, 4, 5, 6};
  result.paths[Path::punch_hole].ops = 0;
  return result;
}

std::vector<Row> test_rows(const Configuration& config, const EpisodeResult& result) {
  const RegionFacts facts = test_facts();
  PlacementPlan plan;
  plan.worker_nodes = {1, 0, 1};
  plan.overcommitted = true;
  return episode_rows(configuration_row(config, &facts, test_info()), config, plan, 3, 42, result);
}

TEST(Rows, CarryTheEpisodeLastAndOnlyPathsThatDidSomething) {
  const auto rows = test_rows(one_configuration(asked({"mixed"}, {"mmaplock"})), test_result());
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].path, "fault");
  EXPECT_EQ(rows[1].path, kAllPaths);
}

TEST(Rows, SayOnAllWhatTheOracleSawAndNothingOfItOnPaths) {
  const auto rows = test_rows(one_configuration(asked({"mixed"}, {"mmaplock"})), test_result());
  const Row& all = rows[1];
  EXPECT_EQ(all.verdict, "expected");
  EXPECT_EQ(all.status, "ok");
  EXPECT_EQ(all.promises, "H1");
  EXPECT_EQ(all.violated, "H3+H4");
  for (std::size_t i = 0; i < kDetectorNames.size(); ++i)
    EXPECT_EQ(field_text(all, column_named(kDetectorNames[i])), std::to_string(10 + i)) << kDetectorNames[i];
  EXPECT_EQ(all.hang, 2U);
  EXPECT_EQ(all.ops, 1000U);
  EXPECT_EQ(all.faults_real, 77U);
  EXPECT_DOUBLE_EQ(*all.ops_per_s, 2000);
  EXPECT_EQ(rows[0].verdict, "");
  EXPECT_EQ(rows[0].freed_busy, std::nullopt);
  EXPECT_EQ(rows[0].faults_real, 0U) << "counted per path under paced load";
}

TEST(Rows, PutEachPhaseIntoItsOwnColumn) {
  const Row row = test_rows(one_configuration(asked({"mixed"}, {"mmaplock"})), test_result())[0];
  for (std::size_t i = 0; i < kPhaseNames.size(); ++i)
    EXPECT_EQ(field_text(row, column_named(std::string{kPhaseNames[i]} + "_sum_ns")), std::to_string(i + 1))
        << kPhaseNames[i];
}

TEST(Rows, LeaveQuantilesWithTooFewSamplesEmpty) {
  const Row row = test_rows(one_configuration(asked({"mixed"}, {"mmaplock"})), test_result())[0];
  EXPECT_NEAR(static_cast<double>(*row.lat_p50_ns), 1000, 30);
  EXPECT_NEAR(static_cast<double>(*row.lat_p99_ns), 1980, 60);
  EXPECT_EQ(row.lat_p999_ns, std::nullopt);
  EXPECT_EQ(row.lat_min_ns, 1U);
  EXPECT_EQ(row.lat_max_ns, 2000U);
  EXPECT_EQ(row.resp_max_ns, 7000U);
  EXPECT_EQ(row.wait_max_ns, 1000U);
  EXPECT_EQ(Histogram::decode(row.lat_hist).count(), 2000U);
  EXPECT_EQ(Histogram::decode(row.resp_hist).count(), 2000U);
  EXPECT_EQ(row.retries, 3U);
}

TEST(Rows, SayWhereTheEpisodeRan) {
  const Row row = test_rows(one_configuration(asked({"mixed"}, {"mmaplock"})), test_result())[1];
  EXPECT_EQ(row.cpus, "0-1");
  EXPECT_EQ(row.mem_nodes, "0-1");
  EXPECT_EQ(row.overcommitted, true);
  EXPECT_EQ(row.fs, "xfs");
  EXPECT_EQ(row.device, "/dev/pmem0");
  EXPECT_EQ(row.granularity, "cache_line");
  EXPECT_EQ(row.pmem_node, 1U);
  EXPECT_EQ(row.host, "host");
  EXPECT_EQ(row.seed, 42U);
  EXPECT_EQ(row.repetition, 3U);
}

TEST(Rows, CarryNoLatenciesWhereTheEpisodeWasPerturbed) {
  RunOptions options = asked({"mixed"}, {"mmaplock"});
  options.perturb = true;
  const Row row = test_rows(one_configuration(options), test_result())[0];
  EXPECT_EQ(row.perturb, true);
  EXPECT_EQ(row.ops, 2000U);
  for (const Column& column : kColumns)
    if (column.name.starts_with("lat_") || column.name.starts_with("resp_") ||
        column.name.starts_with("wait_") || column.name.ends_with("_sum_ns")) {
      EXPECT_EQ(field_text(row, column), "") << column.name;
    }
}

TEST(Rows, FillTheWholeKey) {
  const Row row = test_rows(one_configuration(asked({"mixed"}, {"mmaplock"})), test_result())[1];
  for (const Column& column : kColumns)
    if (column.is_key) {
      EXPECT_NE(field_text(row, column), "") << column.name;
    }
}

TEST(Rows, MarkWhatWasNotServedAsSaturated) {
  EpisodeResult result = test_result();
  result.served_share = 0.9;
  result.remark = "saturated: 90 % of the offered load served";
  const Configuration paced = one_configuration(asked({"mixed"}, {"mmaplock"}));
  const auto rows = test_rows(paced, result);
  EXPECT_EQ(rows[0].served_share, std::nullopt) << "a share of the episode, not of a path";
  EXPECT_EQ(rows[1].served_share, 0.9);
  EXPECT_EQ(rows[1].remark, result.remark);
  EXPECT_EQ(rows[1].reason, "") << "the row is ok";
  Row fits = rows[1];
  fits.overcommitted = false;
  EXPECT_EQ(cost_exclusion(fits), "saturated");
  EXPECT_EQ(throughput_exclusion(fits), "");
  RunOptions options = asked({"mixed"}, {"mmaplock"});
  options.loads = {Load::closed};
  EXPECT_EQ(test_rows(one_configuration(options), result)[1].offered_per_s, std::nullopt);
}

TEST(Rows, OfASkippedConfigurationAreOneWithItsReason) {
  const Configuration config = one_configuration(asked({"mixed"}, {"ext4"}));
  const Row row = skipped_row(configuration_row(config, nullptr, test_info()), config, "one NUMA node");
  EXPECT_EQ(row.path, kAllPaths);
  EXPECT_EQ(row.repetition, 0U);
  EXPECT_EQ(row.status, "skipped");
  EXPECT_EQ(row.verdict, "none");
  EXPECT_EQ(row.reason, "one NUMA node");
  EXPECT_EQ(row.ops, std::nullopt);
}

// What a dry run foresees

std::string foreseen(const RunOptions& options,
                     const char* machine = "pack:1 [numa(memory=1GB)] core:2 pu:1") {
  setenv("HWLOC_SYNTHETIC", machine, 1);
  const Configuration config = one_configuration(options);
  const std::string obstacle = Foresight({config}, Topology(), options).obstacle_to(config);
  unsetenv("HWLOC_SYNTHETIC");
  return obstacle;
}

TEST(DryRun, ForeseesWhatWouldBeSkippedOrRefused) {
  RunOptions options = asked({"load"}, {"ext4"});
  EXPECT_EQ(foreseen(options), "");
  options.placements = {Placement::remote};
  EXPECT_EQ(foreseen(options), "skipped: one NUMA node");
  EXPECT_EQ(foreseen(options, "pack:2 [numa(memory=1GB)] core:2 pu:1"), "");
  options.placements.clear();
  options.backings = {parse_backing("fsdax:/nope")};
  EXPECT_THAT(foreseen(options), StartsWith("refused: /nope: No such file"));
  options.backings = {parse_backing("fsdax:/proc/self/exe")};
  EXPECT_THAT(foreseen(options), HasSubstr("is not a directory"));
  options.backings = {parse_backing("devdax:/dev/null")};
  EXPECT_EQ(foreseen(options), "refused: /dev/null: is not a devdax device");
  options.backings = {parse_backing("file:/nope/frames")};
  EXPECT_THAT(foreseen(options), StartsWith("refused: /nope: No such file"));
  options.backings = {parse_backing("file:/tmp")};
  EXPECT_EQ(foreseen(options), "refused: /tmp: is a directory");
  options.backings.clear();
  options.file_pages = {1U << 28};
  EXPECT_THAT(foreseen(options), StartsWith("refused: the memory backing needs"));
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "daxrace-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Regions of two frame sizes are open at once.
TEST(DryRun, ForeseesThatTwoRegionsTogetherAreTooLarge) {
  RunOptions options = asked({"load"}, {"ext4"});
  options.frame_bytes = {4096, 8192};
  options.file_pages = {1U << 10};
  const std::size_t of_1024_pages = bytes_needed(build_matrix(options, kTwoCpus).back());
  options.file_pages = {static_cast<unsigned>(0.8 * static_cast<double>(available_memory_bytes()) /
                                              static_cast<double>(of_1024_pages) * 1024)};
  const std::vector<Configuration> matrix = build_matrix(options, kTwoCpus);
  const Topology topology;
  for (const Configuration& config : matrix)
    EXPECT_EQ(Foresight({config}, topology, options).obstacle_to(config), "") << canonical_name(config);
  const Foresight both(matrix, topology, options);
  EXPECT_EQ(both.obstacle_to(matrix.front()), "");
  EXPECT_THAT(both.obstacle_to(matrix.back()), StartsWith("refused: the memory backing needs"));
}

TEST(DryRun, ForeseesThatAFileIsSomebodyElses) {
  const TemporaryDirectory directory;
  std::ofstream(directory.file("theirs")) << "precious";
  RunOptions options = asked({"load"}, {"ext4"});
  options.backings = {parse_backing("file:" + directory.file("theirs"))};
  EXPECT_THAT(foreseen(options), HasSubstr("theirs: is there already and is not a file of daxrace"));
  options = asked({"aio_read"}, {"ext4"});
  options.peer_file = directory.file("theirs");
  EXPECT_THAT(foreseen(options), HasSubstr("theirs: is there already and is not a file of daxrace"));
  options.peer_file = "/dev/null";
  EXPECT_EQ(foreseen(options), "refused: /dev/null: is not a regular file");
  options.peer_file = "/nope/peer";
  EXPECT_THAT(foreseen(options), StartsWith("refused: /nope: No such file"));
}

// Resuming

TEST(Resume, KeepsFinishedEpisodesAndDropsHalfOnesAndSkippedOnes) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("r.csv");
  const Configuration config = one_configuration(asked({"mixed"}, {"mmaplock"}));
  const RegionFacts facts = test_facts();
  const Row shared = configuration_row(config, &facts, test_info());
  const auto finished = episode_rows(shared, config, {}, 1, 42, test_result());
  auto half = episode_rows(shared, config, {}, 2, 43, test_result());
  half.pop_back();
  {
    ResultFile file(path, OpenMode::create_new, test_info());
    file.add(finished);
    file.add({skipped_row(shared, config, "no peer")});
    file.add(half);
  }
  const auto kept = prepare_resume(path, "host", {});
  EXPECT_THAT(kept, SizeIs(2));
  EXPECT_EQ(read_csv(path).rows, kept);
  const Finished done(kept);
  EXPECT_TRUE(done.has(shared, 1));
  EXPECT_FALSE(done.has(shared, 2));
  Configuration other = config;
  other.queue_depth = 2;
  EXPECT_FALSE(done.has(configuration_row(other, &facts, test_info()), 1));
}

TEST(Resume, MakesOneRunOfItsPiecesAndLeavesOthersAlone) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("r.csv");
  const Configuration config = one_configuration(asked({"mixed"}, {"mmaplock"}));
  Row shared = configuration_row(config, nullptr, test_info());
  const auto add = [&](const std::string& run_id, unsigned repetition, ResultFile& file) {
    shared.run_id = run_id;
    file.add(episode_rows(shared, config, {}, repetition, 42, test_result()));
  };
  {
    ResultFile file(path, OpenMode::create_new, test_info());
    add("another", 1, file);
    file.add({skipped_row(shared, config, "no peer")});
    add("begun", 1, file);
    add("piece", 2, file);
    file.add({skipped_row(shared, config, "no peer")});
  }
  RecordedRun run;
  run.run_id = "begun";
  run.time_utc = "2026-11-29T00:00:00Z";
  run.others = {"another"};
  const auto kept = prepare_resume(path, "host", run);
  EXPECT_THAT(kept, SizeIs(4));
  for (const Row& row : kept) {
    EXPECT_EQ(row.run_id, "begun");
    EXPECT_EQ(row.time_utc, run.time_utc);
  }
  const auto rows = read_csv(path).rows;
  EXPECT_THAT(rows, SizeIs(7));
  EXPECT_EQ(std::ranges::count(rows, "another", &Row::run_id), 3);
}

TEST(Resume, RefusesRowsThatAreThereTwice) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("r.csv");
  const Configuration config = one_configuration(asked({"mixed"}, {"mmaplock"}));
  const auto rows =
      episode_rows(configuration_row(config, nullptr, test_info()), config, {}, 1, 42, test_result());
  {
    ResultFile file(path, OpenMode::create_new, test_info());
    file.add(rows);
    file.add(rows);
  }
  EXPECT_THAT(error_of([&] { prepare_resume(path, "host", {}); }),
              HasSubstr("the same run, configuration and repetition as"));
}

TEST(Resume, LeavesAFileOfAnotherHostAsItIs) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("r.csv");
  const Configuration config = one_configuration(asked({"mixed"}, {"mmaplock"}));
  const Row shared = configuration_row(config, nullptr, test_info());
  { ResultFile(path, OpenMode::create_new, test_info()).add({skipped_row(shared, config, "no peer")}); }
  EXPECT_THROW(prepare_resume(path, "elsewhere", {}), Error);
  EXPECT_THAT(read_csv(path).rows, SizeIs(1));
  EXPECT_THAT(error_of([&] { prepare_resume(directory.file("none.csv"), "host", {}); }),
              HasSubstr("no such file"));
}

// Summary and exit code

Row summary_row(const std::string& verdict, const std::string& status = "ok") {
  Row row;
  row.path = kAllPaths;
  row.protocol = "ext4";
  row.workload = "mixed";
  row.promises = "H1+H4";
  row.violated = verdict == "broken" || verdict == "finding" ? "H3+H4" : "";
  row.verdict = verdict;
  row.status = status;
  row.reason = status == "skipped" ? "one NUMA node" : "";
  return row;
}

TEST(Summary, NamesBrokenPromisesOnceAndFailsForThem) {
  const Summary summary = summarize({summary_row("broken"), summary_row("broken"), summary_row("kept")});
  EXPECT_EQ(summary_line(summary), "3 episodes; promises broken: ext4 H4 (mixed)");
  EXPECT_EQ(exit_code(summary), Exit::broken);
}

TEST(Summary, PassesForFindingsAndExpectedViolations) {
  const Summary summary = summarize({summary_row("finding"), summary_row("expected"), summary_row("unseen")});
  EXPECT_THAT(summary_line(summary), HasSubstr("promises broken: none; findings: ext4 H4 (mixed)"));
  EXPECT_EQ(exit_code(summary), Exit::ok);
}

TEST(Summary, FailsForHangsAndErrors) {
  EXPECT_EQ(exit_code(summarize({summary_row("none", "hang")})), Exit::broken);
  EXPECT_EQ(exit_code(summarize({summary_row("none", "error")})), Exit::broken);
}

TEST(Summary, TellsAllSkippedFromSomeSkipped) {
  const Summary some = summarize({summary_row("kept"), summary_row("none", "skipped")});
  EXPECT_EQ(summary_line(some), "1 episode; promises broken: none; skipped: 1 (one NUMA node)");
  EXPECT_EQ(exit_code(some), Exit::ok);
  EXPECT_EQ(exit_code(summarize({summary_row("none", "skipped")})), Exit::skipped);
}

// Workload presets

TEST(Workloads, HaveOnePresetNamedAsEachPathThatCanBeReachedAlone) {
  for (const std::string_view path : kPathNames) {
    if (path == "punch_hole") continue;  // what a punch finds, not something to ask for
    const Workload* workload = find_workload(path);
    ASSERT_NE(workload, nullptr) << path;
    EXPECT_TRUE(workload->uncontended) << path;
    EXPECT_EQ(workload->roles.size(), 1U) << path;
  }
}

TEST(Workloads, HaveUniqueNamesAndSoundRoles) {
  std::set<std::string_view> names;
  for (const Workload& workload : workloads()) {
    EXPECT_TRUE(names.insert(workload.name).second) << workload.name;
    EXPECT_FALSE(workload.roles.empty()) << workload.name;
    for (const Role& role : workload.roles) {
      EXPECT_GT(role.rate_per_s, 0) << workload.name << ' ' << role.name;
      EXPECT_GT(role.count, 0U) << workload.name << ' ' << role.name;
      EXPECT_FALSE(role.ops.empty()) << workload.name << ' ' << role.name;
    }
  }
}

TEST(Workloads, NeedAPeerExactlyWhereTheyDoDirectIo) {
  EXPECT_TRUE(find_workload("mixed")->needs_peer());
  EXPECT_TRUE(find_workload("gup_slow")->needs_peer());
  EXPECT_FALSE(find_workload("fault_vs_truncate")->needs_peer());
  EXPECT_FALSE(find_workload("lease")->needs_peer());
}

// What the machine has

class FakeSys : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = directory_.file(name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << '\n';
  }
  std::string root() const { return directory_.file(""); }
  TemporaryDirectory directory_;
};

TEST_F(FakeSys, TellsNamespacesDevicesAndDaxMountsApart) {
  put("sys/bus/nd/devices/namespace0.0/size", "536870912");
  put("sys/bus/nd/devices/namespace0.0/mode", "memory");
  put("sys/bus/nd/devices/namespace0.0/holder", "pfn0.0");
  put("sys/bus/nd/devices/namespace0.0/numa_node", "1");
  put("sys/bus/nd/devices/pfn0.0/block/pmem0/size", "1");
  put("sys/bus/nd/devices/namespace1.0/size", "0");
  put("sys/bus/dax/devices/dax1.0/size", "1048576");
  put("sys/bus/dax/devices/dax1.0/align", "2097152");
  put("proc/self/mountinfo",
      "30 1 259:0 / /mnt/pmem rw,relatime - xfs /dev/pmem0 rw,attr2,dax=always\n"
      "31 1 259:1 / /mnt/none rw,relatime - ext4 /dev/pmem1 rw,dax=never\n"
      "32 1 259:2 / /mnt/inode rw,relatime - xfs /dev/pmem2 rw,dax=inode");
  const auto namespaces = scan_namespaces(root());
  ASSERT_THAT(namespaces, SizeIs(1));
  EXPECT_EQ(namespaces[0].mode, "fsdax");
  EXPECT_EQ(namespaces[0].block_device, "pmem0");
  EXPECT_EQ(namespaces[0].node, 1);
  const auto devices = scan_dax_devices(root());
  ASSERT_THAT(devices, SizeIs(1));
  EXPECT_EQ(devices[0].align, 2097152U);
  EXPECT_EQ(devices[0].driver, "");
  const auto mounts = scan_dax_mounts(root());
  ASSERT_THAT(mounts, SizeIs(1));
  EXPECT_EQ(mounts[0].point, "/mnt/pmem");
}

}  // namespace
}  // namespace daxrace
