#include "harness/live/staging/freeze.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "harness/base/error.hpp"

namespace daxrace::kernel {
namespace {

constexpr unsigned kBoundSeconds = 20;

std::optional<dev_t> device_of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  return info.st_dev;
}

std::vector<std::string> swap_files() {
  std::vector<std::string> files;
  std::ifstream in("/proc/swaps");
  std::string line;
  std::getline(in, line);  // the heads of the columns
  while (std::getline(in, line)) files.push_back(line.substr(0, line.find_first_of(" \t")));
  return files;
}

}  // namespace

std::string needed_on(const std::string& dir) {
  struct Needed {
    std::string path, what;
  };
  std::vector<Needed> needed = {{"/", "/"},
                                {".", "the working directory"},
                                {"/proc/self/exe", "this program"},
                                {"/proc/self/fd/1", "the output"},
                                {"/proc/self/fd/2", "the output"},
                                {"/tmp", "/tmp"},
                                {"/usr", "/usr"}};
  for (const std::string& file : swap_files()) needed.push_back({file, "swap"});
  const auto here = device_of(dir);
  for (const Needed& one : needed)
    if (here && device_of(one.path) == here) return one.what;
  return "";
}

// The guard tries for a while: a freeze that is on its way when we die is there only later.
Freeze::Freeze(const Directory& directory, std::uint64_t hang_bound_ns)
    : directory_(open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!directory_) throw Error(fmt::format("freeze: {}", std::strerror(errno)));
  guard_.emplace(
      [fd = directory_.get()] {
        const timespec nap{0, 100'000'000};
        for (unsigned i = 0; i < 50; ++i) {
          ioctl(fd, FITHAW, 0);
          nanosleep(&nap, nullptr);
        }
      },
      std::vector<int>{directory_.get()},
      kBoundSeconds + static_cast<unsigned>(4 * hang_bound_ns / 1'000'000'000));
}

Freeze::~Freeze() { thaw(); }

long Freeze::begin() noexcept {
  if (ioctl(directory_.get(), FIFREEZE, 0) != 0) return -errno;
  if (over_.load()) ioctl(directory_.get(), FITHAW, 0);
  return 0;
}

void Freeze::thaw() noexcept {
  over_.store(true);
  ioctl(directory_.get(), FITHAW, 0);
}

}  // namespace daxrace::kernel
