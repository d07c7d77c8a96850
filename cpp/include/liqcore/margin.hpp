/// Maintenance margin terms, and the liquidation prices they imply.
///
/// Every formula solves "equity = maintenance margin" for the price; docs/theory/venues.md lists them with their
/// sources. Amounts of money are in the margin currency: quote for linear contracts, coin for inverse ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "liqcore/version.hpp"

namespace liqcore::inline abi1 {

/// Side of a position. A long is liquidated below its entry, a short above it.
enum class Side : std::uint8_t { long_ = 0, short_ = 1 };

/// Linear contracts are margined and settled in the quote currency, inverse ones in the base currency.
enum class Contract : std::uint8_t { linear = 0, inverse = 1 };

/// Whether maintenance margin is a share of the notional at the mark price or at the entry price.
enum class MarginBasis : std::uint8_t { mark = 0, entry = 1 };

/// What the floors and caps of a risk-tier table count: notional in the margin currency, or quantity (base units of a
/// linear contract, USD of an inverse one).
enum class TierUnit : std::uint8_t { notional = 0, quantity = 1 };

/// Why a position has no liquidation price.
enum class NoPrice : std::uint8_t {
  none = 0,               ///< it has one
  invalid = 1,            ///< an argument is missing, not finite or out of its range
  no_position = 2,        ///< maintenance margin and fee take the whole margin at the entry already
  never = 3,              ///< the margin covers every loss (a 1x linear long, a 1x inverse short)
  leverage_too_high = 4,  ///< above the maximum leverage of the position's risk tier
  too_large = 5,          ///< above the cap of the last risk tier
};

/// One row of a venue's risk-tier table. It holds for sizes `floor <= size < cap`.
struct RiskTier {
  double floor = 0.0;
  double cap = std::numeric_limits<double>::infinity();
  /// Maintenance margin rate, fraction of notional.
  double rate = 0.0;
  /// Maintenance amount in the margin currency ("cum", "deduction"): maintenance margin = rate * notional - amount.
  double amount = 0.0;
  /// Infinity where the venue's maximum is not known.
  double max_leverage = std::numeric_limits<double>::infinity();
  bool operator==(const RiskTier&) const noexcept = default;
};

inline constexpr double kNotGiven = std::numeric_limits<double>::quiet_NaN();

/// One position, as far as it is known. What is not given is NaN (or 0 for what is added).
struct Position {
  Side side = Side::long_;
  /// Average entry price, quote per base unit. Cross accounts that report their equity at the mark price: the mark.
  double entry_price = kNotGiven;
  /// Notional at entry / initial margin, >= 1. Ignored where `margin` is given.
  double leverage = kNotGiven;
  /// Base units (linear) or USD (inverse), > 0. May be left out where only entry and leverage are known.
  double quantity = kNotGiven;
  /// Margin behind the position: isolated margin, or the wallet balance with cross margin. Needs `quantity`.
  double margin = kNotGiven;
  /// Margin added afterwards; needs `quantity`.
  double added_margin = 0.0;
  /// Opening fee rate that is paid from the margin, fraction of the notional at entry.
  double open_fee = 0.0;
  /// Unrealised profit of the account's other positions (cross); needs `quantity`.
  double other_pnl = 0.0;
  /// Maintenance margin of the account's other positions (cross); needs `quantity`.
  double other_maintenance = 0.0;
};

/// Maintenance terms of one position: a single rate, whatever the size.
struct MarginTerms {
  double rate = 0.0;    ///< maintenance margin rate, fraction; 0 <= rate < 1
  double fee = 0.0;     ///< liquidation fee rate, fraction; rate + fee < 1; 0 with MarginBasis::entry
  double amount = 0.0;  ///< maintenance amount, >= 0; needs the quantity
  MarginBasis basis = MarginBasis::mark;
};

/// A price, or NaN and why there is none.
struct LiquidationPrice {
  double price = kNotGiven;  ///< quote per base unit
  NoPrice reason = NoPrice::invalid;
  std::size_t tier = 0;  ///< row of the risk-tier table that holds at the price, from 0
};

/// Maintenance margin terms of an instrument: one rate for every position, or a table of risk tiers.
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

  /// A table of risk tiers.
  ///
  /// With maintenance amounts the tier is the one of the notional at the liquidation price. Without them (OKX,
  /// BitMEX) one rate, chosen by the size at entry, holds for the whole position.
  ///
  /// @param tiers    rising; the first floor is 0, each further floor the cap before it, or all of them one contract
  ///                 above it (then a tier ends where the next begins); rates in (0, 1), rising;
  ///                 max_leverage * rate <= 1; with amounts `amount[n] = amount[n-1] + floor[n] (rate[n] - rate[n-1])`
  ///                 to 1e-6, so that maintenance margin is continuous
  /// @param amounts  whether the amounts are the venue's. False: there are none, all must be 0
  /// @param unit     what floors and caps count; must be notional with amounts
  /// @param name     venue and symbol, for error messages
  /// @throws InvalidConfig naming venue, symbol, tier and rule
  static MarginSchedule tiers(std::vector<RiskTier> tiers, bool amounts, double fee = 0.0,
                              MarginBasis basis = MarginBasis::mark, TierUnit unit = TierUnit::notional,
                              const std::string& name = "");

  /// A rate that grows with the quantity, as on Deribit: rate + slope * quantity, for the whole position.
  /// @param slope         per unit of quantity; finite, >= 0
  /// @param max_leverage  of the smallest position; the initial margin rate grows by the same slope
  static MarginSchedule sloped(double rate, double slope, double max_leverage = std::numeric_limits<double>::infinity(),
                               double fee = 0.0, MarginBasis basis = MarginBasis::mark);

  /// The same terms, and a position size assumed for some leverages, which picks their risk tier in `level`.
  /// @param sizes  (leverage, size in the table's unit), each > 0
  [[nodiscard]] MarginSchedule assuming(std::vector<std::pair<double, double>> sizes) const;

  /// Liquidation price divided by entry price of an isolated position that was opened at leverage `leverage`.
  ///
  /// With m the rate, f the fee, L the leverage (derived from margin + PnL = maintenance at that price):
  ///
  ///     linear, mark   long (1 - 1/L)/(1 - m - f)     short (1 + 1/L)/(1 + m + f)
  ///     linear, entry  long 1 - (1/L - m)             short 1 + (1/L - m)
  ///     inverse, mark  long (1 + m + f)/(1 + 1/L)     short (1 - m - f)/(1 - 1/L)
  ///     inverse, entry long 1/(1 + 1/L - m)           short 1/(1 - 1/L + m)
  ///
  /// The first risk tier is used, or that of the size assumed for this leverage. A `leverage` above 0 and below 1 is a
  /// distance from the entry (leverage.hpp): 1 - d and 1 + d, whatever the terms.
  ///
  /// @return a factor above 0; or NaN and why
  [[nodiscard]] LiquidationPrice level(Side side, Contract contract, double leverage) const noexcept;
  /// `level(...).price`.
  [[nodiscard]] double level_factor(Side side, Contract contract, double leverage) const noexcept;

  /// Maintenance margin rate of the first tier.
  [[nodiscard]] double rate() const noexcept { return tiers_.front().rate; }
  [[nodiscard]] double fee() const noexcept { return fee_; }
  [[nodiscard]] MarginBasis basis() const noexcept { return basis_; }
  [[nodiscard]] const std::vector<RiskTier>& risk_tiers() const noexcept { return tiers_; }
  [[nodiscard]] bool has_amounts() const noexcept { return amounts_; }
  [[nodiscard]] TierUnit unit() const noexcept { return unit_; }
  [[nodiscard]] double slope() const noexcept { return slope_; }
  [[nodiscard]] const std::vector<std::pair<double, double>>& assumed_sizes() const noexcept { return assumed_; }
  /// Highest leverage there is: that of the first tier, infinity if not known.
  [[nodiscard]] double max_leverage() const noexcept { return tiers_.front().max_leverage; }
  /// Row of the table for a size in its unit; the last one beyond its cap.
  [[nodiscard]] std::size_t tier_of(double size) const noexcept;
  bool operator==(const MarginSchedule&) const noexcept = default;

 private:
  MarginSchedule(std::vector<RiskTier> tiers, bool amounts, double fee, MarginBasis basis, TierUnit unit)
      : tiers_(std::move(tiers)), amounts_(amounts), fee_(fee), basis_(basis), unit_(unit) {}
  std::vector<RiskTier> tiers_;
  bool amounts_;
  double fee_;
  MarginBasis basis_;
  TierUnit unit_;
  double slope_ = 0.0;
  std::vector<std::pair<double, double>> assumed_;
};

/// Mark price at which a position is liquidated, under one rate.
/// @note Never throws, never allocates.
LIQCORE_EXPORT LiquidationPrice liquidation_price(const Position& position, Contract contract,
                                                  const MarginTerms& terms) noexcept;

/// The same under a schedule: with maintenance amounts, the tier is the one of the notional at the liquidation price.
LIQCORE_EXPORT LiquidationPrice liquidation_price(const Position& position, Contract contract,
                                                  const MarginSchedule& schedule) noexcept;

/// Isolated, linear position of which only entry and leverage are known; NaN where there is no price.
LIQCORE_EXPORT double liquidation_price(Side side, double entry_price, double leverage, double mmr) noexcept;

/// Price at which equity is zero: where the venue takes a position over. Fees are left out, except `open_fee`.
LIQCORE_EXPORT LiquidationPrice bankruptcy_price(const Position& position, Contract contract) noexcept;

/// Columns of positions: each span has one value a position, or a single one for all, or (except side and entry) none.
struct Positions {
  std::span<const Side> side{};
  std::span<const double> entry_price{};
  std::span<const double> leverage{};
  std::span<const double> quantity{};
  std::span<const double> margin{};
  std::span<const double> added_margin{};
  std::span<const double> open_fee{};
  std::span<const double> other_pnl{};
  std::span<const double> other_maintenance{};
};

/// Columns of terms, with the same rule; rate must not be empty.
struct TermColumns {
  std::span<const double> rate{};
  std::span<const double> fee{};
  std::span<const double> amount{};
  MarginBasis basis = MarginBasis::mark;
};

/// Liquidation prices of many positions, bit for bit those of the scalar call; about 10 ns each.
/// @param price   one value a position; NaN where there is none
/// @param reason  as long as `price`, or empty
/// @pre every span's length is that of `price`, or 1, or (where allowed) 0
LIQCORE_EXPORT void liquidation_prices(const Positions& positions, Contract contract, const TermColumns& terms,
                                       std::span<double> price, std::span<NoPrice> reason) noexcept;
LIQCORE_EXPORT void liquidation_prices(const Positions& positions, Contract contract, const MarginSchedule& schedule,
                                       std::span<double> price, std::span<NoPrice> reason) noexcept;
LIQCORE_EXPORT void bankruptcy_prices(const Positions& positions, Contract contract, std::span<double> price,
                                      std::span<NoPrice> reason) noexcept;

/// A long and a short of one symbol in hedge mode, sharing one cross margin.
struct HedgedPosition {
  double long_entry_price = kNotGiven;
  double long_quantity = 0.0;
  double short_entry_price = kNotGiven;
  double short_quantity = 0.0;
  /// Wallet balance + unrealised profit of other symbols - their maintenance margin.
  double margin = 0.0;
};

/// The prices between which a hedged account survives: it is liquidated by falling to `below` or rising to `above`.
/// Maintenance margin rises with the price on both legs, so even a larger long can have both.
struct HedgePrices {
  double below = kNotGiven;           ///< NaN where no fall liquidates
  double above = kNotGiven;           ///< NaN where no rise liquidates
  NoPrice reason = NoPrice::invalid;  ///< `never`: neither; `no_position`: maintenance exceeds equity at every price
};

/// Each leg has its own risk tier, chosen as for a single position.
LIQCORE_EXPORT HedgePrices hedge_liquidation_prices(const HedgedPosition& position, Contract contract,
                                                    const MarginSchedule& schedule) noexcept;

}  // namespace liqcore::inline abi1
