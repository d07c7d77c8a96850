// Where an automatic axis ends, and what lies beyond.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "liqcore/engine.hpp"
#include "liqcore/features.hpp"
#include "liqcore/footprint_stream.hpp"
#include "support.hpp"

using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::FootprintBuilder;
using liqcore::LevelBook;
using liqcore::Model;
using liqcore::PriceAxis;
using liqcore::Reject;
using liqcore::Side;
using liqcore::Trigger;
using support::refusal;
using support::State;
using support::state_of;
using support::Tape;
using support::tiers;
using support::whole;

namespace {

/// An axis of one-tick bins that ends at `limit` ticks.
EngineOptions ending_at(std::int64_t limit) {
  EngineOptions options;
  options.window_ns = 1'000;
  options.ticks_per_bin = 1;
  options.axis_limit = limit;
  return options;
}

Engine engine_of(const EngineOptions& options) { return {whole(0.004), tiers({2, 10, 100}), options}; }

std::uint64_t off_range(const Engine& engine) {
  return engine.counts().rejected[static_cast<std::size_t>(Reject::off_range)];
}

/// The same but for the counts of rows.
void expect_unchanged(State before, State after) {
  static_cast<liqcore::RowCounts&>(before.stats) = static_cast<liqcore::RowCounts&>(after.stats) = {};
  EXPECT_EQ(before, after);
}

}  // namespace

TEST(AxisLimit, ATradeBeyondItIsRejectedAndChangesNothing) {
  Engine engine = engine_of(ending_at(20'000));
  EXPECT_EQ(engine.trade(10, 10'000, 3, false), Reject::none);
  const State before = state_of(engine);
  EXPECT_EQ(engine.trade(5'000, 20'000, 3, false), Reject::off_range);
  EXPECT_EQ(engine.trade(5'000, 20'000, 3e9, true), Reject::off_range);
  expect_unchanged(before, state_of(engine));
  EXPECT_EQ(off_range(engine), 2U);
  EXPECT_EQ(engine.trade(5'000, 19'999, 3, false), Reject::none);
}

TEST(AxisLimit, AMarkACandleAndAVendorEventLikewise) {
  EngineOptions options = ending_at(20'000);
  options.model = Model::vendor;
  options.trigger = Trigger::candle;
  Engine engine = engine_of(options);
  EXPECT_EQ(engine.vendor_event(10, 10'000, 3), Reject::none);
  const State before = state_of(engine);
  EXPECT_EQ(engine.vendor_event(10, 20'000.4, 3), Reject::off_range);
  EXPECT_EQ(engine.mark(10, 20'000), Reject::off_range);
  const std::int64_t ts[] = {10};
  const double price[] = {10'000}, high[] = {20'000};
  engine.candles({ts, price, high, price, price, {}, {}, 10});
  expect_unchanged(before, state_of(engine));
  EXPECT_EQ(off_range(engine), 3U);
  EXPECT_EQ(engine.mark(10, 19'999.4), Reject::none);
}

TEST(AxisLimit, CountsFromPriceZeroInBins) {
  EngineOptions options = ending_at(2'000);
  options.ticks_per_bin = 10;
  Engine engine = engine_of(options);
  EXPECT_EQ(engine.trade(10, 19'999, 3, false), Reject::none);
  EXPECT_EQ(engine.trade(10, 20'000, 3, false), Reject::off_range);
}

TEST(AxisLimit, ByDefaultIsAboutAHundredTimesTheFirstPrice) {
  EngineOptions options = ending_at(LevelBook::kAutomaticBins);
  EXPECT_EQ(options.axis_limit, EngineOptions{}.axis_limit);
  options.ticks_per_bin = 0;
  Engine engine = engine_of(options);
  EXPECT_EQ(engine.trade(10, 100'000, 3, false), Reject::none);  // bins of 10
  EXPECT_EQ(engine.trade(10, 10'485'759, 3, false), Reject::none);
  EXPECT_EQ(engine.trade(10, 10'485'760, 3, false), Reject::off_range);
}

TEST(AxisLimit, AFirstPriceBeyondItsOwnAxisStartsNothing) {
  EngineOptions options = ending_at(100);
  options.ticks_per_bin = 0;
  Engine engine = engine_of(options);
  EXPECT_EQ(engine.trade(10, 100'000, 3, false), Reject::off_range);
  EXPECT_EQ(engine.book(), nullptr);
  EXPECT_EQ(engine.trade(10, 99, 3, false), Reject::none);
}

TEST(AxisLimit, AFixedAxisHasNone) {
  EngineOptions options = ending_at(100);
  options.axis = PriceAxis{9'000, 1, 2'000};
  Engine engine = engine_of(options);
  EXPECT_EQ(engine.trade(10, 10'000, 3, false), Reject::none);
  EXPECT_EQ(engine.trade(10, 1'000'000, 3, false), Reject::none);
  EXPECT_EQ(engine.stats().accounts[0].overflow.value(), 3.0);
}

TEST(AxisLimit, LevelsBeyondItOverflow) {
  Engine engine = engine_of(ending_at(11'000));
  engine.trade(10, 10'500, 3, true);  // the 10x short lies above
  EXPECT_EQ(engine.stats().accounts[4].overflow.value(), 3.0);
  EXPECT_EQ(engine.stats().accounts[5].live.value(), 3.0);
}

TEST(AxisLimit, IsWhereTheAxisEnds) {
  Engine engine = engine_of(ending_at(11'001));
  engine.trade(10, 10'950, 3, true);  // the 100x short lies at 11,015, beyond
  engine.trade(10, 10'900, 3, true);  // at 10,965
  ASSERT_TRUE(engine.axis());
  EXPECT_EQ(engine.axis()->high_tick(), 11'001);
  std::vector<double> levels(3 * static_cast<std::size_t>(engine.book()->width()));
  engine.book()->snapshot(Side::short_, levels);
  EXPECT_EQ(std::accumulate(levels.begin(), levels.end(), 0.0), 3.0);
  Engine again = engine_of(ending_at(11'001));
  again.restore(engine.checkpoint());
  EXPECT_EQ(state_of(again), state_of(engine));
  EXPECT_EQ(state_of(Engine::load(engine.save())), state_of(engine));
}

TEST(AxisLimit, MustBeANumberOfBins) {
  for (const std::int64_t limit : {std::int64_t{0}, std::int64_t{-1}, liqcore::kMaxAxisBins + 1})
    EXPECT_EQ(refusal([&] { engine_of(ending_at(limit)); }),
              "axis_limit must be between 1 and 4194304 bins, was " + std::to_string(limit));
  EXPECT_EQ(refusal([] { engine_of(ending_at(liqcore::kMaxAxisBins)); }), "");
  EngineOptions options = ending_at(liqcore::kMaxAxisBins);
  options.ticks_per_bin = (1 << 18) + 1;
  EXPECT_EQ(refusal([&] { engine_of(options); }),
            "axis_limit must end the axis by tick 2^40, was 4194304 bins of 262145 ticks");
}

TEST(AxisLimit, ACheckpointOfAnotherIsRefused) {
  Engine engine = engine_of(ending_at(20'000));
  engine.trade(10, 10'000, 3, false);
  Engine same = engine_of(ending_at(20'000));
  same.restore(engine.checkpoint());
  EXPECT_EQ(same.trade(10, 20'000, 3, false), Reject::off_range);
  EXPECT_EQ(same.trade(10, 19'999, 3, false), Reject::none);
  Engine other = engine_of(ending_at(30'000));
  EXPECT_EQ(refusal([&] { other.restore(engine.checkpoint()); }),
            "a checkpoint must be of the same axis: this engine has automatic up to bin 29999, it is of automatic up "
            "to bin 19999");
}

TEST(AxisLimit, IsTheSameForAnyBatchThreadsAndFootprints) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    // A stream of footprints judges what is late, and rounds, before it is known where the axis ends.
    const bool bad_rows = seed > 2;
    Tape tape = support::random_tape(seed, 20'000, bad_rows);
    support::Random random{seed};
    for (double& price : tape.price)
      if (random.one_in(200)) price = static_cast<double>(random(11'900, random.one_in(2) ? 12'100 : 1'000'000));
    EngineOptions options = ending_at(12'000);
    options.trigger = seed % 2 == 0 ? Trigger::last : Trigger::mark;
    Engine single = engine_of(options), batch = engine_of(options), pieces = engine_of(options);
    for (std::size_t i = 0; i < tape.size(); ++i)
      single.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
    batch.trades(tape.all());
    for (std::size_t i = 0; i < tape.size(); i += 777) pieces.trades(tape.view(i, std::min(tape.size(), i + 777)));
    const State expected = state_of(single);
    EXPECT_GT(off_range(single), 0U);
    EXPECT_EQ(state_of(batch), expected);
    EXPECT_EQ(state_of(pieces), expected);
    options.threads = 3;
    Engine threads = engine_of(options);
    threads.trades(tape.all());
    EXPECT_EQ(state_of(threads), expected);

    if (bad_rows) continue;
    FootprintBuilder builder{{1.0, 1.0, 0.5, 1'000}};  // runs of a tick
    builder.trades(tape.all());
    Engine replayed = engine_of(options);
    replayed.replay(builder.finish());
    EXPECT_EQ(state_of(replayed), expected);
  }
}

TEST(AxisLimit, AFootprintThatCrossesItIsRefused) {
  Engine engine = engine_of(ending_at(10'001));
  FootprintBuilder builder{{1.0, 1.0, 100.0, 1'000}};
  Tape tape;
  for (const double price : {10'000.0, 10'001.0, 10'002.0}) tape.push(10, price, 1.0, false);
  builder.trades(tape.all());
  const auto footprints = builder.finish();
  EXPECT_EQ(refusal([&] { engine.replay(footprints); }).find("footprints must lie within the axis, which ends at "),
            0U);
  EXPECT_EQ(engine.counts().rows, 0U);
}

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

/// Memory that this process really has, MB.
double resident() {
  std::ifstream file("/proc/self/statm");
  double size = 0.0, pages = 0.0;
  file >> size >> pages;
  return pages * 4096.0 / 1e6;
}

std::vector<double> leverages(int n) {
  std::vector<double> out;
  for (int i = 1; i <= n; ++i) out.push_back(2.0 * i);
  return out;
}

}  // namespace

TEST(Memory, AWildPrintCostsLittle) {
  EngineOptions options;
  options.window_ns = 1'000;
  options.keep = 3;
  options.half_life_ns.assign(60, 1e6);
  Engine engine{whole(0.004), tiers(leverages(60)), options};
  liqcore::FeatureReader reader;
  std::vector<double> row(reader.size());
  for (std::int64_t i = 0; i < 2'000; ++i)
    engine.trade(5 * i, 100'000.0 + static_cast<double>(i % 70), 2.0, i % 2 == 0);
  reader.read(engine, row);
  const double before = resident();
  engine.trade(10'000, 10'000'000, 2.0, true);
  engine.trade(10'001, 100'000, 2.0, true);
  engine.advance(30'000);
  reader.read(engine, row);
  liqcore::Segment open;
  engine.peek(open);
  EXPECT_GT(engine.axis()->size(), 900'000);
  EXPECT_LT(resident() - before, 50.0);
}

TEST(Memory, AFixedAxisTakesWhatIsWrittenTo) {
  const double before = resident();
  EngineOptions options;
  options.axis = PriceAxis{0, 5, 25'000};
  Engine engine{whole(0.004), tiers(leverages(20)), options};
  engine.trade(10, 60'000, 2.0, false);
  EXPECT_EQ(engine.stats().accounts[3].live.value(), 2.0);
  EXPECT_LT(resident() - before, 8.0);
}

#endif
