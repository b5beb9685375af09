#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace daxrace {

/// Levenshtein distance: inserted, deleted and replaced characters.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The `count` candidates nearest to a mistyped word, best first.
std::vector<std::string> nearest_words(std::string_view word, const std::vector<std::string>& candidates,
                                       std::size_t count = 3);

/// `unknown WHAT 'WORD'; did you mean X?` where one is near or some begin or end with it, else all that there
/// are.
std::string unknown_word(std::string_view what, std::string_view word,
                         const std::vector<std::string>& candidates);

/// The same of an option of a verb, which may have dozens: the three nearest, and where all of them stand.
std::string unknown_option(std::string_view verb, std::string_view word,
                           const std::vector<std::string>& options);

/// The place of a word among `names`. Throws Error: `--OPTION: unknown WHAT 'WORD'; did you mean X?`. Without
/// `what` it is called as the option is.
std::size_t position_of(std::string_view option, std::string_view word, const std::vector<std::string>& names,
                        std::string_view what = {});
template <class Enum, std::size_t N>
Enum word_to(std::string_view option, const std::array<std::string_view, N>& names, std::string_view word,
             std::string_view what = {}) {
  return static_cast<Enum>(position_of(option, word, {names.begin(), names.end()}, what));
}
/// The places of several; of none or of `all`: none.
std::vector<std::size_t> positions_of(std::string_view option, const std::vector<std::string>& words,
                                      const std::vector<std::string>& names, std::string_view what = {});

/// `a, b, c`.
std::string join(const std::vector<std::string>& words, std::string_view separator = ", ");

}  // namespace daxrace
