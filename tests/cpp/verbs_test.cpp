// The verbs of the engine, for models of one's own; the reference in Python has them on random streams.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "liqcore/engine.hpp"
#include "support.hpp"

using liqcore::CandleArrays;
using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::Model;
using liqcore::OpenArrays;
using liqcore::Opened;
using liqcore::PriceAxis;
using liqcore::Side;
using liqcore::TouchArrays;
using liqcore::Trigger;
using support::LevelMap;
using support::live;
using support::refusal;
using support::sum;
using support::tiers;
using support::whole;

namespace {

// Without maintenance margin an entry at 1,000 is liquidated at 900 (10x long), 990 (100x long), 1,100 and 1,010.
constexpr std::size_t kLong10 = 0, kLong100 = 1, kShort10 = 2, kShort100 = 3;

EngineOptions none(Trigger trigger = Trigger::last) {
  EngineOptions options;
  options.window_ns = 100;
  options.axis = PriceAxis{0, 10, 200};
  options.model = Model::none;
  options.trigger = trigger;
  return options;
}

Engine made(const EngineOptions& options = none()) {
  Engine engine(whole(), tiers({10, 100}), options);
  engine.advance(0);
  return engine;
}

double unresolved(const Engine& engine, std::size_t layer) { return engine.book()->account(layer).unresolved.value(); }

void one_candle(Engine& engine, std::int64_t ts, double open, double high, double low, double close) {
  const std::vector<std::int64_t> at{ts};
  const std::vector<double> o{open}, h{high}, l{low}, c{close};
  engine.candles({at, o, h, l, c, {}, {}, 10});
}

TEST(VerbOpen, IsHeldAgainstAllOfATouchThatDoesNotSayWhereItLeftThePrice) {
  Engine engine = made();
  engine.touch(950, 1050);
  EXPECT_EQ(engine.open(Side::long_, 1000, 2), (Opened{.live = 1, .unresolved = 1}));
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 2}}));
  EXPECT_EQ(unresolved(engine, kLong100), 2);
}

TEST(VerbOpen, IsHeldAgainstThePriceAtWhichATouchLeftIt) {
  Engine engine = made();
  engine.touch(950, 1050, 1040);
  EXPECT_EQ(engine.open(Side::long_, 1000, 2), (Opened{.live = 2}));  // 990 is below 1,040, though the touch was at 950
  EXPECT_EQ(engine.open(Side::short_, 1000, 4), (Opened{.live = 1, .unresolved = 1}));  // 1,010 is below it, too
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 2}}));
  EXPECT_EQ(live(*engine.book(), kShort10), (LevelMap{{110, 4}}));
}

TEST(VerbOpen, IsHeldAgainstTheCloseOfTheLastCandle) {
  Engine engine = made();
  one_candle(engine, 10, 960, 1050, 950, 1040);
  EXPECT_EQ(engine.open(Side::long_, 1000, 2), (Opened{.live = 2}));
  EXPECT_EQ(engine.open(Side::short_, 1000, 2), (Opened{.live = 1, .unresolved = 1}));
}

TEST(VerbOpen, IsHeldAgainstTheLastMarkAsWell) {
  Engine engine = made(none(Trigger::mark));
  engine.mark(0, 1000);
  engine.touch(950, 1050, 1050);
  EXPECT_EQ(engine.open(Side::long_, 1015, 2), (Opened{.live = 1, .unresolved = 1}));   // 1,004.85: in the mark's bin
  EXPECT_EQ(engine.open(Side::short_, 1045, 2), (Opened{.live = 1, .unresolved = 1}));  // 1,055.45: in the touch's
}

TEST(VerbOpen, KnowsWhereThePriceIsAfterACheckpoint) {
  Engine engine = made();
  engine.open(Side::long_, 1000, 1);
  engine.touch(950, 1050, 1040);
  Engine other(whole(), tiers({10, 100}), none());
  other.restore(engine.checkpoint());
  EXPECT_EQ(other.open(Side::long_, 1000, 2), (Opened{.live = 2}));
  // A file that does not say holds what opens against the whole range.
  liqcore::Checkpoint old = engine.checkpoint();
  old.price.reset();
  Engine third(whole(), tiers({10, 100}), none());
  third.restore(old);
  EXPECT_EQ(third.open(Side::long_, 1000, 2), (Opened{.live = 1, .unresolved = 1}));
}

TEST(VerbOpen, SaysWhereEveryLevelWent) {
  EngineOptions options = none();
  options.axis = PriceAxis{800, 10, 30};
  Engine engine(whole(), tiers({1, 2, 10, 100}), options);
  engine.advance(0);
  EXPECT_EQ(engine.open(Side::long_, 1000, 1), (Opened{.live = 2, .no_price = 1, .underflow = 1}));
  EXPECT_EQ(engine.open(Side::short_, 1005, 1), (Opened{.live = 1, .overflow = 3}));
  const std::vector<double> some{0, 3, 3, 3};
  EXPECT_EQ(engine.open(Side::long_, 1009, some), (Opened{.live = 2, .underflow = 1}));
}

TEST(VerbOpen, TakesAQuantityForEachTier) {
  Engine engine = made();
  engine.open(Side::long_, 1000, std::vector<double>{5, 0});
  engine.open(Side::long_, 1000, std::vector<double>{1, 2});
  engine.open(Side::long_, 1000, 10);
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 16}}));
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 12}}));
  EXPECT_EQ(engine.book()->account(kLong10).opened.whole(), 16);
  EXPECT_EQ(engine.book()->account(kLong100).opened.whole(), 12);
  engine.advance(100);  // accounts are those of the window's segment, and stay
  const liqcore::Segment& segment = engine.history()->segment(0);
  EXPECT_EQ(segment.accounts[kLong10].opened.whole(), 16);
  EXPECT_EQ(segment.accounts[kLong100].live.whole(), 12);
  EXPECT_EQ(segment.accounts[kShort10].opened.whole(), 0);
  engine.open(Side::long_, 1000, std::vector<double>{1, 1});
  for (const liqcore::Account& account : engine.stats().accounts) EXPECT_EQ(account.imbalance(), 0.0);
  Engine other(whole(), tiers({10, 100}), none());
  other.restore(engine.checkpoint());
  for (Engine* each : {&engine, &other}) {
    each->open(Side::long_, 1000, std::vector<double>{0, 4});
    each->advance(200);
  }
  EXPECT_EQ(support::seen(engine), support::seen(other));
  EXPECT_EQ(other.stats().accounts[kLong100].opened.whole(), 17);
}

TEST(VerbOpen, RefusesQuantitiesThatAreNone) {
  Engine engine(whole(), tiers({10, 100}), none());
  engine.advance(0);
  EXPECT_EQ(refusal([&] { engine.open(Side::long_, 1000, 0.5); }),
            "qty must be more than half a lot (the lot size is 1), was 0.5");
  EXPECT_EQ(refusal([&] { engine.open(Side::long_, 1000, std::vector<double>{1, 0.25}); }),
            "qty must be more than half a lot (the lot size is 1), was 0.25");
  EXPECT_EQ(refusal([&] { engine.open(Side::long_, 1000, std::vector<double>{1, -1}); }),
            "qty must be finite, at least 0 and at most 2^48 lots, was -1");
  EXPECT_EQ(refusal([&] { engine.open(Side::long_, 1000, std::vector<double>{0, 0}); }),
            "qty must be above 0 in at least one tier");
  EXPECT_EQ(refusal([&] { engine.open(Side::long_, 1000, std::vector<double>{1, 1, 1}); }),
            "qty must hold one value per tier (2), had 3");
  EXPECT_EQ(engine.book(), nullptr);
}

TEST(VerbOpenLevel, LiesInEveryTierAtItsPrice) {
  Engine engine = made();
  EXPECT_EQ(engine.open_level(Side::long_, 955, 3), (Opened{.live = 2}));
  EXPECT_EQ(engine.open_level(Side::short_, 1234, std::vector<double>{0, 7}), (Opened{.live = 1}));
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{95, 3}}));
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{95, 3}}));
  EXPECT_EQ(live(*engine.book(), kShort10), (LevelMap{}));
  EXPECT_EQ(live(*engine.book(), kShort100), (LevelMap{{123, 7}}));
  EXPECT_EQ(engine.open_level(Side::long_, 5000, 1), (Opened{.overflow = 2}));
}

TEST(VerbOpenLevel, LiesBeyondThePrice) {
  Engine engine = made();
  engine.touch(1000, 1000);
  EXPECT_EQ(engine.open_level(Side::long_, 999, 3), (Opened{.live = 2}));
  EXPECT_EQ(engine.open_level(Side::long_, 1000, 3), (Opened{.unresolved = 2}));
  EXPECT_EQ(engine.open_level(Side::short_, 1009, 3), (Opened{.unresolved = 2}));
  EXPECT_EQ(engine.open_level(Side::short_, 1010, 3), (Opened{.live = 2}));
  engine.touch(990, 1000);
  EXPECT_TRUE(live(*engine.book(), kLong10).empty());
  EXPECT_EQ(sum(live(*engine.book(), kShort10)), 3);
}

TEST(VerbArrays, AreTheVerbsOneByOne) {
  const std::vector<std::int64_t> ts{0, 50, 250, 250, 900};
  const std::vector<std::uint8_t> is_short{0, 1, 1, 0, 0};
  const std::vector<double> price{1000, 1000, 990, 1100, 1020}, qty{1, 2, 3, 4, 5};
  const std::vector<double> tiered{1, 2, 3, 0, 0, 4, 5, 5, 6, 7};
  const std::vector<double> low{900, 1000, 1000, 990, 950}, high{1000, 1000, 1010, 1100, 950},
      last{950, 1000, 1005, 1100, 950};
  for (const bool known : {false, true})
    for (const bool each : {false, true}) {
      Engine many = made(), one = made();
      const OpenArrays rows{ts, is_short, price, each ? tiered : qty};
      const Opened opened = known ? many.open_levels(rows) : many.opens(rows);
      Opened singly;
      for (std::size_t i = 0; i < ts.size(); ++i) {
        one.advance(ts[i]);
        const Side side = is_short[i] != 0 ? Side::short_ : Side::long_;
        const std::vector<double> lots =
            each ? std::vector<double>{tiered[2 * i], tiered[2 * i + 1]} : std::vector<double>{qty[i], qty[i]};
        singly += known ? one.open_level(side, price[i], lots) : one.open(side, price[i], lots);
      }
      EXPECT_EQ(opened, singly);
      EXPECT_EQ(support::seen(many), support::seen(one));
      const std::vector<std::int64_t> later{1000, 1000, 1200, 1300, 1900};
      many.touches({later, low, high, last});
      for (std::size_t i = 0; i < ts.size(); ++i) {
        one.advance(later[i]);
        one.touch(low[i], high[i], last[i]);
      }
      EXPECT_EQ(support::seen(many), support::seen(one));
      many.touches({{}, low, high, {}});
      for (std::size_t i = 0; i < ts.size(); ++i) one.touch(low[i], high[i]);
      EXPECT_EQ(support::seen(many), support::seen(one));
    }
}

TEST(VerbArrays, NameTheRowThatBreaksARuleAndDoNothing) {
  Engine engine = made();
  const std::vector<std::int64_t> ts{5, 4};
  const std::vector<std::uint8_t> sides{0, 0};
  const std::vector<double> fine{1000, 1000}, none_at_all{1, 0.4}, bad{1000, NAN}, low{1000, 1001}, last{1000, 990};
  EXPECT_EQ(refusal([&] { engine.opens({ts, sides, fine, fine}); }),
            "ts (row 1) must not be before the row before (5), was 4");
  EXPECT_EQ(refusal([&] { engine.opens({{}, sides, fine, none_at_all}); }),
            "qty (row 1) must be more than half a lot (the lot size is 1), was 0.4");
  EXPECT_EQ(refusal([&] { engine.opens({{}, sides, bad, fine}); }),
            "price (row 1) must be a price of at least one tick and below 2^31 ticks, was nan");
  EXPECT_EQ(refusal([&] { engine.opens({{}, sides, fine, low.size() == 2 ? std::vector<double>{1, 2, 3} : fine}); }),
            "qty must hold one value a row (2) or one a tier of each row (4), had 3");
  EXPECT_EQ(refusal([&] { engine.opens({{}, {}, fine, fine}); }),
            "side must be as long as the first column (2), had 0");
  EXPECT_EQ(refusal([&] { engine.touches({{}, low, fine, {}}); }),
            "high (row 1) must be at least low (1001), was 1000");
  EXPECT_EQ(refusal([&] { engine.touches({{}, fine, fine, last}); }),
            "last (row 1) must lie between low (1000) and high (1000), was 990");
  EXPECT_EQ(refusal([&] { engine.touch(1000, 1010, 1011); }),
            "last must lie between low (1000) and high (1010), was 1011");
  EXPECT_EQ(engine.book(), nullptr);
  EXPECT_EQ(engine.clock(), 0);
  Engine late = made();
  late.advance(50);
  EXPECT_EQ(refusal([&] { late.touches({ts, low, low, {}}); }),
            "ts (row 0) must not be before the engine's clock (50), was 5");
}

TEST(VerbArrays, NeedAClockOrTimes) {
  Engine engine(whole(), tiers({10, 100}), none());
  const std::vector<double> price{1000};
  const std::vector<std::uint8_t> side{0};
  const std::vector<std::int64_t> ts{70};
  EXPECT_EQ(refusal([&] { engine.opens({{}, side, price, price}); }),
            "the engine has no clock yet: call advance(ts) before the verbs");
  EXPECT_EQ(refusal([&] { engine.touches({{}, price, price, {}}); }),
            "the engine has no clock yet: call advance(ts) before the verbs");
  engine.opens({ts, side, price, price});
  EXPECT_EQ(engine.clock(), 70);
}

TEST(VerbClose, TakesTheLevelsNearestToThePriceFirst) {
  Engine engine = made();
  engine.open(Side::long_, 1000, 5);  // 900 and 990
  engine.open(Side::long_, 1020, 7);  // 918 and 1,010 (of 1,009.8)
  engine.advance(100);                // settled
  engine.open(Side::long_, 1010, 2);  // 909 and 1,000 (of 999.9): of this window
  EXPECT_EQ(engine.close(Side::long_, 800, 1'020, 8), (std::vector<double>{8, 8}));
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 6}}));
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 5}, {100, 1}}));
  EXPECT_EQ(engine.close(Side::long_, 1'000, 1'200, std::vector<double>{3, 9}), (std::vector<double>{0, 1}));
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 5}}));
  EXPECT_TRUE(engine.sequential());
  for (const liqcore::Account& account : engine.stats().accounts) EXPECT_EQ(account.imbalance(), 0.0);
  EXPECT_EQ(engine.book()->account(kLong100).closed.whole(), 9);
  engine.advance(200);
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 6}}));
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 5}}));
  const liqcore::Layers levels = engine.history()->levels_after(1);
  EXPECT_EQ(levels.at(kLong100, 99), 5);
  EXPECT_EQ(levels.at(kLong100, 101), 0);
  EXPECT_EQ(engine.history()->segment(1).accounts[kLong100].live.value(), -7);  // 2 opened, 9 closed
}

TEST(VerbClose, OfShortsBeginsBelow) {
  Engine engine = made();
  engine.open_level(Side::short_, 1'100, 5);
  engine.open_level(Side::short_, 1'200, 5);
  EXPECT_EQ(engine.close(Side::short_, 1'000, 1'300, 6), (std::vector<double>{6, 6}));
  EXPECT_EQ(live(*engine.book(), kShort10), (LevelMap{{120, 4}}));
}

TEST(VerbClose, GoesOnAfterACheckpointWithinTheWindow) {
  for (const bool scaled : {false, true}) {
    EngineOptions options = none();
    if (scaled) options.half_life_ns = {150, 300};
    const auto feed = [&](Engine& engine, int from, int to) {
      for (int i = from; i < to; ++i) {
        engine.open(i % 2 != 0 ? Side::long_ : Side::short_, 1'000 + i % 7, 10 + i);
        if (i % 3 == 0) engine.close(i % 2 != 0 ? Side::short_ : Side::long_, 900, 1'100, 7);
        if (i % 5 == 0) engine.scale(std::vector<double>(4, 0.5), 985, 1'015);
        if (i % 11 == 0) engine.touch(991, 1'009, 1'000);
        engine.advance(30 * (i + 1));
      }
    };
    Engine whole_run = made(options), first = made(options);
    feed(whole_run, 0, 60);
    feed(first, 0, 31);
    Engine second(whole(), tiers({10, 100}), options);
    second.restore(first.checkpoint());
    feed(second, 31, 60);
    EXPECT_TRUE(second.sequential());
    EXPECT_EQ(support::seen(whole_run), support::seen(second));
    // A fold of the windows is the book, and so is that of pairs of them.
    const liqcore::History& history = *whole_run.history();
    const liqcore::Layers levels = history.levels_after(history.size() - 1);
    liqcore::Layers pairs(2);
    for (std::size_t i = 0; i + 1 < history.size(); i += 2)
      pairs.apply(combine(history.segment(i), history.segment(i + 1)), liqcore::Layers::Dust::flush, nullptr, {});
    liqcore::Picture picture;
    picture.weights[0] = picture.weights[1] = {1, 1};
    picture.rows = 200;
    picture.columns = history.size();
    std::vector<float> longs(picture.rows * picture.columns), shorts(longs.size());
    picture.usd = false;
    history.columns(picture, longs, shorts, {}, {});
    const std::size_t last = (history.size() - 1) * picture.rows;
    for (std::size_t bin = 0; bin < picture.rows; ++bin) {
      double sums[2] = {0, 0};
      for (std::size_t layer = 0; layer < 4; ++layer)
        sums[layer / 2] += levels.at(layer, static_cast<std::int64_t>(bin));
      EXPECT_NEAR(longs[last + bin], sums[0], 1e-4) << bin;
      EXPECT_NEAR(shorts[last + bin], sums[1], 1e-4) << bin;
      EXPECT_GE(longs[last + bin], 0.0F);
    }
    if (scaled || history.size() % 2 != 0) continue;
    for (std::size_t layer = 0; layer < 4; ++layer)
      for (std::int64_t bin = 0; bin < 200; ++bin) EXPECT_EQ(pairs.at(layer, bin), levels.at(layer, bin));
  }
}

TEST(VerbScale, OfAPartLeavesTheRest) {
  Engine engine = made();
  engine.open(Side::long_, 1000, 8);
  engine.open(Side::short_, 1000, 4);
  engine.scale(std::vector<double>{0.5, 0.25, 0.5, 0.1}, 985, 1'015);  // the 100x of both sides
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 8}}));
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 2}}));
  EXPECT_EQ(live(*engine.book(), kShort10), (LevelMap{{110, 4}}));
  EXPECT_TRUE(live(*engine.book(), kShort100).empty());  // 0.4 of a lot
  EXPECT_EQ(engine.book()->account(kShort100).closed.whole(), 4);
  EXPECT_TRUE(engine.sequential());
}

TEST(VerbScale, AfterACloseLeavesNothingOfWhatIsGone) {
  EngineOptions options = none();
  options.half_life_ns = {170, 330};
  Engine engine = made(options);
  engine.open(Side::long_, 1000, 1'000);
  engine.advance(110);
  engine.scale(std::vector<double>(4, 0.7));
  EXPECT_GT(engine.close(Side::long_, 800, 1'000, 5'000)[0], 100);
  engine.scale(std::vector<double>(4, 0.3));
  for (const std::size_t layer : {kLong10, kLong100}) EXPECT_TRUE(live(*engine.book(), layer).empty());
  engine.touch(700, 700);
  EXPECT_EQ(sum(support::cells_of(engine.history()->segment(0).additions, kLong10)) > 0, true);
  engine.advance(500);
  for (const liqcore::Account& account : engine.stats().accounts) EXPECT_NEAR(account.imbalance(), 0.0, 1e-9);
}

TEST(VerbClose, TakesWhatIdleWindowsHaveLeft) {
  EngineOptions options = none();
  options.half_life_ns = {100, 400};
  Engine engine = made(options);
  engine.open(Side::long_, 1000, 1'024);
  engine.advance(300);  // three ends of windows, two of them idle
  EXPECT_EQ(engine.close(Side::long_, 800, 900, 100), (std::vector<double>{100, 0}));
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 28}}));
  engine.scale(std::vector<double>(4, 0.5), 800, 900);
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 14}}));
  Engine other(whole(), tiers({10, 100}), options);
  other.restore(engine.checkpoint());
  for (Engine* each : {&engine, &other}) {
    each->advance(700);
    EXPECT_EQ(each->close(Side::long_, 800, 1'000, 1'000)[0], 0.875);
    each->advance(1'000);
    EXPECT_TRUE(live(*each->book(), kLong10).empty());
  }
  EXPECT_EQ(support::seen(engine), support::seen(other));
}

TEST(VerbClose, RefusesWhatBreaksARule) {
  Engine engine = made();
  EXPECT_EQ(refusal([&] { engine.close(Side::long_, 1000, 900, 1); }), "high must be at least low (1000), was 900");
  EXPECT_EQ(refusal([&] { engine.close(Side::long_, 900, 1000, 0.5); }),
            "qty must be more than half a lot (the lot size is 1), was 0.5");
  EXPECT_EQ(engine.close(Side::long_, 900, 1000, 5), (std::vector<double>{0, 0}));  // no book yet
  EXPECT_FALSE(engine.sequential());
  EXPECT_EQ(refusal([&] { engine.scale(std::vector<double>{1}, 900, 1000); }),
            "factors must hold one value per side and tier (4), had 1");
}

TEST(EntryWeights, MakeUsdOfTheEntry) {
  Engine engine = made();
  engine.open(Side::long_, 1000, 5);  // 900 and 990
  engine.open(Side::short_, 1000, 3);
  engine.advance(100);
  liqcore::Picture picture;
  for (const Side side : {Side::long_, Side::short_})
    picture.weights[static_cast<std::size_t>(side)] =
        liqcore::entry_weights(engine.instrument(), engine.leverage(), side);
  picture.rows = 200;
  std::vector<double> out(4 * picture.rows);
  engine.history()->map(0, picture, out);
  double longs = 0, shorts = 0;
  for (std::size_t i = 0; i < out.size(); ++i) (i < out.size() / 2 ? longs : shorts) += out[i];
  EXPECT_NEAR(longs, 5'000, 5'000 * 0.01);  // bins are 10 high, and mid prices stand for levels
  EXPECT_NEAR(shorts, 3'000, 3'000 * 0.01);
}

TEST(VerbHalfLife, DecaysWhatAModelOfOnesOwnOpened) {
  EngineOptions options = none();
  options.half_life_ns = {100, INFINITY};
  Engine engine(whole(), tiers({10, 100}), options);
  engine.advance(0);
  engine.open(Side::long_, 1000, 8);
  engine.advance(200);
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 2}}));
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 8}}));
  EXPECT_EQ(engine.stats().accounts[kLong10].closed.whole(), 6);
}

}  // namespace
