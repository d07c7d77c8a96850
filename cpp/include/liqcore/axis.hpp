/// Price bins on whole ticks.
#pragma once

#include <cstdint>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// Maps ticks to *absolute* bin numbers: bin b covers [b * ticks_per_bin, (b + 1) * ticks_per_bin), counted from
/// price zero. Edges are multiples of the step, so they never move, however far an axis grows.
class BinRule {
 public:
  constexpr explicit BinRule(std::int64_t ticks_per_bin) noexcept
      : ticks_per_bin_(ticks_per_bin), inverse_(1.0 / static_cast<double>(ticks_per_bin)) {}

  /// Bin of a tick in [0, 2^40].
  ///
  /// Exact: (tick + 0.5) / step is at least 0.5 / step away from a whole number, and the product's rounding error is
  /// below that for every tick under 2^50.
  [[nodiscard]] constexpr std::int64_t operator()(std::int64_t tick) const noexcept {
    return of_whole(static_cast<double>(tick));
  }
  /// The same of a tick that is already a double; it must be a whole number.
  [[nodiscard]] constexpr std::int64_t of_whole(double tick) const noexcept {
    return static_cast<std::int64_t>((tick + 0.5) * inverse_);
  }
  [[nodiscard]] constexpr std::int64_t ticks_per_bin() const noexcept { return ticks_per_bin_; }

 private:
  std::int64_t ticks_per_bin_;
  double inverse_;
};

/// Width of the bins that an engine chooses by itself: about one basis point of a price, both in ticks.
///
/// 1, 2 or 5 times a power of ten; or, with `row_ticks`, the widest bins that make up rows of that height.
/// @param price_ticks  0 to 2^40
/// @param row_ticks    0 (no rows to fit) to 2^40
[[nodiscard]] LIQCORE_EXPORT std::int64_t automatic_ticks_per_bin(std::int64_t price_ticks,
                                                                  std::int64_t row_ticks = 0) noexcept;

/// Equal price bins on an instrument's tick grid: bin i covers [low + i*step, low + (i+1)*step).
///
/// Works on whole ticks, so an edge never moves by rounding. Immutable, safe to share between threads.
class LIQCORE_EXPORT PriceAxis {
 public:
  /// @param low_tick       first edge, ticks; >= 0, a multiple of ticks_per_bin
  /// @param ticks_per_bin  width of a bin, ticks; >= 1
  /// @param size           number of bins; >= 1; the last edge at most 2^40 ticks
  /// @throws InvalidConfig if a value breaks its rule
  PriceAxis(std::int64_t low_tick, std::int64_t ticks_per_bin, std::int64_t size);

  /// The axis from `low` to `high` in bins of `step`, all in price.
  /// @throws InvalidConfig if step is not a multiple of tick_size, or low or high not a multiple of step
  static PriceAxis from_prices(double low, double high, double step, double tick_size);

  /// Bin of a price in ticks: 0 to size()-1, or -1 below the first edge, size() from the last edge on.
  [[nodiscard]] std::int64_t index(std::int64_t tick) const noexcept;

  [[nodiscard]] std::int64_t low_tick() const noexcept { return low_tick_; }
  [[nodiscard]] std::int64_t high_tick() const noexcept { return low_tick_ + ticks_per_bin_ * size_; }
  [[nodiscard]] std::int64_t ticks_per_bin() const noexcept { return ticks_per_bin_; }
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  /// Absolute number of the first bin (see BinRule).
  [[nodiscard]] std::int64_t first_bin() const noexcept { return low_tick_ / ticks_per_bin_; }
  bool operator==(const PriceAxis&) const noexcept = default;

 private:
  std::int64_t low_tick_;
  std::int64_t ticks_per_bin_;
  std::int64_t size_;
};

}  // namespace liqcore::inline abi1
