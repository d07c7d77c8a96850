#include "liqcore/leverage.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "liqcore/margin.hpp"
#include "support.hpp"

using liqcore::Contract;
using liqcore::LeverageProfile;
using liqcore::MarginSchedule;
using liqcore::NoPrice;
using liqcore::Side;
using liqcore::tier_name;
using liqcore::tier_of;
using support::refusal;

TEST(LeverageProfile, KeepsTiersInRisingOrderWithTheirShares) {
  const LeverageProfile profile{{50, 5, 10}, {0.2, 0.5, 0.3}};
  EXPECT_EQ(profile.size(), 3U);
  EXPECT_EQ(profile.tiers(), (std::vector<double>{5, 10, 50}));
  EXPECT_EQ(profile.shares(), (std::vector<double>{0.5, 0.3, 0.2}));
}

TEST(LeverageProfile, WeightsAreSharesTimesIntensity) {
  EXPECT_EQ((LeverageProfile{{5, 10}, {0.25, 0.75}}.weights()), (std::vector<double>{0.25, 0.75}));
  EXPECT_EQ((LeverageProfile{{5, 10}, {0.25, 0.75}, 4.0}.weights()), (std::vector<double>{1.0, 3.0}));
}

TEST(LeverageProfile, DefaultPreset) {
  const LeverageProfile profile = LeverageProfile::preset("default");
  EXPECT_EQ(profile.tiers(), (std::vector<double>{5, 10, 25, 50, 100}));
  EXPECT_EQ(profile.shares(), (std::vector<double>{0.30, 0.30, 0.20, 0.12, 0.08}));
}

TEST(LeverageProfile, Integer125PresetGrowsTo25ThenWithTheLogarithm) {
  const LeverageProfile profile = LeverageProfile::preset("integer-125");
  ASSERT_EQ(profile.size(), 125U);
  EXPECT_EQ(profile.tiers().front(), 1.0);
  EXPECT_EQ(profile.tiers().back(), 125.0);
  const std::vector<double>& shares = profile.shares();
  EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1.0, 1e-12);
  EXPECT_NEAR(shares[24] / shares[0], 25.0, 1e-12);
  EXPECT_NEAR(shares[99] / shares[0], 1.2 * std::log(100.0), 1e-12);
}

TEST(LeverageProfile, RefusesAnotherPreset) {
  EXPECT_EQ(refusal([] { LeverageProfile::preset("defualt"); }),
            "leverage preset must be \"default\" or \"integer-125\", was \"defualt\"");
}

TEST(LeverageProfile, RefusesNoTiersAndTooMany) {
  EXPECT_EQ(refusal([] { LeverageProfile({}, {}); }), "leverage must have between 1 and 1,024 tiers, had 0");
  EXPECT_EQ(refusal([] { LeverageProfile(std::vector<double>(1025, 2.0), {}); }),
            "leverage must have between 1 and 1,024 tiers, had 1025");
}

TEST(LeverageProfile, RefusesTiersWithoutAShare) {
  EXPECT_EQ(refusal([] { LeverageProfile({5, 10}, {1.0}); }),
            "leverage must have one share for each of its 2 tiers, had 1");
}

TEST(LeverageProfile, RefusesWhatIsNeitherALeverageNorADistance) {
  EXPECT_EQ(refusal([] { LeverageProfile({0.5}, {1.0}); }), "");
  EXPECT_EQ(refusal([] { LeverageProfile({0.0}, {1.0}); }),
            "leverage must be finite and at least 1, or a distance from the entry above 0, was 0");
  EXPECT_EQ(refusal([] { LeverageProfile({INFINITY}, {1.0}); }),
            "leverage must be finite and at least 1, or a distance from the entry above 0, was inf");
  EXPECT_EQ(refusal([] { LeverageProfile({NAN}, {1.0}); }),
            "leverage must be finite and at least 1, or a distance from the entry above 0, was nan");
  EXPECT_EQ(refusal([] { LeverageProfile({1.0}, {1.0}); }), "");
}

TEST(LeverageProfile, NamesOfTiersReadBack) {
  for (const double tier : {0.002, 0.003, 0.007, 0.0125, 0.29, 0.57, 1.0, 12.5, 25.0, 125.0})
    EXPECT_EQ(tier_of(tier_name(tier)), tier) << tier_name(tier);
  EXPECT_EQ(tier_name(0.007), "0.7 %");
  EXPECT_EQ(tier_name(25.0), "25x");
  EXPECT_EQ(tier_of(" 0.7% "), 0.007);
  EXPECT_EQ(tier_of("0.7 %"), 0.007);
  EXPECT_EQ(tier_of("25X"), 25.0);
  for (const char* text :
       {"", "x", "%", "0%", "-1%", "100%", "0.5x", "0.5", "25 times", "nan", "inf", "1e999", "25%x", "1 0%"})
    EXPECT_EQ(
        refusal([&] { static_cast<void>(tier_of(text)); }),
        std::string("a leverage tier must be a leverage of at least 1 such as \"25\", or a distance from the entry "
                    "above 0 % and below 100 % such as \"0.2%\", was \"") +
            text + "\"");
}

TEST(LeverageProfile, PlacesADistanceWithoutMarginTerms) {
  for (const Contract contract : {Contract::linear, Contract::inverse}) {
    const MarginSchedule margin = MarginSchedule::flat(0.01, 0.002);
    EXPECT_EQ(margin.level_factor(Side::long_, contract, 0.002), 1.0 - 0.002);
    EXPECT_EQ(margin.level_factor(Side::short_, contract, 0.002), 1.0 + 0.002);
    EXPECT_EQ(margin.level(Side::long_, contract, 0.002).reason, NoPrice::none);
    EXPECT_EQ(margin.level(Side::long_, contract, 500.0).reason, NoPrice::no_position);
  }
}

TEST(LeverageProfile, RefusesATierTwice) {
  EXPECT_EQ(refusal([] { LeverageProfile({5, 10, 5}, {0.4, 0.3, 0.3}); }),
            "leverage must list each tier once, had 5x twice");
}

TEST(LeverageProfile, RefusesNegativeShares) {
  EXPECT_EQ(refusal([] { LeverageProfile({5, 10}, {1.5, -0.5}); }),
            "share of leverage 10x must be finite and at least 0, was -0.5");
  EXPECT_EQ(refusal([] { LeverageProfile({5, 10}, {1.0, 0.0}); }), "");
}

TEST(LeverageProfile, RefusesSharesThatDoNotSumToOne) {
  EXPECT_EQ(refusal([] { LeverageProfile({5, 10}, {0.5, 0.25}); }),
            "leverage shares must sum to 1 (within 1e-9), summed to 0.75");
  EXPECT_EQ(refusal([] { LeverageProfile({5, 10}, {0.5, 0.5 + 5e-10}); }), "");
  EXPECT_NE(refusal([] { LeverageProfile({5, 10}, {0.5, 0.5 + 2e-9}); }), "");
}

TEST(LeverageProfile, RefusesAnIntensityOfNothing) {
  EXPECT_EQ(refusal([] { LeverageProfile({5}, {1.0}, 0.0); }), "intensity must be finite and above 0, was 0");
  EXPECT_EQ(refusal([] { LeverageProfile({5}, {1.0}, NAN); }), "intensity must be finite and above 0, was nan");
}
