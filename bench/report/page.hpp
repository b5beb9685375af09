#pragma once

#include <string>
#include <vector>

#include "bench/report/gnuplot.hpp"
#include "bench/report/html.hpp"

namespace daxrace {

/// A page as it grows: sections in order, and the plots that are drawn all at once at its end.
class Page {
 public:
  /// The section that is open when the page is.
  void opening(const std::string& id, const std::string& heading, const std::string& markup);
  /// A section of the page and of its table of contents, folded until somebody wants it; none if it is empty.
  void section(const std::string& id, const std::string& heading, const std::string& markup);
  /// A plot with its caption and, folded, the numbers behind it. What is returned stands for it in a
  /// section's markup.
  std::string figure(Plot plot, const std::string& caption, const html::Table& numbers);

  std::size_t plots() const { return plots_.size(); }
  /// The whole document. `why_no_plots`: set to gnuplot's complaint if there are none.
  std::string finish(const std::string& title, const std::string& lead_markup, const std::string& program,
                     std::string& why_no_plots) const;

 private:
  struct Section {
    std::string id;
    std::string heading;
    std::string markup;
    bool folded = true;
  };
  static std::string markup_of(const Section& section);
  std::vector<Section> sections_;
  std::vector<Plot> plots_;
};

/// Stands in every page; a file without it is not replaced.
inline constexpr std::string_view kGeneratorMark = "<meta name=\"generator\" content=\"daxrace report\">";

}  // namespace daxrace
