#include "bench/cli/option_table.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

#include "bench/cli/help.hpp"
#include "bench/cli/suggest.hpp"
#include "harness/base/error.hpp"
#include "harness/base/split.hpp"
#include "harness/base/text.hpp"

namespace daxrace {
namespace {

constexpr std::size_t kIndent = 30;

bool takes_list(const OptionSpec& spec) {
  return spec.takes == Takes::list || spec.takes == Takes::optional_list;
}

bool may_stand_alone(const OptionSpec& spec) {
  return spec.takes == Takes::nothing || spec.takes == Takes::optional_value ||
         spec.takes == Takes::optional_list;
}

std::vector<std::string> split_at_commas(const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values)
    for (const std::string_view part : split_at(',', value))
      if (!part.empty()) parts.emplace_back(part);
  return parts;
}

std::vector<std::string> names_of(const OptionTable& table) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : table) names.emplace_back(spec.name);
  return names;
}

std::string usage_of(const OptionSpec& spec) {
  switch (spec.takes) {
    case Takes::nothing:
      return fmt::format("  --{}", spec.name);
    case Takes::optional_value:
    case Takes::optional_list:
      return fmt::format("  --{}[={}]", spec.name, spec.value);
    case Takes::value:
    case Takes::list:
      break;
  }
  return fmt::format("  --{}={}", spec.name, spec.value);
}

void append_row(std::string& out, const OptionSpec& spec) {
  std::string left = usage_of(spec);
  if (left.size() + 2 > kIndent) {
    out += left + '\n';
    left.clear();
  }
  left.resize(kIndent, ' ');
  std::string text{spec.help};
  if (!spec.fallback.empty()) text += fmt::format(" [{}]", spec.fallback);
  out += wrapped_text(left, text, kIndent, kScreenColumns);
}

/// `perturb = true` in a file is `--perturb`; `= false` is nothing at all.
void apply_from_file(const OptionSpec& spec, const std::vector<std::string>& values) {
  if (may_stand_alone(spec) && values.size() == 1) {
    if (values.front() == "true") return apply_option(spec, {});
    if (values.front() == "false") return;
  }
  apply_option(spec, values);
}

bool is_config_line(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos || line[begin] == '#' || line[begin] == ';') return true;
  line = line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
  if (line.front() == '[') return line.back() == ']';
  const std::size_t equals = line.find('=');
  return equals != std::string_view::npos && equals > 0;
}

/// The parser passes over what it does not understand, and the default matrix would run in place of what was
/// meant.
std::string config_text(const std::string& file) {
  constexpr std::size_t kLongest = std::size_t{1} << 20;
  const auto refuse = [&](const std::string& why) {
    throw Error(
        fmt::format("--config={}: is not a configuration file of 'name = value' lines: {}", file, why));
  };
  struct stat facts {};
  if (stat(file.c_str(), &facts) != 0)
    throw Error(fmt::format("--config={}: cannot be read: {}", file, std::strerror(errno)));
  if (!S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode)) refuse("it is no file");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(fmt::format("--config={}: cannot be read: {}", file, std::strerror(errno)));
  std::string text;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line); text += line + '\n') {
    ++number;
    if (text.size() + line.size() > kLongest) refuse("it is longer than 1 MiB");
    if (line.find('\0') != std::string::npos) refuse(fmt::format("a NUL byte in line {}", number));
    if (!is_config_line(line)) refuse(fmt::format("line {}", number));
  }
  return text;
}

void refuse_unknown_section(const std::string& file, const std::string& section) {
  std::vector<std::string> verbs;
  for (const VerbText& verb : verb_texts()) verbs.emplace_back(verb.name);
  if (std::ranges::find(verbs, section) == verbs.end())
    throw Error(fmt::format("--config={}: {}", file, unknown_word("verb", section, verbs)));
}

}  // namespace

const OptionSpec* find_option(const OptionTable& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &OptionSpec::name);
  return found == table.end() ? nullptr : &*found;
}

void apply_option(const OptionSpec& spec, const std::vector<std::string>& values) {
  std::vector<std::string> wanted = takes_list(spec) ? split_at_commas(values) : values;
  std::erase_if(wanted, [](const std::string& value) { return value.empty(); });
  if (wanted.empty() && !may_stand_alone(spec))
    throw Error(fmt::format("--{}: give a value: --{}={}", spec.name, spec.name, spec.value));
  if (spec.takes == Takes::nothing && !wanted.empty())
    throw Error(fmt::format("--{} takes no value", spec.name));
  if (!takes_list(spec) && wanted.size() > 1)
    throw Error(fmt::format("--{}: given {} times; it takes one value", spec.name, wanted.size()));
  spec.apply(wanted);
}

void apply_recorded_option(const OptionSpec& spec, const std::string& value) {
  apply_from_file(spec, {value});
}

void apply_config_file(const std::string& file, std::string_view verb, const OptionTable& table,
                       const std::vector<std::string>& already_given) {
  std::vector<CLI::ConfigItem> items;
  try {
    std::istringstream text(config_text(file));
    items = CLI::ConfigINI().from_config(text);
  } catch (const CLI::Error& error) {
    throw Error(fmt::format("--config={}: cannot be read: {}", file, error.what()));
  }
  for (const CLI::ConfigItem& item : items) {
    if (item.name == "++" || item.name == "--") continue;
    if (!item.parents.empty()) refuse_unknown_section(file, item.parents.front());
    if (!item.parents.empty() && item.parents.front() != verb) continue;
    if (item.name == "config") throw Error(fmt::format("--config={}: it names another file", file));
    const OptionSpec* spec = find_option(table, item.name);
    if (spec == nullptr)
      throw Error(fmt::format("--config={}: {}", file, unknown_word("option", item.name, names_of(table))));
    if (std::ranges::find(already_given, item.name) != already_given.end()) continue;
    apply_from_file(*spec, item.inputs);
  }
}

std::string render_options(const OptionTable& table) {
  std::vector<std::string_view> groups;
  for (const OptionSpec& spec : table)
    if (std::ranges::find(groups, spec.group) == groups.end()) groups.push_back(spec.group);
  std::string out;
  for (const std::string_view group : groups) {
    out += fmt::format("\n{}:\n", group);
    for (const OptionSpec& spec : table)
      if (spec.group == group) append_row(out, spec);
  }
  return out;
}

}  // namespace daxrace
