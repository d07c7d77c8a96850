#include "liqcore/stats.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "support.hpp"

using liqcore::Account;
using liqcore::Reject;
using liqcore::Stats;
using liqcore::Tally;

namespace {

Tally tally(double lots) {
  Tally out;
  out.add(lots);
  return out;
}

}  // namespace

TEST(Reject, HasANameForReports) {
  EXPECT_EQ(name(Reject::none), "none");
  EXPECT_EQ(name(Reject::late), "late");
  EXPECT_EQ(name(Reject::not_finite), "not_finite");
  EXPECT_EQ(name(Reject::not_positive), "not_positive");
  EXPECT_EQ(name(Reject::too_large), "too_large");
  EXPECT_EQ(name(Reject::off_grid), "off_grid");
  EXPECT_EQ(name(Reject::inconsistent), "inconsistent");
  EXPECT_EQ(name(Reject::off_range), "off_range");
  EXPECT_EQ(name(Reject::outlier), "outlier");
}

TEST(Tally, KeepsWholeLotsExactBeyondWhatADoubleHolds) {
  Tally total = tally(9'007'199'254'740'992.0);  // 2^53: adding one to a double here is lost
  for (int i = 0; i < 1000; ++i) total.add(1.0);
  EXPECT_EQ(total.whole(), 9'007'199'254'741'992);
  EXPECT_EQ(total.fraction(), 0.0);
}

TEST(Tally, CarriesFractions) {
  Tally total;
  for (int i = 0; i < 5; ++i) total.add(0.75);
  EXPECT_EQ(total.whole(), 3);
  EXPECT_EQ(total.fraction(), 0.75);
  EXPECT_EQ(total.value(), 3.75);
}

TEST(Tally, SumsOfThousandAndTwentyFourthsAreExact) {
  Tally total;
  for (int i = 0; i < 1024; ++i) total.add(1.0 / 1024.0);
  EXPECT_EQ(total.whole(), 1);
  EXPECT_EQ(total.fraction(), 0.0);
}

TEST(Tally, AddsAndSubtractsTallies) {
  Tally total = tally(2.75);
  total += tally(1.5);
  EXPECT_EQ(total, tally(4.25));
  total -= tally(1.5);
  EXPECT_EQ(total, tally(2.75));
}

TEST(Tally, BorrowsForANegativeRest) {
  Tally total = tally(1.25);
  total -= tally(2.5);
  EXPECT_EQ(total.whole(), -2);
  EXPECT_EQ(total.fraction(), 0.75);
  EXPECT_EQ(total.value(), -1.25);
}

TEST(Tally, AFractionStaysBelowOneWhenARoundingErrorIsBorrowed) {
  Tally total = tally(0.3);
  Tally sum = tally(0.1);
  sum.add(0.2);  // 0.30000000000000004
  total -= sum;
  EXPECT_LT(total.fraction(), 1.0);
  EXPECT_GE(total.fraction(), 0.0);
  EXPECT_NEAR(total.value(), 0.0, 1e-15);
}

TEST(Tally, FractionsStayInRangeWhateverIsSubtracted) {
  support::Random random{5};
  Tally total;
  for (int i = 0; i < 100'000; ++i) {
    const Tally step = tally(static_cast<double>(random(0, 1'000'000)) / 333'333.0);
    if (random.one_in(2))
      total += step;
    else
      total -= step;
    ASSERT_GE(total.fraction(), 0.0);
    ASSERT_LT(total.fraction(), 1.0);
  }
}

namespace {

/// Lots opened, and where they went: live, liquidated, closed, underflow, overflow, unresolved, no_price.
Account account_of(std::array<double, 8> lots) {
  constexpr Tally Account::* fields[] = {&Account::opened,     &Account::live,      &Account::liquidated,
                                         &Account::closed,     &Account::underflow, &Account::overflow,
                                         &Account::unresolved, &Account::no_price};
  Account out;
  for (std::size_t i = 0; i < lots.size(); ++i) (out.*fields[i]).add(lots[i]);
  return out;
}

}  // namespace

TEST(Account, BalancesWhenEveryLotWentSomewhere) {
  EXPECT_EQ(account_of({21.0}).imbalance(), 21.0);
  EXPECT_EQ(account_of({21.0, 1.0, 2.0, 3.0, 4.0, 5.0, 2.5, 3.5}).imbalance(), 0.0);
}

TEST(Account, AddsAndSubtractsFieldByField) {
  const Account a = account_of({8.0, 1.0, 2.0, 0.5, 0.25, 0.25, 3.0, 1.0});
  Account twice = a;
  twice += a;
  EXPECT_EQ(twice.opened.value(), 16.0);
  EXPECT_EQ(twice.unresolved.value(), 6.0);
  EXPECT_EQ(twice.imbalance(), 0.0);
  twice -= a;
  EXPECT_EQ(twice, a);
}

TEST(Stats, StretchesAddUp) {
  Stats a, b;
  a.rows = 5;
  a.used = 3;
  a.rejected[1] = 2;
  b.rows = 4;
  b.used = 3;
  b.rounded_qty = 1;
  b.rejected[1] = 1;
  b.inexact = true;
  b.accounts.resize(2);
  b.accounts[1].opened.add(7.0);
  a += b;
  EXPECT_EQ(a.rows, 9U);
  EXPECT_EQ(a.used, 6U);
  EXPECT_EQ(a.rounded_qty, 1U);
  EXPECT_EQ(a.rejected[1], 3U);
  EXPECT_EQ(a.rejected_total(), 3U);
  EXPECT_TRUE(a.inexact);
  ASSERT_EQ(a.accounts.size(), 2U);
  EXPECT_EQ(a.accounts[1].opened.whole(), 7);
}
