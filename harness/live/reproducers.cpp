#include "harness/live/reproducers.hpp"

#include <array>

#include <fmt/format.h>

namespace daxrace::kernel {

/// Stamped from the files in harness/live/reproducers/.
namespace text {
extern const std::string_view clone_spin, fsync_after_punch, fstest, pin_munmap, pin_refault, pin_unlink,
    punch_under_dio, zero_page;
}  // namespace text

std::span<const Reproducer> reproducers() {
  constexpr std::string_view kPunch = "_require_xfs_io_command \"fpunch\"\n";
  static const std::array<Reproducer, 7> all = {{
      {"pin_munmap", "A hole punch must wait for a pinned page whose mapping is gone", "punch mmap", kPunch,
       text::pin_munmap},
      {"pin_unlink", "The last close of an unlinked file must wait for a pinned page of it", "unlink mmap",
       "", text::pin_unlink},
      {"pin_refault", "A hole punch must end once the page it waits for is unpinned, touched again or not",
       "punch mmap", kPunch, text::pin_refault},
      {"fsync_after_punch",
       "fsync must write back what was stored before a hole was punched elsewhere in the file", "punch mmap",
       kPunch, text::fsync_after_punch},
      {"punch_under_dio", "A hole punch must end once the O_DIRECT reads into the mapping have ended",
       "punch mmap", kPunch, text::punch_under_dio, " $TEST_DEV"},
      {"clone_spin", "A clone onto a file with a pinned page must sleep until the pin is gone", "clone mmap",
       "_require_test_reflink\n", text::clone_spin},
      {"zero_page", "What pwrite() has written must be seen through a mapping that showed a hole",
       "punch mmap", kPunch, text::zero_page},
  }};
  return all;
}

std::string fstest_of(const Reproducer& reproducer) {
  std::string out{text::fstest};
  const auto fill = [&](std::string_view field, std::string_view value) {
    for (auto at = out.find(field); at != std::string::npos; at = out.find(field, at + value.size()))
      out.replace(at, field.size(), value);
  };
  fill("{name}", reproducer.name);
  fill("{what}", reproducer.what);
  fill("{groups}", reproducer.groups);
  fill("{requires}\n", reproducer.requires_);
  fill("{arguments}", reproducer.arguments);
  return out;
}

std::string fstest_output() { return "QA output created by NNN\nSilence is golden\n"; }

}  // namespace daxrace::kernel
