/// The live levels, and the four verbs that every model is written in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "liqcore/axis.hpp"
#include "liqcore/footprint.hpp"
#include "liqcore/instrument.hpp"
#include "liqcore/layers.hpp"
#include "liqcore/leverage.hpp"
#include "liqcore/segment.hpp"

namespace liqcore::inline abi1 {

/// Prices from `low` to `high`, ticks, both included.
struct TickRange {
  std::int64_t low;
  std::int64_t high;
};

/// What a verb opens: a position, whose levels the tiers imply, or a level that is known.
struct Opening {
  Side side;
  std::int64_t tick;             ///< entry price, or the known level; > 0
  std::span<const double> lots;  ///< one for all tiers, or one a tier; whole, >= 0
  bool known = false;            ///< whether `tick` is the level itself, in every tier
};

/// Where the levels of an opening went: how many, one for each tier with a quantity. Those that are not live were
/// counted in the accounts and not added.
struct LIQCORE_EXPORT Opened {
  std::uint64_t live = 0;
  std::uint64_t no_price = 0;    ///< no liquidation price exists
  std::uint64_t underflow = 0;   ///< below a fixed axis
  std::uint64_t overflow = 0;    ///< above the axis
  std::uint64_t unresolved = 0;  ///< in its entry's own bin, or in one that the price has reached

  Opened& operator+=(const Opened& other) noexcept;
  bool operator==(const Opened&) const noexcept = default;
};

/// Live liquidation levels of one instrument, by side, leverage tier and price bin.
///
/// Every layer holds the whole opened quantity (lots) as if everybody used that tier. The book knows four verbs:
/// open, touch, scale, snapshot; it does not know what they stand for. It keeps apart what was settled before the
/// current window and what was opened in it, so that settle() can hand out the window's Segment.
/// One thread at a time. Only levels in new pages of an automatic axis allocate, and touching after a scale within one
/// window: a fixed axis reserves all that it can ever need, of which the system has to have only what is written to. A
/// verb that runs out of memory changes nothing. The functions named room_... make that memory beforehand: the verbs
/// that they name cannot fail then.
class LIQCORE_EXPORT LevelBook {
 public:
  /// Bins [low, high] that the current event has reached; a new level must lie strictly beyond.
  struct Reached {
    std::int64_t low_bin;
    std::int64_t high_bin;
  };

  /// Unless told otherwise, an automatic axis ends at this many bins above price zero: with one-basis-point bins about
  /// a hundred times the first price. A level beyond is out of range.
  static constexpr std::int64_t kAutomaticBins = std::int64_t{1} << 20;

  /// @param axis  the fixed axis; levels outside are counted as underflow or overflow
  /// @throws InvalidConfig if a tier cannot exist under the instrument's margin terms
  LevelBook(const Instrument& instrument, const LeverageProfile& leverage, const PriceAxis& axis);
  /// A book whose axis grows as levels come, in bins of `ticks_per_bin`.
  /// @param bins  where it ends, counted from price zero: 1 to kMaxAxisBins
  LevelBook(const Instrument& instrument, const LeverageProfile& leverage, std::int64_t ticks_per_bin,
            std::int64_t bins = kAutomaticBins);

  /// Open `lots` (>= 0; whole, or a multiple of 1/1024 lot) at `entry_tick` (> 0) in every tier of `side`.
  /// A level that is not strictly beyond the entry's own bin and `reached` counts as unresolved.
  void open(Side side, std::int64_t entry_tick, double lots, std::optional<Reached> reached = std::nullopt);
  /// The same with a quantity for each tier, or at a known level; and tell where the levels went. A known level has no
  /// entry: it must lie beyond `reached` alone.
  Opened open(const Opening& opening, std::optional<Reached> reached = std::nullopt);

  /// Liquidate every long level in a bin >= bin(low_tick) and every short level in a bin <= bin(high_tick).
  void touch(std::int64_t low_tick, std::int64_t high_tick) { touch_bins(bin_(low_tick), bin_(high_tick)); }

  /// Multiply all live levels by one factor in [0, 1] per side and tier: longs of each tier, then shorts.
  /// @throws InvalidConfig if their number or a value is wrong
  void scale(std::span<const double> factors);

  /// Multiply the live levels in the bins of [low_tick, high_tick] by one factor per side and tier, as scale(); what
  /// that leaves below half a lot is closed with it. What it does to older levels depends on them: see close().
  void scale_part(std::span<const double> factors, std::int64_t low_tick, std::int64_t high_tick);
  /// Close up to `lots` (one for all tiers, or one a tier) of what is live of a side in the bins of
  /// [low_tick, high_tick], the levels nearest to the price first.
  ///
  /// The window's segment holds it as additions below zero: right for the levels that were there, and for no others.
  /// @param closed  receives what was closed of each tier
  void close(Side side, std::int64_t low_tick, std::int64_t high_tick, std::span<const double> lots,
             std::span<double> closed) noexcept;

  /// Live lots of one layer, [tier][bin], over bins first_bin() .. first_bin() + width() - 1.
  /// @param out  tiers * width() values
  void snapshot(Side side, std::span<double> out) const noexcept;

  /// Windows of nothing but their own decay, all alike, that came last before the unfinished one.
  struct IdleWindows {
    const Segment* window = nullptr;  ///< one of them; null: there is none
    std::uint64_t windows = 0;
    std::optional<std::uint64_t> counted;  ///< idle_windows() of the book; none: not known
  };

  /// Bins [low, high) in which a layer (longs of each tier, then shorts) may be live.
  [[nodiscard]] Layers::Range live_range(std::size_t layer) const noexcept;
  /// First bin from `bin` on that lies in a page that may hold something live of a layer; Layers::kNone if there is
  /// none.
  [[nodiscard]] std::int64_t next_live(std::size_t layer, std::int64_t bin) const noexcept;
  /// What this window has opened and is live.
  [[nodiscard]] const Layers& opened() const noexcept { return fresh_; }
  /// Live lots of one layer by bin, as a picture of this moment has them: out[i] is of bin `low` + i. What a scale of
  /// this window has left below half a lot, and the window's end will flush, is 0.
  /// @param out  of bins within one page
  void live(std::size_t layer, std::int64_t low, std::span<double> out) const noexcept;

  /// Let a run of trades touch its whole price range, then open it.
  ///
  /// @param maker_share  what part of its quantity a trade opens on the aggressor's other side; a multiple of 1/1024
  /// @return false, with nothing changed, if the outcome depends on the order of the run's trades: then split it
  [[nodiscard]] bool apply_run(const Footprint& run, double maker_share);
  /// The layer (longs of each tier, then shorts) for which apply_run() would refuse the run; none if it would not.
  /// Depends on tiers and axis alone, not on what is live.
  [[nodiscard]] std::optional<std::size_t> order_needed(const Footprint& run, double maker_share) const noexcept;
  /// Open a run of trades that touches nothing (mark and candle triggers), or that has touched and lies in
  /// calm_range().
  void open_run(const Footprint& run, double maker_share, std::optional<Reached> reached);
  /// Ticks around `tick` (> 0) within which the order of trades never matters: touching the range of any run in it and
  /// then opening the run gives what its trades would give one by one. At most Footprint::kMaxTicks of them.
  [[nodiscard]] TickRange calm_range(std::int64_t tick) const noexcept;
  /// About how far calm_range(tick) reaches to either side, without looking.
  [[nodiscard]] std::int64_t calm_reach(std::int64_t tick) const noexcept;

  /// Make room for the levels that open() would put, and add their bins.
  void room_to_open(Side side, std::int64_t entry_tick, double lots, std::optional<Reached> reached,
                    Layers::Range& bins);
  void room_to_open(const Opening& opening, std::optional<Reached> reached, Layers::Range& bins);
  /// Make room for the levels that open_run() would put, and add their bins.
  void room_to_open(const Footprint& run, double maker_share, std::optional<Reached> reached, Layers::Range& bins) {
    if (!fixed_) room_for_run(run, maker_share, reached, bins);
  }
  /// The last step of making room: `bins` are those of all levels that room was made for. Only this can be seen, in
  /// first_bin() and width(); it happens wholly or not at all.
  void make_room(Layers::Range bins);
  /// Make room for one touch, whatever is scaled before it.
  void room_to_touch() {
    for (std::size_t side = 0; side < 2; ++side)
      if (touched_[side].size() == touched_[side].capacity() || step_scale_[side].capacity() < tiers_)
        make_room_to_touch(side);
  }
  /// Make room in `out` for what settle() will write; after a scale that comes first, too.
  void room_to_settle(Segment& out) const;

  /// End the window: write what it did into `out` (whose capacity is reused) and make it part of the settled levels.
  /// liquidated() shows the window that ended until begin_window().
  void settle(Segment& out) {
    peek(out);
    end_window(out);
  }
  /// The second half of settle(): `window` is what peek() wrote.
  ///
  /// Levels do not change while windows are idle and scale alike: how many there were is counted, and their scale
  /// applied to that power, once, when something else comes. Whatever is read in between is as if it had been.
  /// @param windows  how many end, each like this one, which is idle then
  /// @param joins    whether idle windows before it that scaled alike may be counted with it
  void end_window(const Segment& window, std::uint64_t windows = 1, bool joins = true) noexcept;
  /// Put in a whole window that another book of the same making settled and that started from nothing; this one's own
  /// window must be empty. liquidated() shows the window that was put in until begin_window().
  void absorb(const Segment& window, const LevelBook& from);
  /// Make room for what absorb() would put in, and add its bins.
  void room_to_absorb(const Segment& window, Layers::Range& bins);
  /// Forget what the last window liquidated: liquidated() is of the new one.
  void begin_window() noexcept;
  /// What settle() would write now, without settling.
  void peek(Segment& out) const;

  /// Take up where another book of the same making stood.
  /// @param settled   its levels at the end of its last closed window, before the idle ones
  /// @param open      its unfinished window, from peek()
  /// @param accounts  its accounts()
  /// @param axis      the range that its snapshot() wrote
  /// @param earlier   its earlier_accounts(); without them the accounts' fractions may differ in their last digits
  /// @param idle      its idle windows before the unfinished one
  /// @throws InvalidConfig if that is not of such a book; nothing has changed then
  void restore(Layers settled, const Segment& open, std::span<const Account> accounts, Layers::Range axis,
               std::span<const Account> earlier, const IdleWindows& idle);

  /// Where everything went since the start: longs of each tier, then shorts.
  [[nodiscard]] std::vector<Account> accounts() const;
  /// Of one layer; allocates nothing.
  [[nodiscard]] Account account(std::size_t layer) const noexcept;
  /// Live lots of one layer, summed cell by cell: in an account, a small rest of large totals has lost its last digits.
  [[nodiscard]] double live_lots(std::size_t layer) const noexcept;
  /// What restore() needs beside accounts() to come to the same fractions: of earlier windows, and what was liquidated
  /// and closed of their levels since.
  [[nodiscard]] std::vector<Account> earlier_accounts() const;
  /// How many idle windows are counted and not yet part of the settled levels; see end_window().
  [[nodiscard]] std::uint64_t idle_windows() const noexcept { return idle_.windows; }
  /// True once a cell went beyond what a double holds exactly; seen when the cell is liquidated or its window settles.
  [[nodiscard]] bool inexact() const noexcept { return inexact_; }

  [[nodiscard]] std::size_t tiers() const noexcept { return tiers_; }
  [[nodiscard]] const BinRule& bin_rule() const noexcept { return bin_; }
  /// First absolute bin that snapshot() writes.
  [[nodiscard]] std::int64_t first_bin() const noexcept { return fixed_ ? low_bin_ : settled_.first_bin(); }
  /// Number of bins that snapshot() writes; 0 while an automatic axis has no level yet.
  [[nodiscard]] std::int64_t width() const noexcept {
    return fixed_ ? high_bin_ - low_bin_ : std::min(settled_.width(), high_bin_ - settled_.first_bin());
  }
  /// Lots liquidated in the current window by layer and bin, whenever they were opened; see settle().
  [[nodiscard]] const Layers& liquidated() const noexcept { return liquidated_; }

 private:
  enum class Fate : std::uint8_t { live, no_price, underflow, overflow, unresolved };
  struct Level {
    Fate fate;
    std::int64_t bin;
  };

  LevelBook(const Instrument& instrument, const LeverageProfile& leverage, std::int64_t ticks_per_bin,
            std::int64_t low_bin, std::int64_t high_bin, bool fixed);
  [[nodiscard]] std::int64_t bound(Side side, std::int64_t entry_tick,
                                   const std::optional<Reached>& reached) const noexcept;
  [[nodiscard]] Level level(std::size_t layer, std::int64_t entry_tick, std::int64_t bound_bin) const noexcept;
  [[nodiscard]] Level level_at(std::size_t layer, double tick, std::int64_t bound_bin) const noexcept;
  template <class Use>
  void each_level(const Opening& opening, const std::optional<Reached>& reached, Use&& use) const;
  void add_level(std::size_t layer, const Level& level, double lots) noexcept;
  void add_live(std::size_t layer, std::int64_t bin, double lots) noexcept;
  void include_live(std::size_t layer, std::int64_t low, std::int64_t high) noexcept;
  void sum_run(const Footprint& run, double maker_share) noexcept;
  void open_side(Side side, const Footprint& run, double maker_share, const std::optional<Reached>& reached) noexcept;
  void open_layers(Side side, std::int64_t entry_tick, double lots, const std::optional<Reached>& reached) noexcept;
  void touch_bins(std::int64_t low_bin, std::int64_t high_bin);  // strong
  void clear_longs(std::int64_t from_bin) noexcept;
  void clear_shorts(std::int64_t to_bin) noexcept;
  void clear_settled(std::size_t layer, std::int64_t low_bin, std::int64_t high_bin) noexcept;
  void clear_fresh(std::size_t layer, std::int64_t low_bin, std::int64_t high_bin) noexcept;
  [[nodiscard]] bool surely_covered(Side side, std::int64_t low_tick, std::int64_t high_tick) const noexcept;
  template <class Ranges, class Single>
  void each_level(Side side, const Footprint& run, double maker_share, const std::optional<Reached>& reached,
                  Ranges&& ranges, Single&& single) const;
  [[nodiscard]] std::optional<Layers::Range> live_bins(std::size_t layer, std::int64_t lowest_tick,
                                                       std::int64_t highest_tick,
                                                       std::int64_t bound_bin) const noexcept;
  void record_touch(Side side, std::int64_t bin) noexcept;
  template <class Opens>
  [[nodiscard]] std::optional<std::size_t> first_ordered(TickRange ticks, Opens&& opens) const noexcept;
  void make_room_to_touch(std::size_t side);
  void room_for_run(const Footprint& run, double maker_share, const std::optional<Reached>& reached,
                    Layers::Range& bins);
  void hold_levels(Side side, std::int64_t low_tick, std::int64_t high_tick);
  void hold_axis();
  void project(std::size_t layer, std::int64_t tick, std::size_t ticks, const double* prefix, std::int64_t low,
               std::int64_t high) noexcept;
  void find_ends() noexcept;
  void check_factors(std::span<const double> factors) const;
  template <class Keep>
  void take_away(std::size_t layer, std::int64_t low_bin, std::int64_t high_bin, Keep&& keep) noexcept;
  void cancel_out(std::size_t layer) noexcept;
  bool take_up_scales(const Segment& open);
  void take_up(Layers settled, const Segment& open, std::span<const Account> accounts, Layers::Range bins,
               std::span<const Account> earlier, const IdleWindows& idle);
  template <class Use>
  void each_live(std::size_t layer, Use&& use) const noexcept;
  void end_idle_window(const Segment& window, std::uint64_t windows, bool joins) noexcept;
  void pass_idle() noexcept;
  [[nodiscard]] double idle_scale(std::size_t layer) const noexcept {
    return idle_.windows == 0 ? 1.0 : idle_.scale[layer];
  }
  /// What idle windows leave of a settled cell.
  [[nodiscard]] static double after_idle(double lots, double scale) noexcept {
    const double left = lots * scale;
    return scale != 1.0 && left < Layers::kDustLots ? 0.0 : left;
  }
  [[nodiscard]] Tally closed_but_unbooked(std::size_t layer) const noexcept;
  [[nodiscard]] Account& window_account(std::size_t layer) noexcept;

  std::size_t tiers_;
  BinRule bin_;
  bool fixed_;                   // whether the axis was given; otherwise storage grows, and the axis with it
  std::int64_t low_bin_;         // levels below are underflow
  std::int64_t high_bin_;        // levels at or above are overflow
  std::vector<double> factors_;  // level factor of each layer; NaN where none
  double nearest_;               // the least |factor - 1|
  double least_;                 // the least factor, and the greatest
  double greatest_;

  Layers settled_;         // levels opened before this window, not yet multiplied by idle_ and pending_
  Layers fresh_;           // levels opened in this window
  Layers liquidated_;      // liquidated in this window
  Layers own_liquidated_;  // the part of it that was opened in this window
  // Room: fresh_ has every page that any of them has or will have before the next is made, and the others have memory
  // for as many. On a fixed axis all of them have memory for every page there can be.
  TickRange held_[2] = {{0, -1}, {0, -1}};  // by side, entries whose levels have pages
  std::size_t roomed_ = 0;                  // pages that fresh_ had when the others last got their memory
  std::int64_t longs_end_;                  // no live long at or above this bin
  std::int64_t shorts_begin_;               // no live short below this bin

  std::vector<TouchStep> touched_[2];
  std::vector<double> step_scale_[2];  // room for the scale of the next touch step
  std::vector<double> pending_;        // scale of each layer since the window began
  struct Idle {
    Segment window;             // one of them: its scale alone
    std::uint64_t windows = 0;  // that have passed and are not in settled_ yet
    std::vector<double> scale;  // of each layer over all of them
  } idle_;
  bool scaled_ = false;
  bool liquidates_ = false;          // something was liquidated in this window
  bool ended_ = false;               // liquidated_ is still of the window before
  bool new_step_[2] = {true, true};  // a scale came since the side's last touch step

  Tally opened_[2];                    // in this window, by side: what every layer of a side opened
  Tally opened_before_[2];             // in earlier windows
  std::vector<Account> window_;        // of what was opened in this window, without `live`; `opened` beside opened_
  std::vector<std::uint8_t> thinned_;  // layers with cells of fresh_ below zero: what was taken away of settled_
  std::vector<std::uint8_t> booked_;   // layers whose account in window_ has an entry
  std::vector<Account> accounts_;      // of earlier windows, and what was liquidated and closed of their levels since;
                                       // without `live`; `opened` beside opened_before_
  std::vector<Tally> closed_;          // scratch of settle()
  std::vector<double> prefix_[2];      // scratch of a run: by side, what it opens below each tick
  double exact_limit_;                 // largest cell whose sums are exact, lots
  bool inexact_ = false;
};

}  // namespace liqcore::inline abi1
