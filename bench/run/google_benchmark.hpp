#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace daxrace {

/// What one registered benchmark came to: the measured time, or nothing if it did not run.
using MeasuredSeconds = std::optional<double>;

/// Google Benchmark as the matrix uses it: it registers, filters, times and reports; each benchmark runs
/// once, in the order in which it was added, on the calling thread.
class BenchmarkSuite {
 public:
  /// `flags`: `--benchmark_*` as given. Throws Error for those that it does not know and for those that would
  /// undo what the matrix does itself, such as interleaving and repetitions.
  explicit BenchmarkSuite(const std::vector<std::string>& flags);
  ~BenchmarkSuite();
  BenchmarkSuite(const BenchmarkSuite&) = delete;
  BenchmarkSuite& operator=(const BenchmarkSuite&) = delete;

  void add(const std::string& name, std::function<MeasuredSeconds()> body);

  /// The names that --benchmark_filter leaves, as Google Benchmark calls them: the name given to add(), and
  /// behind it
  /// `/iterations:1/manual_time`. Throws Error for a malformed filter.
  std::vector<std::string> selected() const;
  const std::string& filter() const { return filter_; }
  bool only_list() const { return only_list_; }

  /// Runs those.
  void run();

 private:
  std::string filter_ = ".";
  bool only_list_ = false;
};

/// The part of a Google Benchmark name that was given to add().
std::string given_name(const std::string& benchmark_name);

}  // namespace daxrace
