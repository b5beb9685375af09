#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "harness/engine/spinlock.hpp"
#include "harness/engine/task.hpp"

namespace daxrace {

/// A sleeper's place in the wait table, on its own stack.
struct WaitEntry {
  explicit WaitEntry(WaitKey k) : key(k) {}

  WaitKey key;
  Task* task = nullptr;
  WaitEntry* previous = nullptr;
  WaitEntry* next = nullptr;
};

/// Wait queues hashed by address, as the kernel's wait_var_event has them.
class WaitTable {
 public:
  void prepare(WaitEntry& entry, Task& task) noexcept {
    if (entry.task == nullptr) {
      entry.task = &task;
      Bucket& bucket = bucket_of(entry.key.address);
      bucket.lock.lock();
      entry.next = bucket.first;
      if (bucket.first != nullptr) bucket.first->previous = &entry;
      bucket.first = &entry;
      bucket.sleepers.fetch_add(1);
      bucket.lock.unlock();
    }
    task.wait_address.store(entry.key.address, std::memory_order_relaxed);
    task.wait_detail.store(entry.key.detail, std::memory_order_relaxed);
    task.wait_for.store(entry.key.what, std::memory_order_relaxed);
    task.set_sleeping();  // sequentially consistent: ordered before the caller's look at its condition
  }

  void finish(WaitEntry& entry, Task& task) noexcept {
    task.set_running();
    task.wait_for.store(WaitFor::nothing, std::memory_order_relaxed);
    if (entry.task == nullptr) return;
    Bucket& bucket = bucket_of(entry.key.address);
    bucket.lock.lock();
    if (entry.next != nullptr) entry.next->previous = entry.previous;
    (entry.previous != nullptr ? entry.previous->next : bucket.first) = entry.next;
    bucket.sleepers.fetch_sub(1, std::memory_order_relaxed);
    bucket.lock.unlock();
    entry.task = nullptr;
  }

  /// Wakes everyone who sleeps on the address. The change that they wait for must be a sequentially
  /// consistent store or read-modify-write before the call: that orders it before the look at the sleepers,
  /// as the sleeper's queueing is ordered before its look at the condition.
  void wake(const void* address) noexcept {
    Bucket& bucket = bucket_of(address);
    if (bucket.sleepers.load() != 0) wake_sleepers(bucket, address);
  }

 private:
  struct alignas(64) Bucket {
    Spinlock lock;
    std::atomic<std::uint32_t> sleepers{0};
    WaitEntry* first = nullptr;
  };
  static constexpr unsigned kBucketBits = 6;

  /// Out of line, so that a put that wakes nobody stays small enough to be inlined.
  [[gnu::noinline]] static void wake_sleepers(Bucket& bucket, const void* address) noexcept {
    bucket.lock.lock();
    for (WaitEntry* entry = bucket.first; entry != nullptr; entry = entry->next) {
      if (entry->key.address == address) entry->task->wake();
    }
    bucket.lock.unlock();
  }

  Bucket& bucket_of(const void* address) noexcept {
    const auto hash = reinterpret_cast<std::uintptr_t>(address) * 0x9e37'79b9'7f4a'7c15U;
    return buckets_[hash >> (64 - kBucketBits)];
  }

  std::array<Bucket, std::size_t{1} << kBucketBits> buckets_;
};

}  // namespace daxrace
