#include "check_feed.hpp"

#include <cstddef>
#include <string>

#include "check_rows.hpp"
#include "liqcore/error.hpp"
#include "text_of.hpp"

namespace liqcore::inline abi1 {
namespace {

void require_length(const char* argument, std::size_t length, std::size_t expected) {
  if (length != expected)
    throw InvalidConfig(std::string(argument) + " must be as long as the times (" + std::to_string(expected) +
                        "), had " + std::to_string(length));
}

}  // namespace

void check_lengths(const Feed& feed) {
  const std::size_t trades = feed.trades.ts_ns.size();
  require_length("price", feed.trades.price.size(), trades);
  require_length("qty", feed.trades.qty.size(), trades);
  require_length("taker_sell", feed.trades.taker_sell.size(), trades);
  require_length("price (of marks)", feed.marks.value.size(), feed.marks.ts_ns.size());
  require_length("quantity (of open interest)", feed.open_interest.value.size(), feed.open_interest.ts_ns.size());
  require_length("price (of vendor events)", feed.vendor_events.price.size(), feed.vendor_events.ts_ns.size());
  require_length("qty (of vendor events)", feed.vendor_events.qty.size(), feed.vendor_events.ts_ns.size());
  const CandleArrays& candles = feed.candles;
  const std::size_t n = candles.ts_open_ns.size();
  require_length("open", candles.open.size(), n);
  require_length("high", candles.high.size(), n);
  require_length("low", candles.low.size(), n);
  require_length("close", candles.close.size(), n);
  if (candles.buy_qty.empty() != candles.sell_qty.empty())
    throw InvalidConfig("buy_qty and sell_qty must be given together or not at all");
  if (!candles.buy_qty.empty()) {
    require_length("buy_qty", candles.buy_qty.size(), n);
    require_length("sell_qty", candles.sell_qty.size(), n);
  }
  if (candles.interval_ns < 1 || candles.interval_ns > kMaxTime)
    throw InvalidConfig("interval must be at least 1 ns and at most 2^62 ns, was " + text_of(candles.interval_ns));
}

}  // namespace liqcore::inline abi1
