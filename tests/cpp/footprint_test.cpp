#include "liqcore/footprint.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <vector>

#include "support.hpp"

using liqcore::Footprint;

namespace {

/// A footprint that takes ticks from 100 to 200.
Footprint hundreds() {
  Footprint footprint;
  footprint.reset(100, 200);
  return footprint;
}

}  // namespace

TEST(Footprint, SumsLotsByTickAndAggressor) {
  Footprint footprint = hundreds();
  footprint.add(101, 1, false);
  footprint.add(100, 2, true);
  footprint.add(101, 4, false);
  footprint.add(101, 8, true);
  footprint.add(103, 16, true);
  EXPECT_EQ(footprint.bought(101), 5);
  EXPECT_EQ(footprint.sold(101), 8);
  EXPECT_EQ(footprint.sold(100), 2);
  EXPECT_EQ(footprint.bought(100), 0);
  EXPECT_EQ(footprint.bought(102), 0);
  EXPECT_EQ(footprint.sold(103), 16);
  EXPECT_EQ(footprint.volumes().bought, 5);
  EXPECT_EQ(footprint.volumes().sold, 26);
}

TEST(Footprint, KnowsTheRunsLowHighFirstAndLast) {
  Footprint footprint = hundreds();
  for (const std::int64_t tick : {101, 100, 105, 103}) footprint.add(tick, 1, false);
  EXPECT_EQ(footprint.first(), 101);
  EXPECT_EQ(footprint.low(), 100);
  EXPECT_EQ(footprint.high(), 105);
  EXPECT_EQ(footprint.last(), 103);
}

TEST(Footprint, TakesTheTicksItWasResetToAndANewOneTakesNone) {
  const Footprint footprint = hundreds();
  EXPECT_FALSE(footprint.takes(99));
  EXPECT_TRUE(footprint.takes(100));
  EXPECT_TRUE(footprint.takes(200));
  EXPECT_FALSE(footprint.takes(201));
  EXPECT_FALSE(Footprint{}.takes(0));
  EXPECT_FALSE(Footprint{}.takes(100));
}

TEST(Footprint, WithoutTradesIsEmpty) {
  const Footprint footprint = hundreds();
  EXPECT_TRUE(footprint.empty());
  EXPECT_EQ(footprint.volumes().bought, 0);
}

TEST(Footprint, RemembersNothingOfTheRunBefore) {
  Footprint footprint = hundreds();
  footprint.add(100, 5, false);
  footprint.add(108, 7, true);
  footprint.clear();
  EXPECT_TRUE(footprint.empty());
  footprint.add(104, 1, false);
  footprint.add(99 + 1, 1, false);
  EXPECT_EQ(footprint.first(), 104);
  EXPECT_EQ(footprint.bought(100), 1);
  EXPECT_EQ(footprint.volumes().sold, 0);
  footprint.reset(1'000, 1'000 + Footprint::kMaxTicks - 1);
  EXPECT_TRUE(footprint.empty());
  footprint.add(1'000, 1, true);
  footprint.add(1'000 + Footprint::kMaxTicks - 1, 1, true);
  EXPECT_EQ(footprint.volumes().bought, 0);
  EXPECT_EQ(footprint.volumes().sold, 2);
}

TEST(Footprint, SumsWhatOpensBelowEachTick) {
  Footprint footprint = hundreds();
  footprint.add(101, 4, false);
  footprint.add(103, 8, true);
  double longs[4], shorts[4];
  footprint.open_prefix(0, longs, shorts);
  EXPECT_EQ(std::vector<double>(longs, longs + 4), (std::vector<double>{0, 4, 4, 4}));
  EXPECT_EQ(std::vector<double>(shorts, shorts + 4), (std::vector<double>{0, 0, 0, 8}));
  footprint.open_prefix(256, longs, shorts);  // a quarter on the other side
  EXPECT_EQ(std::vector<double>(longs, longs + 4), (std::vector<double>{0, 4, 4, 6}));
  EXPECT_EQ(std::vector<double>(shorts, shorts + 4), (std::vector<double>{0, 1, 1, 9}));
}

TEST(Footprint, BlocksAndSingleTradesEqualSumsInAMap) {
  support::Random random{3};
  Footprint blocks, single;
  for (int round = 0; round < 300; ++round) {
    const std::int64_t base = random(1, 5'000), width = random(0, 60);
    blocks.reset(base, base + width);
    single.reset(base, base + width);
    std::map<std::int64_t, double> bought, sold;
    for (std::int64_t block = random(1, 3); block > 0; --block) {
      std::vector<std::int64_t> keys, lots;
      std::int64_t low = base + width, high = base;
      for (std::int64_t n = random(0, 80); n > 0; --n) {
        const std::int64_t tick = random(base, base + width);
        const bool sell = random.one_in(2);
        keys.push_back(2 * tick + (sell ? 1 : 0));
        lots.push_back(random(0, 9));
        low = std::min(low, tick);
        high = std::max(high, tick);
        single.add(tick, lots.back(), sell);
        (sell ? sold : bought)[tick] += static_cast<double>(lots.back());
      }
      blocks.add(keys.data(), lots.data(), keys.size(), low, high);
    }
    ASSERT_EQ(blocks.empty(), single.empty());
    if (single.empty()) continue;
    for (const Footprint* footprint : {&blocks, &single}) {
      for (std::int64_t tick = footprint->low(); tick <= footprint->high(); ++tick) {
        ASSERT_EQ(static_cast<double>(footprint->bought(tick)), bought[tick]);
        ASSERT_EQ(static_cast<double>(footprint->sold(tick)), sold[tick]);
      }
      ASSERT_EQ(static_cast<double>(footprint->volumes().bought), support::sum(bought));
      ASSERT_EQ(static_cast<double>(footprint->volumes().sold), support::sum(sold));
    }
    ASSERT_EQ(blocks.low(), single.low());
    ASSERT_EQ(blocks.high(), single.high());
    ASSERT_EQ(blocks.first(), single.first());
    ASSERT_EQ(blocks.last(), single.last());
  }
}
