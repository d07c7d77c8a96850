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

/// Live levels: lots of every layer by absolute bin, in pages of 512 bins.
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
    void include(std::int64_t bin) noexcept {
      if (empty()) {
        low = bin;
        high = bin + 1;
      } else {
        if (bin < low) low = bin;
        if (bin >= high) high = bin + 1;
      }
    }
    void include(const Range& other) noexcept {
      if (other.empty()) return;
      include(other.low);
      include(other.high - 1);
    }
  };

  /// A scaled cell below this is dust: nobody holds a part of a lot.
  static constexpr double kDustLots = 0.5;
  /// Bins of a page, and of what the extent grows by, so that it does not depend on the order of what came.
  static constexpr std::int64_t kPage = 512;

  explicit Layers(std::size_t tiers) : tiers_(tiers), layers_(2 * tiers) {}
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
    Layer& of = layers_[layer];
    const auto i = static_cast<std::size_t>(number(bin) - of.first);
    assert(i < of.pages.size());
    double*& cells = of.pages[i];
    if (cells == nullptr) cells = memory_.take();
    return cells[within(bin)];
  }
  /// The page in which a bin lies; null if there is none.
  [[nodiscard]] const double* page(std::size_t layer, std::int64_t bin) const noexcept {
    const Layer& of = layers_[layer];
    const auto i = static_cast<std::uint64_t>(number(bin) - of.first);
    return i < of.pages.size() ? of.pages[i] : nullptr;
  }
  /// Where a bin lies in its page.
  [[nodiscard]] static constexpr std::size_t within(std::int64_t bin) noexcept {
    return static_cast<std::size_t>(bin & (kPage - 1));
  }
  /// First bin of the next page.
  [[nodiscard]] static constexpr std::int64_t page_end(std::int64_t bin) noexcept { return (bin | (kPage - 1)) + 1; }

  /// Where a layer may be non-zero.
  [[nodiscard]] const Range& range(std::size_t layer) const noexcept { return layers_[layer].range; }
  [[nodiscard]] Range& range(std::size_t layer) noexcept { return layers_[layer].range; }

  /// The one way through many cells: `use(first bin, cells, number)` for each page that exists, as far as it lies
  /// within `bins`, from below.
  template <class Use>
  void each_page(std::size_t layer, Range bins, Use&& use) const {
    pages_of(layers_[layer], bins, [&](std::int64_t bin, const double* cells, std::size_t n) { use(bin, cells, n); });
  }
  template <class Use>
  void each_page(std::size_t layer, Range bins, Use&& use) {
    pages_of(layers_[layer], bins, use);
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

  // --- extent: how far levels have come, in whole pages
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
  /// Memory for pages. A reserved page is not touched before it is taken, so the system need not have it by then.
  class Memory {
   public:
    [[nodiscard]] std::size_t taken() const noexcept { return taken_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Room for as many pages as this in all.
    void reserve(std::size_t pages);
    /// A page of zeros.
    [[nodiscard]] double* take() noexcept;

   private:
    struct Chunk {
      std::unique_ptr<double[]> cells;
      std::size_t pages;
    };
    std::vector<Chunk> chunks_;
    std::size_t chunk_ = 0;  // that pages are taken of
    std::size_t used_ = 0;   // pages of it
    std::size_t taken_ = 0;
    std::size_t size_ = 0;
  };

  struct Layer {
    Range range;
    std::int64_t first = 0;      // number of the first page
    std::vector<double*> pages;  // null where there is none
  };

  /// Pages are counted from price zero.
  [[nodiscard]] static constexpr std::int64_t number(std::int64_t bin) noexcept { return bin >> 9; }
  static void widen(Layer& layer, std::int64_t low_page, std::int64_t end_page);
  template <class Use>
  static void pages_of(const Layer& layer, const Range& bins, Use&& use) {
    if (bins.empty() || layer.pages.empty()) return;
    const std::int64_t low = std::max<std::int64_t>(number(bins.low) - layer.first, 0);
    const std::int64_t end =
        std::min(number(bins.high - 1) + 1 - layer.first, static_cast<std::int64_t>(layer.pages.size()));
    for (std::int64_t i = low; i < end; ++i) {
      double* const cells = layer.pages[static_cast<std::size_t>(i)];
      if (cells == nullptr) continue;
      const std::int64_t begin = (layer.first + i) * kPage;
      const std::int64_t from = std::max(bins.low, begin);
      use(from, cells + (from - begin), static_cast<std::size_t>(std::min(bins.high, begin + kPage) - from));
    }
  }
  void copy_cells(const Layers& other);
  [[nodiscard]] std::size_t filled_cells() const noexcept;

  std::size_t tiers_;
  std::int64_t first_bin_ = 0;
  std::int64_t width_ = 0;
  std::vector<Layer> layers_;
  Memory memory_;
};

}  // namespace liqcore::inline abi1
