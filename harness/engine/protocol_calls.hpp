#pragma once

#include <cstdint>
#include <type_traits>

#include "harness/base/function_ref.hpp"
#include "harness/core/protocol.hpp"
#include "harness/engine/run_store.hpp"

/// How a worker calls the protocol of its episode. The machinery of an episode is compiled once for an Env, a
/// protocol is what this table names. Where a protocol inherits what kernels do (and that is nearly always),
/// the worker has it inlined and pays a branch; its layout changes, and what is its own, are called.
namespace daxrace {

template <class K>
struct ProtocolCalls {
  using Inode = core::InodeOf<K>;
  using Body = FunctionRef<void()>;
  using Around = void (*)(K&, Inode&, PageRange, Body&);
  /// A way into a section of the protocol's locks.
  struct Section {
    bool as_kernel;  ///< as MmaplockedFaults or IolockedIo have it
    Around call;
  };

  Section fault;
  Section read;
  Section write;
  Section aio;
  Section map_blocks;
  int (*change)(K&, Inode&, core::Change&);
  std::uint32_t (*evict)(K&, Inode&);
};

/// The core's view of a task, with the protocol of its episode.
template <class E>
struct RunKernel : core::Kernel<E, RunStore<E>> {
  const ProtocolCalls<RunKernel>* protocol;
};

/// Told apart as types: GCC's UBSan takes a comparison of two functions for no constant.
template <class K, typename ProtocolCalls<K>::Around function>
struct Names {};
template <class K, typename ProtocolCalls<K>::Around own, typename ProtocolCalls<K>::Around kernels>
constexpr typename ProtocolCalls<K>::Section section_of() {
  return {std::is_same_v<Names<K, own>, Names<K, kernels>>, own};
}

template <class P, class K>
constexpr ProtocolCalls<K> calls_of() {
  using Faults = core::MmaplockedFaults;
  using Io = core::IolockedIo;
  using B = typename ProtocolCalls<K>::Body&;
  return {.fault = section_of<K, &P::template fault<K, B>, &Faults::template fault<K, B>>(),
          .read = section_of<K, &P::template read<K, B>, &Io::template read<K, B>>(),
          .write = section_of<K, &P::template write<K, B>, &Io::template write<K, B>>(),
          .aio = section_of<K, &P::template aio<K, B>, &Io::template aio<K, B>>(),
          .map_blocks = section_of<K, &P::template map_blocks<K, B>, &Io::template map_blocks<K, B>>(),
          .change = &P::template change<K>,
          .evict = &P::template evict<K>};
}

template <class P, class K>
inline constexpr ProtocolCalls<K> kCallsOf = calls_of<P, K>();

/// The protocol of the episode, to the core and the worker a protocol like any other.
struct CalledProtocol {
  template <class K, class Body>
  static void fault(K& k, core::InodeOf<K>& ip, PageRange range, Body&& body) {
    if (k.protocol->fault.as_kernel) return core::MmaplockedFaults::fault(k, ip, range, body);
    call(k.protocol->fault, k, ip, range, body);
  }
  template <class K, class Body>
  static void read(K& k, core::InodeOf<K>& ip, PageRange range, Body&& body) {
    if (k.protocol->read.as_kernel) return core::IolockedIo::read(k, ip, range, body);
    call(k.protocol->read, k, ip, range, body);
  }
  template <class K, class Body>
  static void write(K& k, core::InodeOf<K>& ip, PageRange range, Body&& body) {
    if (k.protocol->write.as_kernel) return core::IolockedIo::write(k, ip, range, body);
    call(k.protocol->write, k, ip, range, body);
  }
  template <class K, class Body>
  static void aio(K& k, core::InodeOf<K>& ip, PageRange range, Body&& body) {
    if (k.protocol->aio.as_kernel) return core::IolockedIo::aio(k, ip, range, body);
    call(k.protocol->aio, k, ip, range, body);
  }
  template <class K, class Body>
  static void map_blocks(K& k, core::InodeOf<K>& ip, PageRange range, Body&& body) {
    call(k.protocol->map_blocks, k, ip, range, body);
  }
  template <class K>
  static int change(K& k, core::InodeOf<K>& ip, core::Change& change) {
    return k.protocol->change(k, ip, change);
  }
  template <class K>
  static std::uint32_t evict(K& k, core::InodeOf<K>& ip) {
    return k.protocol->evict(k, ip);
  }

 private:
  template <class Section, class K, class Body>
  [[gnu::noinline]] static void call(const Section& section, K& k, core::InodeOf<K>& ip, PageRange range,
                                     Body& body) {
    typename ProtocolCalls<K>::Body erased(body);
    section.call(k, ip, range, erased);
  }
};

}  // namespace daxrace
