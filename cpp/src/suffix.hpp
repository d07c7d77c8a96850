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

/// An entry as it was when something was made of it: only one line of histories has it, and its last may have grown.
struct EntryMark {
  std::weak_ptr<const Segment> segment;
  std::size_t count = 0;

  EntryMark() = default;
  EntryMark(const History& history, std::size_t e)
      : segment(history.share_entry(e)), count(history.entry(e).count + history.entry(e).folded) {}
  [[nodiscard]] bool operator==(const EntryMark& other) const noexcept {
    return count == other.count && !segment.owner_before(other.segment) && !other.segment.owner_before(segment);
  }
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

  /// @param windows  how often an idle segment repeats
  /// @param undo     if given, receives what each cell held before, in order
  void prepend(const Segment& segment, std::uint64_t windows = 1, std::vector<Undo>* undo = nullptr);
  void prepend(const Span& span);

  /// Lots at the end of the stretch.
  [[nodiscard]] const Layers& live() const noexcept { return live_; }
  [[nodiscard]] Layers& live() noexcept { return live_; }
  /// Whether nothing is live; false may be wrong.
  [[nodiscard]] bool empty() const noexcept;
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

/// Combined spans of entries of a history, aligned to powers of two of their number (counted from the first ever), so
/// that any stretch is a few of them and a few single entries at its edges, however many windows those are.
///
/// A span is made when first asked for and stays valid for every history that shares its entries.
class SpanTree {
 public:
  /// Put windows [first, end) of a history in front of a suffix.
  void prepend(const History& history, std::size_t first, std::size_t end, Suffix& to);
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  static constexpr unsigned kSmallest = 6;  // up to 63 entries at each edge of a stretch are put in one by one

  struct Node {
    EntryMark last;  // the last entry in it
    Span span;
  };

  void prepend_entries(const History& history, std::uint64_t first, std::uint64_t end, Suffix& to);
  const Span& span(const History& history, unsigned level, std::uint64_t index);
  void forget_before(std::uint64_t ordinal);

  std::map<std::uint64_t, Node> levels_[64 - kSmallest];  // by first entry >> level
};

}  // namespace liqcore::inline abi1
