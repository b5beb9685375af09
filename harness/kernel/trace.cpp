#include "harness/kernel/trace.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

// A C header without extern "C".
extern "C" {
#include <tracefs.h>
}

#include "harness/error.hpp"

namespace daxrace::kernel {

Trace::Trace() {
  if (tracefs_tracing_dir() == nullptr)
    throw Skipped("no tracefs: mount -t tracefs tracefs /sys/kernel/tracing");
  const std::string name = fmt::format("daxrace-{}", getpid());
  instance_ = tracefs_instance_create(name.c_str());
  if (instance_ == nullptr)
    throw Skipped(fmt::format("tracefs gives no instance ({}): needs root", std::strerror(errno)));
}

Trace::~Trace() {
  tracefs_instance_destroy(instance_);
  tracefs_instance_free(instance_);
}

void Trace::enable(const char* system, const char* event) {
  if (tracefs_event_enable(instance_, system, event) != 0)
    throw Skipped(fmt::format("this kernel has no trace event {}:{}", system, event));
}

void Trace::clear() { tracefs_instance_file_write(instance_, "trace", ""); }

std::vector<std::string> Trace::lines() const {
  int size = 0;
  char* text = tracefs_instance_file_read(instance_, "trace", &size);
  if (text == nullptr) return {};
  std::istringstream in(std::string(text, static_cast<std::size_t>(size)));
  std::free(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.starts_with('#')) lines.push_back(line);
  return lines;
}

std::optional<Writeback> parse_writeback(std::string_view line) {
  constexpr std::string_view kName = "dax_writeback_one: ";
  const auto at = line.find(kName);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string fields{line.substr(at + kName.size())};
  Writeback seen;
  if (std::sscanf(fields.c_str(), "dev %*u:%*u ino %lx pgoff %lx pglen %lx", &seen.inode, &seen.page,
                  &seen.pages) != 3)
    return std::nullopt;
  return seen;
}

}  // namespace daxrace::kernel
