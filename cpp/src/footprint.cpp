#include "liqcore/footprint.hpp"

#include <algorithm>

namespace liqcore::inline abi1 {
namespace {

constexpr std::size_t kTables = 2;

}  // namespace

bool Footprint::build(std::span<const std::int32_t> ticks, std::span<const double> lots,
                      std::span<const std::uint8_t> taker_sell) {
  low_ = 0;
  high_ = -1;
  first_ = 0;
  last_ = 0;
  buy_lots_ = 0.0;
  sell_lots_ = 0.0;
  if (ticks.empty()) return true;
  // Not std::minmax_element, which compares in pairs and cannot be vectorised.
  std::int32_t low = ticks.front();
  std::int32_t high = low;
  for (const std::int32_t tick : ticks) {
    low = tick < low ? tick : low;
    high = tick > high ? tick : high;
  }
  if (static_cast<std::int64_t>(high) - low >= kMaxRange) return false;
  low_ = low;
  high_ = high;
  first_ = ticks.front();
  last_ = ticks.back();
  const std::size_t used = 2 * static_cast<std::size_t>(high_ - low_ + 1);
  if (table_.size() < kTables * used) table_.resize(kTables * used);
  std::fill_n(table_.begin(), kTables * used, 0.0);
  // Neighbours often share tick and side; in tables of their own their sums need not wait for each other's store.
  double* const table = table_.data();
  const std::size_t n = ticks.size();
  const auto cell_of = [&](std::size_t row) { return index(ticks[row]) + (taker_sell[row] != 0 ? 1 : 0); };
  std::size_t i = 0;
  for (; i + kTables <= n; i += kTables)
    for (std::size_t t = 0; t < kTables; ++t) table[t * used + cell_of(i + t)] += lots[i + t];
  for (; i < n; ++i) table[cell_of(i)] += lots[i];
  for (std::size_t cell = 0; cell < used; ++cell)
    for (std::size_t t = 1; t < kTables; ++t) table[cell] += table[t * used + cell];
  for (std::size_t cell = 0; cell < used; cell += 2) {
    buy_lots_ += table[cell];
    sell_lots_ += table[cell + 1];
  }
  return true;
}

}  // namespace liqcore::inline abi1
