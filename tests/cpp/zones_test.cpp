#include "liqcore/zones.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support.hpp"

namespace {

using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::find_zones;
using liqcore::Side;
using liqcore::Zone;
using liqcore::ZoneFinder;
using liqcore::ZoneOptions;

/// 2x without margin: a long is liquidated at half its entry, a short at one and a half of it. Bins of 2, a window 1
/// us.
Engine engine_of(std::vector<double> tiers = {2.0}) {
  EngineOptions options;
  options.ticks_per_bin = 2;
  options.window_ns = 1'000;
  return {support::whole(), support::tiers(std::move(tiers)), options};
}

TEST(Zones, AreRunsOfRowsAtOrAboveThePercentile) {
  Engine engine = engine_of();
  // Longs at 500, 510 and 530 of 4, 4 and 3: rows of ten ticks; a short at 1,590 of 5.
  engine.trade(0, 1'000, 4, false);
  engine.trade(1, 1'020, 4, false);
  engine.trade(2, 1'060, 3, false);
  engine.trade(3, 1'060, 5, true);
  const std::vector<Zone> all = find_zones(engine, {.bins_per_row = 5, .percentile = 0.0});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].side, Side::long_);
  EXPECT_EQ(all[0].low, 500.0);
  EXPECT_EQ(all[0].high, 520.0);
  EXPECT_EQ(all[0].usd, 4 * 501.0 + 4 * 511.0);
  EXPECT_DOUBLE_EQ(all[0].share, all[0].usd / (all[0].usd + 3 * 531.0));
  EXPECT_DOUBLE_EQ(all[0].distance_percent, 100.0 * (520.0 / 1'060.0 - 1.0));
  EXPECT_EQ(all[1].low, 530.0);
  EXPECT_EQ(all[2].side, Side::short_);
  EXPECT_EQ(all[2].low, 1'590.0);
  EXPECT_EQ(all[2].share, 1.0);
  EXPECT_DOUBLE_EQ(all[2].distance_percent, 100.0 * (1'590.0 / 1'060.0 - 1.0));
  // Of four rows that hold something the ninetieth percentile is the fourth: the short's.
  const std::vector<Zone> largest = find_zones(engine);
  ASSERT_EQ(largest.size(), 1U);
  EXPECT_EQ(largest[0].side, Side::short_);
  // At the median it is 4 x 511, which parts the two neighbours.
  ZoneFinder finder({.bins_per_row = 5, .percentile = 75.0});
  EXPECT_EQ(finder.find(engine).size(), 2U);
  EXPECT_EQ(finder.threshold(), 4 * 511.0);
}

TEST(Zones, OfNothingAreNone) {
  Engine engine = engine_of();
  ZoneFinder finder;
  EXPECT_TRUE(finder.find(engine).empty());
  engine.mark(0, 1'000);  // a book, but no level
  EXPECT_TRUE(finder.find(engine).empty());
  EXPECT_EQ(finder.threshold(), 0.0);
  engine.trade(1, 1'000, 4, false);
  EXPECT_EQ(finder.find(engine).size(), 1U);
  engine.trade(2, 400, 1, true);
  EXPECT_EQ(finder.find(engine).front().side, Side::short_);  // the long is gone
}

TEST(Zones, HaveNoDistanceBeforeAnythingTraded) {
  Engine engine = engine_of();
  engine.advance(0);
  engine.open(Side::long_, 1'000, 4);
  ASSERT_EQ(find_zones(engine).size(), 1U);
  EXPECT_TRUE(std::isnan(find_zones(engine).front().distance_percent));
}

TEST(Zones, AreTheRowsOfAColumn) {
  Engine engine = engine_of({2, 10, 25, 50});
  const support::Tape tape = support::random_tape(3, 4'000, false);
  engine.trades(tape.all());
  engine.advance(tape.ts.back() + 2'000);
  const liqcore::History& history = *engine.history();
  liqcore::Picture picture;
  for (auto& weights : picture.weights) weights = engine.leverage().weights();
  picture.bins_per_row = 5;
  picture.rows = 5'000;
  picture.first_column = history.size() - 1;
  picture.columns = 1;
  std::vector<float> rows[2]{std::vector<float>(picture.rows), std::vector<float>(picture.rows)};
  history.columns(picture, rows[0], rows[1], {}, {});
  ZoneFinder finder;
  const auto zones = finder.find(engine);
  ASSERT_GT(zones.size(), 2U);
  std::vector<float> in_zones[2]{std::vector<float>(picture.rows), std::vector<float>(picture.rows)};
  for (const Zone& zone : zones) {
    const auto side = static_cast<std::size_t>(zone.side);
    double usd = 0.0;
    for (auto row = static_cast<std::size_t>(zone.low / 10.0); row < static_cast<std::size_t>(zone.high / 10.0);
         ++row) {
      EXPECT_GE(rows[side][row], finder.threshold());
      in_zones[side][row] = rows[side][row];
      usd += rows[side][row];
    }
    EXPECT_NEAR(zone.usd, usd, 1e-6 * usd);
  }
  for (std::size_t side = 0; side < 2; ++side)
    for (std::size_t row = 0; row < picture.rows; ++row) {
      if (in_zones[side][row] == 0.0F) {
        EXPECT_LT(rows[side][row], finder.threshold());
      }
    }
}

TEST(Zones, RefuseWrongOptions) {
  EXPECT_EQ(support::refusal([] { ZoneFinder({.bins_per_row = 0}); }),
            "bins_per_row must be between 1 and 1048576, was 0");
  EXPECT_EQ(support::refusal([] { ZoneFinder({.percentile = 100.5}); }), "percentile must lie in [0, 100], was 100.5");
  EXPECT_EQ(support::refusal([] { ZoneFinder({.percentile = std::nan("")}); }),
            "percentile must lie in [0, 100], was nan");
}

}  // namespace
