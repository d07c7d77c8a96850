// What makes a row of market data unusable; the same for everything that reads trades.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "grid.hpp"
#include "liqcore/instrument.hpp"
#include "liqcore/stats.hpp"

namespace liqcore::inline abi1 {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kMaxTime = std::int64_t{1} << 62;  // the year 2116

inline Reject check_time(std::int64_t ts_ns, std::int64_t clock) noexcept {
  if (ts_ns == kNever) return Reject::not_finite;
  if (ts_ns < 0) return Reject::not_positive;
  if (ts_ns > kMaxTime) return Reject::too_large;
  return ts_ns < clock ? Reject::late : Reject::none;
}

/// A finite price against its bounds.
inline Reject check_price(double price, double tick_size, OnGrid& tick) noexcept {
  if (!(price > 0.0)) return Reject::not_positive;
  const double ticks = price / tick_size;
  if (!(ticks <= kMaxTicks)) return Reject::too_large;
  tick = nearest(ticks);
  return tick.units >= 1 ? Reject::none : Reject::not_positive;
}

inline Reject check_price(double price, double tick_size) noexcept {
  OnGrid tick;
  return check_price(price, tick_size, tick);
}

/// A trade; where it is usable, `tick` and `lots` are its price and quantity.
inline Reject check_trade(std::int64_t ts_ns, double price, double qty, std::int64_t clock, double tick_size,
                          double lot_size, OnGrid& tick, OnGrid& lots) noexcept {
  if (const Reject time = check_time(ts_ns, clock); time != Reject::none) return time;
  if (!std::isfinite(price) || !std::isfinite(qty)) return Reject::not_finite;
  if (!(qty > 0.0)) return Reject::not_positive;
  if (const Reject reject = check_price(price, tick_size, tick); reject != Reject::none) return reject;
  const double quantity = qty / lot_size;
  if (!(quantity <= kMaxLots)) return Reject::too_large;
  lots = nearest(quantity);
  return tick.exact ? Reject::none : Reject::off_grid;
}

}  // namespace liqcore::inline abi1
