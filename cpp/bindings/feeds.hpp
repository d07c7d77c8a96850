// From Python's arrays to the streams that an engine takes.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "arrays.hpp"
#include "liqcore/engine.hpp"

namespace liqcore::bindings {

inline TradeArrays trade_arrays(py::handle ts, py::handle price, py::handle qty, py::handle taker_sell) {
  const TradeArrays out{times(ts, "ts"), doubles(price, "price"), doubles(qty, "qty"), bools(taker_sell, "taker_sell")};
  return out;
}

inline CandleArrays candle_arrays(py::handle ts_open, py::handle open, py::handle high, py::handle low,
                                  py::handle close, py::handle buy_qty, py::handle sell_qty, std::int64_t interval_ns) {
  CandleArrays out;
  out.ts_open_ns = times(ts_open, "ts_open");
  out.open = doubles(open, "open");
  out.high = doubles(high, "high");
  out.low = doubles(low, "low");
  out.close = doubles(close, "close");
  if (!buy_qty.is_none()) out.buy_qty = doubles(buy_qty, "buy_qty");
  if (!sell_qty.is_none()) out.sell_qty = doubles(sell_qty, "sell_qty");
  out.interval_ns = interval_ns;
  return out;
}

inline py::tuple tuple(const py::object& object, const char* argument, std::size_t size) {
  const auto out = py::tuple(object);
  if (out.size() != size)
    throw py::value_error(std::string(argument) + " must be a tuple of " + std::to_string(size) + " arrays, had " +
                          std::to_string(out.size()));
  return out;
}

/// Streams that go with trades.
inline void put_beside(Feed& all, const py::object& marks, const py::object& open_interest, const py::object& candles,
                       std::int64_t interval_ns) {
  if (!marks.is_none()) {
    const py::tuple t = tuple(marks, "marks", 2);
    all.marks = {times(t[0], "ts (of marks)"), doubles(t[1], "price (of marks)")};
  }
  if (!open_interest.is_none()) {
    const py::tuple t = tuple(open_interest, "open_interest", 2);
    all.open_interest = {times(t[0], "ts (of open_interest)"), doubles(t[1], "quantity (of open_interest)")};
  }
  if (!candles.is_none()) {
    const py::tuple t = tuple(candles, "candles", 7);
    all.candles = candle_arrays(t[0], t[1], t[2], t[3], t[4], t[5], t[6], interval_ns);
  }
}

}  // namespace liqcore::bindings
