#pragma once

#include <cstdint>
#include <string>

namespace daxrace::overhead {

/// Overwriting a few blocks of a file with O_DIRECT, in their order, over and over.
struct FioJob {
  std::string file;  ///< must exist; fio neither creates nor extends it
  std::uint64_t offset = 0;
  std::uint64_t block_bytes = 4096;
  unsigned blocks = 1;
  unsigned depth = 1;
  int cpu = 0;
  std::uint64_t run_ns = 1'000'000'000;
};

struct FioResult {
  double iops = 0;
  double cpu_ns_per_io = 0;  ///< user and system time of its worker
};

/// Runs fio's io_uring engine as a child process. Throws Skipped where there is no fio, Error where it fails.
FioResult run_fio(const FioJob& job);
/// `fio-3.33`, or empty.
std::string fio_version();

}  // namespace daxrace::overhead
