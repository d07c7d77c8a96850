/// Strange prints: prices far from those before them, which are not believed until others agree.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// Streams whose prices are watched, each on its own.
enum class PriceStream : std::uint8_t { trades, marks, candles };
inline constexpr std::size_t kPriceStreams = 3;

/// Other times at which a new price must be seen before it is believed: of trades, and of marks and candles.
inline constexpr std::int64_t kAgreeingTrades = 10;
inline constexpr std::int64_t kAgreeingOthers = 3;
/// Prices so many ticks apart are never far: on a coarse grid one step may be a large part of the price.
inline constexpr double kNearTicks = 2.0;

/// What is believed of a stream's price; a price alone, or a candle's close.
///
/// A price is near another one if the larger is at most (1 + limit) times the smaller, or 2 ticks more; of marks and
/// candles, between which an hour may lie, the limit is five times that of trades. A row near the
/// price believed last is believed, and its price is the one believed from then on. Another row is not: it is counted
/// as an outlier, and its price is the suspect, unless it is near the suspect, which then moves to it. The suspect is
/// believed once it was seen at more times than what is believed, of whose times 10 count (marks, candles: 3): rows of
/// one time are one order. A believed row ends the suspicion. So a level that lasts costs 10 times of rows, one strange
/// print costs itself, and where the first of all was strange, the second time of another level wins.
struct PriceBelief {
  std::int64_t tick = 0;   ///< the price believed last; of trades the run in progress may know a later one
  std::int64_t at_ns = 0;  ///< the last of `times`; 0 when there were enough
  std::int64_t times = 0;  ///< at which it, or a price before it that led to it, was seen: at most 10 (3); 0: none yet
  std::int64_t suspect = 0;
  std::int64_t suspect_since_ns = 0;
  std::int64_t suspect_at_ns = 0;
  std::int64_t suspect_times = 0;
  bool operator==(const PriceBelief&) const = default;
};

/// A row that was rejected as Reject::outlier.
struct Outlier {
  PriceStream stream;
  std::int64_t ts_ns;
  std::int64_t tick;    ///< its price; of a candle, the one that is furthest away
  std::int64_t before;  ///< the price believed at the time, ticks
};

/// A price that was an outlier until it lasted.
struct PriceJump {
  PriceStream stream;
  std::int64_t since_ns;  ///< when it was first seen
  std::int64_t ts_ns;     ///< when it was believed
  std::int64_t tick;      ///< what was believed then
  std::int64_t before;    ///< and until then, ticks
  bool settled;           ///< whether that had been seen at enough times; not where the first prices were strange
};

/// The first few outliers and jumps of some streams.
class PriceNotes {
 public:
  static constexpr std::size_t kOutliers = 8;
  static constexpr std::size_t kJumps = 64;

  void add(const Outlier& outlier) noexcept {
    if (outliers_ < kOutliers) outlier_[outliers_++] = outlier;
  }
  void add(const PriceJump& jump) noexcept {
    if (jumps_ < kJumps) jump_[jumps_++] = jump;
  }
  void add(const PriceNotes& later) noexcept {
    for (const Outlier& outlier : later.outliers()) add(outlier);
    for (const PriceJump& jump : later.jumps()) add(jump);
  }
  [[nodiscard]] std::span<const Outlier> outliers() const noexcept { return std::span(outlier_).first(outliers_); }
  [[nodiscard]] std::span<const PriceJump> jumps() const noexcept { return std::span(jump_).first(jumps_); }

 private:
  std::array<Outlier, kOutliers> outlier_{};
  std::array<PriceJump, kJumps> jump_{};
  std::size_t outliers_ = 0;
  std::size_t jumps_ = 0;
};

}  // namespace liqcore::inline abi1
