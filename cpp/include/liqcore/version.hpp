/// The one place that says which version this is: CMake and the Python wheel read these lines.
#pragma once

#define LIQCORE_VERSION_MAJOR 0
#define LIQCORE_VERSION_MINOR 1
#define LIQCORE_VERSION_PATCH 0

/// Moves whenever programs linked against an older library would break: it names the inline namespace
/// (`liqcore::abi1`) and the shared library's SOVERSION.
#define LIQCORE_ABI_VERSION 1

#if defined(_WIN32)
#define LIQCORE_EXPORT
#else
#define LIQCORE_EXPORT __attribute__((visibility("default")))
#endif

namespace liqcore::inline abi1 {

/// The version of the library that was linked, such as "0.1.0"; compare with the macros above, which are
/// those of the headers.
[[nodiscard]] LIQCORE_EXPORT const char* version() noexcept;

}  // namespace liqcore::inline abi1
