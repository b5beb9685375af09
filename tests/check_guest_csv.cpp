// usage: check_guest_csv FILE xfs|ext4|devdax-4k|devdax-2m|stress: is this what a quick matrix on that
// backing, or the stress run of the safe protocols, must have written?
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/engine/episode.hpp"
#include "harness/results/csv.hpp"

namespace daxrace {
namespace {

struct Wanted {
  std::string backing;
  std::string fs;
  std::uint64_t frame_bytes;
};

const std::map<std::string, Wanted> kWanted = {{"xfs", {"fsdax", "xfs", 4096}},
                                               {"ext4", {"fsdax", "ext4", 4096}},
                                               {"devdax-4k", {"devdax", "", 4096}},
                                               {"devdax-2m", {"devdax", "", std::uint64_t{2} << 20}}};

class Checker {
 public:
  void check(bool good, const std::string& what) {
    if (good) return;
    if (failures_++ < kPrinted) fmt::print("FAILED: {}\n", what);
  }
  int failures() const { return failures_; }

 private:
  static constexpr int kPrinted = 20;
  int failures_ = 0;
};

std::string name_of(const Row& row) {
  return fmt::format("{}/{}/{}/{} repetition {}", row.workload, row.protocol, row.placement, row.path,
                     row.repetition.value_or(0));
}

bool faults(const Row& row) {
  return row.workload == "fault" || row.workload == "mixed" || row.workload == "realloc";
}

/// Closed load, with and without delays: no promise may break, and enough must have happened to say so.
int check_stress(const std::string& file) {
  constexpr std::uint64_t kEnough = 20'000;
  Checker checker;
  std::map<std::string, std::uint64_t> effective;
  std::set<bool> perturbed;
  for (const Row& row : read_csv(file).rows) {
    if (row.path != kAllPaths) continue;
    checker.check(row.status == "ok",
                  fmt::format("{}: status {} ({})", name_of(row), row.status, row.reason));
    checker.check(row.verdict != "broken",
                  fmt::format("{}: broken, violated {}", name_of(row), row.violated));
    effective[row.protocol] += row.ops.value_or(0);
    perturbed.insert(row.perturb.value_or(false));
  }
  for (const std::string protocol : {"iolock_mmaplock", "ext4", "lease_break"}) {
    fmt::print("{}: {} effective operations under stress\n", protocol, effective[protocol]);
    checker.check(effective[protocol] >= kEnough, protocol + ": too few effective operations");
  }
  checker.check(perturbed.size() == 2, "both perturbed and unperturbed rows are wanted");
  return checker.failures() == 0 ? 0 : 1;
}

int check_matrix(const std::string& file, const std::string& backing) {
  const Wanted& wanted = kWanted.at(backing);
  const std::vector<Row> rows = read_csv(file).rows;
  Checker checker;
  std::set<std::string> placements;
  std::set<std::string> protocols_seen;
  std::uint64_t unsafe_caught = 0;
  std::uint64_t episodes = 0;
  for (const Row& row : rows) {
    const std::string name = name_of(row);
    checker.check(row.backing == wanted.backing && row.fs == wanted.fs,
                  fmt::format("{}: backing {} fs {}", name, row.backing, row.fs));
    checker.check(row.frame_bytes == wanted.frame_bytes, name + ": frame_bytes");
    checker.check(row.granularity == "cache_line", fmt::format("{}: granularity {}", name, row.granularity));
    checker.check(row.pmem_node == 0, name + ": pmem_node is not 0");
    checker.check(!row.emulated.empty(), name + ": not marked as emulated");
    placements.insert(row.placement);
    protocols_seen.insert(row.protocol);
    if (row.path != kAllPaths) continue;
    ++episodes;
    checker.check(row.status == "ok", fmt::format("{}: status {} ({})", name, row.status, row.reason));
    checker.check(row.verdict != "broken", fmt::format("{}: broken, violated {}", name, row.violated));
    if (faults(row)) checker.check(row.faults_real.value_or(0) > 0, name + ": no real faults");
    if (row.protocol == "none" && row.verdict == "expected") ++unsafe_caught;
  }
  checker.check(placements.contains("local") && placements.contains("remote"),
                "local and remote rows are wanted");
  checker.check(protocols_seen.size() >= 7, fmt::format("only {} protocols ran", protocols_seen.size()));
  checker.check(unsafe_caught > 0, "no violation of protocol none was seen");
  fmt::print("{}: {} rows, {} episodes, {} with violations of protocol none\n", file, rows.size(), episodes,
             unsafe_caught);
  return checker.failures() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace daxrace

int main(int argc, char** argv) try {
  const std::string what = argc == 3 ? argv[2] : "";
  if (what != "stress" && !daxrace::kWanted.contains(what)) {
    fmt::print(stderr, "usage: {} FILE xfs|ext4|devdax-4k|devdax-2m|stress\n", argv[0]);
    return 2;
  }
  return what == "stress" ? daxrace::check_stress(argv[1]) : daxrace::check_matrix(argv[1], what);
} catch (const std::exception& error) {
  fmt::print(stderr, "check_guest_csv: {}\n", error.what());
  return 1;
}
