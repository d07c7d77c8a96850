/// The segments of a run of the engine, and the columns of a heatmap folded from them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "liqcore/instrument.hpp"
#include "liqcore/layers.hpp"
#include "liqcore/leverage.hpp"
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

/// Weights of a Picture at which the USD of a linear contract's level are quantity x *entry* price, and not x the price
/// of the level: weight / level factor. Of a tier without levels, and of inverse contracts, the weights themselves. Of
/// levels that were opened at a known price it is the entry that the tier implies.
[[nodiscard]] LIQCORE_EXPORT std::vector<double> entry_weights(const Instrument& instrument,
                                                               const LeverageProfile& leverage, Side side);

/// Consecutive one-window segments, oldest first, and the levels that were live before the first of them.
///
/// Windows in a row in which nothing happened (Segment::idle()) and that are alike, in scale and boundary, are one
/// entry, however they came: so a gap costs no more than a window. What such an entry does to levels is its scale to
/// the power of its windows, rounded once, then cells below half a lot are flushed.
///
/// With `keep`, the oldest window is folded into the levels before it once there are more. Segments are shared, never
/// copied: a copy of a history is cheap and stays as it was when the engine goes on. One thread at a time; copies may
/// be used and destroyed on other threads.
///
/// Two things are made when first needed, and shared with the copies: the levels at every 1,024th entry, where a fold
/// can begin; and spans of entries combined in advance (a tree), from which the levels opened in any stretch of time
/// are found by looking at a few dozen spans and entries. Neither is made by the engine as it runs.
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
  /// Windows that are here.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Windows ever added; the last size() of them are here.
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  /// Window i of size(), oldest first: a copy.
  [[nodiscard]] Segment segment(std::size_t i) const;
  /// The same, shared where it is no idle window.
  [[nodiscard]] std::shared_ptr<const Segment> share(std::size_t i) const;
  /// Start of window i, ns.
  [[nodiscard]] std::int64_t start_ns(std::size_t i) const noexcept;
  /// The levels that were live before window 0.
  [[nodiscard]] Layers base() const;
  /// Replace the levels before window 0, which `folded` windows left (a history read back from a file).
  /// @throws InvalidConfig unless they are cells of its layers, counted right and in rising bins
  void set_base(const Cells& cells, std::uint64_t folded = 0);

  /// A window, or idle windows in a row that are alike.
  struct Entry {
    const Segment& window;  ///< the first of them; an idle one without accounts, which are zero
    std::size_t first;      ///< window number of the first of them that is here
    std::size_t count;      ///< of them that are here
    std::size_t folded;     ///< of them that `keep` has taken away; only of the oldest entry
  };
  [[nodiscard]] std::size_t entries() const noexcept { return entries_.size(); }
  /// Entry e of entries(), oldest first.
  [[nodiscard]] Entry entry(std::size_t e) const noexcept;
  /// The entry of window i; of i = size(), one past the last.
  [[nodiscard]] std::size_t entry_of(std::size_t i) const noexcept;
  [[nodiscard]] std::shared_ptr<const Segment> share_entry(std::size_t e) const noexcept { return entries_[e].segment; }
  /// Number of an entry, counted from the first ever.
  [[nodiscard]] std::uint64_t ordinal(std::size_t e) const noexcept { return entries_ever_ - entries_.size() + e; }
  /// The levels before entry 0: those before window 0, but for the windows of it that `keep` has taken away.
  [[nodiscard]] const Layers& entry_base() const noexcept { return base_; }
  /// The levels before entry e.
  [[nodiscard]] Layers levels_before_entry(std::size_t e) const;

  /// Keep every window from now on.
  void keep_all() noexcept { keep_.reset(); }

  /// Add a window; an idle one as often as `windows` says, each a window later.
  void append(Segment segment, std::size_t windows = 1);

  /// Memory that the next windows are written into; made by room_for().
  using Room = std::vector<std::shared_ptr<Segment>>;
  /// Make all the memory that put() will need for `windows` windows: one that adds `opened`, and idle ones after it.
  /// Scaled ones, if that is said.
  void room_for(std::size_t windows, const Layers& opened, bool scaled, Room& room);
  /// The same without memory for the windows themselves, which are `entries` entries, and, where they do not all stay,
  /// for what they add to the base.
  void room_to_put(std::size_t windows, std::size_t entries);
  /// Whether of so many more windows some would be folded away with the last of them.
  [[nodiscard]] bool folds(std::size_t windows) const noexcept { return to_fold(windows) > size_; }
  /// Make the memory that one of them needs for that.
  void room_to_fold(const Segment& segment) { base_.hold(segment.additions); }
  /// Add a window as append() does: `segment` gets other memory in exchange, or stays as it is. What was added.
  const Segment& put(Segment& segment, Room& room, std::size_t windows = 1) noexcept;
  /// Add a window that nobody else has; needs room_to_put().
  const Segment& put(std::shared_ptr<Segment> segment, std::size_t windows = 1) noexcept;
  /// Whether put() would make a window part of the last entry.
  [[nodiscard]] bool joins(const Segment& segment) const noexcept;
  /// Gives segment and number of windows of each entry to `use`, oldest first; the history is of no use any more.
  template <class Use>
  void release(Use&& use) && {
    for (std::size_t e = 0; e < entries_.size(); ++e) use(std::move(entries_[e].segment), entries_[e].count);
  }

  /// Become a copy of `newer`. Where this is an earlier copy of it, only the windows since are added, which costs as
  /// much as they hold; otherwise everything is copied. If memory runs out this is an earlier copy still, or of no use.
  void follow(const History& newer);

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
  [[nodiscard]] static std::shared_ptr<Cache> make_cache();
  struct Slot {
    std::shared_ptr<Segment> segment;
    std::uint64_t first = 0;  // window, counted from the first ever
    std::size_t count = 0;    // windows
  };
  /// The entries, oldest first: a ring once some have been taken away, whose other slots have memory to write over.
  class Ring {
   public:
    Ring() = default;
    Ring(const Ring& from);
    Ring(Ring&& from) noexcept : slots_(std::move(from.slots_)), head_(from.head_), used_(from.used_) {
      from.head_ = from.used_ = 0;
    }
    Ring& operator=(Ring from) noexcept;
    ~Ring() = default;
    [[nodiscard]] std::size_t size() const noexcept { return used_; }
    [[nodiscard]] Slot& operator[](std::size_t i) noexcept { return slots_[at(i)]; }
    [[nodiscard]] const Slot& operator[](std::size_t i) const noexcept { return slots_[at(i)]; }
    [[nodiscard]] Slot& back() noexcept { return slots_[at(used_ - 1)]; }
    [[nodiscard]] const Slot& back() const noexcept { return slots_[at(used_ - 1)]; }
    void reserve(std::size_t more);
    /// Needs reserve(). The slot may have a segment that is to be written over.
    Slot& push_back() noexcept;
    void pop_front() noexcept;

   private:
    [[nodiscard]] std::size_t at(std::size_t i) const noexcept {
      const std::size_t slot = head_ + i;
      return slot < slots_.size() ? slot : slot - slots_.size();
    }
    std::vector<Slot> slots_;
    std::size_t head_ = 0;
    std::size_t used_ = 0;
  };

  [[nodiscard]] std::uint64_t oldest() const noexcept { return total_ - size_; }
  [[nodiscard]] std::size_t to_fold(std::size_t windows) const noexcept;
  void fold_oldest(std::size_t windows) noexcept;
  void join(std::size_t windows) noexcept;
  Slot* next_slot(const Segment& segment, std::size_t windows) noexcept;

  Terms terms_;
  std::optional<std::size_t> keep_;
  Ring entries_;
  std::size_t size_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t entries_ever_ = 0;
  Layers base_;                   // before entry 0, also if some of its windows are folded
  std::shared_ptr<Cache> cache_;  // shared by copies, which may be used by other threads; has a lock
};

}  // namespace liqcore::inline abi1
