#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace daxrace {

/// One for each CPU.
inline unsigned thread_per_cpu() { return std::max(1U, std::thread::hardware_concurrency()); }

/// What to say of a thread that could not be started: most often a limit, and which one the kernel does not
/// tell.
inline std::string cannot_start(const std::string& what, const std::system_error& error) {
  return "cannot start " + what + ": " + error.code().message() +
         "; see ulimit -u and the pids.max of the control group";
}

/// Calls fn(i) for each i below `count`, on `threads` threads of which the caller is one; where they cannot
/// all be started, those that were do it all. What one of them throws ends that one, and is thrown here when
/// all have ended.
template <class Fn>
void for_each_index(std::size_t count, unsigned threads, Fn&& fn) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) fn(i);
    } catch (...) {
      const std::scoped_lock lock(mutex);
      failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
    } catch (const std::system_error&) {
    }
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace daxrace
