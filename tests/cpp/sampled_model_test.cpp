#include "liqcore/sampled_model.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "liqcore/engine.hpp"
#include "support.hpp"

using liqcore::LevelBook;
using liqcore::Model;
using liqcore::ModelOptions;
using liqcore::PriceAxis;
using liqcore::SampledModel;
using liqcore::TickRange;
using support::LevelMap;
using support::live;
using support::refusal;
using support::tiers;
using support::whole;

namespace {

constexpr std::size_t kLong = 0, kShort = 1;

/// A book of 10x with bins of one tick, and a market that tells its model what an engine would.
struct Market {
  explicit Market(Model kind, const ModelOptions& options = {}) : model(kind, options, 1, 1.0) {}

  void trade(std::int64_t tick, double lots, bool taker_sell = false) {
    touch(tick, tick);
    model.traded(tick, taker_sell ? 0.0 : lots, taker_sell ? lots : 0.0);
    model.priced({tick, tick, tick, tick, taker_sell ? 0.0 : lots, taker_sell ? lots : 0.0});
    last_price = tick;
  }
  void touch(std::int64_t low, std::int64_t high) {
    book.touch(low, high);
    last_touch = TickRange{low, high};
    model.touched(*last_touch);
  }
  void sample(double lots) { model.sample(lots, &book, {reached, last_touch, last_price}); }

  LevelBook book{whole(), tiers({10}), PriceAxis{0, 1, 3000}};
  SampledModel model;
  std::optional<LevelBook::Reached> reached;
  std::optional<TickRange> last_touch;
  std::int64_t last_price = 0;
};

ModelOptions reconciled() {
  ModelOptions options;
  options.reconciled = true;
  return options;
}

}  // namespace

TEST(SampledModel, ARiseOpensBothSidesWhereTheIntervalTraded) {
  Market market{Model::oi};
  market.sample(1000);
  market.trade(100, 3);
  market.trade(110, 1, true);
  market.sample(1008);
  EXPECT_EQ(live(market.book, kLong), (LevelMap{{90, 6}, {99, 2}}));
  EXPECT_EQ(live(market.book, kShort), (LevelMap{{121, 2}}));  // 110 lies in the interval's own range
  EXPECT_EQ(market.book.accounts()[kShort].liquidated.value(), 6);
}

TEST(SampledModel, AFallClosesInProportion) {
  Market market{Model::oi};
  market.sample(0);
  market.trade(1000, 1);
  market.sample(40);
  market.sample(30);
  EXPECT_EQ(live(market.book, kLong), (LevelMap{{900, 30}}));
  EXPECT_EQ(market.book.accounts()[kShort].closed.value(), 10);
  market.sample(0);
  market.sample(5);  // nothing traded: at the last price
  EXPECT_EQ(live(market.book, kShort), (LevelMap{{1100, 5}}));
}

TEST(SampledModel, SharesAddUpWhateverTheOrderAndTheSplit) {
  support::Random random{7};
  for (int round = 0; round < 20; ++round) {
    const double lots = static_cast<double>(random(1, 1'000'000));
    ModelOptions options;
    options.taker_tilt = 0.3;
    Market one{Model::oi, options}, other{Model::oi, options};
    one.sample(0);
    other.sample(0);
    std::vector<std::pair<std::int64_t, double>> trades;
    for (int i = 0; i < 12'000; ++i) trades.emplace_back(random(1900, 2100), static_cast<double>(random(1, 99)));
    for (const auto& [tick, quantity] : trades) one.model.traded(tick, quantity, 0.0);
    for (auto at = trades.rbegin(); at != trades.rend(); ++at) other.model.traded(at->first, at->second, 0.0);
    one.last_price = other.last_price = 1;
    one.sample(lots);
    other.sample(lots);
    EXPECT_EQ(one.book.accounts()[kLong].opened.value(), lots);
    EXPECT_EQ(live(one.book), live(other.book));
  }
}

TEST(SampledModel, BlendRenewsAPartOfTheTurnover) {
  ModelOptions options;
  options.churn = 0.25;
  Market market{Model::blend, options};
  market.sample(0);
  market.trade(1000, 100);
  market.sample(80);
  market.trade(1001, 80, true);
  market.sample(90);
  EXPECT_EQ(live(market.book, kLong), (LevelMap{{900, 60}, {901, 30}}));
}

TEST(SampledModel, LiquidationsAreTakenOutOfTheFallFirst) {
  Market market{Model::oi, reconciled()};
  market.sample(0);
  market.trade(100, 1);
  market.sample(40);
  market.trade(120, 1);
  market.sample(100);
  market.trade(108, 1, true);
  market.sample(30);
  EXPECT_EQ(live(market.book, kLong), (LevelMap{{90, 30}}));
  EXPECT_EQ(live(market.book, kShort), (LevelMap{{132, 18}}));
  EXPECT_NEAR(market.model.spared()[kLong], 18, 1e-12);
  EXPECT_EQ(market.model.spared()[kShort], 0);
}

TEST(SampledModel, ALayerAboveOpenInterestIsCapped) {
  Market market{Model::flow, reconciled()};
  EXPECT_FALSE(market.model.watches());
  market.book.open(liqcore::Side::long_, 1000, 100);
  market.sample(70);  // the first says nothing yet
  EXPECT_EQ(live(market.book, kLong), (LevelMap{{900, 100}}));
  market.sample(40);
  EXPECT_EQ(live(market.book, kLong), (LevelMap{{900, 40}}));
  EXPECT_EQ(market.model.capped(), (std::vector<double>{60, 0}));
}

TEST(SampledModel, RisesAboveTheThresholdAreEvents) {
  ModelOptions options;
  options.event_threshold = 10;
  Market market{Model::vendor, options};
  market.sample(100);
  market.model.priced({1000, 1030, 890, 1000, 1, 1});
  market.sample(110);
  EXPECT_TRUE(live(market.book, kLong).empty());
  market.model.priced({1000, 1030, 890, 1000, 1, 1});
  market.sample(121);
  EXPECT_EQ(live(market.book, kLong), (LevelMap{{882, 11}}));
  EXPECT_EQ(live(market.book, kShort), (LevelMap{{1078, 11}}));
}

TEST(SampledModel, GoesOnFromItsState) {
  Market market{Model::oi, reconciled()}, copy{Model::oi, reconciled()};
  for (Market* m : {&market, &copy}) {
    m->sample(0);
    m->trade(1000, 5);
    m->sample(40);
    m->trade(1003, 5);
    m->trade(1001, 5, true);
  }
  SampledModel restored{Model::oi, reconciled(), 1, 1.0};
  restored.restore(market.model.state());
  market.model = restored;
  for (Market* m : {&market, &copy}) {
    m->trade(1002, 1);
    m->sample(60);
  }
  EXPECT_EQ(live(market.book), live(copy.book));
  SampledModel other{Model::oi, {}, 2, 1.0};
  EXPECT_NE(refusal([&] { other.restore(market.model.state()); }), "");
}

TEST(EngineModels, AnySplitAndARestoreGiveTheSameBits) {
  for (const Model kind : {Model::oi, Model::blend, Model::vendor}) {
    const support::Tape tape = support::random_tape(11, 3'000, true);
    support::Random random{5};
    std::vector<std::int64_t> times;
    std::vector<double> interest;
    std::vector<double> price, quantity;
    for (std::int64_t ts = 5'000; ts < 100'000; ts += random(1, 2'000)) {
      times.push_back(ts);
      interest.push_back(static_cast<double>(random(0, 5'000)) + (random.one_in(9) ? -9'000 : 0));
      price.push_back(static_cast<double>(random(9'000, 11'000)));
      quantity.push_back(static_cast<double>(random(1, 99)));
    }
    liqcore::EngineOptions options;
    options.window_ns = 1'000;
    options.model = kind;
    options.model_options.reconciled = true;
    if (kind == Model::vendor) {
      options.trigger = liqcore::Trigger::candle;
      options.model_options.event_threshold = 100;
    }
    const auto make = [&] { return liqcore::Engine(whole(), tiers({5, 50}), options); };
    liqcore::Feed feed{tape.all(), {}, {}, {times, interest}, {}};
    if (kind == Model::vendor) feed.vendor_events = {times, price, quantity};
    liqcore::Engine all = make();
    static_cast<void>(all.feed(feed));

    // The same events one by one, in the order of equal times, with a restore after a third of them.
    liqcore::Engine one = make();
    std::size_t row = 0;
    const auto trades_until = [&](std::int64_t ts) {
      for (; row < tape.size() && tape.ts[row] <= ts; ++row)
        static_cast<void>(one.trade(tape.ts[row], tape.price[row], tape.qty[row], tape.sell[row] != 0));
    };
    for (std::size_t i = 0; i < times.size(); ++i) {
      trades_until(times[i]);
      if (kind == Model::vendor) static_cast<void>(one.vendor_event(times[i], price[i], quantity[i]));
      static_cast<void>(one.open_interest(times[i], interest[i]));
      if (i == times.size() / 3) {
        const liqcore::Checkpoint checkpoint = one.checkpoint();
        one = make();
        one.restore(checkpoint);
      }
    }
    trades_until(INT64_MAX);
    EXPECT_EQ(support::state_of(all), support::state_of(one));
    EXPECT_EQ(all.sampled().spared(), one.sampled().spared());
    EXPECT_TRUE(all.sequential());
    EXPECT_GT(all.stats().accounts[0].opened.value(), 0);
    for (const liqcore::Account& account : all.stats().accounts)
      EXPECT_NEAR(account.imbalance(), 0.0, 1e-12 * account.opened.value());
  }
}

TEST(EngineModels, VendorEventsActBeforeTheCandleThatEndsWithThem) {
  liqcore::EngineOptions options;
  options.model = Model::vendor;
  options.trigger = liqcore::Trigger::candle;
  options.ticks_per_bin = 1;
  liqcore::Engine engine(whole(), tiers({10}), options);
  const std::vector<std::int64_t> open_ns{0}, event_ns{999};
  const std::vector<double> open{1000}, high{1050}, low{900}, close{1000}, quantity{7};
  liqcore::Feed feed;
  feed.candles = {open_ns, open, high, low, close, {}, {}, 1'000};
  feed.vendor_events = {event_ns, open, quantity};
  static_cast<void>(engine.feed(feed));
  EXPECT_EQ(live(*engine.book(), kLong), LevelMap{});
  EXPECT_EQ(live(*engine.book(), kShort), (LevelMap{{1100, 7}}));
  EXPECT_EQ(refusal([] { liqcore::Engine(whole(), tiers({10})).vendor_event(0, 1, 1); }),
            "vendor events need the model vendor");
}

TEST(SampledModel, OptionsBelongToTheirModels) {
  const auto made = [](Model model, auto&& set) {
    ModelOptions options;
    set(options);
    return refusal([&] { SampledModel(model, options, 1, 1.0); });
  };
  EXPECT_EQ(made(Model::flow, [](ModelOptions& o) { o.taker_tilt = 0.5; }),
            "taker_tilt needs the model oi or blend, was 0.5");
  EXPECT_EQ(made(Model::oi, [](ModelOptions& o) { o.taker_tilt = 1.5; }), "taker_tilt must lie in [0, 1], was 1.5");
  EXPECT_EQ(made(Model::oi, [](ModelOptions& o) { o.churn = 0.1; }), "churn needs the model blend, was 0.1");
  EXPECT_EQ(made(Model::blend, [](ModelOptions& o) { o.churn = -1; }), "churn must lie in [0, 1], was -1");
  EXPECT_EQ(made(Model::oi, [](ModelOptions& o) { o.event_threshold = 5; }),
            "event_threshold needs the model vendor, was 5");
  EXPECT_EQ(made(Model::vendor, [](ModelOptions& o) { o.event_threshold = -5; }),
            "event_threshold must be finite and at least 0, was -5");
  EXPECT_EQ(made(Model::none, [](ModelOptions& o) { o.reconciled = true; }),
            "reconciled needs a model, which was none");
}
