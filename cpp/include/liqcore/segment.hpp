/// What a stretch of time did to the book: the one thing that is stored, combined and folded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "liqcore/margin.hpp"
#include "liqcore/stats.hpp"

namespace liqcore::inline abi1 {

/// Prices (ticks) and taker volumes (lots) of a stretch of time; no price where nothing traded.
struct LIQCORE_EXPORT Candle {
  std::int64_t open = 0;  ///< ticks; 0 where nothing traded
  std::int64_t high = 0;
  std::int64_t low = 0;
  std::int64_t close = 0;
  double buy_lots = 0.0;   ///< the aggressor bought
  double sell_lots = 0.0;  ///< the aggressor sold

  [[nodiscard]] bool empty() const noexcept { return open == 0; }
  /// Append what happened later.
  void extend(const Candle& later) noexcept;
  bool operator==(const Candle&) const noexcept = default;
};

/// Non-zero cells of all layers, sorted by layer, then bin. Layer = side * tiers + tier.
struct LIQCORE_EXPORT Cells {
  std::vector<std::uint32_t> offsets;  ///< layers + 1 of them, or none where there are no cells
  std::vector<std::int32_t> bins;      ///< absolute bin numbers (axis.hpp, BinRule)
  std::vector<double> lots;

  [[nodiscard]] std::size_t size() const noexcept { return bins.size(); }
  [[nodiscard]] std::span<const std::int32_t> layer_bins(std::size_t layer) const noexcept;
  [[nodiscard]] std::span<const double> layer_lots(std::size_t layer) const noexcept;
  void clear() noexcept;
  bool operator==(const Cells&) const = default;
};

/// One step of what a stretch of time consumed of the levels that were live before it.
///
/// A level of an earlier time in a bin at or beyond `bin` (longs: >=, shorts: <=) was liquidated when it had been
/// scaled by `scale` of its tier; later steps of a segment reach further.
struct TouchStep {
  std::int64_t bin;
  std::vector<double> scale;  ///< one factor a tier, or empty for all 1

  bool operator==(const TouchStep&) const = default;
};

/// A stretch of time as an affine change of every layer: what lies beyond a threshold is cleared, the rest scaled,
/// additions come on top. Made by an Engine once a window; combine() joins neighbours.
struct LIQCORE_EXPORT Segment {
  std::int64_t start_ns = 0;  ///< start of the first window
  std::int64_t end_ns = 0;    ///< end of the last window, exclusive
  Candle candle;
  std::vector<TouchStep> touched[2];  ///< by Side; empty where nothing was touched
  std::vector<double> scale[2];       ///< by Side, one factor a tier; empty for all 1
  /// Opened in the segment and live at its end; below zero: what verbs for a part of the book took of earlier levels.
  Cells additions;
  Cells liquidated;               ///< opened in the segment and liquidated in it; below zero as the additions
  std::vector<Account> accounts;  ///< of what was opened in the segment; `live` is the additions
  // The boundary: what a later stretch of time needs to know to go on.
  std::int64_t last_ns = std::numeric_limits<std::int64_t>::min();  ///< last event; min where there was none yet
  double mark_price = std::numeric_limits<double>::quiet_NaN();     ///< last mark; NaN where there was none yet
  double open_interest = std::numeric_limits<double>::quiet_NaN();  ///< last sample; NaN where there was none yet

  /// Whether nothing happened but a scale: nothing traded, was touched, opened or counted.
  [[nodiscard]] bool idle() const noexcept;
  /// Equal in every part; a boundary value that neither has is equal, too.
  bool operator==(const Segment& other) const noexcept;
};

/// The segment of `earlier` followed by `later`. Associative, not commutative.
///
/// Exact where nothing is scaled; otherwise equal to the pass in one go within rounding (1e-12 relative), apart from
/// cells below half a lot, which that pass flushes at each window's end.
/// @throws InvalidConfig if `later` does not start where `earlier` ends
[[nodiscard]] LIQCORE_EXPORT Segment combine(const Segment& earlier, const Segment& later);

}  // namespace liqcore::inline abi1
