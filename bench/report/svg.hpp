#pragma once

#include <string>

#include "bench/report/gnuplot.hpp"

namespace daxrace {

/// What gnuplot wrote, as it may stand in a page: drawn again with the classes of the page's style sheet,
/// which takes a third of the room, and with an accessible name. Throws Error if it is no SVG, or holds what
/// the page does not know.
std::string inline_svg(const std::string& svg, const Plot& plot);

}  // namespace daxrace
