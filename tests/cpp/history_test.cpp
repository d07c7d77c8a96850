#include "liqcore/history.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "support.hpp"

using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::History;
using liqcore::Layers;
using liqcore::Picture;
using liqcore::PriceAxis;
using liqcore::Segment;
using liqcore::Side;
using liqcore::Terms;
using support::LevelMap;
using support::refusal;
using support::tiers;
using support::whole;

namespace {

constexpr Terms kTerms{.contract = liqcore::Contract::linear,
                       .tick_size = 0.5,
                       .lot_size = 0.1,
                       .multiplier = 2.0,
                       .ticks_per_bin = 10,
                       .window_ns = 100,
                       .tiers = 1};

LevelMap row(const Layers& layers, std::size_t layer) {
  LevelMap out;
  for (std::int64_t bin = layers.range(layer).low; bin < layers.range(layer).high; ++bin)
    if (layers.at(layer, bin) != 0.0) out[bin] = layers.at(layer, bin);
  return out;
}

/// Append a window that added lots to a bin of the longs, after touching longs from a bin up.
void append(History& history, std::int32_t bin, double lots, std::optional<std::int64_t> touched = std::nullopt) {
  Segment& segment = history.append();
  segment = Segment{};
  segment.start_ns = static_cast<std::int64_t>(history.total() - 1) * 100;
  segment.end_ns = segment.start_ns + 100;
  segment.accounts.resize(2);
  segment.additions = {{0, 1, 1}, {bin}, {lots}};
  if (touched) segment.touched[0] = {{*touched, {}}};
}

Picture picture(std::int64_t first_bin, std::int64_t bins_per_row, std::size_t rows, std::size_t columns) {
  Picture out;
  out.weights[0] = out.weights[1] = {1.0};
  out.first_bin = first_bin;
  out.bins_per_row = bins_per_row;
  out.rows = rows;
  out.columns = columns;
  out.usd = false;
  return out;
}

struct Columns {
  explicit Columns(const History& history, const Picture& picture)
      : longs(picture.columns * picture.rows), shorts(longs), liquidated_longs(longs), liquidated_shorts(longs) {
    history.columns(picture, longs, shorts, liquidated_longs, liquidated_shorts);
  }
  std::vector<float> longs, shorts, liquidated_longs, liquidated_shorts;
  bool operator==(const Columns&) const = default;
};

/// A random market through an engine: windows of 1,000 ns, bins of 10 ticks up to 42,000.
Engine engine_of(std::uint64_t seed, EngineOptions options) {
  options.window_ns = 1'000;
  options.axis = PriceAxis{0, 10, 4'200};
  Engine engine{whole(0.004), tiers({2, 10, 50}), options};
  engine.trades(support::random_tape(seed, 3'000, false).all());
  return engine;
}

Picture all_of(const History& history) {
  Picture out = picture(0, 20, 210, history.size());
  for (auto& weights : out.weights) weights = {0.5, 0.25, 0.25};
  return out;
}

}  // namespace

TEST(Terms, ALotOfALinearContractIsWorthTheMidPriceOfItsBin) {
  // Bin 4 covers ticks 40 to 50, prices 20 to 25; a lot is 0.1 x 2 units of base.
  EXPECT_DOUBLE_EQ(kTerms.usd_per_lot(4), 0.2 * 22.5);
}

TEST(Terms, ALotOfAnInverseContractIsWorthItsMultiplier) {
  Terms terms = kTerms;
  terms.contract = liqcore::Contract::inverse;
  terms.lot_size = 1.0;
  terms.multiplier = 100.0;
  EXPECT_EQ(terms.usd_per_lot(4), 100.0);
  EXPECT_EQ(terms.usd_per_lot(4'000), 100.0);
}

TEST(History, FoldsItsSegmentsIntoLevels) {
  History history{kTerms, std::nullopt};
  append(history, 5, 8);
  append(history, 9, 4);
  append(history, 7, 1, /*touched=*/8);
  EXPECT_EQ(row(history.levels_after(0), 0), (LevelMap{{5, 8}}));
  EXPECT_EQ(row(history.levels_after(1), 0), (LevelMap{{5, 8}, {9, 4}}));
  EXPECT_EQ(row(history.levels_after(2), 0), (LevelMap{{5, 8}, {7, 1}}));
}

TEST(History, CountsWhatWasEverAdded) {
  History history{kTerms, 2};
  EXPECT_EQ(history.size(), 0U);
  for (int i = 0; i < 5; ++i) append(history, 5, 1);
  EXPECT_EQ(history.size(), 2U);
  EXPECT_EQ(history.total(), 5U);
  EXPECT_EQ(history.segment(0).start_ns, 300);
  EXPECT_EQ(history.segment(1).start_ns, 400);
}

TEST(History, FoldsTheOldestAwayOnceItKeepsEnough) {
  History history{kTerms, 2};
  append(history, 5, 8);
  append(history, 9, 4);
  append(history, 7, 1, /*touched=*/8);
  EXPECT_EQ(row(history.base(), 0), (LevelMap{{5, 8}}));
  append(history, 3, 1);
  EXPECT_EQ(row(history.base(), 0), (LevelMap{{5, 8}, {9, 4}}));
  EXPECT_EQ(row(history.levels_after(1), 0), (LevelMap{{3, 1}, {5, 8}, {7, 1}}));
}

TEST(History, ReusesTheOldestSegmentUnlessSomebodySharesIt) {
  History history{kTerms, 2};
  for (int i = 0; i < 4; ++i) append(history, 5, 1);
  const Segment* oldest = &history.segment(0);
  append(history, 5, 1);
  EXPECT_EQ(&history.segment(1), oldest);
  const std::shared_ptr<const Segment> shared = history.share(0);
  const Segment copy = *shared;
  append(history, 6, 2);
  EXPECT_NE(&history.segment(1), shared.get());
  EXPECT_EQ(*shared, copy);
}

TEST(History, KeepsEverythingFromNowOnWhenAsked) {
  History history{kTerms, 2};
  for (std::int32_t i = 0; i < 3; ++i) append(history, i, 1);
  history.keep_all();
  for (std::int32_t i = 3; i < 6; ++i) append(history, i, 1);
  ASSERT_EQ(history.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(history.segment(i).start_ns, static_cast<std::int64_t>(i + 1) * 100);
  EXPECT_EQ(row(history.base(), 0), (LevelMap{{0, 1}}));
  EXPECT_EQ(support::sum(row(history.levels_after(4), 0)), 6.0);
}

TEST(History, ACopyStaysAsItWas) {
  History history{kTerms, 3};
  for (std::int32_t i = 0; i < 5; ++i) append(history, i, 1);
  const History copy = history;
  const LevelMap before = row(copy.levels_after(2), 0);
  for (std::int32_t i = 5; i < 12; ++i) append(history, i, 1);
  EXPECT_EQ(row(copy.levels_after(2), 0), before);
  EXPECT_EQ(copy.segment(0).start_ns, 200);
  EXPECT_EQ(copy.total(), 5U);
}

TEST(History, ColumnsSumBinsToRowsAndQuantityToItsUnit) {
  History history{kTerms, std::nullopt};
  append(history, 4, 10);
  append(history, 5, 30);
  append(history, 8, 50, /*touched=*/5);
  const Columns columns{history, picture(4, 2, 2, 3)};  // rows: bins 4-5 and 6-7; bin 8 is outside
  EXPECT_EQ(columns.longs, (std::vector<float>{1, 0, 4, 0, 1, 0}));
  EXPECT_EQ(columns.liquidated_longs, (std::vector<float>{0, 0, 0, 0, 3, 0}));
  EXPECT_EQ(columns.shorts, std::vector<float>(6));
}

TEST(History, ColumnsInUsdTakeTheMidPriceOfTheBookBin) {
  History history{kTerms, std::nullopt};
  append(history, 4, 10);
  Picture usd = picture(0, 10, 1, 1);
  usd.usd = true;
  EXPECT_FLOAT_EQ(Columns(history, usd).longs[0], 45.0F);  // 10 lots x 0.2 x 22.5
}

TEST(History, ColumnsApplyTheWeightsOfEachSide) {
  History history{kTerms, std::nullopt};
  append(history, 4, 10);
  Segment& second = history.append();
  second.accounts.resize(2);
  second.additions = {{0, 0, 1}, {6}, {20}};  // a short
  Picture weighted = picture(4, 1, 3, 2);
  weighted.weights[0] = {0.5};
  weighted.weights[1] = {0.25};
  const Columns columns{history, weighted};
  EXPECT_EQ(columns.longs, (std::vector<float>{0.5F, 0, 0, 0.5F, 0, 0}));
  EXPECT_EQ(columns.shorts, (std::vector<float>{0, 0, 0, 0, 0, 0.5F}));
  weighted.weights[1] = {0.0};
  EXPECT_EQ(Columns(history, weighted).shorts, std::vector<float>(6));
}

TEST(History, ColumnsCanStartLater) {
  const Engine engine = engine_of(3, {});
  const History& history = *engine.history();
  const Picture all = all_of(history);
  Picture part = all;
  part.first_column = history.size() / 2;
  part.columns = history.size() - part.first_column;
  const Columns every{history, all}, some{history, part};
  EXPECT_EQ(some.longs,
            std::vector<float>(every.longs.end() - static_cast<std::ptrdiff_t>(some.longs.size()), every.longs.end()));
  EXPECT_EQ(some.liquidated_shorts,
            std::vector<float>(every.liquidated_shorts.end() - static_cast<std::ptrdiff_t>(some.longs.size()),
                               every.liquidated_shorts.end()));
}

TEST(History, MapShowsEachTierOfTheLevelsAtAWindowsEnd) {
  const Engine engine = engine_of(4, {});
  const History& history = *engine.history();
  const std::size_t last = history.size() - 1;
  Picture p = all_of(history);
  std::vector<double> map(2 * 3 * p.rows);
  history.map(last, p, map);
  const Layers live = history.levels_after(last);
  for (std::size_t layer = 0; layer < 6; ++layer)
    for (std::size_t r = 0; r < p.rows; ++r) {
      double expected = 0.0;
      for (const auto& [bin, lots] : row(live, layer))
        if (bin / 20 == static_cast<std::int64_t>(r)) expected += lots;
      ASSERT_DOUBLE_EQ(map[layer * p.rows + r], expected * p.weights[0][layer % 3]);
    }
}

TEST(History, MapDoesNotLookAtThePicturesColumns) {
  History history{kTerms, std::nullopt};
  append(history, 4, 10);
  Picture p = picture(4, 1, 1, 0);
  p.first_column = 77;
  std::vector<double> map(2);
  history.map(0, p, map);
  EXPECT_EQ(map, (std::vector<double>{1.0, 0.0}));
}

TEST(History, ExtentHoldsEveryCellThatIsDrawn) {
  History history{kTerms, std::nullopt};
  append(history, 400, 1);
  append(history, 5, 1);
  append(history, 9, 1);
  const auto extent = [&](std::size_t first, std::size_t columns) {
    Picture p = picture(0, 1, 1, columns);
    p.first_column = first;
    return history.extent(p);
  };
  EXPECT_EQ(extent(0, 3).low, 5);
  EXPECT_EQ(extent(0, 3).high, 401);
  EXPECT_EQ(extent(0, 1).low, 400);
  EXPECT_TRUE(history.extent(picture(0, 1, 1, 0)).empty());
}

TEST(History, ExtentLeavesOutWhatHasNoWeight) {
  History history{kTerms, std::nullopt};
  append(history, 400, 1);
  Picture p = picture(0, 1, 1, 1);
  p.weights[0] = {0.0};
  EXPECT_TRUE(history.extent(p).empty());
}

TEST(History, ExtentHoldsOldLevelsThatAreLiquidatedInTheFirstColumn) {
  History history{kTerms, std::nullopt};
  append(history, 400, 1);
  append(history, 5, 1, /*touched=*/300);
  Picture p = picture(0, 1, 1, 1);
  p.first_column = 1;
  EXPECT_EQ(history.extent(p).low, 5);
  EXPECT_EQ(history.extent(p).high, 401);
}

TEST(History, ExtentIsTheRangeOfNonZeroRows) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Engine engine = engine_of(seed, {});
    const History& history = *engine.history();
    Picture p = all_of(history);
    p.bins_per_row = 1;
    p.rows = 4'200;
    p.first_column = history.size() - 5;
    p.columns = 5;
    const Columns columns{history, p};
    Layers::Range expected;
    for (const auto* values : {&columns.longs, &columns.shorts, &columns.liquidated_longs, &columns.liquidated_shorts})
      for (std::size_t i = 0; i < values->size(); ++i)
        if ((*values)[i] != 0.0F) expected.include(static_cast<std::int64_t>(i % p.rows));
    const Layers::Range extent = history.extent(p);
    // Levels that came and went within a window count as liquidated, so nothing is left out and nothing is added.
    EXPECT_EQ(extent.low, expected.low);
    EXPECT_EQ(extent.high, expected.high);
  }
}

TEST(History, KeepingAFewEqualsKeepingAll) {
  for (const bool half_life : {false, true})
    for (const std::size_t keep : {1U, 2U, 7U, 1'000U}) {
      EngineOptions options;
      if (half_life) options.half_life_ns = {1e5, 2e4, 5e3};
      const Engine everything = engine_of(5, options);
      options.keep = keep;
      const Engine few = engine_of(5, options);
      const History& all = *everything.history();
      const History& kept = *few.history();
      ASSERT_EQ(kept.total(), all.total());
      ASSERT_EQ(kept.size(), std::min<std::size_t>(keep, all.size()));
      const std::size_t gone = all.size() - kept.size();
      for (std::size_t i = 0; i < kept.size(); ++i) ASSERT_EQ(kept.segment(i), all.segment(gone + i));
      Picture late = all_of(all);
      late.first_column = gone;
      late.columns = kept.size();
      EXPECT_EQ(Columns(kept, all_of(kept)), Columns(all, late));
    }
}

TEST(History, TheLastColumnIsTheBook) {
  for (const bool half_life : {false, true}) {
    EngineOptions options;
    if (half_life) options.half_life_ns = {1e5, 2e4, 5e3};
    Engine engine = engine_of(6, options);
    const History& history = *engine.history();
    engine.advance(history.segment(history.size() - 1).end_ns + 1'000);  // closes the open window
    const Layers folded = history.levels_after(history.size() - 1);
    for (std::size_t layer = 0; layer < 6; ++layer) EXPECT_EQ(row(folded, layer), support::live(*engine.book(), layer));
  }
}

TEST(History, SetBasePutsLevelsBeforeTheFirstSegment) {
  History history{kTerms, std::nullopt};
  history.set_base({{0, 1, 1}, {9}, {4.0}});
  append(history, 5, 8);
  EXPECT_EQ(row(history.levels_after(0), 0), (LevelMap{{5, 8}, {9, 4}}));
  history.set_base({});
  EXPECT_EQ(row(history.levels_after(0), 0), (LevelMap{{5, 8}}));
}

TEST(History, RefusesToKeepNothing) {
  EXPECT_EQ(refusal([] { History(kTerms, 0); }), "keep must be at least 1, was 0");
}

TEST(History, RefusesAPictureThatDoesNotFit) {
  History history{kTerms, std::nullopt};
  append(history, 4, 10);
  Picture p = picture(0, 1, 2, 1);
  std::vector<float> two(2), three(3);
  const auto columns = [&](std::vector<float>& shorts) { history.columns(p, two, shorts, two, two); };
  EXPECT_EQ(refusal([&] { columns(three); }), "an output must hold columns x rows = 2 values, had 3");
  EXPECT_EQ(refusal([&] { columns(two); }), "");
  p.columns = 2;
  EXPECT_EQ(refusal([&] { columns(two); }), "columns must lie within the 1 there are, were 2 from 0");
  p.columns = 1;
  p.first_column = 1;
  EXPECT_EQ(refusal([&] { columns(two); }), "columns must lie within the 1 there are, were 1 from 1");
  p.first_column = 0;
  p.bins_per_row = 0;
  EXPECT_EQ(refusal([&] { columns(two); }), "bins_per_row must be at least 1, was 0");
  p.bins_per_row = 1;
  p.weights[1] = {0.5, 0.5};
  EXPECT_EQ(refusal([&] { columns(two); }), "weights must hold one value per tier (1), had 2");
}

TEST(History, MapRefusesAWindowThatIsNot) {
  History history{kTerms, std::nullopt};
  append(history, 4, 10);
  const Picture p = picture(0, 1, 2, 1);
  std::vector<double> four(4), five(5);
  EXPECT_EQ(refusal([&] { history.map(1, p, four); }), "window must lie within the 1 there are, was 1");
  EXPECT_EQ(refusal([&] { history.map(0, p, five); }), "the output must hold 2 x tiers x rows = 4 values, had 5");
}
