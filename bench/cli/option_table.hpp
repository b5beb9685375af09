#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace daxrace {

/// How many values an option takes. The values of a list may be given with commas or by repeating the option.
enum class Takes : std::uint8_t { nothing, value, list, optional_value, optional_list };

/// One row of a verb's option table: what the parser, the help, a configuration file and a man page know of
/// it.
struct OptionSpec {
  std::string_view group;
  std::string_view name;  ///< without dashes
  Takes takes = Takes::value;
  std::string_view value;     ///< what stands behind `=` in the help
  std::string_view fallback;  ///< the default, as printed; empty: none
  std::string_view help;
  /// Reads the values into the verb's options; no values: given without one. Throws Error.
  std::function<void(const std::vector<std::string>& values)> apply;
};
using OptionTable = std::vector<OptionSpec>;

/// The row of that name, or null.
const OptionSpec* find_option(const OptionTable& table, std::string_view name);

/// Hands `values` to the row as the row wants them: lists split at their commas, one value where one is
/// taken. Throws Error naming the option.
void apply_option(const OptionSpec& spec, const std::vector<std::string>& values);

/// The same for the value under which a report has it.
void apply_recorded_option(const OptionSpec& spec, const std::string& value);

/// Applies the `name = value` lines of a configuration file, `[VERB]` sections of other verbs left aside, to
/// every row that is not in `already_given`. Throws Error naming the file and what is wrong in it.
void apply_config_file(const std::string& file, std::string_view verb, const OptionTable& table,
                       const std::vector<std::string>& already_given);

/// The table as help: groups in order of appearance, text wrapped to 100 columns.
std::string render_options(const OptionTable& table);

}  // namespace daxrace
