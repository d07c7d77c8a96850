/// The models that open and close when open interest is sampled: oi, blend, vendor, and the correction of any model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "liqcore/book.hpp"
#include "liqcore/footprint.hpp"
#include "liqcore/layers.hpp"
#include "liqcore/model.hpp"
#include "liqcore/segment.hpp"

namespace liqcore::inline abi1 {

/// Lots that aggressors bought and sold at a tick.
struct Traded {
  std::int64_t tick;
  double bought;
  double sold;
  bool operator==(const Traded&) const = default;
};

/// What happened since the last sample of open interest.
struct Interval {
  std::vector<Traded> profile;    ///< rising, every tick once
  std::optional<TickRange> hull;  ///< what was touched; none: nothing was
  Candle prices;                  ///< of the trades and candles, whose volumes are the profile's
};

/// What a SampledModel knows between two events, to go on later or elsewhere.
struct SampledState {
  std::optional<double> before;  ///< the last sample, lots; none before the first
  Interval interval;
  std::vector<Tally> liquidated;  ///< of each layer, since the start, when the last sample was taken
  std::vector<double> spared;     ///< see SampledModel::spared()
  std::vector<double> capped;     ///< see SampledModel::capped()
};

/// Turns samples of open interest and vendor events into the verbs of a book, by docs/theory/models.md.
///
/// It is told what trades and touches (by whoever lets them reach the book), and keeps the interval's profile: a sorted
/// list of distinct ticks, so memory grows with the prices that traded since the last sample, not with time or with the
/// range. Between samples it never touches the book. One thread at a time.
class LIQCORE_EXPORT SampledModel {
 public:
  /// @throws InvalidConfig if an option breaks its rule or belongs to another model
  /// @param lot_size  quantity of a lot, for the event threshold
  SampledModel(Model model, const ModelOptions& options, std::size_t tiers, double lot_size);

  /// Whether the model needs to know what trades and touches; otherwise the calls below may be left out.
  [[nodiscard]] bool watches() const noexcept { return watches_; }

  /// Whether samples do anything; otherwise they may be left out.
  [[nodiscard]] bool acts() const noexcept { return watches_ || options_.reconciled; }

  /// A trade, or a candle's volumes at its entry price; lots.
  void traded(std::int64_t tick, double bought, double sold);
  /// A run of trades.
  void traded(const Footprint& run);
  /// Prices of a trade, a run or a candle.
  void priced(const Candle& candle) noexcept { state_.interval.prices.extend(candle); }
  /// Something touched [low, high].
  void touched(TickRange range) noexcept;
  /// Make room for traded() at so many ticks.
  void room_to_trade(std::size_t ticks);
  /// Make room for append().
  void room_to_append(const SampledModel& later) { room_to_trade(later.state_.interval.profile.size()); }
  /// What another model was told, that came after what this one was told.
  void append(const SampledModel& later);

  /// What a sample needs to know beyond the interval.
  struct Market {
    std::optional<LevelBook::Reached>
        reached;                          ///< bins in which no level can stand: those of the last mark that touched
    std::optional<TickRange> last_touch;  ///< stands for the hull of an interval that had no touch
    std::int64_t last_price;              ///< tick of the last trade or candle, or of the last mark
  };

  /// Make the memory that sample() will need, of the book too: all of it or none that can be seen.
  void room_for(double lots, LevelBook* book, const Market& market);
  /// Take a sample (whole lots, >= 0): close, open, touch the interval's hull, correct, begin a new interval.
  /// @param book  null as long as no price was seen: then the sample is only remembered
  void sample(double lots, LevelBook* book, const Market& market);

  /// Open `lots` on both sides at `tick`.
  static void event(double lots, std::int64_t tick, LevelBook& book);

  /// Lots of each layer that liquidations explain: without `reconciled` they would have been closed.
  [[nodiscard]] const std::vector<double>& spared() const noexcept { return state_.spared; }
  /// Lots of each layer that were closed because it exceeded open interest.
  [[nodiscard]] const std::vector<double>& capped() const noexcept { return state_.capped; }

  [[nodiscard]] SampledState state() const;
  /// @throws InvalidConfig if the state is of a book with other tiers
  void restore(SampledState state);

 private:
  void compact();
  void close(double before, double now, double renewed, LevelBook& book);
  void open(double lots, LevelBook& book, const Market& market);
  [[nodiscard]] double opens(double before, double now) const;
  [[nodiscard]] std::int64_t event_tick(const Market& market) const;
  template <class Open>
  void open_side(Side side, double lots, const Market& market, Open&& open_level) const;
  void cap(double now, LevelBook& book);
  static void touch_hull(const Interval& interval, LevelBook& book, const Market& market);

  Model model_;
  ModelOptions options_;
  double threshold_lots_;  // infinite: open interest makes no events
  bool watches_;
  SampledState state_;
  std::size_t compacted_ = 0;    // so much of the profile is sorted; what was added since is not
  std::vector<double> factors_;  // scratch
};

}  // namespace liqcore::inline abi1
