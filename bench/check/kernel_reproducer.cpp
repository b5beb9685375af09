#include "bench/check/kernel_reproducer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "bench/cli/suggest.hpp"
#include "harness/base/file_descriptor.hpp"
#include "harness/live/reproducers.hpp"

namespace daxrace {
namespace {

using kernel::Reproducer;

std::vector<const Reproducer*> picked(const std::vector<std::string>& words) {
  const auto all = kernel::reproducers();
  std::vector<std::string> names;
  for (const Reproducer& reproducer : all) names.emplace_back(reproducer.name);
  std::vector<const Reproducer*> found;
  for (const std::string& word : words) {
    if (word != "all") position_of("reproducer", word, names);
    for (const Reproducer& reproducer : all)
      if (word == "all" || reproducer.name == word) found.push_back(&reproducer);
  }
  return found;
}

void write_new(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw Error(fmt::format("{}: {}", path.string(), std::strerror(errno)));
  fmt::print("{}\n", path.string());
}

}  // namespace

Exit write_reproducers(const std::vector<std::string>& names, const std::string& directory) {
  const std::filesystem::path root(directory);
  for (const Reproducer* one : picked(names)) {
    const std::string name{one->name};
    write_new(root / "src" / (name + ".c"), one->source, 0644);
    write_new(root / "tests" / "generic" / name, kernel::fstest_of(*one), 0755);
    write_new(root / "tests" / "generic" / (name + ".out"), kernel::fstest_output(), 0644);
  }
  return Exit::ok;
}

}  // namespace daxrace
