#pragma once

#include <cstdint>

#include "harness/base/types.hpp"
#include "harness/core/env.hpp"
#include "harness/core/range_lock.hpp"

namespace daxrace::core {

/// struct page of one frame: 16 bytes.
template <Env E>
struct Frame {
  typename E::template Atomic<std::uint32_t> refcount;
  typename E::template Atomic<std::uint32_t> mapcount;    ///< kept only where mappings hold references
  typename E::template Atomic<std::uint32_t> generation;  ///< counts the times that the frame was freed
  typename E::template Atomic<std::uint32_t> owner;       ///< inode number while allocated, else 0
};

/// An inode with its locks under the kernel's names. i_size is in pages.
template <Env E>
struct Inode {
  explicit Inode(std::uint32_t number) : ino(number) {}

  std::uint32_t ino;
  typename E::RwSem i_rwsem{WaitFor::iolock};
  typename E::RwSem invalidate_lock{WaitFor::mmaplock};
  RangeLock<E> io_range{WaitFor::io_range};  ///< what a range-locking kernel has in place of i_rwsem
  RangeLock<E> mapping_range{WaitFor::mapping_range};  ///< and of invalidate_lock
  typename E::template Atomic<std::uint32_t> i_size{0};
  typename E::template Atomic<std::uint32_t> i_dio_count{0};
  /// Layout leases; see lease.hpp.
  typename E::template Atomic<std::uint32_t> layout_leases{0};
  std::uint32_t first_mapping =
      0;  ///< the inode's mappings are numbered [first_mapping, first_mapping + mappings)
  std::uint32_t mappings = 0;
};

/// The two refcount rules, as data: which count says "idle", and how many references a mapping holds.
struct RefcountRule {
  std::uint32_t idle = 1;
  std::uint32_t per_mapping = 0;

  static constexpr RefcountRule of(RefcountRegime regime) {
    return regime == RefcountRegime::ref1 ? RefcountRule{1, 0} : RefcountRule{0, 1};
  }
};

/// One task's view of the kernel: what every function of the core and of a protocol takes first.
///
/// A Store supplies frame(f), extents(inode), entries(inode), translations(mapping): arrays of 64-bit words
/// with load(i), update(i, fn) under the array's own short lock, and for_each(range, fn) over the words that
/// are set; pages_per_entry(); allocate() and release(frame), last freed first handed out; and the data work
/// that the core only names: touch, zero, zap, flush, discard.
template <Env E, class S>
struct Kernel {
  using EnvType = E;
  using StoreType = S;

  E& env;
  S& store;
  RefcountRule refcount;
  std::uint64_t translations_installed = 0;  ///< by this task, to frames

  void down_read(typename E::RwSem& sem) { env.down_read(sem); }
  void up_read(typename E::RwSem& sem) { env.up_read(sem); }
  void down_write(typename E::RwSem& sem) { env.down_write(sem); }
  void up_write(typename E::RwSem& sem) { env.up_write(sem); }
  void step(Step at) { env.step(at); }
};

template <class K>
using InodeOf = Inode<typename K::EnvType>;
template <class K>
using RwSemOf = typename K::EnvType::RwSem;

/// Holds a lock for a scope. Code in between may drop and retake it, as break_layouts does, if it ends up
/// held.
template <class K, LockMode mode>
class Held {
 public:
  Held(K& k, RwSemOf<K>& sem) : k_(k), sem_(sem) {
    if constexpr (mode == LockMode::shared) {
      k_.down_read(sem_);
    } else {
      k_.down_write(sem_);
    }
  }
  ~Held() {
    if constexpr (mode == LockMode::shared) {
      k_.up_read(sem_);
    } else {
      k_.up_write(sem_);
    }
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  K& k_;
  RwSemOf<K>& sem_;
};

/// Holds a range of a range lock for a scope.
template <class K>
class HeldRange {
 public:
  HeldRange(K& k, InodeOf<K>& ip, RangeLock<typename K::EnvType>& lock, PageRange range, LockMode mode)
      : k_(k), ip_(ip), lock_(lock), range_(range), mode_(mode) {
    retake();
  }
  ~HeldRange() { drop(); }
  HeldRange(const HeldRange&) = delete;
  HeldRange& operator=(const HeldRange&) = delete;

  void drop() { lock_.unlock(k_.env, place_, ip_.ino); }
  void retake() { place_ = lock_.lock(k_.env, range_, mode_, ip_.ino); }

 private:
  K& k_;
  InodeOf<K>& ip_;
  RangeLock<typename K::EnvType>& lock_;
  PageRange range_;
  LockMode mode_;
  typename RangeLock<typename K::EnvType>::Place place_ = 0;
};

template <class K>
struct Shared : Held<K, LockMode::shared> {
  Shared(K& k, RwSemOf<K>& sem) : Held<K, LockMode::shared>(k, sem) {}
};
template <class K>
struct Exclusive : Held<K, LockMode::exclusive> {
  Exclusive(K& k, RwSemOf<K>& sem) : Held<K, LockMode::exclusive>(k, sem) {}
};

}  // namespace daxrace::core
