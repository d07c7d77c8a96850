// The verbs of the engine, for models of one's own: one at a time, and arrays of them.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "check_rows.hpp"
#include "engine_parts.hpp"
#include "liqcore/engine.hpp"
#include "liqcore/error.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr std::ptrdiff_t kAlone = -1;  // a value that stands in no array

std::string named(const char* argument, std::ptrdiff_t row) {
  std::string out = argument;
  if (row != kAlone) out += " (row " + std::to_string(row) + ")";
  return out;
}

std::int64_t tick_of(const Instrument& instrument, const char* argument, double price, std::ptrdiff_t row) {
  const Reject reject = std::isfinite(price) ? check_price(price, instrument.tick_size()) : Reject::not_finite;
  if (reject != Reject::none)
    throw InvalidConfig(named(argument, row) + " must be a price of at least one tick and below 2^31 ticks, was " +
                        text_of(price));
  return instrument.to_ticks(price).units;
}

/// Whole lots of one row: of all tiers, or of each.
void lots_of(const Instrument& instrument, std::span<const double> qty, std::ptrdiff_t row, std::span<double> lots) {
  const bool alike = qty.size() == 1;
  bool any = false;
  for (std::size_t i = 0; i < qty.size(); ++i) {
    const bool fits = std::isfinite(qty[i]) && qty[i] >= 0.0 && qty[i] / instrument.lot_size() <= kMaxLots;
    if (!fits || (alike && qty[i] == 0.0))
      throw InvalidConfig(named("qty", row) + " must be finite, " + (alike ? "above 0" : "at least 0") +
                          " and at most 2^48 lots, was " + text_of(qty[i]));
    lots[i] = static_cast<double>(instrument.to_lots(qty[i]).units);
    if (qty[i] > 0.0 && lots[i] == 0.0)
      throw InvalidConfig(named("qty", row) + " must be more than half a lot (the lot size is " +
                          text_of(instrument.lot_size()) + "), was " + text_of(qty[i]));
    any = any || lots[i] > 0.0;
  }
  if (!any) throw InvalidConfig(named("qty", row) + " must be above 0 in at least one tier");
}

/// Whole lots of all tiers, or of each of them.
std::vector<double> lots_of(const Instrument& instrument, std::span<const double> qty, std::size_t tiers) {
  if (qty.size() != 1 && qty.size() != tiers)
    throw InvalidConfig("qty must hold one value per tier (" + std::to_string(tiers) + "), had " +
                        std::to_string(qty.size()));
  std::vector<double> lots(qty.size());
  lots_of(instrument, qty, kAlone, lots);
  return lots;
}

void require_as_long(const char* argument, std::size_t length, std::size_t rows) {
  if (length != rows)
    throw InvalidConfig(std::string(argument) + " must be as long as the first column (" + std::to_string(rows) +
                        "), had " + std::to_string(length));
}

}  // namespace

std::optional<LevelBook::Reached> Engine::price_reached() const noexcept {
  std::optional<LevelBook::Reached> reached = mark_reached();
  if (!live_.price) return reached;
  // Live longs lie below the trigger price and live shorts above it, also those that others open.
  const BinRule& bin = live_.book->bin_rule();
  const LevelBook::Reached at{bin(live_.price->low), bin(live_.price->high)};
  if (!reached) return at;
  return LevelBook::Reached{std::min(reached->low_bin, at.low_bin), std::max(reached->high_bin, at.high_bin)};
}

void Engine::refuse_without_clock() const {
  refuse_in_hook();
  if (clock_ns_ == kNever) throw InvalidConfig("the engine has no clock yet: call advance(ts) before the verbs");
}

void Engine::check_times(std::span<const std::int64_t> ts_ns) const {
  Jumps seen = jumps();  // its clock is the row's before
  for (std::size_t i = 0; i < ts_ns.size(); ++i) {
    const auto row = static_cast<std::ptrdiff_t>(i);
    if (ts_ns[i] < 0 || ts_ns[i] > kMaxTime)
      throw InvalidConfig(named("ts", row) + " must be a time between 1970 and 2116 in ns, was " + text_of(ts_ns[i]));
    if (ts_ns[i] < seen.clock_ns)
      throw InvalidConfig(named("ts", row) + " must not be before " +
                          (i == 0 ? "the engine's clock" : "the row before") + " (" + text_of(seen.clock_ns) +
                          "), was " + text_of(ts_ns[i]));
    seen.see(ts_ns[i], true);
  }
}

// --- open ----------------------------------------------------------------------------------------------------------

Opened Engine::open_at(Side side, double price, std::span<const double> qty, bool known) {
  refuse_without_clock();
  const std::int64_t tick = tick_of(instrument_, known ? "level" : "price", price, kAlone);
  if (qty.size() == 1) {  // without an allocation
    double lots = 0.0;
    lots_of(instrument_, qty, kAlone, {&lots, 1});
    return use_opening(clock_ns_, {side, tick, {&lots, 1}, known});
  }
  const std::vector<double> lots = lots_of(instrument_, qty, leverage_.size());
  return use_opening(clock_ns_, {side, tick, lots, known});
}

Opened Engine::open(Side side, double price, double qty) { return open_at(side, price, {&qty, 1}, false); }
Opened Engine::open(Side side, double price, std::span<const double> qty) { return open_at(side, price, qty, false); }
Opened Engine::open_level(Side side, double level, double qty) { return open_at(side, level, {&qty, 1}, true); }
Opened Engine::open_level(Side side, double level, std::span<const double> qty) {
  return open_at(side, level, qty, true);
}

Opened Engine::open_rows(const OpenArrays& rows, bool known) {
  if (rows.ts_ns.empty()) refuse_without_clock();
  refuse_in_hook();
  const std::size_t n = rows.price.size();
  if (!rows.ts_ns.empty()) require_as_long("ts", rows.ts_ns.size(), n);
  require_as_long("side", rows.is_short.size(), n);
  const std::size_t tiers = leverage_.size();
  if (rows.qty.size() != n && rows.qty.size() != n * tiers)
    throw InvalidConfig("qty must hold one value a row (" + std::to_string(n) + ") or one a tier of each row (" +
                        std::to_string(n * tiers) + "), had " + std::to_string(rows.qty.size()));
  const std::size_t each = rows.qty.size() == n ? 1 : tiers;
  std::vector<double> lots(each);
  const auto opening = [&](std::size_t i) {
    const auto row = static_cast<std::ptrdiff_t>(i);
    lots_of(instrument_, rows.qty.subspan(i * each, each), row, lots);
    return Opening{rows.is_short[i] != 0 ? Side::short_ : Side::long_,
                   tick_of(instrument_, known ? "level" : "price", rows.price[i], row), lots, known};
  };
  check_times(rows.ts_ns);
  for (std::size_t i = 0; i < n; ++i) static_cast<void>(opening(i));
  Opened out;
  for (std::size_t i = 0; i < n; ++i) out += use_opening(rows.ts_ns.empty() ? clock_ns_ : rows.ts_ns[i], opening(i));
  return out;
}

Opened Engine::opens(const OpenArrays& rows) { return open_rows(rows, false); }
Opened Engine::open_levels(const OpenArrays& rows) { return open_rows(rows, true); }

// --- touch, scale --------------------------------------------------------------------------------------------------

Engine::TouchTicks Engine::touch_ticks(double low, double high, std::optional<double> last, std::ptrdiff_t row) const {
  TouchTicks out{};
  out.range = {tick_of(instrument_, "low", low, row), tick_of(instrument_, "high", high, row)};
  if (out.range.low > out.range.high)
    throw InvalidConfig(named("high", row) + " must be at least low (" + text_of(low) + "), was " + text_of(high));
  out.price = out.range;
  if (!last) return out;
  const std::int64_t at = tick_of(instrument_, "last", *last, row);
  if (at < out.range.low || at > out.range.high)
    throw InvalidConfig(named("last", row) + " must lie between low (" + text_of(low) + ") and high (" + text_of(high) +
                        "), was " + text_of(*last));
  out.price = {at, at};
  return out;
}

void Engine::touch(double low, double high, std::optional<double> last) {
  refuse_without_clock();
  use_touch(clock_ns_, touch_ticks(low, high, last, kAlone));
}

void Engine::touches(const TouchArrays& rows) {
  if (rows.ts_ns.empty()) refuse_without_clock();
  refuse_in_hook();
  const std::size_t n = rows.low.size();
  if (!rows.ts_ns.empty()) require_as_long("ts", rows.ts_ns.size(), n);
  require_as_long("high", rows.high.size(), n);
  if (!rows.last.empty()) require_as_long("last", rows.last.size(), n);
  const auto ticks = [&](std::size_t i) {
    return touch_ticks(rows.low[i], rows.high[i],
                       rows.last.empty() ? std::nullopt : std::optional<double>(rows.last[i]),
                       static_cast<std::ptrdiff_t>(i));
  };
  check_times(rows.ts_ns);
  for (std::size_t i = 0; i < n; ++i) static_cast<void>(ticks(i));
  for (std::size_t i = 0; i < n; ++i) use_touch(rows.ts_ns.empty() ? clock_ns_ : rows.ts_ns[i], ticks(i));
}

std::vector<double> Engine::close_at(Side side, double low, double high, std::span<const double> qty) {
  refuse_without_clock();
  const TickRange part = touch_ticks(low, high, std::nullopt, kAlone).range;
  const std::vector<double> lots = lots_of(instrument_, qty, leverage_.size());
  std::vector<double> closed(leverage_.size());
  apply_run();
  if (!live_.book) return closed;
  live_.book->close(side, part.low, part.high, lots, closed);
  thinned_ = true;
  for (double& each : closed) each *= instrument_.lot_size();
  return closed;
}

std::vector<double> Engine::close(Side side, double low, double high, double qty) {
  return close_at(side, low, high, {&qty, 1});
}
std::vector<double> Engine::close(Side side, double low, double high, std::span<const double> qty) {
  return close_at(side, low, high, qty);
}

void Engine::scale(std::span<const double> factors, double low, double high) {
  refuse_without_clock();
  const TickRange part = touch_ticks(low, high, std::nullopt, kAlone).range;
  apply_run();
  if (!live_.book) return scale(factors);  // which checks them
  live_.book->scale_part(factors, part.low, part.high);
  thinned_ = true;
}

void Engine::scale(std::span<const double> factors) {
  refuse_without_clock();
  apply_run();
  if (live_.book)
    live_.book->scale(factors);
  else
    LevelBook(instrument_, leverage_, 1).scale(factors);  // nothing is live, but a wrong argument is still an error
}

}  // namespace liqcore::inline abi1
