#include "harness/platform/placement.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <hwloc.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/platform/numa.hpp"

namespace daxrace {
namespace {

/// The affinity of the calling thread, however many CPUs the kernel was built for.
class CpuSet {
 public:
  explicit CpuSet(int cpus = 1024) : cpus_(cpus), set_(CPU_ALLOC(static_cast<std::size_t>(cpus))) {
    if (set_ == nullptr) throw std::bad_alloc();
    CPU_ZERO_S(bytes(), set_);
  }
  ~CpuSet() { CPU_FREE(set_); }
  CpuSet(const CpuSet&) = delete;
  CpuSet& operator=(const CpuSet&) = delete;

  std::size_t bytes() const { return CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus_)); }
  cpu_set_t* get() { return set_; }
  void add(int cpu) { CPU_SET_S(static_cast<std::size_t>(cpu), bytes(), set_); }
  std::vector<int> list() const {
    std::vector<int> out;
    for (int cpu = 0; cpu < cpus_; ++cpu) {
      if (CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes(), set_)) out.push_back(cpu);
    }
    return out;
  }

 private:
  int cpus_;
  cpu_set_t* set_;
};

std::vector<int> allowed_cpus() {
  constexpr int kMostCpus = 1 << 20;
  for (int cpus = 1024; cpus <= kMostCpus; cpus *= 2) {
    CpuSet set(cpus);
    if (sched_getaffinity(0, set.bytes(), set.get()) == 0) return set.list();
    if (errno != EINVAL) break;
  }
  throw Error(fmt::format("cannot read the CPU affinity: {}", std::generic_category().message(errno)));
}

std::string message_of(int error) { return std::generic_category().message(error); }

int parse_number(std::string_view text, const std::string& whole) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    throw Error(fmt::format("'{}' in the list '{}' is not a number; write it as 0-3,8", text, whole));
  }
  return value;
}

void append_range(std::vector<int>& out, std::string_view item, const std::string& whole) {
  constexpr int kMostNumbers = 1 << 20;
  const std::size_t dash = item.find('-');
  const int first = parse_number(item.substr(0, dash), whole);
  const int last = dash == std::string_view::npos ? first : parse_number(item.substr(dash + 1), whole);
  if (last < first || last - first >= kMostNumbers) {
    throw Error(fmt::format("'{}' in the list '{}' is not a range; write it as 0-3,8", item, whole));
  }
  for (int number = first; number <= last; ++number) out.push_back(number);
}

}  // namespace

struct Topology::Impl {
  struct Cpu {
    int number = -1;
    unsigned thread = 0;  ///< rank among the allowed hardware threads of its core
    unsigned order = 0;   ///< in the machine's own order
    int node = 0;
  };
  struct Node {
    hwloc_obj_t object = nullptr;
    int number = 0;
    bool has_memory = false;
    bool has_cpus = false;
  };

  Impl();
  ~Impl() { hwloc_topology_destroy(topology); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void find_nodes();
  void find_cpus();
  int node_holding(int number) const;
  std::uint64_t distance(int from, int to) const;
  int nearest(int from, bool Node::*having, bool other) const;
  int buffer_node(int node) const;
  std::vector<int> cpus_on(int node, const std::vector<int>& limit) const;
  std::vector<int> interleaved(int first_node, const std::vector<int>& limit) const;
  std::vector<int> chosen(Placement placement, int pmem_node, const std::vector<int>& limit) const;
  const Cpu& cpu(int number) const;

  hwloc_topology_t topology = nullptr;
  bool is_this_machine = true;
  std::vector<Cpu> cpus;
  std::vector<Node> nodes;
};

Topology::Impl::Impl() {
  if (hwloc_topology_init(&topology) != 0) throw Error("hwloc cannot start");
  if (hwloc_topology_load(topology) != 0) {
    hwloc_topology_destroy(topology);
    throw Error("hwloc cannot read this machine's topology");
  }
  is_this_machine = hwloc_topology_is_thissystem(topology) != 0;
  find_nodes();
  find_cpus();
}

void Topology::Impl::find_nodes() {
  for (hwloc_obj_t object = nullptr;
       (object = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, object)) != nullptr;) {
    nodes.push_back(
        {object, static_cast<int>(object->os_index), object->attr->numanode.local_memory > 0, false});
  }
}

void Topology::Impl::find_cpus() {
  std::map<hwloc_obj_t, unsigned> seen;
  std::set<int> allowed;
  if (is_this_machine) {
    const std::vector<int> list = allowed_cpus();
    allowed.insert(list.begin(), list.end());
  }
  for (hwloc_obj_t unit = nullptr;
       (unit = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, unit)) != nullptr;) {
    const int number = static_cast<int>(unit->os_index);
    if (is_this_machine && !allowed.contains(number)) continue;
    hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, unit);
    if (core == nullptr) core = unit;
    cpus.push_back({number, seen[core]++, static_cast<unsigned>(cpus.size()), node_holding(number)});
  }
  std::sort(cpus.begin(), cpus.end(), [](const Cpu& a, const Cpu& b) {
    return std::pair(a.thread, a.order) < std::pair(b.thread, b.order);
  });
  for (Node& node : nodes) {
    node.has_cpus =
        std::any_of(cpus.begin(), cpus.end(), [&](const Cpu& each) { return each.node == node.number; });
  }
}

/// A node without CPUs is shown by hwloc beside the CPUs that are near it, so the kernel's word goes first.
int Topology::Impl::node_holding(int number) const {
  int best = 0;
  int best_weight = INT_MAX;
  for (const Node& node : nodes) {
    if (hwloc_bitmap_isset(node.object->cpuset, static_cast<unsigned>(number)) == 0) continue;
    const std::string link = fmt::format("/sys/devices/system/cpu/cpu{}/node{}", number, node.number);
    if (is_this_machine && access(link.c_str(), F_OK) == 0) return node.number;
    if (const int weight = hwloc_bitmap_weight(node.object->cpuset); weight < best_weight) {
      best = node.number;
      best_weight = weight;
    }
  }
  return best;
}

/// Relative cost of an access, as the firmware says; without its word nodes are as far apart as their
/// numbers.
std::uint64_t Topology::Impl::distance(int from, int to) const {
  const auto object = [&](int number) -> hwloc_obj_t {
    const auto at =
        std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.number == number; });
    return at == nodes.end() ? nullptr : at->object;
  };
  unsigned count = 1;
  hwloc_distances_s* matrix = nullptr;
  auto value = static_cast<std::uint64_t>(std::abs(from - to));
  if (object(from) == nullptr || object(to) == nullptr) return value;
  if (hwloc_distances_get_by_type(topology, HWLOC_OBJ_NUMANODE, &count, &matrix,
                                  HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) == 0 &&
      count > 0) {
    hwloc_uint64_t there = 0;
    hwloc_uint64_t back = 0;
    if (hwloc_distances_obj_pair_values(matrix, object(from), object(to), &there, &back) == 0) value = there;
    hwloc_distances_release(topology, matrix);
  }
  return value;
}

/// The nearest node that has what is asked for, or -1. `other`: not `from` itself.
int Topology::Impl::nearest(int from, bool Node::*having, bool other) const {
  int best = -1;
  std::uint64_t best_distance = std::numeric_limits<std::uint64_t>::max();
  for (const Node& node : nodes) {
    if (!(node.*having) || (other && node.number == from)) continue;
    const std::uint64_t here = distance(from, node.number);
    if (node.number == from) return from;
    if (here < best_distance) {
      best = node.number;
      best_distance = here;
    }
  }
  return best;
}

int Topology::Impl::buffer_node(int node) const { return nearest(node, &Node::has_memory, false); }

std::vector<int> Topology::Impl::cpus_on(int node, const std::vector<int>& limit) const {
  std::vector<int> out;
  for (const Cpu& each : cpus) {
    const bool wanted = limit.empty() || std::find(limit.begin(), limit.end(), each.number) != limit.end();
    if (wanted && (node < 0 || each.node == node)) out.push_back(each.number);
  }
  return out;
}

/// One CPU of each node in turn, beginning with `first_node`.
std::vector<int> Topology::Impl::interleaved(int first_node, const std::vector<int>& limit) const {
  std::vector<std::vector<int>> by_node;
  std::size_t longest = 0;
  for (const Node& node : nodes) {
    std::vector<int> here = cpus_on(node.number, limit);
    if (here.empty()) continue;
    longest = std::max(longest, here.size());
    by_node.insert(node.number == first_node ? by_node.begin() : by_node.end(), std::move(here));
  }
  if (by_node.size() < 2) return {};
  std::vector<int> out;
  // A smaller node's CPUs come round again, so that neighbours in the list always lie on different nodes.
  for (std::size_t i = 0; i < longest; ++i) {
    for (const std::vector<int>& here : by_node) out.push_back(here[i % here.size()]);
  }
  return out;
}

std::vector<int> Topology::Impl::chosen(Placement placement, int pmem_node,
                                        const std::vector<int>& limit) const {
  const bool one_node =
      std::count_if(nodes.begin(), nodes.end(), [](const Node& node) { return node.has_cpus; }) < 2;
  if (placement == Placement::interleave) {
    if (one_node) throw Skipped("one NUMA node with CPUs: nothing to interleave");
    std::vector<int> out = interleaved(pmem_node, limit);
    if (out.empty()) throw Skipped("the CPUs that --cpus allows lie on one NUMA node: nothing to interleave");
    return out;
  }
  // On a machine of one node there is only one place where the pmem can be.
  if (pmem_node < 0 && nodes.size() == 1) pmem_node = nodes.front().number;
  if (pmem_node < 0) throw Skipped("the NUMA node of the region is not known");
  const int near = nearest(pmem_node, &Node::has_cpus, false);
  const int node = placement == Placement::local ? near : nearest(near, &Node::has_cpus, true);
  if (node < 0) throw Skipped("one NUMA node");
  std::vector<int> out = cpus_on(node, limit);
  if (out.empty())
    throw Skipped(fmt::format("none of the CPUs that --cpus allows lies on NUMA node {}", node));
  return out;
}

const Topology::Impl::Cpu& Topology::Impl::cpu(int number) const {
  const auto at =
      std::find_if(cpus.begin(), cpus.end(), [&](const Cpu& each) { return each.number == number; });
  if (at == cpus.end())
    throw Error(fmt::format("CPU {} does not exist or is not allowed to this process", number));
  return *at;
}

Topology::Topology() : impl_(new Impl) {}
Topology::~Topology() { delete impl_; }

std::vector<int> Topology::cpus() const { return impl_->cpus_on(-1, {}); }

std::vector<int> Topology::nodes() const {
  std::vector<int> out;
  for (const Impl::Node& node : impl_->nodes) {
    if (node.has_memory) out.push_back(node.number);
  }
  return out;
}

int Topology::node_of_cpu(int cpu) const { return impl_->cpu(cpu).node; }

PlacementPlan Topology::plan(Placement placement, std::size_t workers, int pmem_node,
                             const std::vector<int>& cpus) const {
  for (const int number : cpus) (void)impl_->cpu(number);
  PlacementPlan plan;
  plan.placement = placement;
  if (placement == Placement::none) {
    if (!cpus.empty())
      throw Skipped("placement none leaves the CPUs to the scheduler: --cpus cannot be kept");
    plan.overcommitted = workers > impl_->cpus.size();
    return plan;
  }
  const std::vector<int> chosen = impl_->chosen(placement, pmem_node, cpus);
  for (std::size_t i = 0; i < workers; ++i) {
    const int number = chosen[i % chosen.size()];
    plan.worker_cpus.push_back(number);
    plan.worker_nodes.push_back(impl_->buffer_node(impl_->cpu(number).node));
  }
  const std::set<int> used(plan.worker_cpus.begin(), plan.worker_cpus.end());
  plan.overcommitted = workers > used.size();
  return plan;
}

std::string Topology::summary() const {
  const auto count = [&](hwloc_obj_type_t type) { return hwloc_get_nbobjs_by_type(impl_->topology, type); };
  return fmt::format("{} sockets, {} NUMA nodes, {} cores, {} hardware threads ({} allowed)",
                     count(HWLOC_OBJ_PACKAGE), count(HWLOC_OBJ_NUMANODE), count(HWLOC_OBJ_CORE),
                     count(HWLOC_OBJ_PU), impl_->cpus.size());
}

void bind_thread_to_cpu(int cpu) {
  if (cpu < 0) throw Error(fmt::format("CPU {} does not exist", cpu));
  CpuSet set(std::max(1024, cpu + 1));
  set.add(cpu);
  if (sched_setaffinity(0, set.bytes(), set.get()) != 0) {
    throw Error(fmt::format("cannot bind a thread to CPU {}: {}", cpu, message_of(errno)));
  }
}

std::string thread_affinity() { return format_list(allowed_cpus()); }

NodeBuffer::NodeBuffer(std::size_t bytes, int node) {
  if (bytes == 0) return;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  bytes = (bytes + page - 1) / page * page;
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw Error(fmt::format("cannot allocate {} bytes: {}", bytes, message_of(errno)));
  data_ = static_cast<std::byte*>(memory);
  bytes_ = bytes;
  const int refused = node >= 0 ? bind_pages(memory, bytes, node) : 0;
  for (std::size_t at = 0; at < bytes; at += page) static_cast<volatile std::byte*>(data_)[at] = std::byte{0};
  if (node < 0 || node_of(0) == node) return;
  *this = NodeBuffer();
  throw Error(fmt::format("cannot put {} bytes on NUMA node {}: {}", bytes, node,
                          refused != 0 ? message_of(refused) : "the kernel put them elsewhere"));
}

NodeBuffer::~NodeBuffer() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

NodeBuffer::NodeBuffer(NodeBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

NodeBuffer& NodeBuffer::operator=(NodeBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

std::optional<int> NodeBuffer::node_of(std::size_t offset) const {
  if (offset >= bytes_) return std::nullopt;
  if (const auto node = node_of_page(data_ + offset)) return node;
  // Where containers refuse to tell, a machine of one node leaves no choice.
  const std::vector<int> nodes = memory_nodes();
  return nodes.size() == 1 ? std::optional(nodes.front()) : std::nullopt;
}

std::string format_list(const std::vector<int>& numbers) {
  std::vector<int> sorted = numbers;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::string out;
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t last = i;
    while (last + 1 < sorted.size() && sorted[last + 1] == sorted[last] + 1) ++last;
    if (!out.empty()) out += ',';
    out += last == i ? fmt::format("{}", sorted[i]) : fmt::format("{}-{}", sorted[i], sorted[last]);
    i = last + 1;
  }
  return out;
}

std::vector<int> parse_list(const std::string& text) {
  std::vector<int> out;
  std::string_view rest = text;
  while (!rest.empty() && (rest.back() == '\n' || rest.back() == ' ')) rest.remove_suffix(1);
  if (rest.empty()) return out;
  for (;;) {
    const std::size_t comma = rest.find(',');
    append_range(out, rest.substr(0, comma), text);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace daxrace
