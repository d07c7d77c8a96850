// The rule of outliers.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "liqcore/book.hpp"
#include "liqcore/error.hpp"
#include "liqcore/outliers.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {

inline void check_outlier(double limit) {
  if (!(limit >= 0.0 && limit <= 1e6))
    throw InvalidConfig("outlier must lie in [0, 1e6] (a share of the price; 0: every price is believed), was " +
                        text_of(limit));
}

/// The limit of a stream: an hour may lie between marks or candles.
constexpr double limit_of(double outlier, PriceStream stream) noexcept {
  return stream == PriceStream::trades ? outlier : 5.0 * outlier;
}

/// Whether all prices from `low` to `high` are near each other, ticks.
inline bool are_near(double limit, std::int64_t low, std::int64_t high) noexcept {
  return static_cast<double>(high) <= static_cast<double>(low) * (1.0 + limit) + kNearTicks;
}

/// Whether some price of a range is near a price, ticks.
inline bool is_near(double limit, std::int64_t tick, std::int64_t low, std::int64_t high) noexcept {
  return are_near(limit, tick, low) && are_near(limit, high, tick);
}

/// A range around a price in which all are near each other, ticks.
inline TickRange near_range(double limit, std::int64_t tick) noexcept {
  const double reach = std::sqrt(1.0 + limit);
  return {static_cast<std::int64_t>(std::ceil(static_cast<double>(tick) / reach)),
          static_cast<std::int64_t>(std::floor(static_cast<double>(tick) * reach))};
}

/// What a candle's own prices are to each other: its low or high further beyond both ends than ten times the limit.
inline bool is_wild(double limit, const Candle& candle) noexcept {
  return !are_near(10.0 * limit, candle.low, std::min(candle.open, candle.close)) ||
         !are_near(10.0 * limit, std::max(candle.open, candle.close), candle.high);
}

constexpr std::int64_t agreeing(PriceStream stream) noexcept {
  return stream == PriceStream::trades ? kAgreeingTrades : kAgreeingOthers;
}

/// A belief that nothing but another level can shake.
inline PriceBelief settled_at(std::int64_t tick, PriceStream stream) noexcept {
  PriceBelief out;
  out.tick = tick;
  out.times = agreeing(stream);
  return out;
}

inline bool is_settled(const PriceBelief& belief, PriceStream stream) noexcept {
  return belief.times == agreeing(stream) && belief.suspect_times == 0;
}

/// What a row makes of a belief: whether it is believed.
inline bool see(double limit, PriceStream stream, std::int64_t ts_ns, std::int64_t low, std::int64_t high,
                std::int64_t close, PriceBelief& belief) noexcept {
  const auto settle = [&] {
    if (belief.times < agreeing(stream)) return;
    belief.times = agreeing(stream);
    belief.at_ns = 0;
  };
  if (belief.times > 0 && !is_near(limit, belief.tick, low, high)) {
    if (belief.suspect_times == 0 || !is_near(limit, belief.suspect, low, high)) {
      belief.suspect_since_ns = ts_ns;
      belief.suspect_times = 1;
    } else if (ts_ns != belief.suspect_at_ns) {
      ++belief.suspect_times;
    }
    belief.suspect = close;
    belief.suspect_at_ns = ts_ns;
    if (belief.suspect_times <= belief.times) return false;
    belief = {close, ts_ns, belief.suspect_times, 0, 0, 0, 0};
    settle();
    return true;
  }
  if (belief.times == 0 || (belief.times < agreeing(stream) && ts_ns != belief.at_ns)) {
    ++belief.times;
    belief.at_ns = ts_ns;
    settle();
  }
  belief.tick = close;
  belief.suspect = belief.suspect_since_ns = belief.suspect_at_ns = belief.suspect_times = 0;
  return true;
}

/// What is to be said of a row: `before` is the belief before it, which it was seen to agree with or not.
inline void note(double limit, PriceStream stream, std::int64_t ts_ns, std::int64_t low, std::int64_t high,
                 std::int64_t close, const PriceBelief& before, bool believed, PriceNotes& notes) noexcept {
  if (!believed)
    notes.add(Outlier{stream, ts_ns, are_near(limit, before.tick, high) ? low : high, before.tick});
  else if (before.times > 0 && !is_near(limit, before.tick, low, high))
    notes.add(PriceJump{stream, before.suspect_times > 0 ? before.suspect_since_ns : ts_ns, ts_ns, close, before.tick,
                        before.times == agreeing(stream)});
}

}  // namespace liqcore::inline abi1
