#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>

#include <pthread.h>

#include "harness/engine/task.hpp"

namespace daxrace {

/// glibc's reader-writer lock, preferring writers: the second lock, to tell the lock's cost from the
/// protocol's. It sleeps where nobody can wake it, so a contended take looks after its own I/O and the
/// watchdog now and then.
template <class E>
class PthreadRwlock {
 public:
  PthreadRwlock() {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&lock_, &attributes);
    pthread_rwlockattr_destroy(&attributes);
  }
  ~PthreadRwlock() { pthread_rwlock_destroy(&lock_); }
  PthreadRwlock(const PthreadRwlock&) = delete;
  PthreadRwlock& operator=(const PthreadRwlock&) = delete;

  bool try_down_read() noexcept { return pthread_rwlock_tryrdlock(&lock_) == 0; }
  bool try_down_write(E& env) noexcept {
    if (pthread_rwlock_trywrlock(&lock_) != 0) return false;
    owner_.store(&env.task());
    return true;
  }
  void down_read_slow(E& env) {
    take(env, [this](const timespec& until) { return pthread_rwlock_timedrdlock(&lock_, &until); });
  }
  void down_write_slow(E& env) {
    take(env, [this](const timespec& until) { return pthread_rwlock_timedwrlock(&lock_, &until); });
    owner_.store(&env.task());
  }
  void up_read() noexcept { pthread_rwlock_unlock(&lock_); }
  void up_write() noexcept {
    owner_.store(nullptr);
    pthread_rwlock_unlock(&lock_);
  }
  const Task* writer() const noexcept { return owner_.load(); }

 private:
  static constexpr std::int64_t kNsWithIo = 50'000;
  static constexpr std::int64_t kNsWithoutIo = 10'000'000;

  template <class TimedLock>
  static void take(E& env, TimedLock&& timed_lock) {
    Task& task = env.task();
    for (;;) {
      const bool io = task.io != nullptr && task.io->in_flight();
      timespec until{};
      clock_gettime(CLOCK_REALTIME, &until);
      until.tv_nsec += io ? kNsWithIo : kNsWithoutIo;
      if (until.tv_nsec >= 1'000'000'000) {
        until.tv_nsec -= 1'000'000'000;
        ++until.tv_sec;
      }
      if (timed_lock(until) == 0) return;
      if (task.aborting.load()) throw Aborted();
      if (io) task.io->complete_ready();
    }
  }

  pthread_rwlock_t lock_{};
  std::atomic<const Task*> owner_{nullptr};
};

}  // namespace daxrace
