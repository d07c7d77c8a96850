#include "pictures/codes.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "pictures/step_table.hpp"

namespace liqcore::pictures {
namespace {

/// Neighbouring steps of an octave are at least 2,289 floats apart, a bucket is 2,048.
using Octave = StepTable<0, 1, 11>;

std::int32_t step_in_octave(float value) noexcept {
  return static_cast<std::int32_t>(std::rint(std::log2(static_cast<double>(value)) * kOctave));
}

inline float counted(float value) noexcept {
  return value > 0.0F && value <= std::numeric_limits<float>::max() ? value : 0.0F;
}

}  // namespace

float pack_column(const float* values, std::size_t n, std::uint16_t* codes) noexcept {
  static const Octave octave(step_in_octave);
  constexpr std::int32_t one = std::bit_cast<std::int32_t>(1.0F);
  float top = 0.0F;
  for (std::size_t i = 0; i < n; ++i) {
    const float value = counted(values[i]);
    top = value > top ? value : top;
  }
  if (top == 0.0F) {
    std::fill_n(codes, n, std::uint16_t{0});
    return top;
  }
  for (std::size_t i = 0; i < n; ++i) {  // without branches: where levels are is no pattern
    const float value = counted(values[i]);
    const auto bits = std::bit_cast<std::int32_t>(value / top);  // <= 1; one that is too small to say has exponent -127
    const std::int32_t code = kLargest + ((bits >> 23) - 127) * kOctave + octave.of(one | (bits & 0x7fffff));
    codes[i] = static_cast<std::uint16_t>((code > 1 ? code : 1) * static_cast<std::int32_t>(value > 0.0F));
  }
  return top;
}

}  // namespace liqcore::pictures
