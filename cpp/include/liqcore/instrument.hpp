/// What is traded: grid, contract and margin terms of one perpetual future.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "liqcore/limits.hpp"
#include "liqcore/margin.hpp"

namespace liqcore::inline abi1 {

/// A price or quantity on its grid: `units` whole steps, and whether the number lay on the grid (to 1e-6 step).
struct OnGrid {
  std::int64_t units;
  bool exact;
};

/// One perpetual future: symbol, venue, contract type, tick and lot size, multiplier and margin terms.
///
/// Prices and quantities arrive in the unit the venue prints; only the instrument converts them, once, at the door,
/// half to even. Immutable; safe to share between threads.
class LIQCORE_EXPORT Instrument {
 public:
  /// @param symbol      the venue's name, such as "BTCUSDT"
  /// @param venue       such as "binance-usdm"; may be empty
  /// @param contract    linear or inverse
  /// @param tick_size   smallest price step, quote currency; finite, > 0
  /// @param lot_size    smallest quantity step, as the venue prints quantities; finite, > 0
  /// @param multiplier  linear: units of base per printed unit of quantity; inverse: USD per contract; finite, > 0
  /// @param margin      maintenance margin terms
  /// @param assumed     names of the values above that are a guess, not known; kept for display, no part of equality
  /// @throws InvalidConfig if a value breaks its rule
  Instrument(std::string symbol, std::string venue, Contract contract, double tick_size, double lot_size,
             double multiplier, MarginSchedule margin, std::vector<std::string> assumed = {});

  /// Price in ticks, rounded half to even. Undefined above kMaxTicks and for NaN: check first.
  [[nodiscard]] OnGrid to_ticks(double price) const noexcept;
  /// Quantity in lots, rounded half to even. Undefined above kMaxLots and for NaN: check first.
  [[nodiscard]] OnGrid to_lots(double qty) const noexcept;

  [[nodiscard]] const std::string& symbol() const noexcept { return symbol_; }
  [[nodiscard]] const std::string& venue() const noexcept { return venue_; }
  [[nodiscard]] Contract contract() const noexcept { return contract_; }
  [[nodiscard]] double tick_size() const noexcept { return tick_size_; }
  [[nodiscard]] double lot_size() const noexcept { return lot_size_; }
  [[nodiscard]] double multiplier() const noexcept { return multiplier_; }
  [[nodiscard]] const MarginSchedule& margin() const noexcept { return margin_; }
  [[nodiscard]] const std::vector<std::string>& assumed() const noexcept { return assumed_; }
  bool operator==(const Instrument& other) const noexcept;

 private:
  std::string symbol_;
  std::string venue_;
  Contract contract_;
  double tick_size_;
  double lot_size_;
  double multiplier_;
  MarginSchedule margin_;
  std::vector<std::string> assumed_;
};

}  // namespace liqcore::inline abi1
