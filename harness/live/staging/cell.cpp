#include "harness/live/staging/cell.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/live/staging/cell_support.hpp"
#include "harness/live/staging/pin.hpp"
#include "harness/live/staging/stall.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace::kernel {
namespace {

constexpr unsigned kFileNumber = 1;
constexpr unsigned kOtherNumber = 2;

}  // namespace

std::string error_text(long result) {
  if (result == -EILSEQ) return "the kernel says that the ranges differ";
  return std::strerror(static_cast<int>(-result));
}

CellResult result(Outcome outcome, std::string what) {
  CellResult cell;
  cell.outcome = outcome;
  cell.what = std::move(what);
  return cell;
}

std::string judge_page(std::span<const std::byte> bytes, std::uint64_t original, bool waited,
                       const char* whose) {
  const auto word = uniform_word(bytes);
  if (word == original || (!waited && word == std::uint64_t{0})) return "";
  return fmt::format("{} holds {} instead of {}", whose, word_text(word), word_text(original));
}

void take_pin(Pin& pin, std::byte* page) {
  if (const int error = pin.take(page); error != 0)
    throw Skipped(fmt::format("vmsplice pins no page of this mapping: {}", error_text(error)));
}

InFlight in_pin(Pin& pin, std::vector<std::byte>& out, std::uint64_t original, unsigned page) {
  return {
      .holders = {},
      .release = [&] { out = pin.drain(); },
      .judge = [&out, original](bool waited) { return judge_page(out, original, waited, "the pinned page"); },
      .page = page};
}

CellResult report_hang(std::string what, const std::vector<const Helper*>& threads,
                       const std::vector<Cause>& causes, std::uint64_t settled_ns) {
  const std::uint64_t bound =
      std::max(kBound, settled_ns);  // of those who run: they may have to wait for a CPU
  CellResult cell = result(Outcome::hang, std::move(what));
  for (const Helper* thread : threads) {
    if (thread->ended()) {
      cell.report.push_back(fmt::format("{}: ended with {}", thread->what(), thread->result()));
      continue;
    }
    const ThreadState state = thread->state();
    cell.report.push_back(fmt::format("{}:", thread->what()));
    for (const std::string& line : describe(state)) cell.report.push_back("  " + line);
    if (cell.where.empty()) cell.where = state.where();
  }
  for (const Cause& cause : causes) {
    cause.remove();
    if (!all_end(threads, bound, settled_ns)) continue;
    cell.freed_by = cause.name;
    return cell;
  }
  for (const Helper* thread : threads)
    if (!thread->ended()) thread->interrupt();
  cell.freed_by = all_end(threads, bound, settled_ns) ? "a signal" : "nothing: the threads were left behind";
  return cell;
}

CellResult does_not_end(const std::string& what, Going going, const Patience& patience,
                        const std::vector<const Helper*>& threads, const std::vector<Cause>& causes) {
  const std::string said = patience.after(what, going);
  // One that looks again now and then sees what was removed at its next look.
  if (going == Going::asleep) return report_hang(said, threads, causes);
  CellResult cell = report_hang(said, threads, causes, patience.bound_ns());
  if (going == Going::running) cell.outcome = Outcome::spin;
  return cell;
}

CellResult let_go(const Helper& change, const Watched& meanwhile, const InFlight& access,
                  const std::vector<Cause>& causes, Patience& patience) {
  access.release();
  std::vector<const Helper*> threads = access.holders;
  threads.push_back(&change);
  if (const Going going = patience.settle(threads); going != Going::ended)
    return does_not_end("the access is over, and the change does not end", going, patience, threads, causes);
  if (meanwhile.doing == Doing::busy)
    return result(
        Outcome::spin,
        "the change did not return until the access was over, and used a CPU without end meanwhile");
  if (meanwhile.doing == Doing::unclear)
    return result(Outcome::inconclusive,
                  "the change ended once the access was over, and did not show what it waited for before");
  if (const std::string wrong = access.judge(true); !wrong.empty())
    return result(Outcome::content_changed, "the change waited, and yet " + wrong);
  CellResult cell = result(Outcome::waited,
                           meanwhile.doing == Doing::polls
                               ? "the change slept and looked again, over and over, until the access was over"
                               : "the change slept until the access was over");
  cell.where = meanwhile.state.where();
  return cell;
}

Cell::Cell(const Directory& directory, std::shared_ptr<Victims> victims, Means& means, Operation operation,
           Access access)
    : directory_(directory),
      victims_(std::move(victims)),
      means_(means),
      operation_(operation),
      access_(access) {}

Cell::~Cell() {
  // Who was left behind in the kernel may hold a file's locks, and unlinking would wait for them with the
  // directory locked: then the name stays.
  for (const File& file : {file_, other_})
    if (file && file.use_count() <= 2) file->unlink();             // a member's and the list's
  if (victims_ && victims_.use_count() <= 2) victims_->release();  // ours and the table's
}

CellResult Cell::decide() {
  const std::uint64_t start = Clock::monotonic_ns();
  if (needs_reflink(operation_) && !directory_.facts().reflink)
    throw Skipped(fmt::format("no reflink on this {}", directory_.facts().fs));
  file_ = std::make_shared<SceneFile>(directory_, "file", kFileNumber);
  other_ = std::make_shared<SceneFile>(directory_, "other", kOtherNumber);
  // Whoever locks two inodes takes the lower number first: which of them is changed must not be luck.
  if (file_->inode() < other_->inode()) std::swap(file_, other_);
  prepare_reflink();
  CellResult cell = by_access();
  cell.operation = operation_;
  cell.access = access_;
  cell.duration_ns = Clock::monotonic_ns() - start;
  return cell;
}

CellResult Cell::by_access() {
  switch (access_) {
    case Access::mapped:
      return mapped();
    case Access::faults:
      return faults();
    case Access::read:
      return read_stopped(false);
    case Access::write:
      return write_stopped(false);
    case Access::nested_fault:
      return write_stopped(true);
    case Access::dio_read:
      return read_stopped(true);
    case Access::pin:
    case Access::pin_munmap:
    case Access::pin_unlink:
    case Access::pin_outside:
      return pinned();
    case Access::dio_pin:
    case Access::dio_pin_munmap:
      return pinned_by_device();
    case Access::pin_refault:
      return refault();
    case Access::pin_stream:
      return pin_stream();
    case Access::pin_then_read:
      return pin_then_read();
    case Access::crosswise:
      return crosswise();
    case Access::pin_freeze:
      return frozen_while_it_waits();
    case Access::frozen_store:
      return changed_while_frozen();
    case Access::pin_umount:
      return unmounted_while_it_waits();
    case Access::fsync:
    case Access::fsync_sync:
    case Access::zero_page_fault:
      break;
  }
  throw Error("litmus: this access is not staged as a cell");
}

void Cell::prepare_reflink() {
  if (operation_ == Operation::dedupe) {
    for (unsigned i = 0; i < kCount; ++i) {
      other_->content[i] = file_->content[kFirst + i];
      const auto bytes = filled_page(other_->content[i]);
      if (pwrite(other_->fd(), bytes.data(), bytes.size(), static_cast<off_t>(i * kPageBytes)) < 0)
        throw Error(fmt::format("scene: write: {}", std::strerror(errno)));
    }
    fsync(other_->fd());
  }
  if (operation_ != Operation::unshare) return;
  file_clone_range range{};
  range.src_fd = file_->fd();
  range.src_offset = std::uint64_t{kFirst} * kPageBytes;
  range.src_length = std::uint64_t{kCount} * kPageBytes;
  if (ioctl(other_->fd(), FICLONERANGE, &range) != 0)
    throw Skipped(fmt::format("clone: {}", std::strerror(errno)));
}

/// Maps the file and faults one page in. Pages that are shared by reflink are only read: a write would
/// unshare them before the change does.
void Cell::map(const File& file, unsigned page) const {
  if (const int error = file->map(); error != 0) throw Skipped(fmt::format("mmap: {}", error_text(error)));
  if (const int error = populate(file->at(page), operation_ != Operation::unshare); error != 0)
    throw Skipped(fmt::format("the mapping cannot be faulted in: {}", error_text(error)));
}

std::unique_ptr<Helper> Cell::start_change(const File& file, const File& other,
                                           std::function<void()> then) const {
  return std::make_unique<Helper>(std::string{info_of(operation_).what},
                                  [file, other, operation = operation_, then = std::move(then)] {
                                    const long changed = change_layout(operation, *file, *other);
                                    if (then) then();
                                    return changed;
                                  });
}

Cause Cell::unmapping() const {
  return {"unmapping the file", [file = file_] { file->unmap(); }};
}

// --- the change against an access in flight

CellResult Cell::staged(const InFlight& access) {
  const auto change = start_change(file_, other_);
  const Watched watched = watch(*change, kBound);
  if (watched.doing == Doing::ended || change->ended()) return went_ahead(*change, access);
  return outlasted(*change, watched, access);
}

CellResult Cell::outlasted(const Helper& change, const Watched& meanwhile, const InFlight& access) {
  std::vector<Cause> causes = access.causes;
  causes.push_back(unmapping());
  const CellResult cell = let_go(change, meanwhile, access, causes, patience());
  if (cell.outcome != Outcome::waited) return cell;
  CellResult whole = finished(Outcome::waited, change.result(), cell.what);
  if (whole.outcome == Outcome::waited) whole.where = cell.where;
  return whole;
}

/// What becomes of the block in use. Both looks are made while the access is in flight and by threads of
/// their own: FIEMAP takes a lock of the file (IOLOCK on XFS, and on ext4 from 7.x), which the access may
/// hold.
struct Cell::Reuse {
  std::unique_ptr<Helper> look;   ///< 1: the block is still the file's
  std::unique_ptr<Helper> taker;  ///< 1: another file has it

  bool is_free() const { return look && look->ended() && look->result() == 0; }
  bool is_taken() const { return taker && taker->ended() && taker->result() == 1; }
};

Cell::Reuse Cell::give_away(unsigned page) {
  Reuse reuse;
  const std::uint64_t block = file_->block_of(page).value_or(0);
  if (!directory_.facts().dax || block == 0) return reuse;
  reuse.look = std::make_unique<Helper>("FIEMAP of the file",
                                        [file = file_, block] { return long{file->still_has(block)}; });
  // While it waits nobody knows, but a file that comes to have the block proves that it was free.
  if (watch(*reuse.look, kBound).doing == Doing::ended && !reuse.is_free()) return reuse;
  if (!victims_) return reuse;
  reuse.taker = std::make_unique<Helper>("allocation of the freed block by other files",
                                         [victims = victims_, block] { return long{victims->reach(block)}; });
  comes_back(*reuse.taker, kBound);
  return reuse;
}

CellResult Cell::went_ahead(const Helper& change, const InFlight& access) {
  const long changed = change.result();
  const Reuse reuse = changed == 0 ? give_away(access.page) : Reuse{};
  const bool reused = reuse.is_taken();
  access.release();
  std::vector<const Helper*> threads = access.holders;
  for (const auto* one : {&reuse.look, &reuse.taker})
    if (*one) threads.push_back(one->get());
  if (const Going going = patience().settle(threads); going != Going::ended)
    return does_not_end("the change is over, and the access, or who looks at the file, does not end", going,
                        patience(), threads, {unmapping()});
  if (changed != 0) return finished(Outcome::overlapped, changed, "");
  std::string wrong = access.judge(false);
  if (wrong.empty() && reused && !victims_->intact()) wrong = "another file's page was written to";
  return overlap(access, reused || reuse.is_free(), reused, wrong);
}

CellResult Cell::overlap(const InFlight& access, bool freed, bool reused, const std::string& wrong) const {
  if (!wrong.empty())
    return result(
        Outcome::content_changed,
        fmt::format("{}{}", wrong, reused ? ", on a block that had been given to another file" : ""));
  if (!directory_.facts().dax)
    return result(Outcome::overlapped, "the change went ahead; a page of the page cache outlives its block");
  if (!file_->block_of(access.page))
    return result(Outcome::inconclusive, "the change went ahead; FIEMAP does not tell the block");
  if (!freed) return result(Outcome::overlapped, "the change went ahead and did not free the block");
  if (!reused)
    return result(Outcome::inconclusive,
                  "the change went ahead and freed the block in use, which no other file came to have");
  return result(Outcome::overlapped,
                "the change went ahead, the block was given away, and nothing came of it");
}

/// A change that returned is judged by what it left.
CellResult Cell::finished(Outcome good, long changed, std::string what) {
  if (changed == -EOPNOTSUPP || changed == -ENOTTY)
    throw Skipped(fmt::format("no {} on this {}: {}", info_of(operation_).name, directory_.facts().fs,
                              error_text(changed)));
  if (changed != 0)
    return result(Outcome::inconclusive,
                  fmt::format("{}: {}", info_of(operation_).what, error_text(changed)));
  if (operation_ == Operation::evict) return result(good, std::move(what));
  apply_to_content(operation_, *file_, *other_);
  const auto wrong = std::make_shared<std::string>();
  const Helper reader("read of the file afterwards", [file = file_, wrong] {
    *wrong = file->difference();
    return 0L;
  });
  if (const Going going = patience().settle({&reader}); going != Going::ended)
    return does_not_end("all are over, and a read of the file does not end: a lock was left behind", going,
                        patience(), {&reader}, {});
  if (!wrong->empty()) return result(Outcome::content_changed, "afterwards " + *wrong);
  return result(good, std::move(what));
}

CellResult Cell::read_stopped(bool direct) {
  if (direct && directory_.facts().dax)
    throw Skipped("direct I/O of a DAX file is a synchronous copy: see read and write");
  const auto buffer = std::make_shared<StallingBuffer>();
  int fd = -1;
  if (direct) {
    fd = open(file_->path().c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (fd < 0) throw Skipped(fmt::format("no O_DIRECT here: {}", std::strerror(errno)));
  }
  const auto own = std::make_shared<FileDescriptor>(fd);
  const std::uint64_t first = file_->content[kFirst];
  const std::uint64_t second = file_->content[kFirst + 1];
  const Helper holder("read of pages 4 and 5", [file = file_, buffer, own, direct] {
    const ssize_t n = direct ? pread(own->get(), buffer->second(), kPageBytes, off_t{kFirst + 1} * kPageBytes)
                             : pread(file->fd(), buffer->first(), 2 * kPageBytes, off_t{kFirst} * kPageBytes);
    return n < 0 ? long{-errno} : long{n};
  });
  if (!buffer->somebody_stopped(kBound))
    return result(Outcome::inconclusive, "the read did not stop in mid-copy");
  return staged({.holders = {&holder},
                 .release = [&] { buffer->give(std::vector<std::byte>(kPageBytes)); },
                 .judge = [&](bool waited) -> std::string {
                   const long whole = static_cast<long>(direct ? kPageBytes : 2 * kPageBytes);
                   if (holder.result() < 0)
                     return fmt::format("the read failed: {}", error_text(holder.result()));
                   if (holder.result() < whole) return waited ? "the read came out short" : "";
                   const std::span<const std::byte> bytes(buffer->first(), 2 * kPageBytes);
                   std::string wrong =
                       judge_page(bytes.subspan(kPageBytes), second, waited, "the second page read");
                   if (wrong.empty() && !direct)
                     wrong = judge_page(bytes.first(kPageBytes), first, waited, "the first page read");
                   return wrong;
                 },
                 .page = kFirst + 1});
}

CellResult Cell::write_stopped(bool nested) {
  const auto buffer = std::make_shared<StallingBuffer>();
  if (nested)
    if (const int error = file_->map(); error != 0) throw Skipped(fmt::format("mmap: {}", error_text(error)));
  const std::uint64_t given = page_word(kFileNumber, nested ? kFirst : kFirst + 1, 2);
  if (!nested) {
    file_->content[kFirst] = page_word(kFileNumber, kFirst, 2);
    const auto bytes = filled_page(file_->content[kFirst]);
    std::memcpy(buffer->first(), bytes.data(), bytes.size());
    file_->content[kFirst + 1] = given;
  } else {
    file_->content[kFirst] = given;
    file_->content[kFirst + 1] = file_->content[kOutside];
  }
  const Helper holder(
      nested ? "write of pages 4 and 5, the second out of page 1's mapping" : "write of pages 4 and 5",
      [file = file_, buffer, nested] {
        const iovec plain[] = {{buffer->first(), 2 * kPageBytes}};
        const iovec inside[] = {{buffer->second(), kPageBytes}, {file->at(kOutside), kPageBytes}};
        const ssize_t n =
            pwritev(file->fd(), nested ? inside : plain, nested ? 2 : 1, off_t{kFirst} * kPageBytes);
        return n < 0 ? long{-errno} : long{n};
      });
  if (!buffer->somebody_stopped(kBound))
    return result(Outcome::inconclusive, "the write did not stop in mid-copy");
  return staged({.holders = {&holder},
                 .release = [&] { buffer->give(filled_page(given)); },
                 .judge = [&](bool) -> std::string {
                   if (holder.result() < 0)
                     return fmt::format("the write failed: {}", error_text(holder.result()));
                   return holder.result() == 2 * long{kPageBytes} ? "" : "the write came out short";
                 },
                 .page = nested ? kFirst : kFirst + 1});
}

CellResult Cell::pinned() {
  const unsigned page = access_ == Access::pin_outside ? kOutside : kFirst;
  map(file_, page);
  Pin pin;
  take_pin(pin, file_->at(page));
  if (access_ == Access::pin_munmap || access_ == Access::pin_unlink) file_->unmap();
  if (access_ == Access::pin_unlink) file_->unlink();
  std::vector<std::byte> out;
  return staged(in_pin(pin, out, file_->content[page], page));
}

// --- liveness

CellResult Cell::stopped_too_late(const Helper& change, const std::vector<const Helper*>& others,
                                  const std::string& what) {
  std::vector<const Helper*> threads = others;
  threads.push_back(&change);
  if (const Going going = patience().settle(threads); going != Going::ended)
    return does_not_end("the others have stopped, and the change does not end", going, patience(), threads,
                        {unmapping()});
  if (CellResult cell = finished(Outcome::starved, change.result(), what); cell.outcome != Outcome::starved)
    return cell;
  return result(Outcome::starved, what);
}

/// A translation that stands keeps nobody waiting, and shows afterwards what the file holds.
CellResult Cell::mapped() {
  map(file_, kFirst);
  const auto change = start_change(file_, other_);
  if (const Going going = patience().settle({change.get()}); going != Going::ended)
    return does_not_end("the change does not end while a page is mapped", going, patience(), {change.get()},
                        {unmapping()});
  CellResult cell = finished(Outcome::overlapped, change->result(),
                             "the change went ahead; the mapping shows the new content");
  if (cell.outcome != Outcome::overlapped) return cell;
  for (unsigned page = 0; page < kPages; ++page) {
    const int error = populate(file_->at(page), false);
    if (page >= file_->content.size()) {
      if (error == 0)
        return result(Outcome::content_changed, fmt::format("page {} beyond the end is still mapped", page));
      continue;
    }
    if (error != 0)
      return result(Outcome::inconclusive,
                    fmt::format("page {} cannot be faulted in: {}", page, error_text(error)));
    const auto word = uniform_word({file_->at(page), kPageBytes});
    if (word != file_->content[page])
      return result(Outcome::content_changed,
                    fmt::format("page {} of the mapping shows {} instead of {}", page, word_text(word),
                                word_text(file_->content[page])));
  }
  return cell;
}

CellResult Cell::faults() {
  map(file_, kFirst);
  const auto stop = std::make_shared<std::atomic<bool>>(false);
  const Helper faulter("faults on page 4", [file = file_, stop, write = operation_ != Operation::unshare] {
    while (!stop->load()) populate(file->at(kFirst), write);
    return 0L;
  });
  const auto change = start_change(file_, other_);
  const bool ended = change->wait(kBound);
  stop->store(true);
  if (!ended)
    return stopped_too_late(*change, {&faulter}, "the change ended only after the faults had stopped");
  if (const Going going = patience().settle({&faulter}); going != Going::ended)
    return does_not_end("the change is over, and the fault does not end", going, patience(), {&faulter}, {});
  if (change->result() != 0) return finished(Outcome::overlapped, change->result(), "");
  return result(Outcome::overlapped, "the change ended while the faults went on");
}

CellResult Cell::refault() {
  map(file_, kFirst);
  Pin pin;
  take_pin(pin, file_->at(kFirst));
  std::vector<std::byte> out;
  const InFlight access = in_pin(pin, out, file_->content[kFirst], kFirst);
  const auto change = start_change(file_, other_);
  const Watched watched = watch(*change, kBound);
  if (watched.doing == Doing::ended) return went_ahead(*change, access);
  const Helper toucher("touch of page 4", [file = file_] { return long{populate(file->at(kFirst), false)}; });
  const bool touched = watch(toucher, kSecond).doing == Doing::ended;
  const std::string touch = !touched                ? "the touch of page 4 waited"
                            : toucher.result() == 0 ? "page 4 was mapped again"
                                                    : "page 4 could not be mapped again";
  access.release();
  if (const Going going = patience().settle({change.get(), &toucher}); going != Going::ended)
    return does_not_end(
        fmt::format("{} while the change waited for its pin; the pin is gone, the change does not end",
                    touch),
        going, patience(), {change.get(), &toucher}, {unmapping()});
  const std::string wrong = access.judge(true);
  if (!wrong.empty()) return result(Outcome::content_changed, wrong);
  CellResult cell =
      finished(Outcome::waited, change->result(), "the change slept until the pin was gone; " + touch);
  cell.where = watched.state.where();
  return cell;
}

CellResult Cell::pin_stream() {
  map(file_, kFirst);
  struct Stream {
    Pin one, two;
    std::atomic<bool> stop{false};
  };
  const auto stream = std::make_shared<Stream>();
  take_pin(stream->one, file_->at(kFirst));
  const Helper pinner("pins of page 4", [file = file_, stream] {
    while (!stream->stop.load()) {
      if (stream->two.take(file->at(kFirst)) != 0) break;
      stream->one.drain();
      if (stream->one.take(file->at(kFirst)) != 0) break;
      stream->two.drain();
    }
    stream->one.drain();
    stream->two.drain();
    return 0L;
  });
  const auto change = start_change(file_, other_);
  const bool ended = change->wait(kSecond);
  stream->stop.store(true);
  if (!ended) return stopped_too_late(*change, {&pinner}, "the change ended only after the pins had stopped");
  if (const Going going = patience().settle({&pinner}); going != Going::ended)
    return does_not_end("the change is over, and the pin does not end", going, patience(), {&pinner}, {});
  if (change->result() != 0) return finished(Outcome::overlapped, change->result(), "");
  return result(Outcome::overlapped, "the change ended while the pins went on");
}

CellResult Cell::pin_then_read() {
  map(file_, kFirst);
  const auto pin = std::make_shared<Pin>();
  take_pin(*pin, file_->at(kFirst));
  const std::uint64_t original = file_->content[kFirst];
  std::vector<std::byte> out;
  const InFlight access{
      .holders = {},
      .release = [&] { out = pin->drain(); },
      .judge = [&](bool waited) { return judge_page(out, original, waited, "the pinned page"); },
      .page = kFirst};
  const auto change = start_change(file_, other_);
  const Watched watched = watch(*change, kBound);
  if (watched.doing == Doing::ended) return went_ahead(*change, access);
  const Helper holder("read of page 1 by the pin's holder, who lets go afterwards", [file = file_, pin] {
    std::vector<std::byte> bytes(kPageBytes);
    const ssize_t n = pread(file->fd(), bytes.data(), bytes.size(), off_t{kOutside} * kPageBytes);
    pin->drain();
    return n < 0 ? long{-errno} : long{n};
  });
  const std::vector<const Helper*> threads = {change.get(), &holder};
  const bool read_waits = watch(holder, kBound).waits();
  if (const Going going = patience().settle(threads); going != Going::ended)
    return does_not_end("the holder's read waits for a lock that the change keeps while it waits for the pin",
                        going, patience(), threads,
                        {{"draining the pin", [pin] { pin->drain(); }}, unmapping()});
  CellResult cell = finished(Outcome::waited, change->result(),
                             fmt::format("the change slept until the pin was gone; the read {}",
                                         read_waits ? "waited too" : "did not wait"));
  cell.where = watched.state.where();
  return cell;
}

CellResult Cell::crosswise() {
  if (needs_reflink(operation_)) throw Skipped("two files are one operation's here");
  map(file_, kFirst);
  map(other_, kFirst);
  const auto mine = std::make_shared<Pin>();
  const auto others = std::make_shared<Pin>();
  take_pin(*mine, file_->at(kFirst));
  take_pin(*others, other_->at(kFirst));
  const auto first = start_change(file_, other_, [others] { others->drain(); });
  const auto second = start_change(other_, file_, [mine] { mine->drain(); });
  const Watched one = watch(*first, kBound);
  const Watched two = watch(*second, kBound);
  const std::vector<const Helper*> threads = {first.get(), second.get()};
  if (one.doing == Doing::ended && two.doing == Doing::ended)
    return first->result() != 0
               ? finished(Outcome::overlapped, first->result(), "")
               : result(Outcome::overlapped, "neither change waited for the pin on its file");
  const Going going = patience().settle(threads);
  if (going == Going::ended) return result(Outcome::waited, "one change waited for the other");
  return does_not_end("each change waits for the pin that the other's end lets go", going, patience(),
                      threads,
                      {{"draining one pin", [mine] { mine->drain(); }},
                       {"draining the other", [others] { others->drain(); }},
                       unmapping()});
}

}  // namespace daxrace::kernel
