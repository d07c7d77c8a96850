// Looking for the few cells of a row that hold something.
#pragma once

#include <cstddef>
#include <cstdint>

namespace liqcore::inline abi1 {

/// First index from `i` on whose cell is not zero; `n` if there is none. Most rows are mostly zeros, so eight cells are
/// looked at together. Cells are never negative, so a zero has no bits.
inline std::size_t skip_zeros(const double* cells, std::size_t i, std::size_t n) noexcept {
  using Pair = std::uint64_t __attribute__((vector_size(16)));
  while (i + 8 <= n && cells[i] == 0.0) {
    Pair a[4];
    __builtin_memcpy(a, cells + i, sizeof a);
    const Pair any = (a[0] | a[1]) | (a[2] | a[3]);
    if ((any[0] | any[1]) != 0) break;
    i += 8;
  }
  while (i < n && cells[i] == 0.0) ++i;
  return i;
}

}  // namespace liqcore::inline abi1
