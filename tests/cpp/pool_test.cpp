#include "pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

using liqcore::Pool;

TEST(Pool, RunsEveryTaskOnce) {
  Pool pool(3);
  EXPECT_EQ(pool.threads(), 3U);
  for (const std::size_t n : {0U, 1U, 2U, 50U}) {
    std::vector<std::atomic<int>> runs(n);
    pool.run(n, [&](std::size_t i) { ++runs[i]; });
    for (const auto& count : runs) EXPECT_EQ(count.load(), 1);
  }
}

TEST(Pool, PassesOnWhatATaskThrowsAndRunsTheOthers) {
  Pool pool(2);
  std::atomic<int> done{0};
  const auto task = [&](std::size_t i) {
    if (i == 3) throw std::runtime_error("third");
    ++done;
  };
  EXPECT_THROW(pool.run(8, task), std::runtime_error);
  EXPECT_EQ(done.load(), 7);
  pool.run(2, [&](std::size_t) { ++done; });  // and goes on
  EXPECT_EQ(done.load(), 9);
}

TEST(Pool, SeveralCallersTakeTurns) {
  Pool pool(2);
  std::atomic<int> done{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int i = 0; i < 20; ++i) pool.run(5, [&](std::size_t) { ++done; });
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(done.load(), 400);
}
