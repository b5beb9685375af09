#include "bench/run/episode_config.hpp"

namespace daxrace {

EpisodeConfig episode_config(const Configuration& c) {
  EpisodeConfig config;
  config.workload = c.workload;
  config.load = c.load;
  config.refcount_regime = c.refcount;
  config.threads = c.threads;
  config.rate_scale = c.rate_scale;
  config.file_pages = c.file_pages;
  config.pages_per_entry = static_cast<unsigned>(c.entry_bytes / c.frame_bytes);
  config.queue_depth = c.queue_depth;
  config.discard = c.discard;
  config.oracle = c.oracle;
  config.perturb = c.perturb;
  config.lock = c.lock;
  config.warmup_ns = c.warmup_ns;
  config.measure_ns = c.measure_ns;
  config.directory = c.directory;
  return config;
}

}  // namespace daxrace
