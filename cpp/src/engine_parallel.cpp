// Trades on several threads: stretches of whole windows become segments on engines of their own that start empty, and
// the segments are put into this engine one after the other.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "check_rows.hpp"
#include "engine_parts.hpp"
#include "kernels/kernels.hpp"
#include "liqcore/engine.hpp"
#include "pool.hpp"
#include "price_watch.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr std::size_t kStretchesPerThread = 3;     // so that one slow stretch does not hold up the rest
constexpr std::size_t kMaxRowsAStretch = 1 << 22;  // so that segments do not pile up before they are put in

}  // namespace

std::size_t rows_for_threads = 1 << 16;

bool Engine::trades_rise(std::span<const std::int64_t> ts_ns) const {
  const kernels::Kernels& kernels = kernels::active();
  if (!pool_ || ts_ns.size() < rows_for_threads) return kernels.rises(ts_ns.data(), ts_ns.size());
  const std::size_t parts = pool_->threads();
  const std::size_t rows = ts_ns.size() / parts + 1;
  std::vector<std::uint8_t> rises(parts, 1);
  pool_->run(parts, [&](std::size_t part) {
    const std::size_t begin = std::min(part * rows, ts_ns.size());
    const std::size_t end = std::min(begin + rows + 1, ts_ns.size());  // the step to the next part's first row, too
    rises[part] = kernels.rises(ts_ns.data() + begin, end - begin) ? 1 : 0;
  });
  return std::all_of(rises.begin(), rises.end(), [](std::uint8_t fine) { return fine != 0; });
}

std::size_t Engine::use_whole_windows(const TradeArrays& trades, std::size_t begin, std::size_t end) {
  const std::int64_t* const ts = trades.ts_ns.data();
  const auto first_at = [&](std::size_t from, std::int64_t time) {
    return static_cast<std::size_t>(std::lower_bound(ts + from, ts + end, time) - ts);
  };
  const auto window_of = [&](std::size_t row) { return ts[row] - ts[row] % options_.window_ns; };
  // From the first window that begins here to the last that surely ends here: a row that is rejected ends none.
  const std::size_t from = first_at(begin, window_end_ns_);
  const auto is_trade = [&](std::size_t row, OnGrid& tick, OnGrid& lots) {
    return liqcore::check_trade(ts[row], trades.price[row], trades.qty[row], kNever, instrument_.tick_size(),
                                instrument_.lot_size(), tick, lots) == Reject::none;
  };
  const auto usable = [&](std::size_t row) {
    OnGrid tick;
    OnGrid lots;
    return check_trade(ts[row], trades.price[row], trades.qty[row], kNever, tick, lots) == Reject::none;
  };
  std::size_t usable_end = watches() ? surely_used(trades, from, end) : end;
  while (usable_end > from && !usable(usable_end - 1)) --usable_end;
  if (usable_end == from) return begin;
  const std::size_t to = first_at(from, window_of(usable_end - 1));
  if (to - from < rows_for_threads) return begin;
  use_in_turn(trades, begin, from, true);
  move_clock(window_of(from), 0);

  const std::size_t wanted = std::max(pool_->threads() * kStretchesPerThread, (to - from) / kMaxRowsAStretch + 1);
  std::vector<std::size_t> edges{from};
  for (std::size_t i = 1; i < wanted; ++i) {
    const std::size_t edge = first_at(from, window_of(from + (to - from) / wanted * i));
    if (edge > edges.back()) edges.push_back(edge);
  }
  edges.push_back(to);

  EngineOptions options = options_;
  options.threads = 1;
  options.keep.reset();
  options.ticks_per_bin = live_.book->bin_rule().ticks_per_bin();
  const std::size_t at_once = pool_->threads() * kStretchesPerThread;
  for (std::size_t done = 0; done + 1 < edges.size(); done += at_once) {
    const std::size_t stretches = std::min(at_once, edges.size() - 1 - done);
    std::vector<std::optional<Engine>> workers(stretches);
    // Where a stretch begins, the price of the trade before it is believed; nearly always.
    std::vector<PriceBelief> assumed(watches() ? stretches : 0);
    for (std::size_t i = 0; i < assumed.size(); ++i) {
      std::size_t row = edges[done + i];
      OnGrid tick{};
      OnGrid lots;
      while (row > begin && !is_trade(row - 1, tick, lots)) --row;
      assumed[i] = i == 0 ? trade_belief() : settled_at(tick.units, PriceStream::trades);
    }
    pool_->run(stretches, [&](std::size_t i) {
      const std::size_t first = edges[done + i];
      const std::size_t last = edges[done + i + 1];
      Engine& worker = workers[i].emplace(instrument_, leverage_, options);
      worker.looked_ahead_ = true;
      worker.start_book(window_of(first), 1);
      worker.clock_ns_ = window_of(first);
      worker.mark_price_ = mark_price_;
      worker.mark_tick_ = mark_tick_;
      worker.open_interest_ = open_interest_;
      if (watches()) {
        worker.belief_of(PriceStream::trades) = assumed[i];
        worker.look_again();
      }
      worker.use_in_turn(trades, first, last, true);
      worker.move_clock(window_of(last), 0);
    });
    for (std::size_t i = 0; i < stretches; ++i) {
      if (watches() && assumed[i] != trade_belief()) {
        use_in_turn(trades, edges[done + i], edges[done + i + 1], true);
        move_clock(window_of(edges[done + i + 1]), 0);
      } else {
        absorb(*workers[i]);
      }
      workers[i].reset();
    }
  }
  return to;
}

/// One past the last row that is used for sure, whatever is believed before `begin`: it and as many rows before it as
/// shake any belief are near each other. `begin` if none is found soon.
std::size_t Engine::surely_used(const TradeArrays& trades, std::size_t begin, std::size_t end) const {
  constexpr std::size_t kSoon = 1 << 16;
  std::size_t last = end;
  std::int64_t low = 0;
  std::int64_t high = 0;
  std::int64_t times = 0;
  for (std::size_t row = end; row > begin && end - row < kSoon; --row) {
    OnGrid tick;
    OnGrid lots;
    const std::size_t i = row - 1;
    const bool usable =
        check_trade(trades.ts_ns[i], trades.price[i], trades.qty[i], kNever, tick, lots) == Reject::none;
    if (times > 0 && usable && are_near(options_.outlier, std::min(low, tick.units), std::max(high, tick.units))) {
      low = std::min(low, tick.units);
      high = std::max(high, tick.units);
      if (trades.ts_ns[i] != trades.ts_ns[i + 1]) ++times;
    } else {
      last = usable ? row : i;
      low = high = tick.units;
      times = usable ? 1 : 0;
    }
    if (times > kAgreeingTrades) return last;
  }
  return begin;
}

void Engine::absorb(Engine& later) {
  // First everything that needs memory, for all windows of the stretch; then, without a way to fail, what it is for.
  LevelBook& book = *live_.book;
  Layers::Range bins;
  const std::size_t more = later.history_->size();
  history_->room_to_put(more, later.history_->entries());
  for (std::size_t e = 0; e < later.history_->entries(); ++e) {
    book.room_to_absorb(later.history_->entry(e).window, bins);
    if (history_->folds(more)) history_->room_to_fold(later.history_->entry(e).window);
  }
  live_.sampled.room_to_append(later.live_.sampled);
  book.make_room(bins);
  std::move(*later.history_).release([&](std::shared_ptr<Segment> window, std::size_t windows) {
    if (window->last_ns == std::numeric_limits<std::int64_t>::min()) window->last_ns = last_event_ns_;
    if (window->idle())
      book.end_window(*window, windows, history_->joins(*window));
    else
      book.absorb(*window, *later.live_.book);
    value_liquidated();
    last_event_ns_ = window->last_ns;
    end_windows_of(history_->put(std::move(window), windows), windows);
  });
  if (later.live_.triggered) live_.triggered = later.live_.triggered;
  if (later.live_.price) live_.price = later.live_.price;
  if (later.live_.last_price != 0) live_.last_price = later.live_.last_price;
  live_.sampled.append(later.live_.sampled);
  if (watches()) {
    believe_trade(later.trade_belief());
    price_notes_.add(later.price_notes_);
  }
  used_trades_ = used_trades_ || later.used_trades_;
  static_cast<RowCounts&>(counts_) += later.counts_;
  counts_.inexact = counts_.inexact || later.counts_.inexact;
  publish_windows_ended();
}

}  // namespace liqcore::inline abi1
