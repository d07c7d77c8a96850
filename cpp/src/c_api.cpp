#include "liqcore/engine.hpp"
#include "liqcore/liqcore.h"

extern "C" int32_t liq_engine_trade(liq_engine* engine, int64_t ts_ns, double price, double qty, int32_t taker_sell) {
  try {
    const liqcore::Reject reject =
        reinterpret_cast<liqcore::Engine*>(engine)->trade(ts_ns, price, qty, taker_sell != 0);
    return static_cast<int32_t>(reject);
  } catch (...) {
    return -1;
  }
}
