#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace daxrace {

/// One for each CPU.
inline unsigned thread_per_cpu() { return std::max(1U, std::thread::hardware_concurrency()); }

/// Calls fn(i) for each i below `count`, on `threads` threads of which the caller is one. What one of them
/// throws ends that one, and is thrown here when all have ended.
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
    for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace daxrace
