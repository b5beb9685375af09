#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace daxrace {

/// Levenshtein distance: inserted, deleted and replaced characters.
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The smallest edit distance between `pattern` and any part of `text`.
std::size_t edit_distance_within(std::string_view pattern, std::string_view text);

/// The `count` candidates nearest to a mistyped word, best first.
std::vector<std::string> nearest_words(std::string_view word, const std::vector<std::string>& candidates,
                                       std::size_t count = 3);
/// The `count` long names that come nearest to holding `pattern` (a regular expression is read as plain
/// text).
std::vector<std::string> nearest_names(std::string_view pattern, const std::vector<std::string>& names,
                                       std::size_t count = 3);

/// `unknown WHAT 'WORD'; did you mean X?` where one is near, else all that there are.
std::string unknown_word(std::string_view what, std::string_view word,
                         const std::vector<std::string>& candidates);

/// `a, b, c`.
std::string join(const std::vector<std::string>& words, std::string_view separator = ", ");

}  // namespace daxrace
