#include "bench/overhead/comparison.hpp"

#include "bench/cli/signals.hpp"
#include "harness/base/error.hpp"

namespace daxrace::overhead {
namespace {

/// Of one figure: one value per pair on either side.
struct Pairs {
  std::vector<double> reference;
  std::vector<double> changed;
};

struct Samples {
  explicit Samples(std::size_t count) : figures(count) {}

  void add(const std::vector<double>& reference, const std::vector<double>& changed) {
    for (std::size_t i = 0; i < figures.size(); ++i) {
      figures[i].reference.push_back(reference.at(i));
      figures[i].changed.push_back(changed.at(i));
    }
  }
  std::vector<Pairs> figures;
};

std::vector<double> measure(const Measure& side, std::uint64_t seed) {
  if (stop_requested().load()) throw Error("interrupted, nothing was written", Exit::interrupted);
  return side(seed);
}

/// A B B A, so that a drift of the machine favours neither side.
void measure_quad(const Measure& a, const Measure& b, std::uint64_t seed, Samples& samples) {
  const auto first_a = measure(a, seed);
  const auto first_b = measure(b, seed);
  const auto second_b = measure(b, seed + 1);
  const auto second_a = measure(a, seed + 1);
  samples.add(first_a, first_b);
  samples.add(second_a, second_b);
}

Interval effect_of(const Figure& figure, const Pairs& pairs, std::uint64_t seed) {
  const auto compare = figure.effect == Effect::ratio ? bootstrap_ratio : bootstrap_difference;
  return compare(pairs.changed, pairs.reference, seed, 2000);
}

std::optional<bool> is_met(const Row& row) {
  if (!row.effect.bounded()) return std::nullopt;
  const double limit = row.figure.bar.limit_for(row.reference);
  switch (row.figure.bar.kind) {
    case Bar::Kind::none:
      return std::nullopt;
    case Bar::Kind::at_most:
      return row.effect.high <= limit;
    case Bar::Kind::at_least:
      return row.effect.high >= limit;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Row> run(const Comparison& comparison, unsigned pairs, std::uint64_t seed) {
  Samples samples(comparison.figures.size());
  Samples controls(comparison.figures.size());
  for (unsigned pair = 0; pair < pairs; pair += 2) {
    measure_quad(comparison.reference, comparison.changed, seed + pair, samples);
    measure_quad(comparison.reference, comparison.reference, seed + pair, controls);
  }
  std::vector<Row> rows;
  for (std::size_t i = 0; i < comparison.figures.size(); ++i) {
    const Figure& figure = comparison.figures[i];
    const Pairs& sample = samples.figures[i];
    Row row{comparison.group,
            comparison.name,
            figure,
            static_cast<unsigned>(sample.reference.size()),
            median(sample.reference),
            median(sample.changed),
            effect_of(figure, sample, seed),
            effect_of(figure, controls.figures[i], seed),
            "",
            std::nullopt};
    row.met = is_met(row);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> skipped(const Comparison& comparison, const std::string& reason) {
  std::vector<Row> rows;
  for (const Figure& figure : comparison.figures) {
    Row row;
    row.group = comparison.group;
    row.name = comparison.name;
    row.figure = figure;
    row.skip_reason = reason;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace daxrace::overhead
