#include "bench/run/google_benchmark.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/cli/suggest.hpp"
#include "harness/base/error.hpp"

namespace daxrace {
namespace {

constexpr std::string_view kSuffix = "/iterations:1/manual_time";

/// Flags that are passed on.
constexpr std::array<std::string_view, 5> kPassed = {
    "benchmark_filter", "benchmark_list_tests", "benchmark_out", "benchmark_out_format", "benchmark_context"};

struct RefusedFlag {
  std::string_view name;
  std::string_view why;
};
constexpr std::array<RefusedFlag, 11> kRefused = {{
    {"benchmark_enable_random_interleaving",
     "interleaving is ours: every block runs each configuration once, in an order drawn from --seed"},
    {"benchmark_repetitions", "repetitions are interleaved by daxrace; use --repetitions"},
    {"benchmark_min_time", "an episode has a fixed length; use --duration"},
    {"benchmark_min_warmup_time", "an episode has its own warm-up; use --warmup"},
    {"benchmark_report_aggregates_only", "each episode writes its own rows to --out"},
    {"benchmark_display_aggregates_only", "each episode writes its own rows to --out"},
    {"benchmark_format",
     "the table is daxrace's own; --benchmark_out writes Google Benchmark's JSON to a file"},
    {"benchmark_color", "the table is daxrace's own"},
    {"benchmark_time_unit", "the table is daxrace's own"},
    {"benchmark_counters_tabular", "the table is daxrace's own"},
    {"benchmark_perf_counters", "they would count the main thread, which only waits for the workers"},
}};

struct Flag {
  std::string name;
  std::string value;
};

Flag split_flag(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {text.substr(2), ""};
  return {text.substr(2, equals - 2), text.substr(equals + 1)};
}

std::vector<std::string> known_flags() {
  std::vector<std::string> names(kPassed.begin(), kPassed.end());
  for (const RefusedFlag& refused : kRefused) names.emplace_back(refused.name);
  return names;
}

/// Google Benchmark ends the process where the value of a flag is bad, so that is found here.
void check_value(const Flag& flag) {
  const auto reject = [&](std::string_view wanted) {
    throw Error(fmt::format("--{}={}: wanted {}", flag.name, flag.value, wanted));
  };
  if (flag.name == "benchmark_out_format" && flag.value != "json" && flag.value != "csv" &&
      flag.value != "console")
    reject("json, csv or console");
  if (flag.name == "benchmark_context" && flag.value.find('=') == std::string::npos) reject("KEY=VALUE");
  if (flag.name == "benchmark_out" && std::filesystem::exists(flag.value))
    reject("a file that is not there yet");
  if (flag.name == "benchmark_out" && !std::ofstream(flag.value, std::ios::app))
    reject("a file that can be written");
  if (flag.name == "benchmark_filter" && flag.value.empty()) reject("a regular expression");
}

void check_flag(const Flag& flag) {
  const auto* refused = std::ranges::find(kRefused, flag.name, &RefusedFlag::name);
  if (refused != kRefused.end()) throw Error(fmt::format("--{}: refused: {}", flag.name, refused->why));
  if (std::ranges::find(kPassed, flag.name) == kPassed.end())
    throw Error(unknown_word("Google Benchmark flag", flag.name, known_flags()));
  check_value(flag);
}

bool is_true(const std::string& value) {
  return value.empty() || value == "true" || value == "1" || value == "yes";
}

void initialize(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "daxrace");
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  benchmark::Initialize(&argc, argv.data());
}

/// Google Benchmark takes nothing, "all" and "." for everything, and then makes room for one more name at a
/// time: with thousands of episodes that takes most of a minute, each time that it is asked.
std::string filter_text(const std::string& filter) {
  return filter.empty() || filter == "all" || filter == "." ? "^" : filter;
}

/// Says nothing: daxrace reports its episodes itself.
class SilentReporter : public benchmark::BenchmarkReporter {
 public:
  SilentReporter() {
    SetOutputStream(&output_);
    SetErrorStream(&errors_);
  }
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
  std::string output() const { return output_.str(); }
  std::string errors() const { return errors_.str(); }

 private:
  std::ostringstream output_;
  std::ostringstream errors_;
};

}  // namespace

BenchmarkSuite::BenchmarkSuite(const std::vector<std::string>& flags) {
  std::vector<std::string> passed;
  for (const std::string& text : flags) {
    const Flag flag = split_flag(text);
    check_flag(flag);
    if (flag.name == "benchmark_filter") {
      filter_ = flag.value;
    } else if (flag.name == "benchmark_list_tests") {
      only_list_ = is_true(flag.value);
    } else {
      passed.push_back(text);
    }
  }
  initialize(passed);
  benchmark::ClearRegisteredBenchmarks();
}

BenchmarkSuite::~BenchmarkSuite() { benchmark::ClearRegisteredBenchmarks(); }

void BenchmarkSuite::add(const std::string& name, std::function<MeasuredSeconds()> body) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [body = std::move(body)](benchmark::State& state) {
                                 for (auto _ : state) {
                                   const MeasuredSeconds seconds = body();
                                   if (seconds)
                                     state.SetIterationTime(*seconds);
                                   else
                                     state.SkipWithError("did not run");
                                 }
                               })
      ->Iterations(1)
      ->UseManualTime();
}

std::vector<std::string> BenchmarkSuite::selected() const {
  initialize({"--benchmark_list_tests=true"});
  SilentReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter, filter_text(filter_));
  initialize({"--benchmark_list_tests=false"});
  if (reporter.errors().find("Could not compile") != std::string::npos)
    throw Error(fmt::format("--benchmark_filter={}: not a regular expression", filter_));
  std::vector<std::string> names;
  std::istringstream lines(reporter.output());
  for (std::string line; std::getline(lines, line);) names.push_back(line);
  return names;
}

void BenchmarkSuite::run() {
  SilentReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter, filter_text(filter_));
}

std::string given_name(const std::string& benchmark_name) {
  return benchmark_name.substr(
      0, benchmark_name.size() - (benchmark_name.ends_with(kSuffix) ? kSuffix.size() : 0));
}

}  // namespace daxrace
