#include "harness/platform/mount_info.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

namespace daxrace {
namespace {

/// The kernel writes blanks and backslashes in names as three octal digits.
std::string unescape(const std::string& text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
        octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string merge_options(const std::string& mount, const std::string& super) {
  std::vector<std::string> all;
  std::stringstream words(mount + ',' + super);
  std::string out;
  for (std::string word; std::getline(words, word, ',');) {
    if (word.empty() || std::find(all.begin(), all.end(), word) != all.end()) continue;
    all.push_back(word);
    if (!out.empty()) out += ',';
    out += word;
  }
  return out;
}

template <class Wanted>
std::optional<Mount> find_mount(Wanted wanted) {
  std::ifstream file("/proc/self/mountinfo");
  std::optional<Mount> found;
  for (std::string line; std::getline(file, line);) {
    // A later mount hides an earlier one.
    if (auto mount = parse_mount(line); mount && wanted(*mount)) found = std::move(mount);
  }
  return found;
}

}  // namespace

std::optional<Mount> parse_mount(const std::string& line) {
  std::istringstream in(line);
  Mount mount;
  unsigned long parent = 0;
  char colon = 0;
  std::string root, mount_options, word;
  if (!(in >> mount.id >> parent >> mount.major >> colon >> mount.minor >> root >> mount.point >>
        mount_options)) {
    return std::nullopt;
  }
  while (in >> word && word != "-") continue;
  std::string super_options;
  if (!(in >> mount.fs >> mount.source >> super_options)) return std::nullopt;
  mount.point = unescape(mount.point);
  mount.source = unescape(mount.source);
  mount.options = merge_options(mount_options, unescape(super_options));
  return mount;
}

std::optional<Mount> mount_of(int fd) {
  // The mount id is exact where st_dev is not (btrfs, overlay, several mounts of one file system).
  struct statx info {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) != 0) return std::nullopt;
  if ((info.stx_mask & STATX_MNT_ID) != 0) {
    return find_mount([&](const Mount& mount) { return mount.id == info.stx_mnt_id; });
  }
  return find_mount([&](const Mount& mount) {
    return mount.major == info.stx_dev_major && mount.minor == info.stx_dev_minor;
  });
}

std::string fs_name_of(int fd) {
  const auto mount = mount_of(fd);
  return mount ? mount->fs : "unknown file system";
}

}  // namespace daxrace
