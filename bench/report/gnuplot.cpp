#include "bench/report/gnuplot.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/cli/signals.hpp"
#include "bench/report/html.hpp"
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

/// gnuplot defines all of its point symbols, whether any is drawn or not; some are made of others before
/// them.
std::string without_unused_symbols(const std::string& svg) {
  const std::regex symbol(R"(<(?:circle|path|use)[^>]*\bid=['"]([^'"]+)['"][^>]*/>)");
  const std::string_view close = "</defs>";
  const std::size_t begin = svg.find("<defs>");
  const std::size_t end = svg.find(close);
  if (begin == std::string::npos || end == std::string::npos) return svg;
  const std::string defs = svg.substr(begin, end - begin);
  const std::string drawn = svg.substr(end + close.size());
  const std::vector<std::smatch> symbols(std::sregex_iterator(defs.begin(), defs.end(), symbol),
                                         std::sregex_iterator());
  std::string kept;
  for (auto at = symbols.rbegin(); at != symbols.rend(); ++at) {
    const std::string reference = "#" + (*at)[1].str() + "'";
    if (drawn.find(reference) != std::string::npos || kept.find(reference) != std::string::npos)
      kept.insert(0, at->str());
  }
  return svg.substr(0, begin) + (kept.empty() ? "" : "<defs>" + kept + "</defs>") + drawn;
}

/// What gnuplot says again at every stroke stands once in the style sheet: two thirds of a plot.
std::string compacted(std::string svg) {
  for (const std::string_view repeated :
       {" fill=\"none\"", " stroke=\"currentColor\"", " stroke-linecap=\"butt\"",
        " stroke-linejoin=\"miter\"", " color=\"var(--ink)\"", " class=\"gridline\"",
        " shape-rendering='crispEdges'"})
    for (std::size_t at = 0; (at = svg.find(repeated, at)) != std::string::npos;)
      svg.erase(at, repeated.size());
  const std::vector<std::pair<std::regex, const char*>> shorter = [] {
    std::vector<std::pair<std::regex, const char*>> out;
    const auto add = [&](const char* long_form, const char* text) { out.emplace_back(long_form, text); };
    add(" {2,}", " ");
    add(R"((\d+\.\d)\d+)", "$1");
    add(R"(<rect [^>]*/>)", "");
    add(R"(<path stroke='[^']*'\s+d='M[0-9.]+,[0-9.]+\s*'/>)", "");
    add(R"re(<g transform="translate\(([0-9.-]+),([0-9.-]+)\)" stroke="none" fill="var\(--ink\)")re"
        R"re( font-family="sans-serif" font-size="[0-9.]+" text-anchor="(\w+)">\s*<text>([^<]*)</text>\s*</g>)re",
        "<text x=\"$1\" y=\"$2\" class=\"$3\">$4</text>");
    add(R"( id="g\d+-gnuplot_\w+")", "");
    add(R"(<g[^>]*>\s*</g>)", "");
    add(R"(\s*\n\s*)", "\n");
    add(R"( +(['"/>=]))", "$1");
    add(R"([\n\t]+<)", "<");
    add(R"(<g stroke-width="[0-9.]+">(<text[^>]*>[^<]*</text>|<use[^>]*/>)</g>)", "$1");
    return out;
  }();
  for (const auto& [long_form, text] : shorter) svg = std::regex_replace(svg, long_form, text);
  return svg;
}

std::string with_page_colours(std::string svg) {
  svg = std::regex_replace(svg, std::regex(R"(rgb\( *1, *1, *([0-9]+)\))"), "var(--p$1)");
  svg = std::regex_replace(svg, std::regex(R"(rgb\( *2, *2, *([0-9]+)\))"), "var(--f$1)");
  svg = std::regex_replace(svg, std::regex(R"(rgb\( *3, *3, *3\))"), "var(--grid)");
  // Empty groups are half of what gnuplot writes.
  svg = std::regex_replace(svg, std::regex("<g [^>]*>\\s*</g>"), "");
  return std::regex_replace(svg, std::regex(R"((['"])(?:black|rgb\( *0, *0, *0\))['"])"), "$1var(--ink)$1");
}

std::string with_labels(const std::string& svg, const std::vector<std::string>& labels) {
  std::string out;
  std::size_t done = 0;
  const std::regex mark("@([0-9]+)@");
  for (std::sregex_iterator at(svg.begin(), svg.end(), mark), end; at != end; ++at) {
    out.append(svg, done, static_cast<std::size_t>(at->position()) - done);
    const std::size_t index = std::stoul((*at)[1]);
    out += html::escaped(index < labels.size() ? labels[index] : "");
    done = static_cast<std::size_t>(at->position() + at->length());
  }
  return out.append(svg, done, std::string::npos);
}

}  // namespace

std::string protocol_colour(std::size_t index) {
  return fmt::format("rgb '#{:02x}{:02x}{:02x}'", kProtocolRed, kProtocolRed, index % kColours);
}
std::string phase_colour(std::size_t index) {
  return fmt::format("rgb '#{:02x}{:02x}{:02x}'", kPhaseRed, kPhaseRed, index % kColours);
}
std::string grid_colour() { return fmt::format("rgb '#{0:02x}{0:02x}{0:02x}'", kGridRed); }

std::string inline_svg(const std::string& svg, const Plot& plot, std::size_t number) {
  const std::size_t start = svg.find("<svg");
  const std::size_t open_end = svg.find('>', start);
  const std::size_t end = svg.rfind("</svg>");
  if (start == std::string::npos || open_end == std::string::npos || end == std::string::npos)
    throw Error("gnuplot wrote no SVG");
  std::string body = svg.substr(open_end + 1, end - open_end - 1);
  body = std::regex_replace(body, std::regex("<title>[^<]*</title>|<desc>[^<]*</desc>"), "");
  const std::string prefix = fmt::format("g{}-", number);
  body = std::regex_replace(body, std::regex(R"((\bid=['"]))"), "$1" + prefix);
  body = std::regex_replace(body, std::regex(R"((xlink:href=['"]#|url\(#))"), "$1" + prefix);
  body = without_unused_symbols(body);
  body = compacted(with_page_colours(std::move(body)));
  return fmt::format(
      "<svg class=\"plot\" role=\"img\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "aria-labelledby=\"{2}t {2}d\">"
      "<title id=\"{2}t\">{3}</title><desc id=\"{2}d\">{4}</desc>{5}</svg>",
      plot.width, plot.height, prefix, html::escaped(plot.title), html::escaped(plot.description),
      with_labels(body, plot.labels));
}

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
      drawing.svgs.push_back(inline_svg(file_text(svg_path(directory.path(), i)), plots[i], i));
  } catch (const Error& error) {  // no room for temporary files: tables without plots, as without gnuplot
    drawing.why_not = error.what();
    drawing.svgs.clear();
  }
  return drawing;
}

}  // namespace daxrace
