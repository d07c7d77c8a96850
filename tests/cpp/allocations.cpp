// Feeding an engine, one event at a time and in its steady state, allocates nothing: counted by operator new itself.

#include "allocations.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "liqcore/features.hpp"
#include "liqcore/liqcore.h"
#include "liqcore/published.hpp"
#include "support.hpp"

std::atomic<std::int64_t> allocations{0};
std::atomic<std::int64_t> allocated_bytes{0};
std::atomic<std::int64_t> failing_allocation{-1};

namespace {

void* allocate(std::size_t size) {
  if (allocations.fetch_add(1, std::memory_order_relaxed) == failing_allocation.load(std::memory_order_relaxed))
    throw std::bad_alloc();
  allocated_bytes.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed);
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Not in line: GCC would see free() meet new in its callers, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) { return allocate(size); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return allocate(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::PriceAxis;
using liqcore::Trigger;

constexpr std::int64_t kWindow = 1'000;
constexpr int kTradesPerWindow = 40;
constexpr std::int64_t kCycle = 40;  // windows after which prices repeat

/// The price swings up and down by a tenth, the same in every cycle.
double price_at(std::int64_t i) {
  constexpr std::int64_t period = kCycle * kTradesPerWindow;
  const std::int64_t phase = i % period;
  const std::int64_t swing = phase < period / 2 ? phase : period - phase;
  return static_cast<double>(10'000 + swing + (i * 7) % 11);
}

void feed(Engine& engine, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t ts = i * kWindow / kTradesPerWindow;
    if (i % 10 == 0) engine.mark(ts, price_at(i) + 3.0);
    engine.trade(ts, price_at(i), static_cast<double>(i % 17 + 1), i % 3 == 0);
    if (i % 20 == 0) engine.open_interest(ts, 1'000.0);
  }
}

std::int64_t allocations_in_steady_state(EngineOptions options, double* seen_lots = nullptr) {
  options.window_ns = kWindow;
  options.axis = PriceAxis{0, 10, 2'100};
  options.keep = 7;
  Engine engine{support::whole(0.004), support::tiers({2, 10, 50, 100}), options};
  if (seen_lots != nullptr)
    engine.on_column([seen_lots](const liqcore::Segment& segment) { *seen_lots += segment.candle.buy_lots; });
  // Every kept segment meets every part of the cycle: 7 and 40 have no common divisor.
  constexpr std::int64_t warm_up = 2 * 7 * kCycle * kTradesPerWindow;
  feed(engine, 0, warm_up);
  const std::int64_t before = allocations.load();
  feed(engine, warm_up, warm_up + 100 * kTradesPerWindow);
  return allocations.load() - before;
}

}  // namespace

TEST(Allocations, AreCounted) {
  const std::int64_t before = allocations.load();
  const std::vector<double> some(100);
  const volatile double* kept = some.data();  // or an optimiser leaves the allocation out
  EXPECT_EQ(*kept, 0.0);
  EXPECT_GT(allocations.load(), before);
}

TEST(Allocations, NoneWhileTradesStreamOverManyWindows) { EXPECT_EQ(allocations_in_steady_state({}), 0); }

TEST(Allocations, NoneWithTheMarkTrigger) {
  EngineOptions options;
  options.trigger = Trigger::mark;
  EXPECT_EQ(allocations_in_steady_state(options), 0);
}

TEST(Allocations, NoneWithHalfLifeAndMakers) {
  EngineOptions options;
  options.half_life_ns = {1e6, 1e5, 1e4, 1e4};
  options.maker_share = 0.25;
  EXPECT_EQ(allocations_in_steady_state(options), 0);
}

TEST(Allocations, NoneWhenAHookLooksAtEveryWindow) {
  double lots = 0.0;
  EXPECT_EQ(allocations_in_steady_state({}, &lots), 0);
  EXPECT_GT(lots, 0.0);
}

TEST(Allocations, NoneForARowThatIsPublished) {
  EngineOptions options;
  options.window_ns = kWindow;
  options.axis = PriceAxis{0, 10, 2'100};
  options.keep = 7;
  Engine engine{support::whole(0.004), support::tiers({2, 10, 50, 100}), options};
  const auto publisher =
      std::make_shared<liqcore::Publisher>(liqcore::PublisherOptions{.features = {}, .snapshot_at_window_end = false});
  engine.publish_to(publisher);
  std::vector<double> row(publisher->size());
  const auto feed_and_read = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += 13) {
      feed(engine, i, std::min(i + 13, end));
      publisher->publish_row(engine);
      static_cast<void>(publisher->read(row));
    }
  };
  constexpr std::int64_t warm_up = 2 * 7 * kCycle * kTradesPerWindow;
  feed_and_read(0, warm_up);
  publisher->publish(engine);
  const std::int64_t before = allocations.load();
  feed_and_read(warm_up, warm_up + 30 * kTradesPerWindow);
  static_cast<void>(publisher->snapshot());
  // But for the first windows, which the snapshot from before still has: one each is made in their place.
  EXPECT_LE(allocations.load() - before, 7 * 12);
  const std::int64_t later = allocations.load();
  feed_and_read(warm_up + 30 * kTradesPerWindow, warm_up + 130 * kTradesPerWindow);
  EXPECT_EQ(allocations.load(), later);
}

TEST(Allocations, NoneThroughTheCInterface) {
  liq_instrument traded;
  liq_instrument_init(&traded, sizeof traded);
  traded.tick_size = traded.lot_size = 1.0;
  liq_engine_options options;
  liq_engine_options_init(&options, sizeof options);
  options.axis_high = 21'000.0;
  options.book_step = 10.0;
  options.window_ns = kWindow;
  options.keep = 7;
  liq_engine* engine = nullptr;
  ASSERT_EQ(liq_engine_create(&traded, &options, &engine), LIQ_OK) << liq_error_message();
  std::vector<std::int64_t> ts(1'000);
  std::vector<double> price(ts.size()), qty(ts.size());
  std::vector<std::uint8_t> sell(ts.size());
  const auto fill = [&](std::int64_t begin) {
    for (std::size_t k = 0; k < ts.size(); ++k) {
      const std::int64_t i = begin + static_cast<std::int64_t>(k);
      ts[k] = i * kWindow / kTradesPerWindow;
      price[k] = price_at(i);
      qty[k] = static_cast<double>(i % 17 + 1);
      sell[k] = i % 3 == 0 ? 1 : 0;
    }
  };
  const liq_trades trades{ts.data(), price.data(), qty.data(), sell.data(), ts.size()};
  std::int64_t at = 0;
  for (; at < 4 * 7 * kCycle * kTradesPerWindow; at += 1'000) {
    fill(at);
    ASSERT_EQ(liq_engine_trades(engine, &trades, nullptr), LIQ_OK);
  }
  liq_grid grid{};
  grid.size = sizeof grid;
  ASSERT_EQ(liq_engine_grid(engine, &grid), LIQ_OK);
  std::vector<double> cells(grid.tiers * grid.bins);
  std::vector<liq_account> accounts(2 * grid.tiers);
  liq_counts counts{};
  counts.size = sizeof counts;
  liq_window window{};
  window.size = sizeof window;
  const std::int64_t before = allocations.load();
  for (int round = 0; round < 5; ++round, at += 1'000) {
    fill(at);
    liq_engine_trades(engine, &trades, &counts);
    liq_engine_mark(engine, ts.back(), price.back());
    liq_engine_trade(engine, ts.back(), price.back(), 1.0, 1);
    liq_engine_levels(engine, LIQ_SHORT, cells.data(), cells.size(), &grid);
    liq_engine_accounts(engine, accounts.data(), accounts.size(), nullptr);
    liq_engine_counts(engine, &counts);
    liq_engine_window(engine, 6, &window);
    liq_engine_advance(engine, ts.back());
  }
  EXPECT_EQ(allocations.load() - before, 0);
  EXPECT_GT(counts.used, 0U);
  EXPECT_GT(accounts.back().opened.whole, 0);
  liq_engine_destroy(engine);
}

TEST(Allocations, NoneWhileFeaturesAreRead) {
  EngineOptions options;
  options.window_ns = kWindow;
  options.keep = 7;
  options.half_life_ns = {1e6, 1e5, 1e4, 1e4};
  Engine engine{support::whole(0.004), support::tiers({2, 10, 50, 100}), options};
  liqcore::FeatureReader reader;
  std::vector<double> row(reader.size());
  constexpr std::int64_t warm_up = 2 * 7 * kCycle * kTradesPerWindow;
  double seen = 0.0;
  const auto run = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += 3) {
      feed(engine, i, i + 3);
      reader.read(engine, row);
      seen += row[1];
    }
  };
  run(0, warm_up);
  const std::int64_t before = allocations.load();
  run(warm_up, warm_up + 300 * kTradesPerWindow);
  EXPECT_EQ(allocations.load() - before, 0);
  EXPECT_GT(seen, 0.0);
}

TEST(Allocations, AGapOfAMillionWindowsTakesAFewSmallBlocks) {
  for (const bool decays : {false, true})
    for (const std::optional<std::size_t> keep : {std::optional<std::size_t>{}, {std::size_t{7}}}) {
      EngineOptions options;
      options.window_ns = kWindow;
      options.axis = PriceAxis{0, 10, 2'100};
      options.keep = keep;
      if (decays) options.half_life_ns = {1e6, 1e8, 1e12, 1e12};
      Engine engine{support::whole(0.004), support::tiers({2, 10, 50, 100}), options};
      feed(engine, 0, 100 * kTradesPerWindow);
      engine.advance(*engine.clock() + 5 * kWindow);
      for (const double mark : {10'000.0, 10'001.0}) {  // so that the gap is an entry of its own, and not the first
        engine.advance(*engine.clock() + kWindow);
        engine.mark(*engine.clock(), mark);
      }
      const std::int64_t blocks = allocations.load(), bytes = allocated_bytes.load();
      engine.advance(*engine.clock() + 1'000'000 * kWindow);
      const std::int64_t more_blocks = allocations.load() - blocks, more_bytes = allocated_bytes.load() - bytes;
      EXPECT_LE(more_blocks, 6) << decays << keep.has_value();
      EXPECT_LE(more_bytes, 1'024) << decays << keep.has_value();
      EXPECT_EQ(engine.history()->total(), 1'000'106U);
      // What reads the whole of it takes no memory by the window either.
      const liqcore::History& history = *engine.history();
      const std::int64_t read = allocated_bytes.load();
      static_cast<void>(history.levels_after(history.size() - 1));
      static_cast<void>(engine.checkpoint());
      static_cast<void>(engine.history_so_far());
      EXPECT_LE(allocated_bytes.load() - read, 8'000'000) << decays;
    }
}

TEST(Allocations, NoneWhereWindowsAreIdleNowAndThen) {
  EngineOptions options;
  options.window_ns = kWindow;
  options.axis = PriceAxis{0, 10, 2'100};
  options.keep = 7;
  options.half_life_ns = {1e6, 1e5, 1e4, 1e4};
  Engine engine{support::whole(0.004), support::tiers({2, 10, 50, 100}), options};
  std::int64_t before = 0, ts = 0;
  for (std::int64_t window = 0; window < 6'000; ++window) {
    if (window == 4'000) before = allocations.load();
    for (std::int64_t i = 0; i < 5; ++i)
      engine.trade(ts + i, price_at(window % 40 * kTradesPerWindow + i), static_cast<double>(i + 1), i % 3 == 0);
    ts += kWindow * (1 + window % 3 + (window % 11 == 0 ? 9 : 0));  // the next window, one later, or after a gap
  }
  EXPECT_EQ(allocations.load() - before, 0);
}
