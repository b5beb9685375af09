#include "harness/live/observe/helper.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <map>
#include <system_error>
#include <thread>

#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/base/parallel.hpp"
#include "harness/platform/clock.hpp"

namespace daxrace::kernel {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr int kInterrupt = SIGUSR2;

void install_handler() {
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_handler = [](int) {};  // no SA_RESTART: the system call returns EINTR
    return sigaction(kInterrupt, &action, nullptr) == 0;
  }();
  static_cast<void>(installed);
}

void sleep_ns(std::uint64_t ns) {
  const timespec time{static_cast<time_t>(ns / 1'000'000'000U), static_cast<long>(ns % 1'000'000'000U)};
  nanosleep(&time, nullptr);
}

}  // namespace

struct Helper::Shared {
  std::string what;
  Body body;
  std::atomic<pid_t> tid{0};
  std::atomic<bool> ended{false};
  long result = 0;
};

Helper::Helper(std::string what, Body body) : shared_(std::make_shared<Shared>()) {
  shared_->what = std::move(what);
  shared_->body = std::move(body);
  start();
}

Helper::Helper(std::string what, const ProcessBody& body) : shared_(std::make_shared<Shared>()) {
  shared_->what = std::move(what);
  shared_->body = [shared = shared_.get(), body] { return body(shared->tid); };
  start();
}

void Helper::start() {
  install_handler();
  try {
    thread_ = std::thread([shared = shared_] {
      shared->tid.store(gettid(), std::memory_order_release);
      shared->result = shared->body();
      shared->body = nullptr;
      shared->ended.store(true, std::memory_order_release);
    });
  } catch (const std::system_error& error) {
    throw Error(cannot_start(shared_->what, error));
  }
  while (shared_->tid.load(std::memory_order_acquire) == 0) sched_yield();
}

Helper::~Helper() {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries && !ended(); ++i) {
    interrupt();
    wait(10 * kMs);
  }
  // Until it is gone, not only done: a process forked while a thread dies may inherit the locks of an
  // allocator.
  if (ended())
    thread_.join();
  else
    thread_.detach();
}

bool Helper::ended() const { return shared_->ended.load(std::memory_order_acquire); }
long Helper::result() const { return shared_->result; }
const std::string& Helper::what() const { return shared_->what; }
ThreadState Helper::state(const ThreadState& last) const {
  return thread_state(shared_->tid.load(std::memory_order_acquire), last);
}

bool Helper::wait(std::uint64_t bound_ns) const {
  const std::uint64_t end = Clock::monotonic_ns() + bound_ns;
  while (!ended()) {
    if (Clock::monotonic_ns() >= end) return ended();
    sleep_ns(kMs / 2);
  }
  return true;
}

void Helper::interrupt() const {
  // By id: the thread is detached and may be gone, and then this fails.
  tgkill(getpid(), shared_->tid.load(std::memory_order_acquire), kInterrupt);
}

Watched watch(const Helper& helper, std::uint64_t bound_ns) {
  constexpr std::uint64_t kStep = 2 * kMs;
  constexpr unsigned kStill = 12;  // looks without a context switch, in a wait that names its object
  constexpr std::uint64_t kLong = 1000 * kMs;  // the same, where the stack does not say what is waited for
  const std::uint64_t start = Clock::monotonic_ns();
  Samples seen;
  while (!helper.ended()) {
    const std::uint64_t now = Clock::monotonic_ns();
    seen.add(helper.state(seen.last()), now);
    const bool conflict = waits_for_others(seen.last()) && seen.still() >= kStill;
    if (conflict || (seen.still() >= kStill && seen.still_ns() >= kLong)) {
      if (helper.ended()) break;
      return {Doing::asleep, seen.last()};
    }
    if (now - start >= bound_ns) {
      if (seen.burns()) return {Doing::busy, seen.last()};
      return {seen.polls() ? Doing::polls : Doing::unclear, seen.last_asleep()};
    }
    sleep_ns(kStep);
  }
  return {Doing::ended, seen.last()};
}

bool comes_back(const Helper& helper, std::uint64_t still_ns) {
  constexpr std::uint64_t kMost = 60'000 * kMs;
  const std::uint64_t start = Clock::monotonic_ns();
  Samples seen;
  while (!helper.wait(5 * kMs)) {
    seen.add(helper.state(seen.last()), Clock::monotonic_ns());
    const bool sleeps = waits_for_others(seen.last()) && seen.still_ns() >= still_ns;
    if (sleeps || Clock::monotonic_ns() - start >= kMost) return helper.ended();
  }
  return true;
}

bool all_end(const std::vector<const Helper*>& threads, std::uint64_t bound_ns, std::uint64_t settled_ns) {
  constexpr std::uint64_t kStep = 5 * kMs;
  const std::uint64_t start = Clock::monotonic_ns();
  std::uint64_t since = start;
  std::uint64_t switches = 0;
  std::map<const Helper*, ThreadState> last;
  for (;;) {
    bool any = false;
    bool runs = false;
    std::uint64_t sum = 0;
    for (const Helper* thread : threads) {
      if (thread->ended()) continue;
      ThreadState& state = last[thread];
      state = thread->state(state);
      any = true;
      runs = runs || !waits_for_others(state);
      sum += state.switches;
    }
    if (!any) return true;
    const std::uint64_t now = Clock::monotonic_ns();
    if (runs || sum != switches) since = now;
    switches = sum;
    if (now - since >= settled_ns || now - start >= bound_ns) break;
    sleep_ns(kStep);
  }
  return std::ranges::all_of(threads, [](const Helper* thread) { return thread->ended(); });
}

}  // namespace daxrace::kernel
