// The cells in which the whole file system is frozen or unmounted meanwhile.
#include <cerrno>

#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/live/staging/cell_support.hpp"
#include "harness/live/staging/freeze.hpp"
#include "harness/live/staging/pin.hpp"
#include "harness/platform/mount_info.hpp"

namespace daxrace::kernel {
namespace {

/// What a forked process comes to. `task` becomes its id meanwhile.
long in_a_process(std::atomic<pid_t>& task, const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  if (child < 0) return -errno;
  task.store(child);
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -errno;
  return WIFEXITED(status) ? -long{WEXITSTATUS(status)} : -long{EINTR};
}

/// A store to a page by a process of its own: one that a freeze holds keeps the address space locked, and
/// with ours locked nobody could thaw.
long store_in_a_process(const SceneFile& file, unsigned page, std::atomic<pid_t>& task) {
  return in_a_process(task, [&] {
    void* at = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(),
                    static_cast<off_t>(page * kPageBytes));
    if (at == MAP_FAILED) return errno;
    return -populate(static_cast<std::byte*>(at), true);
  });
}

/// Lazily, in a mount namespace of its own.
long detach_in_a_process(const std::string& point, std::atomic<pid_t>& task) {
  return in_a_process(task, [&] {
    const bool done = unshare(CLONE_NEWNS) == 0 &&
                      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                      umount2(point.c_str(), MNT_DETACH) == 0;
    return done ? 0 : errno;
  });
}

/// The same bytes that page 1 has.
long write_again(const SceneFile& file) {
  const auto bytes = filled_page(file.content[kOutside]);
  const ssize_t n = pwrite(file.fd(), bytes.data(), bytes.size(), off_t{kOutside} * kPageBytes);
  return n < 0 ? long{-errno} : long{n};
}

const char* waited_or_not(bool waited) { return waited ? "waited" : "did not wait"; }

void need(bool allowed, const char* what) {
  if (!allowed)
    throw Skipped(fmt::format("needs --allow={0}: the whole file system is {0}d meanwhile", what));
}

}  // namespace

/// Who queues behind a change that waits: a freeze, and behind that a write() and a store.
struct Cell::Behind {
  Behind(const std::shared_ptr<Freeze>& freeze, const File& file)
      : freezer("freeze of the file system", [freeze] { return freeze->begin(); }),
        freeze_waits(watch(freezer, kBound).waits()),
        writer("write() of page 1 of another file", [file] { return write_again(*file); }),
        write_waits(watch(writer, kBound).waits()),
        storer("store to page 2 of another file",
               [file](std::atomic<pid_t>& task) { return store_in_a_process(*file, kOutside + 1, task); }),
        store_waits(watch(storer, kBound).waits()) {
    if (freezer.ended() && freezer.result() != 0)
      throw Skipped("no freeze here: " + error_text(freezer.result()));
  }
  std::string text() const {
    return fmt::format(
        "the change slept until the pin was gone; the freeze {} for it, a write() {} for the freeze, a store "
        "{}",
        waited_or_not(freeze_waits), waited_or_not(write_waits), waited_or_not(store_waits));
  }

  Helper freezer;
  bool freeze_waits;
  Helper writer;
  bool write_waits;
  Helper storer;
  bool store_waits;
};

CellResult Cell::frozen_while_it_waits() {
  need(means_.allowed().freeze, "freeze");
  const auto freeze = std::make_shared<Freeze>(directory_, patience().bound_ns());
  map(file_, kFirst);
  Pin pin;
  take_pin(pin, file_->at(kFirst));
  std::vector<std::byte> out;
  const InFlight access = in_pin(pin, out, file_->content[kFirst], kFirst);
  const auto change = start_change(file_, other_);
  const Watched watched = watch(*change, kBound);
  if (watched.doing == Doing::ended || change->ended()) return went_ahead(*change, access);
  if (!watched.waits()) return outlasted(*change, watched, access);
  const Behind behind(freeze, other_);
  access.release();
  CellResult cell = end_of_freeze(*change, behind, *freeze);
  if (cell.outcome != Outcome::waited) return cell;
  const std::string wrong = access.judge(true);
  if (!wrong.empty()) return result(Outcome::content_changed, wrong);
  cell = finished(Outcome::waited, change->result(), behind.text());
  cell.where = watched.state.where();
  return cell;
}

/// The pin is gone: the change ends, the freeze with it, and the others after the thaw.
CellResult Cell::end_of_freeze(const Helper& change, const Behind& behind, Freeze& freeze) {
  const Cause thaw{"thawing the file system", [&] { freeze.thaw(); }};
  if (const Going going = patience().settle({&change, &behind.freezer}); going != Going::ended)
    return does_not_end("the pin is gone, and the change or the freeze does not end", going, patience(),
                        {&change, &behind.freezer, &behind.writer, &behind.storer}, {thaw, unmapping()});
  freeze.thaw();
  if (const Going going = patience().settle({&behind.writer, &behind.storer}); going != Going::ended)
    return does_not_end("the file system is thawed, and somebody does not end", going, patience(),
                        {&behind.writer, &behind.storer}, {});
  return result(Outcome::waited, "");
}

CellResult Cell::changed_while_frozen() {
  need(means_.allowed().freeze, "freeze");
  const auto freeze = std::make_shared<Freeze>(directory_, patience().bound_ns());
  const Helper freezer("freeze of the file system", [freeze] { return freeze->begin(); });
  if (const Going going = patience().settle({&freezer}); going != Going::ended)
    return does_not_end("the freeze of an idle file system does not end", going, patience(), {&freezer}, {});
  if (freezer.result() != 0) throw Skipped("no freeze here: " + error_text(freezer.result()));
  const Helper storer("store to page 4", [file = file_](std::atomic<pid_t>& task) {
    return store_in_a_process(*file, kFirst, task);
  });
  const bool store_waits = watch(storer, kBound).waits();
  const auto change = start_change(file_, other_);
  const Watched watched = watch(*change, kBound);
  freeze->thaw();
  if (const Going going = patience().settle({&storer, change.get()}); going != Going::ended)
    return does_not_end("the file system is thawed, and somebody does not end", going, patience(),
                        {&storer, change.get()}, {});
  const bool slept = watched.waits();
  CellResult cell = finished(slept ? Outcome::waited : Outcome::overlapped, change->result(),
                             fmt::format("the change {} for the thaw, a store {}", waited_or_not(slept),
                                         waited_or_not(store_waits)));
  if (slept) cell.where = watched.state.where();
  return cell;
}

CellResult Cell::unmounted_while_it_waits() {
  need(means_.allowed().umount, "umount");
  const auto mount = mount_of(file_->fd());
  if (!mount) throw Skipped("the kernel does not say what is mounted here");
  map(file_, kFirst);
  Pin pin;
  take_pin(pin, file_->at(kFirst));
  std::vector<std::byte> out;
  const std::uint64_t original = file_->content[kFirst];
  std::string came_to;
  const auto unmount = [&] {
    const long plain = umount2(mount->point.c_str(), 0) == 0 ? 0 : -errno;
    const Helper detacher(
        "lazy umount in a mount namespace of its own",
        [point = mount->point](std::atomic<pid_t>& task) { return detach_in_a_process(point, task); });
    const bool ended = detacher.wait(kBound);
    came_to = fmt::format("umount meanwhile: {}; lazily, in a namespace of its own: {}",
                          plain == 0 ? "done" : error_text(plain),
                          !ended                   ? "it does not end"
                          : detacher.result() == 0 ? "done"
                                                   : error_text(detacher.result()));
  };
  CellResult cell =
      staged({.holders = {},
              .release =
                  [&] {
                    unmount();
                    out = pin.drain();
                  },
              .judge = [&](bool waited) { return judge_page(out, original, waited, "the pinned page"); },
              .page = kFirst});
  cell.what += "; " + came_to;
  return cell;
}

}  // namespace daxrace::kernel
