#include "columns/check.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "text/csv.hpp"

namespace liqcore::columns {
namespace {

constexpr std::size_t block_rows = 1024;  // 24 KiB of columns: what one loop has read, the next finds in L1

/// Whether every value is finite and above zero. On the bits, because compilers do not vectorise comparisons of
/// doubles: less one, the top bit is set for zero and what is negative; one exponent up, for infinity, NaN and -0.
bool all_usable(std::span<const double> values) noexcept {
  std::uint64_t bad = 0;
  for (const double x : values) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    bad |= (bits - 1) | (bits + (std::uint64_t{1} << 52));
  }
  return bad >> 63 == 0;
}

/// Whether neighbours never fall. Differences have no room to overflow unless a time is negative.
bool never_fall(std::span<const std::int64_t> ts) noexcept {
  std::uint64_t signs = 0;
  for (std::size_t i = 1; i < ts.size(); ++i)
    signs |= (static_cast<std::uint64_t>(ts[i]) - static_cast<std::uint64_t>(ts[i - 1])) |
             static_cast<std::uint64_t>(ts[i - 1]) | static_cast<std::uint64_t>(ts[i]);
  if (signs >> 63 == 0) return true;
  return std::is_sorted(ts.begin(), ts.end());
}

}  // namespace

TradeCheck check_trades(std::span<const std::int64_t> ts, std::span<const double> price,
                        std::span<const double> qty) noexcept {
  TradeCheck check;
  for (std::size_t first = 0; first < ts.size() && check.usable; first += block_rows) {
    const std::size_t rows = std::min(block_rows, ts.size() - first);
    const auto prices = price.subspan(first, rows);
    const auto quantities = qty.subspan(first, rows);
    const std::size_t before = first > 0 ? 1 : 0;  // the last time of the block before
    check.in_order = check.in_order && never_fall(ts.subspan(first - before, rows + before));
    check.usable = all_usable(prices) && all_usable(quantities);
    check.price_decimals = text::finest_decimals(prices, check.price_decimals);
    check.qty_decimals = text::finest_decimals(quantities, check.qty_decimals);
  }
  if (ts.empty()) return check;
  if (check.in_order && check.usable) {
    check.low = ts.front();
    check.high = ts.back();
  } else {
    check.in_order = check.in_order && std::is_sorted(ts.begin(), ts.end());  // the blocks left out above
    const auto [low, high] = std::minmax_element(ts.begin(), ts.end());
    check.low = *low;
    check.high = *high;
  }
  return check;
}

}  // namespace liqcore::columns
