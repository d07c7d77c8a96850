#include "liqcore/presence.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "liqcore/engine.hpp"
#include "support.hpp"

namespace {

using liqcore::Engine;
using liqcore::EngineOptions;
using liqcore::Model;
using liqcore::Presence;
using liqcore::PresenceState;
using support::refusal;

constexpr std::int64_t kSecond = 1'000'000'000;

double level(double exponent, std::int64_t interval_ns, double lots) {
  return std::nearbyint(std::pow(65536.0 * (static_cast<double>(interval_ns) / 60e9), 1.0 - exponent) *
                        std::pow(lots, exponent));
}

EngineOptions with(double exponent, std::int64_t window_ns = 5 * kSecond) {
  EngineOptions options;
  options.model = Model::presence;
  options.model_options.exponent = exponent;
  options.window_ns = window_ns;
  return options;
}

Engine make(const EngineOptions& options) {
  return {liqcore::Instrument("X", "", liqcore::Contract::linear, 1.0, 1.0, 1.0, liqcore::MarginSchedule::flat(0.004)),
          {{0.01, 10, 50}, {0.25, 0.25, 0.5}},
          options};
}

struct Tape {
  std::vector<std::int64_t> ts;
  std::vector<double> price, qty;
  std::vector<std::uint8_t> taker_sell;

  explicit Tape(std::size_t n) {
    support::Random random{7};
    std::int64_t now = 0;
    double at = 10'000.0;
    for (std::size_t i = 0; i < n; ++i) {
      now += random(0, kSecond / 20);
      at += static_cast<double>(random(-3, 3));
      ts.push_back(now);
      price.push_back(at);
      qty.push_back(static_cast<double>(random(1, 50)));
      taker_sell.push_back(static_cast<std::uint8_t>(random(0, 1)));
    }
  }
  [[nodiscard]] liqcore::TradeArrays rows(std::size_t begin, std::size_t end) const {
    const auto part = [&](const auto& of) { return std::span(of).subspan(begin, end - begin); };
    return {part(ts), part(price), part(qty), part(taker_sell)};
  }
};

void expect_same(const Engine& one, const Engine& two) {
  EXPECT_EQ(one.stats(), two.stats());
  ASSERT_EQ(one.history()->size(), two.history()->size());
  for (std::size_t i = 0; i < one.history()->size(); ++i)
    ASSERT_EQ(one.history()->segment(i), two.history()->segment(i));
  liqcore::Segment a;
  liqcore::Segment b;
  ASSERT_TRUE(one.peek(a) && two.peek(b));
  EXPECT_EQ(a, b);
}

TEST(Presence, ASecondOpensTheMixtureOfTimeAndVolumeTradeByTrade) {
  for (const double exponent : {0.0, 0.3, 0.5, 0.9}) {
    Presence presence(exponent);
    presence.begin_window(0, 5 * kSecond);
    double opened = 0.0;
    for (int i = 1; i <= 100; ++i) {
      opened += presence.add(kSecond + i, 7.0, true);
      EXPECT_EQ(opened, level(exponent, kSecond, 7.0 * i)) << exponent;
    }
    EXPECT_EQ(presence.add(2 * kSecond - 1, 5.0, false), level(exponent, kSecond, 5.0));
    EXPECT_EQ(presence.add(2 * kSecond, 7.0, true), level(exponent, kSecond, 7.0));  // another second
    presence.begin_window(5 * kSecond, 6 * kSecond + kSecond / 4);                   // cuts its last second short
    EXPECT_EQ(presence.add(6 * kSecond, 7.0, true), level(exponent, kSecond / 4, 7.0));
    EXPECT_EQ(presence.of_candle(60 * kSecond, 100.0), level(exponent, 60 * kSecond, 100.0));
    EXPECT_EQ(presence.of_candle(60 * kSecond, 0.0), 0.0);
  }
}

TEST(Presence, FitsTheWindowThatItWasSavedIn) {
  Presence presence(0.5);
  presence.begin_window(0, 5 * kSecond);
  static_cast<void>(presence.add(kSecond + 5, 7.0, true));
  const PresenceState state = presence.state();
  EXPECT_EQ(state.end_ns, 2 * kSecond);
  EXPECT_TRUE(presence.fits(state));
  EXPECT_TRUE(presence.fits({}));
  for (const PresenceState& wrong :
       {PresenceState{6 * kSecond, {}, {}}, PresenceState{kSecond + 1, {}, {}}, PresenceState{0, {1.0, 0.0}, {}},
        PresenceState{2 * kSecond, {-1.0, 0.0}, {}}, PresenceState{2 * kSecond, {0.5, 0.0}, {}},
        PresenceState{2 * kSecond, {}, {0.0, NAN}}, PresenceState{2 * kSecond, {}, {0.0, 1e300}}})
    EXPECT_FALSE(presence.fits(wrong)) << wrong.end_ns;
  EXPECT_FALSE(Presence(1.0).fits(state));
}

TEST(PresenceEngine, ByVolumeAloneIsFlow) {
  const Tape tape(3'000);
  EngineOptions flow = with(1.0);
  flow.model = Model::flow;
  flow.model_options.exponent.reset();
  Engine one = make(with(1.0));
  Engine two = make(flow);
  static_cast<void>(one.trades(tape.rows(0, 3'000)));
  static_cast<void>(two.trades(tape.rows(0, 3'000)));
  expect_same(one, two);
}

TEST(PresenceEngine, AnySplitThreadsAndASaveGiveTheSameBits) {
  constexpr std::size_t n = 90'000;
  const Tape tape(n);
  for (const double exponent : {0.0, 0.7})
    for (const double outlier : {0.0, 0.1}) {
      EngineOptions options = with(exponent);
      options.outlier = outlier;
      Engine whole = make(options);
      static_cast<void>(whole.trades(tape.rows(0, n)));

      Engine one = make(options);
      for (std::size_t i = 0; i < n; ++i) {
        one.trade(tape.ts[i], tape.price[i], tape.qty[i], tape.taker_sell[i] != 0);
        if (i % 40'000 == 1'234) one = Engine::load(one.save());
      }
      options.threads = 3;
      Engine many = make(options);
      static_cast<void>(many.trades(tape.rows(0, n)));

      EXPECT_EQ(one.save(), whole.save());
      // Where runs of trades end is up to the threads, and saved with them; all that can be seen is the same.
      expect_same(many, whole);
      EXPECT_EQ(many.checkpoint().presence, whole.checkpoint().presence);
      const liqcore::Stats stats = whole.stats();
      EXPECT_GT(stats.accounts[0].live.value() + stats.accounts[0].liquidated.value(), 0.0);
    }
}

TEST(PresenceEngine, ACandleOfAWindowShowsWhatWasTraded) {
  Engine engine = make(with(0.0));
  engine.trade(1, 10'000.0, 3.0, false);
  engine.trade(2, 10'001.0, 4.0, true);
  engine.trade(3, 10'002.0, 5.0, false);
  liqcore::Segment segment;
  ASSERT_TRUE(engine.peek(segment));
  EXPECT_EQ(segment.candle.buy_lots, 8.0);
  EXPECT_EQ(segment.candle.sell_lots, 4.0);
  EXPECT_EQ(engine.stats().accounts[0].opened.value(), level(0.0, kSecond, 8.0));  // the first of the second alone
}

TEST(PresenceEngine, RefusesWhatHasNoMeaning) {
  EXPECT_EQ(refusal([] { make(with(1.5)); }), "exponent must lie in [0, 1], was 1.5");
  EXPECT_EQ(refusal([] { make(with(NAN)); }), "exponent must lie in [0, 1], was nan");
  EXPECT_EQ(refusal([] { make(with(0.5, 999'999)); }),
            "window must be at least 1 ms with the model presence, of which less is not a lot, was 999999 ns");
  EXPECT_EQ(refusal([] { make(with(1.0, 10)); }), "");
  EngineOptions options = with(0.5);
  options.model = Model::flow;
  EXPECT_EQ(refusal([&] { make(options); }), "exponent needs the model presence, was 0.5");
  options = with(0.5);
  options.model_options.reconciled = true;
  EXPECT_EQ(refusal([&] { make(options); }),
            "reconciled needs levels that open interest can be held against, not those of presence");
}

}  // namespace
