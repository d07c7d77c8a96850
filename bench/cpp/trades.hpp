// The input of the C++ benchmarks: recorded trades from a file of write_trades.py, or a seeded walk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "liqcore/engine.hpp"

namespace bench {

/// Columns of trades, sorted by time, with their grid.
struct Trades {
  std::string source;
  double tick_size = 1.0;
  double lot_size = 1e-5;
  std::vector<std::int64_t> ts_ns;
  std::vector<double> price;
  std::vector<double> qty;
  std::vector<std::uint8_t> taker_sell;

  [[nodiscard]] std::size_t size() const noexcept { return ts_ns.size(); }
  [[nodiscard]] liqcore::TradeArrays arrays() const noexcept { return {ts_ns, price, qty, taker_sell}; }
};

/// Read what write_trades.py wrote.
/// @throws std::runtime_error if the file is not one of those
Trades read_trades(const std::string& path);

/// A seeded walk: fills come in orders of several at one time and price, steps are small, a day has four jumps.
/// About 25 trades a second.
Trades walk(std::size_t n, std::uint64_t seed);

/// The same trades with time compressed evenly to `per_second` of them on average.
Trades at_rate(Trades trades, double per_second);

}  // namespace bench
