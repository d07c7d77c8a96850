// The C interface says what the engine says, in C's words; tests/packaging calls it from C.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "liqcore/features.hpp"
#include "liqcore/liqcore.h"
#include "support.hpp"

namespace {

using liqcore::Engine;
using support::Tape;

constexpr std::int64_t kWindow = 1'000;
const double kTiers[] = {2, 10, 50};
const double kShares[] = {0.5, 0.25, 0.25};

struct Destroy {
  void operator()(liq_engine* engine) const { liq_engine_destroy(engine); }
};
using Handle = std::unique_ptr<liq_engine, Destroy>;

liq_instrument instrument() {
  liq_instrument out;
  liq_instrument_init(&out, sizeof out);
  out.symbol = "TEST";
  out.tick_size = out.lot_size = 1.0;
  return out;
}

liq_engine_options options() {
  liq_engine_options out;
  liq_engine_options_init(&out, sizeof out);
  out.leverage = kTiers;
  out.shares = kShares;
  out.tier_count = 3;
  out.window_ns = kWindow;
  return out;
}

Handle create(const liq_engine_options& with) {
  const liq_instrument traded = instrument();
  liq_engine* engine = nullptr;
  EXPECT_EQ(liq_engine_create(&traded, &with, &engine), LIQ_OK) << liq_error_message();
  return Handle(engine);
}

Handle create() { return create(options()); }

/// The same engine in C++.
Engine twin(liqcore::EngineOptions with = {}) {
  with.window_ns = kWindow;
  return {support::whole(0.004), liqcore::LeverageProfile({2, 10, 50}, {0.5, 0.25, 0.25}), with};
}

const Engine& inside(const Handle& engine) { return *reinterpret_cast<const Engine*>(engine.get()); }

liq_trades columns(const Tape& tape, std::size_t begin, std::size_t end) {
  return {tape.ts.data() + begin, tape.price.data() + begin, tape.qty.data() + begin, tape.sell.data() + begin,
          end - begin};
}

template <class Struct>
Struct sized() {
  Struct out;
  std::memset(&out, 0xA5, sizeof out);
  out.size = sizeof out;
  return out;
}

/// The message of a call that must fail.
std::string refused(liq_status status, liq_status wanted = LIQ_INVALID) {
  EXPECT_EQ(status, wanted) << liq_error_message();
  return liq_error_message();
}

}  // namespace

TEST(CApi, OneTradeAtATimeIsTheEngine) {
  const Tape tape = support::random_tape(1, 3'000, true);
  const Handle engine = create();
  Engine other = twin();
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const liq_status status = liq_engine_trade(engine.get(), tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i]);
    ASSERT_EQ(status, static_cast<liq_status>(other.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i] != 0)));
  }
  EXPECT_EQ(support::state_of(inside(engine)), support::state_of(other));
  auto counts = sized<liq_counts>();
  ASSERT_EQ(liq_engine_counts(engine.get(), &counts), LIQ_OK);
  const liqcore::Stats stats = other.stats();
  EXPECT_EQ(counts.rows, stats.rows);
  EXPECT_EQ(counts.used, stats.used);
  EXPECT_EQ(counts.rounded_qty, stats.rounded_qty);
  EXPECT_TRUE(std::equal(stats.rejected.begin(), stats.rejected.end(), counts.rejected));
  EXPECT_GT(counts.rejected[LIQ_OFF_GRID], 0U);
}

TEST(CApi, ArraysInPiecesAreTheEngine) {
  const Tape tape = support::random_tape(2, 5'000, true);
  const Handle engine = create();
  Engine other = twin();
  const liqcore::Stats stats = other.trades(tape.all());
  liqcore::RowCounts sum;
  for (std::size_t begin = 0; begin < tape.size(); begin += 777) {
    const liq_trades piece = columns(tape, begin, std::min(begin + 777, tape.size()));
    auto counts = sized<liq_counts>();
    ASSERT_EQ(liq_engine_trades(engine.get(), &piece, &counts), LIQ_OK);
    EXPECT_EQ(counts.rows, piece.count);
    sum.used += counts.used;
  }
  EXPECT_EQ(sum.used, stats.used);
  EXPECT_EQ(support::state_of(inside(engine)), support::state_of(other));
}

TEST(CApi, MergesStreams) {
  const Tape tape = support::random_tape(3, 2'000, false);
  std::vector<std::int64_t> mark_ts;
  std::vector<double> mark_price, interest;
  for (std::size_t i = 0; i < tape.size(); i += 50) {
    mark_ts.push_back(tape.ts[i]);
    mark_price.push_back(tape.price[i] + 3.0);
    interest.push_back(1'000.0 + static_cast<double>(i));
  }
  liq_engine_options with = options();
  with.model = LIQ_MODEL_OI;
  with.trigger = LIQ_TRIGGER_MARK;
  with.taker_tilt = 0.5;
  const Handle engine = create(with);
  liqcore::EngineOptions same;
  same.model = liqcore::Model::oi;
  same.trigger = liqcore::Trigger::mark;
  same.model_options.taker_tilt = 0.5;
  Engine other = twin(same);
  const liq_trades trades = columns(tape, 0, tape.size());
  const liq_samples marks{mark_ts.data(), mark_price.data(), mark_ts.size()};
  const liq_samples samples{mark_ts.data(), interest.data(), mark_ts.size()};
  ASSERT_EQ(liq_engine_feed(engine.get(), &trades, &marks, nullptr, &samples, nullptr), LIQ_OK);
  other.feed({tape.all(), {mark_ts, mark_price}, {}, {mark_ts, interest}, {}});
  EXPECT_EQ(support::state_of(inside(engine)), support::state_of(other));
}

TEST(CApi, CandlesAndVendorEvents) {
  liq_engine_options with = options();
  with.model = LIQ_MODEL_VENDOR;
  with.trigger = LIQ_TRIGGER_CANDLE;
  const Handle engine = create(with);
  EXPECT_EQ(liq_engine_vendor_event(engine.get(), 10, 1'000.0, 5.0), LIQ_OK);
  const std::int64_t ts_open[] = {10'000};
  const double open[] = {1'000}, high[] = {1'050}, low[] = {400}, close[] = {1'000};
  const liq_candles candles{ts_open, open, high, low, close, nullptr, nullptr, 1, 1'000};
  ASSERT_EQ(liq_engine_feed(engine.get(), nullptr, nullptr, &candles, nullptr, nullptr), LIQ_OK);
  std::vector<liq_account> accounts(6);
  ASSERT_EQ(liq_engine_accounts(engine.get(), accounts.data(), accounts.size(), nullptr), LIQ_OK);
  for (std::size_t tier = 0; tier < 3; ++tier) {
    EXPECT_EQ(accounts[tier].liquidated.whole, 5) << tier;  // a fall to 400 takes every long
    EXPECT_EQ(accounts[3 + tier].liquidated.whole, tier == 2 ? 5 : 0) << tier;
  }
  EXPECT_NE(refused(liq_engine_vendor_event(create().get(), 10, 1.0, 1.0)).find("vendor"), std::string::npos);
}

TEST(CApi, CandlesOpenAtTheirEntryPrice) {
  const std::int64_t ts_open[] = {0};
  const double open[] = {1'000}, high[] = {1'100}, low[] = {900}, close[] = {1'000}, buy[] = {8}, sell[] = {0};
  const liq_candles candles{ts_open, open, high, low, close, buy, sell, 1, 1'000};
  liq_engine_options with = options();
  for (const auto price : {liqcore::CandlePrice::hlc3, liqcore::CandlePrice::close, liqcore::CandlePrice::ohlc4}) {
    with.candle_price = static_cast<std::int32_t>(price);
    const Handle engine = create(with);
    liqcore::EngineOptions same;
    same.candle_price = price;
    Engine other = twin(same);
    ASSERT_EQ(liq_engine_feed(engine.get(), nullptr, nullptr, &candles, nullptr, nullptr), LIQ_OK);
    other.candles({ts_open, open, high, low, close, buy, sell, 1'000});
    EXPECT_EQ(support::state_of(inside(engine)), support::state_of(other));
  }
  const liq_instrument traded = instrument();
  liq_engine* made = nullptr;
  with.candle_price = 5;
  EXPECT_EQ(refused(liq_engine_create(&traded, &with, &made)), "options.candle_price must be from 0 to 4, was 5");
  with.candle_price = 0;
  with.reserved = 1;
  EXPECT_EQ(refused(liq_engine_create(&traded, &with, &made)), "options.reserved must be 0, was 1");
  with.size = offsetof(liq_engine_options, candle_price);  // of a program that was compiled before
  with.candle_price = 99;
  ASSERT_EQ(liq_engine_create(&traded, &with, &made), LIQ_OK);
  EXPECT_EQ(reinterpret_cast<Engine*>(made)->options().candle_price, liqcore::CandlePrice::hlc3);
  liq_engine_destroy(made);
}

TEST(CApi, ArraysOfVerbsAreTheEngines) {
  liq_engine_options with = options();
  with.model = LIQ_MODEL_NONE;
  const Handle engine = create(with);
  liqcore::EngineOptions same;
  same.model = liqcore::Model::none;
  Engine other = twin(same);
  const std::int64_t ts[] = {10, 1'500};
  const std::uint8_t is_short[] = {0, 1};
  const double price[] = {1'000, 1'010}, qty[] = {4, 5}, tiered[] = {1, 2, 3, 0, 0, 6};
  const double low[] = {950, 960}, high[] = {1'000, 1'020}, last[] = {960, 1'020};
  liq_opens rows{sizeof rows, ts, is_short, price, qty, 2, 0, 0};
  auto opened = sized<liq_opened>();
  ASSERT_EQ(liq_engine_opens(engine.get(), &rows, &opened), LIQ_OK) << liq_error_message();
  const liqcore::Opened wanted = other.opens({ts, is_short, price, qty});
  EXPECT_EQ((liqcore::Opened{opened.live, opened.no_price, opened.underflow, opened.overflow, opened.unresolved}),
            wanted);
  liq_touches touches{sizeof touches, nullptr, low, high, last, 2};
  ASSERT_EQ(liq_engine_touches(engine.get(), &touches), LIQ_OK);
  other.touches({{}, low, high, last});
  rows.ts_ns = nullptr;
  rows.qty = tiered;
  rows.tiered = 1;
  ASSERT_EQ(liq_engine_open_levels(engine.get(), &rows, nullptr), LIQ_OK);
  other.open_levels({{}, is_short, price, tiered});
  ASSERT_EQ(liq_engine_open_level(engine.get(), LIQ_SHORT, 1'500.0, 7.0), LIQ_OK);
  other.open_level(liqcore::Side::short_, 1'500.0, 7.0);
  ASSERT_EQ(liq_engine_touch_last(engine.get(), 900.0, 1'100.0, 1'050.0), LIQ_OK);
  other.touch(900.0, 1'100.0, 1'050.0);
  ASSERT_EQ(liq_engine_open(engine.get(), LIQ_LONG, 1'040.0, 7.0), LIQ_OK);
  other.open(liqcore::Side::long_, 1'040.0, 7.0);
  double closed[3];
  const double each[] = {1, 2, 3};
  ASSERT_EQ(liq_engine_close(engine.get(), LIQ_LONG, 400.0, 1'100.0, each, 3, closed, 3), LIQ_OK);
  EXPECT_EQ(std::vector<double>(closed, closed + 3), other.close(liqcore::Side::long_, 400.0, 1'100.0, each));
  const double factors[] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
  ASSERT_EQ(liq_engine_scale_part(engine.get(), factors, 6, 400.0, 600.0), LIQ_OK);
  other.scale(factors, 400.0, 600.0);
  EXPECT_EQ(support::state_of(inside(engine)), support::state_of(other));
  rows.reserved = 1;
  EXPECT_EQ(refused(liq_engine_opens(engine.get(), &rows, nullptr)), "rows.reserved must be 0, was 1");
  rows = {sizeof rows, nullptr, nullptr, nullptr, nullptr, 0, 0, 0};  // no rows, nothing to read
  EXPECT_EQ(liq_engine_opens(engine.get(), &rows, &opened), LIQ_OK);
  EXPECT_EQ(opened.live, 0U);
}

TEST(CApi, VerbsAreTheEngines) {
  liq_engine_options with = options();
  with.model = LIQ_MODEL_NONE;
  const Handle engine = create(with);
  EXPECT_EQ(refused(liq_engine_open(engine.get(), LIQ_LONG, 1'000.0, 4.0)).find("NULL"), std::string::npos);
  ASSERT_EQ(liq_engine_advance(engine.get(), 500), LIQ_OK);
  ASSERT_EQ(liq_engine_open(engine.get(), LIQ_LONG, 1'000.0, 4.0), LIQ_OK);
  ASSERT_EQ(liq_engine_open(engine.get(), LIQ_SHORT, 1'000.0, 8.0), LIQ_OK);
  const double factors[] = {0.5, 1, 1, 1, 1, 0.25};
  ASSERT_EQ(liq_engine_scale(engine.get(), factors, 6), LIQ_OK);
  ASSERT_EQ(liq_engine_touch(engine.get(), 950.0, 1'000.0), LIQ_OK);  // takes the 50x long
  liq_account accounts[6];
  std::size_t count = 0;
  ASSERT_EQ(liq_engine_accounts(engine.get(), accounts, 6, &count), LIQ_OK);
  EXPECT_EQ(count, 6U);
  EXPECT_EQ(accounts[0].live.whole, 2);
  EXPECT_EQ(accounts[0].closed.whole, 2);
  EXPECT_EQ(accounts[1].live.whole, 4);
  EXPECT_EQ(accounts[2].liquidated.whole, 4);
  EXPECT_EQ(accounts[5].live.whole, 2);
  std::int64_t clock = 0;
  ASSERT_EQ(liq_engine_clock(engine.get(), &clock), LIQ_OK);
  EXPECT_EQ(clock, 500);
}

TEST(CApi, LevelsAreWrittenIntoTheCallersBuffer) {
  const Tape tape = support::random_tape(4, 2'000, false);
  const Handle engine = create();
  auto grid = sized<liq_grid>();
  EXPECT_EQ(liq_engine_grid(engine.get(), &grid), LIQ_NO_PRICE);
  const liq_trades trades = columns(tape, 0, tape.size());
  ASSERT_EQ(liq_engine_trades(engine.get(), &trades, nullptr), LIQ_OK);
  ASSERT_EQ(liq_engine_grid(engine.get(), &grid), LIQ_OK);
  EXPECT_EQ(grid.tiers, 3U);
  EXPECT_EQ(grid.low, static_cast<double>(grid.first_bin) * grid.step);
  std::vector<double> cells(grid.tiers * grid.bins + 1, -7.0);
  EXPECT_NE(refused(liq_engine_levels(engine.get(), LIQ_LONG, cells.data(), cells.size() - 2, &grid), LIQ_TOO_SMALL)
                .find(std::to_string(cells.size() - 1)),
            std::string::npos);
  EXPECT_EQ(cells.front(), -7.0);  // nothing is half-done
  for (const int side : {LIQ_LONG, LIQ_SHORT}) {
    ASSERT_EQ(liq_engine_levels(engine.get(), side, cells.data(), cells.size(), nullptr), LIQ_OK);
    std::vector<double> wanted(cells.size() - 1);
    inside(engine).book()->snapshot(static_cast<liqcore::Side>(side), wanted);
    EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), cells.begin()));
    EXPECT_EQ(cells.back(), -7.0);
  }
}

TEST(CApi, ColumnsMapAndWindowsAreTheHistorys) {
  const Tape tape = support::random_tape(5, 2'000, false);
  const Handle engine = create();
  const liq_trades trades = columns(tape, 0, tape.size());
  ASSERT_EQ(liq_engine_trades(engine.get(), &trades, nullptr), LIQ_OK);
  std::uint64_t kept = 0, total = 0;
  ASSERT_EQ(liq_engine_windows(engine.get(), &kept, &total), LIQ_OK);
  const liqcore::History& history = *inside(engine).history();
  EXPECT_EQ(kept, history.size());
  EXPECT_EQ(total, history.total());

  liq_picture picture;
  ASSERT_EQ(liq_engine_picture(engine.get(), &picture, sizeof picture, 5), LIQ_OK);
  EXPECT_EQ(picture.first_bin % 5, 0);
  EXPECT_EQ(picture.columns, kept);
  for (const std::int64_t odd : {std::int64_t{0}, std::numeric_limits<std::int64_t>::max()}) {
    liq_picture refused_one = picture;
    EXPECT_NE(
        refused(liq_engine_picture(engine.get(), &refused_one, sizeof refused_one, odd)).find("bins_per_row must be"),
        std::string::npos);
  }
  const std::size_t cells = picture.columns * picture.rows;
  std::vector<float> out[4];
  for (auto& one : out) one.assign(cells, -1.0F);
  ASSERT_EQ(
      liq_engine_columns(engine.get(), &picture, out[0].data(), out[1].data(), out[2].data(), out[3].data(), cells),
      LIQ_OK);
  liqcore::Picture same;
  same.weights[0] = same.weights[1] = inside(engine).leverage().weights();
  same.first_bin = picture.first_bin;
  same.bins_per_row = 5;
  same.rows = picture.rows;
  same.columns = kept;
  std::vector<float> wanted[4];
  for (auto& one : wanted) one.resize(cells);
  history.columns(same, wanted[0], wanted[1], wanted[2], wanted[3]);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(out[i], wanted[i]) << i;
  EXPECT_GT(*std::max_element(out[2].begin(), out[2].end()), 0.0F);
  EXPECT_EQ(
      refused(liq_engine_columns(engine.get(), &picture, out[0].data(), nullptr, nullptr, nullptr, cells - 1),
              LIQ_TOO_SMALL),
      "each output must have room for " + std::to_string(cells) + " values, had for " + std::to_string(cells - 1));

  for (const auto& [member, message] : {std::pair{&liq_picture::rows, "rows must be at most"},
                                        std::pair{&liq_picture::columns, "columns must lie within"},
                                        std::pair{&liq_picture::first_column, "columns must lie within"}}) {
    liq_picture odd = picture;
    odd.*member = std::size_t{1} << 61;
    EXPECT_NE(
        refused(liq_engine_columns(engine.get(), &odd, out[0].data(), nullptr, nullptr, nullptr, cells)).find(message),
        std::string::npos)
        << liq_error_message();
  }
  for (const auto& [member, message] : {std::pair{&liq_picture::first_bin, "first_bin must be within"},
                                        std::pair{&liq_picture::bins_per_row, "bins_per_row must be between"}}) {
    liq_picture odd = picture;
    odd.*member = std::numeric_limits<std::int64_t>::max();
    EXPECT_NE(refused(liq_engine_map(engine.get(), &odd, nullptr, 0)).find(message), std::string::npos)
        << liq_error_message();
  }

  std::vector<double> map(6 * picture.rows), wanted_map(map.size());
  ASSERT_EQ(liq_engine_map(engine.get(), &picture, map.data(), map.size()), LIQ_OK);
  const auto so_far = inside(engine).history_so_far();
  ASSERT_EQ(so_far->size(), kept + 1);
  so_far->map(kept, same, wanted_map);
  EXPECT_EQ(map, wanted_map);

  auto window = sized<liq_window>();
  ASSERT_EQ(liq_engine_window(engine.get(), kept - 1, &window), LIQ_OK);
  EXPECT_EQ(window.end_ns, history.segment(kept - 1).end_ns);
  EXPECT_EQ(window.buy_qty, history.segment(kept - 1).candle.buy_lots);
  EXPECT_EQ(
      refused(liq_engine_window(engine.get(), kept, &window)),
      "index must be below the number of windows kept (" + std::to_string(kept) + "), was " + std::to_string(kept));
}

TEST(CApi, ZonesAndFeaturesAreTheReaders) {
  const Tape tape = support::random_tape(6, 3'000, false);
  const Handle engine = create();
  std::size_t count = 99;
  ASSERT_EQ(liq_engine_zones(engine.get(), 5, 90.0, nullptr, 0, &count), LIQ_OK);
  EXPECT_EQ(count, 0U);
  const liq_trades trades = columns(tape, 0, tape.size());
  ASSERT_EQ(liq_engine_trades(engine.get(), &trades, nullptr), LIQ_OK);

  const auto wanted = liqcore::find_zones(inside(engine), {3, 80.0});
  EXPECT_EQ(liq_engine_zones(engine.get(), 3, 80.0, nullptr, 0, &count), LIQ_TOO_SMALL);
  ASSERT_EQ(count, wanted.size());
  std::vector<liq_zone> zones(count);
  ASSERT_EQ(liq_engine_zones(engine.get(), 3, 80.0, zones.data(), zones.size(), nullptr), LIQ_OK);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(zones[i].low, wanted[i].low);
    EXPECT_EQ(zones[i].high, wanted[i].high);
    EXPECT_EQ(zones[i].usd, wanted[i].usd);
    EXPECT_EQ(zones[i].share, wanted[i].share);
    EXPECT_EQ(zones[i].distance_percent, wanted[i].distance_percent);
    EXPECT_EQ(zones[i].side, static_cast<std::int32_t>(wanted[i].side));
  }
  EXPECT_NE(refused(liq_engine_zones(engine.get(), 0, 90.0, nullptr, 0, nullptr)).find("bins_per_row"),
            std::string::npos);

  liq_feature_options with;
  liq_feature_options_init(&with, sizeof with);
  const double reaches[] = {1.0, 12.5};
  with.reaches_percent = reaches;
  with.reach_count = 2;
  with.bins_per_row = 3;
  with.zone_percentile = 80.0;
  with.density_percent = 4.0;
  liq_features* features = nullptr;
  ASSERT_EQ(liq_features_create(&with, &features), LIQ_OK) << liq_error_message();
  liqcore::FeatureReader reader({{1.0, 12.5}, {3, 80.0}, 4.0});
  ASSERT_EQ(liq_features_count(features), reader.size());
  for (std::size_t i = 0; i < reader.size(); ++i)
    EXPECT_STREQ(liq_features_name(features, i), reader.names()[i].c_str());
  EXPECT_EQ(liq_features_name(features, reader.size()), nullptr);
  std::vector<double> row(reader.size()), same(reader.size());
  ASSERT_EQ(liq_features_read(features, engine.get(), row.data(), row.size()), LIQ_OK);
  reader.read(inside(engine), same);
  EXPECT_EQ(std::memcmp(row.data(), same.data(), row.size() * sizeof(double)), 0);
  EXPECT_GT(row[1], 0.0);
  refused(liq_features_read(features, engine.get(), row.data(), row.size() - 1), LIQ_TOO_SMALL);
  liq_features_destroy(features);
  liq_features_destroy(nullptr);

  with.reach_count = std::size_t{1} << 60;
  EXPECT_NE(refused(liq_features_create(&with, &features)).find("options.reach_count must be at most 64"),
            std::string::npos);
  with.reach_count = 0;
  EXPECT_NE(refused(liq_features_create(&with, &features)).find("reaches"), std::string::npos);
  EXPECT_EQ(features, nullptr);
}

TEST(CApi, TheHookSeesEveryWindowAsItCloses) {
  const Handle engine = create();
  std::vector<liq_window> seen;
  ASSERT_EQ(liq_engine_on_column(
                engine.get(),
                [](void* context, const liq_window* window) {
                  static_cast<std::vector<liq_window>*>(context)->push_back(*window);
                },
                &seen),
            LIQ_OK);
  liq_engine_trade(engine.get(), 500, 1'000.0, 2.0, 0);
  liq_engine_trade(engine.get(), 2'500, 1'010.0, 3.0, 1);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].size, sizeof(liq_window));
  EXPECT_EQ(seen[0].close, 1'000.0);
  EXPECT_EQ(seen[0].buy_qty, 2.0);
  EXPECT_TRUE(std::isnan(seen[1].open));
  EXPECT_TRUE(std::isnan(seen[1].mark_price));
  ASSERT_EQ(liq_engine_on_column(engine.get(), nullptr, nullptr), LIQ_OK);
  liq_engine_advance(engine.get(), 9'000);
  EXPECT_EQ(seen.size(), 2U);
}

TEST(CApi, WhatCannotBeIsRefusedInWords) {
  liq_engine* engine = reinterpret_cast<liq_engine*>(&engine);
  const liq_instrument good = instrument();
  liq_instrument bad = good;
  bad.tick_size = 0.0;
  EXPECT_NE(refused(liq_engine_create(&bad, nullptr, &engine)).find("tick_size"), std::string::npos);
  EXPECT_EQ(engine, nullptr);
  EXPECT_EQ(refused(liq_engine_create(nullptr, nullptr, &engine)), "instrument must not be NULL");
  EXPECT_EQ(refused(liq_engine_create(&good, nullptr, nullptr)), "out must not be NULL");
  bad = good;
  bad.contract = 2;
  EXPECT_EQ(refused(liq_engine_create(&bad, nullptr, &engine)), "instrument.contract must be from 0 to 1, was 2");
  liq_engine_options wrong = options();
  wrong.model = -1;
  EXPECT_EQ(refused(liq_engine_create(&good, &wrong, &engine)), "options.model must be from 0 to 5, was -1");
  wrong = options();
  wrong.threads = 0;
  EXPECT_EQ(refused(liq_engine_create(&good, &wrong, &engine)), "options.threads must be at least 1, was 0");
  wrong = options();
  wrong.axis_limit = 0;
  EXPECT_EQ(refused(liq_engine_create(&good, &wrong, &engine)), "axis_limit must be between 1 and 4194304 bins, was 0");
  wrong = options();
  const double falling[] = {50, 10, 2};
  wrong.leverage = falling;
  EXPECT_EQ(refused(liq_engine_create(&good, &wrong, &engine)), "options.leverage must rise, did not");
  wrong = options();
  wrong.shares = nullptr;
  EXPECT_EQ(refused(liq_engine_create(&good, &wrong, &engine)), "options.shares must not be NULL");
  wrong = options();
  wrong.size = 3;
  EXPECT_NE(refused(liq_engine_create(&good, &wrong, &engine)).find("options.size must be"), std::string::npos);
  wrong = options();
  wrong.axis_high = 2'000.0;
  EXPECT_EQ(refused(liq_engine_create(&good, &wrong, &engine)),
            "options.book_step must be given with axis_low and axis_high, was 0");
  wrong = options();
  wrong.tier_count = std::size_t{1} << 60;
  EXPECT_EQ(refused(liq_engine_create(&good, &wrong, &engine)),
            "options.tier_count must be at most 1024, was 1152921504606846976");
  bad = good;
  bad.risk_tier_count = std::size_t{1} << 60;
  EXPECT_NE(refused(liq_engine_create(&bad, nullptr, &engine)).find("instrument.risk_tier_count must"),
            std::string::npos);
  EXPECT_EQ(refused(liq_engine_trade(nullptr, 0, 1.0, 1.0, 0)), "engine must not be NULL");

  const Handle made = create();
  liq_engine_trade(made.get(), 500, 1'000.0, 2.0, 0);
  EXPECT_NE(refused(liq_engine_trade(made.get(), 2'000'000'000, 1'000.0, 1.0, 0)).find("1000000 windows"),
            std::string::npos);
  EXPECT_EQ(refused(liq_engine_open(made.get(), 2, 1.0, 1.0)), "side must be from 0 to 1, was 2");
  const liq_trades missing{nullptr, nullptr, nullptr, nullptr, 1};
  EXPECT_EQ(refused(liq_engine_trades(made.get(), &missing, nullptr)), "trades.ts_ns must not be NULL");
  liq_counts unsized{};
  const std::int64_t ts[] = {600};
  const double one[] = {1'000.0};
  const std::uint8_t side[] = {0};
  const liq_trades fine{ts, one, one, side, 1};
  EXPECT_NE(refused(liq_engine_trades(made.get(), &fine, &unsized)).find("counts.size must be"), std::string::npos);
  EXPECT_EQ(inside(made).stats().rows, 1U);  // and nothing was fed
}

TEST(CApi, OlderAndNewerStructs) {
  struct Newer {
    liq_engine_options known;
    std::int64_t unknown;
  };
  Newer newer{options(), 0};
  newer.known.size = sizeof newer;
  EXPECT_NE(create(newer.known), nullptr);  // what we do not know is not used
  newer.unknown = 1;
  const liq_instrument traded = instrument();
  liq_engine* engine = nullptr;
  EXPECT_NE(refused(liq_engine_create(&traded, &newer.known, &engine)).find("does not know"), std::string::npos);

  Newer initialised;
  std::memset(&initialised, 0xFF, sizeof initialised);
  liq_engine_options_init(&initialised.known, sizeof initialised);
  EXPECT_EQ(initialised.unknown, 0);
  EXPECT_EQ(initialised.known.size, sizeof initialised);

  struct NewerCounts {
    liq_counts known;
    std::uint64_t unknown;
  } counts{};
  counts.known.size = sizeof counts;
  counts.unknown = 77;
  ASSERT_EQ(liq_engine_counts(create().get(), &counts.known), LIQ_OK);
  EXPECT_EQ(counts.known.size, sizeof counts);
  EXPECT_EQ(counts.unknown, 77U);
}

TEST(CApi, OptionsArriveWhereTheyBelong) {
  liq_instrument traded = instrument();
  const liq_risk_tier tiers[] = {{0, 1'000, 0.004, 0, 125},
                                 {1'000, std::numeric_limits<double>::infinity(), 0.01, 6, 50}};
  traded.venue = "somewhere";
  traded.tick_size = 0.5;
  traded.lot_size = 0.25;
  traded.multiplier = 2.0;
  traded.contract = LIQ_INVERSE;
  traded.risk_tiers = tiers;
  traded.risk_tier_count = 2;
  traded.has_amounts = 1;
  traded.fee = 0.001;
  const double half_life[] = {1e6, INFINITY, 2e6};
  liq_engine_options with = options();
  with.intensity = 3.0;
  with.axis_low = 100.0;
  with.axis_high = 2'000.0;
  with.book_step = 2.0;
  with.keep = 4;
  with.half_life_ns = half_life;
  with.maker_share = 0.25;
  with.threads = 2;
  with.reconciled = 1;
  with.trigger = LIQ_TRIGGER_MARK;
  liq_engine* made = nullptr;
  ASSERT_EQ(liq_engine_create(&traded, &with, &made), LIQ_OK) << liq_error_message();
  const Handle engine(made);
  const Engine& in = inside(engine);
  EXPECT_EQ(in.instrument(),
            liqcore::Instrument("TEST", "somewhere", liqcore::Contract::inverse, 0.5, 0.25, 2.0,
                                liqcore::MarginSchedule::tiers(
                                    {{0, 1'000, 0.004, 0, 125}, {1'000, tiers[1].cap, 0.01, 6, 50}}, true, 0.001)));
  EXPECT_EQ(in.leverage(), liqcore::LeverageProfile({2, 10, 50}, {0.5, 0.25, 0.25}, 3.0));
  const liqcore::EngineOptions& o = in.options();
  EXPECT_EQ(o.axis, liqcore::PriceAxis(200, 4, 950));
  EXPECT_EQ(o.keep, 4U);
  EXPECT_EQ(o.half_life_ns, std::vector<double>(half_life, half_life + 3));
  EXPECT_EQ(o.maker_share, 0.25);
  EXPECT_EQ(o.threads, 2U);
  EXPECT_TRUE(o.model_options.reconciled);
  EXPECT_EQ(o.trigger, liqcore::Trigger::mark);
  EXPECT_FALSE(o.model_options.churn.has_value());
  double tiers_read[3], weights[3];
  std::size_t count = 0;
  ASSERT_EQ(liq_engine_leverage(engine.get(), tiers_read, weights, 3, &count), LIQ_OK);
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(weights[0], 1.5);

  double decay[2];
  const double leverages[] = {100, 10};
  ASSERT_EQ(liq_default_half_life_ns(leverages, 2, decay), LIQ_OK);
  EXPECT_EQ(decay[0], 86'400e9);
  EXPECT_EQ(decay[1], 30 * 86'400e9);
  EXPECT_EQ(liq_liquidation_price(LIQ_LONG, 60'000, 10, 0.004),
            liqcore::liquidation_price(liqcore::Side::long_, 60'000, 10, 0.004));
  EXPECT_TRUE(std::isnan(liq_liquidation_price(7, 60'000, 10, 0.004)));
}

TEST(CApi, SavesTheBytesOfCppAndLoadsThem) {
  liq_engine_options with = options();
  with.half_life_ns = kShares;  // nanoseconds: all decays at once
  const Handle engine = create(with);
  std::size_t size = 7;
  EXPECT_EQ(liq_engine_save(engine.get(), nullptr, 0, &size), LIQ_TOO_SMALL);  // before the first price, too
  EXPECT_GT(size, 7U);
  const Tape tape = support::random_tape(5, 400, false);
  const auto feed = [&](const Handle& to, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      ASSERT_EQ(liq_engine_trade(to.get(), tape.ts[i], tape.price[i], tape.qty[i], tape.sell[i]), LIQ_OK);
  };
  feed(engine, 0, 200);
  ASSERT_EQ(liq_engine_save(engine.get(), nullptr, 0, &size), LIQ_TOO_SMALL);
  EXPECT_EQ(std::string(liq_error_message()),
            "bytes must have room for " + std::to_string(size) + " values, had for 0");
  std::vector<std::byte> bytes(size);
  ASSERT_EQ(liq_engine_save(engine.get(), bytes.data(), bytes.size(), nullptr), LIQ_OK);
  EXPECT_EQ(bytes, inside(engine).save());

  liq_engine *loaded = nullptr, *cloned = nullptr;
  ASSERT_EQ(liq_engine_load(bytes.data(), bytes.size(), 2, &loaded), LIQ_OK) << liq_error_message();
  ASSERT_EQ(liq_engine_clone(engine.get(), &cloned), LIQ_OK);
  const Handle again(loaded), clone(cloned);
  EXPECT_EQ(inside(again).options().threads, 2U);
  for (const Handle* each : {&engine, &again, &clone}) feed(*each, 200, tape.size());
  EXPECT_EQ(support::seen(inside(again)), support::seen(inside(engine)));
  EXPECT_EQ(support::seen(inside(clone)), support::seen(inside(engine)));

  bytes[size / 2] ^= std::byte{1};
  EXPECT_EQ(liq_engine_load(bytes.data(), bytes.size(), 1, &loaded), LIQ_DAMAGED);
  EXPECT_EQ(loaded, nullptr);
  EXPECT_NE(std::string(liq_error_message()).find("a saved engine is damaged in its "), std::string::npos);
  EXPECT_EQ(liq_engine_load(bytes.data(), 0, 1, &loaded), LIQ_DAMAGED);
  EXPECT_EQ(liq_engine_load(nullptr, 3, 1, &loaded), LIQ_INVALID);
  EXPECT_EQ(liq_engine_load(bytes.data(), bytes.size(), 0, &loaded), LIQ_INVALID);
  EXPECT_EQ(liq_engine_load(bytes.data(), bytes.size(), 1, nullptr), LIQ_INVALID);
  EXPECT_EQ(liq_engine_save(engine.get(), nullptr, 3, &size), LIQ_INVALID);
  EXPECT_EQ(liq_engine_save(nullptr, nullptr, 0, &size), LIQ_INVALID);
  EXPECT_EQ(liq_engine_clone(nullptr, &cloned), LIQ_INVALID);
}

TEST(CApi, ACallerOfTheFirstVersionGetsItsOptionsAndCounts) {
  // Without axis_limit, and with counts of seven reasons.
  liq_engine_options old = options();
  old.size = offsetof(liq_engine_options, axis_limit);
  old.axis_limit = -7;
  const liq_instrument good = instrument();
  liq_engine* engine = nullptr;
  ASSERT_EQ(liq_engine_create(&good, &old, &engine), LIQ_OK) << liq_error_message();
  liq_counts counts;
  std::memset(&counts, 0x55, sizeof counts);
  counts.size = offsetof(liq_counts, rejected) + 7 * sizeof(std::uint64_t);
  ASSERT_EQ(liq_engine_counts(engine, &counts), LIQ_OK) << liq_error_message();
  EXPECT_EQ(counts.rejected[LIQ_INCONSISTENT], 0U);
  EXPECT_EQ(counts.rejected[LIQ_OFF_RANGE], 0x5555555555555555U);
  liq_engine_destroy(engine);
}

TEST(CApi, APriceFarFromThoseBeforeItIsAnOutlierWhereThatIsAskedFor) {
  const liq_instrument good = instrument();
  for (const double limit : {0.0, 0.1}) {
    liq_engine_options chosen = options();
    EXPECT_EQ(chosen.outlier, 0.0);
    chosen.outlier = limit;
    liq_engine* engine = nullptr;
    ASSERT_EQ(liq_engine_create(&good, &chosen, &engine), LIQ_OK) << liq_error_message();
    for (std::int64_t i = 0; i < 3; ++i) EXPECT_EQ(liq_engine_trade(engine, i, 60'000.0, 1.0, 0), LIQ_OK);
    EXPECT_EQ(liq_engine_trade(engine, 3, 31'000.0, 1.0, 0), limit > 0.0 ? LIQ_OUTLIER : LIQ_OK);
    liq_counts counts;
    counts.size = sizeof counts;
    ASSERT_EQ(liq_engine_counts(engine, &counts), LIQ_OK);
    EXPECT_EQ(counts.rejected[LIQ_OUTLIER], limit > 0.0 ? 1U : 0U);
    liq_engine_destroy(engine);
  }
  liq_engine_options wrong = options();
  wrong.outlier = -1.0;
  liq_engine* engine = nullptr;
  EXPECT_EQ(refused(liq_engine_create(&good, &wrong, &engine)),
            "outlier must lie in [0, 1e6] (a share of the price; 0: every price is believed), was -1");
}

TEST(CApi, NamesAndVersions) {
  EXPECT_STREQ(liq_status_name(LIQ_OK), "ok");
  EXPECT_STREQ(liq_status_name(LIQ_OFF_GRID), "off_grid");
  EXPECT_STREQ(liq_status_name(LIQ_OFF_RANGE), "off_range");
  EXPECT_STREQ(liq_status_name(LIQ_OUTLIER), "outlier");
  EXPECT_STREQ(liq_status_name(LIQ_TOO_SMALL), "too_small");
  EXPECT_STREQ(liq_status_name(LIQ_FAILED), "failed");
  EXPECT_STREQ(liq_status_name(LIQ_DAMAGED), "damaged");
  EXPECT_STREQ(liq_status_name(-99), "unknown");
  EXPECT_STREQ(liq_status_name(99), "unknown");
  EXPECT_STREQ(liq_version(), liqcore::version());
  EXPECT_EQ(liq_abi_version(), LIQ_ABI_VERSION);
  liq_engine_destroy(nullptr);
}

TEST(CApi, SnapshotsSayWhatTheEngineSaidWhichMayBeGone) {
  const Tape tape = support::random_tape(4, 3'000, true);
  const Handle engine = create();
  liq_publisher_options chosen;
  liq_publisher_options_init(&chosen, sizeof chosen);
  liq_publisher* publisher = nullptr;
  ASSERT_EQ(liq_publisher_create(&chosen, &publisher), LIQ_OK) << liq_error_message();
  liq_snapshot* snapshot = nullptr;
  ASSERT_EQ(liq_publisher_snapshot(publisher, &snapshot), LIQ_OK);
  EXPECT_EQ(snapshot, nullptr);
  ASSERT_EQ(liq_engine_publish_to(engine.get(), publisher), LIQ_OK);
  ASSERT_EQ(liq_publisher_snapshot(publisher, &snapshot), LIQ_OK);
  auto grid = sized<liq_grid>(), own_grid = sized<liq_grid>();
  refused(liq_snapshot_grid(snapshot, &grid), LIQ_NO_PRICE);
  liq_snapshot_release(snapshot);

  const liq_trades all = columns(tape, 0, tape.size());
  ASSERT_EQ(liq_engine_trades(engine.get(), &all, nullptr), LIQ_OK);
  std::vector<double> row(liq_publisher_count(publisher)), own_row(row.size());
  liq_moment moment{};
  ASSERT_EQ(liq_publisher_row(publisher, row.data(), row.size(), &moment), LIQ_OK);
  EXPECT_EQ(moment.clock_ns % kWindow, 0);
  const std::uint64_t ended = moment.sequence;
  EXPECT_GT(ended, 20U);
  ASSERT_EQ(liq_publisher_publish_row(publisher, engine.get()), LIQ_OK);
  ASSERT_EQ(liq_publisher_ask(publisher), LIQ_OK);
  ASSERT_EQ(liq_engine_advance(engine.get(), inside(engine).clock().value()), LIQ_OK);
  ASSERT_EQ(liq_publisher_publish(publisher, engine.get()), LIQ_OK);

  liq_features* features = nullptr;
  ASSERT_EQ(liq_features_create(nullptr, &features), LIQ_OK);
  EXPECT_STREQ(liq_publisher_name(publisher, 3), liq_features_name(features, 3));
  EXPECT_EQ(liq_publisher_name(publisher, row.size()), nullptr);
  ASSERT_EQ(liq_features_read(features, engine.get(), own_row.data(), own_row.size()), LIQ_OK);
  liq_features_destroy(features);
  ASSERT_EQ(liq_publisher_row(publisher, row.data(), row.size(), &moment), LIQ_OK);
  EXPECT_EQ(moment.sequence, ended + 3);
  EXPECT_EQ(moment.clock_ns, inside(engine).clock());
  EXPECT_EQ(std::memcmp(row.data(), own_row.data(), row.size() * sizeof row[0]), 0);

  ASSERT_EQ(liq_publisher_snapshot(publisher, &snapshot), LIQ_OK);
  liq_publisher_destroy(publisher);  // the engine and the snapshot keep what they need
  liq_moment of{};
  ASSERT_EQ(liq_snapshot_moment(snapshot, &of), LIQ_OK);
  EXPECT_EQ(of.sequence, moment.sequence);
  EXPECT_EQ(of.clock_ns, moment.clock_ns);
  ASSERT_EQ(liq_snapshot_row(snapshot, row.data(), row.size()), LIQ_OK);
  EXPECT_EQ(std::memcmp(row.data(), own_row.data(), row.size() * sizeof row[0]), 0);

  auto counts = sized<liq_counts>(), own_counts = sized<liq_counts>();
  ASSERT_EQ(liq_snapshot_counts(snapshot, &counts), LIQ_OK);
  ASSERT_EQ(liq_engine_counts(engine.get(), &own_counts), LIQ_OK);
  EXPECT_EQ(std::memcmp(&counts, &own_counts, sizeof counts), 0);
  ASSERT_EQ(liq_snapshot_grid(snapshot, &grid), LIQ_OK);
  ASSERT_EQ(liq_engine_grid(engine.get(), &own_grid), LIQ_OK);
  EXPECT_EQ(std::memcmp(&grid, &own_grid, sizeof grid), 0);
  std::vector<double> levels(grid.tiers * grid.bins), own_levels(levels.size());
  for (const std::int32_t side : {LIQ_LONG, LIQ_SHORT}) {
    ASSERT_EQ(liq_snapshot_levels(snapshot, side, levels.data(), levels.size(), &grid), LIQ_OK);
    ASSERT_EQ(liq_engine_levels(engine.get(), side, own_levels.data(), own_levels.size(), nullptr), LIQ_OK);
    EXPECT_EQ(levels, own_levels);
  }
  refused(liq_snapshot_levels(snapshot, LIQ_LONG, levels.data(), levels.size() - 1, nullptr), LIQ_TOO_SMALL);

  liq_picture picture, own_picture;
  ASSERT_EQ(liq_snapshot_picture(snapshot, &picture, sizeof picture, 5), LIQ_OK);
  ASSERT_EQ(liq_engine_picture(engine.get(), &own_picture, sizeof own_picture, 5), LIQ_OK);
  EXPECT_EQ(std::memcmp(&picture, &own_picture, sizeof picture), 0);
  std::vector<float> longs(picture.columns * picture.rows), own_longs(longs.size());
  ASSERT_EQ(liq_snapshot_columns(snapshot, &picture, longs.data(), nullptr, nullptr, nullptr, longs.size()), LIQ_OK);
  ASSERT_EQ(liq_engine_columns(engine.get(), &picture, own_longs.data(), nullptr, nullptr, nullptr, longs.size()),
            LIQ_OK);
  EXPECT_EQ(longs, own_longs);
  std::vector<double> map(6 * picture.rows), own_map(map.size());
  ASSERT_EQ(liq_snapshot_map(snapshot, &picture, map.data(), map.size()), LIQ_OK);
  ASSERT_EQ(liq_engine_map(engine.get(), &picture, own_map.data(), own_map.size()), LIQ_OK);
  EXPECT_EQ(map, own_map);
  std::uint64_t kept = 0, total = 0;
  ASSERT_EQ(liq_snapshot_windows(snapshot, &kept, &total), LIQ_OK);
  EXPECT_EQ(kept, inside(engine).history()->size());
  auto window = sized<liq_window>(), own_window = sized<liq_window>();
  ASSERT_EQ(liq_snapshot_window(snapshot, kept - 1, &window), LIQ_OK);
  ASSERT_EQ(liq_engine_window(engine.get(), kept - 1, &own_window), LIQ_OK);
  EXPECT_EQ(std::memcmp(&window, &own_window, sizeof window), 0);
  refused(liq_snapshot_window(snapshot, kept, &window));
  liq_snapshot_release(snapshot);

  ASSERT_EQ(liq_engine_publish_to(engine.get(), nullptr), LIQ_OK);
}

TEST(CApi, PublishersRefuseWhatCannotBe) {
  liq_publisher* publisher = nullptr;
  liq_publisher_options chosen;
  liq_publisher_options_init(&chosen, sizeof chosen);
  chosen.reserved = 1;
  EXPECT_EQ(refused(liq_publisher_create(&chosen, &publisher)), "options.reserved must be 0, was 1");
  chosen.reserved = 0;
  liq_feature_options features;
  liq_feature_options_init(&features, sizeof features);
  features.density_percent = 0.0;
  chosen.features = &features;
  refused(liq_publisher_create(&chosen, &publisher));
  EXPECT_EQ(publisher, nullptr);
  EXPECT_EQ(refused(liq_publisher_row(nullptr, nullptr, 0, nullptr)), "publisher must not be NULL");
  EXPECT_EQ(refused(liq_snapshot_moment(nullptr, nullptr)), "snapshot must not be NULL");
  EXPECT_EQ(liq_publisher_count(nullptr), 0U);
  EXPECT_EQ(liq_publisher_missed(nullptr), 0U);
  liq_publisher_destroy(nullptr);
  liq_snapshot_release(nullptr);
}
