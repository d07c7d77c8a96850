/// Which market events become which verbs of the book.
#pragma once

#include <cstdint>
#include <vector>

#include "liqcore/leverage.hpp"

namespace liqcore::inline abi1 {

/// How positions are assumed to open and close.
enum class Model : std::uint8_t {
  none,  ///< nothing opens by itself: the verbs come from outside; trades, marks and candles still touch
  flow,  ///< every trade opens its quantity on the aggressor's side
};

/// Which price liquidates.
enum class Trigger : std::uint8_t {
  last,    ///< every trade at its own price, every candle its range
  mark,    ///< mark prices, as venues do
  candle,  ///< candles only: trades open and never touch
};

/// The documented default half-life of the flow model, one a tier, ns: 1 day from 100x, 3 days from 50x, 7 days from
/// 25x, 30 days below (high leverage is held shortest; an assumption, to be replaced by a fit).
[[nodiscard]] LIQCORE_EXPORT std::vector<double> default_half_life_ns(const LeverageProfile& leverage);

}  // namespace liqcore::inline abi1
