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
  Cells additions;                    ///< opened in the segment and live at its end
  Cells liquidated;                   ///< opened in the segment and liquidated in it
  std::vector<Account> accounts;      ///< of what was opened in the segment; `live` is the additions
  // The boundary: what a later stretch of time needs to know to go on.
  std::int64_t last_ns = std::numeric_limits<std::int64_t>::min();  ///< last event; min where there was none yet
  double mark_price = std::numeric_limits<double>::quiet_NaN();     ///< last mark; NaN where there was none yet
  double open_interest = std::numeric_limits<double>::quiet_NaN();  ///< last sample; NaN where there was none yet

  /// Equal in every part; a boundary value that neither has is equal, too.
  bool operator==(const Segment& other) const noexcept;
};

/// The segment of `earlier` followed by `later`. Associative, not commutative.
///
/// Exact where nothing is scaled; otherwise equal to the pass in one go within rounding (1e-12 relative), apart from
/// cells below half a lot, which that pass flushes at each window's end.
/// @throws InvalidConfig if `later` does not start where `earlier` ends
[[nodiscard]] LIQCORE_EXPORT Segment combine(const Segment& earlier, const Segment& later);

/// Dense live levels: one row of lots a layer over one range of absolute bins, grown as needed.
///
/// The state that segments are applied to; a column of a heatmap is the fold of all segments so far.
/// One thread at a time.
class LIQCORE_EXPORT Layers {
 public:
  /// Range of bins [low, high) of one layer that may hold something.
  struct Range {
    std::int64_t low = 0;
    std::int64_t high = 0;
    [[nodiscard]] bool empty() const noexcept { return low >= high; }
    void include(std::int64_t bin) noexcept {
      if (empty()) {
        low = bin;
        high = bin + 1;
      } else {
        if (bin < low) low = bin;
        if (bin >= high) high = bin + 1;
      }
    }
  };

  /// A scaled cell below this is dust: nobody holds a part of a lot.
  static constexpr double kDustLots = 0.5;

  explicit Layers(std::size_t tiers) : tiers_(tiers), ranges_(2 * tiers) {}

  /// Make room for bins [low, high): an allocation and a copy where they are not covered yet.
  void cover(std::int64_t low, std::int64_t high);
  /// The same layers with room for these bins as well.
  [[nodiscard]] Layers covering(Range bins) const;
  [[nodiscard]] bool covers(std::int64_t low, std::int64_t high) const noexcept {
    return low >= first_bin_ && high <= first_bin_ + width_;
  }

  /// What becomes of cells that a scale left below half a lot: flushed (booked as closed) where the layers are the
  /// whole book, kept where they are only the part of it that a segment opened.
  enum class Dust : std::uint8_t { keep, flush };

  /// Let a stretch of time pass. `liquidated`, if given, receives by bin what the segment's touches took of these
  /// layers (the segment's own liquidated cells not included); `closed`, one a layer, what its scale closed.
  void apply(const Segment& segment, Dust dust, Layers* liquidated, std::span<Tally> closed);

  [[nodiscard]] std::size_t tiers() const noexcept { return tiers_; }
  [[nodiscard]] std::size_t layers() const noexcept { return 2 * tiers_; }
  [[nodiscard]] std::int64_t first_bin() const noexcept { return first_bin_; }
  [[nodiscard]] std::int64_t width() const noexcept { return width_; }
  /// Where a layer may be non-zero.
  [[nodiscard]] const Range& range(std::size_t layer) const noexcept { return ranges_[layer]; }
  [[nodiscard]] Range& range(std::size_t layer) noexcept { return ranges_[layer]; }
  /// A cell by absolute bin, which must be covered.
  [[nodiscard]] double& at(std::size_t layer, std::int64_t bin) noexcept { return row(layer)[bin - first_bin_]; }
  [[nodiscard]] double at(std::size_t layer, std::int64_t bin) const noexcept { return row(layer)[bin - first_bin_]; }
  [[nodiscard]] double* row(std::size_t layer) noexcept {
    return cells_.data() + static_cast<std::ptrdiff_t>(layer) * width_;
  }
  [[nodiscard]] const double* row(std::size_t layer) const noexcept {
    return cells_.data() + static_cast<std::ptrdiff_t>(layer) * width_;
  }
  /// Add lots to a cell, making room where needed.
  void add(std::size_t layer, std::int64_t bin, double lots);
  /// Add rising bins of one layer.
  void add(std::size_t layer, std::span<const std::int32_t> bins, std::span<const double> lots);
  void add(const Cells& cells);
  /// All cells back to zero; room is kept.
  void clear() noexcept;
  /// Write the non-zero cells, in order; `out` keeps its capacity.
  void extract(Cells& out) const;
  /// Make room for what extract() would write.
  void room_to_extract(Cells& out) const;

 private:
  [[nodiscard]] std::size_t filled() const noexcept;

  std::size_t tiers_;
  std::int64_t first_bin_ = 0;
  std::int64_t width_ = 0;
  std::vector<double> cells_;
  std::vector<Range> ranges_;
};

}  // namespace liqcore::inline abi1
