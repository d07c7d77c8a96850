/// Max-pooling: what a pixel shows is the largest of the cells it covers.
///
/// Private to the bindings. Nothing here allocates or throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace liqcore::pictures {

/// Some rows of consecutive columns; a column's cells lie side by side.
struct Cells {
  const float* values;
  std::size_t columns;
  std::size_t rows;
  std::ptrdiff_t stride;  ///< from one column to the next, in cells

  [[nodiscard]] const float* column(std::size_t i) const noexcept {
    return values + static_cast<std::ptrdiff_t>(i) * stride;
  }
};

/// The cells that each pixel of an axis shows: first[i] up to, not including, stop[i]; where that is none, nothing.
struct PixelCells {
  std::span<const std::int64_t> first;
  std::span<const std::int64_t> stop;
};

/// Raises what each pixel across shows to the largest cell of each row of a block of columns. What is not a finite
/// number above zero counts as nothing.
/// @param cells    a side
/// @param other    the other side, of the same size, whose cells are added; nullptr: none
/// @param begin    number of the block's first column
/// @param largest  pixels x cells.rows, written to
/// @pre across.first.size() == across.stop.size()
void pool_columns(const Cells& cells, const Cells* other, std::int64_t begin, const PixelCells& across,
                  float* largest) noexcept;

/// The largest of the rows that each pixel down shows, of each pixel across; 0 where there is none.
/// @param largest  what pool_columns() wrote
/// @param out      largest.columns x pixels down, written to
/// @pre 0 <= first and stop <= largest.rows for each pixel
void pool_rows(const Cells& largest, const PixelCells& down, float* out) noexcept;

}  // namespace liqcore::pictures
