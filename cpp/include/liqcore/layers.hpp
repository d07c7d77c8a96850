/// Lots by layer and bin: what segments are applied to.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "liqcore/segment.hpp"

namespace liqcore::inline abi1 {

/// Live levels: lots of every layer by absolute bin, in pages of 256 bins.
///
/// The state that segments are applied to; a column of a heatmap is the fold of all segments so far. A page exists
/// where something was written, and what does not exist is zero: memory and time go with the pages that exist, however
/// far they lie apart.
/// One thread at a time.
class LIQCORE_EXPORT Layers {
 public:
  /// Range of bins [low, high) of one layer that may hold something.
  struct Range {
    std::int64_t low = 0;
    std::int64_t high = 0;
    [[nodiscard]] bool empty() const noexcept { return low >= high; }
    void include(std::int64_t bin) noexcept { include({bin, bin + 1}); }
    void include(const Range& other) noexcept {
      if (other.empty()) return;
      if (empty()) {
        *this = other;
      } else {
        if (other.low < low) low = other.low;
        if (other.high > high) high = other.high;
      }
    }
  };

  /// A scaled cell below this is dust: nobody holds a part of a lot.
  static constexpr double kDustLots = 0.5;
  /// What two ways to the same sum may differ by, relative to its parts.
  static constexpr double kRounding = 1e-9;
  /// Bins of a page.
  static constexpr std::int64_t kPage = 256;
  /// Bins that the extent grows by, so that it does not depend on the order of what came.
  static constexpr std::int64_t kExtentStep = 512;

  explicit Layers(std::size_t tiers) : tiers_(tiers), ranges_(2 * tiers) {}
  Layers(const Layers& other);
  Layers(Layers&&) noexcept = default;
  Layers& operator=(const Layers& other);
  Layers& operator=(Layers&&) noexcept = default;
  ~Layers() = default;

  // --- memory: made here and by add(), and by nothing else; nothing else can fail
  /// Pages for these bins of a layer.
  void hold(std::size_t layer, Range bins);
  /// Pages for rising bins of a layer, and none between.
  void hold(std::size_t layer, std::span<const std::int32_t> bins);
  void hold(const Cells& cells);
  /// A page wherever `other` may hold something.
  void hold(const Layers& other);
  /// Memory for pages to come: wherever `other` has one, each of which is made when it is written to. These layers must
  /// have no pages that `other` lacks.
  void room_for(const Layers& other);
  /// Memory for all pages of these bins, each of which is made (and so costs memory that is really there) when it is
  /// written to.
  void room_for(Range bins);
  /// Pages that exist.
  [[nodiscard]] std::size_t pages() const noexcept { return memory_.taken(); }

  // --- cells
  /// Lots of a bin, by its absolute number.
  [[nodiscard]] double at(std::size_t layer, std::int64_t bin) const noexcept {
    const double* const cells = page(layer, bin);
    return cells == nullptr ? 0.0 : cells[within(bin)];
  }
  /// A cell to write to; there must be room for it.
  [[nodiscard]] double& cell(std::size_t layer, std::int64_t bin) noexcept {
    const auto at = group_at(bin);
    assert(at < groups_);
    double**& group = directory_[layer * groups_ + at];
    if (group == nullptr) group = group_memory_.take();
    double*& cells = group[page_in_group(bin)];
    if (cells == nullptr) cells = memory_.take();
    return cells[within(bin)];
  }
  /// The page in which a bin lies; null if there is none.
  [[nodiscard]] const double* page(std::size_t layer, std::int64_t bin) const noexcept {
    const auto at = group_at(bin);
    if (at >= groups_) return nullptr;
    const double* const* const group = directory_[layer * groups_ + at];
    return group == nullptr ? nullptr : group[page_in_group(bin)];
  }
  /// Where a bin lies in its page.
  [[nodiscard]] static constexpr std::size_t within(std::int64_t bin) noexcept {
    return static_cast<std::size_t>(bin & (kPage - 1));
  }
  /// First bin of the next page.
  [[nodiscard]] static constexpr std::int64_t page_end(std::int64_t bin) noexcept { return (bin | (kPage - 1)) + 1; }

  /// Where a layer may be non-zero.
  [[nodiscard]] const Range& range(std::size_t layer) const noexcept { return ranges_[layer]; }
  [[nodiscard]] Range& range(std::size_t layer) noexcept { return ranges_[layer]; }

  /// The one way through many cells: `use(first bin, cells, number)` for each page that exists, as far as it lies
  /// within `bins`, from below.
  template <class Use>
  void each_page(std::size_t layer, Range bins, Use&& use) const {
    for_pages(layer, bins, [&](std::int64_t bin, const double* cells, std::size_t n) { use(bin, cells, n); });
  }
  template <class Use>
  void each_page(std::size_t layer, Range bins, Use&& use) {
    for_pages(layer, bins, use);
  }
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  /// First bin of the layer's range from `bin` on that has a page; kNone if there is none.
  [[nodiscard]] std::int64_t next_in_page(std::size_t layer, std::int64_t bin) const noexcept;
  /// Where a layer is not zero, within `bins`; `with`, if given, is added to it and has no pages that this lacks.
  [[nodiscard]] Range filled(std::size_t layer, Range bins, const Layers* with = nullptr) const noexcept;

  /// Add lots to a cell, making room where needed.
  void add(std::size_t layer, std::int64_t bin, double lots);
  /// Add rising bins of one layer.
  void add(std::size_t layer, std::span<const std::int32_t> bins, std::span<const double> lots);
  void add(const Cells& cells);
  /// All cells back to zero; room is kept.
  void clear() noexcept;

  /// What becomes of cells that a scale left below half a lot: flushed (booked as closed) where the layers are the
  /// whole book, kept where they are only the part of it that a segment opened.
  enum class Dust : std::uint8_t { keep, flush };

  /// Let a stretch of time pass. `liquidated`, if given, receives by bin what the segment's touches took of these
  /// layers (the segment's own liquidated cells not included); `closed`, one a layer, what its scale closed.
  /// @param windows  how often an idle segment repeats
  void apply(const Segment& segment, Dust dust, Layers* liquidated, std::span<Tally> closed, std::uint64_t windows = 1);

  // --- extent: how far levels have come, in whole steps
  /// From now on the extent includes bins [low, high).
  void cover(std::int64_t low, std::int64_t high) noexcept;
  [[nodiscard]] bool covers(std::int64_t low, std::int64_t high) const noexcept {
    return low >= first_bin_ && high <= first_bin_ + width_;
  }
  [[nodiscard]] std::int64_t first_bin() const noexcept { return first_bin_; }
  [[nodiscard]] std::int64_t width() const noexcept { return width_; }

  [[nodiscard]] std::size_t tiers() const noexcept { return tiers_; }
  [[nodiscard]] std::size_t layers() const noexcept { return 2 * tiers_; }
  /// Write a layer's lots over the extent, bin by bin.
  /// @param out  width() values
  void copy(std::size_t layer, std::span<double> out) const noexcept;
  /// Write the non-zero cells, in order; `out` keeps its capacity.
  void extract(Cells& out) const;
  /// Make room for what extract() would write.
  void room_to_extract(Cells& out) const;

 private:
  /// Memory for blocks of `size` values. A reserved block is not touched before it is taken, so the system need not
  /// have it by then.
  template <class T, std::int64_t size>
  class Memory {
   public:
    [[nodiscard]] std::size_t taken() const noexcept { return taken_; }
    [[nodiscard]] std::size_t room() const noexcept { return room_; }
    /// Room for as many blocks as this in all.
    void reserve(std::size_t blocks) {
      if (blocks <= room_) return;
      constexpr std::size_t kFewest = 8;
      const std::size_t more = std::max({blocks - room_, room_, kFewest});
      chunks_.push_back({std::unique_ptr<T[]>(new T[more * size]), more});
      room_ += more;
    }
    /// A block of zeros.
    [[nodiscard]] T* take() noexcept {
      assert(taken_ < room_);
      if (used_ == chunks_[chunk_].blocks) {
        ++chunk_;
        used_ = 0;
      }
      T* const block = chunks_[chunk_].values.get() + size * used_;
      std::fill_n(block, size, T{});
      ++used_;
      ++taken_;
      return block;
    }

   private:
    struct Chunk {
      std::unique_ptr<T[]> values;
      std::size_t blocks;
    };
    std::vector<Chunk> chunks_;
    std::size_t chunk_ = 0;  // that blocks are taken of
    std::size_t used_ = 0;   // blocks of it
    std::size_t taken_ = 0;
    std::size_t room_ = 0;
  };

  // A page is found in a group of 64 by number, a group in the directory by layer and number; all are counted from
  // price zero. A directory is small, whatever it spans, and memory for groups goes with the pages that exist.
  static constexpr std::int64_t kGroup = 64 * kPage;  // bins
  static_assert(kPage == 1 << 8 && kGroup == 1 << 14);
  [[nodiscard]] std::uint64_t group_at(std::int64_t bin) const noexcept {
    return static_cast<std::uint64_t>((bin >> 14) - first_group_);
  }
  [[nodiscard]] static constexpr std::size_t page_in_group(std::int64_t bin) noexcept {
    return static_cast<std::size_t>((bin >> 8) & 63);
  }
  /// Let the directory include the groups of these bins.
  void widen(Range bins);
  template <class Use>
  void for_pages(std::size_t layer, const Range& bins, Use&& use) const {
    const std::int64_t end = std::min(bins.high, (first_group_ + static_cast<std::int64_t>(groups_)) * kGroup);
    for (std::int64_t bin = std::max(bins.low, first_group_ * kGroup); bin < end;) {
      double* const* const group = directory_[layer * groups_ + group_at(bin)];
      const std::int64_t group_end = std::min(end, (bin | (kGroup - 1)) + 1);
      if (group == nullptr) {
        bin = group_end;
        continue;
      }
      do {
        const std::int64_t next = std::min(group_end, page_end(bin));
        if (double* const cells = group[page_in_group(bin)]; cells != nullptr)
          use(bin, cells + within(bin), static_cast<std::size_t>(next - bin));
        bin = next;
      } while (bin < group_end);
    }
  }
  [[nodiscard]] std::size_t filled_cells() const noexcept;

  std::size_t tiers_;
  std::int64_t first_bin_ = 0;
  std::int64_t width_ = 0;
  std::vector<Range> ranges_;
  std::vector<double**> directory_;  // [layer][group]; null where there is none, as pages are in a group
  std::int64_t first_group_ = 0;
  std::size_t groups_ = 0;  // of a layer
  Memory<double*, 64> group_memory_;
  Memory<double, kPage> memory_;
};

}  // namespace liqcore::inline abi1
