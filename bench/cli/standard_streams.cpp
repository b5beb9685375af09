#include "bench/cli/standard_streams.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "harness/base/error.hpp"

namespace daxrace {
namespace {

/// Where a stream leads, and the first thing that went wrong there; nothing is written after it.
struct Outlet {
  int fd;
  int error = 0;
};
Outlet standard_output{STDOUT_FILENO};
Outlet standard_error{STDERR_FILENO};

/// Somebody else who shares the terminal or the pipe may have made it non-blocking.
bool wait_until_writable(int fd) {
  pollfd ready{fd, POLLOUT, 0};
  return poll(&ready, 1, -1) > 0 || errno == EINTR;
}

ssize_t write_to(void* cookie, const char* text, std::size_t size) {
  auto& outlet = *static_cast<Outlet*>(cookie);
  for (std::size_t done = 0; outlet.error == 0 && done < size;) {
    const ssize_t written = ::write(outlet.fd, text + done, size - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR && !(errno == EAGAIN && wait_until_writable(outlet.fd))) {
      outlet.error = errno;
    }
  }
  return static_cast<ssize_t>(size);
}

/// The stream itself where memory for another is missing.
std::FILE* stream_to(Outlet& outlet, std::FILE* stream, int buffering) {
  cookie_io_functions_t functions{};
  functions.write = write_to;
  std::FILE* const made = fopencookie(&outlet, "w", functions);
  if (made == nullptr) return stream;
  std::setvbuf(made, nullptr, buffering, BUFSIZ);
  return made;
}

}  // namespace

void open_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_NOCTTY) < 0)
      _exit(static_cast<int>(Exit::usage));
}

void outlive_failed_output() {
  stdout = stream_to(standard_output, stdout, isatty(STDOUT_FILENO) == 1 ? _IOLBF : _IOFBF);
  stderr = stream_to(standard_error, stderr, _IONBF);
}

int finish_output(int code) {
  std::fflush(stdout);
  const int error = standard_output.error;
  const bool claims_success = code == static_cast<int>(Exit::ok) || code == static_cast<int>(Exit::skipped);
  if (error == 0 || error == EPIPE || !claims_success) return code;
  std::fputs("daxrace: standard output: ", stderr);
  std::fputs(std::strerror(error), stderr);
  std::fputs(": what was to be printed is not all there\n", stderr);
  return static_cast<int>(Exit::usage);
}

}  // namespace daxrace
