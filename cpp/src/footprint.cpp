#include "liqcore/footprint.hpp"

#include <algorithm>
#include <cassert>

#include "kernels/kernels.hpp"

namespace liqcore::inline abi1 {

Footprint::Footprint() : cells_(kTables * kStride) { static_assert(kTables == kernels::kTables); }

void Footprint::clear() noexcept {
  if (empty()) return;
  const std::size_t cells = 2 * static_cast<std::size_t>(high_ - low_ + 1);
  for (std::size_t t = 0; t < tables_; ++t) std::fill_n(cells_.data() + t * kStride + index(low_), cells, 0);
  low_ = kNone;
  high_ = -1;
  tables_ = 1;
}

void Footprint::reset(std::int64_t low, std::int64_t high) noexcept {
  assert(low >= 0 && high >= low && high - low < kMaxTicks);
  clear();
  from_ = low;
  taken_ = static_cast<std::uint64_t>(high - low + 1);
}

void Footprint::add(const std::int64_t* keys, const std::int64_t* lots, std::size_t n, std::int64_t low,
                    std::int64_t high) noexcept {
  if (n == 0) return;
  assert(takes(low) && takes(high));
  tables_ = kTables;
  kernels::active().sum(keys, lots, n, {cells_.data() - 2 * from_, kStride});
  extend(keys[0] / 2, high, low, keys[n - 1] / 2);
}

void Footprint::add(const std::int32_t* ticks, const std::int64_t* bought, const std::int64_t* sold, std::size_t n,
                    std::int64_t first, std::int64_t last) noexcept {
  if (n == 0) return;
  assert(takes(ticks[0]) && takes(ticks[n - 1]));
  std::int64_t* const cells = cells_.data() - 2 * from_;
  for (std::size_t i = 0; i < n; ++i) {
    std::int64_t* const cell = cells + 2 * static_cast<std::ptrdiff_t>(ticks[i]);
    cell[0] += bought[i];
    cell[1] += sold[i];
  }
  extend(first, ticks[n - 1], ticks[0], last);
}

Footprint::Volumes Footprint::volumes() const noexcept {
  Volumes out{0, 0};
  if (empty()) return out;
  const std::size_t cells = 2 * static_cast<std::size_t>(high_ - low_ + 1);
  for (std::size_t t = 0; t < tables_; ++t) {
    const std::int64_t* const cell = cells_.data() + t * kStride + index(low_);
    for (std::size_t i = 0; i < cells; i += 2) {
      out.bought += cell[i];
      out.sold += cell[i + 1];
    }
  }
  return out;
}

void Footprint::open_prefix(std::int64_t made, double* longs, double* shorts) const noexcept {
  const auto ticks = static_cast<std::size_t>(empty() ? 0 : high_ - low_ + 1);
  // The kernel reads and does not write; its tables are those that sum() writes.
  auto* const cells = const_cast<std::int64_t*>(cells_.data());
  kernels::active().open_prefix({cells - 2 * from_, kStride, tables_}, empty() ? from_ : low_, ticks, made, longs,
                                shorts);
}

}  // namespace liqcore::inline abi1
