/// Cells in 16 bits, on a scale of logarithms: what pages and clients are sent.
///
/// Private to the bindings. Nothing here allocates or throws.
#pragma once

#include <cstddef>
#include <cstdint>

namespace liqcore::pictures {

/// Steps in which a value doubles: half of one is 0.0136 percent.
inline constexpr std::int32_t kOctave = 2540;
/// The code of a column's largest value; 0 is the code of 0.
inline constexpr std::int32_t kLargest = 65'535;

/// Writes the codes of a column: rint(kOctave log2(value / top)) + kLargest, at least 1; where a value is no finite
/// number above zero, 0.
/// @return the largest value, 0 if all are 0
float pack_column(const float* values, std::size_t n, std::uint16_t* codes) noexcept;

}  // namespace liqcore::pictures
