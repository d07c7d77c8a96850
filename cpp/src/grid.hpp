// A number of steps onto its grid; private, inline because it is on the path of every single trade.
#pragma once

#include <cmath>
#include <cstdint>

#include "liqcore/instrument.hpp"
#include "liqcore/limits.hpp"
#include "rounding.hpp"

namespace liqcore::inline abi1 {

/// Whether a number of steps lies on the grid; `whole` is the nearest whole number.
inline bool on_grid(double steps, double whole) noexcept { return std::fabs(steps - whole) <= kGridTolerance; }

/// The nearest whole number of steps, half to even, for |steps| < 2^51.
inline OnGrid nearest(double steps) noexcept {
  const double whole = round_half_even(steps);
  return {static_cast<std::int64_t>(whole), on_grid(steps, whole)};
}

}  // namespace liqcore::inline abi1
