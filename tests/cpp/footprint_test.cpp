#include "liqcore/footprint.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <vector>

#include "support.hpp"

using liqcore::Footprint;

namespace {

struct Trades {
  std::vector<std::int32_t> ticks;
  std::vector<double> lots;
  std::vector<std::uint8_t> taker_sell;
};

bool build(Footprint& footprint, const Trades& run) { return footprint.build(run.ticks, run.lots, run.taker_sell); }

}  // namespace

TEST(Footprint, SumsLotsByTickAndAggressor) {
  Footprint footprint;
  ASSERT_TRUE(build(footprint, {{101, 100, 101, 101, 103}, {1, 2, 4, 8, 16}, {0, 1, 0, 1, 1}}));
  EXPECT_EQ(footprint.bought(101), 5.0);
  EXPECT_EQ(footprint.sold(101), 8.0);
  EXPECT_EQ(footprint.sold(100), 2.0);
  EXPECT_EQ(footprint.bought(100), 0.0);
  EXPECT_EQ(footprint.bought(102), 0.0);
  EXPECT_EQ(footprint.sold(103), 16.0);
  EXPECT_EQ(footprint.buy_lots(), 5.0);
  EXPECT_EQ(footprint.sell_lots(), 26.0);
}

TEST(Footprint, KnowsTheRunsLowHighFirstAndLast) {
  Footprint footprint;
  ASSERT_TRUE(build(footprint, {{101, 100, 105, 103}, {1, 1, 1, 1}, {0, 0, 0, 0}}));
  EXPECT_EQ(footprint.first(), 101);
  EXPECT_EQ(footprint.low(), 100);
  EXPECT_EQ(footprint.high(), 105);
  EXPECT_EQ(footprint.last(), 103);
}

TEST(Footprint, AnEmptyRunHasNoRange) {
  Footprint footprint;
  ASSERT_TRUE(build(footprint, {{7}, {1}, {0}}));
  ASSERT_TRUE(build(footprint, {}));
  EXPECT_LT(footprint.high(), footprint.low());
  EXPECT_EQ(footprint.buy_lots(), 0.0);
}

TEST(Footprint, RemembersNothingOfTheRunBefore) {
  Footprint footprint;
  ASSERT_TRUE(build(footprint, {{100, 108}, {5, 7}, {0, 1}}));
  ASSERT_TRUE(build(footprint, {{104, 96}, {1, 1}, {0, 0}}));
  EXPECT_EQ(footprint.bought(100), 0.0);
  EXPECT_EQ(footprint.bought(104), 1.0);
  EXPECT_EQ(footprint.sell_lots(), 0.0);
}

TEST(Footprint, TooWideARunIsRefusedAndLeavesItEmpty) {
  Footprint footprint;
  const auto widest = static_cast<std::int32_t>(Footprint::kMaxRange);
  EXPECT_TRUE(build(footprint, {{1, widest}, {1, 1}, {0, 0}}));
  EXPECT_FALSE(build(footprint, {{1, widest + 1}, {1, 1}, {0, 0}}));
  EXPECT_LT(footprint.high(), footprint.low());
  EXPECT_FALSE(build(footprint, {{1, 2'147'483'647}, {1, 1}, {0, 0}}));
}

TEST(Footprint, AnyByteButZeroMeansTheAggressorSold) {
  Footprint footprint;
  ASSERT_TRUE(build(footprint, {{100, 100, 100}, {1, 2, 4}, {0, 2, 255}}));
  EXPECT_EQ(footprint.bought(100), 1.0);
  EXPECT_EQ(footprint.sold(100), 6.0);
}

TEST(Footprint, EqualsSumsInAMap) {
  support::Random random{3};
  Footprint footprint;
  for (int round = 0; round < 300; ++round) {
    Trades run;
    std::map<std::int64_t, double> bought, sold;
    for (std::int64_t n = random(1, 80), width = random(0, 60); n > 0; --n) {
      const std::int64_t tick = random(1'000, 1'000 + width), lots = random(0, 9);
      const bool sell = random.one_in(2);
      run.ticks.push_back(static_cast<std::int32_t>(tick));
      run.lots.push_back(static_cast<double>(lots));
      run.taker_sell.push_back(sell ? 1 : 0);
      (sell ? sold : bought)[tick] += static_cast<double>(lots);
    }
    ASSERT_TRUE(build(footprint, run));
    for (std::int64_t tick = footprint.low(); tick <= footprint.high(); ++tick) {
      ASSERT_EQ(footprint.bought(tick), bought[tick]);
      ASSERT_EQ(footprint.sold(tick), sold[tick]);
    }
    ASSERT_EQ(footprint.buy_lots(), support::sum(bought));
    ASSERT_EQ(footprint.sell_lots(), support::sum(sold));
  }
}
