#include "liqcore/archive.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "support.hpp"

using liqcore::ArchiveRows;
using liqcore::Cells;
using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::from_rows;
using liqcore::History;
using liqcore::RowKind;
using liqcore::Terms;
using liqcore::to_rows;
using support::refusal;
using support::tiers;
using support::whole;

namespace {

constexpr Terms kTerms = support::terms_of(2, 1.0, 1.0, 1.0);

Engine market(EngineOptions options, std::uint64_t seed = 8) {
  options.window_ns = 1'000;
  Engine engine{whole(0.004), tiers({2, 10, 50}), options};
  const support::Tape tape = support::random_tape(seed, 2'500, false);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (i % 50 == 10) engine.mark(tape.ts[i], tape.price[i] + 0.125);
    engine.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0);
    if (i % 70 == 20) engine.open_interest(tape.ts[i], 1'000.5 + static_cast<double>(i));
    if (i % 90 == 30 && !options.half_life_ns.empty()) engine.scale(std::vector<double>{0.9, 0.8, 1.0, 0.7, 0.95, 0.5});
  }
  return engine;
}

History again(const History& history) {
  return from_rows(history.terms(), history.segment(0).start_ns, history.size(), to_rows(history));
}

void expect_equal(const History& a, const History& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(a.terms(), b.terms());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(a.segment(i), b.segment(i)) << "window " << i;
  Cells x, y;
  a.base().extract(x);
  b.base().extract(y);
  EXPECT_EQ(x, y);
}

std::string refused(const ArchiveRows& rows, std::size_t windows = 2) {
  return refusal([&] { static_cast<void>(from_rows(kTerms, 0, windows, rows)); });
}

std::string refused(RowKind kind, int side, int tier, std::int64_t bin, double value) {
  ArchiveRows rows;
  rows.push(0, kind, side, tier, bin, value);
  return refused(rows);
}

}  // namespace

TEST(Archive, GivesBackEveryBitOfAHistory) {
  const Engine engine = market({});
  ASSERT_GT(engine.history()->size(), 20U);
  expect_equal(again(*engine.history()), *engine.history());
}

TEST(Archive, GivesBackScalesAndFractions) {
  EngineOptions options;
  options.half_life_ns = {1e5, 2e4, 5e3};
  options.maker_share = 0.3;
  const Engine engine = market(options);
  expect_equal(again(*engine.history()), *engine.history());
}

TEST(Archive, GivesBackTheLevelsBeforeTheFirstWindow) {
  EngineOptions options;
  options.keep = 5;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Engine engine = market(options, seed);
    ASSERT_GT(engine.history()->total(), 5U);
    expect_equal(again(*engine.history()), *engine.history());
  }
}

TEST(Archive, KnowsTheLastEventBeforeTheFirstWindow) {
  EngineOptions options;
  options.keep = 2;
  options.window_ns = 1'000;
  Engine engine{whole(), tiers({2, 10, 50}), options};
  engine.trade(10'250, 5'000, 1, true);
  engine.advance(20'000);
  EXPECT_EQ(engine.history()->segment(0).last_ns, 10'250);
  expect_equal(again(*engine.history()), *engine.history());
}

TEST(Archive, OfNothingIsEmpty) {
  const History empty{kTerms, std::nullopt};
  EXPECT_EQ(to_rows(empty).size(), 0U);
  EXPECT_EQ(from_rows(kTerms, 0, 0, {}).size(), 0U);
}

TEST(Archive, WindowsWithoutRowsAreWindowsInWhichNothingHappened) {
  const History history = from_rows(kTerms, 500, 3, {});
  ASSERT_EQ(history.size(), 3U);
  EXPECT_EQ(history.segment(2).start_ns, 700);
  EXPECT_EQ(history.segment(2).end_ns, 800);
  EXPECT_EQ(history.segment(2).accounts.size(), 4U);
  EXPECT_TRUE(history.segment(2).candle.empty());
  EXPECT_EQ(history.segment(2).last_ns, std::numeric_limits<std::int64_t>::min());
}

TEST(Archive, AMarkHoldsUntilTheNext) {
  ArchiveRows rows;
  rows.push(100, RowKind::mark_price, -1, -1, -1, 99.5);
  const History history = from_rows(kTerms, 0, 3, rows);
  EXPECT_TRUE(std::isnan(history.segment(0).mark_price));
  EXPECT_EQ(history.segment(1).mark_price, 99.5);
  EXPECT_EQ(history.segment(2).mark_price, 99.5);
}

TEST(Archive, RowsAreNarrow) {
  const Engine engine = market({});
  const ArchiveRows rows = to_rows(*engine.history());
  for (std::size_t i = 1; i < rows.size(); ++i) ASSERT_GE(rows.time_ns[i], rows.time_ns[i - 1]);
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_NE(rows.value[i], 0.0) << "row " << i;
}

TEST(Archive, RefusesAnUnknownKind) {
  EXPECT_EQ(refused(static_cast<RowKind>(99), 0, 0, 5, 1.0), "row 0 of an archive has the unknown kind 99");
}

TEST(Archive, RefusesCellsWithoutALayer) {
  EXPECT_EQ(refused(RowKind::added, -1, 0, 5, 1.0), "row 0 of an archive must name a side and one of 2 tiers");
  EXPECT_EQ(refused(RowKind::added, 2, 0, 5, 1.0), "row 0 of an archive must name a side and one of 2 tiers");
  EXPECT_EQ(refused(RowKind::base, 0, 2, 5, 1.0), "row 0 of an archive must name a side and one of 2 tiers");
  EXPECT_EQ(refused(RowKind::opened, 0, -1, -1, 1.0), "row 0 of an archive must name a side and one of 2 tiers");
}

TEST(Archive, RefusesCellsWithoutABin) {
  EXPECT_EQ(refused(RowKind::liquidated, 0, 0, -1, 1.0), "row 0 of an archive must name a bin");
}

TEST(Archive, RefusesTouchesAndScalesWithoutASide) {
  EXPECT_EQ(refused(RowKind::touched, -1, -1, 5, 1.0), "row 0 of an archive must name a side");
  EXPECT_EQ(refused(RowKind::scale, 2, 0, -1, 1.0), "row 0 of an archive must name a side");
}

TEST(Archive, RefusesHalfAScale) {
  EXPECT_EQ(refused(RowKind::scale, 0, 0, -1, 0.5), "an archive must scale all tiers of a side or none, had 1");
  EXPECT_EQ(refused(RowKind::touched, 0, 0, 7, 0.5), "a touch step of an archive must scale all tiers or none, had 1");
}

TEST(Archive, RefusesValuesThatAreNoNumbers) {
  EXPECT_EQ(refused(RowKind::open, -1, -1, -1, NAN), "row 0 of an archive must hold a number below 2^62, was nan");
  EXPECT_EQ(refused(RowKind::added, 0, 0, 5, INFINITY), "row 0 of an archive must hold a number below 2^62, was inf");
  EXPECT_EQ(refused(RowKind::opened, 0, 0, -1, 1e19), "row 0 of an archive must hold a number below 2^62, was 1e+19");
  EXPECT_EQ(refused(RowKind::open_interest, -1, -1, -1, 1e19),
            "window 0: open interest must be 0 to 2^48 lots, was 1e+19");
}

TEST(Archive, RefusesCellsOutOfOrder) {
  ArchiveRows rows;
  rows.push(0, RowKind::added, 0, 1, 5, 1.0);
  rows.push(0, RowKind::added, 0, 0, 9, 1.0);
  EXPECT_EQ(refused(rows), "cells of an archive must be sorted by side, tier and bin, bin 9 came late");
  ArchiveRows twice;
  twice.push(0, RowKind::added, 0, 1, 5, 1.0);
  twice.push(0, RowKind::added, 0, 1, 5, 1.0);
  EXPECT_EQ(refused(twice), "cells of an archive must be sorted by side, tier and bin, bin 5 came late");
}

TEST(Archive, RefusesCellsFurtherApartThanAnAxisReaches) {
  constexpr std::int64_t kLast = (std::int64_t{1} << 31) - 2;
  for (const RowKind kind : {RowKind::base, RowKind::added, RowKind::liquidated})
    for (const int tier : {0, 1}) {
      ArchiveRows near, far;
      for (ArchiveRows* rows : {&near, &far}) rows->push(0, kind, 0, 0, kLast - liqcore::kMaxAxisBins + 1, 1.0);
      near.push(0, kind, 1, tier, kLast, 1.0);
      EXPECT_EQ(refused(near), "");
      far = {};
      far.push(0, kind, 0, 0, kLast - liqcore::kMaxAxisBins, 1.0);
      far.push(0, kind, 1, tier, kLast, 1.0);
      EXPECT_EQ(refused(far), "cells must lie within the 2^22 bins of an axis, was 4194305");
    }
  EXPECT_EQ(refused(RowKind::base, 0, 0, 2147483647, 1.0), "cells must lie in rising bins of the axis, was 2147483647");
}

TEST(Archive, RefusesRowsOutsideItsWindows) {
  ArchiveRows rows;
  rows.push(0, RowKind::added, 0, 0, 5, 1.0);
  rows.push(200, RowKind::added, 0, 0, 5, 1.0);
  EXPECT_EQ(refused(rows), "rows of an archive must be in window order and within its 2 windows; row 1 is not");
  EXPECT_EQ(refused(rows, 3), "");
  ArchiveRows backwards;
  backwards.push(100, RowKind::added, 0, 0, 5, 1.0);
  backwards.push(0, RowKind::added, 0, 0, 5, 1.0);
  EXPECT_EQ(refused(backwards), "rows of an archive must be in window order and within its 2 windows; row 1 is not");
}
