/// A run of trades summed by price and aggressor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// Lots by (tick, aggressor side) of a run of trades, with the run's low, high, first and last tick.
///
/// Only what a run sums to is projected onto the leverage tiers, so the cost of a trade does not grow with the tiers.
/// Sums are whole lots in 64 bits. Never allocates after construction (some 260 KB). One thread at a time.
class LIQCORE_EXPORT Footprint {
 public:
  /// The widest range of ticks that one footprint takes.
  static constexpr std::int64_t kMaxTicks = 4096;

  Footprint();

  /// Forget the run, and take ticks from `low` to `high` (both included; at most kMaxTicks of them, low >= 0) from now
  /// on. A new footprint takes none.
  void reset(std::int64_t low, std::int64_t high) noexcept;
  /// Forget the run; the range of ticks taken stays.
  void clear() noexcept;

  [[nodiscard]] bool takes(std::int64_t tick) const noexcept {
    return static_cast<std::uint64_t>(tick) - static_cast<std::uint64_t>(from_) < taken_;
  }

  /// First tick taken, and their number.
  [[nodiscard]] std::int64_t from() const noexcept { return from_; }
  [[nodiscard]] std::int64_t taken() const noexcept { return static_cast<std::int64_t>(taken_); }

  /// Add one trade at a tick that it takes.
  void add(std::int64_t tick, std::int64_t lots, bool taker_sell) noexcept {
    cells_[index(tick) + (taker_sell ? 1 : 0)] += lots;
    extend(tick, tick, tick, tick);
  }
  /// Add a block of trades between `low` and `high`, both taken: keys are 2 * tick + taker_sell.
  void add(const std::int64_t* keys, const std::int64_t* lots, std::size_t n, std::int64_t low,
           std::int64_t high) noexcept;

  /// Add a run that was summed before: what was bought and sold at `n` of its ticks, rising and all taken, the first
  /// and the last of which are its low and high; and the ticks at which it began and ended.
  void add(const std::int32_t* ticks, const std::int64_t* bought, const std::int64_t* sold, std::size_t n,
           std::int64_t first, std::int64_t last) noexcept;

  [[nodiscard]] bool empty() const noexcept { return high_ < low_; }
  [[nodiscard]] std::int64_t low() const noexcept { return low_; }
  [[nodiscard]] std::int64_t high() const noexcept { return high_; }
  [[nodiscard]] std::int64_t first() const noexcept { return first_; }
  [[nodiscard]] std::int64_t last() const noexcept { return last_; }
  /// Lots that aggressors bought at a tick in [low(), high()].
  [[nodiscard]] std::int64_t bought(std::int64_t tick) const noexcept { return total(index(tick)); }
  /// Lots that aggressors sold at a tick in [low(), high()].
  [[nodiscard]] std::int64_t sold(std::int64_t tick) const noexcept { return total(index(tick) + 1); }

  /// Lots of the whole run.
  struct Volumes {
    std::int64_t bought;
    std::int64_t sold;
  };
  [[nodiscard]] Volumes volumes() const noexcept;

  /// What opens at each tick, summed from low() up: longs[i] lots at ticks below low() + i, i from 0 to the number of
  /// ticks in the run. A trade opens its lots on its aggressor's side and `made` / 1024 of them on the other.
  void open_prefix(std::int64_t made, double* longs, double* shorts) const noexcept;

 private:
  // The rows of a block are summed into several tables in turn, because neighbours often share their cell. Tables lie
  // not quite a power of two apart, so that equal cells of them do not compete for the same lines of the cache.
  static constexpr std::size_t kTables = 4;
  static constexpr std::size_t kStride = 2 * static_cast<std::size_t>(kMaxTicks) + 40;
  static constexpr std::int64_t kNone = std::int64_t{1} << 62;

  void extend(std::int64_t first, std::int64_t high, std::int64_t low, std::int64_t last) noexcept {
    if (empty()) first_ = first;
    low_ = low < low_ ? low : low_;
    high_ = high > high_ ? high : high_;
    last_ = last;
  }
  [[nodiscard]] std::size_t index(std::int64_t tick) const noexcept {
    return 2 * static_cast<std::size_t>(tick - from_);
  }
  [[nodiscard]] std::int64_t total(std::size_t cell) const noexcept {
    std::int64_t sum = 0;
    for (std::size_t t = 0; t < tables_; ++t) sum += cells_[t * kStride + cell];
    return sum;
  }

  std::int64_t from_ = 0;    // first tick taken
  std::uint64_t taken_ = 0;  // number of ticks taken
  std::int64_t low_ = kNone;
  std::int64_t high_ = -1;
  std::int64_t first_ = 0;
  std::int64_t last_ = 0;
  std::size_t tables_ = 1;           // in use: single trades need but one
  std::vector<std::int64_t> cells_;  // zero outside [low_, high_]
};

}  // namespace liqcore::inline abi1
