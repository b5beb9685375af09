#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

struct tracefs_instance;
struct tracefs_dynevent;

namespace daxrace::kernel {

/// A trace instance of our own: no setting of anybody else's is touched. Throws Skipped where there is no
/// tracefs that we may write.
class Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// Removes the instance of a process that was killed.
  static void remove_left_by(pid_t process) noexcept;

  /// Throws Skipped if this kernel has no such event.
  void enable(const char* system, const char* event);
  void disable(const char* system, const char* event) noexcept;
  /// Events `enter_FUNCTION` and `leave_FUNCTION` of a kernel function. Throws Skipped.
  void probe(const std::string& function);
  /// Writes one of the instance's files. Throws Skipped.
  void set(const char* file, const std::string& value);
  void clear();
  std::vector<std::string> lines() const;
  /// True if events were lost because nobody read them in time.
  bool overran() const;

 private:
  std::string text() const;

  tracefs_instance* instance_ = nullptr;
  std::vector<tracefs_dynevent*> probes_;
};

/// Those of the functions that this kernel can probe.
std::vector<std::string> traceable(const std::vector<std::string>& functions);

/// A line of the trace.
struct TraceEvent {
  pid_t tid = 0;
  std::uint64_t ns = 0;  ///< of the instance's clock; the kernel prints microseconds
  std::string name;
  std::string fields;
};
std::optional<TraceEvent> parse_event(const std::string& line);

/// A line of fs_dax:dax_writeback_one.
struct Writeback {
  std::uint64_t inode = 0;
  std::uint64_t page = 0;
  std::uint64_t pages = 0;
  bool covers(std::uint64_t ino, std::uint64_t wanted) const {
    return inode == ino && wanted >= page && wanted < page + pages;
  }
};
std::optional<Writeback> parse_writeback(std::string_view line);

}  // namespace daxrace::kernel
