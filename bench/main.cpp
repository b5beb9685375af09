#include <csignal>
#include <string>
#include <vector>

#include "bench/cli/cli.hpp"
#include "bench/cli/standard_streams.hpp"

int main(int argc, char** argv) {
  daxrace::open_standard_descriptors();
  daxrace::outlive_failed_output();
  // A result file that meets a size limit, and a reader of our output that went away, are errors like any
  // other.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  return daxrace::finish_output(daxrace::command_line(std::vector<std::string>(argv + 1, argv + argc)));
}
