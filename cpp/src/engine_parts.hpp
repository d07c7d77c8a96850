// What the files of the engine share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "check_rows.hpp"
#include "liqcore/engine.hpp"

namespace liqcore::inline abi1 {

/// Rows that several threads share; fewer are done before another thread has woken up. Tests set it low.
extern std::size_t rows_for_threads;

inline std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept { return a / b - (a % b < 0 ? 1 : 0); }

/// @throws InvalidConfig unless it is 1 to 256
void check_threads(std::size_t threads);

/// Looks for a step over too many windows, nearly always a wrong time unit, in the times of rows alone: before any of
/// them is used, in their order. Windows are cheap, however many; what they would be is nonsense.
struct Jumps {
  std::int64_t clock_ns;
  bool began;  // whether there are windows yet
  std::int64_t window_ns;
  const char* stream = nullptr;  // which array the row that is seen stands in, for the message; null: in none
  std::int64_t row = 0;

  /// The next row, of a stream that has prices or not. Times that are no times, or late, go past.
  /// @throws InvalidConfig if it jumps
  void see(std::int64_t ts_ns, bool is_price);
  /// Less than this is no jump.
  [[nodiscard]] std::int64_t far_ns() const noexcept;

 private:
  void refuse(std::int64_t ts_ns) const;
};

/// A stream of a feed that is merged with its trades.
struct MergedStream {
  enum class Kind : std::uint8_t { mark, event, candle, sample };
  Kind kind;
  std::span<const std::int64_t> ts_ns;
  std::int64_t delay_ns;  // after which its events act
  std::size_t next = 0;

  [[nodiscard]] bool done() const noexcept { return next == ts_ns.size(); }
  /// An event whose time is no time at all is left where it is, to be rejected.
  [[nodiscard]] std::int64_t time() const noexcept {
    const std::int64_t ts = ts_ns[next];
    return ts >= 0 && ts <= kMaxTime ? ts + delay_ns : ts;
  }
  /// Trades of its next event's time come after marks and before the rest; the last time there is lies beyond what is
  /// accepted, in whatever order.
  [[nodiscard]] std::int64_t trades_until() const noexcept {
    const std::int64_t at = time();
    return kind == Kind::mark || at == std::numeric_limits<std::int64_t>::max() ? at : at + 1;
  }
};

/// The first trade from `i` on that is not before a time.
inline std::size_t trades_before(std::span<const std::int64_t> ts_ns, std::size_t i, std::int64_t until, bool sorted) {
  if (sorted)
    return static_cast<std::size_t>(
        std::lower_bound(ts_ns.begin() + static_cast<std::ptrdiff_t>(i), ts_ns.end(), until) - ts_ns.begin());
  while (i < ts_ns.size() && ts_ns[i] < until) ++i;
  return i;
}

/// Calls what is done with the events of a feed, in their order: at equal times marks, trades, vendor events, candles
/// (which act at their last nanosecond), samples.
template <class OnTrades, class OnMark, class OnEvent, class OnCandle, class OnSample>
void merge(const Feed& feed, bool trades_sorted, OnTrades&& on_trades, OnMark&& on_mark, OnEvent&& on_event,
           OnCandle&& on_candle, OnSample&& on_sample) {
  using Kind = MergedStream::Kind;
  MergedStream streams[] = {{Kind::mark, feed.marks.ts_ns, 0},
                            {Kind::event, feed.vendor_events.ts_ns, 0},
                            {Kind::candle, feed.candles.ts_open_ns, feed.candles.interval_ns - 1},
                            {Kind::sample, feed.open_interest.ts_ns, 0}};
  const auto& trade_ts = feed.trades.ts_ns;
  std::size_t i_trade = 0;
  while (true) {
    MergedStream* first = nullptr;
    for (MergedStream& stream : streams)
      if (!stream.done() && (first == nullptr || stream.time() < first->time())) first = &stream;
    const std::size_t end =
        first == nullptr ? trade_ts.size() : trades_before(trade_ts, i_trade, first->trades_until(), trades_sorted);
    if (end > i_trade) {
      on_trades(i_trade, end);
      i_trade = end;
    }
    if (first == nullptr) return;
    const std::size_t i = first->next++;
    switch (first->kind) {
      case Kind::mark:
        on_mark(i);
        break;
      case Kind::event:
        on_event(i);
        break;
      case Kind::candle:
        on_candle(i);
        break;
      case Kind::sample:
        on_sample(i);
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
