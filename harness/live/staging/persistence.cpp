#include "harness/live/staging/persistence.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace::kernel {
namespace {

bool written_back(const Trace& trace, std::uint64_t inode) {
  return std::ranges::any_of(trace.lines(), [&](const std::string& line) {
    const auto seen = parse_writeback(line);
    return seen && seen->covers(inode, kOutside);
  });
}

void store(SceneFile& file) {
  file.content[kOutside] = page_word(1, kOutside, 2);
  const auto bytes = filled_page(file.content[kOutside]);
  std::memcpy(file.at(kOutside), bytes.data(), bytes.size());
}

CellResult judge(SceneFile& file, Operation operation, const SceneFile& other, bool flushed, bool control) {
  CellResult cell;
  apply_to_content(operation, file, other);
  if (const std::string wrong = file.difference(); !wrong.empty()) {
    cell.outcome = Outcome::content_changed;
    cell.what = "afterwards " + wrong;
  } else if (flushed) {
    cell.outcome = Outcome::flushed;
    cell.what = "the stored page was written back";
  } else if (!control) {
    cell.what = "not even a store and fsync without a layout change show as a write-back";
  } else {
    cell.outcome = Outcome::unflushed;
    cell.what = "fsync returned, and no dax_writeback_one covered the stored page";
  }
  return cell;
}

}  // namespace

CellResult decide_persistence(const Directory& directory, Operation operation, Access access, Means& means) {
  if (!directory.facts().dax) throw Skipped("not on DAX");
  if (needs_reflink(operation)) throw Skipped("page 1 is no part of a reflink operation");
  const bool sync = access == Access::fsync_sync;
  if (sync && !directory.facts().sync_mapping)
    throw Skipped("MAP_SYNC is refused: the device flushes asynchronously");
  Trace& trace = means.writebacks();
  const std::uint64_t start = Clock::monotonic_ns();
  SceneFile file(directory, "file", 1);
  SceneFile other(directory, "other", 2);
  for (SceneFile* one : {&file, &other})
    if (const int error = one->map(sync); error != 0)
      throw Skipped(fmt::format("mmap{}: {}", sync ? " MAP_SYNC" : "", std::strerror(-error)));
  // The control: the same without a layout change must be seen.
  trace.clear();
  store(other);
  if (fsync(other.fd()) != 0) throw Skipped(fmt::format("fsync: {}", std::strerror(errno)));
  const bool control = written_back(trace, other.inode());
  trace.clear();
  store(file);
  const long changed = change_layout(operation, file, other);
  if (changed != 0)
    throw Skipped(fmt::format("{}: {}", info_of(operation).name, std::strerror(static_cast<int>(-changed))));
  fsync(file.fd());
  CellResult cell = judge(file, operation, other, written_back(trace, file.inode()), control);
  cell.operation = operation;
  cell.access = access;
  cell.duration_ns = Clock::monotonic_ns() - start;
  return cell;
}

}  // namespace daxrace::kernel
