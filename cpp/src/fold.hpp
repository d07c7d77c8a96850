// Live levels window by window, at the cost of what a window changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "liqcore/history.hpp"
#include "liqcore/layers.hpp"
#include "liqcore/segment.hpp"
#include "suffix.hpp"

namespace liqcore::inline abi1 {

/// The fold of segments, and the rows of a picture of it.
///
/// A cell is kept as lots over the scale of its layer since some earlier time, so that a scale is one multiplication a
/// layer and not one a cell; a row is summed anew whenever one of its cells changes. So what a cell and a row hold does
/// not depend on where the picture begins. One thread at a time.
class Fold {
 public:
  explicit Fold(const Terms& terms);

  /// Begin with levels as they are.
  void start(const Layers& live);
  /// Begin with what state() gave.
  void start(const Cells& cells, std::span<const double> scale);
  /// Begin with levels that can be taken away again: see expire(). `live` gets what to use as room for the next.
  void start_aging(Layers& live);
  /// The whole state, for start().
  void state(Cells& cells, std::vector<double>& scale) const;

  /// Sum rows from now on, and what is liquidated. The picture must outlive the fold.
  void show(const Picture& picture);
  /// Let windows pass: one, or some of an entry of idle ones.
  /// @param goes_on  whether those before it were of the same entry, since it began or start_aging()
  void step(const Segment& segment, std::uint64_t windows = 1, bool goes_on = false);
  /// Put cells of the levels that start_aging() took back to what they were, unless they are gone since. They were
  /// written down in the scale of that time, as start_aging() found it.
  void expire(std::span<const Suffix::Undo> older);

  /// Weighted rows of one side: live, and liquidated since forget_liquidated(). All of `out` is written.
  void live_rows(std::size_t side, std::span<float> out);
  void liquidated_rows(std::size_t side, std::span<float> out) const;
  void forget_liquidated() noexcept;
  /// Weighted live rows of one layer.
  void layer_rows(std::size_t layer, std::span<double> out) const;
  /// Bins of one layer that may hold something.
  [[nodiscard]] const Layers::Range& range(std::size_t layer) const noexcept { return ranges_[layer]; }

 private:
  static constexpr std::int64_t kBlock = 64;  // bins that share a bound on their smallest cell
  class Store;                                // of one layer, for pass()

  struct Rows {
    std::size_t low = 0;
    std::size_t high = 0;
    [[nodiscard]] bool empty() const noexcept { return low >= high; }
    void include(std::size_t row) noexcept;
  };

  void draw_liquidated(const Segment& segment, std::size_t layer);
  void draw_liquidated(std::size_t layer, std::int64_t bin, double lots) noexcept;
  void begin_entry(std::size_t layer);
  void rescale(std::size_t layer, double scale) noexcept;
  void add(const Cells& additions, std::size_t layer);
  void flush(std::size_t layer);
  void find_smallest();
  void bound_cell(std::size_t layer, std::int64_t bin);
  void bound(std::size_t layer, std::int64_t block, double lots);
  void clear(std::size_t layer) noexcept;
  [[nodiscard]] double cell(std::size_t layer, std::int64_t bin) const noexcept {
    return aging_ ? young_.at(layer, bin) + old_.at(layer, bin) : young_.at(layer, bin);
  }
  template <class Use>
  void each_filled(std::size_t layer, Layers::Range bins, Use&& use);
  [[nodiscard]] bool shown(std::int64_t bin) const noexcept { return bin >= shown_.low && bin < shown_.high; }
  [[nodiscard]] bool draws(std::size_t layer) const noexcept { return picture_ != nullptr && weight(layer) != 0.0; }
  void sum_row(std::size_t layer, std::size_t row) noexcept;
  void sum_rows(std::size_t layer, std::int64_t low, std::int64_t high) noexcept;
  [[nodiscard]] Rows rows_of(std::int64_t low, std::int64_t high) const noexcept;
  [[nodiscard]] double weight(std::size_t layer) const noexcept {
    return picture_->weights[layer / tiers_][layer % tiers_];
  }

  Terms terms_;
  std::size_t tiers_;
  bool aging_ = false;
  Layers young_;                // cells over scale_
  Layers old_;                  // the same for levels that expire; has no pages that young_ lacks
  std::vector<double> scale_;   // one a layer
  std::vector<double> begin_;   // the same when the entry in progress began
  std::uint64_t passed_ = 0;    // windows of it
  std::vector<double> undone_;  // scale that old_ was divided by since start_aging()
  std::vector<Layers::Range> ranges_;

  // A bound on the smallest non-zero cell of each block of bins, 0 where there is none: only where dust can be, cells
  // are looked at.
  Layers smallest_;
  bool bounded_ = false;

  const Picture* picture_ = nullptr;
  Layers::Range shown_;               // bins of the picture
  std::vector<std::int32_t> row_of_;  // of each of them
  std::vector<double> value_;         // of a lot in each of them
  std::vector<double> rows_;          // [layer][row], over scale_
  std::vector<double> liquidated_[2];
  Rows liquidated_in_[2];
  std::vector<double> sums_;  // scratch
};

}  // namespace liqcore::inline abi1
