// Rounding half to even without a library call; private, because it relies on our own floating-point options.
#pragma once

namespace liqcore::inline abi1 {

/// Nearest whole number, ties to even, for |x| < 2^51 in the default rounding mode.
inline double round_half_even(double x) noexcept {
  constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: adding it leaves no bits below one
  return (x + kShift) - kShift;
}

}  // namespace liqcore::inline abi1
