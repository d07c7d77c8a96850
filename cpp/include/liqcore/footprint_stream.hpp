/// Trades summed into short runs by price and aggressor, to be stored and replayed into other tiers or axes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "liqcore/engine.hpp"
#include "liqcore/footprint.hpp"
#include "liqcore/outliers.hpp"
#include "liqcore/stats.hpp"

namespace liqcore::inline abi1 {

/// On which grid a stream counts, and where its runs end.
struct FootprintTerms {
  double tick_size;
  double lot_size;
  double span_bps = 5.0;                 ///< a run's high lies at most this above its low, basis points of its first
                                         ///< price, and at most FootprintStream::kMaxSpan ticks; >= 0
  std::int64_t cut_ns = 60'000'000'000;  ///< runs end at whole multiples of this since the UNIX epoch; >= 1
  double outlier = 0.0;                  ///< EngineOptions::outlier of the trades; 0: every price is believed
  bool operator==(const FootprintTerms&) const = default;
};

/// The columns of a stream: one value a run, then one value an entry (a tick of a run at which somebody traded).
struct FootprintColumns {
  std::vector<std::int64_t> start_ns;    ///< time of the run's first trade
  std::vector<std::int64_t> last_ns;     ///< time of its last
  std::vector<std::int32_t> first_tick;  ///< price of its first trade
  std::vector<std::int32_t> last_tick;   ///< price of its last
  std::vector<std::int32_t> trades;      ///< number of them
  std::vector<std::int64_t> end;         ///< entries of this run and of those before it

  std::vector<std::int32_t> tick;    ///< rising within a run, from its low to its high
  std::vector<std::int64_t> bought;  ///< lots that aggressors bought
  std::vector<std::int64_t> sold;    ///< lots that aggressors sold
};

/// Rows of trades that a stream came from and that its runs do not tell.
struct FootprintCounts {
  std::uint64_t rounded_qty = 0;                         ///< rows used whose quantity was off the lot grid
  std::array<std::uint64_t, kRejectReasons> rejected{};  ///< rows not used, by Reject
};

/// Trades summed into runs; what an engine does with a run does not depend on the order of its trades, or it refuses
/// it.
///
/// See Engine::replay(). Never changes, so any number of threads may read it.
class LIQCORE_EXPORT FootprintStream {
 public:
  static constexpr std::int64_t kMaxSpan = Footprint::kMaxTicks / 2 - 1;  ///< from a run's low to its high, ticks
  static constexpr std::int32_t kMaxTrades = 1 << 20;                     ///< of one run
  static constexpr std::int64_t kMaxTradeLots = std::int64_t{1} << 30;    ///< a larger trade is a run of its own

  /// Columns that were stored.
  /// @throws InvalidConfig if they break a rule above: lengths, order of times, ticks, quantities, where runs end
  FootprintStream(const FootprintTerms& terms, FootprintColumns columns, const FootprintCounts& counts);

  [[nodiscard]] const FootprintTerms& terms() const noexcept { return terms_; }
  [[nodiscard]] const FootprintColumns& columns() const noexcept { return columns_; }
  [[nodiscard]] const FootprintCounts& counts() const noexcept { return counts_; }
  /// Trades in all runs.
  [[nodiscard]] std::uint64_t trades() const noexcept { return trades_; }

  /// One run, in place.
  struct Run {
    std::int64_t start_ns;
    std::int64_t last_ns;
    std::int64_t first;  ///< ticks
    std::int64_t low;
    std::int64_t high;
    std::int64_t last;
    std::int32_t trades;
    std::span<const std::int32_t> tick;
    std::span<const std::int64_t> bought;
    std::span<const std::int64_t> sold;
  };
  [[nodiscard]] std::size_t size() const noexcept { return columns_.start_ns.size(); }
  [[nodiscard]] Run operator[](std::size_t i) const noexcept {
    const FootprintColumns& c = columns_;
    const std::size_t begin = i == 0 ? 0 : static_cast<std::size_t>(c.end[i - 1]);
    const std::size_t n = static_cast<std::size_t>(c.end[i]) - begin;
    return {c.start_ns[i],
            c.last_ns[i],
            c.first_tick[i],
            c.tick[begin],
            c.tick[begin + n - 1],
            c.last_tick[i],
            c.trades[i],
            {c.tick.data() + begin, n},
            {c.bought.data() + begin, n},
            {c.sold.data() + begin, n}};
  }

 private:
  FootprintTerms terms_;
  FootprintColumns columns_;
  FootprintCounts counts_;
  std::uint64_t trades_ = 0;
};

/// Makes a FootprintStream of trades, at the speed at which an engine takes them. One thread at a time.
class LIQCORE_EXPORT FootprintBuilder {
 public:
  /// @param ends_ns  further times at which runs end, rising: a trade at such a time begins a new run (as a mark of
  /// that
  ///                 time comes before it)
  /// @throws InvalidConfig if a term or the order of `ends_ns` breaks its rule
  explicit FootprintBuilder(const FootprintTerms& terms, std::vector<std::int64_t> ends_ns = {});

  /// Add trades. Rows that cannot be used are counted as an engine counts them. Any split into calls gives the same.
  /// @throws InvalidConfig if lengths differ
  void trades(const TradeArrays& trades);
  [[nodiscard]] const FootprintTerms& terms() const noexcept { return terms_; }
  /// The first rows that were outliers, and the first jumps that lasted, of the stream in progress.
  [[nodiscard]] const PriceNotes& price_notes() const noexcept { return price_notes_; }
  /// The stream of everything so far; the builder begins anew.
  [[nodiscard]] FootprintStream finish();

 private:
  void use_rows(const std::int64_t* ts_ns, const std::int64_t* keys, const std::int64_t* lots, std::size_t n);
  void use_row(std::int64_t ts_ns, double price, double qty, bool taker_sell);
  void begin_run(std::int64_t ts_ns, std::int64_t tick);
  void end_run();

  FootprintTerms terms_;
  std::vector<std::int64_t> ends_ns_;
  FootprintColumns columns_;
  FootprintCounts counts_;
  std::int64_t clock_ns_;
  PriceBelief belief_;
  PriceNotes price_notes_;

  Footprint run_;  // not in the columns yet
  std::int64_t start_ns_ = 0;
  std::int64_t end_ns_ = 0;  // the run ends before this time
  std::int64_t span_ = 0;    // and before its high is further than this above its low
  std::int32_t trades_ = 0;

  std::vector<std::int64_t> keys_;  // scratch of one block
  std::vector<std::int64_t> lots_;
};

}  // namespace liqcore::inline abi1
