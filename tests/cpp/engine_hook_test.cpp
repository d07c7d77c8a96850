// In the hook an engine is as advance() to the window's end leaves it, however it is fed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "liqcore/features.hpp"
#include "support.hpp"

using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::Feed;
using liqcore::Model;
using liqcore::Segment;
using liqcore::Trigger;
using support::Seen;
using support::seen;
using support::Tape;
using support::tiers;
using support::whole;

namespace {

/// Everything that can be read in a hook.
struct Moment {
  Seen engine;
  std::vector<double> features;
  std::vector<Segment> so_far;
  Seen restored;  // from a checkpoint of this moment
  bool operator==(const Moment&) const = default;
};

Moment moment(const Engine& engine) {
  Moment out{seen(engine), {}, {}, {}};
  liqcore::FeatureReader reader;
  out.features.resize(reader.size());
  reader.read(engine, out.features);
  for (double& value : out.features)
    if (value != value) value = -1.0;  // NaN equals nothing
  const auto history = engine.history_so_far();
  for (std::size_t i = 0; i < history->size(); ++i) out.so_far.push_back(history->segment(i));
  EngineOptions options = engine.options();
  options.threads = 1;
  Engine restored(engine.instrument(), engine.leverage(), options);
  restored.restore(engine.checkpoint());
  out.restored = seen(restored);
  return out;
}

struct Streams {
  Tape trades;
  std::vector<std::int64_t> mark_ts, sample_ts;
  std::vector<double> mark, sample;
};

/// Trades with a price now and then that closes many windows, marks and open interest beside them.
Streams streams(std::uint64_t seed, std::size_t rows) {
  Streams out{support::random_tape(seed, rows, true), {}, {}, {}, {}};
  support::Random random{seed + 1};
  for (std::int64_t ts = out.trades.ts.front() + 10; ts < out.trades.ts.back(); ts += random(50, 900)) {
    out.mark_ts.push_back(ts);
    out.mark.push_back(static_cast<double>(10'000 + random(-700, 700)));
    if (random.one_in(3)) continue;
    out.sample_ts.push_back(ts + random(0, 30));
    out.sample.push_back(static_cast<double>(random(100, 4'000)));
  }
  return out;
}

template <class T>
std::span<const T> until(const std::vector<std::int64_t>& ts, const std::vector<T>& values, std::int64_t from,
                         std::int64_t to) {
  const auto first = std::lower_bound(ts.begin(), ts.end(), from) - ts.begin();
  const auto last = std::lower_bound(ts.begin(), ts.end(), to) - ts.begin();
  return std::span(values).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
}

/// Feed `batch` trades a call, with what else there is in their time.
void feed(Engine& engine, const Streams& all, std::size_t batch) {
  std::int64_t from = 0;
  for (std::size_t i = 0; i < all.trades.size(); i += batch) {
    const std::size_t end = std::min(i + batch, all.trades.size());
    // Times of bad rows are wild: cut where all of them have passed.
    std::int64_t to = from;
    for (std::size_t k = i; k < end; ++k) to = std::max(to, all.trades.ts[k]);
    if (end == all.trades.size()) to = std::numeric_limits<std::int64_t>::max();
    engine.feed({all.trades.view(i, end),
                 {until(all.mark_ts, all.mark_ts, from, to), until(all.mark_ts, all.mark, from, to)},
                 {},
                 {until(all.sample_ts, all.sample_ts, from, to), until(all.sample_ts, all.sample, from, to)},
                 {}});
    from = to;
  }
}

std::vector<Moment> moments(Engine engine, const Streams& all, std::size_t batch) {
  std::vector<Moment> out;
  engine.on_column([&](const Segment& segment) {
    out.push_back(moment(engine));
    EXPECT_EQ(*engine.clock(), segment.end_ns);
    EXPECT_EQ(engine.history()->segment(engine.history()->size() - 1), segment);
    Segment open;
    ASSERT_TRUE(engine.peek(open));
    EXPECT_EQ(open.start_ns, segment.end_ns);
    EXPECT_EQ(open.additions.size() + open.liquidated.size(), 0U);
    EXPECT_TRUE(open.candle.empty());
  });
  feed(engine, all, batch);
  return out;
}

struct Way {
  const char* name;
  Model model;
  Trigger trigger;
  bool decays;
  std::optional<std::size_t> keep;
};

Engine engine_of(const Way& way, std::size_t threads = 1) {
  EngineOptions options;
  options.window_ns = 1'000;
  options.model = way.model;
  options.trigger = way.trigger;
  options.keep = way.keep;
  options.threads = threads;
  if (way.decays) options.half_life_ns = {1e5, 3e4, 5e3};
  return {whole(0.004), tiers({5, 25, 100}), options};
}

constexpr Way kWays[] = {
    {"flow", Model::flow, Trigger::last, false, std::nullopt},
    {"half_life_kept", Model::flow, Trigger::last, true, 3},
    {"mark", Model::flow, Trigger::mark, false, 2},
    {"blend", Model::blend, Trigger::last, false, std::nullopt},
};

}  // namespace

TEST(EngineHook, SeesTheSameMomentsForAnyBatchAndNumberOfThreads) {
  for (const Way& way : kWays) {
    const Streams all = streams(31, 700);
    const std::vector<Moment> single = moments(engine_of(way), all, 1);
    EXPECT_GT(single.size(), 20U);
    for (const std::size_t batch : {3U, 100U, 700U})
      for (const std::size_t threads : {1U, 2U})
        ASSERT_TRUE(moments(engine_of(way, threads), all, batch) == single)
            << way.name << " " << batch << " " << threads;
  }
}

TEST(EngineHook, SeesTheSameMomentsWhereThreadsWouldShareTheWork) {
  Tape tape;
  for (std::int64_t i = 0; i < 150'000; ++i)
    tape.push(100 + i, 10'000.0 + static_cast<double>((i / 70) % 400), static_cast<double>(i % 9 + 1), i % 3 == 0);
  std::vector<std::vector<Moment>> seen_by;
  for (const std::size_t threads : {1U, 2U}) {
    EngineOptions options;
    options.window_ns = 20'000;
    options.threads = threads;
    Engine engine{whole(0.004), tiers({5, 25, 100}), options};
    std::vector<Moment>& out = seen_by.emplace_back();
    engine.on_column([&](const Segment&) { out.push_back(moment(engine)); });
    engine.trades(tape.all());
  }
  EXPECT_EQ(seen_by[0].size(), 7U);
  EXPECT_TRUE(seen_by[0] == seen_by[1]);
}

TEST(EngineHook, SeesWhatAnAdvanceToTheWindowsEndLeaves) {
  for (const Way& way : kWays) {
    const Tape tape = support::random_tape(32, 700, false);
    Engine engine = engine_of(way);
    std::vector<std::pair<std::int64_t, Moment>> in_hook;
    std::vector<std::size_t> fed;
    std::size_t next = 0;
    engine.on_column([&](const Segment& segment) {
      in_hook.emplace_back(segment.end_ns, moment(engine));
      fed.push_back(next);
    });
    Engine beside = engine_of(way);
    std::size_t done = 0;
    for (; next < tape.size(); ++next)
      engine.trade(tape.ts[next], tape.price[next], tape.qty[next], tape.sell[next] != 0);
    for (std::size_t k = 0; k < in_hook.size(); ++k) {
      for (; done < fed[k]; ++done) beside.trade(tape.ts[done], tape.price[done], tape.qty[done], tape.sell[done] != 0);
      beside.advance(in_hook[k].first);
      ASSERT_TRUE(moment(beside) == in_hook[k].second) << way.name << " window " << k;
    }
  }
}

TEST(EngineHook, ACheckpointInItGoesOnBitForBit) {
  for (const Way& way : kWays) {
    const Tape tape = support::random_tape(33, 900, false);
    Engine engine = engine_of(way);
    std::vector<liqcore::Checkpoint> checkpoints;
    std::vector<std::size_t> at;
    std::size_t next = 0;
    engine.on_column([&](const Segment&) {
      checkpoints.push_back(engine.checkpoint());
      at.push_back(next);
    });
    for (; next < tape.size(); ++next)
      engine.trade(tape.ts[next], tape.price[next], tape.qty[next], tape.sell[next] != 0);
    for (std::size_t k = 0; k < checkpoints.size(); ++k) {
      Engine restored = engine_of(way);
      restored.restore(checkpoints[k]);
      for (std::size_t i = at[k]; i < tape.size(); ++i)
        restored.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
      ASSERT_EQ(seen(restored), seen(engine)) << way.name << " window " << k;
    }
  }
}

TEST(EngineHook, ACloneMadeInItGoesOnTheSameAndHasNoHook) {
  const Tape tape = support::random_tape(34, 600, false);
  Engine engine = engine_of(kWays[0]);
  std::vector<std::pair<std::size_t, Engine>> clones;
  std::size_t next = 0;
  engine.on_column([&](const Segment&) { clones.emplace_back(next, engine.clone()); });
  for (; next < tape.size(); ++next)
    engine.trade(tape.ts[next], tape.price[next], tape.qty[next], tape.sell[next] != 0);
  const std::size_t called = clones.size();
  for (auto& [from, clone] : clones) {
    for (std::size_t i = from; i < tape.size(); ++i)
      clone.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
    ASSERT_EQ(seen(clone), seen(engine)) << from;
  }
  EXPECT_EQ(clones.size(), called);
}

TEST(EngineHook, MayReplaceAndRemoveItself) {
  Engine engine = engine_of(kWays[0]);
  const std::string name(100, 'x');  // what a hook owns must live until it returns
  std::size_t first = 0, second = 0;
  engine.on_column([&engine, &first, &second, name](const Segment&) {
    engine.on_column([&engine, &second, name](const Segment&) {
      engine.on_column(nullptr);
      second += name.size();
    });
    first += name.size();
  });
  engine.trade(0, 10'000, 1, false);
  engine.trade(5'000, 10'000, 1, false);
  EXPECT_EQ(first, 100U);
  EXPECT_EQ(second, 100U);
  EXPECT_EQ(engine.history()->total(), 5U);
}

TEST(EngineHook, IsRefusedWhateverFeeds) {
  for (const Model model : {Model::flow, Model::vendor}) {
    EngineOptions options;
    options.window_ns = 1'000;
    options.model = model;
    if (model == Model::vendor) options.trigger = Trigger::candle;
    Engine engine{whole(0.004), tiers({10}), options};
    engine.mark(0, 10'000);
    engine.trade(10, 10'000, 1, false);
    Tape tape;
    tape.push(1'000, 10'000, 1, false);
    const std::array factors{0.5, 0.5};
    std::vector<std::string> refused;
    engine.on_column([&](const Segment&) {
      const Seen before = seen(engine);
      const auto refuse = [&](auto&& call) { refused.push_back(support::refusal(call)); };
      refuse([&] { engine.trade(1'000, 10'000, 1, false); });
      refuse([&] { engine.trades(tape.all()); });
      refuse([&] { engine.records({}); });
      refuse([&] { engine.mark(1'000, 10'000); });
      refuse([&] { engine.open_interest(1'000, 5); });
      refuse([&] { engine.vendor_event(1'000, 10'000, 5); });
      refuse([&] { engine.advance(9'000); });
      refuse([&] { engine.open(liqcore::Side::long_, 10'000, 1); });
      refuse([&] { engine.touch(9'000, 10'000); });
      refuse([&] { engine.scale(factors); });
      refuse([&] { engine.restore(engine.checkpoint()); });
      Engine copy = engine.clone();
      EXPECT_EQ(copy.trade(1'000, 10'000, 1, false), liqcore::Reject::none);
      EXPECT_EQ(seen(engine), before);
    });
    engine.advance(1'000);
    EXPECT_EQ(refused,
              std::vector<std::string>(11, "an engine must not be fed from its own hook, which may only read it"));
    engine.on_column(nullptr);
    EXPECT_EQ(engine.trade(1'000, 10'000, 1, false), liqcore::Reject::none);
  }
}

TEST(EngineHook, ThatThrowsLeavesAnEngineThatGoesOn) {
  Engine engine = engine_of(kWays[0]);
  Engine beside = engine_of(kWays[0]);
  for (Engine* each : {&engine, &beside}) {
    each->trade(0, 10'000, 5, false);
    each->trade(10, 9'800, 5, true);  // liquidates the 100x
  }
  engine.on_column([](const Segment&) { throw std::runtime_error("no"); });
  EXPECT_THROW(engine.trade(1'500, 10'100, 1, false), std::runtime_error);
  EXPECT_EQ(*engine.clock(), 1'000);
  EXPECT_EQ(engine.counts().rows, 2U);
  engine.on_column(nullptr);
  for (Engine* each : {&engine, &beside}) {
    each->trade(1'500, 10'100, 1, false);
    each->advance(2'000);
  }
  EXPECT_EQ(seen(engine), seen(beside));
}

TEST(EngineReads, BetweenTradesChangeNoBitOfLevelsAndWindows) {
  for (const Way& way : kWays) {
    const Streams all = streams(35, 400);
    Engine plain = engine_of(way);
    Engine read = engine_of(way);
    std::size_t mark = 0, sample = 0;
    for (std::size_t i = 0; i < all.trades.size(); ++i) {
      for (Engine* each : {&plain, &read}) {
        if (mark < all.mark_ts.size() && all.mark_ts[mark] <= all.trades.ts[i])
          each->mark(all.mark_ts[mark], all.mark[mark]);
        if (sample < all.sample_ts.size() && all.sample_ts[sample] <= all.trades.ts[i])
          each->open_interest(all.sample_ts[sample], all.sample[sample]);
        each->trade(all.trades.ts[i], all.trades.price[i], all.trades.qty[i], all.trades.sell[i] != 0);
      }
      if (mark < all.mark_ts.size() && all.mark_ts[mark] <= all.trades.ts[i]) ++mark;
      if (sample < all.sample_ts.size() && all.sample_ts[sample] <= all.trades.ts[i]) ++sample;
      if (read.book() == nullptr) continue;
      static_cast<void>(moment(read));
    }
    Seen a = seen(plain), b = seen(read);
    const bool fractions = way.decays || way.model != Model::flow;  // their sums may differ in the last digits
    if (fractions)
      for (Seen* each : {&a, &b})
        for (Segment& segment : each->state.closed) segment.accounts.clear();
    ASSERT_EQ(a.state.closed, b.state.closed) << way.name;
    ASSERT_EQ(a.state.live, b.state.live) << way.name;
    ASSERT_EQ(a.state.axis, b.state.axis) << way.name;
    if (!fractions) {
      ASSERT_EQ(a, b) << way.name;
    }
  }
}
