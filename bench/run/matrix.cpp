#include "bench/run/matrix.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include <fmt/format.h>

#include "bench/cli/pattern.hpp"
#include "bench/cli/suggest.hpp"
#include "harness/base/error.hpp"
#include "harness/live/directory.hpp"
#include "harness/live/run/episode.hpp"
#include "harness/load/shift.hpp"

namespace daxrace {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr unsigned kDefaultFilePages = 64;

/// Workloads that are run for the same time, with the same number of repetitions, under the same kind of
/// load.
struct Batch {
  std::vector<std::string> workloads;
  std::vector<Load> loads;
  unsigned repetitions;
  std::uint64_t warmup_ns;
  std::uint64_t measure_ns;
};

/// Five repetitions, because no interval can be given for fewer. With ten protocols: about 55 s. Punches and
/// faults are timed longer: p99 of the response needs 1000 of them in the repetitions together, also where
/// two are saturated.
std::vector<Batch> quick_batches() {
  return {
      {{"fault", "punch"}, {Load::paced}, 5, 20 * kMs, 100 * kMs},
      {{"read", "gup_fast"}, {Load::paced}, 5, 20 * kMs, 70 * kMs},
      {{"mixed", "gup_vs_punch", "aio_vs_punch", "lease_vs_punch"}, {Load::paced}, 5, 20 * kMs, 95 * kMs},
      {{"realloc"}, {Load::closed}, 1, 20 * kMs, 300 * kMs},
  };
}

/// Twelve repetitions, with which a lone change among some hundred rows of a path can be told from chance. 24
/// rows, about 225 s.
std::vector<Batch> compare_batches() {
  return {
      {{"fault", "punch", "read", "gup_fast"}, {Load::paced}, 12, 50 * kMs, 500 * kMs},
      {{"mixed", "gup_vs_punch"}, {Load::paced}, 12, 100 * kMs, 1100 * kMs},
  };
}

std::vector<Batch> preset_batches(Preset preset) {
  return preset == Preset::compare ? compare_batches() : quick_batches();
}

std::vector<Batch> batches_of(const RunOptions& options) {
  std::vector<Batch> batches = preset_batches(options.preset);
  if (!options.workloads.empty()) batches = {{options.workloads, {Load::paced}, 5, 50 * kMs, 250 * kMs}};
  for (Batch& batch : batches) {
    if (!options.loads.empty()) batch.loads = options.loads;
    batch.repetitions = options.repetitions.value_or(batch.repetitions);
    batch.warmup_ns = options.warmup_ns.value_or(batch.warmup_ns);
    batch.measure_ns = options.duration_ns.value_or(batch.measure_ns);
  }
  return batches;
}

template <class T>
std::vector<T> or_default(const std::vector<T>& given, T fallback) {
  return given.empty() ? std::vector<T>{std::move(fallback)} : given;
}

/// Replaces every configuration by one for each value of an axis.
template <class Values, class Set>
void spread(std::vector<Configuration>& configs, const Values& values, Set set) {
  std::vector<Configuration> out;
  out.reserve(configs.size() * values.size());
  for (const Configuration& config : configs) {
    for (const auto& value : values) {
      out.push_back(config);
      set(out.back(), value);
    }
  }
  configs = std::move(out);
}

std::vector<unsigned> thread_counts(const RunOptions& options, const Configuration& config,
                                    std::size_t cpus) {
  if (config.load == Load::closed) return {config.workload->closed_threads()};
  if (!options.threads.empty()) return options.threads;
  return {config.workload->uncontended || cpus < 2 ? 1U : 2U};
}

void set_threads(std::vector<Configuration>& configs, const RunOptions& options, std::size_t cpus) {
  std::vector<Configuration> out;
  for (const Configuration& config : configs) {
    for (const unsigned threads : thread_counts(options, config, cpus)) {
      out.push_back(config);
      out.back().threads = threads;
    }
  }
  configs = std::move(out);
}

void set_rates(std::vector<Configuration>& configs, const std::vector<double>& rates) {
  std::vector<Configuration> out;
  for (const Configuration& config : configs) {
    for (const double rate : config.load == Load::closed ? std::vector<double>{1.0} : rates) {
      out.push_back(config);
      out.back().rate_scale = rate;
    }
  }
  configs = std::move(out);
}

void check_frame(const Configuration& config) {
  const std::size_t natural = config.source.natural_frame_bytes;
  if (config.frame_bytes % natural != 0)
    throw Error(fmt::format("--frame-bytes={}: {} needs a multiple of {}", config.frame_bytes,
                            config.source.choice.text(), natural));
}

void set_entry(Configuration& config, const RunOptions& options) {
  config.entry_bytes = options.entry_bytes.value_or(config.frame_bytes);
  if (config.entry_bytes % config.frame_bytes != 0)
    throw Error(fmt::format("--entry-bytes={}: must be a multiple of the frame size, {}", config.entry_bytes,
                            config.frame_bytes));
  const auto pages_per_entry = static_cast<unsigned>(config.entry_bytes / config.frame_bytes);
  if (options.file_pages.empty()) config.file_pages = std::max(kDefaultFilePages, 4 * pages_per_entry);
  if (config.file_pages % pages_per_entry != 0)
    throw Error(fmt::format("--file-pages={}: must be a multiple of the {} pages of an entry",
                            config.file_pages, pages_per_entry));
}

void check_shifts(const Configuration& config) {
  if (config.workload->shifts() && config.file_pages <= kShiftPages)
    throw Error(fmt::format("--file-pages={}: {} takes {} pages out of the file and needs more",
                            config.file_pages, config.workload->name, kShiftPages));
}

std::vector<Configuration> start_of(const Batch& batch, const RunOptions& options) {
  Configuration common;
  common.target = options.target;
  common.directory = options.dir;
  common.oracle = options.oracle.value_or(true);
  common.perturb = options.perturb;
  common.discard = options.discard;
  common.repetitions = batch.repetitions;
  common.warmup_ns = batch.warmup_ns;
  common.measure_ns = batch.measure_ns;
  return {common};
}

/// The kernel's files lie where it is told; the region beside them tells node, device and granularity.
std::vector<BackingChoice> wanted_backings(const RunOptions& options) {
  if (options.target == Target::engine) return or_default(options.backings, BackingChoice{});
  // A dry run makes no file to ask.
  if (options.dry_run) return {{Backing::fsdax, options.dir}};
  const kernel::FsFacts facts = kernel::Directory(options.dir).facts();
  if (const std::string remedy = kernel::unused_dax(facts, options.dir); !remedy.empty())
    fmt::print(stderr, "daxrace: run: {}\n", remedy);
  if (facts.dax) return {{Backing::fsdax, options.dir}};
  return {{Backing::file, options.dir + "/daxrace.region"}};
}

/// The protocols that kernels have, and `none`, which is what the harness itself costs.
std::vector<std::string> preset_protocols(Preset preset) {
  if (preset == Preset::compare) return {"none", "iolock_mmaplock", "ext4", "lease_break"};
  return {};
}

std::vector<const ProtocolEntry*> wanted_protocols(const RunOptions& options) {
  if (options.target == Target::kernel) return {&kernel::protocol_entry()};
  const std::vector<std::string> names =
      options.protocols.empty() ? preset_protocols(options.preset) : options.protocols;
  std::vector<const ProtocolEntry*> entries;
  for (const ProtocolEntry& entry : protocols())
    if (names.empty() || std::ranges::find(names, entry.info.name) != names.end()) entries.push_back(&entry);
  return entries;
}

std::vector<Configuration> expand(const Batch& batch, const RunOptions& options,
                                  const std::vector<BackingSource>& sources, std::size_t cpus) {
  using C = Configuration;
  auto configs = start_of(batch, options);
  spread(configs, batch.workloads, [](C& c, const std::string& name) { c.workload = find_workload(name); });
  spread(configs, wanted_protocols(options), [](C& c, const ProtocolEntry* entry) { c.protocol = entry; });
  spread(configs, sources, [](C& c, const BackingSource& source) {
    c.source = source;
    c.frame_bytes = source.natural_frame_bytes;
  });
  spread(configs, or_default(options.placements, Placement::local),
         [](C& c, Placement p) { c.placement = p; });
  spread(configs, batch.loads, [](C& c, Load load) { c.load = load; });
  set_threads(configs, options, cpus);
  if (!options.frame_bytes.empty())
    spread(configs, options.frame_bytes, [](C& c, std::size_t bytes) { c.frame_bytes = bytes; });
  spread(configs, or_default(options.refcounts, RefcountRegime::ref1),
         [](C& c, RefcountRegime regime) { c.refcount = regime; });
  spread(configs, or_default(options.locks, std::string{kLockNames[0]}),
         [](C& c, const std::string& lock) { c.lock = lock; });
  set_rates(configs, or_default(options.rates, 1.0));
  spread(configs, or_default(options.file_pages, kDefaultFilePages),
         [](C& c, unsigned n) { c.file_pages = n; });
  spread(configs, or_default(options.queue_depths, 1U), [](C& c, unsigned n) { c.queue_depth = n; });
  return configs;
}

void check_load_axes(const RunOptions& options, const std::vector<Configuration>& configs) {
  const bool any_paced = std::ranges::any_of(configs, [](const auto& c) { return c.load == Load::paced; });
  if (any_paced) return;
  if (!options.threads.empty())
    throw Error("--threads: under --load=closed the workload's roles decide; 'daxrace list' shows how many");
  if (!options.rates.empty()) throw Error("--rate, --sweep-rate: need --load=paced");
}

void refuse_equal_names(const std::vector<Configuration>& configs) {
  std::set<std::string> seen;
  for (const Configuration& config : configs)
    if (const auto name = canonical_name(config); !seen.insert(name).second)
      throw Error(fmt::format("two configurations are both called {}: run {} by itself, with another --out",
                              name, config.source.choice.text()));
}

std::string segment(std::string_view key, std::string_view value) {
  return fmt::format("/{}:{}", key, value);
}

}  // namespace

double Configuration::offered_per_s() const {
  if (load == Load::closed) return 0;
  double sum = 0;
  for (const Role& role : workload->roles) sum += role.rate_per_s;
  return sum * rate_scale;
}

std::string canonical_name(const Configuration& c) {
  std::string name = fmt::format("{}/{}/{}/{}/threads:{}", c.workload->name, c.protocol->info.name,
                                 name_in(kBackingNames, c.source.choice.kind),
                                 name_in(kPlacementNames, c.placement), c.threads);
  if (!c.source.fs.empty()) name += segment("fs", c.source.fs);
  if (c.frame_bytes != 4096) name += segment("frame_bytes", std::to_string(c.frame_bytes));
  if (c.entry_bytes != c.frame_bytes) name += segment("entry_bytes", std::to_string(c.entry_bytes));
  if (c.refcount != RefcountRegime::ref1)
    name += segment("refcount", name_in(kRefcountRegimeNames, c.refcount));
  if (c.lock != kLockNames[0]) name += segment("lock", c.lock);
  if (c.load != Load::paced) name += segment("load", name_in(kLoadNames, c.load));
  if (c.rate_scale != 1.0) name += segment("offered_per_s", fmt::format("{:.6g}", c.offered_per_s()));
  if (!c.oracle) name += segment("oracle", "off");
  if (c.perturb) name += segment("perturb", "on");
  if (c.discard != Discard::zap) name += segment("discard", name_in(kDiscardNames, c.discard));
  if (c.file_pages != kDefaultFilePages) name += segment("file_pages", std::to_string(c.file_pages));
  if (c.queue_depth != 1) name += segment("queue_depth", std::to_string(c.queue_depth));
  return name;
}

std::vector<Configuration> build_matrix(const RunOptions& options, std::size_t cpus) {
  std::vector<BackingSource> sources;
  for (const BackingChoice& choice : wanted_backings(options)) sources.push_back(probe_backing(choice));
  std::vector<Configuration> all;
  for (const Batch& batch : batches_of(options)) {
    for (Configuration& config : expand(batch, options, sources, cpus)) {
      check_frame(config);
      set_entry(config, options);
      check_shifts(config);
      all.push_back(std::move(config));
    }
  }
  check_load_axes(options, all);
  refuse_equal_names(all);
  return all;
}

std::string no_match(const std::string& option, const std::string& regex) {
  return fmt::format(
      "--{}={}: no configuration matches{}; --dry-run without it names them", option, regex,
      option == "benchmark_filter" ? " (Google Benchmark adds /repetition:N/iterations:1/manual_time)" : "");
}

std::vector<Configuration> filter_matrix(const std::vector<Configuration>& all, const std::string& regex) {
  if (regex.empty()) return all;
  std::vector<Configuration> kept;
  const Pattern pattern("filter", regex);
  for (const Configuration& config : all)
    if (pattern.is_in(canonical_name(config))) kept.push_back(config);
  if (kept.empty()) throw Error(no_match("filter", regex));
  return kept;
}

}  // namespace daxrace
