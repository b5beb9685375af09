// Documents that repeat what the code knows must say the same.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/engine/episode.hpp"
#include "harness/live/observe/canaries.hpp"
#include "harness/results/csv.hpp"

namespace daxrace {
namespace {

std::string text_of(const std::string& name) {
  std::ifstream file(std::string(DAXRACE_SOURCE_DIR) + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ResultsReadme, has_the_table_of_columns_as_the_code_has_it) {
  std::ostringstream wanted;
  write_header_doc(wanted);
  EXPECT_NE(text_of("results/README.md").find(wanted.str()), std::string::npos)
      << "results/README.md must contain:\n"
      << wanted.str();
}

/// What `daxrace list` prints of each, as a table.
std::string protocols_markdown() {
  std::string out = "| protocol | layout change | stands for | promises |\n| --- | --- | --- | --- |\n";
  for (const ProtocolEntry& protocol : protocols()) {
    const std::string promises = protocol.info.promises.text();
    out += fmt::format("| `{}` | {} | {} | {} |\n", protocol.info.name, protocol.info.summary,
                       protocol.info.stands_for, promises.empty() ? "nothing" : promises);
  }
  return out;
}

TEST(ProtocolsReadme, has_the_table_of_protocols_as_the_headers_have_it) {
  EXPECT_NE(text_of("protocols/README.md").find("\n\n" + protocols_markdown() + "\n"), std::string::npos)
      << "run ./scripts/docs.sh, which writes it to protocols/README.md:\n"
      << protocols_markdown();
}

TEST(KernelTarget, has_the_table_of_canaries_as_the_code_has_it) {
  const std::string wanted = kernel::canaries_markdown();
  EXPECT_NE(text_of("docs/kernel-target.md").find(wanted), std::string::npos)
      << "docs/kernel-target.md must contain:\n"
      << wanted;
}

/// `[text](place)`, without those that lead elsewhere or stay on the page.
std::vector<std::string> links_in(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; (at = text.find("](", at)) != std::string::npos;) {
    at += 2;
    const std::string place = text.substr(at, text.find_first_of(")#", at) - at);
    if (!place.empty() && place.find("://") == std::string::npos) out.push_back(place);
  }
  return out;
}

TEST(Documents, link_to_what_is_there) {
  namespace fs = std::filesystem;
  const fs::path top = DAXRACE_SOURCE_DIR;
  std::vector<fs::path> documents = {top / "README.md", top / "CONTRIBUTING.md", top / "protocols/README.md"};
  for (const char* const directory : {"docs", "results"})
    for (const auto& entry : fs::recursive_directory_iterator(top / directory))
      if (entry.path().extension() == ".md") documents.push_back(entry.path());
  std::size_t links = 0;
  for (const fs::path& document : documents)
    for (const std::string& place : links_in(text_of(fs::relative(document, top)))) {
      ++links;
      EXPECT_TRUE(fs::exists(document.parent_path() / place)) << document << " links to " << place;
    }
  EXPECT_GT(links, 20U);
}

}  // namespace
}  // namespace daxrace
