#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "liqcore/engine.hpp"
#include "support.hpp"

namespace {

using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::RecordStats;
using liqcore::Reject;
using liqcore::Strided;
using liqcore::TradeRecords;

#pragma pack(push, 1)
struct Event {  // 33 bytes: no field but the first is aligned
  std::uint64_t flags;
  std::int64_t ts;
  char other;
  double price;
  double qty;
};
#pragma pack(pop)

constexpr std::uint64_t kTrade = 2, kClock = 1U << 10, kBuy = 1U << 8, kSell = 1U << 9;

TradeRecords records_of(const std::vector<Event>& events) {
  TradeRecords out;
  out.size = events.size();
  const auto field = [&](std::size_t at) {
    return Strided{reinterpret_cast<const char*>(events.data()) + at, sizeof(Event)};
  };
  out.flags = field(0);
  out.ts_ns = field(8);
  out.price = field(17);
  out.qty = field(25);
  out.wide_flags = true;
  out.kind_mask = 0xff;
  out.kind = kTrade;
  out.clock = kClock;
  out.buy = kBuy;
  out.sell = kSell;
  return out;
}

Engine engine(std::size_t threads = 1) {
  EngineOptions options;
  options.window_ns = 1000;
  options.threads = threads;
  return {support::whole(), support::tiers({5, 10}), options};
}

TEST(Records, TradesAreFedAndTheOthersCounted) {
  const std::vector<Event> events{
      {kTrade | kClock | kBuy, 10, 0, 1000, 3},
      {1 | kClock | kBuy, 11, 0, 900, 3},
      {kTrade | kBuy, 12, 0, 900, 3},
      {kTrade | kClock, 13, 0, 900, 3},
      {kTrade | kClock | kBuy | kSell, 14, 0, 900, 3},
      {kTrade | kClock | kSell, 15, 0, 1001, 2},
      {kTrade | kClock | kSell, 9, 0, 1001, 2},
  };
  Engine ours = engine();
  const RecordStats done = ours.records(records_of(events));
  EXPECT_EQ(done.stats.rows, 3U);
  EXPECT_EQ(done.stats.used, 2U);
  EXPECT_EQ(done.stats.rejected[static_cast<std::size_t>(Reject::late)], 1U);
  EXPECT_EQ(done.other_kinds[1], 1U);
  EXPECT_EQ(done.other_clock, 1U);
  EXPECT_EQ(done.no_side, 2U);

  Engine plain = engine();
  plain.trade(10, 1000, 3, false);
  plain.trade(15, 1001, 2, true);
  EXPECT_EQ(support::live(*ours.book()), support::live(*plain.book()));
}

TEST(Records, ManyGiveWhatOneAtATimeGivesWithAnyNumberOfThreads) {
  std::vector<Event> events;
  for (std::int64_t i = 0; i < 30'000; ++i)  // more than a block, over many windows
    events.push_back({kTrade | kClock | (i % 3 == 0 ? kSell : kBuy), i * 7, 0, 1000.0 + static_cast<double>(i * i % 97),
                      1.0 + static_cast<double>(i % 5)});
  Engine plain = engine();
  for (const Event& event : events) plain.trade(event.ts, event.price, event.qty, (event.flags & kSell) != 0);
  for (const std::size_t threads : {1U, 3U}) {
    Engine ours = engine(threads);
    EXPECT_EQ(ours.records(records_of(events)).stats.used, events.size());
    EXPECT_EQ(support::live(*ours.book()), support::live(*plain.book()));
    ASSERT_EQ(ours.history()->size(), plain.history()->size());
    for (std::size_t i = 0; i < plain.history()->size(); ++i)
      ASSERT_EQ(ours.history()->segment(i).additions, plain.history()->segment(i).additions) << i;
  }
}

TEST(Records, OneBitSaysTheSideWhereOnlyOneMaskIsGiven) {
  for (const bool sell_is_set : {true, false}) {
    std::vector<std::uint8_t> sides{1, 0, 1};
    const std::vector<std::int64_t> ts{1, 2, 3};
    const std::vector<double> price{1000, 1000, 1000};
    const std::vector<double> qty{1, 10, 100};
    TradeRecords rows;
    rows.size = 3;
    rows.ts_ns = {ts.data(), sizeof ts[0]};
    rows.price = {price.data(), sizeof price[0]};
    rows.qty = {qty.data(), sizeof qty[0]};
    rows.flags = {sides.data(), 1};
    rows.sell = sell_is_set ? 1 : 0;
    rows.buy = sell_is_set ? 0 : 1;
    Engine ours = engine();
    ours.records(rows);
    const auto stats = ours.stats();
    EXPECT_EQ(stats.accounts[0].opened.whole(), sell_is_set ? 10 : 101);  // longs
    EXPECT_EQ(stats.accounts[2].opened.whole(), sell_is_set ? 101 : 10);
  }
}

TEST(Records, AJumpIsRefusedBeforeAnythingHappens) {
  std::vector<Event> events;
  for (std::int64_t i = 0; i < 20'000; ++i) events.push_back({kTrade | kClock | kBuy, i, 0, 1000, 1});
  events.push_back({kTrade | kClock | kBuy, 2'000'000'000, 0, 1000, 1});
  Engine ours = engine();
  EXPECT_EQ(support::refusal([&] { ours.records(records_of(events)); }).substr(0, 21), "ts must not jump over");
  EXPECT_FALSE(ours.clock().has_value());
  events.back().price = -1;  // it is the time that is wrong
  EXPECT_EQ(support::refusal([&] { ours.records(records_of(events)); }).substr(0, 21), "ts must not jump over");
  EXPECT_FALSE(ours.clock().has_value());
}

}  // namespace
