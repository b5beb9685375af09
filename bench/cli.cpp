#include "bench/cli.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/env.hpp"
#include "bench/explore.hpp"
#include "bench/help.hpp"
#include "bench/list.hpp"
#include "bench/litmus.hpp"
#include "bench/option_table.hpp"
#include "bench/options.hpp"
#include "bench/run.hpp"
#include "bench/suggest.hpp"
#include "harness/error.hpp"

namespace daxrace {
namespace {

using Arguments = std::vector<std::string>;

/// What the parser understood: the options with their values in the order of the table, and what it did not
/// know.
struct Parsed {
  std::vector<std::pair<const OptionSpec*, std::vector<std::string>>> options;
  Arguments unknown;
  bool help = false;
};

void add_option(CLI::App& app, const OptionSpec& spec) {
  const std::string name = fmt::format("--{}", spec.name);
  if (spec.takes == Takes::nothing) {
    app.add_flag(name);
    return;
  }
  CLI::Option* option = app.add_option(name)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  const bool optional = spec.takes == Takes::optional_value || spec.takes == Takes::optional_list;
  option->type_size(optional ? 0 : 1, 1)->expected(1);
}

Parsed parse(const OptionTable& table, const Arguments& arguments) {
  CLI::App app;
  app.set_help_flag("-h,--help");
  app.allow_extras();
  for (const OptionSpec& spec : table) add_option(app, spec);
  Parsed parsed;
  try {
    app.parse(Arguments(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    parsed.help = true;
    return parsed;
  } catch (const CLI::ParseError& error) {
    throw Error(error.what());
  }
  for (const OptionSpec& spec : table) {
    const CLI::Option* option = app.get_option(fmt::format("--{}", spec.name));
    if (option->count() > 0)
      parsed.options.emplace_back(&spec, spec.takes == Takes::nothing ? Arguments{} : option->results());
  }
  parsed.unknown = app.remaining();
  return parsed;
}

bool is_benchmark_flag(const std::string& argument) { return argument.starts_with("--benchmark_"); }

void refuse_unknown(const Parsed& parsed, const OptionTable& table, bool takes_benchmark_flags) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : table) names.emplace_back(spec.name);
  for (const std::string& argument : parsed.unknown) {
    if (takes_benchmark_flags && is_benchmark_flag(argument)) continue;
    if (!argument.starts_with("-")) throw Error(fmt::format("'{}': only options are taken here", argument));
    const std::size_t start = argument.find_first_not_of('-');
    const std::string word =
        start == std::string::npos ? argument : argument.substr(start, argument.find('=') - start);
    throw Error(fmt::format("--{}: {}", word, unknown_word("option", word, names)));
  }
}

void apply(const Parsed& parsed) {
  for (const auto& [spec, values] : parsed.options) apply_option(*spec, values);
}

/// Wraps every row so that what was applied, from wherever, is noted.
void note_what_is_given(OptionTable& table, std::vector<std::pair<std::string, std::string>>& given) {
  for (OptionSpec& spec : table) {
    spec.apply = [apply = std::move(spec.apply), name = std::string{spec.name},
                  &given](const std::vector<std::string>& values) {
      apply(values);
      given.emplace_back(name, values.empty() ? "true" : join(values, ","));
    };
  }
}

Exit run_verb(const VerbText& verb, const Arguments& arguments, const Arguments& whole_command) {
  RunOptions options;
  OptionTable table = run_option_table(options);
  note_what_is_given(table, options.given);
  const Parsed parsed = parse(table, arguments);
  if (parsed.help) {
    fmt::print("{}", verb_help(verb, table));
    return Exit::ok;
  }
  refuse_unknown(parsed, table, true);
  apply(parsed);
  if (!options.config.empty()) {
    Arguments given;
    for (const auto& [spec, values] : parsed.options) given.emplace_back(spec->name);
    apply_config_file(options.config, verb.name, table, given);
  }
  options.benchmark_flags = parsed.unknown;
  return run(options, whole_command);
}

Exit print_verb(const VerbText& verb, const Arguments& arguments, Exit (*print)(OutputFormat format)) {
  OutputFormat format = OutputFormat::text;
  const OptionTable table = {
      {"Options", "format", Takes::value, "text|json", "text", "how to print it",
       [&format](const std::vector<std::string>& values) { format = parse_format(values.front()); }}};
  const Parsed parsed = parse(table, arguments);
  if (parsed.help) {
    fmt::print("{}", verb_help(verb, table));
    return Exit::ok;
  }
  refuse_unknown(parsed, table, false);
  apply(parsed);
  return print(format);
}

Exit litmus_verb(const VerbText& verb, const Arguments& arguments) {
  LitmusOptions options;
  const OptionTable table = litmus_option_table(options);
  const Parsed parsed = parse(table, arguments);
  if (parsed.help) {
    fmt::print("{}", verb_help(verb, table));
    return Exit::ok;
  }
  refuse_unknown(parsed, table, false);
  apply(parsed);
  return print_litmus(options);
}

Exit explore_verb(const VerbText& verb, const Arguments& arguments) {
  ExploreOptions options;
  const OptionTable table = explore_option_table(options);
  const Parsed parsed = parse(table, arguments);
  if (parsed.help) {
    fmt::print("{}", verb_help(verb, table));
    return Exit::ok;
  }
  refuse_unknown(parsed, table, false);
  apply(parsed);
  return print_explore(options);
}

Exit dispatch(const Arguments& arguments) {
  if (arguments.empty()) throw Error("give a verb; 'daxrace --help' names them");
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h") {
    fmt::print("{}", program_help());
    return Exit::ok;
  }
  if (first == "--version") {
    fmt::print("{}", version_text());
    return Exit::ok;
  }
  if (first.starts_with("-"))
    throw Error(fmt::format("{}: a verb comes first; 'daxrace --help' names them", first));
  const VerbText& verb = verb_text(first);
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (verb.name == "list") return print_verb(verb, rest, print_list);
  if (verb.name == "env") return print_verb(verb, rest, print_env);
  if (verb.name == "litmus") return litmus_verb(verb, rest);
  if (verb.name == "explore") return explore_verb(verb, rest);
  Arguments whole = arguments;
  whole.insert(whole.begin(), "daxrace");
  return run_verb(verb, rest, whole);
}

}  // namespace

int command_line(const std::vector<std::string>& arguments) {
  try {
    const Exit code = dispatch(arguments);
    std::fflush(stdout);
    return static_cast<int>(code);
  } catch (const Error& error) {
    fmt::print(stderr, "daxrace: {}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const Skipped& skipped) {
    fmt::print(stderr, "daxrace: skipped: {}\n", skipped.what());
    return static_cast<int>(Exit::skipped);
  } catch (const std::exception& error) {
    fmt::print(stderr, "daxrace: {}\n", error.what());
    return static_cast<int>(Exit::usage);
  }
}

}  // namespace daxrace
