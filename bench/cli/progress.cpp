#include "bench/cli/progress.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench/cli/units.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace {
namespace {

/// The program's own stderr is a stream without a descriptor.
int descriptor_of(std::FILE* out) { return out == stderr ? STDERR_FILENO : fileno(out); }

std::size_t columns_of(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

Progress::Progress(std::size_t total, std::uint64_t total_ns, bool enabled, std::FILE* out)
    : total_(total),
      remaining_ns_(total_ns),
      out_(out),
      enabled_(enabled && isatty(descriptor_of(out)) == 1),
      started_at_ns_(Clock::monotonic_ns()) {}

void Progress::started(const std::string& name, std::uint64_t estimate_ns) {
  name_ = name;
  current_ns_ = estimate_ns;
  show();
}

void Progress::finished() {
  ++done_;
  remaining_ns_ -= std::min(remaining_ns_, current_ns_);
  estimated_done_ns_ += current_ns_;
}

std::string Progress::line(std::size_t width) const {
  // The estimates are corrected by how long the finished episodes really took.
  double correction = 1;
  if (estimated_done_ns_ > 0)
    correction =
        static_cast<double>(Clock::monotonic_ns() - started_at_ns_) / static_cast<double>(estimated_done_ns_);
  const auto left = static_cast<std::uint64_t>(static_cast<double>(remaining_ns_) * correction);
  std::string text =
      fmt::format("[{}/{}] {} left  {}", std::min(done_ + 1, total_), total_, duration_text(left), name_);
  if (text.size() > width) text.resize(width);
  return text;
}

void Progress::show() {
  if (!enabled_) return;
  const std::size_t columns = columns_of(descriptor_of(out_));
  fmt::print(out_, "\r\033[K{}", line(columns > 1 ? columns - 1 : columns));
  std::fflush(out_);
  visible_ = true;
}

void Progress::clear() {
  if (!visible_) return;
  fmt::print(out_, "\r\033[K");
  std::fflush(out_);
  visible_ = false;
}

}  // namespace daxrace
