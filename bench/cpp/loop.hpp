// What a good C++ programmer would write in an afternoon: one scattered add per trade and tier, levels consumed when
// price reaches them, no windows. The yardstick of the per-trade and the batch path.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace bench {

/// Live lots by layer (longs of each tier, then shorts) and bin of a fixed axis. Takes whole ticks and lots.
class Loop {
 public:
  /// @param factors  liquidation price over entry price of each layer; 0 where there is none
  Loop(std::vector<double> factors, std::int64_t first_bin, std::int64_t bins, std::int64_t ticks_per_bin)
      : tiers_(factors.size() / 2),
        first_bin_(first_bin),
        end_bin_(first_bin + bins),
        inverse_(1.0 / static_cast<double>(ticks_per_bin)),
        factors_(std::move(factors)),
        book_(factors_.size() * static_cast<std::size_t>(bins)),
        low_(factors_.size(), end_bin_),
        high_(factors_.size(), first_bin_),
        liquidated_(factors_.size()),
        dropped_(factors_.size()),
        longs_end_(first_bin_),
        shorts_begin_(end_bin_) {}

  void trade(std::int64_t tick, double lots, bool taker_sell) {
    const std::int64_t entry = bin(static_cast<double>(tick));
    if (entry < longs_end_) {
      for (std::size_t layer = 0; layer < tiers_; ++layer) {
        clear(layer, std::max(entry, low_[layer]), high_[layer]);
        high_[layer] = std::min(high_[layer], std::max(entry, low_[layer]));
      }
      longs_end_ = entry;
    }
    if (entry >= shorts_begin_) {
      for (std::size_t layer = tiers_; layer < 2 * tiers_; ++layer) {
        clear(layer, low_[layer], std::min(entry + 1, high_[layer]));
        low_[layer] = std::max(low_[layer], std::min(entry + 1, high_[layer]));
      }
      shorts_begin_ = entry + 1;
    }
    const std::size_t first = taker_sell ? tiers_ : 0;
    for (std::size_t layer = first; layer < first + tiers_; ++layer) {
      const double level = std::nearbyint(static_cast<double>(tick) * factors_[layer]);
      const std::int64_t at = bin(level);
      const bool beyond = taker_sell ? at > entry : at < entry;
      if (level < 1.0 || at < first_bin_ || at >= end_bin_ || !beyond) {
        dropped_[layer] += lots;
        continue;
      }
      cell(layer, at) += lots;
      low_[layer] = std::min(low_[layer], at);
      high_[layer] = std::max(high_[layer], at + 1);
      if (taker_sell)
        shorts_begin_ = std::min(shorts_begin_, at);
      else
        longs_end_ = std::max(longs_end_, at + 1);
    }
  }

  [[nodiscard]] double& cell(std::size_t layer, std::int64_t at) {
    return book_[layer * static_cast<std::size_t>(end_bin_ - first_bin_) + static_cast<std::size_t>(at - first_bin_)];
  }
  [[nodiscard]] const std::vector<double>& book() const noexcept { return book_; }
  [[nodiscard]] double liquidated(std::size_t layer) const noexcept { return liquidated_[layer]; }
  /// Lots without a price, off the axis or unresolved.
  [[nodiscard]] double dropped(std::size_t layer) const noexcept { return dropped_[layer]; }

 private:
  [[nodiscard]] std::int64_t bin(double tick) const noexcept {
    return static_cast<std::int64_t>((tick + 0.5) * inverse_);
  }
  void clear(std::size_t layer, std::int64_t low, std::int64_t high) {
    for (std::int64_t at = low; at < high; ++at) {
      liquidated_[layer] += cell(layer, at);
      cell(layer, at) = 0.0;
    }
  }

  std::size_t tiers_;
  std::int64_t first_bin_;
  std::int64_t end_bin_;
  double inverse_;
  std::vector<double> factors_;
  std::vector<double> book_;
  std::vector<std::int64_t> low_;  // bins of a layer that may be live: [low, high)
  std::vector<std::int64_t> high_;
  std::vector<double> liquidated_;
  std::vector<double> dropped_;
  std::int64_t longs_end_;     // no live long at or above
  std::int64_t shorts_begin_;  // no live short below
};

}  // namespace bench
