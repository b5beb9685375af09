// libFuzzer target: whatever bytes a result file has, the reader takes its rows or refuses it with one line,
// and what it takes comes back the same from what the writer makes of it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/results/csv.hpp"
#include "harness/results/histogram.hpp"

namespace {

using daxrace::Row;

void require(bool holds) {
  if (!holds) std::abort();
}

/// False if the text is refused.
bool read_rows(std::string_view text, std::vector<Row>& rows) {
  try {
    daxrace::scan_csv_text("fuzz.csv", text, [&](const Row& row, std::size_t line) {
      require(line >= 2);
      rows.push_back(row);
    });
  } catch (const daxrace::Error& error) {
    const std::string_view what = error.what();
    require(what.starts_with("fuzz.csv:"));
    require(what.find('\n') == std::string_view::npos);
    return false;
  }
  return true;
}

std::vector<Row> written_and_read(const std::vector<Row>& rows) {
  std::string text = daxrace::csv_header() + '\n';
  for (const Row& row : rows) text += daxrace::csv_line(row) + '\n';
  std::vector<Row> again;
  require(read_rows(text, again));
  return again;
}

/// Bytes that are no text are written as such (`\xc2`): the first time a row of them changes, and never
/// again.
void check_round_trip(const std::vector<Row>& rows, bool is_ascii) {
  const std::vector<Row> again = written_and_read(rows);
  require(again.size() == rows.size());
  if (again == rows) return;
  require(!is_ascii);
  require(written_and_read(again) == again);
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

void check_histogram(const std::string& text) {
  try {
    const daxrace::Histogram histogram = daxrace::Histogram::decode(text);
    require(histogram.encode() == text);
  } catch (const daxrace::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<Row> rows;
  if (!read_rows(text, rows)) return 0;
  check_round_trip(rows, is_printable_ascii(text));
  for (const Row& row : rows)
    for (const std::string& text : {row.lat_hist, row.resp_hist}) check_histogram(text);
  return 0;
}
