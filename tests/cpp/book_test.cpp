#include "liqcore/book.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "support.hpp"

using liqcore::Account;
using liqcore::Footprint;
using liqcore::LevelBook;
using liqcore::LeverageProfile;
using liqcore::PriceAxis;
using liqcore::Segment;
using liqcore::Side;
using support::LevelMap;
using support::live;
using support::MapBook;
using support::Random;
using support::refusal;
using support::sum;
using support::tiers;
using support::totals_of;
using support::whole;

namespace {

// Without maintenance margin an entry at 1,000 is liquidated at 900 (10x long), 990 (100x long), 1,100 and 1,010.
constexpr std::size_t kLong10 = 0, kLong100 = 1, kShort10 = 2, kShort100 = 3;

LevelBook ten_and_hundred(const PriceAxis& axis = PriceAxis{0, 10, 200}) { return {whole(), tiers({10, 100}), axis}; }

struct Trades {
  std::vector<std::int32_t> ticks;
  std::vector<double> lots;
  std::vector<std::uint8_t> sell;
};

Footprint footprint(const Trades& trades) {
  Footprint out;
  const auto [low, high] = std::minmax_element(trades.ticks.begin(), trades.ticks.end());
  out.reset(*low, *high);
  for (std::size_t i = 0; i < trades.ticks.size(); ++i)
    out.add(trades.ticks[i], static_cast<std::int64_t>(trades.lots[i]), trades.sell[i] != 0);
  return out;
}

/// A long and a short of so many lots at 1,000.
LevelBook opened(double lots) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, lots);
  book.open(Side::short_, 1000, lots);
  return book;
}

/// One trade after the other: touch, then open.
void one_by_one(LevelBook& book, const Trades& trades, double maker_share) {
  for (std::size_t i = 0; i < trades.ticks.size(); ++i) {
    book.touch(trades.ticks[i], trades.ticks[i]);
    const bool sell = trades.sell[i] != 0;
    book.open(sell ? Side::short_ : Side::long_, trades.ticks[i], trades.lots[i]);
    book.open(sell ? Side::long_ : Side::short_, trades.ticks[i], trades.lots[i] * maker_share);
  }
}

Segment settled(LevelBook& book) {
  Segment out;
  book.settle(out);
  book.begin_window();
  return out;
}

void expect_accounted(const LevelBook& book) {
  const std::vector<Account> accounts = book.accounts();
  for (std::size_t layer = 0; layer < accounts.size(); ++layer) {
    ASSERT_EQ(accounts[layer].imbalance(), 0.0) << "layer " << layer;
    ASSERT_NEAR(accounts[layer].live.value(), sum(live(book, layer)), 1e-6) << "layer " << layer;
  }
}

}  // namespace

// --- open --------------------------------------------------------------------------------------------------------

TEST(LevelBookOpen, PutsTheWholeQuantityIntoEveryTierOfTheSide) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 5);
  EXPECT_EQ(live(book, kLong10), (LevelMap{{90, 5}}));
  EXPECT_EQ(live(book, kLong100), (LevelMap{{99, 5}}));
  EXPECT_TRUE(live(book, kShort10).empty());
  book.open(Side::short_, 1000, 7);
  EXPECT_EQ(live(book, kShort10), (LevelMap{{110, 7}}));
  EXPECT_EQ(live(book, kShort100), (LevelMap{{101, 7}}));
}

TEST(LevelBookOpen, AddsToWhatIsThere) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 5);
  book.open(Side::long_, 1001, 6);  // 900.9 and 990.99: the same bins
  EXPECT_EQ(live(book, kLong10), (LevelMap{{90, 11}}));
  EXPECT_EQ(live(book, kLong100), (LevelMap{{99, 11}}));
}

TEST(LevelBookOpen, RoundsTheLevelHalfToEven) {
  LevelBook book{whole(), tiers({2}), PriceAxis{0, 1, 2000}};
  book.open(Side::long_, 1001, 1);  // 500.5
  book.open(Side::long_, 1003, 2);  // 501.5
  EXPECT_EQ(live(book, 0), (LevelMap{{500, 1}, {502, 2}}));
}

TEST(LevelBookOpen, ALevelInTheEntrysOwnBinIsUnresolved) {
  LevelBook book{whole(), tiers({10, 100}), PriceAxis{0, 100, 20}};
  book.open(Side::long_, 1050, 3);  // 945 and, in the entry's bin [1000, 1100), 1040
  EXPECT_EQ(live(book, kLong10), (LevelMap{{9, 3}}));
  EXPECT_TRUE(live(book, kLong100).empty());
  EXPECT_EQ(book.accounts()[kLong100].unresolved.whole(), 3);
  book.open(Side::short_, 1050, 4);  // 1155 and 1060
  EXPECT_EQ(live(book, kShort10), (LevelMap{{11, 4}}));
  EXPECT_EQ(book.accounts()[kShort100].unresolved.whole(), 4);
}

TEST(LevelBookOpen, ALevelMustLieStrictlyBeyondWhatTheEventReached) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 1, LevelBook::Reached{.low_bin = 99, .high_bin = 105});
  EXPECT_EQ(sum(live(book, kLong100)), 0.0);
  book.open(Side::long_, 1000, 1, LevelBook::Reached{.low_bin = 100, .high_bin = 105});
  EXPECT_EQ(live(book, kLong100), (LevelMap{{99, 1}}));
  book.open(Side::short_, 1000, 1, LevelBook::Reached{.low_bin = 95, .high_bin = 101});
  EXPECT_EQ(sum(live(book, kShort100)), 0.0);
  book.open(Side::short_, 1000, 1, LevelBook::Reached{.low_bin = 95, .high_bin = 100});
  EXPECT_EQ(live(book, kShort100), (LevelMap{{101, 1}}));
}

TEST(LevelBookOpen, WhatTheEventReachedOnTheOtherSideOfTheEntryDoesNotMatter) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 1, LevelBook::Reached{.low_bin = 120, .high_bin = 130});
  EXPECT_EQ(live(book, kLong100), (LevelMap{{99, 1}}));
  LevelBook coarse{whole(), tiers({100}), PriceAxis{0, 100, 20}};
  coarse.open(Side::long_, 1050, 1, LevelBook::Reached{.low_bin = 12, .high_bin = 12});  // its own bin still counts
  EXPECT_EQ(coarse.accounts()[0].unresolved.whole(), 1);
}

TEST(LevelBookOpen, WithoutALiquidationPriceItIsCounted) {
  LevelBook linear{whole(), tiers({1}), PriceAxis{0, 10, 300}};
  linear.open(Side::long_, 1000, 3);
  linear.open(Side::short_, 1000, 4);
  EXPECT_EQ(linear.accounts()[0].no_price.whole(), 3);
  EXPECT_EQ(live(linear, 1), (LevelMap{{200, 4}}));
  LevelBook inverse{whole(0.0, liqcore::Contract::inverse), tiers({1}), PriceAxis{0, 10, 300}};
  inverse.open(Side::long_, 1000, 3);
  inverse.open(Side::short_, 1000, 4);
  EXPECT_EQ(live(inverse, 0), (LevelMap{{50, 3}}));
  EXPECT_EQ(inverse.accounts()[1].no_price.whole(), 4);
}

TEST(LevelBookOpen, ALevelThatRoundsToZeroHasNoPrice) {
  LevelBook book{whole(), tiers({2}), PriceAxis{0, 1, 10}};
  book.open(Side::long_, 1, 3);  // 0.5 rounds to 0
  EXPECT_EQ(book.accounts()[0].no_price.whole(), 3);
}

TEST(LevelBookOpen, LevelsOutsideAFixedAxisAreCounted) {
  LevelBook book = ten_and_hundred({950, 10, 10});  // [950, 1050)
  book.open(Side::long_, 1000, 2);
  book.open(Side::short_, 1000, 3);
  EXPECT_EQ(book.accounts()[kLong10].underflow.whole(), 2);
  EXPECT_EQ(live(book, kLong100), (LevelMap{{99, 2}}));
  EXPECT_EQ(book.accounts()[kShort10].overflow.whole(), 3);
  EXPECT_EQ(live(book, kShort100), (LevelMap{{101, 3}}));
}

TEST(LevelBookOpen, TheAxisEndsAtItsUpperEdge) {
  LevelBook book{whole(), tiers({10}), PriceAxis{0, 10, 110}};  // [0, 1100)
  book.open(Side::short_, 1000, 1);                             // 1100
  book.open(Side::short_, 999, 1);                              // 1098.9: 1099
  EXPECT_EQ(book.accounts()[1].overflow.whole(), 1);
  EXPECT_EQ(live(book, 1), (LevelMap{{109, 1}}));
}

TEST(LevelBookOpen, AnEntryOutsideTheAxisStillOpens) {
  LevelBook book = ten_and_hundred({800, 10, 15});  // [800, 950)
  book.open(Side::long_, 1000, 2);
  EXPECT_EQ(live(book, kLong10), (LevelMap{{90, 2}}));
  EXPECT_EQ(book.accounts()[kLong100].overflow.whole(), 2);
}

TEST(LevelBookOpen, NoPriceIsFoundBeforeTheRangeAndTheRangeBeforeUnresolved) {
  LevelBook book{whole(), tiers({1, 100}), PriceAxis{2000, 1000, 1}};  // [2000, 3000)
  book.open(Side::long_, 1500, 1);                                     // 1x: none; 100x: 1485, below and in its own bin
  EXPECT_EQ(book.accounts()[0].no_price.whole(), 1);
  EXPECT_EQ(book.accounts()[0].underflow.whole(), 0);
  EXPECT_EQ(book.accounts()[1].underflow.whole(), 1);
  EXPECT_EQ(book.accounts()[1].unresolved.whole(), 0);
}

TEST(LevelBookOpen, NothingChangesForNoLots) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 0);
  EXPECT_EQ(book.accounts(), std::vector<Account>(4));
}

TEST(LevelBookOpen, RefusesATierThatCannotExist) {
  EXPECT_EQ(refusal([] { LevelBook(whole(0.02), tiers({10, 50}), PriceAxis{0, 10, 10}); }),
            "leverage 50 cannot exist: maintenance margin rate plus fee (0.02) must be below 1/leverage (0.02)");
  EXPECT_EQ(refusal([] { LevelBook(whole(0.02), tiers({10, 49}), PriceAxis{0, 10, 10}); }), "");
}

// --- touch -------------------------------------------------------------------------------------------------------

TEST(LevelBookTouch, TakesLongsInTheTouchedBinAndAbove) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 5);  // bins 90 and 99
  book.touch(1000, 1000);
  EXPECT_EQ(sum(live(book, kLong100)), 5.0);
  book.touch(999, 1000);  // bin 99: the level is at 990
  EXPECT_TRUE(live(book, kLong100).empty());
  EXPECT_EQ(book.accounts()[kLong100].liquidated.whole(), 5);
  book.touch(910, 910);
  EXPECT_EQ(sum(live(book, kLong10)), 5.0);
  book.touch(909, 909);
  EXPECT_TRUE(live(book, kLong10).empty());
}

TEST(LevelBookTouch, TakesShortsInTheTouchedBinAndBelow) {
  LevelBook book = ten_and_hundred();
  book.open(Side::short_, 1000, 5);  // bins 110 and 101
  book.touch(1000, 1009);
  EXPECT_EQ(sum(live(book, kShort100)), 5.0);
  book.touch(1000, 1010);
  EXPECT_TRUE(live(book, kShort100).empty());
  book.touch(1099, 1099);
  EXPECT_EQ(sum(live(book, kShort10)), 5.0);
  book.touch(1100, 1100);
  EXPECT_TRUE(live(book, kShort10).empty());
  EXPECT_EQ(book.accounts()[kShort10].liquidated.whole(), 5);
}

TEST(LevelBookTouch, AJumpTakesEverythingOnItsWay) {
  LevelBook book = ten_and_hundred();
  for (int tick = 1000; tick <= 1100; tick += 10) book.open(Side::long_, tick, 1);
  book.touch(15, 15);
  EXPECT_EQ(sum(live(book, kLong10)) + sum(live(book, kLong100)), 0.0);
  EXPECT_EQ(book.accounts()[kLong10].liquidated.whole(), 11);
}

TEST(LevelBookTouch, ReachesOutsideTheAxis) {
  LevelBook book = ten_and_hundred({950, 10, 10});
  book.open(Side::long_, 1000, 2);
  book.open(Side::short_, 1000, 3);
  book.touch(1, 2'000'000'000);
  EXPECT_EQ(book.accounts()[kLong100].liquidated.whole(), 2);
  EXPECT_EQ(book.accounts()[kShort100].liquidated.whole(), 3);
}

TEST(LevelBookTouch, ShowsByBinWhatTheWindowLiquidatedUntilTheNextBegins) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 5);
  Segment segment;
  book.settle(segment);
  book.begin_window();
  book.open(Side::long_, 1000, 2);
  book.touch(990, 990);  // both the settled 5 and the new 2
  EXPECT_EQ(book.liquidated().at(kLong100, 99), 7.0);
  book.settle(segment);
  EXPECT_EQ(book.liquidated().at(kLong100, 99), 7.0);
  book.begin_window();
  EXPECT_EQ(book.liquidated().at(kLong100, 99), 0.0);
}

// --- scale -------------------------------------------------------------------------------------------------------

TEST(LevelBookScale, MultipliesEachLayerByItsOwnFactor) {
  LevelBook book = opened(8);
  book.scale(std::vector<double>{1.0, 0.75, 0.5, 0.0});
  EXPECT_EQ(live(book, kLong10), (LevelMap{{90, 8}}));
  EXPECT_EQ(live(book, kLong100), (LevelMap{{99, 6}}));
  EXPECT_EQ(live(book, kShort10), (LevelMap{{110, 4}}));
  EXPECT_TRUE(live(book, kShort100).empty());
  EXPECT_EQ(book.accounts()[kLong10].closed.value(), 0.0);
  EXPECT_EQ(book.accounts()[kLong100].closed.value(), 2.0);
  EXPECT_EQ(book.accounts()[kShort10].closed.value(), 4.0);
  EXPECT_EQ(book.accounts()[kShort100].closed.value(), 8.0);
}

TEST(LevelBookScale, ActsOnOlderAndNewerLevelsAlike) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 8);
  static_cast<void>(settled(book));
  book.open(Side::long_, 1000, 4);
  book.scale(std::vector<double>(4, 0.5));
  EXPECT_EQ(live(book, kLong10), (LevelMap{{90, 6}}));
  EXPECT_EQ(book.accounts()[kLong10].closed.value(), 6.0);
  book.open(Side::long_, 1000, 1);  // after the scale: whole
  EXPECT_EQ(live(book, kLong10), (LevelMap{{90, 7}}));
  book.scale(std::vector<double>(4, 0.5));
  EXPECT_EQ(live(book, kLong10), (LevelMap{{90, 3.5}}));
  static_cast<void>(settled(book));
  EXPECT_EQ(live(book, kLong10), (LevelMap{{90, 3.5}}));
  EXPECT_EQ(book.accounts()[kLong10].closed.value(), 9.5);
}

TEST(LevelBookScale, ATouchTakesWhatTheScaleLeft) {
  for (const bool settle_between : {false, true}) {
    LevelBook book = ten_and_hundred();
    book.open(Side::long_, 1000, 8);
    if (settle_between) static_cast<void>(settled(book));
    book.scale(std::vector<double>(4, 0.25));
    book.touch(990, 990);
    EXPECT_EQ(book.accounts()[kLong100].liquidated.value(), 2.0);
    EXPECT_EQ(book.accounts()[kLong100].closed.value(), 6.0);
    EXPECT_EQ(book.liquidated().at(kLong100, 99), 2.0);
    EXPECT_EQ(book.accounts()[kLong100].imbalance(), 0.0);
  }
}

TEST(LevelBookScale, ScaledCellsBelowHalfALotAreFlushedWhenTheWindowEnds) {
  LevelBook book = opened(1);
  book.scale(std::vector<double>{0.5, 0.4375, 1.0, 1.0});
  EXPECT_EQ(live(book, kLong100), (LevelMap{{99, 0.4375}}));
  static_cast<void>(settled(book));
  EXPECT_EQ(live(book, kLong10), (LevelMap{{90, 0.5}}));
  EXPECT_TRUE(live(book, kLong100).empty());
  EXPECT_EQ(book.accounts()[kLong100].closed.value(), 1.0);
  EXPECT_EQ(book.accounts()[kLong100].live.value(), 0.0);
}

TEST(LevelBookScale, FractionsThatNothingScaledAreNotFlushed) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 0.25);  // a maker's share of one lot
  static_cast<void>(settled(book));
  EXPECT_EQ(live(book, kLong100), (LevelMap{{99, 0.25}}));
}

TEST(LevelBookScale, RefusesAWrongNumberOfFactors) {
  LevelBook book = ten_and_hundred();
  EXPECT_EQ(refusal([&] { book.scale(std::vector<double>(3, 1.0)); }),
            "factors must hold one value per side and tier (4), had 3");
}

TEST(LevelBookScale, RefusesFactorsOutsideZeroToOneAndChangesNothing) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 8);
  EXPECT_EQ(refusal([&] { book.scale(std::vector<double>{0.5, 0.5, 0.5, 1.5}); }),
            "factors must lie in [0, 1], had 1.5");
  EXPECT_EQ(refusal([&] { book.scale(std::vector<double>{0.5, -0.1, 0.5, 1}); }),
            "factors must lie in [0, 1], had -0.1");
  EXPECT_EQ(refusal([&] { book.scale(std::vector<double>{0.5, NAN, 0.5, 1}); }), "factors must lie in [0, 1], had nan");
  EXPECT_EQ(live(book, kLong10), (LevelMap{{90, 8}}));
}

// --- settle and peek ---------------------------------------------------------------------------------------------

TEST(LevelBookSettle, HandsOutTheWindow) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 5);
  static_cast<void>(settled(book));
  book.open(Side::long_, 1000, 2);
  book.touch(990, 1005);
  book.open(Side::short_, 1000, 3);
  const Segment segment = settled(book);
  EXPECT_EQ(support::cells_of(segment.additions, kLong10), (LevelMap{{90, 2}}));
  EXPECT_TRUE(support::cells_of(segment.additions, kLong100).empty());
  EXPECT_EQ(support::cells_of(segment.additions, kShort100), (LevelMap{{101, 3}}));
  EXPECT_EQ(support::cells_of(segment.liquidated, kLong100), (LevelMap{{99, 2}}));  // the older 5 are not the window's
  EXPECT_EQ(segment.touched[0], (std::vector<liqcore::TouchStep>{{99, {}}}));
  EXPECT_EQ(segment.touched[1], (std::vector<liqcore::TouchStep>{{100, {}}}));
  EXPECT_TRUE(segment.scale[0].empty());
  EXPECT_EQ(segment.accounts[kLong100].opened.whole(), 2);
  EXPECT_EQ(segment.accounts[kLong100].liquidated.whole(), 2);
  EXPECT_EQ(segment.accounts[kLong10].live.whole(), 2);
}

TEST(LevelBookSettle, ATouchAfterAScaleIsAStepOfItsOwnIfItReachesFurther) {
  LevelBook book = ten_and_hundred();
  book.touch(1000, 1000);
  book.touch(980, 1000);
  book.scale(std::vector<double>{0.5, 0.25, 1.0, 1.0});
  book.touch(990, 1010);
  book.touch(970, 970);
  const Segment segment = settled(book);
  EXPECT_EQ(segment.touched[0], (std::vector<liqcore::TouchStep>{{98, {}}, {97, {0.5, 0.25}}}));
  EXPECT_EQ(segment.touched[1], (std::vector<liqcore::TouchStep>{{100, {}}, {101, {1.0, 1.0}}}));
  EXPECT_EQ(segment.scale[0], (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(segment.scale[1], (std::vector<double>{1.0, 1.0}));
}

TEST(LevelBookSettle, AWindowOfNothingIsEmpty) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 5);
  static_cast<void>(settled(book));
  Segment empty;
  empty.accounts.resize(4);
  EXPECT_EQ(settled(book), empty);
  EXPECT_EQ(sum(live(book, kLong10)), 5.0);
}

namespace {

void trade(LevelBook& book, Random& random) {
  const std::int64_t tick = random(900, 1100);
  book.touch(tick, tick);
  book.open(random.one_in(2) ? Side::long_ : Side::short_, tick, static_cast<double>(random(1, 9)));
}

}  // namespace

TEST(LevelBookSettle, PeekShowsWhatSettleWouldWriteAndChangesNothing) {
  Random random{11};
  LevelBook book = ten_and_hundred();
  for (int i = 0; i < 300; ++i) {
    trade(book, random);
    if (random.one_in(20)) book.scale(std::vector<double>(4, 0.875));
    const auto before = live(book);
    Segment peeked;
    book.peek(peeked);
    ASSERT_EQ(live(book), before);
    if (random.one_in(10)) {
      ASSERT_EQ(settled(book), peeked);
    }
  }
}

TEST(LevelBookSettle, ChangesNoLevelThatNothingScaled) {
  Random random{12};
  LevelBook book = ten_and_hundred();
  for (int i = 0; i < 300; ++i) {
    trade(book, random);
    const auto before = live(book);
    const auto accounts = book.accounts();
    if (random.one_in(5)) static_cast<void>(settled(book));
    ASSERT_EQ(live(book), before);
    ASSERT_EQ(book.accounts(), accounts);
  }
}

// --- accounts ----------------------------------------------------------------------------------------------------

TEST(LevelBookAccounts, BalanceAndAgreeWithTheLevelsAfterEveryVerb) {
  Random random{13};
  LevelBook book{whole(), tiers({1, 3, 10, 100}), PriceAxis{700, 7, 100}};
  for (int i = 0; i < 1500; ++i) {
    const std::int64_t tick = random(650, 1500);
    switch (random(0, 9)) {
      case 0:
        book.scale(std::vector<double>(8, 0.25 * static_cast<double>(random(2, 4))));
        break;
      case 1:
        static_cast<void>(settled(book));
        break;
      case 2:
      case 3:
        book.touch(tick, tick + random(0, 50));
        break;
      default:
        book.open(random.one_in(2) ? Side::long_ : Side::short_, tick, static_cast<double>(random(1, 1000)));
    }
    const std::vector<Account> accounts = book.accounts();
    const std::vector<LevelMap> levels = live(book);
    for (std::size_t layer = 0; layer < accounts.size(); ++layer) {
      ASSERT_NEAR(accounts[layer].imbalance(), 0.0, 1e-6);
      ASSERT_NEAR(accounts[layer].live.value(), sum(levels[layer]), 1e-6);
    }
  }
}

TEST(LevelBookAccounts, EveryTierOfASideOpensTheSame) {
  LevelBook book{whole(), tiers({1, 3, 10, 100}), PriceAxis{700, 7, 100}};
  book.open(Side::long_, 1000, 5);
  book.open(Side::long_, 2000, 6);
  book.open(Side::short_, 500, 7);
  for (std::size_t layer = 0; layer < 8; ++layer) EXPECT_EQ(book.accounts()[layer].opened.whole(), layer < 4 ? 11 : 7);
  expect_accounted(book);
}

TEST(LevelBookAccounts, ACellBeyondWhatADoubleHoldsExactlyIsReported) {
  LevelBook book = ten_and_hundred();
  for (int i = 0; i < 32; ++i) book.open(Side::long_, 1000, liqcore::kMaxLots);  // 32 x 2^48 = 2^53
  static_cast<void>(settled(book));
  EXPECT_FALSE(book.inexact());
  book.open(Side::long_, 1000, 2);
  static_cast<void>(settled(book));
  EXPECT_TRUE(book.inexact());
  EXPECT_EQ(book.accounts()[kLong10].opened.whole(), (std::int64_t{1} << 53) + 2);
}

TEST(LevelBookAccounts, SharesOfALotMakeTheLimitComeEarlier) {
  LevelBook book = ten_and_hundred();
  book.open(Side::long_, 1000, 8796093022208.0);  // 2^43, a 1024th of 2^53
  book.open(Side::short_, 1000, 0.5);
  static_cast<void>(settled(book));
  EXPECT_FALSE(book.inexact());
  book.open(Side::long_, 1000, 0.5);
  static_cast<void>(settled(book));
  EXPECT_TRUE(book.inexact());
}

// --- the axis ----------------------------------------------------------------------------------------------------

TEST(LevelBookAxis, AnAutomaticOneHasNoWidthBeforeTheFirstLevel) {
  LevelBook book{whole(), tiers({10, 100}), 10};
  EXPECT_EQ(book.width(), 0);
  book.touch(1000, 1000);
  EXPECT_EQ(book.width(), 0);
  book.open(Side::long_, 1000, 1);
  EXPECT_GT(book.width(), 0);
  EXPECT_LE(book.first_bin(), 90);
}

TEST(LevelBookAxis, GrowingChangesNothing) {
  Random random{14};
  const auto leverage = tiers({2, 10, 100});
  LevelBook growing{whole(), leverage, 3};
  LevelBook fixed{whole(), leverage, PriceAxis{0, 3, 20'000}};
  std::int64_t tick = 10'000;
  for (int i = 0; i < 2000; ++i) {
    tick += random.one_in(50) ? random(-3000, 3000) : random(-20, 20);
    if (tick < 100 || tick > 39'000) tick = 10'000;
    const Side side = random.one_in(2) ? Side::long_ : Side::short_;
    const auto lots = static_cast<double>(random(1, 99));
    for (LevelBook* book : {&growing, &fixed}) {
      book->touch(tick, tick);
      book->open(side, tick, lots);
    }
    if (random.one_in(40)) {
      ASSERT_EQ(settled(growing), settled(fixed));
    }
    if (random.one_in(20)) {
      ASSERT_EQ(live(growing), live(fixed));
    }
  }
  EXPECT_EQ(growing.accounts(), fixed.accounts());
  EXPECT_LT(growing.width(), fixed.width());
}

TEST(LevelBookAxis, HowFarAnAutomaticOneGrewDoesNotDependOnTheOrder) {
  LevelBook up{whole(), tiers({10}), 10}, down{whole(), tiers({10}), 10};
  for (const int tick : {1'000, 50'000, 90'000}) up.open(Side::long_, tick, 1);
  for (const int tick : {90'000, 1'000, 50'000}) down.open(Side::long_, tick, 1);
  EXPECT_EQ(up.first_bin(), down.first_bin());
  EXPECT_EQ(up.width(), down.width());
  EXPECT_EQ(live(up), live(down));
}

TEST(LevelBookAxis, AnAutomaticOneEndsAfterAMillionBins) {
  LevelBook book{whole(), tiers({10}), 1};
  book.open(Side::short_, 953'250, 1);  // 1,048,575: the last bin
  book.open(Side::short_, 953'251, 2);  // 1,048,576.1
  EXPECT_EQ(live(book, 1), (LevelMap{{LevelBook::kAutomaticBins - 1, 1}}));
  EXPECT_EQ(book.accounts()[1].overflow.whole(), 2);
}

TEST(LevelBookAxis, SnapshotOfAFixedOneCoversExactlyIt) {
  const LevelBook book = ten_and_hundred({950, 10, 10});
  EXPECT_EQ(book.first_bin(), 95);
  EXPECT_EQ(book.width(), 10);
}

TEST(LevelBookAxis, RefusesBinsOfNoTicks) {
  EXPECT_EQ(refusal([] { LevelBook(whole(), tiers({10}), 0); }), "ticks_per_bin must be at least 1, was 0");
}

// --- restore -----------------------------------------------------------------------------------------------------

TEST(LevelBookRestore, GoesOnWhereTheOtherStood) {
  for (const bool scales : {false, true}) {
    Random random{17};
    LevelBook book = ten_and_hundred({500, 10, 100});
    liqcore::Layers settled_levels{2};
    const auto step = [&](LevelBook& target, std::int64_t tick, Side side, double lots, bool scale) {
      target.touch(tick, tick + 3);
      target.open(side, tick, lots);
      if (scale) target.scale(std::vector<double>{0.5, 0.75, 1.0, 0.25});
    };
    for (int i = 0; i < 600; ++i) {
      const std::int64_t tick = random(900, 1100);
      const Side side = random.one_in(2) ? Side::long_ : Side::short_;
      const auto lots = static_cast<double>(random(1, 9) * 1024);
      const bool scale = scales && random.one_in(15);
      Segment open;
      book.peek(open);
      LevelBook restored = ten_and_hundred({500, 10, 100});
      const std::vector<Account> accounts = book.accounts();
      restored.restore(settled_levels, open, accounts, {book.first_bin(), book.first_bin() + book.width()}, {}, {});
      ASSERT_EQ(live(restored), live(book)) << i;
      ASSERT_EQ(totals_of(restored.accounts()), totals_of(accounts)) << i;
      step(restored, tick, side, lots, scale);
      step(book, tick, side, lots, scale);
      ASSERT_EQ(live(restored), live(book)) << i;
      ASSERT_EQ(totals_of(restored.accounts()), totals_of(book.accounts())) << i;
      if (random.one_in(12)) {
        Segment expected, got;
        book.settle(expected);
        restored.settle(got);
        ASSERT_EQ(got, expected) << i;
        book.begin_window();
        settled_levels.apply(expected, liqcore::Layers::Dust::flush, nullptr, {});
      }
    }
  }
}

TEST(LevelBookRestore, RefusesOtherTiers) {
  LevelBook book = ten_and_hundred();
  Segment open;
  open.accounts.resize(4);
  EXPECT_EQ(refusal([&] { book.restore(liqcore::Layers{3}, open, std::vector<Account>(4), {}, {}, {}); }),
            "a book must be restored with its own leverage tiers (2)");
  EXPECT_EQ(refusal([&] { book.restore(liqcore::Layers{2}, open, std::vector<Account>(6), {}, {}, {}); }),
            "a book must be restored with its own leverage tiers (2)");
}

// --- the oracle --------------------------------------------------------------------------------------------------

TEST(LevelBookRandom, EqualsABookOfMaps) {
  struct Case {
    std::int64_t low_tick, step, size;
    double mmr;
  };
  for (const Case& c : {Case{0, 1, 3'000, 0.0}, Case{0, 7, 500, 0.004}, Case{900, 10, 30, 0.004}, Case{0, 500, 8, 0.0}})
    for (const auto contract : {liqcore::Contract::linear, liqcore::Contract::inverse}) {
      Random random{15};
      const auto instrument = whole(c.mmr, contract);
      const auto leverage = tiers({1, 2, 5, 25, 125});
      const PriceAxis axis{c.low_tick, c.step, c.size};
      LevelBook book{instrument, leverage, axis};
      MapBook oracle{instrument, leverage, c.step, axis.first_bin(), axis.first_bin() + axis.size()};
      for (int i = 0; i < 1200; ++i) {
        const std::int64_t tick = random(800, 1300);
        if (random.one_in(3)) {
          const std::int64_t high = tick + (random.one_in(3) ? random(0, 200) : 0);
          book.touch(tick, high);
          oracle.touch(tick, high);
        } else {
          std::optional<LevelBook::Reached> reached;
          if (random.one_in(2)) reached = LevelBook::Reached{(tick - random(0, 50)) / c.step, (tick + 20) / c.step};
          const Side side = random.one_in(2) ? Side::long_ : Side::short_;
          const auto lots = static_cast<double>(random(0, 99));
          book.open(side, tick, lots, reached);
          oracle.open(side, tick, lots, reached);
        }
        if (random.one_in(30)) static_cast<void>(settled(book));
        if (i % 10 == 0) {
          ASSERT_EQ(live(book), oracle.live()) << "step " << c.step << ", event " << i;
        }
      }
      ASSERT_EQ(totals_of(book.accounts()), oracle.totals());
    }
}

// --- runs of trades ----------------------------------------------------------------------------------------------

TEST(LevelBookRun, OneTickIsOneTrade) {
  LevelBook run = ten_and_hundred(), single = ten_and_hundred();
  const Trades trades{{1000, 1000, 1000}, {1, 2, 4}, {0, 1, 0}};
  EXPECT_TRUE(run.apply_run(footprint(trades), 0.0));
  one_by_one(single, trades, 0.0);
  EXPECT_EQ(live(run), live(single));
  EXPECT_EQ(live(run, kLong10), (LevelMap{{90, 5}}));
  EXPECT_EQ(run.accounts(), single.accounts());
}

TEST(LevelBookRun, IsRefusedWhenALevelLiesWithinItsOwnRange) {
  LevelBook book = ten_and_hundred();
  // The 100x long of an entry at 1010 is at 1000: live if 1000 was traded before, liquidated if after.
  EXPECT_FALSE(book.apply_run(footprint({{1000, 1010}, {1, 1}, {1, 0}}), 0.0));
  EXPECT_EQ(book.accounts(), std::vector<Account>(4));
  // An entry at 1019 has it at 1009, still above 1000; with a low of 1010 nothing reaches it.
  EXPECT_FALSE(book.apply_run(footprint({{1000, 1019}, {1, 1}, {1, 0}}), 0.0));
  EXPECT_TRUE(book.apply_run(footprint({{1010, 1019}, {1, 1}, {1, 0}}), 0.0));
}

TEST(LevelBookRun, IsTakenWhenOnlyTheOtherSideWouldLieWithin) {
  LevelBook book = ten_and_hundred();
  // 1010 sold: a short, far above. 1000 bought: a long, far below. Nothing within.
  EXPECT_TRUE(book.apply_run(footprint({{1000, 1010}, {1, 1}, {0, 1}}), 0.0));
  // With makers the other side opens, too.
  EXPECT_FALSE(book.apply_run(footprint({{1000, 1010}, {1, 1}, {0, 1}}), 0.5));
}

TEST(LevelBookRun, IsTakenWhenTheLevelWithinIsUnresolvedAnyhow) {
  LevelBook coarse{whole(), tiers({100}), PriceAxis{0, 100, 20}};
  EXPECT_TRUE(coarse.apply_run(footprint({{1080, 1095}, {1, 1}, {1, 0}}), 0.0));  // 1084 is in the entry's bin
  EXPECT_EQ(coarse.accounts()[0].unresolved.whole(), 1);
}

TEST(LevelBookRun, AnEmptyRunIsNothing) {
  LevelBook book = ten_and_hundred();
  EXPECT_TRUE(book.apply_run(Footprint{}, 0.0));
  EXPECT_EQ(book.accounts(), std::vector<Account>(4));
}

namespace {

struct RunCase {
  const char* name;
  LeverageProfile leverage;
  std::int64_t step;
  std::int64_t first_tick;
  std::int64_t widest;
  double maker_share;
};

void PrintTo(const RunCase& c, std::ostream* out) { *out << c.name; }

class LevelBookRuns : public ::testing::TestWithParam<RunCase> {};

Trades random_trades(Random& random, std::int64_t around, std::int64_t widest) {
  Trades trades;
  const std::int64_t width = random(0, random(0, widest));
  const bool one_sided = random.one_in(4);
  const bool side = random.one_in(2);
  for (std::int64_t n = random(1, 30); n > 0; --n) {
    trades.ticks.push_back(static_cast<std::int32_t>(around + random(0, width)));
    trades.lots.push_back(static_cast<double>(random.one_in(8) ? 0 : random(1, 20)));
    trades.sell.push_back(one_sided ? side : random.one_in(2));
  }
  return trades;
}

/// Whether the order of the trades matters: whether some trade comes out differently as the first and as the last.
bool order_matters(const RunCase& c, const liqcore::Instrument& instrument, const Trades& trades) {
  const MapBook empty{instrument, c.leverage, c.step, 0, LevelBook::kAutomaticBins};
  const auto outcome = [&](std::size_t i, bool first) {
    MapBook book = empty;
    const auto [low, high] = std::minmax_element(trades.ticks.begin(), trades.ticks.end());
    if (!first) book.touch(*low, *high);
    const bool sell = trades.sell[i] != 0;
    book.open(sell ? Side::short_ : Side::long_, trades.ticks[i], trades.lots[i]);
    book.open(sell ? Side::long_ : Side::short_, trades.ticks[i], trades.lots[i] * c.maker_share);
    if (first) book.touch(*low, *high);
    return book;
  };
  for (std::size_t i = 0; i < trades.ticks.size(); ++i)
    if (!(outcome(i, true) == outcome(i, false))) return true;
  return false;
}

}  // namespace

TEST_P(LevelBookRuns, AreRefusedExactlyWhenTheOrderMattersAndOtherwiseEqualOneByOne) {
  const RunCase& c = GetParam();
  const auto instrument = whole(0.004);
  Random random{16};
  LevelBook book{instrument, c.leverage, c.step}, single{instrument, c.leverage, c.step};
  std::int64_t around = c.first_tick;
  int taken = 0, refused = 0;
  const int rounds = c.leverage.size() > 20 ? 40 : 300;
  for (int round = 0; round < rounds; ++round) {
    around = std::clamp(around + random(-c.widest, c.widest), c.first_tick / 2, c.first_tick * 2);
    const Trades trades = random_trades(random, around, c.widest);
    const bool applied = book.apply_run(footprint(trades), c.maker_share);
    ASSERT_EQ(applied, !order_matters(c, instrument, trades)) << "round " << round;
    (applied ? taken : refused) += 1;
    if (!applied) one_by_one(book, trades, c.maker_share);
    one_by_one(single, trades, c.maker_share);
    ASSERT_EQ(book.accounts(), single.accounts()) << "round " << round;
    ASSERT_EQ(live(book), live(single)) << "round " << round;
    if (round % 7 == 0) {
      ASSERT_EQ(settled(book), settled(single)) << "round " << round;
    }
  }
  EXPECT_GT(taken, 0);
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(All, LevelBookRuns,
                         ::testing::Values(RunCase{"OneTickBins", tiers({2, 10, 25, 100}), 1, 5'000, 120, 0.0},
                                           RunCase{"CoarseBins", tiers({2, 10, 25, 100}), 25, 5'000, 200, 0.0},
                                           RunCase{"VeryCoarseBins", tiers({10, 100}), 400, 5'000, 900, 0.0},
                                           RunCase{"MakerShare", tiers({5, 25, 100}), 5, 5'000, 150, 0.25},
                                           RunCase{"LowPrices", tiers({2, 10, 100}), 1, 12, 8, 0.0},
                                           RunCase{"EveryLeverageTo125", LeverageProfile::preset("integer-125"), 3,
                                                   5'000, 60, 0.0}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(LevelBookRuns, InACalmRangeNeverDependOnTheOrder) {
  const RunCase& c = GetParam();
  const auto instrument = whole(0.004);
  Random random{23};
  int wide = 0;
  for (int round = 0; round < 60; ++round) {
    const LevelBook book{instrument, c.leverage, c.step};
    const std::int64_t tick = random(c.first_tick / 2, c.first_tick * 2);
    const liqcore::TickRange calm = book.calm_range(tick);
    ASSERT_LE(1, calm.low);
    ASSERT_LE(calm.low, tick);
    ASSERT_LE(tick, calm.high);
    ASSERT_LT(calm.high - calm.low, Footprint::kMaxTicks);
    wide += calm.low < calm.high ? 1 : 0;
    Trades trades;
    for (int i = 0; i < 12; ++i) {
      const std::int64_t at = i == 0 ? calm.low : i == 1 ? calm.high : random(calm.low, calm.high);
      trades.ticks.push_back(static_cast<std::int32_t>(at));
      trades.lots.push_back(1);
      trades.sell.push_back(random.one_in(2));
    }
    ASSERT_FALSE(order_matters(c, instrument, trades)) << calm.low << " to " << calm.high;
  }
  if (c.first_tick > 100) {
    EXPECT_GT(wide, 0);  // at lower prices no two ticks are far from each other's levels
  }
}

TEST(LevelBookRun, OpenRunOpensWithoutTouching) {
  LevelBook run = ten_and_hundred(), single = ten_and_hundred();
  const Trades trades{{1010, 1000, 1005}, {1, 2, 4}, {0, 1, 0}};
  const LevelBook::Reached reached{.low_bin = 99, .high_bin = 101};
  run.open_run(footprint(trades), 0.5, reached);
  for (std::size_t i = 0; i < 3; ++i) {
    const bool sell = trades.sell[i] != 0;
    single.open(sell ? Side::short_ : Side::long_, trades.ticks[i], trades.lots[i], reached);
    single.open(sell ? Side::long_ : Side::short_, trades.ticks[i], trades.lots[i] * 0.5, reached);
  }
  EXPECT_EQ(live(run), live(single));
  EXPECT_EQ(run.accounts(), single.accounts());
  EXPECT_TRUE(settled(run).touched[0].empty());
}
