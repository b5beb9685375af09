#pragma once

namespace daxrace {

/// Bounds on time mean nothing in a sanitizer build.
#ifdef DAXRACE_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace daxrace
