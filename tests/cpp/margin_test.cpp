#include "liqcore/margin.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "support.hpp"

using liqcore::Contract;
using liqcore::MarginBasis;
using liqcore::MarginSchedule;
using liqcore::Side;
using support::refusal;

// Worked by hand: 10x, so 1/L = 0.1.

TEST(LevelFactor, LinearOnMarkValue) {
  const auto free = MarginSchedule::flat(0.0);
  EXPECT_DOUBLE_EQ(free.level_factor(Side::long_, Contract::linear, 10), 0.9);  // loses its tenth at 90 % of entry
  EXPECT_DOUBLE_EQ(free.level_factor(Side::short_, Contract::linear, 10), 1.1);
  const auto margin = MarginSchedule::flat(0.04, 0.01);
  EXPECT_DOUBLE_EQ(margin.level_factor(Side::long_, Contract::linear, 10), 0.9 / 0.95);   // 0.9474
  EXPECT_DOUBLE_EQ(margin.level_factor(Side::short_, Contract::linear, 10), 1.1 / 1.05);  // 1.0476
}

TEST(LevelFactor, LinearOnEntryValue) {
  const auto margin = MarginSchedule::flat(0.04, 0.0, MarginBasis::entry);
  EXPECT_DOUBLE_EQ(margin.level_factor(Side::long_, Contract::linear, 10), 0.94);  // 1 - (0.10 - 0.04)
  EXPECT_DOUBLE_EQ(margin.level_factor(Side::short_, Contract::linear, 10), 1.06);
}

TEST(LevelFactor, InverseOnMarkValue) {
  const auto free = MarginSchedule::flat(0.0);
  EXPECT_DOUBLE_EQ(free.level_factor(Side::long_, Contract::inverse, 10), 1.0 / 1.1);
  EXPECT_DOUBLE_EQ(free.level_factor(Side::short_, Contract::inverse, 10), 1.0 / 0.9);
  const auto margin = MarginSchedule::flat(0.04, 0.01);
  EXPECT_DOUBLE_EQ(margin.level_factor(Side::long_, Contract::inverse, 10), 1.05 / 1.1);   // 0.9545
  EXPECT_DOUBLE_EQ(margin.level_factor(Side::short_, Contract::inverse, 10), 0.95 / 0.9);  // 1.0556
}

TEST(LevelFactor, InverseOnEntryValue) {
  const auto margin = MarginSchedule::flat(0.04, 0.0, MarginBasis::entry);
  EXPECT_DOUBLE_EQ(margin.level_factor(Side::long_, Contract::inverse, 10), 1.0 / 1.06);
  EXPECT_DOUBLE_EQ(margin.level_factor(Side::short_, Contract::inverse, 10), 1.0 / 0.94);
}

TEST(LevelFactor, SolvesTheMarginConditionItComesFrom) {
  // margin + PnL = maintenance, per unit of quantity (linear) or of USD (inverse), at entry price 1 and price k.
  const double m = 0.006, f = 0.0005;
  for (const double leverage : {2.0, 7.0, 33.0, 100.0})
    for (const Side side : {Side::long_, Side::short_}) {
      const double s = side == Side::long_ ? 1.0 : -1.0, margin = 1.0 / leverage;
      const double linear = MarginSchedule::flat(m, f).level_factor(side, Contract::linear, leverage);
      EXPECT_NEAR(margin + s * (linear - 1.0), (m + f) * linear, 1e-15);
      const double inverse = MarginSchedule::flat(m, f).level_factor(side, Contract::inverse, leverage);
      EXPECT_NEAR(margin + s * (1.0 - 1.0 / inverse), (m + f) / inverse, 1e-15);
      const auto on_entry = MarginSchedule::flat(m, 0.0, MarginBasis::entry);
      EXPECT_NEAR(margin + s * (on_entry.level_factor(side, Contract::linear, leverage) - 1.0), m, 1e-15);
      EXPECT_NEAR(margin + s * (1.0 - 1.0 / on_entry.level_factor(side, Contract::inverse, leverage)), m, 1e-15);
    }
}

TEST(LevelFactor, ALongLiesBelowItsEntryAndAShortAbove) {
  for (const double rate : {0.0, 0.004})
    for (const MarginBasis basis : {MarginBasis::mark, MarginBasis::entry})
      for (const Contract contract : {Contract::linear, Contract::inverse})
        for (int leverage = 2; leverage <= 125; ++leverage) {
          const auto margin = MarginSchedule::flat(rate, 0.0, basis);
          ASSERT_LT(margin.level_factor(Side::long_, contract, leverage), 1.0) << leverage;
          ASSERT_GT(margin.level_factor(Side::short_, contract, leverage), 1.0) << leverage;
        }
}

TEST(LevelFactor, ALinearLongWithoutLeverageHasNoLiquidationPrice) {
  EXPECT_TRUE(std::isnan(MarginSchedule::flat(0.004).level_factor(Side::long_, Contract::linear, 1)));
  EXPECT_TRUE(
      std::isnan(MarginSchedule::flat(0.0, 0.0, MarginBasis::entry).level_factor(Side::long_, Contract::linear, 1)));
  EXPECT_DOUBLE_EQ(MarginSchedule::flat(0.0).level_factor(Side::short_, Contract::linear, 1), 2.0);
}

TEST(LevelFactor, AnInverseShortWithoutLeverageHasNoLiquidationPrice) {
  EXPECT_TRUE(std::isnan(MarginSchedule::flat(0.004).level_factor(Side::short_, Contract::inverse, 1)));
  EXPECT_TRUE(
      std::isnan(MarginSchedule::flat(0.0, 0.0, MarginBasis::entry).level_factor(Side::short_, Contract::inverse, 1)));
  EXPECT_DOUBLE_EQ(MarginSchedule::flat(0.0).level_factor(Side::long_, Contract::inverse, 1), 0.5);
}

TEST(LevelFactor, MaintenanceOnEntryValueGivesEvenOneTimesAPrice) {
  const auto margin = MarginSchedule::flat(0.25, 0.0, MarginBasis::entry);
  EXPECT_DOUBLE_EQ(margin.level_factor(Side::long_, Contract::linear, 1), 0.25);
  EXPECT_DOUBLE_EQ(margin.level_factor(Side::short_, Contract::inverse, 1), 4.0);
}

TEST(MarginSchedule, SaysItsTerms) {
  const auto margin = MarginSchedule::flat(0.004, 0.0005);
  EXPECT_EQ(margin.rate(), 0.004);
  EXPECT_EQ(margin.fee(), 0.0005);
  EXPECT_EQ(margin.basis(), MarginBasis::mark);
}

TEST(MarginSchedule, RefusesARateThatIsNoShare) {
  EXPECT_EQ(refusal([] { MarginSchedule::flat(-0.01); }),
            "rate (maintenance margin rate) must be at least 0 and below 1, was -0.01");
  EXPECT_EQ(refusal([] { MarginSchedule::flat(1.0); }),
            "rate (maintenance margin rate) must be at least 0 and below 1, was 1");
  EXPECT_EQ(refusal([] { MarginSchedule::flat(NAN); }),
            "rate (maintenance margin rate) must be at least 0 and below 1, was nan");
}

TEST(MarginSchedule, RefusesAFeeThatEatsTheMargin) {
  EXPECT_EQ(refusal([] { MarginSchedule::flat(0.5, -0.1); }),
            "fee must be at least 0 and rate + fee below 1, was -0.1");
  EXPECT_EQ(refusal([] { MarginSchedule::flat(0.5, 0.5); }), "fee must be at least 0 and rate + fee below 1, was 0.5");
  EXPECT_EQ(refusal([] { MarginSchedule::flat(0.5, NAN); }), "fee must be at least 0 and rate + fee below 1, was nan");
}

TEST(MarginSchedule, RefusesAFeeOnEntryValue) {
  EXPECT_EQ(refusal([] { MarginSchedule::flat(0.004, 0.0005, MarginBasis::entry); }),
            "fee must be 0 with basis \"entry\" (those venues leave it out of the price), was 0.0005");
}
