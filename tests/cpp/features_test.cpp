#include "liqcore/features.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "support.hpp"

namespace {

using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::FeatureOptions;
using liqcore::FeatureReader;
using liqcore::Trigger;

EngineOptions options_of(std::int64_t ticks_per_bin = 2) {
  EngineOptions options;
  options.ticks_per_bin = ticks_per_bin;
  options.window_ns = 1'000;
  return options;
}

/// 10x without margin: a long is liquidated at 0.9 of its entry, a short at 1.1 of it.
Engine engine_of(EngineOptions options = options_of()) {
  return {support::whole(), support::tiers({10.0}), std::move(options)};
}

std::map<std::string, double> read(const Engine& engine, FeatureOptions options = {}) {
  FeatureReader reader(std::move(options));
  std::vector<double> row(reader.size());
  reader.read(engine, row);
  std::map<std::string, double> out;
  for (std::size_t i = 0; i < row.size(); ++i) out[reader.names()[i]] = row[i];
  return out;
}

/// The same bits; whatever is no number is the same.
bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return x == y || (x != x && y != y); });
}

TEST(Features, StandInAFixedOrder) {
  const FeatureReader reader({.reaches_percent = {0.25, 10}});
  const std::vector<std::string> names{"price",
                                       "long_usd_0.25pct",
                                       "long_usd_10pct",
                                       "short_usd_0.25pct",
                                       "short_usd_10pct",
                                       "long_zone_low",
                                       "long_zone_high",
                                       "long_zone_usd",
                                       "long_zone_percent",
                                       "short_zone_low",
                                       "short_zone_high",
                                       "short_zone_usd",
                                       "short_zone_percent",
                                       "imbalance",
                                       "liquidated_long_usd",
                                       "liquidated_short_usd",
                                       "density_usd_per_pct",
                                       "age_s"};
  EXPECT_EQ(reader.names(), names);
}

TEST(Features, AreNothingBeforeAPriceAndZeroOnceThereIsOne) {
  Engine engine = engine_of();
  for (const auto& [name, value] : read(engine)) EXPECT_TRUE(std::isnan(value)) << name;
  engine.mark(0, 1'000);  // no traded price yet
  for (const auto& [name, value] : read(engine)) EXPECT_TRUE(std::isnan(value)) << name;
  EngineOptions none = options_of();
  none.model = liqcore::Model::none;
  Engine empty = engine_of(none);
  empty.trade(0, 1'000, 1, false);
  const auto row = read(empty);
  EXPECT_EQ(row.at("price"), 1'000.0);
  EXPECT_EQ(row.at("long_usd_5pct"), 0.0);
  EXPECT_EQ(row.at("density_usd_per_pct"), 0.0);
  EXPECT_EQ(row.at("age_s"), 0.0);
  EXPECT_TRUE(std::isnan(row.at("imbalance")));
  EXPECT_TRUE(std::isnan(row.at("short_zone_low")));
  EXPECT_TRUE(std::isnan(row.at("liquidated_long_usd")));
}

TEST(Features, TakeTheWholeBinOfTheMovedPrice) {
  Engine engine = engine_of();
  engine.trade(0, 1'000, 5, false);                                                // a long at 900, in bin [900, 902)
  EXPECT_EQ(read(engine, {.reaches_percent = {9.7}}).at("long_usd_9.7pct"), 0.0);  // to 903
  EXPECT_EQ(read(engine, {.reaches_percent = {9.9}}).at("long_usd_9.9pct"), 5 * 901.0);  // to 901
  EXPECT_EQ(read(engine, {.reaches_percent = {9.8}}).at("long_usd_9.8pct"), 0.0);  // to 902, the edge: the next bin
  engine.trade(1, 1'000, 3, true);                                                 // a short at 1,100
  const auto row = read(engine, {.reaches_percent = {1, 10}});                     // to 1,100: its lower edge
  EXPECT_EQ(row.at("short_usd_1pct"), 0.0);
  EXPECT_EQ(row.at("short_usd_10pct"), 3 * 1'101.0);
  EXPECT_DOUBLE_EQ(row.at("imbalance"), (3 * 1'101.0 - 5 * 901.0) / (3 * 1'101.0 + 5 * 901.0));
}

TEST(Features, NameTheZonesThatThePriceMeetsFirst) {
  Engine engine = engine_of();
  engine.trade(0, 1'100, 5, false);  // 990
  engine.trade(1, 1'000, 5, false);  // 900
  engine.trade(2, 1'000, 5, true);   // 1,100
  engine.trade(3, 1'050, 5, true);   // 1,155
  const auto row = read(engine, {.zones = {.bins_per_row = 5, .percentile = 0.0}});
  EXPECT_EQ(row.at("long_zone_low"), 990.0);
  EXPECT_EQ(row.at("long_zone_high"), 1'000.0);
  EXPECT_EQ(row.at("long_zone_usd"), 5 * 991.0);
  EXPECT_DOUBLE_EQ(row.at("long_zone_percent"), 100.0 * (1'000.0 / 1'050.0 - 1.0));
  EXPECT_EQ(row.at("short_zone_low"), 1'100.0);
  EXPECT_DOUBLE_EQ(row.at("short_zone_percent"), 100.0 * (1'100.0 / 1'050.0 - 1.0));
}

TEST(Features, DensityIsATriangleAroundThePrice) {
  Engine engine = engine_of();
  engine.trade(0, 1'000, 5, false);  // 901, in the middle of its bin
  const double distance = 100.0 * (1.0 - 901.0 / 1'000.0);
  const auto row = read(engine, {.density_percent = 20.0});
  EXPECT_DOUBLE_EQ(row.at("density_usd_per_pct"), 5 * 901.0 * (1.0 - distance / 20.0) / 20.0);
  EXPECT_EQ(read(engine, {.density_percent = 9.8}).at("density_usd_per_pct"), 0.0);
}

TEST(Features, LiquidatedIsOfTheLastClosedWindow) {
  Engine engine = engine_of();
  engine.trade(0, 1'000, 5, false);
  engine.trade(500, 900, 2, true);  // takes the long at 900, opens a short at 990
  EXPECT_TRUE(std::isnan(read(engine).at("liquidated_long_usd")));
  engine.advance(1'000);
  EXPECT_EQ(read(engine).at("liquidated_long_usd"), 5 * 901.0);
  EXPECT_EQ(read(engine).at("liquidated_short_usd"), 0.0);
  EXPECT_EQ(read(engine).at("age_s"), 1e-6);
  engine.trade(1'500, 990, 1, false);
  EXPECT_EQ(read(engine).at("liquidated_short_usd"), 0.0);
  engine.advance(2'000);
  EXPECT_EQ(read(engine).at("liquidated_short_usd"), 2 * 991.0);
  EXPECT_EQ(read(engine).at("liquidated_long_usd"), 0.0);
  engine.advance(3'000);
  EXPECT_EQ(read(engine).at("liquidated_short_usd"), 0.0);
}

TEST(Features, OfAnInverseContractAreContracts) {
  Engine engine{support::whole(0.0, liqcore::Contract::inverse), support::tiers({10.0}), options_of()};
  engine.trade(0, 1'000, 5, false);
  EXPECT_EQ(read(engine, {.reaches_percent = {20}}).at("long_usd_20pct"), 5.0);
}

TEST(Features, GoOnWhereACheckpointStood) {
  EngineOptions options = options_of();
  options.half_life_ns = {3'000.0, 3'000.0};
  const auto make = [&] { return Engine{support::whole(0.004), support::tiers({10.0, 50.0}), options}; };
  const support::Tape tape = support::random_tape(5, 2'000, false);
  Engine engine = make();
  engine.trades(tape.view(0, 1'500));
  Engine other = make();
  other.restore(engine.checkpoint());
  EXPECT_EQ(read(other).at("age_s"), read(engine).at("age_s"));
  EXPECT_EQ(read(other).at("liquidated_long_usd"), read(engine).at("liquidated_long_usd"));
  for (Engine* each : {&engine, &other}) each->trades(tape.view(1'500, tape.size()));
  EXPECT_EQ(read(other), read(engine));
}

TEST(Features, DoNotDependOnThreads) {
  const support::Tape tape = support::random_tape(11, 300'000, false);
  std::vector<std::vector<double>> rows;
  for (const std::size_t threads : {1, 3}) {
    EngineOptions options = options_of(10);
    options.threads = threads;
    options.window_ns = 50'000;
    Engine engine{support::whole(0.004), support::tiers({10.0, 50.0}), options};
    engine.trades(tape.all());
    FeatureReader reader;
    reader.read(engine, rows.emplace_back(reader.size()));
  }
  EXPECT_TRUE(same(rows[0], rows[1]));
  EXPECT_GT(rows[0][4], 0.0);
}

/// Fed bar by bar, each row is what an engine says that was fed what is dated before the close and nothing else.
TEST(Features, FeedEqualsAnEngineThatKnowsNothingLater) {
  for (const Trigger trigger : {Trigger::last, Trigger::mark, Trigger::candle})
    for (const bool bad_rows : {false, true}) {
      EngineOptions options = options_of(5);
      options.trigger = trigger;
      options.half_life_ns = {20'000.0, 5'000.0};
      const auto make = [&] { return Engine{support::whole(0.004), support::tiers({10.0, 50.0}), options}; };
      support::Tape tape = support::random_tape(7, 1'500, bad_rows);
      std::vector<std::int64_t> mark_ts, candle_ts;
      std::vector<double> marks, opens, highs;
      for (std::size_t i = 0; i < tape.size(); i += 9) {
        mark_ts.push_back(tape.ts[i]);
        marks.push_back(std::isfinite(tape.price[i]) ? tape.price[i] + 3.0 : 10'000.0);
      }
      for (std::int64_t ts = 5'000; ts < tape.ts.back(); ts += 700) {
        candle_ts.push_back(ts);
        opens.push_back(10'000.0);
        highs.push_back(10'040.0);
      }
      if (!bad_rows) std::sort(mark_ts.begin(), mark_ts.end());
      liqcore::Feed all;
      all.trades = tape.all();
      all.marks = {mark_ts, marks};
      all.candles = {candle_ts, opens, highs, opens, highs, {}, {}, 700};
      std::vector<std::int64_t> closes;
      for (std::int64_t ts = 4'500; ts < tape.ts.back() + 5'000; ts += 911) closes.push_back(ts);
      FeatureReader reader;
      std::vector<double> rows(closes.size() * reader.size());
      Engine engine = make();
      reader.feed(engine, all, closes, rows);

      // One event at a time, in the order of time; a stream's own order stays.
      Engine live = make();
      std::size_t trade = 0, mark = 0, candle = 0;
      std::vector<double> row(reader.size());
      constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
      for (std::size_t bar = 0; bar < closes.size(); ++bar) {
        while (true) {
          const std::int64_t at_mark = mark < mark_ts.size() ? mark_ts[mark] : never;
          const std::int64_t at_trade = trade < tape.size() ? tape.ts[trade] : never;
          const std::int64_t at_candle = candle < candle_ts.size() ? candle_ts[candle] + 699 : never;
          const std::int64_t next = std::min({at_mark, at_trade, at_candle});
          if (next >= closes[bar]) break;
          if (at_mark == next) {
            live.mark(at_mark, marks[mark++]);
          } else if (at_trade == next) {
            live.trade(at_trade, tape.price[trade], tape.qty[trade], tape.sell[trade] != 0);
            ++trade;
          } else {
            const std::vector<std::int64_t> ts{candle_ts[candle]};
            const std::vector<double> low{opens[candle]}, high{highs[candle++]};
            live.candles({ts, low, high, low, high, {}, {}, 700});
          }
        }
        live.advance(closes[bar]);
        reader.read(live, row);
        const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(bar * row.size());
        ASSERT_TRUE(same(row, {begin, begin + static_cast<std::ptrdiff_t>(row.size())}))
            << "bar " << bar << ", trigger " << static_cast<int>(trigger) << ", bad rows " << bad_rows;
      }
      EXPECT_FALSE(std::isnan(row[0]));
    }
}

TEST(Features, ACandleOfNoTimeIsFedWithWhatComesBeforeAClose) {
  Engine engine = engine_of();
  const std::vector<std::int64_t> at{-999};
  const std::vector<double> price{1'000.0};
  liqcore::Feed feed;
  feed.candles = {at, price, price, price, price, {}, {}, 3'000};
  FeatureReader reader;
  std::vector<double> row(reader.size());
  const std::vector<std::int64_t> close{2'000};
  std::uint64_t rows_in_hook = 0;
  engine.mark(0, 1'000.0);
  engine.on_column([&](const liqcore::Segment&) { rows_in_hook = engine.counts().rows; });
  reader.feed(engine, feed, close, row);
  EXPECT_EQ(rows_in_hook, 2U);
}

TEST(Features, RefuseWrongOptionsAndRooms) {
  const auto refused = [](FeatureOptions options) { return support::refusal([&] { FeatureReader{options}; }); };
  EXPECT_EQ(refused({.reaches_percent = {}}), "reaches must be between 1 and 64, were 0");
  EXPECT_EQ(refused({.reaches_percent = {0.0}}), "reaches must be above 0 and below 100 percent, had 0");
  EXPECT_EQ(refused({.reaches_percent = {1, 1}}), "reaches must rise, had 1 after 1");
  EXPECT_EQ(refused({.density_percent = 100}), "density_percent must be above 0 and below 100, was 100");
  Engine engine = engine_of();
  FeatureReader reader;
  std::vector<double> row(3);
  EXPECT_EQ(support::refusal([&] { reader.read(engine, row); }), "out must hold 22 values, had 3");
  std::vector<double> rows(44);
  engine.advance(50);
  const std::vector<std::int64_t> level{60, 60}, early{40, 60}, never{-1, 60};
  EXPECT_EQ(support::refusal([&] { reader.feed(engine, {}, level, rows); }), "closes must rise, had 60 after 60");
  EXPECT_EQ(support::refusal([&] { reader.feed(engine, {}, early, rows); }),
            "closes must not be before the engine's clock (50), had 40");
  EXPECT_EQ(support::refusal([&] { reader.feed(engine, {}, never, rows); }),
            "closes must be times between 1970 and 2116 in ns, had -1");
  EXPECT_EQ(support::refusal([&] { reader.feed(engine, {}, level, row); }),
            "out must hold 2 rows of 22 values, had 3 values");
}

}  // namespace
