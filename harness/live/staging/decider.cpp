#include "harness/live/staging/decider.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <deque>
#include <filesystem>
#include <memory>
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
void decide_all(const std::deque<std::size_t>& wanted, Company company, const Cells& cells,
                Patience& patience, std::uint64_t end_ns, int pipe) try {
  const Cells::Decide decide = cells.begin(company);
  for (const std::size_t i : wanted) {
    if (Clock::monotonic_ns() >= end_ns) break;
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
  Decider(const std::deque<std::size_t>& wanted, Company company, const Cells& cells, Patience& patience,
          std::uint64_t end_ns) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Error(fmt::format("pipe: {}", std::strerror(errno)));
    pipe_ = FileDescriptor(ends[0]);
    FileDescriptor into(ends[1]);
    process_ = start_apart([&] {
      pipe_.reset();
      decide_all(wanted, company, cells, patience, end_ns, into.get());
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

  /// Readable once there may be a message.
  int pipe() const { return pipe_.get(); }
  /// The next message, or nothing yet or ever again.
  std::optional<Message> next() {
    if (auto message = take_message(received_)) {
      began();
      return message;
    }
    // Who it has started, and could not end, may keep its end of the pipe open: that alone would not tell.
    exited_ = exited_ || waitpid(process_, &status_, WNOHANG) == process_;
    pollfd ready{.fd = pipe_.get(), .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, 0) != 1) return std::nullopt;
    char bytes[4096];
    const ssize_t n = read(pipe_.get(), bytes, sizeof bytes);
    if (n == 0 && !exited_) exited_ = reaped(process_, kReaped, &status_);
    if (n <= 0) return std::nullopt;
    received_.append(bytes, static_cast<std::size_t>(n));
    return next();
  }
  /// Once nothing more comes from it.
  bool ended() const { return exited_; }

  /// Whether the kernel does not let it go on, or, once it has nothing more to do, end.
  bool is_stuck(const Patience& patience, bool has_more) {
    constexpr std::uint64_t kEach = 200'000'000;
    const std::uint64_t now = Clock::monotonic_ns();
    if (now - looked_ns_ < kEach) return false;
    looked_ns_ = now;
    seen_.add(thread_state(process_, seen_.last()), now);
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
    cell.began_ns = began_ns_;
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
  std::uint64_t looked_ns_ = 0;
};

/// Cells that are decided one after the other, and whoever is at it.
struct Lane {
  std::deque<std::size_t> left;
  std::unique_ptr<Decider> decider{};
  bool is_over = false;
};

/// The table so far, and those who go on with it.
class Table {
 public:
  Table(const Cells& cells, Patience& patience, const Course& course)
      : cells_(cells),
        patience_(patience),
        course_(course),
        end_ns_(Clock::monotonic_ns() + course.table_bound_ns),
        cells_of_table_(cells.count) {}

  std::vector<CellResult> make() {
    decide(cells_.lanes, Company::beside_others);
    decide({undecided()}, Company::alone);
    if (!stopped()) skip_the_rest();
    std::vector<CellResult> done;
    for (std::optional<CellResult>& cell : cells_of_table_)
      if (cell) done.push_back(std::move(*cell));
    return done;
  }

 private:
  bool stopped() const { return course_.stop != nullptr && course_.stop->load(); }
  bool may_begin() const { return !stopped() && Clock::monotonic_ns() < end_ns_; }

  std::vector<std::size_t> undecided() const {
    std::vector<std::size_t> cells;
    for (std::size_t i = 0; i < cells_.count; ++i)
      if (!cells_of_table_[i]) cells.push_back(i);
    return cells;
  }

  void add(std::size_t i, CellResult cell) {
    cells_of_table_[i] = std::move(cell);
    ++done_;
    if (course_.on_cell) course_.on_cell(*cells_of_table_[i], done_, cells_.count);
  }
  void give_up(Lane& lane, const std::function<void(CellResult& cell)>& explain) {
    CellResult cell = cells_.blank(lane.left.front());
    cell.outcome = Outcome::inconclusive;
    explain(cell);
    add(lane.left.front(), std::move(cell));
    lane.left.pop_front();
  }
  void skip_the_rest() {
    for (const std::size_t i : undecided()) {
      CellResult cell = cells_.blank(i);
      cell.outcome = Outcome::skipped;
      cell.what = fmt::format("time bound: the table had {:g} s (--time-bound)",
                              static_cast<double>(course_.table_bound_ns) / 1e9);
      add(i, std::move(cell));
    }
  }

  /// Each list by a process of its own, all at once.
  void decide(const std::vector<std::vector<std::size_t>>& lists, Company company) {
    std::vector<Lane> lanes;
    for (const auto& list : lists)
      if (!list.empty()) lanes.push_back({{list.begin(), list.end()}});
    while (std::ranges::any_of(lanes, [](const Lane& lane) { return !lane.is_over; })) {
      wait_for_news(lanes);
      for (Lane& lane : lanes)
        while (!lane.is_over && goes_on(lane, company)) continue;
    }
  }

  static void wait_for_news(const std::vector<Lane>& lanes) {
    constexpr int kLookMs = 20;
    std::vector<pollfd> pipes;
    for (const Lane& lane : lanes)
      if (lane.decider && !lane.decider->ended())
        pipes.push_back({.fd = lane.decider->pipe(), .events = POLLIN, .revents = 0});
    if (!pipes.empty()) poll(pipes.data(), pipes.size(), kLookMs);
  }

  /// One step of a lane. False: there is nothing to do for now.
  bool goes_on(Lane& lane, Company company) {
    if (stopped() || (!lane.decider && (lane.left.empty() || !may_begin()))) {
      lane.decider.reset();
      lane.is_over = true;
      return false;
    }
    if (!lane.decider)
      lane.decider = std::make_unique<Decider>(lane.left, company, cells_, patience_, end_ns_);
    if (auto message = lane.decider->next()) {
      take(lane, std::move(*message), company);
      return true;
    }
    if (lane.decider->ended()) {
      if (!lane.left.empty() && may_begin())
        give_up(lane, [&](CellResult& cell) { cell.what = "not decided: " + lane.decider->how_it_ended(); });
      lane.decider.reset();
      return true;
    }
    if (!lane.decider->is_stuck(patience_, !lane.left.empty())) return false;
    if (!lane.left.empty())
      give_up(lane, [&](CellResult& cell) { lane.decider->explain_stuck(patience_, cell); });
    lane.decider.reset();
    return true;
  }

  void take(Lane& lane, Message message, Company company) {
    if (message.error) throw *message.error;
    for (const std::string& wait : message.waits) patience_.learn(wait);
    const std::size_t cell = lane.left.front();
    lane.left.pop_front();
    if (company == Company::alone || !cells_.is_doubtful(message.cell)) add(cell, std::move(message.cell));
  }

  const Cells& cells_;
  Patience& patience_;
  const Course& course_;
  std::uint64_t end_ns_;
  std::vector<std::optional<CellResult>> cells_of_table_;
  std::size_t done_ = 0;
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
