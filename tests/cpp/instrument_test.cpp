#include "liqcore/instrument.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "support.hpp"

using liqcore::Contract;
using liqcore::Instrument;
using liqcore::MarginSchedule;
using support::refusal;

namespace {

Instrument make(double tick_size, double lot_size, double multiplier = 1.0) {
  return {"BTCUSDT", "binance-usdm", Contract::linear, tick_size, lot_size, multiplier, MarginSchedule::flat(0.004)};
}

}  // namespace

TEST(Instrument, RoundsPricesToTicksHalfToEven) {
  const Instrument instrument = make(0.5, 1.0);
  EXPECT_EQ(instrument.to_ticks(100.0).units, 200);
  EXPECT_EQ(instrument.to_ticks(100.25).units, 200);
  EXPECT_EQ(instrument.to_ticks(100.75).units, 202);
  EXPECT_EQ(instrument.to_ticks(100.26).units, 201);
}

TEST(Instrument, RoundsQuantitiesToLotsHalfToEven) {
  const Instrument instrument = make(0.1, 0.001);
  EXPECT_EQ(instrument.to_lots(0.025).units, 25);
  EXPECT_EQ(instrument.to_lots(0.0004).units, 0);
  EXPECT_EQ(make(0.1, 2.0).to_lots(5.0).units, 2);
  EXPECT_EQ(make(0.1, 2.0).to_lots(7.0).units, 4);
}

TEST(Instrument, APrintedDecimalLiesOnItsGrid) {
  for (const int decimals : {1, 2, 4, 8}) {
    const std::string tick = "0." + std::string(static_cast<std::size_t>(decimals) - 1, '0') + "1";
    const Instrument instrument = make(std::stod(tick), 1.0);
    for (std::int64_t units = 1; units < 2'000'000'000; units += units / 50 + 1) {
      const double price = static_cast<double>(units) / std::pow(10.0, decimals);
      const liqcore::OnGrid got = instrument.to_ticks(price);
      ASSERT_EQ(got.units, units) << price << " in steps of " << tick;
      ASSERT_TRUE(got.exact) << price << " in steps of " << tick;
    }
  }
}

TEST(Instrument, AMillionthOfATickIsStillOnTheGrid) {
  const Instrument instrument = make(1.0, 1.0);
  EXPECT_TRUE(instrument.to_ticks(100.0000009).exact);
  EXPECT_FALSE(instrument.to_ticks(100.0000011).exact);
  EXPECT_FALSE(instrument.to_ticks(100.5).exact);
  EXPECT_TRUE(instrument.to_lots(2.9999991).exact);
  EXPECT_FALSE(instrument.to_lots(2.9999989).exact);
}

TEST(Instrument, ConvertsUpToItsLimits) {
  const Instrument instrument = make(1.0, 1.0);
  EXPECT_EQ(instrument.to_ticks(liqcore::kMaxTicks).units, 2'147'483'647);
  EXPECT_EQ(instrument.to_lots(liqcore::kMaxLots).units, std::int64_t{1} << 48);
}

TEST(Instrument, SaysWhatItWasMadeOf) {
  const Instrument instrument = make(0.1, 0.001, 10.0);
  EXPECT_EQ(instrument.symbol(), "BTCUSDT");
  EXPECT_EQ(instrument.venue(), "binance-usdm");
  EXPECT_EQ(instrument.contract(), Contract::linear);
  EXPECT_EQ(instrument.tick_size(), 0.1);
  EXPECT_EQ(instrument.lot_size(), 0.001);
  EXPECT_EQ(instrument.multiplier(), 10.0);
  EXPECT_EQ(instrument.margin(), MarginSchedule::flat(0.004));
}

TEST(Instrument, RefusesStepsThatAreNone) {
  EXPECT_EQ(refusal([] { make(0.0, 1.0); }), "tick_size must be finite and above 0, was 0");
  EXPECT_EQ(refusal([] { make(-0.1, 1.0); }), "tick_size must be finite and above 0, was -0.1");
  EXPECT_EQ(refusal([] { make(0.1, INFINITY); }), "lot_size must be finite and above 0, was inf");
  EXPECT_EQ(refusal([] { make(0.1, 1.0, NAN); }), "multiplier must be finite and above 0, was nan");
  EXPECT_EQ(refusal([] { make(-0.0001, 1.0); }), "tick_size must be finite and above 0, was -0.0001");
  EXPECT_EQ(refusal([] { make(-200'000, 1.0); }), "tick_size must be finite and above 0, was -200000");
}
