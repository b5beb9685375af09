#pragma once

#include <memory>
#include <vector>

#include "harness/core/protocol.hpp"
#include "harness/engine/oracle.hpp"
#include "harness/engine/perturb.hpp"
#include "harness/engine/run_env.hpp"
#include "harness/engine/run_store.hpp"
#include "tests/test_episode.hpp"

namespace daxrace {

/// The core on real threads without a workload: some tasks, one file, one scratch file.
template <class OracleT = Oracle, template <class> class StoreT = RunStore>
class EngineRig {
 public:
  using E = RunEnv<Rwsem, OracleT, NoPerturb>;
  using Store = StoreT<E>;
  using K = core::Kernel<E, Store>;

  struct Options {
    std::uint32_t tasks = 2;
    std::uint32_t pages = 16;
    std::uint32_t mappings = 2;
    std::uint32_t frames = 64;
    std::uint32_t pages_per_entry = 1;
    RefcountRegime regime = RefcountRegime::ref1;
  };

  EngineRig(const Options& options, Region& region)
      : rule_(core::RefcountRule::of(options.regime)),
        shared_(options.tasks),
        oracle_(options.tasks, {options.pages, options.pages}),
        store_(region, options.frames, rule_.idle, options.pages_per_entry, false),
        file(store_.add_inode(options.pages, options.mappings)),
        other(store_.add_inode(options.pages, 0)) {
    for (std::uint32_t i = 0; i < options.tasks; ++i) {
      tasks_.push_back(std::make_unique<Task>(i));
      oracles_.push_back(std::make_unique<OracleT>(oracle_, i));
      envs_.push_back(std::make_unique<E>(shared_, *tasks_[i], *oracles_[i], NoPerturb{}));
      kernels_.push_back(std::make_unique<K>(K{*envs_[i], store_, rule_, 0}));
    }
  }

  K& k(std::uint32_t task = 0) { return *kernels_[task]; }
  Task& task(std::uint32_t i) { return *tasks_[i]; }
  Store& store() { return store_; }
  OracleShared& oracle() { return oracle_; }
  std::uint32_t refcount(FrameNumber frame) { return store_.frame(frame).refcount.load(); }
  core::RefcountRule rule() const { return rule_; }

 private:
  core::RefcountRule rule_;
  RunShared shared_;
  OracleShared oracle_;
  Store store_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<std::unique_ptr<OracleT>> oracles_;
  std::vector<std::unique_ptr<E>> envs_;
  std::vector<std::unique_ptr<K>> kernels_;

 public:
  core::Inode<E>& file;
  core::Inode<E>& other;
};

}  // namespace daxrace
