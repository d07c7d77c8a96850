/// Places of values on a colour table of 256 entries.
///
/// Private to the bindings. Nothing here allocates or throws. Each step is rounded to a float as it is written, so that
/// every machine and compiler gives the same entries; logarithms are those of doubles.
#pragma once

#include <cstddef>
#include <cstdint>

namespace liqcore::pictures {

/// How a share of the maximum lies on the table.
enum class ColourScale : std::uint8_t {
  sqrt,
  linear,
  log,  ///< linear up to a thousandth and logarithmic above: log1p(1000 share) / log1p(1000)
};

/// Writes the entry of each value: 0 for 0 and less and for NaN, 255 from the maximum on.
/// @param maximum  > 0
/// @param cut      values below it get entry 0; it gets entry 1, from which the others go up to the maximum; <= 0: none
void colour_entries(const float* values, std::size_t n, double maximum, ColourScale scale, double cut,
                    std::uint8_t* entries) noexcept;

}  // namespace liqcore::pictures
