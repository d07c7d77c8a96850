// Windows in which nothing happens: one entry of a history, however many there are and however they came.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "liqcore/archive.hpp"
#include "outcome.hpp"
#include "support.hpp"

namespace {

using liqcore::Checkpoint;
using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::History;
using liqcore::Layers;
using liqcore::Model;
using liqcore::Picture;
using liqcore::Segment;
using liqcore::Side;
using liqcore::Trigger;
using support::LevelMap;
using support::Random;

constexpr std::int64_t kWindow = 1'000;

struct Event {
  std::int64_t ts;
  std::function<void(Engine&, std::int64_t)> happen;
};

/// Trades, marks, samples and verbs, now and then after a gap.
/// @param parts  also verbs for a part of the book, from which on an engine is sequential
std::vector<Event> random_events(std::uint64_t seed, std::size_t n, std::int64_t longest_gap, bool parts = true) {
  Random random{seed};
  std::vector<Event> out;
  std::int64_t ts = 5'500, tick = 10'000;
  for (std::size_t i = 0; i < n; ++i) {
    ts += random.one_in(9) ? kWindow * random(0, longest_gap) + random(0, 900) : random(0, 300);
    tick = std::clamp<std::int64_t>(tick + random(-60, 60), 8'000, 12'000);
    const auto price = static_cast<double>(tick);
    const auto qty = static_cast<double>(random(1, 400));
    const bool sell = random.one_in(2);
    const auto push = [&](std::function<void(Engine&, std::int64_t)> happen) {
      out.push_back({ts, std::move(happen)});
    };
    const Side side = random.one_in(2) ? Side::long_ : Side::short_;
    const double reach = random.one_in(3) ? 0.0 : 0.3;
    switch (i == 0 ? 9 : random(parts ? 0 : 2, 14)) {
      case 0:
        push([=](Engine& e, std::int64_t at) {
          e.advance(at);
          static_cast<void>(e.close(side, price * (1.0 - reach), price * 1.3, sell ? 1e6 : qty));
        });
        break;
      case 1:
        push([=](Engine& e, std::int64_t at) {
          e.advance(at);
          e.scale(std::array{0.5, 1.0, 0.25, 0.75, 0.5, 0.0}, price * (1.0 - reach), price * 1.01);
        });
        break;
      case 2:
        push([price](Engine& e, std::int64_t at) { e.mark(at, price); });
        break;
      case 3:
        push([qty](Engine& e, std::int64_t at) { e.open_interest(at, qty); });
        break;
      case 4: {
        const double factor = random.one_in(2) ? 0.5 : 0.9;  // also the same in windows that follow each other
        push([factor](Engine& e, std::int64_t at) {
          e.advance(at);
          e.scale(std::array{factor, 1.0, factor, 0.75, factor, 1.0});
        });
        break;
      }
      case 5:
        push([price](Engine& e, std::int64_t at) {
          e.advance(at);
          e.touch(price - 5.0, price + 5.0);
        });
        break;
      case 6:
        push([=](Engine& e, std::int64_t at) {
          e.advance(at);
          e.open(side, price, qty);
        });
        break;
      case 7:
        push([=](Engine& e, std::int64_t at) {
          e.advance(at);
          e.open_level(side, side == Side::long_ ? price - 700.0 : price + 700.0, qty);
        });
        break;
      default:
        push([price, qty, sell](Engine& e, std::int64_t at) { e.trade(at, price, qty, sell); });
    }
  }
  return out;
}

struct Way {
  std::string name;
  Trigger trigger = Trigger::last;
  bool decays = false;
  std::optional<std::size_t> keep = std::nullopt;
};

std::vector<Way> ways() {
  std::vector<Way> out;
  for (const bool decays : {false, true})
    for (const auto& keep : std::vector<std::optional<std::size_t>>{std::nullopt, 1, 5, 40})
      out.push_back({std::string(decays ? "half-lives" : "none") + (keep ? ", keep " + std::to_string(*keep) : ""),
                     Trigger::last, decays, keep});
  out.push_back({"mark", Trigger::mark, true, std::nullopt});
  return out;
}

Engine engine_of(const Way& way) {
  EngineOptions options;
  options.window_ns = kWindow;
  options.trigger = way.trigger;
  options.keep = way.keep;
  if (way.decays) options.half_life_ns = {6e4, INFINITY, 9e3};
  return {support::whole(0.004), support::tiers({3, 20, 60}), options};
}

void step_to(Engine& engine, std::int64_t ts) {
  if (!engine.clock()) return;
  for (std::int64_t at = (*engine.clock() / kWindow + 1) * kWindow; at <= ts; at += kWindow) engine.advance(at);
}

struct Shape {
  std::size_t first, count, folded;
  bool operator==(const Shape&) const = default;
};

std::vector<Shape> shape(const History& history) {
  std::vector<Shape> out;
  for (std::size_t e = 0; e < history.entries(); ++e)
    out.push_back({history.entry(e).first, history.entry(e).count, history.entry(e).folded});
  return out;
}

/// By layer and bin.
std::vector<LevelMap> maps(const Layers& layers) {
  std::vector<LevelMap> out(layers.layers());
  for (std::size_t layer = 0; layer < layers.layers(); ++layer)
    for (std::int64_t bin = layers.range(layer).low; bin < layers.range(layer).high; ++bin)
      if (layers.at(layer, bin) != 0.0) out[layer][bin] = layers.at(layer, bin);
  return out;
}

/// The rule by its letter: every window's end multiplies and flushes.
void let_pass(std::vector<LevelMap>& live, const Segment& window) {
  const std::size_t tiers = live.size() / 2;
  for (std::size_t layer = 0; layer < live.size(); ++layer) {
    const std::size_t side = layer / tiers;
    const auto& scale = window.scale[side];
    LevelMap& cells = live[layer];
    for (const liqcore::TouchStep& step : window.touched[side])
      std::erase_if(cells,
                    [&](const auto& cell) { return side == 0 ? cell.first >= step.bin : cell.first <= step.bin; });
    if (!scale.empty())
      for (auto& [bin, lots] : cells) lots *= scale[layer % tiers];
    for (const auto& [bin, lots] : support::cells_of(window.additions, layer)) cells[bin] += lots;
    const bool flushes = !scale.empty() && scale[layer % tiers] != 1.0;
    std::erase_if(cells, [&](const auto& cell) {
      return cell.second == 0.0 || (flushes && cell.second < Layers::kDustLots);  // 0: all of it was closed
    });
  }
}

void expect_near(const std::vector<LevelMap>& actual, const std::vector<LevelMap>& expected, const std::string& where) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t layer = 0; layer < expected.size(); ++layer) {
    ASSERT_EQ(actual[layer].size(), expected[layer].size()) << where << ", layer " << layer;
    for (const auto& [bin, lots] : expected[layer]) {
      ASSERT_TRUE(actual[layer].contains(bin)) << where << ", layer " << layer << " bin " << bin;
      ASSERT_NEAR(actual[layer].at(bin), lots, 1e-12 * lots) << where << ", layer " << layer << " bin " << bin;
    }
  }
}

Picture all_of(const History& history, std::size_t rows = 60) {
  Picture out;
  out.weights[0] = out.weights[1] = std::vector<double>(history.terms().tiers, 1.0);
  out.first_bin = 0;
  out.bins_per_row = 20'000 / history.terms().ticks_per_bin / static_cast<std::int64_t>(rows) + 1;
  out.rows = rows;
  out.columns = history.size();
  out.usd = false;
  return out;
}

std::vector<double> rows_of(const std::vector<LevelMap>& live, const Picture& picture) {
  std::vector<double> out(2 * picture.rows);
  for (std::size_t layer = 0; layer < live.size(); ++layer)
    for (const auto& [bin, lots] : live[layer])
      if (const auto row = static_cast<std::size_t>((bin - picture.first_bin) / picture.bins_per_row);
          row < picture.rows)
        out[layer / (live.size() / 2) * picture.rows + row] += lots;
  return out;
}

}  // namespace

TEST(Gap, TheWayThroughItMakesNoDifference) {
  for (const Way& way : ways())
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(way.name + ", seed " + std::to_string(seed));
      Engine jumped = engine_of(way), stepped = engine_of(way), hooked = engine_of(way), restored = engine_of(way);
      std::size_t told = 0;
      hooked.on_column([&](const Segment& window) {
        ++told;
        const History& history = *hooked.history();
        ASSERT_EQ(history.segment(history.size() - 1), window);
      });
      // Taking a checkpoint reads, and so ends a run of trades: sums of fractions may be added up in another order.
      const auto expect_same = [&](const Engine& engine) {
        streams::Outcome is, should_be;
        is.end = support::seen(engine);
        should_be.end = support::seen(jumped);
        const auto exact = &engine == &restored ? streams::Exact::but_accounts : streams::Exact::all;
        ASSERT_EQ(streams::difference(is, should_be, exact), "");
      };
      Random random{seed};
      for (const Event& event : random_events(seed, 120, 60)) {
        step_to(stepped, event.ts);
        if (restored.book() != nullptr && random.one_in(5)) {
          // Somewhere on the way, also twice within one gap.
          const std::int64_t clock = *restored.clock();
          restored.advance(clock + random(0, event.ts - clock));
          if (random.one_in(2)) {
            restored = Engine::load(restored.save());
          } else {
            Engine other = engine_of(way);
            other.restore(restored.checkpoint());
            restored = std::move(other);
          }
        }
        for (Engine* each : {&jumped, &stepped, &hooked, &restored}) event.happen(*each, event.ts);
        if (random.one_in(30))
          for (const Engine* each : {&stepped, &hooked, &restored}) {
            expect_same(*each);
            ASSERT_EQ(shape(*each->history()), shape(*jumped.history()));
          }
      }
      for (Engine* each : {&jumped, &stepped, &hooked, &restored}) each->advance(*each->clock() + 70 * kWindow);
      for (const Engine* each : {&stepped, &hooked, &restored}) {
        expect_same(*each);
        ASSERT_EQ(shape(*each->history()), shape(*jumped.history()));
        for (std::size_t i = 0; i < jumped.history()->size(); i += 101)
          ASSERT_EQ(maps(each->history()->levels_after(i)), maps(jumped.history()->levels_after(i)));
        ASSERT_EQ(maps(each->history()->base()), maps(jumped.history()->base()));
      }
      ASSERT_EQ(told, jumped.history()->total());
      ASSERT_LT(jumped.history()->entries(), std::max<std::size_t>(2, jumped.history()->size()));
    }
}

TEST(Gap, LevelsAreThoseOfOneWindowAfterTheOther) {
  for (const Way& way : ways())
    for (std::uint64_t seed = 11; seed <= 15; ++seed) {
      SCOPED_TRACE(way.name + ", seed " + std::to_string(seed));
      Engine engine = engine_of(way);
      std::vector<LevelMap> live(6);
      Engine told = engine_of(way);
      told.on_column([&](const Segment& window) { let_pass(live, window); });
      for (const Event& event : random_events(seed, 200, 60)) {
        for (Engine* each : {&engine, &told}) event.happen(*each, event.ts);
        if (way.keep || engine.history()->size() == 0) continue;
        expect_near(maps(engine.history()->levels_after(engine.history()->size() - 1)), live, "levels_after");
      }
      // The book itself, once the window that is open has ended.
      for (Engine* each : {&engine, &told}) each->advance((*each->clock() / kWindow + 1) * kWindow);
      expect_near(support::live(*engine.book()), live, "the book");
      for (const std::int64_t windows : {1, 30, 400}) {
        for (Engine* each : {&engine, &told}) each->advance(*each->clock() + windows * kWindow);
        expect_near(support::live(*engine.book()), live, "the book after a gap");
      }
    }
}

TEST(Gap, EveryWindowOfAHistoryIsRead) {
  for (const Way& way : ways())
    for (std::uint64_t seed = 21; seed <= 22; ++seed) {
      SCOPED_TRACE(way.name + ", seed " + std::to_string(seed));
      Engine engine = engine_of(way);
      for (const Event& event : random_events(seed, 120, 40)) event.happen(engine, event.ts);
      const History& history = *engine.history();
      Picture p = all_of(history);
      std::vector<LevelMap> live = maps(history.base());
      std::vector<std::vector<double>> expected;
      for (std::size_t i = 0; i < history.size(); ++i) {
        ASSERT_EQ(history.start_ns(i), history.segment(i).start_ns);
        ASSERT_EQ(history.segment(i).start_ns, history.segment(0).start_ns + static_cast<std::int64_t>(i) * kWindow);
        ASSERT_EQ(*history.share(i), history.segment(i));
        let_pass(live, history.segment(i));
        if (i % 5 == 0) expect_near(maps(history.levels_after(i)), live, "window " + std::to_string(i));
        expected.push_back(rows_of(live, p));
      }
      Random random{seed};
      for (int k = 0; k < 30; ++k) {
        p.first_column = static_cast<std::size_t>(random(0, static_cast<std::int64_t>(history.size()) - 1));
        p.columns = static_cast<std::size_t>(random(1, static_cast<std::int64_t>(history.size() - p.first_column)));
        p.column_ns = random.one_in(2) ? 0 : kWindow * random(1, 50);
        const std::size_t columns = history.column_count(p);
        std::vector<float> longs(columns * p.rows), shorts(longs.size());
        history.columns(p, longs, shorts, {}, {});
        std::size_t column = 0;
        for (std::size_t i = p.first_column; i < p.first_column + p.columns; ++i) {
          const auto of = [&](std::size_t at) {
            return p.column_ns == 0 ? static_cast<std::int64_t>(at) : history.start_ns(at) / p.column_ns;
          };
          if (i + 1 < p.first_column + p.columns && of(i) == of(i + 1)) continue;
          for (std::size_t row = 0; row < p.rows; ++row) {
            ASSERT_NEAR(longs[column * p.rows + row], expected[i][row], 1e-6 * expected[i][row]);
            ASSERT_NEAR(shorts[column * p.rows + row], expected[i][p.rows + row], 1e-6 * expected[i][p.rows + row]);
          }
          ++column;
        }
        ASSERT_EQ(column, columns);
        const std::size_t last = p.first_column + p.columns - 1;
        std::vector<double> map(2 * 3 * p.rows);
        history.map(last, p, map);
        for (std::size_t side = 0; side < 2; ++side)
          for (std::size_t row = 0; row < p.rows; ++row) {
            double sum = 0.0;
            for (std::size_t tier = 0; tier < 3; ++tier) sum += map[(side * 3 + tier) * p.rows + row];
            ASSERT_NEAR(sum, expected[last][side * p.rows + row], 1e-11 * sum);
          }
        for (const double threshold : {0.0, 300.0, 2'000.0}) {
          std::vector<std::int64_t> since(2 * p.rows);
          history.since(p, threshold, since);
          for (std::size_t row = 0; row < 2 * p.rows; ++row) {
            constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
            std::int64_t start = kNever;
            for (std::size_t c = columns; c-- > 0;) {
              const float value = (row < p.rows ? longs : shorts)[c * p.rows + row % p.rows];
              if (!(value > 0.0F && static_cast<double>(value) >= threshold)) break;
              const std::int64_t first = history.start_ns(p.first_column);
              start = p.column_ns == 0 ? first + static_cast<std::int64_t>(c) * kWindow
                                       : (first / p.column_ns + static_cast<std::int64_t>(c)) * p.column_ns;
            }
            ASSERT_EQ(since[row], start) << "row " << row << " of " << p.first_column << " + " << p.columns
                                         << ", columns of " << p.column_ns;
          }
        }
        // The bits do not depend on where a picture begins.
        Picture late = p;
        late.column_ns = 0;
        late.first_column = last;
        late.columns = 1;
        std::vector<float> one(p.rows);
        History(history).columns(late, one, {}, {}, {});
        ASSERT_TRUE(std::equal(one.begin(), one.end(), longs.end() - static_cast<std::ptrdiff_t>(p.rows)));
      }
    }
}

TEST(Gap, StretchesOfItAreTheirFoldOnAnEmptyBook) {
  for (const Way& way : ways()) {
    if (way.keep) continue;
    SCOPED_TRACE(way.name);
    Engine engine = engine_of(way);
    for (const Event& event : random_events(31, 250, 50, false)) event.happen(engine, event.ts);
    const History& history = *engine.history();
    Random random{3};
    Picture p = all_of(history);
    for (int k = 0; k < 60; ++k) {
      const auto last = static_cast<std::size_t>(random(0, static_cast<std::int64_t>(history.size()) - 1));
      const auto windows =
          static_cast<std::size_t>(random(1, random.one_in(2) ? 30 : static_cast<std::int64_t>(history.size())));
      std::vector<LevelMap> live(6);
      for (std::size_t i = last + 1 - std::min(windows, last + 1); i <= last; ++i) let_pass(live, history.segment(i));
      // A fold from the far end may keep what one from the near end flushed: less than a lot a cell.
      const std::vector<LevelMap> opened = maps(history.opened_within(last, windows));
      for (std::size_t layer = 0; layer < 6; ++layer)
        for (const auto& [bin, lots] : opened[layer])
          ASSERT_NEAR(live[layer][bin], lots, 1e-12 * lots + (way.decays || lots < 1.0 ? 0.5 : 0.0));
      std::vector<double> young(2 * p.rows);
      history.age(last, p, std::vector<std::size_t>{windows}, young);
      const std::vector<double> rows = rows_of(live, p);
      for (std::size_t row = 0; row < rows.size(); ++row) ASSERT_NEAR(young[row], rows[row], 1e-11 * rows[row] + 20.0);
    }
    for (const std::size_t windows : {1U, 3U, 40U, 700U})
      for (const std::int64_t column : {std::int64_t{0}, 7 * kWindow, 200 * kWindow}) {
        Picture picture = p;
        picture.opened_within = windows;
        picture.column_ns = column;
        const std::size_t columns = history.column_count(picture);
        std::vector<float> longs(columns * p.rows), shorts(longs.size());
        history.columns(picture, longs, shorts, {}, {});
        std::size_t at = 0;
        for (std::size_t i = 0; i < history.size(); ++i) {
          if (column != 0 && i + 1 < history.size() && history.start_ns(i) / column == history.start_ns(i + 1) / column)
            continue;
          std::vector<double> map(2 * 3 * p.rows);
          history.map(i, picture, map);
          for (std::size_t row = 0; row < p.rows; ++row) {
            double sum = 0.0;
            for (std::size_t tier = 0; tier < 3; ++tier) sum += map[tier * p.rows + row];
            ASSERT_NEAR(longs[at * p.rows + row], sum, 1e-6 * sum + 2.0) << windows << " windows, column " << at;
          }
          ++at;
        }
        ASSERT_EQ(at, columns);
      }
  }
}

TEST(Gap, ASavedHistoryIsTheSame) {
  for (const Way& way : ways())
    for (std::uint64_t seed = 41; seed <= 45; ++seed) {
      SCOPED_TRACE(way.name + ", seed " + std::to_string(seed));
      Engine engine = engine_of(way);
      for (const Event& event : random_events(seed, 150, 70)) event.happen(engine, event.ts);
      for (const History& history : {*engine.history(), *engine.history_so_far()}) {
        if (history.size() == 0) continue;
        const History read = from_rows(history.terms(), history.start_ns(0), history.size(), to_rows(history));
        ASSERT_EQ(read.size(), history.size());
        for (std::size_t i = 0; i < read.size(); ++i) ASSERT_EQ(read.segment(i), history.segment(i)) << i;
        std::vector<Shape> expected = shape(history);
        expected.front().folded = 0;
        ASSERT_EQ(shape(read), expected);
        ASSERT_EQ(maps(read.base()), maps(history.base()));
        // Where `keep` has cut idle windows in two, each part is rounded by itself.
        expect_near(maps(read.levels_after(read.size() - 1)), maps(history.levels_after(history.size() - 1)), "read");
      }
    }
}

TEST(Gap, ThreadsMakeTheSameEntries) {
  for (const bool decays : {false, true}) {
    Way way{"", Trigger::last, decays, std::nullopt};
    support::Tape tape = support::random_tape(5, 200'000, false);
    Random random{9};
    std::int64_t later = 0;
    for (std::int64_t& ts : tape.ts) {
      if (random.one_in(1'000)) later += kWindow * random(1, 300);
      ts += later;
    }
    const Engine alone = [&] {
      Engine out = engine_of(way);
      out.trades(tape.all());
      return out;
    }();
    EngineOptions options = alone.options();
    options.threads = 3;
    Engine together{alone.instrument(), alone.leverage(), options};
    together.trades(tape.all());
    ASSERT_EQ(shape(*together.history()), shape(*alone.history()));
    ASSERT_LT(alone.history()->entries(), alone.history()->size() / 2);
    ASSERT_EQ(support::live(*together.book()), support::live(*alone.book()));
    for (std::size_t i = 0; i < alone.history()->size(); i += 3) {
      Segment a = alone.history()->segment(i), b = together.history()->segment(i);
      if (decays) a.accounts = b.accounts;
      ASSERT_EQ(a, b) << i;
    }
  }
}

/// A thousand million windows: whatever takes a step a window never ends.
TEST(Gap, NothingTakesAStepAWindow) {
  for (const std::optional<std::size_t> keep : {std::optional<std::size_t>{}, {std::size_t{400'000'000}}}) {
    Way way{"", Trigger::last, true, keep};
    Engine engine = engine_of(way);
    EngineOptions options = engine.options();
    options.half_life_ns = {1e15, INFINITY, 1e14};
    engine = Engine(engine.instrument(), engine.leverage(), options);
    for (int i = 0; i < 50; ++i) engine.trade(20 * i, 10'000.0 + i, 1e6, i % 2 == 0);
    for (std::int64_t i = 1; i <= 1'000; ++i) engine.advance(i * 1'000'000 * kWindow);
    for (int i = 0; i < 50; ++i) engine.trade(*engine.clock() + 20, 10'000.0 + i, 1e6, i % 2 == 0);
    engine.advance(*engine.clock() + 3 * kWindow);
    const History& history = *engine.history();
    ASSERT_GT(history.total(), 1'000'000'000U);
    ASSERT_LE(history.entries(), 5U);
    const std::size_t last = history.size() - 1;
    const std::vector<LevelMap> levels = maps(history.levels_after(last));
    EXPECT_EQ(levels, support::live(*engine.book()));
    EXPECT_GT(support::sum(levels[0]), 1e6);
    EXPECT_EQ(maps(history.levels_after(last / 2)).size(), 6U);
    Picture p = all_of(history);
    p.column_ns = 400'000'000 * kWindow;
    const std::size_t columns = history.column_count(p);
    EXPECT_LE(columns, 4U);
    std::vector<float> longs(columns * p.rows);
    history.columns(p, longs, {}, {}, {});
    EXPECT_FALSE(history.extent(p).empty());
    std::vector<std::int64_t> since(2 * p.rows);
    history.since(p, 0.0, since);
    p.column_ns = 0;
    history.since(p, 5.0, since);
    p.column_ns = 400'000'000 * kWindow;
    std::vector<double> map(2 * 3 * p.rows), young(2 * p.rows);
    history.map(last - 100, p, map);
    if (!keep) {
      history.age(last, p, std::vector<std::size_t>{500'000'000}, young);
      EXPECT_EQ(maps(history.opened_within(last, 900'000'000)).size(), 6U);
      p.opened_within = 1;
      history.columns(p, longs, {}, {}, {});
      p.opened_within = 700'000'000;
      history.columns(p, longs, {}, {}, {});
      history.since(p, 5.0, since);
    }
    const liqcore::ArchiveRows rows = to_rows(history);
    EXPECT_LT(rows.size(), 20'000U);
    EXPECT_EQ(shape(from_rows(history.terms(), history.start_ns(0), history.size(), rows)).size(), history.entries());
    Engine restored{engine.instrument(), engine.leverage(), options};
    restored.restore(engine.checkpoint());
    EXPECT_EQ(support::live(*restored.book()), levels);
    const std::vector<std::byte> bytes = engine.save();
    EXPECT_LT(bytes.size(), 100'000U);
    EXPECT_EQ(shape(*Engine::load(bytes).history()), shape(history));
    EXPECT_EQ(engine.history_so_far()->size(), history.size() + 1);
    EXPECT_EQ(History(history, 1'000'000).size(), 1'000'000U);
  }
}

TEST(Gap, CellsThatFallBelowHalfALotInItAreClosed) {
  Way way{"", Trigger::last, true, std::nullopt};
  Engine engine = engine_of(way);
  engine.trade(500, 10'000.0, 100.0, false);
  engine.advance(40 * kWindow);  // the 60x: half-lives of 9 windows, 100 -> 4.6
  EXPECT_NEAR(support::sum(support::live(*engine.book(), 2)), 100.0 * std::exp2(-40.0 / 9.0), 1e-10);
  engine.advance(80 * kWindow);  // -> 0.2
  EXPECT_EQ(support::live(*engine.book(), 2), LevelMap{});
  const liqcore::Account account = engine.book()->account(2);
  EXPECT_NEAR(account.closed.value(), 100.0, 1e-12);
  EXPECT_NEAR(account.live.value(), 0.0, 1e-12);
  std::vector<double> cells(400);
  const Layers::Range range = engine.book()->live_range(2);
  cells.resize(static_cast<std::size_t>(range.high - range.low));
  engine.book()->live(2, range.low, cells);
  EXPECT_EQ(std::count(cells.begin(), cells.end(), 0.0), static_cast<std::ptrdiff_t>(cells.size()));
  EXPECT_EQ(engine.book()->live_lots(2), 0.0);
  EXPECT_EQ(engine.stats().accounts[2].imbalance(), 0.0);
}

TEST(Gap, WhatIsLoadedSavesTheSameBytes) {
  for (const Way& way : ways())
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE(way.name + ", seed " + std::to_string(seed));
      Random random{seed};
      Engine engine = engine_of(way);
      for (const Event& event : random_events(seed, 60, 20)) {
        if (engine.book() != nullptr) {
          const std::int64_t clock = *engine.clock();
          engine.advance(clock + random(0, event.ts - clock));
          if (random.one_in(4)) {  // rows of an archive have lost the idle windows that `keep` has folded away
            Checkpoint checkpoint = engine.checkpoint();
            streams::through_rows(engine, checkpoint);
            engine = engine_of(way);
            engine.restore(checkpoint);
          }
          const std::vector<std::byte> bytes = engine.save();
          engine = Engine::load(bytes);
          ASSERT_EQ(engine.save(), bytes);
        }
        event.happen(engine, event.ts);
      }
    }
}

TEST(Gap, APartIsClosedOfWhatTheGapLeft) {
  EngineOptions options;
  options.window_ns = kWindow;
  options.model = Model::none;
  options.half_life_ns = {static_cast<double>(kWindow)};
  Engine engine{support::whole(), support::tiers({2}), options};
  engine.advance(0);
  engine.open_level(Side::short_, 1'000.0, 1.0);
  engine.open_level(Side::short_, 2'000.0, 64.0);
  engine.advance(3 * kWindow);
  EXPECT_EQ(engine.close(Side::short_, 900.0, 1'100.0, 5.0), std::vector{0.0});  // a quarter of a lot was flushed
  EXPECT_EQ(engine.close(Side::short_, 1'900.0, 2'100.0, 5.0), std::vector{5.0});
  EXPECT_EQ(engine.book()->live_lots(1), 3.0);
}

TEST(Gap, AClosingThatTakesNothingChangesNoBit) {
  EngineOptions options;
  options.window_ns = kWindow;
  options.model = Model::none;
  options.half_life_ns = {7'003.0};
  Engine engine{support::whole(), support::tiers({2}), options};
  engine.advance(0);
  for (int i = 0; i < 20; ++i) engine.open_level(Side::long_, 1'000.0 + i, 1e6 + i);
  engine.advance(3 * kWindow);
  Engine other = engine.clone();
  EXPECT_EQ(engine.close(Side::long_, 900.0, 950.0, 5.0), std::vector{0.0});
  engine.scale(std::array{0.0, 0.5}, 900.0, 950.0);
  Engine restored{support::whole(), support::tiers({2}), options};
  restored.restore(engine.checkpoint());
  for (Engine* each : {&engine, &other, &restored}) each->advance(5 * kWindow);
  for (const Engine* each : {&engine, &restored}) EXPECT_EQ(support::live(*each->book()), support::live(*other.book()));
  EXPECT_EQ(maps(engine.history()->levels_after(4)), support::live(*other.book()));
}
