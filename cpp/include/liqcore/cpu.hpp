/// Which CPU target the hot loops run on.
#pragma once

#include <string_view>
#include <vector>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// The target in use: "baseline", "avx2" or "avx512". The best that this CPU runs, unless set_cpu_target() said
/// otherwise. All targets give identical bits.
[[nodiscard]] LIQCORE_EXPORT std::string_view cpu_target() noexcept;

/// The targets that this CPU runs, slowest first.
[[nodiscard]] LIQCORE_EXPORT std::vector<std::string_view> cpu_targets();

/// Use this target from now on, in every engine of the process. Safe to call from any thread, at any time.
/// @throws InvalidConfig if there is no such target or this CPU does not run it
LIQCORE_EXPORT void set_cpu_target(std::string_view name);

}  // namespace liqcore::inline abi1
