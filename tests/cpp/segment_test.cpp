#include "liqcore/segment.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "liqcore/book.hpp"
#include "liqcore/layers.hpp"
#include "support.hpp"

using liqcore::Account;
using liqcore::Candle;
using liqcore::Cells;
using liqcore::combine;
using liqcore::Layers;
using liqcore::LevelBook;
using liqcore::PriceAxis;
using liqcore::Segment;
using liqcore::Side;
using liqcore::Tally;
using liqcore::TouchStep;
using support::cells_of;
using support::LevelMap;
using support::Random;
using support::refusal;
using support::tiers;
using support::whole;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Cells of one tier: longs, then shorts.
Cells cells(const LevelMap& longs, const LevelMap& shorts = {}) {
  Cells out;
  out.offsets.push_back(0);
  for (const LevelMap* levels : {&longs, &shorts}) {
    for (const auto& [bin, lots] : *levels) {
      out.bins.push_back(static_cast<std::int32_t>(bin));
      out.lots.push_back(lots);
    }
    out.offsets.push_back(static_cast<std::uint32_t>(out.bins.size()));
  }
  if (out.bins.empty()) out.offsets.clear();
  return out;
}

/// A window of one tier in which nothing happened.
Segment window(std::int64_t start) {
  Segment out;
  out.start_ns = start;
  out.end_ns = start + 10;
  out.accounts.resize(2);
  return out;
}

Segment window_with(std::int64_t start, const LevelMap& longs, const LevelMap& shorts = {}) {
  Segment out = window(start);
  out.additions = cells(longs, shorts);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    out.accounts[layer].opened.add(support::sum(layer == 0 ? longs : shorts));
    out.accounts[layer].live = out.accounts[layer].opened;
  }
  return out;
}

LevelMap row(const Layers& layers, std::size_t layer) {
  LevelMap out;
  for (std::int64_t bin = layers.range(layer).low; bin < layers.range(layer).high; ++bin)
    if (layers.at(layer, bin) != 0.0) out[bin] = layers.at(layer, bin);
  return out;
}

/// Random windows of a real book, with or without scales in the middle and at the end of them.
std::vector<Segment> random_windows(std::uint64_t seed, int count, bool scales) {
  Random random{seed};
  LevelBook book{whole(0.004), tiers({3, 10, 100}), PriceAxis{0, 10, 300}};
  std::vector<Segment> out;
  std::int64_t tick = 1'000;
  for (int w = 0; w < count; ++w) {
    for (std::int64_t n = random(0, 12); n > 0; --n) {
      tick += random.one_in(12) ? random(-150, 150) : random(-9, 9);
      if (tick < 600 || tick > 1'600) tick = 1'000;
      book.touch(tick, tick);
      book.open(random.one_in(2) ? Side::long_ : Side::short_, tick, static_cast<double>(random(1, 1'000)));
      if (scales && random.one_in(10))
        book.scale(std::vector<double>{0.9, 0.8, 1.0, 0.7, 0.95, static_cast<double>(random(0, 2)) / 2});
    }
    if (scales) book.scale(std::vector<double>(6, 0.97));
    Segment& segment = out.emplace_back();
    book.settle(segment);
    book.begin_window();
    segment.start_ns = w * 10;
    segment.end_ns = w * 10 + 10;
    if (!random.one_in(3)) {
      segment.candle = {tick, tick + random(0, 5), tick - random(0, 5), tick, static_cast<double>(random(0, 9)), 4.0};
      segment.last_ns = segment.start_ns + random(0, 9);
    }
    if (random.one_in(3)) segment.mark_price = static_cast<double>(tick);
    if (random.one_in(3)) segment.open_interest = static_cast<double>(random(0, 9));
  }
  return out;
}

void expect_near(const Cells& a, const Cells& b) {
  ASSERT_EQ(a.offsets, b.offsets);
  ASSERT_EQ(a.bins, b.bins);
  for (std::size_t i = 0; i < a.lots.size(); ++i) ASSERT_NEAR(a.lots[i], b.lots[i], 1e-12 * std::fabs(a.lots[i]));
}

void expect_near(const Segment& a, const Segment& b) {
  expect_near(a.additions, b.additions);
  expect_near(a.liquidated, b.liquidated);
  EXPECT_EQ(a.start_ns, b.start_ns);
  EXPECT_EQ(a.end_ns, b.end_ns);
  EXPECT_EQ(a.candle, b.candle);
  EXPECT_EQ(a.last_ns, b.last_ns);
  for (std::size_t side = 0; side < 2; ++side) {
    ASSERT_EQ(a.touched[side].size(), b.touched[side].size());
    for (std::size_t i = 0; i < a.touched[side].size(); ++i) {
      EXPECT_EQ(a.touched[side][i].bin, b.touched[side][i].bin);
      ASSERT_EQ(a.touched[side][i].scale.size(), b.touched[side][i].scale.size());
      for (std::size_t tier = 0; tier < a.touched[side][i].scale.size(); ++tier)
        EXPECT_NEAR(a.touched[side][i].scale[tier], b.touched[side][i].scale[tier], 1e-12);
    }
    ASSERT_EQ(a.scale[side].size(), b.scale[side].size());
    for (std::size_t tier = 0; tier < a.scale[side].size(); ++tier)
      EXPECT_NEAR(a.scale[side][tier], b.scale[side][tier], 1e-12 * a.scale[side][tier]);
  }
  for (std::size_t layer = 0; layer < a.accounts.size(); ++layer) {
    const Account& x = a.accounts[layer];
    const Account& y = b.accounts[layer];
    const double tolerance = 1e-12 * x.opened.value();
    EXPECT_EQ(x.opened, y.opened);
    EXPECT_NEAR(x.live.value(), y.live.value(), tolerance);
    EXPECT_NEAR(x.liquidated.value(), y.liquidated.value(), tolerance);
    EXPECT_NEAR(x.closed.value(), y.closed.value(), tolerance);
    EXPECT_EQ(x.unresolved, y.unresolved);
  }
}

/// What is live and what was liquidated after some windows on top of some levels.
struct Passed {
  Layers live{3};
  Layers liquidated{3};
  std::vector<Tally> closed = std::vector<Tally>(6);

  void apply(const Segment& segment) {
    live.apply(segment, Layers::Dust::keep, &liquidated, closed);
    liquidated.add(segment.liquidated);
  }
};

}  // namespace

// --- candles -----------------------------------------------------------------------------------------------------

TEST(Candle, ExtendsByWhatCameLater) {
  Candle candle{100, 110, 95, 105, 3, 4};
  candle.extend({105, 107, 90, 92, 10, 20});
  EXPECT_EQ(candle, (Candle{100, 110, 90, 92, 13, 24}));
}

TEST(Candle, WithoutTradesChangesNoPrice) {
  Candle candle{100, 110, 95, 105, 3, 4};
  candle.extend({});
  EXPECT_EQ(candle, (Candle{100, 110, 95, 105, 3, 4}));
  Candle empty;
  EXPECT_TRUE(empty.empty());
  empty.extend(candle);
  EXPECT_EQ(empty, candle);
}

// --- layers ------------------------------------------------------------------------------------------------------

TEST(Layers, GrowingKeepsEveryCell) {
  Layers layers{1};
  layers.add(0, 1'000, 5);
  layers.add(1, 1'010, 7);
  layers.add(0, 3, 2);        // below
  layers.add(1, 200'000, 3);  // far above
  EXPECT_EQ(row(layers, 0), (LevelMap{{3, 2}, {1'000, 5}}));
  EXPECT_EQ(row(layers, 1), (LevelMap{{1'010, 7}, {200'000, 3}}));
  EXPECT_TRUE(layers.covers(3, 200'001));
}

TEST(Layers, GrowByWholeBlocksWhateverCameFirst) {
  Layers up{1}, down{1};
  for (const std::int64_t bin : {600, 5'000, 700'000}) up.add(0, bin, 1);
  for (const std::int64_t bin : {700'000, 5'000, 600}) down.add(0, bin, 1);
  EXPECT_EQ(up.first_bin(), 512);
  EXPECT_EQ(up.first_bin(), down.first_bin());
  EXPECT_EQ(up.width(), down.width());
}

TEST(Layers, CoverNothingAtFirst) {
  const Layers layers{2};
  EXPECT_EQ(layers.width(), 0);
  EXPECT_EQ(layers.layers(), 4U);
  EXPECT_TRUE(layers.range(3).empty());
}

TEST(Layers, ClearForgetsCellsAndKeepsRoom) {
  Layers layers{1};
  layers.add(0, 1'000, 5);
  const std::int64_t width = layers.width();
  layers.clear();
  EXPECT_EQ(row(layers, 0), LevelMap{});
  EXPECT_EQ(layers.at(0, 1'000), 0.0);
  EXPECT_EQ(layers.width(), width);
}

TEST(Layers, ExtractListsNonZeroCellsByLayerAndBin) {
  Layers layers{1};
  layers.add(1, 7, 3);
  layers.add(0, 9, 2);
  layers.add(0, 5, 1);
  layers.cell(0, 9) = 0.0;
  Cells out;
  layers.extract(out);
  EXPECT_EQ(out, cells({{5, 1}}, {{7, 3}}));
  layers.clear();
  layers.extract(out);
  EXPECT_EQ(out, Cells{});
}

TEST(Layers, AddingCellsTwiceDoublesThem) {
  Layers layers{1};
  layers.add(cells({{5, 1}}, {{7, 3}}));
  layers.add(cells({{5, 1}}, {{7, 3}}));
  EXPECT_EQ(row(layers, 0), (LevelMap{{5, 2}}));
  EXPECT_EQ(row(layers, 1), (LevelMap{{7, 6}}));
}

TEST(Layers, RandomAdditionsEqualAMap) {
  Random random{21};
  for (int round = 0; round < 20; ++round) {
    Layers layers{2};
    std::vector<LevelMap> maps(4);
    for (int i = 0; i < 300; ++i) {
      const auto layer = static_cast<std::size_t>(random(0, 3));
      const std::int64_t bin = random(0, random(1, 40'000));
      layers.add(layer, bin, static_cast<double>(i + 1));
      maps[layer][bin] += i + 1;
    }
    for (std::size_t layer = 0; layer < 4; ++layer) ASSERT_EQ(row(layers, layer), maps[layer]);
  }
}

TEST(LayersApply, TouchesThenScalesThenAdds) {
  Layers layers{1};
  layers.add(cells({{5, 8}, {7, 16}, {9, 32}}, {{11, 4}, {15, 64}}));
  Segment segment = window_with(0, {{7, 3}}, {{11, 1}});
  segment.touched[0] = {{8, {}}};   // longs in bins >= 8
  segment.touched[1] = {{12, {}}};  // shorts in bins <= 12
  segment.scale[0] = {0.5};
  segment.scale[1] = {0.25};
  Layers liquidated{1};
  std::vector<Tally> closed(2);
  layers.apply(segment, Layers::Dust::flush, &liquidated, closed);
  EXPECT_EQ(row(layers, 0), (LevelMap{{5, 4}, {7, 11}}));
  EXPECT_EQ(row(layers, 1), (LevelMap{{11, 1}, {15, 16}}));
  EXPECT_EQ(row(liquidated, 0), (LevelMap{{9, 32}}));
  EXPECT_EQ(row(liquidated, 1), (LevelMap{{11, 4}}));
  EXPECT_EQ(closed[0].value(), 12.0);
  EXPECT_EQ(closed[1].value(), 48.0);
}

TEST(LayersApply, ALevelIsTakenByTheFirstStepThatReachesItAtTheScaleOfThen) {
  Layers layers{1};
  layers.add(cells({{5, 8}, {7, 16}, {9, 32}}));
  Segment segment = window(0);
  segment.touched[0] = {{9, {}}, {7, {0.25}}};
  segment.scale[0] = {0.25};
  Layers liquidated{1};
  std::vector<Tally> closed(2);
  layers.apply(segment, Layers::Dust::flush, &liquidated, closed);
  EXPECT_EQ(row(liquidated, 0), (LevelMap{{7, 4}, {9, 32}}));
  EXPECT_EQ(row(layers, 0), (LevelMap{{5, 2}}));
  EXPECT_EQ(closed[0].value(), 18.0);
}

TEST(LayersApply, FlushesScaledDustOnlyWhereAsked) {
  Segment segment = window(0);
  segment.scale[0] = {0.25};
  for (const auto dust : {Layers::Dust::keep, Layers::Dust::flush}) {
    Layers layers{1};
    layers.add(cells({{5, 1}, {6, 2}}));
    std::vector<Tally> closed(2);
    layers.apply(segment, dust, nullptr, closed);
    if (dust == Layers::Dust::keep) {
      EXPECT_EQ(row(layers, 0), (LevelMap{{5, 0.25}, {6, 0.5}}));
      EXPECT_EQ(closed[0].value(), 2.25);
    } else {
      EXPECT_EQ(row(layers, 0), (LevelMap{{6, 0.5}}));
      EXPECT_EQ(closed[0].value(), 2.5);
    }
  }
}

// --- equality ----------------------------------------------------------------------------------------------------

TEST(Segment, EqualsItselfWhereThereWasNoMarkYet) {
  const Segment segment = window_with(0, {{5, 1}});
  const Segment copy = segment;
  EXPECT_TRUE(std::isnan(segment.mark_price));
  EXPECT_EQ(segment, copy);
}

TEST(Segment, DiffersInAnyPart) {
  const Segment base = window_with(0, {{5, 1}});
  const auto differs = [&](auto change) {
    Segment other = base;
    change(other);
    return !(other == base) && !(base == other);
  };
  EXPECT_TRUE(differs([](Segment& s) { s.start_ns = 1; }));
  EXPECT_TRUE(differs([](Segment& s) { s.end_ns = 1; }));
  EXPECT_TRUE(differs([](Segment& s) { s.candle.buy_lots = 1; }));
  EXPECT_TRUE(differs([](Segment& s) { s.touched[1] = {{3, {}}}; }));
  EXPECT_TRUE(differs([](Segment& s) { s.scale[0] = {0.5}; }));
  EXPECT_TRUE(differs([](Segment& s) { s.additions.lots[0] = 2; }));
  EXPECT_TRUE(differs([](Segment& s) { s.liquidated = cells({{5, 1}}); }));
  EXPECT_TRUE(differs([](Segment& s) { s.accounts[1].closed.add(1.0); }));
  EXPECT_TRUE(differs([](Segment& s) { s.last_ns = 5; }));
  EXPECT_TRUE(differs([](Segment& s) { s.mark_price = 5; }));
  EXPECT_TRUE(differs([](Segment& s) { s.open_interest = 5; }));
}

// --- combine -----------------------------------------------------------------------------------------------------

TEST(Combine, AdditionsOfTheEarlierLiveThroughTheLater) {
  const Segment earlier = window_with(0, {{5, 8}, {9, 4}}, {{12, 2}, {20, 6}});
  Segment later = window_with(10, {{5, 1}, {7, 3}});
  later.touched[0] = {{9, {}}};
  later.touched[1] = {{12, {}}};
  const Segment both = combine(earlier, later);
  EXPECT_EQ(both.additions, cells({{5, 9}, {7, 3}}, {{20, 6}}));
  EXPECT_EQ(both.liquidated, cells({{9, 4}}, {{12, 2}}));
  EXPECT_EQ(both.accounts[0].opened.whole(), 16);
  EXPECT_EQ(both.accounts[0].live.whole(), 12);
  EXPECT_EQ(both.accounts[0].liquidated.whole(), 4);
  EXPECT_EQ(both.accounts[1].liquidated.whole(), 2);
  EXPECT_EQ(both.accounts[0].imbalance(), 0.0);
}

TEST(Combine, IsNotCommutative) {
  Segment touch = window(0), open = window_with(0, {{9, 4}});
  touch.touched[0] = {{9, {}}};
  Segment touch_later = touch, open_later = open;
  for (Segment* later : {&touch_later, &open_later}) {
    later->start_ns = 10;
    later->end_ns = 20;
  }
  EXPECT_EQ(combine(open, touch_later).additions, Cells{});
  EXPECT_EQ(combine(touch, open_later).additions, cells({{9, 4}}));
}

TEST(Combine, KeepsTheFurthestTouch) {
  Segment earlier = window(0), nearer = window(10), further = window(10);
  earlier.touched[0] = {{90, {}}};
  earlier.touched[1] = {{100, {}}};
  nearer.touched[0] = {{95, {}}};
  nearer.touched[1] = {{97, {}}};
  further.touched[0] = {{80, {}}};
  further.touched[1] = {{110, {}}};
  EXPECT_EQ(combine(earlier, nearer).touched[0], (std::vector<TouchStep>{{90, {}}}));
  EXPECT_EQ(combine(earlier, nearer).touched[1], (std::vector<TouchStep>{{100, {}}}));
  EXPECT_EQ(combine(earlier, further).touched[0], (std::vector<TouchStep>{{80, {}}}));
  EXPECT_EQ(combine(earlier, further).touched[1], (std::vector<TouchStep>{{110, {}}}));
}

TEST(Combine, MultipliesScalesAndRemembersTheScaleOfEachTouch) {
  Segment earlier = window(0), later = window(10);
  earlier.touched[0] = {{90, {}}};
  earlier.scale[0] = {0.5};
  later.touched[0] = {{80, {}}, {70, {0.25}}};
  later.scale[0] = {0.25};
  const Segment both = combine(earlier, later);
  EXPECT_EQ(both.touched[0], (std::vector<TouchStep>{{90, {}}, {80, {0.5}}, {70, {0.125}}}));
  EXPECT_EQ(both.scale[0], (std::vector<double>{0.125}));
  EXPECT_TRUE(both.scale[1].empty());
}

TEST(Combine, WhatALaterScaleClosesOfTheEarlierIsBooked) {
  const Segment earlier = window_with(0, {{5, 8}});
  Segment later = window(10);
  later.scale[0] = {0.25};
  const Segment both = combine(earlier, later);
  EXPECT_EQ(both.additions, cells({{5, 2}}));
  EXPECT_EQ(both.accounts[0].closed.value(), 6.0);
  EXPECT_EQ(both.accounts[0].live.value(), 2.0);
  EXPECT_EQ(both.accounts[0].imbalance(), 0.0);
}

TEST(Combine, JoinsTheBoundaries) {
  Segment earlier = window(0), later = window(10);
  earlier.candle = {100, 105, 99, 101, 1, 2};
  earlier.last_ns = 7;
  earlier.mark_price = 100.5;
  earlier.open_interest = 11;
  later.candle = {102, 103, 90, 95, 4, 8};
  later.last_ns = 15;
  later.mark_price = 95.5;
  later.open_interest = kNaN;
  const Segment both = combine(earlier, later);
  EXPECT_EQ(both.start_ns, 0);
  EXPECT_EQ(both.end_ns, 20);
  EXPECT_EQ(both.candle, (Candle{100, 105, 90, 95, 5, 10}));
  EXPECT_EQ(both.last_ns, 15);
  EXPECT_EQ(both.mark_price, 95.5);
  EXPECT_EQ(both.open_interest, 11.0);
}

TEST(Combine, WithAnEmptyWindowChangesOnlyTheSpan) {
  Segment something = window_with(0, {{5, 8}}, {{9, 3}});
  something.touched[0] = {{7, {}}};
  Segment expected = something;
  expected.end_ns = 20;
  EXPECT_EQ(combine(something, window(10)), expected);
  Segment before = window(-10);
  expected = something;
  expected.start_ns = -10;
  EXPECT_EQ(combine(before, something), expected);
}

TEST(Combine, RefusesSegmentsThatAreNotNeighbours) {
  EXPECT_EQ(refusal([] { static_cast<void>(combine(window(0), window(20))); }),
            "later must start where earlier ends (10 ns), started at 20 ns");
  EXPECT_EQ(refusal([] { static_cast<void>(combine(window(0), window(0))); }),
            "later must start where earlier ends (10 ns), started at 0 ns");
}

TEST(Combine, RefusesSegmentsOfOtherTiers) {
  Segment later = window(10);
  later.accounts.resize(6);
  EXPECT_EQ(refusal([&] { static_cast<void>(combine(window(0), later)); }),
            "segments must have the same leverage tiers, had 1 and 3");
}

TEST(Combine, IsAssociativeToTheBitWithoutScales) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const std::vector<Segment> w = random_windows(seed, 3, false);
    ASSERT_EQ(combine(combine(w[0], w[1]), w[2]), combine(w[0], combine(w[1], w[2]))) << "seed " << seed;
  }
}

TEST(Combine, IsAssociativeWithinRoundingWithScales) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const std::vector<Segment> w = random_windows(seed, 3, true);
    SCOPED_TRACE(seed);
    expect_near(combine(combine(w[0], w[1]), w[2]), combine(w[0], combine(w[1], w[2])));
  }
}

TEST(Combine, AnyTreeOfWindowsEqualsThePassInOneGo) {
  for (const bool scales : {false, true})
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE(seed);
      std::vector<Segment> parts = random_windows(seed, 24, scales);
      // Levels that were there before: those of eight windows of another market.
      Passed serial, folded;
      for (const Segment& segment : random_windows(seed + 100, 8, false)) {
        serial.live.add(segment.additions);
        folded.live.add(segment.additions);
      }
      for (const Segment& segment : parts) serial.apply(segment);
      Random random{seed};
      while (parts.size() > 1) {
        const auto i = random(0, static_cast<std::int64_t>(parts.size()) - 2);
        parts[static_cast<std::size_t>(i)] =
            combine(parts[static_cast<std::size_t>(i)], parts[static_cast<std::size_t>(i) + 1]);
        parts.erase(parts.begin() + i + 1);
      }
      folded.apply(parts[0]);
      Cells a, b;
      for (const auto& [x, y] :
           {std::pair{&serial.live, &folded.live}, std::pair{&serial.liquidated, &folded.liquidated}}) {
        x->extract(a);
        y->extract(b);
        if (scales)
          expect_near(a, b);
        else
          ASSERT_EQ(a, b);
      }
    }
}

TEST(Combine, AllWindowsOfABookEqualOneWindowOfIt) {
  // The same verbs, once settled every few events and once only at the end.
  Random random{31};
  LevelBook often{whole(0.004), tiers({3, 10, 100}), PriceAxis{0, 10, 300}};
  LevelBook once = often;
  std::vector<Segment> parts;
  for (int i = 0; i < 400; ++i) {
    const std::int64_t tick = random(900, 1'150);
    const Side side = random.one_in(2) ? Side::long_ : Side::short_;
    const auto lots = static_cast<double>(random(1, 99));
    for (LevelBook* book : {&often, &once}) {
      book->touch(tick, tick);
      book->open(side, tick, lots);
    }
    if (i % 16 == 15) {
      Segment& segment = parts.emplace_back();
      often.settle(segment);
      often.begin_window();
      segment.start_ns = (i / 16) * 10;
      segment.end_ns = segment.start_ns + 10;
    }
  }
  Segment all = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) all = combine(all, parts[i]);
  Segment whole_pass;
  once.settle(whole_pass);
  whole_pass.start_ns = all.start_ns;
  whole_pass.end_ns = all.end_ns;
  EXPECT_EQ(all, whole_pass);
}
