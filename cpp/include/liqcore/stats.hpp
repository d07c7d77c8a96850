/// Where every row and every lot went.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "liqcore/margin.hpp"

namespace liqcore::inline abi1 {

/// Why a row was not used: first what is wrong with its time, then in this order. A rejected row changes nothing, not
/// even the clock.
enum class Reject : std::uint8_t {
  none = 0,
  late,          ///< before the engine's clock
  not_finite,    ///< a price, quantity or time is NaN, infinite or missing
  not_positive,  ///< a price or quantity of zero or less, a price that rounds to tick 0, a time before 1970 (volumes of
                 ///< candles and open interest may be 0)
  too_large,     ///< a price of 2^31 ticks or more, a quantity above 2^48 lots or a time after the year 2116
  off_grid,      ///< a trade's price off the tick grid by more than 1e-6 tick
  inconsistent,  ///< a candle whose low and high do not enclose its open and close
  off_range,     ///< a price at or above the end of an automatic axis (EngineOptions::axis_limit)
  outlier,       ///< a price far from those before it (EngineOptions::outlier); looked at before off_range
};
inline constexpr std::size_t kRejectReasons = 9;

/// Name of a reason as it appears in reports, such as "off_grid".
[[nodiscard]] LIQCORE_EXPORT std::string_view name(Reject reason) noexcept;

/// A total that stays exact: whole lots in 64 bits, the fraction (from scaled levels) apart.
class Tally {
 public:
  void add(double lots) noexcept {
    auto whole = static_cast<std::int64_t>(lots);
    if (static_cast<double>(whole) > lots) --whole;  // floor, which is a call on baseline CPUs
    whole_ += static_cast<std::uint64_t>(whole);
    fraction_ += lots - static_cast<double>(whole);
    carry();
  }
  void add(std::int64_t lots) noexcept { whole_ += static_cast<std::uint64_t>(lots); }
  Tally& operator+=(const Tally& other) noexcept {
    whole_ += other.whole_;
    fraction_ += other.fraction_;
    carry();
    return *this;
  }
  Tally& operator-=(const Tally& other) noexcept {
    whole_ -= other.whole_;
    fraction_ -= other.fraction_;
    if (fraction_ < 0.0) {
      fraction_ += 1.0;
      --whole_;
      carry();  // a rounding error below zero became a whole one
    }
    return *this;
  }
  /// Whole lots; with fraction() the total.
  [[nodiscard]] std::int64_t whole() const noexcept { return static_cast<std::int64_t>(whole_); }
  /// In [0, 1).
  [[nodiscard]] double fraction() const noexcept { return fraction_; }
  [[nodiscard]] double value() const noexcept { return static_cast<double>(whole()) + fraction_; }
  bool operator==(const Tally&) const noexcept = default;

 private:
  void carry() noexcept {
    if (fraction_ >= 1.0) {
      fraction_ -= 1.0;
      ++whole_;
    }
  }
  std::uint64_t whole_ = 0;  // wraps instead of overflowing; totals stay below 2^63 (kMaxLots)
  double fraction_ = 0.0;
};

/// Where the quantity of one layer (side and tier) went, lots. `opened` is the same for every tier of a side.
struct LIQCORE_EXPORT Account {
  Tally opened;
  Tally live;
  Tally liquidated;
  Tally closed;      ///< by scale: half-life, falling open interest
  Tally underflow;   ///< level below a fixed axis
  Tally overflow;    ///< level above the axis
  Tally unresolved;  ///< level inside a bin that the same event already reached
  Tally no_price;    ///< no liquidation price exists

  Account& operator+=(const Account& other) noexcept;
  Account& operator-=(const Account& other) noexcept;
  /// opened - (live + liquidated + closed + underflow + overflow + unresolved + no_price); 0 unless a bug lives.
  [[nodiscard]] double imbalance() const noexcept;
  bool operator==(const Account&) const noexcept = default;
};

/// What became of the rows of some stretch of input; stretches add up with `+=`.
struct LIQCORE_EXPORT RowCounts {
  std::uint64_t rows = 0;         ///< rows given: used + rejected
  std::uint64_t used = 0;         ///< rows that reached the book
  std::uint64_t rounded_qty = 0;  ///< used rows whose quantity was off the lot grid and was rounded
  std::array<std::uint64_t, kRejectReasons> rejected{};  ///< by Reject; entry 0 stays 0

  RowCounts& operator+=(const RowCounts& other) noexcept;
  RowCounts& operator-=(const RowCounts& other) noexcept;
  [[nodiscard]] std::uint64_t rejected_total() const noexcept;
  bool operator==(const RowCounts&) const noexcept = default;
};

/// Counts of rows and quantities over some stretch of input; stretches add up with `+=`.
struct LIQCORE_EXPORT Stats : RowCounts {
  bool inexact = false;           ///< a cell went beyond what a double holds exactly: later sums may be rounded
  std::vector<Account> accounts;  ///< longs of each tier, then shorts of each tier

  Stats& operator+=(const Stats& other);
  bool operator==(const Stats&) const = default;
};

}  // namespace liqcore::inline abi1
