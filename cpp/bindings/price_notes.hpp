// What is to be said of strange prices, as plain tuples.
#pragma once

#include <pybind11/pybind11.h>

#include "liqcore/outliers.hpp"

namespace liqcore::bindings {

inline const char* word_of(PriceStream stream) noexcept {
  constexpr const char* words[kPriceStreams] = {"trades", "marks", "candles"};
  return words[static_cast<std::size_t>(stream)];
}

/// (stream, ts, price, price believed at the time) of each.
inline pybind11::list outliers_of(const PriceNotes& notes, double tick_size) {
  pybind11::list out;
  for (const Outlier& one : notes.outliers())
    out.append(pybind11::make_tuple(word_of(one.stream), one.ts_ns, static_cast<double>(one.tick) * tick_size,
                                    static_cast<double>(one.before) * tick_size));
  return out;
}

/// (stream, first seen, believed at, price, price before, whether that was settled) of each.
inline pybind11::list jumps_of(const PriceNotes& notes, double tick_size) {
  pybind11::list out;
  for (const PriceJump& one : notes.jumps())
    out.append(pybind11::make_tuple(word_of(one.stream), one.since_ns, one.ts_ns,
                                    static_cast<double>(one.tick) * tick_size,
                                    static_cast<double>(one.before) * tick_size, one.settled));
  return out;
}

}  // namespace liqcore::bindings
