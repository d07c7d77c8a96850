#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "liqcore/error.hpp"
#include "liqcore/margin.hpp"

namespace {

using liqcore::Contract;
using liqcore::LiquidationPrice;
using liqcore::MarginBasis;
using liqcore::MarginSchedule;
using liqcore::MarginTerms;
using liqcore::NoPrice;
using liqcore::Position;
using liqcore::Positions;
using liqcore::RiskTier;
using liqcore::Side;
using liqcore::TierUnit;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

static_assert(noexcept(liqcore::liquidation_price(Position{}, Contract::linear, MarginTerms{})));
static_assert(noexcept(liqcore::liquidation_price(Side::long_, 1.0, 1.0, 0.0)));
static_assert(noexcept(liqcore::liquidation_prices(Positions{}, Contract::linear, liqcore::TermColumns{}, {}, {})));

std::vector<RiskTier> btc() {
  return {{.floor = 0, .cap = 300'000, .rate = 0.004, .amount = 0, .max_leverage = 150},
          {.floor = 300'000, .cap = 800'000, .rate = 0.005, .amount = 300, .max_leverage = 100},
          {.floor = 800'000, .cap = 3'000'000, .rate = 0.0065, .amount = 1'500, .max_leverage = 75}};
}

std::string error_of(const std::vector<RiskTier>& tiers) {
  try {
    (void)MarginSchedule::tiers(tiers, true, 0.0, MarginBasis::mark, TierUnit::notional, "binance-usdm BTCUSDT");
  } catch (const liqcore::InvalidConfig& error) {
    return error.what();
  }
  return "no error";
}

TEST(Margin, RecordedIsolatedShortToEightDecimals) {
  // A Binance DOGEUSDT position of March 2024: isolated wallet 0.88304001, tier 1.
  const Position position{.side = Side::short_, .entry_price = 0.16395, .quantity = 32, .margin = 0.88304001};
  EXPECT_NEAR(liqcore::liquidation_price(position, Contract::linear, MarginTerms{.rate = 0.005}).price, 0.19059204,
              1e-8);
}

TEST(Margin, RecordedInverseLong) {
  const Position position{.side = Side::long_, .entry_price = 37643.10000021, .quantity = 200, .margin = 0.00268058};
  EXPECT_NEAR(liqcore::liquidation_price(position, Contract::inverse, MarginTerms{.rate = 0.004}).price, 25119.9744576,
              1e-6);
}

TEST(Margin, ScalarFormOfEntryAndLeverage) {
  EXPECT_DOUBLE_EQ(liqcore::liquidation_price(Side::long_, 60'000, 25, 0.004), 60'000 * 0.96 / 0.996);
  EXPECT_TRUE(std::isnan(liqcore::liquidation_price(Side::long_, 60'000, 1, 0.004)));
  EXPECT_TRUE(std::isnan(liqcore::liquidation_price(Side::long_, 60'000, 250, 0.004)));
}

TEST(Margin, TierIsThatOfTheNotionalAtThePrice) {
  const auto schedule = MarginSchedule::tiers(btc(), true);
  const Position ten{.side = Side::long_, .entry_price = 60'000, .leverage = 10, .quantity = 6};
  const LiquidationPrice second = liqcore::liquidation_price(ten, Contract::linear, schedule);
  EXPECT_EQ(second.tier, 1U);  // 6 x 54,000
  EXPECT_DOUBLE_EQ(second.price, (360'000.0 - 36'000 - 300) / (6 * 0.995));
  const Position two{.side = Side::long_, .entry_price = 60'000, .leverage = 2, .quantity = 6};
  EXPECT_EQ(liqcore::liquidation_price(two, Contract::linear, schedule).tier, 0U);  // 6 x 30,000
}

TEST(Margin, SaysWhyThereIsNoPrice) {
  const auto schedule = MarginSchedule::tiers(btc(), true);
  const auto reason = [&](const Position& p) {
    return liqcore::liquidation_price(p, Contract::linear, schedule).reason;
  };
  EXPECT_EQ(reason({.entry_price = 60'000, .leverage = 1}), NoPrice::never);
  EXPECT_EQ(reason({.entry_price = 60'000, .leverage = 200}), NoPrice::leverage_too_high);
  EXPECT_EQ(reason({.entry_price = 60'000, .leverage = 10, .quantity = 51}), NoPrice::too_large);
  EXPECT_EQ(reason({.entry_price = 60'000}), NoPrice::invalid);
  EXPECT_EQ(reason({.entry_price = kInfinity, .leverage = 10}), NoPrice::invalid);
  EXPECT_EQ(reason({.entry_price = 60'000, .leverage = 10}), NoPrice::none);
}

TEST(Margin, ColumnsGiveWhatTheScalarCallGives) {
  const auto schedule = MarginSchedule::tiers(btc(), true);
  std::vector<Side> side;
  std::vector<double> entry;
  std::vector<double> quantity;
  for (int i = 0; i < 1'000; ++i) {
    side.push_back(i % 2 == 0 ? Side::long_ : Side::short_);
    entry.push_back(1'000.0 + 37.0 * i);
    quantity.push_back(0.01 * i);  // the first is 0: invalid
  }
  const std::vector<double> leverage{20.0};
  std::vector<double> price(side.size());
  std::vector<NoPrice> reason(side.size());
  for (const Contract contract : {Contract::linear, Contract::inverse}) {
    liqcore::liquidation_prices({.side = side, .entry_price = entry, .leverage = leverage, .quantity = quantity},
                                contract, schedule, price, reason);
    for (std::size_t i = 0; i < side.size(); ++i) {
      const LiquidationPrice one = liqcore::liquidation_price(
          {.side = side[i], .entry_price = entry[i], .leverage = 20.0, .quantity = quantity[i]}, contract, schedule);
      ASSERT_EQ(one.reason, reason[i]) << i;
      if (one.reason == NoPrice::none) {
        ASSERT_EQ(one.price, price[i]) << i;
      } else {
        ASSERT_TRUE(std::isnan(price[i])) << i;
      }
    }
  }
}

TEST(Margin, WrongTablesAreRefusedByName) {
  auto tiers = btc();
  tiers[1].floor = 400'000;
  EXPECT_EQ(error_of(tiers),
            "binance-usdm BTCUSDT tier 2: floor must be the cap of tier 1 (300000), was 400000: a gap");
  tiers = btc();
  tiers[2].rate = 0.005;
  EXPECT_EQ(error_of(tiers), "binance-usdm BTCUSDT tier 3: rate must be above that of tier 2 (0.005), was 0.005");
  tiers = btc();
  tiers[1].amount = 0;
  EXPECT_NE(error_of(tiers).find("tier 2: amount must be 300"), std::string::npos);
  tiers = btc();
  tiers[0].max_leverage = 500;
  EXPECT_NE(error_of(tiers).find("tier 1: max_leverage x rate must be at most 1, was 2"), std::string::npos);
}

TEST(Margin, HedgedAccountHasAPriceOnEitherSide) {
  const auto flat = MarginSchedule::flat(0.01);
  const auto one = liqcore::hedge_liquidation_prices(
      {.long_entry_price = 100, .long_quantity = 3, .short_entry_price = 110, .short_quantity = 1, .margin = 50},
      Contract::linear, flat);
  EXPECT_NEAR(one.below, 140.0 / 1.96, 1e-12);
  EXPECT_TRUE(std::isnan(one.above));
  const auto balanced = liqcore::hedge_liquidation_prices(
      {.long_entry_price = 100, .long_quantity = 1, .short_entry_price = 100, .short_quantity = 1, .margin = 10},
      Contract::linear, flat);
  EXPECT_TRUE(std::isnan(balanced.below));
  EXPECT_NEAR(balanced.above, 500, 1e-9);  // 2 % of 500 is the whole margin
}

}  // namespace
