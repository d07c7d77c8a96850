// Many events at a time: several streams merged, arrays and records, and what refuses them before anything has
// happened.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "check_feed.hpp"
#include "check_rows.hpp"
#include "engine_parts.hpp"
#include "kernels/kernels.hpp"
#include "liqcore/engine.hpp"
#include "liqcore/error.hpp"
#include "pool.hpp"
#include "price_watch.hpp"
#include "text_of.hpp"
#include "trade_blocks.hpp"

namespace liqcore::inline abi1 {
namespace {

/// The range of some keys (2 * tick + side); n >= 1.
TickRange ticks_of(const std::int64_t* keys, std::size_t n) noexcept {
  std::int64_t low;
  std::int64_t high;
  kernels::active().range(keys, n, &low, &high);
  return {low / 2, high / 2};
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

/// When the candles open that have a volume, the earliest first.
std::vector<std::int64_t> opened_with_volumes(const CandleArrays& candles) {
  const auto volume = [](std::span<const double> of, std::size_t i) { return of.empty() ? 0.0 : of[i]; };
  std::vector<std::int64_t> opened;
  for (std::size_t i = 0; i < candles.ts_open_ns.size(); ++i)
    if (volume(candles.buy_qty, i) > 0.0 || volume(candles.sell_qty, i) > 0.0) opened.push_back(candles.ts_open_ns[i]);
  std::sort(opened.begin(), opened.end());
  return opened;
}

/// Whether a time lies within one of the stretches that begin then.
bool any_within(std::span<const std::int64_t> times, const std::vector<std::int64_t>& begins, std::int64_t length) {
  return std::any_of(times.begin(), times.end(), [&](std::int64_t ts) {
    const auto after = std::upper_bound(begins.begin(), begins.end(), ts);
    return after != begins.begin() && ts - *std::prev(after) < length;
  });
}

}  // namespace

void Jumps::see(std::int64_t ts_ns, bool is_price) {
  if (ts_ns < std::max<std::int64_t>(clock_ns, 0) || ts_ns > kMaxTime) return;
  if (began && ts_ns - clock_ns >= far_ns()) refuse(ts_ns);
  clock_ns = ts_ns;
  began = began || is_price;
}

std::int64_t Jumps::far_ns() const noexcept {
  return window_ns > kMaxTime / Engine::kMaxGapWindows ? kMaxTime : window_ns * Engine::kMaxGapWindows;
}

void Jumps::refuse(std::int64_t ts_ns) const {
  const std::int64_t windows = floor_div(ts_ns, window_ns) - floor_div(clock_ns, window_ns);
  if (windows > Engine::kMaxGapWindows)
    throw InvalidConfig("ts must not jump over more than " + text_of(Engine::kMaxGapWindows) +
                        " windows at once (are the times in nanoseconds?): from " + text_of(clock_ns) + " to " +
                        text_of(ts_ns) + " ns are " + text_of(windows) + " windows of " + text_of(window_ns) + " ns" +
                        (stream == nullptr ? "" : ", in row " + text_of(row) + " of " + stream));
}

Jumps Engine::jumps() const noexcept { return {clock_ns_, window_end_ns_ != kNever, options_.window_ns}; }

void Engine::refuse_jumps(const Feed& feed, bool trades_sorted) const {
  Jumps jumps = this->jumps();
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
  const std::int64_t candle_ns = feed.candles.interval_ns - 1;
  look(feed.marks.ts_ns, 0);
  look(feed.vendor_events.ts_ns, 0);
  look(feed.candles.ts_open_ns, candle_ns);
  look(feed.open_interest.ts_ns, 0);
  if (last == kNever || last - first < jumps.far_ns()) return;

  // Rare: the call spans that many windows, so look whether one step does.
  const auto see_row = [&jumps](const char* stream, std::size_t row, std::int64_t ts, bool is_price) {
    jumps.stream = stream;
    jumps.row = static_cast<std::int64_t>(row);
    jumps.see(ts, is_price);
  };
  const auto see = [&](const char* stream, std::span<const std::int64_t> times, bool is_price) {
    return [&see_row, stream, times, is_price](std::size_t i) { see_row(stream, i, times[i], is_price); };
  };
  merge(
      feed, trades_sorted,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) see_row("trades", i, trade_ts[i], true);
      },
      see("marks", feed.marks.ts_ns, true), see("vendor_events", feed.vendor_events.ts_ns, true),
      [&](std::size_t i) {
        if (const std::int64_t ts = feed.candles.ts_open_ns[i]; ts >= 0 && ts <= kMaxTime - candle_ns)
          see_row("candles", i, ts + candle_ns, true);
      },
      see("open_interest", feed.open_interest.ts_ns, false));
}

void Engine::refuse_records(const TradeRecords& records) const {
  bool has_trades = false;
  Jumps jumps = this->jumps();
  for_each_trade(records, [&](std::size_t i, bool) {
    has_trades = true;
    jumps.stream = "events";
    jumps.row = static_cast<std::int64_t>(i);
    jumps.see(value_at<std::int64_t>(records.ts_ns, i), true);
  });
  refuse_double_volumes({}, has_trades);
}

// --- arrays ------------------------------------------------------------------------------------------------------

Stats Engine::trades(const TradeArrays& trades) { return feed({trades, {}, {}, {}, {}}); }
Stats Engine::marks(const SampleArrays& marks) { return feed({{}, marks, {}, {}, {}}); }
Stats Engine::candles(const CandleArrays& candles) { return feed({{}, {}, candles, {}, {}}); }
Stats Engine::open_interest(const SampleArrays& samples) { return feed({{}, {}, {}, samples, {}}); }
Stats Engine::vendor_events(const EventArrays& events) { return feed({{}, {}, {}, {}, events}); }

void Engine::refuse_double_volumes(const Feed& feed, bool has_trades) const {
  if (!any_volumes(feed.candles)) return;  // trades that come after candles are of after them, or late
  const bool has_runs = has_trades && feed.trades.ts_ns.empty();  // of which the times are not known one by one
  const std::vector<std::int64_t> opened = opened_with_volumes(feed.candles);
  const bool after_trades = used_trades_ && opened.front() <= clock_ns_;
  if (!has_runs && !after_trades && !any_within(feed.trades.ts_ns, opened, feed.candles.interval_ns)) return;
  throw InvalidConfig(
      "trades and candle volumes of one market must not be of the same time (each would open the same positions): "
      "leave out buy_qty and sell_qty, or the trades");
}

Stats Engine::feed(const Feed& feed) {
  return account_for(*this, [&] { static_cast<void>(feed_rows(feed)); });
}

RowCounts Engine::feed_rows(const Feed& feed) {
  refuse_in_hook();
  check_lengths(feed);
  if (!feed.vendor_events.ts_ns.empty() && options_.model != Model::vendor)
    throw InvalidConfig("vendor events need the model vendor");
  refuse_double_volumes(feed, !feed.trades.ts_ns.empty());
  const bool sorted = trades_rise(feed.trades.ts_ns);
  refuse_jumps(feed, sorted);
  const LookedAhead looked_ahead(looked_ahead_);
  const RowCounts before = counts_;
  merge(
      feed, sorted, [&](std::size_t begin, std::size_t end) { use_trades(feed.trades, begin, end, sorted); },
      [&](std::size_t i) { static_cast<void>(mark(feed.marks.ts_ns[i], feed.marks.value[i])); },
      [&](std::size_t i) {
        const EventArrays& events = feed.vendor_events;
        static_cast<void>(vendor_event(events.ts_ns[i], events.price[i], events.qty[i]));
      },
      [&](std::size_t i) { static_cast<void>(candle(feed.candles, i)); },
      [&](std::size_t i) {
        static_cast<void>(open_interest(feed.open_interest.ts_ns[i], feed.open_interest.value[i]));
      });
  answer_readers();
  RowCounts after = counts_;
  after -= before;
  return after;
}

RecordStats Engine::records(const TradeRecords& records) {
  refuse_in_hook();
  refuse_records(records);
  const LookedAhead looked_ahead(looked_ahead_);
  RecordStats out;
  // Whole windows of a long stretch are what threads share; one alone wants its block in the second-level cache.
  const std::size_t block = std::min(records.size, pool_ ? std::size_t{1} << 20 : std::size_t{1} << 13);
  std::vector<std::int64_t> ts(block);
  std::vector<double> price(block);
  std::vector<double> qty(block);
  std::vector<std::uint8_t> taker_sell(block);
  out.stats = account_for(*this, [&] {
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
    answer_readers();
  });
  return out;
}

void Engine::use_trades(const TradeArrays& trades, std::size_t begin, std::size_t end, bool sorted) {
  // With a hook windows close one by one: it must not see what comes after them.
  if (pool_ && !hook_ && sorted && begin < end && trades.ts_ns[begin] >= std::max<std::int64_t>(clock_ns_, 0) &&
      trades.ts_ns[end - 1] <= kMaxTime) {
    if (!live_.book && end - begin > kBlockRows) {
      use_trades(trades, begin, begin + kBlockRows, sorted);  // the first price makes the book
      begin += kBlockRows;
    }
    while (doubts_ && end - begin > kBlockRows) {  // a stretch of its own begins without doubts
      use_in_turn(trades, begin, begin + kBlockRows, sorted);
      begin += kBlockRows;
    }
    if (live_.book) begin = use_whole_windows(trades, begin, end);
  }
  use_in_turn(trades, begin, end, sorted);
}

void Engine::use_in_turn(const TradeArrays& trades, std::size_t begin, std::size_t end, bool sorted) {
  // The first price makes the book, and says where its axis ends.
  for (; begin < end && !live_.book; ++begin)
    static_cast<void>(
        trade(trades.ts_ns[begin], trades.price[begin], trades.qty[begin], trades.taker_sell[begin] != 0));
  const kernels::Grid grid{instrument_.tick_size(), instrument_.lot_size(), per_tick_, per_lot_};
  for_each_block(
      trades, begin, end, sorted, grid, keys_, lots_, [&] { return clock_ns_; },
      [&](const TradeBlock& block) { use_block(trades, block); },
      [&](std::size_t i) {
        static_cast<void>(trade(trades.ts_ns[i], trades.price[i], trades.qty[i], trades.taker_sell[i] != 0));
      });
}

void Engine::use_block(const TradeArrays& trades, const TradeBlock& block) {
  const std::int64_t* const ts = trades.ts_ns.data() + block.begin;
  const std::size_t n = block.rows;
  const auto is_believed = [&] {
    if (doubts_) return false;
    const std::int64_t before = trade_belief().tick;
    return are_near(options_.outlier, std::min(before, block.converted.low), std::max(before, block.converted.high));
  };
  if (block.converted.high > last_tick_ || (watches() && !is_believed())) {
    for (std::size_t i = block.begin; i < block.begin + n; ++i)
      static_cast<void>(trade(trades.ts_ns[i], trades.price[i], trades.qty[i], trades.taker_sell[i] != 0));
    return;
  }
  // What has happened of the block is counted when it has, for whoever looks from a hook or after memory ran out.
  const auto count_rows = [&](std::size_t first, std::size_t end_row) {
    if (first == end_row) return;
    counts_.rows += end_row - first;
    counts_.used += end_row - first;
    if (block.converted.rounded > 0) {
      if (end_row - first == n)
        counts_.rounded_qty += block.converted.rounded;
      else
        for (std::size_t i = first; i < end_row; ++i)
          counts_.rounded_qty += instrument_.to_lots(trades.qty[block.begin + i]).exact ? 0 : 1;
    }
    used_trades_ = true;
    clock_ns_ = last_event_ns_ = ts[end_row - 1];
  };
  for (std::size_t i = 0; i < n;) {
    const std::int64_t before = clock_ns_;
    move_clock(ts[i], keys_[i] / 2);
    // A run ends where the window does. Nearly always that is not in this block; only otherwise are times looked up,
    // each a line of memory that nothing else has asked for.
    const std::size_t stop = ts[n - 1] < window_end_ns_
                                 ? n
                                 : static_cast<std::size_t>(std::lower_bound(ts + i, ts + n, window_end_ns_) - ts);
    Rows rows{keys_.data() + i, lots_.data() + i, nullptr};
    const PresenceState present = presence_.state();
    const auto open_first = [&](std::size_t count) {
      presence_.add(ts + i, rows.keys, lots_.data() + i, count, opened_.data());
    };
    if (presence_.acts()) {
      open_first(stop - i);
      rows = {rows.keys, opened_.data(), rows.lots};
    }
    const bool whole = stop - i == n;
    std::size_t done = 0;
    try {
      use_rows(rows, stop - i,
               whole ? TickRange{block.converted.low, block.converted.high} : ticks_of(rows.keys, stop - i), done);
    } catch (...) {
      if (presence_.acts()) {
        presence_.restore(present);
        open_first(done);
      }
      if (done == 0) clock_ns_ = before;  // no window has ended: then the run was empty and nothing could fail
      count_rows(i, i + done);
      throw;
    }
    count_rows(i, stop);
    i = stop;
  }
}

void Engine::use_rows(Rows rows, std::size_t n, TickRange ticks, std::size_t& done) {
  const auto from = [&rows](std::size_t i) {
    return Rows{rows.keys + i, rows.lots + i, rows.traded == nullptr ? nullptr : rows.traded + i};
  };
  const Footprint& run = live_.run;
  if (run.takes(ticks.low) && run.takes(ticks.high)) {
    add_to_run(rows, n, ticks);
    done += n;
    return;
  }
  // The price leaves the run's range, once in a while: in one of many short pieces, which alone is done row by row.
  constexpr std::size_t kPiece = 64;
  if (n > kPiece) {
    for (std::size_t i = 0; i < n; i += kPiece) {
      const std::size_t piece = std::min(kPiece, n - i);
      use_rows(from(i), piece, ticks_of(rows.keys + i, piece), done);
    }
    return;
  }
  for (std::size_t i = 0; i < n; ++i, ++done) {
    const std::int64_t tick = rows.keys[i] / 2;
    if (!run.takes(tick)) begin_run(tick);
    add_to_run(from(i), 1, {tick, tick});
  }
}

void Engine::add_to_run(Rows rows, std::size_t n, TickRange ticks) noexcept {
  if (n == 1)
    live_.run.add(ticks.low, rows.lots[0], (rows.keys[0] & 1) != 0);
  else
    live_.run.add(rows.keys, rows.lots, n, ticks.low, ticks.high);
  if (rows.traded == nullptr) return;
  std::int64_t all = 0;
  std::int64_t sold = 0;
  for (std::size_t i = 0; i < n; ++i) {
    all += rows.traded[i];
    sold += rows.traded[i] & -(rows.keys[i] & 1);
  }
  live_.traded.bought += all - sold;
  live_.traded.sold += sold;
}

}  // namespace liqcore::inline abi1
