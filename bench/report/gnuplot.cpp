#include "bench/report/gnuplot.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/cli/signals.hpp"
#include "bench/report/svg.hpp"
#include "harness/base/error.hpp"

namespace daxrace {
namespace {

namespace fs = std::filesystem;

/// A plot takes some 20 ms; a gnuplot that is still busy after this is stuck.
constexpr std::chrono::seconds kPatience{120};
constexpr int kProtocolRed = 1;
constexpr int kPhaseRed = 2;
constexpr int kGridRed = 3;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::error_code failed;
    const fs::path place = fs::temp_directory_path(failed);
    if (failed) throw Error(fmt::format("TMPDIR: {}", failed.message()));
    std::string name = (place / "daxrace-report-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw Error(fmt::format("{}: {}", name, std::strerror(errno)));
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string file_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

fs::path svg_path(const fs::path& directory, std::size_t index) {
  return directory / fmt::format("{}.svg", index);
}

/// gnuplot doubles a quote inside single quotes.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

void write_script(const fs::path& directory, const std::vector<Plot>& plots) {
  std::ofstream script(directory / "plots.gp");
  script << "set encoding utf8\n";
  for (std::size_t i = 0; i < plots.size(); ++i) {
    script << fmt::format(
        "reset\nset term svg size {},{} dynamic noenhanced font 'sans-serif,11'\nset output {}\n{}\nunset "
        "output\n",
        plots[i].width, plots[i].height, quoted(svg_path(directory, i).string()), plots[i].script);
  }
  if (!script.flush())
    throw Error(fmt::format("{}: the plots' script could not be written", directory.string()));
}

/// Exit status; -1 if it had to be stopped.
int wait_for(pid_t child) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (stop_requested().load()) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      break;
    }
    if (std::chrono::steady_clock::now() > end) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // What was begun is removed on the way out. A terminal's Ctrl-C reaches gnuplot too.
  if (stop_requested().load()) throw Error("report: interrupted", Exit::interrupted);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Why it failed, or nothing. -d: the user's own settings stay out of it.
std::string run_gnuplot(const std::string& program, const fs::path& directory) {
  const std::string script = directory / "plots.gp";
  const std::string log = directory / "log";
  std::array<std::string, 3> words = {program, "-d", script};
  std::array<char*, 4> argv = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed == ENOENT) return fmt::format("{} is not installed (Debian: apt install gnuplot-nox)", program);
  if (failed != 0) return fmt::format("{}: {}", program, std::strerror(failed));
  const int status = wait_for(child);
  if (status == 0) return {};
  if (status < 0) return fmt::format("{} was stopped after {} s", program, kPatience.count());
  std::istringstream lines(file_text(log));
  std::string line;
  for (std::string next; std::getline(lines, next);)
    if (next.find_first_not_of(" ^\t") != std::string::npos) line = next;
  return fmt::format("{} failed with status {}: {}", program, status, line);
}

}  // namespace

std::string protocol_colour(std::size_t index) {
  return fmt::format("rgb '#{:02x}{:02x}{:02x}'", kProtocolRed, kProtocolRed, index % kColours);
}
std::string phase_colour(std::size_t index) {
  return fmt::format("rgb '#{:02x}{:02x}{:02x}'", kPhaseRed, kPhaseRed, index % kColours);
}
std::string grid_colour() { return fmt::format("rgb '#{0:02x}{0:02x}{0:02x}'", kGridRed); }

Drawing draw(const std::vector<Plot>& plots, const std::string& program) {
  Drawing drawing;
  if (plots.empty()) return drawing;
  if (program.empty()) {
    drawing.why_not = "none were asked for (--no-plots)";
    return drawing;
  }
  try {
    const TemporaryDirectory directory;
    write_script(directory.path(), plots);
    drawing.why_not = run_gnuplot(program, directory.path());
    if (!drawing.why_not.empty()) return drawing;
    for (std::size_t i = 0; i < plots.size(); ++i)
      drawing.svgs.push_back(inline_svg(file_text(svg_path(directory.path(), i)), plots[i]));
  } catch (const Error& error) {  // no room for temporary files: tables without plots, as without gnuplot
    drawing.why_not = error.what();
    drawing.svgs.clear();
  }
  return drawing;
}

}  // namespace daxrace
