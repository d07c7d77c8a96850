// The engine's whole state, to go on later or elsewhere.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "check_rows.hpp"
#include "check_state.hpp"
#include "liqcore/engine.hpp"
#include "liqcore/error.hpp"
#include "price_watch.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

std::string text_of_all(const std::vector<double>& values) {
  std::string out;
  for (const double value : values) {
    if (!out.empty()) out += ' ';
    out += text_of(value);
  }
  return out.empty() ? "none" : out;
}

std::string text_of_maybe(const std::optional<double>& value) { return value ? text_of(*value) : "none"; }

}  // namespace

std::vector<std::pair<std::string, std::string>> Engine::kind() const {
  const EngineOptions& o = options_;
  std::vector<double> levels;
  for (const Side side : {Side::long_, Side::short_})
    for (const double tier : leverage_.tiers())
      levels.push_back(instrument_.margin().level_factor(side, instrument_.contract(), tier));
  std::string axis = "automatic";
  if (o.axis_limit != LevelBook::kAutomaticBins) {
    axis += " up to bin ";
    axis += text_of(o.axis_limit - 1);
  }
  if (o.axis) {
    axis = "bins ";
    axis += text_of(o.axis->first_bin());
    axis += " to ";
    axis += text_of(o.axis->first_bin() + o.axis->size() - 1);
  }
  return {
      {"leverage", text_of_all(leverage_.tiers())},
      {"shares", text_of_all(leverage_.weights())},
      {"margin", text_of_all(levels)},
      {"axis", std::move(axis)},
      {"model", std::string(name_of(o.model))},
      {"trigger", std::string(name_of(o.trigger))},
      {"maker_share", text_of(o.maker_share)},
      {"half_life", text_of_all(o.half_life_ns)},
      {"taker_tilt", text_of(o.model_options.taker_tilt)},
      {"churn", text_of_maybe(o.model_options.churn)},
      {"event_threshold", text_of_maybe(o.model_options.event_threshold)},
      {"reconciled", o.model_options.reconciled ? "true" : "false"},
      {"candle_price", std::string(name_of(o.candle_price))},
      {"exponent", text_of_maybe(o.model_options.exponent)},
  };
}

Checkpoint Engine::checkpoint_unbegun() const {
  Checkpoint out{History(Terms{instrument_.contract(), instrument_.tick_size(), instrument_.lot_size(),
                               instrument_.multiplier(), 0, options_.window_ns, leverage_.size()},
                         options_.keep),
                 Segment{}, stats(), clock_ns_};
  out.sampled = live_.sampled.state();
  out.kind = kind();
  out.thinned = thinned_;
  out.beliefs = live_.beliefs;
  write_boundary(*out.open);
  out.open->end_ns = options_.window_ns;
  return out;
}

Checkpoint Engine::checkpoint() const {
  if (!live_.book) return checkpoint_unbegun();
  apply_run();
  const LevelBook& book = *live_.book;
  Checkpoint out{*history_,
                 std::nullopt,
                 stats(),
                 clock_ns_,
                 {},
                 live_.triggered,
                 used_trades_,
                 used_candle_volumes_,
                 live_.sampled.state(),
                 live_.last_price,
                 began_ns_,
                 liquidated_usd_,
                 book.earlier_accounts(),
                 kind(),
                 std::nullopt,
                 run_tick_,
                 live_.price,
                 thinned_,
                 live_.beliefs,
                 book.idle_windows(),
                 presence_.state()};
  if (const Footprint& run = live_.run; run.taken() > 0) out.run = TickRange{run.from(), run.from() + run.taken() - 1};
  if (Segment open; peek(open)) out.open = std::move(open);
  out.axis = {book.first_bin(), book.first_bin() + book.width()};
  return out;
}

void Engine::restore(const Checkpoint& checkpoint) {
  refuse_in_hook();
  if (clock_ns_ != kNever) throw InvalidConfig("an engine must be restored before it is fed");
  if (!checkpoint.open) throw InvalidConfig("a checkpoint must hold the unfinished window");
  const Terms& terms = checkpoint.history.terms();
  const std::int64_t step = terms.ticks_per_bin == 0     ? 0
                            : options_.axis              ? options_.axis->ticks_per_bin()
                            : options_.ticks_per_bin > 0 ? options_.ticks_per_bin
                                                         : terms.ticks_per_bin;
  if (!(terms == Terms{instrument_.contract(), instrument_.tick_size(), instrument_.lot_size(),
                       instrument_.multiplier(), step, options_.window_ns, leverage_.size()}))
    throw InvalidConfig("a checkpoint must be of the same instrument, bins, window and number of tiers");
  for (const auto& [name, own] : kind())
    for (const auto& [of, value] : checkpoint.kind)
      if (of == name && value != own)
        throw InvalidConfig("a checkpoint must be of the same " + name + ": this engine has " + own + ", it is of " +
                            value);
  if (step == 0) return restore_unbegun(checkpoint);
  const Segment& open = *checkpoint.open;
  const std::int64_t start = open.start_ns;
  if (start < 0 || start > kMaxTime || start % options_.window_ns != 0 || open.end_ns != start + options_.window_ns ||
      checkpoint.clock_ns >= open.end_ns ||
      (checkpoint.clock_ns < start && !checkpoint.kind.empty()))  // in a hook of liqcore 0.1.0 it was earlier
    throw InvalidConfig("a checkpoint's clock must lie in its unfinished window");
  if (!checkpoint.liquidated_usd.empty() && checkpoint.liquidated_usd.size() != 2 * leverage_.size())
    throw InvalidConfig("a checkpoint must hold what was liquidated of its own tiers");

  check_state(checkpoint, options_);
  Presence presence = presence_;
  presence.begin_window(start, open.end_ns);
  if (!presence.fits(checkpoint.presence))
    throw InvalidConfig("a checkpoint's second in progress must lie in its unfinished window");
  presence.restore(checkpoint.presence);

  // Everything is made apart; only then, without a way to fail, does it become this engine's.
  LevelBook book = options_.axis ? LevelBook(instrument_, leverage_, *options_.axis)
                                 : LevelBook(instrument_, leverage_, terms.ticks_per_bin, options_.axis_limit);
  const History& closed = checkpoint.history;
  LevelBook::IdleWindows idle{nullptr, 0, checkpoint.idle_windows};
  if (closed.size() > 0)
    if (const History::Entry last = closed.entry(closed.entries() - 1); last.window.idle())
      idle = {&last.window, last.folded + last.count, checkpoint.idle_windows};
  book.restore(closed.levels_before_entry(closed.entries() - (idle.window != nullptr ? 1 : 0)), open,
               checkpoint.stats.accounts, checkpoint.axis, checkpoint.earlier, idle);
  History history(checkpoint.history, options_.keep);
  SampledModel sampled = live_.sampled;
  sampled.restore(checkpoint.sampled);
  std::vector<double> liquidated_usd;
  liquidated_usd.reserve(2 * leverage_.size());
  liquidated_usd = checkpoint.liquidated_usd;
  liquidated_usd.reserve(2 * leverage_.size());

  live_.book.emplace(std::move(book));
  history_.emplace(std::move(history));
  live_.sampled = std::move(sampled);
  liquidated_usd_ = std::move(liquidated_usd);
  // Where runs end decides in which order what they liquidate is added up: the last digits of fractions.
  if (!options_.axis) last_tick_ = last_tick(terms.ticks_per_bin);
  if (const auto& run = checkpoint.run; run && run->low <= last_tick_)
    if (const std::int64_t high = std::min(run->high, last_tick_);
        !watches() || are_near(options_.outlier, run->low, high))
      live_.run.reset(run->low, high);
  run_tick_ = checkpoint.run_tick;
  begin_window(open.start_ns);
  presence_ = presence;
  live_.candle = open.candle;
  last_event_ns_ = open.last_ns;
  mark_price_ = open.mark_price;
  mark_tick_ = std::isnan(mark_price_) ? 0 : instrument_.to_ticks(mark_price_).units;
  open_interest_ = open.open_interest;
  clock_ns_ = std::max(checkpoint.clock_ns, start);
  live_.triggered = checkpoint.triggered;
  thinned_ = checkpoint.thinned;
  live_.price = checkpoint.price ? checkpoint.price : checkpoint.triggered;
  used_trades_ = checkpoint.used_trades;
  used_candle_volumes_ = checkpoint.used_candle_volumes;
  live_.last_price = checkpoint.last_price;
  began_ns_ = checkpoint.began_ns;
  static_cast<RowCounts&>(counts_) = checkpoint.stats;
  counts_.inexact = checkpoint.stats.inexact;
  if (watches()) {
    live_.beliefs = checkpoint.beliefs;
    PriceBelief& belief = belief_of(PriceStream::trades);
    if (belief.times == 0 && used_trades_ && live_.last_price != 0)  // that engine believed every price
      belief = settled_at(live_.last_price, PriceStream::trades);
    const Footprint& run = live_.run;
    if (belief.tick >= 1 && belief.tick <= last_tick_ && !run.takes(belief.tick))
      live_.run.reset(belief.tick, belief.tick);
    look_again();
  }
  publish_windows_ended();
}

void Engine::restore_unbegun(const Checkpoint& checkpoint) {
  check_unbegun(checkpoint, 2 * leverage_.size());
  SampledModel sampled = live_.sampled;
  sampled.restore(checkpoint.sampled);

  live_.sampled = std::move(sampled);
  clock_ns_ = checkpoint.clock_ns;
  last_event_ns_ = checkpoint.open->last_ns;
  open_interest_ = checkpoint.open->open_interest;
  thinned_ = checkpoint.thinned;
  static_cast<RowCounts&>(counts_) = checkpoint.stats;
  if (!watches()) return;
  live_.beliefs = checkpoint.beliefs;
  look_again();
}

}  // namespace liqcore::inline abi1
