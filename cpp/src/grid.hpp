// A number of steps onto its grid; private, inline because it is on the path of every single trade.
#pragma once

#include <cmath>
#include <cstdint>

#include "liqcore/instrument.hpp"
#include "rounding.hpp"

namespace liqcore::inline abi1 {

/// The nearest whole number of steps, half to even, for |steps| < 2^51.
inline OnGrid nearest(double steps) noexcept {
  const double whole = round_half_even(steps);
  return {static_cast<std::int64_t>(whole), std::fabs(steps - whole) <= kGridTolerance};
}

}  // namespace liqcore::inline abi1
