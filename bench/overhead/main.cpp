// daxrace_overhead: what the harness itself costs, measured against itself with a part switched off, against
// fio and against a bare loop. See scripts/overhead.sh.
#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/cli/signals.hpp"
#include "bench/cli/units.hpp"
#include "bench/overhead/comparisons.hpp"
#include "bench/overhead/fio.hpp"
#include "bench/overhead/report.hpp"
#include "harness/base/error.hpp"

namespace daxrace::overhead {
namespace {

constexpr std::array<std::string_view, 5> kGroups = {"oracle", "recorder", "io", "zap", "inlined"};

struct Options {
  RigOptions rig;
  unsigned pairs = 20;
  std::uint64_t seed = 1;
  std::vector<std::string> groups;
  std::string out;
  bool help = false;
};

/// Values as typed; what they mean is checked after parsing, with our own words.
struct Words {
  std::string pairs = "20";
  std::string episode = "100ms";
  std::string io = "1s";
  std::string seed = "1";
  int cpu = -1;
};

void check(const Options& options) {
  for (const std::string& group : options.groups) {
    if (std::ranges::find(kGroups, group) != kGroups.end()) continue;
    throw Error(fmt::format("--only: '{}' is none of {}", group, fmt::join(kGroups, ", ")));
  }
  if (options.rig.episode_ns < 10'000'000 || options.rig.io_ns < 100'000'000)
    throw Error("--episode: at least 10ms, and --io-run: at least 100ms; less measures starting and ending");
}

Options parse(std::vector<std::string> arguments) {
  Options options;
  options.rig.peer_file = "/var/tmp/daxrace-overhead.peer";
  Words words;
  CLI::App app(
      "Measures what the harness itself costs, in pairs A B B A with an A/A control beside each comparison.\n"
      "A missed bar is reported and is no error.");
  app.add_option("--pairs", words.pairs, "pairs per comparison, made even (20)");
  app.add_option("--episode", words.episode, "length of one run (100ms)");
  app.add_option("--io-run", words.io, "length of one run against fio (1s)");
  app.add_option("--only", options.groups, "groups to run: oracle, recorder, io, zap, inlined (all)")
      ->delimiter(',');
  app.add_option("--cpu", words.cpu, "the worker's CPU (the last one)");
  app.add_option("--seed", words.seed, "of what the workers draw and of the bootstrap (1)");
  app.add_option("--peer-file", options.rig.peer_file,
                 "the file for O_DIRECT; ours, removed at the end (/var/tmp/daxrace-overhead.peer)");
  app.add_option("--out", options.out, "write the result to this markdown file too");
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    options.help = true;
    return options;
  } catch (const CLI::ParseError& error) {
    throw Error(error.what());
  }
  options.pairs = (static_cast<unsigned>(parse_count("pairs", words.pairs, 2, 10'000)) + 1) / 2 * 2;
  options.seed = parse_count("seed", words.seed, 0, UINT32_MAX);
  options.rig.episode_ns = parse_duration_ns("episode", words.episode);
  options.rig.io_ns = parse_duration_ns("io-run", words.io);
  options.rig.cpu = words.cpu;
  check(options);
  return options;
}

bool wants(const Options& options, std::string_view group) {
  return options.groups.empty() || std::ranges::find(options.groups, group) != options.groups.end();
}

std::vector<Comparison> wanted_comparisons(const Options& options, const Rig& rig) {
  using Make = std::vector<Comparison> (*)(const Rig&);
  constexpr std::array<Make, kGroups.size()> kMakers = {
      oracle_comparisons, recorder_comparisons, direct_io_comparisons, zap_comparisons, inlined_comparisons};
  std::vector<Comparison> all;
  for (std::size_t i = 0; i < kGroups.size(); ++i) {
    if (!wants(options, kGroups[i])) continue;
    for (Comparison& comparison : kMakers[i](rig)) all.push_back(std::move(comparison));
  }
  return all;
}

std::vector<Row> run_or_skip(const Comparison& comparison, const Options& options) {
  try {
    return run(comparison, options.pairs, options.seed);
  } catch (const Skipped& reason) {
    return skipped(comparison, reason.what());
  }
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("daxrace_overhead{}{}", words.empty() ? "" : " ", fmt::join(words, " "));
}

Exit measure(const Options& options, const std::vector<std::string>& arguments) {
  const Rig rig(options.rig);
  const std::vector<Comparison> comparisons = wanted_comparisons(options, rig);
  std::vector<Row> rows;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    fmt::print(stderr, "[{}/{}] {}: {}\n", i + 1, comparisons.size(), comparisons[i].group,
               comparisons[i].name);
    for (Row& row : run_or_skip(comparisons[i], options)) rows.push_back(std::move(row));
  }
  fmt::print("{}", text_table(rows));
  if (options.out.empty()) return Exit::ok;
  const std::string setup =
      fmt::format("{} pairs per comparison, {} each, {} against fio; seed {}", options.pairs,
                  duration_text(options.rig.episode_ns), duration_text(options.rig.io_ns), options.seed);
  write_file(options.out, markdown(rows, {joined(arguments), rig.facts(), fio_version(), setup}));
  return Exit::ok;
}

}  // namespace
}  // namespace daxrace::overhead

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);
  daxrace::install_stop_handlers();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    const auto options = daxrace::overhead::parse(arguments);
    if (options.help) return 0;
    return static_cast<int>(daxrace::overhead::measure(options, arguments));
  } catch (const daxrace::Error& error) {
    fmt::print(stderr, "daxrace_overhead: {}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    fmt::print(stderr, "daxrace_overhead: {}\n", error.what());
    return static_cast<int>(daxrace::Exit::usage);
  }
}
