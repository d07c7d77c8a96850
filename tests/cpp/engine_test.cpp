#include "liqcore/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support.hpp"

using liqcore::Account;
using liqcore::Candle;
using liqcore::CandleArrays;
using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::Feed;
using liqcore::LevelBook;
using liqcore::LeverageProfile;
using liqcore::Model;
using liqcore::PriceAxis;
using liqcore::Reject;
using liqcore::SampleArrays;
using liqcore::Segment;
using liqcore::Side;
using liqcore::Stats;
using liqcore::TradeArrays;
using liqcore::Trigger;
using support::LevelMap;
using support::live;
using support::MapBook;
using support::Random;
using support::refusal;
using support::State;
using support::state_of;
using support::sum;
using support::Tape;
using support::tiers;
using support::whole;

namespace {

// Without maintenance margin an entry at 1,000 is liquidated at 900 (10x long), 990 (100x long), 1,100 and 1,010.
constexpr std::size_t kLong10 = 0, kLong100 = 1, kShort10 = 2, kShort100 = 3;
constexpr bool kBuy = false, kSell = true;
constexpr std::int64_t kNaT = std::numeric_limits<std::int64_t>::min();

EngineOptions windows_of(std::int64_t window_ns, Trigger trigger = Trigger::last) {
  EngineOptions options;
  options.window_ns = window_ns;
  options.axis = PriceAxis{0, 10, 200};
  options.trigger = trigger;
  return options;
}

/// Windows of 100 ns, and one option off its default.
template <class T>
EngineOptions with(T EngineOptions::* option, std::type_identity_t<T> value) {
  EngineOptions options = windows_of(100);
  options.*option = std::move(value);
  return options;
}

Engine ten_and_hundred(const EngineOptions& options = windows_of(100)) { return {whole(), tiers({10, 100}), options}; }

/// One tier at 2x, on bins of one tick.
Engine two() { return {whole(), tiers({2}), with(&EngineOptions::axis, PriceAxis{0, 1, 2'000})}; }

Segment open_window(const Engine& engine) {
  Segment open;
  EXPECT_TRUE(engine.peek(open));
  return open;
}

std::vector<std::int64_t> starts(const Engine& engine) {
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < engine.history()->size(); ++i) out.push_back(engine.history()->segment(i).start_ns);
  return out;
}

std::uint64_t rejected(const Stats& stats, Reject reason) { return stats.rejected[static_cast<std::size_t>(reason)]; }

/// Columns of candles that own their values.
struct CandleColumns {
  std::vector<std::int64_t> ts;
  std::vector<double> open, high, low, close, buy, sell;
  std::int64_t interval = 60;

  CandleColumns& push(std::int64_t time, double o, double h, double l, double c, double b = 0, double s = 0) {
    ts.push_back(time);
    open.push_back(o);
    high.push_back(h);
    low.push_back(l);
    close.push_back(c);
    buy.push_back(b);
    sell.push_back(s);
    return *this;
  }
  [[nodiscard]] CandleArrays with_volumes() const { return {ts, open, high, low, close, buy, sell, interval}; }
  [[nodiscard]] CandleArrays without_volumes() const { return {ts, open, high, low, close, {}, {}, interval}; }
};

struct Samples {
  std::vector<std::int64_t> ts;
  std::vector<double> value;

  Samples& push(std::int64_t time, double v) {
    ts.push_back(time);
    value.push_back(v);
    return *this;
  }
  [[nodiscard]] SampleArrays all() const { return {ts, value}; }
};

}  // namespace

// --- one event ---------------------------------------------------------------------------------------------------

TEST(EngineTrade, OpensOnTheAggressorsSide) {
  Engine engine = ten_and_hundred();
  EXPECT_EQ(engine.trade(5, 1000, 3, kBuy), Reject::none);
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 3}}));
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 3}}));
  EXPECT_EQ(engine.trade(6, 1000, 4, kSell), Reject::none);
  EXPECT_EQ(live(*engine.book(), kShort10), (LevelMap{{110, 4}}));
  EXPECT_EQ(live(*engine.book(), kShort100), (LevelMap{{101, 4}}));
}

TEST(EngineTrade, TouchesBeforeItOpens) {
  Engine engine = ten_and_hundred();
  engine.trade(5, 1000, 3, kBuy);
  engine.trade(6, 990, 4, kBuy);  // liquidates the 100x long, then opens its own at 981
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{98, 4}}));
  EXPECT_EQ(engine.stats().accounts[kLong100].liquidated.whole(), 3);
}

TEST(EngineTrade, WithModelNoneTouchesAndOpensNothing) {
  Engine engine = ten_and_hundred(with(&EngineOptions::model, Model::none));
  engine.trade(5, 1000, 3, kBuy);
  EXPECT_EQ(sum(live(*engine.book(), kLong10)), 0.0);
  engine.open(Side::long_, 1000, 2);
  engine.trade(6, 990, 3, kBuy);
  EXPECT_EQ(engine.stats().accounts[kLong100].liquidated.whole(), 2);
  EXPECT_EQ(engine.stats().accounts[kLong100].opened.whole(), 2);
}

TEST(EngineTrade, MakerShareOpensTheOtherSide) {
  Engine engine = ten_and_hundred(with(&EngineOptions::maker_share, 0.25));
  engine.trade(5, 1000, 3, kBuy);
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 3}}));
  EXPECT_EQ(live(*engine.book(), kShort10), (LevelMap{{110, 0.75}}));
  engine.trade(6, 1000, 2, kSell);
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 3.5}}));
  EXPECT_EQ(live(*engine.book(), kShort10), (LevelMap{{110, 2.75}}));
}

TEST(EngineTrade, QuantitiesOffTheLotAreRoundedHalfToEvenAndCounted) {
  Engine engine = ten_and_hundred();
  engine.trade(5, 1000, 2.5, kBuy);
  engine.trade(6, 1000, 3.5, kBuy);
  engine.trade(7, 1000, 4, kBuy);
  EXPECT_EQ(sum(live(*engine.book(), kLong10)), 10.0);
  EXPECT_EQ(engine.stats().rounded_qty, 2U);
  EXPECT_EQ(engine.stats().used, 3U);
}

TEST(EngineTrade, AQuantityThatRoundsToNothingStillTouches) {
  Engine engine = ten_and_hundred();
  engine.trade(5, 1000, 3, kBuy);
  EXPECT_EQ(engine.trade(6, 985, 0.25, kBuy), Reject::none);
  EXPECT_EQ(engine.stats().accounts[kLong100].liquidated.whole(), 3);
  EXPECT_EQ(engine.stats().accounts[kLong100].opened.whole(), 3);
}

TEST(EngineTrade, SaysWhyItWasRejected) {
  Engine engine = ten_and_hundred();
  engine.trade(50, 1000, 3, kBuy);
  EXPECT_EQ(engine.trade(49, 1000, 3, kBuy), Reject::late);
  EXPECT_EQ(engine.trade(kNaT, 1000, 3, kBuy), Reject::not_finite);
  EXPECT_EQ(engine.trade(50, NAN, 3, kBuy), Reject::not_finite);
  EXPECT_EQ(engine.trade(50, 1000, INFINITY, kBuy), Reject::not_finite);
  EXPECT_EQ(engine.trade(-1, 1000, 3, kBuy), Reject::not_positive);
  EXPECT_EQ(engine.trade(50, 0, 3, kBuy), Reject::not_positive);
  EXPECT_EQ(engine.trade(50, -1000, 3, kBuy), Reject::not_positive);
  EXPECT_EQ(engine.trade(50, 0.4, 3, kBuy), Reject::not_positive);
  EXPECT_EQ(engine.trade(50, 1000, 0, kBuy), Reject::not_positive);
  EXPECT_EQ(engine.trade(50, 1000, -3, kBuy), Reject::not_positive);
  EXPECT_EQ(engine.trade(50, 2147483648.0, 3, kBuy), Reject::too_large);
  EXPECT_EQ(engine.trade(50, 1000, 1e15, kBuy), Reject::too_large);
  EXPECT_EQ(engine.trade((std::int64_t{1} << 62) + 1, 1000, 3, kBuy), Reject::too_large);
  EXPECT_EQ(engine.trade(50, 1000.00001, 3, kBuy), Reject::off_grid);
  EXPECT_EQ(engine.trade(50, 1000.0000005, 3, kBuy), Reject::none);
}

TEST(EngineTrade, TheFirstReasonInOrderIsTheOneCounted) {
  Engine engine = ten_and_hundred();
  engine.trade(50, 1000, 3, kBuy);
  EXPECT_EQ(engine.trade(49, NAN, -1, kBuy), Reject::late);
  EXPECT_EQ(engine.trade(50, NAN, -1, kBuy), Reject::not_finite);
  EXPECT_EQ(engine.trade(50, 1e300, -1, kBuy), Reject::not_positive);
  EXPECT_EQ(engine.trade(50, 1000.5, 1e300, kBuy), Reject::too_large);
}

TEST(EngineTrade, ARejectedRowChangesNothingButItsCount) {
  Engine engine = ten_and_hundred();
  engine.trade(50, 1000, 3, kBuy);
  State before = state_of(engine);
  engine.trade(5'000, 1000.5, 3, kBuy);
  State after = state_of(engine);
  EXPECT_EQ(after.stats.rows, 2U);
  EXPECT_EQ(after.stats.used, 1U);
  EXPECT_EQ(rejected(after.stats, Reject::off_grid), 1U);
  before.stats = after.stats = {};
  EXPECT_EQ(after, before);
}

TEST(EngineTrade, EqualTimesAreNotLate) {
  Engine engine = ten_and_hundred();
  engine.trade(50, 1000, 3, kBuy);
  EXPECT_EQ(engine.trade(50, 1001, 3, kBuy), Reject::none);
}

// --- windows -----------------------------------------------------------------------------------------------------

TEST(EngineWindows, AreAlignedToTheEpochAndEndExclusively) {
  Engine engine = ten_and_hundred();
  engine.trade(250, 1000, 1, kBuy);
  engine.trade(299, 1000, 2, kBuy);
  EXPECT_EQ(engine.history()->size(), 0U);
  engine.trade(300, 1000, 4, kBuy);
  ASSERT_EQ(starts(engine), (std::vector<std::int64_t>{200}));
  const Segment& closed = engine.history()->segment(0);
  EXPECT_EQ(closed.end_ns, 300);
  EXPECT_EQ(support::cells_of(closed.additions, kLong10), (LevelMap{{90, 3}}));
  EXPECT_EQ(closed.last_ns, 299);
}

TEST(EngineWindows, AGapRepeatsTheBookInWindowsWithoutCandles) {
  Engine engine = ten_and_hundred();
  engine.trade(50, 1000, 1, kBuy);
  engine.trade(450, 1000, 1, kBuy);
  ASSERT_EQ(starts(engine), (std::vector<std::int64_t>{0, 100, 200, 300}));
  EXPECT_FALSE(engine.history()->segment(0).candle.empty());
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_TRUE(engine.history()->segment(i).candle.empty());
    EXPECT_EQ(engine.history()->segment(i).additions.size(), 0U);
    EXPECT_EQ(engine.history()->segment(i).last_ns, 50);
  }
}

TEST(EngineWindows, CandleOfAWindowIsThatOfItsTrades) {
  Engine engine = ten_and_hundred();
  engine.trade(0, 1000, 1, kBuy);
  engine.trade(1, 1010, 2, kSell);
  engine.trade(2, 990, 4, kBuy);
  engine.trade(3, 995, 8, kSell);
  const Segment open = open_window(engine);
  EXPECT_EQ(open.candle, (Candle{1000, 1010, 990, 995, 5, 10}));
}

TEST(EngineWindows, AdvanceClosesWhatHasEnded) {
  Engine engine = ten_and_hundred();
  engine.trade(50, 1000, 1, kBuy);
  engine.advance(99);
  EXPECT_EQ(engine.history()->size(), 0U);
  engine.advance(100);
  EXPECT_EQ(engine.history()->size(), 1U);
  engine.advance(320);
  EXPECT_EQ(engine.history()->size(), 3U);
  EXPECT_EQ(engine.clock(), 320);
  EXPECT_EQ(engine.trade(319, 1000, 1, kBuy), Reject::late);
}

TEST(EngineWindows, AdvanceBeforeThePriceOnlySetsTheClock) {
  Engine engine = ten_and_hundred();
  EXPECT_EQ(engine.clock(), std::nullopt);
  engine.advance(1'000'000'000'000'000'000);
  EXPECT_EQ(engine.clock(), 1'000'000'000'000'000'000);
  EXPECT_EQ(engine.history(), nullptr);
  Segment open;
  EXPECT_FALSE(engine.peek(open));
}

TEST(EngineWindows, AdvanceRefusesToGoBack) {
  Engine engine = ten_and_hundred();
  engine.advance(320);
  EXPECT_EQ(refusal([&] { engine.advance(319); }), "ts must not be before the engine's clock (320), was 319");
  EXPECT_EQ(refusal([&] { engine.advance(-1); }), "ts must be a time between 1970 and 2116 in ns, was -1");
  EXPECT_EQ(refusal([&] { engine.advance((std::int64_t{1} << 62) + 1); }),
            "ts must be a time between 1970 and 2116 in ns, was 4611686018427387905");
}

TEST(EngineWindows, TheLastTimeThereIsIsUsable) {
  for (const std::int64_t window : {std::int64_t{1}, std::int64_t{100}, (std::int64_t{1} << 62) - 1}) {
    Engine engine = ten_and_hundred(windows_of(window));
    EXPECT_EQ(engine.trade(std::int64_t{1} << 62, 1000, 1, kBuy), Reject::none);
    Segment open;
    EXPECT_TRUE(engine.peek(open));
    EXPECT_LE(open.start_ns, std::int64_t{1} << 62);
    EXPECT_GT(open.end_ns, std::int64_t{1} << 62);
  }
}

TEST(EngineWindows, PeekShowsTheUnfinishedWindowAndChangesNothing) {
  Engine engine = ten_and_hundred();
  engine.trade(50, 1000, 3, kBuy);
  const State before = state_of(engine);
  const Segment open = open_window(engine);
  EXPECT_EQ(open.start_ns, 0);
  EXPECT_EQ(open.end_ns, 100);
  EXPECT_EQ(support::cells_of(open.additions, kLong10), (LevelMap{{90, 3}}));
  EXPECT_EQ(state_of(engine), before);
  engine.advance(100);
  EXPECT_EQ(engine.history()->segment(0), open);
}

TEST(EngineWindows, TheHookIsCalledOnceAWindowWithItsSegment) {
  Engine engine = ten_and_hundred();
  std::vector<std::int64_t> seen;
  std::vector<Segment> segments;
  engine.on_column([&](const Segment& segment) {
    seen.push_back(segment.start_ns);
    segments.push_back(segment);
    EXPECT_EQ(engine.history()->total(), seen.size());  // already part of the history
  });
  engine.trade(50, 1000, 1, kBuy);
  engine.trade(150, 1000, 1, kBuy);
  engine.trade(390, 1000, 1, kBuy);
  engine.advance(400);
  EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 100, 200, 300}));
  for (std::size_t i = 0; i < segments.size(); ++i) EXPECT_EQ(segments[i], engine.history()->segment(i));
}

TEST(EngineWindows, TheHookSeesWhatTheWindowLiquidated) {
  Engine engine = ten_and_hundred();
  std::vector<double> liquidated;
  engine.on_column([&](const Segment&) { liquidated.push_back(engine.book()->liquidated().at(kLong100, 99)); });
  engine.trade(50, 1000, 3, kBuy);
  engine.trade(150, 990, 1, kSell);
  engine.advance(300);
  EXPECT_EQ(liquidated, (std::vector<double>{0, 3, 0}));
}

TEST(EngineWindows, WithKeepOnlyTheLastAreThere) {
  Engine engine = ten_and_hundred(with(&EngineOptions::keep, 2));
  for (std::int64_t ts = 50; ts < 1'000; ts += 100) engine.trade(ts, 1000, 1, kBuy);
  EXPECT_EQ(engine.history()->total(), 9U);
  EXPECT_EQ(starts(engine), (std::vector<std::int64_t>{700, 800}));
}

// --- gaps --------------------------------------------------------------------------------------------------------

namespace {

constexpr std::int64_t kMillion = Engine::kMaxGapWindows;

/// An engine in the window [0, 100) whose calls are to leave it as it is.
Engine before_the_gap() {
  Engine engine = ten_and_hundred(with(&EngineOptions::keep, 3));
  engine.trade(50, 1000, 3, kBuy);
  engine.mark(60, 1001);
  return engine;
}

}  // namespace

TEST(EngineGap, OfMoreThanAMillionWindowsIsRefusedAndChangesNothing) {
  Engine engine = before_the_gap();
  const State before = state_of(engine);
  const std::int64_t far = (kMillion + 1) * 100;
  const std::string message =
      "ts must not jump over more than 1000000 windows at once (are the times in nanoseconds?): from 60 to 100000100 "
      "ns are 1000001 windows of 100 ns";
  EXPECT_EQ(refusal([&] { engine.trade(far, 1000, 1, kBuy); }), message);
  EXPECT_EQ(refusal([&] { engine.mark(far, 1000); }), message);
  EXPECT_EQ(refusal([&] { engine.open_interest(far, 1000); }), message);
  EXPECT_EQ(refusal([&] { engine.advance(far); }), message);
  Tape tape;
  tape.push(70, 1000, 1, kBuy);
  tape.push(far + 10, 1000, 1, kBuy);
  EXPECT_EQ(refusal([&] { engine.trades(tape.all()); }).substr(message.find("from")),
            "from 70 to 100000110 ns are 1000001 windows of 100 ns, in row 1 of trades");
  EXPECT_EQ(state_of(engine), before);
}

TEST(EngineGap, InsideAnArrayIsRefusedBeforeItsFirstRow) {
  Engine engine = before_the_gap();
  const State before = state_of(engine);
  Tape tape;
  for (int i = 0; i < 40; ++i) tape.push(70 + i * 90, 1000 + i % 5, 1, kBuy);
  tape.push(tape.ts.back() / 100 * 100 + (kMillion + 1) * 100, 1000, 1, kBuy);
  EXPECT_NE(refusal([&] { engine.trades(tape.all()); }), "");
  EXPECT_EQ(state_of(engine), before);
  EXPECT_NE(refusal([&] { engine.marks({tape.ts, tape.price}); }), "");
  EXPECT_NE(refusal([&] { engine.open_interest({tape.ts, tape.price}); }), "");
  EXPECT_EQ(state_of(engine), before);
  CandleColumns candles;
  candles.push(60, 1000, 1000, 1000, 1000, 1, 1).push((kMillion + 2) * 100, 1000, 1000, 1000, 1000, 1, 1);
  EXPECT_NE(refusal([&] { engine.candles(candles.without_volumes()); }), "");
  EXPECT_EQ(state_of(engine), before);
}

TEST(EngineGap, OfAMillionWindowsIsTaken) {
  EngineOptions options = windows_of(100);
  options.keep = 1;
  options.axis = PriceAxis{950, 10, 10};
  Engine engine{whole(), tiers({100}), options};
  engine.trade(50, 1000, 3, kBuy);
  engine.advance(kMillion * 100);
  EXPECT_EQ(engine.history()->total(), static_cast<std::uint64_t>(kMillion));
  EXPECT_EQ(live(*engine.book(), 0), (LevelMap{{99, 3}}));
}

TEST(EngineGap, ManySmallerOnesInOneCallAreTaken) {
  EngineOptions options = windows_of(100);
  options.keep = 1;
  options.axis = PriceAxis{950, 10, 10};
  Engine engine{whole(), tiers({100}), options};
  Tape tape;
  for (int i = 0; i < 3; ++i) tape.push(i * 40'000'000, 1000, 1, kBuy);  // 400,000 windows each
  engine.trade(0, 1000, 1, kBuy);
  EXPECT_EQ(refusal([&] {
              Engine strict = engine.clone();
              strict.trade(120'000'000, 1000, 1, kBuy);
            }),
            "ts must not jump over more than 1000000 windows at once (are the times in nanoseconds?): from 0 to "
            "120000000 ns are 1200000 windows of 100 ns");
  EXPECT_EQ(engine.trades(tape.all()).used, 3U);
  EXPECT_EQ(engine.history()->total(), 800'000U);
}

TEST(EngineGap, IsSeenInTheTimesAloneWhateverElseIsWrongWithARow) {
  Engine engine = before_the_gap();
  const State before = state_of(engine);
  const std::int64_t far = (kMillion + 1'000) * 100;
  Tape tape;
  tape.push(70, 1000, 1, kBuy);
  tape.push(far, NAN, 1, kBuy);
  tape.push(80, 1001, 1, kBuy);
  EXPECT_NE(refusal([&] { engine.trades(tape.all()); }), "");
  EXPECT_EQ(state_of(engine), before);
  // Then no row of the call is refused in its midst: a gap that rows to be rejected divide is taken.
  tape.ts[1] = kMillion / 2 * 100;
  tape.ts[2] = far;
  EXPECT_EQ(engine.trades(tape.all()).used, 2U);
  EXPECT_EQ(engine.history()->total(), static_cast<std::uint64_t>(kMillion) + 1'000U);
}

TEST(EngineGap, TimesThatAreNoTimesAreNone) {
  Engine engine = before_the_gap();
  CandleColumns candles;
  candles.push(std::numeric_limits<std::int64_t>::max(), 1000, 1000, 1000, 1000)
      .push(kNaT, 1000, 1000, 1000, 1000)
      .push(90, 1000, 1000, 1000, 1000);
  const Stats stats = engine.candles(candles.without_volumes());
  EXPECT_EQ(stats.used, 1U);
  EXPECT_EQ(rejected(stats, Reject::too_large), 1U);
  EXPECT_EQ(rejected(stats, Reject::not_finite), 1U);
}

TEST(EngineGap, BeforeTheFirstPriceThereIsNone) {
  Engine engine = ten_and_hundred();
  engine.open_interest(5, 100);
  engine.advance(10);
  EXPECT_EQ(engine.trade(1'700'000'000'000'000'000, 1000, 1, kBuy), Reject::none);
  EXPECT_EQ(engine.history()->size(), 0U);
  Engine at_once = ten_and_hundred();
  Samples samples;
  samples.push(5, 100);
  Tape tape;
  tape.push(1'700'000'000'000'000'000, 1000, 1, kBuy);
  Feed feed;
  feed.trades = tape.all();
  feed.open_interest = samples.all();
  EXPECT_EQ(at_once.feed(feed).used, 2U);
}

// --- marks and triggers ------------------------------------------------------------------------------------------

TEST(EngineMark, LiquidatesOnlyWithTheMarkTrigger) {
  for (const Trigger trigger : {Trigger::last, Trigger::mark, Trigger::candle}) {
    EngineOptions options = windows_of(100);
    options.trigger = trigger;
    Engine engine = ten_and_hundred(options);
    engine.trade(5, 1000, 3, kBuy);
    EXPECT_EQ(engine.mark(6, 985), Reject::none);
    EXPECT_EQ(engine.stats().accounts[kLong100].liquidated.whole(), trigger == Trigger::mark ? 3 : 0);
  }
}

TEST(EngineMark, TradesDoNotLiquidateWithTheMarkTrigger) {
  Engine engine = ten_and_hundred(windows_of(100, Trigger::mark));
  engine.mark(1, 1000);
  engine.trade(5, 1000, 3, kBuy);
  engine.trade(6, 985, 4, kSell);
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 3}}));
}

TEST(EngineMark, ALevelMustLieBeyondTheLastMark) {
  Engine engine = ten_and_hundred(windows_of(100, Trigger::mark));
  engine.mark(1, 985);
  engine.trade(5, 1000, 3, kBuy);  // 990 lies above the mark
  EXPECT_EQ(engine.stats().accounts[kLong100].unresolved.whole(), 3);
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 3}}));
  engine.mark(6, 1015);
  engine.trade(7, 1000, 4, kSell);  // 1010 lies below it
  EXPECT_EQ(engine.stats().accounts[kShort100].unresolved.whole(), 4);
}

TEST(EngineMark, IsRoundedToTheTick) {
  EngineOptions options = windows_of(100);
  options.trigger = Trigger::mark;
  options.axis = PriceAxis{0, 1, 2'000};
  Engine engine = ten_and_hundred(options);
  engine.trade(5, 1000, 3, kBuy);
  engine.mark(6, 990.6);  // 991
  EXPECT_EQ(engine.stats().accounts[kLong100].liquidated.whole(), 0);
  engine.mark(7, 990.4);  // 990
  EXPECT_EQ(engine.stats().accounts[kLong100].liquidated.whole(), 3);
}

TEST(EngineMark, IsRecordedWithTheWindow) {
  Engine engine = ten_and_hundred();
  engine.trade(5, 1000, 3, kBuy);
  engine.advance(100);
  engine.mark(150, 1001.25);
  engine.open_interest(160, 77.5);
  engine.advance(300);
  EXPECT_TRUE(std::isnan(engine.history()->segment(0).mark_price));
  EXPECT_TRUE(std::isnan(engine.history()->segment(0).open_interest));
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_EQ(engine.history()->segment(i).mark_price, 1001.25);
    EXPECT_EQ(engine.history()->segment(i).open_interest, 77.5);
    EXPECT_EQ(engine.history()->segment(i).last_ns, 160);
  }
}

TEST(EngineMark, SaysWhyItWasRejected) {
  Engine engine = ten_and_hundred();
  engine.mark(50, 1000);
  EXPECT_EQ(engine.mark(49, 1000), Reject::late);
  EXPECT_EQ(engine.mark(50, NAN), Reject::not_finite);
  EXPECT_EQ(engine.mark(50, 0), Reject::not_positive);
  EXPECT_EQ(engine.mark(50, 0.3), Reject::not_positive);
  EXPECT_EQ(engine.mark(50, 3e9), Reject::too_large);
  EXPECT_EQ(engine.stats().rows, 6U);
}

TEST(EngineOpenInterest, MayBeZeroButNotBelow) {
  Engine engine = ten_and_hundred();
  EXPECT_EQ(engine.open_interest(50, 0), Reject::none);
  EXPECT_EQ(engine.open_interest(50, -1), Reject::not_positive);
  EXPECT_EQ(engine.open_interest(50, NAN), Reject::not_finite);
  EXPECT_EQ(engine.open_interest(49, 5), Reject::late);
}

// --- candles -----------------------------------------------------------------------------------------------------

TEST(EngineCandles, ActAtTheirLastNanosecond) {
  Engine engine = ten_and_hundred();
  CandleColumns candles;
  candles.push(40, 1000, 1000, 1000, 1000, 1, 0);  // [40, 100): its end lies in the first window
  candles.push(100, 1000, 1000, 1000, 1000, 1, 0);
  engine.candles(candles.with_volumes());
  EXPECT_EQ(engine.clock(), 159);
  EXPECT_EQ(engine.history()->size(), 1U);
  EXPECT_EQ(engine.history()->segment(0).last_ns, 99);
}

TEST(EngineCandles, TouchTheirRangeThenOpenAtTheTypicalPrice) {
  Engine engine = ten_and_hundred();
  engine.open_interest(0, 1);
  engine.open(Side::long_, 1000, 5);  // 990 and 900
  CandleColumns candles;
  candles.push(10, 1000, 1020, 980, 1000, 8, 4);  // typical price 1000
  engine.candles(candles.with_volumes());
  EXPECT_EQ(engine.stats().accounts[kLong100].liquidated.whole(), 5);
  EXPECT_EQ(engine.stats().accounts[kLong100].unresolved.whole(), 8);  // 990 lies within the candle
  EXPECT_EQ(live(*engine.book(), kLong10), (LevelMap{{90, 13}}));
  EXPECT_EQ(live(*engine.book(), kShort10), (LevelMap{{110, 4}}));
  EXPECT_EQ(engine.stats().accounts[kShort100].unresolved.whole(), 4);
}

TEST(EngineCandles, TypicalPriceIsTheMeanOfHighLowAndClose) {
  Engine engine = two();
  CandleColumns candles;
  candles.push(10, 1000, 1020, 980, 1013, 8, 0);  // 1004.33: 1004, whose level is 502
  engine.candles(candles.with_volumes());
  EXPECT_EQ(live(*engine.book(), 0), (LevelMap{{502, 8}}));
}

TEST(EngineCandles, DoNotTouchWithTheMarkTrigger) {
  Engine engine = ten_and_hundred(windows_of(100, Trigger::mark));
  engine.open_interest(0, 1);
  engine.open(Side::long_, 1000, 5);
  CandleColumns candles;
  candles.push(10, 1000, 1020, 980, 1000, 8, 4);
  engine.candles(candles.with_volumes());
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 13}}));
}

TEST(EngineCandles, WithTheCandleTriggerTradesOpenAndNeverTouch) {
  Engine engine = ten_and_hundred(windows_of(1'000, Trigger::candle));
  engine.trade(5, 1000, 3, kBuy);
  engine.trade(6, 950, 4, kBuy);
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{94, 4}, {99, 3}}));
  CandleColumns candles;
  candles.push(7, 950, 995, 945, 950);
  engine.candles(candles.without_volumes());
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{}));
}

TEST(EngineCandles, WithoutVolumesOnlyTouch) {
  Engine engine = ten_and_hundred();
  engine.trade(5, 1000, 3, kBuy);
  CandleColumns candles;
  candles.push(10, 1000, 1000, 985, 990);
  EXPECT_EQ(engine.candles(candles.without_volumes()).used, 1U);
  EXPECT_EQ(engine.stats().accounts[kLong100].liquidated.whole(), 3);
  EXPECT_EQ(engine.stats().accounts[kLong100].opened.whole(), 3);
}

TEST(EngineCandles, MakerShareOpensOfTheOtherVolume) {
  Engine engine = ten_and_hundred(with(&EngineOptions::maker_share, 0.5));
  CandleColumns candles;
  candles.push(10, 1000, 1000, 1000, 1000, 8, 4);
  engine.candles(candles.with_volumes());
  EXPECT_EQ(sum(live(*engine.book(), kLong10)), 10.0);
  EXPECT_EQ(sum(live(*engine.book(), kShort10)), 8.0);
}

TEST(EngineCandles, ReachTheWindowsCandle) {
  Engine engine = ten_and_hundred(windows_of(1'000));
  CandleColumns candles;
  candles.push(10, 1000, 1020, 980, 1010, 8, 4).push(70, 1010, 1015, 970, 975, 1, 2);
  engine.candles(candles.with_volumes());
  const Segment open = open_window(engine);
  EXPECT_EQ(open.candle, (Candle{1000, 1020, 970, 975, 9, 6}));
}

TEST(EngineCandles, AreRejectedByReason) {
  Engine engine = ten_and_hundred();
  engine.trade(500, 1000, 1, kBuy);
  CandleColumns candles;
  candles.push(600, 1000, 1020, 980, 1000);
  candles.push(10, 1000, 1020, 980, 1000);          // late: ends at 69
  candles.push(kNaT, 1000, 1020, 980, 1000);        // no time
  candles.push(601, NAN, 1020, 980, 1000);          // not finite
  candles.push(602, 1000, 1020, 0, 1000);           // not positive
  candles.push(603, 1000, 1020, 980, 1000, -1, 0);  // negative volume
  candles.push(604, 1000, 3e9, 980, 1000);          // too large
  candles.push(605, 1000, 1020, 1001, 1010);        // the low above the open
  candles.push(606, 1000, 1009, 980, 1010);         // the high below the close
  CandleArrays arrays = candles.with_volumes();
  const Stats stats = [&] {
    EngineOptions options = windows_of(100);
    Engine only_candles = ten_and_hundred(options);
    only_candles.advance(500);
    return only_candles.candles(arrays);
  }();
  EXPECT_EQ(stats.rows, 9U);
  EXPECT_EQ(stats.used, 1U);
  EXPECT_EQ(rejected(stats, Reject::late), 1U);
  EXPECT_EQ(rejected(stats, Reject::not_finite), 2U);
  EXPECT_EQ(rejected(stats, Reject::not_positive), 2U);
  EXPECT_EQ(rejected(stats, Reject::too_large), 1U);
  EXPECT_EQ(rejected(stats, Reject::inconsistent), 2U);
}

TEST(EngineCandles, VolumesAndTradesOfTheSameTimeAreRefused) {
  const std::string together =
      "trades and candle volumes of one market must not be of the same time (each would open the same positions): "
      "leave out buy_qty and sell_qty, or the trades";
  CandleColumns candles;
  candles.push(10, 1000, 1000, 1000, 1000, 8, 4);
  Engine trades_first = ten_and_hundred();
  trades_first.trade(10, 1000, 1, kBuy);
  EXPECT_EQ(refusal([&] { trades_first.candles(candles.with_volumes()); }), together);
  EXPECT_EQ(trades_first.candles(candles.without_volumes()).used, 1U);
  for (const std::int64_t ts : {10, 69}) {  // it lasts 60
    Tape tape;
    tape.push(5, 1000, 1, kBuy);
    tape.push(ts, 1000, 1, kBuy);
    Feed both;
    both.trades = tape.all();
    both.candles = candles.with_volumes();
    Engine at_once = ten_and_hundred();
    EXPECT_EQ(refusal([&] { at_once.feed(both); }), together);
    EXPECT_EQ(at_once.clock(), std::nullopt);
  }
}

TEST(EngineCandles, VolumesStandWhereThereAreNoTrades) {
  CandleColumns candles;
  candles.push(10, 1000, 1000, 1000, 1000, 8, 4);
  Tape before;
  before.push(9, 1000, 1, kBuy);
  Engine apart = ten_and_hundred();
  apart.trades(before.all());
  EXPECT_EQ(apart.candles(candles.with_volumes()).used, 1U);
  EXPECT_EQ(apart.trade(70, 1000, 2, kSell), Reject::none);
  EXPECT_EQ(apart.trade(71, 1000, 3, kBuy), Reject::none);
  Tape all;
  all.push(9, 1000, 1, kBuy);
  all.push(70, 1000, 2, kSell);
  all.push(71, 1000, 3, kBuy);
  Feed both;
  both.trades = all.all();
  both.candles = candles.with_volumes();
  Engine at_once = ten_and_hundred();
  at_once.feed(both);
  EXPECT_EQ(support::seen(apart), support::seen(at_once));
  EXPECT_EQ(apart.stats().used, 4U);
}

TEST(EngineCandles, RefusesColumnsThatDoNotFit) {
  Engine engine = ten_and_hundred();
  CandleColumns candles;
  candles.push(10, 1000, 1000, 1000, 1000, 8, 4);
  CandleArrays arrays = candles.with_volumes();
  arrays.sell_qty = {};
  EXPECT_EQ(refusal([&] { engine.candles(arrays); }), "buy_qty and sell_qty must be given together or not at all");
  arrays = candles.with_volumes();
  arrays.interval_ns = 0;
  EXPECT_EQ(refusal([&] { engine.candles(arrays); }), "interval must be at least 1 ns and at most 2^62 ns, was 0");
  arrays = candles.with_volumes();
  arrays.low = {};
  EXPECT_EQ(refusal([&] { engine.candles(arrays); }), "low must be as long as the times (1), had 0");
}

// --- several streams ---------------------------------------------------------------------------------------------

TEST(EngineFeed, AtEqualTimesMarkThenTradeThenCandleThenOpenInterest) {
  // Each order leaves another trace with the mark trigger.
  EngineOptions options = windows_of(1'000);
  options.trigger = Trigger::mark;
  Tape trade;
  trade.push(69, 1000, 3, kBuy);
  Samples mark, open_interest;
  mark.push(69, 985);
  open_interest.push(69, 50);
  CandleColumns candle;
  candle.push(10, 1000, 1020, 980, 1000);
  Feed feed;
  feed.trades = trade.all();
  feed.marks = mark.all();
  feed.candles = candle.without_volumes();
  feed.open_interest = open_interest.all();

  Engine mark_trigger = ten_and_hundred(options);
  mark_trigger.feed(feed);
  EXPECT_EQ(mark_trigger.stats().accounts[kLong100].unresolved.whole(), 3);  // the mark came first
  EXPECT_EQ(mark_trigger.stats().accounts[kLong100].liquidated.whole(), 0);

  options.trigger = Trigger::candle;
  Engine candle_trigger = ten_and_hundred(options);
  candle_trigger.feed(feed);
  EXPECT_EQ(candle_trigger.stats().accounts[kLong100].liquidated.whole(), 3);  // the candle came after the trade
  Segment open;
  ASSERT_TRUE(candle_trigger.peek(open));
  EXPECT_EQ(open.candle.open, 1000);
  EXPECT_EQ(open.candle.low, 980);
  EXPECT_EQ(open.open_interest, 50);
}

TEST(EngineFeed, MergedStreamsEqualTheirEventsOneByOne) {
  for (const Trigger trigger : {Trigger::last, Trigger::mark, Trigger::candle})
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      EngineOptions options = windows_of(1'000);
      options.trigger = trigger;
      options.axis = PriceAxis{0, 10, 5'000};
      const Tape tape = support::random_tape(seed, 1'500, true);
      Random random{seed};
      Samples marks, samples;
      CandleColumns candles;
      for (std::size_t i = 0; i < tape.size(); i += static_cast<std::size_t>(random(1, 60)))
        if (tape.price[i] > 0) marks.push(tape.ts[i] + random(-2, 2), std::floor(tape.price[i]) + 0.5);
      for (std::size_t i = 0; i < tape.size(); i += static_cast<std::size_t>(random(1, 200)))
        samples.push(tape.ts[i], static_cast<double>(random(0, 99)));
      for (std::size_t i = 0; i < tape.size(); i += static_cast<std::size_t>(random(1, 120)))
        if (tape.price[i] > 0) {
          const double p = std::floor(tape.price[i]);
          candles.push(tape.ts[i] - random(0, 60), p, p + 4, p - 5, p - 1);
        }
      std::sort(marks.ts.begin(), marks.ts.end());
      std::sort(candles.ts.begin(), candles.ts.end());

      Engine merged{whole(0.004), tiers({2, 10, 100}), options}, single = merged.clone();
      Feed feed;
      feed.trades = tape.all();
      feed.marks = marks.all();
      feed.candles = candles.without_volumes();
      feed.open_interest = samples.all();
      const Stats stats = merged.feed(feed);

      // The heads of the four streams, the earliest first; at equal times in the order of the streams.
      std::size_t at[4] = {};
      const std::size_t size[4] = {marks.ts.size(), tape.size(), candles.ts.size(), samples.ts.size()};
      const auto time = [&](int stream) {
        const std::size_t i = at[stream];
        return stream == 0   ? marks.ts[i]
               : stream == 1 ? tape.ts[i]
               : stream == 2 ? candles.ts[i] + candles.interval - 1
                             : samples.ts[i];
      };
      while (true) {
        int next = -1;
        for (int stream = 0; stream < 4; ++stream)
          if (at[stream] < size[stream] && (next < 0 || time(stream) < time(next))) next = stream;
        if (next < 0) break;
        const std::size_t i = at[next]++;
        if (next == 0) single.mark(marks.ts[i], marks.value[i]);
        if (next == 1) single.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
        if (next == 2) {
          CandleColumns one;
          one.push(candles.ts[i], candles.open[i], candles.high[i], candles.low[i], candles.close[i]);
          single.candles(one.without_volumes());
        }
        if (next == 3) single.open_interest(samples.ts[i], samples.value[i]);
      }
      ASSERT_EQ(state_of(merged), state_of(single)) << "seed " << seed;
      EXPECT_EQ(stats.rows, tape.size() + marks.ts.size() + candles.ts.size() + samples.ts.size());
      EXPECT_EQ(stats.rows, stats.used + stats.rejected_total());
    }
}

TEST(EngineFeed, RefusesColumnsOfDifferentLengthsBeforeAnything) {
  Engine engine = ten_and_hundred();
  Tape tape;
  tape.push(10, 1000, 1, kBuy);
  TradeArrays trades = tape.all();
  trades.qty = {};
  EXPECT_EQ(refusal([&] { engine.trades(trades); }), "qty must be as long as the times (1), had 0");
  trades = tape.all();
  trades.price = {};
  EXPECT_EQ(refusal([&] { engine.trades(trades); }), "price must be as long as the times (1), had 0");
  trades = tape.all();
  trades.taker_sell = {};
  EXPECT_EQ(refusal([&] { engine.trades(trades); }), "taker_sell must be as long as the times (1), had 0");
  EXPECT_EQ(refusal([&] { engine.marks({tape.ts, {}}); }), "price (of marks) must be as long as the times (1), had 0");
  EXPECT_EQ(refusal([&] { engine.open_interest({tape.ts, {}}); }),
            "quantity (of open interest) must be as long as the times (1), had 0");
  EXPECT_EQ(engine.clock(), std::nullopt);
}

TEST(EngineFeed, NothingIsNothing) {
  Engine engine = ten_and_hundred();
  const Stats stats = engine.feed({});
  EXPECT_EQ(stats.rows, 0U);
  EXPECT_EQ(engine.clock(), std::nullopt);
}

TEST(EngineFeed, ReturnsWhatTheCallDid) {
  Engine engine = ten_and_hundred();
  Tape tape;
  tape.push(10, 1000, 3, kBuy);
  tape.push(11, NAN, 3, kBuy);
  tape.push(12, 1000, 2.5, kSell);
  Stats total = engine.trades(tape.all());
  EXPECT_EQ(total.rows, 3U);
  EXPECT_EQ(total.used, 2U);
  EXPECT_EQ(total.rounded_qty, 1U);
  EXPECT_EQ(total.accounts[kLong10].opened.whole(), 3);
  EXPECT_EQ(total.accounts[kShort10].opened.whole(), 2);
  Tape more;
  more.push(13, 985, 7, kBuy);
  const Stats second = engine.trades(more.all());
  EXPECT_EQ(second.rows, 1U);
  EXPECT_EQ(second.accounts[kLong100].opened.whole(), 7);
  EXPECT_EQ(second.accounts[kLong100].liquidated.whole(), 3);
  EXPECT_EQ(second.accounts[kLong100].live.whole(), 4);  // 7 came, 3 went
  total += second;
  EXPECT_EQ(total, engine.stats());
}

TEST(EngineFeed, AnyByteButZeroMeansTheTakerSold) {
  Engine bytes = ten_and_hundred(), bools = ten_and_hundred();
  Tape tape;
  for (int i = 0; i < 60; ++i) tape.push(10 + i, 1000 + i % 3, 1 + i % 4, i % 2 == 0);
  bools.trades(tape.all());
  for (std::size_t i = 0; i < tape.size(); ++i)
    if (tape.sell[i] != 0) tape.sell[i] = static_cast<std::uint8_t>(i + 2);
  bytes.trades(tape.all());
  EXPECT_EQ(state_of(bytes), state_of(bools));
}

// --- any split gives the same bits -------------------------------------------------------------------------------

namespace {

using SplitCase = support::RunCase;

class EngineSplits : public ::testing::TestWithParam<SplitCase> {};

void feed_in_parts(Engine& engine, const Tape& tape, std::uint64_t seed, std::int64_t longest) {
  Random random{seed};
  for (std::size_t begin = 0; begin < tape.size();) {
    const std::size_t end = std::min(tape.size(), begin + static_cast<std::size_t>(random(0, random(1, longest))));
    engine.trades(tape.view(begin, end));
    begin = end;
  }
}

}  // namespace

TEST_P(EngineSplits, IntoBatchesOrSingleTradesGiveIdenticalBits) {
  for (std::uint64_t seed = 1; seed <= (support::long_sizes() ? 2 : 1); ++seed)
    for (const bool bad_rows : {false, true}) {
      const Tape tape = GetParam().in_units(support::random_tape(seed, 1'500, bad_rows, support::walk()));
      Engine at_once = GetParam().engine();
      at_once.trades(tape.all());
      const State expected = state_of(at_once);
      ASSERT_GT(expected.closed.size(), GetParam().keep ? 0U : 10U);
      EXPECT_EQ(expected.stats.rejected_total() > 0, bad_rows);

      Engine single = GetParam().engine();
      for (std::size_t i = 0; i < tape.size(); ++i)
        single.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
      ASSERT_EQ(state_of(single), expected) << "one by one, seed " << seed;

      for (const std::int64_t longest : {3, 60, 700}) {
        Engine parts = GetParam().engine();
        feed_in_parts(parts, tape, seed, longest);
        ASSERT_EQ(state_of(parts), expected) << "parts of up to " << longest << ", seed " << seed;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(
    All, EngineSplits,
    ::testing::Values(SplitCase{.name = "TriggerLast"}, SplitCase{.name = "TriggerMark", .trigger = Trigger::mark},
                      SplitCase{.name = "TriggerCandle", .trigger = Trigger::candle},
                      SplitCase{.name = "MakerShare", .maker_share = 0.3},
                      SplitCase{.name = "OneTickBins", .ticks_per_bin = 1},
                      SplitCase{.name = "CoarseBins", .ticks_per_bin = 250},
                      SplitCase{.name = "AxisThatThePriceLeaves", .axis = PriceAxis{9'000, 10, 200}},
                      SplitCase{.name = "KeepsThree", .keep = 3}, SplitCase{.name = "ModelNone", .model = Model::none},
                      SplitCase{.name = "DecimalTicksAndLots", .per_unit = 10.0, .per_lot = 1'000.0},
                      SplitCase{.name = "TinyTicks", .per_unit = 1e8, .per_lot = 1e5}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(EngineSplit, OfManyRowsInOneWindowGivesIdenticalBits) {
  // More rows than a block of the batch path holds, almost all of them in one window.
  EngineOptions options = windows_of(10'000'000);
  options.axis = std::nullopt;
  Engine at_once{whole(0.004), tiers({5, 25, 100}), options}, single = at_once.clone();
  const Tape tape = support::random_tape(9, 40'000, false);
  at_once.trades(tape.all());
  for (std::size_t i = 0; i < tape.size(); ++i) single.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
  EXPECT_EQ(state_of(single), state_of(at_once));
}

namespace {

/// Rows for several stretches of whole windows on every thread; bad ones, too, but none late, which only one thread
/// takes.
Tape long_tape(std::uint64_t seed, bool bad_rows) {
  Tape tape = support::random_tape(seed, support::long_sizes() ? 140'000 : 80'000, bad_rows, support::walk());
  for (std::size_t i = 1; i < tape.size(); ++i) tape.ts[i] = std::max(tape.ts[i], tape.ts[i - 1]);
  return tape;
}

}  // namespace

TEST_P(EngineSplits, AmongThreadsGivesIdenticalBits) {
  const Tape tape = GetParam().in_units(long_tape(21, true));
  Engine one = GetParam().engine();
  one.mark(0, 9'000.0 / GetParam().per_unit);
  const Stats first = one.trades(tape.all());
  EXPECT_GT(first.rejected_total(), 0U);
  const State expected = state_of(one);
  EngineOptions options = one.options();
  options.threads = 3;
  Engine several{one.instrument(), one.leverage(), options};
  several.mark(0, 9'000.0 / GetParam().per_unit);
  EXPECT_EQ(several.trades(tape.all()), first);
  EXPECT_EQ(state_of(several), expected);
}

TEST(EngineThreads, AHookSeesEveryWindowInOrderWithTheLevelsOfItsEnd) {
  const Tape tape = long_tape(22, false);
  std::vector<std::pair<std::int64_t, std::vector<LevelMap>>> seen[2];
  for (const std::size_t threads : {1, 2}) {
    EngineOptions options = windows_of(100'000);
    options.axis = std::nullopt;
    options.ticks_per_bin = 50;
    options.threads = threads;
    Engine engine{whole(0.004), tiers({5, 25, 100}), options};
    engine.on_column([&](const Segment& segment) {
      std::vector<LevelMap> cells = live(*engine.book());
      for (std::size_t layer = 0; layer < 6; ++layer) {
        LevelMap taken;
        const auto& liquidated = engine.book()->liquidated();
        for (std::int64_t bin = liquidated.range(layer).low; bin < liquidated.range(layer).high; ++bin)
          if (liquidated.at(layer, bin) != 0.0) taken[bin] = liquidated.at(layer, bin);
        cells.push_back(taken);
      }
      seen[threads - 1].emplace_back(segment.end_ns, std::move(cells));
    });
    engine.trades(tape.all());
  }
  EXPECT_GT(seen[0].size(), 10U);
  EXPECT_EQ(seen[0], seen[1]);
}

TEST(EngineThreads, WithHalfLifeLevelsAndWindowsAreIdenticalAndTheAccountsAgreeWithinRounding) {
  const Tape tape = long_tape(23, false);
  EngineOptions options;
  options.window_ns = 20'000;
  options.half_life_ns = {1e6, 3e5, 5e4};
  Engine one{whole(0.004), tiers({5, 25, 100}), options};
  options.threads = 2;
  Engine two{whole(0.004), tiers({5, 25, 100}), options};
  one.trades(tape.all());
  two.trades(tape.all());
  const State a = state_of(one), b = state_of(two);
  EXPECT_EQ(a.live, b.live);
  EXPECT_EQ(a.closed, b.closed);
  for (std::size_t layer = 0; layer < a.stats.accounts.size(); ++layer) {
    const Account &x = a.stats.accounts[layer], &y = b.stats.accounts[layer];
    EXPECT_EQ(x.opened, y.opened);
    EXPECT_NEAR(x.liquidated.value(), y.liquidated.value(), 1e-12 * x.opened.value());
    EXPECT_NEAR(x.closed.value(), y.closed.value(), 1e-12 * x.opened.value());
    EXPECT_NEAR(y.imbalance(), 0.0, 1e-12 * x.opened.value());
  }
}

TEST(EngineThreads, TheirNumberIsChecked) {
  EngineOptions options;
  options.threads = 0;
  EXPECT_EQ(refusal([&] { Engine(whole(), tiers({10}), options); }), "threads must be between 1 and 256, was 0");
  options.threads = 257;
  EXPECT_EQ(refusal([&] { Engine(whole(), tiers({10}), options); }), "threads must be between 1 and 256, was 257");
}

TEST(EngineSplit, WithHalfLifeTheLevelsAreIdenticalAndTheAccountsAgreeWithinRounding) {
  EngineOptions options;
  options.window_ns = 1'000;
  options.half_life_ns = {1e5, 3e4, 5e3};
  Engine at_once{whole(0.004), tiers({5, 25, 100}), options}, parts = at_once.clone(), single = at_once.clone();
  const Tape tape = support::random_tape(10, 3'000, true);
  at_once.trades(tape.all());
  feed_in_parts(parts, tape, 10, 90);
  for (std::size_t i = 0; i < tape.size(); ++i) single.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
  const State expected = state_of(at_once);
  for (const Engine* engine : {&parts, &single}) {
    const State state = state_of(*engine);
    EXPECT_EQ(state.live, expected.live);
    EXPECT_EQ(state.closed, expected.closed);
    EXPECT_EQ(state.stats.used, expected.stats.used);
    for (std::size_t layer = 0; layer < 6; ++layer) {
      const Account& a = state.stats.accounts[layer];
      const Account& b = expected.stats.accounts[layer];
      const double tolerance = 1e-12 * b.opened.value();
      EXPECT_EQ(a.opened, b.opened);
      EXPECT_NEAR(a.liquidated.value(), b.liquidated.value(), tolerance);
      EXPECT_NEAR(a.closed.value(), b.closed.value(), tolerance);
      EXPECT_NEAR(a.imbalance(), 0.0, tolerance);
    }
  }
}

// --- the rules after every event ---------------------------------------------------------------------------------

namespace {

/// No live long at or above the lowest bin of the last trigger, no live short at or below its highest; every lot is
/// somewhere, and what is live is in the levels.
void check_rules(const Engine& engine, std::optional<LevelBook::Reached> trigger) {
  const LevelBook& book = *engine.book();
  const std::vector<Account> accounts = engine.stats().accounts;
  const std::vector<LevelMap> all = live(book);
  for (std::size_t layer = 0; layer < 2 * book.tiers(); ++layer) {
    const LevelMap& levels = all[layer];
    ASSERT_EQ(accounts[layer].imbalance(), 0.0);
    ASSERT_EQ(accounts[layer].live.value(), sum(levels));
    if (levels.empty() || !trigger) continue;
    if (layer < book.tiers()) {
      ASSERT_LT(levels.rbegin()->first, trigger->low_bin);
    } else {
      ASSERT_GT(levels.begin()->first, trigger->high_bin);
    }
  }
}

}  // namespace

TEST(EngineRules, HoldAfterEveryTradeAndMark) {
  for (const Trigger trigger : {Trigger::last, Trigger::mark}) {
    EngineOptions options = windows_of(1'000);
    options.trigger = trigger;
    options.axis = PriceAxis{5'000, 50, 200};  // [5,000, 15,000): prices leave it
    Engine engine{whole(0.004), tiers({1, 2, 10, 125}), options};
    const Tape tape = support::random_tape(11, 900, true);
    std::optional<LevelBook::Reached> last;
    Random random{11};
    for (std::size_t i = 0; i < tape.size(); ++i) {
      const auto reached = [](double price) {
        const auto bin = static_cast<std::int64_t>(std::nearbyint(price)) / 50;
        return LevelBook::Reached{bin, bin};
      };
      if (random.one_in(4)) {
        const double price = std::isnan(tape.price[i]) ? 10'000.0 : tape.price[i] + 7.5;
        if (engine.mark(tape.ts[i], price) == Reject::none && trigger == Trigger::mark) last = reached(price);
        ASSERT_NO_FATAL_FAILURE(check_rules(engine, last)) << "mark " << i;
      }
      if (engine.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0) == Reject::none &&
          trigger == Trigger::last)
        last = reached(tape.price[i]);
      ASSERT_NO_FATAL_FAILURE(check_rules(engine, last)) << "trade " << i;
    }
  }
}

TEST(EngineRules, HoldAfterEveryCandle) {
  Random random{12};
  EngineOptions options = windows_of(1'000);
  options.axis = PriceAxis{5'000, 50, 200};
  Engine engine{whole(0.004), tiers({1, 2, 10, 125}), options};
  std::int64_t price = 10'000, ts = 0;
  for (int i = 0; i < 400; ++i) {
    const std::int64_t open = price, close = price + random(-300, 300);
    const std::int64_t low = std::min(open, close) - random(0, 200), high = std::max(open, close) + random(0, 200);
    CandleColumns candle;
    candle.push(ts, static_cast<double>(open), static_cast<double>(high), static_cast<double>(low),
                static_cast<double>(close), static_cast<double>(random(0, 99)), static_cast<double>(random(0, 99)));
    ASSERT_EQ(engine.candles(candle.with_volumes()).used, 1U);
    ASSERT_NO_FATAL_FAILURE(check_rules(engine, LevelBook::Reached{low / 50, high / 50})) << "candle " << i;
    ts += 60;
    price = std::clamp<std::int64_t>(close, 6'000, 14'000);
  }
}

TEST(EngineRules, EveryEventEqualsABookOfMaps) {
  for (const Trigger trigger : {Trigger::last, Trigger::mark, Trigger::candle})
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const auto leverage = tiers({1, 2, 10, 50, 125});
      EngineOptions options;
      options.window_ns = 1'000;
      options.trigger = trigger;
      options.ticks_per_bin = 20;
      Engine engine{whole(0.004), leverage, options};
      MapBook oracle{whole(0.004), leverage, 20, 0, LevelBook::kAutomaticBins};
      std::optional<LevelBook::Reached> mark;
      const Tape tape = support::random_tape(seed, 1'500, true);
      Random random{seed};
      const auto reached = [&] { return trigger == Trigger::mark ? mark : std::nullopt; };
      for (std::size_t i = 0; i < tape.size(); ++i) {
        if (engine.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0) == Reject::none) {
          const auto tick = static_cast<std::int64_t>(tape.price[i]);
          if (trigger == Trigger::last) oracle.touch(tick, tick);
          oracle.open(tape.sell[i] != 0 ? Side::short_ : Side::long_, tick, std::nearbyint(tape.qty[i]), reached());
        }
        if (random.one_in(20) && engine.clock()) {
          const std::int64_t tick = 10'000 + random(-900, 900);
          engine.mark(*engine.clock(), static_cast<double>(tick) + 0.25);
          mark = LevelBook::Reached{tick / 20, tick / 20};
          if (trigger == Trigger::mark) oracle.touch(tick, tick);
        }
        if (random.one_in(20) && engine.clock()) {
          const std::int64_t low = 10'000 + random(-900, 900), high = low + random(0, 300);
          CandleColumns candle;
          candle.interval = 1;
          const auto l = static_cast<double>(low), h = static_cast<double>(high);
          candle.push(*engine.clock(), l, h, l, h);
          engine.candles(candle.without_volumes());
          if (trigger != Trigger::mark) oracle.touch(low, high);
        }
        if (i % 25 == 0 && engine.book() != nullptr) {
          ASSERT_EQ(live(*engine.book()), oracle.live()) << "row " << i;
        }
      }
      ASSERT_EQ(live(*engine.book()), oracle.live());
      ASSERT_EQ(support::totals_of(engine.stats().accounts), oracle.totals());
    }
}

// --- the axis ----------------------------------------------------------------------------------------------------

TEST(EngineAxis, IsChosenFromTheFirstPriceAlone) {
  const auto step = [](double price) {
    EngineOptions options;
    Engine engine{whole(), tiers({10}), options};
    EXPECT_EQ(engine.axis(), std::nullopt);
    EXPECT_EQ(engine.book(), nullptr);
    engine.trade(0, price, 1, kBuy);
    return engine.book()->bin_rule().ticks_per_bin();
  };
  EXPECT_EQ(step(5), 1);
  EXPECT_EQ(step(9'999), 1);
  EXPECT_EQ(step(19'999), 1);
  EXPECT_EQ(step(20'000), 2);
  EXPECT_EQ(step(50'000), 5);
  EXPECT_EQ(step(635'000), 50);  // 63,500.0 in ticks of 0.1: steps of 5 dollars
  EXPECT_EQ(step(1'000'000), 100);
}

TEST(EngineAxis, GrowingItEqualsAFixedOne) {
  EngineOptions automatic;
  automatic.window_ns = 1'000;
  automatic.ticks_per_bin = 10;
  EngineOptions fixed = automatic;
  fixed.axis = PriceAxis{0, 10, 20'480};
  Engine a{whole(0.004), tiers({2, 10, 100}), automatic}, b{whole(0.004), tiers({2, 10, 100}), fixed};
  const Tape tape = support::random_tape(13, 3'000, true);
  a.trades(tape.all());
  b.trades(tape.all());
  State x = state_of(a), y = state_of(b);
  EXPECT_LT(x.axis->size(), y.axis->size());
  EXPECT_EQ(y.axis, fixed.axis);
  x.axis = y.axis;
  EXPECT_EQ(x, y);
}

TEST(EngineAxis, EdgesAreMultiplesOfTheStepHoweverFarItGrew) {
  Engine engine{whole(), tiers({2, 100}), {}};
  for (const double price : {10'000.0, 70'000.0, 300.0, 500'000.0}) {
    engine.trade(0, price, 1, kBuy);
    engine.trade(0, price, 1, kSell);
    const PriceAxis axis = *engine.axis();
    EXPECT_EQ(axis.low_tick() % axis.ticks_per_bin(), 0);
    EXPECT_EQ(axis.first_bin(), engine.book()->first_bin());
    EXPECT_EQ(axis.size(), engine.book()->width());
  }
}

// --- half-life ---------------------------------------------------------------------------------------------------

TEST(EngineHalfLife, HalvesTheLevelsAfterIt) {
  EngineOptions options = windows_of(100);
  options.half_life_ns = {200, INFINITY};  // two windows; never
  Engine engine = ten_and_hundred(options);
  engine.trade(0, 1000, 1024, kBuy);
  engine.advance(100);
  EXPECT_NEAR(sum(live(*engine.book(), kLong10)), 1024.0 * std::sqrt(0.5), 1e-9);
  engine.advance(200);
  EXPECT_NEAR(sum(live(*engine.book(), kLong10)), 512.0, 1e-9);
  EXPECT_EQ(sum(live(*engine.book(), kLong100)), 1024.0);
  EXPECT_NEAR(engine.stats().accounts[kLong10].closed.value(), 512.0, 1e-9);
  EXPECT_EQ(engine.stats().accounts[kLong100].closed.value(), 0.0);
}

TEST(EngineHalfLife, ActsAtAWindowsEndNotWithinIt) {
  Engine engine = ten_and_hundred(with(&EngineOptions::half_life_ns, {100, 100}));
  engine.trade(0, 1000, 8, kBuy);
  engine.trade(99, 1000, 8, kBuy);
  EXPECT_EQ(sum(live(*engine.book(), kLong10)), 16.0);
  engine.advance(100);
  EXPECT_EQ(sum(live(*engine.book(), kLong10)), 8.0);
  EXPECT_EQ(engine.history()->segment(0).scale[0], (std::vector<double>{0.5, 0.5}));
}

TEST(EngineHalfLife, EndsEveryLevelInALongGap) {
  Engine engine = ten_and_hundred(with(&EngineOptions::half_life_ns, {100, 100}));
  engine.trade(0, 1000, 1'000, kBuy);
  engine.advance(1'200);  // 12 windows: 1000 / 2^12 is below half a lot
  EXPECT_TRUE(live(*engine.book(), kLong10).empty());
  EXPECT_EQ(engine.stats().accounts[kLong10].closed.value(), 1'000.0);
}

// --- the verbs ---------------------------------------------------------------------------------------------------

TEST(EngineVerbs, ActAtTheEnginesClock) {
  Engine engine = ten_and_hundred(with(&EngineOptions::model, Model::none));
  engine.advance(250);
  engine.open(Side::long_, 1000, 8);
  engine.open(Side::short_, 1000, 4);
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 8}}));
  engine.scale(std::vector<double>(4, 0.5));
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 4}}));
  engine.touch(985, 1000);
  EXPECT_TRUE(live(*engine.book(), kLong100).empty());
  EXPECT_EQ(live(*engine.book(), kShort100), (LevelMap{{101, 2}}));
  engine.advance(300);
  EXPECT_EQ(starts(engine), (std::vector<std::int64_t>{200}));
  EXPECT_EQ(engine.stats().rows, 0U);
}

TEST(EngineVerbs, RoundPricesToTheTickAndQuantitiesToTheLot) {
  Engine engine = two();
  engine.advance(0);
  engine.open(Side::long_, 1000.4, 2.6);
  EXPECT_EQ(live(*engine.book(), 0), (LevelMap{{500, 3}}));
}

TEST(EngineVerbs, OpenMustLieBeyondTheLastMark) {
  Engine engine = ten_and_hundred(windows_of(100, Trigger::mark));
  engine.mark(0, 985);
  engine.open(Side::long_, 1000, 2);
  EXPECT_EQ(engine.stats().accounts[kLong100].unresolved.whole(), 2);
}

TEST(EngineVerbs, NeedAClock) {
  const std::string message = "the engine has no clock yet: call advance(ts) before the verbs";
  Engine engine = ten_and_hundred();
  EXPECT_EQ(refusal([&] { engine.open(Side::long_, 1000, 2); }), message);
  EXPECT_EQ(refusal([&] { engine.touch(1000, 1000); }), message);
  EXPECT_EQ(refusal([&] { engine.scale(std::vector<double>(4, 0.5)); }), message);
}

TEST(EngineVerbs, RefuseWrongArguments) {
  Engine engine = ten_and_hundred();
  engine.advance(0);
  EXPECT_EQ(refusal([&] { engine.open(Side::long_, NAN, 2); }),
            "price must be a price of at least one tick and below 2^31 ticks, was nan");
  EXPECT_EQ(refusal([&] { engine.open(Side::long_, 0, 2); }),
            "price must be a price of at least one tick and below 2^31 ticks, was 0");
  EXPECT_EQ(refusal([&] { engine.open(Side::long_, 1000, 0); }),
            "qty must be finite, above 0 and at most 2^48 lots, was 0");
  EXPECT_EQ(refusal([&] { engine.open(Side::long_, 1000, INFINITY); }),
            "qty must be finite, above 0 and at most 2^48 lots, was inf");
  EXPECT_EQ(refusal([&] { engine.touch(-1, 1000); }),
            "low must be a price of at least one tick and below 2^31 ticks, was -1");
  EXPECT_EQ(refusal([&] { engine.touch(1000, 1e10); }),
            "high must be a price of at least one tick and below 2^31 ticks, was 10000000000");
  EXPECT_EQ(refusal([&] { engine.touch(1001, 1000); }), "high must be at least low (1001), was 1000");
  const std::string number = "factors must hold one value per side and tier (4), had 1";
  EXPECT_EQ(refusal([&] { engine.scale(std::vector<double>{0.5}); }), number);  // even before the first price
  EXPECT_EQ(engine.book(), nullptr);
  engine.open(Side::long_, 1000, 2);
  EXPECT_EQ(refusal([&] { engine.scale(std::vector<double>{0.5}); }), number);
}

TEST(EngineVerbs, OpenMustLieBeyondTheLastTouch) {
  Engine engine = ten_and_hundred();
  engine.trade(0, 1000, 1, kSell);
  engine.open(Side::long_, 1009, 2);  // 998.91: below the bin of the trade
  engine.open(Side::long_, 1012, 4);  // 1001.88: in it
  EXPECT_EQ(live(*engine.book(), kLong100), (LevelMap{{99, 2}}));
  EXPECT_EQ(engine.stats().accounts[kLong100].unresolved.whole(), 4);
}

// --- checkpoints -------------------------------------------------------------------------------------------------

TEST(EngineCheckpoint, AnEngineGoesOnBitForBitWhereAnotherStood) {
  for (const Trigger trigger : {Trigger::last, Trigger::mark})
    for (const bool half_life : {false, true})
      for (const std::optional<std::size_t> keep : {std::optional<std::size_t>{}, std::optional<std::size_t>{3}}) {
        EngineOptions options;
        options.window_ns = 1'000;
        options.trigger = trigger;
        options.keep = keep;
        options.maker_share = 0.25;
        if (half_life) options.half_life_ns = {1e5, 3e4, 5e3};
        const Engine fresh{whole(0.004), tiers({5, 25, 100}), options};
        const Tape tape = support::random_tape(14, 2'000, true);
        const auto feed = [&](Engine& engine, std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            if (i % 30 == 0) engine.mark(tape.ts[i], 10'000.0 + static_cast<double>(i % 70));
            engine.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
          }
        };
        Engine through = fresh.clone();
        std::size_t done = 0;
        for (const std::size_t stop : {1U, 40U, 777U, 1'500U}) {
          feed(through, done, stop);
          done = stop;
          Engine restored = fresh.clone();
          restored.restore(through.checkpoint());
          ASSERT_EQ(state_of(restored), state_of(through)) << "at " << stop;
          Engine other = through.clone();
          feed(restored, stop, tape.size());
          feed(other, stop, tape.size());
          ASSERT_EQ(support::seen(restored), support::seen(other)) << "from " << stop;
        }
      }
}

TEST(EngineCheckpoint, KnowsTheLastTouchAndWhatWasFed) {
  Engine engine = ten_and_hundred();
  engine.trade(0, 1000, 1, kSell);
  const liqcore::Checkpoint checkpoint = engine.checkpoint();
  ASSERT_TRUE(checkpoint.triggered.has_value());
  EXPECT_EQ(checkpoint.triggered->low, 1000);
  EXPECT_EQ(checkpoint.clock_ns, 0);
  EXPECT_TRUE(checkpoint.used_trades);
  Engine restored = ten_and_hundred();
  restored.restore(checkpoint);
  CandleColumns candles;
  candles.push(0, 1000, 1000, 1000, 1000, 8, 4);  // the trade is in it
  EXPECT_NE(refusal([&] { restored.candles(candles.with_volumes()); }), "");
}

TEST(EngineCheckpoint, RefusesWhatCannotWork) {
  Engine engine = ten_and_hundred();
  engine.trade(0, 1000, 1, kSell);
  const liqcore::Checkpoint checkpoint = engine.checkpoint();
  EXPECT_EQ(refusal([&] { engine.restore(checkpoint); }), "an engine must be restored before it is fed");
  Engine other_window = ten_and_hundred(windows_of(200));
  EXPECT_EQ(refusal([&] { other_window.restore(checkpoint); }),
            "a checkpoint must be of the same instrument, bins, window and number of tiers");
  liqcore::Checkpoint closed = checkpoint;
  closed.open.reset();
  Engine fresh = ten_and_hundred();
  EXPECT_EQ(refusal([&] { fresh.restore(closed); }), "a checkpoint must hold the unfinished window");
}

TEST(EngineCheckpoint, OfAnotherKindOfEngineIsRefusedByName) {
  const auto made = [](const LeverageProfile& leverage, auto&& change) {
    EngineOptions options;
    options.window_ns = 1'000;
    options.model = Model::blend;
    change(options);
    return Engine(whole(0.004), leverage, options);
  };
  const LeverageProfile leverage = tiers({10, 100});
  Engine engine = made(leverage, [](EngineOptions&) {});
  engine.trade(0, 1000, 1, kSell);
  const liqcore::Checkpoint checkpoint = engine.checkpoint();
  const auto said = [&](Engine other) {
    const std::string text = refusal([&] { other.restore(checkpoint); });
    EXPECT_EQ(other.book(), nullptr);
    EXPECT_FALSE(other.clock().has_value());
    return text;
  };
  EXPECT_EQ(said(made(leverage, [](EngineOptions& o) { o.model = Model::oi; })),
            "a checkpoint must be of the same model: this engine has oi, it is of blend");
  EXPECT_EQ(said(made(leverage, [](EngineOptions& o) { o.trigger = Trigger::mark; })),
            "a checkpoint must be of the same trigger: this engine has mark, it is of last");
  EXPECT_EQ(said(made(leverage, [](EngineOptions& o) { o.half_life_ns = {1e9, 1e9}; })),
            "a checkpoint must be of the same half_life: this engine has 1000000000 1000000000, it is of none");
  EXPECT_EQ(said(made(leverage, [](EngineOptions& o) { o.model_options.churn = 0.5; })),
            "a checkpoint must be of the same churn: this engine has 0.5, it is of 0.1");
  EXPECT_EQ(said(made(leverage, [](EngineOptions& o) { o.model_options.taker_tilt = 0.5; })),
            "a checkpoint must be of the same taker_tilt: this engine has 0.5, it is of 0");
  EXPECT_EQ(said(made(leverage, [](EngineOptions& o) { o.model_options.reconciled = true; })),
            "a checkpoint must be of the same reconciled: this engine has true, it is of false");
  EXPECT_EQ(said(made(tiers({10, 50}), [](EngineOptions&) {})),
            "a checkpoint must be of the same leverage: this engine has 10 50, it is of 10 100");
  EXPECT_EQ(said(made(leverage, [](EngineOptions& o) { o.axis = PriceAxis{0, 1, 2'000}; })),
            "a checkpoint must be of the same axis: this engine has bins 0 to 1999, it is of automatic");
  EXPECT_EQ(said(Engine(whole(0.001), leverage, engine.options())).substr(0, 41),
            "a checkpoint must be of the same margin: ");
}

TEST(EngineCheckpoint, OfAnotherFixedAxisIsRefusedWhoeverMadeIt) {
  const auto with = [](PriceAxis axis) {
    EngineOptions options;
    options.axis = axis;
    return Engine(whole(0.004), tiers({2, 10}), options);
  };
  Engine wide = with({0, 10, 2'000});
  for (std::int64_t i = 0; i < 100; ++i) wide.trade(i, 6'000, 1, i % 2 == 0);
  liqcore::Checkpoint checkpoint = wide.checkpoint();
  Engine narrow = with({5'000, 10, 200});
  EXPECT_NE(refusal([&] { narrow.restore(checkpoint); }).find("same axis"), std::string::npos);
  checkpoint.kind.clear();  // as files of 0.1.0 have it: then the bins themselves tell
  EXPECT_EQ(refusal([&] { narrow.restore(checkpoint); }),
            "an engine must be restored with its own axis, bins 500 to 699, had 0 to 1999");
  EXPECT_EQ(narrow.book(), nullptr);
}

TEST(EngineCheckpoint, ThatCannotBeLeavesTheEngineAsItWas) {
  Engine engine = ten_and_hundred();
  engine.trade(0, 1000, 1, kSell);
  liqcore::Checkpoint broken = engine.checkpoint();
  broken.stats.accounts.pop_back();
  Engine other = ten_and_hundred();
  EXPECT_NE(refusal([&] { other.restore(broken); }), "");
  EXPECT_EQ(other.book(), nullptr);
  EXPECT_EQ(other.history(), nullptr);
  Tape tape;
  for (std::int64_t i = 0; i < 2'000; ++i) tape.push(i, 1000, 1, i % 2 == 0);
  EXPECT_EQ(other.trades(tape.all()).used, 2'000U);
  other = ten_and_hundred();
  other.restore(engine.checkpoint());
  EXPECT_EQ(support::seen(other), support::seen(engine));
}

TEST(EngineCheckpoint, PollingGoesOnWithTheSameCount) {
  EngineOptions options = windows_of(1'000);
  options.keep = 2;
  Engine engine = ten_and_hundred(options);
  for (std::int64_t i = 0; i < 10; ++i) engine.trade(1'000 * i, 1000, 1, kBuy);
  Engine restored = ten_and_hundred(options);
  restored.restore(engine.checkpoint());
  EXPECT_EQ(restored.history()->total(), 9U);
  EXPECT_EQ(restored.history()->size(), 2U);
  options.keep = 1;
  Engine shorter = ten_and_hundred(options);
  shorter.restore(engine.checkpoint());
  EXPECT_EQ(shorter.history()->total(), 9U);
  EXPECT_EQ(shorter.history()->size(), 1U);
  restored.advance(20'000);
  shorter.advance(20'000);
  EXPECT_EQ(live(*shorter.book()), live(*restored.book()));
}

TEST(EngineCheckpoint, TouchStepsComeOutTheSameAfterAScaleOfOneSide) {
  Engine engine = ten_and_hundred();
  engine.trade(0, 1000, 1, kBuy);
  static_cast<void>(engine.book());
  const std::vector<double> longs_only{0.5, 0.5, 1.0, 1.0};
  engine.touch(1000, 1000);
  engine.scale(longs_only);
  engine.touch(1000, 1010);
  engine.scale(longs_only);
  Engine restored = ten_and_hundred();
  restored.restore(engine.checkpoint());
  for (Engine* each : {&engine, &restored}) each->touch(1000, 1020);
  Segment open, again;
  ASSERT_TRUE(engine.peek(open) && restored.peek(again));
  EXPECT_EQ(open, again);
}

// --- options -----------------------------------------------------------------------------------------------------

namespace {

template <class Change>
std::string refused_option(Change&& change) {
  EngineOptions options;
  change(options);
  return refusal([&] { Engine(whole(), tiers({10, 100}), options); });
}

}  // namespace

TEST(EngineRows, ATimeAfterTheLastThereIsIsRejectedInTheWindowToo) {
  Engine engine = ten_and_hundred(windows_of(300'000'000'000));
  constexpr std::int64_t last = std::int64_t{1} << 62;
  EXPECT_EQ(engine.trade(last - 1'000, 1000, 1, kBuy), Reject::none);
  EXPECT_EQ(engine.trade(last, 1000, 1, kBuy), Reject::none);
  EXPECT_EQ(engine.trade(last + 1'000, 1000, 1, kBuy), Reject::too_large);
  EXPECT_EQ(*engine.clock(), last);
}

TEST(EngineOptions, KeepHasALimitUpToWhichItWorks) {
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.keep = std::numeric_limits<std::size_t>::max(); }),
            "keep must be at most 4294967296 (leave it out to keep all), was 18446744073709551615");
  EngineOptions options = windows_of(100);
  options.keep = liqcore::History::kMaxKeep;
  Engine engine = ten_and_hundred(options);
  for (std::int64_t i = 0; i < 50; ++i) EXPECT_EQ(engine.trade(30 * i, 1000, 1, kBuy), Reject::none);
  EXPECT_EQ(engine.history()->size(), 14U);
}

TEST(EngineOptions, BinsOfAnAutomaticAxisHaveAWidthAtWhichItEndsWithinEveryAxis) {
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.ticks_per_bin = (1 << 20) + 1; }),
            "ticks_per_bin of an automatic axis must be at most 2^20, was 1048577");
  EngineOptions options;
  options.ticks_per_bin = 1 << 20;
  Engine engine(whole(0.004, liqcore::Contract::inverse), tiers({1.0001, 2}), options);
  EXPECT_EQ(engine.trade(0, 2e9, 1, kBuy), Reject::none);
  EXPECT_EQ(engine.trade(1, 2e9, 1, kSell), Reject::none);
  EXPECT_GT(engine.axis()->size(), 0);
}

TEST(EngineOptions, MakerShareIsKeptToTheNearest1024th) {
  const auto kept = [](double share) {
    EngineOptions options;
    options.maker_share = share;
    return Engine(whole(), tiers({10}), options).options().maker_share;
  };
  EXPECT_EQ(kept(0.0), 0.0);
  EXPECT_EQ(kept(0.5), 0.5);
  EXPECT_EQ(kept(0.3), 307.0 / 1024.0);
  EXPECT_EQ(kept(0.0004), 0.0);
  EXPECT_EQ(kept(1.0), 1.0);
}

TEST(EngineOptions, RefusesAWindowOfNothing) {
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.window_ns = 0; }),
            "window must be at least 1 ns and below 2^62 ns, was 0");
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.window_ns = std::int64_t{1} << 62; }),
            "window must be at least 1 ns and below 2^62 ns, was 4611686018427387904");
}

TEST(EngineOptions, RefusesAMakerShareThatIsNone) {
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.maker_share = -0.1; }), "maker_share must lie in [0, 1], was -0.1");
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.maker_share = 1.5; }), "maker_share must lie in [0, 1], was 1.5");
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.maker_share = NAN; }), "maker_share must lie in [0, 1], was nan");
  EXPECT_EQ(refused_option([](EngineOptions& o) {
              o.maker_share = 0.5;
              o.model = Model::none;
            }),
            "maker_share needs the model flow or presence, was 0.5");
}

TEST(EngineOptions, RefusesToKeepNothing) {
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.keep = 0; }), "keep must be at least 1, was 0");
}

TEST(EngineOptions, RefusesAStepOfNothingOrAnotherThanTheAxis) {
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.ticks_per_bin = -1; }), "ticks_per_bin must be at least 1, was -1");
  EXPECT_EQ(refused_option([](EngineOptions& o) {
              o.ticks_per_bin = 5;
              o.axis = PriceAxis{0, 10, 100};
            }),
            "ticks_per_bin must be that of the axis (10) or not given, was 5");
  EXPECT_EQ(refused_option([](EngineOptions& o) {
              o.ticks_per_bin = 10;
              o.axis = PriceAxis{0, 10, 100};
            }),
            "");
}

TEST(EngineOptions, RefusesHalfLivesThatDoNotFit) {
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.half_life_ns = {1e9}; }),
            "half_life must hold one value per tier (2), had 1");
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.half_life_ns = {1e9, 0}; }), "half_life must be above 0, was 0 ns");
  EXPECT_EQ(refused_option([](EngineOptions& o) { o.half_life_ns = {1e9, NAN}; }),
            "half_life must be above 0, was nan ns");
}

TEST(EngineOptions, RefusesATierThatCannotExistAtOnce) {
  EXPECT_EQ(refusal([] { Engine(whole(0.02), tiers({10, 100})); }),
            "leverage 100 cannot exist: maintenance margin rate plus fee (0.02) must be below 1/leverage (0.01)");
}

TEST(Engine, SaysWhatItWasMadeOf) {
  const Engine engine = ten_and_hundred();
  EXPECT_EQ(engine.instrument(), whole());
  EXPECT_EQ(engine.leverage(), tiers({10, 100}));
  EXPECT_EQ(engine.options().window_ns, 100);
  EXPECT_EQ(engine.axis(), (PriceAxis{0, 10, 200}));
  EXPECT_EQ(engine.stats().accounts.size(), 4U);
}

static_assert(!std::is_copy_constructible_v<Engine> && !std::is_copy_assignable_v<Engine>);
static_assert(std::is_nothrow_move_constructible_v<Engine> && std::is_nothrow_move_assignable_v<Engine>);

TEST(Engine, ACloneGoesItsOwnWay) {
  Engine engine = ten_and_hundred();
  engine.trade(50, 1000, 3, kBuy);
  engine.trade(150, 1000, 3, kBuy);
  Engine copy = engine.clone();
  const State before = state_of(copy);
  engine.trade(350, 985, 3, kBuy);
  EXPECT_EQ(state_of(copy), before);
  copy.trade(350, 985, 3, kBuy);
  EXPECT_EQ(state_of(copy), state_of(engine));
}

// --- threads -----------------------------------------------------------------------------------------------------

TEST(EngineThreads, ARowThatIsRejectedEndsNoWindow) {
  Tape tape;
  for (std::int64_t i = 0; i < 200'000; ++i) tape.push(i / 100, 1'000, 1, kBuy);
  for (std::int64_t ts = 5'000; ts < 5'100; ++ts) tape.push(ts, NAN, 1, kBuy);
  std::vector<State> seen;
  for (const std::size_t threads : {1, 3}) {
    EngineOptions options = windows_of(100);
    options.threads = threads;
    Engine engine = ten_and_hundred(options);
    engine.trades(tape.all());
    EXPECT_EQ(engine.clock(), 1'999);
    seen.push_back(state_of(engine));
  }
  EXPECT_EQ(seen[0], seen[1]);
}

TEST(Engine, ManyInParallelGiveWhatTheyGiveAlone) {
  constexpr std::size_t kEngines = 8;
  const auto instrument = whole(0.004);
  const auto leverage = tiers({2, 10, 100});
  const auto run = [&](std::size_t i) {
    EngineOptions options;
    options.window_ns = 1'000;
    options.trigger = i % 2 == 0 ? Trigger::last : Trigger::mark;
    if (i % 4 == 0) options.half_life_ns = {1e5, 3e4, 5e3};
    Engine engine{instrument, leverage, options};
    const Tape tape = support::random_tape(i + 1, 1'500, true);
    feed_in_parts(engine, tape, i, 400);
    return state_of(engine);
  };
  std::vector<State> alone(kEngines), parallel(kEngines);
  for (std::size_t i = 0; i < kEngines; ++i) alone[i] = run(i);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < kEngines; i += 4) parallel[i] = run(i);
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < kEngines; ++i) EXPECT_EQ(parallel[i], alone[i]) << "engine " << i;
}
