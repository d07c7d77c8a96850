#include "liqcore/engine.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>
#include <utility>

#include "check_rows.hpp"
#include "check_state.hpp"
#include "engine_parts.hpp"
#include "kernels/kernels.hpp"
#include "liqcore/error.hpp"
#include "liqcore/published.hpp"
#include "pool.hpp"
#include "price_watch.hpp"
#include "rounding.hpp"
#include "text_of.hpp"
#include "trade_blocks.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr double kShareSteps = 1024.0;

double entry_price(CandlePrice price, const CandleArrays& candles, std::size_t i) noexcept {
  switch (price) {
    case CandlePrice::hlc3:
      break;
    case CandlePrice::close:
      return candles.close[i];
    case CandlePrice::open:
      return candles.open[i];
    case CandlePrice::ohlc4:
      return (candles.open[i] + candles.high[i] + candles.low[i] + candles.close[i]) / 4;
    case CandlePrice::hl2:
      return (candles.high[i] + candles.low[i]) / 2;
  }
  return (candles.high[i] + candles.low[i] + candles.close[i]) / 3;
}

}  // namespace

void check_threads(std::size_t threads) {
  if (threads < 1 || threads > 256)
    throw InvalidConfig("threads must be between 1 and 256, was " + std::to_string(threads));
}

Engine::Engine(Instrument instrument, LeverageProfile leverage, EngineOptions options)
    : instrument_(std::move(instrument)),
      leverage_(std::move(leverage)),
      options_(std::move(options)),
      live_{{}, {}, {}, {}, {}, {options_.model, options_.model_options, leverage_.size(), instrument_.lot_size()},
            0,  {}, {}},
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
  History::check_keep(o.keep);
  check_threads(o.threads);
  if (o.ticks_per_bin < 0) throw InvalidConfig("ticks_per_bin must be at least 1, was " + text_of(o.ticks_per_bin));
  if (o.axis_limit < 1 || o.axis_limit > kMaxAxisBins)
    throw InvalidConfig("axis_limit must be between 1 and " + text_of(kMaxAxisBins) + " bins, was " +
                        text_of(o.axis_limit));
  if (!o.axis && o.ticks_per_bin > kMaxAutomaticStep)
    throw InvalidConfig("ticks_per_bin of an automatic axis must be at most 2^20, was " + text_of(o.ticks_per_bin));
  if (!o.axis && !ends_in_time(o, o.ticks_per_bin))
    throw InvalidConfig("axis_limit must end the axis by tick 2^40, was " + text_of(o.axis_limit) + " bins of " +
                        text_of(o.ticks_per_bin) + " ticks");
  if (o.axis && o.ticks_per_bin != 0 && o.ticks_per_bin != o.axis->ticks_per_bin())
    throw InvalidConfig("ticks_per_bin must be that of the axis (" + text_of(o.axis->ticks_per_bin()) +
                        ") or not given, was " + text_of(o.ticks_per_bin));
  if (o.axis)
    last_tick_ = std::numeric_limits<std::int64_t>::max();
  else if (o.ticks_per_bin > 0)
    last_tick_ = last_tick(o.ticks_per_bin);
  if (!o.half_life_ns.empty()) {
    if (o.half_life_ns.size() != leverage_.size())
      throw InvalidConfig("half_life must hold one value per tier (" + std::to_string(leverage_.size()) + "), had " +
                          std::to_string(o.half_life_ns.size()));
    for (const double half_life : o.half_life_ns)
      if (!(half_life > 0.0)) throw InvalidConfig("half_life must be above 0, was " + text_of(half_life) + " ns");
    for (int side = 0; side < 2; ++side)
      for (const double half_life : o.half_life_ns)
        window_decay_.push_back(std::exp2(-static_cast<double>(o.window_ns) / half_life));
    if (std::any_of(window_decay_.begin(), window_decay_.end(), [](double factor) { return factor != 1.0; }))
      for (int side = 0; side < 2; ++side)
        idle_.scale[side].assign(window_decay_.begin(),
                                 window_decay_.begin() + static_cast<std::ptrdiff_t>(leverage_.size()));
  }
  if (!trades_open() && o.maker_share != 0.0)
    throw InvalidConfig("maker_share needs the model flow or presence, was " + text_of(o.maker_share));
  if (std::optional<double>& exponent = o.model_options.exponent; o.model == Model::presence) {
    exponent = exponent.value_or(0.0) + 0.0;
    if (!(*exponent >= 0.0 && *exponent <= 1.0))
      throw InvalidConfig("exponent must lie in [0, 1], was " + text_of(*exponent));
    if (o.model_options.reconciled)
      throw InvalidConfig("reconciled needs levels that open interest can be held against, not those of presence");
    presence_ = Presence(*exponent);
    if (presence_.acts() && o.window_ns < kLeastPresence)
      throw InvalidConfig("window must be at least 1 ms with the model presence, of which less is not a lot, was " +
                          text_of(o.window_ns) + " ns");
    if (presence_.acts()) opened_.resize(kBlockRows);
  } else if (exponent) {
    throw InvalidConfig("exponent needs the model presence, was " + text_of(*exponent));
  }
  if (o.model == Model::blend && !o.model_options.churn) o.model_options.churn = kDefaultChurn;
  if (o.model == Model::vendor && o.trigger != Trigger::candle)
    throw InvalidConfig(std::string("trigger must be candle with the model vendor, was ") +
                        (o.trigger == Trigger::mark ? "mark" : "last"));
  check_outlier(o.outlier);
  doubts_ = watches();
  static_cast<void>(LevelBook(instrument_, leverage_, 1));  // refuses impossible tiers now, not at the first price
  counts_.accounts.resize(2 * leverage_.size());
  if (o.threads > 1) pool_ = std::make_shared<Pool>(o.threads);
}

Engine Engine::clone() const {
  Engine out(*this);
  out.hook_ = nullptr;
  out.publisher_ = nullptr;
  if (out.in_hook_) {  // the other one is not in a hook: what this one does when its hook returns
    out.in_hook_ = false;
    out.begin_window(window_start_ns_);
    out.live_.book->begin_window();
  }
  return out;
}

// --- the clock and its windows -----------------------------------------------------------------------------------

LevelBook Engine::new_book(std::int64_t tick) const {
  if (options_.axis) return {instrument_, leverage_, *options_.axis};
  return {instrument_, leverage_, options_.ticks_per_bin > 0 ? options_.ticks_per_bin : automatic_ticks_per_bin(tick),
          options_.axis_limit};
}

void Engine::start_book(std::int64_t ts_ns, std::int64_t tick) {
  if (live_.book) return;
  LevelBook book = new_book(tick);
  History history(
      Terms{instrument_.contract(), instrument_.tick_size(), instrument_.lot_size(), instrument_.multiplier(),
            book.bin_rule().ticks_per_bin(), options_.window_ns, leverage_.size()},
      options_.keep);
  liquidated_usd_.reserve(2 * leverage_.size());
  live_.book.emplace(std::move(book));
  history_.emplace(std::move(history));
  began_ns_ = ts_ns;
  if (!options_.axis) last_tick_ = last_tick(live_.book->bin_rule().ticks_per_bin());
  begin_window(floor_div(ts_ns, options_.window_ns) * options_.window_ns);
}

void Engine::begin_window(std::int64_t start_ns) noexcept {
  window_start_ns_ = start_ns;
  window_end_ns_ = start_ns + options_.window_ns;
  presence_.begin_window(window_start_ns_, window_end_ns_);
  plain_end_ns_ = doubts_ ? kNever : std::min(window_end_ns_, kMaxTime + 1);
}

void Engine::end_book() noexcept {
  live_.book.reset();
  history_.reset();
  began_ns_ = window_start_ns_ = 0;
  if (!options_.axis && options_.ticks_per_bin == 0) last_tick_ = 0;
  window_end_ns_ = plain_end_ns_ = kNever;
}

template <class Prepare>
void Engine::move_clock(std::int64_t ts_ns, std::int64_t tick, Prepare&& prepare) {
  if (!live_.book && tick != 0) {
    start_book(ts_ns, tick);
    try {
      prepare();
    } catch (...) {
      end_book();
      throw;
    }
  } else if (ts_ns < window_end_ns_ || window_end_ns_ == kNever) {
    prepare();
  } else if (hook_) {
    while (ts_ns >= window_end_ns_) close_windows(1, [] {});  // what a hook was told of stands
    prepare();
  } else {
    close_windows(static_cast<std::size_t>((ts_ns - window_end_ns_) / options_.window_ns) + 1, prepare);
  }
  clock_ns_ = ts_ns;
}

void Engine::move_clock(std::int64_t ts_ns, std::int64_t tick) {
  move_clock(ts_ns, tick, [] {});
}

/// The one place where windows end. First everything that needs memory, then, without a way to fail, what it is for.
/// Windows after the first are idle, and pass at once; there are none with a hook.
template <class Prepare>
void Engine::close_windows(std::size_t windows, Prepare&& prepare) {
  apply_run();
  LevelBook& book = *live_.book;
  const bool decays = !window_decay_.empty();
  if (decays)
    book.room_to_settle(closing_);
  else
    book.peek(closing_);
  history_->room_for(windows, book.opened(), decays || !closing_.scale[0].empty(), room_);
  prepare();
  if (decays) {
    book.scale(window_decay_);
    book.peek(closing_);
  }
  end_windows(closing_, 1);
  if (windows > 1) end_windows(idle_, windows - 1);
  publish_windows_ended();
  history_->prefetch();
}

void Engine::refuse_in_hook() const {
  if (in_hook_) throw InvalidConfig("an engine must not be fed from its own hook, which may only read it");
}

void Engine::advance(std::int64_t ts_ns) {
  refuse_in_hook();
  if (ts_ns < 0 || ts_ns > kMaxTime)
    throw InvalidConfig("ts must be a time between 1970 and 2116 in ns, was " + text_of(ts_ns));
  if (clock_ns_ != kNever && ts_ns < clock_ns_)
    throw InvalidConfig("ts must not be before the engine's clock (" + text_of(clock_ns_) + "), was " + text_of(ts_ns));
  refuse_jump(ts_ns);
  move_clock(ts_ns, 0);
  answer_readers();
}

void Engine::refuse_jump(std::int64_t ts_ns) const {
  if (!looked_ahead_) jumps().see(ts_ns, true);
}

// --- checking rows -----------------------------------------------------------------------------------------------

std::int64_t Engine::last_tick(std::int64_t ticks_per_bin) const noexcept {
  constexpr auto kHighest = static_cast<std::int64_t>(kMaxTicks);  // no price lies above
  return ticks_per_bin > kHighest / options_.axis_limit ? kHighest : options_.axis_limit * ticks_per_bin - 1;
}

bool Engine::off_range(std::int64_t tick) const noexcept {
  return tick > (last_tick_ != 0 ? last_tick_ : last_tick(automatic_ticks_per_bin(tick)));
}

Reject Engine::check_trade(std::int64_t ts_ns, double price, double qty, std::int64_t clock, OnGrid& tick,
                           OnGrid& lots) const noexcept {
  const Reject reject =
      liqcore::check_trade(ts_ns, price, qty, clock, instrument_.tick_size(), instrument_.lot_size(), tick, lots);
  return reject == Reject::none && off_range(tick.units) ? Reject::off_range : reject;
}

Reject Engine::check_mark(std::int64_t ts_ns, double price, std::int64_t clock) const noexcept {
  if (const Reject time = check_time(ts_ns, clock); time != Reject::none) return time;
  if (!std::isfinite(price)) return Reject::not_finite;
  OnGrid tick;
  const Reject reject = check_price(price, instrument_.tick_size(), tick);
  return reject == Reject::none && off_range(tick.units) ? Reject::off_range : reject;
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
  if (reject != Reject::off_grid) return reject;
  return off_range(tick.units) ? Reject::off_range : Reject::none;  // events are rounded
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
  if (!(candles.low[i] <= low && candles.high[i] >= high)) return Reject::inconsistent;
  return off_range(instrument_.to_ticks(candles.high[i]).units) ? Reject::off_range : Reject::none;
}

Reject Engine::count(Reject reason) noexcept {
  ++counts_.rows;
  if (reason == Reject::none)
    ++counts_.used;
  else
    ++counts_.rejected[static_cast<std::size_t>(reason)];
  answer_readers();
  return reason;
}

// --- one event ---------------------------------------------------------------------------------------------------

Reject Engine::trade(std::int64_t ts_ns, double price, double qty, bool taker_sell) {
  // A trade that is plainly on both grids, in the window and the run that are open: see limits.hpp on the products.
  // Every test is false for NaN.
  const double x = price * per_tick_;
  const double y = qty * per_lot_;
  const double tick = round_half_even(x);
  const double lots = round_half_even(y);
  if (std::fabs(x - tick) <= kOnGrid && std::fabs(y - lots) <= kOnGrid && qty > 0.0 && y <= kNear && x <= kNear &&
      ts_ns >= clock_ns_ && ts_ns < plain_end_ns_ && live_.run.takes(static_cast<std::int64_t>(tick))) {
    add_to_run(ts_ns, static_cast<std::int64_t>(tick), static_cast<std::int64_t>(lots), taker_sell);
    clock_ns_ = last_event_ns_ = ts_ns;
    ++counts_.rows;
    ++counts_.used;
    return Reject::none;
  }
  return checked_trade(ts_ns, price, qty, taker_sell);
}

Reject Engine::checked_trade(std::int64_t ts_ns, double price, double qty, bool taker_sell) {
  refuse_in_hook();
  OnGrid tick;
  OnGrid lots;
  Reject reject = check_trade(ts_ns, price, qty, clock_ns_, tick, lots);
  const bool watched = watches() && (reject == Reject::none || reject == Reject::off_range);
  const PriceBelief before = watched ? trade_belief() : PriceBelief{};
  PriceBelief belief = before;
  if (watched && !see(options_.outlier, PriceStream::trades, ts_ns, tick.units, tick.units, tick.units, belief))
    reject = Reject::outlier;
  if (reject == Reject::none) {
    if (ts_ns >= window_end_ns_) refuse_jump(ts_ns);  // within a window there is no gap
    if (static_cast<double>(lots.units) > kNear) {
      use_large_trade(ts_ns, tick.units, static_cast<double>(lots.units), taker_sell);
    } else {
      if (live_.book && !live_.run.takes(tick.units)) apply_run();
      move_clock(ts_ns, tick.units);
      if (!live_.run.takes(tick.units)) begin_run(tick.units);
      add_to_run(ts_ns, tick.units, lots.units, taker_sell);
    }
    if (!lots.exact) ++counts_.rounded_qty;
    used_trades_ = true;
    last_event_ns_ = ts_ns;
  }
  if (watched) {
    believe_trade(belief);
    note(options_.outlier, PriceStream::trades, ts_ns, tick.units, tick.units, tick.units, before,
         reject != Reject::outlier, price_notes_);
  }
  return count(reject);
}

// --- what prices are believed ------------------------------------------------------------------------------------

PriceBelief Engine::trade_belief() const noexcept {
  PriceBelief out = belief_of(PriceStream::trades);
  if (!live_.run.empty()) out.tick = live_.run.last();
  return out;
}

/// Within the range of a run all prices are near each other (begin_run()), and the one believed last lies there, too:
/// so a trade that the run takes is believed without a look. Where that does not hold, all are looked at.
void Engine::believe_trade(const PriceBelief& belief) {
  if (!live_.run.empty() && belief.tick != live_.run.last()) apply_run();  // it lay beyond the axis
  belief_of(PriceStream::trades) = belief;
  if (live_.book && live_.run.empty() && !live_.run.takes(belief.tick) && belief.tick >= 1 && belief.tick <= last_tick_)
    live_.run.reset(belief.tick, belief.tick);
  look_again();
}

void Engine::look_again() noexcept {
  const PriceBelief& belief = belief_of(PriceStream::trades);
  doubts_ = watches() && !(is_settled(belief, PriceStream::trades) && belief.tick <= last_tick_);
  if (window_end_ns_ != kNever) plain_end_ns_ = doubts_ ? kNever : std::min(window_end_ns_, kMaxTime + 1);
}

Reject Engine::mark(std::int64_t ts_ns, double price) {
  refuse_in_hook();
  return mark_seen(ts_ns, price, ts_ns);
}

Reject Engine::mark_seen(std::int64_t ts_ns, double price, std::int64_t seen_ns) {
  Reject reject = check_mark(ts_ns, price, clock_ns_);
  const bool watched = watches() && (reject == Reject::none || reject == Reject::off_range);
  const std::int64_t tick = watched ? instrument_.to_ticks(price).units : 0;
  const double limit = limit_of(options_.outlier, PriceStream::marks);
  const PriceBelief before = belief_of(PriceStream::marks);
  PriceBelief belief = before;
  if (watched && !see(limit, PriceStream::marks, seen_ns, tick, tick, tick, belief)) reject = Reject::outlier;
  if (reject == Reject::none) {
    refuse_jump(ts_ns);
    use_mark(ts_ns, price);
  }
  if (watched) {
    belief_of(PriceStream::marks) = belief;
    note(limit, PriceStream::marks, seen_ns, tick, tick, tick, before, reject != Reject::outlier, price_notes_);
  }
  return count(reject);
}

Reject Engine::open_interest(std::int64_t ts_ns, double quantity) {
  refuse_in_hook();
  const Reject reject = check_sample(ts_ns, quantity, clock_ns_);
  if (reject == Reject::none) {
    refuse_jump(ts_ns);
    if (live_.sampled.acts()) {
      apply_run();
      const std::int64_t last_price = live_.last_price != 0 ? live_.last_price : mark_tick_;
      LevelBook* const book = live_.book && last_price != 0 ? &*live_.book : nullptr;
      const SampledModel::Market market{book != nullptr ? mark_reached() : std::nullopt, live_.triggered, last_price};
      const auto lots = static_cast<double>(instrument_.to_lots(quantity).units);
      move_clock(ts_ns, 0, [&] { live_.sampled.room_for(lots, book, market); });
      live_.sampled.sample(lots, book, market);
    } else {
      move_clock(ts_ns, 0);
    }
    open_interest_ = quantity;
    last_event_ns_ = ts_ns;
  }
  return count(reject);
}

Reject Engine::vendor_event(std::int64_t ts_ns, double price, double qty) {
  refuse_in_hook();
  if (options_.model != Model::vendor) throw InvalidConfig("vendor events need the model vendor");
  const Reject reject = check_event(ts_ns, price, qty, clock_ns_);
  if (reject == Reject::none) {
    refuse_jump(ts_ns);
    const std::int64_t tick = instrument_.to_ticks(price).units;
    const OnGrid lots = instrument_.to_lots(qty);
    const auto opened = static_cast<double>(lots.units);
    apply_run();
    move_clock(ts_ns, tick, [&] { room_to_open(tick, opened, opened, std::nullopt); });
    last_event_ns_ = ts_ns;
    if (!lots.exact) ++counts_.rounded_qty;
    SampledModel::event(opened, tick, *live_.book);
  }
  return count(reject);
}

void Engine::room_to_open(std::int64_t tick, double longs, double shorts, std::optional<LevelBook::Reached> reached) {
  Layers::Range bins;
  live_.book->room_to_open(Side::long_, tick, longs, reached, bins);
  live_.book->room_to_open(Side::short_, tick, shorts, reached, bins);
  live_.book->make_room(bins);
}

void Engine::use_large_trade(std::int64_t ts_ns, std::int64_t tick, double lots, bool taker_sell) {
  apply_run();
  const double bought = taker_sell ? 0.0 : lots;
  const double sold = taker_sell ? lots : 0.0;
  move_clock(ts_ns, tick, [&] {
    if (live_.sampled.watches()) live_.sampled.room_to_trade(1);
    live_.book->room_to_touch();
    if (trades_open()) room_to_open(tick, lots, lots, mark_reached());
  });
  draw({tick, tick, tick, tick, bought, sold});
  if (live_.sampled.watches()) live_.sampled.traded(tick, bought, sold);
  if (options_.trigger == Trigger::last) touch_book({tick, tick}, {tick, tick});
  if (!trades_open()) return;
  const std::optional<LevelBook::Reached> reached = mark_reached();
  const double taken = presence_.acts() ? presence_.add(ts_ns, lots, taker_sell) : lots;
  const double made = options_.maker_share * taken;
  live_.book->open(Side::long_, tick, taker_sell ? made : taken, reached);
  live_.book->open(Side::short_, tick, taker_sell ? taken : made, reached);
}

void Engine::begin_run(std::int64_t tick) {
  apply_run();
  // Where trades touch nothing their order never matters.
  constexpr std::int64_t kReach = Footprint::kMaxTicks / 2 - 1;
  TickRange ticks{std::max<std::int64_t>(1, tick - kReach), tick + kReach};
  if (options_.trigger == Trigger::last && trades_open()) {
    // A price that jumps from trade to trade would leave any range at once, so none is looked for.
    const std::int64_t jump = run_tick_ == 0 ? 0 : std::abs(tick - run_tick_);
    ticks = jump > 2 * live_.book->calm_reach(tick) ? TickRange{tick, tick} : live_.book->calm_range(tick);
  }
  if (watches()) {
    const TickRange near = near_range(options_.outlier, tick);
    ticks = {std::max(ticks.low, near.low), std::min(ticks.high, near.high)};
  }
  live_.run.reset(ticks.low, std::min(ticks.high, last_tick_));
  run_tick_ = tick;
}

void Engine::apply_run() const {
  Footprint& run = live_.run;
  if (run.empty()) return;
  LevelBook& book = *live_.book;
  const bool touches = options_.trigger == Trigger::last;
  const bool opens = trades_open();
  const auto reached = mark_reached();
  // First what needs memory; that of the axis, which can be seen, last and all at once.
  if (live_.sampled.watches()) live_.sampled.room_to_trade(static_cast<std::size_t>(run.high() - run.low() + 1));
  if (touches) book.room_to_touch();
  if (opens) {
    Layers::Range bins;
    book.room_to_open(run, options_.maker_share, reached, bins);
    book.make_room(bins);
  }
  const Footprint::Volumes volumes = presence_.acts() ? live_.traded : run.volumes();
  live_.traded = {};
  draw({run.first(), run.high(), run.low(), run.last(), static_cast<double>(volumes.bought),
        static_cast<double>(volumes.sold)});
  if (watches()) belief_of(PriceStream::trades).tick = run.last();
  if (live_.sampled.watches()) live_.sampled.traded(run);
  if (touches) {
    live_.triggered = live_.price = TickRange{run.last(), run.last()};
    live_.sampled.touched({run.low(), run.high()});
    book.touch(run.low(), run.high());
  }
  if (opens) book.open_run(run, options_.maker_share, reached);
  run.clear();
}

void Engine::touch_book(TickRange range, TickRange price) {
  live_.book->room_to_touch();
  live_.triggered = range;
  live_.price = price;
  live_.sampled.touched(range);
  live_.book->touch(range.low, range.high);
}

void Engine::draw(const Candle& candle) const {
  live_.candle.extend(candle);
  live_.last_price = candle.close;
  live_.sampled.priced(candle);
}

std::optional<LevelBook::Reached> Engine::mark_reached() const noexcept {
  if (options_.trigger != Trigger::mark || mark_tick_ == 0) return std::nullopt;
  const std::int64_t bin = live_.book->bin_rule()(mark_tick_);
  return LevelBook::Reached{bin, bin};
}

void Engine::use_mark(std::int64_t ts_ns, double price) {
  const std::int64_t tick = instrument_.to_ticks(price).units;
  const bool touches = options_.trigger == Trigger::mark;
  if (touches) apply_run();
  move_clock(ts_ns, tick, [&] {
    if (touches) live_.book->room_to_touch();
  });
  last_event_ns_ = ts_ns;
  mark_price_ = price;
  mark_tick_ = tick;
  if (touches) touch_book({tick, tick}, {tick, tick});
}

void Engine::use_candle(const CandleArrays& candles, std::size_t i) {
  const auto tick_of = [&](double price) { return instrument_.to_ticks(price).units; };
  const auto volume = [&](std::span<const double> of) { return of.empty() ? 0.0 : of[i]; };
  const std::int64_t low = tick_of(candles.low[i]);
  const std::int64_t high = tick_of(candles.high[i]);
  const std::int64_t first = tick_of(candles.open[i]);
  const std::int64_t close = tick_of(candles.close[i]);
  const std::int64_t entry = std::max<std::int64_t>(1, tick_of(entry_price(options_.candle_price, candles, i)));
  const OnGrid buy = instrument_.to_lots(volume(candles.buy_qty));
  const OnGrid sell = instrument_.to_lots(volume(candles.sell_qty));
  const auto bought = static_cast<double>(buy.units);
  const auto sold = static_cast<double>(sell.units);
  const double buyers = presence_.of_candle(candles.interval_ns, bought);
  const double sellers = presence_.of_candle(candles.interval_ns, sold);
  const double longs = buyers + options_.maker_share * sellers;
  const double shorts = sellers + options_.maker_share * buyers;
  const bool touches = options_.trigger != Trigger::mark;
  const auto reached = [&] {
    const BinRule& bin = live_.book->bin_rule();
    return touches ? LevelBook::Reached{bin(low), bin(high)} : mark_reached();
  };
  apply_run();
  move_clock(candles.ts_open_ns[i] + candles.interval_ns - 1, first, [&] {
    if (live_.sampled.watches()) live_.sampled.room_to_trade(1);
    if (touches) live_.book->room_to_touch();
    if (trades_open()) room_to_open(entry, longs, shorts, reached());
  });
  last_event_ns_ = clock_ns_;
  if (!buy.exact || !sell.exact) ++counts_.rounded_qty;
  if (volume(candles.buy_qty) > 0.0 || volume(candles.sell_qty) > 0.0) used_candle_volumes_ = true;
  draw({first, high, low, close, bought, sold});
  if (touches) touch_book({low, high}, {close, close});
  if (bought == 0.0 && sold == 0.0) return;
  if (live_.sampled.watches()) live_.sampled.traded(entry, bought, sold);
  if (!trades_open()) return;
  live_.book->open(Side::long_, entry, longs, reached());
  live_.book->open(Side::short_, entry, shorts, reached());
}

Reject Engine::candle(const CandleArrays& candles, std::size_t i) {
  Reject reject = check_candle(candles, i, clock_ns_);
  if (!watches() || (reject != Reject::none && reject != Reject::off_range)) {
    if (reject == Reject::none) use_candle(candles, i);
    return count(reject);
  }
  const auto tick_of = [&](std::span<const double> of) { return instrument_.to_ticks(of[i]).units; };
  const Candle ticks{tick_of(candles.open), tick_of(candles.high), tick_of(candles.low), tick_of(candles.close)};
  const std::int64_t ts_ns = candles.ts_open_ns[i] + candles.interval_ns - 1;
  const double limit = limit_of(options_.outlier, PriceStream::candles);
  const PriceBelief before = belief_of(PriceStream::candles);
  PriceBelief belief = before;
  if (is_wild(options_.outlier, ticks)) {
    price_notes_.add(Outlier{
        PriceStream::candles, ts_ns,
        are_near(10.0 * options_.outlier, std::max(ticks.open, ticks.close), ticks.high) ? ticks.low : ticks.high,
        before.times > 0 ? before.tick : ticks.open});
    return count(Reject::outlier);
  }
  if (!see(limit, PriceStream::candles, ts_ns, ticks.low, ticks.high, ticks.close, belief)) reject = Reject::outlier;
  if (reject == Reject::none) use_candle(candles, i);
  belief_of(PriceStream::candles) = belief;
  note(limit, PriceStream::candles, ts_ns, ticks.low, ticks.high, ticks.close, before, reject != Reject::outlier,
       price_notes_);
  return count(reject);
}

// --- the verbs, of arguments that fit (engine_verbs.cpp) ---------------------------------------------------------

Opened Engine::use_opening(std::int64_t ts_ns, const Opening& opening) {
  apply_run();
  move_clock(ts_ns, opening.tick, [&] {
    Layers::Range bins;
    live_.book->room_to_open(opening, price_reached(), bins);
    live_.book->make_room(bins);
  });
  return live_.book->open(opening, price_reached());
}

void Engine::use_touch(std::int64_t ts_ns, const TouchTicks& touch) {
  apply_run();
  move_clock(ts_ns, touch.range.low, [&] { live_.book->room_to_touch(); });
  touch_book(touch.range, touch.price);
}

}  // namespace liqcore::inline abi1
