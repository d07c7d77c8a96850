// A stranger's program: feeds an engine, prints its accounts, and survives a wrong setting.
#include <cstdio>
#include <liqcore/engine.hpp>
#include <liqcore/error.hpp>
#include <liqcore/version.hpp>

int main() {
  using namespace liqcore;
  const Instrument btc("BTCUSDT", "", Contract::linear, /*tick_size=*/0.5, /*lot_size=*/0.001, /*multiplier=*/1.0,
                       MarginSchedule::flat(0.004));
  Engine engine(btc, LeverageProfile({10, 50}, {0.6, 0.4}));
  engine.trade(1'781'222'400'000'000'000, 60'000.0, 1.0, /*taker_sell=*/false);
  engine.trade(1'781'222'460'000'000'000, 59'000.0, 2.0, /*taker_sell=*/true);
  std::printf("%s\n", version());
  for (const Account& account : engine.stats().accounts)
    std::printf("%.0f %.0f %.0f\n", account.opened.value(), account.live.value(), account.liquidated.value());
  try {
    const LeverageProfile wrong({10}, {-1.0});
  } catch (const InvalidConfig& error) {
    std::printf("refused: %s\n", error.what());
  }
}
