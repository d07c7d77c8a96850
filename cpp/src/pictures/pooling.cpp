#include "pictures/pooling.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace liqcore::pictures {
namespace {

/// The larger one, where `value` counts. Both comparisons are false of NaN; written so that they become vector code.
inline float larger(float value, float than) noexcept {
  const float counted = value <= std::numeric_limits<float>::max() ? value : 0.0F;
  return counted > than ? counted : than;
}

}  // namespace

void pool_columns(const Cells& cells, const Cells* other, std::int64_t begin, const PixelCells& across,
                  float* largest) noexcept {
  const auto end = begin + static_cast<std::int64_t>(cells.columns);
  for (std::size_t pixel = 0; pixel < across.first.size(); ++pixel) {
    float* const out = largest + pixel * cells.rows;
    const std::int64_t stop = std::min(across.stop[pixel], end);
    for (std::int64_t i = std::max(across.first[pixel], begin); i < stop; ++i) {
      const auto column = static_cast<std::size_t>(i - begin);
      const float* const one = cells.column(column);
      if (other == nullptr) {
        for (std::size_t row = 0; row < cells.rows; ++row) out[row] = larger(one[row], out[row]);
      } else {
        const float* const two = other->column(column);
        for (std::size_t row = 0; row < cells.rows; ++row) out[row] = larger(one[row] + two[row], out[row]);
      }
    }
  }
}

void pool_rows(const Cells& largest, const PixelCells& down, float* out) noexcept {
  const std::size_t pixels = down.first.size();
  // Some columns at once: how many rows a pixel shows is a guess of the CPU's, which is often wrong, once for all.
  constexpr std::size_t kAtOnce = 8;
  std::size_t column = 0;
  for (; column + kAtOnce <= largest.columns; column += kAtOnce) {
    std::array<const float*, kAtOnce> rows;
    for (std::size_t i = 0; i < kAtOnce; ++i) rows[i] = largest.column(column + i);
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      std::array<float, kAtOnce> most{};
      for (std::int64_t row = down.first[pixel]; row < down.stop[pixel]; ++row)
        for (std::size_t i = 0; i < kAtOnce; ++i) most[i] = rows[i][row] > most[i] ? rows[i][row] : most[i];
      for (std::size_t i = 0; i < kAtOnce; ++i) out[(column + i) * pixels + pixel] = most[i];
    }
  }
  for (; column < largest.columns; ++column) {
    const float* const rows = largest.column(column);
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      float most = 0.0F;
      for (std::int64_t row = down.first[pixel]; row < down.stop[pixel]; ++row)
        most = rows[row] > most ? rows[row] : most;
      out[column * pixels + pixel] = most;
    }
  }
}

}  // namespace liqcore::pictures
