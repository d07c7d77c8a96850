// Memory that runs out, at every allocation in turn: what was called has happened wholly or not at all, and the engine
// goes on.

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "liqcore/features.hpp"
#include "liqcore/footprint_stream.hpp"
#include "liqcore/published.hpp"
#include "support.hpp"

namespace {

using liqcore::Checkpoint;
using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::History;
using liqcore::Model;
using liqcore::PriceAxis;
using liqcore::Side;
using liqcore::Trigger;
using support::Seen;
using support::seen;
using support::Tape;

constexpr std::int64_t kWindow = 1'000;

Engine engine_of(const EngineOptions& options) { return {support::whole(0.004), support::tiers({2, 10, 50}), options}; }

/// Calls with the n-th allocation from now on failing; whether it failed.
template <class Call>
bool fails_at(std::int64_t n, Call&& call) {
  failing_allocation = allocations + n;
  bool failed = false;
  try {
    call();
  } catch (const std::bad_alloc&) {
    failed = true;
  }
  failing_allocation = -1;
  return failed;
}

constexpr std::int64_t kMost = 100'000;  // more allocations than any call here makes

struct Case {
  const char* name;
  EngineOptions options;
  std::function<void(Engine&)> before;
  std::function<void(Engine&)> call;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

EngineOptions with(Model model, Trigger trigger = Trigger::last) {
  EngineOptions options;
  options.window_ns = kWindow;
  options.model = model;
  options.trigger = trigger;
  return options;
}

EngineOptions decaying(std::optional<std::size_t> keep = std::nullopt) {
  EngineOptions options = with(Model::flow);
  options.half_life_ns = {1e5, 2e4, 5e3};
  options.keep = keep;
  return options;
}

EngineOptions reconciled(Model model) {
  EngineOptions options = with(model);
  options.model_options.reconciled = true;
  return options;
}

EngineOptions vendor(double threshold) {
  EngineOptions options = with(Model::vendor, Trigger::candle);
  options.model_options.event_threshold = threshold;
  return options;
}

EngineOptions present() {
  EngineOptions options = with(Model::presence);
  options.model_options.exponent = 0.5;
  options.window_ns = liqcore::kLeastPresence;
  return options;
}

void nothing(Engine&) {}

/// A few windows, with a run in progress.
void some_trades(Engine& engine) {
  for (std::int64_t i = 0; i < 90; ++i)
    engine.trade(50 * i, 10'000.0 + static_cast<double>((i * 37) % 61), static_cast<double>(i % 7 + 1), i % 3 == 0);
}

void feed_interval(Engine& engine) {
  engine.open_interest(0, 500.0);
  some_trades(engine);
  engine.mark(4'490, 10'020.0);
}

void scaled_book(Engine& engine) {
  some_trades(engine);
  engine.scale(std::array{0.5, 0.75, 1.0, 1.0, 0.5, 0.25});
}

void one_candle(Engine& engine, std::int64_t ts, double low, double high, double qty) {
  const std::int64_t ts_open[] = {ts};
  const double lows[] = {low}, highs[] = {high}, volumes[] = {qty};
  engine.candles({ts_open, lows, highs, lows, highs, volumes, volumes, 100});
}

const Case kCases[] = {
    {"first_trade", with(Model::flow), nothing, [](Engine& e) { e.trade(10, 10'000.0, 3.0, false); }},
    {"first_large_trade", with(Model::flow), nothing, [](Engine& e) { e.trade(10, 10'000.0, 3e9, true); }},
    {"first_mark", with(Model::flow, Trigger::mark), nothing, [](Engine& e) { e.mark(10, 10'000.0); }},
    {"first_open", with(Model::none), [](Engine& e) { e.advance(10); },
     [](Engine& e) { e.open(Side::long_, 10'000.0, 5.0); }},
    {"first_touch", with(Model::none), [](Engine& e) { e.advance(10); }, [](Engine& e) { e.touch(9'000.0, 10'000.0); }},
    {"first_candle", with(Model::flow), nothing, [](Engine& e) { one_candle(e, 10, 9'990.0, 10'010.0, 4.0); }},
    {"trade_in_the_window", with(Model::flow), some_trades, [](Engine& e) { e.trade(4'500, 10'003.0, 3.0, false); }},
    {"trade_far_away", with(Model::flow), some_trades, [](Engine& e) { e.trade(4'500, 30'000.0, 3.0, false); }},
    {"trade_after_windows", with(Model::flow), some_trades, [](Engine& e) { e.trade(9'500, 12'000.0, 3.0, true); }},
    {"trade_after_windows_with_half_life", decaying(), some_trades,
     [](Engine& e) { e.trade(9'500, 12'000.0, 3.0, true); }},
    {"trade_after_windows_kept", decaying(3), some_trades, [](Engine& e) { e.trade(9'500, 12'000.0, 3.0, true); }},
    {"large_trade_after_windows", with(Model::flow), some_trades,
     [](Engine& e) { e.trade(9'500, 25'000.0, 3e9, true); }},
    {"trade_by_presence", present(), some_trades, [](Engine& e) { e.trade(4'500, 30'000.0, 3.0, false); }},
    {"trade_by_presence_after_windows", present(), some_trades,
     [](Engine& e) { e.trade(9'500'000, 12'000.0, 3.0, true); }},
    {"large_trade_by_presence", present(), some_trades, [](Engine& e) { e.trade(4'500, 25'000.0, 3e9, true); }},
    {"mark", with(Model::flow, Trigger::mark), some_trades, [](Engine& e) { e.mark(6'000, 9'000.0); }},
    {"mark_after_a_scale", with(Model::flow, Trigger::mark), scaled_book, [](Engine& e) { e.mark(4'600, 9'000.0); }},
    {"candle", with(Model::flow), [](Engine& e) { one_candle(e, 10, 9'990.0, 10'010.0, 4.0); },
     [](Engine& e) { one_candle(e, 3'500, 19'000.0, 21'000.0, 4.0); }},
    {"open_interest", with(Model::oi), feed_interval, [](Engine& e) { e.open_interest(6'500, 900.0); }},
    {"open_interest_falls", with(Model::blend), feed_interval, [](Engine& e) { e.open_interest(6'500, 300.0); }},
    {"open_interest_reconciled", reconciled(Model::flow), feed_interval,
     [](Engine& e) { e.open_interest(6'500, 20.0); }},
    {"open_interest_blend_reconciled", reconciled(Model::blend), feed_interval,
     [](Engine& e) { e.open_interest(6'500, 800.0); }},
    {"open_interest_vendor", vendor(100.0), feed_interval, [](Engine& e) { e.open_interest(6'500, 900.0); }},
    {"vendor_event", vendor(100.0), feed_interval, [](Engine& e) { e.vendor_event(6'500, 40'000.0, 9.0); }},
    {"open", with(Model::none), some_trades, [](Engine& e) { e.open(Side::short_, 40'000.0, 9.0); }},
    {"open_each_tier", with(Model::none), some_trades,
     [](Engine& e) { e.open(Side::short_, 40'000.0, std::array{9.0, 0.0, 3.0}); }},
    {"close", with(Model::flow), some_trades,
     [](Engine& e) { static_cast<void>(e.close(Side::long_, 5'000.0, 12'000.0, 4.0)); }},
    {"scale_a_part", with(Model::flow), some_trades,
     [](Engine& e) { e.scale(std::array{0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, 5'000.0, 12'000.0); }},
    {"open_level", with(Model::none), some_trades, [](Engine& e) { e.open_level(Side::short_, 60'000.0, 9.0); }},
    {"opens_after_windows", decaying(3), some_trades,
     [](Engine& e) {
       e.opens(
           {std::array<std::int64_t, 1>{9'500}, std::array<std::uint8_t, 1>{1}, std::array{40'000.0}, std::array{4.0}});
     }},
    {"touches_after_windows", decaying(3), some_trades,
     [](Engine& e) {
       e.touches({std::array<std::int64_t, 1>{9'500}, std::array{8'000.0}, std::array{12'000.0}, std::array{9'000.0}});
     }},
    {"touch", with(Model::flow), some_trades, [](Engine& e) { e.touch(8'000.0, 12'000.0); }},
    {"touch_after_a_scale", with(Model::flow), scaled_book, [](Engine& e) { e.touch(8'000.0, 12'000.0); }},
    {"scale", with(Model::flow), some_trades, [](Engine& e) { e.scale(std::array{0.5, 0.5, 0.5, 0.5, 0.5, 0.5}); }},
    {"advance", with(Model::flow), some_trades, [](Engine& e) { e.advance(20'000); }},
    {"advance_with_half_life", decaying(), some_trades, [](Engine& e) { e.advance(20'000); }},
    {"advance_kept", decaying(3), some_trades, [](Engine& e) { e.advance(20'000); }},
    {"advance_over_a_gap", decaying(), some_trades, [](Engine& e) { e.advance(300'000); }},
    {"trade_after_a_gap_kept", decaying(3),
     [](Engine& e) {
       some_trades(e);
       e.advance(300'000);
     },
     [](Engine& e) { e.trade(700'500, 12'000.0, 3.0, true); }},
    {"scale_again_in_the_next_window", with(Model::none),
     [](Engine& e) {
       some_trades(e);
       for (std::int64_t ts = 5'000; ts < 9'000; ts += kWindow) {
         e.advance(ts);
         e.scale(std::array{0.5, 0.75, 1.0, 1.0, 0.5, 0.25});
       }
     },
     [](Engine& e) { e.advance(9'500); }},
    {"advance_after_a_scale", with(Model::flow), scaled_book, [](Engine& e) { e.advance(5'000); }},
    {"read", with(Model::flow), some_trades,
     [](Engine& e) {
       static_cast<void>(e.checkpoint());
       static_cast<void>(e.save("notes"));
       static_cast<void>(e.clone());
       static_cast<void>(e.history_so_far());
       static_cast<void>(e.axis());
       static_cast<void>(e.stats());
       liqcore::FeatureReader reader;
       std::vector<double> row(reader.size());
       reader.read(e, row);
     }},
};

class OutOfMemory : public ::testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] Engine fresh() const {
    Engine engine = engine_of(GetParam().options);
    GetParam().before(engine);
    return engine;
  }
};

/// What comes afterwards, whatever the model.
void go_on(Engine& engine) {
  const std::int64_t clock = *engine.clock();
  for (std::int64_t i = 1; i < 40; ++i) {
    if (engine.options().model != Model::vendor)
      engine.mark(clock + 100 * i, 10'000.0 + static_cast<double>((i * 53) % 400));
    engine.open_interest(clock + 100 * i, static_cast<double>(500 + i * 7 % 90));
  }
  engine.advance(clock + 9'000);
}

}  // namespace

TEST_P(OutOfMemory, AnEventHappensWhollyOrNotAtAllAndTheEngineGoesOn) {
  Engine with_it = fresh();
  const Seen before = seen(with_it);
  GetParam().call(with_it);
  const Seen after = seen(with_it);
  go_on(with_it);
  const Seen in_the_end = seen(with_it);
  std::int64_t n = 0;
  for (; n < kMost; ++n) {
    Engine engine = fresh();
    if (!fails_at(n, [&] { GetParam().call(engine); })) break;
    const Seen now = seen(engine);
    ASSERT_TRUE(now == before || now == after) << "allocation " << n;
    if (now == before) GetParam().call(engine);
    ASSERT_EQ(seen(engine), after) << "allocation " << n;
    go_on(engine);
    ASSERT_EQ(seen(engine), in_the_end) << "allocation " << n;
  }
  ASSERT_LT(n, kMost);
}

INSTANTIATE_TEST_SUITE_P(All, OutOfMemory, ::testing::ValuesIn(kCases),
                         [](const auto& of) { return std::string(of.param.name); });

TEST(OutOfMemoryEngine, IsConstructedOrNot) {
  EngineOptions options = decaying(3);
  options.threads = 2;
  std::int64_t n = 0;
  while (n < kMost && fails_at(n, [&] { engine_of(options); })) ++n;
  EXPECT_GT(n, 5);
  EXPECT_LT(n, kMost);
}

TEST(OutOfMemoryEngine, IsRestoredOrNot) {
  for (const bool kept : {false, true}) {
    const EngineOptions options = decaying(kept ? std::optional<std::size_t>(2) : std::nullopt);
    Engine through = engine_of(options);
    some_trades(through);
    through.scale(std::array{0.5, 0.75, 1.0, 1.0, 0.5, 0.25});
    const Checkpoint checkpoint = through.checkpoint();
    const Seen stood = seen(through);
    std::int64_t n = 0;
    for (; n < kMost; ++n) {
      Engine engine = engine_of(options);
      const Seen before = seen(engine);
      if (!fails_at(n, [&] { engine.restore(checkpoint); })) break;
      ASSERT_EQ(seen(engine), before) << n;
      ASSERT_EQ(engine.book(), nullptr) << n;
      engine.restore(checkpoint);
      ASSERT_EQ(seen(engine), stood) << n;
    }
    EXPECT_GT(n, 10);
    EXPECT_LT(n, kMost);
  }
}

TEST(OutOfMemoryEngine, IsLoadedAndClonedOrNot) {
  const EngineOptions options = decaying(2);
  Engine through = engine_of(options);
  some_trades(through);
  through.scale(std::array{0.5, 0.75, 1.0, 1.0, 0.5, 0.25});
  const std::vector<std::byte> bytes = through.save(std::string(100, 'n'));
  const Seen stood = seen(through);
  std::int64_t n = 0;
  for (; n < kMost; ++n) {
    std::string notes = "before";
    std::optional<Engine> loaded;
    if (!fails_at(n, [&] { loaded.emplace(Engine::load(bytes, 2, &notes)); })) break;
    ASSERT_FALSE(loaded.has_value());
    ASSERT_EQ(notes, "before");
  }
  EXPECT_GT(n, 50);
  EXPECT_LT(n, kMost);
  for (n = 0; n < kMost; ++n) {
    std::optional<Engine> clone;
    const bool failed = fails_at(n, [&] { clone.emplace(through.clone()); });
    ASSERT_EQ(seen(through), stood) << n;
    if (!failed) {
      ASSERT_EQ(seen(*clone), stood);
      break;
    }
  }
  EXPECT_GT(n, 10);
  EXPECT_LT(n, kMost);
}

/// Trades with jumps and windows to close.
Tape wild_tape(std::size_t rows) {
  support::Random random{7};
  Tape tape;
  std::int64_t ts = 100, tick = 10'000;
  for (std::size_t i = 0; i < rows; ++i) {
    ts += random(0, 60);
    tick += random.one_in(40) ? random(-2'000, 2'000) : random(-9, 9);
    if (tick < 4'000 || tick > 30'000) tick = 10'000;
    tape.push(ts, static_cast<double>(tick), static_cast<double>(random(1, 9)) + (random.one_in(9) ? 0.25 : 0.0),
              random.one_in(2));
  }
  return tape;
}

TEST(OutOfMemoryArrays, StopBetweenTwoRowsAndTheRestGoesOn) {
  const Tape tape = wild_tape(400);
  for (const std::optional<std::size_t> keep : {std::optional<std::size_t>(), std::optional<std::size_t>(3)})
    for (const bool decays : {false, true}) {
      EngineOptions options = decays ? decaying(keep) : with(Model::flow);
      options.keep = keep;
      const auto make = [&] { return engine_of(options); };
      std::vector<Seen> rows;  // after each row
      Engine one = make();
      rows.push_back(seen(one));
      for (std::size_t i = 0; i < tape.size(); ++i) {
        one.trades(tape.view(i, i + 1));
        rows.push_back(seen(one));
      }
      std::int64_t n = 0;
      for (; n < kMost; ++n) {
        Engine engine = make();
        if (!fails_at(n, [&] { static_cast<void>(engine.feed_rows({tape.all(), {}, {}, {}, {}})); })) break;
        const auto done = static_cast<std::size_t>(engine.counts().rows);
        ASSERT_EQ(seen(engine), rows[done]) << "allocation " << n << ", " << done << " rows";
        engine.trades(tape.view(done, tape.size()));
        ASSERT_EQ(seen(engine), rows.back()) << "allocation " << n << ", " << done << " rows";
      }
      EXPECT_GT(n, 50);
      EXPECT_LT(n, kMost);
    }
}

TEST(OutOfMemoryArrays, StopBetweenTwoEventsOfAFeed) {
  const Tape tape = wild_tape(150);
  std::vector<std::int64_t> ts;
  std::vector<double> price, quantity;
  for (std::int64_t t = 130; t < tape.ts.back(); t += 333) {
    ts.push_back(t);
    price.push_back(9'000.0 + static_cast<double>(t % 1'700));
    quantity.push_back(100.0 + static_cast<double>(t % 77));
  }
  EngineOptions options = reconciled(Model::flow);
  options.trigger = Trigger::mark;
  const liqcore::Feed feed{tape.all(), {ts, price}, {}, {ts, quantity}, {}};
  const auto make = [&] { return engine_of(options); };
  Engine through = make();
  through.feed(feed);
  std::int64_t n = 0;
  for (; n < kMost; ++n) {
    Engine engine = make();
    if (!fails_at(n, [&] { static_cast<void>(engine.feed_rows(feed)); })) break;
    // Row by row, as far as it came.
    Engine rows = make();
    std::size_t trade = 0, mark = 0, sample = 0;
    for (std::uint64_t done = 0; done < engine.counts().rows; ++done) {
      const auto next = [](const std::vector<std::int64_t>& of, std::size_t i) {
        return i < of.size() ? of[i] : 1 << 30;
      };
      const std::int64_t at[] = {next(ts, mark), next(tape.ts, trade), next(ts, sample)};
      if (at[0] <= at[1] && at[0] <= at[2]) {
        rows.mark(ts[mark], price[mark]);
        ++mark;
      } else if (at[1] <= at[2]) {
        rows.trade(tape.ts[trade], tape.price[trade], tape.qty[trade], tape.sell[trade] != 0);
        ++trade;
      } else {
        rows.open_interest(ts[sample], quantity[sample]);
        ++sample;
      }
    }
    ASSERT_EQ(seen(engine).state.clock, seen(rows).state.clock) << n;
    ASSERT_EQ(seen(engine).state.closed.size(), seen(rows).state.closed.size()) << n;
    ASSERT_EQ(seen(engine), seen(rows)) << n;
  }
  EXPECT_GT(n, 50);
  EXPECT_LT(n, kMost);
}

TEST(OutOfMemoryArrays, OfSeveralThreadsStopBetweenTwoRowsToo) {
  support::Random random{8};
  Tape tape;
  for (std::int64_t i = 0; i < 140'000; ++i)
    tape.push(100 + i, 10'000.0 + static_cast<double>((i / 50) % 90), static_cast<double>(i % 9 + 1), i % 3 == 0);
  EngineOptions options = with(Model::flow);
  options.window_ns = 20'000;
  options.threads = 2;
  const auto make = [&] { return engine_of(options); };
  Engine through = make();
  through.trades(tape.all());
  const Seen in_the_end = seen(through);
  for (std::int64_t n = 0; n < kMost; n += 1 + n / 8) {
    Engine engine = make();
    if (!fails_at(n, [&] { static_cast<void>(engine.feed_rows({tape.all(), {}, {}, {}, {}})); })) break;
    engine.trades(tape.view(engine.counts().rows, tape.size()));
    ASSERT_EQ(seen(engine), in_the_end) << n;
  }
}

TEST(OutOfMemoryEngine, WhatAHookWasToldOfStands) {
  std::int64_t n = 0;
  for (; n < kMost; ++n) {
    Engine engine = engine_of(decaying(3));
    some_trades(engine);
    std::vector<std::int64_t> told;
    engine.on_column([&](const liqcore::Segment& segment) {
      const std::int64_t failing = failing_allocation.exchange(-1);
      told.push_back(segment.end_ns);
      failing_allocation = failing;
    });
    const std::uint64_t closed = engine.history()->total();
    const bool failed = fails_at(n, [&] { engine.advance(9'000); });
    ASSERT_EQ(engine.history()->total() - closed, told.size()) << n;
    if (!told.empty()) {
      ASSERT_EQ(*engine.clock(), told.back()) << n;
    }
    if (!failed) break;
    engine.advance(9'000);
    Engine other = engine_of(decaying(3));
    some_trades(other);
    other.advance(9'000);
    ASSERT_EQ(seen(engine), seen(other)) << n;
  }
  EXPECT_LT(n, kMost);
}

// --- publishing ----------------------------------------------------------------------------------------------------

TEST_P(OutOfMemory, WhatCannotBePublishedIsLeftOutAndTheEventIsAsBefore) {
  const auto publishing = [&] {
    Engine engine = engine_of(GetParam().options);
    engine.publish_to(std::make_shared<liqcore::Publisher>());
    GetParam().before(engine);
    return engine;
  };
  Engine with_it = fresh();
  const Seen before = seen(with_it);
  GetParam().call(with_it);
  const Seen after = seen(with_it);
  std::int64_t n = 0;
  for (std::int64_t quiet = 0; n < kMost && quiet == 0; ++n) {
    Engine engine = publishing();
    const std::int64_t at = allocations.load();
    const bool failed = fails_at(n, [&] { GetParam().call(engine); });
    if (!failed && allocations.load() - at <= n) quiet = 1;  // no allocation is left to fail
    const Seen now = seen(engine);
    ASSERT_TRUE(now == before || now == after) << "allocation " << n;
    ASSERT_TRUE(failed || now == after) << "allocation " << n;
    if (now == before) GetParam().call(engine);
    ASSERT_EQ(seen(engine), after) << "allocation " << n;
  }
  ASSERT_LT(n, kMost);
}

TEST(OutOfMemoryPublisher, PublishesWhollyOrNotAtAll) {
  Engine engine = engine_of(with(Model::flow));
  some_trades(engine);
  std::int64_t n = 0;
  for (; n < kMost; ++n) {
    liqcore::Publisher publisher;
    publisher.publish(engine);
    const auto first = publisher.snapshot();
    engine.trade(*engine.clock() + 700, 10'003.0, 3.0, false);
    std::vector<double> row(publisher.size());
    if (!fails_at(n, [&] { publisher.publish(engine); })) break;
    ASSERT_EQ(publisher.snapshot(), first);
    ASSERT_EQ(publisher.read(row).sequence, 1U);
    publisher.publish(engine);
    ASSERT_EQ(publisher.snapshot()->sequence, 2U);
    ASSERT_EQ(publisher.read(row).clock_ns, *engine.clock());
  }
  EXPECT_GT(n, 10);
  EXPECT_LT(n, kMost);
}

TEST(OutOfMemoryPublisher, CountsWhatAWindowsEndCouldNotPublish) {
  std::int64_t n = 0;
  for (std::uint64_t missed = 1; n < kMost && missed > 0; ++n) {
    Engine engine = engine_of(with(Model::flow));
    some_trades(engine);
    const auto publisher = std::make_shared<liqcore::Publisher>();
    engine.publish_to(publisher);
    const auto before = publisher->snapshot();
    engine.advance(*engine.clock());
    if (fails_at(n, [&] { engine.advance(5'000); })) continue;  // the window has not ended
    missed = publisher->missed();
    ASSERT_EQ(engine.clock(), 5'000);
    ASSERT_EQ(publisher->snapshot() == before, missed == 1);
    engine.advance(6'000);
    ASSERT_EQ(publisher->snapshot()->clock_ns, 6'000);
  }
  EXPECT_GT(n, 5);
  EXPECT_LT(n, kMost);
}
