/* The C interface: for callers that cannot see C++, such as numba, cffi and other languages. No exception crosses it. */
#ifndef LIQCORE_LIQCORE_H
#define LIQCORE_LIQCORE_H

#include <stdint.h>

#if defined(_WIN32)
#define LIQCORE_C_EXPORT
#else
#define LIQCORE_C_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** An engine; in C++ a liqcore::Engine, in Python what liqcore.Engine.ptr points to. */
typedef struct liq_engine liq_engine;

/**
 * Feed one trade, as liqcore::Engine::trade() does.
 *
 * @param ts_ns       nanoseconds since the UNIX epoch, UTC
 * @param price, qty  as the venue prints them
 * @param taker_sell  not 0 where the aggressor sold
 * @return 0 if the trade was used; above 0 the number of the reason why it was rejected and counted (liqcore::Reject);
 *         -1 if it cannot be fed at all (a jump over more than a million windows, or candles had volumes): nothing has
 *         happened then
 * @note   One thread at a time. Allocates only where the engine does.
 */
LIQCORE_C_EXPORT int32_t liq_engine_trade(liq_engine* engine, int64_t ts_ns, double price, double qty,
                                          int32_t taker_sell);

#ifdef __cplusplus
}
#endif

#endif
