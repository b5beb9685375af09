#pragma once

#include <span>
#include <vector>

#include "harness/base/releases.hpp"
#include "harness/litmus/director.hpp"

namespace daxrace::litmus {

/// A release as a row of the safety table: the protocol that it follows, under its own name, with what is
/// known to be wrong in it.
struct ReleaseRow {
  const Release* release = nullptr;
  const Script* script = nullptr;
  std::vector<Finding> findings;  ///< of the protocol under its refcount rule, and of its other rules
  ProtocolInfo info;
};

/// One row for each release, in the order of releases().
std::span<const ReleaseRow> release_rows();
/// Of a release that may differ from every one in the table.
ReleaseRow row_of(const Release& release);

/// What is wrong in it, by the findings' ids, each once.
std::vector<std::string_view> wrong_in(const ReleaseRow& row);

}  // namespace daxrace::litmus
