// A backend: feeds an engine one trade at a time, times every call, and prints the zones on either side of the price.
//
//   liqcore_backend                  a generated random walk
//   liqcore_backend trades.csv ...   Binance aggTrades archives, unpacked (with or without a header), or lines of
//                                    time in ns, price, quantity, 1 if the aggressor sold
//   ... | liqcore_backend -          the same from standard input
//
// The instrument is fixed: tick 0.1, lot 0.00001, which takes most BTC recordings.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <liqcore/engine.hpp>
#include <liqcore/zones.hpp>
#include <random>
#include <string>
#include <vector>

namespace {

struct Trade {
  std::int64_t ts_ns;
  double price;
  double qty;
  bool taker_sell;
};

/// Reads "1781222400000000000,63610.5,0.25,1", or "4001,63610.5,0.25,7001,7002,1781222400123,true" as in aggTrades;
/// false for a line that is something else, such as a header.
bool parse(const std::string& line, Trade& trade) {
  long long first = 0;
  long long time = 0;
  char side[8] = "";
  if (std::sscanf(line.c_str(), "%lld,%lf,%lf,%*d,%*d,%lld,%7[a-zA-Z]", &first, &trade.price, &trade.qty, &time,
                  side) == 5) {
    trade.ts_ns = time * (time < 100'000'000'000'000 ? 1'000'000 : 1'000);  // ms; us in archives since 2025
    trade.taker_sell = side[0] == 't' || side[0] == 'T';
    return true;
  }
  int sell = 0;
  if (std::sscanf(line.c_str(), "%lld,%lf,%lf,%d", &first, &trade.price, &trade.qty, &sell) != 4) return false;
  trade.ts_ns = first;
  trade.taker_sell = sell != 0;
  return true;
}

/// Reads what there is; returns how many lines were something else.
std::size_t read(std::istream& in, std::vector<Trade>& trades) {
  std::size_t other = 0;
  Trade trade{};
  for (std::string line; std::getline(in, line);)
    if (parse(line, trade))
      trades.push_back(trade);
    else
      ++other;
  return other;
}

std::vector<Trade> random_walk() {
  std::mt19937_64 random(1);
  std::normal_distribution<double> step(0.0, 20.0);  // ticks
  std::exponential_distribution<double> size(20.0);
  std::vector<Trade> trades;
  double tick = 600'000.0;
  for (std::int64_t i = 0; i < 300'000; ++i) {
    tick = std::max(tick + step(random), 1.0);
    trades.push_back({i * 200'000'000, std::rint(tick) * 0.1, size(random) + 0.001, (random() & 1) != 0});
  }
  return trades;
}

using Clock = std::chrono::steady_clock;

std::int64_t ns_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

/// What reading the clock costs by itself: it is in every figure.
std::int64_t clock_cost() {
  std::int64_t least = 1'000'000;
  for (int i = 0; i < 10'000; ++i) {
    const auto start = Clock::now();
    least = std::min(least, ns_since(start));
  }
  return least;
}

/// Prints the zones nearest to the price, at most five a side, the highest price first.
void print_zones(const std::vector<liqcore::Zone>& zones) {
  std::vector<liqcore::Zone> shown;
  const auto is_long = [](const liqcore::Zone& zone) { return zone.side == liqcore::Side::long_; };
  const auto take = [&](auto first, auto last, bool longs) {
    int taken = 0;
    for (; first != last && taken < 5; ++first)
      if (is_long(*first) == longs) {
        shown.push_back(*first);
        ++taken;
      }
  };
  take(zones.begin(), zones.end(), false);  // rising: the lowest shorts are the nearest
  std::reverse(shown.begin(), shown.end());
  take(zones.rbegin(), zones.rend(), true);
  for (const liqcore::Zone& zone : shown)
    std::printf("  %-5s  %10.1f to %10.1f  %+7.2f %%  $%10.2f M  %5.1f %% of its side\n",
                is_long(zone) ? "long" : "short", zone.low, zone.high, zone.distance_percent, zone.usd / 1e6,
                100.0 * zone.share);
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<Trade> trades;
  std::size_t other = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "-") == 0) {
      other += read(std::cin, trades);
      continue;
    }
    std::ifstream file(argv[i]);
    if (!file) {
      std::fprintf(stderr, "error: %s: cannot be opened\n", argv[i]);
      return 2;
    }
    other += read(file, trades);
  }
  if (argc == 1) trades = random_walk();
  if (trades.empty()) {
    std::fprintf(stderr, "error: no line is a trade\n");
    return 2;
  }

  const liqcore::Instrument btc("BTCUSDT", "binance-usdm", liqcore::Contract::linear, 0.1, 0.00001, 1.0,
                                liqcore::MarginSchedule::flat(0.004));
  const liqcore::LeverageProfile leverage = liqcore::LeverageProfile::preset("default");
  liqcore::EngineOptions options;
  options.window_ns = 60'000'000'000;  // a minute
  options.half_life_ns = liqcore::default_half_life_ns(leverage);
  options.keep = 1'440;  // a day of windows; older ones are folded together
  liqcore::Engine engine(btc, leverage, options);

  std::uint64_t windows = 0;
  engine.on_column([&](const liqcore::Segment&) { ++windows; });  // on this thread, whenever a window closes

  std::vector<std::int64_t> latency;
  latency.reserve(trades.size());
  for (const Trade& trade : trades) {
    const auto start = Clock::now();
    engine.trade(trade.ts_ns, trade.price, trade.qty, trade.taker_sell);
    latency.push_back(ns_since(start));
  }

  const liqcore::Stats stats = engine.stats();
  std::printf("%llu trades used, %llu rejected; %zu other lines; %llu windows of a minute\n",
              static_cast<unsigned long long>(stats.used), static_cast<unsigned long long>(stats.rejected_total()),
              other, static_cast<unsigned long long>(windows));
  if (stats.rejected_total() > 0)
    for (std::size_t i = 1; i < stats.rejected.size(); ++i)
      if (stats.rejected[i] > 0)
        std::printf("  %llu %s\n", static_cast<unsigned long long>(stats.rejected[i]),
                    std::string(liqcore::name(static_cast<liqcore::Reject>(i))).c_str());

  std::printf("zones of longs and shorts, from the last price %.1f\n", engine.last_price());
  const auto begin = Clock::now();
  const std::vector<liqcore::Zone> zones = liqcore::find_zones(engine);
  const std::int64_t zones_ns = ns_since(begin);
  print_zones(zones);

  std::sort(latency.begin(), latency.end());
  const auto at = [&](double share) {
    return static_cast<long long>(latency[static_cast<std::size_t>(share * static_cast<double>(latency.size() - 1))]);
  };
  std::printf(
      "a trade took p50 %lld ns, p99 %lld ns, p99.9 %lld ns, at most %lld ns, of which %lld ns to read the clock\n",
      at(0.5), at(0.99), at(0.999), at(1.0), static_cast<long long>(clock_cost()));
  std::printf("finding the zones took %.1f us\n", static_cast<double>(zones_ns) / 1e3);

  for (const liqcore::Account& account : stats.accounts)
    if (account.imbalance() != 0.0) return 1;  // never: every lot is somewhere
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 2;
}
