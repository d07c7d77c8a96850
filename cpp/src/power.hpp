// What a factor of one window comes to over several alike.
#pragma once

#include <cmath>
#include <cstdint>

namespace liqcore::inline abi1 {

/// Rounded once, however many windows there are: the same for windows that pass at once and one after the other.
inline double power(double factor, std::uint64_t windows) noexcept {
  return windows == 1 || factor == 1.0 ? factor : std::pow(factor, static_cast<double>(windows));
}

}  // namespace liqcore::inline abi1
