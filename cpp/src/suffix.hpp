// Spans of windows folded from their end backwards, and the tree of spans that were combined in advance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <vector>

#include "liqcore/history.hpp"
#include "liqcore/layers.hpp"
#include "liqcore/segment.hpp"

namespace liqcore::inline abi1 {

/// Several windows in one: what a Segment does to levels, without what was liquidated and counted on the way.
struct Span {
  /// By Side, the furthest bin touched; what lies at or beyond was cleared. Beyond every bin where nothing was touched.
  std::int64_t touched[2] = {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  std::vector<double> scale;  ///< one a layer; empty for all 1
  Cells additions;            ///< opened in the span and live at its end

  [[nodiscard]] std::size_t bytes() const noexcept;
};

/// The levels that a stretch of time opened and left live, grown backwards: each prepend() puts the time before it in
/// front. Only the cells of what is put in front are looked at, so what is already there costs nothing.
class Suffix {
 public:
  /// What a cell held before something was put in front of it.
  struct Undo {
    std::uint32_t layer;
    std::int32_t bin;
    double lots;
  };

  explicit Suffix(std::size_t tiers) : live_(tiers), scale_(2 * tiers, 1.0) {}

  /// @param undo  if given, receives what each cell held before, in order
  void prepend(const Segment& segment, std::vector<Undo>* undo = nullptr);
  void prepend(const Span& span);

  /// Lots at the end of the stretch.
  [[nodiscard]] const Layers& live() const noexcept { return live_; }
  [[nodiscard]] Layers& live() noexcept { return live_; }
  /// Begin anew; room is kept.
  void reset() noexcept;
  /// Take away what a scale left below half a lot.
  void flush() noexcept;
  /// The stretch as one span.
  [[nodiscard]] Span span() const;

 private:
  void add(std::size_t layer, const Cells& cells, std::vector<Undo>* undo);

  Layers live_;
  std::int64_t touched_[2] = {Span{}.touched[0], Span{}.touched[1]};  // since what is in front next
  std::vector<double> scale_;
  bool scaled_ = false;
};

/// Combined spans of windows, aligned to powers of two of their number in the history (counted from its first window
/// ever), so that any stretch is a few of them and a few single windows at its edges.
///
/// A span is made when first asked for and stays valid for every history that shares its windows.
class SpanTree {
 public:
  /// Put windows [first, end), counted from the first ever, in front of a suffix.
  void prepend(const History& history, std::uint64_t first, std::uint64_t end, Suffix& to);
  /// Forget spans that begin before a window.
  void forget_before(std::uint64_t ordinal);
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  static constexpr unsigned kSmallest = 6;  // up to 63 windows at each edge of a stretch are put in one by one

  struct Node {
    std::weak_ptr<const Segment> last;  // the last window in it, which only one line of histories has
    Span span;
  };

  const Span& span(const History& history, unsigned level, std::uint64_t index);

  std::map<std::uint64_t, Node> levels_[64 - kSmallest];  // by first window >> level
};

}  // namespace liqcore::inline abi1
