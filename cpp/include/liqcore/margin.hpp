/// Maintenance margin terms, and the liquidation price they imply for a trade of which only the price is known.
#pragma once

#include <cstdint>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// Side of a position. A long is liquidated below its entry, a short above it.
enum class Side : std::uint8_t { long_ = 0, short_ = 1 };

/// Linear contracts are margined and settled in the quote currency, inverse ones in the base currency.
enum class Contract : std::uint8_t { linear = 0, inverse = 1 };

/// Whether maintenance margin is a share of the notional at the mark price or at the entry price.
enum class MarginBasis : std::uint8_t { mark = 0, entry = 1 };

/// Maintenance margin terms of an instrument: one flat rate for every position.
///
/// Immutable; safe to share between threads.
class LIQCORE_EXPORT MarginSchedule {
 public:
  /// @param rate   maintenance margin rate, fraction of notional (0.004 is 0.4 %); 0 <= rate < 1
  /// @param fee    liquidation fee rate charged at the liquidation price, fraction; 0 <= fee, rate + fee < 1;
  ///               must be 0 with MarginBasis::entry, where venues leave it out of the price
  /// @param basis  what the rate is a share of
  /// @throws InvalidConfig if a value breaks its rule
  static MarginSchedule flat(double rate, double fee = 0.0, MarginBasis basis = MarginBasis::mark);

  /// Liquidation price divided by entry price of an isolated position that was opened at leverage `leverage`.
  ///
  /// With m the rate, f the fee, L the leverage (derived from margin + PnL = maintenance at that price;
  /// docs/theory/liquidation.md):
  ///
  ///     linear, mark   long (1 - 1/L)/(1 - m - f)     short (1 + 1/L)/(1 + m + f)
  ///     linear, entry  long 1 - (1/L - m)             short 1 + (1/L - m)
  ///     inverse, mark  long (1 + m + f)/(1 + 1/L)     short (1 - m - f)/(1 - 1/L)
  ///     inverse, entry long 1/(1 + 1/L - m)           short 1/(1 - 1/L + m)
  ///
  /// @return a factor above 0, or NaN where no liquidation price exists (a 1x linear long, a 1x inverse short)
  [[nodiscard]] double level_factor(Side side, Contract contract, double leverage) const noexcept;

  [[nodiscard]] double rate() const noexcept { return rate_; }
  [[nodiscard]] double fee() const noexcept { return fee_; }
  [[nodiscard]] MarginBasis basis() const noexcept { return basis_; }
  bool operator==(const MarginSchedule&) const noexcept = default;

 private:
  MarginSchedule(double rate, double fee, MarginBasis basis) : rate_(rate), fee_(fee), basis_(basis) {}
  double rate_;
  double fee_;
  MarginBasis basis_;
};

}  // namespace liqcore::inline abi1
