#pragma once

#include "harness/litmus/scene.hpp"

namespace daxrace::explore {

using RangeLock = core::RangeLock<model::ModelEnv>;

/// Numbers the tickets of a range lock anew, in their order, and forgets whoever has left: what counts is who
/// came first of those who are there, not how many came before them.
void renumber_tickets(RangeLock& lock);

}  // namespace daxrace::explore
