#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "columns/check.hpp"
#include "text/csv.hpp"

namespace liqcore::columns {
namespace {

using Times = std::vector<std::int64_t>;
using Values = std::vector<double>;

TradeCheck check_of(const Times& ts) { return check_trades(ts, Values(ts.size(), 1.0), Values(ts.size(), 1.0)); }

TEST(CheckTrades, NoRowsAreInOrderAndUsable) {
  const TradeCheck check = check_of({});
  EXPECT_TRUE(check.in_order && check.usable);
  EXPECT_EQ(check.low, 0);
  EXPECT_EQ(check.high, 0);
}

TEST(CheckTrades, EqualTimesAreInOrder) {
  const TradeCheck check = check_of({5, 5, 7});
  EXPECT_TRUE(check.in_order);
  EXPECT_EQ(check.low, 5);
  EXPECT_EQ(check.high, 7);
}

TEST(CheckTrades, OneStepBackAnywhereIsSeen) {
  for (const std::size_t at : {1U, 2U, 1023U, 1024U, 1025U, 2999U}) {
    Times ts(3000);
    for (std::size_t i = 0; i < ts.size(); ++i) ts[i] = static_cast<std::int64_t>(1000 + i);
    ts[at] = 3;
    const TradeCheck check = check_of(ts);
    EXPECT_FALSE(check.in_order) << at;
    EXPECT_EQ(check.low, 3) << at;
    EXPECT_EQ(check.high, at == 2999 ? 3998 : 3999) << at;
  }
}

TEST(CheckTrades, ExtremeTimesDoNotOverflow) {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(check_of({least, -1, 0, most}).in_order);
  EXPECT_FALSE(check_of({most, least}).in_order);
  EXPECT_FALSE(check_of({0, most, -2}).in_order);
  EXPECT_EQ(check_of({most, least}).low, least);
  EXPECT_EQ(check_of({most, least}).high, most);
}

TEST(CheckTrades, OneBadValueAnywhereMakesThemUnusable) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -0.0, -1.0, std::nan(""), infinity, -infinity}) {
    for (const std::size_t at : {0U, 1023U, 1024U, 2499U}) {
      const Times ts(2500, 7);
      Values values(2500, 0.5);
      values[at] = bad;
      EXPECT_FALSE(check_trades(ts, values, Values(2500, 1.0)).usable) << bad << " at " << at;
      EXPECT_FALSE(check_trades(ts, Values(2500, 1.0), values).usable) << bad << " at " << at;
    }
  }
  EXPECT_TRUE(check_trades(Times(1, 7), Values{std::numeric_limits<double>::denorm_min()},
                           Values{std::numeric_limits<double>::max()})
                  .usable);
}

TEST(CheckTrades, OrderAndRangeHoldAlsoWhereTheRowsAreUnusable) {
  Times ts(3000, 7);
  Values price(3000, 1.0);
  price[0] = 0.0;
  ts[2500] = 9;
  const TradeCheck check = check_trades(ts, price, price);
  EXPECT_FALSE(check.in_order);
  EXPECT_EQ(check.high, 9);
}

TEST(CheckTrades, DecimalsAreThoseOfTheFinestValueInAnyBlock) {
  Values price(5000, 63366.0);
  price[1] = 63366.5;
  Values qty(5000, 0.25);
  qty[4999] = 0.00017;
  const TradeCheck check = check_trades(Times(5000, 7), price, qty);
  EXPECT_EQ(check.price_decimals, 1);
  EXPECT_EQ(check.qty_decimals, 5);
}

}  // namespace
}  // namespace liqcore::columns
