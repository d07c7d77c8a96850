#include "liqcore/axis.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "support.hpp"

using liqcore::automatic_ticks_per_bin;
using liqcore::BinRule;
using liqcore::PriceAxis;
using support::Random;
using support::refusal;

namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 40;

}  // namespace

TEST(BinRule, ABinHoldsItsLowerEdgeAndNotItsUpper) {
  const BinRule bin{5};
  constexpr std::pair<std::int64_t, std::int64_t> cases[] = {{0, 0}, {4, 0}, {5, 1}, {9, 1}, {10, 2}};
  for (const auto& [tick, expected] : cases) EXPECT_EQ(bin(tick), expected) << tick;
}

TEST(BinRule, EqualsIntegerDivisionAroundEdgesOfEveryMagnitude) {
  constexpr std::int64_t kHalf = std::int64_t{1} << 31;  // where 32 bits with a sign end
  constexpr std::int64_t steps[] = {1,       2,         3,         5,         6,         7,         10,
                                    49,      100,       107,       999,       1000,      65535,     65537,
                                    999'983, 1'000'000, kHalf - 1, kHalf + 1, kMost / 3, kMost - 1, kMost};
  for (const std::int64_t step : steps) {
    const BinRule bin{step};
    const std::int64_t last = kMost / step;
    for (std::int64_t k = 1; k <= last; k = k < last / 2 ? k + k / 64 + 1 : k + (last - k) / 8 + 1)
      for (const std::int64_t tick : {k * step - 1, k * step, k * step + 1})
        if (tick <= kMost) {
          ASSERT_EQ(bin(tick), tick / step) << tick << " in steps of " << step;
        }
  }
}

TEST(BinRule, EqualsIntegerDivisionForRandomTicksAndSteps) {
  Random random{1};
  for (int i = 0; i < 200'000; ++i) {
    const std::int64_t step = random(1, std::int64_t{1} << random(0, 40));
    const std::int64_t tick = random(0, std::int64_t{1} << random(0, 40));
    const BinRule bin{step};
    ASSERT_EQ(bin(tick), tick / step) << tick << " in steps of " << step;
    const std::int64_t edge = tick / step * step;
    ASSERT_EQ(bin(edge), tick / step) << edge << " in steps of " << step;
    if (edge > 0) {
      ASSERT_EQ(bin(edge - 1), tick / step - 1) << edge - 1 << " in steps of " << step;
    }
  }
}

TEST(BinRule, EveryTickOfAMillionIsInTheBinOfIntegerDivision) {
  for (const std::int64_t step : {3, 10, 49}) {
    const BinRule bin{step};
    for (std::int64_t tick = 0; tick < 1'000'000; ++tick) ASSERT_EQ(bin(tick), tick / step) << tick << " / " << step;
  }
}

TEST(PriceAxis, LowerEdgeOfTheFirstBinIsInside) {
  const PriceAxis axis{/*low_tick=*/100, /*ticks_per_bin=*/5, /*size=*/2};
  EXPECT_EQ(axis.index(100), 0);
  EXPECT_EQ(axis.index(99), -1);
  EXPECT_EQ(axis.index(0), -1);
}

TEST(PriceAxis, UpperEdgeOfTheLastBinIsOutside) {
  const PriceAxis axis{100, 5, 2};
  EXPECT_EQ(axis.index(104), 0);
  EXPECT_EQ(axis.index(105), 1);
  EXPECT_EQ(axis.index(109), 1);
  EXPECT_EQ(axis.index(110), axis.size());
  EXPECT_EQ(axis.index(kMost), axis.size());
}

TEST(PriceAxis, SaysItsEdges) {
  const PriceAxis axis{100, 5, 2};
  EXPECT_EQ(axis.low_tick(), 100);
  EXPECT_EQ(axis.high_tick(), 110);
  EXPECT_EQ(axis.ticks_per_bin(), 5);
  EXPECT_EQ(axis.size(), 2);
  EXPECT_EQ(axis.first_bin(), 20);
}

TEST(PriceAxis, IndexIsTheAbsoluteBinLessTheFirst) {
  const PriceAxis axis{700, 7, 1000};
  const BinRule bin{7};
  for (std::int64_t tick = axis.low_tick(); tick < axis.high_tick(); ++tick)
    ASSERT_EQ(axis.index(tick), bin(tick) - axis.first_bin());
}

TEST(PriceAxis, TakesTheLastTickThereIs) {
  const PriceAxis axis{kMost - 1024, 1024, 1};
  EXPECT_EQ(axis.high_tick(), kMost);
  EXPECT_EQ(axis.index(kMost - 1), 0);
}

TEST(PriceAxis, FromPricesCountsWholeTicks) {
  EXPECT_EQ(PriceAxis::from_prices(50'000, 80'000, 10, 0.1), (PriceAxis{500'000, 100, 3'000}));
  EXPECT_EQ(PriceAxis::from_prices(0.3, 0.9, 0.3, 0.1), (PriceAxis{3, 3, 2}));
  EXPECT_EQ(PriceAxis::from_prices(0, 0.0007, 0.0001, 0.0001), (PriceAxis{0, 1, 7}));
}

TEST(PriceAxis, RefusesBinsOfNoTicks) {
  EXPECT_EQ(refusal([] { PriceAxis(0, 0, 1); }), "ticks_per_bin must be between 1 and 2^40, was 0");
  EXPECT_EQ(refusal([] { PriceAxis(0, -5, 1); }), "ticks_per_bin must be between 1 and 2^40, was -5");
  EXPECT_EQ(refusal([] { PriceAxis(0, kMost + 1, 1); }), "ticks_per_bin must be between 1 and 2^40, was 1099511627777");
}

TEST(PriceAxis, RefusesAFirstEdgeThatIsNoEdge) {
  EXPECT_EQ(refusal([] { PriceAxis(-5, 5, 1); }),
            "low_tick must be at least 0 and a multiple of ticks_per_bin (5), was -5");
  EXPECT_EQ(refusal([] { PriceAxis(12, 5, 1); }),
            "low_tick must be at least 0 and a multiple of ticks_per_bin (5), was 12");
}

TEST(PriceAxis, RefusesNoBinsAndTooMany) {
  EXPECT_EQ(refusal([] { PriceAxis(0, 5, 0); }), "size (number of bins) must be between 1 and 2^22, was 0");
  EXPECT_EQ(refusal([] { PriceAxis(0, 5, 4'194'305); }),
            "size (number of bins) must be between 1 and 2^22, was 4194305");
  EXPECT_EQ(refusal([] { PriceAxis(0, 5, 4'194'304); }), "");
}

TEST(PriceAxis, RefusesToEndBeyondTheLastTick) {
  EXPECT_EQ(refusal([] { PriceAxis(kMost - 1024, 1024, 2); }),
            "the axis must end at or below 2^40 ticks and begin at or below bin 2^30, began at tick 1099511626752 "
            "with 2 bins");
  EXPECT_EQ(refusal([] { PriceAxis((std::int64_t{1} << 30) + 1, 1, 2); }),
            "the axis must end at or below 2^40 ticks and begin at or below bin 2^30, began at tick 1073741825 "
            "with 2 bins");
}

TEST(PriceAxis, FromPricesRefusesATickThatIsNone) {
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(0, 1, 1, 0); }), "tick_size must be finite and above 0, was 0");
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(0, 1, 1, NAN); }), "tick_size must be finite and above 0, was nan");
}

TEST(PriceAxis, FromPricesRefusesAStepOffTheTick) {
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(0, 10, 0.25, 0.1); }),
            "step must be a multiple of tick_size (0.1), was 0.25");
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(0, 10, 0, 0.1); }), "step must be at least one tick, was 0");
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(0, 10, -1, 0.1); }), "step must lie between 0 and 2^40 ticks, was -1");
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(0, 10, INFINITY, 0.1); }),
            "step must be a multiple of tick_size (0.1), was inf");
}

TEST(PriceAxis, FromPricesRefusesEdgesOffTheStep) {
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(5, 30, 10, 0.5); }),
            "low must be a multiple of step (10), so that edges of all axes agree, was 5; the nearest below is 0");
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(10, 35, 10, 0.5); }),
            "high must be a multiple of step (10), so that edges of all axes agree, was 35; the nearest below is 30");
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(0.2, 10, 1, 0.5); }),
            "low must be a multiple of tick_size (0.5), was 0.2");
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(-10, 10, 10, 0.5); }),
            "low must lie between 0 and 2^40 ticks, was -10");
}

TEST(PriceAxis, FromPricesRefusesAnEmptyRange) {
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(20, 20, 10, 0.5); }), "high must be above low (20), was 20");
  EXPECT_EQ(refusal([] { PriceAxis::from_prices(20, 10, 10, 0.5); }), "high must be above low (20), was 10");
}

TEST(AutomaticTicksPerBin, IsAboutABasisPointOfThePrice) {
  EXPECT_EQ(automatic_ticks_per_bin(0), 1);
  EXPECT_EQ(automatic_ticks_per_bin(19'999), 1);
  EXPECT_EQ(automatic_ticks_per_bin(20'000), 2);
  EXPECT_EQ(automatic_ticks_per_bin(600'000), 50);
  EXPECT_EQ(automatic_ticks_per_bin(std::int64_t{1} << 40), 100'000'000);
}

TEST(AutomaticTicksPerBin, FitsRows) {
  EXPECT_EQ(automatic_ticks_per_bin(600'000, 180), 60);
  EXPECT_EQ(automatic_ticks_per_bin(600'000, 127), 1);
  EXPECT_EQ(automatic_ticks_per_bin(600'000, 49), 49);
  EXPECT_EQ(automatic_ticks_per_bin(0, 180), 1);
}
