// The door: prices and quantities of a block become whole ticks and lots.
#pragma once

#include <cstddef>
#include <cstdint>

namespace liqcore::inline abi1::kernels {

struct Converted {
  bool clean;             ///< every row is usable; otherwise look at them one by one
  std::uint64_t rounded;  ///< quantities that were off the lot grid
};

/// Convert `n` rows. Where a row is not usable its outputs are meaningless and `clean` is false.
Converted convert(const double* price, const double* qty, std::size_t n, double tick_size, double lot_size,
                  std::int32_t* ticks, double* lots) noexcept;

/// Whether times never step back.
bool is_sorted(const std::int64_t* ts_ns, std::size_t n) noexcept;

}  // namespace liqcore::inline abi1::kernels
