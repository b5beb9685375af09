#include <atomic>
#include <cstring>
#include <functional>
#include <thread>

#include "bench/overhead/comparisons.hpp"
#include "harness/base/error.hpp"
#include "harness/engine/episode_support.hpp"
#include "harness/engine/perturb.hpp"
#include "harness/engine/run_env.hpp"
#include "harness/engine/run_store.hpp"
#include "harness/platform/clock.hpp"
#include "harness/platform/placement.hpp"
#include "protocols/iolock_mmaplock.hpp"

namespace daxrace::overhead {
namespace {

using E = RunEnv<Rwsem, NullOracle, NoPerturb>;
using K = core::Kernel<E, RunStore<E>>;
using P = protocol::iolock_mmaplock;

constexpr std::uint64_t kBatch = 256;

/// One task and one mapped file on the rig's frames: what a worker of an episode has without the oracle.
class Engine {
 public:
  explicit Engine(Region& region)
      : shared(1),
        oracle_shared_(1, {Rig::kFilePages}),
        oracle_(oracle_shared_, 0),
        store(region, Rig::kFilePages, rule_.idle, 1, false),
        file(store.add_inode(Rig::kFilePages, 1)),
        env_(shared, task, oracle_, NoPerturb{}),
        k{env_, store, rule_, 0} {
    for (PageOffset page = 0; page < Rig::kFilePages; ++page)
      core::handle_fault<P>(k, file, file.first_mapping, page, true);
  }

 private:
  core::RefcountRule rule_ = core::RefcountRule::of(RefcountRegime::ref1);

 public:
  Task task{0};
  RunShared shared;

 private:
  OracleShared oracle_shared_;
  NullOracle oracle_;

 public:
  RunStore<E> store;
  core::Inode<E>& file;

 private:
  E env_;

 public:
  K k;
};

std::uint64_t word_at(RunStore<E>& store, FrameNumber frame) {
  return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(store.region().user(frame)))
      .load(std::memory_order_relaxed);
}

std::uint64_t read_by_protocol(Engine& e, PageOffset page) {
  std::uint64_t word = 0;
  P::read(e.k, e.file, {page, page + 1}, [&] {
    core::dax_iomap_read(e.k, e.file, page, [&](core::Block block) { word = word_at(e.store, block.frame); });
  });
  return word;
}

std::uint64_t read_by_hand(Engine& e, PageOffset page) {
  auto& iolock = e.file.i_rwsem;
  if (!iolock.try_down_read()) throw Error("the lock of a single task is taken");
  e.task.push_held(&iolock, false);
  std::uint64_t word = 0;
  if (page < e.file.i_size.load()) {
    const auto block = core::Block::from(e.store.extents(e.file).load(page));
    if (block) word = word_at(e.store, block.frame);
  }
  e.task.pop_held(&iolock);
  iolock.up_read();
  return word;
}

std::uint64_t load_by_protocol(Engine& e, PageOffset page) {
  std::uint64_t word = 0;
  core::access_mapping(e.k, e.file, e.file.first_mapping, page, false,
                       [&](core::Translation translation) { word = word_at(e.store, translation.frame()); });
  return word;
}

std::uint64_t load_by_hand(Engine& e, PageOffset page) {
  auto& section = e.shared.slots[0].word;
  section.store((std::uint64_t{e.file.first_mapping} + 1) << 32 | page);
  std::uint64_t word = 0;
  const auto translation = core::Translation::from(e.store.translations(e.file.first_mapping).load(page));
  if (translation.present()) word = word_at(e.store, translation.frame());
  section.store(0, std::memory_order_release);
  return word;
}

std::uint64_t pin_by_protocol(Engine& e, PageOffset page) {
  const auto pin = core::get_user_page<P>(e.k, e.file, e.file.first_mapping, page, true);
  core::unpin_user_page(e.k, e.file, page, pin->block);
  return pin->block.frame;
}

std::uint64_t pin_by_hand(Engine& e, PageOffset page) {
  auto& section = e.shared.slots[0].word;
  auto& translations = e.store.translations(e.file.first_mapping);
  section.store((std::uint64_t{e.file.first_mapping} + 1) << 32 | page);
  const std::uint64_t seen = translations.load(page);
  const auto translation = core::Translation::from(seen);
  if (!translation.has_frame() || !translation.writable()) throw Error("a page is not mapped");
  auto& refcount = e.store.frame(translation.frame()).refcount;
  std::uint32_t count = refcount.load();
  while (count != 0 && !refcount.compare_exchange_weak(count, count + 1)) {
  }
  if (count == 0 || translations.load(page) != seen) throw Error("a page changed under a single task");
  section.store(0, std::memory_order_release);
  if (refcount.fetch_sub(1) - 1 == e.k.refcount.idle)
    e.shared.wait_table.wake(&e.store.frame(translation.frame()).refcount);
  return translation.frame();
}

using Operation = std::uint64_t (*)(Engine&, PageOffset);

/// Time per operation over the length of a run, in a thread on the worker's CPU. The operation is a template
/// argument, so that it is inlined into the loop as it is in a worker's.
template <Operation operation>
std::vector<double> time_of(const Rig& rig) {
  double time_ns = 0;
  std::string failure;
  std::thread worker([&] {
    try {
      bind_thread_to_cpu(rig.cpu());
      Engine engine(rig.region());
      std::uint64_t operations = 0;
      std::uint64_t sum = 0;
      const std::uint64_t end = Clock::monotonic_ns() + rig.options().episode_ns;
      const std::uint64_t cpu_before = thread_cpu_ns();
      while (Clock::monotonic_ns() < end) {
        for (std::uint64_t i = 0; i < kBatch; ++i)
          sum += operation(engine, (operations + i) % Rig::kFilePages);
        operations += kBatch;
      }
      [[maybe_unused]] volatile std::uint64_t kept = sum;
      time_ns = static_cast<double>(thread_cpu_ns() - cpu_before) / static_cast<double>(operations);
    } catch (const Error& error) {
      failure = error.what();
    }
  });
  worker.join();
  if (!failure.empty()) throw Error(failure);
  return {time_ns};
}

template <Operation by_hand, Operation by_protocol>
Comparison against_hand(const Rig& rig, std::string name) {
  constexpr Bar kBar{Bar::Kind::at_most, 1.05, 0, 0};
  return {"hand-inlined",
          std::move(name),
          {{"CPU time per operation", "ns", Effect::ratio, kBar}},
          [&rig](std::uint64_t) { return time_of<by_hand>(rig); },
          [&rig](std::uint64_t) { return time_of<by_protocol>(rig); }};
}

}  // namespace

std::vector<Comparison> inlined_comparisons(const Rig& rig) {
  return {against_hand<read_by_hand, read_by_protocol>(rig, "read"),
          against_hand<load_by_hand, load_by_protocol>(rig, "load"),
          against_hand<pin_by_hand, pin_by_protocol>(rig, "pin and unpin")};
}

}  // namespace daxrace::overhead
