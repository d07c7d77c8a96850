// One thread feeds an engine, two others read what it publishes: a strategy the latest row of features, a display
// snapshots of the whole engine. Neither holds up the feed.
//
//   liqcore_readers           a generated random walk of 300,000 trades
//   liqcore_readers 20        the same with 20 million

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <liqcore/published.hpp>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace {

using liqcore::Publisher;
using liqcore::Snapshot;

/// What the strategy keeps: rows that rose in order, and the last of them.
struct Strategy {
  std::uint64_t rows = 0;
  Publisher::Moment last;
  std::vector<double> row;
  bool in_order = true;

  void look(const Publisher& publisher) {
    const Publisher::Moment now = publisher.read(row);
    if (now.sequence == last.sequence) return;
    in_order = in_order && now.sequence > last.sequence && now.clock_ns >= last.clock_ns;
    last = now;
    ++rows;
  }
};

/// What the display draws: the columns of all windows that the engine keeps, from a share of its own.
std::size_t draw(const Snapshot& snapshot) {
  const auto history = snapshot.history_so_far();  // with the unfinished window as the last
  if (!history) return 0;
  liqcore::Picture picture;
  picture.weights[0] = picture.weights[1] = snapshot.leverage->weights();
  picture.columns = history->size();
  picture.bins_per_row = 5;
  const liqcore::Layers::Range bins = history->extent(picture);
  picture.first_bin = bins.low;
  picture.rows = static_cast<std::size_t>((bins.high - bins.low + 4) / 5);
  std::vector<float> longs(picture.columns * picture.rows);
  history->columns(picture, longs, {}, {}, {});
  return longs.size();
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t trades = argc > 1 ? std::atoll(argv[1]) * 1'000'000 : 300'000;
  const liqcore::Instrument btc("BTCUSDT", "binance-usdm", liqcore::Contract::linear, 0.1, 0.001, 1.0,
                                liqcore::MarginSchedule::flat(0.004));
  liqcore::EngineOptions options;
  options.window_ns = 60'000'000'000;  // a minute
  options.keep = 240;
  liqcore::Engine engine(btc, liqcore::LeverageProfile({10, 25, 50, 100}, {0.4, 0.3, 0.2, 0.1}), options);

  const auto publisher = std::make_shared<Publisher>();
  engine.publish_to(publisher);  // whenever windows have ended, and at once: readers find something

  std::atomic<bool> done{false};
  Strategy strategy;
  strategy.row.resize(publisher->size());
  std::thread strategist([&] {
    while (!done) strategy.look(*publisher);
    strategy.look(*publisher);
  });
  std::uint64_t pictures = 0;
  std::size_t cells = 0;
  std::thread display([&] {
    std::uint64_t drawn = 0;
    const auto look = [&] {
      const std::shared_ptr<const Snapshot> snapshot = publisher->snapshot();  // ours for as long as we like
      if (snapshot->sequence == drawn) return;
      drawn = snapshot->sequence;
      cells = draw(*snapshot);
      ++pictures;
    };
    while (!done) look();
    look();
  });

  std::mt19937_64 random(1);
  std::normal_distribution<double> step(0.0, 20.0);  // ticks
  double tick = 600'000.0;
  for (std::int64_t i = 0; i < trades; ++i) {
    tick = std::max(tick + step(random), 1'000.0);
    engine.trade(i * 20'000'000, std::rint(tick) * 0.1, 0.5, (random() & 1) != 0);
    if (i % 10'000 == 0) publisher->publish_row(engine);  // between windows too, for the strategy
  }
  publisher->publish(engine);  // the last word
  done = true;
  strategist.join();
  display.join();

  const auto windows = static_cast<unsigned long long>(engine.history()->total());
  std::printf("%llu windows; %llu rows published, %llu read; %llu pictures drawn, the last of %zu cells\n", windows,
              static_cast<unsigned long long>(strategy.last.sequence), static_cast<unsigned long long>(strategy.rows),
              static_cast<unsigned long long>(pictures), cells);
  for (std::size_t i = 0; i < strategy.row.size(); ++i)
    if (publisher->names()[i] == "long_usd_2pct" || publisher->names()[i] == "short_usd_2pct")
      std::printf("%s %.0f\n", publisher->names()[i].c_str(), strategy.row[i]);
  const bool whole = strategy.in_order && strategy.last.clock_ns == *engine.clock() && pictures > 0 && cells > 0;
  return whole ? 0 : 1;
}
