// Feeding an engine, one event at a time and in its steady state, allocates nothing: counted by operator new itself.

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "liqcore/features.hpp"
#include "support.hpp"

namespace {

std::atomic<std::int64_t> allocations{0};

void* allocate(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
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
