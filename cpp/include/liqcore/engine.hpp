/// The engine: market events in, live levels and window segments out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "liqcore/book.hpp"
#include "liqcore/error.hpp"
#include "liqcore/feed.hpp"
#include "liqcore/history.hpp"
#include "liqcore/model.hpp"
#include "liqcore/outliers.hpp"
#include "liqcore/presence.hpp"
#include "liqcore/sampled_model.hpp"
#include "liqcore/stats.hpp"

namespace liqcore::inline abi1 {

class FootprintStream;
class Pool;
class Publisher;
struct Jumps;
struct TradeBlock;

/// How an engine is set up; the defaults suit a live 5-minute map.
struct EngineOptions {
  std::optional<PriceAxis> axis;   ///< fixed; none lets the engine choose from the first price, and grow
  std::int64_t ticks_per_bin = 0;  ///< of an automatic axis; 0 chooses about one basis point of the first price
  std::int64_t window_ns = 300'000'000'000;  ///< length of a column; >= 1
  Model model = Model::flow;
  Trigger trigger = Trigger::last;
  double maker_share = 0.0;          ///< flow, presence: 0..1, kept to the nearest 1/1024 so that sums stay exact
  std::vector<double> half_life_ns;  ///< one a tier, > 0 (infinity: never decays); empty: nothing decays
  std::optional<std::size_t> keep;   ///< closed segments kept; none: all
  /// Threads that long arrays of trades are spread over, the caller's included; 1..256. More than one makes a pool that
  /// lives as long as the engine and sleeps between calls; one makes none. Results do not depend on it: bit for bit
  /// without half-life, otherwise but for the last bits of the accounts' fractions.
  std::size_t threads = 1;
  ModelOptions model_options;  ///< of the models that read open interest or events
  /// Where an automatic axis ends, in bins above price zero; 1 to 2^22. A trade, mark, candle or vendor event that
  /// reaches a price there is rejected as off_range; a level there counts as overflow.
  std::int64_t axis_limit = LevelBook::kAutomaticBins;
  CandlePrice candle_price = CandlePrice::hlc3;  ///< where a candle's volumes open, in every model
  /// How far from the price before it a price of the same stream may lie, as a share of it, before it is rejected as an
  /// outlier until others agree (outliers.hpp has the rule; vendor events and footprints are not looked at); of marks
  /// and candles five times as far. A candle whose low or high lies ten times as far beyond its open and close is an
  /// outlier, too. 0: every price is believed.
  double outlier = 0.0;
};

/// Everything an engine knows, to go on later or elsewhere; see Engine::checkpoint().
struct Checkpoint {
  History history;                ///< closed windows that are kept
  std::optional<Segment> open{};  ///< the unfinished window; none if no window has begun
  Stats stats{};                  ///< since the start
  std::int64_t clock_ns = 0;
  Layers::Range axis{};                  ///< absolute bins that levels() covers
  std::optional<TickRange> triggered{};  ///< the last touch
  bool used_trades = false;
  bool used_candle_volumes = false;
  SampledState sampled{};                ///< the interval in progress
  std::int64_t last_price = 0;           ///< tick of the last trade or candle; 0: none yet
  std::int64_t began_ns = 0;             ///< the book's first event
  std::vector<double> liquidated_usd{};  ///< Engine::liquidated_usd()
  std::vector<Account> earlier{};        ///< LevelBook::earlier_accounts(); empty: not known (files of liqcore 0.1.0)
  /// Engine::kind() of the engine that it was taken of; empty: not known (files of liqcore 0.1.0).
  std::vector<std::pair<std::string, std::string>> kind{};
  std::optional<TickRange> run{};  ///< ticks that the run in progress takes; none: not known, or there was none
  std::int64_t run_tick = 0;       ///< where it began
  /// Where `triggered` left the price: one tick, or its range if a touch did not say; none: not known, its range.
  std::optional<TickRange> price{};
  bool thinned = false;  ///< a verb has taken away a part of the book, so that the engine is sequential
  std::array<PriceBelief, kPriceStreams> beliefs{};  ///< by PriceStream; nothing without EngineOptions::outlier
  /// LevelBook::idle_windows(); none: not known (files of liqcore 0.1.0).
  std::optional<std::uint64_t> idle_windows{};
  PresenceState presence{};  ///< of the model presence: the second in progress
};

/// Estimates where leveraged positions would be liquidated, from a stream of market events.
///
/// Streaming one trade at a time, batches of any size and everything at once give identical bits (but see below). Rows
/// that cannot be used are counted by reason in Stats and change nothing; a row never throws, except for a jump of more
/// than a million windows, which throws before anything of the call has happened.
///
/// Whatever else throws, an event, a verb, the start and a restore happen wholly or not at all, also when memory runs
/// out. Arrays are events one after the other: those before the one that memory did not suffice for have happened, and
/// counts() says how many.
///
/// Trades are summed before they are projected, and applied to the book when something else happens or the book is
/// read; so reading is a use of the engine, too. It changes no bit of what comes, but for the last digits of sums of
/// fractions (1e-12): in the accounts with half-lives or scale(), and in cells that a scale() has left as fractions
/// where trades open in them before the window ends (flow, reconciled). One engine is used by one thread at a time; any
/// number of engines run in parallel.
class LIQCORE_EXPORT Engine {
 public:
  /// A jump over more windows than this is an error: nearly always a wrong time unit.
  static constexpr std::int64_t kMaxGapWindows = 1'000'000;

  /// @throws InvalidConfig if an option breaks its rule, or a tier cannot exist under the margin terms
  Engine(Instrument instrument, LeverageProfile leverage, EngineOptions options = {});
  /// An engine moves, and is copied by clone() alone. One that was moved from may only be destroyed or assigned to.
  Engine(Engine&&) noexcept = default;
  Engine& operator=(Engine&&) noexcept = default;
  Engine& operator=(const Engine&) = delete;
  ~Engine() = default;

  /// Another engine that stands where this one stands: what follows is bit for bit the same. Costs a copy of the book.
  ///
  /// Shares the closed segments, which never change, and the pool of threads, at which the two take turns. It has no
  /// hook: a hook says where the columns of its own engine go. May be called in a hook; changes nothing.
  [[nodiscard]] Engine clone() const;

  // One event. Returns why it was rejected, or Reject::none.
  Reject trade(std::int64_t ts_ns, double price, double qty, bool taker_sell);
  Reject mark(std::int64_t ts_ns, double price);
  /// One sample, one-sided. Recorded with the window's segment; what it opens and closes is up to the model.
  Reject open_interest(std::int64_t ts_ns, double quantity);
  /// Open `qty` (rounded to whole lots) on both sides at `price` (rounded to the tick), before anything is touched.
  /// @throws InvalidConfig with another model than vendor
  Reject vendor_event(std::int64_t ts_ns, double price, double qty);

  // Arrays. Returns what this call did.
  Stats trades(const TradeArrays& trades);
  /// Trades from records, gathered a block at a time; the same bits as from arrays. Records are read twice: first to
  /// refuse what throws, before anything of the call has happened.
  RecordStats records(const TradeRecords& records);
  Stats marks(const SampleArrays& marks);
  /// A candle acts at its last nanosecond: touches [low, high] unless the trigger is `mark`, then opens its taker
  /// volumes at EngineOptions::candle_price. Candles with volumes may stand where there are no trades, before and
  /// between them: one that opens before the last event, where trades have come, is refused.
  Stats candles(const CandleArrays& candles);
  Stats open_interest(const SampleArrays& samples);
  Stats vendor_events(const EventArrays& events);
  /// @throws InvalidConfig if trades and candle volumes of one market are of the same time
  Stats feed(const Feed& feed);
  /// As feed(), but only counts rows: allocates no more than single events do, and does not ask for what the accounts
  /// need, the levels that the last run of trades opened. For small batches at a high rate.
  /// @throws InvalidConfig as feed()
  RowCounts feed_rows(const Feed& feed);

  /// Feed trades that were summed into runs, and other streams beside them (without trades) as feed() merges them.
  /// Every window, level and count is what the trades themselves would give; the stream's rejected rows count as rows
  /// of this call. Runs beyond the end of an automatic axis count as rejected, trade by trade; what their stream found
  /// late or rounded stays so. The times of each stream beside must not fall. A row that feed() rejects still holds up
  /// the trades behind it until its own time has come; runs have no such row.
  /// @throws InvalidConfig if that cannot be, before anything of the call has happened: a run for whose trades the
  /// order
  ///         matters to a tier, a run that goes over the end of a window, over a mark (trigger `mark`) or over the end
  ///         of a candle; another tick or lot size; a stream that begins before the clock
  Stats replay(const FootprintStream& footprints, const Feed& beside = {});

  /// Move the clock: windows that ended by then are closed.
  /// @throws InvalidConfig if ts_ns is before the clock
  void advance(std::int64_t ts_ns);

  // The verbs, for models of your own; they act at the engine's clock. What breaks a rule is an InvalidConfig, and
  // nothing has happened: a value that is not finite or not positive, a quantity that rounds to no lot, no clock yet.
  /// Open `qty` at `price` (rounded to the tick) in every tier. A level that does not lie beyond its entry's bin and
  /// beyond where the last touch left the price (and, with the trigger `mark`, the last mark) counts as unresolved.
  /// @return where the levels went
  Opened open(Side side, double price, double qty);
  /// @param qty  one a tier; 0 opens nothing in that tier, but not all may be 0
  Opened open(Side side, double price, std::span<const double> qty);
  /// Open `qty` at a liquidation price that is known, the same in every tier; read at weights that sum to 1 it is
  /// `qty`. A level that the price has reached (as for open(), without an entry) counts as unresolved.
  Opened open_level(Side side, double level, double qty);
  /// @param qty  one a tier
  Opened open_level(Side side, double level, std::span<const double> qty);
  /// Liquidate what lies at or beyond [low, high].
  /// @param last  where the price is after it, in [low, high]: what opens is held against it. Without, it may be
  ///              anywhere: what opens must lie beyond all of [low, high]
  void touch(double low, double high, std::optional<double> last = std::nullopt);

  // Arrays of them: the same bits as one by one. All rows are checked first; a row that breaks a rule is an error that
  // names it, and nothing has happened.
  Opened opens(const OpenArrays& rows);
  Opened open_levels(const OpenArrays& rows);
  void touches(const TouchArrays& rows);

  /// Multiply all live levels: longs of each tier, then shorts.
  void scale(std::span<const double> factors);

  // Verbs for a part of the book. What they take away depends on what is there: from the first of them on the engine is
  // sequential().
  /// Multiply the live levels in the bins from that of `low` to that of `high`; what is left below half a lot of a bin
  /// is closed, too.
  void scale(std::span<const double> factors, double low, double high);
  /// Close up to `qty` of what is live of a side in the bins from that of `low` to that of `high`, in every tier: the
  /// levels nearest to the price first. Forced orders that were seen, for instance.
  /// @return what was closed, quantity, one a tier
  std::vector<double> close(Side side, double low, double high, double qty);
  /// @param qty  one a tier
  std::vector<double> close(Side side, double low, double high, std::span<const double> qty);

  using Hook = std::function<void(const Segment&)>;
  /// Called whenever a window closes, with its segment, on the thread that feeds the engine. The window is over by
  /// then: whatever the hook reads (levels, features, stats, clock, peek, checkpoint) is what advance() to the end of
  /// the window would leave, for any size of batch and number of threads. Only book()->liquidated() still shows the
  /// window that closed. With a hook, windows close on one thread.
  ///
  /// It must not feed the engine (InvalidConfig) and should not throw; if it does, the event that closed the window has
  /// not happened, the window's end has. It may replace or remove itself: what it was keeps running to its end. What a
  /// hook was told of stands, even if memory runs out for the rest of the event.
  /// Without a hook, poll history().total() and history().segment().
  void on_column(Hook hook);

  /// Publish for other threads to read (published.hpp): at once, by itself whenever windows have ended, and when a
  /// reader asks; null ends it. Works beside a hook and with several threads. A moved engine goes on publishing, a
  /// clone does not; one publisher takes one engine at a time.
  void publish_to(std::shared_ptr<Publisher> publisher);

  [[nodiscard]] const Instrument& instrument() const noexcept { return instrument_; }
  [[nodiscard]] const LeverageProfile& leverage() const noexcept { return leverage_; }
  [[nodiscard]] const EngineOptions& options() const noexcept { return options_; }
  /// Time of the last event used, ns; none before the first.
  [[nodiscard]] std::optional<std::int64_t> clock() const noexcept;
  /// Time of the event that started the book (the first price of any kind), ns; none before it.
  [[nodiscard]] std::optional<std::int64_t> began() const noexcept;
  /// Price of the last trade, or close of the last candle; NaN before the first.
  [[nodiscard]] double last_price() const;
  /// What the last window that has closed liquidated: USD by layer (longs of each tier, then shorts), without weights,
  /// at the mid price of each level's bin; empty before a window has closed.
  [[nodiscard]] std::span<const double> liquidated_usd() const noexcept { return liquidated_usd_; }
  /// The axis of levels(): fixed, or as far as levels have come; none before the first price.
  [[nodiscard]] std::optional<PriceAxis> axis() const;
  /// Whether a step of the model depends on what is in the book: then parts of a history cannot be computed apart.
  [[nodiscard]] bool sequential() const noexcept { return options_.model_options.reconciled || thinned_; }
  /// What open interest has corrected so far, and the interval in progress.
  [[nodiscard]] const SampledModel& sampled() const {
    apply_run();
    return live_.sampled;
  }
  /// The book; null before the first price of an automatic axis.
  [[nodiscard]] const LevelBook* book() const {
    apply_run();
    return live_.book ? &*live_.book : nullptr;
  }
  /// Closed windows; null before the first price of an automatic axis.
  [[nodiscard]] const History* history() const noexcept { return history_ ? &*history_ : nullptr; }
  /// The unfinished window as a segment; false if no window has begun or there is no book yet.
  bool peek(Segment& out) const;
  /// The closed windows that are kept and, if one has begun, the unfinished one as their last: a picture of this
  /// moment. None before the first price of an automatic axis. Shares the closed segments.
  [[nodiscard]] std::optional<History> history_so_far() const;
  /// Everything since the start.
  [[nodiscard]] Stats stats() const;
  /// What became of the rows since the start: stats() without the quantities; allocates nothing.
  [[nodiscard]] const RowCounts& counts() const noexcept { return counts_; }

  /// The first few rows that were rejected as outliers, and the first jumps that lasted, since the engine was made or
  /// loaded; by time within a stream.
  [[nodiscard]] const PriceNotes& price_notes() const noexcept { return price_notes_; }

  /// The engine's whole state. Before the first price its history counts bins of 0 ticks.
  [[nodiscard]] Checkpoint checkpoint() const;
  /// What makes an engine's state its own, by name: leverage, axis, model, trigger and their options. A checkpoint fits
  /// engines of the same kind; `keep` and `threads` are no part of it.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> kind() const;
  /// Take up where an engine of the same instrument, leverage and options stood: what follows is bit for bit the same,
  /// but for the last digits of liquidated_usd() of the window in progress, where a scale in it has left fractions.
  /// @throws InvalidConfig if this engine was fed already, or the checkpoint is of another kind of engine: by name
  void restore(const Checkpoint& checkpoint);

  /// This engine as bytes: instrument, leverage, options (without `threads`) and state, for load() here or on another
  /// machine. Equal engines give equal bytes. docs/reference/engine-file.md is the format.
  ///
  /// Costs a pass over what is kept; allocates the bytes and no more than checkpoint() does.
  /// @param notes  text that comes back from load(); not read
  [[nodiscard]] std::vector<std::byte> save(std::string_view notes = {}) const;
  /// The same into memory of the caller's.
  /// @return how many bytes there are; if `out` is smaller, it holds nothing of use
  std::size_t save_to(std::span<std::byte> out, std::string_view notes = {}) const;
  /// The engine that save() wrote, on any machine and by this version of liqcore or an earlier one: what follows is bit
  /// for bit the same, but for what restore() leaves out. Hooks are not saved.
  ///
  /// Everything is checked before it is used: no bytes do harm, and what is read takes a few times their memory before
  /// there is an engine.
  /// @param threads  EngineOptions::threads of the engine
  /// @param notes    receives those given to save(); null: not wanted
  /// @throws DataError if the bytes are damaged, cut off or of a later format; the message names the part
  [[nodiscard]] static Engine load(std::span<const std::byte> bytes, std::size_t threads = 1,
                                   std::string* notes = nullptr);

 private:
  Engine(const Engine&) = default;  // for clone()

  /// The last tick of an automatic axis.
  [[nodiscard]] std::int64_t last_tick(std::int64_t ticks_per_bin) const noexcept;
  /// Whether a price lies beyond it; before the first price, if that one would lie beyond its own axis.
  [[nodiscard]] bool off_range(std::int64_t tick) const noexcept;
  [[nodiscard]] bool beyond_axis(std::int64_t tick, const LevelBook* book) const noexcept;
  [[nodiscard]] Reject check_trade(std::int64_t ts_ns, double price, double qty, std::int64_t clock, OnGrid& tick,
                                   OnGrid& lots) const noexcept;
  [[nodiscard]] Reject check_mark(std::int64_t ts_ns, double price, std::int64_t clock) const noexcept;
  [[nodiscard]] Reject check_event(std::int64_t ts_ns, double price, double qty, std::int64_t clock) const noexcept;
  [[nodiscard]] Reject check_candle(const CandleArrays& candles, std::size_t i, std::int64_t clock) const noexcept;
  [[nodiscard]] Reject check_sample(std::int64_t ts_ns, double value, std::int64_t clock) const noexcept;

  [[nodiscard]] Jumps jumps() const noexcept;
  void refuse_jump(std::int64_t ts_ns) const;
  void refuse_jumps(const Feed& feed, bool trades_sorted) const;
  void refuse_records(const TradeRecords& records) const;
  void refuse_double_volumes(const Feed& feed, bool has_trades) const;
  void refuse_replay(const FootprintStream& footprints, const Feed& beside) const;
  void refuse_runs(const FootprintStream& footprints, const Feed& all) const;
  Reject count(Reject reason) noexcept;

  [[nodiscard]] LevelBook new_book(std::int64_t tick) const;
  void start_book(std::int64_t ts_ns, std::int64_t tick);
  void end_book() noexcept;
  void begin_window(std::int64_t start_ns) noexcept;
  // Windows that ended by then close, or the first price (tick 0: it is none) starts the book; `prepare` makes the
  // memory that the rest of the event needs. It all happens or, if memory runs out, nothing.
  template <class Prepare>
  void move_clock(std::int64_t ts_ns, std::int64_t tick, Prepare&& prepare);
  void move_clock(std::int64_t ts_ns, std::int64_t tick);
  template <class Prepare>
  void close_windows(std::size_t windows, Prepare&& prepare);
  void end_windows(Segment& window, std::size_t windows);
  void end_windows_of(const Segment& window, std::size_t windows);
  void publish_windows_ended() const noexcept;
  void answer_readers() const noexcept;
  void call_hook(const Segment& segment);
  void refuse_in_hook() const;
  void value_liquidated() noexcept;
  void write_boundary(Segment& segment) const noexcept;
  [[nodiscard]] Checkpoint checkpoint_unbegun() const;
  void restore_unbegun(const Checkpoint& checkpoint);
  Reject checked_trade(std::int64_t ts_ns, double price, double qty, bool taker_sell);
  void use_large_trade(std::int64_t ts_ns, std::int64_t tick, double lots, bool taker_sell);
  void use_trades(const TradeArrays& trades, std::size_t begin, std::size_t end, bool sorted);
  void use_in_turn(const TradeArrays& trades, std::size_t begin, std::size_t end, bool sorted);
  void use_block(const TradeArrays& trades, const TradeBlock& block);
  // Rows of a block: what they open, and, where that is not the same, what was traded; null: it is.
  struct Rows {
    const std::int64_t* keys;
    const std::int64_t* lots;
    const std::int64_t* traded;
  };
  void use_rows(Rows rows, std::size_t n, TickRange ticks, std::size_t& done);
  void add_to_run(Rows rows, std::size_t n, TickRange ticks) noexcept;
  void add_to_run(std::int64_t ts_ns, std::int64_t tick, std::int64_t lots, bool taker_sell) noexcept {
    if (presence_.acts()) {
      (taker_sell ? live_.traded.sold : live_.traded.bought) += lots;
      lots = static_cast<std::int64_t>(presence_.add(ts_ns, static_cast<double>(lots), taker_sell));
    }
    live_.run.add(tick, lots, taker_sell);
  }
  [[nodiscard]] bool trades_open() const noexcept {
    return options_.model == Model::flow || options_.model == Model::presence;
  }
  [[nodiscard]] bool watches() const noexcept { return options_.outlier > 0.0; }
  [[nodiscard]] PriceBelief& belief_of(PriceStream stream) const noexcept {
    return live_.beliefs[static_cast<std::size_t>(stream)];
  }
  [[nodiscard]] PriceBelief trade_belief() const noexcept;
  void believe_trade(const PriceBelief& belief);
  void look_again() noexcept;
  [[nodiscard]] std::size_t surely_used(const TradeArrays& trades, std::size_t begin, std::size_t end) const;
  void use_footprints(const FootprintStream& footprints, std::size_t begin, std::size_t end);
  void begin_run(std::int64_t tick);
  [[nodiscard]] bool trades_rise(std::span<const std::int64_t> ts_ns) const;
  std::size_t use_whole_windows(const TradeArrays& trades, std::size_t begin, std::size_t end);
  void absorb(Engine& later);
  void apply_run() const;
  void room_to_open(std::int64_t tick, double longs, double shorts, std::optional<LevelBook::Reached> reached);
  Reject mark_seen(std::int64_t ts_ns, double price, std::int64_t seen_ns);  // seen when, of which it acts later
  void use_mark(std::int64_t ts_ns, double price);
  Reject candle(const CandleArrays& candles, std::size_t i);
  void use_candle(const CandleArrays& candles, std::size_t i);
  void draw(const Candle& candle) const;
  [[nodiscard]] std::optional<LevelBook::Reached> mark_reached() const noexcept;
  void touch_book(TickRange range, TickRange price);

  // What a verb's arguments are, once they are known to fit.
  struct TouchTicks {
    TickRange range;
    TickRange price;
  };
  [[nodiscard]] std::optional<LevelBook::Reached> price_reached() const noexcept;
  void refuse_without_clock() const;
  void check_times(std::span<const std::int64_t> ts_ns) const;
  [[nodiscard]] TouchTicks touch_ticks(double low, double high, std::optional<double> last, std::ptrdiff_t row) const;
  Opened open_at(Side side, double price, std::span<const double> qty, bool known);
  Opened open_rows(const OpenArrays& rows, bool known);
  Opened use_opening(std::int64_t ts_ns, const Opening& opening);
  void use_touch(std::int64_t ts_ns, const TouchTicks& touch);
  std::vector<double> close_at(Side side, double low, double high, std::span<const double> qty);

  Instrument instrument_;
  LeverageProfile leverage_;
  EngineOptions options_;
  std::vector<double> window_decay_;  // factor of each layer at a window's end; empty: none

  /// A run of trades that is not in the book yet, and what it will change when apply_run() puts it there. To read any
  /// of that puts it there first, which changes nothing that can be seen: that is why it may happen behind a const.
  struct Live {
    Footprint run;
    std::optional<LevelBook> book;
    Candle candle;
    std::optional<TickRange> triggered;  // the last touch
    std::optional<TickRange> price;      // where it left the price: one tick, or its range if nobody said
    SampledModel sampled;
    std::int64_t last_price;                         // tick of the last trade or candle; 0: none yet
    std::array<PriceBelief, kPriceStreams> beliefs;  // that of trades without the run in progress: see trade_belief()
    Footprint::Volumes traded;                       // in the run, where it sums what opens and that is something else
  };
  mutable Live live_;

  std::optional<History> history_;
  std::shared_ptr<const Hook> hook_;
  std::shared_ptr<Publisher> publisher_;
  bool in_hook_ = false;
  bool looked_ahead_ = false;  // the call in progress has seen the times of all its rows
  struct LookedAhead {
    bool& ahead;
    explicit LookedAhead(bool& of) noexcept : ahead(of) { ahead = true; }
    ~LookedAhead() { ahead = false; }
    LookedAhead(const LookedAhead&) = delete;
    LookedAhead& operator=(const LookedAhead&) = delete;
  };
  Segment closing_;     // what the next window is written into
  Segment idle_;        // a window in which nothing happens
  History::Room room_;  // scratch of close_windows()

  std::int64_t clock_ns_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t began_ns_ = 0;  // when the book was started
  std::int64_t window_start_ns_ = 0;
  std::int64_t window_end_ns_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t plain_end_ns_ =
      std::numeric_limits<std::int64_t>::min();  // before it, a trade needs no look at the clock
  std::int64_t last_event_ns_ = std::numeric_limits<std::int64_t>::min();
  double mark_price_ = std::numeric_limits<double>::quiet_NaN();
  double open_interest_ = std::numeric_limits<double>::quiet_NaN();
  std::int64_t mark_tick_ = 0;  // 0: none yet
  std::int64_t run_tick_ = 0;   // where the last run began
  std::int64_t last_tick_ = 0;  // prices above are off_range; 0: known when the first price has made the book
  bool used_trades_ = false;
  bool used_candle_volumes_ = false;
  bool thinned_ = false;  // a verb has taken away a part of the book
  bool doubts_ = false;   // a trade's price needs a look even where the run takes it
  PriceNotes price_notes_;

  std::shared_ptr<Pool> pool_;  // null with one thread

  std::vector<double> liquidated_usd_;  // by layer, in the last closed window; empty before there is one

  Stats counts_;  // without accounts
  double per_tick_;
  double per_lot_;
  std::vector<std::int64_t> keys_;  // scratch of one block
  std::vector<std::int64_t> lots_;
  Presence presence_;
  std::vector<std::int64_t> opened_;  // scratch of one block; empty unless presence_ acts
};

}  // namespace liqcore::inline abi1
