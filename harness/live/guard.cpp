#include "harness/live/guard.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/error.hpp"

namespace daxrace::kernel {
namespace {

constexpr int kOwnerEnded = SIGTERM;

/// Our files would keep the file system busy, and its locks taken.
void close_others(const std::vector<int>& files) {
  unsigned first = 3;
  for (const int file : files) {
    if (static_cast<unsigned>(file) > first)
      syscall(SYS_close_range, first, static_cast<unsigned>(file) - 1, 0);
    first = static_cast<unsigned>(file) + 1;
  }
  syscall(SYS_close_range, first, ~0U, 0);
}

[[noreturn]] void stand_guard(const std::function<void()>& undo, const std::vector<int>& files,
                              unsigned bound_s, pid_t owner) {
  setsid();  // what ends the owner's group must not end this
  prctl(PR_SET_NAME, "daxrace-guard");
  prctl(PR_SET_PDEATHSIG, kOwnerEnded);
  close_others(files);
  if (chdir("/") != 0) _exit(1);
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, kOwnerEnded);
  const timespec bound{bound_s, 0};
  if (getppid() == owner)  // else it has ended before we asked to be told
    while (sigtimedwait(&wanted, nullptr, &bound) < 0 && errno == EINTR) continue;
  undo();
  _exit(0);
}

}  // namespace

Guard::Guard(const std::function<void()>& undo, std::vector<int> files, unsigned bound_s) {
  std::ranges::sort(files);
  const pid_t owner = getpid();
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  process_ = fork();
  if (process_ == 0) stand_guard(undo, files, bound_s, owner);
  const int why = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (process_ < 0) throw Error(fmt::format("fork: {}", std::strerror(why)));
}

Guard::~Guard() {
  kill(process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace daxrace::kernel
