// Documents that repeat what the code knows must say the same.
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "harness/csv.hpp"
#include "harness/episode.hpp"
#include "harness/kernel/canaries.hpp"

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

TEST(ProtocolsReadme, has_every_protocol_with_its_summary) {
  const std::string readme = text_of("protocols/README.md");
  for (const ProtocolEntry& protocol : protocols()) {
    EXPECT_NE(readme.find("| `" + std::string(protocol.info.name) + "` |"), std::string::npos)
        << "protocols/README.md has no row for " << protocol.info.name;
  }
}

TEST(KernelTarget, has_the_table_of_canaries_as_the_code_has_it) {
  const std::string wanted = kernel::canaries_markdown();
  EXPECT_NE(text_of("docs/kernel-target.md").find(wanted), std::string::npos)
      << "docs/kernel-target.md must contain:\n"
      << wanted;
}

TEST(Readme, has_no_place_left_to_fill) {
  EXPECT_EQ(text_of("README.md").find("@RESULT"), std::string::npos);
  EXPECT_EQ(text_of("README.md").find("@TIMELINE"), std::string::npos);
  EXPECT_FALSE(text_of("README.md").empty());
}

}  // namespace
}  // namespace daxrace
