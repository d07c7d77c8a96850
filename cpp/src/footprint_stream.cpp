#include "liqcore/footprint_stream.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "check_rows.hpp"
#include "kernels/kernels.hpp"
#include "liqcore/error.hpp"
#include "price_watch.hpp"
#include "text_of.hpp"
#include "trade_blocks.hpp"

namespace liqcore::inline abi1 {
namespace {

constexpr std::int64_t kQuantity = (std::int64_t{1} << 51) - 1;  // no more than these bits in one entry

void check(const FootprintTerms& terms) {
  for (const auto& [name, step] : {std::pair{"tick_size", terms.tick_size}, std::pair{"lot_size", terms.lot_size}})
    if (!(std::isfinite(step) && step > 0.0))
      throw InvalidConfig(std::string(name) + " must be finite and above 0, was " + text_of(step));
  if (!(std::isfinite(terms.span_bps) && terms.span_bps >= 0.0))
    throw InvalidConfig("span_bps must be finite and at least 0, was " + text_of(terms.span_bps));
  check_outlier(terms.outlier);
  if (terms.cut_ns < 1 || terms.cut_ns >= kMaxTime)
    throw InvalidConfig("cut must be at least 1 ns and below 2^62 ns, was " + text_of(terms.cut_ns));
}

/// How far a run's high may lie above its low, ticks.
std::int64_t span_of(const FootprintTerms& terms, std::int64_t first) noexcept {
  const double span = static_cast<double>(first) * terms.span_bps / 1e4;
  return static_cast<std::int64_t>(std::min(span, static_cast<double>(FootprintStream::kMaxSpan)));
}

}  // namespace

// --- the stream --------------------------------------------------------------------------------------------------

FootprintStream::FootprintStream(const FootprintTerms& terms, FootprintColumns columns, const FootprintCounts& counts)
    : terms_(terms), columns_(std::move(columns)), counts_(counts) {
  check(terms_);
  const FootprintColumns& c = columns_;
  const std::size_t runs = c.start_ns.size();
  for (const std::size_t length :
       {c.last_ns.size(), c.first_tick.size(), c.last_tick.size(), c.trades.size(), c.end.size()})
    if (length != runs)
      throw InvalidConfig("columns of runs must be of one length (" + std::to_string(runs) + "), had " +
                          std::to_string(length));
  const std::size_t entries = c.tick.size();
  for (const std::size_t length : {c.bought.size(), c.sold.size(), static_cast<std::size_t>(runs ? c.end.back() : 0)})
    if (length != entries)
      throw InvalidConfig("columns of entries must be of one length (" + std::to_string(entries) + "), had " +
                          std::to_string(length));
  std::int64_t begin = 0;
  std::int64_t clock = 0;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    const auto require = [i](bool holds, const char* rule) {
      if (!holds) throw InvalidConfig("run " + std::to_string(i) + " must " + rule + ", does not");
    };
    const std::int64_t end = c.end[i];
    require(end > begin && end <= static_cast<std::int64_t>(entries), "have entries, in order");
    require(c.start_ns[i] >= clock && c.last_ns[i] >= c.start_ns[i] && c.last_ns[i] <= kMaxTime,
            "begin when the one before it has ended, and end after it has begun");
    require(c.start_ns[i] / terms_.cut_ns == c.last_ns[i] / terms_.cut_ns, "end at multiples of the cut");
    require(c.trades[i] >= 1 && c.trades[i] <= kMaxTrades, "hold between 1 and 2^20 trades");
    const std::int64_t low = c.tick[static_cast<std::size_t>(begin)];
    const std::int64_t high = c.tick[static_cast<std::size_t>(end - 1)];
    const std::int64_t first = c.first_tick[i];
    require(low >= 1 && low <= first && first <= high && low <= c.last_tick[i] && c.last_tick[i] <= high,
            "begin and end within its prices");
    require(high - low <= span_of(terms_, first), "stay within the span");
    require(end - begin <= high - low + 1, "have rising ticks");
    const std::int64_t most = c.trades[i] == 1 ? static_cast<std::int64_t>(kMaxLots) : c.trades[i] * kMaxTradeLots;
    // Without a branch an entry. The run has at most 2,048 entries here, so masked quantities add up in 63 bits.
    bool rises = true;
    std::int64_t bits = 0;
    std::int64_t lots = 0;
    for (auto e = static_cast<std::size_t>(begin); e < static_cast<std::size_t>(end); ++e) {
      rises &= e == static_cast<std::size_t>(begin) || c.tick[e] > c.tick[e - 1];
      bits |= c.bought[e] | c.sold[e];
      lots += (c.bought[e] & kQuantity) + (c.sold[e] & kQuantity);
    }
    require(rises, "have rising ticks");
    require((bits & ~kQuantity) == 0, "hold quantities >= 0");
    require(lots <= most, "hold at most 2^30 lots a trade");
    total += lots;
    require(total <= std::int64_t{1} << 62, "hold, with those before it, at most 2^62 lots");
    begin = end;
    clock = c.last_ns[i];
    trades_ += static_cast<std::uint64_t>(c.trades[i]);
  }
}

// --- building one ------------------------------------------------------------------------------------------------

FootprintBuilder::FootprintBuilder(const FootprintTerms& terms, std::vector<std::int64_t> ends_ns)
    : terms_(terms), ends_ns_(std::move(ends_ns)), clock_ns_(kNever), keys_(kBlockRows), lots_(kBlockRows) {
  check(terms_);
  if (!std::is_sorted(ends_ns_.begin(), ends_ns_.end()))
    throw InvalidConfig("ends must rise (times at which runs end), fell");
}

void FootprintBuilder::trades(const TradeArrays& trades) {
  const std::size_t rows = trades.ts_ns.size();
  for (const auto& [name, length] : {std::pair{"price", trades.price.size()}, std::pair{"qty", trades.qty.size()},
                                     std::pair{"taker_sell", trades.taker_sell.size()}})
    if (length != rows)
      throw InvalidConfig(std::string(name) + " must be as long as the times (" + std::to_string(rows) + "), had " +
                          std::to_string(length));
  const kernels::Grid grid{terms_.tick_size, terms_.lot_size, 1.0 / terms_.tick_size, 1.0 / terms_.lot_size};
  for_each_block(
      trades, 0, rows, false, grid, keys_, lots_, [&] { return clock_ns_; },
      [&](const TradeBlock& block) {
        const auto is_believed = [&] {
          return is_settled(belief_, PriceStream::trades) &&
                 are_near(terms_.outlier, std::min(belief_.tick, block.converted.low),
                          std::max(belief_.tick, block.converted.high));
        };
        if (terms_.outlier > 0.0) {
          if (!is_believed()) {
            for (std::size_t i = block.begin; i < block.begin + block.rows; ++i)
              use_row(trades.ts_ns[i], trades.price[i], trades.qty[i], trades.taker_sell[i] != 0);
            return;
          }
          belief_.tick = keys_[block.rows - 1] / 2;
        }
        counts_.rounded_qty += block.converted.rounded;
        use_rows(trades.ts_ns.data() + block.begin, keys_.data(), lots_.data(), block.rows);
      },
      [&](std::size_t i) { use_row(trades.ts_ns[i], trades.price[i], trades.qty[i], trades.taker_sell[i] != 0); });
}

void FootprintBuilder::use_rows(const std::int64_t* ts_ns, const std::int64_t* keys, const std::int64_t* lots,
                                std::size_t n) {
  for (std::size_t i = 0; i < n;) {
    if (trades_ > 0 && ts_ns[i] >= end_ns_) end_run();
    if (trades_ == 0) begin_run(ts_ns[i], keys[i] / 2);
    const auto in_time = static_cast<std::size_t>(std::lower_bound(ts_ns + i, ts_ns + n, end_ns_) - ts_ns);
    const std::size_t stop = std::min(in_time, i + static_cast<std::size_t>(FootprintStream::kMaxTrades - trades_));
    std::int64_t low = run_.empty() ? keys[i] / 2 : run_.low();
    std::int64_t high = run_.empty() ? keys[i] / 2 : run_.high();
    std::size_t next = i;
    for (; next < stop; ++next) {
      const std::int64_t tick = keys[next] / 2;
      const std::int64_t lower = tick < low ? tick : low;
      const std::int64_t higher = tick > high ? tick : high;
      if (higher - lower > span_) break;
      low = lower;
      high = higher;
    }
    if (next > i) {
      run_.add(keys + i, lots + i, next - i, low, high);
      trades_ += static_cast<std::int32_t>(next - i);
      clock_ns_ = ts_ns[next - 1];
    }
    if (next < n) end_run();  // time, span or number of trades ended it
    i = next;
  }
}

void FootprintBuilder::use_row(std::int64_t ts_ns, double price, double qty, bool taker_sell) {
  OnGrid tick;
  OnGrid lots;
  Reject reject = check_trade(ts_ns, price, qty, clock_ns_, terms_.tick_size, terms_.lot_size, tick, lots);
  if (reject == Reject::none && terms_.outlier > 0.0) {
    const PriceBelief before = belief_;
    if (!see(terms_.outlier, PriceStream::trades, ts_ns, tick.units, tick.units, tick.units, belief_))
      reject = Reject::outlier;
    note(terms_.outlier, PriceStream::trades, ts_ns, tick.units, tick.units, tick.units, before, reject == Reject::none,
         price_notes_);
  }
  if (reject != Reject::none) {
    ++counts_.rejected[static_cast<std::size_t>(reject)];
    return;
  }
  if (!lots.exact) ++counts_.rounded_qty;
  const bool large = lots.units > FootprintStream::kMaxTradeLots;
  const std::int64_t key = 2 * tick.units + (taker_sell ? 1 : 0);
  if (large) end_run();
  use_rows(&ts_ns, &key, &lots.units, 1);
  if (large) end_run();
}

void FootprintBuilder::begin_run(std::int64_t ts_ns, std::int64_t tick) {
  start_ns_ = ts_ns;
  end_ns_ = ts_ns - ts_ns % terms_.cut_ns + terms_.cut_ns;
  if (const auto end = std::upper_bound(ends_ns_.begin(), ends_ns_.end(), ts_ns); end != ends_ns_.end())
    end_ns_ = std::min(end_ns_, *end);
  span_ = span_of(terms_, tick);
  run_.reset(std::max<std::int64_t>(1, tick - span_), tick + span_);
}

void FootprintBuilder::end_run() {
  if (trades_ == 0) return;
  FootprintColumns& c = columns_;
  c.start_ns.push_back(start_ns_);
  c.last_ns.push_back(clock_ns_);
  c.first_tick.push_back(static_cast<std::int32_t>(run_.first()));
  c.last_tick.push_back(static_cast<std::int32_t>(run_.last()));
  c.trades.push_back(trades_);
  for (std::int64_t tick = run_.low(); tick <= run_.high(); ++tick) {
    const std::int64_t bought = run_.bought(tick);
    const std::int64_t sold = run_.sold(tick);
    // The ends of the range are there also where their quantities were rounded to nothing.
    if ((bought | sold) == 0 && tick != run_.low() && tick != run_.high()) continue;
    c.tick.push_back(static_cast<std::int32_t>(tick));
    c.bought.push_back(bought);
    c.sold.push_back(sold);
  }
  c.end.push_back(static_cast<std::int64_t>(c.tick.size()));
  run_.clear();
  trades_ = 0;
}

FootprintStream FootprintBuilder::finish() {
  end_run();
  clock_ns_ = kNever;
  belief_ = {};
  price_notes_ = {};
  return {terms_, std::exchange(columns_, {}), std::exchange(counts_, {})};
}

}  // namespace liqcore::inline abi1
