#include "liqcore/layers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "liqcore/book.hpp"
#include "support.hpp"

using liqcore::Cells;
using liqcore::Footprint;
using liqcore::Layers;
using liqcore::LevelBook;
using liqcore::PriceAxis;
using liqcore::Segment;
using liqcore::Side;
using liqcore::Tally;
using support::LevelMap;
using support::Random;

namespace {

constexpr std::int64_t kBins = 1 << 20;
constexpr std::size_t kTiers = 2;

/// Layers by the letter: a map a layer. Numbers are halves and wholes, so that sums are exact in any order.
struct Plain {
  std::vector<LevelMap> live = std::vector<LevelMap>(2 * kTiers);
  std::vector<LevelMap> liquidated = std::vector<LevelMap>(2 * kTiers);
  std::vector<double> closed = std::vector<double>(2 * kTiers);

  void apply(const Segment& segment, Layers::Dust dust) {
    for (std::size_t layer = 0; layer < live.size(); ++layer) {
      const bool longs = layer < kTiers;
      const std::size_t side = layer / kTiers, tier = layer % kTiers;
      const double scale = segment.scale[side].empty() ? 1.0 : segment.scale[side][tier];
      std::erase_if(live[layer], [&](const auto& level) {
        for (const auto& step : segment.touched[side]) {
          if (longs ? level.first < step.bin : level.first > step.bin) continue;
          const double taken = level.second * (step.scale.empty() ? 1.0 : step.scale[tier]);
          liquidated[layer][level.first] += taken;
          closed[layer] += level.second - taken;
          return true;
        }
        return false;
      });
      for (auto& [bin, lots] : live[layer]) {
        closed[layer] += lots - lots * scale;
        lots *= scale;
      }
      for (const auto& [bin, lots] : support::cells_of(segment.additions, layer)) live[layer][bin] += lots;
      if (scale != 1.0 && dust == Layers::Dust::flush)
        std::erase_if(live[layer], [&](const auto& level) {
          if (level.second < Layers::kDustLots) closed[layer] += level.second;
          return level.second < Layers::kDustLots;
        });
      std::erase_if(live[layer], [](const auto& level) { return level.second == 0.0; });
    }
  }
};

LevelMap map_of(const Layers& layers, std::size_t layer) {
  LevelMap out;
  layers.each_page(layer, layers.range(layer), [&](std::int64_t first, const double* cells, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
      if (cells[i] != 0.0) out[first + static_cast<std::int64_t>(i)] = cells[i];
  });
  return out;
}

/// Near a price that now and then jumps to anywhere.
std::int64_t some_bin(Random& random, std::int64_t price) {
  return std::clamp<std::int64_t>(price + random(-400, 400), 0, kBins - 1);
}

Cells some_cells(Random& random, std::int64_t price) {
  Cells out;
  out.offsets.push_back(0);
  for (std::size_t layer = 0; layer < 2 * kTiers; ++layer) {
    LevelMap levels;
    for (std::int64_t n = random(0, 5); n > 0; --n)
      levels[random.one_in(20) ? random(0, kBins - 1) : some_bin(random, price)] = static_cast<double>(random(1, 64));
    for (const auto& [bin, lots] : levels) {
      out.bins.push_back(static_cast<std::int32_t>(bin));
      out.lots.push_back(lots);
    }
    out.offsets.push_back(static_cast<std::uint32_t>(out.bins.size()));
  }
  return out;
}

Segment some_segment(Random& random, std::int64_t price) {
  Segment out;
  out.additions = some_cells(random, price);
  const auto scale = [&] {
    std::vector<double> factors;
    for (std::size_t tier = 0; tier < kTiers; ++tier) factors.push_back(static_cast<double>(1 << random(0, 2)) / 4.0);
    return factors;
  };
  for (const std::size_t side : {0, 1}) {
    if (random.one_in(2)) {
      const std::int64_t bin = some_bin(random, price);
      out.touched[side].push_back({bin, {}});
      if (random.one_in(2)) {
        out.touched[side].push_back({side == 0 ? bin - random(1, 300) : bin + random(1, 300), scale()});
      }
    }
    if (random.one_in(3)) out.scale[side] = scale();
  }
  return out;
}

}  // namespace

TEST(LayersRandom, PagesEqualAMapALayerHoweverFarPricesJump) {
  Random random{5};
  for (int round = 0; round < 40; ++round) {
    Layers layers{kTiers}, liquidated{kTiers};
    if (random.one_in(3)) layers.room_for(Layers::Range{0, kBins});
    std::vector<Tally> closed(2 * kTiers);
    Plain plain;
    std::int64_t price = random(0, kBins - 1), low = kBins, high = 0;
    const auto covered = [&](const Cells& cells) {
      for (const std::int32_t bin : cells.bins) {
        low = std::min<std::int64_t>(low, bin);
        high = std::max<std::int64_t>(high, bin);
      }
    };
    for (int step = 0; step < 60; ++step) {
      price =
          random.one_in(10) ? random(0, kBins - 1) : std::clamp<std::int64_t>(price + random(-40, 40), 0, kBins - 1);
      switch (random(0, 9)) {
        case 0: {  // a copy, a move
          Layers copy = layers;
          layers = std::move(copy);
          break;
        }
        case 1: {
          const Cells cells = some_cells(random, price);
          layers.add(cells);
          covered(cells);
          for (std::size_t layer = 0; layer < 2 * kTiers; ++layer)
            for (const auto& [bin, lots] : support::cells_of(cells, layer)) plain.live[layer][bin] += lots;
          break;
        }
        default: {
          const Segment segment = some_segment(random, price);
          const auto dust = random.one_in(2) ? Layers::Dust::keep : Layers::Dust::flush;
          layers.apply(segment, dust, &liquidated, closed);
          plain.apply(segment, dust);
          covered(segment.additions);
        }
      }
      Cells cells;
      layers.extract(cells);
      for (std::size_t layer = 0; layer < 2 * kTiers; ++layer) {
        ASSERT_EQ(map_of(layers, layer), plain.live[layer]);
        ASSERT_EQ(support::cells_of(cells, layer), plain.live[layer]);
        ASSERT_EQ(map_of(liquidated, layer), plain.liquidated[layer]);
        ASSERT_EQ(closed[layer].value(), plain.closed[layer]);
        const Layers::Range filled = layers.filled(layer, layers.range(layer));
        if (plain.live[layer].empty()) {
          ASSERT_TRUE(filled.empty());
          continue;
        }
        ASSERT_EQ(filled.low, plain.live[layer].begin()->first);
        ASSERT_EQ(filled.high, plain.live[layer].rbegin()->first + 1);
        const std::int64_t bin = some_bin(random, price);
        ASSERT_EQ(layers.at(layer, bin), plain.live[layer].contains(bin) ? plain.live[layer].at(bin) : 0.0);
      }
      if (low > high) continue;
      ASSERT_EQ(layers.first_bin(), low / 512 * 512);
      ASSERT_EQ(layers.first_bin() + layers.width(), high / 512 * 512 + 512);
    }
  }
}

TEST(Layers, WriteOutTheirExtentBinByBin) {
  Layers layers{1};
  layers.add(0, 700, 3.0);
  layers.add(1, 5'000, 4.0);
  std::vector<double> out(static_cast<std::size_t>(layers.width()), -1.0);
  layers.copy(0, out);
  EXPECT_EQ(out[static_cast<std::size_t>(700 - layers.first_bin())], 3.0);
  EXPECT_EQ(std::count(out.begin(), out.end(), 0.0), layers.width() - 1);
}

TEST(Layers, PagesExistOnlyWhereSomethingWasWritten) {
  Layers layers{1};
  layers.room_for(Layers::Range{0, kBins});
  EXPECT_EQ(layers.pages(), 0U);
  layers.add(0, 3, 1.0);
  layers.add(0, 4, 1.0);
  layers.add(1, kBins - 1, 1.0);
  EXPECT_EQ(layers.pages(), 2U);
  EXPECT_EQ(layers.at(0, kBins - 1), 0.0);
}

TEST(LevelBookPages, AGrowingAxisEqualsAFixedOneAndABookOfMapsUnderWildPrints) {
  Random random{17};
  const auto instrument = support::whole(0.004);
  const auto leverage = support::tiers({2, 10, 50, 100});
  for (int round = 0; round < 6; ++round) {
    const std::int64_t step = round % 2 == 0 ? 1 : 7;
    LevelBook grows{instrument, leverage, step};
    LevelBook fixed{instrument, leverage, PriceAxis{0, step, LevelBook::kAutomaticBins}};
    support::MapBook plain{instrument, leverage, step, 0, LevelBook::kAutomaticBins};
    std::int64_t tick = 40'000;
    for (int i = 0; i < 400; ++i) {
      tick = random.one_in(25) ? 40'000 * random(1, 120) : std::max<std::int64_t>(tick + random(-60, 60), 1'000);
      Footprint run;
      const std::int64_t reach = random(0, 300);
      run.reset(tick, tick + reach);
      for (std::int64_t n = random(1, 20); n > 0; --n)
        run.add(tick + random(0, reach), random(1, 50), random.one_in(2));
      if (grows.apply_run(run, 0.0)) {
        ASSERT_TRUE(fixed.apply_run(run, 0.0));
        plain.touch(run.low(), run.high());
        for (std::int64_t at = run.low(); at <= run.high(); ++at) {
          if (run.bought(at) > 0) plain.open(Side::long_, at, static_cast<double>(run.bought(at)));
          if (run.sold(at) > 0) plain.open(Side::short_, at, static_cast<double>(run.sold(at)));
        }
      } else {
        const Side side = random.one_in(2) ? Side::long_ : Side::short_;
        for (LevelBook* book : {&grows, &fixed}) {
          book->touch(tick, tick);
          book->open(side, tick, 5.0);
        }
        plain.touch(tick, tick);
        plain.open(side, tick, 5.0);
      }
      if (!random.one_in(10)) continue;
      Segment a, b;
      grows.settle(a);
      fixed.settle(b);
      ASSERT_EQ(a, b);
      ASSERT_EQ(support::totals_of(grows.accounts()), plain.totals());
      for (std::size_t layer = 0; layer < 8; ++layer) {
        LevelMap live;
        for (std::int64_t bin = grows.next_live(layer, 0); bin < grows.live_range(layer).high;) {
          double lots = 0.0;
          grows.live(layer, bin, {&lots, 1});
          if (lots != 0.0) live[bin] = lots;
          bin = grows.next_live(layer, bin + 1);
        }
        ASSERT_EQ(live, plain.live()[layer]);
        ASSERT_EQ(grows.live_lots(layer), fixed.live_lots(layer));
      }
    }
  }
}

TEST(LevelBookPages, AWildPrintMakesAFewPagesATier) {
  std::vector<double> leverages;
  for (int i = 1; i <= 60; ++i) leverages.push_back(2.0 * i);
  LevelBook book{support::whole(0.004), support::tiers(leverages), 1};
  for (const std::int64_t tick : {10'000, 1'000'000, 10'010}) {
    book.touch(tick, tick);
    book.open(Side::long_, tick, 3.0);
    book.open(Side::short_, tick, 3.0);
  }
  EXPECT_GT(book.width(), 900'000);
  EXPECT_LE(book.opened().pages(), 2U * 120U);
  EXPECT_LE(book.liquidated().pages(), 120U);
}
