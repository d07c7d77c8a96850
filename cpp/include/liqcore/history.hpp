/// The segments of a run of the engine, and the columns of a heatmap folded from them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "liqcore/instrument.hpp"
#include "liqcore/layers.hpp"
#include "liqcore/segment.hpp"

namespace liqcore::inline abi1 {

/// What the cells of a history mean: everything needed to turn lots and bins into USD and prices.
struct Terms {
  Contract contract;
  double tick_size;
  double lot_size;
  double multiplier;
  std::int64_t ticks_per_bin;
  std::int64_t window_ns;
  std::size_t tiers;

  /// USD (linear: quote currency) of one lot whose level lies in `bin`, at the bin's mid price.
  [[nodiscard]] double usd_per_lot(std::int64_t bin) const noexcept {
    const double value = lot_size * multiplier;
    if (contract == Contract::inverse) return value;
    return value * ((static_cast<double>(bin) + 0.5) * static_cast<double>(ticks_per_bin) * tick_size);
  }
  bool operator==(const Terms&) const noexcept = default;
};

/// What to draw: rows of `bins_per_row` book bins each from `first_bin` up, of the windows first_column and after.
struct Picture {
  std::vector<double> weights[2];  ///< by Side, one a tier; 0 leaves a layer out
  std::int64_t first_bin = 0;
  std::int64_t bins_per_row = 1;
  std::size_t rows = 0;
  std::vector<std::int64_t> edges;  ///< first bin of each row and one past the last, where rows differ in height; then
                                    ///< first_bin and bins_per_row are not looked at
  std::size_t first_column = 0;
  std::size_t columns = 0;        ///< windows; a column each, unless column_ns says otherwise
  bool usd = true;                ///< otherwise quantity, as the venue prints it
  std::size_t opened_within = 0;  ///< only levels opened in the last so many windows of each column; 0: whenever opened
  std::int64_t column_ns = 0;     ///< length of a column, a multiple of the window; 0: one window

  /// First bin of a row; of the row after the last, one past its last bin.
  [[nodiscard]] std::int64_t row_begin(std::size_t row) const noexcept {
    return edges.empty() ? first_bin + static_cast<std::int64_t>(row) * bins_per_row : edges[row];
  }
};

/// Consecutive one-window segments, oldest first, and the levels that were live before the first of them.
///
/// With `keep`, the oldest segment is folded into those levels once there are more. Segments are shared, never copied:
/// a copy of a history is cheap and stays as it was when the engine goes on. One thread at a time; copies may be used
/// and destroyed on other threads.
///
/// Two things are made when first needed, and shared with the copies: the levels at every 1,024th window, where a fold
/// can begin; and spans of windows combined in advance (a tree), from which the levels opened in any stretch of time
/// are found by looking at a few dozen spans and windows. Neither is made by the engine as it runs.
class LIQCORE_EXPORT History {
 public:
  /// As many segments as anybody needs; more than that is a mistake.
  static constexpr std::size_t kMaxKeep = std::size_t{1} << 32;

  /// @throws InvalidConfig unless it is none, or 1 to kMaxKeep
  static void check_keep(std::optional<std::size_t> keep);

  /// @param keep  number of segments kept; 1 to kMaxKeep, or none for all
  History(Terms terms, std::optional<std::size_t> keep);
  /// The same windows, shared, with another `keep`: if there are more, the oldest are folded together.
  History(const History& from, std::optional<std::size_t> keep);

  [[nodiscard]] const Terms& terms() const noexcept { return terms_; }
  [[nodiscard]] std::size_t size() const noexcept { return segments_.size(); }
  /// Segments ever added; the last size() of them are here.
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  /// Segment i of size(), oldest first.
  [[nodiscard]] const Segment& segment(std::size_t i) const noexcept { return *segments_[at(i)]; }
  [[nodiscard]] std::shared_ptr<const Segment> share(std::size_t i) const noexcept { return segments_[at(i)]; }
  /// The levels that were live before segment 0.
  [[nodiscard]] const Layers& base() const noexcept { return base_; }
  /// Replace the levels before segment 0, which `folded` windows left (a history read back from a file).
  /// @throws InvalidConfig unless they are cells of its layers, counted right and in rising bins
  void set_base(const Cells& cells, std::uint64_t folded = 0);

  /// Keep every segment from now on.
  void keep_all() noexcept;

  /// The segment to write the next window into, already part of the history; what it held before is to be written
  /// over. No allocation once `keep` segments exist and nobody shares the oldest.
  Segment& append();

  /// Memory that the next windows are written into; made by room_for().
  struct Room {
    std::vector<std::shared_ptr<Segment>> spare;
    bool scaled = false;
  };
  /// Make all the memory that put() will need for `windows` windows, the first of which adds `opened`; the segments
  /// that put() hands back have room for an empty window, scaled or not.
  void room_for(std::size_t windows, const Layers& opened, bool scaled, Room& room);
  /// The same without memory for the windows themselves and, where they do not all stay, for what they add to the base.
  void room_to_put(std::size_t windows);
  /// Whether of so many more windows some would be folded away with the last of them.
  [[nodiscard]] bool folds(std::size_t windows) const noexcept;
  /// Make the memory that one of them needs for that.
  void room_to_fold(const Segment& segment) { base_.hold(segment.additions); }
  /// Add a window: `segment` becomes part of the history and gets other memory in exchange.
  Segment& put(Segment& segment, Room& room) noexcept;
  /// Add a window that nobody else has; needs room_to_put().
  void put(std::shared_ptr<Segment> segment) noexcept;
  /// The segments themselves, oldest first; the history is of no use any more.
  [[nodiscard]] std::vector<std::shared_ptr<Segment>> release() &&;

  /// Ask for the memory that the next append() will fold and write over, so that it is at hand by then.
  void prefetch() const noexcept;

  /// Levels at the end of segment i: the fold of everything up to it.
  [[nodiscard]] Layers levels_after(std::size_t i) const;

  /// Whether nothing came before segment 0: no window was folded away, no level was live.
  [[nodiscard]] bool whole() const noexcept;

  /// Levels opened in windows i - windows + 1 to i (or as many as there are) and live at the end of i: what an engine
  /// that started empty `windows` windows ago would hold, apart from cells below half a lot where a scale came.
  /// @param windows  >= 1
  /// @throws InvalidConfig if that reaches back before segment 0 and the history is not whole()
  [[nodiscard]] Layers opened_within(std::size_t i, std::size_t windows) const;

  /// Number of columns of a picture: its windows, or groups of them that lie in the same column_ns since the epoch.
  /// @throws InvalidConfig if the picture does not fit
  [[nodiscard]] std::size_t column_count(const Picture& picture) const;

  /// Fold the segments into columns, each (columns, rows) row-major: the weighted live longs and shorts at the end of
  /// each column, and what was liquidated in it. Sums in double, one rounding at the end. An empty span is not wanted.
  ///
  /// With opened_within every column is a fold of its own stretch of windows; that costs two or three times an
  /// ordinary picture whatever the length: the stretches slide, so each window is put in once at either end.
  /// @throws InvalidConfig if the picture or a span's size does not fit
  void columns(const Picture& picture, std::span<float> longs, std::span<float> shorts,
               std::span<float> liquidated_longs, std::span<float> liquidated_shorts) const;

  /// The weighted live levels at the end of window i by side, tier and row: [2][tiers][rows], row-major. The picture's
  /// columns are not looked at, its opened_within is.
  /// @throws InvalidConfig if the picture or the span's size does not fit
  void map(std::size_t i, const Picture& picture, std::span<double> out) const;

  /// How old the live levels are: what was opened in the last windows[k] windows up to i and is live at the end of i,
  /// by length, side and row: [windows.size()][2][rows], row-major, weighted. The picture's columns are not looked at.
  /// @param windows  rising, each >= 1
  /// @throws InvalidConfig as opened_within() and map()
  void age(std::size_t i, const Picture& picture, std::span<const std::size_t> windows, std::span<double> out) const;

  /// Since when rows have been at or above a threshold: the start (ns) of the first column of the run of columns
  /// without a break that ends with the picture's last, by side and row: [2][rows]; int64 min where the last column
  /// is zero or below the threshold. Compares what columns() writes.
  void since(const Picture& picture, double threshold, std::span<std::int64_t> out) const;

  /// Memory of the combined spans and of the levels kept to begin from, bytes.
  [[nodiscard]] std::size_t cache_bytes() const;

  /// Lowest and one past the highest bin that is non-zero at the end of any of the columns (or liquidated in it), over
  /// layers with a weight; empty where there is none.
  [[nodiscard]] Layers::Range extent(const Picture& picture) const;

 private:
  struct Cache;
  [[nodiscard]] bool full() const noexcept { return keep_ && segments_.size() >= *keep_; }
  /// How many of so many more windows push none out.
  [[nodiscard]] std::size_t room_left(std::size_t windows) const noexcept {
    return keep_ ? std::min(windows, *keep_ - std::min(*keep_, segments_.size())) : windows;
  }
  void fold_oldest();
  [[nodiscard]] bool has_room(const Segment& segment, bool scaled) const noexcept;
  [[nodiscard]] std::size_t at(std::size_t i) const noexcept { return (oldest_ + i) % segments_.size(); }

  Terms terms_;
  std::optional<std::size_t> keep_;
  std::vector<std::shared_ptr<Segment>> segments_;  // a ring once full
  std::size_t oldest_ = 0;
  std::uint64_t total_ = 0;
  Layers base_;
  std::shared_ptr<Cache> cache_;  // shared by copies, which may be used by other threads; has a lock
};

}  // namespace liqcore::inline abi1
