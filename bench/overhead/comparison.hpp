#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/results/statistics.hpp"

namespace daxrace::overhead {

/// How two samples are compared pair by pair.
enum class Effect : std::uint8_t { ratio, difference };

/// What an effect is held against. The end of the interval that speaks against us must keep it.
struct Bar {
  enum class Kind : std::uint8_t { none, at_most, at_least } kind = Kind::none;
  double limit = 0;
  /// Another limit where the reference is smaller than this many units; 0: none.
  double small_below = 0;
  double small_limit = 0;

  double limit_for(double reference) const { return reference < small_below ? small_limit : limit; }
};

/// One number of a measurement.
struct Figure {
  std::string name;
  std::string unit;
  Effect effect = Effect::ratio;
  Bar bar;
};

/// One run of one side: a value for each figure. Runs of a pair get the same seed.
using Measure = std::function<std::vector<double>(std::uint64_t seed)>;

struct Comparison {
  std::string group;
  std::string name;
  std::vector<Figure> figures;
  Measure reference;
  Measure changed;
};

/// One line of the result.
struct Row {
  std::string group;
  std::string name;
  Figure figure;
  unsigned pairs = 0;
  double reference = 0;  ///< median, in the figure's unit
  double changed = 0;
  Interval effect;
  Interval control;           ///< the same between two runs of the reference
  std::string skip_reason;    ///< not empty: nothing was measured
  std::optional<bool> met{};  ///< nothing where there is no bar, or no interval
};

/// Runs the comparison as quads A B B A, two pairs each, every one followed by A A A A, the control.
std::vector<Row> run(const Comparison& comparison, unsigned pairs, std::uint64_t seed);

/// The rows of a comparison that cannot be made here.
std::vector<Row> skipped(const Comparison& comparison, const std::string& reason);

}  // namespace daxrace::overhead
