/// Which market events become which verbs of the book.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "liqcore/leverage.hpp"

namespace liqcore::inline abi1 {

/// How positions are assumed to open and close; docs/theory/models.md defines each.
enum class Model : std::uint8_t {
  none,      ///< nothing opens by itself: the verbs come from outside; trades, marks and candles still touch
  flow,      ///< every trade opens its quantity on the aggressor's side
  oi,        ///< open interest opens both sides as it rises and closes everything in proportion as it falls
  blend,     ///< as oi, and a part of the turnover opens and closes in between
  vendor,    ///< events open both sides at one price, candles touch: a commercial map's recipe
  presence,  ///< as flow, but by the time that is spent at a price, or a mixture of time and volume (presence.hpp)
};

/// What the models that read open interest can be told.
struct ModelOptions {
  double taker_tilt = 0.0;  ///< oi, blend: 0..1, how far taker imbalance moves the entries of the two sides apart
  /// blend: 0..1, which part of the turnover opens and closes; none: kDefaultChurn. Both are kept to the nearest 1/1024
  std::optional<double> churn;
  std::optional<double>
      event_threshold;             ///< vendor: a larger rise of open interest (quantity) is an event; none: no rise
  bool reconciled = false;         ///< open interest corrects the book at every sample; makes the model sequential
  std::optional<double> exponent;  ///< presence: 0..1, from time alone to volume alone; none: 0
};
inline constexpr double kDefaultChurn = 0.1;

/// Which price liquidates.
enum class Trigger : std::uint8_t {
  last,    ///< every trade at its own price, every candle its range
  mark,    ///< mark prices, as venues do
  candle,  ///< candles only: trades open and never touch
};

/// At which price of a candle its volumes open, before it is rounded to the tick.
enum class CandlePrice : std::uint8_t {
  hlc3,  ///< (high + low + close) / 3
  close,
  open,
  ohlc4,  ///< (open + high + low + close) / 4
  hl2,    ///< (high + low) / 2
};

/// The word for it, as Python and configurations have it.
[[nodiscard]] LIQCORE_EXPORT std::string_view name_of(Model model) noexcept;
[[nodiscard]] LIQCORE_EXPORT std::string_view name_of(Trigger trigger) noexcept;
[[nodiscard]] LIQCORE_EXPORT std::string_view name_of(CandlePrice price) noexcept;

/// The documented default half-life of the flow model, one a tier, ns: 1 day from 100x, 3 days from 50x, 7 days from
/// 25x, 30 days below, and 1 day for distances from the entry (high leverage is held shortest; an assumption, to be
/// replaced by a fit).
[[nodiscard]] LIQCORE_EXPORT std::vector<double> default_half_life_ns(const LeverageProfile& leverage);

}  // namespace liqcore::inline abi1
