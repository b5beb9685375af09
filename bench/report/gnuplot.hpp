#pragma once

#include <string>
#include <vector>

namespace daxrace {

/// One plot as it is asked for. Nothing that comes from a file stands in `script`: words of the data are
/// given as `labels` and named there as @N@, so that no CSV can speak to gnuplot.
struct Plot {
  std::string script;               ///< what follows `set output`
  std::vector<std::string> labels;  ///< plain text of @0@, @1@, ...
  std::string title;                ///< plain text, for <title>
  int width = 360;
  int height = 260;
};

/// Colours are spoken of in gnuplot as numbers that no plot would use, and become CSS variables of the page,
/// so that one SVG serves light and dark. How many protocols have a colour of their own; the others start
/// over with other dashes.
inline constexpr std::size_t kColours = 10;
std::string protocol_colour(std::size_t index);  ///< --pN
std::string phase_colour(std::size_t index);     ///< --fN
std::string grid_colour();                       ///< --grid

struct Drawing {
  std::vector<std::string> svgs;  ///< one per plot, or none at all
  std::string why_not;            ///< why there are none
};
/// Runs `program` (gnuplot) once for all plots; an empty one draws nothing.
Drawing draw(const std::vector<Plot>& plots, const std::string& program);

}  // namespace daxrace
