#include "liqcore/footprint.hpp"

#include <algorithm>

namespace liqcore::inline abi1 {

bool Footprint::build(std::span<const std::int32_t> ticks, std::span<const double> lots,
                      std::span<const std::uint8_t> taker_sell) {
  low_ = 0;
  high_ = -1;
  first_ = 0;
  last_ = 0;
  buy_lots_ = 0.0;
  sell_lots_ = 0.0;
  if (ticks.empty()) return true;
  const auto [low, high] = std::minmax_element(ticks.begin(), ticks.end());
  if (static_cast<std::int64_t>(*high) - *low >= kMaxRange) return false;
  low_ = *low;
  high_ = *high;
  first_ = ticks.front();
  last_ = ticks.back();
  const std::size_t used = 2 * static_cast<std::size_t>(high_ - low_ + 1);
  if (table_.size() < used) table_.resize(used);
  std::fill_n(table_.begin(), used, 0.0);
  for (std::size_t i = 0; i < ticks.size(); ++i) table_[index(ticks[i]) + taker_sell[i]] += lots[i];
  for (std::size_t i = 0; i < used; i += 2) {
    buy_lots_ += table_[i];
    sell_lots_ += table_[i + 1];
  }
  return true;
}

}  // namespace liqcore::inline abi1
