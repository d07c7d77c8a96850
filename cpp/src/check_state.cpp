#include "check_state.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "check_rows.hpp"
#include "liqcore/error.hpp"
#include "price_watch.hpp"
#include "rounding.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr double kMostLots = 4611686018427387904.0;  // 2^62: sums of lots become whole numbers of 64 bits
constexpr std::int64_t kMostWhole = std::int64_t{1} << 62;
constexpr std::size_t kMostTiers = 32767;  // as archives count them
constexpr auto kMostTicks = static_cast<std::int64_t>(kMaxTicks);

template <class T>
void require(bool holds, const char* what, const char* rule, const T& was) {
  if (!holds) throw InvalidConfig(std::string(what) + " must " + rule + ", was " + text_of(was));
}

bool is_price(std::int64_t tick) noexcept { return tick >= 1 && tick <= kMostTicks; }
bool are_lots(double lots) noexcept { return lots >= 0.0 && lots < kMostLots; }

void check_range(const char* what, const TickRange& range) {
  require(range.low <= range.high, what, "not end below its beginning", range.high);
  for (const std::int64_t tick : {range.low, range.high}) require(is_price(tick), what, "be prices in ticks", tick);
}

void check_candle(const Candle& candle) {
  const char* const what = "a candle";
  if (candle.empty()) {
    require(candle == Candle{}, what, "hold nothing where nothing traded", candle.close);
    return;
  }
  for (const std::int64_t tick : {candle.open, candle.high, candle.low, candle.close})
    require(is_price(tick) && tick >= candle.low && tick <= candle.high, what, "have prices within its range", tick);
  for (const double lots : {candle.buy_lots, candle.sell_lots})
    require(are_lots(lots), what, "have volumes of 0 to 2^62 lots", lots);
}

void check_tally(const Tally& tally) {
  require(tally.whole() > -kMostWhole && tally.whole() < kMostWhole, "a total", "be within 2^62 lots", tally.whole());
  require(tally.fraction() >= 0.0 && tally.fraction() < 1.0, "a total's fraction", "lie in [0, 1)", tally.fraction());
}

void check_accounts(const std::vector<Account>& accounts, std::size_t layers) {
  require(accounts.size() == layers, "accounts", "be one a side and tier", static_cast<std::int64_t>(accounts.size()));
  for (const Account& account : accounts) {
    if (account == Account{}) continue;  // as most are
    for (const Tally* tally : {&account.opened, &account.live, &account.liquidated, &account.closed, &account.underflow,
                               &account.overflow, &account.unresolved, &account.no_price})
      check_tally(*tally);
  }
}

void check_factors(const char* what, const std::vector<double>& factors, std::size_t tiers) {
  require(factors.empty() || factors.size() == tiers, what, "be one a tier or none",
          static_cast<std::int64_t>(factors.size()));
  for (const double factor : factors) require(factor >= 0.0 && factor <= 1.0, what, "lie in [0, 1]", factor);
}

void check_touched(const Segment& segment, std::size_t tiers) {
  for (const std::size_t side : {0, 1}) {
    const std::vector<TouchStep>& steps = segment.touched[side];
    for (std::size_t i = 0; i < steps.size(); ++i) {
      require(steps[i].bin >= 0 && steps[i].bin <= kMostTicks, "a touched bin", "lie from 0 to 2^31", steps[i].bin);
      require(i == 0 || (side == 0 ? steps[i].bin < steps[i - 1].bin : steps[i].bin > steps[i - 1].bin),
              "a touched bin", "lie beyond the one before it", steps[i].bin);
      check_factors("scales of a touched bin", steps[i].scale, tiers);
    }
    check_factors("scales", segment.scale[side], tiers);
  }
}

/// Adds up what could ever lie in one cell of each layer.
void add_up(const Cells& cells, std::vector<double>& sums) {
  for (std::size_t layer = 0; layer < sums.size(); ++layer) {
    for (const double lots : cells.layer_lots(layer)) sums[layer] += std::fabs(lots);
    require(sums[layer] < kMostLots, "the lots of a side and tier", "sum to less than 2^62", sums[layer]);
  }
}

void check_open_interest(double quantity, double lot_size) {
  require(std::isnan(quantity) || (quantity >= 0.0 && quantity / lot_size <= kMaxLots), "open interest",
          "be 0 to 2^48 lots", quantity);
}

/// A window that starts at `start_ns`.
void check_window(const Segment& segment, std::int64_t start_ns, const Terms& terms, Layers::Range bins, bool thinned,
                  std::vector<double>& sums, Layers::Range& reach) {
  require(segment.start_ns == start_ns, "a window", "start where the one before it ends", segment.start_ns);
  require(segment.end_ns == start_ns + terms.window_ns, "a window", "be as long as the others", segment.end_ns);
  require(segment.last_ns == kNever || (segment.last_ns >= 0 && segment.last_ns < segment.end_ns), "the last event",
          "come before its window ends", segment.last_ns);
  check_candle(segment.candle);
  check_touched(segment, terms.tiers);
  for (const Cells* cells : {&segment.additions, &segment.liquidated})
    reach.include(check_cells(*cells, 2 * terms.tiers, bins, thinned));
  add_up(segment.additions, sums);
  check_accounts(segment.accounts, 2 * terms.tiers);
  require(std::isnan(segment.mark_price) ||
              (std::isfinite(segment.mark_price) && check_price(segment.mark_price, terms.tick_size) == Reject::none),
          "a mark price", "be a price of at least one tick", segment.mark_price);
  check_open_interest(segment.open_interest, terms.lot_size);
}

void check_sampled(const SampledState& state, std::size_t layers) {
  if (state.before)
    require(*state.before >= 0.0 && *state.before <= kMaxLots && *state.before == round_half_even(*state.before),
            "the last sample", "be 0 to 2^48 whole lots", *state.before);
  std::int64_t last = 0;
  for (const Traded& at : state.interval.profile) {
    require(is_price(at.tick) && at.tick > last, "the interval's profile", "have rising prices in ticks", at.tick);
    last = at.tick;
    for (const double lots : {at.bought, at.sold})
      require(are_lots(lots), "the interval's profile", "have volumes of 0 to 2^62 lots", lots);
  }
  if (state.interval.hull) check_range("the interval's range", *state.interval.hull);
  check_candle(state.interval.prices);
  for (const std::size_t size : {state.liquidated.size(), state.spared.size(), state.capped.size()})
    require(size == layers, "a model's totals", "be one a side and tier", static_cast<std::int64_t>(size));
  for (const Tally& tally : state.liquidated) check_tally(tally);
  for (const std::vector<double>* lots : {&state.spared, &state.capped})
    for (const double value : *lots) require(std::isfinite(value), "a correction", "be finite", value);
}

void check_belief(const PriceBelief& belief, PriceStream stream) {
  const char* const what = "a believed price";
  require(belief.times >= 0 && belief.times <= agreeing(stream), what, "be seen at few times", belief.times);
  require(belief.suspect_times >= 0 && belief.suspect_times <= belief.times, what, "be seen at more times than others",
          belief.suspect_times);
  require(belief.times == 0 ? belief == PriceBelief{} : is_price(belief.tick), what, "be a price in ticks",
          belief.tick);
  require(belief.suspect_times == 0 ? belief.suspect == 0 : is_price(belief.suspect), what, "be doubted for a price",
          belief.suspect);
  for (const std::int64_t time : {belief.at_ns, belief.suspect_since_ns, belief.suspect_at_ns})
    require(time >= 0 && time <= kMaxTime, "a time", "lie between 1970 and 2116", time);
}

/// The windows of a history, the first of which starts at `start`; returns when the last one ends. Joins the bins of
/// their cells to `reach`.
std::int64_t check_windows(const History& history, std::int64_t start, Layers::Range bins, bool thinned,
                           std::vector<double>& sums, Layers::Range& reach) {
  const Terms& terms = history.terms();
  Cells base;
  history.entry_base().extract(base);
  reach.include(check_cells(base, sums.size(), bins, false));
  add_up(base, sums);
  for (std::size_t e = 0; e < history.entries(); ++e) {  // idle windows are all like the first of them
    const History::Entry entry = history.entry(e);
    try {
      if (entry.window.idle())  // it may lack accounts, which are zero
        check_window(history.segment(entry.first), start, terms, bins, thinned, sums, reach);
      else
        check_window(entry.window, start, terms, bins, thinned, sums, reach);
    } catch (const InvalidConfig& error) {
      throw InvalidConfig("window " + std::to_string(entry.first) + ": " + error.what());
    }
    start += static_cast<std::int64_t>(entry.count) * terms.window_ns;
  }
  return start;
}

/// The closed windows, and the unfinished one after them.
void check_windows(const Checkpoint& checkpoint, Layers::Range bins) {
  const History& history = checkpoint.history;
  const Terms& terms = history.terms();
  const Segment& open = *checkpoint.open;
  require(history.total() >= history.size() && history.total() < (std::uint64_t{1} << 62), "a history",
          "count the windows that it holds", static_cast<std::int64_t>(history.total()));
  require(static_cast<std::int64_t>(history.size()) <= open.start_ns / terms.window_ns, "a history",
          "begin after 1970, with windows", static_cast<std::int64_t>(history.size()));
  std::vector<double> sums(2 * terms.tiers);
  const std::int64_t first = open.start_ns - static_cast<std::int64_t>(history.size()) * terms.window_ns;
  Layers::Range reach;  // within `bins`
  const std::int64_t start = check_windows(history, first, bins, checkpoint.thinned, sums, reach);
  try {
    check_window(open, start, terms, bins, checkpoint.thinned, sums, reach);
  } catch (const InvalidConfig& error) {
    throw InvalidConfig("window " + std::to_string(history.size()) + ": " + error.what());
  }
}

}  // namespace

Layers::Range bins_of(const EngineOptions& options) noexcept {
  if (!options.axis) return {0, options.axis_limit};
  return {options.axis->first_bin(), options.axis->first_bin() + options.axis->size()};
}

Layers::Range check_cells(const Cells& cells, std::size_t layers, Layers::Range bins, bool thinned) {
  Layers::Range reach;
  const auto sized = static_cast<std::int64_t>(cells.bins.size());
  const char* const what = "cells";
  require(cells.lots.size() == cells.bins.size(), what, "have lots each", sized);
  if (cells.offsets.empty()) {
    require(sized == 0, what, "be counted by side and tier", sized);
    return reach;
  }
  require(cells.offsets.size() == layers + 1 && cells.offsets.front() == 0 && cells.offsets.back() == sized &&
              std::is_sorted(cells.offsets.begin(), cells.offsets.end()),
          what, "be counted by side and tier", sized);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const std::size_t first = cells.offsets[layer], end = cells.offsets[layer + 1];
    if (first == end) continue;
    const std::int32_t* const bin = cells.bins.data();
    bool rise = bin[first] >= bins.low && bin[end - 1] < bins.high;
    for (std::size_t i = first + 1; i < end; ++i) rise &= bin[i] > bin[i - 1];
    for (std::size_t i = first; !rise && i < end; ++i)
      require(bin[i] >= bins.low && bin[i] < bins.high && (i == first || bin[i] > bin[i - 1]), what,
              "lie in rising bins of the axis", std::int64_t{bin[i]});
    reach.include({bin[first], std::int64_t{bin[end - 1]} + 1});
  }
  const auto are_held = [thinned](double lots) {
    return (lots > 0.0 || (thinned && lots < 0.0)) && are_lots(std::fabs(lots));
  };
  bool held = true;
  for (const double lots : cells.lots) held &= are_held(lots);
  for (std::size_t i = 0; !held && i < cells.lots.size(); ++i)
    require(are_held(cells.lots[i]), what, "hold above 0 and below 2^62 lots", cells.lots[i]);
  return reach;
}

void check_reach(Layers::Range reach) {
  require(reach.empty() || reach.high - reach.low <= kMaxAxisBins, "cells", "lie within the 2^22 bins of an axis",
          reach.high - reach.low);
}

void check_terms(const Terms& terms) {
  for (const auto& [what, value] :
       {std::pair{"tick_size", terms.tick_size}, {"lot_size", terms.lot_size}, {"multiplier", terms.multiplier}})
    require(std::isfinite(value) && value > 0.0, what, "be above 0 and finite", value);
  require(terms.ticks_per_bin >= 1 && terms.ticks_per_bin <= kLastTick, "ticks_per_bin", "be 1 to 2^40",
          terms.ticks_per_bin);
  require(terms.window_ns >= 1 && terms.window_ns <= kMaxTime, "window", "be 1 to 2^62 ns", terms.window_ns);
  require(terms.tiers >= 1 && terms.tiers <= kMostTiers, "tiers", "be 1 to 32767",
          static_cast<std::int64_t>(terms.tiers));
}

void check_history(const History& history) {
  const Terms& terms = history.terms();
  if (history.size() == 0) return;
  const Layers::Range bins{0, std::min<std::int64_t>(kLastTick / terms.ticks_per_bin, kMostTicks)};
  std::vector<double> sums(2 * terms.tiers);
  Layers::Range reach;
  check_windows(history, history.start_ns(0), bins, true, sums, reach);
  check_reach(reach);
}

namespace {

void check_axis(Layers::Range axis, const Terms& terms, const EngineOptions& options) {
  const Layers::Range bins = bins_of(options);
  if (options.axis && (axis.low != bins.low || axis.high != bins.high))
    throw InvalidConfig("an engine must be restored with its own axis, bins " + text_of(bins.low) + " to " +
                        text_of(bins.high - 1) + ", had " + text_of(axis.low) + " to " + text_of(axis.high - 1));
  require(axis.low >= bins.low && axis.low <= axis.high && axis.high <= bins.high, "an axis",
          "have bins from 0 to 2^20 or axis_limit", axis.high);
  if (!options.axis)
    require(terms.ticks_per_bin <= kMaxAutomaticStep && ends_in_time(options, terms.ticks_per_bin),
            "ticks_per_bin of an automatic axis", "be at most 2^20, and 2^40 / axis_limit", terms.ticks_per_bin);
}

void check_rows(const RowCounts& rows) {
  require(rows.rows == rows.used + rows.rejected_total() && rows.rejected[0] == 0, "rows", "be those used and rejected",
          static_cast<std::int64_t>(rows.rows));
}

void require_unbegun(bool holds, const char* rule) {
  if (!holds) throw InvalidConfig(std::string("an engine without a price must have ") + rule);
}

bool has_price(const Checkpoint& checkpoint) {
  return checkpoint.axis.low != 0 || checkpoint.axis.high != 0 || checkpoint.triggered || checkpoint.price ||
         checkpoint.last_price != 0 || checkpoint.began_ns != 0 || checkpoint.run || checkpoint.run_tick != 0 ||
         checkpoint.used_trades || checkpoint.used_candle_volumes || checkpoint.idle_windows;
}

void check_unbegun(const Segment& open) {
  for (const std::size_t side : {0, 1})
    require_unbegun(open.touched[side].empty() && open.scale[side].empty(), "touched nothing");
  require_unbegun(std::isnan(open.mark_price) && open.start_ns == 0 && open.candle == Candle{} &&
                      open.additions == Cells{} && open.liquidated == Cells{} && open.accounts.empty(),
                  "nothing in its window");
}

}  // namespace

void check_unbegun(const Checkpoint& checkpoint, std::size_t layers) {
  const History& history = checkpoint.history;
  const Segment& open = *checkpoint.open;
  require_unbegun(history.size() == 0 && history.total() == 0, "no windows");
  check_unbegun(open);
  for (const Account& account : checkpoint.stats.accounts) require_unbegun(account == Account{}, "opened nothing");
  require_unbegun((checkpoint.stats.accounts.empty() || checkpoint.stats.accounts.size() == layers) &&
                      checkpoint.earlier.empty() && checkpoint.liquidated_usd.empty() && !checkpoint.stats.inexact,
                  "no accounts");
  require_unbegun(!has_price(checkpoint), "no price");
  for (const std::int64_t time : {checkpoint.clock_ns, open.last_ns})
    require(time == kNever || (time >= 0 && time <= kMaxTime), "a time", "lie between 1970 and 2116", time);
  require(open.last_ns <= checkpoint.clock_ns, "the last event", "come before the clock", open.last_ns);
  check_rows(checkpoint.stats);
  check_open_interest(open.open_interest, history.terms().lot_size);
  check_sampled(checkpoint.sampled, layers);
  for (std::size_t i = 0; i < kPriceStreams; ++i) check_belief(checkpoint.beliefs[i], static_cast<PriceStream>(i));
}

void check_state(const Checkpoint& checkpoint, const EngineOptions& options) {
  const History& history = checkpoint.history;
  const Terms& terms = history.terms();
  const std::size_t layers = 2 * terms.tiers;
  const Layers::Range bins = bins_of(options);

  check_axis(checkpoint.axis, terms, options);
  check_windows(checkpoint, bins);

  const Stats& stats = checkpoint.stats;
  check_rows(stats);
  check_accounts(stats.accounts, layers);
  if (!checkpoint.earlier.empty()) check_accounts(checkpoint.earlier, layers);
  if (checkpoint.triggered) check_range("the last touch", *checkpoint.triggered);
  if (checkpoint.price) check_range("the price after the last touch", *checkpoint.price);
  require(checkpoint.last_price == 0 || is_price(checkpoint.last_price), "the last price", "be a price in ticks",
          checkpoint.last_price);
  for (const std::int64_t time : {checkpoint.began_ns, checkpoint.clock_ns})
    require(time >= 0 && time <= kMaxTime, "a time", "lie between 1970 and 2116", time);
  check_sampled(checkpoint.sampled, layers);
  for (std::size_t i = 0; i < kPriceStreams; ++i) check_belief(checkpoint.beliefs[i], static_cast<PriceStream>(i));
  if (const auto& run = checkpoint.run)
    require(run->low >= 0 && run->high >= run->low && run->high <= 2 * kMostTicks &&
                run->high - run->low < Footprint::kMaxTicks,
            "the run in progress", "take at most so many ticks as a run takes", run->high);
  require(checkpoint.run_tick == 0 || is_price(checkpoint.run_tick), "the run in progress", "begin at a price in ticks",
          checkpoint.run_tick);
}

}  // namespace liqcore::inline abi1
