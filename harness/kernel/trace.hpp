#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct tracefs_instance;

namespace daxrace::kernel {

/// A trace instance of our own: no setting of anybody else's is touched. Throws Skipped where there is no
/// tracefs that we may write.
class Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// Throws Skipped if this kernel has no such event.
  void enable(const char* system, const char* event);
  void clear();
  std::vector<std::string> lines() const;

 private:
  tracefs_instance* instance_ = nullptr;
};

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
