#include "bench/cli/manual.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "bench/check/explore.hpp"
#include "bench/cli/options.hpp"
#include "bench/cli/suggest.hpp"
#include "bench/compare/compare.hpp"
#include "harness/litmus/cells.hpp"
#include "harness/results/run_facts.hpp"
#include "harness/results/run_info.hpp"

namespace daxrace {
namespace {

/// Text as roff prints it: no escapes, no hyphens that become dashes, no line that reads as a request.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '`') {
      out += "\\(ga";
    } else {
      out += c;
    }
  }
  return out;
}

bool value_may_be_left_out(const OptionSpec& spec) {
  return spec.takes == Takes::optional_value || spec.takes == Takes::optional_list;
}

std::string option_entry(const OptionSpec& spec) {
  std::string name = fmt::format("\\fB{}\\fR", roff(fmt::format("--{}", spec.name)));
  const std::string value = fmt::format("\\fI{}\\fR", roff(spec.value));
  if (value_may_be_left_out(spec))
    name += fmt::format("[={}]", value);
  else if (spec.takes != Takes::nothing)
    name += "=" + value;
  std::string text = roff(spec.help);
  if (!spec.fallback.empty()) text += fmt::format(" [{}]", roff(spec.fallback));
  return fmt::format(".TP\n{}\n{}\n", name, text);
}

std::string verbatim(std::string_view text) { return fmt::format(".PP\n.nf\n{}\n.fi\n", roff(text)); }

std::string behind(std::string_view operands) { return operands.empty() ? "" : " " + roff(operands); }

std::string verb_section(const DocumentedVerb& verb) {
  std::string out =
      fmt::format(".SS daxrace {} [options]{}\n{}.\n.PP\n{}\n", verb.text->name, behind(verb.text->operands),
                  roff(verb.text->summary), roff(verb.text->details));
  for (const OptionSpec& spec : verb.options) out += option_entry(spec);
  return out + verbatim(verb.text->examples);
}

// ---- bash ----

std::vector<std::string> words_in(std::string_view alternatives) {
  std::vector<std::string> words;
  std::string text(alternatives);
  std::ranges::replace(text, ',', '|');
  std::istringstream in{text};
  for (std::string word; std::getline(in, word, '|');) words.push_back(word);
  return words;
}

bool is_plain_word(const std::string& word) {
  return !word.empty() && std::ranges::all_of(word, [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_' || c == '-';
  });
}

/// What may stand behind `--name=`: known words, or nothing, which leaves it to the shell's file names.
std::vector<std::string> values_of(std::string_view verb, const OptionSpec& spec) {
  const auto infos = [](const auto& table) {
    std::vector<std::string> names;
    for (const auto& info : table) names.emplace_back(info.name);
    return names;
  };
  if (spec.name == "operation") return infos(litmus::kOperations);
  if (spec.name == "access") return infos(litmus::kAccesses);
  if (spec.name == "scenario") return scenario_names();
  if (spec.name == "by") return by_columns();
  if (spec.name == "allow-different") return decisive_facts();
  if (verb == "explore" && spec.name == "protocol") return explored_names();
  if (spec.name == "protocol") return protocol_names();
  if (spec.name == "workload") return workload_names();
  if (spec.name == "backing") return {"memory", "file:", "fsdax:", "devdax:"};
  const auto names_in = [](const auto& names) {
    return std::vector<std::string>(names.begin(), names.end());
  };
  if (spec.name == "placement") return names_in(kPlacementNames);
  if (spec.name == "refcount") return names_in(kRefcountRegimeNames);
  if (spec.name == "lock") return names_in(kLockNames);
  if (spec.name == "load") return names_in(kLoadNames);
  const std::vector<std::string> words = words_in(spec.value);
  return words.size() > 1 && std::ranges::all_of(words, is_plain_word) ? words : std::vector<std::string>{};
}

std::string option_words(const DocumentedVerb& verb) {
  std::vector<std::string> words = {"--help"};
  for (const OptionSpec& spec : verb.options)
    words.push_back(fmt::format("--{}{}", spec.name,
                                spec.takes == Takes::nothing || value_may_be_left_out(spec) ? "" : "="));
  return join(words, " ");
}

constexpr std::string_view kCompletionEnd = R"BASH(  esac
}

# Words that '=' and ':' have split, put together again as that helper does: words, cword and cur of the caller.
_daxrace_join() {
  local i word glue=""
  words=() cword=0
  for ((i = 0; i <= COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    if ((i > 1)) && [[ -n $glue || $word == [=:]* ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    if [[ $word == [=:]* || $word == *[=:] ]]; then glue=1; else glue=""; fi
  done
  cword=$((${#words[@]} - 1)) cur=${words[-1]}
}

_daxrace() {
  local cur words cword
  # bash splits words at '='; the helper of bash-completion puts them together again.
  if declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref -n =: cur words cword
  else
    _daxrace_join
  fi
  COMPREPLY=()
  if ((cword == 1)) || [[ ${words[1]} == help ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_daxrace_verbs)" -- "$cur")
    return
  fi
  local verb=${words[1]}
  if [[ $cur == --*=* ]]; then
    local option=${cur%%=*} value=${cur#*=} before="" choices
    choices=$(_daxrace_values "$verb" "${option#--}")
    if [[ -z $choices ]]; then
      mapfile -t COMPREPLY < <(compgen -f -- "$value")
      compopt -o filenames 2>/dev/null
      return
    fi
    # A list: what stands before the last comma stays.
    if [[ $value == *,* ]]; then before=${value%,*}, value=${value##*,}; fi
    mapfile -t COMPREPLY < <(compgen -P "$before" -W "$choices" -- "$value")
    compopt -o nospace 2>/dev/null
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_daxrace_options "$verb")" -- "$cur")
    [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _daxrace daxrace
)BASH";

}  // namespace

std::string man_page(const std::vector<DocumentedVerb>& verbs) {
  std::string out = fmt::format(
      ".TH DAXRACE 1 \"\" \"daxrace {}\" \"User Commands\"\n.SH NAME\n"
      "daxrace \\- lock protocols for DAX truncate and hole punch: safety and cost\n.SH SYNOPSIS\n.nf\n",
      build_info().version);
  for (const DocumentedVerb& verb : verbs)
    out +=
        fmt::format("\\fBdaxrace {}\\fR [\\fIoptions\\fR]{}\n", verb.text->name, behind(verb.text->operands));
  out += "\\fBdaxrace\\fR \\fB\\-\\-help\\fR|\\fB\\-\\-version\\fR\n.fi\n.SH DESCRIPTION\n";
  out += roff(
      "Runs lock protocols of DAX file systems under mixed loads of faults, direct I/O, pins, leases and "
      "layout changes, and\n"
      "says of each whether it is safe, whether it ends, and what it costs.\n");
  out += ".SH VERBS\n";
  for (const DocumentedVerb& verb : verbs) out += verb_section(verb);
  out += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : exit_meanings())
    out += fmt::format(".TP\n{}\n{}\n", code, roff(meaning));
  out += ".SH FILES\n.TP\n";
  out += fmt::format(
      "{}\n{}\n", roff("FILE.csv, FILE.run.json"),
      roff("The rows of a run, and beside them its command, machine and the timelines of violations."));
  return out;
}

std::string bash_completion(const std::vector<DocumentedVerb>& verbs) {
  std::string names = "help --help --version --man --completion";
  std::string options;
  std::string values;
  for (const DocumentedVerb& verb : verbs) {
    names += fmt::format(" {}", verb.text->name);
    options += fmt::format("    {}) echo '{}' ;;\n", verb.text->name, option_words(verb));
    for (const OptionSpec& spec : verb.options)
      if (const auto words = values_of(verb.text->name, spec); !words.empty())
        values += fmt::format("    {}/{}) echo '{}' ;;\n", verb.text->name, spec.name, join(words, " "));
  }
  return fmt::format(
             "# bash completion of daxrace {}; written by daxrace --completion.\n\n"
             "_daxrace_verbs() {{ echo '{}'; }}\n\n_daxrace_options() {{\n  case $1 in\n{}  esac\n}}\n\n"
             "_daxrace_values() {{\n  case $1/$2 in\n{}",
             build_info().version, names, options, values) +
         std::string(kCompletionEnd);
}

}  // namespace daxrace
