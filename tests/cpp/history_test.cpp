#include "liqcore/history.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
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

constexpr Terms kTerms = support::terms_of(1, 0.5, 0.1, 2.0);

LevelMap row(const Layers& layers, std::size_t layer) {
  LevelMap out;
  for (std::int64_t bin = layers.range(layer).low; bin < layers.range(layer).high; ++bin)
    if (layers.at(layer, bin) != 0.0) out[bin] = layers.at(layer, bin);
  return out;
}

std::vector<float> tail(const std::vector<float>& cells, std::size_t size) {
  return {cells.end() - static_cast<std::ptrdiff_t>(size), cells.end()};
}

/// Append a window that added lots to a bin of the longs, after touching longs from a bin up.
void append(History& history, std::int32_t bin, double lots, std::optional<std::int64_t> touched = std::nullopt) {
  Segment segment;
  segment.start_ns = static_cast<std::int64_t>(history.total()) * 100;
  segment.end_ns = segment.start_ns + 100;
  segment.accounts.resize(2);
  segment.additions = {{0, 1, 1}, {bin}, {lots}};
  if (touched) segment.touched[0] = {{*touched, {}}};
  history.append(segment);
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
  const Segment* oldest = &history.entry(0).window;
  append(history, 5, 1);
  EXPECT_EQ(&history.entry(1).window, oldest);
  const std::shared_ptr<const Segment> shared = history.share(0);
  const Segment copy = *shared;
  append(history, 6, 2);
  EXPECT_NE(&history.entry(1).window, shared.get());
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
  Segment second;
  second.start_ns = 100;
  second.end_ns = 200;
  second.accounts.resize(2);
  second.additions = {{0, 0, 1}, {6}, {20}};  // a short
  history.append(second);
  Picture weighted = picture(4, 1, 3, 2);
  weighted.weights[0] = {0.5};
  weighted.weights[1] = {0.25};
  const Columns columns{history, weighted};
  EXPECT_EQ(columns.longs, (std::vector<float>{0.5F, 0, 0, 0.5F, 0, 0}));
  EXPECT_EQ(columns.shorts, (std::vector<float>{0, 0, 0, 0, 0, 0.5F}));
  weighted.weights[1] = {0.0};
  EXPECT_EQ(Columns(history, weighted).shorts, std::vector<float>(6));
}

TEST(History, RowsMayDifferInHeight) {
  History history{kTerms, std::nullopt};
  for (std::int32_t bin = 3; bin < 9; ++bin) append(history, bin, 10);
  Picture p = picture(0, 1, 3, 6);
  p.edges = {4, 5, 5, 8};  // [4, 5), nothing, [5, 8)
  const Columns columns{history, p};
  const double lot = kTerms.lot_size;
  const auto last = std::span(columns.longs).last(3);
  EXPECT_FLOAT_EQ(last[0], static_cast<float>(10 * lot));
  EXPECT_EQ(last[1], 0.0F);
  EXPECT_FLOAT_EQ(last[2], static_cast<float>(30 * lot));
}

TEST(History, EqualEdgesAreEqualRows) {
  for (const std::size_t within : {0U, 7U}) {
    const Engine engine = engine_of(3, {});
    const History& history = *engine.history();
    Picture even = all_of(history);
    even.opened_within = within;
    Picture edged = even;
    for (std::size_t row = 0; row <= even.rows; ++row) edged.edges.push_back(even.row_begin(row));
    edged.first_bin = -5;  // not looked at
    edged.bins_per_row = 1;
    EXPECT_EQ(Columns(history, edged), Columns(history, even));
    const std::vector<std::size_t> windows{1, 9};
    const std::size_t i = history.size() - 1;
    std::vector<double> maps[2], ages[2];
    std::vector<std::int64_t> since[2];
    for (int k = 0; k < 2; ++k) {
      const Picture& p = k == 0 ? even : edged;
      maps[k].resize(2 * 3 * p.rows);
      history.map(i, p, maps[k]);
      ages[k].resize(windows.size() * 2 * p.rows);
      history.age(i, p, windows, ages[k]);
      since[k].resize(2 * p.rows);
      history.since(p, 1.0, since[k]);
    }
    EXPECT_EQ(maps[0], maps[1]);
    EXPECT_EQ(ages[0], ages[1]);
    EXPECT_EQ(since[0], since[1]);
  }
}

TEST(History, ColumnsCanStartLater) {
  const Engine engine = engine_of(3, {});
  const History& history = *engine.history();
  const Picture all = all_of(history);
  Picture part = all;
  part.first_column = history.size() / 2;
  part.columns = history.size() - part.first_column;
  const Columns every{history, all}, some{history, part};
  EXPECT_EQ(some.longs, tail(every.longs, some.longs.size()));
  EXPECT_EQ(some.liquidated_shorts, tail(every.liquidated_shorts, some.longs.size()));
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
  EXPECT_EQ(refusal([&] { columns(two); }), "bins_per_row must be between 1 and 2147483648, was 0");
  p.bins_per_row = 1;
  p.edges = {0, 1};
  EXPECT_EQ(refusal([&] { columns(two); }), "edges must be one more than the rows (3), were 2");
  p.edges = {0, 2, 1};
  EXPECT_EQ(refusal([&] { columns(two); }), "edges must rise, did not");
  p.edges = {};
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

// --- stretches of time ---

namespace {

/// Windows first to last on an empty book, one after the other.
Layers plain_fold(const History& history, std::size_t first, std::size_t last) {
  Layers live{history.terms().tiers};
  for (std::size_t i = first; i <= last; ++i) live.apply(history.segment(i), Layers::Dust::keep, nullptr, {});
  return live;
}

void expect_near(const Layers& actual, const Layers& expected, double least_lots) {
  for (std::size_t layer = 0; layer < expected.layers(); ++layer) {
    const LevelMap a = row(actual, layer), b = row(expected, layer);
    for (const auto& [bin, lots] : b)
      if (lots >= least_lots) {
        const auto found = a.find(bin);
        ASSERT_NE(found, a.end()) << "layer " << layer << " bin " << bin;
        ASSERT_NEAR(found->second, lots, 1e-12 * lots);
      }
    for (const auto& [bin, lots] : a)
      ASSERT_TRUE(lots < least_lots || b.contains(bin)) << "layer " << layer << " bin " << bin;
  }
}

EngineOptions decaying() {
  EngineOptions options;
  options.half_life_ns = {1e5, 2e4, 5e3};
  return options;
}

}  // namespace

TEST(History, LevelsOpenedWithinAStretchAreItsFoldOnAnEmptyBook) {
  for (const EngineOptions& options : {EngineOptions{}, decaying()}) {
    const Engine engine = engine_of(11, options);
    const History& history = *engine.history();
    ASSERT_GT(history.size(), 200U);
    support::Random random{7};
    for (int k = 0; k < 200; ++k) {
      const auto last = static_cast<std::size_t>(random(0, static_cast<std::int64_t>(history.size()) - 1));
      const auto windows = static_cast<std::size_t>(random(1, static_cast<std::int64_t>(last) + 5));
      const std::size_t first = last + 1 - std::min(windows, last + 1);
      const Layers opened = history.opened_within(last, windows);
      if (options.half_life_ns.empty()) {
        for (std::size_t layer = 0; layer < 6; ++layer)
          ASSERT_EQ(row(opened, layer), row(plain_fold(history, first, last), layer));
      } else {
        expect_near(opened, plain_fold(history, first, last), 0.5 * (1 + 1e-9));
      }
    }
  }
}

TEST(History, AWholePictureOfStretchesEqualsOneColumnAtATime) {
  for (const EngineOptions& options : {EngineOptions{}, decaying()}) {
    const Engine engine = engine_of(12, options);
    const History& history = *engine.history();
    Picture p = all_of(history);
    p.first_column = 40;
    p.columns = history.size() - 40;
    for (const std::size_t windows : {1U, 2U, 7U, 64U, 150U, 100'000U}) {
      p.opened_within = windows;
      const Columns columns{history, p};
      for (std::size_t i = 0; i < p.columns; ++i) {
        // A column's own stretch by itself: its book, and what its last window took of the book before.
        const std::size_t last = p.first_column + i;
        std::vector<double> map(2 * 3 * p.rows);
        history.map(last, p, map);
        for (std::size_t side = 0; side < 2; ++side)
          for (std::size_t r = 0; r < p.rows; ++r) {
            double expected = 0.0;
            for (std::size_t tier = 0; tier < 3; ++tier) expected += map[(side * 3 + tier) * p.rows + r];
            const float actual = (side == 0 ? columns.longs : columns.shorts)[i * p.rows + r];
            // A fold from the far end may keep what one from the near end flushed: less than a lot a cell.
            ASSERT_NEAR(actual, expected, 1e-6 * expected + (options.half_life_ns.empty() ? 0.0 : 1.0))
                << windows << " windows, column " << i << " row " << r;
          }
        if (!options.half_life_ns.empty()) continue;
        const std::size_t first = last + 1 - std::min(windows, last + 1);
        Layers before = first < last ? plain_fold(history, first, last - 1) : Layers{3};
        Layers taken{3};
        before.apply(history.segment(last), Layers::Dust::keep, &taken, {});
        taken.add(history.segment(last).liquidated);
        std::vector<double> expected(2 * p.rows);
        for (std::size_t layer = 0; layer < 6; ++layer)
          for (const auto& [bin, lots] : row(taken, layer))
            if (bin / 20 < static_cast<std::int64_t>(p.rows))
              expected[layer / 3 * p.rows + static_cast<std::size_t>(bin / 20)] += lots * p.weights[0][layer % 3];
        for (std::size_t r = 0; r < p.rows; ++r) {
          ASSERT_NEAR(columns.liquidated_longs[i * p.rows + r], expected[r], 1e-6 * expected[r]);
          ASSERT_NEAR(columns.liquidated_shorts[i * p.rows + r], expected[p.rows + r], 1e-6 * expected[p.rows + r]);
        }
      }
    }
  }
}

TEST(History, AStretchThatHoldsEverythingIsTheBook) {
  const Engine engine = engine_of(13, {});
  const History& history = *engine.history();
  Picture p = all_of(history);
  const Columns all{history, p};
  p.opened_within = history.size();
  EXPECT_EQ(Columns(history, p), all);
}

TEST(History, SpansAreMadeAnewForAnotherLineOfWindows) {
  History history{kTerms, std::nullopt};
  for (std::int32_t i = 0; i < 127; ++i) append(history, 5, 1);
  History other = history;  // both go on, each with a 128th window of its own
  append(history, 6, 10);
  append(other, 7, 20);
  EXPECT_EQ(row(history.opened_within(127, 128), 0), (LevelMap{{5, 127}, {6, 10}}));
  EXPECT_EQ(row(other.opened_within(127, 128), 0), (LevelMap{{5, 127}, {7, 20}}));
  EXPECT_EQ(row(history.opened_within(127, 100), 0), (LevelMap{{5, 99}, {6, 10}}));
  EXPECT_GT(history.cache_bytes(), 0U);
}

TEST(History, StretchesOfAHistoryThatKeepsAFewSlideWithIt) {
  History history{kTerms, 200};
  for (std::int32_t i = 0; i < 1'000; ++i) {
    append(history, 5, 1);
    if (i < 199) continue;
    ASSERT_EQ(row(history.opened_within(199, 200), 0), (LevelMap{{5, 200}}));
  }
  EXPECT_FALSE(history.whole());
  EXPECT_EQ(refusal([&] { (void)history.opened_within(198, 200); }),
            "opened_within must lie within the 199 windows kept up to the first column shown (older ones were folded "
            "away), was 200");
}

TEST(History, CopiesMayBeReadByOtherThreads) {
  const Engine engine = engine_of(14, decaying());
  const History& history = *engine.history();
  Picture p = all_of(history);
  p.opened_within = 100;
  const Columns expected{History(history), p};
  std::vector<std::thread> threads;
  std::vector<int> same(4);
  for (int& equal : same)
    threads.emplace_back([&equal, &expected, &p, copy = history] { equal = Columns(copy, p) == expected ? 1 : 0; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(same, std::vector<int>(4, 1));
}

TEST(History, WhatWasFoldedAwayIsNotWhole) {
  History history{kTerms, 2};
  EXPECT_TRUE(history.whole());
  for (std::int32_t i = 0; i < 3; ++i) append(history, 5, 1);
  EXPECT_FALSE(history.whole());
  History read{kTerms, std::nullopt};
  read.set_base({{0, 1, 1}, {9}, {4.0}});
  EXPECT_FALSE(read.whole());
}

TEST(History, ColumnsOfSeveralWindowsShowTheBookAtTheirEndAndAllThatWasLiquidated) {
  History history{kTerms, std::nullopt};  // windows of 100 ns from 0
  append(history, 4, 10);
  append(history, 5, 30);
  append(history, 6, 50, /*touched=*/5);
  append(history, 7, 20, /*touched=*/6);
  append(history, 4, 10);
  Picture p = picture(4, 1, 4, 4);
  p.first_column = 1;
  p.column_ns = 200;  // windows 0-1, 2-3, 4
  EXPECT_EQ(history.column_count(p), 3U);
  std::vector<float> longs(12), shorts(12), gone(12), none(12);
  history.columns(p, longs, shorts, gone, none);
  EXPECT_EQ(longs, (std::vector<float>{1, 3, 0, 0, /**/ 1, 0, 0, 2, /**/ 2, 0, 0, 2}));
  EXPECT_EQ(gone, (std::vector<float>{0, 0, 0, 0, /**/ 0, 3, 5, 0, /**/ 0, 0, 0, 0}));
  p.column_ns = 150;
  EXPECT_EQ(refusal([&] { (void)history.column_count(p); }),
            "column_ns must be a multiple of the window (100 ns), was 150");
}

TEST(History, AgeTellsWhatOfTheLiveLevelsIsHowYoung) {
  History history{kTerms, std::nullopt};
  append(history, 4, 10);
  append(history, 4, 20);
  append(history, 5, 40);
  append(history, 4, 80);
  const Picture p = picture(4, 1, 2, 0);
  std::vector<double> out(3 * 2 * 2);
  const std::vector<std::size_t> windows = {1, 3, 9};
  history.age(3, p, windows, out);  // lots of 0.1
  EXPECT_EQ(out, (std::vector<double>{8, 0, 0, 0, /**/ 10, 4, 0, 0, /**/ 11, 4, 0, 0}));
  EXPECT_EQ(refusal([&] { history.age(3, p, std::vector<std::size_t>{2, 2, 3}, out); }),
            "windows must rise and be at least 1, was 2");
  EXPECT_EQ(refusal([&] { history.age(3, p, std::vector<std::size_t>{2}, out); }),
            "the output must hold windows x 2 x rows = 4 values, had 12");
}

TEST(History, SinceIsTheStartOfTheRunThatStillLasts) {
  History history{kTerms, std::nullopt};
  append(history, 4, 30);
  append(history, 5, 30);
  append(history, 6, 10, /*touched=*/5);  // takes 5 away
  append(history, 5, 40);
  append(history, 4, 10);
  Picture p = picture(4, 1, 4, 5);
  std::vector<std::int64_t> since(8);
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
  history.since(p, 0.0, since);
  EXPECT_EQ(since, (std::vector<std::int64_t>{0, 300, 200, kNever, kNever, kNever, kNever, kNever}));
  history.since(p, 4.0, since);  // bin 4 holds 3 at first, 4 in the end
  EXPECT_EQ(since, (std::vector<std::int64_t>{400, 300, kNever, kNever, kNever, kNever, kNever, kNever}));
}

TEST(History, AFoldBeginsAnywhereWithTheSameBits) {
  EngineOptions options = decaying();
  options.window_ns = 1'000;
  Engine engine{whole(0.004), tiers({2, 10, 50}), options};
  engine.trades(support::random_tape(21, 60'000, false).all());
  const History& history = *engine.history();
  ASSERT_GT(history.entries(), 1'100U);  // beyond the first place to begin from
  Picture p = all_of(history);
  const Columns fresh{History(history), p};
  std::vector<double> map(2 * 3 * p.rows);
  history.map(history.size() - 1, p, map);  // writes it down
  EXPECT_GT(history.cache_bytes(), 0U);
  p.first_column = history.size() - 20;
  p.columns = 20;
  const Columns late{history, p};
  EXPECT_EQ(late.longs, tail(fresh.longs, late.longs.size()));
  EXPECT_EQ(late.liquidated_longs, tail(fresh.liquidated_longs, late.longs.size()));
}

TEST(History, LayersThatAScaleOfZeroClosesAreGone) {
  History history{kTerms, std::nullopt};
  append(history, 4, 10);
  append(history, 5, 20);
  Segment closing;
  closing.start_ns = 200;
  closing.end_ns = 300;
  closing.accounts.resize(2);
  closing.scale[0] = {0.0};
  closing.additions = {{0, 1, 1}, {6}, {30.0}};
  history.append(closing);
  Picture p = picture(4, 1, 3, 3);
  const std::vector<float> expected{1, 0, 0, 1, 2, 0, 0, 0, 3};
  EXPECT_EQ(Columns(history, p).longs, expected);
  p.opened_within = 3;
  EXPECT_EQ(Columns(history, p).longs, expected);
}

TEST(History, AScaleThatRunsAwayIsBroughtBack) {
  History history{kTerms, std::nullopt};  // half of what is live goes in each window: 2^-1200 in the end
  for (std::int32_t i = 0; i < 1'200; ++i) {
    Segment segment;
    segment.start_ns = i * 100;
    segment.end_ns = segment.start_ns + 100;
    segment.accounts.resize(2);
    segment.scale[0] = {0.5};
    segment.additions = {{0, 2, 2}, {5, 6}, {64.0, static_cast<double>(i % 3) * 8.0}};
    history.append(segment);
  }
  Picture p = picture(5, 1, 2, 1'200);
  const auto first_row = [&] {
    std::vector<float> out;
    const Columns columns{history, p};
    for (std::size_t i = 300; i < 1'200; ++i) out.push_back(columns.longs[2 * i]);
    return out;
  };
  EXPECT_EQ(first_row(), std::vector<float>(900, 12.8F));  // 64 + 32 + 16 + ... = 128 lots of 0.1
  for (const auto& [windows, lots] : {std::pair{1U, 6.4F}, {3U, 11.2F}, {700U, 12.8F}}) {
    p.opened_within = windows;
    for (const float value : first_row()) ASSERT_FLOAT_EQ(value, lots) << windows;
  }
}

TEST(History, CopiesAreReadAndDroppedOnAnotherThreadWhileTheEngineReusesItsSegments) {
  EngineOptions options;
  options.window_ns = 1'000;
  options.keep = 3;
  Engine engine{support::whole(0.004), support::tiers({10, 50}), options};
  engine.trade(0, 6'000, 1, false);
  std::mutex mutex;
  std::optional<History> box;
  std::atomic<bool> stop{false};
  double seen = 0.0;
  std::thread reader([&] {
    while (!stop) {
      std::optional<History> history;
      {
        const std::lock_guard lock(mutex);
        history.swap(box);
      }
      if (!history) continue;
      for (std::size_t i = 0; i < history->size(); ++i)
        for (const double lots : history->segment(i).additions.lots) seen += lots;
    }
  });
  for (std::int64_t i = 1; i < 20'000; ++i) {
    engine.trade(i * 100, 6'000.0 + static_cast<double>(i % 50), 1, i % 2 == 0);
    if (i % 40 != 0) continue;
    const std::lock_guard lock(mutex);
    box = engine.history_so_far();
  }
  stop = true;
  reader.join();
  EXPECT_GE(seen, 0.0);
  EXPECT_EQ(engine.history()->total(), 1'999U);
}
