// What daxrace compare takes, in time and memory, for many rows against as many: writes such files, runs it
// on them and prints a table in markdown. scripts/compare-speed.sh keeps it.
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/results/csv.hpp"
#include "tests/simulated_rows.hpp"

namespace daxrace {
namespace {

constexpr unsigned kRepetitions = 10;
constexpr std::array<std::string_view, 3> kPaths = {"punch", "fault", "read"};

Row with_counters(Row row, std::string_view path) {
  row.path = path;
  row.ops = 600;
  row.duration_ns = 95'000'000;
  row.ops_per_s = 6315.79;
  return row;
}

Row path_row(const Row& common, std::string_view path, const std::string& histogram,
             std::mt19937_64& random) {
  std::normal_distribution<double> noise(2000, 60);
  Row row = with_counters(common, path);
  row.lat_min_ns = 1500;
  row.lat_p50_ns = static_cast<std::uint64_t>(noise(random));
  row.lat_p90_ns = 2300;
  row.lat_p99_ns = 9000;
  row.lat_max_ns = 21'000;
  row.resp_p50_ns = 2100;
  row.resp_p99_ns = 9100;
  row.resp_max_ns = 22'000;
  for (auto member : {&Row::lock_wait_sum_ns, &Row::break_wait_sum_ns, &Row::dio_wait_sum_ns,
                      &Row::lease_wait_sum_ns, &Row::shootdown_sum_ns, &Row::zap_sum_ns})
    row.*member = random() % 100'000;
  row.faults_real = 600;
  row.lat_hist = histogram;
  return row;
}

Row all_row(const Row& common) {
  Row row = with_counters(common, kAllPaths);
  for (auto member : {&Row::freed_busy, &Row::stale_access, &Row::corruption, &Row::misplaced,
                      &Row::stale_data, &Row::unflushed, &Row::leak, &Row::hang})
    row.*member = 0;
  row.promises = "H1+H2+H3+H4+H6+H7+H8";
  row.verdict = "kept";
  row.status = "ok";
  return row;
}

void write_rows(const std::string& path, std::uint64_t rows, std::uint64_t seed) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  std::mt19937_64 random(seed);
  Simulation simulation;
  simulation.run_id = fmt::format("run-{}", seed);
  const std::string histogram = simulated_latencies(simulation, 2000, false, random).encode();
  Row common = simulated_row(simulation);
  common.workload = "mixed";
  common.protocol = "ext4";
  const std::uint64_t configurations = rows / (kRepetitions * (kPaths.size() + 1));
  out << csv_header() << '\n';
  for (unsigned repetition = 1; repetition <= kRepetitions; ++repetition) {
    for (std::uint64_t config = 1; config <= configurations; ++config) {
      common.repetition = repetition;
      common.file_pages = config;
      for (const std::string_view name : kPaths)
        out << csv_line(path_row(common, name, histogram, random)) << '\n';
      out << csv_line(all_row(common)) << '\n';
    }
  }
  out.close();
  if (!out) throw Error(path + ": could not be written");
}

struct Usage {
  double wall_s = 0;
  double cpu_s = 0;
  std::uint64_t memory_kb = 0;
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

[[noreturn]] void become(const std::vector<std::string>& words) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments.front(), arguments.data());
  _exit(127);
}

Usage measure(const std::vector<std::string>& words) {
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child < 0) throw Error("fork failed");
  if (child == 0) become(words);
  int status = 0;
  rusage used{};
  if (wait4(child, &status, 0, &used) != child || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
    throw Error(fmt::format("{} failed", words.front()));
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  return {wall.count(), seconds(used.ru_utime) + seconds(used.ru_stime),
          static_cast<std::uint64_t>(used.ru_maxrss)};
}

/// The best of three: other load only ever adds.
Usage best_of_three(const std::vector<std::string>& words) {
  Usage best = measure(words);
  for (int again = 0; again < 2; ++again) {
    const Usage usage = measure(words);
    if (usage.wall_s < best.wall_s) best = usage;
  }
  return best;
}

void measure_rows(const std::string& program, const std::string& directory, std::uint64_t rows) {
  const std::string base = directory + "/speed-base.csv";
  const std::string changed = directory + "/speed-new.csv";
  write_rows(base, rows, 1);
  write_rows(changed, rows, 2);
  struct stat facts {};
  stat(base.c_str(), &facts);
  const Usage usage = best_of_three({program, "compare", base, changed});
  unlink(base.c_str());
  unlink(changed.c_str());
  fmt::print("| {} | {} MB | {:.2f} s | {:.2f} s | {} MB | {} |\n", rows, facts.st_size / 1'000'000,
             usage.wall_s, usage.cpu_s, usage.memory_kb / 1000, usage.memory_kb * 1024 / (2 * rows));
  std::fflush(stdout);
}

int measure_all(const std::vector<std::string>& words) {
  if (words.size() < 3) throw Error("usage: compare_speed PROGRAM DIRECTORY ROWS...");
  fmt::print(
      "| rows a side | file | wall | CPU | memory | bytes a row |\n| ---: | ---: | ---: | ---: | ---: | ---: "
      "|\n");
  for (std::size_t i = 2; i < words.size(); ++i) {
    std::uint64_t rows = 0;
    const char* const end = words[i].data() + words[i].size();
    if (std::from_chars(words[i].data(), end, rows).ptr != end || rows < 40)
      throw Error(words[i] + ": not a number from 40 on");
    measure_rows(words[0], words[1], rows);
  }
  return 0;
}

}  // namespace
}  // namespace daxrace

int main(int argc, char** argv) {
  try {
    return daxrace::measure_all({argv + 1, argv + argc});
  } catch (const daxrace::Error& error) {
    fmt::print(stderr, "compare_speed: {}\n", error.what());
    return 2;
  }
}
