#include "bench/cli/cli.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <new>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "bench/check/explore.hpp"
#include "bench/check/litmus.hpp"
#include "bench/cli/help.hpp"
#include "bench/cli/manual.hpp"
#include "bench/cli/option_table.hpp"
#include "bench/cli/options.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/compare/compare.hpp"
#include "bench/compare/history.hpp"
#include "bench/env.hpp"
#include "bench/list.hpp"
#include "bench/report/report.hpp"
#include "bench/run/resume.hpp"
#include "bench/run/run.hpp"
#include "harness/base/error.hpp"
#include "harness/base/text.hpp"

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

/// The parser would take the next word for the value of an option that has none: what a script with an unset
/// variable gives would swallow the option behind it.
void refuse_missing_values(const OptionTable& table, const Arguments& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (!argument.starts_with("--")) continue;
    const std::size_t equals = argument.find('=');
    const OptionSpec* const spec =
        find_option(table, argument.substr(2, std::min(equals, argument.size()) - 2));
    if (spec == nullptr) continue;
    const bool empty = equals != std::string_view::npos && equals + 1 == argument.size();
    const bool needs_value = spec->takes == Takes::value || spec->takes == Takes::list;
    const bool last = i + 1 == arguments.size() || arguments[i + 1].starts_with("--");
    if (empty && spec->takes == Takes::nothing) throw Error(fmt::format("--{} takes no value", spec->name));
    if (empty || (equals == std::string_view::npos && needs_value && last))
      throw Error(fmt::format("--{}: give a value: --{}={}", spec->name, spec->name, spec->value));
  }
}

Parsed parse(const OptionTable& table, const Arguments& arguments) {
  refuse_missing_values(table, arguments);
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

void refuse_unknown(const VerbText& verb, const Parsed& parsed, const OptionTable& table,
                    bool takes_benchmark_flags = false) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : table) names.emplace_back(spec.name);
  for (const std::string& argument : parsed.unknown) {
    if (takes_benchmark_flags && is_benchmark_flag(argument)) continue;
    if (!argument.starts_with("-")) throw Error(fmt::format("'{}': only options are taken here", argument));
    const std::size_t start = argument.find_first_not_of('-');
    const std::string word =
        start == std::string::npos ? argument : argument.substr(start, argument.find('=') - start);
    throw Error(fmt::format("--{}: {}", word, unknown_option(verb.name, word, names)));
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
  refuse_unknown(verb, parsed, table, true);
  apply(parsed);
  if (!options.config.empty()) {
    Arguments given;
    for (const auto& [spec, values] : parsed.options) given.emplace_back(spec->name);
    apply_config_file(options.config, verb.name, table, given);
  }
  options.benchmark_flags = parsed.unknown;
  if (!options.resume.empty()) {
    check_run_options(options);
    repeat_recorded_plan(options, table);
  }
  return run(options, whole_command);
}

OptionTable format_option_table(OutputFormat& format) {
  return {{"Options", "format", Takes::value, "text|json", "text", "how to print it",
           [&format](const std::vector<std::string>& values) { format = parse_format(values.front()); }}};
}

Exit print_verb(const VerbText& verb, const Arguments& arguments, Exit (*print)(OutputFormat format)) {
  OutputFormat format = OutputFormat::text;
  const OptionTable table = format_option_table(format);
  const Parsed parsed = parse(table, arguments);
  if (parsed.help) {
    fmt::print("{}", verb_help(verb, table));
    return Exit::ok;
  }
  refuse_unknown(verb, parsed, table);
  apply(parsed);
  return print(format);
}

/// Words without a dash, for the verbs that take files; they are no longer unknown then.
Arguments take_operands(Parsed& parsed) {
  Arguments operands;
  const auto is_operand = [](const std::string& word) { return !word.starts_with("-"); };
  std::ranges::copy_if(parsed.unknown, std::back_inserter(operands), is_operand);
  std::erase_if(parsed.unknown, is_operand);
  return operands;
}

/// A verb with options of its own; words without a dash go to `operands`, if it takes any.
template <class Options, class Act>
Exit own_verb(const VerbText& verb, const Arguments& arguments, OptionTable (*table_of)(Options&),
              std::vector<std::string> Options::*operands, Act&& act) {
  Options options;
  const OptionTable table = table_of(options);
  Parsed parsed = parse(table, arguments);
  if (parsed.help) {
    fmt::print("{}", verb_help(verb, table));
    return Exit::ok;
  }
  if (operands != nullptr) options.*operands = take_operands(parsed);
  refuse_unknown(verb, parsed, table);
  apply(parsed);
  return act(options);
}

/// Every verb with its table. The tables are only read: nothing is applied to what they refer to.
std::vector<DocumentedVerb> documented_verbs() {
  static RunOptions run_options;
  static LitmusOptions litmus_options;
  static ReportOptions report_options;
  static CompareOptions compare_options;
  static HistoryOptions history_options;
  static ExploreOptions explore_options;
  static OutputFormat format = OutputFormat::text;
  std::vector<DocumentedVerb> verbs;
  for (const VerbText& verb : verb_texts()) {
    OptionTable table = format_option_table(format);
    if (verb.name == "run") table = run_option_table(run_options);
    if (verb.name == "litmus") table = litmus_option_table(litmus_options);
    if (verb.name == "report") table = report_option_table(report_options);
    if (verb.name == "compare") table = compare_option_table(compare_options);
    if (verb.name == "history") table = history_option_table(history_options);
    if (verb.name == "explore") table = explore_option_table(explore_options);
    verbs.push_back({&verb, std::move(table)});
  }
  return verbs;
}

/// Threads get stacks of the same limit, and one that is too small is met as a crash in the middle.
void refuse_small_stack() {
  constexpr rlim_t kLeast = 256U << 10;
  rlimit limit{};
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= kLeast)
    return;
  throw Error(fmt::format("a stack of {} KiB is too small: ulimit -s 8192", limit.rlim_cur >> 10));
}

/// `help`, `help VERB`.
Arguments asked_for_help(const Arguments& arguments) {
  if (arguments.size() == 1) return {"--help"};
  if (arguments.size() > 2) throw Error("help: give one verb: daxrace help VERB");
  return {arguments[1], "--help"};
}

Exit dispatch(const Arguments& arguments) {
  if (arguments.empty()) {
    fmt::print("{}", first_help());
    return Exit::usage;
  }
  const std::string& first = arguments.front();
  if (first == "help") return dispatch(asked_for_help(arguments));
  if (first == "--help" || first == "-h") {
    fmt::print("{}", program_help());
    return Exit::ok;
  }
  if (first == "--version") {
    fmt::print("{}", version_text());
    return Exit::ok;
  }
  if (first == "--man") {
    fmt::print("{}", man_page(documented_verbs()));
    return Exit::ok;
  }
  if (first == "--completion") {
    fmt::print("{}", bash_completion(documented_verbs()));
    return Exit::ok;
  }
  if (first.starts_with("-"))
    throw Error(fmt::format("{}: a verb comes first; 'daxrace --help' names them", first));
  refuse_small_stack();
  const VerbText& verb = verb_text(first);
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (verb.name == "list") return print_verb(verb, rest, print_list);
  if (verb.name == "env") return print_verb(verb, rest, print_env);
  if (verb.name == "litmus")
    return own_verb<LitmusOptions>(verb, rest, litmus_option_table, nullptr, print_litmus);
  if (verb.name == "explore")
    return own_verb<ExploreOptions>(verb, rest, explore_option_table, nullptr, print_explore);
  if (verb.name == "history")
    return own_verb(verb, rest, history_option_table, &HistoryOptions::operands, print_history);
  if (verb.name == "report")
    return own_verb(verb, rest, report_option_table, &ReportOptions::files, write_report);
  Arguments whole = arguments;
  whole.insert(whole.begin(), "daxrace");
  if (verb.name == "compare") {
    return own_verb(verb, rest, compare_option_table, &CompareOptions::operands,
                    [&](const CompareOptions& options) { return print_compare(options, whole); });
  }
  return run_verb(verb, rest, whole);
}

/// Never throws: whatever went wrong is told, as it is where there is no memory to spell it.
void print_error(const char* kind, const char* what) noexcept {
  std::string shown;
  try {
    shown = shown_text(what);
  } catch (const std::bad_alloc&) {
    shown.clear();
  }
  std::fputs("daxrace: ", stderr);
  std::fputs(kind, stderr);
  std::fputs(shown.empty() ? what : shown.c_str(), stderr);
  std::fputs("\n", stderr);
}

}  // namespace

int command_line(const std::vector<std::string>& arguments) {
  try {
    return static_cast<int>(dispatch(arguments));
  } catch (const Error& error) {
    print_error("", error.what());
    return static_cast<int>(error.code());
  } catch (const Skipped& skipped) {
    print_error("skipped: ", skipped.what());
    return static_cast<int>(Exit::skipped);
  } catch (const std::bad_alloc&) {
    print_error("", "out of memory");
    return static_cast<int>(Exit::usage);
  } catch (const std::exception& error) {
    print_error("", error.what());
    return static_cast<int>(Exit::usage);
  }
}

}  // namespace daxrace
