#pragma once

namespace daxrace {

/// Puts /dev/null where descriptor 0, 1 or 2 is closed, so that no result file and no device is ever opened
/// as one of them. Before anything else is opened.
void open_standard_descriptors();

/// Lets stdout and stderr take what cannot be written as if it had been: neither a full disk nor a reader
/// that went away ends in the middle of what is being done, or changes how it ended. finish_output() tells.
void outlive_failed_output();

/// Flushes stdout and returns the exit status of the program: `code`, or 2 and one line on stderr where a
/// program that would report success could not write all that it had to say. A reader that went away wanted
/// no more.
int finish_output(int code);

}  // namespace daxrace
