#include "columns/merge.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <tuple>
#include <vector>

#include "text/csv.hpp"

namespace liqcore::columns {
namespace {

using Contents = std::tuple<std::int64_t, double, double, bool>;

/// Trades of one file, and what a merge needs of them.
struct File {
  std::vector<std::int64_t> ts, id;
  std::vector<double> price, qty;
  std::vector<std::uint8_t> taker_sell;
  int numbering = 0;
  bool ordered = false;

  void add(const Contents& trade, std::int64_t number = text::no_id) {
    ts.push_back(std::get<0>(trade));
    price.push_back(std::get<1>(trade));
    qty.push_back(std::get<2>(trade));
    taker_sell.push_back(std::get<3>(trade) ? 1 : 0);
    id.push_back(number);
  }
  [[nodiscard]] TradeRun run() const { return {ts, price, qty, taker_sell, id, numbering, ordered}; }
};

struct Merged {
  std::vector<Contents> trades;
  std::vector<RunCounts> counts;
};

Merged merge(const std::vector<File>& files) {
  std::vector<TradeRun> runs;
  std::size_t room = 0;
  for (const File& file : files) {
    runs.push_back(file.run());
    room += file.ts.size();
  }
  std::vector<std::int64_t> ts(room);
  std::vector<double> price(room), qty(room);
  std::vector<std::uint8_t> taker_sell(room);
  Merged merged;
  merged.counts.resize(files.size());
  const std::size_t used = merge_trades(runs, {ts.data(), price.data(), qty.data(), taker_sell.data()}, merged.counts);
  for (std::size_t i = 0; i < used; ++i) merged.trades.emplace_back(ts[i], price[i], qty[i], taker_sell[i] != 0);
  return merged;
}

TEST(MergeTrades, NothingOfNothing) {
  EXPECT_TRUE(merge({}).trades.empty());
  EXPECT_TRUE(merge({File{}, File{}}).trades.empty());
}

TEST(MergeTrades, WhatOnlyOneHasKeepsItsPlaceAmongWhatBothHave) {
  File a, b;
  for (const double qty : {1.0, 4.0}) a.add({5, 1.0, qty, false});
  for (const double qty : {0.5, 1.0, 2.0, 3.0, 4.0, 5.0}) b.add({5, 1.0, qty, false});
  std::vector<double> order;
  for (const Contents& trade : merge({a, b}).trades) order.push_back(std::get<2>(trade));
  EXPECT_EQ(order, (std::vector<double>{0.5, 1.0, 2.0, 3.0, 4.0, 5.0}));
}

TEST(MergeTrades, IdsTellTradesApartAndTheirOrder) {
  File a, b;
  for (const std::int64_t id : {1, 4}) a.add({5, 1.0, 1.0, false}, id);
  for (const std::int64_t id : {2, 4}) b.add({5, 1.0, static_cast<double>(id == 2 ? 2 : 1), false}, id);
  a.ordered = b.ordered = true;
  const Merged merged = merge({a, b});
  EXPECT_EQ(merged.trades, (std::vector<Contents>{{5, 1.0, 1.0, false}, {5, 1.0, 2.0, false}, {5, 1.0, 1.0, false}}));
  EXPECT_EQ(merged.counts[1].same_id, 1);
  b.numbering = 1;  // then 4 and 4 are not known to be one, and contents tell
  EXPECT_EQ(merge({a, b}).counts[1].same_contents, 1);
}

TEST(MergeTrades, SumsAndTwinsAreCounted) {
  File single, sum;
  for (std::int64_t ts = 0; ts < 10; ++ts) {
    for (int i = 0; i < 3; ++i) single.add({ts, 1.0, 0.5, false}, 3 * ts + i);
    sum.add({ts, 1.0, 1.5, false}, ts);
  }
  for (const RunCounts& counts : merge({single, sum}).counts) EXPECT_EQ(counts.regrouped, 10);
  File other = sum;
  for (std::int64_t& id : other.id) id += 100;
  EXPECT_EQ(merge({sum, other}).counts[1].twins, 10);
}

/// Each time has of each trade as many as the file that has most; every file's rows are accounted for.
TEST(MergeTrades, RandomFilesWithoutIds) {
  std::mt19937_64 random(7);
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  for (int round = 0; round < 300; ++round) {
    std::vector<File> files(1 + below(5));
    std::map<Contents, std::size_t> most;
    const std::uint64_t step = round % 3 == 0 ? 400 : 3;  // many of one time, or few
    for (File& file : files) {
      std::map<Contents, std::size_t> own;
      std::int64_t ts = 0;
      for (std::uint64_t n = below(300); n > 0; --n) {
        ts += below(step) == 0 ? 1 : 0;
        const Contents trade{ts, 1.0 + static_cast<double>(below(2)), 1.0 + static_cast<double>(below(3)),
                             below(2) == 0};
        file.add(trade);
        most[trade] = std::max(most[trade], ++own[trade]);
      }
    }
    const Merged merged = merge(files);
    std::map<Contents, std::size_t> found;
    for (const Contents& trade : merged.trades) ++found[trade];
    EXPECT_EQ(found, most) << round;
    EXPECT_TRUE(std::ranges::is_sorted(merged.trades, {}, [](const Contents& trade) { return std::get<0>(trade); }));
    std::int64_t left_out = 0, rows = 0;
    for (std::size_t f = 0; f < files.size(); ++f) {
      left_out += merged.counts[f].same_contents;
      rows += static_cast<std::int64_t>(files[f].ts.size());
      EXPECT_EQ(merged.counts[f].same_id, 0);
    }
    EXPECT_EQ(left_out + static_cast<std::int64_t>(merged.trades.size()), rows);
  }
}

/// Two long files, dealt at random from one market; with some rows in both, or without; with ids in order, or without.
struct Pair {
  File a, b;
  std::vector<Contents> market;
};

Pair random_pair(std::mt19937_64& random, double both, bool ids, std::uint64_t step) {
  const auto chance = [&](double share) { return static_cast<double>(random() % 1'000) < 1'000 * share; };
  Pair pair;
  pair.a.ordered = pair.b.ordered = ids;
  std::int64_t ts = 0;
  for (std::int64_t n = 0; n < 6'000; ++n) {
    if (random() % 500 == 0) step = 1 + random() % 60;  // stretches of many at a time, and of few
    ts += random() % step == 0 ? 1 : 0;
    const double qty = both > 0 ? 1.0 + static_cast<double>(random() % 4) : 1.0 + static_cast<double>(n) / 8;
    const Contents trade{ts, 100.0 + static_cast<double>(random() % 3), qty, random() % 2 == 0};
    pair.market.push_back(trade);
    const bool first = chance(0.5), shared = chance(both);
    if (first || shared) pair.a.add(trade, ids ? n : text::no_id);
    if (!first || shared) pair.b.add(trade, ids ? n : text::no_id);
  }
  return pair;
}

TEST(MergeTrades, TwoShardsAreTheMarketAgain) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 40; ++round) {
    const bool ids = round % 2 == 0;
    const Pair pair = random_pair(random, 0, ids, 1 + static_cast<std::uint64_t>(round) % 4);
    std::vector<Contents> expected = pair.market;
    if (!ids) {  // then file by file inside a time
      expected.clear();
      for (const File* file : {&pair.a, &pair.b})
        for (std::size_t i = 0; i < file->ts.size(); ++i)
          expected.emplace_back(file->ts[i], file->price[i], file->qty[i], file->taker_sell[i] != 0);
      std::ranges::stable_sort(expected, {}, [](const Contents& trade) { return std::get<0>(trade); });
    }
    const Merged merged = merge({pair.a, pair.b});
    EXPECT_EQ(merged.trades, expected) << round;
    for (const auto& [counts, file] : {std::pair{merged.counts[0], &pair.a}, std::pair{merged.counts[1], &pair.b}}) {
      EXPECT_EQ(counts.first, 0);
      EXPECT_EQ(counts.last, static_cast<std::int64_t>(file->ts.size()) - 1);
      EXPECT_EQ(counts.shared + counts.same_id + counts.same_contents + counts.twins + counts.sells, 0);
    }
  }
}

/// Two files are merged in ways of their own; a third one without a row leaves that to the way of any number of files.
TEST(MergeTrades, TwoFilesAreMergedAsAmongMore) {
  std::mt19937_64 random(13);
  for (int round = 0; round < 48; ++round) {
    const double both = std::array{0.02, 0.3, 0.95}[static_cast<std::size_t>(round) % 3];
    const bool ids = round % 4 == 0;
    const Pair pair = random_pair(random, both, ids, 1 + static_cast<std::uint64_t>(round) % 5);
    const Merged two = merge({pair.a, pair.b}), three = merge({pair.a, pair.b, File{}});
    if (ids) {
      EXPECT_EQ(two.trades, three.trades) << round;
      EXPECT_EQ(two.trades, pair.market) << round;
    } else {
      std::vector<Contents> mine = two.trades, other = three.trades;
      std::ranges::sort(mine);
      std::ranges::sort(other);
      EXPECT_EQ(mine, other) << round;
    }
    for (std::size_t run = 0; run < 2; ++run) {
      const RunCounts &x = two.counts[run], &y = three.counts[run];
      EXPECT_EQ(x.same_id, y.same_id) << round;
      EXPECT_EQ(x.same_contents, y.same_contents) << round;
      EXPECT_EQ(x.shared, y.shared) << round;
      EXPECT_EQ(x.sells, y.sells) << round;
    }
  }
}

}  // namespace
}  // namespace liqcore::columns
