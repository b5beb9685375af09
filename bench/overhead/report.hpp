#pragma once

#include <string>
#include <vector>

#include "bench/overhead/comparison.hpp"

namespace daxrace::overhead {

/// What was measured, where and how, besides the rows.
struct Context {
  std::string command;
  std::string rig;    ///< Rig::facts()
  std::string fio;    ///< version, or empty
  std::string setup;  ///< one line: pairs and lengths
};

/// For a terminal.
std::string text_table(const std::vector<Row>& rows);
/// The committed form: facts, table, and what the columns mean. The line `- commit: HASH` names the code.
std::string markdown(const std::vector<Row>& rows, const Context& context);
/// Replaces the file whole. Throws Error.
void write_file(const std::string& path, const std::string& text);

}  // namespace daxrace::overhead
