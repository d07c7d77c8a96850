#include "liqcore/engine.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "check_feed.hpp"
#include "check_rows.hpp"
#include "kernels/kernels.hpp"
#include "liqcore/error.hpp"
#include "liqcore/footprint_stream.hpp"
#include "pool.hpp"
#include "rounding.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr std::size_t kBlockRows = 1024;  // a block's keys and lots stay in the first-level cache
constexpr double kShareSteps = 1024.0;

std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept { return a / b - (a % b < 0 ? 1 : 0); }

/// The range of some keys (2 * tick + side); n >= 1.
TickRange ticks_of(const std::int64_t* keys, std::size_t n) noexcept {
  std::int64_t low;
  std::int64_t high;
  kernels::active().range(keys, n, &low, &high);
  return {low / 2, high / 2};
}

Stats& operator-=(Stats& stats, const Stats& before) {
  static_cast<RowCounts&>(stats) -= before;
  for (std::size_t i = 0; i < before.accounts.size(); ++i) stats.accounts[i] -= before.accounts[i];
  return stats;
}

void refuse_jump(const char* argument, std::int64_t from_ns, std::int64_t to_ns, std::int64_t windows,
                 std::int64_t window_ns) {
  if (windows > Engine::kMaxGapWindows)
    throw InvalidConfig(std::string(argument) + " must not jump over more than " + text_of(Engine::kMaxGapWindows) +
                        " windows at once (are the times in nanoseconds?): from " + text_of(from_ns) + " to " +
                        text_of(to_ns) + " ns are " + text_of(windows) + " windows of " + text_of(window_ns) + " ns");
}

template <class T>
T value_at(const Strided& column, std::size_t i) noexcept {
  T out;
  std::memcpy(&out, static_cast<const char*>(column.first) + static_cast<std::ptrdiff_t>(i) * column.step, sizeof out);
  return out;
}

/// Calls `use(i, taker_sell)` for the trades among the records, and counts the others if asked to.
template <class Flags, class Use>
void for_each_trade_of(const TradeRecords& records, Use&& use, RecordStats* count) {
  for (std::size_t i = 0; i < records.size; ++i) {
    const std::uint64_t flags = value_at<Flags>(records.flags, i);
    const bool sold = records.sell != 0 ? (flags & records.sell) != 0 : (flags & records.buy) == 0;
    const bool bought = records.buy != 0 ? (flags & records.buy) != 0 : !sold;
    if ((flags & records.kind_mask) != records.kind) {
      if (count != nullptr) ++count->other_kinds[flags & 0xff];
    } else if ((flags & records.clock) != records.clock) {
      if (count != nullptr) ++count->other_clock;
    } else if (sold == bought) {
      if (count != nullptr) ++count->no_side;
    } else {
      use(i, sold);
    }
  }
}

template <class Use>
void for_each_trade(const TradeRecords& records, Use&& use, RecordStats* count = nullptr) {
  if (records.wide_flags)
    for_each_trade_of<std::uint64_t>(records, use, count);
  else
    for_each_trade_of<std::uint8_t>(records, use, count);
}

bool any_volumes(const CandleArrays& candles) {
  const auto any = [](std::span<const double> values) {
    return std::any_of(values.begin(), values.end(), [](double value) { return value > 0.0; });
  };
  return any(candles.buy_qty) || any(candles.sell_qty);
}

}  // namespace

Engine::Engine(Instrument instrument, LeverageProfile leverage, EngineOptions options)
    : instrument_(std::move(instrument)),
      leverage_(std::move(leverage)),
      options_(std::move(options)),
      sampled_(options_.model, options_.model_options, leverage_.size(), instrument_.lot_size()),
      per_tick_(1.0 / instrument_.tick_size()),
      per_lot_(1.0 / instrument_.lot_size()),
      keys_(kBlockRows),
      lots_(kBlockRows) {
  EngineOptions& o = options_;
  if (o.window_ns < 1 || o.window_ns >= kMaxTime)
    throw InvalidConfig("window must be at least 1 ns and below 2^62 ns, was " + text_of(o.window_ns));
  if (!(o.maker_share >= 0.0 && o.maker_share <= 1.0))
    throw InvalidConfig("maker_share must lie in [0, 1], was " + text_of(o.maker_share));
  o.maker_share = round_half_even(o.maker_share * kShareSteps) / kShareSteps;
  if (o.keep && *o.keep < 1) throw InvalidConfig("keep must be at least 1, was 0");
  if (o.threads < 1 || o.threads > 256)
    throw InvalidConfig("threads must be between 1 and 256, was " + std::to_string(o.threads));
  if (o.ticks_per_bin < 0) throw InvalidConfig("ticks_per_bin must be at least 1, was " + text_of(o.ticks_per_bin));
  if (o.axis && o.ticks_per_bin != 0 && o.ticks_per_bin != o.axis->ticks_per_bin())
    throw InvalidConfig("ticks_per_bin must be that of the axis (" + text_of(o.axis->ticks_per_bin()) +
                        ") or not given, was " + text_of(o.ticks_per_bin));
  if (!o.half_life_ns.empty()) {
    if (o.model == Model::none) throw InvalidConfig("half_life needs a model, which was none: use scale()");
    if (o.half_life_ns.size() != leverage_.size())
      throw InvalidConfig("half_life must hold one value per tier (" + std::to_string(leverage_.size()) + "), had " +
                          std::to_string(o.half_life_ns.size()));
    for (const double half_life : o.half_life_ns)
      if (!(half_life > 0.0)) throw InvalidConfig("half_life must be above 0, was " + text_of(half_life) + " ns");
    for (int side = 0; side < 2; ++side)
      for (const double half_life : o.half_life_ns)
        window_decay_.push_back(std::exp2(-static_cast<double>(o.window_ns) / half_life));
  }
  if (o.model != Model::flow && o.maker_share != 0.0)
    throw InvalidConfig("maker_share needs the model flow, was " + text_of(o.maker_share));
  if (o.model == Model::blend && !o.model_options.churn) o.model_options.churn = kDefaultChurn;
  if (o.model == Model::vendor && o.trigger != Trigger::candle)
    throw InvalidConfig(std::string("trigger must be candle with the model vendor, was ") +
                        (o.trigger == Trigger::mark ? "mark" : "last"));
  static_cast<void>(LevelBook(instrument_, leverage_, 1));  // refuses impossible tiers now, not at the first price
  counts_.accounts.resize(2 * leverage_.size());
  if (o.threads > 1) pool_ = std::make_shared<Pool>(o.threads);
}

// --- reading -----------------------------------------------------------------------------------------------------

std::optional<std::int64_t> Engine::clock() const noexcept {
  if (clock_ns_ == kNever) return std::nullopt;
  return clock_ns_;
}

std::optional<PriceAxis> Engine::axis() const {
  if (options_.axis) return options_.axis;
  apply_run();
  if (!book_ || book_->width() == 0) return std::nullopt;
  const std::int64_t step = book_->bin_rule().ticks_per_bin();
  return PriceAxis(book_->first_bin() * step, step, book_->width());
}

double Engine::last_price() const {
  apply_run();
  return last_price_ == 0 ? std::numeric_limits<double>::quiet_NaN()
                          : static_cast<double>(last_price_) * instrument_.tick_size();
}

std::optional<std::int64_t> Engine::began() const noexcept {
  if (!book_) return std::nullopt;
  return began_ns_;
}

bool Engine::peek(Segment& out) const {
  if (!book_ || window_end_ns_ == kNever) return false;
  apply_run();
  book_->peek(out);
  write_boundary(out);
  return true;
}

std::optional<History> Engine::history_so_far() const {
  if (!history_) return std::nullopt;
  History out = *history_;
  out.keep_all();  // the unfinished window comes on top of what is kept
  if (Segment open; peek(open)) out.append() = std::move(open);
  return out;
}

Stats Engine::stats() const {
  Stats out = counts_;
  apply_run();
  if (book_) {
    out.accounts = book_->accounts();
    out.inexact = counts_.inexact || book_->inexact();
  }
  return out;
}

Checkpoint Engine::checkpoint() const {
  if (!book_) throw InvalidConfig("the engine has seen no price yet: there is nothing to save");
  apply_run();
  Checkpoint out{*history_,    std::nullopt,         stats(),          clock_ns_,   {},        triggered_,
                 used_trades_, used_candle_volumes_, sampled_.state(), last_price_, began_ns_, liquidated_usd_};
  if (Segment open; peek(open)) out.open = std::move(open);
  out.axis = {book_->first_bin(), book_->first_bin() + book_->width()};
  return out;
}

void Engine::restore(const Checkpoint& checkpoint) {
  if (clock_ns_ != kNever) throw InvalidConfig("an engine must be restored before it is fed");
  if (!checkpoint.open) throw InvalidConfig("a checkpoint must hold the unfinished window");
  const Terms& terms = checkpoint.history.terms();
  const std::int64_t step = options_.axis                ? options_.axis->ticks_per_bin()
                            : options_.ticks_per_bin > 0 ? options_.ticks_per_bin
                                                         : terms.ticks_per_bin;
  if (!(terms == Terms{instrument_.contract(), instrument_.tick_size(), instrument_.lot_size(),
                       instrument_.multiplier(), step, options_.window_ns, leverage_.size()}))
    throw InvalidConfig("a checkpoint must be of the same instrument, bins, window and number of tiers");

  if (options_.axis)
    book_.emplace(instrument_, leverage_, *options_.axis);
  else
    book_.emplace(instrument_, leverage_, terms.ticks_per_bin);
  const std::size_t closed = checkpoint.history.size();
  book_->restore(closed > 0 ? checkpoint.history.levels_after(closed - 1) : checkpoint.history.base(), *checkpoint.open,
                 checkpoint.stats.accounts, checkpoint.axis);
  history_.emplace(terms, options_.keep);
  Cells base;
  checkpoint.history.base().extract(base);
  history_->set_base(base);
  for (std::size_t i = 0; i < closed; ++i) history_->append() = checkpoint.history.segment(i);

  const Segment& open = *checkpoint.open;
  window_start_ns_ = open.start_ns;
  window_end_ns_ = open.end_ns;
  candle_ = open.candle;
  last_event_ns_ = open.last_ns;
  mark_price_ = open.mark_price;
  mark_tick_ = std::isnan(mark_price_) ? 0 : instrument_.to_ticks(mark_price_).units;
  open_interest_ = open.open_interest;
  clock_ns_ = checkpoint.clock_ns;
  triggered_ = checkpoint.triggered;
  used_trades_ = checkpoint.used_trades;
  used_candle_volumes_ = checkpoint.used_candle_volumes;
  sampled_.restore(checkpoint.sampled);
  last_price_ = checkpoint.last_price;
  began_ns_ = checkpoint.began_ns;
  liquidated_usd_ = checkpoint.liquidated_usd;
  counts_ = checkpoint.stats;
  counts_.accounts.assign(2 * leverage_.size(), Account{});
}

// --- the clock and its windows -----------------------------------------------------------------------------------

LevelBook Engine::new_book(std::int64_t tick) const {
  if (options_.axis) return {instrument_, leverage_, *options_.axis};
  return {instrument_, leverage_, options_.ticks_per_bin > 0 ? options_.ticks_per_bin : automatic_ticks_per_bin(tick)};
}

void Engine::start_book(std::int64_t tick) {
  if (!book_) {
    book_.emplace(new_book(tick));
    history_.emplace(
        Terms{instrument_.contract(), instrument_.tick_size(), instrument_.lot_size(), instrument_.multiplier(),
              book_->bin_rule().ticks_per_bin(), options_.window_ns, leverage_.size()},
        options_.keep);
    began_ns_ = clock_ns_;
    window_start_ns_ = floor_div(clock_ns_, options_.window_ns) * options_.window_ns;
    window_end_ns_ = window_start_ns_ + options_.window_ns;
  }
}

void Engine::move_clock(std::int64_t ts_ns) {
  if (window_end_ns_ != kNever)
    while (ts_ns >= window_end_ns_) close_window();
  clock_ns_ = ts_ns;
}

void Engine::write_boundary(Segment& segment) const {
  segment.start_ns = window_start_ns_;
  segment.end_ns = window_end_ns_;
  segment.candle = candle_;
  segment.last_ns = last_event_ns_;
  segment.mark_price = mark_price_;
  segment.open_interest = open_interest_;
}

void Engine::close_window() {
  apply_run();
  if (!window_decay_.empty()) book_->scale(window_decay_);
  Segment& segment = history_->append();
  book_->settle(segment);
  value_liquidated();
  write_boundary(segment);
  candle_ = Candle{};
  window_start_ns_ = window_end_ns_;
  window_end_ns_ += options_.window_ns;
  if (hook_) hook_(segment);
  book_->begin_window();
  history_->prefetch();
}

void Engine::value_liquidated() {
  const Layers& liquidated = book_->liquidated();
  const Terms& terms = history_->terms();
  liquidated_usd_.resize(liquidated.layers());
  for (std::size_t layer = 0; layer < liquidated.layers(); ++layer) {
    double usd = 0.0;
    const Layers::Range& range = liquidated.range(layer);
    for (std::int64_t bin = range.low; bin < range.high; ++bin)
      usd += liquidated.at(layer, bin) * terms.usd_per_lot(bin);
    liquidated_usd_[layer] = usd;
  }
}

void Engine::advance(std::int64_t ts_ns) {
  if (ts_ns < 0 || ts_ns > kMaxTime)
    throw InvalidConfig("ts must be a time between 1970 and 2116 in ns, was " + text_of(ts_ns));
  if (clock_ns_ != kNever && ts_ns < clock_ns_)
    throw InvalidConfig("ts must not be before the engine's clock (" + text_of(clock_ns_) + "), was " + text_of(ts_ns));
  refuse_gap("ts", clock_ns_, ts_ns);
  move_clock(ts_ns);
}

std::int64_t Engine::windows_between(std::int64_t from_ns, std::int64_t to_ns) const noexcept {
  return floor_div(to_ns, options_.window_ns) - floor_div(from_ns, options_.window_ns);
}

void Engine::refuse_gap(const char* argument, std::int64_t from_ns, std::int64_t to_ns) const {
  if (from_ns == kNever || window_end_ns_ == kNever) return;
  refuse_jump(argument, from_ns, to_ns, windows_between(from_ns, to_ns), options_.window_ns);
}

void Engine::refuse_gaps(const Feed& feed, bool trades_sorted) const {
  std::int64_t first = clock_ns_ == kNever ? kMaxTime : clock_ns_;
  std::int64_t last = kNever;
  const auto look = [&](std::span<const std::int64_t> times, std::int64_t delay) {
    for (const std::int64_t ts : times) {
      if (ts < 0 || ts > kMaxTime - delay) continue;
      first = std::min(first, ts + delay);
      last = std::max(last, ts + delay);
    }
  };
  // Of sorted times the ends say it all, unless they are no times.
  const auto trade_ts = feed.trades.ts_ns;
  if (trades_sorted && !trade_ts.empty() && trade_ts.front() >= 0 && trade_ts.back() <= kMaxTime) {
    look(trade_ts.first(1), 0);
    look(trade_ts.last(1), 0);
  } else {
    look(trade_ts, 0);
  }
  look(feed.marks.ts_ns, 0);
  look(feed.vendor_events.ts_ns, 0);
  look(feed.candles.ts_open_ns, feed.candles.interval_ns - 1);
  look(feed.open_interest.ts_ns, 0);
  if (last == kNever || windows_between(first, last) <= kMaxGapWindows) return;

  // Rare: the call spans that many windows, so look whether one step does. Rows that would be rejected do not count.
  std::int64_t clock = clock_ns_;
  bool windows_began = window_end_ns_ != kNever;
  const auto step = [&](Reject reject, std::int64_t ts, bool is_price) {
    if (reject != Reject::none) return;
    if (windows_began) refuse_jump("ts", clock, ts, windows_between(clock, ts), options_.window_ns);
    clock = ts;
    windows_began = windows_began || is_price;
  };
  merge(
      feed, trades_sorted,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          const std::int64_t ts = feed.trades.ts_ns[i];
          OnGrid tick;
          OnGrid lots;
          step(check_trade(ts, feed.trades.price[i], feed.trades.qty[i], clock, tick, lots), ts, true);
        }
      },
      [&](std::size_t i) {
        const std::int64_t ts = feed.marks.ts_ns[i];
        step(check_mark(ts, feed.marks.value[i], clock), ts, true);
      },
      [&](std::size_t i) {
        const EventArrays& events = feed.vendor_events;
        step(check_event(events.ts_ns[i], events.price[i], events.qty[i], clock), events.ts_ns[i], true);
      },
      [&](std::size_t i) {
        if (const Reject reject = check_candle(feed.candles, i, clock); reject == Reject::none)
          step(reject, feed.candles.ts_open_ns[i] + feed.candles.interval_ns - 1, true);
      },
      [&](std::size_t i) {
        const std::int64_t ts = feed.open_interest.ts_ns[i];
        step(check_sample(ts, feed.open_interest.value[i], clock), ts, false);
      });
}

void Engine::refuse_records(const TradeRecords& records) const {
  bool has_trades = false;
  std::int64_t first = clock_ns_ == kNever ? kMaxTime : clock_ns_;
  std::int64_t last = kNever;
  for_each_trade(records, [&](std::size_t i, bool) {
    has_trades = true;
    const auto ts = value_at<std::int64_t>(records.ts_ns, i);
    if (ts < 0 || ts > kMaxTime) return;
    first = std::min(first, ts);
    last = std::max(last, ts);
  });
  refuse_double_volumes({}, has_trades);
  if (last == kNever || windows_between(first, last) <= kMaxGapWindows) return;

  std::int64_t clock = clock_ns_;
  bool windows_began = window_end_ns_ != kNever;
  for_each_trade(records, [&](std::size_t i, bool) {
    const auto ts = value_at<std::int64_t>(records.ts_ns, i);
    OnGrid tick;
    OnGrid lots;
    if (check_trade(ts, value_at<double>(records.price, i), value_at<double>(records.qty, i), clock, tick, lots) !=
        Reject::none)
      return;
    if (windows_began) refuse_jump("ts", clock, ts, windows_between(clock, ts), options_.window_ns);
    clock = ts;
    windows_began = true;
  });
}

// --- checking rows -----------------------------------------------------------------------------------------------

Reject Engine::check_trade(std::int64_t ts_ns, double price, double qty, std::int64_t clock, OnGrid& tick,
                           OnGrid& lots) const noexcept {
  return liqcore::check_trade(ts_ns, price, qty, clock, instrument_.tick_size(), instrument_.lot_size(), tick, lots);
}

Reject Engine::check_mark(std::int64_t ts_ns, double price, std::int64_t clock) const noexcept {
  if (const Reject time = check_time(ts_ns, clock); time != Reject::none) return time;
  if (!std::isfinite(price)) return Reject::not_finite;
  return check_price(price, instrument_.tick_size());
}

Reject Engine::check_sample(std::int64_t ts_ns, double value, std::int64_t clock) const noexcept {
  if (const Reject time = check_time(ts_ns, clock); time != Reject::none) return time;
  if (!std::isfinite(value)) return Reject::not_finite;
  if (!(value >= 0.0)) return Reject::not_positive;
  return value / instrument_.lot_size() <= kMaxLots ? Reject::none : Reject::too_large;
}

Reject Engine::check_event(std::int64_t ts_ns, double price, double qty, std::int64_t clock) const noexcept {
  OnGrid tick;
  OnGrid lots;
  const Reject reject = check_trade(ts_ns, price, qty, clock, tick, lots);
  return reject == Reject::off_grid ? Reject::none : reject;  // events are rounded
}

Reject Engine::check_candle(const CandleArrays& candles, std::size_t i, std::int64_t clock) const noexcept {
  const std::int64_t ts_open = candles.ts_open_ns[i];
  if (ts_open == kNever) return Reject::not_finite;
  if (ts_open > kMaxTime - candles.interval_ns) return Reject::too_large;
  if (const Reject time = check_time(ts_open < 0 ? ts_open : ts_open + candles.interval_ns - 1, clock);
      time != Reject::none)
    return time;
  const double prices[] = {candles.open[i], candles.high[i], candles.low[i], candles.close[i]};
  const double buy = candles.buy_qty.empty() ? 0.0 : candles.buy_qty[i];
  const double sell = candles.sell_qty.empty() ? 0.0 : candles.sell_qty[i];
  for (const double value : {prices[0], prices[1], prices[2], prices[3], buy, sell})
    if (!std::isfinite(value)) return Reject::not_finite;
  if (!(buy >= 0.0 && sell >= 0.0)) return Reject::not_positive;
  for (const double price : prices)
    if (const Reject reject = check_price(price, instrument_.tick_size()); reject != Reject::none) return reject;
  if (!(buy / instrument_.lot_size() <= kMaxLots && sell / instrument_.lot_size() <= kMaxLots))
    return Reject::too_large;
  const auto [low, high] = std::minmax(candles.open[i], candles.close[i]);
  return candles.low[i] <= low && candles.high[i] >= high ? Reject::none : Reject::inconsistent;
}

Reject Engine::count(Reject reason) noexcept {
  ++counts_.rows;
  if (reason == Reject::none)
    ++counts_.used;
  else
    ++counts_.rejected[static_cast<std::size_t>(reason)];
  return reason;
}

// --- one event ---------------------------------------------------------------------------------------------------

Reject Engine::trade(std::int64_t ts_ns, double price, double qty, bool taker_sell) {
  // A trade that is plainly on both grids, in the window and the run that are open: see kernels.hpp on the products.
  // Every test is false for NaN.
  const double x = price * per_tick_;
  const double y = qty * per_lot_;
  const double tick = round_half_even(x);
  const double lots = round_half_even(y);
  if (std::fabs(x - tick) <= kernels::kOnGrid && std::fabs(y - lots) <= kernels::kOnGrid && qty > 0.0 &&
      y <= kernels::kNear && x <= kernels::kNear && ts_ns >= clock_ns_ && ts_ns < window_end_ns_ &&
      run_.takes(static_cast<std::int64_t>(tick))) {
    run_.add(static_cast<std::int64_t>(tick), static_cast<std::int64_t>(lots), taker_sell);
    clock_ns_ = last_event_ns_ = ts_ns;
    ++counts_.rows;
    ++counts_.used;
    return Reject::none;
  }
  return checked_trade(ts_ns, price, qty, taker_sell);
}

Reject Engine::checked_trade(std::int64_t ts_ns, double price, double qty, bool taker_sell) {
  if (used_candle_volumes_)
    throw InvalidConfig("trades and candle volumes of one market must not be fed together: candles had volumes");
  OnGrid tick;
  OnGrid lots;
  const Reject reject = check_trade(ts_ns, price, qty, clock_ns_, tick, lots);
  if (reject == Reject::none) {
    if (ts_ns >= window_end_ns_) refuse_gap("ts", clock_ns_, ts_ns);  // within a window there is no gap
    if (!lots.exact) ++counts_.rounded_qty;
    move_clock(ts_ns);
    start_book(tick.units);
    used_trades_ = true;
    last_event_ns_ = ts_ns;
    if (static_cast<double>(lots.units) > kernels::kNear) {
      use_large_trade(tick.units, static_cast<double>(lots.units), taker_sell);
    } else {
      if (!run_.takes(tick.units)) begin_run(tick.units);
      run_.add(tick.units, lots.units, taker_sell);
    }
  }
  return count(reject);
}

Reject Engine::mark(std::int64_t ts_ns, double price) {
  const Reject reject = check_mark(ts_ns, price, clock_ns_);
  if (reject == Reject::none) {
    refuse_gap("ts", clock_ns_, ts_ns);
    use_mark(ts_ns, price);
  }
  return count(reject);
}

Reject Engine::open_interest(std::int64_t ts_ns, double quantity) {
  const Reject reject = check_sample(ts_ns, quantity, clock_ns_);
  if (reject == Reject::none) {
    refuse_gap("ts", clock_ns_, ts_ns);
    move_clock(ts_ns);
    open_interest_ = quantity;
    last_event_ns_ = ts_ns;
    if (sampled_.acts()) {
      apply_run();
      const std::int64_t last_price = last_price_ != 0 ? last_price_ : mark_tick_;
      LevelBook* const book = book_ && last_price != 0 ? &*book_ : nullptr;
      const auto reached = book != nullptr ? mark_reached() : std::nullopt;
      sampled_.sample(static_cast<double>(instrument_.to_lots(quantity).units), book,
                      {reached, triggered_, last_price});
    }
  }
  return count(reject);
}

Reject Engine::vendor_event(std::int64_t ts_ns, double price, double qty) {
  if (options_.model != Model::vendor) throw InvalidConfig("vendor events need the model vendor");
  const Reject reject = check_event(ts_ns, price, qty, clock_ns_);
  if (reject == Reject::none) {
    refuse_gap("ts", clock_ns_, ts_ns);
    move_clock(ts_ns);
    const std::int64_t tick = instrument_.to_ticks(price).units;
    start_book(tick);
    apply_run();
    last_event_ns_ = ts_ns;
    const OnGrid lots = instrument_.to_lots(qty);
    if (!lots.exact) ++counts_.rounded_qty;
    SampledModel::event(static_cast<double>(lots.units), tick, *book_);
  }
  return count(reject);
}

void Engine::use_large_trade(std::int64_t tick, double lots, bool taker_sell) {
  apply_run();
  const double bought = taker_sell ? 0.0 : lots;
  const double sold = taker_sell ? lots : 0.0;
  draw({tick, tick, tick, tick, bought, sold});
  if (sampled_.watches()) sampled_.traded(tick, bought, sold);
  if (options_.trigger == Trigger::last) touch_book(tick, tick);
  if (options_.model != Model::flow) return;
  const std::optional<LevelBook::Reached> reached = mark_reached();
  book_->open(taker_sell ? Side::short_ : Side::long_, tick, lots, reached);
  if (options_.maker_share != 0.0)
    book_->open(taker_sell ? Side::long_ : Side::short_, tick, lots * options_.maker_share, reached);
}

void Engine::begin_run(std::int64_t tick) {
  apply_run();
  // Where trades touch nothing their order never matters.
  constexpr std::int64_t kReach = Footprint::kMaxTicks / 2 - 1;
  TickRange ticks{std::max<std::int64_t>(1, tick - kReach), tick + kReach};
  if (options_.trigger == Trigger::last && options_.model == Model::flow) {
    // A price that jumps from trade to trade would leave any range at once, so none is looked for.
    const std::int64_t jump = run_tick_ == 0 ? 0 : std::abs(tick - run_tick_);
    ticks = jump > 2 * book_->calm_reach(tick) ? TickRange{tick, tick} : book_->calm_range(tick);
  }
  run_.reset(ticks.low, ticks.high);
  run_tick_ = tick;
}

void Engine::apply_run() const {
  if (run_.empty()) return;
  const Footprint::Volumes volumes = run_.volumes();
  draw({run_.first(), run_.high(), run_.low(), run_.last(), static_cast<double>(volumes.bought),
        static_cast<double>(volumes.sold)});
  if (sampled_.watches()) sampled_.traded(run_);
  if (options_.trigger == Trigger::last) {
    triggered_ = TickRange{run_.last(), run_.last()};
    sampled_.touched({run_.low(), run_.high()});
    book_->touch(run_.low(), run_.high());
  }
  if (options_.model == Model::flow) book_->open_run(run_, options_.maker_share, mark_reached());
  run_.clear();
}

void Engine::touch_book(std::int64_t low_tick, std::int64_t high_tick) {
  triggered_ = TickRange{low_tick, high_tick};
  sampled_.touched(*triggered_);
  book_->touch(low_tick, high_tick);
}

void Engine::draw(const Candle& candle) const {
  candle_.extend(candle);
  last_price_ = candle.close;
  sampled_.priced(candle);
}

std::optional<LevelBook::Reached> Engine::mark_reached() const noexcept {
  if (options_.trigger != Trigger::mark || mark_tick_ == 0) return std::nullopt;
  const std::int64_t bin = book_->bin_rule()(mark_tick_);
  return LevelBook::Reached{bin, bin};
}

void Engine::use_mark(std::int64_t ts_ns, double price) {
  move_clock(ts_ns);
  const std::int64_t tick = instrument_.to_ticks(price).units;
  start_book(tick);
  if (options_.trigger == Trigger::mark) apply_run();
  last_event_ns_ = ts_ns;
  mark_price_ = price;
  mark_tick_ = tick;
  if (options_.trigger == Trigger::mark) touch_book(tick, tick);
}

void Engine::use_candle(const CandleArrays& candles, std::size_t i) {
  move_clock(candles.ts_open_ns[i] + candles.interval_ns - 1);
  const auto tick_of = [&](double price) { return instrument_.to_ticks(price).units; };
  const std::int64_t low = tick_of(candles.low[i]);
  const std::int64_t high = tick_of(candles.high[i]);
  start_book(tick_of(candles.open[i]));
  apply_run();
  last_event_ns_ = clock_ns_;
  const OnGrid buy = instrument_.to_lots(candles.buy_qty.empty() ? 0.0 : candles.buy_qty[i]);
  const OnGrid sell = instrument_.to_lots(candles.sell_qty.empty() ? 0.0 : candles.sell_qty[i]);
  if (!buy.exact || !sell.exact) ++counts_.rounded_qty;
  const auto bought = static_cast<double>(buy.units);
  const auto sold = static_cast<double>(sell.units);
  draw({tick_of(candles.open[i]), high, low, tick_of(candles.close[i]), bought, sold});
  const bool touches = options_.trigger != Trigger::mark;
  if (touches) touch_book(low, high);
  if (bought == 0.0 && sold == 0.0) return;
  const std::int64_t typical =
      std::max<std::int64_t>(1, tick_of((candles.high[i] + candles.low[i] + candles.close[i]) / 3));
  if (sampled_.watches()) sampled_.traded(typical, bought, sold);
  if (options_.model != Model::flow) return;
  std::optional<LevelBook::Reached> reached = mark_reached();
  if (touches) reached = LevelBook::Reached{book_->bin_rule()(low), book_->bin_rule()(high)};
  book_->open(Side::long_, typical, bought + options_.maker_share * sold, reached);
  book_->open(Side::short_, typical, sold + options_.maker_share * bought, reached);
}

// --- arrays ------------------------------------------------------------------------------------------------------

template <class Use>
Stats Engine::account_for(Use&& use) {
  const Stats before = stats();
  use();
  Stats after = stats();
  after -= before;
  return after;
}

Stats Engine::trades(const TradeArrays& trades) { return feed({trades, {}, {}, {}, {}}); }
Stats Engine::marks(const SampleArrays& marks) { return feed({{}, marks, {}, {}, {}}); }
Stats Engine::candles(const CandleArrays& candles) { return feed({{}, {}, candles, {}, {}}); }
Stats Engine::open_interest(const SampleArrays& samples) { return feed({{}, {}, {}, samples, {}}); }
Stats Engine::vendor_events(const EventArrays& events) { return feed({{}, {}, {}, {}, events}); }

template <class OnTrades, class OnMark, class OnEvent, class OnCandle, class OnSample>
void Engine::merge(const Feed& feed, bool trades_sorted, OnTrades&& on_trades, OnMark&& on_mark, OnEvent&& on_event,
                   OnCandle&& on_candle, OnSample&& on_sample) {
  const auto& trade_ts = feed.trades.ts_ns;
  const auto& mark_ts = feed.marks.ts_ns;
  const auto& event_ts = feed.vendor_events.ts_ns;
  const auto& candle_ts = feed.candles.ts_open_ns;
  const auto& sample_ts = feed.open_interest.ts_ns;
  // A candle acts at its last nanosecond; one whose open is no time at all is left where it is, to be rejected.
  const auto candle_time = [&](std::size_t i) {
    const bool valid = candle_ts[i] >= 0 && candle_ts[i] <= kMaxTime;
    return candle_ts[i] + (valid ? feed.candles.interval_ns - 1 : 0);
  };
  std::size_t i_trade = 0;
  std::size_t i_mark = 0;
  std::size_t i_event = 0;
  std::size_t i_candle = 0;
  std::size_t i_sample = 0;
  while (true) {
    // The first of the other events, in the order of equal times; trades come after marks and before the rest.
    enum class Kind { none, mark, event, candle, sample };
    Kind kind = Kind::none;
    std::int64_t at = 0;
    if (i_mark < mark_ts.size()) {
      kind = Kind::mark;
      at = mark_ts[i_mark];
    }
    if (i_event < event_ts.size() && (kind == Kind::none || event_ts[i_event] < at)) {
      kind = Kind::event;
      at = event_ts[i_event];
    }
    if (i_candle < candle_ts.size() && (kind == Kind::none || candle_time(i_candle) < at)) {
      kind = Kind::candle;
      at = candle_time(i_candle);
    }
    if (i_sample < sample_ts.size() && (kind == Kind::none || sample_ts[i_sample] < at)) {
      kind = Kind::sample;
      at = sample_ts[i_sample];
    }
    std::size_t end = kind == Kind::none ? trade_ts.size() : i_trade;
    // Trades come after marks of their time. The last time there is lies beyond what is accepted, in whatever order.
    const bool before_trades = kind == Kind::mark || at == std::numeric_limits<std::int64_t>::max();
    const std::int64_t until = before_trades ? at : at + 1;
    if (trades_sorted && kind != Kind::none)
      end =
          static_cast<std::size_t>(std::lower_bound(trade_ts.begin() + end, trade_ts.end(), until) - trade_ts.begin());
    else
      while (end < trade_ts.size() && trade_ts[end] < until) ++end;
    if (end > i_trade) {
      on_trades(i_trade, end);
      i_trade = end;
    }
    switch (kind) {
      case Kind::none:
        return;
      case Kind::mark:
        on_mark(i_mark++);
        break;
      case Kind::event:
        on_event(i_event++);
        break;
      case Kind::candle:
        on_candle(i_candle++);
        break;
      case Kind::sample:
        on_sample(i_sample++);
        break;
    }
  }
}

void Engine::refuse_double_volumes(const Feed& feed, bool has_trades) const {
  if ((any_volumes(feed.candles) || used_candle_volumes_) && (has_trades || used_trades_))
    throw InvalidConfig(
        "trades and candle volumes of one market must not be fed together (each would open the same positions): "
        "leave out buy_qty and sell_qty, or the trades");
}

Stats Engine::feed(const Feed& feed) {
  return account_for([&] { static_cast<void>(feed_rows(feed)); });
}

RowCounts Engine::feed_rows(const Feed& feed) {
  check_lengths(feed);
  if (!feed.vendor_events.ts_ns.empty() && options_.model != Model::vendor)
    throw InvalidConfig("vendor events need the model vendor");
  const bool volumes = any_volumes(feed.candles);
  refuse_double_volumes(feed, !feed.trades.ts_ns.empty());
  const bool sorted = trades_rise(feed.trades.ts_ns);
  refuse_gaps(feed, sorted);
  if (volumes) used_candle_volumes_ = true;
  const RowCounts before = counts_;
  merge(
      feed, sorted, [&](std::size_t begin, std::size_t end) { use_trades(feed.trades, begin, end, sorted); },
      [&](std::size_t i) { static_cast<void>(mark(feed.marks.ts_ns[i], feed.marks.value[i])); },
      [&](std::size_t i) {
        const EventArrays& events = feed.vendor_events;
        static_cast<void>(vendor_event(events.ts_ns[i], events.price[i], events.qty[i]));
      },
      [&](std::size_t i) {
        if (count(check_candle(feed.candles, i, clock_ns_)) == Reject::none) use_candle(feed.candles, i);
      },
      [&](std::size_t i) {
        static_cast<void>(open_interest(feed.open_interest.ts_ns[i], feed.open_interest.value[i]));
      });
  RowCounts after = counts_;
  after -= before;
  return after;
}

RecordStats Engine::records(const TradeRecords& records) {
  refuse_records(records);
  RecordStats out;
  // Whole windows of a long stretch are what threads share; one alone wants its block in the second-level cache.
  const std::size_t block = std::min(records.size, pool_ ? std::size_t{1} << 20 : std::size_t{1} << 13);
  std::vector<std::int64_t> ts(block);
  std::vector<double> price(block);
  std::vector<double> qty(block);
  std::vector<std::uint8_t> taker_sell(block);
  out.stats = account_for([&] {
    std::size_t n = 0;
    const auto flush = [&] {
      const TradeArrays trades{std::span(ts).first(n), std::span(price).first(n), std::span(qty).first(n),
                               std::span(taker_sell).first(n)};
      if (n > 0) use_trades(trades, 0, n, trades_rise(trades.ts_ns));
      n = 0;
    };
    for_each_trade(
        records,
        [&](std::size_t i, bool sold) {
          ts[n] = value_at<std::int64_t>(records.ts_ns, i);
          price[n] = value_at<double>(records.price, i);
          qty[n] = value_at<double>(records.qty, i);
          taker_sell[n] = sold ? 1 : 0;
          if (++n == block) flush();
        },
        &out);
    flush();
  });
  return out;
}

void Engine::use_trades(const TradeArrays& trades, std::size_t begin, std::size_t end, bool sorted) {
  if (pool_ && sorted && begin < end && trades.ts_ns[begin] >= std::max<std::int64_t>(clock_ns_, 0) &&
      trades.ts_ns[end - 1] <= kMaxTime) {
    if (!book_ && end - begin > kBlockRows) {
      use_trades(trades, begin, begin + kBlockRows, sorted);  // the first price makes the book
      begin += kBlockRows;
    }
    if (book_) begin = use_whole_windows(trades, begin, end);
  }
  const kernels::Kernels& kernels = kernels::active();
  const kernels::Grid grid{instrument_.tick_size(), instrument_.lot_size(), per_tick_, per_lot_};
  for (std::size_t block = begin; block < end; block += kBlockRows) {
    const std::size_t n = std::min(kBlockRows, end - block);
    const std::int64_t* ts = trades.ts_ns.data() + block;
    const kernels::Block converted =
        kernels.convert(trades.price.data() + block, trades.qty.data() + block, trades.taker_sell.data() + block, n,
                        grid, keys_.data(), lots_.data());
    const bool in_order = (sorted || kernels.rises(ts, n)) && ts[0] >= 0 && ts[0] >= clock_ns_ && ts[n - 1] <= kMaxTime;
    if (!converted.clean || !in_order) {
      for (std::size_t i = block; i < block + n; ++i)
        static_cast<void>(trade(trades.ts_ns[i], trades.price[i], trades.qty[i], trades.taker_sell[i] != 0));
      continue;
    }
    counts_.rows += n;
    counts_.used += n;
    counts_.rounded_qty += converted.rounded;
    used_trades_ = true;
    for (std::size_t i = 0; i < n;) {
      move_clock(ts[i]);
      start_book(keys_[i] / 2);
      // A run ends where the window does. Nearly always that is not in this block; only otherwise are times looked up,
      // each a line of memory that nothing else has asked for.
      const std::size_t stop = ts[n - 1] < window_end_ns_
                                   ? n
                                   : static_cast<std::size_t>(std::lower_bound(ts + i, ts + n, window_end_ns_) - ts);
      const std::int64_t* keys = keys_.data() + i;
      const bool whole = stop - i == n;
      use_rows(keys, lots_.data() + i, stop - i,
               whole ? TickRange{converted.low, converted.high} : ticks_of(keys, stop - i));
      clock_ns_ = last_event_ns_ = ts[stop - 1];
      i = stop;
    }
  }
}

void Engine::use_rows(const std::int64_t* keys, const std::int64_t* lots, std::size_t n, TickRange ticks) {
  if (run_.takes(ticks.low) && run_.takes(ticks.high)) {
    run_.add(keys, lots, n, ticks.low, ticks.high);
    return;
  }
  // The price leaves the run's range, once in a while: in one of many short pieces, which alone is done row by row.
  constexpr std::size_t kPiece = 64;
  if (n > kPiece) {
    for (std::size_t i = 0; i < n; i += kPiece) {
      const std::size_t rows = std::min(kPiece, n - i);
      use_rows(keys + i, lots + i, rows, ticks_of(keys + i, rows));
    }
    return;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t tick = keys[i] / 2;
    if (!run_.takes(tick)) begin_run(tick);
    run_.add(tick, lots[i], (keys[i] & 1) != 0);
  }
}

// --- replaying footprints ------------------------------------------------------------------------------------------

Stats Engine::replay(const FootprintStream& footprints, const Feed& beside) {
  check_lengths(beside);
  refuse_replay(footprints, beside);
  if (footprints.size() > 0) used_trades_ = true;
  const std::int64_t began_ns = std::max<std::int64_t>(clock_ns_, 0);
  // What comes while a run lasts takes effect at its end: only what does not depend on its trades gets there.
  const auto now = [&](std::int64_t ts) { return ts >= began_ns ? std::max(ts, clock_ns_) : ts; };
  Feed all = beside;
  all.trades.ts_ns = footprints.columns().start_ns;
  return account_for([&] {
    merge(
        all, true, [&](std::size_t begin, std::size_t end) { use_footprints(footprints, begin, end); },
        [&](std::size_t i) { static_cast<void>(mark(now(beside.marks.ts_ns[i]), beside.marks.value[i])); },
        [](std::size_t) {},
        [&](std::size_t i) {
          if (count(check_candle(beside.candles, i, clock_ns_)) == Reject::none) use_candle(beside.candles, i);
        },
        [&](std::size_t i) {
          static_cast<void>(open_interest(now(beside.open_interest.ts_ns[i]), beside.open_interest.value[i]));
        });
    const FootprintCounts& counts = footprints.counts();
    counts_.rounded_qty += counts.rounded_qty;
    for (std::size_t i = 0; i < kRejectReasons; ++i) {
      counts_.rejected[i] += counts.rejected[i];
      counts_.rows += counts.rejected[i];
    }
  });
}

void Engine::use_footprints(const FootprintStream& footprints, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    const FootprintStream::Run run = footprints[i];
    move_clock(run.start_ns);
    start_book(run.first);
    if (!run_.takes(run.low) || !run_.takes(run.high)) begin_run(run.first);
    const bool alone = !run_.takes(run.low) || !run_.takes(run.high);
    if (alone) run_.reset(run.low, run.high);
    run_.add(run.tick.data(), run.bought.data(), run.sold.data(), run.tick.size(), run.first, run.last);
    if (alone) {
      // Its order does not matter, but that of what follows could.
      apply_run();
      run_.reset(run.last, run.last);
    }
    clock_ns_ = last_event_ns_ = run.last_ns;
    counts_.rows += static_cast<std::uint64_t>(run.trades);
    counts_.used += static_cast<std::uint64_t>(run.trades);
  }
}

void Engine::refuse_replay(const FootprintStream& footprints, const Feed& beside) const {
  const FootprintTerms& terms = footprints.terms();
  if (!beside.trades.ts_ns.empty())
    throw InvalidConfig("trades must not be given beside footprints, which stand for them: were");
  if ((options_.model != Model::flow && options_.model != Model::none) || sampled_.acts())
    throw InvalidConfig(
        "footprints need the model flow or none, not reconciled: a run would have to end at every sample of open "
        "interest, so feed the trades");
  if (!beside.vendor_events.ts_ns.empty()) throw InvalidConfig("vendor events need the model vendor");
  if (terms.tick_size != instrument_.tick_size() || terms.lot_size != instrument_.lot_size())
    throw InvalidConfig("footprints must have the instrument's tick and lot size (" + text_of(instrument_.tick_size()) +
                        " and " + text_of(instrument_.lot_size()) + "), had " + text_of(terms.tick_size) + " and " +
                        text_of(terms.lot_size));
  refuse_double_volumes(beside, footprints.size() > 0);
  for (const auto& [name, times] : {std::pair{"marks", beside.marks.ts_ns},
                                    {"candles", beside.candles.ts_open_ns},
                                    {"open interest", beside.open_interest.ts_ns}})
    if (!kernels::active().rises(times.data(), times.size()))
      throw InvalidConfig("times (of " + std::string(name) + ") must not fall beside footprints, did");

  const auto describe = [&](const FootprintStream::Run& run) {
    return "run from " + text_of_time(run.start_ns) + " to " + text_of_time(run.last_ns) + " at " +
           text_of_price(run.low, terms.tick_size) + " to " + text_of_price(run.high, terms.tick_size);
  };
  if (footprints.size() > 0 && footprints[0].start_ns < clock_ns_)
    throw InvalidConfig("footprints must not begin before the engine's clock (" + text_of_time(clock_ns_) +
                        "): " + describe(footprints[0]));
  const bool ordered = options_.trigger == Trigger::last && options_.model == Model::flow;
  const bool may_go_over_windows = options_.window_ns % terms.cut_ns != 0;
  std::optional<LevelBook> own;  // like the one that the first price will start
  const LevelBook* book = book_ ? &*book_ : nullptr;
  Footprint summed;
  TickRange calm{1, 0};
  std::int64_t clock = clock_ns_;
  std::optional<FootprintStream::Run> before;
  const auto step = [&](std::int64_t ts, std::int64_t tick) {
    if (book != nullptr && ts - clock >= options_.window_ns)
      refuse_jump("ts", clock, ts, windows_between(clock, ts), options_.window_ns);
    if (book == nullptr && tick != 0) book = &own.emplace(new_book(tick));
    clock = std::max(clock, ts);
  };
  const auto look = [&](const FootprintStream::Run& run) {
    step(run.start_ns, run.first);
    clock = run.last_ns;
    before = run;
    if (may_go_over_windows && run.start_ns / options_.window_ns != run.last_ns / options_.window_ns)
      throw InvalidConfig("window must be a whole multiple of the cut of the footprints (" + text_of(terms.cut_ns) +
                          " ns), was " + text_of(options_.window_ns) + " ns: the " + describe(run) +
                          " goes over the end of a window");
    if (!ordered || (run.low >= calm.low && run.high <= calm.high)) return;
    calm = book->calm_range(run.first);
    if (run.low >= calm.low && run.high <= calm.high) return;
    summed.reset(run.low, run.high);
    summed.add(run.tick.data(), run.bought.data(), run.sold.data(), run.tick.size(), run.first, run.last);
    if (const auto layer = book->order_needed(summed, options_.maker_share))
      throw InvalidConfig("footprints must not need the order of their trades: leverage " +
                          text_of(leverage_.tiers()[*layer % leverage_.size()]) +
                          (*layer < leverage_.size() ? "x long" : "x short") + " would need it in the " +
                          describe(run) + "; cut them finer than " + text_of(terms.span_bps) +
                          " bp, or feed the trades");
  };
  const std::int64_t began_ns = clock_ns_;
  Feed all = beside;
  all.trades.ts_ns = footprints.columns().start_ns;
  merge(
      all, true,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) look(footprints[i]);
      },
      [&](std::size_t i) {
        const std::int64_t ts = beside.marks.ts_ns[i];
        if (check_mark(ts, beside.marks.value[i], began_ns) != Reject::none) return;
        if (options_.trigger == Trigger::mark && before && ts <= before->last_ns)
          throw InvalidConfig("footprints must end at every mark that liquidates: the " + describe(*before) +
                              " goes over that of " + text_of_time(ts));
        step(ts, instrument_.to_ticks(beside.marks.value[i]).units);
      },
      [](std::size_t) {},
      [&](std::size_t i) {
        if (check_candle(beside.candles, i, began_ns) != Reject::none) return;
        const std::int64_t ts = beside.candles.ts_open_ns[i] + beside.candles.interval_ns - 1;
        if (before && ts < before->last_ns)
          throw InvalidConfig("footprints must end where candles do: the " + describe(*before) +
                              " goes over the end of one at " + text_of_time(ts));
        step(ts, instrument_.to_ticks(beside.candles.open[i]).units);
      },
      [&](std::size_t i) {
        const std::int64_t ts = beside.open_interest.ts_ns[i];
        if (check_sample(ts, beside.open_interest.value[i], began_ns) == Reject::none) step(ts, 0);
      });
}

// --- the verbs ---------------------------------------------------------------------------------------------------

std::int64_t Engine::verb_tick(const char* argument, double price) const {
  if (clock_ns_ == kNever) throw InvalidConfig("the engine has no clock yet: call advance(ts) before the verbs");
  const Reject reject = std::isfinite(price) ? check_price(price, instrument_.tick_size()) : Reject::not_finite;
  if (reject != Reject::none)
    throw InvalidConfig(std::string(argument) + " must be a price of at least one tick and below 2^31 ticks, was " +
                        text_of(price));
  return instrument_.to_ticks(price).units;
}

void Engine::open(Side side, double price, double qty) {
  const std::int64_t tick = verb_tick("price", price);
  if (!(std::isfinite(qty) && qty > 0.0 && qty / instrument_.lot_size() <= kMaxLots))
    throw InvalidConfig("qty must be finite, above 0 and at most 2^48 lots, was " + text_of(qty));
  start_book(tick);
  apply_run();
  // Live longs lie below the last trigger price and live shorts above it, also those that others open.
  const BinRule& bin = book_->bin_rule();
  std::optional<LevelBook::Reached> reached = mark_reached();
  if (triggered_) {
    const LevelBook::Reached touched{bin(triggered_->low), bin(triggered_->high)};
    reached = reached ? LevelBook::Reached{std::min(reached->low_bin, touched.low_bin),
                                           std::max(reached->high_bin, touched.high_bin)}
                      : touched;
  }
  book_->open(side, tick, static_cast<double>(instrument_.to_lots(qty).units), reached);
}

void Engine::touch(double low, double high) {
  const std::int64_t low_tick = verb_tick("low", low);
  const std::int64_t high_tick = verb_tick("high", high);
  if (low_tick > high_tick)
    throw InvalidConfig("high must be at least low (" + text_of(low) + "), was " + text_of(high));
  start_book(low_tick);
  apply_run();
  touch_book(low_tick, high_tick);
}

void Engine::scale(std::span<const double> factors) {
  if (clock_ns_ == kNever) throw InvalidConfig("the engine has no clock yet: call advance(ts) before the verbs");
  apply_run();
  if (book_)
    book_->scale(factors);
  else
    LevelBook(instrument_, leverage_, 1).scale(factors);  // nothing is live, but a wrong argument is still an error
}

}  // namespace liqcore::inline abi1
