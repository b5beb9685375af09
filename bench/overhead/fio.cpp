#include "bench/overhead/fio.hpp"

#include <array>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/error.hpp"
#include "harness/base/file_descriptor.hpp"
#include "harness/platform/device_guard.hpp"

namespace daxrace::overhead {
namespace {

std::string read_all(const FileDescriptor& fd) {
  std::string text;
  std::array<char, 4096> block;
  for (;;) {
    const ssize_t got = read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

class SpawnActions {
 public:
  explicit SpawnActions(int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

pid_t start(std::vector<std::string>& arguments, int output) {
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  const SpawnActions actions(output);
  pid_t child = 0;
  const int error = posix_spawnp(&child, words[0], actions.get(), nullptr, words.data(), environ);
  if (error == ENOENT) throw Skipped("no fio (scripts/install-deps.sh --peers installs it)");
  if (error != 0) throw Error(system_error_line("start", arguments[0], error));
  return child;
}

/// What a program prints on stdout. Throws Error unless it ends with 0.
std::string output_of(std::vector<std::string> arguments) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(system_error_line("make", "a pipe", errno));
  const FileDescriptor reader(ends[0]);
  FileDescriptor writer(ends[1]);
  const pid_t child = start(arguments, writer.get());
  writer.reset();
  std::string text = read_all(reader);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  throw Error(fmt::format("{} failed: {}", arguments[0], text.substr(0, text.find('\n'))));
}

/// What costs fio time and us none is off: its second and third latency, its scrambling of the buffers.
std::vector<std::string> arguments_of(const FioJob& job) {
  return {"fio",
          "--name=overhead",
          "--output-format=json",
          "--eta=never",
          "--filename=" + job.file,
          "--allow_file_create=0",
          "--fallocate=none",
          "--ioengine=io_uring",
          "--registerfiles=1",
          "--direct=1",
          "--rw=write",
          fmt::format("--bs={}", job.block_bytes),
          fmt::format("--offset={}", job.offset),
          fmt::format("--size={}", job.block_bytes * job.blocks),
          fmt::format("--iodepth={}", job.depth),
          fmt::format("--cpus_allowed={}", job.cpu),
          "--time_based",
          fmt::format("--runtime={}ms", job.run_ns / 1'000'000),
          "--scramble_buffers=0",
          "--disable_clat=1",
          "--disable_slat=1"};
}

FioResult result_of(const std::string& text) {
  // Warnings come before the report.
  const auto report = nlohmann::json::parse(text.substr(std::min(text.find('{'), text.size())));
  const auto& job = report.at("jobs").at(0);
  const auto& writes = job.at("write");
  const double run_ms = job.at("job_runtime").get<double>();
  const double ios = writes.at("total_ios").get<double>();
  const double write_ms = writes.at("runtime").get<double>();
  if (job.at("error").get<int>() != 0 || ios == 0 || write_ms == 0) throw Error("fio did no I/O");
  const double cpu_share = (job.at("usr_cpu").get<double>() + job.at("sys_cpu").get<double>()) / 100;
  return {ios / write_ms * 1e3, cpu_share * run_ms * 1e6 / ios};
}

}  // namespace

FioResult run_fio(const FioJob& job) {
  const std::string text = output_of(arguments_of(job));
  try {
    return result_of(text);
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("fio's report cannot be read: {}", error.what()));
  }
}

std::string fio_version() {
  try {
    const std::string text = output_of({"fio", "--version"});
    return text.substr(0, text.find('\n'));
  } catch (const Skipped&) {
    return "";
  }
}

}  // namespace daxrace::overhead
