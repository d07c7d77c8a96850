// What the files of the engine share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "check_rows.hpp"
#include "liqcore/engine.hpp"

namespace liqcore::inline abi1 {

inline constexpr std::size_t kBlockRows = 1024;  // a block's keys and lots stay in the first-level cache

/// Rows that several threads share; fewer are done before another thread has woken up. Tests set it low.
extern std::size_t rows_for_threads;

inline std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept { return a / b - (a % b < 0 ? 1 : 0); }

/// @throws InvalidConfig unless it is 1 to 256
void check_threads(std::size_t threads);

/// @throws InvalidConfig if a step goes over too many windows
void refuse_jump(const char* argument, std::int64_t from_ns, std::int64_t to_ns, std::int64_t windows,
                 std::int64_t window_ns);

/// Calls what is done with the events of a feed, in their order.
template <class OnTrades, class OnMark, class OnEvent, class OnCandle, class OnSample>
void merge(const Feed& feed, bool trades_sorted, OnTrades&& on_trades, OnMark&& on_mark, OnEvent&& on_event,
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

/// What `use` does to what is known of an engine.
template <class Use>
Stats account_for(const Engine& engine, Use&& use) {
  const Stats before = engine.stats();
  use();
  Stats after = engine.stats();
  static_cast<RowCounts&>(after) -= before;
  for (std::size_t i = 0; i < before.accounts.size(); ++i) after.accounts[i] -= before.accounts[i];
  return after;
}

}  // namespace liqcore::inline abi1
