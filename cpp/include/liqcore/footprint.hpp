/// A run of trades summed by price and aggressor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// Lots by (tick, aggressor side) of a run of trades, with the run's low, high, first and last tick.
///
/// Only the distinct ticks of a run are projected onto the leverage tiers, so the cost of a trade does not grow with
/// the tiers. Sums are whole numbers in doubles, exact to 2^53 lots. Reused from run to run without allocation once
/// its table has grown. One thread at a time.
class LIQCORE_EXPORT Footprint {
 public:
  /// A run over a wider range of ticks than this is not summed: split it.
  static constexpr std::int64_t kMaxRange = 8192;

  /// Sum a run. Ticks must be > 0, lots >= 0.
  /// @return false, with the footprint empty, if the run's range is above kMaxRange
  [[nodiscard]] bool build(std::span<const std::int32_t> ticks, std::span<const double> lots,
                           std::span<const std::uint8_t> taker_sell);

  [[nodiscard]] std::int64_t low() const noexcept { return low_; }
  [[nodiscard]] std::int64_t high() const noexcept { return high_; }
  [[nodiscard]] std::int64_t first() const noexcept { return first_; }
  [[nodiscard]] std::int64_t last() const noexcept { return last_; }
  [[nodiscard]] double buy_lots() const noexcept { return buy_lots_; }
  [[nodiscard]] double sell_lots() const noexcept { return sell_lots_; }
  /// Lots that aggressors bought at a tick in [low(), high()].
  [[nodiscard]] double bought(std::int64_t tick) const noexcept { return table_[index(tick)]; }
  /// Lots that aggressors sold at a tick in [low(), high()].
  [[nodiscard]] double sold(std::int64_t tick) const noexcept { return table_[index(tick) + 1]; }

 private:
  [[nodiscard]] std::size_t index(std::int64_t tick) const noexcept {
    return 2 * static_cast<std::size_t>(tick - low_);
  }

  std::int64_t low_ = 0;
  std::int64_t high_ = -1;
  std::int64_t first_ = 0;
  std::int64_t last_ = 0;
  double buy_lots_ = 0.0;
  double sell_lots_ = 0.0;
  std::vector<double> table_;  // (tick, side) from low_ up; behind it a second one that build() sums into as well
};

}  // namespace liqcore::inline abi1
