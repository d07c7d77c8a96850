#include "liqcore/footprint_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "support.hpp"

using liqcore::CandleArrays;
using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::Feed;
using liqcore::FootprintBuilder;
using liqcore::FootprintColumns;
using liqcore::FootprintStream;
using liqcore::FootprintTerms;
using liqcore::Instrument;
using liqcore::Model;
using liqcore::PriceAxis;
using liqcore::Reject;
using liqcore::Trigger;
using support::Random;
using support::refusal;
using support::State;
using support::state_of;
using support::Tape;
using support::tiers;
using support::whole;

namespace {

constexpr FootprintTerms kTerms{1.0, 1.0, 5.0, 100};  // ticks and lots of 1; five ticks at 10,000

FootprintStream stream_of(const Tape& tape, const FootprintTerms& terms = kTerms, std::vector<std::int64_t> ends = {}) {
  FootprintBuilder builder{terms, std::move(ends)};
  builder.trades(tape.all());
  return builder.finish();
}

EngineOptions windows_of(std::int64_t window_ns) {
  EngineOptions options;
  options.window_ns = window_ns;
  return options;
}

/// A trade of `lots` at each tick, 1 ns apart.
Tape ticks(const std::vector<std::int64_t>& at, double lots = 1.0, std::int64_t ts = 0) {
  Tape tape;
  for (const std::int64_t tick : at) tape.push(ts++, static_cast<double>(tick), lots, tape.size() % 2 == 1);
  return tape;
}

std::string refused(const FootprintColumns& columns) {
  return refusal([&] { FootprintStream(kTerms, columns, {}); });
}

}  // namespace

// --- where runs end ----------------------------------------------------------------------------------------------

TEST(FootprintBuilder, SumsARunByTickAndAggressor) {
  Tape tape;
  tape.push(5, 10'001, 1, false);
  tape.push(6, 10'000, 2, true);
  tape.push(6, 10'001, 4, false);
  tape.push(9, 10'003, 8, true);
  const FootprintStream stream = stream_of(tape);
  ASSERT_EQ(stream.size(), 1U);
  const FootprintStream::Run run = stream[0];
  EXPECT_EQ(run.start_ns, 5);
  EXPECT_EQ(run.last_ns, 9);
  EXPECT_EQ(run.first, 10'001);
  EXPECT_EQ(run.low, 10'000);
  EXPECT_EQ(run.high, 10'003);
  EXPECT_EQ(run.last, 10'003);
  EXPECT_EQ(run.trades, 4);
  EXPECT_EQ(std::vector(run.tick.begin(), run.tick.end()), (std::vector<std::int32_t>{10'000, 10'001, 10'003}));
  EXPECT_EQ(std::vector(run.bought.begin(), run.bought.end()), (std::vector<std::int64_t>{0, 5, 0}));
  EXPECT_EQ(std::vector(run.sold.begin(), run.sold.end()), (std::vector<std::int64_t>{2, 0, 8}));
  EXPECT_EQ(stream.trades(), 4U);
}

TEST(FootprintBuilder, EndsRunsAtMultiplesOfTheCutAndAtTheTimesGiven) {
  Tape tape;
  for (const std::int64_t ts : {98, 99, 100, 149, 150, 151, 250}) tape.push(ts, 10'000, 1, false);
  const FootprintStream stream = stream_of(tape, kTerms, {20, 150, 151, 250});
  std::vector<std::int64_t> starts;
  for (std::size_t i = 0; i < stream.size(); ++i) starts.push_back(stream[i].start_ns);
  EXPECT_EQ(starts, (std::vector<std::int64_t>{98, 100, 150, 151, 250}));
}

TEST(FootprintBuilder, EndsARunBeforeItsPricesSpanMoreThanAsked) {
  const FootprintStream stream = stream_of(ticks({10'000, 10'005, 10'006, 10'001, 10'000}));
  ASSERT_EQ(stream.size(), 3U);
  EXPECT_EQ(stream[0].high - stream[0].low, 5);
  EXPECT_EQ(stream[1].low, 10'001);
  EXPECT_EQ(stream[1].high, 10'006);
  EXPECT_EQ(stream[2].first, 10'000);
  EXPECT_EQ(stream_of(ticks({10'000, 10'000, 10'001}), {1.0, 1.0, 0.0, 100}).size(), 2U);
  EXPECT_EQ(stream_of(ticks({1'000'000, 1'002'047, 1'002'048}), {1.0, 1.0, 1e6, 100}).size(), 2U)
      << "at most kMaxSpan ticks";
}

TEST(FootprintBuilder, KeepsTheEndsOfARangeWhoseQuantitiesRoundToNothing) {
  Tape tape = ticks({10'000, 10'001, 10'002, 10'003});
  for (const std::size_t i : {0, 1, 3}) tape.qty[i] = 0.25;
  const FootprintStream stream = stream_of(tape);
  ASSERT_EQ(stream.size(), 1U);
  EXPECT_EQ(stream[0].low, 10'000);
  EXPECT_EQ(stream[0].high, 10'003);
  EXPECT_EQ(stream[0].tick.size(), 3U);
  EXPECT_EQ(stream.counts().rounded_qty, 3U);
}

TEST(FootprintBuilder, AVeryLargeTradeIsARunOfItsOwn) {
  Tape tape = ticks({10'000, 10'000, 10'000});
  tape.qty[1] = std::ldexp(1.0, 40);
  const FootprintStream stream = stream_of(tape);
  ASSERT_EQ(stream.size(), 3U);
  EXPECT_EQ(stream[1].sold[0], std::int64_t{1} << 40);
}

TEST(FootprintBuilder, GivesTheSameForAnySplitIntoCalls) {
  const Tape tape = support::random_tape(3, 5'000, true);
  const FootprintStream whole_tape = stream_of(tape);
  Random random{3};
  FootprintBuilder builder{kTerms};
  for (std::size_t begin = 0; begin < tape.size();) {
    const std::size_t end = std::min(tape.size(), begin + static_cast<std::size_t>(random(0, 40)));
    builder.trades(tape.view(begin, end));
    begin = end;
  }
  const FootprintStream parts = builder.finish();
  EXPECT_EQ(parts.columns().start_ns, whole_tape.columns().start_ns);
  EXPECT_EQ(parts.columns().end, whole_tape.columns().end);
  EXPECT_EQ(parts.columns().tick, whole_tape.columns().tick);
  EXPECT_EQ(parts.columns().bought, whole_tape.columns().bought);
  EXPECT_EQ(parts.counts().rejected, whole_tape.counts().rejected);
  EXPECT_EQ(builder.finish().size(), 0U) << "it begins anew";
}

TEST(FootprintBuilder, RefusesWhatItCannotMake) {
  EXPECT_EQ(refusal([] { FootprintBuilder{{0.0, 1.0, 5.0, 100}}; }), "tick_size must be finite and above 0, was 0");
  EXPECT_EQ(refusal([] { FootprintBuilder{{1.0, NAN, 5.0, 100}}; }), "lot_size must be finite and above 0, was nan");
  EXPECT_EQ(refusal([] { FootprintBuilder{{1.0, 1.0, -1.0, 100}}; }), "span_bps must be finite and at least 0, was -1");
  EXPECT_EQ(refusal([] { FootprintBuilder{{1.0, 1.0, 5.0, 0}}; }),
            "cut must be at least 1 ns and below 2^62 ns, was 0");
  EXPECT_EQ(refusal([] { FootprintBuilder(kTerms, {2, 1}); }), "ends must rise (times at which runs end), fell");
  FootprintBuilder builder{kTerms};
  Tape tape = ticks({10'000, 10'001});
  tape.qty.pop_back();
  EXPECT_EQ(refusal([&] { builder.trades({tape.ts, tape.price, tape.qty, tape.sell}); }),
            "qty must be as long as the times (2), had 1");
}

// --- stored columns ----------------------------------------------------------------------------------------------

TEST(FootprintStream, RefusesColumnsThatBreakItsRules) {
  const FootprintColumns good = stream_of(support::random_tape(4, 500, false)).columns();
  EXPECT_EQ(refused(good), "");
  const auto with = [&](auto&& change) {
    FootprintColumns columns = good;
    change(columns);
    return refused(columns);
  };
  EXPECT_EQ(with([](auto& c) { c.trades.pop_back(); }).find("columns of runs must be of one length"), 0U);
  EXPECT_EQ(with([](auto& c) { c.sold.pop_back(); }).find("columns of entries must be of one length"), 0U);
  EXPECT_EQ(with([](auto& c) { c.end[1] = c.end[0]; }), "run 1 must have entries, in order, does not");
  EXPECT_EQ(with([](auto& c) { c.end[0] = 1 << 30; }), "run 0 must have entries, in order, does not");
  EXPECT_EQ(with([](auto& c) { c.start_ns[2] = 0; }),
            "run 2 must begin when the one before it has ended, and end after it has begun, does not");
  EXPECT_EQ(with([](auto& c) { c.last_ns.back() += 100; }),
            "run " + std::to_string(good.end.size() - 1) + " must end at multiples of the cut, does not");
  EXPECT_EQ(with([](auto& c) { c.trades[0] = 0; }), "run 0 must hold between 1 and 2^20 trades, does not");
  EXPECT_EQ(with([](auto& c) { c.first_tick[0] = 1; }), "run 0 must begin and end within its prices, does not");
  EXPECT_EQ(with([](auto& c) { c.bought[0] = -1; }), "run 0 must hold quantities >= 0, does not");
  EXPECT_EQ(with([](auto& c) { c.bought[0] = std::int64_t{1} << 50; }),
            "run 0 must hold at most 2^30 lots a trade, does not");
  FootprintColumns wide = stream_of(ticks({10'000, 10'001})).columns();
  wide.tick[1] = 10'006;
  EXPECT_EQ(refused(wide), "run 0 must stay within the span, does not");
  FootprintColumns fallen = stream_of(ticks({10'000, 10'001, 10'002})).columns();
  fallen.tick[1] = 10'000;
  EXPECT_EQ(refused(fallen), "run 0 must have rising ticks, does not");
}

// --- replaying ---------------------------------------------------------------------------------------------------

namespace {

using ReplayCase = support::RunCase;

class Replay : public ::testing::TestWithParam<ReplayCase> {
 protected:
  static FootprintTerms terms() {
    return {1.0 / GetParam().per_unit, 1.0 / GetParam().per_lot, GetParam().span_bps, 500};
  }
};

/// Marks, open interest and candles beside trades.
struct Beside {
  std::vector<std::int64_t> mark_ts, sample_ts, candle_ts;
  std::vector<double> mark, sample, open, high, low, close;

  [[nodiscard]] Feed feed() const {
    Feed out;
    out.marks = {mark_ts, mark};
    out.open_interest = {sample_ts, sample};
    out.candles.ts_open_ns = candle_ts;
    out.candles.open = open;
    out.candles.high = high;
    out.candles.low = low;
    out.candles.close = close;
    out.candles.interval_ns = 500;
    return out;
  }
};

Beside beside_of(const Tape& tape, std::uint64_t seed) {
  Random random{seed};
  Beside out;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < tape.size(); i += static_cast<std::size_t>(random(1, 60))) {
    if (!(tape.price[i] > 0.0) || tape.ts[i] < last) continue;
    last = tape.ts[i] + random(0, 3);
    out.mark_ts.push_back(last);
    out.mark.push_back(random.one_in(20) ? NAN : tape.price[i] * (1.0 + 0.001 * static_cast<double>(random(-9, 9))));
    if (!random.one_in(3)) continue;
    out.sample_ts.push_back(last);
    out.sample.push_back(static_cast<double>(random(0, 99)));
    const std::int64_t opened = last / 500 * 500;
    if (!out.candle_ts.empty() && out.candle_ts.back() == opened) continue;
    out.candle_ts.push_back(opened);
    out.open.push_back(tape.price[i]);
    out.close.push_back(tape.price[i]);
    out.high.push_back(tape.price[i] * 1.004);
    out.low.push_back(tape.price[i] * 0.997);
  }
  return out;
}

void expect_near(const std::vector<liqcore::Account>& a, const std::vector<liqcore::Account>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (const auto part : {&liqcore::Account::live, &liqcore::Account::liquidated, &liqcore::Account::closed})
      EXPECT_NEAR((a[i].*part).value(), (b[i].*part).value(), 1e-12 * (a[i].*part).value() + 1e-12);
}

}  // namespace

TEST_P(Replay, GivesTheBitsOfTheTrades) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    const Tape tape = GetParam().in_units(support::random_tape(seed, 1'500, true));
    Beside beside = beside_of(tape, seed);
    for (const bool alone : {true, false}) {
      const FootprintStream stream = stream_of(tape, terms(), alone ? std::vector<std::int64_t>{} : beside.mark_ts);
      ASSERT_LT(stream.size(), tape.size());
      Feed other = alone ? Feed{} : beside.feed();
      Engine replayed = GetParam().engine();
      const liqcore::Stats stats = replayed.replay(stream, other);
      other.trades = tape.all();
      Engine fed = GetParam().engine();
      const liqcore::Stats expected_stats = fed.feed(other);
      State expected = state_of(fed);
      State state = state_of(replayed);
      if (GetParam().half_life_ns > 0) {  // fractions are summed in another order
        expect_near(expected.stats.accounts, state.stats.accounts);
        expected.stats.accounts = state.stats.accounts;
      } else {
        EXPECT_EQ(expected_stats, stats);
      }
      ASSERT_GT(expected.closed.size(), 10U);
      ASSERT_GT(expected.stats.rejected_total(), 0U);
      ASSERT_EQ(state, expected) << "seed " << seed << (alone ? "" : ", with others beside");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Replay,
    ::testing::Values(
        ReplayCase{.name = "TriggerLast"}, ReplayCase{.name = "TriggerMark", .trigger = Trigger::mark},
        ReplayCase{.name = "TriggerCandle", .trigger = Trigger::candle},
        ReplayCase{.name = "MakerShare", .maker_share = 0.3}, ReplayCase{.name = "HalfLife", .half_life_ns = 3e3},
        ReplayCase{.name = "OneTickBins", .ticks_per_bin = 1},
        ReplayCase{.name = "CoarseBins", .ticks_per_bin = 250, .leverages = {1, 2, 10}},
        ReplayCase{.name = "AxisThatThePriceLeaves", .axis = PriceAxis{9'000, 10, 200}},
        ReplayCase{.name = "ModelNone", .model = Model::none, .span_bps = 1e4},
        ReplayCase{.name = "WiderThanTheCalmRange", .ticks_per_bin = 1, .span_bps = 50, .leverages = {10, 100}},
        ReplayCase{.name = "MarksAndWideRuns", .trigger = Trigger::mark, .span_bps = 1e4, .leverages = {10, 200}},
        ReplayCase{.name = "DecimalTicksAndLots", .per_unit = 10.0, .per_lot = 1'000.0},
        ReplayCase{.name = "TinyTicks", .per_unit = 1e8, .per_lot = 1e5}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ReplayOrTrades, MayFollowEachOther) {
  const Tape tape = support::random_tape(6, 3'000, false);
  const std::size_t a = 1'000, b = 2'000;
  Engine fed{whole(0.004), tiers({5, 25}), windows_of(1'000)}, mixed = fed.clone();
  fed.trades(tape.all());
  mixed.trades(tape.view(0, a));
  FootprintBuilder builder{kTerms};
  builder.trades(tape.view(a, b));
  mixed.replay(builder.finish());
  mixed.trades(tape.view(b, tape.size()));
  EXPECT_EQ(state_of(mixed), state_of(fed));
}

TEST(ReplayOrTrades, AVeryLargeTradeIsTheSame) {
  Tape tape = ticks({10'000, 10'001, 10'000, 9'000});
  tape.qty[1] = std::ldexp(1.0, 41);
  Engine fed{whole(0.004), tiers({5, 25}), windows_of(1'000)}, replayed = fed.clone();
  fed.trades(tape.all());
  replayed.replay(stream_of(tape));
  EXPECT_EQ(state_of(replayed), state_of(fed));
}

// --- refusals ----------------------------------------------------------------------------------------------------

namespace {

/// The refusal of a replay, which must have left the engine as it was.
std::string refused_replay(Engine& engine, const FootprintStream& stream, const Feed& beside = {}) {
  const State before = state_of(engine);
  const std::string message = refusal([&] { engine.replay(stream, beside); });
  EXPECT_EQ(state_of(engine), before);
  return message;
}

}  // namespace

TEST(ReplayRefuses, ARunWhoseOrderATierWouldNeed) {
  // A long at 10,000 with 200x and a maintenance rate of 0.4 % is liquidated at 9,990, which the run reaches.
  Engine engine{whole(0.004), tiers({10, 200}), windows_of(1'000)};
  const Tape tape = ticks({10'000, 10'001, 9'980}, 1.0, 1'600'000'000'000'000'000);
  EXPECT_EQ(refused_replay(engine, stream_of(tape, {1.0, 1.0, 100.0, 1'000})),
            "footprints must not need the order of their trades: leverage 200x long would need it in the run from "
            "2020-09-13T12:26:40Z to 2020-09-13T12:26:40.000000002Z at 9980 to 10001; cut them finer than 100 bp, or "
            "feed the trades");
  const FootprintStream finer = stream_of(tape, {1.0, 1.0, 5.0, 1'000});
  EXPECT_EQ(refused_replay(engine, stream_of(ticks({10'000, 9'980}), {1.0, 1.0, 100.0, 1'000}))
                .find("footprints must not need the order"),
            0U);
  Engine fed = engine.clone();
  fed.trades(tape.all());
  engine.replay(finer);
  EXPECT_EQ(state_of(engine), state_of(fed));
}

TEST(ReplayRefuses, AShortTierLikewise) {
  Engine engine{whole(0.004), tiers({10, 200}), windows_of(1'000)};
  Tape tape;
  tape.push(0, 10'000, 1, true);
  tape.push(1, 10'020, 1, true);
  EXPECT_NE(refused_replay(engine, stream_of(tape, {1.0, 1.0, 100.0, 1'000})).find("200x short"), std::string::npos);
}

TEST(ReplayRefuses, ARunOverTheEndOfAWindow) {
  Engine engine{whole(), tiers({10}), windows_of(150)};
  Tape tape = ticks({10'000, 10'000}, 1.0, 149);
  EXPECT_EQ(refused_replay(engine, stream_of(tape)),
            "window must be a whole multiple of the cut of the footprints (100 ns), was 150 ns: the run from "
            "1970-01-01T00:00:00.000000149Z to 1970-01-01T00:00:00.00000015Z at 10000 to 10000 goes over the end of a "
            "window");
  tape.ts = {151, 152};
  EXPECT_EQ(refused_replay(engine, FootprintStream{kTerms, {}, {}}), "");
  EXPECT_EQ(refusal([&] { engine.replay(stream_of(tape)); }), "") << "no run goes over one";
}

TEST(ReplayRefuses, AnotherGrid) {
  Engine engine{whole(), tiers({10}), windows_of(100)};
  const FootprintStream stream = stream_of(ticks({10'000}), {1.0, 0.001, 5.0, 100});
  EXPECT_EQ(refused_replay(engine, stream),
            "footprints must have the instrument's tick and lot size (1 and 1), had 1 and 0.001");
}

TEST(ReplayRefuses, AStreamThatBeginsBeforeTheClock) {
  Engine engine{whole(), tiers({10}), windows_of(100)};
  engine.trade(50, 10'000, 1, false);
  EXPECT_EQ(refused_replay(engine, stream_of(ticks({10'000}, 1.0, 49)))
                .find("footprints must not begin before the engine's clock (1970-01-01T00:00:00.00000005Z): run"),
            0U);
}

TEST(ReplayRefuses, ARunOverAMarkThatLiquidates) {
  EngineOptions options = windows_of(100);
  options.trigger = Trigger::mark;
  Engine engine{whole(), tiers({10}), options};
  const Tape tape = ticks({10'000, 10'000, 10'000});
  const std::vector<std::int64_t> at = {1};
  const std::vector<double> price = {9'000};
  Feed beside;
  beside.marks = {at, price};
  EXPECT_EQ(refused_replay(engine, stream_of(tape), beside).find("footprints must end at every mark that liquidates"),
            0U);
  engine.replay(stream_of(tape, kTerms, at), beside);
  EXPECT_EQ(engine.stats().used, 4U);
}

TEST(ReplayRefuses, ARunOverTheEndOfACandle) {
  Engine engine{whole(), tiers({10}), windows_of(100)};
  const std::vector<std::int64_t> at = {0};
  const std::vector<double> price = {10'000};
  Feed beside;
  beside.candles = CandleArrays{at, price, price, price, price, {}, {}, 2};
  EXPECT_EQ(refused_replay(engine, stream_of(ticks({10'000, 10'000, 10'000})), beside)
                .find("footprints must end where candles do"),
            0U);
  EXPECT_EQ(refusal([&] { engine.replay(stream_of(ticks({10'000, 10'000})), beside); }), "");
}

TEST(Replay, ARejectedCandleWithinARunIsCountedForWhatIsWrongWithIt) {
  Engine engine{whole(), tiers({10}), windows_of(100)};
  const std::vector<std::int64_t> at = {0};
  const std::vector<double> price = {NAN};
  Feed beside;
  beside.candles = CandleArrays{at, price, price, price, price, {}, {}, 2};
  const auto counts = engine.replay(stream_of(ticks({10'000, 10'000, 10'000})), beside);
  EXPECT_EQ(counts.rejected[static_cast<std::size_t>(Reject::not_finite)], 1U);
  EXPECT_EQ(counts.rejected[static_cast<std::size_t>(Reject::late)], 0U);
}

TEST(ReplayRefuses, CandleVolumesTradesAndFallingTimesBeside) {
  Engine engine{whole(), tiers({10}), windows_of(100)};
  const Tape tape = ticks({10'000});
  const std::vector<std::int64_t> at = {90, 80};
  const std::vector<double> price = {10'000, 10'000}, volume = {1, 1};
  Feed candles;
  candles.candles = CandleArrays{at, price, price, price, price, volume, volume, 100};
  EXPECT_EQ(refused_replay(engine, stream_of(tape), candles).find("trades and candle volumes of one market"), 0U);
  Feed trades;
  trades.trades = tape.all();
  EXPECT_EQ(refused_replay(engine, stream_of(tape), trades).find("trades must not be given beside footprints"), 0U);
  Feed marks;
  marks.marks = {at, price};
  EXPECT_EQ(refused_replay(engine, stream_of(tape), marks), "times (of marks) must not fall beside footprints, did");
}

TEST(ReplayRefuses, AJumpOverAMillionWindows) {
  Engine engine{whole(), tiers({10}), windows_of(100)};
  engine.trade(0, 10'000, 1, false);
  EXPECT_EQ(refused_replay(engine, stream_of(ticks({10'000}, 1.0, 1'000'000'000)))
                .find("ts must not jump over more than 1000000 windows"),
            0U);
}
