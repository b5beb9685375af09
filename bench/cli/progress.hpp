#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace daxrace {

/// What the user sees while episodes run, on stderr: one updating line on a terminal, silence in a pipe.
class Progress {
 public:
  /// `total_ns`: what the `total` episodes are expected to take together.
  Progress(std::size_t total, std::uint64_t total_ns, bool enabled, std::FILE* out);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void started(const std::string& name, std::uint64_t estimate_ns);
  void finished();
  /// Wipes the line, before something else is printed.
  void clear();
  /// The line as it is now, at most `width` columns.
  std::string line(std::size_t width) const;

 private:
  void show();

  std::size_t total_;
  std::uint64_t remaining_ns_;
  std::FILE* out_;
  bool enabled_;
  std::size_t done_ = 0;
  std::uint64_t current_ns_ = 0;
  std::uint64_t estimated_done_ns_ = 0;
  std::uint64_t started_at_ns_;
  std::string name_;
  bool visible_ = false;
};

}  // namespace daxrace
