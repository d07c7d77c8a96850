// A backend that feeds an engine one trade at a time and asks for the largest levels on each side.
//
//   liqcore_backend                  a generated random walk
//   liqcore_backend trades.csv       lines of: time in ns, price, quantity, 1 if the aggressor sold
//   ... | liqcore_backend -          the same from standard input
//
// The files' grid: tick 0.1, lot 0.001.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <liqcore/engine.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Trade {
  std::int64_t ts_ns;
  double price;
  double qty;
  bool taker_sell;
};

/// Reads "1781222400000000000,63610.5,0.25,1"; false for a line that is something else, such as a header.
bool parse(const std::string& line, Trade& trade) {
  long long ts = 0;
  int sell = 0;
  if (std::sscanf(line.c_str(), "%lld,%lf,%lf,%d", &ts, &trade.price, &trade.qty, &sell) != 4) return false;
  trade.ts_ns = ts;
  trade.taker_sell = sell != 0;
  return true;
}

/// What would be liquidated at one price.
struct Level {
  double price;
  double usd;
};

/// The largest levels of a side, at the profile's weights.
std::vector<Level> largest(const liqcore::Engine& engine, liqcore::Side side, std::size_t count) {
  const liqcore::LevelBook* book = engine.book();
  if (book == nullptr || book->width() == 0) return {};
  const auto width = static_cast<std::size_t>(book->width());
  std::vector<double> lots(book->tiers() * width);  // [tier][bin]: every tier as if everybody used it
  book->snapshot(side, lots);

  const std::vector<double> weights = engine.leverage().weights();
  const liqcore::Terms& terms = engine.history()->terms();
  const double step = static_cast<double>(terms.ticks_per_bin) * terms.tick_size;
  std::vector<Level> levels;
  for (std::size_t i = 0; i < width; ++i) {
    double weighted = 0.0;
    for (std::size_t tier = 0; tier < book->tiers(); ++tier) weighted += weights[tier] * lots[tier * width + i];
    const std::int64_t bin = book->first_bin() + static_cast<std::int64_t>(i);
    if (weighted > 0.0) levels.push_back({static_cast<double>(bin) * step, weighted * terms.usd_per_lot(bin)});
  }
  const auto end = levels.begin() + static_cast<std::ptrdiff_t>(std::min(count, levels.size()));
  std::partial_sort(levels.begin(), end, levels.end(), [](const Level& a, const Level& b) { return a.usd > b.usd; });
  levels.erase(end, levels.end());
  return levels;
}

void feed_lines(liqcore::Engine& engine, std::istream& in) {
  Trade trade{};
  for (std::string line; std::getline(in, line);)
    if (parse(line, trade)) engine.trade(trade.ts_ns, trade.price, trade.qty, trade.taker_sell);
}

void feed_random_walk(liqcore::Engine& engine) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> step(0.0, 20.0);  // ticks
  std::exponential_distribution<double> size(20.0);
  double tick = 600'000.0;
  for (std::int64_t i = 0; i < 300'000; ++i) {
    tick = std::max(tick + step(random), 1.0);
    const double price = std::rint(tick) * 0.1;
    engine.trade(i * 200'000'000, price, size(random) + 0.001, (random() & 1) != 0);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const liqcore::Instrument btc("BTCUSDT", "binance-usdm", liqcore::Contract::linear, 0.1, 0.001, 1.0,
                                liqcore::MarginSchedule::flat(0.004));
  const liqcore::LeverageProfile leverage = liqcore::LeverageProfile::preset("default");
  liqcore::EngineOptions options;
  options.window_ns = 300'000'000'000;  // 5 minutes
  options.half_life_ns = liqcore::default_half_life_ns(leverage);
  options.keep = 288;  // a day of windows; older ones are folded together
  liqcore::Engine engine(btc, leverage, options);

  double last_price = 0.0;
  engine.on_column([&](const liqcore::Segment& segment) {  // on this thread, whenever a window closes
    if (!segment.candle.empty()) last_price = static_cast<double>(segment.candle.close) * 0.1;
  });

  const std::string source = argc > 1 ? argv[1] : "";
  if (source.empty()) {
    feed_random_walk(engine);
  } else if (source == "-") {
    feed_lines(engine, std::cin);
  } else {
    std::ifstream file(source);
    if (!file) {
      std::fprintf(stderr, "error: %s: cannot be opened\n", source.c_str());
      return 2;
    }
    feed_lines(engine, file);
  }

  const liqcore::Stats stats = engine.stats();
  std::printf("%llu trades used, %llu rejected; price at the last window's end %.1f\n",
              static_cast<unsigned long long>(stats.used), static_cast<unsigned long long>(stats.rejected_total()),
              last_price);
  for (const auto& [name, side] :
       {std::pair{"shorts", liqcore::Side::short_}, std::pair{"longs", liqcore::Side::long_}}) {
    std::printf("%s\n", name);
    for (const Level& level : largest(engine, side, 5))
      std::printf("  %10.1f  $%.2f M\n", level.price, level.usd / 1e6);
  }
  for (const liqcore::Account& account : stats.accounts)
    if (account.imbalance() != 0.0) return 1;  // never: every lot is somewhere
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 2;
}
