#include "harness/live/run/kernel_view.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/live/staging/cells.hpp"

namespace daxrace::kernel {
namespace {

/// The trace rounds to microseconds.
constexpr std::uint64_t kSlackNs = 1'000;

constexpr std::string_view kEnter = "enter_";
constexpr std::string_view kLeave = "leave_";

/// From 6.15 on one function of the VFS serves all file systems, and theirs only call it.
std::vector<std::string> find_break_layout_functions() {
  auto found = traceable({"dax_break_layout", "dax_break_layout_final"});
  if (found.empty()) found = traceable({"xfs_break_dax_layouts", "ext4_break_layouts"});
  return found;
}

/// Once: the list of functions is long.
const std::vector<std::string>& break_layout_functions() {
  static const std::vector<std::string> found = find_break_layout_functions();
  return found;
}

/// Spinning locks and mutexes are not what a protocol waits for.
bool is_semaphore(const std::string& fields) {
  return fields.ends_with("(flags=READ)") || fields.ends_with("(flags=WRITE)");
}

struct Open {
  std::uint64_t ns = 0;
  bool wanted = false;
};

Span* span_at(std::vector<Span>& spans, std::uint64_t ns) {
  const auto later = [](std::uint64_t at, const Span& span) { return at + kSlackNs < span.start_ns; };
  auto found = std::upper_bound(spans.begin(), spans.end(), ns, later);
  if (found == spans.begin() || ns > (--found)->end_ns + kSlackNs) return nullptr;
  return &*found;
}

}  // namespace

std::vector<KernelWait> waits_of(const std::vector<std::string>& trace) {
  std::vector<KernelWait> waits;
  std::map<std::pair<pid_t, std::string>, Open> open;
  std::map<pid_t, int> breaking;  // a semaphore retaken within a break of layouts is part of that
  for (const std::string& line : trace) {
    const auto event = parse_event(line);
    if (!event) continue;
    const bool contended = event->name == "contention_begin" || event->name == "contention_end";
    const bool begins = event->name == "contention_begin" || event->name.starts_with(kEnter);
    if (!contended && !begins && !event->name.starts_with(kLeave)) continue;
    // A lock by its address, a function by its name.
    const std::string what = contended ? event->fields.substr(0, event->fields.find(' '))
                                       : event->name.substr(event->name.find('_') + 1);
    Open& from = open[{event->tid, what}];
    int& depth = breaking[event->tid];
    if (!contended) depth = std::max(0, depth + (begins ? 1 : -1));
    if (begins) {
      from = {event->ns, !contended || (depth == 0 && is_semaphore(event->fields))};
    } else if (from.wanted) {
      waits.push_back({event->tid, contended ? Phase::lock_wait : Phase::break_wait, from.ns, event->ns});
      from.wanted = false;
    }
  }
  return waits;
}

void add_waits(EpisodeResult& result, const std::vector<Spans>& workers,
               const std::vector<KernelWait>& waits) {
  for (auto& [path, stats] : result.paths) stats.wait_ns = Histogram();
  for (const Spans& worker : workers) {
    std::vector<Span> spans = worker.list;
    std::ranges::sort(spans, {}, &Span::start_ns);  // requests end in any order
    std::vector<std::uint64_t> waited(spans.size());
    for (const KernelWait& wait : waits) {
      const Span* span = wait.tid == worker.tid ? span_at(spans, wait.start_ns) : nullptr;
      if (span == nullptr) continue;
      waited[static_cast<std::size_t>(span - spans.data())] += wait.end_ns - wait.start_ns;
      result.paths[span->path].phase_sum_ns[static_cast<std::size_t>(wait.phase)] +=
          wait.end_ns - wait.start_ns;
    }
    for (std::size_t i = 0; i < spans.size(); ++i) result.paths[spans[i].path].wait_ns.record(waited[i]);
  }
}

KernelView::KernelView() {
  trace_.set("trace_clock", "mono");
  look_for(Phase::break_wait, break_layout_functions());
  try {
    trace_.enable("lock", "contention_begin");
    trace_.enable("lock", "contention_end");
    known_[static_cast<std::size_t>(Phase::lock_wait)] = true;
  } catch (const Skipped& skipped) {
    limit(skipped.what());
  }
  for (const char* event : {"dax_pte_fault_done", "dax_pmd_fault_done"}) {
    try {
      trace_.enable("fs_dax", event);
      faults_.emplace_back(event);
    } catch (const Skipped& skipped) {
      limit(skipped.what());
    }
  }
}

void KernelView::limit(const std::string& what) { limits_ += (limits_.empty() ? "" : ", ") + what; }

void KernelView::look_for(Phase phase, const std::vector<std::string>& functions) {
  if (functions.empty()) return limit("no function that breaks layouts can be probed");
  try {
    for (const std::string& function : functions) trace_.probe(function);
    known_[static_cast<std::size_t>(phase)] = true;
  } catch (const Skipped& skipped) {
    limit(skipped.what());
  }
}

void KernelView::warm_up_is_over() {
  if (warm_) return;
  warm_ = true;
  for (const std::string& event : faults_) trace_.disable("fs_dax", event.c_str());
}

void KernelView::complete(EpisodeResult& result, const std::vector<Spans>& workers) {
  if (trace_.overran()) return limit("the trace buffer ran over");
  const auto lines = trace_.lines();
  add_waits(result, workers, waits_of(lines));
  result.phases_known = known_;
  const auto any = [&](std::string_view event) {
    return std::ranges::any_of(lines, [&](const std::string& line) {
      return line.find(event) != std::string::npos && line.ends_with("NOPAGE");
    });
  };
  constexpr std::uint64_t kPmdBytes = 2 << 20;
  const bool small = any("dax_pte_fault_done");
  const bool large = any("dax_pmd_fault_done");
  if (small != large) result.entry_bytes = small ? kPageBytes : kPmdBytes;
  if (small && large) limit("entries of 4 KiB and of 2 MiB");
}

}  // namespace daxrace::kernel
