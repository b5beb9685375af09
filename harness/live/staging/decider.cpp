#include "harness/live/staging/decider.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/base/file_descriptor.hpp"
#include "harness/live/observe/trace.hpp"
#include "harness/live/staging/cell_support.hpp"
#include "harness/live/staging/cell_wire.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace::kernel {
namespace {

constexpr std::uint64_t kReaped = 3 * kSecond;  ///< how long one that was killed is waited for

/// False: it has not ended by then.
bool reaped(pid_t process, std::uint64_t bound_ns, int* status = nullptr) {
  const std::uint64_t end = Clock::monotonic_ns() + bound_ns;
  for (;;) {
    const pid_t ended = waitpid(process, status, WNOHANG);
    if (ended == process || (ended < 0 && errno != EINTR)) return true;
    if (Clock::monotonic_ns() >= end) return false;
    const timespec nap{0, 1'000'000};
    nanosleep(&nap, nullptr);
  }
}

[[noreturn]] void in_the_child(pid_t parent, const std::function<void()>& work) {
  // Not what the parent does on them: whoever is told to stop here ends.
  for (const int number : {SIGINT, SIGTERM}) std::signal(number, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it has ended before we asked to be told
  work();
  _exit(0);
}

pid_t start_apart(const std::function<void()>& work) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) in_the_child(parent, work);
  if (child < 0) throw Error(fmt::format("fork: {}", std::strerror(errno)));
  return child;
}

void send(int pipe, const std::string& message) {
  for (std::size_t sent = 0; sent < message.size();) {
    const ssize_t n = write(pipe, message.data() + sent, message.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(1);  // nobody listens any more
    sent += static_cast<std::size_t>(n);
  }
}

/// What the process of its own does.
void decide_from(std::size_t first, const Cells& cells, Patience& patience, std::uint64_t end_ns,
                 int pipe) try {
  const Cells::Decide decide = cells.begin();
  for (std::size_t i = first; i < cells.count && Clock::monotonic_ns() < end_ns; ++i) {
    const CellResult cell = decide(i);
    send(pipe, to_wire({cell, patience.known(), std::nullopt}));
  }
} catch (const Error& error) {
  send(pipe, to_wire({{}, {}, error}));
} catch (const std::exception& error) {
  send(pipe, to_wire({{}, {}, Error(error.what())}));
}

/// Such a process, as the one that waits for its cells sees it.
class Decider {
 public:
  Decider(std::size_t first, const Cells& cells, Patience& patience, std::uint64_t end_ns) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Error(fmt::format("pipe: {}", std::strerror(errno)));
    pipe_ = FileDescriptor(ends[0]);
    FileDescriptor into(ends[1]);
    process_ = start_apart([&] {
      pipe_.reset();
      decide_from(first, cells, patience, end_ns, into.get());
    });
    began();
  }
  ~Decider() {
    if (exited_) return;
    kill(process_, SIGKILL);
    if (reaped(process_, kReaped)) Trace::remove_left_by(process_);
  }
  Decider(const Decider&) = delete;
  Decider& operator=(const Decider&) = delete;

  /// The next message, or nothing within `bound_ns` or ever again.
  std::optional<Message> next(std::uint64_t bound_ns) {
    if (auto message = take_message(received_)) {
      began();
      return message;
    }
    // Who it has started, and could not end, may keep its end of the pipe open: that alone would not tell.
    exited_ = exited_ || waitpid(process_, &status_, WNOHANG) == process_;
    pollfd ready{.fd = pipe_.get(), .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, exited_ ? 0 : static_cast<int>(bound_ns / 1'000'000)) != 1) return std::nullopt;
    char bytes[4096];
    const ssize_t n = read(pipe_.get(), bytes, sizeof bytes);
    if (n == 0 && !exited_) exited_ = reaped(process_, kReaped, &status_);
    if (n <= 0) return std::nullopt;
    received_.append(bytes, static_cast<std::size_t>(n));
    return next(0);
  }
  /// Once nothing more comes from it.
  bool ended() const { return exited_; }

  /// Whether the kernel does not let it go on, or, once it has nothing more to do, end.
  bool is_stuck(const Patience& patience, bool has_more) {
    seen_.add(thread_state(process_), Clock::monotonic_ns());
    const std::uint64_t most = has_more ? longest_cell_ns(patience) : longest_sleep_ns(patience);
    return seen_.still_ns() >= longest_sleep_ns(patience) || Clock::monotonic_ns() - began_ns_ >= most;
  }
  /// What became of a cell that it did not decide.
  void explain_stuck(const Patience& patience, CellResult& cell) const {
    const ThreadState state = thread_state(process_);
    cell.where = state.where();
    cell.what = fmt::format("daxrace itself did not come back from the kernel; given up after {} s",
                            (Clock::monotonic_ns() - began_ns_) / kSecond);
    if (seen_.still_ns() >= longest_sleep_ns(patience)) cell.what += ", asleep in one call";
    std::error_code none;
    for (const auto& task :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process_), none)) {
      const std::string tid = task.path().filename();
      cell.report.push_back(fmt::format("thread {}:", tid));
      for (const std::string& line : describe(thread_state(static_cast<pid_t>(std::stol(tid)))))
        cell.report.push_back("  " + line);
    }
    cell.duration_ns = Clock::monotonic_ns() - began_ns_;
  }
  std::string how_it_ended() const {
    return WIFSIGNALED(status_) ? fmt::format("its process died: {}", strsignal(WTERMSIG(status_)))
                                : fmt::format("its process ended with {}", WEXITSTATUS(status_));
  }

 private:
  void began() {
    began_ns_ = Clock::monotonic_ns();
    seen_ = Samples{};
  }

  pid_t process_ = 0;
  FileDescriptor pipe_;
  std::string received_;
  bool exited_ = false;
  int status_ = 0;
  Samples seen_;
  std::uint64_t began_ns_ = 0;
};

/// The table so far, and those who go on with it.
class Table {
 public:
  Table(const Cells& cells, Patience& patience, const Course& course)
      : cells_(cells),
        patience_(patience),
        course_(course),
        end_ns_(Clock::monotonic_ns() + course.table_bound_ns) {}

  std::vector<CellResult> make() {
    while (done_.size() < cells_.count && !stopped() && Clock::monotonic_ns() < end_ns_) {
      Decider decider(done_.size(), cells_, patience_, end_ns_);
      while (goes_on(decider)) continue;
    }
    while (done_.size() < cells_.count && !stopped()) {
      CellResult cell = cells_.blank(done_.size());
      cell.outcome = Outcome::skipped;
      cell.what = fmt::format("time bound: the table had {:g} s (--time-bound)",
                              static_cast<double>(course_.table_bound_ns) / 1e9);
      add(std::move(cell));
    }
    return std::move(done_);
  }

 private:
  bool stopped() const { return course_.stop != nullptr && course_.stop->load(); }
  void add(CellResult cell) {
    done_.push_back(std::move(cell));
    if (course_.on_cell) course_.on_cell(done_.back(), done_.size(), cells_.count);
  }
  void give_up(const std::function<void(CellResult& cell)>& explain) {
    CellResult cell = cells_.blank(done_.size());
    cell.outcome = Outcome::inconclusive;
    explain(cell);
    add(std::move(cell));
  }

  /// False: this one decides no more.
  bool goes_on(Decider& decider) {
    constexpr std::uint64_t kLook = 20'000'000;
    if (stopped()) return false;
    if (auto message = decider.next(kLook)) {
      if (message->error) throw *message->error;
      for (const std::string& wait : message->waits) patience_.learn(wait);
      add(std::move(message->cell));
      return true;
    }
    const bool undecided = done_.size() < cells_.count && Clock::monotonic_ns() < end_ns_;
    if (decider.ended()) {
      if (undecided && !stopped())
        give_up([&](CellResult& cell) { cell.what = "not decided: " + decider.how_it_ended(); });
      return false;
    }
    const bool has_more = done_.size() < cells_.count;
    if (!decider.is_stuck(patience_, has_more)) return true;
    if (has_more) give_up([&](CellResult& cell) { decider.explain_stuck(patience_, cell); });
    return false;
  }

  const Cells& cells_;
  Patience& patience_;
  const Course& course_;
  std::uint64_t end_ns_;
  std::vector<CellResult> done_;
};

}  // namespace

std::uint64_t longest_cell_ns(const Patience& patience) { return 60 * kSecond + 12 * patience.bound_ns(); }
std::uint64_t longest_sleep_ns(const Patience& patience) { return 2 * kBound + 2 * patience.bound_ns(); }

std::vector<CellResult> decide_apart(const Cells& cells, Patience& patience, const Course& course) {
  return Table(cells, patience, course).make();
}

bool ends_apart(const std::function<void()>& work, std::uint64_t bound_ns) {
  return reaped(start_apart(work), bound_ns);
}

}  // namespace daxrace::kernel
